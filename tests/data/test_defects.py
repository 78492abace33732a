"""Any slip in a real record is found, with file, line and repair; SHACL finds it, not Python.

Copies of real records, each with one defect, are checked together in one run.
"""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from rdflib import SH

from medbench_kg import RecordError, builds, graph, pipeline, records, submission, vocabulary
from medbench_kg.assets import folder
from medbench_kg.catalogue import internal
from medbench_kg.gate import Gate, Sent
from medbench_kg.graph import SHAPES_GRAPH
from medbench_kg.validation import Report, Severity
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from medbench_kg.validation import Finding

NAMES = vocabulary.load()

#: The records that are broken, by folder and slug: one of each kind.
MODELS = {"datasets": "pathmmu", "papers": "arxiv-2401.16355", "venues": "iccv", "models": "gpt-4o"}

#: Keys without which the graph can't do: deleting one is a violation.
REQUIRED = {
    "datasets": ["type", "identifier", "title", "description", "modality", "task", "record"],
    "papers": ["type", "identifier", "title", "record"],
    "venues": ["type", "identifier", "prefLabel", "inScheme", "record"],
    "models": ["type", "identifier", "label", "evalueeKind", "record"],
}


class Defect(NamedTuple):
    kind: str
    key: str
    what: str
    node: dict[str, Any]


def concept_slips(kind: str, node: dict[str, Any]) -> Iterator[Defect]:
    """One copy for each concept-valued key of the record and its nodes, misspelt."""
    for path, inner in _nodes(node, ()):
        for key, value in inner.items():
            if NAMES.base_of(key) and key not in {"inScheme", "series"}:
                broken = copy.deepcopy(node)
                target = _follow(broken, path)
                target[key] = (
                    [value[0] + "x", *value[1:]] if isinstance(value, list) else f"{value}x"
                )
                yield Defect(kind, key, f"{'/'.join(map(str, (*path, key)))} misspelt", broken)


def deletions(kind: str, node: dict[str, Any]) -> Iterator[Defect]:
    for key in REQUIRED[kind]:
        yield Defect(kind, key, f"{key} deleted", {k: v for k, v in node.items() if k != key})


def typos(kind: str, node: dict[str, Any]) -> Iterator[Defect]:
    """One copy for each key of the record, misspelt."""
    for key in node:
        if key not in {"id", "type"}:
            yield Defect(
                kind,
                f"{key}x",
                f"{key} with a typo",
                {(f"{k}x" if k == key else k): v for k, v in node.items()},
            )


def nameless(kind: str, node: dict[str, Any]) -> Iterator[Defect]:
    """Copies without anything by which a shape finds a record, or of a class that isn't known."""
    rest = {k: v for k, v in node.items() if k not in {"type", "identifier", "record"}}
    yield Defect(kind, "type", "nothing says what it is", rest)
    yield Defect(kind, "type", "type unknown", {**rest, "type": ["Unheardof"]})
    yield Defect(kind, "type", "nothing said", {"id": node["id"]})


def _nodes(
    value: object, path: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, inner in value.items():
            yield from _nodes(inner, (*path, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _nodes(inner, (*path, position))


def _follow(node: Any, path: tuple[Any, ...]) -> Any:  # noqa: ANN401  a record is any nesting
    for step in path:
        node = node[step]
    return node


def defects() -> list[Defect]:
    found: list[Defect] = []
    for kind, slug in MODELS.items():
        path = folder("data") / kind / f"{slug}.yaml"
        node = records.parse(path.read_bytes(), path, NAMES).node
        for make in (deletions, concept_slips, typos, nameless):
            found += make(kind, node)
    return found


DEFECTS = defects()

#: Properties that constraints follow backwards; those of schemes aren't asked of records.
INVERTED = {
    "dcat:accessURL",
    "dcat:distribution",
    "dcterms:extent",
    "dcterms:hasPart",
    "foaf:primaryTopic",
    "mb:linkCheck",
    "schema:superEvent",
    "schema:url",
    "skos:inScheme",
}

#: Constraints that are queries: these may look anywhere.
ASKING = {
    "dataset-derivation-cycle",
    "dataset-issued-after-paper",
    "edition-iri",
    "identifier-iri",
    "link-check-since-before-checked",
    "listing-date-of-paper",
    "paper-arxiv-id-iri",
    "paper-authorship-positions",
    "paper-first-posted-month",
    "record-modified-after-issued",
    "scheme-broader-cycle",
    "scheme-broader-inside",
    "scheme-concept-iri",
}


def renamed(text: str, slug: str, new: str) -> str:
    """A record under another slug, with its paper identifiers and the like left alone."""
    for prefix in ("mbd:", "mbp:", "mbv:", "mbm:", "mbr:", "mbr:venue-", "mbr:model-", "mbres:"):
        text = text.replace(f"{prefix}{slug}", f"{prefix}{new}")
    return text.replace(f"identifier: {slug}\n", f"identifier: {new}\n")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The broken copies, by number."""
    top = tmp_path_factory.mktemp("broken")
    written: list[Path] = []
    for number, defect in enumerate(DEFECTS):
        slug = f"copy-{number}"
        path = top / defect.kind / f"{slug}.yaml"
        path.parent.mkdir(exist_ok=True)
        text = records.canonical(defect.node, NAMES)
        path.write_text(renamed(text, MODELS[defect.kind], slug), encoding="utf-8")
        written.append(path)
    return written


@pytest.fixture(scope="module")
def report(files: list[Path]) -> Report:
    assembled = pipeline.assemble(files)
    assert assembled.problems == ()
    return pipeline.check(assembled, files)


@pytest.fixture(scope="module")
def findings(report: Report) -> dict[int, list[Finding]]:
    """Findings of each broken copy, by its number."""
    by_number: dict[int, list[Finding]] = {number: [] for number in range(len(DEFECTS))}
    for finding in report.findings:
        stem = finding.where.rpartition(":")[0].rpartition("/")[2].removesuffix(".yaml")
        if finding.severity == Severity.VIOLATION and stem.startswith("copy-"):
            by_number[int(stem.removeprefix("copy-"))].append(finding)
    return by_number


@pytest.mark.parametrize(
    "number", range(len(DEFECTS)), ids=lambda n: f"{DEFECTS[n].kind}: {DEFECTS[n].what}"
)
def test_a_defect_is_found_with_line_and_repair(
    number: int, findings: dict[int, list[Finding]]
) -> None:
    defect = DEFECTS[number]
    found = findings[number]
    assert found
    for finding in found:
        assert finding.where.rpartition(":")[2].isdecimal()
        assert all(finding.messages[lang] and finding.repairs[lang] for lang in ("en", "zh"))
    if defect.what.endswith("misspelt"):
        assert any(
            f.key == defect.key and f.nearest + "x" == f.value.rpartition("/")[2] for f in found
        )


def told(report: Report) -> list[str]:
    """All that findings say, but for labels of blank nodes, which no two runs share."""
    return sorted(re.sub(r"value='[0-9a-f]{20,32}'", "", repr(f)) for f in report.findings)


#: The file and line of a finding.
WHERE = re.compile(r"where='[^']*'")

#: A slip in a record of data/ that a constraint sees only in other records: file, what is written
#: there, what instead, the constraint.
FAR_SLIPS = [
    ("datasets/pathmmu", "issuedMonth: 2024-01", "issuedMonth: 2023-01",
     "dataset-issued-after-paper"),
    ("datasets/pathmmu", "/jamessyx/PathMMU\n", "/BoKelvin/GEMeX-VQA\n",
     "distribution-access-url-shared"),
    ("datasets/pathmmu", "'#validation'\n  source", "mbd:gemex#none\n  source",
     "extent-of-part-known"),
    ("datasets/pathmmu", "paper: [arxiv-2401.16355]", "paper: [arxiv-2401.1635]",
     "dataset-paper-known"),
    ("datasets/pathmmu", "- {id: '#images'", "- {id: '#pictures'", ""),
    ("sources/openpath", "record:", """derivation:
- {id: '#from-pathmmu', type: Derivation, entity: pathmmu, derivationKind: adapted}
record:""", "dataset-derivation-cycle"),
    ("listings/gemex", "issued: '2025-03-23'", "issued: '2029-03-23'", "listing-date-of-paper"),
    ("venues/iccv", "EventSeries]", "Periodical]", "edition-series-type"),
]  # fmt: skip


@pytest.fixture(scope="module")
def keeper() -> Gate:
    return Gate(lambda *_: {})


@pytest.mark.parametrize("slip", FAR_SLIPS)
def test_a_changed_record_beside_the_graph_on_disk_and_at_the_gate_is_judged_as_in_the_whole(
    slip: tuple[str, str, str, str],
    on_disk: Path,
    tmp_path: Path,
    assembled: pipeline.Assembled,
    keeper: Gate,
) -> None:
    name, right, wrong, shape = slip
    kind, _, slug = name.partition("/")
    path = tmp_path / kind / f"{slug}.yaml"
    path.parent.mkdir()
    before = (folder("data") / kind / path.name).read_text(encoding="utf-8")
    assert right in before
    path.write_text(before.replace(right, wrong, 1), encoding="utf-8")
    changed = records.parse(path.read_bytes(), path, NAMES)
    others = (r for r in assembled.records if r.iri != changed.iri)
    everything = (*others, changed)
    whole = graph.build(everything, folder("ontology"), folder("shapes"), NAMES)
    expected = pipeline.check(pipeline.Assembled(everything, whole, ()), [path])
    store, _ = builds.open_built(on_disk)
    beside = pipeline.check(pipeline.assemble_beside(store, [path]), [path])
    assert told(beside) == told(expected)
    assert shape in "".join(f.shape for f in beside.findings)
    if kind in submission.WRITABLE:
        verdict = keeper.judge(Sent("yaml", "", "2030-01-01"), path.read_bytes())
        keeper.forget()
        own = records.places([changed], NAMES)
        found = Report(tuple(f for f in verdict.findings if f.focus in own), expected.graph)
        assert [WHERE.sub("", one) for one in told(found)] == [
            WHERE.sub("", one) for one in told(expected)
        ]


def test_a_graph_whose_records_change_is_what_a_build_of_them_would_be(
    assembled: pipeline.Assembled,
) -> None:
    """Records come, change, go and come back; one says what another says too."""
    schema = graph.Schema(folder("ontology"), folder("shapes"))
    assembly = graph.Assembly(schema, NAMES)
    of_path = {record.path: record for record in assembled.records}
    first, *others = (path for path in of_path if path.parent.name in {"datasets", "papers"})
    twin = replace(of_path[first], path=first.with_stem("twin"))
    changed = replace(twin, node={**twin.node, "task": ["medical-diagnosis"], "derivation": []})
    before = assembly.store.quads()
    for change in (
        dict.fromkeys(of_path),
        of_path,
        {first: changed, others[0]: None, others[1]: None},
        {twin.path: twin},
        {twin.path: None, first: twin},
        {others[0]: of_path[others[0]], first: None},
        {first: of_path[first], others[1]: of_path[others[1]]},
    ):
        lost, gained = assembly.change(change)
        assert assembly.store.quads() == (before - lost) | gained
        assert lost <= before
        assert not gained & before
        before = assembly.store.quads()
    whole = schema.build(of_path.values(), NAMES)
    assert assembly.store.canonical().quads() == whole.canonical().quads()


def test_what_constraints_look_at_beyond_a_record_is_known(assembled: pipeline.Assembled) -> None:
    """A new one here needs a look at ``surroundings.rq`` and a slip above."""
    shapes = assembled.store.copy_to_rdflib(SHAPES_GRAPH)
    inverted = {NAMES.shorten(str(path)) for path in shapes.objects(None, SH.inversePath)}
    assert inverted == INVERTED
    asking = {NAMES.shorten(str(shape)).partition(":")[2] for shape in shapes.subjects(SH.sparql)}
    assert asking == ASKING
    assert set(shapes.objects(None, SH.target)) == set()


def test_what_belongs_to_a_record_is_replaced_by_its_file(on_disk: Path) -> None:
    store, _ = builds.open_built(on_disk)
    data = sorted((folder("data") / "datasets").glob("*.yaml"))
    rest = store.construct(
        internal("all-but-records", "thing", [f"{BASE}dataset/{path.stem}" for path in data])
    )
    index = records.places([records.parse(p.read_bytes(), p, NAMES) for p in data], NAMES)
    assert rest.subjects().isdisjoint(index)


def test_a_check_beside_the_graph_on_disk_finds_the_same(
    files: list[Path], report: Report, on_disk: Path
) -> None:
    store, _ = builds.open_built(on_disk)
    beside = pipeline.check(pipeline.assemble_beside(store, files), files)
    assert told(beside) == told(report)


def test_the_untouched_copy_is_fine(assembled: pipeline.Assembled) -> None:
    assert pipeline.check(assembled).conforms


@pytest.mark.parametrize("kind", ["datasets", "papers", "listings"])
def test_cutting_a_record_anywhere_is_found_or_harmless(kind: str, root: Path) -> None:
    """Text cut off in the middle of a line is either named with its line or still a record."""
    path = sorted((root / "data" / kind).glob("*.yaml"))[3]
    text = path.read_text(encoding="utf-8")
    for end in range(1, len(text), 97):
        problem = problem_of(text[:end], path)
        assert problem is None or (problem.where.startswith(f"{path}:") and problem.hint)


def problem_of(text: str, path: Path) -> RecordError | None:
    try:
        records.parse(text, path, NAMES)
    except RecordError as problem:
        return problem
    return None
