"""Search: a page, suggestions as one types, and its OpenSearch description.

Specification: OpenSearch 1.1, sections 4 (description) and 6 (suggestions).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, get_args

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from flask_babel import gettext

from medbench_kg import builds, search
from medbench_kg.errors import QueryError
from medbench_kg.store import LocalStore
from medbench_kg.vocabulary import BASE
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.search import Hit, Kind
    from medbench_kg.settings import Settings
    from medbench_kg.store import Store

__all__ = ["finding"]

_HITS = 50
_SUGGESTIONS = 8

#: Longest text that is looked for.
_MAX_TEXT = 200


def finding(store: Store, settings: Settings) -> Blueprint:
    """Make the routes of the search.

    Args:
        store: the graph.
        settings: say where it was opened from, and so where its index is.
    """
    routes = Blueprint("finding", __name__)

    @cache
    def index() -> search.Index:
        built = builds.search_file(settings.store) if isinstance(store, LocalStore) else None
        return search.open_or_make(store, built)

    @routes.get("/search", defaults={"lang": "en"})
    @routes.get("/zh/search", defaults={"lang": "zh"})
    def page() -> str:
        """Show what was found, and why."""
        text, kind = _text(), request.args.get("kind", "")
        if kind and kind not in get_args(search.Kind):
            raise QueryError(
                f"There is no kind “{kind}”.",
                hint=f"There are: {', '.join(get_args(search.Kind))}.",
                where="kind",
            )
        hits = index().search(text, _HITS, [kind] if kind else ())  # type: ignore[list-item]
        return render_template(
            "search.html",
            text=text,
            kind=kind,
            kinds=_kinds(),
            reasons=_reasons(),
            hits=[(hit, _title(hit), hit.iri.removeprefix(BASE)) for hit in hits],
        )

    @routes.get("/search/suggestions", defaults={"lang": "en"})
    @routes.get("/zh/search/suggestions", defaults={"lang": "zh"})
    def suggestions() -> Response:
        """Suggest names, as OpenSearch wants them: text, names, kinds, addresses."""
        text = _text()
        hits = index().search(text, _SUGGESTIONS)
        kinds = _kinds()
        home = url_for("pages.start", _external=True)
        answer = jsonify(
            [
                text,
                [_title(hit) for hit in hits],
                [kinds[hit.kind] for hit in hits],
                [home + hit.iri.removeprefix(BASE) for hit in hits],
            ]
        )
        answer.content_type = "application/x-suggestions+json"
        return answer

    @routes.get("/opensearch.xml", defaults={"lang": "en"})
    @routes.get("/zh/opensearch.xml", defaults={"lang": "zh"})
    def description() -> Response:
        """Describe the search to browsers."""
        body = render_template("opensearch.xml")
        return Response(body, content_type="application/opensearchdescription+xml")

    return routes


def _text() -> str:
    text = request.args.get("q", "").strip()
    if len(text) > _MAX_TEXT:
        raise QueryError(
            f"The text has {len(text)} characters.", hint=f"Give at most {_MAX_TEXT}.", where="q"
        )
    return text


def _title(hit: Hit) -> str:
    names = hit.title
    return names.get(language()) or names.get("en") or names.get("") or hit.iri.removeprefix(BASE)


def _kinds() -> Mapping[Kind, str]:
    return {
        "dataset": gettext("Dataset"),
        "source": gettext("Source dataset"),
        "paper": gettext("Paper"),
        "venue": gettext("Venue"),
        "concept": gettext("Concept"),
        "model": gettext("Model"),
    }


def _reasons() -> Mapping[str, str]:
    return {
        "title": gettext("name"),
        "name": gettext("other name"),
        "identifier": gettext("identifier"),
        "author": gettext("author"),
        "paper": gettext("paper or venue"),
        "theme": gettext("topic"),
        "text": gettext("description"),
    }
