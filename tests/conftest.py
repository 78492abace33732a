"""Shared parts: the built graph, and the real server on a free port."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import peers
import pytest
from playwright.sync_api import sync_playwright

from medbench_kg import builds, graph, pipeline, records, upstream, vocabulary
from medbench_kg.assets import folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser

    from medbench_kg.builds import Manifest
    from medbench_kg.pipeline import Assembled
    from medbench_kg.store import LocalStore

T = TypeVar("T")

#: Browsers that tests drive.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

ROOT = Path(__file__).resolve().parents[1]


#: Lines of the list whose row has one cell too many.
WITH_AN_EIGHTH_CELL = (112, 197, 218)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-expected",
        action="store_true",
        help="write the answers of the canned queries instead of comparing them",
    )


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def assembled() -> Assembled:
    return pipeline.assemble()


@pytest.fixture(scope="session")
def mini() -> LocalStore:
    """A graph of a few records that a person can check by eye, see ``tests/fixtures/mini``."""
    names = vocabulary.load()
    found, problems = records.load(ROOT / "tests" / "fixtures" / "mini", names)
    assert problems == []
    return graph.build(found, folder("ontology"), folder("shapes"), names)


@pytest.fixture(scope="session")
def built() -> tuple[LocalStore, Manifest]:
    """The graph as it is served; built first if the files changed."""
    if not builds.is_built():
        pipeline.build()
    return builds.open_built()


@pytest.fixture(scope="session")
def store(built: tuple[LocalStore, Manifest]) -> LocalStore:
    return built[0]


@pytest.fixture(scope="session")
def on_disk(built: tuple[LocalStore, Manifest], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same graph on disk."""
    assert built
    folder = tmp_path_factory.mktemp("store")
    builds.build_on_disk(folder)
    return folder


@pytest.fixture(scope="session")
def server(built: tuple[LocalStore, Manifest]) -> Iterator[str]:
    """Address of ``python server.py``, started as a user starts it."""
    assert built
    with _running() as address:
        yield address


@pytest.fixture(scope="session")
def copied(built: tuple[LocalStore, Manifest]) -> Callable[[Path], Path]:
    """Copies what a server needs into a folder, where its records may be written."""
    assert built

    def copy(folder: Path) -> Path:
        for name in ("src", "data", "ontology", "shapes", "build"):
            ignored = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        for name in ("pyproject.toml", "server.py"):
            shutil.copy(ROOT / name, folder)
        return folder

    return copy


@pytest.fixture(scope="session")
def running() -> Callable[..., AbstractContextManager[str]]:
    """Starts a server of its own with the variables that are given."""
    return _running


@pytest.fixture(scope="session")
def started() -> Callable[..., object]:
    """Starts other programs; where one can't be installed, go on without it, but never in CI."""

    def start(how: Callable[..., T], *arguments: object) -> T:
        try:
            return how(*arguments)
        except peers.MissingError as error:
            if os.environ.get("CI"):
                raise
            warnings.warn(f"NOT TESTED: {error} isn't installed", stacklevel=1)
            pytest.skip(f"NOT TESTED: {error} isn't installed")

    return start


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        message = "No Chromium: the tests in a browser were NOT run. Install the package chromium."
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def _running(root: Path = ROOT, **environ: str) -> Iterator[str]:
    """Start ``python server.py`` with these variables; give its address, and stop it at the end."""
    process = subprocess.Popen(
        [sys.executable, "server.py"],
        cwd=root,
        env={
            **os.environ,
            "PYTHONPATH": str(root / "src"),
            "MEDBENCH_PORT": "0",
            "PYTHONUNBUFFERED": "1",
            "MEDBENCH_CHECK_DEADLINE_S": "120",
            **environ,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    address = re.match(r"http://[\d.]+:\d+", line)
    assert address, f"no address in the first line: {line!r}"
    _wait(address[0])
    try:
        yield address[0]
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def _wait(address: str) -> None:
    """Wait until the port answers: the line is printed before the workers listen."""
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"{address}/", timeout=5).close()
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def upstream_list(assembled: Assembled, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The list as the graph states it: its two tables, at the lines that they have upstream."""
    english, chinese = (upstream.table(assembled, lang).splitlines() for lang in ("en", "zh"))
    path = tmp_path_factory.mktemp("list") / "README.md"
    blank = [""]
    lines = [*blank * 73, *english, *blank * 24, *chinese]
    for line in WITH_AN_EIGHTH_CELL:
        lines[line - 1] += "  |"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path
