"""Compare: two to six datasets side by side, field by field, on a page and as files to take along.

Fields and their order are those of the pages about the datasets.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request

from medbench_kg import citation, description
from medbench_kg.catalogue import internal
from medbench_kg.errors import NotFoundError, QueryError
from medbench_kg.negotiation import by_name
from medbench_kg.readme.markdown import escape
from medbench_kg.vocabulary import BASE
from medbench_kg.web import view
from medbench_kg.web.asking import html
from medbench_kg.web.layout import layout
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medbench_kg.store import Store
    from medbench_kg.web.view import Page, Row, Value

__all__ = ["PATHS", "compare"]

#: Beginnings of the paths of all routes.
PATHS = ("/compare", "/zh/compare")

#: How many datasets are compared.
_FEWEST, _MOST = 2, 6

#: Groups of rows that are compared.
_GROUPS = ("content", "access", "publication", "origin")

#: Properties of nodes that tell of the record, not of the dataset.
_OF_THE_RECORD = {"dcterms:source", "mb:confidence"}

#: Files: suffix → media type.
_FILES = {
    "csv": "text/csv; charset=utf-8",
    "tex": "application/x-tex; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
    "bib": by_name("bibtex").content_type,
}


@dataclass(frozen=True)
class _Field:
    """A field of all datasets.

    Attributes:
        label: its name.
        cells: for each dataset its values, each with its text; () if nothing is known.
        differs: whether the datasets don't all have the same values.
    """

    label: str
    cells: tuple[tuple[tuple[str, Value], ...], ...]
    differs: bool


def compare(store: Store) -> Blueprint:
    """Make the routes."""
    routes = Blueprint("compare", __name__)
    routes.add_app_template_filter(citation.latex, "latex")
    routes.add_app_template_filter(escape, "markdown")

    @routes.get("/compare", defaults={"lang": "en"})
    @routes.get("/zh/compare", defaults={"lang": "zh"})
    def table() -> Response:
        """Show datasets side by side, or let choose some."""
        slugs = _chosen(store)
        pages = _pages(store, slugs) if len(slugs) >= _FEWEST else []
        return html(
            render_template(
                "compare.html",
                slugs=slugs,
                pages=pages,
                fields=_fields(pages),
                known=_titles(store),
                suffixes=_FILES,
                most=_MOST,
            )
        )

    @routes.get("/compare.<suffix>", defaults={"lang": "en"})
    @routes.get("/zh/compare.<suffix>", defaults={"lang": "zh"})
    def file(suffix: str) -> Response:
        """Write the same as a file; as BibTeX, what to cite."""
        if suffix not in _FILES:
            raise NotFoundError(
                f"There is no format “{suffix}”.", hint=f"There are: {', '.join(_FILES)}."
            )
        slugs = _chosen(store)
        if len(slugs) < _FEWEST:
            raise QueryError("Choose at least two datasets.", hint="Add “d=…”.", where="d")
        return Response(_written(store, slugs, suffix), content_type=_FILES[suffix])

    return routes


@lru_cache(maxsize=1)
def _titles(store: Store) -> dict[str, str]:
    """Slug → title of each dataset."""
    rows = store.rows(internal("roles"))
    return {row["dataset"].removeprefix(f"{BASE}dataset/"): row["title"] for row in rows}


def _chosen(store: Store) -> list[str]:
    """The datasets that the request names.

    Raises:
        QueryError: one isn't there, or they are too many.
    """
    slugs = list(dict.fromkeys(filter(None, request.args.getlist("d"))))
    unknown = [slug for slug in slugs if slug not in _titles(store)]
    if unknown:
        raise QueryError(
            f"There is no dataset “{unknown[0]}”.",
            hint="Name it as in its address, e.g. d=gemex.",
            where="d",
        )
    if len(slugs) > _MOST:
        raise QueryError(
            f"{len(slugs)} datasets are too many for a table.",
            hint=f"Choose {_MOST} at most.",
            where="d",
        )
    return slugs


def _pages(store: Store, slugs: list[str]) -> list[Page]:
    plan, iris = layout(store), [f"{BASE}dataset/{slug}" for slug in slugs]
    said = [description.statements(description.describe(store, iri)) for iri in iris]
    return [view.page(one, iri, plan, language()) for one, iri in zip(said, iris, strict=True)]


def _fields(pages: list[Page]) -> list[_Field]:
    """Fields of any of the pages, in their order, and group by group."""
    found: dict[str, dict[str, tuple[str, dict[int, Row]]]] = {name: {} for name in _GROUPS}
    for number, page in enumerate(pages):
        for group in page.groups:
            for row in group.rows if group.name in found else ():
                _, rows = found[group.name].setdefault(row.property, (row.label, {}))
                rows[number] = row
    return [
        _field(label, [rows.get(number) for number in range(len(pages))])
        for group in found.values()
        for label, rows in group.values()
    ]


def _field(label: str, rows: list[Row | None]) -> _Field:
    cells = tuple(tuple(_cells(row)) if row else () for row in rows)
    texts = {tuple(sorted(text for text, _ in cell)) for cell in cells}
    return _Field(label, cells, len(texts) > 1)


def _cells(row: Row) -> Iterator[tuple[str, Value]]:
    """Each value with its text; of a node that belongs to the dataset what it says, once."""
    for value in row.values:
        rows = value.part.rows if value.part else {}
        shown = [one.property for one in row.columns if one.property not in _OF_THE_RECORD]
        mine = [rows[name] for name in shown if name in rows]
        texts = dict.fromkeys(text for one in mine for text, _ in _cells(one))
        yield " · ".join(texts) or value.text, value


def _written(store: Store, slugs: list[str], suffix: str) -> bytes:
    if suffix == "bib":
        iris = [f"{BASE}dataset/{slug}" for slug in slugs]
        return citation.cite(store, iris, by_name("bibtex"))
    pages = _pages(store, slugs)
    head = [page.title.text for page in pages]
    rows = [
        [one.label, *("; ".join(text for text, _ in cell) for cell in one.cells)]
        for one in _fields(pages)
    ]
    if suffix != "csv":
        return render_template(f"compare-{suffix}.txt", head=head, rows=rows).encode()
    text = io.StringIO()
    csv.writer(text).writerows([["", *head], *rows])
    return text.getvalue().encode()
