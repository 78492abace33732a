"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "medbench_kg"
MODULES = sorted(SOURCE.rglob("*.py"))
SPARQL = re.compile(
    r"\b(SELECT|CONSTRUCT|ASK|INSERT|DELETE)\b[^.]*[{]|^\s*PREFIX \w*:", re.MULTILINE
)
HTML = re.compile(r"<(a|p|div|span|table|html|h1|ul|li|form)\b[^>]*>")
EDGES = {"pipeline", "builds", "editing", "records", "assets", "vocabulary", "graph", "journal"} | {
    "settings",
    "nursery",
    "gate",
}


def strings(module: Path) -> list[str]:
    """String constants of a module that aren't docstrings."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_sparql_and_no_html_in_python(module: Path) -> None:
    found = [text for text in strings(module) if HTML.search(text)]
    if module.stem != "questions":  # writes PREFIX lines before the user's own query
        found += [text for text in strings(module) if SPARQL.search(text)]
    assert found == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_modules_are_no_longer_than_one_idea(module: Path) -> None:
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_only_the_edges_touch_disk_and_environment(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    touched = re.findall(r"\.(?:read_text|read_bytes|write_text|write_bytes)\(|os\.environ", text)
    packaged = len(re.findall(r"template\.read_text|f\.read_text|package\.read_text", text))
    is_edge = module.stem in EDGES or module.parent.name in {"cli", "web"}
    assert is_edge or len(touched) <= packaged


def test_no_template_goes_without_escaping() -> None:
    templates = (SOURCE / "web" / "templates").glob("*")
    escaped_or_plain = {".html", ".svg", ".xml", ".txt"}
    assert all(path.suffix in escaped_or_plain for path in templates)
    text = "".join(path.read_text(encoding="utf-8") for path in MODULES)
    assert "|safe" not in text
    assert "Markup(" not in text


def test_no_unfinished_marks_and_no_vague_modules() -> None:
    vague = {"utils", "common", "misc", "helpers", "manager"}
    assert [path for path in MODULES if path.stem in vague] == []
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [path for path in MODULES if marks.search(path.read_text(encoding="utf-8"))] == []
