"""Every IRI answers: the document about each thing of the graph, in every format.

The path of an IRI below the base is the path of a document about the thing. The server says 200,
never that the document is the thing; the persistent IRI says 303 elsewhere (decision 0009).

Specification: RFC 9110, sections 8.7 (Content-Location) and 12.5.1 (Accept); Cool URIs for the
Semantic Web, section 4; FAIR Signposting Profile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, cached_property, lru_cache, partial
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import gettext

from medbench_kg import description, markup, vocabulary
from medbench_kg.assets import folder
from medbench_kg.errors import GoneError, NotFoundError
from medbench_kg.negotiation import (
    DOCUMENT_FORMATS,
    GRAPH_FORMATS,
    LINK_FORMATS,
    by_name,
    choose,
)
from medbench_kg.vocabulary import BASE
from medbench_kg.web import schema, view
from medbench_kg.web.layout import Layout, layout
from medbench_kg.web.signposting import Link, header, linkset
from medbench_kg.web.words import LANGUAGES, language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medbench_kg.description import Document
    from medbench_kg.negotiation import Format
    from medbench_kg.store import Store
    from medbench_kg.web.hints import Names

__all__ = ["Rendition", "kept", "paths", "resources"]

#: What a page says of the thing with an IRI besides its description.
Supplement = Callable[[str], Mapping[str, object]]

#: Licence of what we say about things.
_CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"

#: Links to items that a header has at most; the linkset has all.
_MAX_ITEMS = 16


@dataclass(frozen=True)
class Rendition:
    """A format that some things have besides the common ones, e.g. BibTeX.

    Attributes:
        format: its media type and suffix.
        applies: whether the thing with an IRI has it.
        write: makes the document about the thing with an IRI.
    """

    format: Format
    applies: Callable[[str], bool]
    write: Callable[[str], bytes]


class _Library:
    """The documents of a graph, looked up by path."""

    def __init__(
        self, store: Store, names: Names, renditions: Sequence[Rendition], supplement: Supplement
    ) -> None:
        self.store = store
        self.supplement = supplement
        self._renditions = renditions
        self._names = names
        self._document = lru_cache(1 << 12)(partial(description.document, store))
        self.signposts = lru_cache(1 << 12)(lambda iri: description.signposts(store, iri))
        self.triples = lru_cache(1 << 6)(self._triples)
        self.said = lru_cache(1 << 4)(partial(description.describe, store))

    @cached_property
    def aliases(self) -> dict[str, str]:
        return description.aliases(self.store)

    @cached_property
    def modified(self) -> str:
        """Date of the last change of any record; "" if there are none."""
        return description.last_change(self.store)

    @cached_property
    def layout(self) -> Layout:
        return layout(self.store)

    @cached_property
    def schema(self) -> dict[str, Callable[[], dict[str, object]]]:
        """What the pages about the schema show, by their path."""
        terms = cache(partial(schema.terms, self.store))
        rules = cache(partial(schema.rules, self.store))
        return {"ontology": lambda: {"terms": terms()}, "shapes": lambda: {"rules": rules()}}

    def find(self, path: str) -> tuple[Document, Format | None]:
        """Find the document that a path leads to, and the format that its suffix names.

        Raises:
            NotFoundError: there is no thing of that name, or not in that format.
        """
        known = self._document(BASE + path)
        if known:
            return known, None
        for fmt in (*DOCUMENT_FORMATS, *(one.format for one in self._renditions)):
            stem = path.removesuffix(f".{fmt.suffix}")
            known = self._document(BASE + stem) if stem != path else None
            if known and fmt in self.offered(known.iri):
                return known, fmt
        near = self._names.near(BASE + path) or self._names.near(BASE + path.rpartition(".")[0])
        proposal = near.replace(BASE, "/", 1)
        hint = f"Did you mean {proposal}?" if near else "The start page leads to everything."
        raise NotFoundError(f"There is nothing at “/{path}”.", hint=hint)

    def offered(self, iri: str) -> tuple[Format, ...]:
        """The formats of the document about a thing, in order of preference."""
        more = (one.format for one in self._renditions if one.applies(iri))
        return (*DOCUMENT_FORMATS, *more)

    def write(self, iri: str, fmt: Format) -> bytes:
        """Write the document about a thing in a format that isn't a page and has no links."""
        for one in self._renditions:
            if one.format == fmt:
                return one.write(iri)
        return self.triples(iri, fmt)

    def _triples(self, iri: str, fmt: Format) -> bytes:
        said = self.said(iri)
        return description.write(said, iri, fmt, vocabulary.load())

    def page(self, iri: str) -> view.Page:
        """Lay the document about a thing out for a reader."""
        if iri == f"{BASE}shapes":
            return view.Page(iri, view.Value(gettext("Shapes")))
        said = description.statements(self.said(iri))
        return view.page(said, iri, self.layout, language())


def paths() -> tuple[str, ...]:
    """Beginnings of the paths of all routes, in both languages."""
    namespaces = vocabulary.load().prefixes.values()
    own = [one.removeprefix(BASE).rstrip("/#") for one in namespaces if one.startswith(BASE)]
    names = (*own, "bundle/", "context.jsonld", "sitemap.xml", "robots.txt")
    return tuple(f"{lang}/{name}" for name in names for lang in ("", "/zh"))


def resources(
    store: Store,
    names: Names,
    version: str,
    renditions: Sequence[Rendition] = (),
    supplement: Supplement = lambda _iri: {},
) -> Blueprint:
    """Make the routes of the documents.

    Args:
        store: the graph.
        names: its names, for hints.
        version: its version, which pages name.
        renditions: formats that some things have besides the common ones.
        supplement: what a page says of the thing with an IRI besides its description, by the
            names that its template knows it by.
    """
    routes = Blueprint("resources", __name__)
    library = _Library(store, names, renditions, supplement)
    context = (folder("ontology") / "context.jsonld").read_bytes()

    @routes.get("/<path:path>", defaults={"lang": "en"})
    @routes.get("/zh/<path:path>", defaults={"lang": "zh"})
    def thing(path: str) -> Response:
        """Say what the graph says about a thing."""
        alias = library.aliases.get(BASE + path)
        if alias:
            return _see_other(_address(alias))
        document, named = library.find(path)
        fmt = named or _wanted(library.offered(document.iri))
        if request.base_url == document.iri:
            return _see_other(_address(document.iri, fmt))
        is_asked_for = named is not None or _asks_for(fmt)
        if document.is_deprecated and not (is_asked_for and fmt.kind == "graph"):
            raise GoneError(f"{document.iri} was withdrawn.", document.successors)
        return _answer(library, document, fmt, version, is_suffixed=named is not None)

    @routes.get("/bundle/<path:path>")
    def bundle(path: str) -> Response:
        """Say all about a concept in one document that needs no other."""
        document, named = library.find(path)
        fmt = named or _wanted(GRAPH_FORMATS)
        if fmt not in _bundles(document):
            raise NotFoundError(
                f"There is no bundle “{path}”.", hint="One is at /bundle/modality/ct.ttl."
            )
        said = description.bundle(store, document.iri)
        body = description.write(said, document.iri, fmt, vocabulary.load())
        links = [Link(_address(document.iri), "collection", "text/html"), Link(_CC0, "license")]
        response = _sent(replace(document, modified=library.modified), body, fmt, links)
        response.headers["Content-Location"] = _bundles(document)[fmt]
        return response

    @routes.get("/context.jsonld")
    def context_document() -> Response:
        """Serve the JSON-LD context."""
        return kept(context, by_name("jsonld").content_type)

    @routes.get("/sitemap.xml")
    def sitemap() -> Response:
        """List all pages, with the dates of their records."""
        rules = [rule for rule in current_app.url_map.iter_rules() if rule.arguments == {"lang"}]
        body = render_template(
            "sitemap.xml",
            pages=sorted({rule.endpoint for rule in rules}),
            documents=description.documents(store).values(),
            base=BASE,
        )
        return kept(body.encode(), "application/xml")

    @routes.get("/robots.txt")
    def robots() -> Response:
        """Invite crawlers, and lead them to the sitemap."""
        return kept(render_template("robots.txt").encode(), "text/plain; charset=utf-8")

    return routes


def _wanted(offered: Sequence[Format]) -> Format:
    """The format that the request names, else the one that the client prefers."""
    named = request.args.get("_mediatype", "").replace(" ", "+")
    return by_name(named, offered) if named else choose(request.headers.get("Accept", ""), offered)


def _asks_for(fmt: Format) -> bool:
    """Whether a client names a format, and doesn't just take anything."""
    accept = request.headers.get("Accept", "").lower()
    names = (fmt.media_type, *fmt.aliases)
    return "_mediatype" in request.args or any(name in accept for name in names)


def _address(iri: str, fmt: Format | None = None) -> str:
    """Path of the document about a thing: in the page's language for pages, else the one there is.

    Args:
        iri: the thing.
        fmt: the format that a suffix is to name; None for the negotiated document.
    """
    lang = language() if fmt is None or fmt.kind == "page" else "en"
    suffix = f".{fmt.suffix}" if fmt else ""
    return url_for("resources.thing", path=iri.removeprefix(BASE) + suffix, lang=lang)


def _bundles(document: Document) -> dict[Format, str]:
    """Paths of the bundle of a concept; none for anything else."""
    stem = document.iri.removeprefix(BASE)
    return {
        fmt: url_for("resources.bundle", path=f"{stem}.{fmt.suffix}")
        for fmt in GRAPH_FORMATS
        if document.is_concept
    }


def _see_other(address: str) -> Response:
    """Lead from an IRI to a document about its thing (httpRange-14)."""
    response = Response(status=303, headers={"Location": address})
    response.vary.add("Accept")
    return response


def kept(body: bytes, content_type: str) -> Response:
    """An answer that can be kept; conditions are decided in front of the app."""
    response = Response(body, content_type=content_type)
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.cache_control.public = True
    response.cache_control.no_cache = True
    return response


def _answer(
    library: _Library, document: Document, fmt: Format, version: str, *, is_suffixed: bool
) -> Response:
    iri = document.iri
    links = _level_1(library, document)
    if fmt.kind == "page":
        body = _page(library, document, links, version)
    elif fmt.kind == "links":
        body = linkset(_level_2(library, document), fmt)
    else:
        body = library.write(iri, fmt)
    if is_suffixed and fmt.kind != "page":
        links = _of_a_description(iri, fmt)
    dated = replace(document, modified=document.modified or library.modified)
    response = _sent(dated, body, fmt, links)
    response.headers["Content-Location"] = _address(iri, fmt)
    if fmt.kind == "page":
        response.headers["Content-Language"] = LANGUAGES[language()]
    return response


def _sent(document: Document, body: bytes, fmt: Format, links: list[Link]) -> Response:
    """A negotiated answer about a thing, with its links and the date of the document."""
    response = kept(body, fmt.content_type)
    response.status_code = 410 if document.is_deprecated else 200
    response.vary.add("Accept")
    response.headers["Link"] = header(links)
    if document.modified:
        response.last_modified = datetime.fromisoformat(document.modified).replace(tzinfo=UTC)
    return response


def _page(library: _Library, document: Document, links: list[Link], version: str) -> bytes:
    offered = library.offered(document.iri)
    name = document.iri.removeprefix(BASE)
    return render_template(
        f"{name if name in library.schema else 'resource'}.html",
        page=library.page(document.iri),
        base=BASE,
        shorten=vocabulary.load().shorten,
        **library.schema.get(name, dict)(),
        path=name,
        document=document,
        formats={fmt: _address(document.iri, fmt) for fmt in offered if fmt.kind != "page"},
        bundles=_bundles(document),
        links=links,
        **library.supplement(document.iri),
        markup=markup.schema_org(library.store, document.iri, language()),
        version=version,
    ).encode()


def _level_1(library: _Library, document: Document) -> list[Link]:
    """The links of the document about a thing; many items are in the linkset alone."""
    iri = document.iri
    found = library.signposts(iri)
    items = [target for relation, target in found if relation == "item"]
    shown = [pair for pair in found if pair[0] != "item" or len(items) <= _MAX_ITEMS]
    offered = library.offered(iri)
    return [
        Link(iri, "cite-as"),
        Link("https://schema.org/AboutPage", "type"),
        *(Link(target, relation) for relation, target in shown),
        *(Link(address, "item", fmt.media_type) for fmt, address in _bundles(document).items()),
        *(
            Link(_address(iri, fmt), "describedby", fmt.media_type, fmt.profile)
            for fmt in offered
            if fmt.kind not in {"page", "links"}
        ),
        *(
            Link(_address(iri, fmt), "linkset", fmt.media_type)
            for fmt in offered
            if fmt.kind == "links"
        ),
    ]


def _level_2(library: _Library, document: Document) -> dict[str, list[Link]]:
    """Absolute links of the document about a thing, all items included, and of its descriptions."""
    iri = document.iri
    here = urljoin(request.url, _address(iri))
    found = [Link(target, relation) for relation, target in library.signposts(iri)]
    first = [link for link in _level_1(library, document) if link not in found]
    anchored = {here: [*first, *found]}
    for fmt in library.offered(iri):
        if fmt.kind not in {"page", "links"}:
            anchored[urljoin(here, _address(iri, fmt))] = _of_a_description(iri, fmt)
    return {
        anchor: [replace(link, target=urljoin(here, link.target)) for link in links]
        for anchor, links in anchored.items()
    }


def _of_a_description(iri: str, fmt: Format) -> list[Link]:
    """The links of a document that describes a thing for machines."""
    return [
        Link(iri, "cite-as"),
        Link(_address(iri), "describes", "text/html"),
        Link(_CC0, "license"),
        *(
            Link(_address(iri, one), "linkset", one.media_type)
            for one in LINK_FORMATS
            if one != fmt
        ),
    ]
