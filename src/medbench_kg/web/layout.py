"""Where each property stands on a page, and what it is called: ``layout.ttl``, read once.

Specification: SHACL, section 2.3.2 (non-validating property shape characteristics).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from medbench_kg import vocabulary
from medbench_kg.catalogue import internal
from medbench_kg.store import LocalStore
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from medbench_kg.store import Store

__all__ = ["ANYWHERE", "Layout", "Names", "Place", "compact", "layout"]

#: Language → text.
Names = dict[str, str]


@dataclass(frozen=True)
class Place:
    """Where a property stands; ``rank`` orders it within its group."""

    rank: int
    names: Names = field(default_factory=dict)
    group: str = ""
    is_hidden: bool = False
    space: str = ""


#: The place of a property that the layout doesn't know.
ANYWHERE = Place(1 << 10)


@dataclass(frozen=True)
class Layout:
    """Order, groups and names, for all pages.

    Attributes:
        places: by property, and whether it is followed backwards.
        groups: names of the groups, in their order.
        names: names of classes and properties.
        above: class → the classes above it.
        expected: class → properties that are missed if nothing is known of them.
    """

    places: dict[tuple[str, bool], Place]
    groups: dict[str, Names]
    names: dict[str, Names]
    above: dict[str, frozenset[str]]
    expected: dict[str, set[str]]

    def name(self, term: str) -> Names:
        """The name of a class or property: that of the ontology, else that of the layout."""
        return self.names.get(term) or self.places.get((term, False), ANYWHERE).names


def layout(store: Store) -> Layout:
    """Read the layout, and the names that the ontology gives."""
    own = LocalStore()
    package = resources.files("medbench_kg.web") / "layout.ttl"
    own.load(package.read_bytes(), "turtle", base=f"{BASE}layout")
    places, groups = {}, {}
    for rank, row in enumerate(own.rows(internal("layout"))):
        names: Names = {lang: row[lang] for lang in ("en", "zh") if lang in row}
        group, hidden = row.get("group", ""), row.get("hidden") == "true"
        key = (compact(row["property"]), row["back"] == "true")
        places[key] = Place(rank, names, group, hidden, row.get("space", ""))
        if group:
            groups[group] = {"en": row["groupEn"], "zh": row["groupZh"]}
    terms = [row for source in (own, store) for row in source.rows(internal("names"))]
    expected: dict[str, set[str]] = {}
    for row in own.rows(internal("layout-expected")):
        expected.setdefault(compact(row["class"]), set()).add(compact(row["property"]))
    return Layout(
        places,
        groups,
        {compact(row["term"]): {"en": row["en"], "zh": row["zh"]} for row in terms},
        {
            compact(row["term"]): frozenset(map(compact, row.get("broader", "").split()))
            for row in terms
        },
        expected,
    )


@lru_cache(maxsize=1024)
def compact(iri: str) -> str:
    """A compact IRI, by which this module knows properties, classes and datatypes."""
    return vocabulary.load().shorten(iri)
