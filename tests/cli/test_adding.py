"""New records on the command line."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from medbench_kg import editing, pipeline
from medbench_kg.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Path:
    """A copy of ``data/`` that a command may write into."""
    shutil.copytree(root / "data", tmp_path / "data")
    for module in (editing, pipeline):
        monkeypatch.setattr(
            module, "folder", lambda name: tmp_path / name if name == "data" else root / name
        )
    return tmp_path / "data"


def test_a_card_becomes_a_record_with_its_rows_and_what_is_missing(data: Path, root: Path) -> None:
    card = root / "tests" / "fixtures" / "intake" / "card.md"
    words = ["add", "--from", str(card), "--lang", "zh", "--type", "SourceDataset"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert "| MadeUpBench |" in result.output
    assert "违规 0 处" in result.output
    assert "status: proposed" in (data / "datasets" / "madeupbench.yaml").read_text("utf-8")


def test_what_is_no_file_and_no_address_is_refused() -> None:
    result = CliRunner().invoke(main, ["add", "--from", "nothing.bib"])
    assert result.exit_code == 2
    assert "There is no file “nothing.bib”" in result.output
