"""The gate: judges one record against the whole graph, in a process that may be killed.

A :class:`Gate` holds the records of ``data/`` and the graph that they make. For each submission a
child of it puts the graph together as it would be, and validates what belongs to the record and
what refers to it or is referred to. Nothing is written here.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from medbench_kg import graph, records, submission, versions, vocabulary
from medbench_kg.assets import folder
from medbench_kg.catalogue import internal
from medbench_kg.editing import shown
from medbench_kg.errors import (
    EngineError,
    MedbenchError,
    NotFoundError,
    QueryTimeoutError,
    RecordError,
    StoreError,
)
from medbench_kg.evaluation import Child, refused
from medbench_kg.journal import State
from medbench_kg.negotiation import by_name
from medbench_kg.nursery import Work, frame, give_up_rights
from medbench_kg.validation import Finding, Report, Severity, Validator, known_names, locate
from medbench_kg.versions import Difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from medbench_kg.nursery import Channel
    from medbench_kg.records import Node, Record
    from medbench_kg.store import LocalStore

    #: Says how a record would look: takes all records, the graph that they make, and which it is.
    Show = Callable[[Sequence[Record], LocalStore, Record], Mapping[str, str]]

__all__ = ["Gate", "Sent", "Verdict", "ask", "prepare"]


@dataclass(frozen=True)
class Sent:
    """What is to be judged.

    Attributes:
        form: one of the values of :data:`submission.TAKEN`; "" withdraws the record that there is.
        record: IRI of the catalogue record that it has to be; "" leaves that to the document.
        day: when it is sent, ISO 8601; becomes the date of the record's last change.
        is_shown: whether to show how a record that conforms would look.
        beside: another record in YAML that would be written before it; "" if there is none.
    """

    form: str
    record: str
    day: str
    is_shown: bool = False
    beside: str = ""


@dataclass(frozen=True)
class Verdict:
    """What came of it.

    Attributes:
        conforms: whether the graph with it has no violation.
        record: IRI of the catalogue record; "" if none is given.
        file: the file that it belongs in, relative to ``data/``.
        text: the record in canonical form.
        before: SHA-256 of the file that there is; "" if there is none.
        is_new: whether it says anything else than the file that there is.
        state: what it says of itself.
        former: what the record that there is says of itself; None if there is none.
        difference: in which properties they differ.
        findings: about the record, and violations that it brings about around it.
        report: the SHACL validation report in N-Triples.
        shown: how it would look, by the names that a :data:`Show` gives; empty if nobody asked.
    """

    conforms: bool
    record: str
    file: str
    text: str
    before: str
    is_new: bool
    state: State
    former: State | None
    difference: Difference
    findings: tuple[Finding, ...]
    report: str
    shown: Mapping[str, str]


class Gate:
    """The records as they are on disk, and their graph."""

    def __init__(self, show: Show) -> None:
        """Read everything.

        Args:
            show: says how a record would look.

        Raises:
            MedbenchError: what is in ``data/`` makes no graph.
        """
        self._show = show
        self._names = vocabulary.load()
        self._judged: set[Path] = set()
        self._read_schema()

    def _read_schema(self) -> None:
        """Read everything: the records are built upon the rest."""
        ontology, shapes = folder("ontology"), folder("shapes")
        self._version = graph.version(ontology, shapes)
        self._assembly = graph.Assembly(graph.Schema(ontology, shapes), self._names)
        self._validator = Validator(self._assembly.store)
        self._records: dict[Path, Record] = {}
        self._seen: dict[Path, tuple[int, int, int]] = {}
        self._read_records()

    def refresh(self) -> None:
        """Take over what changed on disk.

        Raises:
            MedbenchError: what is in ``data/`` makes no graph.
        """
        if graph.version(folder("ontology"), folder("shapes")) != self._version:
            self._read_schema()
        else:
            self._read_records()

    def _read_records(self) -> None:
        """Read the records whose files changed."""
        data = folder("data")
        files = (path for kind in records.KINDS for path in (data / kind).glob("*.yaml"))
        present = {path: path.stat() for path in files}
        seen = {path: (s.st_mtime_ns, s.st_size, s.st_ino) for path, s in present.items()}
        fresh = {path: self._parsed(path) for path in seen if seen[path] != self._seen.get(path)}
        gone = self._seen.keys() - seen.keys()
        if fresh or gone:
            self._follow({**fresh, **dict.fromkeys(gone)})
        kept = {path: record for path, record in self._records.items() if path not in gone}
        self._records, self._seen = {**kept, **fresh}, seen

    def _follow(self, changed: Mapping[Path, Record | None]) -> None:
        self._validator.follow(*self._assembly.change(changed))

    def _parsed(self, path: Path) -> Record:
        try:
            return records.parse(path.read_bytes(), shown(path), self._names)
        except RecordError as error:
            raise StoreError(f"A record on disk can't be read: {error}") from error

    def rehearse(self) -> None:
        """Judge a record that there is: what is read or imported on the way is there from then on.

        A child can't open a file any more when it sees what a stranger sends.
        """
        by_length = sorted(self._records.items(), key=lambda item: len(item[1].lines))
        longest = {path.parent: record for path, record in by_length}
        self._validator.report(records.places(longest.values(), self._names))
        record = self._records[min(self._records)]
        document = submission.triples(record, self._names).dump(by_name("jsonld"))
        self.judge(Sent("jsonld", "", "9999-12-31", is_shown=True), document)
        self.forget()

    def forget(self) -> None:
        """Have the graph as it is on disk again."""
        self._follow({path: self._records.get(path) for path in self._judged})
        self._judged.clear()

    def judge(self, sent: Sent, content: bytes) -> Verdict:
        """Judge a submission; the graph holds it until :meth:`forget`.

        Raises:
            RecordError: the submission isn't well-formed.
            SubmissionError: it says what it may not say.
            ConflictError: it is another record than the one that it is sent as.
            NotFoundError: there is no record to withdraw.
        """
        known = {submission.record_iri(r, self._names): r for r in self._records.values()}
        found = self._withdrawn(sent, known) if not sent.form else self._read(sent, content, known)
        path = folder("data") / found.path
        old = self._records.get(path)
        record = replace(found, path=shown(path), node=_stamped(found.node, sent.day))
        if old is not None and _unstamped(old.node) == _unstamped(record.node):
            record = replace(record, node=old.node)
        fresh = {**self._beside(sent, known), path: record}
        changed = {**self._records, **fresh}
        report = self._report(fresh, changed)
        is_shown = sent.is_shown and report.conforms
        return Verdict(
            report.conforms,
            submission.record_iri(record, self._names),
            found.path.as_posix(),
            records.canonical(record.node, self._names),
            "" if old is None else old.digest,
            old is None or record.node != old.node,
            versions.state_of(record, self._names),
            None if old is None else versions.state_of(old, self._names),
            versions.difference(old.node if old else {}, record.node, self._names),
            report.findings,
            report.graph.serialize(format="nt"),
            self._show(tuple(changed.values()), self._assembly.store, record) if is_shown else {},
        )

    def _read(self, sent: Sent, content: bytes, known: dict[str, Record]) -> Record:
        return submission.read(content, sent.form, known, self._names, sent.record)

    def _beside(self, sent: Sent, known: dict[str, Record]) -> dict[Path, Record]:
        if not sent.beside:
            return {}
        found = submission.read(sent.beside.encode(), "yaml", known, self._names)
        path = folder("data") / found.path
        return {path: replace(found, path=shown(path))}

    @staticmethod
    def _withdrawn(sent: Sent, known: dict[str, Record]) -> Record:
        old = known.get(sent.record)
        if old is None:
            raise NotFoundError("There is no such record.", hint="“/query/recent-changes” has all.")
        inner = {**old.node["record"], "status": "deprecated"}
        node = {**old.node, "deprecated": "true", "record": inner}
        return replace(old, node=node, path=old.path.relative_to(shown(folder("data"))))

    def _report(self, fresh: Mapping[Path, Record], changed: Mapping[Path, Record]) -> Report:
        """Findings about records, and violations of what they touch."""
        own = records.places(fresh.values(), self._names)
        before = (self._records[path] for path in fresh if path in self._records)
        had = records.places(before, self._names)
        near = self._neighbours({*own, *had})
        self._follow(fresh)
        self._judged.update(fresh)
        near |= self._neighbours({*own, *had})
        found = self._validator.report({*own, *had, *near}, (one.iri for one in fresh.values()))
        kept = [f for f in found.findings if f.focus in own or f.severity == Severity.VIOLATION]
        index = records.places(changed.values(), self._names)
        known = known_names(self._assembly.store.rows(internal("known-names")))
        return locate(Report(tuple(kept), found.graph), index, known, self._names)

    def _neighbours(self, nodes: Iterable[str]) -> set[str]:
        rows = self._assembly.store.rows(internal("neighbours", "node", nodes))
        return {row["neighbour"] for row in rows}


def prepare(memory_bytes: int, show: Show) -> Work:
    """Read everything once, for a nursery; what is written later is read before each fork.

    Args:
        memory_bytes: what a child may use beyond that.
        show: says how a record would look.
    """
    gate = Gate(show)
    gate.rehearse()

    def work(channel: Channel) -> None:
        asked, sent = channel.receive(), channel.receive()
        if asked is None or sent is None:
            return
        try:
            gate.refresh()
            give_up_rights(memory_bytes)
            verdict = gate.judge(Sent(**json.loads(asked[1])), sent[1])
        except MedbenchError as error:
            channel.refuse(error)
        else:
            channel.send(frame(b"H", json.dumps(asdict(verdict)).encode()))

    def renew() -> None:
        with contextlib.suppress(MedbenchError, OSError):  # a child tells who asks
            gate.refresh()

    return Work(work, renew)


def ask(path: Path, sent: Sent, content: bytes, deadline_s: float) -> Verdict:
    """Have a child of a nursery judge a submission.

    Args:
        path: the socket of the nursery.
        sent: what is to be judged.
        content: the document.
        deadline_s: seconds after which the child is killed.

    Raises:
        RecordError: see :meth:`Gate.judge`, also for the errors that follow.
        SubmissionError: it says what it may not say.
        ConflictError: it is another record.
        NotFoundError: there is no record to withdraw.
        OverloadedError: too many are judged already.
        QueryTimeoutError: it took too long.
        EngineError: it needed too much memory.
    """
    end = time.monotonic() + deadline_s
    child = Child(path, deadline_s)  # the first of all has to wait until everything is read
    try:
        child.send(frame(b"Q", json.dumps(vars(sent)).encode()), frame(b"D", content))
        answer = child.receive(end)
    except OSError as error:
        raise EngineError(
            "The check broke off: the record needs too much memory, or is nested too deeply.",
            hint="Send a smaller one.",
        ) from error
    finally:
        child.kill()
    if answer is None:
        raise QueryTimeoutError(
            f"The check was stopped at its deadline of {deadline_s:g} seconds.",
            hint="Try again later, or send a smaller record.",
        )
    if answer[0] != b"H":
        raise refused(answer[1])
    told = json.loads(answer[1])
    told |= {
        "state": State(**told["state"]),
        "former": State(**told["former"]) if told["former"] else None,
        "difference": Difference(*map(tuple, told["difference"].values())),
    }
    found = (Finding(**{**f, "severity": Severity(f["severity"])}) for f in told.pop("findings"))
    return Verdict(**told, findings=tuple(found))


def _stamped(node: Node, day: str) -> Node:
    """Date the record; its first day stays as it is told."""
    inner = node.get("record")
    if not isinstance(inner, dict):
        return node
    return {**node, "record": {"issued": day, **inner, "modified": day}}


def _unstamped(node: Node) -> Node:
    inner = node.get("record")
    return {**node, "record": {**inner, "modified": ""}} if isinstance(inner, dict) else node
