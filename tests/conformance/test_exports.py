"""Exports parse strictly with a parser other than the writer and say what the graph says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest
from rdflib import Dataset, Graph
from rdflib.compare import isomorphic

from medbench_kg import builds, export, metadata, pipeline, vocabulary
from medbench_kg.assets import folder
from medbench_kg.negotiation import by_name

if TYPE_CHECKING:
    from medbench_kg.builds import Manifest
    from medbench_kg.pipeline import Assembled
    from medbench_kg.store import LocalStore

#: The writer is Oxigraph, and PyLD for JSON-LD; the parsers here are rdflib's, and Oxigraph's for
#: JSON-LD, which refuses what PyLD would let pass.
RDFLIB = {"turtle": "turtle", "ntriples": "nt", "rdfxml": "xml"}


def dump(name: str) -> bytes:
    return (folder("build") / f"medbench.{by_name(name).suffix}").read_bytes()


@pytest.fixture(scope="module")
def expected(store: LocalStore) -> Graph:
    return store.copy_to_rdflib()


@pytest.mark.parametrize("name", RDFLIB)
def test_a_dump_is_isomorphic_to_the_graph(name: str, expected: Graph) -> None:
    parsed = Graph().parse(data=dump(name), format=RDFLIB[name])
    assert len(parsed) == len(expected) > 25_000
    assert isomorphic(parsed, expected)


@pytest.mark.parametrize("name", ["nquads", "trig"])
def test_a_dataset_dump_holds_the_graph_and_the_shapes(name: str, expected: Graph) -> None:
    parsed = Dataset()
    parsed.parse(data=dump(name), format=name)
    assert isomorphic(parsed.default_graph, expected)
    shapes = parsed.graph("https://w3id.org/medbench-kg/graph/shapes")
    assert len(shapes) > 1_000


def canonical(quads: object) -> ox.Dataset:
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return dataset


def test_json_ld_says_what_n_triples_say(built: tuple[LocalStore, Manifest]) -> None:
    assert built
    theirs = canonical(ox.parse(dump("jsonld"), ox.RdfFormat.JSON_LD))
    assert theirs == canonical(ox.parse(dump("ntriples"), ox.RdfFormat.N_TRIPLES))


def test_json_ld_is_compacted_with_the_published_context(
    built: tuple[LocalStore, Manifest],
) -> None:
    assert built
    document = json.loads(dump("jsonld"))
    assert document["@context"] == vocabulary.load().context
    gemex = next(node for node in document["@graph"] if node["id"] == "mbd:gemex")
    assert gemex["title"] == {"en": "GEMeX"}
    assert {"mbmod:chest-x-ray", "mbmod:text"} <= set(gemex["modality"])
    assert {extent["unit"] for extent in gemex["extent"]} >= {"mbunit:image", "mbunit:qa-pair"}
    keys = {key for node in document["@graph"] for key in node}
    assert [key for key in keys if "://" in key] == []


def test_turtle_declares_the_prefixes_that_it_uses_and_no_others(
    built: tuple[LocalStore, Manifest],
) -> None:
    assert built
    text = dump("turtle").decode()
    declared = set(re.findall(r"^@prefix ([\w-]+): ", text, re.MULTILINE))
    body = re.sub(r'"(?:[^"\\]|\\.)*"|<[^>]*>', "", re.sub(r"(?m)^@prefix .*$", "", text))
    assert declared == set(re.findall(r"(?<![\w:-])([\w-]+):(?=[\w\\%])", body)) - {"_"}


@pytest.mark.parametrize("name", ["turtle", "trig", "rdfxml", "jsonld", "ntriples", "nquads"])
def test_a_dump_is_the_same_bytes_each_time(
    name: str, assembled: Assembled, built: tuple[LocalStore, Manifest]
) -> None:
    assert built
    store = assembled.store.canonical()
    metadata.add_history(store, pipeline.versions_of(assembled))
    files = (fmt for fmt in builds.DUMPS if fmt.kind == "graph")
    metadata.describe(store, [f"medbench.{fmt.suffix}" for fmt in files])
    again = export.serialize(store.canonical(), by_name(name), vocabulary.load())
    assert again == dump(name)
