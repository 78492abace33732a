"""The journal after its writers were stopped: what nobody was told of is taken back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from medbench_kg import journal
from medbench_kg.errors import StoreError
from medbench_kg.journal import Line

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(journal, "folder", lambda _: tmp_path)
    return tmp_path


def line(data: Path, before: str, after: str) -> Line:
    """A line about a file that has a content, so far as the disk knows."""
    (data / "a.yaml").write_text(before, encoding="utf-8")
    digests = [hashlib.sha256(text.encode()).hexdigest() for text in (before, after)]
    return Line(journal.now(), "ann", "", "urn:a", "a.yaml", *digests)


def test_a_torn_last_line_is_cut_off_and_told(data: Path) -> None:
    journal.add(line(data, "one", "two"))
    (data / "a.yaml").write_text("two", encoding="utf-8")
    whole = (data / "journal.jsonl").read_bytes()
    (data / "journal.jsonl").write_bytes(whole + whole[:30])
    assert len(journal.lines()) == 1
    (told,) = journal.repair()
    assert "torn" in told
    assert (data / "journal.jsonl").read_bytes() == whole
    assert journal.repair() == []


def test_a_write_that_never_came_to_be_is_taken_back(data: Path) -> None:
    journal.add(line(data, "one", "two"))
    (told,) = journal.repair()
    assert "took back" in told
    assert len((data / "journal.jsonl").read_bytes().splitlines()) == 2
    assert journal.lines() == []
    assert journal.repair() == []


@pytest.mark.parametrize("now", ["two", "changed by hand since"])
def test_a_write_that_came_to_be_stays(data: Path, now: str) -> None:
    journal.add(line(data, "one", "two"))
    (data / "a.yaml").write_text(now, encoding="utf-8")
    assert journal.repair() == []
    assert len(journal.lines()) == 1


def test_a_line_that_is_broken_is_named(data: Path) -> None:
    journal.add(line(data, "one", "two"))
    with (data / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.write("{}\n")
    with pytest.raises(StoreError, match="Line 2"):
        journal.lines()
