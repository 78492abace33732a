"""The formats that only some things have: references, and Croissant for datasets.

Specification: Croissant 1.1 (media type with a profile); the media types of BibTeX, CSL-JSON, RIS.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from medbench_kg import citation, markup
from medbench_kg.negotiation import CROISSANT, REFERENCE_FORMATS
from medbench_kg.vocabulary import BASE
from medbench_kg.web.resources import Rendition

if TYPE_CHECKING:
    from medbench_kg.negotiation import Format
    from medbench_kg.store import Store

__all__ = ["renditions"]


def renditions(store: Store) -> list[Rendition]:
    """Name the formats, which things have them and how they are made."""

    def references(fmt: Format, iri: str) -> bytes:
        return citation.cite(store, [iri], fmt)

    return [
        *(Rendition(fmt, _is_cited, partial(references, fmt)) for fmt in REFERENCE_FORMATS),
        Rendition(CROISSANT, _is_dataset, partial(markup.croissant, store)),
    ]


def _is_cited(iri: str) -> bool:
    return iri.startswith((f"{BASE}dataset/", f"{BASE}paper/"))


def _is_dataset(iri: str) -> bool:
    return iri.startswith(f"{BASE}dataset/")
