"""Measures a graph on disk: the start of the server, and canned queries beside the bare engine.

medbench bench generate --datasets 30000 -o big.nq
medbench build --store big --from big.nq
.venv/bin/python tests/benchmarks/scale.py big
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from medbench_kg import builds
from medbench_kg.catalogue import ask, find
from medbench_kg.negotiation import by_name

ROUNDS = 3
QUERIES = (
    "datasets-by-licence",
    "datasets-by-modality",
    "datasets-by-task",
    "most-reused-sources",
    "papers-by-venue",
)


def fetch(address: str, accept: str = "*/*") -> float:
    """Ask for something; give the seconds that it took."""
    begin = time.perf_counter()
    request = urllib.request.Request(address, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=120) as response:
        response.read()
    return time.perf_counter() - begin


def start(*arguments: str, **environ: str) -> tuple[subprocess.Popen[str], str, float]:
    """Start a server; give its address and the seconds until it is ready."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "medbench_kg", "serve", "--port", "0", *arguments],
        env={**os.environ, "MEDBENCH_ACCESS_LOG": "off", **environ},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found = re.match(r"http://[^/]+/", process.stdout.readline())
    assert found
    while True:
        try:
            fetch(f"{found[0]}readyz")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.02)
        else:
            return process, found[0], time.perf_counter() - begin


def main() -> None:
    folder = Path(sys.argv[1])
    store, manifest = builds.open_built(folder)
    starts = []
    for _ in range(ROUNDS):
        process, address, took = start("--store", str(folder), MEDBENCH_CACHE_MB="0")
        starts.append(took)
        if len(starts) < ROUNDS:
            process.terminate()
            process.wait()
    print(f"{manifest.triples} triples; start {statistics.median(starts):.2f} s")  # noqa: T201
    try:
        for name in QUERIES:
            served, bare = [], []
            for _ in range(ROUNDS):
                served.append(fetch(f"{address}query/{name}?format=csv"))
                begin = time.perf_counter()
                ask(store, find(name), {}, lambda _kind: by_name("csv"))
                bare.append(time.perf_counter() - begin)
            one, other = statistics.median(served), statistics.median(bare)
            print(f"{name}: {one:.2f} s, engine {other:.2f} s, ratio {one / other:.2f}", flush=True)  # noqa: T201
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main()
