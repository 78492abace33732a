"""The list against the graph: every kind of change is told, and nothing when there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from medbench_kg import RecordError, editing, upstream
from medbench_kg.assets import folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from medbench_kg.pipeline import Assembled
    from medbench_kg.upstream import Change

    Read = Callable[[list[str]], list[Change]]

ENGLISH = slice(75, 134)
CHINESE = slice(160, 219)


@pytest.fixture(scope="module")
def lines(upstream_list: Path) -> list[str]:
    return upstream_list.read_text(encoding="utf-8").splitlines()


@pytest.fixture
def changes(assembled: Assembled) -> Read:
    return lambda lines: list(upstream.read(assembled, "\n".join(lines)).comparison.changes)


def edited(lines: list[str], old: str, new: str) -> list[str]:
    assert sum(line.count(old) for line in lines) == 1, old
    return [line.replace(old, new) for line in lines]


def test_nothing_is_to_do_for_the_list_as_it_was_taken(changes: Read, lines: list[str]) -> None:
    assert changes(lines) == []


def test_the_order_of_rows_does_not_matter(changes: Read, lines: list[str]) -> None:
    swapped = [*lines[:75], *reversed(lines[ENGLISH]), *lines[134:]]
    assert changes(swapped) == []


def test_the_order_of_tables_does_not_matter(changes: Read, lines: list[str]) -> None:
    english, chinese = lines[73:134], lines[158:219]
    assert changes([*chinese, "", "words", "", *english]) == []


def test_a_row_of_one_table_can_be_missing(changes: Read, lines: list[str]) -> None:
    (gone,) = changes([*lines[:75], *lines[76:]])
    assert (gone.kind, gone.slug, gone.lang) == ("removed", "multi-rads", "en")


def test_a_renamed_row_is_known_by_its_links(changes: Read, lines: list[str]) -> None:
    told = changes(
        edited(
            lines,
            "| VQARad | - | 2023.08.07 | Radiography",
            "| VQA-RAD | - | 2023.08.07 | Radiography",
        )
    )
    assert [(c.kind, c.slug, c.old, c.new) for c in told] == [
        ("renamed", "vqa-rad", "VQARad", "VQA-RAD"),
        ("agreement", "vqa-rad", "VQA-RAD", "VQARad"),
    ]


def test_a_changed_size_is_told_with_both_values(changes: Read, lines: list[str]) -> None:
    told = changes(edited(lines, "226,946 question", "226,947 question"))
    assert [(c.kind, c.slug, c.lang, c.field, c.old, c.new) for c in told] == [
        (
            "changed",
            "pmc-vqa",
            "en",
            "size",
            "226,946 question-answer pairs",
            "226,947 question-answer pairs",
        ),
        ("agreement", "pmc-vqa", "zh", "size", "226,947 question-answer pairs", "226,946 问答对"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("BIBM2025 | Text (D", "2026 | Text (D", "date-venue"),
        ("Medication Safety QA", "VQA", "task"),
        ("Text (Dialogue & MCQ)", "Image", "modality"),
        ("Benchmark for Patient-Contextual", "Test for Patient-Contextual", "paper-title"),
        ("[GitHub](https://github.com/YXNTU/EHR", "[x](https://osf.io/EHR", "download-link"),
        ("https://arxiv.org/pdf/2511.08206", "https://arxiv.org/pdf/2511.08207", "paper-link"),
    ],
)
def test_a_changed_cell_is_told_with_its_column(
    old: str, new: str, field: str, changes: Read, lines: list[str]
) -> None:
    text = "\n".join(lines)
    assert old in text
    told = changes(text.replace(old, new, 1).split("\n"))
    assert {c.field for c in told if c.kind == "changed"} == {field}


def test_a_name_that_passes_to_another_dataset_makes_a_new_row(
    changes: Read, lines: list[str]
) -> None:
    other = (
        "| SemBench | [Quite another paper](https://arxiv.org/pdf/2602.00001) | 2026.02 | Text "
        "| Medical QA | 5 questions | [GitHub](https://github.com/other/one) |"
    )
    at = next(n for n, line in enumerate(lines) if line.startswith("| SemBench"))
    told = changes([*lines[:at], other, *lines[at + 1 :]])
    assert [(c.kind, c.slug, c.old) for c in told] == [
        ("new", "", "sembench"),
        ("removed", "sembench", ""),
    ]


def test_a_new_row_is_joined_with_its_translation(assembled: Assembled, lines: list[str]) -> None:
    english = (
        "| New | [New: A Benchmark of Everything](https://arxiv.org/pdf/2602.00001v2) | 2026.02 "
        "| Text | Medical QA | 5 questions | [GitHub](https://github.com/other/one) |"
    )
    chinese = (
        "| 新 | [New: A Benchmark...](https://arxiv.org/abs/2602.00001) | 2026.02 "
        "| 文本 | 医学问答 | 5 题目 | [GitHub](https://github.com/other/one) |"
    )
    text = "\n".join([*lines[:75], english, *lines[75:160], chinese, *lines[160:]])
    comparison = upstream.read(assembled, text).comparison
    assert [sorted(pair) for pair in comparison.new] == [["en", "zh"]]
    assert [c.kind for c in comparison.changes] == ["new", "new", "agreement"]


def test_text_and_json_tell_the_same(assembled: Assembled, lines: list[str]) -> None:
    outcome = upstream.read(
        assembled, "\n".join(edited(lines, "226,946 question", "226,947 question"))
    )
    changes, issues = outcome.comparison.changes, outcome.issues
    document = json.loads(upstream.as_json(changes, issues))
    assert len(document["changes"]) == len(changes) == 2
    for lang in ("en", "zh"):
        text = upstream.as_text(changes, issues, lang, "list.md")
        assert text.count("226,947") == 2
        assert all(issue["message"][lang] in text for issue in document["issues"])


def test_records_are_written_all_or_none() -> None:
    before = sorted(folder("data").rglob("*"))
    with pytest.raises(RecordError):
        editing.write_records(
            {"datasets/one-more.yaml": "id: mbd:one-more\n", "papers/bad.yaml": "id: [\n"}
        )
    assert sorted(folder("data").rglob("*")) == before
