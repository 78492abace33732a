"""Browsing: the datasets of the list, narrowed by facets; each state has an address and a query."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, render_template, request, url_for

from medbench_kg.catalogue import ask, find, internal
from medbench_kg.errors import QueryError
from medbench_kg.facets import FACETS, arguments, of
from medbench_kg.negotiation import by_name
from medbench_kg.vocabulary import BASE
from medbench_kg.web.paging import paged
from medbench_kg.web.words import facet_titles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.catalogue import Text
    from medbench_kg.facets import Facets, Value
    from medbench_kg.store import Store

__all__ = ["browse"]

#: Cards of a page.
_PAGE = 50

#: Facets that a card shows.
_ON_CARD = ("year", "role", "modality", "task", "language", "access", "licence")


@dataclass(frozen=True)
class _Card:
    """What a list shows of a dataset."""

    iri: str
    path: str
    title: str
    description: Text
    values: Mapping[str, list[Value]]


@dataclass(frozen=True)
class _Shelf:
    """All datasets as cards, and how large they are: slug of a unit → IRI → size."""

    cards: list[_Card]
    sizes: dict[str, dict[str, int]]
    units: list[tuple[str, Text]]


def browse(store: Store) -> Blueprint:
    """Make the page ``/datasets``.

    Args:
        store: the graph; it is read once, at the first request.
    """
    routes = Blueprint("browse", __name__)

    @routes.get("/datasets", defaults={"lang": "en"})
    @routes.get("/zh/datasets", defaults={"lang": "zh"})
    def datasets() -> str:
        """List the datasets that have all chosen values."""
        choices = {name: request.args[name] for name in FACETS if request.args.get(name)}
        order = request.args.get("sort", "title")
        facets, shelf = of(store), _shelf(store)
        found = facets.matching(choices)
        left = _sorted([card for card in shelf.cards if card.iri in found], order, shelf.sizes)
        return render_template(
            "datasets.html",
            titles=facet_titles(),
            nearest=[] if left else facets.nearest(choices),
            choices={name: (slug, facets.label(name, slug)) for name, slug in choices.items()},
            plain=arguments(choices),
            values=facets.values(choices),
            cards=paged(left, size=_PAGE),
            sort=order,
            sizes=shelf.sizes.get(order.removeprefix("size-"), {}),
            units=shelf.units,
            address=_address,
        )

    return routes


def _address(**changes: str | int | None) -> str:
    """The address of this page with some arguments changed; None takes one away."""
    kept = {name: request.args[name] for name in (*FACETS, "sort") if request.args.get(name)}
    arguments = {k: str(v) for k, v in {**kept, **changes}.items() if v is not None}
    return f"{url_for('browse.datasets')}{'?' if arguments else ''}{urlencode(arguments)}"


@lru_cache(maxsize=1)
def _shelf(store: Store) -> _Shelf:
    sizes = _sizes(store)
    return _Shelf(_cards(store, of(store)), sizes, _units(store, sizes))


def _cards(store: Store, facets: Facets) -> list[_Card]:
    """All datasets, in the order of the canned query that lists them."""
    body, _ = ask(store, find("find"), {}, lambda _kind: by_name("csv"))
    return [
        _Card(
            row["dataset"],
            row["dataset"].removeprefix(BASE),
            row["title"],
            {"en": row["description_en"], "zh": row["description_zh"]},
            {facet: facets.stated(row["dataset"], facet) for facet in _ON_CARD},
        )
        for row in csv.DictReader(io.StringIO(body.decode()))
    ]


def _sizes(store: Store) -> dict[str, dict[str, int]]:
    """Slug of a unit → IRI of a dataset → its size."""
    sizes: dict[str, dict[str, int]] = {}
    for row in store.rows(internal("sizes")):
        unit = row["unit"].rpartition("/")[2]
        sizes.setdefault(unit, {})[row["dataset"]] = int(row["size"])
    return sizes


def _units(store: Store, sizes: Mapping[str, Mapping[str, int]]) -> list[tuple[str, Text]]:
    """The units that most datasets are counted in, with their labels."""
    labels = {row["value"]: row for row in store.rows(internal("facet-labels"))}
    named = [(unit, labels[f"{BASE}unit/{unit}"]) for unit in sizes]
    common = sorted(named, key=lambda one: (-len(sizes[one[0]]), one[0]))[:6]
    return [(unit, {"en": row["en"], "zh": row["zh"]}) for unit, row in common]


def _sorted(cards: list[_Card], order: str, sizes: Mapping[str, Mapping[str, int]]) -> list[_Card]:
    """Cards by title, by year, or by size in a unit; what isn't known comes last.

    Raises:
        QueryError: there is no such order.
    """
    if order == "title":
        return cards
    if order == "year":
        return sorted(
            cards, key=lambda card: [value.slug for value in card.values["year"]], reverse=True
        )
    unit = order.removeprefix("size-")
    if unit == order or unit not in sizes:
        raise QueryError(
            f"There is no order “{order}”.", hint="Sort by title, year or size-image.", where="sort"
        )
    return sorted(cards, key=lambda card: -sizes[unit].get(card.iri, -1))


def _year(card: _Card) -> str:
    return max((value.slug for value in card.values["year"]), default="")
