"""Browsing shows what the canned queries answer."""

from __future__ import annotations

import csv
import io
import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medbench_kg import catalogue
from medbench_kg.errors import QueryError
from medbench_kg.facets import FACETS, Facets, arguments, of
from medbench_kg.negotiation import by_name

if TYPE_CHECKING:
    from medbench_kg.store import LocalStore


@pytest.fixture(scope="module")
def facets(store: LocalStore) -> Facets:
    return of(store)


def answer(store: LocalStore, choices: dict[str, str]) -> set[str]:
    body, _ = catalogue.ask(
        store, catalogue.find("find"), arguments(choices), lambda _: by_name("csv")
    )
    return {row["dataset"] for row in csv.DictReader(io.StringIO(body.decode()))}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_choices_find_what_the_canned_query_finds(
    facets: Facets, store: LocalStore, data: st.DataObject
) -> None:
    choices: dict[str, str] = {}
    for facet in data.draw(st.lists(st.sampled_from(FACETS), unique=True, max_size=3)):
        offered = facets.values(choices)[facet]
        if offered:
            choices[facet] = data.draw(st.sampled_from(offered)).slug
    assert facets.matching(choices) == answer(store, choices)


@pytest.mark.parametrize("facet", FACETS)
def test_a_count_is_what_is_left_after_the_choice(
    facets: Facets, store: LocalStore, facet: str
) -> None:
    offered = facets.values({"language": "zh"} if facet != "language" else {})[facet]
    choices = {"language": "zh"} if facet != "language" else {}
    assert [len(answer(store, {**choices, facet: value.slug})) for value in offered] == [
        value.count for value in offered
    ]


def test_a_size_is_a_unit_or_at_least_so_many_of_it(store: LocalStore) -> None:
    largest = catalogue.rows(store, "largest-datasets", unit="image")
    counted = {row["dataset"] for row in largest}
    assert answer(store, {"size": "image"}) == counted
    assert answer(store, {"size": "image-10000"}) == {
        row["dataset"] for row in largest if int(row["value"]) >= 10_000
    }
    rest = counted - answer(store, {"size": "image-10000"})
    assert rest


def test_an_unknown_value_is_refused_with_those_there_are(facets: Facets) -> None:
    with pytest.raises(QueryError, match="radiology-image"):
        facets.matching({"modality": "ctt"})


def page(server: str, path: str, **arguments: str) -> str:
    with urllib.request.urlopen(f"{server}{path}?{urlencode(arguments)}") as response:
        return str(response.read().decode())


def test_the_page_shows_the_answer_in_the_order_asked_for(server: str, store: LocalStore) -> None:
    text = page(server, "/datasets", modality="ct", sort="year")
    shown = re.findall(r'<h3><a href="/([^"]+)"', text)
    assert {f"https://w3id.org/medbench-kg/{path}" for path in shown} == answer(
        store, {"modality": "ct"}
    )
    years = [
        int(year) for year in re.findall(r'href="/datasets\?year=(\d+)">', text.split("<h3>", 1)[1])
    ]
    assert years == sorted(years, reverse=True)


def test_the_page_exists_in_chinese(server: str) -> None:
    text = page(server, "/zh/datasets", modality="ct")
    assert '<html lang="zh-Hans">' in text
    assert "计算机断层扫描" in text


def test_a_state_that_is_not_there_is_a_bad_request(server: str) -> None:
    for wrong in ({"modality": "x"}, {"sort": "x"}, {"page": "99"}):
        with pytest.raises(urllib.error.HTTPError) as refused:
            page(server, "/datasets", **wrong)
        assert refused.value.code == 400
        refused.value.close()
