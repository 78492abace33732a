"""The workflow that answers issues: its steps are run here as a runner does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def checkout(copied: Callable[[Path], Path], tmp_path: Path) -> Path:
    """A copy of the repository, with a ``gh`` that keeps what it is told."""
    root = copied(tmp_path / "checkout")
    program = tmp_path / "bin" / "gh"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > gh.txt\n', encoding="utf-8")
    program.chmod(0o755)
    return root


def run_issue(root: Path, checkout: Path, body: str) -> list[int]:
    """Run the steps of the workflow on an issue, as a runner does; give their exit codes."""
    environ = {
        **os.environ,
        "PATH": f"{checkout.parent / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(checkout / "src"),
        "LC_ALL": "C.UTF-8",
        "BODY": body,
        "NUMBER": "7",
        "GH_TOKEN": "none",
        "GITHUB_REPOSITORY": "example/kg",
    }
    text = (root / ".github" / "workflows" / "issue.yml").read_text(encoding="utf-8")
    (job,) = yaml.safe_load(text)["jobs"].values()
    return [
        subprocess.run(
            ["bash", "-eo", "pipefail", "-c", step["run"]], cwd=checkout, env=environ, check=False
        ).returncode
        for step in job["steps"]
        if "run" in step and "pip install" not in step["run"]
    ]


def test_an_issue_becomes_a_record_and_gets_an_answer(root: Path, checkout: Path) -> None:
    body = (root / "tests" / "fixtures" / "intake" / "issue.md").read_text(encoding="utf-8")
    assert run_issue(root, checkout, body) == [0, 0, 0]
    record = (checkout / "data" / "datasets" / "madeupbench.yaml").read_text(encoding="utf-8")
    assert "modality: [ct, text]" in record
    assert "status: proposed" in record
    assert "paper: [arxiv-2601.00043]" in record
    assert (checkout / "data" / "papers" / "arxiv-2601.00043.yaml").exists()
    answer = (checkout / "reply.md").read_text(encoding="utf-8")
    assert "conforms" in answer
    assert record.strip() in answer
    assert "| MadeUpBench | [MadeUpBench: Questions That Nobody Asked](" in answer
    told = (checkout / "gh.txt").read_text(encoding="utf-8").split()
    assert told[:3] == ["issue", "comment", "7"]
    assert "reply.md" in told


HOSTILE = (
    "### Name · 名称 (English · 英文)\n\n$(touch owned) `touch owned` '; touch owned #\n"
    "```\n@everyone <script>\n\n### Issued · 发布日期\n\n${{ secrets.X }}\n"
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (HOSTILE, "“issued” isn't a date"),
        ("touch owned", "It isn't known what this is"),
        ("### Something else\n\ntext", "no field of a form"),
        ("### Record · 记录\n\n```yaml\nid: mbr:../../x\n```\n", "can't be the id of a record"),
        ("### Dataset · 数据集\n\nGEMeX\n", "isn't filled in"),
    ],
)
def test_a_hostile_or_unfinished_issue_is_answered_and_runs_nothing(
    root: Path, checkout: Path, body: str, said: str
) -> None:
    before = {path.name for path in checkout.iterdir()}
    saved, made, answered = run_issue(root, checkout, body)
    assert (saved, answered) == (0, 0)
    assert made in {2, 3}
    assert {path.name for path in checkout.iterdir()} - before == {"issue.md", "reply.md", "gh.txt"}
    answer = (checkout / "reply.md").read_text(encoding="utf-8")
    assert said in answer
    outside = re.sub(r"^(`{3,}).*?^\1$", "", answer, flags=re.DOTALL | re.MULTILINE)
    assert "@everyone" not in outside
    assert "<script>" not in outside


def test_a_wrong_fact_becomes_a_changed_record(root: Path, checkout: Path) -> None:
    body = (
        "### Dataset · 数据集\r\n\r\nGEMeX\r\n\r\n"
        "### What is wrong or missing · 错误或缺失的内容\r\n\r\n"
        "What is in it: Modalities · 包含什么: 数据模态\r\n\r\n"
        "### What is right · 正确内容\r\n\r\nChest X-ray, 文本\r\n\r\n"
        "### Source that states it · 能证明这一点的来源\r\n\r\nhttps://example.org/paper\r\n\r\n"
        "### Record · 记录\r\n\r\n_No response_\r\n"
    )
    assert run_issue(root, checkout, body) == [0, 0, 0]
    record = (checkout / "data" / "datasets" / "gemex.yaml").read_text(encoding="utf-8")
    assert "modality: [chest-x-ray, text]" in record
    assert "https://example.org/paper" in record
