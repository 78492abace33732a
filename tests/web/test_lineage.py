"""The lineage pages say what the canned queries say."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from medbench_kg.catalogue import internal, rows
from medbench_kg.evaluation import Limits, Pool
from medbench_kg.lineage import WIDTH, Lineage
from medbench_kg.settings import Settings
from medbench_kg.web.app import create_app

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore

DATASET = "https://w3id.org/medbench-kg/dataset/"


@pytest.fixture(scope="module")
def lineage(store: LocalStore) -> Lineage:
    return Lineage(store.rows(internal("derivations")), store.rows(internal("roles")))


def page(server: str, path: str) -> str:
    with urllib.request.urlopen(server + path) as response:
        return str(response.read().decode())


def table(text: str, heading: str) -> set[str]:
    """Titles in the rows below a heading."""
    part = text.split(f">{heading}</h", 1)[1].split("</table>", maxsplit=1)[0]
    return set(re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', part))


@pytest.mark.parametrize("slug", ["gemex", "pathmmu", "mimic-cxr", "pubmed"])
def test_both_directions_are_the_answers_of_the_canned_queries(
    lineage: Lineage, store: LocalStore, slug: str
) -> None:
    made_from = {row.get("source") for row in rows(store, "sources-of", dataset=slug)} - {None}
    assert lineage.sources(DATASET + slug) == made_from
    derived = {row["derived"] for row in rows(store, "derived-from", dataset=slug)}
    assert lineage.derived(DATASET + slug) == derived


@pytest.mark.parametrize("slug", ["gemex", "pathmmu", "mimic-cxr"])
def test_a_drawing_has_every_dataset_once_and_runs_from_left_to_right(
    lineage: Lineage, slug: str
) -> None:
    iri = DATASET + slug
    drawing = lineage.around(iri)
    assert {node.iri for node in drawing.nodes} == {
        iri,
        *lineage.sources(iri),
        *lineage.derived(iri),
    }
    assert len({(node.x, node.y) for node in drawing.nodes}) == len(drawing.nodes)
    assert all(edge.x < edge.to_x for edge in drawing.edges)
    assert drawing.width == max(node.x for node in drawing.nodes) + WIDTH


def test_a_drawing_is_the_same_each_time(lineage: Lineage) -> None:
    assert lineage.shared() == lineage.shared()


def test_what_is_at_risk_is_what_the_canned_queries_say(server: str, store: LocalStore) -> None:
    text = page(server, "/lineage?trained=pubmedvision&trained=derm1m")
    expected = {
        row["test_title"]
        for slug in ("pubmedvision", "derm1m")
        for row in rows(store, "contamination-risk", dataset=slug)
    }
    shown = text.split("I trained on", 1)[1].split("</section>")[0]
    assert table(text, f"{len(expected)} evaluation sets at risk") == expected
    assert shown.count("checked") == 2


def test_training_on_a_source_puts_at_risk_what_was_made_from_it(
    server: str, store: LocalStore, lineage: Lineage
) -> None:
    expected = {
        row["title"]
        for row in rows(store, "derived-from", dataset="mimic-cxr")
        if lineage.nodes[row["derived"]].role in {"evaluation", "both"}
    }
    text = page(server, "/lineage?trained=mimic-cxr")
    assert table(text, f"{len(expected)} evaluation sets at risk") == expected


def test_the_overview_counts_what_the_canned_query_counts(server: str, store: LocalStore) -> None:
    found = re.findall(
        r'<a href="/lineage/[^"]+">([^<]+)</a></th><td class="number">(\d+)</td>'
        r'<td class="number">(\d+)',
        page(server, "/lineage"),
    )
    asked = rows(store, "most-reused-sources")
    assert found == [(row["title"], row["direct"], row["transitive"]) for row in asked]


def test_every_box_of_a_drawing_leads_to_the_lineage_of_its_dataset(server: str) -> None:
    drawn = page(server, "/zh/lineage/pathmmu").split("<svg", 1)[1].split("</svg>")[0]
    assert 'href="/zh/lineage/pathmmu" aria-current="page"' in drawn
    assert 'href="/zh/lineage/openpath"' in drawn


@pytest.mark.parametrize(("path", "status"), [("/lineage/x", 404), ("/lineage?trained=x", 400)])
def test_an_unknown_dataset_is_said_to_be_unknown(server: str, path: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        page(server, path)
    assert refused.value.code == status
    refused.value.close()


@pytest.mark.parametrize("path", ["/lineage/mm-skin", "/dataset/mm-skin.html"])
def test_what_was_not_looked_for_is_not_said_to_be_safe(
    built: tuple[LocalStore, Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("medbench_kg.web.lineage._MAX_TRAINING_SETS", 0)
    app = create_app(*built, Pool(tmp_path, Limits(1, 1, 1, 1, 1)), Settings(access_log=False))
    text = app.test_client().get(path).text
    assert "wasn’t looked for" in text
    assert "Nothing is known to be at risk" not in text
