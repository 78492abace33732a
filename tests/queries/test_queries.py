"""Every canned query gives its expected answer, on two engines, on the real and a small graph.

``make generated`` writes the answers; read the difference before you commit it.
"""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rdflib import Dataset, Graph, URIRef
from rdflib.plugins.sparql.algebra import translateQuery, traverse
from rdflib.plugins.sparql.parser import parseQuery

from medbench_kg.catalogue import Query, ask, catalogue, values
from medbench_kg.metadata import NAMED_GRAPHS
from medbench_kg.negotiation import by_name

if TYPE_CHECKING:
    from medbench_kg.pipeline import Assembled
    from medbench_kg.store import LocalStore

HERE = Path(__file__).parent
QUERIES = catalogue()

#: Answers longer than this are kept as a digest and a sample, so that a diff stays readable.
KEPT_ROWS = 60

#: The thirty questions that the project set out to answer.
PROMISED = {
    "by-external-code",
    "completeness",
    "concept-counts",
    "contamination-risk",
    "corrections",
    "coverage",
    "coverage-gaps",
    "datasets-by-access",
    "datasets-by-anatomy",
    "datasets-by-language",
    "datasets-by-licence",
    "datasets-by-modality",
    "datasets-by-specialty",
    "datasets-by-task",
    "datasets-by-venue",
    "datasets-by-year",
    "derived-from",
    "en-zh-disagreements",
    "evidence-of",
    "find",
    "largest-datasets",
    "most-reused-sources",
    "papers-by-venue",
    "papers-with-several-datasets",
    "quality-issues",
    "recent-changes",
    "results-of",
    "shared-sources",
    "similar-datasets",
    "sources-of",
}

Table = list[list[str]]


def answer(store: LocalStore, query: Query) -> Table:
    body, _ = ask(store, query, {}, lambda _kind: by_name("csv"))
    return list(csv.reader(io.StringIO(body.decode())))


def sample(table: Table) -> Table:
    """The header with number and digest of all rows, and the rows that are kept."""
    header, *rows = table
    step = max(1, -(-len(rows) // KEPT_ROWS))
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()[:12]
    kept = [[str(number), *rows[number]] for number in range(0, len(rows), step)]
    return [[f"{len(rows)} rows, {digest}", *header], *kept]


def compare(path: Path, table: Table, request: pytest.FixtureRequest) -> None:
    kept = sample(table)
    if request.config.getoption("--write-expected"):
        path.parent.mkdir(exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(kept)
    with path.open(encoding="utf-8", newline="") as file:
        assert kept == list(csv.reader(file))


@pytest.fixture(scope="module")
def real_in_rdflib(assembled: Assembled) -> Dataset:
    return in_rdflib(assembled.store)


@pytest.fixture(scope="module")
def mini_in_rdflib(mini: LocalStore) -> Dataset:
    return in_rdflib(mini)


def in_rdflib(store: LocalStore) -> Dataset:
    """A dataset, so that a query may look into a named graph, which is empty here."""
    dataset = Dataset()
    store.copy_to_rdflib(into=dataset.default_graph)
    return dataset


def by_name_of_query(query: Query) -> str:
    return query.name


each_query = pytest.mark.parametrize("query", QUERIES, ids=by_name_of_query)


@each_query
def test_real_graph_gives_the_expected_answer(
    query: Query, assembled: Assembled, request: pytest.FixtureRequest
) -> None:
    compare(HERE / "expected" / f"{query.name}.csv", answer(assembled.store, query), request)


@each_query
def test_small_graph_gives_the_expected_answer(
    query: Query, mini: LocalStore, request: pytest.FixtureRequest
) -> None:
    compare(HERE / "expected-mini" / f"{query.name}.csv", answer(mini, query), request)


@each_query
def test_no_default_answer_is_empty(query: Query, assembled: Assembled) -> None:
    assert query.empty or len(answer(assembled.store, query)) > 1


def same_rows(graph: Dataset, store: LocalStore, query: Query) -> None:
    body = graph.query(query.bind({})).serialize(format="csv")
    assert body is not None
    theirs = list(csv.reader(io.StringIO(body.decode())))
    ours = answer(store, query)
    assert ours[0] == theirs[0]
    assert sorted(ours[1:]) == sorted(theirs[1:])


@each_query
def test_rdflib_gives_the_same_rows_on_the_small_graph(
    query: Query, mini: LocalStore, mini_in_rdflib: Dataset
) -> None:
    same_rows(mini_in_rdflib, mini, query)


@each_query
def test_rdflib_gives_the_same_rows_on_the_real_graph(
    query: Query, assembled: Assembled, real_in_rdflib: Dataset
) -> None:
    same_rows(real_in_rdflib, assembled.store, query)


@each_query
def test_columns_are_those_of_the_header(query: Query, assembled: Assembled) -> None:
    assert answer(assembled.store, query)[0] == [column.name for column in query.columns]


@each_query
def test_header_is_complete_in_both_languages(query: Query) -> None:
    texts = [query.question, *(p.help for p in query.parameters), *(c.help for c in query.columns)]
    assert all(set(text) == {"en", "zh"} and all(text.values()) for text in texts)
    assert query.tags
    for parameter in query.parameters:
        assert f"VALUES ?{parameter.name} {{ UNDEF }}" in query.text


@each_query
def test_every_term_of_a_query_exists(query: Query, real_in_rdflib: Dataset, root: Path) -> None:
    used: set[str] = set()

    def note(node: object) -> None:
        if isinstance(node, URIRef):
            used.add(str(node))

    traverse(translateQuery(parseQuery(query.text)).algebra, visitPre=note)
    known = {str(term) for quad in real_in_rdflib for term in quad}
    known |= {str(term) for term in Graph().parse(root / "ontology/imports/terms.ttl").subjects()}
    assert sorted(used - known - {*NAMED_GRAPHS}) == []


@each_query
def test_parameter_values_come_from_the_graph(query: Query, assembled: Assembled) -> None:
    for parameter in query.parameters:
        if parameter.type == "iri":
            assert values(assembled.store, parameter), parameter.name


def test_narrower_concepts_are_found_through_a_broader_one(assembled: Assembled) -> None:
    query = next(q for q in QUERIES if q.name == "datasets-by-modality")
    bodies = [
        ask(assembled.store, query, {"modality": slug}, lambda _kind: by_name("csv"))[0]
        for slug in ("x-ray", "chest-x-ray")
    ]
    broad, narrow = ({row.split(",")[0] for row in body.decode().splitlines()} for body in bodies)
    assert narrow < broad


def test_the_catalogue_holds_the_promised_questions() -> None:
    assert {query.name for query in QUERIES} >= PROMISED
    assert len(PROMISED) == 30
