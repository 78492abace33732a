"""The journal of writes: ``data/journal.jsonl``, one line of JSON for each.

A line is on disk before the file that it tells of is replaced, so only the last can be of a write
that never came to be: its writer was stopped in between. Whoever writes next, or a server that
starts, puts that right: a torn line is cut off, a whole one whose file wasn't replaced is followed
by one that takes it back.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from medbench_kg.assets import folder
from medbench_kg.editing import settle
from medbench_kg.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["JOURNAL", "Line", "State", "add", "lines", "now", "repair"]

#: Name of the journal in ``data/``.
JOURNAL = "journal.jsonl"


@dataclass(frozen=True)
class State:
    """What a record says of itself.

    Attributes:
        thing: IRI of what it describes.
        issued: day on which it was first published, ISO 8601.
        modified: day on which it was last changed.
        status: slug of its status.
        titles: language → name of the thing.
        successor: IRI of what replaces the thing; may be empty.
    """

    thing: str
    issued: str
    modified: str
    status: str
    titles: Mapping[str, str]
    successor: str = ""


@dataclass(frozen=True)
class Line:
    """A write.

    Attributes:
        time: when, ISO 8601 with milliseconds, UTC.
        author: name of the token that was sent.
        reason: as its author gives it; may be empty.
        record: IRI of the catalogue record.
        file: the file, relative to ``data/``.
        before: SHA-256 of the file before; "" if there was none.
        after: SHA-256 of the file since.
        state: what the record has said of itself since; None if the line takes one back.
        former: what it said before; None if there was none.
        changed: IRIs of the properties that differ.
        takes_back: whether the line before never came to be.
        added: those of them that the record didn't have before.
        removed: those that it hasn't any more.
    """

    time: str
    author: str
    reason: str
    record: str
    file: str
    before: str
    after: str
    state: State | None = None
    former: State | None = None
    changed: tuple[str, ...] = ()
    takes_back: bool = False
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def now() -> str:
    """The present time as a line has it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def lines() -> list[Line]:
    """What the journal tells, oldest first; writes that never came to be are left out.

    Raises:
        StoreError: a line isn't one of a journal.
    """
    found: list[Line] = []
    for number, text in enumerate(_content().splitlines(keepends=True), 1):
        if not text.endswith(b"\n"):
            break  # it is being written, or its writer was stopped
        line = _parsed(text, number)
        if line.takes_back:
            found.pop()
        else:
            found.append(line)
    return found


def add(line: Line) -> None:
    """Add a line that is on disk when this returns; call it in :func:`medbench_kg.editing.turn`."""
    data = folder("data")
    with (data / JOURNAL).open("ab") as journal:
        journal.write(json.dumps(asdict(line), ensure_ascii=False).encode() + b"\n")
        journal.flush()
        os.fsync(journal.fileno())
    settle(data)


def repair() -> list[str]:
    """Put right what a writer that was stopped has left of its last line.

    Call it in :func:`medbench_kg.editing.turn`.

    Returns:
        What was repaired and why, a sentence each.

    Raises:
        StoreError: the last line isn't one of a journal.
    """
    content = _content()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        _cut(len(whole))
        return [f"{JOURNAL}: cut off a torn last line; its writer was stopped."]
    *_, last = whole.splitlines() or [b""]
    line = _parsed(last, whole.count(b"\n")) if last else None
    if line is None or line.before == line.after or _digest(line.file) != line.before:
        return []
    reason = "Its writer was stopped before the file was replaced, and nobody was told."
    add(Line(now(), "", reason, line.record, line.file, line.after, line.before, takes_back=True))
    return [f"{JOURNAL}: took back the last line, about {line.file}. {reason}"]


def _content() -> bytes:
    try:
        return (folder("data") / JOURNAL).read_bytes()
    except FileNotFoundError:
        return b""


def _cut(size: int) -> None:
    with (folder("data") / JOURNAL).open("rb+") as journal:
        journal.truncate(size)
        os.fsync(journal.fileno())


def _parsed(text: bytes, number: int) -> Line:
    try:
        told = json.loads(text)
        for name in ("state", "former"):
            told[name] = State(**told[name]) if told[name] else None
        told |= {name: tuple(told.get(name, ())) for name in ("changed", "added", "removed")}
        return Line(**told)
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"Line {number} of {JOURNAL} can't be read: {error}.",
            hint="Take the line from a backup or from git.",
        ) from error


def _digest(file: str) -> str:
    path = folder("data") / file
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
