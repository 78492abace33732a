"""Croissant and schema.org: valid for their own tools, and true to the graph."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyoxigraph as ox
import pytest
from mlcroissant import Dataset
from rdflib import RDF, Graph, Namespace, URIRef
from rdflib.namespace import DCTERMS, SDO
from signposting import find_signposting_http

from medbench_kg import markup
from medbench_kg.evaluation import Limits, Pool
from medbench_kg.negotiation import CROISSANT
from medbench_kg.settings import Settings
from medbench_kg.store import LocalStore
from medbench_kg.web.app import create_app

if TYPE_CHECKING:
    from medbench_kg.builds import Manifest

BASE = "https://w3id.org/medbench-kg/"
MB = Namespace(f"{BASE}ontology#")
SKOS = Namespace("http://www.w3.org/2004/02/skos/core#")
HOSTILE = """
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix mb: <https://w3id.org/medbench-kg/ontology#> .
<https://w3id.org/medbench-kg/dataset/hostile> a mb:Dataset ;
  dcterms:title "</script><script>alert(1)"@en .
"""
#: What mlcroissant recommends and the graph may not know.
UNKNOWN = re.compile(r'Property "\S+(version|license|citeAs)" is recommended, but does not exist')


@pytest.fixture(scope="module")
def graph(store: LocalStore) -> Graph:
    return store.copy_to_rdflib()


@pytest.fixture(scope="module")
def listed(graph: Graph) -> list[str]:
    """The 59 datasets of the list."""
    sources = set(graph.subjects(RDF.type, MB.SourceDataset))
    return sorted(str(one) for one in set(graph.subjects(RDF.type, MB.Dataset)) - sources)


@pytest.fixture(scope="module")
def croissants(store: LocalStore, listed: list[str]) -> dict[str, dict[str, Any]]:
    return {iri: json.loads(markup.croissant(store, iri)) for iri in listed}


def triples(document: object) -> set[ox.Triple]:
    """JSON-LD as Oxigraph reads it, which fetches no context."""
    quads = ox.parse(json.dumps(document), ox.RdfFormat.JSON_LD, base_iri="http://localhost/")
    return {quad.triple for quad in quads}


def test_mlcroissant_finds_no_error_and_misses_only_what_nobody_knows(
    croissants: dict[str, dict[str, Any]],
) -> None:
    assert len(croissants) == 59
    for document in croissants.values():
        issues = Dataset(jsonld=document).metadata.ctx.issues
        assert not issues.errors
        assert [text for text in issues.warnings if not UNKNOWN.search(text)] == []


def test_a_licence_that_is_known_is_in_the_croissant(
    croissants: dict[str, dict[str, Any]], graph: Graph
) -> None:
    for iri, document in croissants.items():
        distributions = graph.objects(URIRef(iri), URIRef("http://www.w3.org/ns/dcat#distribution"))
        known = {any(graph.objects(one, MB.licence)) for one in distributions}
        assert ("license" in document) == (True in known), iri


def test_a_croissant_names_no_file_and_says_its_name_in_its_languages(
    croissants: dict[str, dict[str, Any]],
) -> None:
    gemex = croissants[f"{BASE}dataset/gemex"]
    assert gemex["conformsTo"] == "http://mlcommons.org/croissant/1.1"
    assert gemex["name"] == {"en": "GEMeX"}
    assert set(gemex["description"]) == {"en", "zh"}
    assert gemex["citeAs"].startswith("@inproceedings{paper:arxiv-2411.16778")
    assert all("distribution" not in document for document in croissants.values())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_markup_is_json_ld_that_needs_no_network(
    store: LocalStore, listed: list[str], graph: Graph, lang: str
) -> None:
    for iri in listed:
        found = triples(markup.schema_org(store, iri, "zh" if lang == "zh" else "en"))
        subject = ox.NamedNode(iri)
        assert ox.Triple(subject, ox.NamedNode(RDF.type), ox.NamedNode(SDO.Dataset)) in found
        said = {t.object.value for t in found if t.predicate.value == str(SDO.description)}
        texts = graph.objects(URIRef(iri), DCTERMS.description)
        assert said == {str(text) for text in texts if getattr(text, "language", "") == lang}


def test_markup_uses_only_terms_of_schema_org(store: LocalStore, graph: Graph) -> None:
    known = {str(term) for term in dir(SDO)}
    kinds = (MB.Dataset, MB.Paper, SKOS.Concept, SKOS.ConceptScheme)
    for kind in kinds:
        for thing in sorted(graph.subjects(RDF.type, kind))[:15]:
            for triple in triples(markup.schema_org(store, str(thing), "en")):
                terms = [triple.predicate]
                if triple.predicate.value == str(RDF.type):
                    terms = [triple.object]
                assert [term for term in terms if term.value not in known] == []


def test_authors_keep_their_order(store: LocalStore) -> None:
    paper = markup.schema_org(store, f"{BASE}paper/arxiv-2402.09181", "en")
    assert [author["name"] for author in paper["author"]][:2] == ["Yutao Hu", "Tianbin Li"]


def test_a_concept_is_a_term_of_its_scheme(store: LocalStore) -> None:
    concept = markup.schema_org(store, f"{BASE}modality/ct", "zh")
    assert (concept["@type"], concept["name"]) == ("DefinedTerm", "计算机断层扫描（CT）")
    assert concept["inDefinedTermSet"]["@id"] == f"{BASE}modality"


def test_what_is_none_of_these_has_no_markup(store: LocalStore) -> None:
    assert "@type" not in markup.schema_org(store, f"{BASE}record/gemex", "en")


def test_a_dataset_has_croissant_and_references_beside_its_other_formats(server: str) -> None:
    def fetch(path: str, accept: str = "*/*") -> tuple[str, bytes]:
        request = urllib.request.Request(server + path, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.headers["Content-Type"], response.read()

    media_type, body = fetch("/dataset/gemex.croissant.json")
    assert media_type == 'application/ld+json;profile="http://mlcommons.org/croissant/1.1"'
    signpost = find_signposting_http(f"{server}/dataset/gemex.html")
    assert CROISSANT.profile in {
        str(profile) for one in signpost.describedBy for profile in one.profiles
    }
    assert not Dataset(jsonld=json.loads(body)).metadata.ctx.issues.errors
    assert fetch("/paper/arxiv-2411.16778.bib")[1].startswith(b"@inproceedings{")
    assert fetch("/dataset/gemex", "application/x-bibtex")[1].startswith(b"@misc{dataset:gemex,")
    assert fetch("/dataset/gemex.ris")[1].startswith(b"TY  - DATA\n")
    assert json.loads(fetch("/dataset/gemex.csl.json")[1])[0]["type"] == "dataset"
    page = fetch("/zh/modality/ct", "text/html")[1].decode()
    assert 'href="/zh/modality/ct/feed.atom"' in page


def test_a_text_in_a_page_cannot_end_its_script(built: tuple[LocalStore, Manifest]) -> None:
    store = LocalStore()
    store.load(HOSTILE.encode(), "turtle")
    pool = Pool(Path("nowhere"), Limits(1, 1 << 26, 1 << 20, 1, 1))
    client = create_app(store, built[1], pool, Settings()).test_client()
    page = client.get("/dataset/hostile", headers={"Accept": "text/html"}).text
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert json.loads(block)["name"] == "</script><script>alert(1)"
    assert "<script>alert" not in page
