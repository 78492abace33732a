"""A new build is taken without dropping a request; however it ends, no process is left behind."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from medbench_kg import builds, pipeline
from medbench_kg.negotiation import by_name

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
    while not (holds := bool(condition())) and time.monotonic() < end:
        time.sleep(0.02)
    return holds


def is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def serving(root: Path = ROOT, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server in a process group of its own, ready, and its address."""
    process = subprocess.Popen(
        [sys.executable, "server.py"],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": str(root / "src"),
            "MEDBENCH_PORT": "0",
            "MEDBENCH_ACCESS_LOG": "off",
            **settings,
        },
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


@pytest.fixture
def checkout(built: object, tmp_path: Path) -> Path:
    """A copy of all that the server reads, to change and to build again."""
    assert built
    for name in ("src", "data", "ontology", "shapes", "build"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "server.py"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def metrics(address: str) -> str:
    with urllib.request.urlopen(f"{address}/metrics") as answer:
        return str(answer.read().decode())


def title(address: str) -> str:
    """Title of GEMeX, as a stranger's query finds it."""
    query = quote("SELECT ?t { <https://w3id.org/medbench-kg/dataset/gemex> dcterms:title ?t }")
    prefix = quote("PREFIX dcterms: <http://purl.org/dc/terms/> ")
    with urllib.request.urlopen(f"{address}/sparql?format=csv&query={prefix}{query}") as answer:
        return str(answer.read().decode().split()[1])


@pytest.mark.parametrize("asked_by", ["nobody", "a hangup", "a hangup of the whole group"])
def test_a_new_build_is_taken_and_drops_no_request(
    asked_by: str, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = checkout / "data" / "datasets" / "gemex.yaml"
    monkeypatch.setattr("medbench_kg.assets._CHECKOUT", checkout)
    monkeypatch.setattr("medbench_kg.assets._PACKAGE", checkout / "src" / "medbench_kg")
    monkeypatch.setattr(pipeline, "check", lambda _: SimpleNamespace(conforms=True))
    monkeypatch.setattr(builds, "DUMPS", (by_name("nquads"),))
    watched = "on" if asked_by == "nobody" else "off"
    with serving(checkout, MEDBENCH_RELOAD=watched) as (process, address):
        assert title(address) == "GEMeX"
        text = record.read_text(encoding="utf-8")
        record.write_text(text.replace("{en: GEMeX}", "{en: Anew}"), encoding="utf-8")
        with asked_all_the_time(address) as (answered, failures):
            manifest = pipeline.build()
            if asked_by != "nobody":
                (os.kill if asked_by == "a hangup" else os.killpg)(process.pid, signal.SIGHUP)
            assert waited_for(lambda: {title(address) for _ in range(20)} == {"Anew"})
            assert waited_for(lambda: manifest.version in metrics(address))
            before = len(answered)
            assert waited_for(lambda: len(answered) > before + 100)
        assert failures == []
        family = children(process.pid)
        process.terminate()
        assert process.communicate(timeout=20)[1] == ""
        assert process.returncode == 0
        assert waited_for(lambda: not any(lives(pid) for pid in family))


def test_a_build_that_is_no_good_changes_nothing_and_is_complained_about_once(
    checkout: Path,
) -> None:
    with serving(checkout, MEDBENCH_RELOAD="on", MEDBENCH_WORKERS="1") as (process, address):
        manifest = checkout / "build" / "manifest.json"
        fields = json.loads(manifest.read_text(encoding="utf-8"))
        manifest.write_text(json.dumps({**fields, "version": "other"}), encoding="utf-8")
        assert process.stderr is not None
        complaint = process.stderr.readline()
        assert "the graph stays as it is" in complaint
        assert title(address) == "GEMeX"
        process.terminate()
        assert process.communicate(timeout=20)[1] == ""


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
