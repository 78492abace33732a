"""The engine: the only module that knows pyoxigraph, oxrdflib and SPARQLWrapper.

:class:`LocalStore` holds the graph in memory and answers in the engine's own serialisation;
:class:`RemoteStore` asks any SPARQL 1.1 endpoint the same way. The default graph holds ontology,
concepts, mappings and data; the shapes are in a named graph of their own.

Specification: SPARQL 1.1 Query Language, SPARQL 1.1 Protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Protocol

import oxrdflib
import pyoxigraph as ox
from rdflib import Graph
from rdflib.graph import DATASET_DEFAULT_GRAPH_ID
from rdflib.term import BNode, Literal, Node, URIRef
from SPARQLWrapper import SPARQLWrapper

from medbench_kg.errors import QueryError, StoreError, UpdateError
from medbench_kg.negotiation import Format, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["LocalStore", "Pick", "RemoteStore", "Store", "literal", "named_node"]

_RDF = {
    "turtle": ox.RdfFormat.TURTLE,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "nquads": ox.RdfFormat.N_QUADS,
    "trig": ox.RdfFormat.TRIG,
    "rdfxml": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
}
_RESULTS = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}
_XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"


#: Names the format for an answer, once it is known whether this is bindings or triples.
Pick = Callable[[Kind], Format]


class Store(Protocol):
    """Something that answers SPARQL queries in a given format."""

    def query(self, text: str, pick: Pick) -> tuple[bytes, Format]:
        """Answer a query; ``pick`` is asked once for the format."""
        ...


class LocalStore:
    """A graph in memory."""

    def __init__(self, prefixes: Mapping[str, str] | None = None) -> None:
        """Open an empty store; ``prefixes`` are used when Turtle, TriG or RDF/XML is written."""
        self._store = ox.Store()
        self._prefixes = dict(prefixes or {})

    def __len__(self) -> int:
        """Number of quads, named graphs included."""
        return len(self._store)

    def load(
        self, content: bytes, fmt: str, *, graph: str | None = None, base: str | None = None
    ) -> None:
        """Add RDF.

        Args:
            content: the document, UTF-8.
            fmt: name of a graph or dataset format, see :mod:`medbench_kg.negotiation`.
            graph: IRI of the named graph to add to; None is the default graph.
            base: IRI that relative references are resolved against.

        Raises:
            StoreError: the document isn't well-formed; nothing is added.
        """
        target = None if graph is None else ox.NamedNode(graph)
        try:
            self._store.load(content, _RDF[fmt], to_graph=target, base_iri=base)
        except (SyntaxError, ValueError, OSError) as error:
            raise StoreError(f"The RDF can't be read: {error}.") from error

    def infer(self, rule: str) -> int:
        """Add what a CONSTRUCT query finds to the default graph; return how many are new."""
        before = len(self._store)
        triples = self._run(rule)
        if not isinstance(triples, ox.QueryTriples):
            raise QueryError("A rule must be a CONSTRUCT query.")
        self._store.extend([ox.Quad(t.subject, t.predicate, t.object) for t in triples])
        return len(self._store) - before

    def query(self, text: str, pick: Pick) -> tuple[bytes, Format]:
        """Answer a query in the engine's own serialisation.

        Args:
            text: SPARQL 1.1; prefixes must be declared in it.
            pick: asked with ``results`` for SELECT and ASK, with ``graph`` for CONSTRUCT and
                DESCRIBE.

        Returns:
            The answer and the format that it is in.

        Raises:
            QueryError: the text isn't a SPARQL 1.1 query.
        """
        answer = self._run(text)
        if isinstance(answer, ox.QueryTriples):
            fmt = pick("graph")
            if fmt.name in {"turtle", "rdfxml"}:
                return self._with_prefixes(answer, fmt), fmt
            return ox.serialize(answer, format=_RDF[fmt.name]) or b"", fmt
        fmt = pick("results")
        return answer.serialize(format=_RESULTS[fmt.name]) or b"", fmt

    def write_answer(
        self,
        text: str,
        pick: Pick,
        output: IO[bytes],
        *,
        base: str | None = None,
        default_graphs: Sequence[str] | None = None,
        named_graphs: Sequence[str] | None = None,
    ) -> None:
        """Write an answer as it comes; graphs that are named make the dataset instead of FROM.

        Raises:
            UpdateError: the text is an update.
            QueryError: the text isn't a SPARQL 1.1 query, or a graph is named by no IRI.
            EngineError: the output took no more.
        """
        try:
            answer = self._store.query(
                text,
                base_iri=base,
                default_graph=_graphs(default_graphs),
                named_graphs=None
                if named_graphs is None
                else [ox.NamedNode(i) for i in named_graphs],
            )
        except SyntaxError as error:
            if _is_update(text, base):
                raise UpdateError(
                    "This is an update, and the graph is read-only.", hint="Send a query."
                ) from error
            raise _syntax_problem(error) from error
        except (RuntimeError, ValueError, OSError) as error:
            raise QueryError(f"The query can't be answered: {error}.") from error
        if isinstance(answer, ox.QueryTriples):
            fmt = pick("graph")
            if fmt.name in {"turtle", "rdfxml"}:
                output.write(self._with_prefixes(answer, fmt))
            else:
                ox.serialize(answer, output, format=_RDF[fmt.name])
        else:
            kind: Kind = "boolean" if isinstance(answer, ox.QueryBoolean) else "results"
            answer.serialize(output, format=_RESULTS[pick(kind).name])

    def _with_prefixes(self, answer: ox.QueryTriples, fmt: Format) -> bytes:
        """Write triples with those of the prefixes that occur in them, in alphabetical order."""
        triples = list(answer)
        prefixes = _used(self._prefixes, triples)
        return _ordered(ox.serialize(triples, format=_RDF[fmt.name], prefixes=prefixes) or b"")

    def rows(self, text: str) -> Iterator[dict[str, str]]:
        """Answer a SELECT as rows of lexical values, unbound variables left out.

        Raises:
            QueryError: the text isn't a SELECT query.
        """
        answer = self._run(text)
        if not isinstance(answer, ox.QuerySolutions):
            raise QueryError("This needs a SELECT query.")
        names = [variable.value for variable in answer.variables]
        for solution in answer:
            yield {n: t.value for n in names if (t := solution[n]) is not None}

    def dump(self, fmt: Format) -> bytes:
        """Write the default graph, or all graphs if the format holds a dataset.

        Quads are sorted and only prefixes that occur are declared: equal graphs, equal bytes.
        """
        graph = None if fmt.kind == "dataset" else ox.DefaultGraph()
        quads = sorted(self._store.quads_for_pattern(None, None, None, graph), key=_sort_key)
        prefixed = fmt.name in {"turtle", "trig", "rdfxml"}
        prefixes = _used(self._prefixes, quads) if prefixed else None
        content = quads if fmt.kind == "dataset" else [quad.triple for quad in quads]
        return _ordered(ox.serialize(content, format=_RDF[fmt.name], prefixes=prefixes) or b"")

    def canonical(self) -> LocalStore:
        """A copy whose blank nodes are labelled by RDF Dataset Canonicalization."""
        dataset = ox.Dataset(self._store)
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        copy = LocalStore(self._prefixes)
        copy._store.extend(dataset)
        return copy

    def as_rdflib(self) -> Graph:
        """The default graph as an rdflib graph over this very store: writes show on both sides."""
        return Graph(
            store=oxrdflib.OxigraphStore(store=self._store), identifier=DATASET_DEFAULT_GRAPH_ID
        )

    def copy_to_rdflib(self, graph: str | None = None, into: Graph | None = None) -> Graph:
        """Copy one graph into rdflib's memory, with the terms that rdflib's own parser makes.

        rdflib holds ``"x"`` and ``"x"^^xsd:string`` to be different literals, so a graph that went
        through oxrdflib doesn't match shapes that didn't, and ``sh:in`` reports false violations.
        """
        copy = Graph() if into is None else into
        source = ox.DefaultGraph() if graph is None else ox.NamedNode(graph)
        known: dict[object, Node] = {}

        def term(value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Node:
            if value not in known:
                known[value] = _to_rdflib(value)
            return known[value]

        for quad in self._store.quads_for_pattern(None, None, None, source):
            copy.add((term(quad.subject), term(quad.predicate), term(quad.object)))
        return copy

    def _run(self, text: str) -> ox.QuerySolutions | ox.QueryBoolean | ox.QueryTriples:
        try:
            return self._store.query(text)
        except SyntaxError as error:
            raise _syntax_problem(error) from error
        except (RuntimeError, ValueError) as error:
            raise QueryError(f"The query can't be answered: {error}.") from error


class RemoteStore:
    """A SPARQL 1.1 endpoint somewhere else."""

    def __init__(self, endpoint: str, timeout_s: int = 30) -> None:
        """Point at an endpoint; nothing is sent yet."""
        self._endpoint = endpoint
        self._timeout_s = timeout_s

    def query(self, text: str, pick: Pick) -> tuple[bytes, Format]:
        """Send a query and relay the answer's bytes.

        Raises:
            StoreError: the endpoint can't be reached or refuses the query.
        """
        fmt = pick(_kind_of_answer(text))
        client = SPARQLWrapper(self._endpoint)
        client.setTimeout(self._timeout_s)
        client.setMethod("POST")
        client.setOnlyConneg(True)
        client.setRequestMethod("postdirectly")
        client.setQuery(text)
        client.addCustomHttpHeader("Accept", fmt.media_type)
        try:
            return client.query().response.read(), fmt
        except Exception as error:
            raise StoreError(
                f"The endpoint {self._endpoint} gave no answer: {error}.",
                hint="Check its address and that it is running.",
            ) from error


def _kind_of_answer(text: str) -> Kind:
    answer = LocalStore()._run(text)  # noqa: SLF001  parsed by the engine, answered by nobody
    return "graph" if isinstance(answer, ox.QueryTriples) else "results"


def named_node(iri: str) -> str:
    """Write an IRI as a SPARQL term.

    Raises:
        QueryError: it isn't an absolute IRI.
    """
    try:
        return str(ox.NamedNode(iri))
    except ValueError as error:
        raise QueryError(f"“{iri}” is no IRI.", hint="Give an absolute IRI or a slug.") from error


def literal(text: str, datatype: str | None = None) -> str:
    """Write a literal as a SPARQL term, escaped; ``datatype`` is an IRI, None for a string."""
    return str(ox.Literal(text, datatype=None if datatype is None else ox.NamedNode(datatype)))


def _to_rdflib(value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Node:
    if isinstance(value, ox.NamedNode):
        return URIRef(value.value)
    if isinstance(value, ox.BlankNode):
        return BNode(value.value)
    if isinstance(value, ox.Literal):
        if value.language is not None:
            return Literal(value.value, lang=value.language)
        datatype = value.datatype.value
        kind = None if datatype == _XSD_STRING else URIRef(datatype)
        return Literal(value.value, datatype=kind, normalize=False)
    raise StoreError("The graph holds a triple term.", hint="Only RDF 1.1 terms are used here.")


def _graphs(
    iris: Sequence[str] | None,
) -> list[ox.NamedNode | ox.BlankNode | ox.DefaultGraph] | None:
    return None if iris is None else [ox.NamedNode(iri) for iri in iris]


def _is_update(text: str, base: str | None) -> bool:
    """Whether the parser takes a text as an update; run on an empty store of its own."""
    try:
        ox.Store().update(text, base_iri=base)
    except SyntaxError:
        return False
    except (RuntimeError, ValueError, OSError):
        return True
    return True


def _sort_key(quad: ox.Quad) -> tuple[str, str, str, str]:
    return (str(quad.graph_name), str(quad.subject), str(quad.predicate), str(quad.object))


def _used(prefixes: Mapping[str, str], quads: Sequence[ox.Quad | ox.Triple]) -> dict[str, str]:
    """The prefixes whose namespace some IRI of the quads begins with."""
    iris = {term.value for quad in quads for term in quad if isinstance(term, ox.NamedNode)}
    iris |= {quad.object.datatype.value for quad in quads if isinstance(quad.object, ox.Literal)}
    namespaces = {iri[: max(iri.rfind("/"), iri.rfind("#")) + 1] for iri in iris}
    return {prefix: ns for prefix, ns in prefixes.items() if ns in namespaces}


def _ordered(document: bytes) -> bytes:
    """Sort the prefix declarations at the head, which the engine writes in random order."""
    lines = document.split(b"\n")
    end = next((i for i, line in enumerate(lines) if not line.startswith(b"@prefix ")), 0)
    head, root = sorted(lines[:end]), re.compile(rb"(?<=<rdf:RDF )[^>]*(?=>)")
    body = b"\n".join([*head, *lines[end:]])
    return root.sub(lambda match: b" ".join(sorted(match[0].split())), body, count=1)


_POSITION = re.compile(r"error at (\d+):(\d+): expected (?:one of )?(.*)", re.DOTALL)
_REASON = re.compile(r"(?:^|, )([A-Z][a-zA-Z]+ [a-zA-Z ]+)")
_TOKEN = re.compile(r"(?:^|, )(\"[^\"]+\"|[A-Z]{2,}(?= *(?:,|$)))")

#: Tokens that an error names at most.
_MAX_TOKENS = 8


def _syntax_problem(error: SyntaxError) -> QueryError:
    """Shorten the engine's message, which lists every character class it could have taken."""
    found = _POSITION.search(str(error))
    if not found:
        return QueryError(f"This isn't a SPARQL 1.1 query: {str(error).splitlines()[0]}.")
    line, column, expected = found.groups()
    reasons, tokens = _REASON.findall(expected), _TOKEN.findall(expected)
    if reasons:
        detail = ", ".join(reasons)
    elif tokens:
        detail = f"expected {' or '.join(tokens[:_MAX_TOKENS])}"
    else:
        detail = "unexpected text"
    return QueryError(
        f"This isn't a SPARQL 1.1 query: {detail}.",
        hint="Look at the text before this position.",
        where=f"line {line}, column {column}",
    )
