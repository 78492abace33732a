"""What is asked of this project besides the eight shapes: everyday requests, endless queries."""

from __future__ import annotations

import http.client
import threading
import time
from pathlib import Path
from typing import Self
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]

_CANNED = sorted(path.stem for path in (ROOT / "src/medbench_kg/queries").glob("*.rq"))

#: Name → paths and the media type to ask for.
EVERYDAY = {
    "canned queries": ([f"/query/{name}" for name in _CANNED], "application/sparql-results+json"),
    "pages": (["/", "/zh/", "/sparql", *(f"/query/{name}" for name in _CANNED)], "text/html"),
}

ENDLESS = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i FILTER(?c != ?f) }"

#: Places for long queries, in the default settings: 2 in each of 2 processes.
LONG_PLACES = 4


class Runaways:
    """Clients that ask endless queries, again and again, as long as the block lasts."""

    def __init__(self, port: int, clients: int) -> None:
        self._port = port
        self._refused = threading.Semaphore(0)
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(number,)) for number in range(clients)
        ]

    def __enter__(self) -> Self:
        """Start, and wait until one is refused: then all places are taken."""
        for thread in self._threads:
            thread.start()
        if not self._refused.acquire(timeout=60):
            raise TimeoutError("no endless query was refused")
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int) -> None:
        while not self._done.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
            text = f"{ENDLESS} # {number} {time.time()}"
            connection.request("GET", f"/sparql?query={quote(text)}")
            if b"all places for long queries" in connection.getresponse().read():
                self._refused.release()
            connection.close()
