"""The built graph, put where another engine keeps it.

Specification: SPARQL 1.1 Graph Store HTTP Protocol.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from medbench_kg import pipeline
from medbench_kg.assets import folder
from medbench_kg.graph import SHAPES_GRAPH
from medbench_kg.metadata import QUERIES_GRAPH, VOID_GRAPH
from medbench_kg.negotiation import by_name
from medbench_kg.store import put

if TYPE_CHECKING:
    from medbench_kg.settings import Endpoint

__all__ = ["NAMED_GRAPHS", "push"]

#: The named graphs of a build: the shapes, and the descriptions of data and queries.
NAMED_GRAPHS = (SHAPES_GRAPH, VOID_GRAPH, QUERIES_GRAPH)


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
    store, _ = pipeline.open_built()
    with (folder("build") / "medbench.nt").open("rb") as triples:
        counts = {endpoint.graph: put(endpoint, triples, deadline_s)}
    for graph in NAMED_GRAPHS:
        document = io.BytesIO(store.dump(by_name("ntriples"), graph))
        counts[graph] = put(replace(endpoint, graph=graph), document, deadline_s)
    return counts
