"""Versions of records: every state that one had, by the journal of writes.

A version has an IRI for ever: that of its record with the day as a fragment, and a number for the
others of that day, such as ``…/record/gemex#2026-11-22`` and ``#2026-11-22-2``. The journal tells
of states that were written over HTTP and of those that they replaced, which people may have
written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg.journal import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medbench_kg.journal import Line
    from medbench_kg.records import Node, Record
    from medbench_kg.vocabulary import Vocabulary
__all__ = ["Version", "changed_properties", "of_lines", "state_of"]

#: Keys of a catalogue record that each write sets.
_STAMPS = frozenset({"issued", "modified"})

#: Keys that hold the name of a thing, one for each kind of record.
_TITLES = ("title", "prefLabel", "label")


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
        changed: IRIs of the properties that differ from the state before.
    """

    iri: str
    record: str
    created: str
    state: State
    is_first: bool
    author: str = ""
    reason: str = ""
    changed: tuple[str, ...] = ()


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


def changed_properties(old: Node, new: Node, names: Vocabulary) -> tuple[str, ...]:
    """IRIs of the properties in which two states of a record differ, its stamps left out."""
    return tuple(sorted({names.property_of(key) for key in _changed(old, new)}))


def of_lines(lines: Iterable[Line]) -> list[Version]:
    """The versions that a journal tells of, oldest first."""
    found: list[Version] = []
    last: dict[str, str] = {}
    taken: dict[str, int] = {}

    def add(line: Line, state: State, created: str, **more: str | bool | tuple[str, ...]) -> None:
        first = f"{line.record}#{state.modified}"
        taken[first] = number = taken.get(first, 0) + 1
        iri = first if number == 1 else f"{first}-{number}"
        found.append(Version(iri, line.record, created, state, **more))  # type: ignore[arg-type]

    for line in lines:
        if line.former is not None and last.get(line.record) != line.before:
            former = line.former
            is_first = former.issued == former.modified
            add(line, former, f"{former.modified}T00:00:00Z", is_first=is_first)
        if line.state is not None:
            add(
                line,
                line.state,
                line.time,
                is_first=not line.before,
                author=line.author,
                reason=line.reason,
                changed=line.changed,
            )
        last[line.record] = line.after
    return found


def _changed(old: Mapping[str, object], new: Mapping[str, object]) -> set[str]:
    keys = {key for key in {*old, *new} - _STAMPS if old.get(key) != new.get(key)}
    if "record" not in keys:
        return keys
    before, after = old.get("record"), new.get("record")
    inner = [value if isinstance(value, dict) else {} for value in (before, after)]
    return (keys - {"record"}) | _changed(*inner)
