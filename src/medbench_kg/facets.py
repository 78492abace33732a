"""Facets: which datasets have a value, and how many are left after each further choice.

A set of datasets is a whole number with a bit for each, so a count is an AND. The values come from
the same graph that the canned query ``find`` asks, and the same datasets come out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["FACETS", "Facets", "Value"]

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
)


@dataclass(frozen=True)
class Value:
    """A value of a facet after some choices.

    Attributes:
        slug: what stands in an address.
        iri: of the concept or class; "" for a year.
        label: language → label.
        depth: number of broader values above it.
        count: datasets that are left when it is chosen, other facets kept.
        chosen: whether it is the present choice.
    """

    slug: str
    iri: str
    label: Mapping[str, str]
    depth: int
    count: int
    chosen: bool


@dataclass(frozen=True)
class _Known:
    """A value as the graph has it: its label, what is broader, and its datasets."""

    iri: str
    label: Mapping[str, str]
    broader: str
    datasets: int
    stated: int


class Facets:
    """An index over the datasets of a graph."""

    def __init__(
        self, rows: Iterable[Mapping[str, str]], labels: Iterable[Mapping[str, str]]
    ) -> None:
        """Index what ``facets.rq`` and ``facet-labels.rq`` answer."""
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
        self._known: dict[str, dict[str, _Known]] = {facet: {} for facet in FACETS}
        for (facet, value), (every, stated) in sorted(found.items()):
            name = names.get(value, {"en": value, "zh": value, "broader": ""})
            self._known[facet][_slug(value)] = _Known(
                value if "/" in value else "",
                {"en": name["en"], "zh": name["zh"]},
                _slug(name.get("broader", "")),
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

    def stated(self, iri: str, facet: str) -> list[Value]:
        """The values that a dataset itself states, without broader ones."""
        bit = self._bit.get(iri, 0)
        return [
            Value(slug, known.iri, known.label, 0, known.datasets.bit_count(), chosen=False)
            for slug, known in self._known[facet].items()
            if known.stated & bit
        ]

    def label(self, facet: str, slug: str) -> Mapping[str, str]:
        """Label of a value.

        Raises:
            QueryError: there is no such facet or value.
        """
        return self._find(facet, slug).label

    def _next(self, facet: str, choices: Mapping[str, str]) -> Iterator[Value]:
        others = self._chosen({name: slug for name, slug in choices.items() if name != facet})
        chosen = choices.get(facet, "")
        known = self._known[facet]
        children: dict[str, list[str]] = defaultdict(list)
        for slug, value in known.items():
            children[value.broader if value.broader in known else ""].append(slug)
        path = set(self._path(facet, chosen))

        def walk(above: str, depth: int) -> Iterator[Value]:
            values = [
                (slug, (known[slug].datasets & others).bit_count()) for slug in children[above]
            ]
            for slug, count in sorted(values, key=lambda one: _order(facet, *one)):
                if count or slug == chosen:
                    value = known[slug]
                    yield Value(slug, value.iri, value.label, depth, count, slug == chosen)
                if slug in path:
                    yield from walk(slug, depth + 1)

        return walk("", 0)

    def _path(self, facet: str, slug: str) -> Iterator[str]:
        while slug in self._known[facet]:
            yield slug
            slug = self._known[facet][slug].broader

    def _chosen(self, choices: Mapping[str, str]) -> int:
        left = self._all
        for facet, slug in choices.items():
            left &= self._find(facet, slug).datasets
        return left

    def _find(self, facet: str, slug: str) -> _Known:
        known = self._known.get(facet)
        if known is None:
            raise QueryError(
                f"There is no facet “{facet}”.", hint=f"There are: {', '.join(FACETS)}."
            )
        if slug not in known:
            raise QueryError(
                f"No dataset has “{slug}” as its {facet}.", hint=f"There are: {', '.join(known)}."
            )
        return known[slug]

    def _bits(self, iris: Iterable[str]) -> int:
        return sum(self._bit[iri] for iri in iris)

    def _iris(self, bits: int) -> Iterator[str]:
        return (iri for iri in self._datasets if self._bit[iri] & bits)


def _slug(value: str) -> str:
    return value.rpartition("/")[2].rpartition("#")[2]


def _order(facet: str, slug: str, count: int) -> tuple[int, str]:
    """Years run backwards; of other values those with most datasets come first."""
    return (-int(slug), "") if facet == "year" else (-count, slug)
