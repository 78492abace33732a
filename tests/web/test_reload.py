"""SIGHUP takes a new build without dropping a request; stopping leaves no process behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medbench_kg.pipeline import Manifest
    from medbench_kg.store import LocalStore

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


def test_hangup_drops_no_request_and_terminate_leaves_nothing(
    built: tuple[LocalStore, Manifest],
) -> None:
    assert built
    process = subprocess.Popen(
        [sys.executable, "server.py"],
        cwd=ROOT,
        env={**os.environ, "MEDBENCH_PORT": "0", "MEDBENCH_ACCESS_LOG": "off"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found = re.match(r"http://[\d.:]+", process.stdout.readline())
    assert found
    failures: list[str] = []
    answered: list[int] = []
    done = threading.Event()

    def load(thread: int) -> None:
        number = 0
        while not done.is_set():
            number += 1
            query = f"ASK%7B%3Fs{thread}x{number}%20%3Fp%20%3Fo%7D"
            try:
                with urllib.request.urlopen(f"{found[0]}/sparql?query={query}", timeout=5) as got:
                    answered.append(got.status)
            except OSError as error:
                failures.append(repr(error))

    time.sleep(2)
    threads = [threading.Thread(target=load, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    os.kill(process.pid, signal.SIGHUP)
    time.sleep(5)
    done.set()
    for thread in threads:
        thread.join()
    family = children(process.pid)
    process.terminate()
    process.wait(timeout=20)
    process.stdout.close()
    time.sleep(0.5)
    assert failures == []
    assert len(answered) > 100
    assert len(family) > 4
    assert [pid for pid in family if lives(pid)] == []


def test_the_server_ends_when_its_query_processes_are_lost(
    built: tuple[LocalStore, Manifest],
) -> None:
    """Whoever watches the server starts it again; a server that can't answer isn't left."""
    assert built
    process = subprocess.Popen(
        [sys.executable, "server.py"],
        cwd=ROOT,
        env={**os.environ, "MEDBENCH_PORT": "0", "MEDBENCH_ACCESS_LOG": "off"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(2)
    below = {pid: len(children(pid)) for pid in children(process.pid)}
    os.kill(max(below, key=below.__getitem__), signal.SIGKILL)
    _, complaint = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "start again" in complaint
