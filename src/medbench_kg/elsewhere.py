"""The graph where another engine keeps it: put there, and opened there.

Specification: SPARQL 1.1 Graph Store HTTP Protocol.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from medbench_kg import builds, vocabulary
from medbench_kg.assets import folder
from medbench_kg.errors import EndpointError, EngineError, QueryError, QueryTimeoutError
from medbench_kg.metadata import NAMED_GRAPHS
from medbench_kg.negotiation import by_name
from medbench_kg.store import RemoteStore, put

if TYPE_CHECKING:
    from medbench_kg.builds import Manifest
    from medbench_kg.settings import Endpoint

__all__ = ["open_endpoint", "push"]


def push(endpoint: Endpoint, deadline_s: float) -> dict[str, int]:
    """Put the built graphs where a graph store keeps them, each in one request.

    Args:
        endpoint: address of a SPARQL 1.1 graph store, and the graph to replace by the default one.
        deadline_s: seconds for each graph.

    Returns:
        Triples of each graph, as counted there afterwards; "" is the default graph.

    Raises:
        StoreError: the graph hasn't been built from the present files, the store lets us not in,
            or what it holds then isn't what was sent.
        UnavailableError: the store gives no answer.
        QueryError: the store refuses the graph.
    """
    store, _ = builds.open_built()
    with (folder("build") / "medbench.nt").open("rb") as triples:
        counts = {endpoint.graph: put(endpoint, triples, deadline_s)}
    for graph in NAMED_GRAPHS:
        document = io.BytesIO(store.dump(by_name("ntriples"), graph))
        counts[graph] = put(replace(endpoint, graph=graph), document, deadline_s)
    return counts


def open_endpoint(
    endpoint: Endpoint, *, deadline_s: float = 30.0, max_bytes: int = 1 << 28
) -> tuple[RemoteStore, Manifest]:
    """Open the graph at an endpoint; it has no version, since it may change at any time.

    Args:
        endpoint: where it is.
        deadline_s: seconds that an answer may take.
        max_bytes: size that an answer may have.

    Raises:
        UnavailableError: the endpoint gives no answer.
        StoreError: its answer is no answer, or it lets us not in.
    """
    store = RemoteStore(
        endpoint,
        NAMED_GRAPHS,
        vocabulary.load().prefixes,
        deadline_s=deadline_s,
        max_bytes=max_bytes,
    )
    try:
        numbers = builds.count(store)
    except (QueryError, QueryTimeoutError, EngineError) as error:
        # A count isn't anybody's wrong input: the fault is the endpoint's.
        raise EndpointError(error.message, hint="Check its address.") from error
    return store, builds.Manifest("", numbers.pop("triples"), numbers, {})
