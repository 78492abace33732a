"""Measures where the time goes from ``make serve`` to the first answer.

Run it with ``.venv/bin/python tests/measure_start.py`` after ``make serve`` has run once. It
prints the rows of README's table: medians of five runs, in seconds.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNS = 5

#: Third-party imports of the server, without ours.
LIBRARIES = (
    "import cachetools, click, flask, flask_compress, granian, oxrdflib, prometheus_client, pyld, "
    "pyoxigraph, rdflib, SPARQLWrapper, yaml"
)

#: What a server process does before it answers.
OPEN = """
import tempfile, os, pathlib
os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp()
from medbench_kg import builds, evaluation, settings
from medbench_kg.web.app import create_app
pool = evaluation.Pool(pathlib.Path("nowhere"), evaluation.Limits())
create_app(*builds.open_built(), pool, settings.Settings())
"""


def seconds(code: str) -> float:
    """Wall time of a fresh interpreter that runs some code; median."""
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def first_answer() -> float:
    """Wall time from ``make serve`` to the first complete answer over HTTP; median."""
    times = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        process = subprocess.Popen(
            ["make", "serve"],
            cwd=ROOT,
            env={**os.environ, "MEDBENCH_PORT": "0", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        address = process.stdout.readline().split()[0]
        wait_for(f"{address}query/coverage?format=csv")
        times.append(time.perf_counter() - begin)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)
    return statistics.median(times)


def wait_for(url: str) -> None:
    for _ in range(1000):
        try:
            urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            time.sleep(0.01)
        else:
            return


def main() -> None:
    bare = seconds("pass")
    libraries = seconds(LIBRARIES)
    ours = seconds(f"{LIBRARIES}; import medbench_kg.web.app, medbench_kg.web.server")
    opened = seconds(OPEN)
    total = first_answer()
    rows = [
        ("Python itself", bare),
        ("third-party imports", libraries - bare),
        ("our own imports", ours - libraries),
        ("opening the graph, making the app", opened - ours),
        ("make, second process, sockets, first query", total - opened),
        ("**total**", total),
    ]
    for name, value in rows:
        sys.stdout.write(f"| {name} | {value:.2f} s |\n")


if __name__ == "__main__":
    main()
