"""Any slip in a real record is found, with file, line and repair; SHACL finds it, not Python.

Copies of real records, each with one defect, are checked together in one run.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from medbench_kg import RecordError, pipeline, records, vocabulary
from medbench_kg.assets import folder
from medbench_kg.validation import Severity

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
        for make in (deletions, concept_slips, typos):
            found += make(kind, node)
    return found


DEFECTS = defects()


def renamed(text: str, slug: str, new: str) -> str:
    """A record under another slug, with its paper identifiers and the like left alone."""
    for prefix in ("mbd:", "mbp:", "mbv:", "mbm:", "mbr:", "mbr:venue-", "mbr:model-", "mbres:"):
        text = text.replace(f"{prefix}{slug}", f"{prefix}{new}")
    return text.replace(f"identifier: {slug}\n", f"identifier: {new}\n")


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[Finding]]:
    """Findings of each broken copy, by its number."""
    top = tmp_path_factory.mktemp("broken")
    files: list[Path] = []
    for number, defect in enumerate(DEFECTS):
        slug = f"copy-{number}"
        path = top / defect.kind / f"{slug}.yaml"
        path.parent.mkdir(exist_ok=True)
        text = records.canonical(defect.node, NAMES)
        path.write_text(renamed(text, MODELS[defect.kind], slug), encoding="utf-8")
        files.append(path)
    assembled = pipeline.assemble(files)
    assert assembled.problems == ()
    report = pipeline.check(assembled, files)
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
