"""A graph put where another server keeps it.

Specification: SPARQL 1.1 Graph Store HTTP Protocol, sections 5.2 (GET) and 5.3 (PUT).
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING
from urllib.parse import urlencode

from medbench_kg.errors import StoreError
from medbench_kg.store.wire import Wire

if TYPE_CHECKING:
    from medbench_kg.settings import Endpoint

__all__ = ["put"]

_NTRIPLES = "application/n-triples"

#: Longest graph that is read back.
_MAX_BYTES = 1 << 40


def put(endpoint: Endpoint, document: IO[bytes], deadline_s: float) -> int:
    """Replace a graph by a document, in one request, and count what is there then.

    Args:
        endpoint: address of a graph store, and the graph; "" is its default graph.
        document: N-Triples, one triple a line and none twice.
        deadline_s: seconds for the request, and again for reading the graph back.

    Returns:
        Number of triples.

    Raises:
        UnavailableError: the server gives no answer, or takes too long; it may have the old graph,
            the new one or, if it knows no transactions, a part of it.
        QueryError: it refuses the document.
        StoreError: it lets us not in, or what it holds then isn't what was sent.
    """
    wire = Wire(endpoint, _MAX_BYTES)
    name = urlencode({"graph": endpoint.graph}) if endpoint.graph else "default"
    url = f"{endpoint.url}{'&' if '?' in endpoint.url else '?'}{name}"
    sent = sum(1 for _ in document)
    # With its length: Virtuoso takes a body in chunks for none.
    headers = {"Content-Type": _NTRIPLES, "Content-Length": str(document.tell())}
    document.seek(0)
    wire.write("PUT", url, document, headers, deadline_s).body.close()
    with wire.read(url, None, {"Accept": _NTRIPLES}, deadline_s).body as body:
        found = sum(1 for line in body if line.strip())
    if found != sent:
        raise StoreError(
            f"{sent} triples were sent, but {endpoint.url} holds {found} of them.",
            hint="Look into its log; some engines drop what they can't hold.",
            where=endpoint.graph or "default graph",
        )
    return found
