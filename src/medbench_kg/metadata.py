"""Describes the graph in RDF: VoID, the canned queries, a DCAT catalogue of what can be downloaded.

What only the program knows (prefixes, queries, files) is stated as JSON-LD; all the rest follows
from the graph by the CONSTRUCT queries in ``sparql/void/`` and ``sparql/catalogue/``, run in the
order of their names. Each description is a named graph, so that data stay apart from metadata.

Specification: VoID; SHACL, sections 5.2.1 (sh:declare) and 6.2.1 (sh:parameter), and SHACL's
vocabulary for executables; DCAT 3 and DCAT-AP 3.
"""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING

from medbench_kg import vocabulary
from medbench_kg.catalogue import ask, catalogue, internal, resolve
from medbench_kg.graph import SHAPES_GRAPH
from medbench_kg.negotiation import by_name
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medbench_kg.catalogue import Parameter, Query
    from medbench_kg.publication import File
    from medbench_kg.store import LocalStore
    from medbench_kg.versions import Difference, Version

__all__ = [
    "CATALOGUE_GRAPH",
    "HISTORY_GRAPH",
    "NAMED_GRAPHS",
    "QUERIES_GRAPH",
    "VOID_GRAPH",
    "add_history",
    "describe",
    "list_files",
]

#: The named graphs of the descriptions; each is a document of that address, too.
VOID_GRAPH = f"{BASE}.well-known/void"
QUERIES_GRAPH = f"{BASE}.well-known/sparql-examples"
CATALOGUE_GRAPH = f"{BASE}catalogue"

#: The named graph of earlier states of records, and of the present ones that the journal tells of.
HISTORY_GRAPH = f"{BASE}graph/history"

#: The named graphs of a build: shapes, history, and the descriptions of data and queries.
NAMED_GRAPHS = (SHAPES_GRAPH, HISTORY_GRAPH, VOID_GRAPH, QUERIES_GRAPH)

#: The graph as a dataset, in VoID and DCAT.
_DATASET = "catalogue#medbench-kg"
_PREFIXES = ".well-known/sparql-examples#prefixes"

_SHA256 = "spdx:checksumAlgorithm_sha256"

#: Language → what is said of properties, and what stands between two of them, or two parts.
_WORDS = {
    "en": ({"added": "added: ", "removed": "removed: ", "changed": "changed: "}, ", ", "; "),
    "zh": ({"added": "新增：", "removed": "删除：", "changed": "修改："}, "、", "；"),
}

_Node = dict[str, object]


def describe(store: LocalStore, dumps: Iterable[str]) -> None:
    """Add the VoID description and the canned queries to a store.

    Args:
        store: the whole graph; both descriptions become named graphs of it.
        dumps: names of the files that hold the default graph.

    Raises:
        QueryError: a canned query can't be answered.
    """
    prefixes = _prefixes()
    queries = [_query(query, _rows(store, query)) for query in catalogue()]
    _state(store, [prefixes, *queries], QUERIES_GRAPH)
    dataset: _Node = {"id": _DATASET, "dataDump": [f"data/{name}" for name in sorted(dumps)]}
    _state(store, [prefixes, dataset], VOID_GRAPH)
    _infer(store, "void", VOID_GRAPH)


def list_files(store: LocalStore, files: Iterable[File], version: str) -> None:
    """Add the catalogue of what can be downloaded to a store.

    Args:
        store: the whole graph; the catalogue becomes a named graph of it.
        files: all that there is below ``/data/``, but for the catalogue itself.
        version: version of the graph.
    """
    dataset: _Node = {"id": _DATASET, "version": version}
    _state(store, [dataset, *(_distribution(file) for file in files)], CATALOGUE_GRAPH)
    _infer(store, "catalogue", CATALOGUE_GRAPH)


def add_history(store: LocalStore, found: Iterable[Version]) -> None:
    """Add versions of records to a store.

    Args:
        store: the whole graph; the history becomes a named graph of it.
        found: see :mod:`medbench_kg.versions`.
    """
    stream: _Node = {"id": "ldes#stream", "type": "ldes:EventStream"}
    versions = list(found)
    terms = sorted({iri for version in versions for iri in version.difference.changed})
    rows = store.rows(internal("labels-of-terms", "value", terms)) if terms else ()
    keys = vocabulary.load().keys_of  # terms of others have no label here
    labels = {iri: dict.fromkeys(("en", "zh"), keys(iri)[0]) for iri in terms}
    labels |= {row["value"]: {"en": row["en"], "zh": row["zh"]} for row in rows}
    _state(store, [stream, *(_version(one, labels) for one in versions)], HISTORY_GRAPH)


def _version(version: Version, labels: Mapping[str, Mapping[str, str]]) -> _Node:
    state, told = version.state, version.difference
    event = "as:Create" if version.is_first else "as:Update"
    node: _Node = {
        "id": version.iri,
        "type": "as:Delete" if state.status == "deprecated" else event,
        "isVersionOf": version.record,
        "created": version.created,
        "primaryTopic": state.thing,
        "status": f"record-status/{state.status}",
        "title": state.titles,
        "isReplacedBy": state.successor,
        "creditText": version.author,
        "changeNote": version.reason,
        "changedProperty": told.changed,
        "addedProperty": told.added,
        "removedProperty": told.removed,
        "versionNotes": {} if version.is_first else _in_words(told, labels),
        "wasRevisionOf": version.revises,
    }
    return {key: value for key, value in node.items() if value}


def _in_words(told: Difference, labels: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Language → what changed, in words; empty if that isn't known."""
    parts = {
        "added": told.added,
        "removed": told.removed,
        "changed": sorted({*told.changed} - {*told.added, *told.removed}),
    }
    return {
        lang: semicolon.join(
            words[part] + comma.join(labels[iri][lang] for iri in iris)
            for part, iris in parts.items()
            if iris
        )
        for lang, (words, comma, semicolon) in _WORDS.items()
        if told.changed
    }


def _distribution(file: File) -> _Node:
    iri = f"catalogue#{file.name}"
    digest = hashlib.sha256(file.content).hexdigest()
    checksum = {"id": f"{iri}-sha256", "type": "spdx:Checksum", "algorithm": _SHA256}
    return {
        "id": iri,
        "type": "dcat:Distribution",
        "distributionOf": f"catalogue#{file.part}",
        "identifier": file.name,
        "downloadURL": f"data/{file.name}",
        "mediaType": f"https://www.iana.org/assignments/media-types/{file.media_type}",
        "byteSize": str(len(file.content)),
        "checksum": {**checksum, "checksumValue": digest},
    }


def _state(store: LocalStore, nodes: list[_Node], graph: str) -> None:
    """Add JSON-LD nodes, written with the keys of ``facts.jsonld``."""
    package = resources.files("medbench_kg") / "sparql" / "facts.jsonld"
    context = json.loads(package.read_text(encoding="utf-8"))["@context"]
    store.load(json.dumps({"@context": context, "@graph": nodes}).encode(), "jsonld", graph=graph)


def _infer(store: LocalStore, folder: str, graph: str) -> None:
    files = (resources.files("medbench_kg") / "sparql" / folder).iterdir()
    for package in sorted(files, key=lambda file: file.name):
        store.infer(package.read_text(encoding="utf-8"), graph)


def _prefixes() -> _Node:
    names = vocabulary.load().prefixes.items()
    declarations = [
        {"id": f"{_PREFIXES}-{prefix}", "prefix": prefix, "namespace": namespace}
        for prefix, namespace in names
    ]
    return {"id": _PREFIXES, "type": "owl:Ontology", "declare": declarations}


def _rows(store: LocalStore, query: Query) -> int:
    """How many rows a canned query finds with its default parameters."""
    body, _ = ask(store, query, {}, lambda _kind: by_name("tsv"))
    return body.count(b"\n") - 1


def _query(query: Query, rows: int) -> _Node:
    iri = f"query/{query.name}"
    parameters = [_parameter(iri, p, n) for n, p in enumerate(query.parameters)]
    return {
        "id": iri,
        "type": ["sh:SPARQLExecutable", "sh:SPARQLSelectExecutable"],
        "identifier": query.name,
        "comment": query.question,
        "select": query.bind({}),
        "prefixes": _PREFIXES,
        "keywords": list(query.tags),
        "target": "sparql",
        "parameter": parameters,
        "result": {"id": f"{iri}#result", "type": "schema:ItemList", "numberOfItems": str(rows)},
    }


def _parameter(query: str, parameter: Parameter, order: int) -> _Node:
    """A parameter as SHACL has it: a constraint on the values, and a path named like the slot."""
    node: _Node = {
        "id": f"{query}#{parameter.name}",
        "type": "sh:Parameter",
        "path": f"query#{parameter.name}",
        "name": parameter.name,
        "description": parameter.help,
        "order": str(order),
        "optional": "true",
    }
    if parameter.type != "iri":
        default = {"defaultValue": parameter.default} if parameter.default else {}
        return {**node, **default, "datatype": f"xsd:{parameter.type}"}
    if parameter.default:
        node["defaultValue"] = {"id": resolve(parameter, parameter.default)}
    if parameter.scheme:
        scheme = {"id": f"{node['id']}-scheme", "path": "skos:inScheme"}
        return {**node, "property": {**scheme, "hasValue": parameter.scheme}}
    if parameter.of_class:
        return {**node, "class": vocabulary.load().property_of(parameter.of_class)}
    return {**node, "in": list(parameter.choices)}
