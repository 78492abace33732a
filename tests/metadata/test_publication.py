"""What can be downloaded is what the catalogue, the manifest and the pages say."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import urllib.request
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pyshacl
import pytest
from csvw import TableGroup
from rdflib import DCAT, RDF, RDFS, VOID, XSD, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS

from medbench_kg import catalogue, vocabulary
from medbench_kg.assets import folder
from medbench_kg.metadata import CATALOGUE_GRAPH, VOID_GRAPH

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore

BASE = vocabulary.BASE
MB = Namespace(f"{BASE}ontology#")
SPDX = Namespace("http://spdx.org/rdf/terms#")


@pytest.fixture(scope="module")
def graph(store: LocalStore) -> Graph:
    return store.copy_to_rdflib()


@pytest.fixture(scope="module")
def published(store: LocalStore) -> Graph:
    return store.copy_to_rdflib(CATALOGUE_GRAPH)


def rows(name: str) -> list[dict[str, str]]:
    text = (folder("build") / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_catalogue_conforms_to_dcat_ap(published: Graph, root: Path) -> None:
    shapes = Graph().parse(root / "tests/fixtures/dcat-ap/shapes-3.0.0.jsonld", format="json-ld")
    everything = Graph() + published
    for node in set(published.all_nodes()):
        if not isinstance(node, Literal):  # 3.0.0 asks for what RDFS says of everything
            everything.add((node, RDF.type, RDFS.Resource))
    for file, size in published.subject_objects(DCAT.byteSize):  # decision 0010
        assert size.datatype == XSD.integer
        everything.set((file, DCAT.byteSize, Literal(int(size), datatype=XSD.nonNegativeInteger)))
    conforms, _, text = pyshacl.validate(everything, shacl_graph=shapes)
    assert conforms, text


def test_a_catalogue_without_a_title_does_not_conform_to_dcat_ap(
    published: Graph, root: Path
) -> None:
    shapes = Graph().parse(root / "tests/fixtures/dcat-ap/shapes-3.0.0.jsonld", format="json-ld")
    broken = Graph() + published
    broken.remove((URIRef(CATALOGUE_GRAPH), DCTERMS.title, None))
    conforms, _, text = pyshacl.validate(broken, shacl_graph=shapes)
    assert not conforms
    assert "title" in text


def test_the_catalogue_lists_every_file_with_its_size_digest_and_licence(
    published: Graph, built: tuple[LocalStore, Manifest]
) -> None:
    listed = {
        str(published.value(f, DCTERMS.identifier)): f
        for f in published.objects(None, DCAT.distribution)
        if (f, DCAT.downloadURL, None) in published
    }
    assert set(listed) == set(built[1].files) - {"catalogue.ttl"}
    for name, node in listed.items():
        content = (folder("build") / name).read_bytes()
        checksum = published.value(node, SPDX.checksum)
        assert (
            str(published.value(checksum, SPDX.checksumValue))
            == hashlib.sha256(content).hexdigest()
        )
        assert int(published.value(node, DCAT.byteSize)) == len(content)
        for recommended in (DCTERMS.license, DCTERMS.issued, DCTERMS.modified, DCTERMS.description):
            assert published.value(node, recommended) is not None
        assert str(published.value(node, DCAT.downloadURL)) == f"{BASE}data/{name}"


def test_every_file_is_served_with_its_type_and_digest(
    server: str, built: tuple[LocalStore, Manifest]
) -> None:
    for name, about in built[1].files.items():
        with urllib.request.urlopen(f"{server}/data/{name}", timeout=60) as answer:
            body = answer.read()
            assert answer.headers["Content-Type"].partition(";")[0] == about["media_type"]
        assert hashlib.sha256(body).hexdigest() == about["sha256"]


def test_schema_and_data_make_the_whole_graph_and_share_no_subject(
    built: tuple[LocalStore, Manifest],
) -> None:
    assert built

    def triples(name: str) -> set[ox.Triple]:
        content = (folder("build") / name).read_bytes()
        return {q.triple for q in ox.parse(content, ox.RdfFormat.N_TRIPLES)}

    whole, schema, data = (triples(f"medbench{part}.nt") for part in ("", "-schema", "-data"))
    assert schema | data == whole
    assert not {t.subject for t in schema} & {t.subject for t in data}
    assert min(len(schema), len(data)) > 5_000


@pytest.mark.parametrize("part", ["-schema", "-data"])
def test_a_part_says_the_same_in_every_syntax(
    part: str, built: tuple[LocalStore, Manifest]
) -> None:
    assert built
    stem = folder("build") / f"medbench{part}"

    def canonical(suffix: str, fmt: ox.RdfFormat) -> ox.Dataset:
        content = stem.with_name(f"{stem.name}.{suffix}").read_bytes()
        dataset = ox.Dataset(ox.Quad(*q.triple) for q in ox.parse(content, fmt))
        dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
        return dataset

    expected = canonical("nt", ox.RdfFormat.N_TRIPLES)
    assert canonical("ttl", ox.RdfFormat.TURTLE) == expected
    assert canonical("rdf", ox.RdfFormat.RDF_XML) == expected
    assert canonical("jsonld", ox.RdfFormat.JSON_LD) == expected


def test_the_tables_are_as_their_metadata_say(built: tuple[LocalStore, Manifest]) -> None:
    assert built
    group = TableGroup.from_file(folder("build") / "csv-metadata.json")
    assert {table.url.string for table in group.tables} == {
        "datasets.csv",
        "papers.csv",
        "sizes.csv",
    }
    read = {table.url.string: list(table.iterdicts(strict=True)) for table in group.tables}
    assert all(read.values())
    group.check_referential_integrity()
    for table in group.tables:
        keys = [row[table.tableSchema.primaryKey[0]] for row in read[table.url.string]]
        assert len(keys) == len(set(keys))


def test_every_column_of_a_table_is_documented_in_both_languages(
    built: tuple[LocalStore, Manifest],
) -> None:
    assert built
    metadata = json.loads((folder("build") / "csv-metadata.json").read_text(encoding="utf-8"))
    for table in metadata["tables"]:
        columns = table["tableSchema"]["columns"]
        assert [c["name"] for c in columns] == list(rows(table["url"].removesuffix(".csv"))[0])
        for column in columns:
            assert {text["@language"] for text in column["dc:description"]} == {"en", "zh"}


def test_counts_agree_everywhere(
    server: str,
    root: Path,
    graph: Graph,
    store: LocalStore,
    published: Graph,
    built: tuple[LocalStore, Manifest],
) -> None:
    datasets = set(graph.objects(None, MB.lists))
    papers = set(graph.subjects(RDF.type, MB.Paper))
    sizes = {size for dataset in datasets for size in graph.objects(dataset, DCTERMS.extent)}
    assert {row["dataset"] for row in rows("datasets")} == {str(d) for d in datasets}
    assert {row["paper"] for row in rows("papers")} == {str(p) for p in papers}
    assert {row["size"] for row in rows("sizes")} == {str(s) for s in sizes}
    described = {
        d for d in published.objects(URIRef(CATALOGUE_GRAPH), DCAT.dataset) if d in datasets
    }
    assert described == datasets

    void = store.copy_to_rdflib(VOID_GRAPH)
    triples = int(void.value(URIRef(f"{BASE}catalogue#medbench-kg"), VOID.triples))
    dump = (folder("build") / "medbench.nt").read_bytes()
    assert triples == len(graph) == built[1].triples == dump.count(b"\n")
    partition = void.value(None, VOID["class"], MB.Paper)
    assert partition is not None
    assert int(void.value(URIRef(f"{VOID_GRAPH}#mb:Paper"), VOID.entities)) == len(papers)

    with urllib.request.urlopen(f"{server}/", timeout=30) as answer:
        page = re.sub(r"<[^>]+>|,", "", answer.read().decode())
    for number, word in (
        (len(datasets), "datasets"),
        (len(papers), "papers"),
        (triples, "triples"),
    ):
        assert re.search(rf"\b{number}\s+{word}", page)
    readme = (root / "README.md").read_text(encoding="utf-8")
    line = f"{triples} triples · {len(datasets)} datasets · {len(catalogue.catalogue())} canned"
    assert line in readme
