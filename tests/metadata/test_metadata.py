"""What the graph says about itself is true, parses strictly, and is where tools look for it."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest
from rdflib import RDF, RDFS, SDO, SH, VOID, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, FOAF, SKOS

from medbench_kg import catalogue, vocabulary
from medbench_kg.metadata import CATALOGUE_GRAPH, QUERIES_GRAPH, VOID_GRAPH
from medbench_kg.negotiation import GRAPH_FORMATS, by_name

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.negotiation import Format
    from medbench_kg.store import LocalStore

BASE = vocabulary.BASE
DATASET = URIRef(f"{BASE}catalogue#medbench-kg")
EXT = Namespace("http://ldf.fi/void-ext#")
MB = Namespace(f"{BASE}ontology#")
RDFLIB = {"turtle": "turtle", "ntriples": "nt", "rdfxml": "xml", "jsonld": "json-ld"}
STRICT = {
    "turtle": ox.RdfFormat.TURTLE,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "rdfxml": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
}
DOCUMENTS = {
    "/.well-known/void": VOID_GRAPH,
    "/.well-known/sparql-examples": QUERIES_GRAPH,
    "/catalogue": CATALOGUE_GRAPH,
}


@pytest.fixture(scope="module")
def graph(store: LocalStore) -> Graph:
    return store.copy_to_rdflib()


@pytest.fixture(scope="module")
def void(store: LocalStore) -> Graph:
    return store.copy_to_rdflib(VOID_GRAPH)


@pytest.fixture(scope="module")
def queries(store: LocalStore) -> Graph:
    return store.copy_to_rdflib(QUERIES_GRAPH)


def number(graph: Graph, subject: URIRef, predicate: URIRef) -> int:
    value = graph.value(subject, predicate)
    assert value is not None, f"{subject} has no {predicate}"
    return int(value)


def test_void_counts_what_the_graph_holds(void: Graph, graph: Graph) -> None:
    assert number(void, DATASET, VOID.triples) == len(graph)
    assert number(void, DATASET, VOID.distinctSubjects) == len(set(graph.subjects()))
    assert number(void, DATASET, VOID.distinctObjects) == len(set(graph.objects()))
    assert number(void, DATASET, VOID.properties) == len(set(graph.predicates()))
    assert number(void, DATASET, VOID.classes) == len(set(graph.objects(None, RDF.type)))


def test_every_class_has_a_partition_with_the_number_of_its_instances(
    void: Graph, graph: Graph
) -> None:
    described = {
        void.value(partition, VOID["class"]): number(void, partition, VOID.entities)
        for partition in void.objects(DATASET, VOID.classPartition)
    }
    classes = set(graph.objects(None, RDF.type))
    assert described == {c: len(set(graph.subjects(RDF.type, c))) for c in classes}


def test_every_property_has_a_partition_with_the_number_of_its_triples(
    void: Graph, graph: Graph
) -> None:
    described = {
        void.value(partition, VOID.property): number(void, partition, VOID.triples)
        for partition in void.objects(DATASET, VOID.propertyPartition)
    }
    properties = set(graph.predicates())
    assert described == {p: len(list(graph.subject_objects(p))) for p in properties}


def test_a_class_has_the_properties_classes_and_datatypes_of_its_instances(
    void: Graph, graph: Graph
) -> None:
    partition = URIRef(f"{VOID_GRAPH}#mb:Benchmark")
    benchmarks = set(graph.subjects(RDF.type, MB.Benchmark))
    inner = {
        void.value(p, VOID.property): p for p in void.objects(partition, VOID.propertyPartition)
    }
    assert set(inner) == {p for b in benchmarks for p in graph.predicates(b)}
    papers = inner[URIRef("http://purl.org/spar/cito/isDescribedBy")]
    classes = {
        void.value(p, VOID["class"]): number(void, p, VOID.triples)
        for p in void.objects(papers, VOID.classPartition)
    }
    assert classes[MB.Paper] == number(void, papers, VOID.triples) > 40
    titles = inner[DCTERMS.title]
    datatypes = {
        void.value(p, EXT.datatype): number(void, p, VOID.triples)
        for p in void.objects(titles, EXT.datatypePartition)
    }
    assert datatypes == {RDF.langString: number(void, titles, VOID.triples)}


def test_every_mapping_is_in_the_linkset_of_its_target(void: Graph, graph: Graph) -> None:
    links = (SKOS.exactMatch, SKOS.closeMatch, SKOS.broadMatch, SKOS.narrowMatch, SKOS.relatedMatch)
    mapped = [str(code) for link in links for code in graph.objects(None, link)]
    linksets = set(void.objects(DATASET, VOID.subset))
    assert sum(number(void, linkset, VOID.triples) for linkset in linksets) == len(mapped) > 300
    for linkset in linksets:
        target = void.value(linkset, VOID.objectsTarget)
        space = str(void.value(target, VOID.uriSpace))
        assert number(void, linkset, VOID.triples) == sum(c.startswith(space) for c in mapped) > 0
        assert void.value(target, DCTERMS.title)


def test_examples_entrances_and_vocabularies_are_in_the_graph(void: Graph, graph: Graph) -> None:
    things = set(void.objects(DATASET, VOID.exampleResource))
    things |= set(void.objects(DATASET, VOID.rootResource))
    assert len(things) > 30
    assert [thing for thing in things if (thing, None, None) not in graph] == []
    vocabularies = {str(v) for v in void.objects(DATASET, VOID.vocabulary)}
    terms = set(graph.predicates()) | set(graph.objects(None, RDF.type))
    assert vocabularies == {str(t)[: max(str(t).rfind("#"), str(t).rfind("/")) + 1] for t in terms}


def test_a_canned_query_in_the_graph_finds_as_many_rows_as_it_says(
    queries: Graph, store: LocalStore
) -> None:
    found = set(queries.subjects(RDF.type, SH.SPARQLExecutable))
    assert found == {URIRef(f"{BASE}query/{q.name}") for q in catalogue.catalogue()}
    for query in found:
        assert (query, RDF.type, SH.SPARQLSelectExecutable) in queries
        rows = list(store.rows(str(queries.value(query, SH.select))))
        result = queries.value(query, SDO.result)
        assert len(rows) == number(queries, result, SDO.numberOfItems)


def test_a_canned_query_in_the_graph_says_what_its_file_says(queries: Graph) -> None:
    query = catalogue.find("find")
    node = URIRef(f"{BASE}query/find")
    comments = {c.language: str(c) for c in queries.objects(node, RDFS.comment)}
    assert comments == query.question
    assert {str(k) for k in queries.objects(node, SDO.keywords)} == set(query.tags)
    assert queries.value(node, SDO.target) == URIRef(f"{BASE}sparql")
    parameters = {str(queries.value(p, SH.name)): p for p in queries.objects(node, SH.parameter)}
    assert set(parameters) == {p.name for p in query.parameters}
    modality = parameters["modality"]
    scheme = queries.value(modality, SH.property)
    assert queries.value(scheme, SH.hasValue) == URIRef(f"{BASE}modality")
    assert str(queries.value(modality, SH.path)).endswith("#modality")
    assert len(list(queries.items(queries.value(parameters["role"], SH["in"])))) == 3


def test_prefixes_are_declared_for_editors(queries: Graph, void: Graph) -> None:
    for described in (queries, void):
        declared = {
            str(described.value(node, SH.prefix)): described.value(node, SH.namespace).toPython()
            for node in described.objects(None, SH.declare)
        }
        assert declared == vocabulary.load().prefixes


@pytest.mark.parametrize("name", DOCUMENTS.values())
def test_descriptions_use_pinned_terms_only(name: str, store: LocalStore, root: Path) -> None:
    pinned = set(Graph().parse(root / "ontology/imports/terms.ttl").subjects())
    described = store.copy_to_rdflib(name)
    used = set(described.predicates()) | set(described.objects(None, RDF.type))
    used |= {o.datatype for o in described.objects() if isinstance(o, Literal) and o.datatype}
    assert sorted(used - pinned) == []


@pytest.mark.parametrize("fmt", GRAPH_FORMATS, ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_description_is_served_strictly_well_formed_in_every_syntax(
    server: str, store: LocalStore, path: str, fmt: Format
) -> None:
    request = urllib.request.Request(server + path, headers={"Accept": fmt.media_type})
    with urllib.request.urlopen(request, timeout=30) as answer:
        body = answer.read()
        assert answer.headers["Content-Type"] == fmt.content_type
        assert "Accept" in answer.headers["Vary"]
        assert answer.headers["ETag"]
    expected = len(store.copy_to_rdflib(DOCUMENTS[path]))
    assert len(list(ox.parse(body, STRICT[fmt.name]))) == expected
    assert len(Graph().parse(data=body, format=RDFLIB[fmt.name])) == expected


@pytest.mark.parametrize("path", DOCUMENTS)
def test_the_json_ld_of_a_description_has_our_context_and_keys(server: str, path: str) -> None:
    request = urllib.request.Request(server + path, headers={"Accept": "application/ld+json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        document = json.load(answer)
    assert document["@context"] == vocabulary.load().context
    assert [key for node in document["@graph"] for key in node if "://" in key] == []


@pytest.mark.parametrize("fmt", GRAPH_FORMATS, ids=lambda fmt: fmt.name)
@pytest.mark.parametrize("path", ["/", "/zh/"])
def test_a_machine_that_asks_at_the_start_page_gets_the_catalogue(
    server: str, path: str, fmt: Format
) -> None:
    request = urllib.request.Request(server + path, headers={"Accept": fmt.media_type})
    with urllib.request.urlopen(request, timeout=30) as answer:
        body = answer.read()
        assert answer.headers["Content-Type"] == fmt.content_type
        assert "Accept" in answer.headers["Vary"]
        location = answer.headers["Content-Location"]
    with urllib.request.urlopen(server + location, timeout=30) as answer:
        assert answer.read() == body


@pytest.mark.parametrize("accept", ["*/*", "text/html,application/xml;q=0.9,*/*;q=0.8"])
def test_everybody_else_gets_the_start_page(server: str, accept: str) -> None:
    request = urllib.request.Request(server, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "Accept" in answer.headers["Vary"]
        assert b"<!doctype html>" in answer.read()[:20]


def test_a_dataset_of_the_list_says_that_the_catalogue_collects_it(server: str) -> None:
    for thing, is_listed in (("gemex", True), ("mimic-cxr", False)):
        with urllib.request.urlopen(f"{server}/dataset/{thing}.html", timeout=30) as answer:
            link = f'<{CATALOGUE_GRAPH}>; rel="collection"'
            assert (link in answer.headers["Link"]) is is_listed


def test_an_editor_finds_classes_prefixes_and_queries_in_the_service_description(
    server: str, void: Graph
) -> None:
    request = urllib.request.Request(f"{server}/sparql", headers={"Accept": "text/turtle"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        service = Graph().parse(data=answer.read(), format="turtle")
    sd = Namespace("http://www.w3.org/ns/sparql-service-description#")
    (default,) = service.objects(None, sd.defaultGraph)
    partitions = set(service.objects(default, VOID.classPartition))
    assert partitions == set(void.objects(DATASET, VOID.classPartition))
    assert len(set(service.subjects(RDF.type, SH.SPARQLExecutable))) == len(catalogue.catalogue())
    names = {str(name) for name in service.objects(None, sd.name)}
    assert {VOID_GRAPH, QUERIES_GRAPH, f"{BASE}graph/shapes"} <= names


def test_the_graphs_that_the_service_names_hold_as_much_as_it_says(
    server: str, store: LocalStore
) -> None:
    request = urllib.request.Request(f"{server}/sparql", headers={"Accept": "text/turtle"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        service = Graph().parse(data=answer.read(), format="turtle")
    sd = Namespace("http://www.w3.org/ns/sparql-service-description#")
    sized = 0
    for named in service.objects(None, sd.namedGraph):
        described = service.value(named, sd.graph)
        triples = service.value(described, VOID.triples)
        if triples is not None:  # the VoID description doesn't count itself
            sized += 1
            assert int(triples) == len(store.copy_to_rdflib(str(service.value(named, sd.name))))
    assert sized == 3


def test_void_says_whose_description_it_is(void: Graph) -> None:
    document = URIRef(VOID_GRAPH)
    assert void.value(document, FOAF.primaryTopic) == DATASET
    dumps = {
        str(dump).removeprefix(f"{BASE}data/") for dump in void.objects(DATASET, VOID.dataDump)
    }
    assert dumps == {f"medbench.{by_name(name).suffix}" for name in RDFLIB}
