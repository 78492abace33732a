"""What is new: Atom feeds in both languages and for each concept, and an event stream of records.

Specification: RFC 4287; RFC 6721 (what was withdrawn); Linked Data Event Streams 1.0 and its server
primer, sections 2 (responses) and 5 (pages).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from medbench_kg import changes, export, markup, vocabulary
from medbench_kg.errors import NotFoundError
from medbench_kg.negotiation import GRAPH_FORMATS, by_name, choose
from medbench_kg.vocabulary import BASE
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from medbench_kg.negotiation import Format
    from medbench_kg.store import LocalStore, Store

__all__ = ["feeds"]

#: Entries of a feed at most.
_ENTRIES = 100

#: How long a page that won't change may be kept: a year.
_YEAR_S = 365 * 24 * 3600


def feeds(store: Store) -> Blueprint:
    """Make the routes of the feeds and of the event stream."""
    routes = Blueprint("feeds", __name__)
    recent = lru_cache(1 << 6)(partial(changes.recent, store))

    @routes.get("/feed.atom", defaults={"lang": "en", "concept": ""})
    @routes.get("/zh/feed.atom", defaults={"lang": "zh", "concept": ""})
    @routes.get("/<path:concept>/feed.atom", defaults={"lang": "en"})
    @routes.get("/zh/<path:concept>/feed.atom", defaults={"lang": "zh"})
    def feed(concept: str) -> Response:
        """List what changed last, or what changed of those things that a concept is stated of."""
        lang = language()
        term = markup.schema_org(store, BASE + concept, lang) if concept else {}
        if concept and term.get("@type") != "DefinedTerm":
            raise NotFoundError(
                f"There is no concept “{concept}”.",
                hint="One is at /modality/ct/feed.atom.",
            )
        everything = recent(lang)
        entries = recent(lang, BASE + concept) if concept else everything
        body = render_template(
            "feed.xml",
            base=BASE,
            concept=concept,
            name=term.get("name"),
            newest=changes.days(everything)[0],
            entries=entries[:_ENTRIES],
        )
        return _answer(body.encode(), "application/atom+xml; charset=utf-8")

    @routes.get("/ldes")
    @routes.get("/ldes.<suffix>")
    def stream(suffix: str = "") -> Response:
        """Describe the event stream and lead to its pages."""
        return _graph(changes.stream(store, _address()), _wanted(suffix))

    @routes.get("/ldes/<day>")
    @routes.get("/ldes/<day>.<suffix>")
    def stream_page(day: str, suffix: str = "") -> Response:
        """List the versions of records that were made on a day."""
        page = changes.stream_page(store, f"{_address()}/{day}")
        response = _graph(page, _wanted(suffix))
        if day != changes.days(recent("en"))[0]:
            response.cache_control.no_cache = None
            response.cache_control.max_age = _YEAR_S
            response.cache_control.immutable = True
        return response

    return routes


def _address() -> str:
    return f"{request.url_root}ldes"


def _wanted(suffix: str) -> Format:
    named = suffix or request.args.get("_mediatype", "").replace(" ", "+")
    if named:
        return by_name(named, GRAPH_FORMATS)
    return choose(request.headers.get("Accept", ""), GRAPH_FORMATS)


def _graph(page: LocalStore, fmt: Format) -> Response:
    response = _answer(export.serialize(page, fmt, vocabulary.load()), fmt.content_type)
    response.vary.add("Accept")
    return response


def _answer(body: bytes, content_type: str) -> Response:
    response = Response(body, content_type=content_type)
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.cache_control.public = True
    response.cache_control.no_cache = True
    response.make_conditional(request)
    return response
