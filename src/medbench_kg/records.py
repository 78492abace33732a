"""Records: YAML text ⇄ JSON-LD, with the line of everything, and one canonical form.

A record is one YAML-LD file about one thing. Every scalar is a string (YAML's failsafe schema), so
that ``no`` stays a language and ``2504.01230`` an arXiv id; types live in the context. What a
record may say is the business of the shapes; here is only what makes a file readable.

Specification: YAML 1.2.2, section 10.1 (failsafe schema); JSON-LD 1.1; YAML-LD 1.0.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from medbench_kg import notation
from medbench_kg.errors import RecordError
from medbench_kg.notation import Node, Steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from medbench_kg.vocabulary import Vocabulary

__all__ = [
    "KINDS",
    "Node",
    "Place",
    "Record",
    "canonical",
    "encode",
    "load",
    "parse",
    "places",
    "reformat",
]

#: Folder of ``data/`` → prefix of the IRIs of its records.
KINDS = {
    "datasets": "mbd",
    "papers": "mbp",
    "venues": "mbv",
    "sources": "mbd",
    "models": "mbm",
    "listings": "mbl",
    "lists": "mblist",
    "links": "mblink",
}

#: Characters that no IRI holds (RFC 3987, section 2.2).
_ILLEGAL = re.compile(r"[\x00-\x20<>\"{}|\\^`]")


@dataclass(frozen=True)
class Record:
    """A file that was read.

    Attributes:
        path: where it was read from, as the user named it.
        iri: the IRI of the thing that it describes.
        node: its content.
        lines: path within the content → line, counted from 1.
        digest: SHA-256 of the file, in hexadecimal digits.
    """

    path: Path
    iri: str
    node: Node
    lines: Mapping[Steps, int] = field(repr=False)
    digest: str = ""

    def document(self, vocabulary: Vocabulary) -> Node:
        """The record as a JSON-LD node whose references are relative to its own IRI.

        JSON-LD drops a value that can't be an IRI, such as a slug with a blank. Here its blanks are
        percent-encoded, so that the value arrives in the graph and a shape can refuse it; so are
        those of a key.
        """
        return {"@context": {"@base": self.iri}, **_encoded(self.node, vocabulary)}


@dataclass(frozen=True)
class Place:
    """A node of a record and where it stands: what a finding about that node points at."""

    record: Record
    path: Steps
    node: Node

    def line(self, key: str | None = None, index: int | None = None) -> int:
        """The line of the node, of one of its keys, or of one value of a key."""
        path = self.path if key is None else (*self.path, key)
        if index is not None and (*path, index) in self.record.lines:
            path = (*path, index)
        return self.record.lines.get(path, self.record.lines[self.path])


def load(folder: Path, vocabulary: Vocabulary) -> tuple[list[Record], list[RecordError]]:
    """Read all records below ``data/``, in a stable order.

    Returns:
        The records that could be read, and a problem for each that could not.
    """
    records: list[Record] = []
    problems: list[RecordError] = []
    for path in sorted(p for kind in KINDS for p in (folder / kind).glob("*.yaml")):
        try:
            records.append(parse(path.read_bytes(), path, vocabulary))
        except RecordError as problem:
            problems.append(problem)
    problems += _duplicates(records, vocabulary)
    return records, problems


def parse(text: str | bytes, path: Path, vocabulary: Vocabulary) -> Record:
    """Read one record.

    Args:
        text: the content of the file.
        path: its name; the last two parts give kind and slug.
        vocabulary: the names that ``id`` is written in.

    Raises:
        RecordError: the text is no YAML mapping of strings, names a key twice or nothing at all,
            uses aliases, nests too deeply, or its ``id`` isn't that of its file.
    """
    node, lines = notation.read(text, path)
    iri = _iri(node, path, lines, vocabulary)
    _refuse_broken_links(node, path, lines, vocabulary)
    digest = hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
    return Record(path, iri, node, lines, digest)


def places(records: Iterable[Record], vocabulary: Vocabulary) -> dict[str, list[Place]]:
    """Index every node that has an ``id`` by its IRI; a node told in two places has two."""
    index: dict[str, list[Place]] = {}
    for record in records:
        for path, node in _nodes(record.node, ()):
            if isinstance(node.get("id"), str):
                iri = vocabulary.expand(node["id"], record.iri)
                index.setdefault(iri, []).append(Place(record, path, node))
    return index


def canonical(node: Node, vocabulary: Vocabulary) -> str:
    """Write a record in the one form that ``medbench fmt`` writes and a test expects.

    Keys come in the order of the context, unknown ones last; languages in alphabetical order;
    small nodes and lists on one line of at most 100 characters; no comments, no anchors.
    """
    order = {key: position for position, key in enumerate(vocabulary.keys)}
    return notation.write(node, order)


def reformat(content: bytes, path: Path, vocabulary: Vocabulary) -> str:
    """Bring the content of a file of a record into canonical form.

    Raises:
        RecordError: it can't be read, or holds a comment, which the canonical form would lose.
    """
    record = parse(content, path, vocabulary)
    text = content.decode()
    comment = notation.first_comment(text)
    if comment is not None:
        where = f"{path}:{text.count(chr(10), 0, comment) + 1}"
        hint = "Move the comment into a “note”, in both languages, or delete it."
        raise RecordError("Comments get lost in the canonical form.", hint=hint, where=where)
    written = canonical(record.node, vocabulary)
    if parse(written, path, vocabulary).node != record.node:
        hint = "Leave the file as it is and report this."
        raise RecordError(
            "The canonical form would not say the same.", hint=hint, where=f"{path}:1"
        )
    return written


def _iri(node: Node, path: Path, lines: Mapping[Steps, int], vocabulary: Vocabulary) -> str:
    prefix = KINDS.get(path.parent.name)
    if prefix is None:
        raise RecordError(
            f"“{path.parent.name}” is no folder of records.",
            hint=f"Put the file into one of: {', '.join(KINDS)}.",
            where=f"{path}:1",
        )
    expected = f"{prefix}:{path.stem}"
    if node.get("id") != expected:
        raise RecordError(
            f"The id of this file is “{node['id']}”." if "id" in node else "This file has no id.",
            hint=f"Write “id: {expected}”, or rename the file.",
            where=f"{path}:{lines.get(('id',), 1)}",
        )
    return vocabulary.expand(expected)


def encode(value: str) -> str:
    """Percent-encode what an IRI can't hold; the rest, Chinese included, stays."""
    return _ILLEGAL.sub(lambda found: quote(found[0]), value)


def _encoded(node: Node, vocabulary: Vocabulary) -> Node:
    return {encode(key): _encoded_value(key, value, vocabulary) for key, value in node.items()}


def _encoded_value(key: str, value: object, vocabulary: Vocabulary) -> object:
    if isinstance(value, dict):
        return _encoded(value, vocabulary)
    if isinstance(value, list):
        return [_encoded_value(key, item, vocabulary) for item in value]
    return encode(value) if isinstance(value, str) and vocabulary.is_name(key) else value


def _refuse_broken_links(
    node: Node, path: Path, lines: Mapping[Steps, int], vocabulary: Vocabulary
) -> None:
    for at, inner in _nodes(node, ()):
        for key, value in inner.items():
            for item in value if isinstance(value, list) else [value]:
                broken = isinstance(item, str) and _ILLEGAL.search(item)
                if broken and (key == "id" or vocabulary.is_link(key)):
                    raise RecordError(
                        f"“{item}” can't be an address: it holds “{broken[0]}”.",
                        hint="Take it out, or write a blank as %20.",
                        where=f"{path}:{lines[*at, key]}",
                    )


def _duplicates(records: list[Record], vocabulary: Vocabulary) -> Iterator[RecordError]:
    for iri, found in places(records, vocabulary).items():
        first, *others = found
        for other in others:
            yield RecordError(
                f"{vocabulary.shorten(iri)} is described here and in "
                f"{first.record.path}:{first.line()}.",
                hint="Give one of them another id.",
                where=f"{other.record.path}:{other.line()}",
            )


def _nodes(value: object, at: Steps) -> Iterator[tuple[Steps, Node]]:
    if isinstance(value, dict):
        yield at, value
        for key, inner in value.items():
            yield from _nodes(inner, (*at, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _nodes(inner, (*at, position))
