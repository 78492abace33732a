"""Facets: which datasets have a value, and how many are left after each further choice.

A set of datasets is a whole number with a bit for each, so a count is an AND. The values come from
the same graph that the canned query ``find`` asks, and the same datasets come out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from medbench_kg.catalogue import internal
from medbench_kg.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from medbench_kg.store import Store

__all__ = ["FACETS", "Facets", "Table", "Value", "arguments", "of"]

#: The facets, in the order of a page.
FACETS = (
    "modality",
    "task",
    "specialty",
    "anatomy",
    "language",
    "licence",
    "access",
    "venue",
    "role",
    "year",
    "size",
)

#: Numbers that a dataset can be asked to have at least, in each unit.
_MINIMA = (100, 1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True)
class Value:
    """A value of a facet after some choices.

    Attributes:
        slug: what stands in an address.
        iri: of the concept or class; "" for a year or a number.
        label: language → label.
        depth: number of broader values above it.
        count: datasets that are left when it is chosen, other facets kept.
        chosen: whether it is the present choice, or, in a table, whether it is opened.
        narrower: whether there are values below it.
    """

    slug: str
    iri: str
    label: Mapping[str, str]
    depth: int
    count: int
    chosen: bool
    narrower: bool


@dataclass(frozen=True)
class Table:
    """Two facets against each other.

    Attributes:
        rows: values of the one facet, as a tree in one list.
        columns: values of the other, likewise.
        counts: for each row, for each column, the datasets that have both.
    """

    rows: tuple[Value, ...]
    columns: tuple[Value, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class _Known:
    """A value as the graph has it: its label, what is broader, and its datasets."""

    iri: str
    label: Mapping[str, str]
    broader: str
    narrower: bool
    datasets: int
    stated: int


@lru_cache(maxsize=1)
def of(store: Store) -> Facets:
    """The facets of a graph, read once."""
    labels = {row["value"]: row for row in store.rows(internal("facet-labels"))}
    sizes, bands = _sizes(store.rows(internal("sizes")), labels)
    return Facets([*store.rows(internal("facets")), *sizes], [*labels.values(), *bands])


def arguments(choices: Mapping[str, str]) -> dict[str, str]:
    """The arguments by which the canned query ``find`` finds what has the chosen values."""
    found = {facet: slug for facet, slug in choices.items() if facet != "size"}
    if "size" in choices:
        unit, dash, minimum = choices["size"].rpartition("-")
        is_number = minimum.isdecimal() and int(minimum) in _MINIMA
        found |= (
            {"unit": unit, "minimum": minimum} if dash and is_number else {"unit": choices["size"]}
        )
    return found


class Facets:
    """An index over the datasets of a graph."""

    def __init__(
        self, rows: Iterable[Mapping[str, str]], labels: Iterable[Mapping[str, str]]
    ) -> None:
        """Index rows and labels as ``facets.rq`` and ``facet-labels.rq`` answer them."""
        found: dict[tuple[str, str], tuple[set[str], set[str]]] = defaultdict(
            lambda: (set(), set())
        )
        for row in rows:
            every, stated = found[row["facet"], row["value"]]
            every.add(row["dataset"])
            if row["stated"] == "true":
                stated.add(row["dataset"])
        self._datasets = sorted({iri for every, _ in found.values() for iri in every})
        self._bit = {iri: 1 << number for number, iri in enumerate(self._datasets)}
        self._all = (1 << len(self._datasets)) - 1
        names = {row["value"]: row for row in labels}
        above = {facet: _broader(facet, found, names) for facet in FACETS}
        self._known: dict[str, dict[str, _Known]] = {facet: {} for facet in FACETS}
        for (facet, value), (every, stated) in sorted(found.items()):
            slug, name = _slug(value), names.get(value, {"en": value, "zh": value})
            self._known[facet][slug] = _Known(
                value if value in names and "number" not in name else "",
                {"en": name["en"], "zh": name["zh"]},
                above[facet].get(slug, ""),
                slug in above[facet].values(),
                self._bits(every),
                self._bits(stated),
            )

    def matching(self, choices: Mapping[str, str]) -> set[str]:
        """IRIs of the datasets that have all chosen values.

        Args:
            choices: facet → slug.

        Raises:
            QueryError: there is no such facet or value.
        """
        return set(self._iris(self._chosen(choices)))

    def values(self, choices: Mapping[str, str]) -> dict[str, list[Value]]:
        """What can be chosen next: facet → values that leave something, as trees in one list.

        Of a tree, those values are given that stand on top, on the way to the choice or just below.

        Raises:
            QueryError: there is no such facet or value.
        """
        self._chosen(choices)
        return {facet: list(self._next(facet, choices)) for facet in FACETS}

    def table(self, rows: str, columns: str, opened: Collection[str]) -> Table:
        """Count the datasets for each pair of values.

        Args:
            rows: a facet.
            columns: another.
            opened: slugs of values below which narrower ones are shown.

        Raises:
            QueryError: there is no such facet.
        """
        across = tuple(self._tree(columns, self._all, opened))
        down = tuple(self._tree(rows, self._all, opened))
        counts = tuple(
            tuple(
                (
                    self._known[rows][row.slug].datasets
                    & self._known[columns][column.slug].datasets
                ).bit_count()
                for column in across
            )
            for row in down
        )
        return Table(down, across, counts)

    def nearest(self, choices: Mapping[str, str]) -> list[tuple[str, Value]]:
        """For choices that leave nothing: each facet whose value can be made broader, and that."""
        found = []
        for facet, slug in choices.items():
            others = self._chosen({name: one for name, one in choices.items() if name != facet})
            for broader in list(self.path(facet, slug))[1:]:
                if self._known[facet][broader].datasets & others:
                    found.append((facet, self._value(facet, broader, others, 0, chosen=False)))
                    break
        return found

    def beside(self, facet: str, slug: str, other: str) -> list[Value]:
        """The values of another facet that its datasets state, the most frequent first."""
        among = self._known[facet][slug].datasets
        values = [
            self._value(other, one, among, 0, chosen=False)
            for one, known in self._known[other].items()
            if known.stated & among
        ]
        return sorted(values, key=lambda one: _order(other, one))

    def stated(self, iri: str, facet: str) -> list[Value]:
        """The values that a dataset itself states, without broader ones."""
        bit = self._bit.get(iri, 0)
        return [
            self._value(facet, slug, self._all, 0, chosen=False)
            for slug, known in self._known[facet].items()
            if known.stated & bit
        ]

    def label(self, facet: str, slug: str) -> Mapping[str, str]:
        """Label of a value.

        Raises:
            QueryError: there is no such facet or value.
        """
        return self._find(facet, slug).label

    def path(self, facet: str, slug: str) -> Iterator[str]:
        """The value and those above it, the nearest first; nothing if no dataset has it."""
        while slug in self._known[facet]:
            yield slug
            slug = self._known[facet][slug].broader

    def _next(self, facet: str, choices: Mapping[str, str]) -> Iterator[Value]:
        others = self._chosen({name: slug for name, slug in choices.items() if name != facet})
        chosen = choices.get(facet, "")
        for value in self._tree(facet, others, set(self.path(facet, chosen))):
            if value.count or value.slug == chosen:
                yield replace(value, chosen=value.slug == chosen)

    def _tree(self, facet: str, among: int, opened: Collection[str]) -> Iterator[Value]:
        """The values on top, and below each that is opened the narrower ones."""
        children: dict[str, list[str]] = defaultdict(list)
        for slug, known in self._facet(facet).items():
            children[known.broader].append(slug)

        def walk(above: str, depth: int) -> Iterator[Value]:
            values = [
                self._value(facet, slug, among, depth, chosen=slug in opened)
                for slug in children[above]
            ]
            for value in sorted(values, key=lambda one: _order(facet, one)):
                yield value
                if value.chosen:
                    yield from walk(value.slug, depth + 1)

        return walk("", 0)

    def _value(self, facet: str, slug: str, among: int, depth: int, *, chosen: bool) -> Value:
        known = self._known[facet][slug]
        count = (known.datasets & among).bit_count()
        return Value(slug, known.iri, known.label, depth, count, chosen, known.narrower)

    def _chosen(self, choices: Mapping[str, str]) -> int:
        left = self._all
        for facet, slug in choices.items():
            left &= self._find(facet, slug).datasets
        return left

    def _find(self, facet: str, slug: str) -> _Known:
        known = self._facet(facet)
        if slug not in known:
            raise QueryError(
                f"No dataset has “{slug}” as its {facet}.", hint=f"There are: {', '.join(known)}."
            )
        return known[slug]

    def _facet(self, name: str) -> dict[str, _Known]:
        if name not in self._known:
            raise QueryError(
                f"There is no facet “{name}”.", hint=f"There are: {', '.join(FACETS)}."
            )
        return self._known[name]

    def _bits(self, iris: Iterable[str]) -> int:
        return sum(self._bit[iri] for iri in iris)

    def _iris(self, bits: int) -> Iterator[str]:
        return (iri for iri in self._datasets if self._bit[iri] & bits)


def _sizes(
    sizes: Iterable[Mapping[str, str]], labels: Mapping[str, Mapping[str, str]]
) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Values of the facet ``size``: units, and below each the numbers that datasets reach."""
    rows, bands = [], {}
    for row in sizes:
        unit, stated = row["unit"], {"facet": "size", "stated": "true", "dataset": row["dataset"]}
        rows.append(stated | {"value": unit})
        for minimum in (one for one in _MINIMA if int(row["size"]) >= one):
            band = f"{unit}-{minimum}"
            rows.append(stated | {"value": band})
            label = {lang: f"{labels[unit][lang]} ≥ {minimum:,}" for lang in ("en", "zh")}
            bands[band] = {"value": band, "broader": unit, "number": str(minimum), **label}
    return rows, list(bands.values())


def _broader(
    facet: str, found: Iterable[tuple[str, str]], names: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Slug → slug of the next broader value, as far as some dataset has that."""
    values = {value for name, value in found if name == facet}
    above = {value: names[value].get("broader", "") for value in values & set(names)}
    return {_slug(value): _slug(broader) for value, broader in above.items() if broader in values}


def _slug(value: str) -> str:
    return value.rpartition("/")[2].rpartition("#")[2]


def _order(facet: str, value: Value) -> tuple[int, str]:
    """Years run backwards; of other values those with most datasets come first."""
    return (-int(value.slug), "") if facet == "year" else (-value.count, value.slug)
