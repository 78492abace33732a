"""Every constraint has an example that breaks it, and nothing else, in one run of pySHACL."""

from __future__ import annotations

import copy
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from rdflib import RDF, RDFS, SH, Graph, Literal, URIRef

from medbench_kg import graph, records, validation, vocabulary
from medbench_kg.assets import folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from medbench_kg.records import Node, Record

#: rdflib warns about the malformed boolean that an example is about.
pytestmark = pytest.mark.filterwarnings("ignore:Parsing weird boolean:UserWarning")

_EXAMPLES = Path(__file__).parent / "examples"
_SHAPES = "https://w3id.org/medbench-kg/shapes#"
_REPAIR = URIRef("https://w3id.org/medbench-kg/ontology#repairHint")
_SLUG = re.compile(r"\bexample\b")
_TARGETS = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)

#: What a node shape with a target may hold without being a constraint of its own.
_FRAME = {RDF.type, RDFS.comment, SH.property, *_TARGETS}

#: What a record holds: a text, a node or a list.
_Value = str | dict[str, "_Value"] | list["_Value"]


@dataclass(frozen=True)
class Case:
    """One state of an example: as it should be, or with one thing wrong.

    Attributes:
        file: name of the example file.
        shape: local name of the constraint that it breaks; "" if it breaks none.
        record: what the example describes; None if that isn't a record.
        turtle: concepts, where the example isn't a record.
        owned: IRIs of the nodes that the findings of this case are about.
    """

    file: str
    shape: str
    record: Record | None
    turtle: str
    owned: frozenset[str]

    @property
    def name(self) -> str:
        return f"{self.file}-{self.shape or 'valid'}"


def _cases() -> Iterator[Case]:
    for path in sorted(_EXAMPLES.glob("*.yaml")):
        example = _read(path)
        yield _case(path.stem, example, {"shape": ""})
        for change in example["invalid"]:
            yield _case(path.stem, example, change)


def _read(path: Path) -> Node:
    return yaml.load(path.read_bytes(), Loader=yaml.CBaseLoader)


def _case(file: str, example: Node, change: Node) -> Case:
    slug = f"example-{file}-{change['shape'] or 'valid'}".lower()
    if "turtle" in example:
        turtle = example["turtle"]
        for old, new in change.get("replace", []):
            assert turtle.count(old) == 1, f"{file}, {change['shape']}: “{old}” isn't there once."
            turtle = turtle.replace(old, new)
        turtle = _SLUG.sub(slug, turtle)
        subjects = {str(node) for node in Graph().parse(data=turtle).subjects()}
        return Case(file, change["shape"], None, turtle, frozenset(subjects))
    node = copy.deepcopy(example["valid"])
    for place in change.get("remove", []):
        _put(node, place.split("/"))
    for place, value in change.get("set", {}).items():
        _put(node, place.split("/"), value)
    record = _record(example["kind"], _SLUG.sub(slug, records.canonical(node, vocabulary.load())))
    owned = frozenset(records.places([record], vocabulary.load()))
    return Case(file, change["shape"], record, "", owned)


def _context() -> Iterator[Record]:
    """What the records of the examples refer to."""
    for path in sorted(_EXAMPLES.glob("*.yaml")):
        for other in _read(path).get("context", []):
            yield _record(other["kind"], records.canonical(other["record"], vocabulary.load()))


def _put(node: _Value, place: Sequence[str], value: _Value | None = None) -> None:
    """Set what stands at a path, or remove it if there is no value."""
    *way, last = place
    for step in way:
        node = node[int(step)] if isinstance(node, list) else node[step]
    if value is None:
        del node[int(last) if isinstance(node, list) else last]
    elif isinstance(node, list):
        node[int(last) : int(last) + 1] = [value]
    else:
        node[last] = value


def _record(kind: str, text: str) -> Record:
    written = re.match(r"id: '?\w+:([^'\n]+)", text)
    assert written, text
    return records.parse(text, Path(kind) / f"{written[1]}.yaml", vocabulary.load())


CASES = tuple(_cases())


@pytest.fixture(scope="module")
def found() -> dict[str, Counter[str]]:
    """The findings of each case, as constraint → how often."""
    everything = [case.record for case in CASES if case.record]
    everything += _context()
    store = graph.build(everything, folder("ontology"), folder("shapes"), vocabulary.load())
    for case in CASES:
        store.load(case.turtle.encode(), "turtle")
    owner = {iri: case.name for case in CASES for iri in case.owned}
    counts: dict[str, Counter[str]] = {case.name: Counter() for case in CASES}
    for finding in validation.validate(store).findings:
        if finding.focus in owner:
            counts[owner[finding.focus]][finding.shape.removeprefix(_SHAPES)] += 1
    return counts


@pytest.fixture(scope="module")
def shapes() -> Graph:
    return _load_shapes()


def _load_shapes() -> Graph:
    loaded = Graph()
    for path in sorted(folder("shapes").glob("*.ttl")):
        loaded.parse(path)
    return loaded


def _constraints(loaded: Graph) -> set[URIRef]:
    """The shapes with a name that can give a finding: all but frames and helpers of sh:node."""
    named = {s for s in loaded.subjects(RDF.type, SH.PropertyShape) if isinstance(s, URIRef)}
    targeted = {s for target in _TARGETS for s in loaded.subjects(target)}
    frames = {s for s in targeted if set(loaded.predicates(s)) <= _FRAME}
    return named | {s for s in targeted - frames if isinstance(s, URIRef)}


CONSTRAINTS = sorted(c.removeprefix(_SHAPES) for c in _constraints(_load_shapes()))


@pytest.mark.parametrize("case", [c for c in CASES if not c.shape], ids=lambda c: c.name)
def test_valid_example_has_no_violation(
    case: Case, found: dict[str, Counter[str]], shapes: Graph
) -> None:
    violations = [
        shape
        for shape in found[case.name]
        if shapes.value(URIRef(_SHAPES + shape), SH.severity) == SH.Violation
    ]
    assert violations == []


@pytest.mark.parametrize("case", [c for c in CASES if c.shape], ids=lambda c: c.name)
def test_invalid_example_has_its_finding_only(case: Case, found: dict[str, Counter[str]]) -> None:
    assert found[case.name] - found[f"{case.file}-valid"] == Counter({case.shape: 1})


def test_examples_have_nodes_of_their_own() -> None:
    shared = [i for i, n in Counter(iri for c in CASES for iri in c.owned).items() if n > 1]
    assert shared == []


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_constraint_has_an_invalid_example(constraint: str) -> None:
    assert sum(case.shape == constraint for case in CASES) == 1


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_constraint_is_explained_in_both_languages(constraint: str, shapes: Graph) -> None:
    node = URIRef(_SHAPES + constraint)
    for predicate in (SH.name, SH.message, _REPAIR):
        texts = [text for text in shapes.objects(node, predicate) if isinstance(text, Literal)]
        assert sorted(text.language or "" for text in texts) == ["en", "zh"], predicate
    (severity,) = shapes.objects(node, SH.severity)
    assert severity in {SH.Violation, SH.Warning, SH.Info}


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_constraint_is_applied(constraint: str, shapes: Graph) -> None:
    node = URIRef(_SHAPES + constraint)
    targeted = any((node, target, None) in shapes for target in _TARGETS)
    assert targeted != ((None, SH.property, node) in shapes)
