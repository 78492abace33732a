"""The server in front of another engine: same routes, same answers, and its failures told."""

from __future__ import annotations

import csv
import io
import json
import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import peers
import processes
import pytest

from medbench_kg import elsewhere
from medbench_kg.catalogue import ask, find
from medbench_kg.graph import SHAPES_GRAPH
from medbench_kg.negotiation import by_name
from medbench_kg.settings import Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from email.message import Message

    from medbench_kg.store import LocalStore

    Running = Callable[..., AbstractContextManager[str]]


PAGES = [
    *("/", "/zh/", "/sparql", "/query/find", "/datasets?modality=ct", "/coverage", "/lineage"),
    *("/dataset/gemex", "/zh/dataset/pathmmu", "/modality/ct", "/venue/iccv", "/contribute"),
    *("/compare?d=gemex&d=pathmmu", "/corrections", "/quality", "/timeline", "/search?q=pathology"),
]


@pytest.fixture(scope="module")
def front(oxigraph: Endpoint, running: Running) -> Iterator[str]:
    with running(MEDBENCH_ENDPOINT=oxigraph.url) as address:
        yield address


def get(url: str, accept: str = "*/*") -> tuple[int, Message, bytes]:
    request = urllib.request.Request(url, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def sparql(front: str, query: str, accept: str = "text/csv", **more: str) -> tuple[int, bytes]:
    status, _, body = get(f"{front}/sparql?{urlencode({'query': query, **more})}", accept)
    return status, body


def links(page: bytes) -> set[str]:
    """Where a page leads to; dumps and feeds are there for the built graph alone."""
    found = set(re.findall(r'href="(/[^"]*)"', page.decode()))
    return {path for path in found if not path.startswith(("/data/", "/ns"))}


def rows(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode())))


def test_a_canned_query_is_answered_by_the_engine_behind(front: str, store: LocalStore) -> None:
    status, headers, body = get(f"{front}/query/coverage?modality=ct&format=csv")
    here, _ = ask(store, find("coverage"), {"modality": "ct"}, lambda _: by_name("csv"))
    assert (status, rows(body)) == (200, rows(here))
    assert headers["ETag"] is None
    assert "no-store" in headers["Cache-Control"]


@pytest.fixture(scope="module", params=["oxigraph", "virtuoso"])
def site(request: pytest.FixtureRequest, running: Running) -> Iterator[str]:
    behind: Endpoint = request.getfixturevalue(request.param)
    with running(MEDBENCH_ENDPOINT=behind.url, MEDBENCH_GRAPH=behind.graph or "") as address:
        yield address


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_those_of_the_embedded_graph(site: str, server: str, path: str) -> None:
    (status, _, page), (_, _, own) = get(site + path, "text/html"), get(server + path, "text/html")
    assert status == 200
    assert links(page) == links(own)


def test_a_strangers_query_is_answered_in_every_form(front: str, store: LocalStore) -> None:
    count = "SELECT (COUNT(*) AS ?n) WHERE { ?s ?p ?o }"
    here = store.query(count, lambda _: by_name("csv"))[0]
    assert sparql(front, count) == (200, here)
    _, answer = sparql(front, "ASK { ?s ?p ?o }", "application/sparql-results+json")
    assert json.loads(answer)["boolean"] is True
    status, triples = sparql(front, "DESCRIBE <dataset/gemex>", "application/n-triples")
    assert (status, b"GEMeX" in triples) == (200, True)


def test_graphs_are_chosen_by_parameters_and_by_from(front: str) -> None:
    count = "SELECT (COUNT(*) AS ?n) {} WHERE {{ ?s a <http://www.w3.org/ns/shacl#NodeShape> }}"
    by_parameter = sparql(front, count.format(""), **{"default-graph-uri": SHAPES_GRAPH})
    by_text = sparql(front, count.format(f"FROM <{SHAPES_GRAPH}>"))
    assert by_parameter == by_text
    assert int(rows(by_text[1])[1][0]) > 0
    assert rows(sparql(front, count.format(""))[1])[1] == ["0"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("INSERT DATA { <http://e/> <http://e/> 1 }", 403),
        ("SELECT * WHERE { SERVICE <http://127.0.0.1:9/> { ?s ?p ?o } }", 400),
        ("SELECT * WHERE { ?s ", 400),
    ],
)
def test_what_is_no_read_never_reaches_the_engine_behind(
    front: str, query: str, status: int
) -> None:
    assert sparql(front, query)[0] == status


def test_an_engine_that_ends_is_told_to_each_client(
    built: object, running: Running, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert built
    peer = peers.empty_oxigraph(tmp_path_factory.mktemp("ending"))
    address = f"http://127.0.0.1:{peer.port}"
    elsewhere.push(Endpoint(f"{address}/store"), 60)
    with running(MEDBENCH_ENDPOINT=f"{address}/query") as front:
        assert get(f"{front}/readyz")[0] == 200
        processes.stop(peer.process)
        assert get(f"{front}/readyz")[0] == 503
        status, headers, body = get(f"{front}/query/coverage?format=csv")
        assert status == 503
        assert int(headers["Retry-After"]) > 0
        assert json.loads(body)["type"].endswith("/endpoint")
        assert sparql(front, "SELECT * WHERE { ?s ?p ?o } LIMIT 1")[0] == 503
        assert get(f"{front}/healthz")[0] == 200
