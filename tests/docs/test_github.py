"""The forms and workflows of the repository: what they are made of, and what they may do.

``make generated`` writes the forms.
"""

from __future__ import annotations

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
