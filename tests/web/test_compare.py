"""Datasets side by side."""

from __future__ import annotations

import csv
import io
import re
import urllib.error
import urllib.request

import pytest

BOTH = "d=gemex&d=pathmmu"


def page(server: str, path: str) -> str:
    with urllib.request.urlopen(server + path) as response:
        return str(response.read().decode())


def table(server: str, datasets: str) -> dict[str, list[str]]:
    rows = csv.reader(io.StringIO(page(server, f"/compare.csv?{datasets}")))
    return {label: cells for label, *cells in rows}


def test_datasets_stand_side_by_side_in_the_order_asked_for(server: str) -> None:
    assert table(server, BOTH)[""] == ["GEMeX", "PathMMU"]
    assert table(server, "d=pathmmu&d=gemex")[""] == ["PathMMU", "GEMeX"]


def test_the_page_marks_the_rows_whose_values_differ(server: str) -> None:
    text = page(server, f"/compare?{BOTH}")
    rows = re.findall(r'<tr( class="differs")?><th scope="row">([^<]+)', text)
    expected = [
        (bool(len(set(cells)) > 1), label) for label, cells in table(server, BOTH).items() if label
    ]
    assert [(bool(mark), label) for mark, label in rows] == expected


def test_what_is_not_known_stays_visible(server: str) -> None:
    assert table(server, BOTH)["Language"] == ["", ""]
    assert "not known" in page(server, f"/compare?{BOTH}")
    assert "| Language | – | – |" in page(server, f"/compare.md?{BOTH}")


def test_every_row_of_the_markdown_has_a_cell_for_each_dataset(server: str) -> None:
    lines = page(server, f"/compare.md?{BOTH}").strip().splitlines()
    assert len(lines) == len(table(server, BOTH)) + 1
    assert {len(re.split(r"(?<!\\)\|", line)) for line in lines} == {5}


def test_the_latex_is_a_booktabs_table_in_the_language_of_the_page(server: str) -> None:
    text = page(server, f"/zh/compare.tex?{BOTH}")
    assert [name in text for name in (r"\toprule", r"\midrule", r"\bottomrule")] == [True] * 3
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert all(len(re.split(r"(?<!\\)&", line)) == 3 for line in body)
    assert "语言" in text


def test_bibtex_names_the_datasets_and_their_papers(server: str) -> None:
    keys = re.findall(r"@\w+\{([^,]+)", page(server, f"/compare.bib?{BOTH}"))
    assert {"dataset:gemex", "dataset:pathmmu", "paper:arxiv-2411.16778"} <= set(keys)


def test_without_datasets_one_can_choose_them(server: str) -> None:
    assert page(server, "/zh/compare?d=gemex").count(" checked") == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/compare?d=x", 400),
        ("/compare.csv?d=gemex", 400),
        ("/compare.xls?" + BOTH, 404),
        ("/compare?d=gemex&d=pathmmu&d=slake&d=vqa-rad&d=cares&d=omnimedvqa&d=pubmedvision", 400),
    ],
)
def test_what_cannot_be_compared_is_said(server: str, path: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        page(server, path)
    assert refused.value.code == status
    refused.value.close()
