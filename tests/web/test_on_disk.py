"""A graph on disk answers like the one in memory, and is replaced as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from functools import partial
from typing import TYPE_CHECKING

import pytest

from medbench_kg import builds, errors, nursery
from medbench_kg.catalogue import Query, ask, catalogue
from medbench_kg.evaluation import Pool, Request
from medbench_kg.negotiation import by_name
from medbench_kg.settings import Settings
from medbench_kg.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from medbench_kg.store import LocalStore

ONE = "<https://example.org/a> <https://example.org/b> <https://example.org/c> .\n"
EVERYTHING = "SELECT (COUNT(*) AS ?n) (COUNT(DISTINCT ?o) AS ?m) { ?s ?p ?o }"


def csv(_kind: object) -> object:
    return by_name("csv")


@pytest.fixture(scope="module")
def opened(on_disk: Path) -> LocalStore:
    return builds.open_built(on_disk)[0]


@pytest.fixture(scope="module")
def pool(opened: LocalStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    path, limits = tmp_path_factory.mktemp("nursery") / "queries", nursery.Limits()
    pid = nursery.start_nursery(path, 2, partial(nursery.work_on_queries, opened, limits))
    pool = Pool(path, limits)
    yield pool
    pool.close()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


@pytest.fixture(scope="module")
def server(on_disk: Path, running: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    with running(MEDBENCH_STORE=str(on_disk)) as address:
        yield address


def fetch(address: str, path: str) -> bytes:
    with urllib.request.urlopen(address + path, timeout=30) as response:
        return response.read()


@pytest.mark.parametrize("query", catalogue(), ids=lambda query: query.name)
def test_a_canned_query_gives_the_same_answer(
    query: Query, store: LocalStore, opened: LocalStore
) -> None:
    assert ask(opened, query, {}, csv) == ask(store, query, {}, csv)


def test_a_build_counts_the_same(on_disk: Path) -> None:
    _, memory = builds.open_built()
    _, disk = builds.open_built(on_disk)
    assert disk.numbers == memory.numbers
    assert (disk.version, disk.triples) == (memory.version, memory.triples)


def test_a_child_reads_the_files_of_the_graph(pool: Pool, store: LocalStore) -> None:
    answer = pool.run(Request(EVERYTHING, "csv", None, None, "https://example.org/"))
    assert answer.body == store.query(EVERYTHING, csv)[0]


@pytest.mark.parametrize("silent", ["", "SILENT"])
def test_a_child_makes_no_connection(pool: Pool, silent: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.3)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        text = f"SELECT * {{ SERVICE {silent} <{url}> {{ ?s ?p ?o }} }}"
        with contextlib.suppress(errors.MedbenchError):
            pool.run(Request(text, "csv", None, None, "https://example.org/"))
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_server_answers_from_disk(server: str, store: LocalStore) -> None:
    query = urllib.parse.urlencode({"query": EVERYTHING, "format": "csv"})
    assert fetch(server, f"/sparql?{query}") == store.query(EVERYTHING, csv)[0]
    assert b"chest-x-ray" in fetch(server, "/query/coverage?modality=x-ray&format=csv")
    assert fetch(server, "/readyz") == b"ready\n"


def test_an_app_reads_no_rows_before_it_is_asked(
    on_disk: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scan(*_: object) -> None:
        pytest.fail("the graph is read at the start, which takes minutes if it is large")

    opened, manifest = builds.open_built(on_disk)
    monkeypatch.setattr(type(opened), "rows", scan)
    monkeypatch.setattr(type(opened), "query", scan)
    create_app(opened, manifest, pool, Settings())


def test_a_server_offers_no_dumps_that_it_does_not_have(server: str) -> None:
    assert b"medbench.ttl" not in fetch(server, "/")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(server, "/data/medbench.ttl")


def build(*words: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "medbench_kg", "build", *map(str, words)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, messages = process.communicate(timeout=60)
    return process.returncode, messages


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An on-disk graph of one triple."""
    (tmp_path / "one.nt").write_text(ONE, encoding="utf-8")
    assert finish(build("--store", tmp_path / "store", "--from", tmp_path / "one.nt"))[0] == 0
    return tmp_path / "store"


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """A dump that a build reads for ever."""
    path = tmp_path / "endless.nt"
    os.mkfifo(path)
    return path


def triples(folder: Path) -> int:
    _, manifest = builds.open_built(folder)
    return manifest.triples


def test_a_broken_dump_changes_nothing(folder: Path, tmp_path: Path) -> None:
    before = sorted(folder.rglob("*"))
    (tmp_path / "broken.nt").write_text(ONE + "<a <b> .\n", encoding="utf-8")
    code, messages = finish(build("--store", folder, "--from", tmp_path / "broken.nt"))
    assert (code, "broken.nt can't be loaded" in messages) == (5, True)
    assert sorted(folder.rglob("*")) == before


def test_a_killed_build_leaves_the_old_graph_and_the_next_one_tidies_up(
    folder: Path, endless: Path, tmp_path: Path
) -> None:
    process = build("--store", folder, "--from", endless)
    with endless.open("w", encoding="utf-8"):  # waits until it is being read
        process.kill()
        finish(process)
    assert triples(folder) == 1
    (tmp_path / "two.nt").write_text(ONE + ONE.replace("/a", "/d"), encoding="utf-8")
    assert finish(build("--store", folder, "--from", tmp_path / "two.nt"))[0] == 0
    assert triples(folder) == 2
    assert len(list(folder.iterdir())) == 2


def test_two_builds_do_not_share_a_folder(folder: Path, endless: Path, tmp_path: Path) -> None:
    process = build("--store", folder, "--from", endless)
    with endless.open("w", encoding="utf-8"):
        code, messages = finish(build("--store", folder, "--from", tmp_path / "one.nt"))
        process.kill()
        finish(process)
    assert (code, "is being built already" in messages) == (5, True)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "one.nt").write_text(ONE, encoding="utf-8")
    code, messages = finish(build("--store", tmp_path, "--from", tmp_path / "one.nt"))
    assert (code, "holds “one.nt”" in messages) == (5, True)
    assert [path.name for path in tmp_path.iterdir()] == ["one.nt"]


def test_a_folder_without_a_graph_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(errors.StoreError, match="no built graph") as caught:
        builds.open_built(tmp_path)
    assert "medbench build" in str(caught.value.hint)
