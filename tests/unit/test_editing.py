"""Everyone who writes to data/ waits for a turn, and overwrites nobody."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from medbench_kg import editing, vocabulary
from medbench_kg.errors import ConflictError, OverloadedError
from medbench_kg.records import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "data"
    shutil.copytree(root / "tests" / "fixtures" / "mini", path)
    monkeypatch.setattr(editing, "folder", lambda _: path)
    return path


@pytest.fixture
def taken(data: Path) -> Iterator[Callable[[], None]]:
    """Somebody else writes; gives what ends that."""
    handle = os.open(data, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    yield lambda: fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)


def unordered(data: Path) -> str:
    """Take a record out of canonical form; return its text."""
    path = data / "datasets" / "gemex.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("{en: GEMeX}", "{'en': GEMeX}"))
    return path.read_text(encoding="utf-8")


WRITERS: dict[str, Callable[[str], object]] = {
    "fmt": lambda _: editing.format_records(write=True),
    "import, add and links check": lambda text: editing.write_records(
        {"datasets/gemex.yaml": text.replace("GEMeX", "other")}
    ),
}


@pytest.mark.parametrize("who", WRITERS)
def test_a_writer_that_gets_no_turn_says_so_and_changes_nothing(
    who: str, data: Path, taken: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert taken
    text = unordered(data)
    monkeypatch.setattr(editing, "_WAIT_S", 0.0)
    with pytest.raises(OverloadedError, match="data/"):
        WRITERS[who](text)
    assert (data / "datasets" / "gemex.yaml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("who", WRITERS)
def test_a_writer_waits_for_its_turn(who: str, data: Path, taken: Callable[[], None]) -> None:
    text = unordered(data)
    writer = threading.Thread(target=WRITERS[who], args=(text,))
    writer.start()
    assert (data / "datasets" / "gemex.yaml").read_text(encoding="utf-8") == text
    taken()
    writer.join()
    assert (data / "datasets" / "gemex.yaml").read_text(encoding="utf-8") != text


@pytest.mark.parametrize("name", ["datasets/gemex.yaml", "datasets/anew.yaml"])
def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(data: Path, name: str) -> None:
    known, _ = load(data, vocabulary.load())
    text = (data / "datasets" / "gemex.yaml").read_text(encoding="utf-8")
    text = text.replace("gemex", name.removeprefix("datasets/").removesuffix(".yaml"))
    (data / name).write_text(f"{text}\n# somebody else's", encoding="utf-8")
    with pytest.raises(ConflictError, match="meanwhile"):
        editing.write_records({name: text}, known)
    assert "somebody else's" in (data / name).read_text(encoding="utf-8")


def test_what_killed_writers_have_left_is_removed_and_nothing_else(data: Path) -> None:
    before = {path for path in data.rglob("*") if path.is_file()}
    (data / ".record-abc").mkdir()
    (data / ".record-abc" / "0").write_text("x")
    (data / "datasets" / ".record-def").write_text("x")
    assert len(editing.tidy()) == 2
    assert {path for path in data.rglob("*") if path.is_file()} == before
