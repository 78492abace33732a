"""Mixed load for a time: does memory grow, is a request lost, is a process left? ``make soak``.

At once: the eight shapes with ever new texts, canned queries and pages, wrong queries, and endless
ones that are stopped. The outcome is printed as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import peers
import processes
import traffic
from load import Order

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent

#: Seconds that one kind of load lasts before the next of its stream begins.
TURN_S = 1.0

#: What a client may be told: the answer; its query is wrong; it was stopped, or places are taken.
EXPECTED = {200, 400, 503}

_RESULTS = "application/sparql-results+json"
_ANYTHING = "application/sparql-results+json, application/n-triples;q=0.9"


@dataclass
class Soak:
    """One run."""

    port: int
    statuses: Counter[int] = field(default_factory=Counter)
    pss_mb: list[int] = field(default_factory=list)

    def run(self, server: int, seconds: float) -> None:
        """Load the server from several processes, and look at its memory meanwhile."""
        end = time.monotonic() + seconds
        streams = [self._shapes(), self._everyday(), self._hostile()]
        threads = [threading.Thread(target=self._load, args=(s, end)) for s in streams]
        for thread in threads:
            thread.start()
        while time.monotonic() < end:
            time.sleep(max(seconds / 60, 0.5))
            self.pss_mb.append(round(processes.pss_mb(server)))
        for thread in threads:
            thread.join()

    def _load(self, orders: Iterator[Order], end: float) -> None:
        client = processes.Helper("load.py")
        while time.monotonic() < end:
            found = client.ask(asdict(next(orders)))
            counts = {int(status): number for status, number in found["statuses"].items()}
            self.statuses.update(counts)
        client.close()

    def _shapes(self) -> Iterator[Order]:
        texts = [path.read_text(encoding="utf-8") for path in sorted(HERE.glob("queries/*.rq"))]
        number = 0
        while True:
            for text in texts:
                number += 1_000_000
                yield self._order(["/sparql?query="], text, _ANYTHING, 4, number)

    def _everyday(self) -> Iterator[Order]:
        while True:
            for paths, accept in traffic.EVERYDAY.values():
                yield self._order(paths, "", accept, 2, 0)

    def _hostile(self) -> Iterator[Order]:
        number = 0
        while True:
            for text in (traffic.ENDLESS[:-1], traffic.ENDLESS):
                number += 1_000_000
                yield self._order(["/sparql?timeout=1&query="], text, _RESULTS, 2, number)

    def _order(self, paths: list[str], text: str, accept: str, clients: int, number: int) -> Order:
        return Order(self.port, paths, text, accept, clients, TURN_S, varied=True, first=number)


def soak(seconds: float, scratch: Path) -> dict[str, object]:
    graph = peers.Graph(peers.ROOT / "build" / "medbench.nt", peers.ROOT, scratch)
    peer = peers.medbench(graph)
    pid = peer.process.pid
    run = Soak(peer.port)
    try:
        time.sleep(2 * TURN_S)  # until all processes are started, and later, until all are done
        before = len(processes.tree(pid))
        run.run(pid, seconds)
        time.sleep(2 * TURN_S)
        family = processes.tree(pid)
        peer.process.terminate()
        peer.process.wait(timeout=30)
        time.sleep(TURN_S)
        left = [member for member in family if processes.lives(member)]
    finally:
        processes.stop_all()
    quarter = max(1, len(run.pss_mb) // 4)
    return {
        "seconds": seconds,
        "statuses": dict(sorted(run.statuses.items())),
        "lost": sum(n for status, n in run.statuses.items() if status not in EXPECTED),
        "pss_mb": run.pss_mb,
        # Queries that are being stopped hold much for a moment, so the least counts.
        "growth_mb": min(run.pss_mb[-quarter:]) - min(run.pss_mb[quarter : 2 * quarter]),
        "processes": [before, len(family)],
        "left_behind": len(left),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="medbench-soak-") as folder:
        json.dump(soak(options.seconds, Path(folder)), sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
