"""The servers that are compared: how each is started with the graph, and where it answers."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import processes

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
COMUNICA = BIN.parent / "share" / "comunica" / "node_modules"

#: Longest time that a server may take until its first answer.
START_S = 90.0

_GRAPH_IRI = "https://w3id.org/medbench-kg/graph/bench"
_JSON = "application/sparql-results+json"


class MissingError(Exception):
    """A peer isn't installed; the message says what would be needed."""


class BrokenError(Exception):
    """A peer is there but didn't come to answer."""


@dataclass(frozen=True)
class Graph:
    """What is served.

    Attributes:
        triples: N-Triples file.
        project: folder that this project is run in, with the graph in its ``build``.
        scratch: folder for what peers write.
    """

    triples: Path
    project: Path
    scratch: Path


@dataclass
class Peer:
    """A running server.

    Attributes:
        port: on 127.0.0.1.
        path: up to and with ``query=``.
        process: the server.
        start_s: seconds from its start to the first right answer, the graph loaded.
        pss_start_mb: memory then.
        version: as it names itself.
    """

    port: int
    path: str
    process: subprocess.Popen[str]
    version: str
    start_s: float = 0.0
    pss_start_mb: float = 0.0
    notes: list[str] = field(default_factory=list)


def fetch(port: int, path: str, text: str, accept: str, timeout: float = 60) -> tuple[int, bytes]:
    """Ask one query over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path + quote(text, safe=""), headers={"Accept": accept})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def medbench(graph: Graph) -> Peer:
    """This project, in its default settings but for the log."""
    port = free_port()
    source = graph.project / "src"
    env = {
        "MEDBENCH_ACCESS_LOG": "off",
        "MEDBENCH_HOST": "127.0.0.1",
        "MEDBENCH_PORT": str(port),
        "PYTHONPATH": str(source),
    }
    begin = time.perf_counter()
    process = processes.start(
        [sys.executable, "-m", "medbench_kg", "serve"],
        graph.scratch / "medbench.log",
        env,
        graph.project,
    )
    version = metadata.version("medbench-kg")
    return _ready(Peer(port, "/sparql?query=", process, version), begin)


def oxigraph(graph: Graph) -> Peer:
    """Oxigraph's own server, in memory; ``serve-read-only`` works from a disk only."""
    begin = time.perf_counter()
    peer = empty_oxigraph(graph.scratch)
    connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=START_S)
    with graph.triples.open("rb") as content:
        headers = {"Content-Type": "application/n-triples", "Content-Length": str(_size(graph))}
        connection.request("PUT", "/store?default", body=content, headers=headers)
        connection.getresponse().read()
    connection.close()
    return _ready(peer, begin)


def empty_oxigraph(scratch: Path) -> Peer:
    """Oxigraph's own server with nothing in it, in memory."""
    program = BIN / "oxigraph"
    if not program.is_file():
        raise MissingError("oxigraph from PyPI")
    port = free_port()
    begin = time.perf_counter()
    process = processes.start(
        [str(program), "serve", "--bind", f"127.0.0.1:{port}"],
        scratch / "oxigraph.log",
        {},
        scratch,
    )
    peer = Peer(port, "/query?query=", process, metadata.version("oxigraph"))
    _listening(peer, begin)
    return peer


def rdflib_endpoint(graph: Graph) -> Peer:
    """rdflib-endpoint over rdflib's own store in memory."""
    program = BIN / "rdflib-endpoint"
    if not program.is_file():
        raise MissingError("rdflib-endpoint[cli] from PyPI")
    port = free_port()
    begin = time.perf_counter()
    process = processes.start(
        [str(program), "serve", "--host", "127.0.0.1", "--port", str(port), str(graph.triples)],
        graph.scratch / "rdflib-endpoint.log",
        {},
        graph.scratch,
    )
    version = metadata.version("rdflib-endpoint")
    return _ready(Peer(port, "/?query=", process, version), begin)


def virtuoso(graph: Graph) -> Peer:
    """Virtuoso from Debian, the graph loaded before the clock runs, on a database of its own."""
    peer = empty_virtuoso(graph.scratch)
    folder = graph.scratch / "virtuoso"
    shutil.copyfile(graph.triples, folder / "graph.nt")
    load = f"ld_dir('{folder}', 'graph.nt', '{_GRAPH_IRI}'); rdf_loader_run(); checkpoint;"
    try:
        isql(folder, f"{load} shutdown();", timeout=300)
    finally:
        _wait(peer.process)
    begin = time.perf_counter()
    peer.process = _start_virtuoso(folder)
    peer.path = f"/sparql?default-graph-uri={quote(_GRAPH_IRI, safe='')}&query="
    return _ready(peer, begin)


def empty_virtuoso(scratch: Path) -> Peer:
    """Virtuoso from Debian on a new database, in the folder ``virtuoso``."""
    program = shutil.which("virtuoso-t")
    if program is None or shutil.which("isql-vt") is None:
        raise MissingError("Debian package virtuoso-opensource")
    folder = scratch / "virtuoso"
    folder.mkdir()
    port = free_port()
    template = (Path(__file__).parent / "virtuoso.ini").read_text(encoding="utf-8")
    ini = template.format(folder=folder, http=port, sql=free_port())
    (folder / "virtuoso.ini").write_text(ini, encoding="utf-8")
    begin = time.perf_counter()
    version = _virtuoso_version(program)
    peer = Peer(port, "/sparql?query=", _start_virtuoso(folder), version)
    _listening(peer, begin)
    return peer


def isql(folder: Path, statements: str, timeout: float = 60) -> None:
    """Run statements in the Virtuoso of a folder."""
    subprocess.run(
        ["isql-vt", sql_port(folder), "dba", "dba", f"exec={statements}"],
        check=False,
        timeout=timeout,
        capture_output=True,
    )


def sql_port(folder: Path) -> str:
    """Port of the Virtuoso of a folder for ``isql-vt``; with its address, if it has one."""
    ini = (folder / "virtuoso.ini").read_text(encoding="utf-8")
    return ini.partition("[Parameters]\nServerPort = ")[2].partition("\n")[0]


def _start_virtuoso(folder: Path) -> subprocess.Popen[str]:
    command = ["virtuoso-t", "+foreground", "+configfile", str(folder / "virtuoso.ini")]
    return processes.start(command, folder.with_suffix(".log"), {}, folder)


def comunica(graph: Graph) -> Peer:
    """Comunica's server over a file, one worker."""
    node = COMUNICA / ".bin" / "node"
    script = COMUNICA / "@comunica" / "query-sparql-file" / "bin" / "http.js"
    if not node.is_file() or not script.is_file():
        raise MissingError("npm")
    port = free_port()
    begin = time.perf_counter()
    process = processes.start(
        [str(node), str(script), "-p", str(port), "-w", "1", str(graph.triples)],
        graph.scratch / "comunica.log",
        {"NODE_OPTIONS": "--dns-result-order=ipv4first"},
        graph.scratch,
    )
    package = (COMUNICA / "@comunica" / "query-sparql-file" / "package.json").read_text()
    version = package.partition('"version": "')[2].partition('"')[0]
    return _ready(Peer(port, "/sparql?query=", process, version), begin)


#: Name → how to start it. A server whose name is in ``SLOW`` is measured in the first round only.
PEERS: dict[str, Callable[[Graph], Peer]] = {
    "medbench": medbench,
    "oxigraph serve": oxigraph,
    "rdflib-endpoint": rdflib_endpoint,
    "Virtuoso": virtuoso,
    "Comunica": comunica,
}
SLOW = frozenset({"rdflib-endpoint", "Virtuoso", "Comunica"})


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _size(graph: Graph) -> int:
    return graph.triples.stat().st_size


def _virtuoso_version(program: str) -> str:
    told = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False, timeout=30
    )
    words = (told.stdout + told.stderr).partition("Version ")[2].split()
    return words[0] if words else "unknown"


def _wait(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        processes.stop(process)


def _listening(peer: Peer, begin: float) -> None:
    while time.perf_counter() < begin + START_S and peer.process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", peer.port), timeout=5).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    processes.stop(peer.process)
    raise BrokenError("it didn't start")


def _ready(peer: Peer, begin: float) -> Peer:
    """Wait for the right answer to a question about the loaded graph."""
    ask = (Path(__file__).parent / "queries" / "q7-derived-from.rq").read_text(encoding="utf-8")
    while time.perf_counter() < begin + START_S and peer.process.poll() is None:
        try:
            status, body = fetch(peer.port, peer.path, ask, _JSON, timeout=START_S)
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)
            continue
        if status == 200 and b"https://w3id.org/medbench-kg/dataset/" in body:
            peer.start_s = time.perf_counter() - begin
            peer.pss_start_mb = processes.pss_mb(peer.process.pid)
            return peer
        time.sleep(0.01)
    processes.stop(peer.process)
    raise BrokenError("it gave no right answer")


def environment() -> dict[str, str]:
    """Versions of what everything runs on."""
    packages = ("medbench-kg", "pyoxigraph", "rdflib", "flask", "granian")
    found = {name: metadata.version(name) for name in packages}
    found["python"] = ".".join(map(str, sys.version_info[:3]))
    found["kernel"] = os.uname().release
    return found
