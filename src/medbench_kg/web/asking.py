"""What is asked over HTTP: read once from a request, and evaluated before Flask sees it.

An answer that needs nothing more is sent from here. Whatever else comes of a query, an error or an
answer that has to be encoded or streamed, is handed on, and Flask makes a response of it.

Specification: SPARQL 1.1 Protocol, section 2.1 (query operation); RFC 9110, sections 8.8.3 (ETag)
and 12.5.1 (Accept).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from flask import Response
from werkzeug.exceptions import abort
from werkzeug.wrappers import Request

from medbench_kg import evaluation, guard
from medbench_kg.errors import NotAcceptableError, QueryError, UpdateError
from medbench_kg.negotiation import BOOLEAN_FORMATS, FORMATS, by_name, choose
from medbench_kg.web.hints import prefix_hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from medbench_kg.evaluation import Answer, Pool
    from medbench_kg.negotiation import Format, Kind
    from medbench_kg.web.hints import Names

__all__ = ["OUTCOME", "Asked", "body_of", "evaluate_first", "html", "lasting", "parameters", "read"]

#: Where the environment of a request holds what came of its query: an answer, or an error.
OUTCOME = "medbench.outcome"

#: Path of the endpoint → methods by which queries are sent to it.
_METHODS = {"/sparql": {"GET", "HEAD", "POST", "QUERY"}, "/zh/sparql": {"GET", "HEAD"}}
_QUERY = "application/sparql-query"
_UPDATE = "application/sparql-update"
_FORM = "application/x-www-form-urlencoded"
_GRAPHS = frozenset({"default-graph-uri", "named-graph-uri"})
_KINDS: tuple[Kind, ...] = ("results", "boolean", "graph")
_READ_ONLY = "This endpoint is read-only: it takes no updates."

#: Size of answers that may be small because a name is misspelt: no rows, or a count of 0.
_SMALL_BYTES = 512


@dataclass(frozen=True)
class Asked:
    """What a request carries.

    Attributes:
        accept: its Accept header; "" if it has none.
        sent: parameters of its URL, then those of its form; a query as a body counts as one.
    """

    accept: str
    sent: Mapping[str, Sequence[str]]

    def first(self, parameter: str) -> str:
        """The first value of a parameter; "" if it isn't sent."""
        return next(iter(self.sent.get(parameter, ())), "")

    def format(self, *kinds: Kind) -> Format:
        """The format that is named, else the one that the client prefers.

        Raises:
            NotAcceptableError: there is none for these kinds of answers.
        """
        return _format(self.accept, self.first("format"), *kinds)

    @property
    def is_browser(self) -> bool:
        """Whether a person with a browser asks: it prefers HTML, and no format is named."""
        return "format" not in self.sent and "text/html" in self.accept


def evaluate_first(
    app: WSGIApplication, pool: Pool, names: Names, base: str, version: str, max_body: int
) -> WSGIApplication:
    """Evaluate queries sent to ``/sparql`` before an app is asked.

    Args:
        app: makes a response of what it finds in the environment as ``OUTCOME``.
        pool: evaluates the queries of strangers.
        names: what there is in the graph, for hints.
        base: address of the server, ending in a slash, whatever host a client names.
        version: of the graph, for ETags.
        max_body: bytes of the body of a request.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in _METHODS.get(environ["PATH_INFO"], ()):
            return app(environ, start_response)
        request = Request(environ)
        request.max_content_length = max_body
        try:
            found = _evaluate(request, pool, f"{base}sparql")
        except Exception as error:  # noqa: BLE001  Flask tells it like any other
            environ[OUTCOME] = error
            return app(environ, start_response)
        if found is None:
            return app(environ, start_response)
        wanted, outcome = found
        headers = lasting(
            outcome.format.content_type, f"{version}\0{wanted}\0{outcome.format.name}"
        )
        if outcome.size <= _SMALL_BYTES and (hint := names.hint(wanted.text)):
            headers.append(("Medbench-Hint", hint))
        if outcome.body is None or environ.get("HTTP_ACCEPT_ENCODING"):
            environ[OUTCOME] = outcome, headers
            return app(environ, start_response)
        start_response("200 OK", [*headers, ("Content-Length", str(outcome.size))])
        return [outcome.body]

    return answer


def lasting(content_type: str, identity: str) -> list[tuple[str, str]]:
    """Headers of an answer that can be kept; its ETag stands for its identity."""
    tag = hashlib.sha256(identity.encode()).hexdigest()[:32]
    return [
        ("Content-Type", content_type),
        ("Vary", "Accept, Accept-Encoding"),
        ("ETag", f'"{tag}"'),
        ("Cache-Control", "public, no-cache"),
    ]


def html(page: str) -> Response:
    """A page that can be kept."""
    return Response(page, headers=lasting("text/html; charset=utf-8", page))


def read(request: Request) -> Asked:
    """Read all that a request carries, wherever it carries it.

    Raises:
        QueryError: something isn't UTF-8.
        UpdateError: the body is an update.
    """
    sent = parameters(request.query_string)
    if request.method in {"POST", "QUERY"}:
        kind = request.mimetype
        charset = request.mimetype_params.get("charset", "utf-8").lower()
        if kind == _UPDATE:
            raise UpdateError(_READ_ONLY, hint="Send a query.")
        if kind not in {_FORM, _QUERY} or charset not in {"utf-8", "utf8"}:
            abort(415, f"Send {_FORM} or {_QUERY}, in UTF-8.")
        body = body_of(request)
        more = parameters(body) if kind == _FORM else {"query": [_utf8(body)]}
        for name, found in more.items():
            sent.setdefault(name, []).extend(found)
    return Asked(request.headers.get("Accept", ""), sent)


def parameters(form: bytes) -> dict[str, list[str]]:
    """Read what a form or the query of a URL sends.

    Raises:
        QueryError: it isn't UTF-8.
    """
    sent: dict[str, list[str]] = {}
    for pair in filter(None, form.split(b"&")):
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        sent.setdefault(_unquoted(name), []).append(_unquoted(value))
    return sent


def _unquoted(part: bytes) -> str:
    """Undo percent-encoding: as Python's escapes, which its decoder takes all at once."""
    escaped = part.replace(b"\\", rb"\\").replace(b"%", rb"\x")
    try:
        return _utf8(escaped.decode("unicode_escape").encode("latin-1"))
    except UnicodeDecodeError:  # a percent sign that begins no escape
        return _utf8(unquote_to_bytes(part))


def body_of(request: Request) -> bytes:
    """Read the whole body: one that is cut, by the client or by the limit, is refused."""
    body, announced, limit = request.get_data(), request.content_length, request.max_content_length
    if announced is None and limit is not None and len(body) >= limit:
        abort(413, f"A body may have {limit} bytes.")
    if announced is not None and len(body) < announced:
        abort(400, f"The body has {len(body)} of the {announced} bytes that it announced.")
    return body


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8() from error


def _not_utf8() -> QueryError:
    return QueryError("The query isn't UTF-8.", hint="Send UTF-8.")


def _evaluate(request: Request, pool: Pool, base: str) -> tuple[evaluation.Request, Answer] | None:
    """Evaluate the query of a request; None if it has none, and needn't have one."""
    asked = read(request)
    if "update" in asked.sent:
        raise UpdateError(_READ_ONLY, hint="Send a query.")
    if "query" not in asked.sent and request.method in {"GET", "HEAD"}:
        return None
    texts = [text for text in asked.sent.get("query", ()) if text.strip()]
    if len(texts) != 1:
        raise QueryError(
            f"The request holds {len(texts)} queries.",
            hint=f"Send one: GET ?query=…, a form with query=…, or a body of type {_QUERY}.",
        )
    guard.inspect(texts[0])
    wanted = evaluation.Request(
        texts[0],
        *_acceptable(asked.accept, asked.first("format")),
        base,
        _graph_names("default-graph-uri", asked),
        _graph_names("named-graph-uri", asked),
    )
    return wanted, _answer(pool, wanted, asked)


@lru_cache(128)
def _acceptable(accept: str, named: str) -> tuple[str | None, str | None, str | None]:
    """Names of the formats that a client takes for bindings, a boolean and triples."""

    def name(kind: Kind) -> str | None:
        try:
            return _format(accept, named, kind).name
        except NotAcceptableError:
            return None

    return name("results"), name("boolean"), name("graph")


def _format(accept: str, named: str, *kinds: Kind) -> Format:
    offered = BOOLEAN_FORMATS if "boolean" in kinds else [f for f in FORMATS if f.kind in kinds]
    return by_name(named, offered) if named else choose(accept, offered)


def _graph_names(parameter: str, asked: Asked) -> tuple[str, ...] | None:
    """Names of graphs in the protocol's parameters; they are looked up, never fetched."""
    names = asked.sent.get(parameter, ())
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*", name):
            raise QueryError(
                f"“{name}” isn't an IRI.", hint="Name a graph by its IRI.", where=parameter
            )
    return tuple(names) if _GRAPHS & asked.sent.keys() else None


def _answer(pool: Pool, wanted: evaluation.Request, asked: Asked) -> Answer:
    deadline_s = _deadline(asked)
    try:
        return pool.run(wanted, deadline_s)
    except NotAcceptableError as error:
        for kind in _KINDS:
            if kind == error.where:
                asked.format(kind)  # raises, and says which formats there are
        raise
    except QueryError as error:
        if "Prefix not found" not in error.message:
            raise
        raise QueryError(error.message, hint=prefix_hint(wanted.text), where=error.where) from error


def _deadline(asked: Asked) -> float | None:
    named = asked.first("timeout")
    if not named:
        return None
    try:
        seconds = float(named)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise QueryError(
            f"“{named}” isn't a timeout.", hint="Give seconds, e.g. timeout=5.", where="timeout"
        )
    return seconds
