"""Search finds what a person means, in either language, and says why."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from medbench_kg import search
from medbench_kg.errors import StoreError
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from medbench_kg.store import LocalStore

HERE = Path(__file__).parent
with (HERE / "queries.tsv").open(encoding="utf-8") as file:
    QUERIES = [(row["query"], row["first"]) for row in csv.DictReader(file, dialect="excel-tab")]


@pytest.fixture(scope="module")
def index(store: LocalStore) -> search.Index:
    return search.open_or_make(store, None)


def test_the_list_of_queries_is_long_enough() -> None:
    assert len(QUERIES) >= 60


@pytest.mark.parametrize(("query", "first"), QUERIES, ids=[query for query, _ in QUERIES])
def test_the_first_hit_is_what_was_meant(index: search.Index, query: str, first: str) -> None:
    assert index.search(query)[0].iri == BASE + first


def test_a_hit_says_where_it_was_found(index: search.Index) -> None:
    found = {hit.iri: hit for hit in index.search("Weidi Xie")}
    hit = found[f"{BASE}dataset/pmc-vqa"]
    assert (hit.field, hit.matched) == ("author", "Weidi Xie")


def test_one_language_finds_what_the_other_is_shown_for(index: search.Index) -> None:
    english = {hit.iri for hit in index.search("report generation", 100)}
    chinese = {hit.iri for hit in index.search("报告生成", 100)}
    assert chinese <= english


def test_hits_can_be_of_some_kinds_only(index: search.Index) -> None:
    assert {hit.kind for hit in index.search("CT", 100, ["dataset"])} == {"dataset"}


@pytest.mark.parametrize("text", ["", "  ", "、。！", "'", '"', "* OR NOT", "a" * 5000, "\x00"])
def test_a_hostile_text_finds_something_or_nothing(index: search.Index, text: str) -> None:
    assert isinstance(index.search(text), list)


def test_nonsense_finds_nothing(index: search.Index) -> None:
    assert index.search("zzzzqqqq") == []


def test_an_index_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="medbench build"):
        search.Index(tmp_path / "nothing.sqlite")
