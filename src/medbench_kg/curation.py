"""Writes a record that was judged: one writer at a time, on disk before it is said.

Each change is first told in the journal, then the file is replaced. Both are on disk before the
answer. Records are never removed.

Specification: RFC 9110, sections 8.8.3 (ETag) and 13.1 (preconditions).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg import editing, journal, records, vocabulary
from medbench_kg.assets import folder
from medbench_kg.editing import put, tidy, turn
from medbench_kg.errors import NotFoundError, PreconditionError, UnconditionalError
from medbench_kg.journal import Line

if TYPE_CHECKING:
    from collections.abc import Callable

    from medbench_kg.gate import Verdict
    from medbench_kg.records import Record

__all__ = ["Author", "Condition", "Written", "last_change", "recover", "stored", "write"]


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
    with turn():
        verdict = judge()
        condition.check(verdict.before)
        if not verdict.conforms or not verdict.is_new:
            return Written(verdict, verdict.before)
        content = verdict.text.encode()
        state = hashlib.sha256(content).hexdigest()
        journal.repair()
        journal.add(
            Line(
                journal.now(),
                author.name,
                author.reason,
                verdict.record,
                verdict.file,
                verdict.before,
                state,
                verdict.state,
                verdict.former,
                verdict.difference.changed,
                added=verdict.difference.added,
                removed=verdict.difference.removed,
            )
        )
        put(folder("data") / verdict.file, content)
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


def recover() -> list[str]:
    """Put right what writers that were stopped have left; call it before records are served.

    Returns:
        What was repaired and why, a sentence each.

    Raises:
        OverloadedError: others have been writing for too long.
        StoreError: the journal can't be read.
    """
    with turn():
        drafts = [f"{path.name}: removed; its writer was stopped." for path in tidy()]
        return [*journal.repair(), *drafts]


def last_change() -> tuple[int, int]:
    """What changes with each record that is written; equal if nothing was."""
    try:
        stat = (folder("data") / journal.JOURNAL).stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size


def _matches(states: tuple[str, ...], state: str) -> bool:
    return bool(state) and ("*" in states or state in states)
