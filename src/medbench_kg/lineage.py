"""Lineage: which datasets were made from which, both ways, and drawings of that.

A drawing has its sources at the left and what was made from them at the right; the layout in layers
is Sugiyama's, by a library.

Specification: PROV-O, section 3.1 (prov:wasDerivedFrom).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from fast_sugiyama import from_edges

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

__all__ = ["Drawing", "Edge", "Lineage", "Node", "Role"]

#: What a dataset is there for.
Role = Literal["training", "evaluation", "both", "source"]

#: Boxes that a drawing has at most; nobody finds anything among more.
_MOST = 400

#: Sizes in pixels: of a node, and from one row and from one layer to the next.
WIDTH, HEIGHT, _ROW, _LAYER = 190, 26, 34, 270

_ROLES: dict[tuple[bool, bool], Role] = {
    (True, False): "training",
    (False, True): "evaluation",
    (True, True): "both",
    (False, False): "source",
}


@dataclass(frozen=True)
class Node:
    """A dataset; in a drawing, with the corner where its box begins."""

    iri: str
    title: str
    role: Role
    x: float = 0
    y: float = 0


@dataclass(frozen=True)
class Edge:
    """A piece of the way from a source to what was made from it, from left to right.

    Attributes:
        x: where it begins.
        y: likewise.
        to_x: where it ends.
        to_y: likewise.
        passes: whether it goes on behind its end, through a layer without a box.
    """

    x: float
    y: float
    to_x: float
    to_y: float
    passes: bool


@dataclass(frozen=True)
class Drawing:
    """Boxes and the lines between them, with the size of the whole in pixels.

    ``left_out`` is the number of datasets if they are too many to be drawn; else 0.
    """

    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int = 0


class Lineage:
    """The datasets of a graph and what they were made from."""

    def __init__(
        self, derivations: Iterable[Mapping[str, str]], roles: Iterable[Mapping[str, str]]
    ) -> None:
        """Read what ``derivations.rq`` and ``roles.rq`` answer."""
        self.nodes = {
            row["dataset"]: Node(
                row["dataset"],
                row["title"],
                _ROLES[row["trains"] == "true", row["evaluates"] == "true"],
            )
            for row in roles
        }
        self._sources: dict[str, set[str]] = defaultdict(set)
        self._derived: dict[str, set[str]] = defaultdict(set)
        for row in derivations:
            self._sources[row["dataset"]].add(row["source"])
            self._derived[row["source"]].add(row["dataset"])

    def sources(self, iri: str) -> set[str]:
        """What a dataset was made from, directly or through others."""
        return _reached(self._sources, iri)

    def derived(self, iri: str) -> set[str]:
        """What was made from a dataset, directly or through others."""
        return _reached(self._derived, iri)

    def around(self, iri: str) -> Drawing:
        """Draw a dataset with all that it goes back to and all that goes back to it."""
        return self._drawn([self.sources(iri) | {iri}, self.derived(iri) | {iri}])

    def shared(self) -> Drawing:
        """Draw the sources that several datasets were made from, and these."""
        hubs = [iri for iri, made in self._derived.items() if len(made) > 1]
        return self._drawn([{iri} | self._derived[iri] for iri in hubs])

    def _drawn(self, groups: Iterable[Collection[str]]) -> Drawing:
        """Draw the derivations that stay within a group."""
        pairs = {
            (source, one)
            for group in groups
            for one in group
            for source in self._sources.get(one, ())
            if source in group
        }
        names = sorted({iri for pair in pairs for iri in pair})
        if len(names) > _MOST:
            return Drawing(0, 0, (), (), len(names))
        number = {iri: place for place, iri in enumerate(names)}
        edges = sorted((number[source], number[one]) for source, one in pairs)
        return _laid_out(edges, [self.nodes[iri] for iri in names])


def _reached(steps: Mapping[str, Collection[str]], start: str) -> set[str]:
    found, ahead = set[str](), [start]
    while ahead:
        for iri in steps.get(ahead.pop(), ()):
            if iri not in found:
                found.add(iri)
                ahead.append(iri)
    return found - {start}


def _laid_out(edges: list[tuple[int, int]], nodes: list[Node]) -> Drawing:
    """Place nodes, named by their numbers; numbers beyond them stand for ways through a layer."""
    places: dict[int, tuple[float, float]] = {}
    pieces: list[tuple[int, int]] = []
    height = 0.0
    offset = len(nodes)
    layouts = from_edges(edges, vertex_spacing=1, dummy_vertices=True, dummy_size=1)
    for found, breadth, depth, steps in sorted(layouts, key=lambda one: -len(one[0])):
        # Each component counts its own ways; here they are told apart.
        own = {n: int(n) if int(n) < len(nodes) else int(n) + offset for n, _ in found}
        offset += len(found)
        for n, (across, layer) in found:
            places[own[n]] = ((depth - layer) * _LAYER, height + across * _ROW)
        pieces += [(own[start], own[end]) for start, end in steps or ()]
        height += (breadth + 1) * _ROW
    drawn = tuple(replace(node, x=places[n][0], y=places[n][1]) for n, node in enumerate(nodes))
    lines = tuple(
        Edge(
            places[start][0] + WIDTH,
            places[start][1] + HEIGHT / 2,
            places[end][0],
            places[end][1] + HEIGHT / 2,
            end >= len(nodes),
        )
        for start, end in sorted(pieces)
    )
    return Drawing(max((one.x for one in drawn), default=0) + WIDTH, height, drawn, lines)
