"""The schema in words, made from the graph: terms of the ontology and rules of the shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg import vocabulary
from medbench_kg.catalogue import internal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.store import Store

__all__ = ["Rule", "Term", "rules", "terms"]

#: Language → text.
_Texts = dict[str, str]

#: A relation between terms, and its way back.
_INVERSES = {
    "rdfs:subClassOf": "narrower classes",
    "rdfs:subPropertyOf": "narrower properties",
    "rdfs:domain": "in the domain of",
    "rdfs:range": "in the range of",
}


@dataclass(frozen=True)
class Rule:
    """A constraint of the shapes.

    Attributes:
        iri: of the shape.
        anchor: its fragment.
        severity: ``Violation``, ``Warning`` or ``Info``.
        path: compact IRI of the property that it looks at; "" if it looks at more.
        names: what must hold.
        messages: what is said when it doesn't.
        repairs: what to do then.
    """

    iri: str
    anchor: str
    severity: str
    path: str
    names: _Texts
    messages: _Texts
    repairs: _Texts


@dataclass(frozen=True)
class Term:
    """A class or property of the ontology.

    Attributes:
        iri: of the term.
        name: its compact IRI.
        anchor: its fragment.
        is_class: whether it is a class.
        labels: names.
        definitions: what it means.
        status: how settled it is.
        changes: notes on changes; empty if there are none.
        used: statements that use it: instances of a class, triples of a property.
        example: IRI of something that it is said of; "" if it isn't used.
        value: what is said there by a property.
        links: relation, forwards by compact IRI or backwards in words → IRIs of terms.
        rules: constraints on it.
    """

    iri: str
    name: str
    anchor: str
    is_class: bool
    labels: _Texts
    definitions: _Texts
    status: str
    changes: _Texts
    used: int
    example: str
    value: str
    links: Mapping[str, tuple[str, ...]]
    rules: tuple[Rule, ...]


def terms(store: Store) -> tuple[Term, ...]:
    """The terms of the ontology, classes first, each with what belongs to it."""
    links = _links(store)
    values = {row["term"]: row["value"] for row in store.rows(internal("term-examples"))}
    known = rules(store)
    on_path: dict[str, list[Rule]] = {}
    for rule in (one for group in known.values() for one in group):
        on_path.setdefault(rule.path, []).append(rule)
    found = []
    for row in store.rows(internal("terms")):
        name, is_class = vocabulary.load().shorten(row["term"]), row["isClass"] == "true"
        found.append(
            Term(
                row["term"],
                name,
                row["term"].partition("#")[2],
                is_class,
                {"en": row["en"], "zh": row["zh"]},
                _texts(row, "definition"),
                row.get("status", ""),
                _texts(row, "note") if "noteEn" in row else {},
                int(row.get("used", 0)),
                row.get("example", ""),
                values.get(row["term"], ""),
                {relation: tuple(ends) for relation, ends in links.get(row["term"], {}).items()},
                known.get(name, ()) if is_class else tuple(on_path.get(name, ())),
            )
        )
    return tuple(found)


def rules(store: Store) -> dict[str, tuple[Rule, ...]]:
    """The constraints by the compact IRI of the class or property that they are for."""
    shorten = vocabulary.load().shorten
    found: dict[str, dict[str, Rule]] = {}
    for row in store.rows(internal("constraints")):
        rule = Rule(
            row["shape"],
            row["shape"].partition("#")[2],
            row["severity"].partition("#")[2],
            shorten(row["path"]) if "path" in row else "",
            {"en": row["en"], "zh": row["zh"]},
            _texts(row, "message"),
            _texts(row, "repair"),
        )
        found.setdefault(shorten(row.get("target", "")), {})[rule.iri] = rule
    return {target: tuple(group.values()) for target, group in found.items()}


def _links(store: Store) -> dict[str, dict[str, list[str]]]:
    """Relations of each term, forwards and backwards."""
    links: dict[str, dict[str, list[str]]] = {}
    for row in store.rows(internal("term-links")):
        relation = vocabulary.load().shorten(row["link"])
        back = _INVERSES[relation]
        links.setdefault(row["term"], {}).setdefault(relation, []).append(row["other"])
        links.setdefault(row["other"], {}).setdefault(back, []).append(row["term"])
    return links


def _texts(row: dict[str, str], name: str) -> _Texts:
    return {"en": row[f"{name}En"], "zh": row[f"{name}Zh"]}
