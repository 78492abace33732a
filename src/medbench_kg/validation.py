"""Validation: the shapes decide, pySHACL finds, and each finding learns where it stands.

The only module that knows pySHACL. Nothing is checked here in Python: a finding is a validation
result of SHACL, dressed with the file and line of the node, the allowed values and the nearest
one.

Specification: SHACL, sections 3.6 (validation report) and 2.1.4 (severity).
"""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import pyshacl
from rdflib import RDF, SH, Graph, URIRef
from rdflib.plugins.sparql import prepareQuery
from rdflib.term import Literal, Node

from medbench_kg.graph import SHAPES_GRAPH
from medbench_kg.records import encode
from medbench_kg.store import triple_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from rdflib.plugins.sparql.sparql import Query
    from rdflib.query import Result

    from medbench_kg.records import Place
    from medbench_kg.store import LocalStore, Quad
    from medbench_kg.vocabulary import Vocabulary

    Triple = tuple[Node, Node, Node]

__all__ = ["Finding", "Report", "Severity", "Validator", "known_names", "locate", "validate"]

_MB = "https://w3id.org/medbench-kg/ontology#"
_REPAIR = URIRef(_MB + "repairHint")
_LANGUAGES = ("en", "zh")

#: Says that what a record describes is of a class that has shapes. No target of SHACL finds a
#: record that doesn't say what it is, so what has a record is named to it.
_CLASS = URIRef("https://w3id.org/medbench-kg/shapes#thing-class-required")


class Severity(IntEnum):
    """How bad a finding is; only a violation keeps the graph from being published."""

    INFO = 1
    WARNING = 2
    VIOLATION = 3


@dataclass(frozen=True)
class Finding:
    """One validation result.

    Attributes:
        focus: IRI of the node that was checked.
        path: IRI of the property; "" when the finding is about the node itself.
        value: the offending value as IRI or text; "" when something is missing.
        shape: IRI of the constraint.
        severity: from the shape.
        messages: language → what is wrong.
        repairs: language → what to do.
        where: ``file:line``; "" when no record describes the node.
        key: the key of the record that the finding is about; may be "".
        allowed: slugs that the key takes; empty when it isn't a concept.
        nearest: the known slug or key most like the one that was written; may be "".
    """

    focus: str
    path: str
    value: str
    shape: str
    severity: Severity
    messages: Mapping[str, str]
    repairs: Mapping[str, str]
    where: str = ""
    key: str = ""
    allowed: tuple[str, ...] = ()
    nearest: str = ""


@dataclass(frozen=True)
class Report:
    """All findings, worst first, then by place."""

    findings: tuple[Finding, ...]
    graph: Graph = field(repr=False)

    @property
    def conforms(self) -> bool:
        """Whether no finding is a violation."""
        return all(f.severity < Severity.VIOLATION for f in self.findings)

    @property
    def worst(self) -> Severity | None:
        """The highest severity among the findings; None if there is no finding."""
        return max((f.severity for f in self.findings), default=None)

    def turtle(self) -> bytes:
        """The SHACL validation report as Turtle."""
        return self.graph.serialize(format="turtle", encoding="utf-8")


def validate(
    store: LocalStore, focus: Collection[str] | None = None, things: Iterable[str] = ()
) -> Report:
    """Check the default graph against the shapes in the store.

    Args:
        store: a built graph.
        focus: IRIs of the nodes to check; None checks all. Give the nodes that belong to a changed
            record too, because only these are looked at.
        things: IRIs of what has a record to be checked, whether it says what it is or not.
    """
    return Validator(store).report(focus, things)


class Validator:
    """The graph and the shapes as pySHACL takes them, made once."""

    def __init__(self, store: LocalStore) -> None:
        """Copy the default graph and the shapes of a built graph."""
        with _malformed_literals_unsaid():
            self._data = store.copy_to_rdflib(into=_PreparedQueries())
            self._shapes = store.copy_to_rdflib(SHAPES_GRAPH)

    def follow(self, lost: Iterable[Quad], gained: Iterable[Quad]) -> None:
        """Take a change of the graph over."""
        with _malformed_literals_unsaid():
            _replace(self._data, map(triple_of, lost), map(triple_of, gained))

    def report(self, focus: Collection[str] | None = None, things: Iterable[str] = ()) -> Report:
        """Check the nodes in focus, see :func:`validate`; None checks all."""
        with _malformed_literals_unsaid(), _aimed(self._shapes, self._data, focus, things):
            _, results, _ = cast(
                "tuple[bool, Graph, str]",
                pyshacl.validate(self._data, shacl_graph=self._shapes, inplace=True),
            )
        found = (_finding(results, self._shapes, node) for node in results.objects(None, SH.result))
        return Report(tuple(sorted(found, key=_order)), results)


def locate(
    report: Report,
    places: Mapping[str, list[Place]],
    known: Mapping[str, Mapping[str, str]],
    vocabulary: Vocabulary,
) -> Report:
    """Tell for each finding where it stands and which values would do.

    Args:
        report: findings of :func:`validate`.
        places: index of :func:`medbench_kg.records.places`.
        known: namespace → name or slug of what it holds, lower case → slug.
        vocabulary: the keys of the records.
    """
    located = (_located(f, places, known, vocabulary) for f in report.findings)
    return Report(tuple(sorted(located, key=_order)), report.graph)


def known_names(rows: Iterable[Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """What can be named in a graph: namespace → slug, or name in small letters, → slug.

    Args:
        rows: answer to the query ``known-names``.
    """
    names: dict[str, dict[str, str]] = {}
    for thing, name in sorted({(row["thing"], row["name"]) for row in rows}):
        namespace, _, slug = thing.rpartition("/")
        known = names.setdefault(f"{namespace}/", {})
        known[slug] = slug
        known.setdefault(name.lower(), slug)
    return names


@contextmanager
def _malformed_literals_unsaid() -> Iterator[None]:
    """Keep rdflib from logging a traceback for each literal that a shape will report."""
    log = logging.getLogger("rdflib.term")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        log.setLevel(level)


class _PreparedQueries(Graph):
    """A graph that doesn't parse a query text twice.

    pySHACL asks the same text for every focus node, and parsing took nine tenths of its time.
    """

    def query(self, query_object: str | Query, *args: Any, **kwargs: Any) -> Result:  # noqa: ANN401  signature of rdflib
        if isinstance(query_object, str):
            query_object = _prepared(query_object)
        return super().query(query_object, *args, **kwargs)


_prepared = lru_cache(1 << 8)(prepareQuery)


@contextmanager
def _aimed(
    shapes: Graph, data: Graph, focus: Collection[str] | None, things: Iterable[str]
) -> Iterator[None]:
    """Replace every target of the shapes by those of its nodes that are in focus, for a time.

    pySHACL's own ``focus_nodes`` also filters the values that sh:not and sh:node look at, which
    gives false findings and hides true ones (seen in 0.40.1).
    """
    aims: dict[URIRef, Callable[[URIRef, Node], bool]] = {
        SH.targetNode: lambda node, target: node == target,
        SH.targetClass: lambda node, target: (node, RDF.type, target) in data,
        SH.targetSubjectsOf: lambda node, target: (node, target, None) in data,
        SH.targetObjectsOf: lambda node, target: (None, target, node) in data,
    }
    nodes = {URIRef(iri) for iri in focus or ()}
    whole = [] if focus is None else [t for p in aims for t in shapes.triples((None, p, None))]
    narrow = {
        (shape, SH.targetNode, node)
        for shape, predicate, target in whole
        for node in nodes
        if aims[cast("URIRef", predicate)](node, target)
    } | {(_CLASS, SH.targetNode, URIRef(iri)) for iri in things}
    _replace(shapes, whole, narrow)
    try:
        yield
    finally:
        _replace(shapes, narrow, whole)


def _replace(graph: Graph, removed: Iterable[Triple], added: Iterable[Triple]) -> None:
    for triple in removed:
        graph.remove(triple)
    for triple in added:
        graph.add(triple)


def _order(finding: Finding) -> tuple[int, str, int, str, str]:
    file, _, line = finding.where.rpartition(":")
    number = int(line) if line.isdecimal() else 0
    return (-finding.severity, file, number, finding.shape, finding.value)


def _finding(results: Graph, shapes: Graph, node: Node) -> Finding:
    def value(predicate: URIRef) -> str:
        found = results.value(node, predicate)
        return "" if found is None else str(found)

    constraint = results.value(node, SH.sourceConstraint)
    described = results.value(node, SH.sourceShape)
    if constraint is not None and (constraint, _REPAIR, None) in shapes:
        described = constraint
    return Finding(
        focus=value(SH.focusNode),
        path=_path(results.value(node, SH.resultPath), results),
        value=value(SH.value),
        shape=str(described),
        severity=Severity[value(SH.resultSeverity).rpartition("#")[2].upper()],
        # From the shape: pySHACL drops the language of a SPARQL constraint's message.
        messages=_by_language(shapes.objects(described, SH.message)),
        repairs=_by_language(shapes.objects(described, _REPAIR)),
    )


def _path(path: Node | None, results: Graph) -> str:
    """The property that a finding is about: itself, or what an inverse path inverts."""
    if path is None or isinstance(path, URIRef):
        return str(path or "")
    inverse = results.value(path, SH.inversePath)
    return str(inverse or "")


def _by_language(texts: Iterable[Node]) -> dict[str, str]:
    found = {t.language or "en": str(t) for t in texts if isinstance(t, Literal)}
    fallback = next(iter(found.values()), "")
    return {language: found.get(language, fallback) for language in _LANGUAGES}


def _located(
    finding: Finding,
    places: Mapping[str, list[Place]],
    known: Mapping[str, Mapping[str, str]],
    vocabulary: Vocabulary,
) -> Finding:
    found = places.get(finding.focus)
    if not found:
        return finding
    place = found[0]
    key, index, written = _value(finding, place, vocabulary)
    names = known.get(vocabulary.base_of(key) or "", {})
    nearest = _nearest(written, names) if names else ""
    if not names and key and key not in vocabulary.keys:
        nearest = next(iter(get_close_matches(key, vocabulary.keys, 1, 0.6)), "")
    return replace(
        finding,
        where=f"{place.record.path}:{place.line(key or None, index)}",
        key=key,
        allowed=tuple(sorted(set(names.values()))),
        nearest="" if nearest == written else nearest,
    )


def _value(finding: Finding, place: Place, vocabulary: Vocabulary) -> tuple[str, int | None, str]:
    """Find the key, the position in its list and the text that a finding is about."""
    keys = [k for k in vocabulary.keys_of(finding.path) if k in place.node] if finding.path else []
    for key in keys:
        values = place.node[key]
        for index, item in enumerate(values if isinstance(values, list) else [values]):
            if isinstance(item, str) and _same(item, finding.value, key, place, vocabulary):
                return key, index if isinstance(values, list) else None, item
    fallback = vocabulary.keys_of(finding.path)[0] if finding.path else ""
    return (keys[0] if keys else fallback), None, ""


def _same(item: str, value: str, key: str, place: Place, vocabulary: Vocabulary) -> bool:
    base = vocabulary.base_of(key) or place.record.iri
    return value in {item, vocabulary.expand(encode(item), base)}


def _nearest(written: str, names: Mapping[str, str]) -> str:
    """The slug whose slug, label or alternative label is most like a text."""
    wish = written.lower().replace("_", "-").replace(" ", "-")
    spelled = names.get(written.lower()) or names.get(wish) or names.get(wish.replace("-", " "))
    if spelled:
        return spelled
    candidates = get_close_matches(wish, names, 1, 0.5)
    if not candidates:
        candidates = [name for name in names if len(name) > 1 and name in wish.split("-")]
    return names[candidates[0]] if candidates else ""
