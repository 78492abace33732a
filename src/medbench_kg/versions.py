"""Versions of records: every state that one had, by the journal of writes and by git.

A version has an IRI for ever: that of its record with the day as a fragment, and a number for the
others of that day, such as ``…/record/gemex#2026-11-22`` and ``#2026-11-22-2``. The journal tells
of states that were written over HTTP and of those that they replaced. Of what people committed
before, the last state of each day counts; where there is no repository, only the journal does.
"""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from medbench_kg import records
from medbench_kg.errors import RecordError
from medbench_kg.journal import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from medbench_kg.journal import Line
    from medbench_kg.records import Node, Record
    from medbench_kg.vocabulary import Vocabulary
__all__ = [
    "Difference",
    "Version",
    "difference",
    "earlier",
    "of_records",
    "record_iri",
    "state_of",
]

#: The day of a state, in the text of its file.
_MODIFIED = re.compile(rb"^  modified: '?([0-9]{4}-[0-9]{2}-[0-9]{2})'?$", re.MULTILINE)

#: Keys of a catalogue record that say nothing about it: its id, and what each write sets.
_STAMPS = frozenset({"id", "issued", "modified"})

#: Keys that hold the name of a thing, one for each kind of record.
_TITLES = ("title", "prefLabel", "label")


@dataclass(frozen=True)
class Difference:
    """In which properties a state of a record differs from the one before.

    Attributes:
        changed: IRIs of all of them, in order.
        added: those that the record didn't have before.
        removed: those that it hasn't any more.
    """

    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Version:
    """A state of a record.

    Attributes:
        iri: its own.
        record: IRI of the catalogue record.
        created: when it came to be, ISO 8601.
        state: what it says of itself.
        is_first: whether there was no record before.
        author: who wrote it; "" if the journal doesn't know.
        reason: why; may be empty.
        difference: from the state before, as far as it is known.
        revises: IRI of the version before; "" if there is none.
    """

    iri: str
    record: str
    created: str
    state: State
    is_first: bool
    author: str = ""
    reason: str = ""
    difference: Difference = Difference()
    revises: str = ""


def state_of(record: Record, names: Vocabulary) -> State:
    """What a record says of itself."""
    node = record.node
    inner = node.get("record")
    told = inner if isinstance(inner, dict) else {}
    titles: dict[str, object] = next(
        (node[key] for key in _TITLES if isinstance(node.get(key), dict)), {}
    )
    successor = node.get("isReplacedBy", "")
    return State(
        record.iri,
        str(told.get("issued", "")),
        str(told.get("modified", "")),
        str(told.get("status", "")),
        {lang: text for lang, text in titles.items() if isinstance(text, str)},
        names.expand(successor) if isinstance(successor, str) and successor else "",
    )


def record_iri(record: Record, names: Vocabulary) -> str:
    """IRI of the catalogue record inside a record; "" if it has none."""
    inner = record.node.get("record")
    told = inner.get("id") if isinstance(inner, dict) else None
    return names.expand(told, record.iri) if isinstance(told, str) else ""


def difference(old: Node, new: Node, names: Vocabulary) -> Difference:
    """In which properties two states of a record differ, its stamps left out."""
    before, after = _flat(old), _flat(new)

    def properties(keys: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted({names.property_of(key) for key in keys}))

    return Difference(
        properties(key for key in {*before, *after} if before.get(key) != after.get(key)),
        properties(after.keys() - before.keys()),
        properties(before.keys() - after.keys()),
    )


def earlier(files: Iterable[tuple[str, bytes]], names: Vocabulary) -> dict[str, list[Record]]:
    """Records as people committed them, by the IRI of the record: the last state of each day.

    Args:
        files: paths relative to ``data/`` and contents, oldest first.
        names: the context; what can't be read with it is left out.
    """
    last: dict[tuple[str, bytes], bytes] = {}
    for path, content in files:
        day = _MODIFIED.search(content)
        if day is not None:
            last[path, day[1]] = content
    found: dict[str, list[Record]] = {}
    for (path, _), content in last.items():
        with contextlib.suppress(RecordError):
            record = records.parse(content, Path(path), names)
            found.setdefault(record_iri(record, names), []).append(record)
    return found


def of_records(
    lines: Iterable[Line],
    present: Iterable[Record],
    before: Mapping[str, Sequence[Record]],
    names: Vocabulary,
) -> list[Version]:
    """All versions of the records that have more than one, those of each record oldest first.

    Args:
        lines: what the journal tells.
        present: the records.
        before: see :func:`earlier`.
        names: the context.
    """
    told: dict[str, list[Line]] = {}
    for line in lines:
        told.setdefault(line.record, []).append(line)
    found: list[Version] = []
    for record in present:
        iri = record_iri(record, names)
        own = told.get(iri, [])
        versions = list(_numbered(_states(own, record, before.get(iri, ()), names)))
        if iri and (own or len(versions) > 1):
            found += versions
    return found


def _states(
    lines: Sequence[Line], record: Record, before: Sequence[Record], names: Vocabulary
) -> Iterator[Version]:
    """The versions of a record, each with the IRI of the record instead of its own."""
    iri, now = record_iri(record, names), state_of(record, names)
    first = next((line.former or line.state for line in lines), None) or now
    last = ""
    node: Node = {}

    def found(state: State, told: Difference = Difference()) -> Version:
        is_first = state.issued == state.modified
        return Version(iri, iri, f"{state.modified}T00:00:00Z", state, is_first, difference=told)

    states = ((state_of(old, names), old.node) for old in before)
    for state, then in sorted(states, key=lambda pair: pair[0].modified):
        if state.modified < first.modified:
            yield found(state, difference(node, then, names) if node else Difference())
            node = then
    for line in lines:
        if line.former is not None and line.before != last:
            yield found(line.former)
        if line.state is not None:
            yield Version(
                iri,
                iri,
                line.time,
                line.state,
                not line.before,
                line.author,
                line.reason,
                Difference(line.changed, line.added, line.removed),
            )
        last, node = line.after, {}
    if record.digest != last:
        yield found(now, difference(node, record.node, names) if node else Difference())


def _numbered(found: Iterable[Version]) -> Iterator[Version]:
    """Give each version its IRI: that of the record with the day, and a number if it has others."""
    count: Counter[str] = Counter()
    before = ""
    for version in found:
        first = f"{version.record}#{version.state.modified}"
        count[first] += 1
        iri = first if count[first] == 1 else f"{first}-{count[first]}"
        yield replace(version, iri=iri, revises=before)
        before = iri


def _flat(node: Node) -> Node:
    """What a record and its catalogue record say, without ids and the stamps of the latter."""
    inner = node.get("record")
    told = inner if isinstance(inner, dict) else {}
    return {
        **{key: value for key, value in told.items() if key not in _STAMPS},
        **{key: value for key, value in node.items() if key not in {"id", "record"}},
    }
