"""The upstream list on the command line: reading it, writing what it states, writing it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "2a9a31f1b47b1a4f287f5bb328bbd744c340054e"
NEW_ROW = (
    "| NewBench | [NewBench: A Test of Things](https://arxiv.org/abs/2602.01234v2) | 2026.02.03 "
    "(MICCAI 2026) | Image (CT) & Text | VQA | ~12.5K QA pairs from 3 datasets; 7 gizmos "
    "| [HF](https://huggingface.co/datasets/a/newbench) |"
)


@pytest.fixture
def project(tmp_path: Path, upstream_list: Path) -> Path:
    """A copy of the project that a test may write into."""
    for name in ("data", "ontology", "shapes", "src"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(upstream_list, tmp_path / "list.md")
    return tmp_path


def medbench(
    *words: str, at: Path = ROOT, lang: str = "C.UTF-8"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "medbench_kg", *words],
        cwd=at,
        env={**os.environ, "LC_ALL": lang, "PYTHONPATH": str(at / "src")},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def with_new_row(document: Path) -> None:
    lines = document.read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("| Multi-RADS"))
    document.write_text("\n".join([*lines[:at], NEW_ROW, *lines[at:]]), encoding="utf-8")


def test_import_says_that_nothing_is_to_do_in_the_language_of_the_user(
    upstream_list: Path,
) -> None:
    assert "Nothing to do" in medbench("import", str(upstream_list)).stdout
    assert "无需处理" in medbench("import", str(upstream_list), lang="zh_CN.UTF-8").stdout
    assert "无需处理" in medbench("import", str(upstream_list), "--lang", "zh").stdout


def test_import_as_json_holds_the_issues_with_their_lines(upstream_list: Path) -> None:
    document = json.loads(medbench("import", str(upstream_list), "--format", "json").stdout)
    assert document["changes"] == []
    assert {issue["line"] for issue in document["issues"]} == {78, 112, 163, 197, 218}


def test_writing_the_commit_that_the_graph_holds_changes_no_byte(project: Path) -> None:
    before = contents(project / "data")
    result = medbench(
        "import", "list.md", "--write", "--commit", COMMIT, "--committed", "2026-01-21", at=project
    )
    assert (result.returncode, result.stderr) == (0, "Wrote 0 files.\n")
    assert contents(project / "data") == before


def test_writing_a_new_row_drafts_records_and_names_what_is_missing(project: Path) -> None:
    with_new_row(project / "list.md")
    result = medbench(
        "import",
        "list.md",
        "--write",
        "--commit",
        "1" * 40,
        "--committed",
        "2026-02-05",
        at=project,
    )
    assert result.returncode == 3, result.stderr
    assert "The venue “MICCAI 2026” isn't in data/venues/" in result.stdout
    assert "It isn't clear what 7 counts" in result.stdout
    assert "data/datasets/newbench.yaml:2: violation [type]" in result.stdout
    assert "data/papers/arxiv-2602.01234.yaml:2: violation [type]" in result.stdout
    assert "data/listings" not in result.stdout
    draft = (project / "data/datasets/newbench.yaml").read_text(encoding="utf-8")
    assert "TODO" not in draft
    assert "status: proposed" in draft
    upstream = (project / "data/lists/med-vlm-bench.yaml").read_text(encoding="utf-8")
    assert f"commit: '{'1' * 40}'" in upstream
    assert "modified: '2026-02-05'" in upstream
    assert medbench("fmt", "--check", at=project).returncode == 0
    assert "Nothing to do" in medbench("import", "list.md", at=project).stdout


def committed(project: Path) -> str:
    """Put a project under git; return the id of its only commit."""

    def git(*words: str) -> str:
        identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        return subprocess.run(
            ["git", *identity, *words], cwd=project, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "all")
    return git("rev-parse", "HEAD")


def test_import_reads_the_commit_from_git_where_git_knows_it(project: Path) -> None:
    commit = committed(project)
    (project / "list.md").write_text("no list any more", encoding="utf-8")
    result = medbench("import", "list.md", "--commit", commit, at=project)
    assert "Nothing to do" in result.stdout


@pytest.mark.parametrize(
    ("words", "english", "chinese"),
    [
        (["--commit", "abc"], "40 hexadecimal digits", "40 位十六进制"),
        (["--write"], "needs “--commit”", "需要“--commit”"),
        (["--write", "--commit", COMMIT], "give “--committed”", "请用“--committed”"),
    ],
    ids=["short commit", "no commit", "no day"],
)
def test_a_wrong_call_of_import_is_explained_in_both_languages(
    words: list[str], english: str, chinese: str, upstream_list: Path
) -> None:
    for lang, text in (("en", english), ("zh", chinese)):
        result = medbench("import", str(upstream_list), "--lang", lang, *words)
        assert result.returncode == 2
        assert text in result.stderr


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.md"
    path.write_bytes(b"\xff\xfe\x00")
    result = medbench("import", str(path), "--lang", "en")
    assert (result.returncode, result.stdout) == (2, "")
    assert "isn't UTF-8" in result.stderr


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_render_writes_the_table_of_a_language(lang: str) -> None:
    lines = medbench("render", "readme", "--lang", lang).stdout.splitlines()
    assert len(lines) == 61
    assert medbench("render", "readme", lang=f"{lang}_XX.UTF-8").stdout.splitlines() == lines


def test_render_shows_what_the_graph_holds_to_be_right() -> None:
    listed = medbench("render", "readme", "--lang", "en").stdout
    corrected = medbench("render", "readme", "--lang", "en", "--corrected").stdout
    assert "| VQARad | - | 2023.08.07 |" in listed
    assert "| VQA-RAD | [A dataset of clinically generated" in corrected
    assert "HuatuoGPT-Visionn" in listed
    assert "HuatuoGPT-Visionn" not in corrected


def test_a_patch_of_the_list_can_be_taken_and_leaves_nothing_to_say(
    tmp_path: Path, upstream_list: Path
) -> None:
    document = tmp_path / "README.md"
    shutil.copy(upstream_list, document)
    patch = medbench("render", "readme", "--diff", str(document)).stdout
    subprocess.run(
        ["git", "apply"], input=patch, encoding="utf-8", cwd=tmp_path, check=True, timeout=20
    )
    text = document.read_text(encoding="utf-8")
    assert "| VQA-RAD | [A dataset of clinically generated" in text
    assert "| EMNLP 2025 | Text (Abstracts/Notes)" in text
    assert "315 images; 3,515 question-answer pairs" in text, "this correction isn't confirmed"
    assert medbench("render", "readme", "--diff", str(document)).stdout == ""
    told = json.loads(medbench("import", str(document), "--format", "json").stdout)
    assert {change["kind"] for change in told["changes"]} == {"renamed", "changed"}


def test_diff_shows_the_triples_and_rows_that_a_change_brings(project: Path) -> None:
    commit = committed(project)
    same = medbench("diff", "HEAD", at=project)
    assert same.stdout == (
        "# 0 triples removed, 0 added\n# 0 rows of the list removed, 0 added\n"
    ), same.stderr
    record = project / "data" / "listings" / "pmc-vqa.yaml"
    text = record.read_text(encoding="utf-8")
    record.write_text(text.replace("value: '226946'", "value: '226947'", 1), encoding="utf-8")
    told = medbench("diff", commit, "--lang", "zh", at=project).stdout.splitlines()
    assert told[0] == "# 删除 1 条三元组，新增 1 条"
    assert [line[0] for line in told[1:3]] == ["-", "+"]
    assert "226946" in told[1]
    assert "226947" in told[2]
    assert told[3] == "# 列表删除 1 行，新增 1 行"
    assert "| 226,947 question-answer pairs |" in told[5]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_curator_adds_a_dataset_from_its_card_and_sees_what_that_changes(
    project: Path, lang: str
) -> None:
    committed(project)
    card = str(ROOT / "tests" / "fixtures" / "intake" / "card.md")
    words = ["add", "--from", card, "--type", "SourceDataset", "--lang", lang]
    added = medbench(*words, at=project)
    assert added.returncode == 0, added.stderr
    assert added.stdout.count("| MadeUpBench |") == 2
    record = "data/datasets/madeupbench.yaml"
    checked = medbench("check", record, "--lang", lang, at=project)
    assert checked.returncode == 0, checked.stdout
    assert {"en": "0 violations", "zh": "违规 0 处"}[lang] in checked.stdout
    assert medbench("fmt", "--check", record, at=project).returncode == 0
    told = medbench("diff", "HEAD", "--lang", lang, at=project).stdout
    assert "<https://w3id.org/medbench-kg/dataset/madeupbench>" in told
    assert medbench(*words, at=project).returncode == 2


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD:data"])
def test_diff_with_an_unknown_revision_is_refused(revision: str, project: Path) -> None:
    committed(project)
    result = medbench("diff", "--", revision, at=project)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"Git knows no revision “{revision}”" in result.stderr
    assert not (project / "x").exists()


def test_a_listing_that_is_broken_is_named(project: Path) -> None:
    record = project / "data" / "listings" / "pmc-vqa.yaml"
    text = record.read_text(encoding="utf-8")
    record.write_text(text.replace("nameText", "nameTxt"), encoding="utf-8")
    result = medbench("import", "list.md", at=project)
    assert result.returncode == 2
    assert "data/listings/pmc-vqa.yaml:1: The listing can't be read" in result.stderr
