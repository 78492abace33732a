"""What a page says of a thing besides its description: answers of canned queries about it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from medbench_kg.catalogue import rows
from medbench_kg.facets import FACETS, of
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.store import Store
    from medbench_kg.web.lineage import Risks
    from medbench_kg.web.resources import Supplement

__all__ = ["supplements"]

#: Similar datasets that a page shows.
_SIMILAR = 6


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
            }
        if iri in counts():
            facet = kind if kind in FACETS else ""
            path = list(of(store).path(facet, slug)) if facet else []
            return {"counts": counts()[iri], "facet": facet, "opened": path}
        return {}

    return about
