"""Other engines that hold the graph: each is started once, and loaded by ``medbench push``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import peers
import processes
import pytest

from medbench_kg import elsewhere
from medbench_kg.settings import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore

GRAPH = "https://w3id.org/medbench-kg/graph/test"


@pytest.fixture(scope="session")
def oxigraph(
    built: tuple[LocalStore, Manifest],
    started: Callable[..., peers.Peer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Endpoint]:
    """Oxigraph's server with the graph as its default graph."""
    assert built
    peer = started(peers.empty_oxigraph, tmp_path_factory.mktemp("oxigraph"))
    address = f"http://127.0.0.1:{peer.port}"
    elsewhere.push(Endpoint(f"{address}/store"), 60)
    yield Endpoint(f"{address}/query")
    processes.stop(peer.process)


@pytest.fixture(scope="session")
def virtuoso(
    built: tuple[LocalStore, Manifest],
    started: Callable[..., peers.Peer],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Endpoint]:
    """Virtuoso with the graph as a named one; everybody may write to it."""
    assert built
    scratch = tmp_path_factory.mktemp("virtuoso")
    peer = started(peers.empty_virtuoso, scratch)
    peers.isql(
        scratch / "virtuoso",
        "GRANT SPARQL_UPDATE TO \"SPARQL\"; DB.DBA.RDF_DEFAULT_USER_PERMS_SET('nobody', 7);",
    )
    address = f"http://127.0.0.1:{peer.port}"
    elsewhere.push(Endpoint(f"{address}/sparql-graph-crud", GRAPH), 60)
    yield Endpoint(f"{address}/sparql", GRAPH)
    processes.stop(peer.process)
