"""What every store can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from medbench_kg.negotiation import Format, Kind

if TYPE_CHECKING:
    from medbench_kg.store.local import LocalStore

__all__ = ["Pick", "Store"]

#: Names the format for an answer, once it is known whether this is bindings or triples.
Pick = Callable[[Kind], Format]


class Store(Protocol):
    """Something that answers SPARQL queries in a given format."""

    def __hash__(self) -> int:
        """Tell stores apart."""
        ...

    def query(self, text: str, pick: Pick) -> tuple[bytes, Format]:
        """Answer a query; ``pick`` is asked once for the format."""
        ...

    def rows(self, text: str) -> Iterator[dict[str, str]]:
        """Answer a SELECT as rows of lexical values, unbound variables left out."""
        ...

    def construct(self, text: str) -> LocalStore:
        """Answer a CONSTRUCT query as a store of its own."""
        ...

    def dump(self, fmt: Format, graph: str | None = None) -> bytes:
        """Write the default graph, or a named one."""
        ...
