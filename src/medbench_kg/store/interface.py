"""What every store can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from medbench_kg.negotiation import Format, Kind

__all__ = ["Pick", "Store"]

#: Names the format for an answer, once it is known whether this is bindings or triples.
Pick = Callable[[Kind], Format]


class Store(Protocol):
    """Something that answers SPARQL queries in a given format."""

    def query(self, text: str, pick: Pick) -> tuple[bytes, Format]:
        """Answer a query; ``pick`` is asked once for the format."""
        ...

    def rows(self, text: str) -> Iterator[dict[str, str]]:
        """Answer a SELECT as rows of lexical values, unbound variables left out."""
        ...
