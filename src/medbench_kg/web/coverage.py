"""Coverage: two facets against each other, as a table that opens, as SVG, and its gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request, url_for

from medbench_kg.facets import FACETS, of
from medbench_kg.web.words import facet_titles

if TYPE_CHECKING:
    from medbench_kg.facets import Facets, Table
    from medbench_kg.store import Store

__all__ = ["AXES", "coverage", "shade"]

#: What is put against what if nothing else is asked for.
AXES = {"rows": "modality", "columns": "task"}

#: Shades of a cell, from none to the darkest.
_SHADES = 5

#: The facets that a canned query can put against each other.
_AXES = tuple(facet for facet in FACETS if facet not in {"role", "year", "size"})


def coverage(store: Store) -> Blueprint:
    """Make the pages below ``/coverage``.

    Args:
        store: the graph whose datasets are counted.
    """
    routes = Blueprint("coverage", __name__)

    @routes.get("/coverage", defaults={"lang": "en"})
    @routes.get("/zh/coverage", defaults={"lang": "zh"})
    def table() -> str:
        """Show the table."""
        return render_template("coverage.html", **_context(of(store)))

    @routes.get("/coverage.svg", defaults={"lang": "en"})
    @routes.get("/zh/coverage.svg", defaults={"lang": "zh"})
    def drawing() -> Response:
        """Draw the table."""
        drawn = render_template("coverage.svg", **_context(of(store)))
        return Response(drawn, content_type="image/svg+xml")

    return routes


def shade(count: int, most: int) -> int:
    """How dark a cell is: 0 for none, then in equal steps of the logarithm."""
    if not count:
        return 0
    return min(_SHADES, 1 + (count.bit_length() - 1) * _SHADES // max(most.bit_length(), 1))


def _context(facets: Facets) -> dict[str, object]:
    rows = request.args.get("rows") or AXES["rows"]
    columns = request.args.get("columns") or AXES["columns"]
    opened = request.args.getlist("open")
    table = facets.table(rows, columns, opened)
    return {
        "table": table,
        "rows": rows,
        "columns": columns,
        "opened": opened,
        "axes": {axis: title for axis, title in facet_titles().items() if axis in _AXES},
        "shade": lambda count: shade(count, _most(table)),
        "toggled": lambda slug: _toggled(opened, slug, rows, columns),
    }


def _most(table: Table) -> int:
    return max((count for counts in table.counts for count in counts), default=0)


def _toggled(opened: list[str], slug: str, rows: str, columns: str) -> str:
    """The address of this page with the values below one shown, or hidden again."""
    left = [one for one in opened if one != slug] + ([] if slug in opened else [slug])
    return url_for("coverage.table", rows=rows, columns=columns, open=left)
