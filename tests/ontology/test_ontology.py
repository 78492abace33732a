"""Own terms are documented in both languages; foreign terms exist; the ontology is consistent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import owlrl
import pytest
from rdflib import OWL, RDF, RDFS, SKOS, Graph, Namespace, URIRef
from rdflib.namespace import DCTERMS

from medbench_kg import vocabulary
from medbench_kg.graph import SHAPES_GRAPH

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.pipeline import Assembled

BASE = vocabulary.BASE
MB = Namespace(f"{BASE}ontology#")
VS = Namespace("http://www.w3.org/2003/06/sw-vocab-status/ns#")
MAPPINGS = (
    SKOS.exactMatch,
    SKOS.closeMatch,
    SKOS.broadMatch,
    SKOS.narrowMatch,
    SKOS.relatedMatch,
)
CHINESE = re.compile(r"[一-鿿]")

#: Namespaces of published vocabularies; everything in them must be a pinned term.
PINNED = tuple(
    namespace for namespace in vocabulary.load().prefixes.values() if not namespace.startswith(BASE)
)


@pytest.fixture(scope="module")
def graph(assembled: Assembled) -> Graph:
    return assembled.store.copy_to_rdflib()


@pytest.fixture(scope="module")
def ontology(root: Path) -> Graph:
    return Graph().parse(root / "ontology" / "medbench.ttl")


def languages(graph: Graph, term: URIRef, predicate: URIRef) -> dict[str, str]:
    return {value.language: str(value) for value in graph.objects(term, predicate)}


def own_terms(ontology: Graph) -> list[URIRef]:
    return sorted({term for term in ontology.subjects(RDF.type) if str(term).startswith(MB)})


def test_every_own_term_is_documented_in_both_languages(ontology: Graph) -> None:
    lacking = [
        (term, predicate)
        for term in own_terms(ontology)
        for predicate in (RDFS.label, SKOS.definition)
        if set(languages(ontology, term, predicate)) != {"en", "zh"}
    ]
    assert lacking == []


def test_every_own_term_has_status_example_and_home(ontology: Graph) -> None:
    lacking = [
        (term, predicate)
        for term in own_terms(ontology)
        for predicate in (VS.term_status, SKOS.example, RDFS.isDefinedBy)
        if ontology.value(term, predicate) is None
    ]
    assert lacking == []


def test_examples_of_terms_are_in_the_graph(ontology: Graph, graph: Graph) -> None:
    ours = {
        example
        for example in ontology.objects(None, SKOS.example)
        if isinstance(example, URIRef) and str(example).startswith(BASE)
    }
    assert sorted(example for example in ours if (example, None, None) not in graph) == []


def test_the_ontology_names_its_version(ontology: Graph) -> None:
    version = ontology.value(URIRef(f"{BASE}ontology"), OWL.versionIRI)
    assert version == URIRef(f"{BASE}ontology/0.1.0")


def test_every_concept_has_chinese_labels_and_definitions(graph: Graph) -> None:
    lacking = []
    for concept in set(graph.subjects(RDF.type, SKOS.Concept)):
        labels = languages(graph, concept, SKOS.prefLabel)
        is_venue = (concept, RDF.type, MB.Venue) in graph
        definitions = {"en": "", "zh": "中"}
        if not is_venue:
            definitions = languages(graph, concept, SKOS.definition)
        good = (
            set(labels) == set(definitions) == {"en", "zh"}
            and CHINESE.search(labels["zh"])
            and CHINESE.search(definitions["zh"])
        )
        if not good:
            lacking.append((str(concept), labels))
    assert lacking == []


def test_every_scheme_is_titled_and_reachable(graph: Graph) -> None:
    schemes = set(graph.objects(None, SKOS.inScheme))
    titled = {s for s in schemes if set(languages(graph, s, DCTERMS.title)) == {"en", "zh"}}
    assert sorted(schemes - titled) == []


def test_every_concept_reaches_the_top_of_its_scheme(graph: Graph) -> None:
    lost = []
    for concept in set(graph.subjects(RDF.type, SKOS.Concept)):
        if (concept, RDF.type, MB.Venue) in graph:
            continue
        above = set(graph.transitive_objects(concept, SKOS.broader))
        if not any((ancestor, SKOS.topConceptOf, None) in graph for ancestor in above):
            lost.append(str(concept))
    assert lost == []


def test_every_used_own_term_is_defined(graph: Graph, ontology: Graph) -> None:
    defined = set(own_terms(ontology))
    used = {
        term
        for triple in graph
        for term in triple
        if isinstance(term, URIRef) and str(term).startswith(str(MB)) and term != URIRef(MB)
    }
    assert sorted(used - defined) == []


def test_every_foreign_term_is_pinned(assembled: Assembled, graph: Graph, root: Path) -> None:
    pinned = {str(term) for term in Graph().parse(root / "ontology/imports/terms.ttl").subjects()}
    shapes = assembled.store.copy_to_rdflib(SHAPES_GRAPH)
    used = {
        str(term)
        for triples in (graph, shapes)
        for triple in triples
        if triple[1] not in MAPPINGS  # what we map to is the mapping set's business
        for term in triple
        if isinstance(term, URIRef) and str(term).startswith(PINNED) and str(term) not in PINNED
    }
    used |= {
        str(literal.datatype)
        for literal in graph.objects()
        if getattr(literal, "datatype", None) is not None
    }
    assert sorted(used - pinned - {str(RDF.langString)}) == []


def test_alignments_are_in_the_graph(graph: Graph, root: Path) -> None:
    lines = (root / "ontology/mappings/alignments.sssom.tsv").read_text().splitlines()
    rows = [line for line in lines if line and not line.startswith("#")][1:]
    foreign = {
        (s, o)
        for predicate in MAPPINGS
        for s, o in graph.subject_objects(predicate)
        if "spdx.org" not in str(o)
    }
    assert len(rows) == len(foreign) == 316
    subjects = {s for s, _ in foreign}
    assert sorted(s for s in subjects if (s, RDF.type, SKOS.Concept) not in graph) == []


def closure(graph: Graph) -> list[str]:
    """What an OWL RL reasoner objects to."""
    copy = Graph()
    for triple in graph:
        copy.add(triple)
    owlrl.DeductiveClosure(owlrl.OWLRL_Semantics).expand(copy)
    errors = URIRef("http://www.daml.org/2002/03/agents/agent-ont#error")
    return [str(message) for message in copy.objects(None, errors)]


@pytest.fixture(scope="module")
def with_data(ontology: Graph, graph: Graph) -> Graph:
    """The ontology with one dataset, its paper, listing and record."""
    sample = Graph()
    for triple in ontology:
        if triple[1] != SKOS.example:
            sample.add(triple)
    stems = ("dataset/pathmmu", "paper/arxiv-2401.16355", "listing/pathmmu", "record/pathmmu")
    for subject, predicate, value in graph:
        if str(subject).partition("#")[0].endswith(stems):
            sample.add((subject, predicate, value))
    return sample


def test_the_ontology_with_real_data_is_consistent(with_data: Graph) -> None:
    assert closure(with_data) == []


def test_a_contradiction_is_caught(with_data: Graph) -> None:
    broken = with_data + Graph().add((URIRef(f"{BASE}dataset/pathmmu"), RDF.type, MB.Paper))
    assert any("disjoint" in message.lower() for message in closure(broken))
