"""SPARQL over HTTP: ``/sparql`` for anything, ``/query/<name>`` for the canned queries.

Specification: SPARQL 1.1 Protocol, section 2.1 (query operation).
"""

from __future__ import annotations

import csv
import io
from itertools import compress
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, render_template, request

from medbench_kg.catalogue import ask, catalogue, find, values
from medbench_kg.errors import QueryError
from medbench_kg.negotiation import FORMATS, by_name, choose

if TYPE_CHECKING:
    from medbench_kg.catalogue import Column, Query
    from medbench_kg.negotiation import Format, Kind
    from medbench_kg.store import LocalStore

__all__ = ["protocol"]

_QUERY = "application/sparql-query"
_FORM = "application/x-www-form-urlencoded"


def protocol(store: LocalStore) -> Blueprint:
    """Make the routes that answer queries from a store."""
    routes = Blueprint("protocol", __name__)

    @routes.get("/sparql")
    @routes.post("/sparql")
    def sparql() -> Response:
        """Answer a query of the client's own."""
        texts = _texts()
        if not texts and request.method == "GET":
            return _page(store)
        if len(texts) != 1:
            raise QueryError(
                f"The request holds {len(texts)} queries.",
                hint=f"Send one: GET ?query=…, a form with query=…, or a body of type {_QUERY}.",
            )
        return _answer(*store.query(texts[0], _wanted))

    @routes.get("/query/<name>")
    def query(name: str) -> Response:
        """Answer a canned query; its parameters are those of the URL."""
        asked = find(name)
        arguments = {k: v for k, v in request.args.items() if v and k not in {"format", "lang"}}
        if _browser():
            return _query_page(store, name, arguments)
        return _answer(*ask(store, asked, arguments, _wanted))

    return routes


def _texts() -> list[str]:
    """The queries that a request carries, wherever it carries them."""
    found = request.args.getlist("query")
    if request.method == "POST":
        if request.mimetype == _FORM:
            found += request.form.getlist("query")
            if "update" in request.form:
                abort(403, "This endpoint is read-only: it takes no updates.")
        elif request.mimetype == _QUERY:
            found.append(_utf8(request.get_data()))
        else:
            abort(415, f"Send {_FORM} or {_QUERY}.")
    return [text for text in found if text.strip()]


def _utf8(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise QueryError("The query isn't UTF-8.", hint="Send UTF-8.") from error


def _wanted(kind: Kind) -> Format:
    """The format named in the request, else the one that the client prefers."""
    offered = [fmt for fmt in FORMATS if fmt.kind == kind]
    named = request.values.get("format")
    if named:
        return by_name(named, offered)
    return choose(request.headers.get("Accept", ""), offered)


def _browser() -> bool:
    """Whether a person with a browser asks: it prefers HTML, and no format is named."""
    return "format" not in request.args and "text/html" in request.headers.get("Accept", "")


def _answer(body: bytes, fmt: Format) -> Response:
    response = Response(body, content_type=fmt.content_type)
    response.vary.add("Accept")
    return response


def _page(store: LocalStore) -> Response:
    lang = "zh" if request.args.get("lang") == "zh" else "en"
    page = render_template("sparql.html", lang=lang, queries=catalogue(), triples=len(store))
    return Response(page, content_type="text/html; charset=utf-8")


def _query_page(store: LocalStore, name: str, arguments: dict[str, str]) -> Response:
    query = find(name)
    lang = "zh" if request.args.get("lang") == "zh" else "en"
    body, _ = ask(store, query, arguments, lambda _kind: by_name("csv"))
    page = render_template(
        "query.html",
        lang=lang,
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
