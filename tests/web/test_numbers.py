"""Every number on a page is what the canned query behind it answers."""

from __future__ import annotations

import re
import urllib.request
from typing import TYPE_CHECKING

import pytest

from medbench_kg.catalogue import rows
from medbench_kg.facets import arguments
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Callable

    from medbench_kg.store import LocalStore

    #: What is asked of a graph, and the numbers on the page about that.
    Case = tuple[str, Callable[[str], list[str]], Callable[[LocalStore], list[str]]]


def found(pattern: str, part: str = "", end: str = "</section>") -> Callable[[str], list[str]]:
    """Reads what a pattern finds in a page, from a text on to the end of its part."""

    def read(text: str) -> list[str]:
        begin = text.index(part)
        inside = text[begin : text.index(end, begin)] if part else text
        return [number.replace(",", "") for number in re.findall(pattern, inside)]

    return read


def count(name: str, **asked: str) -> Callable[[LocalStore], list[str]]:
    return lambda store: [str(len(rows(store, name, **asked)))]


def concept(path: str) -> Callable[[LocalStore], list[str]]:
    def told(store: LocalStore) -> list[str]:
        row = next(r for r in rows(store, "concept-counts") if r["concept"] == BASE + path)
        return [row["stated"], row["with_narrower"]]

    return told


def by_day(store: LocalStore) -> list[str]:
    days = [row["modified"] for row in rows(store, "recent-changes")[:200]]
    return [str(days.count(day)) for day in dict.fromkeys(days)]


CONCEPTS = """SELECT (COUNT(DISTINCT ?c) AS ?n)
  { ?c a <http://www.w3.org/2004/02/skos/core#Concept> }"""
TRIPLES = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"
STRONG, COUNT = r"<strong>([\d,]+)</strong>", r'class="count">(\d+)'
CASES: dict[str, Case] = {
    "start: datasets": ("/", lambda t: found(STRONG)(t)[:1], count("find")),
    "datasets: all": ("/datasets", found(r'id="found">(\d+)'), count("find")),
    "datasets: chosen": (
        "/datasets?modality=ct&language=en",
        found(r'id="found">(\d+)'),
        count("find", modality="ct", language="en"),
    ),
    "concept": ("/modality/ct.html", found(STRONG), concept("modality/ct")),
    "concept of another scheme": (
        "/specialty/radiology.html",
        found(STRONG),
        concept("specialty/radiology"),
    ),
    "dataset: similar": (
        "/dataset/gemex.html",
        found(COUNT, "Similar datasets</h2>"),
        lambda store: [
            row["shared"] for row in rows(store, "similar-datasets", dataset="gemex")[:6]
        ],
    ),
    "changes": ("/changes", found(rf"</time> <span {COUNT}"), by_day),
    "lineage: sources": (
        "/lineage",
        found(r'class="number">(\d+)</td>', 'caption id="sources"', "</table>"),
        lambda store: [
            row[column]
            for row in rows(store, "most-reused-sources")
            for column in ("direct", "transitive")
        ],
    ),
    "query": (
        "/query/find?task=reasoning",
        found(r"<p>(\d+) rows"),
        count("find", task="reasoning"),
    ),
}


def page(server: str, path: str) -> str:
    request = urllib.request.Request(server + path, headers={"Accept": "text/html"})
    with urllib.request.urlopen(request) as response:
        return str(response.read().decode())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_number_is_that_of_its_query(server: str, store: LocalStore, case: Case) -> None:
    path, read, ask = case
    shown = read(page(server, path))
    assert shown
    assert shown == ask(store)


def test_the_numbers_of_the_start_page_are_those_of_the_graph(
    server: str, store: LocalStore
) -> None:
    shown = found(STRONG)(page(server, "/"))
    listed = {row["dataset"] for row in rows(store, "find")}
    things = {row["thing"] for row in rows(store, "recent-changes")}
    papers = {one for one in things if one.startswith(f"{BASE}paper/")}
    sources = {one for one in things if one.startswith(f"{BASE}dataset/")} - listed
    assert shown == [
        *(str(len(some)) for some in (listed, papers, sources)),
        *(next(iter(store.rows(query)))["n"] for query in (CONCEPTS, TRIPLES)),
    ]


@pytest.mark.parametrize("path", ["/", "/coverage", "/coverage?rows=task&columns=language"])
def test_a_cell_leads_to_as_many_datasets_as_it_says(
    server: str, store: LocalStore, path: str
) -> None:
    cells = re.findall(
        r'<a href="/datasets\?(\w+)=([^&"]+)&amp;(\w+)=([^"]+)">(\d+)<', page(server, path)
    )
    assert len(cells) > 10
    for one, first, other, second, number in cells[::5]:
        asked = arguments({one: first, other: second})
        assert int(number) == len(rows(store, "find", **asked)), (first, second)


def test_a_facet_leads_to_as_many_datasets_as_it_says(server: str, store: LocalStore) -> None:
    links = re.findall(
        r'<a href="/datasets\?(\w+)=([^&"]+)">[^<]+</a>\s*<span class="count">(\d+)',
        page(server, "/datasets"),
    )
    assert {facet for facet, _, _ in links} >= {"modality", "task", "year", "size"}
    for facet, slug, number in links[::4]:
        assert int(number) == len(rows(store, "find", **arguments({facet: slug}))), slug
