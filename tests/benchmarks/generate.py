"""Writes a larger graph with the statistics of the real one, as N-Quads or N-Triples.

The real graph is kept whole. Each synthetic dataset is made like a real one of the list: its own
node with size figures, parts, distributions, derivations and flags, its record with evidence, its
listing, its paper with authors, its results. So every property occurs as often, and with as many
values, as in the real graph. Names, digits and derivations are drawn anew; modalities and tasks are
taken from two other datasets of the list, so that their pairs vary. The same number of datasets
gives the same file.
"""

from __future__ import annotations

import argparse
import random
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "https://w3id.org/medbench-kg/"
SEED = 7

_IRI = re.compile(rf"<{BASE}(dataset|record|listing|paper|result)/([^#>]+)")
_COUNT = re.compile(r'"(\d+)"\^\^<http://www\.w3\.org/2001/XMLSchema#integer>')
_TITLE = re.compile(r'(<http://purl\.org/dc/terms/title> "[^"\\]*)(")')
_THEMES = {name: f"<{BASE}ontology#{name}> " for name in ("modality", "task")}
_THEME = "<http://www.w3.org/ns/dcat#theme> "
_DERIVED = "<http://www.w3.org/ns/prov#wasDerivedFrom> "
_VALUE = "<https://schema.org/value> "

#: Share of the synthetic datasets that are also derived from an earlier synthetic one. In the real
#: list about one dataset in eight is derived from another of the list.
_LINEAGE = 0.125


class Templates:
    """The datasets of the real list, each with the lines that are about it."""

    def __init__(self, lines: list[str]) -> None:
        self.slugs = sorted(
            line.split(" ", 1)[0].removeprefix(f"<{BASE}listing/").removesuffix(">")
            for line in lines
            if f" <{BASE}ontology#Listing> ." in line
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

    def about(self, slug: str) -> list[str]:
        """Lines about a dataset and what belongs to it."""
        things = [(kind, slug) for kind in ("dataset", "record", "listing")]
        things += [("paper", paper) for paper in self._papers[slug]]
        things += [("result", result) for result in self._results[slug]]
        return [line for thing in things for line in self._by_thing[thing]]

    def own(self, slug: str) -> set[tuple[str, str]]:
        """What is renamed when a dataset is copied."""
        found = {(kind, slug) for kind in ("dataset", "record", "listing")}
        found |= {("paper", paper) for paper in self._papers[slug]}
        return found | {("result", result) for result in self._results[slug]}

    def values(self, slug: str, theme: str) -> list[str]:
        """Values of modality or task of a dataset."""
        start = f"<{BASE}dataset/{slug}> {_THEMES[theme]}"
        return [
            line.removeprefix(start).split(" ", 1)[0]
            for line in self._by_thing["dataset", slug]
            if line.startswith(start)
        ]


def synthetic(templates: Templates, datasets: int) -> Iterator[str]:
    """Lines of so many synthetic datasets."""
    draw = random.Random(SEED)  # noqa: S311  nothing secret: the same seed, the same graph
    for index in range(datasets):
        slug = draw.choice(templates.slugs)
        own = templates.own(slug)
        name = f"synthetic-{index}"
        about = f"<{BASE}dataset/{name}>"

        def rename(
            found: re.Match[str], own: set[tuple[str, str]] = own, index: int = index
        ) -> str:
            kind, old = found[1], found[2]
            fresh = _renamed(kind, old, index) if (kind, old) in own else old
            return f"<{BASE}{kind}/{fresh}"

        themes = [f"<{BASE}dataset/{slug}> {p}" for p in (*_THEMES.values(), _THEME)]
        for line in templates.about(slug):
            if line.startswith(tuple(themes[:2])) or (
                line.startswith(themes[2]) and re.search(r"/(modality|task)/", line)
            ):
                continue
            fresh = _IRI.sub(rename, line)
            if _VALUE in fresh:
                fresh = _COUNT.sub(lambda found: _count(found, draw), fresh)
            yield _TITLE.sub(rf"\g<1> {index}\g<2>", fresh)
        for theme, predicate in _THEMES.items():
            for value in templates.values(draw.choice(templates.slugs), theme):
                yield f"{about} {predicate}{value} .\n"
                yield f"{about} {_THEME}{value} .\n"
        if index and draw.random() < _LINEAGE:
            older = int(index * draw.random() ** 3)
            yield f"{about} {_DERIVED}<{BASE}dataset/synthetic-{older}> .\n"


def _renamed(kind: str, old: str, index: int) -> str:
    return f"synthetic-{index}" if kind != "result" else f"synthetic-{index}-{old}"


def _slug(term: str) -> str:
    found = _IRI.match(term)
    return found[2] if found else ""


def _count(found: re.Match[str], draw: random.Random) -> str:
    """A figure of the same magnitude."""
    value = max(1, round(int(found[1]) * draw.uniform(0.5, 1.5)))
    return f'"{value}"^^<http://www.w3.org/2001/XMLSchema#integer>'


def write(real: Path, out: Path, datasets: int) -> int:
    """Write the real graph and so many synthetic datasets as N-Quads; return their number."""
    lines = real.read_text(encoding="utf-8").splitlines(keepends=True)
    count = 0
    with out.open("w", encoding="utf-8", newline="\n") as file:
        for source in (lines, synthetic(Templates(lines), datasets)):
            for line in source:
                file.write(line)
                count += 1
    return count


def default_graph(quads: Path, out: Path) -> int:
    """Write the triples of the default graph; return their number."""
    named = f" <{BASE}graph/shapes> .\n"
    count = 0
    with quads.open(encoding="utf-8") as source, out.open("w", encoding="utf-8") as file:
        for line in source:
            if not line.endswith(named):
                file.write(line)
                count += 1
    return count


def main() -> None:
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a file ending in .nq or .nt")
    options = parser.parse_args()
    quads = options.out.with_suffix(".nq")
    write(root / "build" / "medbench.nq", quads, options.datasets)
    if options.out.suffix == ".nt":
        default_graph(quads, options.out)
        quads.unlink()


if __name__ == "__main__":
    main()
