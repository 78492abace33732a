"""A concept in one document, which needs no other: it, its datasets, their papers and records."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest
import rdflib
from rdflib import RDF, RDFS, URIRef
from rdflib.namespace import DCTERMS, SKOS

from medbench_kg import catalogue, vocabulary
from medbench_kg.negotiation import GRAPH_FORMATS, by_name
from medbench_kg.store import LocalStore
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from email.message import Message

    from medbench_kg.negotiation import Format

#: One of each way to be used: by a dataset, its sizes, its distributions, its paper.
CONCEPTS = ["modality/ct", "unit/image", "access/credentialed", "venue/iccv"]
RDFLIB = {"turtle": "turtle", "ntriples": "nt", "jsonld": "json-ld", "rdfxml": "xml"}
NAMES = (RDF.type, RDFS.label, SKOS.prefLabel, DCTERMS.title)


def fetch(address: str, **headers: str) -> tuple[Message, bytes]:
    request = urllib.request.Request(address, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.headers, answer.read()


def refused(address: str, **headers: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        fetch(address, **headers)
    refusal.value.close()
    return refusal.value.code


@pytest.fixture(scope="module")
def whole(store: LocalStore) -> rdflib.Graph:
    return store.copy_to_rdflib()


@pytest.mark.parametrize("fmt", GRAPH_FORMATS, ids=lambda fmt: fmt.name)
def test_a_bundle_says_the_same_in_every_format(server: str, fmt: Format) -> None:
    head, body = fetch(f"{server}/bundle/modality/ct", Accept=fmt.media_type)
    assert head.get_content_type() == fmt.media_type
    assert head["Content-Location"] == f"/bundle/modality/ct.{fmt.suffix}"
    assert "Accept" in head["Vary"]
    assert '<https://creativecommons.org/publicdomain/zero/1.0/>; rel="license"' in head["Link"]
    assert '</modality/ct>; rel="collection"' in head["Link"]
    address = f"{server}/bundle/modality/ct.{fmt.suffix}"
    named, suffixed = fetch(address)
    assert (suffixed, named["ETag"]) == (body, head["ETag"])
    assert refused(address, **{"If-None-Match": head["ETag"]}) == 304
    syntax = ox.RdfFormat.from_media_type(fmt.media_type)
    strictly = {quad.triple for quad in ox.parse(body, syntax)}
    _, plain = fetch(f"{server}/bundle/modality/ct.nt")
    assert strictly == {quad.triple for quad in ox.parse(plain, ox.RdfFormat.N_TRIPLES)}
    assert len(rdflib.Graph().parse(data=body, format=RDFLIB[fmt.name])) == len(strictly) > 1_000


@pytest.mark.parametrize("concept", CONCEPTS)
def test_what_a_bundle_points_to_has_the_type_and_the_labels_that_the_graph_gives_it(
    server: str, whole: rdflib.Graph, concept: str
) -> None:
    bundle = rdflib.Graph().parse(data=fetch(f"{server}/bundle/{concept}.nt")[1], format="nt")
    assert all(triple in whole for triple in bundle)
    assert (None, RDF.type, URIRef(f"{BASE}ontology#Dataset")) in bundle
    pointed = {o for o in bundle.objects() if isinstance(o, URIRef) and o.startswith(BASE)}
    assert [o for o in pointed if (o, RDF.type, None) not in bundle] == []
    for name in NAMES:
        named = [(o, name, value) for o in pointed for value in whole.objects(o, name)]
        assert [triple for triple in named if triple not in bundle] == []


@pytest.mark.parametrize("slug", ["ct", "radiology-image"])
def test_a_bundle_alone_answers_which_datasets_use_its_concept(
    server: str, store: LocalStore, slug: str
) -> None:
    _, body = fetch(f"{server}/bundle/modality/{slug}.ttl")
    alone = LocalStore(vocabulary.load().prefixes)
    alone.load(body, "turtle")
    query = catalogue.find("datasets-by-modality")
    expected, _ = catalogue.ask(store, query, {"modality": slug}, lambda _kind: by_name("tsv"))
    found, _ = catalogue.ask(alone, query, {"modality": slug}, lambda _kind: by_name("tsv"))
    assert found == expected
    elsewhere = rdflib.Graph().parse(data=body, format="turtle")
    assert len(elsewhere.query(query.bind({"modality": slug}))) == expected.count(b"\n") - 1 > 5


def test_a_bundle_holds_a_dataset_with_paper_distributions_sizes_and_record(
    server: str, whole: rdflib.Graph
) -> None:
    _, body = fetch(f"{server}/bundle/modality/chest-x-ray.nt")
    bundle = rdflib.Graph().parse(data=body, format="nt")
    things = ("dataset/gemex", "paper/arxiv-2411.16778", "record/gemex", "record/arxiv-2411.16778")
    parts = {s for s in whole.subjects() if s.startswith(f"{BASE}dataset/gemex#")}
    for subject in (*(URIRef(BASE + thing) for thing in things), *parts):
        assert (subject, None, None) in whole
        assert [t for t in whole.triples((subject, None, None)) if t not in bundle] == []


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("modality", "*/*", 404),
        ("dataset/gemex", "*/*", 404),
        ("modality/cd", "*/*", 404),
        ("modality/ct.html", "*/*", 404),
        ("modality/ct", "text/html", 406),
    ],
)
def test_what_is_no_concept_has_no_bundle(server: str, path: str, accept: str, status: int) -> None:
    assert refused(f"{server}/bundle/{path}", Accept=accept) == status


@pytest.mark.parametrize("lang", ["", "/zh"])
def test_the_page_of_a_concept_leads_to_its_bundle(server: str, lang: str) -> None:
    head, body = fetch(f"{server}{lang}/modality/ct", Accept="text/html")
    for fmt in GRAPH_FORMATS:
        address = f"/bundle/modality/ct.{fmt.suffix}"
        assert f'<{address}>; rel="item"; type="{fmt.media_type}"' in head["Link"]
        assert f'<a href="{address}"' in body.decode()
    _, dataset = fetch(f"{server}{lang}/dataset/gemex", Accept="text/html")
    assert b"/bundle/" not in dataset
