"""The questions of ``medbench add``, asked and answered on a real terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest
from click.testing import CliRunner

from medbench_kg.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Longest time that an answer may take, in seconds.
PATIENCE = 120


@pytest.fixture
def checkout(copied: Callable[[Path], Path], tmp_path: Path) -> Path:
    return copied(tmp_path / "checkout")


def started(checkout: Path, *words: str) -> pexpect.spawn:
    environ = {**os.environ, "PYTHONPATH": str(checkout / "src"), "TERM": "xterm"}
    arguments = ["-m", "medbench_kg", "add", *words]
    return pexpect.spawn(
        sys.executable,
        arguments,
        cwd=str(checkout),
        env=environ,
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=(50, 200),
    )


@pytest.mark.parametrize(
    ("lang", "answers", "page"),
    [
        (
            "en",
            {
                r"Name \(in English\):": "TerminalBench\r",
                r"Kind:": "Bench\t\r",
                r"Description \(in English\):": "Questions about CT images that were made up.\r",
                r"Description \(in Chinese\):": "关于虚构 CT 图像的问答。\r",
                r"Modalities:": "Computed t\t, Tex\t\r",
                r"Tasks:": "Visual questio\t\r",
                r"Source:": "https://example.org/terminalbench\r",
            },
            "Modalities: Computed tomography (CT); Text",
        ),
        (
            "zh",
            {
                r"名称 \(英文\):": "TerminalBench\r",
                r"类型:": "评测基\t\r",
                r"简介 \(英文\):": "Questions about CT images that were made up.\r",
                r"简介 \(中文\):": "关于虚构 CT 图像的问答。\r",
                r"数据模态:": "计算机断\t、文本\r",
                r"任务:": "视觉问答\r",
                r"来源:": "https://example.org/terminalbench\r",
            },
            "数据模态: 计算机断层扫描（CT）; 文本",
        ),
    ],
)
def test_questions_are_asked_in_the_readers_language_and_names_are_completed(
    checkout: Path, lang: str, answers: dict[str, str], page: str
) -> None:
    child = started(checkout, "--lang", lang)
    while answers:
        found = child.expect([*answers, r": +$"])
        prompt = [*answers, ""][found]
        child.send(answers.pop(prompt) if prompt else "\r")
    child.expect_exact("id: mbd:terminalbench")
    child.expect_exact(page)
    child.expect_exact("| TerminalBench |")
    child.expect_exact("| TerminalBench |")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    text = (checkout / "data" / "datasets" / "terminalbench.yaml").read_text(encoding="utf-8")
    assert "type: [Benchmark]" in text
    assert "modality: [ct, text]" in text
    assert "task: [visual-question-answering]" in text


def test_a_name_that_is_not_known_is_asked_for_again(checkout: Path, root: Path) -> None:
    card = root / "tests" / "fixtures" / "intake" / "card.md"
    child = started(checkout, "--lang", "en", "--from", str(card), "--type", "Benchmark")
    child.expect("Description .in English.:")
    child.send("\r")
    child.expect("Description .in Chinese.:")
    child.send("\r")
    child.expect("Modalities:")
    child.send("Compted tomography\r")
    child.expect_exact("“Compted tomography” isn't known. Did you mean: Computed tomography (CT)")
    child.expect("Modalities:")
    child.send("ct\r")
    child.expect("Tasks:")
    child.send("\r")
    child.expect_exact("| MadeUpBench |")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3  # a description is missing


def test_without_a_terminal_nothing_is_asked() -> None:
    result = CliRunner().invoke(main, ["add"])
    assert result.exit_code == 2
    assert "Give --from" in result.output
