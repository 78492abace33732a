"""README says what is: commands, settings, questions and files, in both languages.

``make generated`` writes the blocks between the markers.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import report
from cffconvert import Citation

from medbench_kg import upstream
from medbench_kg.catalogue import ask, catalogue
from medbench_kg.cli import main
from medbench_kg.negotiation import by_name
from medbench_kg.recipes import recipes
from medbench_kg.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from medbench_kg.builds import Manifest
    from medbench_kg.pipeline import Assembled
    from medbench_kg.store import LocalStore

DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "data/README.md",
    "ontology/README.md",
    "shapes/README.md",
    "docs/endpoint.md",
    "docs/scale.md",
    "docs/deploy/README.md",
)


def questions(assembled: Assembled) -> str:
    lines = ["| query | question · 问题 | parameters | rows |", "|---|---|---|---|"]
    for query in catalogue():
        body, _ = ask(assembled.store, query, {}, lambda _kind: by_name("tsv"))
        parameters = ", ".join(f"`{p.name}`" for p in query.parameters)
        rows = body.count(b"\n") - 1
        text = f"{query.question['en']}<br>{query.question['zh']}"
        lines.append(f"| `{query.name}` | {text} | {parameters} | {rows} |")
    return "\n".join(lines)


def settings() -> str:
    lines = ["| variable | default | unit | meaning · 含义 |", "|---|---|---|---|"]
    lines += [
        f"| `{s.variable}` | {s.default and f'`{s.default}`'} | {s.unit} "
        f"| {s.help_en}<br>{s.help_zh} |"
        for s in SETTINGS
    ]
    return "\n".join(lines)


def test_the_line_that_the_server_prints_is_shown_as_it_is(
    root: Path, built: tuple[LocalStore, Manifest], request: pytest.FixtureRequest
) -> None:
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    line = f"{built[1].triples} triples · 59 datasets · {len(catalogue())} canned queries"
    fresh = re.sub(r"\d+ triples · \d+ datasets · \d+ canned queries", line, text)
    if request.config.getoption("--write-expected"):
        readme.write_text(fresh, encoding="utf-8")
    assert line in readme.read_text(encoding="utf-8"), "run “make generated”"


def tools() -> str:
    return "\n\n".join(
        f"**{recipe.title['en']}** · {recipe.title['zh']} (`{recipe.needs['en']}`)\n\n"
        f"```{recipe.kind.lower()}\n{recipe.text}```"
        for recipe in recipes()
    )


def speed() -> str:
    measured = Path(report.__file__).parent / "results.json"
    return report.summary(json.loads(measured.read_text(encoding="utf-8")))


BLOCKS: dict[str, Callable[[Assembled], str]] = {
    "queries": questions,
    "settings": lambda _: settings(),
    "recipes": lambda _: tools(),
    "speed": lambda _: speed(),
    "newest-en": lambda assembled: upstream.table(assembled, "en", corrected=True, newest=10),
    "newest-zh": lambda assembled: upstream.table(assembled, "zh", corrected=True, newest=10),
}


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_a_generated_block_is_fresh(
    name: str, root: Path, assembled: Assembled, request: pytest.FixtureRequest
) -> None:
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    block = BLOCKS[name](assembled).rstrip()
    pattern = re.compile(rf"(<!-- {name}:begin [^>]*-->\n).*?(<!-- {name}:end -->)", re.DOTALL)
    fresh = pattern.sub(lambda m: f"{m[1]}{block}\n{m[2]}", text)
    assert pattern.search(text), f"README has no block “{name}”"
    if request.config.getoption("--write-expected"):
        readme.write_text(fresh, encoding="utf-8")
    else:
        assert text == fresh, "run “make generated”"


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_is_in_the_readme_and_has_help(name: str, root: Path) -> None:
    assert f"medbench {name}" in (root / "README.md").read_text(encoding="utf-8")
    assert main.commands[name].help


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_to_files_lead_somewhere(document: str, root: Path) -> None:
    path = root / document
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_speak_both_languages(document: str, root: Path) -> None:
    text = (root / document).read_text(encoding="utf-8")
    assert len(re.findall(r"[一-鿿]", text)) > 200
    assert len(re.findall(r"[a-z]{3,}", text)) > 200


def test_the_changelog_names_the_version(root: Path) -> None:
    version = re.search(r'^version = "(.+)"', (root / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert version[1] in (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert version[1] in (root / "CITATION.cff").read_text(encoding="utf-8")


def test_the_citation_file_conforms_to_its_schema(root: Path) -> None:
    citation = Citation((root / "CITATION.cff").read_text(encoding="utf-8"))
    citation.validate()
    assert "title = {medbench-kg: a knowledge graph" in citation.as_bibtex()
