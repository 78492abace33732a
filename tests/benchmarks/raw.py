"""The engine without HTTP: a process that takes orders like the load client, and asks pyoxigraph.

One thread, one query after another; answers are serialised as the servers are asked to.
"""

from __future__ import annotations

import json
import sys
import time

import pyoxigraph as ox
from load import Order, Outcome


def answer(store: ox.Store, text: str) -> bytes:
    found = store.query(text)
    if isinstance(found, ox.QueryTriples):
        return found.serialize(format=ox.RdfFormat.N_TRIPLES) or b""
    return found.serialize(format=ox.QueryResultsFormat.JSON) or b""


def run(store: ox.Store, order: Order) -> Outcome:
    outcome = Outcome()
    begin = now = time.perf_counter()
    number = order.first
    while now < begin + order.seconds:
        last = now
        answer(store, f"{order.text}\n# {number}\n")
        now = time.perf_counter()
        outcome.times.append(now - last)
        outcome.answered += 1
        number += 1
    outcome.elapsed = now - begin
    return outcome


def main() -> None:
    store = ox.Store()
    store.bulk_load(path=sys.argv[1])
    for line in sys.stdin:
        sys.stdout.write(run(store, Order(**json.loads(line))).line() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
