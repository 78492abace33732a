"""Writes the graph in each RDF format, the same bytes each time.

Specification: RDF 1.1 Turtle, N-Triples, N-Quads, TriG, XML; JSON-LD 1.1 API, section 5.4
(compaction); RDF Dataset Canonicalization 1.0 for the labels of blank nodes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pyld import jsonld

from medbench_kg.negotiation import by_name

if TYPE_CHECKING:
    from medbench_kg.negotiation import Format
    from medbench_kg.store import LocalStore
    from medbench_kg.vocabulary import Vocabulary

__all__ = ["CONTEXT_URL", "serialize"]

#: Where the context is published; dumps hold it inline, so that they need no network.
CONTEXT_URL = "https://w3id.org/medbench-kg/context.jsonld"


def serialize(store: LocalStore, fmt: Format, vocabulary: Vocabulary) -> bytes:
    """Write a graph or, if the format can hold one, the dataset.

    Returns:
        UTF-8; equal for equal graphs, with the prefixes that occur and no others.
    """
    if fmt.name == "jsonld":
        return compact(store.dump(by_name("ntriples")), vocabulary)
    return store.dump(fmt)


def compact(triples: bytes, vocabulary: Vocabulary) -> bytes:
    """Write N-Triples as JSON-LD that uses our keys and slugs, one node per thing."""
    expanded = jsonld.from_rdf(triples.decode(), {"format": "application/n-quads"})
    document: dict[str, Any] = jsonld.compact(
        expanded, dict(vocabulary.context), {"graph": True, "compactArrays": True}
    )
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
