"""Pages of datasets and concepts say what the canned queries say."""

from __future__ import annotations

import re
import urllib.request
from typing import TYPE_CHECKING

import pytest

from medbench_kg.catalogue import rows

if TYPE_CHECKING:
    from medbench_kg.store import LocalStore


def page(server: str, path: str) -> str:
    asked = urllib.request.Request(server + path, headers={"Accept": "text/html"})
    with urllib.request.urlopen(asked) as response:
        return str(response.read().decode())


def unknown(text: str) -> set[str]:
    found = re.findall(r'<dt>([^<]+)(?:<[^/]*>)*</dt>\s*<dd><span class="unknown">', text)
    return {label.strip().lower() for label in found}


def test_what_is_not_known_is_said_to_be(server: str) -> None:
    assert {"language", "licence", "access"} <= unknown(page(server, "/dataset/gemex"))
    assert "modality" not in unknown(page(server, "/dataset/gemex"))


def test_of_a_source_outside_the_list_nothing_is_missed(server: str) -> None:
    assert unknown(page(server, "/dataset/mimic-cxr")) == set()


def test_a_fact_leads_to_its_evidence(server: str, store: LocalStore) -> None:
    text = page(server, "/dataset/gemex")
    cell = re.search(r"<dt>anatomical region(.*?)</dt>", text)
    assert cell
    anchors = re.findall(r'href="#([^"]+)"', cell[1])
    sources = [
        row["source"]
        for row in rows(store, "evidence-of", dataset="gemex")
        if row["property"].endswith("#anatomy")
    ]
    assert len(anchors) == len(sources) == 1
    evidence = text.split(f'id="{anchors[0]}"', 1)[1].split("</tr>", 1)[0]
    assert sources[0] in evidence


def test_results_are_those_of_the_canned_query(server: str, store: LocalStore) -> None:
    text = page(server, "/zh/dataset/gmai-mmbench")
    asked = rows(store, "results-of", dataset="gmai-mmbench")
    table = text.split("已报告的结果</caption>", 1)[1].split("</table>", 1)[0]
    assert re.findall(r'<td class="number">([^<]+)', table) == [row["value"] for row in asked]


def test_similar_datasets_are_the_first_of_the_canned_query(server: str, store: LocalStore) -> None:
    part = page(server, "/dataset/gemex").split("Similar datasets</h2>", 1)[1]
    shown = re.findall(r'<a href="/dataset/([^"]+)">[^<]+</a> <span class="count">(\d+)', part)
    asked = rows(store, "similar-datasets", dataset="gemex")[:6]
    assert shown == [(row["similar"].rpartition("/")[2], row["shared"]) for row in asked]


@pytest.mark.parametrize(
    ("scheme", "slug"), [("modality", "ct"), ("task", "visual-question-answering")]
)
def test_a_concept_counts_what_the_canned_query_counts(
    server: str, store: LocalStore, scheme: str, slug: str
) -> None:
    (row,) = [
        row
        for row in rows(store, "concept-counts", scheme=scheme)
        if row["concept"].endswith(f"/{slug}")
    ]
    shown = re.findall(r"<li><strong>(\d+)</strong>", page(server, f"/{scheme}/{slug}"))
    assert shown == [row["stated"], row["with_narrower"]]


def test_the_paper_of_a_dataset_comes_as_bibtex(server: str) -> None:
    (address,) = re.findall(r'<a href="([^"]+)">BibTeX</a>', page(server, "/zh/dataset/gemex"))
    with urllib.request.urlopen(server + address) as response:
        assert b"@" in response.read()


def test_a_concept_leads_to_its_row_of_the_coverage_table(server: str) -> None:
    (link,) = re.findall(r'href="([^"]+)">In the coverage table', page(server, "/modality/ct"))
    shown = page(server, link.replace("&amp;", "&"))
    assert "Computed tomography (CT)" in shown.split("<tbody>", 1)[1]


@pytest.mark.parametrize(
    ("path", "facet"), [("modality/ct", "modality"), ("task/reasoning", "task")]
)
def test_what_occurs_together_is_counted_as_the_canned_query_does(
    server: str, store: LocalStore, path: str, facet: str
) -> None:
    other = "task" if facet == "modality" else "modality"
    asked = rows(store, "cross-table", rows=facet, columns=other)
    counts = {row["column"]: row["datasets"] for row in asked if row["row"].endswith(f"/{path}")}
    text = page(server, f"/{path}").split("Occurs together with</h2>", 1)[1].split("</section>")[0]
    slug = path.partition("/")[2]
    shown = re.findall(rf'[?;]{other}=([\w-]+)[^"]*">[^<]+</a> <span class="count">(\d+)', text)
    assert shown
    assert all(counts[f"https://w3id.org/medbench-kg/{other}/{one}"] == n for one, n in shown)
    assert f"{facet}={slug}" in text
