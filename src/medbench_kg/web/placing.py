"""Brings what is found in a record to the field of the form that it was entered into."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from medbench_kg import records, vocabulary
from medbench_kg.records import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.form import Entries, Form
    from medbench_kg.notation import Steps
    from medbench_kg.records import Node
    from medbench_kg.validation import Finding

__all__ = ["field_of", "places_of"]


def places_of(node: Node, iri: str) -> dict[str, Steps]:
    """IRI of each node of a record → where it stands in it."""
    index = records.places([Record(Path(), iri, node, {})], vocabulary.load())
    return {found: places[0].path for found, places in index.items()}


def field_of(finding: Finding, where: Mapping[str, Steps], form: Form, entries: Entries) -> str:
    """Name of the field that a finding is about; "" if it is about none.

    Args:
        finding: about a record that was made of entries.
        where: see :func:`places_of`.
        form: the form, with as many parts as were sent.
        entries: what was entered; parts of which nothing was aren't in the record.
    """
    names = vocabulary.load()
    steps = where.get(finding.focus, ("",))
    path = [names.property_of(step) for step in steps if isinstance(step, str)]
    path += [finding.path] * bool(finding.path)
    place = next((step for step in steps if isinstance(step, int)), 0)
    filled = sorted({(one.part, one.number) for one in form.fields if one.name in entries})
    for one in form.fields:
        if [names.property_of(key) for key in one.keys[: len(path)]] == path:
            numbers = [number for part, number in filled if part == one.part] if one.part else []
            if not numbers[place:] or one.number == numbers[place]:
                return one.name
    return ""
