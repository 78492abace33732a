"""What a page says of a thing besides its description: answers of canned queries about it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from medbench_kg.catalogue import find, rows, values
from medbench_kg.facets import FACETS, of
from medbench_kg.vocabulary import BASE
from medbench_kg.web.words import facet_titles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.facets import Facets, Value
    from medbench_kg.store import Store
    from medbench_kg.web.lineage import Risks
    from medbench_kg.web.resources import Supplement

__all__ = ["supplements"]

#: Similar datasets that a page shows, and values of another facet.
_SIMILAR, _BESIDE = 6, 8

#: Facets whose values are told of each other.
_TOGETHER = ("modality", "task", "specialty", "anatomy", "language")


def supplements(store: Store, risks: Risks) -> Supplement:
    """Make what pages ask for what else to say.

    Args:
        store: answers the canned queries.
        risks: what training data puts at risk.
    """
    counts = lru_cache(1)(lambda: {row["concept"]: row for row in rows(store, "concept-counts")})

    def about(iri: str) -> Mapping[str, object]:
        kind, _, slug = iri.removeprefix(BASE).partition("/")
        if kind == "dataset":
            return {
                "dataset": slug,
                "results": rows(store, "results-of", dataset=slug),
                "similar": rows(store, "similar-datasets", dataset=slug)[:_SIMILAR],
                "risks": risks.about(iri),
                "is_limited": risks.is_limited,
                "health": {row["link"]: row for row in rows(store, "link-health", dataset=slug)},
            }
        # Only concepts are worth counting: a large graph is slow to count.
        is_scheme = values(store, find("concept-counts").parameter("scheme"), BASE + kind)
        if not is_scheme or iri not in counts():
            return {}
        facet = kind if kind in FACETS else ""
        path = list(of(store).path(facet, slug)) if facet else []
        beside = _beside(of(store), facet, slug) if path else {}
        return {"counts": counts()[iri], "facet": facet, "opened": path, "beside": beside}

    return about


def _beside(facets: Facets, facet: str, slug: str) -> dict[str, tuple[str, list[Value]]]:
    """Other facet → its title, and the values that occur most often with one."""
    found = {name: facets.beside(facet, slug, name) for name in _TOGETHER if name != facet}
    titles = facet_titles()
    return {name: (titles[name], values[:_BESIDE]) for name, values in found.items() if values}
