"""Measures the endpoint beside its peers, interleaved, on this machine; ``make bench`` runs it."""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import peers
import processes
import pyoxigraph as ox
import report
import traffic
from load import Order

from medbench_kg import synthetic
from medbench_kg.metadata import NAMED_GRAPHS

HERE = Path(__file__).parent
CLIENTS = (1, 8)
JSON = "application/sparql-results+json"
TRIPLES = "application/n-triples"

#: What is measured: name, server, whether each text is another one.
CONTESTANTS = (
    ("medbench", "medbench", True),
    ("medbench, cached", "medbench", False),
    ("oxigraph serve", "oxigraph serve", True),
    ("rdflib-endpoint", "rdflib-endpoint", True),
    ("rdflib-endpoint, same text", "rdflib-endpoint", False),
    ("Virtuoso", "Virtuoso", True),
    ("Comunica", "Comunica", True),
)
RAW = "pyoxigraph, no HTTP"


@dataclass
class Cell:
    """Figures of one contestant, one query and one number of clients, a value for each round."""

    rates: dict[int, float] = field(default_factory=dict)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    failed: int = 0


class Bench:
    """One run."""

    def __init__(self, options: argparse.Namespace, graph: peers.Graph) -> None:
        self.options = options
        self.graph = graph
        self.queries = {
            p.stem: p.read_text(encoding="utf-8") for p in sorted(HERE.glob("queries/*.rq"))
        }
        self.running: dict[str, peers.Peer] = {}
        self.absent: dict[str, str] = {}
        self.wrong: dict[str, list[str]] = {}
        self.memory: dict[str, float] = {}
        self.cells: dict[tuple[str, str, int], Cell] = {}
        self.number = 0
        self.besieged: dict[str, dict[str, float]] = {}

    def start(self) -> None:
        for name, begin in peers.PEERS.items():
            try:
                self.running[name] = begin(self.graph)
            except peers.MissingError as missing:
                self.absent[name] = f"not installed (needs {missing})"
            except (peers.BrokenError, OSError, http.client.HTTPException) as broken:
                self.absent[name] = f"installed, but {broken or 'it broke off'}"
            say(f"{name}: {self.absent.get(name, 'ready')}\n")

    def compare(self) -> None:
        """Note which answers differ from the engine's own."""
        store = ox.Store()
        store.bulk_load(path=str(self.graph.triples))
        for query, text in self.queries.items():
            expected = normal(*engine(store, text))
            for name, peer in self.running.items():
                status, body = peers.fetch(peer.port, peer.path, text, accept(text))
                if status != 200 or normal(body, accept(text)) != expected:
                    self.wrong.setdefault(name, []).append(query)

    def rounds(self, load: processes.Helper, raw: processes.Helper) -> None:
        end = time.monotonic() + self.options.budget
        for turn in range(self.options.rounds):
            for query in self.queries:
                for clients in CLIENTS:
                    if time.monotonic() > end:
                        say(f"stopped in round {turn + 1}: the budget of time is spent\n")
                        return
                    self._cells(turn, query, clients, load)
                self._raw(turn, query, raw)
            say(f"round {turn + 1} of {self.options.rounds}\n")

    def _cells(self, turn: int, query: str, clients: int, load: processes.Helper) -> None:
        shift = (turn + clients) % len(CONTESTANTS)
        for name, server, varied in CONTESTANTS[shift:] + CONTESTANTS[:shift]:
            peer = self.running.get(server)
            if peer is None or (turn and server in peers.SLOW):
                continue
            order = self._order(peer.port, peer.path, query, clients, varied=varied)
            before = processes.cpu_s(peer.process.pid)
            found = load.ask(asdict(order))
            spent = processes.cpu_s(peer.process.pid) - before
            self._keep(turn, (name, query, clients), found, spent)
            if not found.get("drained"):
                self.absent[server] = "stopped: it left queries unanswered for 30 seconds"
                self.memory[server] = processes.pss_mb(peer.process.pid)
                processes.stop(self.running.pop(server).process)

    def _raw(self, turn: int, query: str, raw: processes.Helper) -> None:
        order = self._order(0, "", query, 1, varied=True)
        before = processes.cpu_s(raw.process.pid)
        found = raw.ask(asdict(order))
        self._keep(turn, (RAW, query, 1), found, processes.cpu_s(raw.process.pid) - before)

    def _order(self, port: int, path: str, query: str, clients: int, *, varied: bool) -> Order:
        self.number += 1_000_000
        text = self.queries[query]
        seconds = self.options.seconds
        return Order(port, [path], text, accept(text), clients, seconds, varied, self.number)

    def _keep(
        self, turn: int, key: tuple[str, str, int], found: dict[str, Any], spent: float
    ) -> None:
        cell = self.cells.setdefault(key, Cell())
        cell.failed += int(found.get("failed", 1))
        answered = int(found.get("answered", 0))
        if answered:
            cell.rates[turn] = answered / found["elapsed"]
            cell.p50_ms.append(found["p50"] * 1000)
            cell.p99_ms.append(found["p99"] * 1000)
            cell.cpu_ms.append(spent * 1000 / answered)

    def besiege(self, load: processes.Helper) -> None:
        """Measure canned queries and pages while all places for long queries are taken."""
        port = self.running["medbench"].port
        with traffic.Runaways(port, 2 * traffic.LONG_PLACES):
            for name, (paths, accepted) in traffic.EVERYDAY.items():
                order = Order(port, paths, "", accepted, max(CLIENTS), 5.0, varied=False, first=0)
                found = load.ask(asdict(order))
                self.besieged[name] = {key: found[key] for key in ("answered", "failed")} | {
                    f"{key}_ms": round(found[key] * 1000, 3) for key in ("p50", "p99")
                }

    def stop(self) -> None:
        for name, peer in self.running.items():
            self.memory[name] = processes.pss_mb(peer.process.pid)
        processes.stop_all()
        self.stopped, self.running = self.running, {}


def engine(store: ox.Store, text: str) -> tuple[bytes, str]:
    found = store.query(text)
    if isinstance(found, ox.QueryTriples):
        return found.serialize(format=ox.RdfFormat.N_TRIPLES) or b"", TRIPLES
    return found.serialize(format=ox.QueryResultsFormat.JSON) or b"", JSON


def accept(text: str) -> str:
    return TRIPLES if "\nCONSTRUCT" in text else JSON


def normal(body: bytes, media_type: str) -> Counter[object]:
    """An answer in a form that doesn't depend on order or on how terms are written."""
    if media_type == TRIPLES:
        try:
            quads = {str(quad) for quad in ox.parse(body, format=ox.RdfFormat.N_TRIPLES)}
        except SyntaxError:
            return Counter()
        return Counter(quads)
    try:
        rows = json.loads(body)["results"]["bindings"]
    except (ValueError, KeyError):
        return Counter()
    return Counter(tuple(sorted((k, v["value"]) for k, v in row.items())) for row in rows)


def results(bench: Bench, load_before: tuple[float, ...], began: str) -> dict[str, Any]:
    cells = [
        {
            "contestant": name,
            "query": query,
            "clients": clients,
            "rates": [round(rate, 2) for _, rate in sorted(cell.rates.items())],
            "p50_ms": round(statistics.median(cell.p50_ms), 3) if cell.p50_ms else None,
            "p99_ms": round(statistics.median(cell.p99_ms), 3) if cell.p99_ms else None,
            "cpu_ms": round(statistics.median(cell.cpu_ms), 3) if cell.cpu_ms else None,
            "failed": cell.failed,
        }
        for (name, query, clients), cell in sorted(bench.cells.items(), key=_place)
    ]
    servers = {
        name: {
            "version": peer.version,
            "start_s": round(peer.start_s, 2),
            "pss_start_mb": round(peer.pss_start_mb),
            "pss_end_mb": round(bench.memory[name]),
            "wrong_answers": bench.wrong.get(name, []),
        }
        for name, peer in bench.stopped.items()
    }
    with bench.graph.triples.open("rb") as file:
        triples = sum(1 for _ in file)
    return {
        "date": began,
        "load_average": {"before": load_before, "after": os.getloadavg()},
        "processors": os.cpu_count(),
        "versions": peers.environment(),
        "graph": {"triples": triples, "synthetic_datasets": bench.options.datasets},
        "rounds": bench.options.rounds,
        "seconds_per_cell": bench.options.seconds,
        "servers": servers,
        "absent": bench.absent,
        "beside_runaways": bench.besieged,
        "cells": cells,
    }


def _place(item: tuple[tuple[str, str, int], Cell]) -> tuple[int, str, int]:
    """Contestants in their own order, not in that of the first round."""
    name, query, clients = item[0]
    names = [*(contestant[0] for contestant in CONTESTANTS), RAW]
    return names.index(name), query, clients


def graph_to_serve(datasets: int, scratch: Path) -> peers.Graph:
    """The real graph where it was built, or a larger one in a copy of the project."""
    build = peers.ROOT / "build"
    if not datasets:
        return peers.Graph(build / "medbench.nt", peers.ROOT, scratch)
    copy = scratch / "project"
    for name in ("src", "data", "ontology", "shapes"):
        ignored = shutil.ignore_patterns("__pycache__", "_assets")
        shutil.copytree(peers.ROOT / name, copy / name, ignore=ignored)
    shutil.copyfile(peers.ROOT / "pyproject.toml", copy / "pyproject.toml")
    (copy / "build").mkdir()
    with (build / "medbench.nq").open(encoding="utf-8") as real:
        quads = list(synthetic.enlarge(real, datasets))
    named = tuple(f" <{graph}> .\n" for graph in NAMED_GRAPHS)
    triples = [line for line in quads if not line.endswith(named)]
    for suffix, lines in (("nq", quads), ("nt", triples)):
        with (copy / "build" / f"medbench.{suffix}").open("w", encoding="utf-8") as file:
            file.writelines(lines)
    shutil.copy(build / "catalogue.ttl", copy / "build")
    manifest = json.loads((build / "manifest.json").read_text(encoding="utf-8"))
    manifest["triples"] = len(triples)
    content = (copy / "build" / "medbench.nq").read_bytes()
    manifest["files"]["medbench.nq"]["sha256"] = hashlib.sha256(content).hexdigest()
    (copy / "build" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return peers.Graph(copy / "build" / "medbench.nt", copy, scratch)


def say(text: str) -> None:
    sys.stderr.write(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=0, help="synthetic datasets to add")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.8, help="length of a cell")
    parser.add_argument("--budget", type=float, default=270, help="seconds for all rounds")
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    began, before = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="medbench-bench-") as folder:
        bench = Bench(options, graph_to_serve(options.datasets, Path(folder)))
        helpers = [
            processes.Helper("load.py"),
            processes.Helper("raw.py", str(bench.graph.triples)),
        ]
        try:
            bench.start()
            bench.compare()
            bench.rounds(*helpers)
            bench.besiege(helpers[0])
        finally:
            bench.stop()
            for helper in helpers:
                helper.close()
        found = results(bench, before, began)
    options.out.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(report.table(found))


if __name__ == "__main__":
    main()
