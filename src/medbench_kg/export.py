"""Writes the graph in each RDF format, the same bytes each time.

Specification: RDF 1.1 Turtle, N-Triples, N-Quads, TriG, XML; JSON-LD 1.1 API, section 5.4
(compaction); JSON-LD 1.1 Framing; RDF Dataset Canonicalization 1.0 for the labels of blank nodes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pyld import jsonld

if TYPE_CHECKING:
    from collections.abc import Collection

    from medbench_kg.negotiation import Format
    from medbench_kg.store import Store
    from medbench_kg.vocabulary import Vocabulary

__all__ = ["compact", "frame", "only", "serialize", "tree"]

_Node = dict[str, Any]

_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


def serialize(store: Store, fmt: Format, vocabulary: Vocabulary, graph: str | None = None) -> bytes:
    """Write a graph or, if the format can hold one, the dataset.

    Args:
        store: holds the graph.
        fmt: a graph or dataset format.
        vocabulary: the context of JSON-LD.
        graph: IRI of a named graph; None is the default graph.

    Returns:
        UTF-8; equal for equal graphs, with the prefixes that occur and no others.
    """
    content = store.dump(fmt, graph)
    return compact(content, vocabulary) if fmt.name == "jsonld" else content


def compact(expanded: bytes, vocabulary: Vocabulary) -> bytes:
    """Write expanded JSON-LD with our keys and slugs, the context inline.

    A node with a fragment (a size figure, an authorship) stands inside the node that it belongs
    to, as in the records; everything else is a node of its own.
    """
    nodes = {node["@id"]: _typed(node) for node in json.loads(expanded)}
    references = _references(nodes, str(vocabulary.context["@vocab"]))
    for iri, reference in references.items():
        reference.update(nodes[iri])
    top = [node for iri, node in nodes.items() if iri not in references]
    options = {"graph": True, "skipExpansion": True}  # the engine's JSON-LD is expanded
    document = jsonld.compact(top, dict(vocabulary.context), options)
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def only(document: bytes, subjects: Collection[str], vocabulary: Vocabulary) -> bytes:
    """Keep the nodes of compacted JSON-LD that are among some subjects, IRIs or ``_:`` labels."""
    whole = json.loads(document)
    kept = [node for node in whole["@graph"] if vocabulary.expand(node["id"]) in subjects]
    return json.dumps({**whole, "@graph": kept}, ensure_ascii=False, indent=1).encode() + b"\n"


def frame(nodes: list[_Node], iri: str, shape: _Node) -> _Node:
    """Lay out expanded JSON-LD as a tree below one node.

    Args:
        nodes: node objects; the values of a property keep their order.
        iri: the node at the top.
        shape: a JSON-LD frame with its context, which becomes that of the tree.
    """
    expanded = [_typed(node) for node in nodes]
    return dict(jsonld.frame(expanded, {**shape, "@id": iri}, {"omitGraph": True}))


def tree(expanded: bytes, iri: str, vocabulary: Vocabulary) -> _Node:
    """Write expanded JSON-LD as the record of one thing: what belongs to it stands inside it.

    Args:
        expanded: the triples of the record.
        iri: the thing; a node that doesn't hang together with it is left out.
        vocabulary: the context, which says what properties are written in reverse.

    Returns:
        A node in our keys, whose names are compact IRIs.
    """
    nodes = {node["@id"]: _typed(node) for node in json.loads(expanded)}
    top = nodes.pop(iri, {"@id": iri})
    reverse: dict[str, list[_Node]] = {}
    for node in nodes.values():
        for stated in vocabulary.reverse_properties:
            if {"@id": iri} in node.get(stated, []):
                node[stated] = [value for value in node[stated] if value != {"@id": iri}]
                reverse.setdefault(stated, []).append(node)
                break
    holders = [top, *(node for found in reverse.values() for node in found)]
    for holder in holders:  # grows: those nearest to the top hold first
        holders += _take_in(holder, nodes)
    if reverse:
        top["@reverse"] = reverse
    found = dict(jsonld.compact(top, dict(vocabulary.context)))
    found.pop("@context", None)
    return found


def _take_in(holder: _Node, nodes: dict[str, _Node]) -> list[_Node]:
    """Put nodes with a fragment where a node refers to them, and take them out of the others."""
    taken = []
    values = [value for found in holder.values() if isinstance(found, list) for value in found]
    for value in values:
        iri = value.get("@id", "") if isinstance(value, dict) else ""
        if "#" in iri and iri in nodes:
            value.update(nodes.pop(iri))
            taken.append(value)
    return taken


def _typed(node: _Node) -> _Node:
    """Say rdf:type by JSON-LD's keyword."""
    types = node.pop(_RDF_TYPE, [])
    return {**node, "@type": [one["@id"] for one in types]} if types else node


def _references(nodes: dict[str, _Node], own: str) -> dict[str, _Node]:
    """For each node that belongs to one other node, the reference to replace by it."""
    found: dict[str, list[tuple[str, _Node]]] = {}
    for subject, node in nodes.items():
        for key in sorted(node, key=lambda key: (not key.startswith(own), key)):
            for value in node[key] if isinstance(node[key], list) else []:
                if isinstance(value, dict) and _belongs(value.get("@id", ""), subject, own):
                    found.setdefault(value["@id"], []).append((subject, value))
    return {
        iri: at[0][1]
        for iri, at in found.items()
        if iri in nodes and len({subject for subject, _ in at}) == 1
    }


def _belongs(iri: str, subject: str, own: str) -> bool:
    """Whether a node may stand inside another; a part never holds its whole."""
    outer_is_part = "#" in subject
    return (
        "#" in iri
        and not iri.startswith(own)
        and (iri.startswith(f"{subject}-") if outer_is_part else True)
    )
