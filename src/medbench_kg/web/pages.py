"""The start page, the recipes for other tools, and the dumps."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext

from medbench_kg import builds, export, vocabulary
from medbench_kg.catalogue import catalogue
from medbench_kg.changes import recent
from medbench_kg.crate import FILE, as_page
from medbench_kg.errors import NotFoundError
from medbench_kg.facets import of
from medbench_kg.metadata import CATALOGUE_GRAPH
from medbench_kg.negotiation import GRAPH_FORMATS, by_name, choose
from medbench_kg.recipes import recipes
from medbench_kg.web.coverage import shade
from medbench_kg.web.resources import kept
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from medbench_kg.builds import Manifest
    from medbench_kg.changes import Change
    from medbench_kg.store import Store

__all__ = ["pages"]


def _(text: str) -> str:
    """Mark a text for translation; it is translated when a page is made."""
    return text


#: Questions of the start page: what is asked, and the choices on ``/datasets`` that answer it.
_QUESTIONS: tuple[tuple[str, dict[str, str]], ...] = (
    (_("Which benchmarks are in Chinese?"), {"language": "zh", "role": "Benchmark"}),
    (_("Which datasets hold chest X-rays?"), {"modality": "chest-x-ray"}),
    (_("Where can a model learn to write reports?"), {"task": "report-generation"}),
    (_("What can be downloaded by anyone?"), {"access": "open"}),
    (_("Which datasets show surgery on video?"), {"modality": "surgical-video"}),
    (_("What came out most recently?"), {"sort": "year"}),
)

#: Changes on the start page.
_LATEST = 5


def pages(store: Store, manifest: Manifest) -> Blueprint:
    """Make the pages of the build that is served.

    Args:
        store: the graph.
        manifest: the build that it was read from.
    """
    routes = Blueprint("pages", __name__)
    latest = cache(lambda lang: recent(store, lang)[:_LATEST])

    @routes.get("/", defaults={"lang": "en"})
    @routes.get("/zh/", defaults={"lang": "zh"})
    def start() -> Response:
        """Say what this is and lead to everything; to a machine, by the catalogue."""
        page = by_name("html")
        fmt = choose(request.headers.get("Accept", ""), (page, *GRAPH_FORMATS))
        if fmt == page:
            response = Response(
                _start(store, manifest, latest(language())), content_type=page.content_type
            )
        else:
            body = export.serialize(store, fmt, vocabulary.load(), CATALOGUE_GRAPH)
            response = kept(body, fmt.content_type)
            address = url_for("descriptions.catalogue", format=fmt.suffix)
            response.headers["Content-Location"] = address
            response.make_conditional(request)
        response.vary.add("Accept")
        return response

    @routes.get("/use", defaults={"lang": "en"})
    @routes.get("/zh/use", defaults={"lang": "zh"})
    def use() -> str:
        """Show how other tools take the graph in."""
        return render_template(
            "use.html", recipes=recipes(), server=request.url_root.removesuffix("/")
        )

    @routes.get("/data/ro-crate-metadata.json")
    def crate() -> Response:
        """Describe the dumps as an RO-Crate."""
        if not manifest.files:
            raise NotFoundError("This graph has no dumps.", hint="Ask it by SPARQL.")
        body = builds.read(FILE, manifest)
        response = Response(body, content_type=by_name("jsonld").media_type)
        response.set_etag(manifest.version)
        response.make_conditional(request)
        return response

    @routes.get("/data/<name>")
    def dump(name: str) -> Response:
        """Serve a file of the build: a dump, a part of one, or a table."""
        if name not in manifest.files:
            known = ", ".join(sorted(manifest.files))
            raise NotFoundError(f"There is no file “{name}”.", hint=f"There are: {known}.")
        about = manifest.files[name]
        response = Response(builds.read(name, manifest), mimetype=str(about["media_type"]))
        response.set_etag(str(about["sha256"]))
        if name.endswith(".csv"):
            response.headers["Link"] = (
                '<csv-metadata.json>; rel="describedby"; type="application/csvm+json"'
            )
        response.make_conditional(request)
        return response

    return routes


def _start(store: Store, manifest: Manifest, latest: list[Change]) -> str:
    return render_template(
        "start.html",
        manifest=manifest,
        queries=catalogue(),
        questions=[(gettext(asked), choices) for asked, choices in _QUESTIONS],
        grid=of(store).table("modality", "task", ()),
        shade=shade,
        latest=latest,
        markup=_markup(manifest),
    )


def _markup(manifest: Manifest) -> dict[str, object]:
    """The graph and its dumps in the terms of schema.org; nothing for a graph without dumps."""
    if not manifest.files:
        return {}
    return as_page(builds.read(FILE, manifest), f"{request.url_root}data/")
