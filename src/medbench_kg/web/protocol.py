"""SPARQL over HTTP: ``/sparql`` for anything, ``/query/<name>`` for the canned queries.

Specification: SPARQL 1.1 Protocol, section 2.1 (query operation); SPARQL 1.1 Service Description;
RFC 9110, sections 8.8.3 (ETag), 12.5.1 (Accept) and 13.1.2 (If-None-Match).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import threading
from difflib import get_close_matches
from itertools import compress
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from cachetools import LRUCache
from flask import Blueprint, Response, abort, render_template, request
from werkzeug.wsgi import wrap_file

from medbench_kg import citation, guard, vocabulary
from medbench_kg.catalogue import ask, catalogue, find, values
from medbench_kg.errors import NotAcceptableError, QueryError, UpdateError
from medbench_kg.evaluation import Answer, Request
from medbench_kg.negotiation import BOOLEAN_FORMATS, FORMATS, GRAPH_FORMATS, by_name, choose
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from medbench_kg.catalogue import Column, Query
    from medbench_kg.evaluation import Pool
    from medbench_kg.negotiation import Format, Kind
    from medbench_kg.store import LocalStore

__all__ = ["protocol"]

_QUERY = "application/sparql-query"
_UPDATE = "application/sparql-update"
_FORM = "application/x-www-form-urlencoded"
_KINDS: tuple[Kind, ...] = ("results", "boolean", "graph")
_READ_ONLY = "This endpoint is read-only: it takes no updates."

#: A prefix declaration, and the prefix of a name, in a query without comments and strings.
_DECLARED = re.compile(r"\bPREFIX\s+([\w.-]*):", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w<:/.#?$@])([A-Za-z][\w.-]*):(?=[\w%\\])")


#: An answer that is kept: its bytes, its format, and what its ETag is made of.
_Kept = tuple[bytes, "Format", str]


class _Cache:
    """Answers by what was asked, bounded by bytes, shared by threads."""

    def __init__(self, max_bytes: int) -> None:
        self._kept: LRUCache[tuple[object, ...], _Kept] = LRUCache(max(max_bytes, 1), _size)
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...]) -> _Kept | None:
        with self._lock:
            return self._kept.get(key)

    def keep(self, key: tuple[object, ...], kept: _Kept) -> None:
        with self._lock:
            if _size(kept) <= self._kept.maxsize:
                self._kept[key] = kept


def _size(kept: _Kept) -> int:
    """Bytes that an entry takes, its key included: that holds what was asked, twice at most."""
    return len(kept[0]) + 3 * len(kept[2]) + 1024


def protocol(
    store: LocalStore, pool: Pool, service: LocalStore, version: str, cache_bytes: int
) -> Blueprint:
    """Make the routes that answer queries.

    Args:
        store: answers the canned queries, in this process.
        pool: answers the queries of strangers, elsewhere.
        service: the service description.
        version: version of the graph, for ETags.
        cache_bytes: size of the cache of answers.
    """
    routes = Blueprint("protocol", __name__)
    cache = _Cache(cache_bytes)

    @routes.route("/sparql", methods=["GET", "POST", "QUERY"], defaults={"lang": "en"})
    @routes.get("/zh/sparql", defaults={"lang": "zh"})
    def sparql() -> Response:
        """Answer a query of the client's own, or describe the service."""
        asked_for = _as_sent()
        known = cache.get(asked_for)
        if known is not None:
            return _answer(*known, version)
        texts = _texts()
        if not texts and request.method in {"GET", "HEAD"} and "query" not in request.args:
            return _page(len(store)) if _browser() else _description(service, version)
        if len(texts) != 1:
            raise QueryError(
                f"The request holds {len(texts)} queries.",
                hint=f"Send one: GET ?query=…, a form with query=…, or a body of type {_QUERY}.",
            )
        wanted, deadline_s = _request(texts[0]), _deadline()
        answer = _evaluate(pool, wanted, deadline_s)
        if answer.body is None:
            return _from_file(answer)
        known = (answer.body, answer.format, str(wanted))
        cache.keep(asked_for, known)
        return _answer(*known, version)

    @routes.get("/query/<name>", defaults={"lang": "en"})
    @routes.get("/zh/query/<name>", defaults={"lang": "zh"})
    def query(name: str) -> Response:
        """Answer a canned query; its parameters are those of the URL."""
        asked = find(name)
        arguments = {k: v for k, v in request.args.items() if v and k != "format"}
        if _browser():
            return _query_page(store, asked, arguments)
        fmt = _wanted("results", "references")
        key = (name, *sorted(arguments.items()), fmt.name)
        known = cache.get(key)
        if known is None:
            if fmt.kind == "references":
                body = citation.answer(store, asked, arguments, fmt)
            else:
                body, fmt = ask(store, asked, arguments, _wanted)
            known = (body, fmt, str(key))
            cache.keep(key, known)
        return _answer(*known, version)

    return routes


def _as_sent() -> tuple[object, ...]:
    """A request as it was sent: two that are the same to the byte have the same answer."""
    headers = request.headers
    body = request.get_data() if request.method in {"POST", "QUERY"} else b""
    sent = (request.method, request.host, request.path, request.query_string, body)
    return (*sent, headers.get("Accept", ""), headers.get("Content-Type", ""))


def _texts() -> list[str]:
    """The queries that a request carries, wherever it carries them."""
    _utf8(unquote_to_bytes(request.query_string))
    if "update" in request.args:
        raise UpdateError(_READ_ONLY, hint="Send a query.")
    found = request.args.getlist("query")
    if request.method in {"POST", "QUERY"}:
        charset = request.mimetype_params.get("charset", "utf-8").lower()
        if request.mimetype == _UPDATE:
            raise UpdateError(_READ_ONLY, hint="Send a query.")
        if request.mimetype not in {_FORM, _QUERY} or charset not in {"utf-8", "utf8"}:
            abort(415, f"Send {_FORM} or {_QUERY}, in UTF-8.")
        body = _body()
        if request.mimetype == _FORM:
            _utf8(unquote_to_bytes(body))
            if "update" in request.form:
                raise UpdateError(_READ_ONLY, hint="Send a query.")
            found += request.form.getlist("query")
        else:
            found.append(_utf8(body))
    return [text for text in found if text.strip()]


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
        raise QueryError("The query isn't UTF-8.", hint="Send UTF-8.") from error


def _request(text: str) -> Request:
    """What a child is asked: the query, the formats that the client takes, the dataset."""
    guard.inspect(text)
    return Request(
        text,
        _acceptable("results"),
        _acceptable("boolean"),
        _acceptable("graph"),
        f"{request.scheme}://{request.host}{request.path}",
        _graph_names("default-graph-uri"),
        _graph_names("named-graph-uri"),
    )


def _acceptable(kind: Kind) -> str | None:
    try:
        return _wanted(kind).name
    except NotAcceptableError:
        return None


def _graph_names(parameter: str) -> tuple[str, ...] | None:
    """Names of graphs in the protocol's parameters; they are looked up, never fetched."""
    names = request.args.getlist(parameter) + request.form.getlist(parameter)
    other = {"default-graph-uri", "named-graph-uri"} & (set(request.args) | set(request.form))
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]*", name):
            raise QueryError(
                f"“{name}” is no IRI.", hint="Name a graph by its IRI.", where=parameter
            )
    return tuple(names) if names or other else None


def _evaluate(pool: Pool, wanted: Request, deadline_s: float | None) -> Answer:
    try:
        return pool.run(wanted, deadline_s)
    except NotAcceptableError as error:
        for kind in _KINDS:
            if kind == error.where:
                _wanted(kind)  # raises, and says which formats there are
        raise
    except QueryError as error:
        if "Prefix not found" not in error.message:
            raise
        raise QueryError(
            error.message, hint=_prefix_hint(wanted.text), where=error.where
        ) from error


def _deadline() -> float | None:
    named = request.values.get("timeout")
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


def _wanted(*kinds: Kind) -> Format:
    """The format named in the request, else the one that the client prefers."""
    offered = BOOLEAN_FORMATS if "boolean" in kinds else [f for f in FORMATS if f.kind in kinds]
    named = request.values.get("format")
    if named:
        return by_name(named, offered)
    return choose(request.headers.get("Accept", ""), offered)


def _browser() -> bool:
    """Whether a person with a browser asks: it prefers HTML, and no format is named."""
    return "format" not in request.args and "text/html" in request.headers.get("Accept", "")


def _answer(body: bytes, fmt: Format, key: str, version: str) -> Response:
    """An answer that can be kept: its ETag tells graph, question and format."""
    tag = hashlib.sha256(f"{version}\0{key}\0{fmt.name}".encode()).hexdigest()[:32]
    response = Response(body, content_type=fmt.content_type)
    response.vary.add("Accept")
    response.set_etag(tag)
    response.cache_control.public = True
    response.cache_control.no_cache = True
    response.make_conditional(request)
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


def _page(triples: int) -> Response:
    page = render_template("sparql.html", queries=catalogue(), triples=triples)
    response = Response(page, content_type="text/html; charset=utf-8")
    response.vary.add("Accept")
    return response


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
    response = Response(page, content_type="text/html; charset=utf-8")
    response.vary.add("Accept")
    return response


def _is_spoken(column: Column, lang: str) -> bool:
    """Whether a page shows a column: not those that say the same in the other language."""
    return not column.name.endswith("_en" if lang == "zh" else "_zh")


def _rows(body: bytes, query: Query, lang: str) -> list[list[str]]:
    kept = [_is_spoken(column, lang) for column in query.columns]
    rows = list(csv.reader(io.StringIO(body.decode())))[1:]
    return [list(compress(row, kept)) for row in rows]
