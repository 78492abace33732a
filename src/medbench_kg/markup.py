"""Descriptions for search engines and tools of machine learning: schema.org and Croissant.

The facts come from one CONSTRUCT query in the terms of schema.org; a JSON-LD frame makes them a
tree. The context is always inline, so that nobody has to fetch it.

Specification: schema.org; JSON-LD 1.1 Framing; Croissant 1.1 (a description without files: the data
are elsewhere, and a file without a digest would be no Croissant).
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

from medbench_kg import catalogue, citation, export
from medbench_kg.negotiation import by_name

if TYPE_CHECKING:
    from collections.abc import Collection

    from medbench_kg.store import Store

__all__ = ["croissant", "schema_org"]

_Tree = dict[str, Any]

_INTEGER = "http://www.w3.org/2001/XMLSchema#integer"
_BOOLEAN = "http://www.w3.org/2001/XMLSchema#boolean"
_POSITION = "https://schema.org/position"


def schema_org(store: Store, iri: str, lang: Literal["en", "zh"]) -> _Tree:
    """Describe a dataset, paper, concept or concept scheme as JSON-LD for its page.

    Args:
        store: where the facts are.
        iri: what the page is about.
        lang: language of the page; a text that isn't there in it is given in English.

    Returns:
        JSON-LD; without a type if it is about nothing of these.
    """
    return _tree(store, iri, "schema-org", lang)


def croissant(store: Store, iri: str) -> bytes:
    """Describe a dataset in Croissant, texts in English and name and description in Chinese, too.

    Returns:
        JSON-LD in UTF-8. What the graph doesn't know, such as a version, is left out.
    """
    tree = _tree(store, iri, "croissant", "en", bilingual={"name", "description"})
    papers = [item for item in citation.references(store, [iri]) if item["type"] != "dataset"]
    tree.pop("distribution", None)
    if papers:
        tree["citeAs"] = citation.write(papers, by_name("bibtex")).decode().strip()
    # Croissant's own context takes links for strings, and plain strings for English.
    terms = {key: term for key, term in tree["@context"].items() if term != {"@type": "@id"}}
    tree["@context"] = {"@language": "en", **terms}
    return json.dumps(tree, ensure_ascii=False, indent=1).encode() + b"\n"


def _tree(store: Store, iri: str, frame: str, lang: str, bilingual: Collection[str] = ()) -> _Tree:
    text = catalogue.internal("schema-org", "thing", [iri])
    nodes = json.loads(store.construct(text).dump(by_name("jsonld")))
    placed = [node for node in nodes if _POSITION in node]
    places = {node["@id"]: int(node.pop(_POSITION)[0]["@value"]) for node in placed}
    for node in nodes:
        for key in node.keys() - {"@id"}:
            langs = () if key.rpartition("/")[2] in bilingual else (lang, "en")
            values = sorted(node[key], key=lambda value: places.get(value.get("@id", ""), 0))
            node[key] = [_native(value) for value in _spoken(values, langs)]
    template = resources.files("medbench_kg") / "frames" / f"{frame}.jsonld"
    return export.frame(nodes, iri, json.loads(template.read_text(encoding="utf-8")))


def _spoken(values: list[_Tree], langs: tuple[str, ...]) -> list[_Tree]:
    """Keep texts of the first of the languages that there are any in, and say them untagged."""
    spoken = {value.get("@language") for value in values} - {None}
    chosen = next((lang for lang in langs if lang in spoken), None)
    if chosen is None:
        return values
    return [
        {"@value": value["@value"]} if "@language" in value else value
        for value in values
        if value.get("@language") in {None, chosen}
    ]


def _native(value: _Tree) -> _Tree:
    """Say numbers and truth values as JSON does."""
    if value.get("@type") in {_INTEGER, _BOOLEAN}:
        return {"@value": json.loads(value["@value"])}
    return value
