"""The forms and workflows of the repository: forms are made of the schemes, steps do what they say.

``make generated`` writes the forms.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from medbench_kg.form import form
from medbench_kg.intake import issue_forms

if TYPE_CHECKING:
    from collections.abc import Callable

    from medbench_kg.pipeline import Assembled

FORMS = ("new-dataset.yml", "wrong-fact.yml")


def workflow(root: Path, name: str) -> Any:  # noqa: ANN401  YAML
    return yaml.safe_load((root / ".github" / "workflows" / name).read_text(encoding="utf-8"))


def steps(document: Any) -> list[Any]:  # noqa: ANN401  YAML
    return [step for job in document["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("name", FORMS)
def test_the_forms_are_those_that_the_schemes_make(
    assembled: Assembled, root: Path, name: str, request: pytest.FixtureRequest
) -> None:
    path = root / ".github" / "ISSUE_TEMPLATE" / name
    written = issue_forms(form(assembled.store))[name]
    if request.config.getoption("--write-expected"):
        path.write_text(written, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == written


@pytest.mark.parametrize("name", FORMS)
def test_the_forms_keep_to_the_schema_of_github(root: Path, name: str) -> None:
    document = yaml.safe_load((root / ".github" / "ISSUE_TEMPLATE" / name).read_text("utf-8"))
    elements = [one for one in document["body"] if one["type"] != "markdown"]
    ids = [one["id"] for one in elements]
    labels = [one["attributes"]["label"] for one in elements]
    assert len(set(ids)) == len(ids)
    assert len(set(labels)) == len(labels)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", one) for one in ids)
    for one in elements:
        assert one["type"] in {"input", "textarea", "dropdown"}
        options = one["attributes"].get("options", [])
        assert len(set(options)) == len(options)
        assert not any(", " in option or option == "None" for option in options)


@pytest.mark.parametrize("name", ["issue.yml", "ci.yml"])
def test_what_strangers_write_never_becomes_part_of_a_command(root: Path, name: str) -> None:
    document = workflow(root, name)
    assert document["permissions"]["contents"] == "read"
    assert not [step["run"] for step in steps(document) if "${{" in step.get("run", "")]
    checkouts = [one for one in steps(document) if "checkout" in one.get("uses", "")]
    assert all(one["with"]["persist-credentials"] is False for one in checkouts)


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
    return [
        subprocess.run(
            ["bash", "-eo", "pipefail", "-c", step["run"]], cwd=checkout, env=environ, check=False
        ).returncode
        for step in steps(workflow(root, "issue.yml"))
        if "run" in step and "pip install" not in step["run"]
    ]


def test_an_issue_becomes_a_record_and_gets_an_answer(root: Path, checkout: Path) -> None:
    body = (root / "tests" / "fixtures" / "intake" / "issue.md").read_text(encoding="utf-8")
    assert run_issue(root, checkout, body) == [0, 0, 0]
    record = (checkout / "data" / "datasets" / "madeupbench.yaml").read_text(encoding="utf-8")
    assert "modality: [ct, text]" in record
    assert "status: proposed" in record
    answer = (checkout / "reply.md").read_text(encoding="utf-8")
    assert "conforms" in answer
    assert record.strip() in answer
    assert "| MadeUpBench |" in answer
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


def test_the_checks_of_a_pull_request_are_commands_of_the_repository(root: Path) -> None:
    commands = [step["run"] for step in steps(workflow(root, "ci.yml")) if "run" in step]
    assert any("make test" in command or ".ci/run" in command for command in commands)
    check = next(one for one in commands if "medbench check" in one)
    assert "--format github" in check
    program = shutil.which("medbench", path=str(Path(sys.executable).parent))
    assert program
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", check.replace(".venv/bin/medbench", program)],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
