"""What the list does to its readers, one fixture a hazard: nothing crashes, nothing is guessed."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from medbench_kg import readme
from medbench_kg.readme import Figure, Issue, Link, Row, Terms
from medbench_kg.upstream.held import read_terms

if TYPE_CHECKING:
    from medbench_kg.pipeline import Assembled

HAZARDS = Path(__file__).resolve().parents[1] / "fixtures" / "list" / "hazards"
GOOD = "Good"


@pytest.fixture(scope="module")
def terms(assembled: Assembled) -> Terms:
    return read_terms(assembled)


def parsed(name: str, terms: Terms) -> tuple[dict[str, Row], list[Issue]]:
    rows, issues = readme.parse((HAZARDS / f"{name}.md").read_text(encoding="utf-8"), terms)
    told = [issue for issue in issues if issue.code != "no-table"]
    return {row.facts.name: row for row in rows}, told


def figures(row: Row) -> list[tuple[int, str, str]]:
    return [(f.value, f.unit, f.approximation) for f in row.facts.figures]


def test_a_table_of_something_else_is_told_and_not_read(terms: Terms) -> None:
    rows, issues = parsed("not-first", terms)
    assert list(rows) == [GOOD]
    assert issues == [Issue(3, "other-table", "model | score")]


def test_cells_after_the_seventh_are_told_and_not_read(terms: Terms) -> None:
    rows, issues = parsed("many-cells", terms)
    assert list(rows) == [GOOD]
    assert rows[GOOD].cell_count == 9
    assert figures(rows[GOOD]) == [(10, "image", "")]
    assert issues == [
        Issue(3, "more-cells", "secret licence | 99 images"),
        Issue(4, "few-cells", "3"),
    ]


def test_no_fact_is_taken_from_a_malformed_row(terms: Terms) -> None:
    rows, issues = parsed("malformed", terms)
    assert list(rows) == [GOOD]
    assert [(issue.line, issue.code) for issue in issues] == [
        (3, "no-year"),
        (4, "no-link"),
        (5, "no-link"),
        (6, "no-link"),
        (7, "no-year"),
        (8, "no-name"),
        (11, "outside-table"),
    ]


def test_full_width_signs_mean_what_narrow_ones_do(terms: Terms) -> None:
    rows, issues = parsed("full-width", terms)
    (row,) = rows.values()
    assert (row.lang, row.facts.issued, row.facts.edition) == ("zh", "2025-01-02", "iccv-2025")
    assert row.facts.modalities == ("image", "ct", "mri")
    assert row.facts.tasks == ("visual-question-answering", "report-generation")
    assert figures(row) == [(1200, "image", ""), (30000, "qa-pair", "about")]
    assert len(row.facts.links) == 2
    assert issues == []


def test_line_breaks_of_html_part_words(terms: Terms) -> None:
    rows, issues = parsed("breaks", terms)
    (row,) = rows.values()
    assert (row.facts.name, row.facts.title) == ("Broken Lines", "A title in two lines")
    assert row.facts.modalities == ("ct", "mri")
    assert figures(row) == [(10, "image", ""), (20, "report", "")]
    assert [link.label for link in row.facts.links] == ["HF", "GitHub"]
    assert issues == []


def test_latex_stays_as_it_is(terms: Terms) -> None:
    rows, _ = parsed("latex", terms)
    (row,) = rows.values()
    assert row.facts.name == "M$^3_a$-Med$^*_b$"
    assert row.facts.title == r"A $\alpha^*$ and $\beta^*$ title for $5 and $6"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MCQs", [(3535, "multiple-choice-question", ""), (337, "case", "")]),
        (
            "Powers",
            [
                (12_300, "sample", "rounded"),
                (5_000_000, "instance", "rounded"),
                (1_500_000, "slice", "rounded"),
            ],
        ),
        (
            "Chinese",
            [
                (9_300_000, "sample", "about"),
                (120_000_000, "image", "rounded"),
                (1400, "scenario", "at-least"),
                (30_000, "report", "at-least"),
                (100_000, "qa-pair", "at-least"),
            ],
        ),
        (
            "Signs",
            [
                (1000, "case", "about"),
                (11_000, "sample", "at-least"),
                (25_000_000, "image", "at-least"),
                (30, "report", "about"),
            ],
        ),
        ("Subtotals", [(4460, "question", ""), (2455, "question", ""), (2005, "question", "")]),
        (
            "Sum",
            [
                (1_300_000, "vqa-pair", "rounded"),
                (914_960, "image", ""),
                (647_000, "vqa-pair", "rounded"),
                (647_000, "vqa-pair", "rounded"),
            ],
        ),
        ("Slash", [(5_800_000, "qa-pair", "rounded"), (4_400_000, "qa-pair", "rounded")]),
        ("No numbers", []),
        ("Unclear", [(7, "", "")]),
        ("Absurd", []),
        ("Nested", [(10, "modality", ""), (25_000_000, "image", "rounded")]),
        ("Types", [(38, "modality", ""), (26_000, "qa-pair", "rounded")]),
    ],
)
def test_a_number_is_read_with_unit_and_approximation(
    name: str, expected: list[tuple[int, str, str]], terms: Terms
) -> None:
    rows, _ = parsed("numbers", terms)
    assert figures(rows[name]) == expected


def test_what_a_number_means_is_told_when_it_is_unclear(terms: Terms) -> None:
    _, issues = parsed("numbers", terms)
    assert [(issue.code, issue.detail) for issue in issues if issue.line == 11] == [
        ("unclear-number", "10-20"),
        ("unclear-number", "1 600"),
        ("unclear-number", "2015 to 2020"),
        ("no-unit", "7"),
    ]


@pytest.mark.parametrize(
    ("name", "issued", "edition"),
    [
        ("A1", "2025", "ijcai-2025"),
        ("A2", "2025", "iccv-2025"),
        ("A3", "2025-06-18", "icml-2025"),
        ("A4", "2025", "emnlp-2025"),
        ("A5", "2025-06", ""),
        ("A6", "2025-06-18", ""),
        ("A7", "", ""),
        ("A8", "2025", ""),
        ("A9", "1999", ""),
        ("A10", "2025-06-01", "iclr-2026"),
        ("A11", "2025", ""),
    ],
)
def test_a_date_is_read_with_its_precision_and_venue(
    name: str, issued: str, edition: str, terms: Terms
) -> None:
    rows, _ = parsed("dates", terms)
    assert (rows[name].facts.issued, rows[name].facts.edition) == (issued, edition)


def test_dates_and_venues_that_cannot_be_read_are_told(terms: Terms) -> None:
    _, issues = parsed("dates", terms)
    assert issues == [
        Issue(9, "bad-date", "2025.13.40"),
        Issue(10, "unknown-venue", "Journal of Nowhere 2025"),
        Issue(11, "unknown-venue", "ICCV 1999"),
    ]


def test_a_comma_in_brackets_parts_nothing(terms: Terms) -> None:
    rows, _ = parsed("brackets", terms)
    (row,) = rows.values()
    assert row.facts.modalities == ("text", "3d-image", "3d-ct", "abdominal-ct", "video")


def test_the_host_is_that_of_the_address_whatever_the_label_says(terms: Terms) -> None:
    rows, issues = parsed("links", terms)
    assert [link.host for link in rows["Liar"].facts.links] == [
        "huggingface",
        "github",
        "anonymous",
    ]
    assert [issue.code for issue in issues if issue.line == 3] == ["link-label"] * 3
    assert [link.host for link in rows["Evil"].facts.links] == ["other"]


def test_links_are_found_in_every_form_that_markdown_has(terms: Terms) -> None:
    rows, issues = parsed("links", terms)
    assert [link.url for link in rows["Bare"].facts.links] == [
        "https://github.com/a/c",
        "https://osf.io/x/",
    ]
    assert rows["Odd"].facts.links == (
        Link("badge", "https://github.com/a/d", "github"),
        Link("Hugging Face", "https://huggingface.co/datasets/a/e(1)", "huggingface"),
    )
    assert [issue.detail for issue in issues if issue.line == 5] == ["<b>", "</b>"]
    assert rows["Query"].facts.links[0].url == "https://x.example/?a=1%7C2&b=%2F"


@pytest.mark.parametrize(
    "text",
    ["", "\ufeff", "|", "| a |\n|-", "```\n| x |\n```", "\x00| a | b |\r\r\n", "> | a |\n> |-|"],
)
def test_a_document_without_the_tables_is_told_so(text: str, terms: Terms) -> None:
    rows, issues = readme.parse(text, terms)
    assert rows == []
    assert [i.detail for i in issues if i.code == "no-table"] == ["en", "zh"]


def test_every_issue_speaks_both_languages() -> None:
    assert [code for code, text in readme.ISSUES.items() if set(text) != {"en", "zh"}] == []


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
@pytest.mark.parametrize("tool", [["git", "apply"], ["patch", "-p1", "--binary", "-s"]])
def test_a_patch_can_be_taken_by_git_and_patch(end: str, tool: list[str], tmp_path: Path) -> None:
    assert shutil.which(tool[0])
    new_line = end or "\n"
    text = (
        new_line.join(["# A", "", "| a | b  |", "|---|---|", "| x \\| y |  z |", "| 1 | |"]) + end
    )
    patch = readme.patch(text, {5: {1: "Z"}, 6: {1: "two"}}, "README.md")
    (tmp_path / "README.md").write_bytes(text.encode())
    subprocess.run(tool, input=patch.encode(), cwd=tmp_path, check=True, timeout=20)
    assert (tmp_path / "README.md").read_bytes().decode() == text.replace("z |", "Z |").replace(
        "| 1 | |", "| 1 | two |"
    )


def test_a_figure_is_written_with_the_word_that_says_its_kind(terms: Terms) -> None:
    figure = Figure(12, "task", "content")
    text = readme.sizes([figure, replace(figure, kind="source")], terms, "en")
    assert text == "comprising 12 tasks; derived from 12 tasks"
