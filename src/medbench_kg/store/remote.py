"""The graph somewhere else: any SPARQL 1.1 endpoint.

Answers are relayed as the bytes that came, in the format that was asked for, after a look whether
they are whole and of the right shape; the shape is that of an answer from an empty graph.

Specification: SPARQL 1.1 Protocol, section 2.1 (query operation).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, cast

from SPARQLWrapper import JSON, SELECT, SPARQLWrapper

from medbench_kg.errors import QueryError, StoreError
from medbench_kg.negotiation import by_name
from medbench_kg.store.local import LocalStore
from medbench_kg.store.shape import check
from medbench_kg.store.wire import Reply, Wire

if TYPE_CHECKING:
    import urllib.request
    from collections.abc import Callable, Iterator, Mapping
    from http.client import HTTPResponse

    from medbench_kg.negotiation import Format, Kind
    from medbench_kg.settings import Endpoint
    from medbench_kg.store.interface import Pick

__all__ = ["RemoteStore"]

#: IRIs of default graphs and of named graphs, and the parameters that name them.
_Dataset = tuple[Sequence[str], Sequence[str]]
_PARAMETERS = ("default-graph-uri", "named-graph-uri")


class RemoteStore:
    """A SPARQL 1.1 endpoint that holds the graph."""

    def __init__(
        self,
        endpoint: Endpoint,
        named: Sequence[str] = (),
        prefixes: Mapping[str, str] | None = None,
        *,
        deadline_s: float = 30.0,
        max_bytes: int = 1 << 28,
    ) -> None:
        """Point at an endpoint; nothing is sent yet.

        Args:
            endpoint: where it is.
            named: IRIs of the named graphs besides that which holds the graph.
            prefixes: used when Turtle or RDF/XML is written here.
            deadline_s: seconds that an answer may take.
            max_bytes: size that an answer may have.
        """
        self._endpoint = endpoint
        self._named = named
        self._prefixes = prefixes
        self._deadline_s = deadline_s
        self._wire = Wire(endpoint, max_bytes)

    def query(self, text: str, pick: Pick) -> tuple[bytes, Format]:
        """Answer a query in the bytes that the endpoint sends.

        Raises:
            QueryError: the text isn't a SPARQL 1.1 query, or the endpoint refuses it.
            UnavailableError: the endpoint gives no answer now.
            StoreError: its answer is no answer to this query, or it lets us not in.
        """
        blank, fmt = LocalStore().query(text, pick)
        with self.relay(text, blank, fmt).body as body:
            return body.read(), fmt

    def rows(self, text: str) -> Iterator[dict[str, str]]:
        """Answer a SELECT as rows of lexical values, unbound variables left out.

        Raises:
            QueryError: the text isn't a SELECT query, or the endpoint refuses it.
            UnavailableError: the endpoint gives no answer now.
            StoreError: its answer is no answer to this query, or it lets us not in.
        """
        client = self._client(text)
        client.setReturnFormat(JSON)
        try:
            answer = client.queryAndConvert()
        except ValueError as error:
            raise _no_answer() from error
        if not isinstance(answer, dict) or "results" not in answer:
            raise QueryError("This needs a SELECT query.")
        for row in answer["results"]["bindings"]:
            yield {name: term["value"] for name, term in row.items()}

    def construct(self, text: str) -> LocalStore:
        """Answer a CONSTRUCT query as a store of its own.

        Raises:
            QueryError: the text isn't a CONSTRUCT query, or the endpoint refuses it.
            UnavailableError: the endpoint gives no answer now.
            StoreError: its answer is no answer to this query, or it lets us not in.
        """
        return self._loaded(*self.query(text, _ntriples))

    def dump(self, fmt: Format, graph: str | None = None) -> bytes:
        """Write one graph; ``graph`` is the IRI of a named one, None the graph itself.

        Raises:
            UnavailableError: the endpoint gives no answer now.
            StoreError: its answer is no answer, or it lets us not in.
        """
        dataset = None if graph is None else ((graph,), ())
        package = files("medbench_kg") / "sparql" / "everything.rq"
        text = package.read_text(encoding="utf-8")
        blank, ntriples = LocalStore().query(text, _ntriples)
        with self.relay(text, blank, ntriples, dataset=dataset).body as body:
            return self._loaded(body.read(), ntriples).dump(fmt)

    def _loaded(self, triples: bytes, fmt: Format) -> LocalStore:
        store = LocalStore(self._prefixes)
        store.load(triples, fmt.name)
        return store

    def relay(
        self,
        text: str,
        blank: bytes,
        fmt: Format,
        *,
        dataset: _Dataset | None = None,
        deadline_s: float | None = None,
        trusted: bool = True,
    ) -> Reply:
        """Pass a query on that the engine's parser has taken as one, and the answer back.

        Args:
            text: SPARQL 1.1.
            blank: the answer of an empty graph, in the same format.
            fmt: the format to ask for.
            dataset: IRIs of the default graphs and of the named ones; None is the whole graph, and
                two times none leaves it to the text.
            deadline_s: a shorter deadline.
            trusted: see :meth:`Wire.read`.

        Returns:
            The whole answer; the caller closes its body.

        Raises:
            QueryError: the endpoint refuses the query.
            NotAcceptableError: it can't write the format.
            UnavailableError: it gives no answer now, or a too large one.
            StoreError: its answer is no answer to this query, or it lets us not in.
        """
        client = self._client(text, dataset, deadline_s, trusted=trusted)
        client.addCustomHttpHeader("Accept", fmt.media_type)
        reply = client.ask()
        try:
            check(reply, blank, fmt)
        except StoreError:
            reply.body.close()
            raise
        return reply

    def _client(
        self,
        text: str,
        dataset: _Dataset | None = None,
        deadline_s: float | None = None,
        *,
        trusted: bool = True,
    ) -> _Client:
        def send(request: urllib.request.Request) -> Reply:
            body = request.data if isinstance(request.data, bytes) else None
            headers = dict(request.header_items())
            allowed = min(deadline_s or self._deadline_s, self._deadline_s)
            return self._wire.read(request.full_url, body, headers, allowed, trusted=trusted)

        client = _Client(self._endpoint.url, send)
        client.setQuery(text)
        whole = ((self._endpoint.graph,), self._named) if self._endpoint.graph else ((), ())
        for name, iris in zip(_PARAMETERS, whole if dataset is None else dataset, strict=True):
            for iri in iris:
                client.addParameter(name, iri)
        return client


def _ntriples(kind: Kind) -> Format:
    """Take triples only.

    Raises:
        QueryError: the query is of another form.
    """
    if kind != "graph":
        raise QueryError("This needs a CONSTRUCT query.")
    return by_name("ntriples")


def _no_answer() -> StoreError:
    return StoreError(
        "What the endpoint sends isn't SPARQL 1.1 Query Results JSON.", hint="Check its address."
    )


class _Client(SPARQLWrapper):
    """Writes requests and reads answers as the library does; they travel over our own wire."""

    def __init__(self, url: str, send: Callable[[urllib.request.Request], Reply]) -> None:
        super().__init__(url, agent="medbench-kg")
        self.setMethod("POST")
        self.setOnlyConneg(True)
        self._send = send

    def _parseQueryType(self, query: str) -> str:  # noqa: N802, ARG002  the library's hook
        """Don't guess from words in the text: the engine's parser has taken it as a query."""
        return str(SELECT)

    def ask(self) -> Reply:
        """Send the query; the answer stays bytes."""
        return self._send(self._createRequest())

    def _query(self) -> tuple[HTTPResponse, str]:
        reply, fmt = self.ask(), by_name("json")
        if reply.media_type not in {fmt.media_type, *fmt.aliases}:
            reply.body.close()
            raise _no_answer()
        return cast("HTTPResponse", _Response(reply)), self.returnFormat


class _Response:
    """A reply with the face that the library reads."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def info(self) -> Mapping[str, str]:
        return self._reply.headers

    def read(self) -> bytes:
        with self._reply.body as body:
            return body.read()
