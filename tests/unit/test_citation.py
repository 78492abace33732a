"""References are read by parsers other than the writers and say what the graph says."""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from typing import TYPE_CHECKING

import pybtex.database
import pytest
from citeproc.source.json import CiteProcJSON
from pylatexenc.latex2text import LatexNodes2Text
from rdflib import RDF, Graph, Namespace, URIRef
from rdflib.namespace import DCTERMS

from medbench_kg import NotFoundError
from medbench_kg.catalogue import find
from medbench_kg.citation import answer, cite, references, write
from medbench_kg.negotiation import by_name
from medbench_kg.store import LocalStore

if TYPE_CHECKING:
    from pybtex.database import BibliographyData

MB = Namespace("https://w3id.org/medbench-kg/ontology#")
FABIO = Namespace("http://purl.org/spar/fabio/")
SCHEMA = Namespace("https://schema.org/")
PAPER = "https://w3id.org/medbench-kg/paper/"
RIS_LINE = re.compile(r"([A-Z][A-Z0-9])  - (.*)")

AWKWARD = """
@prefix mb: <https://w3id.org/medbench-kg/ontology#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix fabio: <http://purl.org/spar/fabio/> .
@prefix schema: <https://schema.org/> .
<https://w3id.org/medbench-kg/paper/awkward> a mb:Paper , fabio:Preprint ;
  dcterms:title "50% of {CT} & MR_1 #2: ~$x$ \\\\ “医学影像”"@en ;
  mb:firstPosted "2025-01-09"^^<http://www.w3.org/2001/XMLSchema#date> ;
  mb:authorship [ schema:position 2 ; schema:name "张伟" ] ,
    [ schema:position 10 ; schema:name "张伟" ] ,
    [ schema:position 1 ; schema:name "Łukasz Özcan-Färber" ] ,
    [ schema:position 3 ; schema:name "Institute of Images, Ltd. and Sons" ] .
"""


@pytest.fixture(scope="module")
def graph(store: LocalStore) -> Graph:
    return store.copy_to_rdflib()


@pytest.fixture(scope="module")
def everything(graph: Graph) -> list[str]:
    kinds = (MB.Dataset, MB.Paper)
    return sorted({str(thing) for kind in kinds for thing in graph.subjects(RDF.type, kind)})


@pytest.fixture(scope="module")
def bibtex(store: LocalStore, everything: list[str]) -> BibliographyData:
    text = write(references(store, everything), by_name("bibtex")).decode()
    return pybtex.database.parse_string(text, "bibtex")


@pytest.fixture
def awkward() -> LocalStore:
    store = LocalStore()
    store.load(AWKWARD.encode(), "turtle")
    return store


def plain(latex: str) -> str:
    return LatexNodes2Text().latex_to_text(latex)


def ris(body: bytes) -> list[list[tuple[str, str]]]:
    """The references of a RIS file: every line is a tag with its value, or parts two references."""
    blocks = body.decode().strip("\n").split("\n\n")
    found = [[RIS_LINE.fullmatch(line) for line in block.split("\n")] for block in blocks]
    assert all(line for block in found for line in block)
    return [[(line[1], line[2]) for line in block if line] for block in found]


def authors(graph: Graph, paper: URIRef) -> list[str]:
    nodes = sorted(
        graph.objects(paper, MB.authorship),
        key=lambda node: int(graph.value(node, SCHEMA.position) or 0),
    )
    return [str(graph.value(node, SCHEMA.name)) for node in nodes]


def test_bibtex_has_an_entry_for_each_dataset_and_paper(
    bibtex: BibliographyData, everything: list[str]
) -> None:
    keys = [
        iri.removeprefix("https://w3id.org/medbench-kg/").replace("/", ":") for iri in everything
    ]
    assert sorted(bibtex.entries) == sorted(keys)
    assert len(keys) > 150


def test_bibtex_has_the_title_and_the_authors_of_each_paper_in_order(
    bibtex: BibliographyData, graph: Graph
) -> None:
    for paper in graph.subjects(RDF.type, MB.Paper):
        entry = bibtex.entries[f"paper:{paper.removeprefix(PAPER)}"]
        names = [
            " ".join(
                plain(str(p))
                for p in person.first_names
                + person.middle_names
                + person.prelast_names
                + person.last_names
                + person.lineage_names
            )
            for person in entry.persons["author"]
        ]
        complete = [str(value) for value in graph.objects(paper, MB.authorListComplete)] == ["true"]
        assert names == authors(graph, URIRef(paper)) + ([] if complete else ["others"])
        assert plain(entry.fields["title"]) in {str(t) for t in graph.objects(paper, DCTERMS.title)}


def test_the_type_of_a_paper_decides_the_type_of_the_entry(
    bibtex: BibliographyData, graph: Graph
) -> None:
    found = Counter(e.type for key, e in bibtex.entries.items() if key.startswith("paper:"))
    types = {"Preprint": "misc", "ConferencePaper": "inproceedings", "JournalArticle": "article"}
    assert found == {
        entry: len(set(graph.subjects(RDF.type, FABIO[kind]))) for kind, entry in types.items()
    }


def test_an_entry_holds_the_fields_of_its_kind(bibtex: BibliographyData) -> None:
    conference = bibtex.entries["paper:arxiv-2412.18925"].fields
    assert (
        conference["booktitle"] == "Annual Meeting of the Association for Computational Linguistics"
    )
    assert conference["doi"] == "10.18653/v1/2025.findings-acl.751"
    assert conference["pages"] == "14552--14573"
    assert (conference["archiveprefix"], conference["eprint"]) == ("arXiv", "2412.18925")
    journal = bibtex.entries["paper:doi-10-1038-sdata-2018-251"].fields
    assert (journal["journal"], journal["volume"]) == ("Scientific Data", "5")
    assert "eprint" not in journal
    assert "booktitle" not in journal


def test_a_field_that_the_graph_does_not_hold_is_left_out(bibtex: BibliographyData) -> None:
    assert set(bibtex.entries["dataset:umls"].fields) == {"title"}
    assert not bibtex.entries["dataset:gemex"].persons


def test_a_dataset_comes_with_its_papers(store: LocalStore) -> None:
    dataset = "https://w3id.org/medbench-kg/dataset/gemex"
    assert [item["id"] for item in references(store, [dataset])] == [
        "dataset:gemex",
        "paper:arxiv-2411.16778",
    ]
    twice = references(store, [dataset, f"{PAPER}arxiv-2411.16778", dataset])
    assert len(twice) == 2


def test_bibtex_survives_special_characters_and_names(awkward: LocalStore) -> None:
    text = cite(awkward, ["awkward"], by_name("bibtex")).decode()
    entry = pybtex.database.parse_string(text, "bibtex").entries["paper:awkward"]
    title = plain(entry.fields["title"])
    assert title == "50% of {CT} & MR_1 #2: ~$x$ \\ “医学影像”"
    people = [" ".join(map(plain, p.first_names + p.last_names)) for p in entry.persons["author"]]
    assert people == [
        "Łukasz Özcan-Färber",
        "张伟",
        "Institute of Images, Ltd. and Sons",
        "张伟",
    ]
    assert (entry.fields["year"], entry.fields["month"]) == ("2025", "1")


def test_ris_has_one_tag_a_line_and_the_authors_in_order(
    store: LocalStore, graph: Graph, everything: list[str], awkward: LocalStore
) -> None:
    papers = [iri for iri in everything if iri.startswith(PAPER)]
    for iri, reference in zip(papers, ris(cite(store, papers, by_name("ris"))), strict=True):
        assert reference[0][0] == "TY"
        assert reference[-1] == ("ER", "")
        named = [value for tag, value in reference if tag == "AU" and value != "others"]
        assert named == authors(graph, URIRef(iri))
    (reference,) = ris(cite(awkward, ["awkward"], by_name("ris")))
    assert ("DA", "2025/01/09") in reference
    assert ("TY", "UNPB") in reference


def test_citeproc_reads_csl_json(store: LocalStore, everything: list[str]) -> None:
    items = json.loads(write(references(store, everything), by_name("csl")))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*event_title")  # CSL 1.0.2 has it, citeproc-py 1.0.1
        source = CiteProcJSON(items)
    assert len(source) == len(items) == len(everything)
    posted = source["paper:arxiv-2506.07044"]["issued"]
    assert (posted.year, posted.month, posted.day) == (2025, 6, 8)


def test_an_answer_of_a_query_is_cited_in_its_order(store: LocalStore) -> None:
    query = find("papers-by-venue")
    body = answer(store, query, {"venue": "acl"}, by_name("csl"))
    assert {item["container-title"] for item in json.loads(body)} == {
        "Annual Meeting of the Association for Computational Linguistics"
    }
    nothing = answer(store, find("find"), {"modality": "ct", "year": "1900"}, by_name("bibtex"))
    assert nothing == b""


def test_what_does_not_exist_is_refused_by_name(store: LocalStore) -> None:
    with pytest.raises(NotFoundError, match="gemexx"):
        cite(store, ["gemex", "gemexx"], by_name("bibtex"))
