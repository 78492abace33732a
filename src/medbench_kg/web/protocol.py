"""SPARQL over HTTP: ``/sparql`` for anything, ``/query/<name>`` for the canned queries.

Specification: SPARQL 1.1 Service Description; RFC 9110, section 8.8.3 (ETag).
"""

from __future__ import annotations

import csv
import io
import shlex
from itertools import compress
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request, url_for
from werkzeug.wsgi import wrap_file

from medbench_kg import citation
from medbench_kg.catalogue import ask, find, values
from medbench_kg.negotiation import GRAPH_FORMATS, by_name, choose
from medbench_kg.web import workbench
from medbench_kg.web.asking import OUTCOME, html, lasting, read
from medbench_kg.web.paging import paged
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.catalogue import Column, Query
    from medbench_kg.evaluation import Answer
    from medbench_kg.negotiation import Format
    from medbench_kg.store import LocalStore, Store

__all__ = ["PATHS", "protocol"]

#: Beginnings of the paths of all routes.
PATHS = ("/sparql", "/query/", "/zh/sparql", "/zh/query/")


def protocol(store: Store, service: LocalStore, version: str) -> Blueprint:
    """Make the routes that answer queries.

    Args:
        store: answers the canned queries, in this process.
        service: the service description.
        version: version of the graph, for ETags.
    """
    routes = Blueprint("protocol", __name__)

    @routes.route("/sparql", methods=["GET", "POST", "QUERY"], defaults={"lang": "en"})
    @routes.get("/zh/sparql", defaults={"lang": "zh"})
    def sparql() -> Response:
        """Give what came of a query of the client's own, or describe the service."""
        outcome = request.environ.get(OUTCOME)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None:
            return _response(*outcome)
        asked = read(request)
        return html(workbench.render()) if asked.is_browser else _description(service, version)

    @routes.get("/query/<name>", defaults={"lang": "en"})
    @routes.get("/zh/query/<name>", defaults={"lang": "zh"})
    def query(name: str) -> Response:
        """Answer a canned query; its parameters are those of the URL."""
        canned, asked = find(name), read(request)
        arguments = {k: v for k, (v, *_) in asked.sent.items() if v and k != "format"}
        if asked.is_browser:
            arguments.pop("page", None)
            return _query_page(store, canned, arguments)
        fmt = asked.format("results", "references")
        if fmt.kind == "references":
            body = citation.answer(store, canned, arguments, fmt)
        else:
            body, fmt = ask(store, canned, arguments, asked.format)
        return _lasting(body, fmt, f"{version}\0{name}\0{sorted(arguments.items())}")

    return routes


def _response(answer: Answer, headers: list[tuple[str, str]]) -> Response:
    if answer.body is not None:
        return Response(answer.body, headers=headers)
    response = Response(content_type=answer.format.content_type, direct_passthrough=True)
    if answer.file is not None:
        response.response = wrap_file(request.environ, answer.file, 1 << 16)
        response.call_on_close(answer.file.close)
    response.content_length = answer.size
    response.vary.add("Accept")
    return response


def _lasting(body: bytes, fmt: Format, identity: str) -> Response:
    return Response(body, headers=lasting(fmt.content_type, f"{identity}\0{fmt.name}"))


def _description(service: LocalStore, version: str) -> Response:
    fmt = choose(request.headers.get("Accept", ""), GRAPH_FORMATS)
    return _lasting(service.dump(fmt), fmt, f"{version}\0service description")


def _query_page(store: Store, query: Query, arguments: dict[str, str]) -> Response:
    lang = language()
    body, _ = ask(store, query, arguments, lambda _kind: by_name("csv"))
    page = render_template(
        "query.html",
        query=query,
        arguments={p.name: arguments.get(p.name, p.default) for p in query.parameters},
        values={p.name: values(store, p) for p in query.parameters},
        columns=[column for column in query.columns if _is_spoken(column, lang)],
        rows=paged(_rows(body, query, lang)),
        text=query.bind(arguments),
        commands=_commands(query, arguments),
    )
    return html(page)


def _commands(query: Query, arguments: Mapping[str, str]) -> tuple[str, str]:
    """The same question for a shell, with the server and without it."""
    chosen = {name: value for name, value in arguments.items() if value}
    address = url_for(
        "protocol.query", name=query.name, lang="en", **chosen, format="csv", _external=True
    )
    options = [word for name, value in chosen.items() for word in (f"--{name}", value)]
    local = ["medbench", "query", query.name, *options, "--format", "csv"]
    return shlex.join(["curl", address]), shlex.join(local)


def _is_spoken(column: Column, lang: str) -> bool:
    """Whether a page shows a column: not those that say the same in the other language."""
    return not column.name.endswith("_en" if lang == "zh" else "_zh")


def _rows(body: bytes, query: Query, lang: str) -> list[list[str]]:
    kept = [_is_spoken(column, lang) for column in query.columns]
    rows = list(csv.reader(io.StringIO(body.decode())))[1:]
    return [list(compress(row, kept)) for row in rows]
