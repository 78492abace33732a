"""The real server over real HTTP, and SPARQLWrapper as a real client."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, NamedTuple

import pyoxigraph as ox
import pytest
from SPARQLWrapper import CSV, SPARQLWrapper

from medbench_kg import connect
from medbench_kg.builds import DUMPS, Manifest
from medbench_kg.catalogue import Query, ask, catalogue
from medbench_kg.negotiation import GRAPH_FORMATS, RESULT_FORMATS, Format, by_name

if TYPE_CHECKING:
    from email.message import Message

    from medbench_kg.store import LocalStore

SELECT = (
    "SELECT ?s WHERE { ?s a <https://w3id.org/medbench-kg/ontology#Paper> } ORDER BY ?s LIMIT 3"
)
CONSTRUCT = "CONSTRUCT WHERE { <https://w3id.org/medbench-kg/dataset/gemex> ?p ?o }"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes

    @property
    def type(self) -> str:
        return self.headers.get_content_type()


def fetch(url: str, *, data: bytes | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=data, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def sparql(server: str, query: str, **headers: str) -> Answer:
    return fetch(f"{server}/sparql?{urllib.parse.urlencode({'query': query})}", **headers)


@pytest.mark.parametrize("fmt", RESULT_FORMATS, ids=lambda fmt: fmt.name)
def test_select_is_answered_in_the_format_asked_for(server: str, fmt: Format) -> None:
    answer = sparql(server, SELECT, Accept=fmt.media_type)
    assert (answer.status, answer.type) == (200, fmt.media_type)
    assert "Accept" in answer.headers["Vary"]
    parsed = (
        ox.parse_query_results(answer.body, ox.QueryResultsFormat.from_media_type(fmt.media_type))
        if fmt.name != "csv"
        else list(csv.reader(io.StringIO(answer.body.decode())))[1:]
    )
    assert len(list(parsed)) == 3


@pytest.mark.parametrize("fmt", GRAPH_FORMATS, ids=lambda fmt: fmt.name)
def test_construct_is_answered_in_the_format_asked_for(server: str, fmt: Format) -> None:
    answer = sparql(server, CONSTRUCT, Accept=fmt.media_type)
    assert (answer.status, answer.type) == (200, fmt.media_type)
    triples = list(ox.parse(answer.body, ox.RdfFormat.from_media_type(fmt.media_type)))
    assert {str(t.subject) for t in triples} == {"<https://w3id.org/medbench-kg/dataset/gemex>"}


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        pytest.param(
            urllib.parse.urlencode({"query": SELECT}).encode(),
            "application/x-www-form-urlencoded",
            id="form",
        ),
        pytest.param(SELECT.encode(), "application/sparql-query", id="body"),
    ],
)
def test_post_answers_like_get(server: str, data: bytes, content_type: str) -> None:
    posted = fetch(f"{server}/sparql", data=data, Content_Type=content_type, Accept="text/csv")
    assert (posted.status, posted.body) == (200, sparql(server, SELECT, Accept="text/csv").body)


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        pytest.param("SELECT ?s WHERE {", 400, "line 1", id="syntax"),
        pytest.param("SELECT * WHERE { ?s rdf:type ?o }", 400, "Prefix not found", id="prefix"),
        pytest.param("DELETE WHERE { ?s ?p ?o }", 403, "read-only", id="update"),
    ],
)
def test_a_wrong_query_is_a_problem_document(
    server: str, text: str, status: int, said: str
) -> None:
    answer = sparql(server, text)
    problem = json.loads(answer.body)
    assert (answer.status, answer.type) == (status, "application/problem+json")
    assert said in " ".join(map(str, problem.values()))
    assert problem["status"] == status


def test_nothing_acceptable_is_406_and_names_what_there_is(server: str) -> None:
    answer = sparql(server, SELECT, Accept="image/png")
    assert answer.status == 406
    assert b"text/csv" in answer.body


def test_an_update_is_refused_and_changes_nothing(server: str) -> None:
    before = fetch(f"{server}/data/medbench.nt").body
    form = urllib.parse.urlencode({"update": "DELETE WHERE { ?s ?p ?o }"}).encode()
    assert fetch(f"{server}/sparql", data=form).status == 403
    assert fetch(f"{server}/data/medbench.nt").body == before


def test_wrong_body_type_is_415(server: str) -> None:
    answer = fetch(f"{server}/sparql", data=SELECT.encode(), Content_Type="text/plain")
    assert answer.status == 415


@pytest.mark.parametrize("fmt", DUMPS, ids=lambda fmt: fmt.name)
def test_dumps_are_those_of_the_manifest(
    server: str, fmt: Format, built: tuple[LocalStore, Manifest]
) -> None:
    answer = fetch(f"{server}/data/medbench.{fmt.suffix}")
    expected = built[1].files[f"medbench.{fmt.suffix}"]
    assert (answer.status, answer.type) == (200, fmt.media_type)
    assert hashlib.sha256(answer.body).hexdigest() == expected["sha256"]


def test_an_unknown_dump_is_404_and_names_the_known(server: str) -> None:
    answer = fetch(f"{server}/data/medbench.zip")
    assert answer.status == 404
    assert b"medbench.ttl" in answer.body


@pytest.mark.parametrize("query", catalogue(), ids=lambda query: query.name)
def test_sparqlwrapper_gets_the_expected_answer_of_every_canned_query(
    server: str, query: Query, store: LocalStore
) -> None:
    expected, _ = ask(store, query, {}, lambda _kind: by_name("csv"))
    client = SPARQLWrapper(f"{server}/sparql", returnFormat=CSV)
    client.setMethod("POST")
    client.setQuery(query.bind({}))
    assert client.query().convert() == expected


@pytest.mark.parametrize("query", catalogue(), ids=lambda query: query.name)
def test_every_canned_query_has_a_page_in_both_languages(server: str, query: Query) -> None:
    for prefix, question in (("", query.question["en"]), ("/zh", query.question["zh"])):
        answer = fetch(f"{server}{prefix}/query/{query.name}", Accept=BROWSER)
        assert (answer.status, answer.type) == (200, "text/html")
        page = answer.body.decode()
        assert question.replace("'", "&#39;") in page


def test_a_canned_query_takes_parameters_and_formats(server: str) -> None:
    answer = fetch(f"{server}/query/datasets-by-modality?modality=ct&format=json")
    rows = json.loads(answer.body)["results"]["bindings"]
    assert {row["modality"]["value"] for row in rows} == {
        "https://w3id.org/medbench-kg/modality/ct"
    }


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        pytest.param("datasets-by-modality?modality=ctt", 400, "ct", id="misspelt value"),
        pytest.param("datasets-by-modality?modalty=ct", 400, "modality", id="unknown parameter"),
        pytest.param("datasets-by-modalty", 404, "datasets-by-modality", id="misspelt query"),
        pytest.param("datasets-by-year?year=soon", 400, "whole number", id="ill-typed"),
        pytest.param("evidence-of?dataset=x%3E%20%7D", 400, "", id="injection"),
    ],
)
def test_wrong_parameters_are_explained(server: str, path: str, status: int, said: str) -> None:
    answer = fetch(f"{server}/query/{path}")
    assert answer.status == status
    assert said in json.loads(answer.body).get("hint", "") + json.loads(answer.body)["detail"]


@pytest.mark.parametrize(("path", "word"), [("/", "Questions"), ("/zh/", "问题")])
def test_the_start_page_shows_every_question_and_dump(server: str, path: str, word: str) -> None:
    page = fetch(f"{server}{path}", Accept=BROWSER).body.decode()
    assert word in page
    for query in catalogue():
        assert f"/query/{query.name}" in page
    for fmt in DUMPS:
        assert f"/data/medbench.{fmt.suffix}" in page


@pytest.mark.parametrize(
    ("path", "other", "tag"),
    [
        ("/query/coverage?modality=ct", "/zh/query/coverage?modality=ct", "zh-Hans"),
        ("/zh/query/coverage?modality=ct", "/query/coverage?modality=ct", "en"),
        ("/sparql", "/zh/sparql", "zh-Hans"),
        ("/zh/", "/", "en"),
    ],
)
def test_a_page_names_itself_in_the_other_language_and_keeps_its_own(
    server: str, path: str, other: str, tag: str
) -> None:
    page = fetch(f"{server}{path}", Accept=BROWSER).body.decode()
    assert f'<link rel="alternate" hreflang="{tag}" href="{other}">' in page
    start = "/" if tag == "zh-Hans" else "/zh/"
    assert f'<a class="name" href="{start}">' in page


def test_errors_are_pages_for_browsers_and_escape_what_was_sent(server: str) -> None:
    answer = fetch(f"{server}/query/%3Cscript%3Ealert(1)%3C/script%3E", Accept=BROWSER)
    assert (answer.status, answer.type) == (404, "text/html")
    assert b"<script>alert" not in answer.body


def test_connect_answers_canned_queries_from_a_remote_endpoint(server: str) -> None:
    rows = connect(f"{server}/sparql").query("datasets-by-modality", modality="ct")
    assert rows
    assert set(rows[0]) == {"dataset", "title", "modality", "via"}
