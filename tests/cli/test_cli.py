"""The command line as a user runs it: a process, its output and its exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rdflib import DCAT, RDF, SH, SKOS, Graph, URIRef

from medbench_kg.catalogue import catalogue
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore

ROOT = Path(__file__).resolve().parents[2]


def medbench(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "medbench_kg", *words],
        cwd=ROOT,
        env={**os.environ, "LC_ALL": "C.UTF-8", **environ},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A copy of a real record under another name, to break."""
    folder = tmp_path / "datasets"
    folder.mkdir()
    text = (ROOT / "data" / "datasets" / "gemex.yaml").read_text(encoding="utf-8")
    path = folder / "draft.yaml"
    path.write_text(text.replace("gemex", "draft").replace("mbr:gemex", "mbr:draft"))
    return path


def test_check_of_a_good_record_passes(draft: Path) -> None:
    result = medbench("check", str(draft))
    assert result.returncode == 0, result.stdout
    assert "0 violations" in result.stdout
    assert result.stderr == ""


def test_check_names_line_allowed_values_nearest_and_repair(draft: Path) -> None:
    text = draft.read_text(encoding="utf-8")
    draft.write_text(
        text.replace("modality: [text, chest-x-ray]", "modality: [text, chest x-ray image]"),
        encoding="utf-8",
    )
    line = next(n for n, t in enumerate(text.splitlines(), 1) if t.startswith("modality:"))
    result = medbench("check", str(draft), "--lang", "en")
    assert result.returncode == 3
    assert f"{draft}:{line}: violation [modality]" in result.stdout
    assert "did you mean “chest-x-ray”?" in result.stdout
    assert "Allowed: 3d-ct, 3d-image" in result.stdout
    assert "Repair: " in result.stdout


def test_check_speaks_the_language_of_the_locale(draft: Path) -> None:
    draft.write_text(draft.read_text(encoding="utf-8").replace("identifier: draft\n", ""))
    result = medbench("check", str(draft), LC_ALL="zh_CN.UTF-8")
    assert "违规" in result.stdout
    assert "修复：" in result.stdout


def test_check_of_broken_yaml_names_the_line(draft: Path) -> None:
    draft.write_text("id: mbd:draft\ntitle: {en: Draft\n", encoding="utf-8")
    result = medbench("check", str(draft))
    assert result.returncode == 2
    assert f"{draft}:" in result.stdout
    assert "isn't YAML" in result.stdout


#: Slips that leave no record: what is written, its line, and what is said of it.
UNREADABLE = [
    ("id: mbd:draft\ntitle: {en: Draft\n", 3, "缺少“,”或“}”"),
    ("id: mbd:draft\n\ttitle: x\n", 2, "制表符"),
    ("id: mbd:draft\nid: mbd:draft\n", 2, "键“id”在此出现两次"),
    ("id: mbd:other\n", 1, "该文件的 id 为“mbd:other”"),
    ("title: {en: Draft}\n", 1, "该文件没有 id"),
    ("id: mbd:draft\npage: [https://a b]\n", 2, "不能作为地址"),
    ("id: mbd:draft\nx: " + "[" * 100 + "]" * 100, 2, "嵌套过深"),
]


def test_check_says_in_both_languages_why_a_record_can_not_be_read(tmp_path: Path) -> None:
    paths = [tmp_path / str(n) / "datasets" / "draft.yaml" for n in range(len(UNREADABLE))]
    for path, (text, _, _) in zip(paths, UNREADABLE, strict=True):
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
    words = ("check", *map(str, paths))
    chinese = medbench(*words, "--lang", "zh")
    assert (chinese.returncode, chinese.stderr) == (2, "")
    said = json.loads(medbench(*words, "--format", "json").stdout)["unreadable"]
    for path, (_, line, what), one in zip(paths, UNREADABLE, said, strict=True):
        assert one["where"] == f"{path}:{line}"
        assert what in one["messages"]["zh"]
        assert f"{path}:{line}: 无法读取: {one['messages']['zh']}\n" in chinese.stdout
        assert f"    修复：{one['repairs']['zh']}\n" in chinese.stdout
        assert not re.search("[一-鿿]", one["messages"]["en"] + one["repairs"]["en"])


def test_a_value_that_rdf_can_not_hold_is_told_in_chinese(draft: Path) -> None:
    draft.write_text("id: mbd:draft\ntitle: {en: {a: b}}\n", encoding="utf-8")
    result = medbench("check", str(draft), "--lang", "zh")
    assert result.returncode == 2
    assert result.stderr.startswith(
        f"medbench: {draft}:1: 无法读取该 RDF：各语言下的值必须是文本。请"
    )


def test_errors_are_told_in_the_language_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "datasets" / "draft.yaml"
    path.parent.mkdir()
    path.write_text("id: mbd:draft\n# why\ntitle: {en: Draft}\n", encoding="utf-8")
    for words, environ in (
        (["--lang", "zh"], {}),
        ([], {"LC_ALL": "zh_CN.UTF-8"}),
        (["--lang", "zh"], {"LC_ALL": "en_GB.UTF-8"}),
    ):
        result = medbench("fmt", "--check", str(path), *words, **environ)
        assert result.returncode == 2
        assert result.stderr.startswith(f"medbench: {path}:2: 转为规范格式时会丢失注释。请")
    assert "没有文件" in medbench("add", "--from", str(tmp_path / "x"), "--lang", "zh").stderr
    english = medbench("fmt", str(path), "--lang", "en", LC_ALL="zh_CN.UTF-8").stderr
    assert "Comments get lost" in english


def test_check_formats_say_the_same(draft: Path) -> None:
    draft.write_text(draft.read_text(encoding="utf-8").replace("identifier: draft\n", ""))
    as_json = json.loads(medbench("check", str(draft), "--format", "json").stdout)
    violations = [f for f in as_json["findings"] if f["severity"] == "violation"]
    assert not as_json["conforms"]
    assert {f["key"] for f in violations} == {"identifier"}
    github = medbench("check", str(draft), "--format", "github").stdout
    assert github.count("::error file=") == len(violations)
    report = Graph().parse(data=medbench("check", str(draft), "--format", "turtle").stdout)
    severities = [str(s) for s in report.objects(None, SH.resultSeverity)]
    assert severities.count(str(SH.Violation)) == len(violations)
    assert (None, RDF.type, SH.ValidationReport) in report


def test_a_typo_in_a_key_is_found_and_the_key_is_named(draft: Path) -> None:
    draft.write_text(draft.read_text(encoding="utf-8").replace("modality:", "modalty:", 1))
    result = medbench("check", str(draft), "--lang", "en")
    assert result.returncode == 3
    assert "[modalty]" in result.stdout
    assert "did you mean “modality”?" in result.stdout


def test_query_lists_all_canned_queries() -> None:
    listed = medbench("query").stdout
    assert [q.name for q in catalogue() if q.name not in listed] == []


def test_query_answers_in_several_formats(built: tuple[LocalStore, Manifest]) -> None:
    assert built
    words = ("query", "datasets-by-modality", "--modality", "ct", "--format")
    rows = list(csv.DictReader(io.StringIO(medbench(*words, "csv").stdout)))
    bindings = json.loads(medbench(*words, "json").stdout)["results"]["bindings"]
    assert len(rows) == len(bindings) > 5
    table = medbench(*words, "table").stdout.splitlines()
    assert len(table) == len(rows) + 2
    assert table[0].split() == ["dataset", "title", "modality", "via"]


def test_query_explains_a_wrong_value(built: tuple[LocalStore, Manifest]) -> None:
    assert built
    result = medbench("query", "datasets-by-modality", "--modality", "ctt")
    assert (result.returncode, result.stdout) == (2, "")
    assert "Did you mean “ct”?" in result.stderr


def test_sparql_declares_the_prefixes_of_the_graph(built: tuple[LocalStore, Manifest]) -> None:
    assert built
    result = medbench("sparql", "ASK { mbd:gemex a mb:Benchmark }", "--format", "json")
    assert json.loads(result.stdout)["boolean"] is True


def test_export_writes_the_dump(tmp_path: Path, built: tuple[LocalStore, Manifest]) -> None:
    target = tmp_path / "out.nt"
    result = medbench("export", "--format", "ntriples", "-o", str(target))
    assert result.returncode == 0
    assert target.read_bytes().count(b"\n") == built[1].triples


def test_export_to_a_pipe_is_nothing_but_the_data(built: tuple[LocalStore, Manifest]) -> None:
    result = medbench("export", "--format", "ntriples")
    assert result.stdout.count("\n") == built[1].triples
    assert result.stderr == ""


def test_export_writes_a_part_or_a_concept_with_its_datasets(
    built: tuple[LocalStore, Manifest],
) -> None:
    parts = [medbench("export", "--format", "nt", "--part", part) for part in ("schema", "data")]
    assert sum(part.stdout.count("\n") for part in parts) == built[1].triples
    bundle = Graph().parse(data=medbench("export", "--bundle", "modality/ct").stdout)
    assert (URIRef(f"{BASE}modality/ct"), RDF.type, SKOS.Concept) in bundle
    assert (URIRef(f"{BASE}dataset/abdomenatlas-3-0"), RDF.type, DCAT.Dataset) in bundle


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--part", "data", "--format", "nquads"), "There is no format “nquads”"),
        (("--bundle", "modality/cd"), "There is no concept"),
        (("--bundle", "modality/ct", "--part", "data"), "Choose one"),
    ],
)
def test_export_explains_what_it_can_t_write(
    built: tuple[LocalStore, Manifest], words: tuple[str, ...], said: str
) -> None:
    assert built
    result = medbench("export", *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr


def test_fmt_finds_and_repairs_what_is_not_canonical(draft: Path) -> None:
    canonical = draft.read_text(encoding="utf-8")
    draft.write_text(canonical.replace("title: {en: GEMeX}", "title:\n    en:   GEMeX"))
    assert medbench("fmt", "--check", str(draft)).returncode == 1
    assert medbench("fmt", str(draft)).returncode == 0
    assert draft.read_text(encoding="utf-8") == canonical


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"{a: " * 100_000 + b"x" + b"}" * 100_000,
        "id: mbd:draft\n".encode("utf-16"),
        b"id: mbd:draft\ntitle: {en: &a x, zh: *a}\n",
        b"id: mbd:draft\ntitle: !!python/object/apply:os.system ['true']\n",
    ],
    ids=["deep", "deep and closed", "UTF-16", "alias", "object of Python"],
)
def test_hostile_yaml_is_refused_with_its_line_by_every_command(
    draft: Path, content: bytes
) -> None:
    draft.write_bytes(content)
    fmt, check = medbench("fmt", str(draft)), medbench("check", str(draft))
    assert (fmt.returncode, check.returncode) == (2, 2)
    assert f"{draft}:" in fmt.stderr
    assert f"{draft}:" in check.stdout
    assert "Traceback" not in fmt.stderr + check.stderr
    assert draft.read_bytes() == content


def test_settings_lists_every_variable() -> None:
    listed = medbench("settings").stdout
    assert "MEDBENCH_HOST" in listed
    assert "127.0.0.1" in listed


def test_a_bad_port_is_refused_with_the_range() -> None:
    result = medbench("serve", MEDBENCH_PORT="99999")
    assert result.returncode == 2
    assert "0 to 65535" in result.stderr


def test_a_build_with_a_violation_writes_nothing(tmp_path: Path) -> None:
    for name in ("data", "ontology", "shapes", "src"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    record = tmp_path / "data" / "datasets" / "gemex.yaml"
    record.write_text(record.read_text(encoding="utf-8").replace("identifier: gemex\n", ""))
    result = subprocess.run(
        [sys.executable, "-m", "medbench_kg", "build"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 3
    assert "medbench check" in result.stderr
    assert not (tmp_path / "build").exists()
