"""The overviews show what the canned queries answer."""

from __future__ import annotations

import html
import re
import urllib.request
from typing import TYPE_CHECKING

import pytest

from medbench_kg.catalogue import rows

if TYPE_CHECKING:
    from medbench_kg.store import LocalStore


def page(server: str, path: str) -> str:
    with urllib.request.urlopen(server + path) as response:
        return str(response.read().decode())


@pytest.mark.parametrize("field", ["", "size"])
def test_every_correction_is_shown(server: str, store: LocalStore, field: str) -> None:
    asked = rows(store, "corrections", field=field)
    text = page(server, f"/zh/corrections?field={field}")
    assert f"{len({row['dataset'] for row in asked})} 个数据集有更正" in text
    right = {row["right_zh"] for row in asked}
    assert text.count("</del>") == len({(row["dataset"], row["right_zh"]) for row in asked})
    assert len(right) == len(set(re.findall(r"正确内容</dt><dd[^>]*>([^<]+)", text)))


def test_every_disagreement_of_the_tables_is_shown(server: str, store: LocalStore) -> None:
    table = page(server, "/corrections").split("Differences between", 1)[1]
    assert table.count('<th scope="row">') == len(rows(store, "en-zh-disagreements"))


def test_completeness_is_that_of_the_canned_query(server: str, store: LocalStore) -> None:
    found = re.findall(
        r'<td class="number">(\d+)</td><td class="number">(\d+)', page(server, "/quality")
    )
    assert found == [(row["known"], row["unknown"]) for row in rows(store, "completeness")]


def test_issues_are_counted_as_the_canned_query_does(server: str, store: LocalStore) -> None:
    asked = rows(store, "quality-issues")
    shown = re.findall(r'<summary>([^<]+) <span class="count">(\d+)', page(server, "/quality"))
    names = [row["issue_en"] for row in asked]
    assert {html.unescape(name): int(count) for name, count in shown} == {
        n: names.count(n) for n in names
    }


def test_changes_come_newest_first_and_say_how_many_there_are(
    server: str, store: LocalStore
) -> None:
    text = page(server, "/changes")
    days = re.findall(r'<time datetime="([^"]+)"', text)
    assert days == sorted(days, reverse=True)
    assert str(len(rows(store, "recent-changes"))) in text.split("The last", 1)[1]


def test_the_timeline_counts_each_year_as_the_canned_query_does(
    server: str, store: LocalStore
) -> None:
    shown = re.findall(r'#y(\d+)">\d+</a></th><td class="number">(\d+)', page(server, "/timeline"))
    assert shown
    for year, count in shown:
        assert int(count) == len(rows(store, "datasets-by-year", year=year))
