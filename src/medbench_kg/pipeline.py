"""Joins the steps: files → records → graph → report → build folder.

The only place that knows the whole way. ``build`` publishes nothing that has a violation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg import (
    builds,
    editing,
    graph,
    history,
    journal,
    metadata,
    publication,
    records,
    submission,
    versions,
    vocabulary,
)
from medbench_kg.assets import folder
from medbench_kg.catalogue import internal
from medbench_kg.errors import RecordError, ShapesError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from medbench_kg.builds import Manifest
    from medbench_kg.records import Record
    from medbench_kg.store import LocalStore
    from medbench_kg.validation import Report
    from medbench_kg.versions import Version

__all__ = [
    "Assembled",
    "assemble",
    "assemble_at",
    "assemble_beside",
    "build",
    "check",
    "versions_of",
]


@dataclass(frozen=True)
class Assembled:
    """The graph as the files make it, not yet validated.

    Attributes:
        records: those that were read.
        store: the graph, or of a graph that was built what matters to the records.
        problems: why other records weren't read.
        built: the graph that was built; None if ``store`` is all of it.
    """

    records: tuple[Record, ...]
    store: LocalStore
    problems: tuple[RecordError, ...]
    built: LocalStore | None = None


def assemble(extra: Iterable[Path] = ()) -> Assembled:
    """Read all files and put the graph together.

    Args:
        extra: records to read besides ``data/``; a file of ``data/`` isn't read twice.

    Raises:
        MedbenchError: a Turtle file, a mapping set or a rule is broken.
    """
    names = vocabulary.load()
    found, problems = records.load(editing.shown(folder("data")), names)
    known = {record.path.resolve() for record in found}
    more, refused = _parsed((path for path in extra if path.resolve() not in known), names)
    found += more
    store = graph.build(found, folder("ontology"), folder("shapes"), names)
    return Assembled(tuple(found), store, (*problems, *refused))


def assemble_beside(built: LocalStore, files: Iterable[Path]) -> Assembled:
    """Put as much of a graph together as it takes to check some of its records.

    Args:
        built: the whole graph; what it holds of the records themselves is replaced.
        files: the records; they may be new.

    Raises:
        MedbenchError: a Turtle file, a mapping set or a rule is broken.
    """
    names = vocabulary.load()
    found, problems = _parsed(files, names)
    named = [row["thing"] for row in graph.stated(found, names).rows(internal("named"))]
    around = built.construct(internal("surroundings", "named", named))
    others = around.construct(internal("all-but-records", "thing", (r.iri for r in found)))
    store = graph.build(found, folder("ontology"), folder("shapes"), names, others)
    return Assembled(tuple(found), store, tuple(problems), built)


def assemble_at(root: Path) -> Assembled:
    """Put the graph of another checkout together, with the context that lies there.

    Args:
        root: a folder that holds ``data/``, ``ontology/`` and ``shapes/``.

    Raises:
        MedbenchError: a Turtle file, a mapping set or a rule is broken.
    """
    names = vocabulary.read(root / "ontology")
    found, problems = records.load(root / "data", names)
    store = graph.build(found, root / "ontology", root / "shapes", names)
    return Assembled(tuple(found), store, tuple(problems))


def check(assembled: Assembled, files: Iterable[Path] = ()) -> Report:
    """Validate the graph, or only what belongs to some of its records.

    Args:
        assembled: the graph that the constraints look at.
        files: records to check; none means all.
    """
    from medbench_kg import validation  # noqa: PLC0415  pySHACL takes 0.4 s, which only checks need

    names = vocabulary.load()
    index = records.places(assembled.records, names)
    wanted = {path.resolve() for path in files}
    checked, focus = assembled.records, None
    if wanted:
        checked = tuple(one for one in checked if one.path.resolve() in wanted)
        focus = records.places(checked, names)
    report = validation.validate(assembled.store, focus, (one.iri for one in checked))
    known = _known_names(assembled) if report.findings else {}
    return validation.locate(report, index, known, names)


def versions_of(assembled: Assembled) -> list[Version]:
    """All versions of the records that have more than one, by journal and git.

    Raises:
        StoreError: the journal can't be read.
    """
    names = vocabulary.load()
    committed = versions.earlier(history.contents(folder("data")), names)
    return versions.of_records(journal.lines(), assembled.records, committed, names)


def build(out: Path | None = None, *, is_judged: bool = False) -> Manifest:
    """Assemble, validate and write the dumps into a folder, all or nothing.

    Args:
        out: the folder; None is the build folder.
        is_judged: whether each record that changed was let through by the gate, which has
            validated it already.

    Raises:
        RecordError: a record can't be read; all such problems are in the message.
        StoreError: the journal can't be read.
        ShapesError: the graph has a violation.
    """
    with editing.turn(is_reading=True):
        version, assembled = builds.version(), assemble()
        found = versions_of(assembled)
    if assembled.problems:
        raise RecordError("\n".join(str(problem) for problem in assembled.problems))
    if not is_judged and not check(assembled).conforms:
        raise ShapesError("The graph has violations.", hint="Run “medbench check” to see them.")
    metadata.add_history(assembled.store, found)
    graphs = (fmt for fmt in builds.DUMPS if fmt.kind == "graph")
    metadata.describe(assembled.store, [publication.name(publication.WHOLE, f) for f in graphs])
    states = submission.states(assembled.records, vocabulary.load())
    return builds.write(assembled.store.canonical(), out or folder("build"), version, states)


def _parsed(
    paths: Iterable[Path], names: vocabulary.Vocabulary
) -> tuple[list[Record], list[RecordError]]:
    found: list[Record] = []
    problems: list[RecordError] = []
    for path in paths:
        try:
            found.append(records.parse(path.read_bytes(), path, names))
        except RecordError as problem:
            problems.append(problem)
    return found, problems


def _known_names(assembled: Assembled) -> dict[str, dict[str, str]]:
    from medbench_kg import validation  # noqa: PLC0415  as above

    told = {record.iri for record in assembled.records}
    rows = list(assembled.store.rows(internal("known-names")))
    if assembled.built is not None:
        everything = assembled.built.rows(internal("known-names"))
        rows += (row for row in everything if row["thing"] not in told)
    return validation.known_names(rows)
