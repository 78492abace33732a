"""A query may be right and find nothing, because a name in it is misspelt; the answer says so."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from medbench_kg.catalogue import catalogue
from medbench_kg.web.hints import Names

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from medbench_kg.catalogue import Query
    from medbench_kg.store import LocalStore

MB = "https://w3id.org/medbench-kg/ontology#"
PREFIXES = f"PREFIX mb: <{MB}> PREFIX mbd: <https://w3id.org/medbench-kg/dataset/> "


def ask(server: str, query: str, **headers: str) -> HTTPResponse:
    url = f"{server}/sparql?format=json&query={quote(query)}"
    answer: HTTPResponse = urllib.request.urlopen(urllib.request.Request(url, headers=headers))
    return answer


@pytest.mark.parametrize(
    ("query", "wrong", "right"),
    [
        ("SELECT ?d { ?d a mb:Datset }", "mb:Datset", "mb:Dataset"),
        (f"SELECT ?d {{ ?d <{MB}modalty> ?m }}", "mb:modalty", "mb:modality"),
        ("SELECT ?p ?o { mbd:gemx ?p ?o }", "mbd:gemx", "mbd:gemex"),
        ("ASK { ?d a mb:Benchmrk }", "mb:Benchmrk", "mb:Benchmark"),
        ("SELECT (COUNT(*) AS ?n) { ?d mb:taks ?t }", "mb:taks", "mb:task"),
        (
            "PREFIX x: <https://w3id.org/medbench-kg/task/> ASK { ?d mb:task x:report-genration }",
            "mbtask:report-genration",
            "mbtask:report-generation",
        ),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest_one(
    server: str, query: str, wrong: str, right: str
) -> None:
    for encoding in ("identity", "gzip"):
        with ask(server, PREFIXES + query, **{"Accept-Encoding": encoding}) as answer:
            hint = answer.headers["Medbench-Hint"]
            assert hint == f"There is no {wrong} in this graph. Did you mean {right}?"
            assert "Medbench-Hint" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?d { ?d a mb:Dataset ; mb:modality 1 }",
        "SELECT ?p { mbd:gemex ?p 1 } # mb:Datset",
        'SELECT ?d { ?d ?p "mb:Datset" , """<https://w3id.org/medbench-kg/dataset/gemx>""" }',
        "SELECT ?d { GRAPH <https://w3id.org/medbench-kg/graph/shapes> { ?d ?p 1.5 } }",
        "SELECT ?d { ?d a <https://example.org/Datset> }",
    ],
)
def test_nothing_is_said_of_names_that_are_right_or_not_ours(server: str, query: str) -> None:
    with ask(server, PREFIXES + query) as answer:
        assert answer.headers["Medbench-Hint"] is None


@pytest.mark.parametrize("query", catalogue(), ids=lambda query: str(query.name))
def test_nothing_is_said_of_the_canned_queries(store: LocalStore, query: Query) -> None:
    assert Names(store).hint(query.bind({})) == ""


def test_a_name_like_no_other_is_told_as_it_is(server: str) -> None:
    with ask(server, PREFIXES + "ASK { ?d mb:数据集abcdefgh ?o }") as answer:
        hint = answer.headers["Medbench-Hint"]
        assert hint == r"There is no mb:\u6570\u636e\u96c6abcdefgh in this graph."
        assert json.load(answer) == {"head": {}, "boolean": False}
