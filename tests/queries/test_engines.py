"""Every canned query gives the same answer whichever engine holds the graph."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from rdflib import Graph
from rdflib.compare import to_canonical_graph

from medbench_kg import builds
from medbench_kg.catalogue import Query, ask, catalogue, internal, values
from medbench_kg.metadata import NAMED_GRAPHS
from medbench_kg.negotiation import by_name
from medbench_kg.settings import Endpoint
from medbench_kg.store import LocalStore, RemoteStore
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.store import Store

ENGINES = ("on_disk", "oxigraph", "virtuoso")

#: What an engine can't answer as the others do: (engine, query) → columns.
#: Virtuoso 7 has no type for xsd:boolean, so it answers with the integers 1 and 0.
BOOLEANS = {
    ("virtuoso", "datasets-by-licence"): {"commercial_use"},
    ("virtuoso", "derived-from"): {"listed", "direct"},
    ("virtuoso", "sources-of"): {"direct"},
}
AS_BOOLEAN = {"1": "true", "0": "false"}

#: Queries behind pages, the variable that is filled in, and IRIs for it, below that of the graph.
BEHIND_PAGES: dict[str, tuple[str, list[str]]] = {
    "aliases": ("", [""]),
    "alive": ("", [""]),
    "bundle": ("concept", ["modality/ct"]),
    "changes": ("concept", ["modality/ct"]),
    "constraints": ("", [""]),
    "derivations": ("", [""]),
    "describe": ("thing", ["modality/ct", "modality", "venue/miccai", "dataset/gemex"]),
    "describe-ontology": ("", [""]),
    "documents": ("", [""]),
    "facet-labels": ("", [""]),
    "facets": ("", [""]),
    "names": ("", [""]),
    "references": ("thing", ["dataset/gemex"]),
    "roles": ("", [""]),
    "schema-org": ("thing", ["dataset/gemex", "modality/ct"]),
    "search-documents": ("", [""]),
    "signposts": ("thing", ["dataset/gemex", "modality/ct", "modality"]),
    "sizes": ("", [""]),
    "statistics": ("", [""]),
    "stream": ("root", ["ldes"]),
    "term-examples": ("", [""]),
    "term-links": ("", [""]),
    "terms": ("", [""]),
    "workbench-terms": ("", [""]),
}

#: What Virtuoso 7.2.5 doesn't answer, or not rightly; docs/endpoint.md says which
#: pages aren't there then.
UNANSWERED = {
    ("virtuoso", "bundle", "modality/ct"): "doesn't end: it scans all triples for each node",
}

#: Columns whose words come in the order in which an engine finds them.
UNORDERED_WORDS = {("documents", "successors"), ("names", "broader")}
ASKED = [
    (engine, name, below)
    for engine in ENGINES
    for name, (_, belows) in BEHIND_PAGES.items()
    for below in belows
    if (engine, name, below) not in UNANSWERED
]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> tuple[str, Store]:
    return request.param, opened(request, request.param)


def opened(request: pytest.FixtureRequest, name: str) -> Store:
    where: Path | Endpoint = request.getfixturevalue(name)
    if isinstance(where, Endpoint):
        return RemoteStore(where, NAMED_GRAPHS, deadline_s=60)
    return builds.open_built(where)[0]


def rows(store: Store, query: Query) -> list[dict[str, str]]:
    body, _ = ask(store, query, {}, lambda _kind: by_name("csv"))
    return list(csv.DictReader(io.StringIO(body.decode())))


@pytest.mark.parametrize("query", catalogue(), ids=lambda query: query.name)
def test_another_engine_gives_the_same_rows_in_the_same_order(
    query: Query, engine: tuple[str, Store], store: LocalStore
) -> None:
    name, remote = engine
    exempt = BOOLEANS.get((name, query.name), set())
    found = [
        {
            key: AS_BOOLEAN.get(value, value) if key in exempt else value
            for key, value in row.items()
        }
        for row in rows(remote, query)
    ]
    assert found == rows(store, query)


@pytest.mark.parametrize("query", catalogue(), ids=lambda query: query.name)
def test_another_engine_knows_the_same_values_of_parameters(
    query: Query, engine: tuple[str, Store], store: LocalStore
) -> None:
    for parameter in query.parameters:
        assert values(engine[1], parameter) == values(store, parameter), parameter.name


@pytest.mark.parametrize(("name", "query", "below"), ASKED)
def test_another_engine_answers_the_queries_behind_pages_alike(
    name: str, query: str, below: str, request: pytest.FixtureRequest, store: LocalStore
) -> None:
    slot, _ = BEHIND_PAGES[query]
    text = internal(query, slot, [BASE + below] if slot else [])
    here, there = (answer(text, query, asked) for asked in (store, opened(request, name)))
    assert there == here
    assert here


def answer(text: str, name: str, store: Store) -> list[str]:
    """Rows or triples, as lines; in their order if the query has one."""
    if "\nCONSTRUCT" in text:
        body, _ = store.query(text, lambda _kind: by_name("ntriples"))
        graph = to_canonical_graph(Graph().parse(data=body, format="nt"))
        return sorted(" ".join(term.n3() for term in triple) for triple in graph)
    lines = [
        str(sorted((key, words(name, key, value)) for key, value in row.items()))
        for row in store.rows(text)
    ]
    return lines if "\nORDER BY" in text else sorted(lines)


def words(name: str, column: str, value: str) -> str:
    return " ".join(sorted(value.split())) if (name, column) in UNORDERED_WORDS else value
