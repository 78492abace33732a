"""A new build is taken without dropping a request; however it ends, no process is left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]


def children(pid: int) -> set[int]:
    """All processes below one."""
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found |= {child} | children(child)
    return found


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped doesn't."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def waited_for(condition: Callable[[], object]) -> bool:
    """Whether a condition holds within half a minute."""
    end = time.monotonic() + 30
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def serving(**settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server in a process group of its own, ready, and its address."""
    process = subprocess.Popen(
        [sys.executable, "server.py"],
        cwd=ROOT,
        env={**os.environ, "MEDBENCH_PORT": "0", "MEDBENCH_ACCESS_LOG": "off", **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        found = re.match(r"http://[\d.:]+", process.stdout.readline())
        assert found
        assert waited_for(lambda: is_ready(found[0]))
        yield process, found[0]
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@contextmanager
def asked_all_the_time(address: str) -> Iterator[tuple[list[int], list[str]]]:
    """Statuses of the answers to different queries, three at a time, and what failed."""
    answered: list[int] = []
    failures: list[str] = []
    done = threading.Event()

    def ask(thread: int) -> None:
        number = 0
        while not done.is_set():
            number += 1
            query = f"ASK%7B%3Fs{thread}x{number}%20%3Fp%20%3Fo%7D"
            try:
                with urllib.request.urlopen(f"{address}/sparql?query={query}", timeout=5) as got:
                    answered.append(got.status)
            except OSError as error:
                failures.append(repr(error))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield answered, failures
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("to_all", [False, True], ids=["to the server", "to the whole group"])
@pytest.mark.usefixtures("built")
def test_a_hangup_replaces_the_processes_and_drops_no_request(to_all: bool) -> None:
    with serving(MEDBENCH_WORKERS="1") as (process, address):
        web = {pid for pid in children(process.pid) if len(children(pid)) == 1}
        old = {pid: children(pid) for pid in web}
        with asked_all_the_time(address) as (answered, failures):
            (os.killpg if to_all else os.kill)(process.pid, signal.SIGHUP)
            assert waited_for(lambda: all(not lives(pid) for pids in old.values() for pid in pids))
            before = len(answered)
            assert waited_for(lambda: len(answered) > before + 100)
        assert failures == []
        assert {pid for pid in children(process.pid) if len(children(pid)) == 1} == web
        family = children(process.pid)
        process.terminate()
        assert process.wait(timeout=20) == 0
        assert waited_for(lambda: not any(lives(pid) for pid in family))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("to_all", [False, True], ids=["to the server", "to the whole group"])
@pytest.mark.usefixtures("built")
def test_a_stop_is_no_failure_and_leaves_nothing(number: signal.Signals, to_all: bool) -> None:
    """A service manager and a terminal signal all processes at once, other programs only one."""
    with serving() as (process, _):
        family = children(process.pid)
        (os.killpg if to_all else os.kill)(process.pid, number)
        assert process.communicate(timeout=20)[1] == ""
        assert process.returncode == 0
        assert len(family) > 4
        assert waited_for(lambda: not any(lives(pid) for pid in family))


@pytest.mark.usefixtures("built")
def test_nothing_is_left_of_a_server_that_is_killed() -> None:
    with serving() as (process, _):
        family = children(process.pid)
        process.kill()
        assert waited_for(lambda: not any(lives(pid) for pid in family))


@pytest.mark.parametrize("lost", ["nursery", "web server"])
@pytest.mark.usefixtures("built")
def test_the_server_ends_when_a_part_of_it_is_lost(lost: str) -> None:
    """Whoever watches the server starts it again; a server that can't answer isn't left."""
    with serving() as (process, _):
        family = children(process.pid)
        below = {pid: len(children(pid)) for pid in family}
        nursery = max(below, key=below.__getitem__)
        web = max(below.keys() - {nursery}, key=below.__getitem__)
        os.kill(nursery if lost == "nursery" else web, signal.SIGKILL)
        _, complaint = process.communicate(timeout=20)
        assert process.returncode == 1
        assert "start again" in complaint
        assert waited_for(lambda: not any(lives(pid) for pid in family))
