"""SPARQL over HTTP: ``/sparql`` for anything, ``/query/<name>`` for the canned queries.

Specification: SPARQL 1.1 Protocol, section 2.1 (query operation); SPARQL 1.1 Service Description;
RFC 9110, sections 8.8.3 (ETag) and 12.5.1 (Accept).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from itertools import compress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from flask import Blueprint, Response, abort, render_template, request
from werkzeug.wsgi import wrap_file

from medbench_kg import citation, guard, vocabulary
from medbench_kg.catalogue import ask, find, values
from medbench_kg.errors import NotAcceptableError, QueryError, UpdateError
from medbench_kg.evaluation import Answer, Request
from medbench_kg.negotiation import BOOLEAN_FORMATS, FORMATS, GRAPH_FORMATS, by_name, choose
from medbench_kg.web import workbench
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from medbench_kg.catalogue import Column, Query
    from medbench_kg.evaluation import Pool
    from medbench_kg.negotiation import Format, Kind
    from medbench_kg.store import LocalStore

__all__ = ["PATHS", "protocol"]

#: Beginnings of the paths of all routes.
PATHS = ("/sparql", "/query/", "/zh/sparql", "/zh/query/")

_QUERY = "application/sparql-query"
_UPDATE = "application/sparql-update"
_FORM = "application/x-www-form-urlencoded"
_GRAPHS = frozenset({"default-graph-uri", "named-graph-uri"})
_KINDS: tuple[Kind, ...] = ("results", "boolean", "graph")
_READ_ONLY = "This endpoint is read-only: it takes no updates."

#: A prefix declaration, and the prefix of a name, in a query without comments and strings.
_DECLARED = re.compile(r"\bPREFIX\s+([\w.-]*):", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w<:/.#?$@])([A-Za-z][\w.-]*):(?=[\w%\\])")


#: Parameters of a request: those of its URL, then those of its form.
_Sent = Mapping[str, Sequence[str]]


def protocol(
    store: LocalStore, pool: Pool, service: LocalStore, base: str, version: str
) -> Blueprint:
    """Make the routes that answer queries.

    Args:
        store: answers the canned queries, in this process.
        pool: answers the queries of strangers, elsewhere.
        service: the service description.
        base: address of the server, ending in a slash, whatever host a client names.
        version: version of the graph, for ETags.
    """
    routes = Blueprint("protocol", __name__)

    @routes.route("/sparql", methods=["GET", "POST", "QUERY"], defaults={"lang": "en"})
    @routes.get("/zh/sparql", defaults={"lang": "zh"})
    def sparql() -> Response:
        """Answer a query of the client's own, or describe the service."""
        sent = _sent()
        if "update" in sent:
            raise UpdateError(_READ_ONLY, hint="Send a query.")
        texts = [text for text in sent.get("query", ()) if text.strip()]
        if not texts and request.method in {"GET", "HEAD"} and "query" not in sent:
            return _html(workbench.render()) if _browser(sent) else _description(service, version)
        if len(texts) != 1:
            raise QueryError(
                f"The request holds {len(texts)} queries.",
                hint=f"Send one: GET ?query=…, a form with query=…, or a body of type {_QUERY}.",
            )
        wanted = _request(texts[0], sent, f"{base}sparql")
        answer = _evaluate(pool, wanted, sent)
        if answer.body is None:
            return _from_file(answer)
        return _answer(answer.body, answer.format, str(wanted), version)

    @routes.get("/query/<name>", defaults={"lang": "en"})
    @routes.get("/zh/query/<name>", defaults={"lang": "zh"})
    def query(name: str) -> Response:
        """Answer a canned query; its parameters are those of the URL."""
        asked, sent = find(name), _sent()
        arguments = {k: v for k, (v, *_) in sent.items() if v and k != "format"}
        if _browser(sent):
            return _query_page(store, asked, arguments)
        fmt = _wanted(sent, "results", "references")
        if fmt.kind == "references":
            body = citation.answer(store, asked, arguments, fmt)
        else:
            body, fmt = ask(store, asked, arguments, lambda kind: _wanted(sent, kind))
        return _answer(body, fmt, str((name, *sorted(arguments.items()))), version)

    return routes


def _sent() -> _Sent:
    """All that a request carries, wherever it carries it; a query as a body counts as a parameter.

    Raises:
        QueryError: something isn't UTF-8.
        UpdateError: the body is an update.
    """
    sent = _parameters(request.query_string)
    if request.method in {"POST", "QUERY"}:
        kind = request.mimetype
        charset = request.mimetype_params.get("charset", "utf-8").lower()
        if kind == _UPDATE:
            raise UpdateError(_READ_ONLY, hint="Send a query.")
        if kind not in {_FORM, _QUERY} or charset not in {"utf-8", "utf8"}:
            abort(415, f"Send {_FORM} or {_QUERY}, in UTF-8.")
        body = _body()
        more = _parameters(body) if kind == _FORM else {"query": [_utf8(body)]}
        for name, found in more.items():
            sent.setdefault(name, []).extend(found)
    return sent


def _parameters(form: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(_utf8(form), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise _not_utf8() from error


def _body() -> bytes:
    """The whole body: one that is cut, by the client or by the limit, is refused."""
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


def _request(text: str, sent: _Sent, base: str) -> Request:
    """What a child is asked: the query, the formats that the client takes, the dataset."""
    guard.inspect(text)
    return Request(
        text,
        *_acceptable(request.headers.get("Accept", ""), _first("format", sent)),
        base,
        _graph_names("default-graph-uri", sent),
        _graph_names("named-graph-uri", sent),
    )


@lru_cache(128)
def _acceptable(accept: str, named: str) -> tuple[str | None, str | None, str | None]:
    """Names of the formats that a client takes for bindings, a boolean and triples."""

    def name(kind: Kind) -> str | None:
        try:
            return _chosen(accept, named, kind).name
        except NotAcceptableError:
            return None

    return name("results"), name("boolean"), name("graph")


def _graph_names(parameter: str, sent: _Sent) -> tuple[str, ...] | None:
    """Names of graphs in the protocol's parameters; they are looked up, never fetched."""
    names = sent.get(parameter, ())
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*", name):
            raise QueryError(
                f"“{name}” is no IRI.", hint="Name a graph by its IRI.", where=parameter
            )
    return tuple(names) if _GRAPHS & sent.keys() else None


def _evaluate(pool: Pool, wanted: Request, sent: _Sent) -> Answer:
    deadline_s = _deadline(sent)
    try:
        return pool.run(wanted, deadline_s)
    except NotAcceptableError as error:
        for kind in _KINDS:
            if kind == error.where:
                _wanted(sent, kind)  # raises, and says which formats there are
        raise
    except QueryError as error:
        if "Prefix not found" not in error.message:
            raise
        raise QueryError(
            error.message, hint=_prefix_hint(wanted.text), where=error.where
        ) from error


def _deadline(sent: _Sent) -> float | None:
    named = _first("timeout", sent)
    if not named:
        return None
    try:
        seconds = float(named)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise QueryError(
            f"“{named}” is no timeout.", hint="Give seconds, e.g. timeout=5.", where="timeout"
        )
    return seconds


def _prefix_hint(text: str) -> str:
    """Name the prefix that a query forgot to declare, and the namespace that it likely means."""
    bare = re.sub(r"\"[^\"\n]*\"|'[^'\n]*'|<[^<>\s]*>|#.*", " ", text)
    declared = set(_DECLARED.findall(bare))
    known = vocabulary.load().prefixes
    for prefix in _NAME.findall(bare):
        if prefix not in declared:
            near = (
                prefix if prefix in known else next(iter(get_close_matches(prefix, known, 1)), "")
            )
            if near:
                return f"“{prefix}:” isn't declared; add PREFIX {near}: <{known[near]}>."
            return f"“{prefix}:” isn't declared; add a PREFIX line for it."
    return "Declare every prefix with a PREFIX line."


def _first(parameter: str, sent: _Sent) -> str:
    return next(iter(sent.get(parameter, ())), "")


def _wanted(sent: _Sent, *kinds: Kind) -> Format:
    """The format named in the request, else the one that the client prefers."""
    return _chosen(request.headers.get("Accept", ""), _first("format", sent), *kinds)


def _chosen(accept: str, named: str, *kinds: Kind) -> Format:
    offered = BOOLEAN_FORMATS if "boolean" in kinds else [f for f in FORMATS if f.kind in kinds]
    return by_name(named, offered) if named else choose(accept, offered)


def _browser(sent: _Sent) -> bool:
    """Whether a person with a browser asks: it prefers HTML, and no format is named."""
    return "format" not in sent and "text/html" in request.headers.get("Accept", "")


def _answer(body: bytes, fmt: Format, key: str, version: str) -> Response:
    """An answer that can be kept: its ETag tells graph, question and format."""
    return _lasting(body, fmt.content_type, f"{version}\0{key}\0{fmt.name}")


def _html(page: str) -> Response:
    return _lasting(page.encode(), "text/html; charset=utf-8", page)


def _lasting(body: bytes, content_type: str, identity: str) -> Response:
    response = Response(body, content_type=content_type)
    response.vary.add("Accept")
    response.set_etag(hashlib.sha256(identity.encode()).hexdigest()[:32])
    response.cache_control.public = True
    response.cache_control.no_cache = True
    return response


def _from_file(answer: Answer) -> Response:
    response = Response(content_type=answer.format.content_type, direct_passthrough=True)
    if answer.file is not None:
        response.response = wrap_file(request.environ, answer.file, 1 << 16)
        response.call_on_close(answer.file.close)
    response.content_length = answer.size
    response.vary.add("Accept")
    return response


def _description(service: LocalStore, version: str) -> Response:
    fmt = choose(request.headers.get("Accept", ""), GRAPH_FORMATS)
    return _answer(service.dump(fmt), fmt, "service description", version)


def _query_page(store: LocalStore, query: Query, arguments: dict[str, str]) -> Response:
    lang = language()
    body, _ = ask(store, query, arguments, lambda _kind: by_name("csv"))
    page = render_template(
        "query.html",
        query=query,
        arguments={p.name: arguments.get(p.name, p.default) for p in query.parameters},
        values={p.name: values(store, p) for p in query.parameters},
        columns=[column for column in query.columns if _is_spoken(column, lang)],
        rows=_rows(body, query, lang),
        text=query.bind(arguments),
    )
    return _html(page)


def _is_spoken(column: Column, lang: str) -> bool:
    """Whether a page shows a column: not those that say the same in the other language."""
    return not column.name.endswith("_en" if lang == "zh" else "_zh")


def _rows(body: bytes, query: Query, lang: str) -> list[list[str]]:
    kept = [_is_spoken(column, lang) for column in query.columns]
    rows = list(csv.reader(io.StringIO(body.decode())))[1:]
    return [list(compress(row, kept)) for row in rows]
