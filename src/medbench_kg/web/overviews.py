"""Overviews: corrections of the list, quality, changes, and releases by year.

Each page shows the answers of canned queries, which it links to, and nothing else.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from medbench_kg.catalogue import find, rows, values
from medbench_kg.changes import history, recent
from medbench_kg.errors import NotFoundError
from medbench_kg.facets import of
from medbench_kg.vocabulary import BASE
from medbench_kg.web.asking import html
from medbench_kg.web.paging import paged
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medbench_kg.store import Store

__all__ = ["PATHS", "overviews"]

#: Beginnings of the paths of all routes.
PATHS = tuple(
    f"{lang}/{name}"
    for name in ("corrections", "quality", "changes", "timeline")
    for lang in ("", "/zh")
)

#: Changes that a page shows.
_CHANGES = 200

#: Values, each with the rows of an answer that have it in common.
_Grouped = list[tuple[str, list[dict[str, str]]]]


def overviews(store: Store) -> Blueprint:
    """Make the pages."""
    routes = Blueprint("overviews", __name__)

    @routes.get("/corrections", defaults={"lang": "en"})
    @routes.get("/zh/corrections", defaults={"lang": "zh"})
    def corrections() -> Response:
        """Show where the list is wrong, and where its two tables disagree."""
        field = request.args.get("field", "")
        return html(
            render_template(
                "corrections.html",
                field=field,
                fields=values(store, find("corrections").parameter("field")),
                wrong=paged(_by("dataset", rows(store, "corrections", field=field))),
                disagreements=paged(
                    _by("dataset", rows(store, "en-zh-disagreements")), "differing"
                ),
            )
        )

    @routes.get("/quality", defaults={"lang": "en"})
    @routes.get("/zh/quality", defaults={"lang": "zh"})
    def quality() -> Response:
        """Show how complete the records are, and which issues were found."""
        issues = [found for _, found in _by("issue", rows(store, "quality-issues"))]
        return html(
            render_template(
                "quality.html",
                fields=rows(store, "completeness"),
                issues=sorted(issues, key=lambda found: -len(found)),
            )
        )

    @routes.get("/changes", defaults={"lang": "en"})
    @routes.get("/zh/changes", defaults={"lang": "zh"})
    def changes() -> Response:
        """Show what was changed last, or the history of one thing."""
        thing = request.args.get("thing", "")
        found = rows(store, "recent-changes")
        if thing:
            found = [row for row in found if row["thing"] == BASE + thing]
            if not found:
                raise NotFoundError(
                    f"“{thing}” has no record.", hint="Give one such as dataset/gemex."
                )
        written = history(store, language(), BASE + thing if thing else "")
        titles = {row["thing"]: row["title"] for row in found}
        if language() == "zh":
            titles |= {one.thing: one.title for one in recent(store, "zh")}
        return html(
            render_template(
                "changes.html",
                days=dict(_by("modified", found[:_CHANGES])),
                total=len(found),
                thing=found[0] if thing else None,
                titles=titles,
                written=written[:_CHANGES],
            )
        )

    @routes.get("/timeline", defaults={"lang": "en"})
    @routes.get("/zh/timeline", defaults={"lang": "zh"})
    def timeline() -> Response:
        """Show which datasets came out in which year."""
        known = [value.slug for value in of(store).values({})["year"]]
        years = {year: rows(store, "datasets-by-year", year=year) for year in known}
        return html(render_template("timeline.html", years=years))

    return routes


def _by(column: str, found: Iterable[Mapping[str, str]]) -> _Grouped:
    """Group rows by a column that they are in the order of."""
    ordered = groupby(found, key=lambda row: row[column])
    return [(value, [dict(row) for row in group]) for value, group in ordered]
