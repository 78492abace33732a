"""Writes a record that was judged: one writer at a time, on disk before it is said.

Each change is first told in a journal, one line of JSON each, then the file is replaced. Both are
on disk before the answer. A line names the digests of the file before and after: one whose file
never came to be is of a writer that was stopped in between. Records are never removed.

Specification: RFC 9110, sections 8.8.3 (ETag) and 13.1 (preconditions).
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING

from medbench_kg import editing, records, vocabulary
from medbench_kg.assets import folder
from medbench_kg.editing import turn
from medbench_kg.errors import NotFoundError, PreconditionError, UnconditionalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from medbench_kg.gate import Verdict
    from medbench_kg.records import Record

__all__ = ["JOURNAL", "Author", "Condition", "Written", "last_change", "stored", "write"]

#: Name of the journal in ``data/``.
JOURNAL = "journal.jsonl"


@dataclass(frozen=True)
class Author:
    """Who changes a record, and why; the reason may be empty."""

    name: str
    reason: str = ""


@dataclass(frozen=True)
class Condition:
    """In which state a record has to be, told by digests of its file.

    Attributes:
        is_any_of: it is in one of these states, ``*`` being any; None if nothing is asked for.
        is_none_of: it is in none of these.
    """

    is_any_of: tuple[str, ...] | None = None
    is_none_of: tuple[str, ...] | None = None

    def check(self, state: str) -> None:
        """Compare with a state; "" means that there is no record yet.

        Raises:
            PreconditionError: it is in another.
            UnconditionalError: there is a record, and nothing says that its author knows it.
        """
        if self.is_any_of is not None and not _matches(self.is_any_of, state):
            raise PreconditionError(
                "The record was changed since you read it, or there is none.",
                hint="Read it again and bring your change into it.",
            )
        if self.is_none_of is not None and _matches(self.is_none_of, state):
            raise PreconditionError(
                "There is such a record already.", hint="Change it, or choose another id."
            )
        if state and self.is_any_of is None:
            raise UnconditionalError(
                "There is such a record already, and you don't say which state of it you know.",
                hint="Send If-Match with the ETag of the record that you have read.",
            )


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        verdict: what the gate found.
        state: SHA-256 of the record's file now.
    """

    verdict: Verdict
    state: str

    @property
    def is_created(self) -> bool:
        """Whether there was no such record before."""
        return not self.verdict.before


def write(judge: Callable[[], Verdict], author: Author, condition: Condition) -> Written:
    """Judge a record, and, if the graph conforms with it, put it on disk.

    Args:
        judge: asks the gate; called when nobody else can write.
        author: who writes.
        condition: what must hold of the record that there is.

    Returns:
        What the gate found; nothing was written if that doesn't conform, or says nothing new.

    Raises:
        PreconditionError: the record isn't in the state that was asked for.
        OverloadedError: others have been writing for too long.
        MedbenchError: whatever the gate refuses.
    """
    data = folder("data")
    with turn():
        verdict = judge()
        condition.check(verdict.before)
        if not verdict.conforms or not verdict.is_new:
            return Written(verdict, verdict.before)
        content = verdict.text.encode()
        state = hashlib.sha256(content).hexdigest()
        _tell(data, author, verdict, state)
        _put(data / verdict.file, content)
        return Written(verdict, state)


def stored(slug: str) -> Record:
    """Read the record of a dataset, as it is on disk now.

    Raises:
        NotFoundError: there is none.
        RecordError: it can't be read.
    """
    paths = [folder("data") / kind / f"{slug}.yaml" for kind in ("datasets", "sources")]
    found = next((path for path in paths if path.is_file()), None)
    if found is None:
        raise NotFoundError(f"There is no record of a dataset “{slug}”.", hint="See /datasets.")
    with found.open("rb") as file:
        return records.parse(file.read(), editing.shown(found), vocabulary.load())


def last_change() -> tuple[int, int]:
    """What changes with each record that is written; equal if nothing was."""
    try:
        stat = (folder("data") / JOURNAL).stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


def _matches(states: tuple[str, ...], state: str) -> bool:
    return bool(state) and ("*" in states or state in states)


def _tell(data: Path, author: Author, verdict: Verdict, state: str) -> None:
    """Add a line to the journal; what a writer that was stopped left of one is taken away."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "author": author.name,
        "reason": author.reason,
        "record": verdict.record,
        "file": verdict.file,
        "before": verdict.before,
        "after": state,
    }
    with (data / JOURNAL).open("ab+") as journal:
        journal.truncate(_whole(journal))
        journal.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        journal.flush()
        os.fsync(journal.fileno())
    _settle(data)


def _whole(journal: IO[bytes]) -> int:
    """Size of the lines of a journal that end."""
    size = journal.seek(0, os.SEEK_END)
    journal.seek(max(size - 1, 0))
    if journal.read() in {b"", b"\n"}:
        return size
    journal.seek(0)
    return journal.read().rfind(b"\n") + 1


def _put(path: Path, content: bytes) -> None:
    """Replace a file: whatever happens, it has its old content or the new one."""
    handle, name = tempfile.mkstemp(prefix=".record-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _settle(path.parent)


def _settle(path: Path) -> None:
    """Have a folder's names on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
