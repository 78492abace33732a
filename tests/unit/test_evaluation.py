"""Queries of strangers run where they can be killed, and the next one is answered."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from medbench_kg import errors
from medbench_kg.evaluation import Limits, Pool, Request
from medbench_kg.negotiation import by_name
from medbench_kg.nursery import start_nursery, work_on_queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medbench_kg.store import LocalStore

LIMITS = Limits(deadline_s=1.5, long_after_s=0.5, memory_bytes=1 << 29, short=2, long=1)
PRODUCT = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i"
ENDLESS = f"SELECT (COUNT(*) AS ?n) {{ {PRODUCT} }}"


#: A child that comes to itself when its parent has ended; what it says then comes out.
LATE = """
import os, signal
from medbench_kg.nursery import end_with_parent
parent = os.getpid()
if os.fork():
    os._exit(0)
while os.getppid() == parent:
    pass
end_with_parent(parent, signal.SIGKILL)
os.write(1, b"alive")
"""


def test_a_process_ends_whose_parent_ended_before_it_could_ask_for_that() -> None:
    late = subprocess.run([sys.executable, "-c", LATE], capture_output=True, timeout=20, check=True)
    assert (late.stdout, late.stderr) == (b"", b"")


@pytest.fixture(scope="module")
def pool(store: LocalStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    path = tmp_path_factory.mktemp("nursery") / "queries"
    nursery = start_nursery(path, 4, partial(work_on_queries, store, LIMITS))
    pool = Pool(path, LIMITS)
    yield pool
    pool.close()
    os.kill(nursery, signal.SIGKILL)
    os.waitpid(nursery, 0)


def ask(pool: Pool, text: str, **more: object) -> bytes:
    answer = pool.run(Request(text, "json", "json", "ntriples", "https://example.org/", **more))
    if answer.file is None:
        return answer.body or b""
    with answer.file as file:
        return file.read()


@pytest.fixture(autouse=True)
def alive(pool: Pool) -> Iterator[None]:
    """Whatever a test did, the next honest query is answered at once."""
    yield
    begin = time.monotonic()
    assert b"true" in ask(pool, "ASK { ?s ?p ?o }")
    assert time.monotonic() - begin < 1


def test_an_answer_comes_in_the_format_asked_for(pool: Pool) -> None:
    answer = pool.run(
        Request("CONSTRUCT WHERE { ?s a ?o }", None, None, "ntriples", "https://e.org/")
    )
    assert answer.format.name == "ntriples"
    assert answer.body
    assert answer.body.count(b"\n") > 100


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(ENDLESS, id="aggregate"),
        pytest.param(f"SELECT * {{ {PRODUCT} }} ORDER BY ?a", id="sort"),
        pytest.param("SELECT * { ?a (<x:p>|!<x:p>)* ?b . ?b (<x:p>|!<x:p>)* ?c }", id="paths"),
    ],
)
def test_a_runaway_is_stopped(pool: Pool, text: str) -> None:
    begin = time.monotonic()
    with pytest.raises((errors.QueryTimeoutError, errors.EngineError)) as caught:
        ask(pool, text)
    assert time.monotonic() - begin < LIMITS.deadline_s + 1
    assert caught.value.retry_after_s > 0


def test_a_large_answer_that_is_cut_is_no_answer(pool: Pool) -> None:
    with pytest.raises((errors.QueryTimeoutError, errors.EngineError)):
        pool.run(Request(f"SELECT * {{ {PRODUCT} }}", "csv", None, None, "https://e.org/"))


def test_a_large_answer_is_complete(pool: Pool, store: LocalStore) -> None:
    text = "SELECT * { ?s ?p ?o } ORDER BY ?s ?p ?o"
    answer = ask(pool, text)
    assert len(answer) > 1 << 20
    assert answer == store.query(text, lambda _kind: by_name("json"))[0]


def test_a_client_may_ask_for_less_time(pool: Pool) -> None:
    begin = time.monotonic()
    with pytest.raises(errors.QueryTimeoutError, match=r"0\.3 seconds"):
        pool.run(Request(ENDLESS, "json", None, None, "https://e.org/"), 0.3)
    assert time.monotonic() - begin < 1


def test_a_crash_of_the_engine_is_an_error_like_others(pool: Pool) -> None:
    nested = "STR(" * 5000 + "?s" + ")" * 5000
    with pytest.raises(errors.EngineError):
        ask(pool, f"SELECT ({nested} AS ?x) {{ ?s ?p ?o }}")


def test_memory_is_limited(pool: Pool) -> None:
    doubling = " ".join(f"BIND (CONCAT(?v{n}, ?v{n}) AS ?v{n + 1})" for n in range(40))
    with pytest.raises((errors.EngineError, errors.QueryTimeoutError)):
        ask(pool, f'SELECT ?v40 {{ BIND ("xxxxxxxxxx" AS ?v0) {doubling} }}')


@pytest.mark.parametrize(
    "text",
    [
        "INSERT DATA { <a> <b> <c> }",
        "DELETE WHERE { ?s ?p ?o }",
        "CLEAR ALL",
        "LOAD <http://127.0.0.1:9/x>",
    ],
)
def test_an_update_is_told_apart_by_the_parser(pool: Pool, text: str) -> None:
    with pytest.raises(errors.UpdateError):
        ask(pool, text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * { SERVICE <{url}> { ?s ?p ?o } }",
        "SELECT * { SERVICE SILENT <{url}> { ?s ?p ?o } }",
        "SELECT * FROM <{url}> { ?s ?p ?o }",
        "SELECT * FROM NAMED <{url}> { GRAPH ?g { ?s ?p ?o } }",
        "LOAD <{url}>",
    ],
)
def test_no_query_opens_a_connection(pool: Pool, text: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with contextlib.suppress(errors.MedbenchError):
            ask(pool, text.replace("{url}", url))
        with pytest.raises(TimeoutError):
            listener.accept()


def test_graphs_are_looked_up_and_stronger_than_from(pool: Pool) -> None:
    text = "SELECT (COUNT(*) AS ?n) FROM <https://example.org/none> { ?s ?p ?o }"
    shapes = "https://w3id.org/medbench-kg/graph/shapes"
    assert b'"0"' in ask(pool, text)
    assert b'"0"' not in ask(pool, text, default_graphs=(shapes,))


def test_long_queries_leave_room_for_short_ones(pool: Pool) -> None:
    stopped: list[str] = []

    def run() -> None:
        try:
            ask(pool, ENDLESS)
        except errors.UnavailableError as error:
            stopped.append(error.code)

    runaways = [threading.Thread(target=run) for _ in range(2)]
    for runaway in runaways:
        runaway.start()
    time.sleep(LIMITS.long_after_s + 0.2)
    begin = time.monotonic()
    assert b"true" in ask(pool, "ASK { ?s ?p ?o }")
    assert time.monotonic() - begin < 0.5
    for runaway in runaways:
        runaway.join()
    assert sorted(stopped) == ["overloaded", "timeout"]


def test_children_that_died_while_idle_are_replaced(pool: Pool) -> None:
    ask(pool, "ASK {}")
    for child in list(pool._idle):  # noqa: SLF001  there is no other way to name an idle child
        os.kill(child.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert b"true" in ask(pool, "ASK {}")
