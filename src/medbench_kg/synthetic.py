"""Makes a larger graph with the statistics of the real one, to measure what growth costs.

The real graph is kept whole. Each synthetic dataset is made like a real one of the list: its own
node with size figures, parts, distributions, derivations and flags, its record with evidence, its
listing, its paper with authors, its results. So every property occurs as often, and with as many
values, as in the real graph. Names, digits, links and derivations are made anew; modalities and
tasks are taken from two other datasets of the list, so that their pairs vary. The same number of
datasets gives the same lines.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["enlarge"]

_SEED = 7

_IRI = re.compile(rf"<{BASE}(dataset|record|listing|paper|result)/([^#>]+)")
_COUNT = re.compile(r'"(\d+)"\^\^<http://www\.w3\.org/2001/XMLSchema#integer>')
_TITLE = re.compile(r'(<http://purl\.org/dc/terms/title> "[^"\\]*)(")')
_TEXT = re.compile(r'"[^"]*"')
_IDENTIFIER = "<http://purl.org/dc/terms/identifier> "
_THEMES = {name: f"<{BASE}ontology#{name}> " for name in ("modality", "task")}
_THEME = "<http://www.w3.org/ns/dcat#theme> "
_DERIVED = "<http://www.w3.org/ns/prov#wasDerivedFrom> "
_VALUE = "<https://schema.org/value> "

#: Links that no two datasets share, but for a few by mistake.
_LINK = re.compile(
    r"(<(?:http://www\.w3\.org/ns/dcat#accessURL|https://schema\.org/url|"
    rf"{BASE}ontology#paperLink)> <[^>#]+)(#[^>]*)?>"
)

#: Share of the synthetic datasets that are also derived from an earlier synthetic one. In the real
#: list about one dataset in eight is derived from another of the list.
_LINEAGE = 0.125


class _Templates:
    """The datasets of the real list, each with the lines that are about it."""

    def __init__(self, lines: list[str]) -> None:
        self.slugs = sorted(
            _slug(line)
            for line in lines
            if line.startswith(f"<{BASE}listing/") and f" <{BASE}ontology#Listing> ." in line
        )
        self._by_thing: dict[tuple[str, str], list[str]] = defaultdict(list)
        for line in lines:
            if about := _IRI.match(line):
                self._by_thing[about[1], about[2]].append(line)
        self._papers: dict[str, list[str]] = defaultdict(list)
        self._results: dict[str, list[str]] = defaultdict(list)
        for line in lines:
            subject, predicate, value = line.split(" ", 2)
            if predicate == "<http://purl.org/spar/cito/isDescribedBy>":
                self._papers[_slug(subject)].append(_slug(value))
            if predicate == f"<{BASE}ontology#onDataset>":
                self._results[_slug(value)].append(_slug(subject))

    def own(self, slug: str) -> list[tuple[str, str]]:
        """What is copied with a dataset, itself included: kind and slug of each."""
        things = [(kind, slug) for kind in ("dataset", "record", "listing")]
        things += [(kind, paper) for paper in self._papers[slug] for kind in ("paper", "record")]
        things += [("result", result) for result in self._results[slug]]
        return things

    def about(self, slug: str) -> list[str]:
        """Lines about a dataset and what belongs to it."""
        return [line for thing in self.own(slug) for line in self._by_thing[thing]]

    def themed(self, theme: str) -> list[list[str]]:
        """Values of modality or task of each dataset that has some."""
        return [found for slug in self.slugs if (found := self._values(slug, theme))]

    def _values(self, slug: str, theme: str) -> list[str]:
        start = f"<{BASE}dataset/{slug}> {_THEMES[theme]}"
        return [
            line.removeprefix(start).split(" ", 1)[0]
            for line in self._by_thing["dataset", slug]
            if line.startswith(start)
        ]


def enlarge(quads: Iterable[str], datasets: int) -> Iterator[str]:
    """Give a graph and so many synthetic datasets.

    Args:
        quads: the real graph, a line of N-Quads each.
        datasets: how many to add.

    Yields:
        Lines of N-Quads, first the real ones.
    """
    lines = list(quads)
    yield from lines
    yield from _synthetic(_Templates(lines), datasets)


def _synthetic(templates: _Templates, datasets: int) -> Iterator[str]:
    draw = random.Random(_SEED)  # noqa: S311  nothing secret: the same seed, the same graph
    values = {theme: templates.themed(theme) for theme in _THEMES}
    for index in range(datasets):
        slug = draw.choice(templates.slugs)
        name = f"synthetic-{index}"
        about = f"<{BASE}dataset/{name}>"
        scale = draw.uniform(0.5, 1.5)
        fresh = {
            (kind, old): name if old == slug else f"{name}-{old}"
            for kind, old in templates.own(slug)
        }
        themes = [f"<{BASE}dataset/{slug}> {p}" for p in (*_THEMES.values(), _THEME)]
        for line in templates.about(slug):
            if line.startswith(tuple(themes[:2])) or (
                line.startswith(themes[2]) and re.search(r"/(modality|task)/", line)
            ):
                continue
            yield _copied(line, fresh, name, scale)
        for theme, predicate in _THEMES.items():
            for value in draw.choice(values[theme]):
                yield f"{about} {predicate}{value} .\n"
                yield f"{about} {_THEME}{value} .\n"
        if index and draw.random() < _LINEAGE:
            older = int(index * draw.random() ** 3)
            yield f"{about} {_DERIVED}<{BASE}dataset/synthetic-{older}> .\n"


def _copied(line: str, fresh: Mapping[tuple[str, str], str], name: str, scale: float) -> str:
    """A line about a real dataset, told of a synthetic one.

    Args:
        line: of N-Quads.
        fresh: kind and slug of what is copied → its new slug.
        name: slug of the synthetic dataset.
        scale: what figures are multiplied by.
    """
    about = _IRI.match(line)
    if about and _IDENTIFIER in line:
        line = _TEXT.sub(f'"{fresh[about[1], about[2]]}"', line)
    line = _IRI.sub(lambda m: f"<{BASE}{m[1]}/{fresh.get((m[1], m[2]), m[2])}", line)
    if _VALUE in line:
        line = _COUNT.sub(lambda found: _count(found, scale), line)
    line = _LINK.sub(rf"\g<1>#{name}>", line)
    return _TITLE.sub(rf"\g<1> {name.rpartition('-')[2]}\g<2>", line)


def _slug(term: str) -> str:
    """The slug that a term or a line begins with."""
    found = _IRI.match(term)
    return found[2] if found else ""


def _count(found: re.Match[str], scale: float) -> str:
    """A figure of the same magnitude, equal for equal figures of a dataset."""
    value = max(1, round(int(found[1]) * scale))
    return f'"{value}"^^<http://www.w3.org/2001/XMLSchema#integer>'
