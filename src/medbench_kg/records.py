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
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import yaml

from medbench_kg.errors import RecordError

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
    "read",
    "reformat",
]

#: A mapping of a record: key → text, node or list of these.
Node = dict[str, Any]

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

#: Deeper than this no record nests; deeper input is refused before it can exhaust the stack.
_MAX_DEPTH = 12

#: Characters that no IRI holds (RFC 3987, section 2.2).
_ILLEGAL = re.compile(r"[\x00-\x20<>\"{}|\\^`]")

#: Longest line of a node written on one line.
_LINE_WIDTH = 100

#: Where something stands in a record: keys and list positions from the top.
_Path = tuple[str | int, ...]


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
    lines: Mapping[_Path, int] = field(repr=False)
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
    path: _Path
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
            uses anchors, nests too deeply, or its ``id`` isn't that of its file.
    """
    node, lines = read(text, path)
    _refuse_broken_links(node, path, lines, vocabulary)
    digest = hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
    return Record(path, _iri(node, path, lines, vocabulary), node, lines, digest)


def read(text: str | bytes, path: Path) -> tuple[Node, dict[_Path, int]]:
    """Read content and lines before it is known which record it is; see :func:`parse`."""
    root = _compose(text, path)
    if not isinstance(root, yaml.MappingNode):
        hint = "Write “key: value” lines."
        raise RecordError("The file holds no mapping.", hint=hint, where=f"{path}:1")
    lines: dict[_Path, int] = {}
    return _Reader(path, lines).mapping(root, ()), lines


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
    root = _to_yaml(node, order)
    if isinstance(root, yaml.CollectionNode):
        root.flow_style = False
    return yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True, width=1 << 20, indent=2)


def reformat(text: str, path: Path, vocabulary: Vocabulary) -> str:
    """Bring the text of a record into canonical form.

    Raises:
        RecordError: it can't be read, or holds a comment, which the canonical form would lose.
    """
    record = parse(text, path, vocabulary)
    comment = _first_comment(text)
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


def _first_comment(text: str) -> int | None:
    """Position of the first comment: a # between tokens, where only blanks and comments stand."""
    end = 0
    for token in yaml.scan(text, Loader=yaml.BaseLoader):
        found = text.find("#", end, token.start_mark.index)
        if found >= 0:
            return found
        end = max(end, token.end_mark.index)
    return None


def _compose(text: str | bytes, path: Path) -> yaml.Node | None:
    loader = None
    try:
        loader = yaml.CBaseLoader(text.decode("utf-8") if isinstance(text, bytes) else text)
        return loader.get_single_node()
    except UnicodeDecodeError as error:
        raise RecordError(
            "The file isn't UTF-8.", hint="Save it as UTF-8.", where=f"{path}:1"
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        detail = error.problem or "syntax error"
        raise RecordError(
            f"This isn't YAML: {detail}.",
            hint="Check indentation, quotes and colons here and on the line above.",
            where=f"{path}:{line}",
        ) from error
    except yaml.YAMLError as error:
        raise RecordError(
            "The file holds a character that YAML doesn't allow.",
            hint="Remove control characters.",
            where=f"{path}:1",
        ) from error
    finally:
        if loader is not None:
            loader.dispose()


class _Reader:
    """Turns YAML nodes into plain values and notes the line of each."""

    def __init__(self, path: Path, lines: dict[_Path, int]) -> None:
        self._path = path
        self._lines = lines
        self._seen: set[int] = set()

    def mapping(self, node: yaml.MappingNode, at: _Path) -> Node:
        self._enter(node, at)
        values: Node = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key in values:
                raise self._problem(
                    key_node, f"The key “{key}” stands here twice.", "Keep one; make a list of two."
                )
            values[key] = self._value(value_node, (*at, key))
            self._lines[*at, key] = key_node.start_mark.line + 1
        return values

    def _value(self, node: yaml.Node, at: _Path) -> object:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            self._enter(node, at)
            return [self._value(item, (*at, i)) for i, item in enumerate(node.value)]
        self._lines[at] = node.start_mark.line + 1
        if not node.value.strip():
            raise self._problem(
                node, f"“{at[-1]}” is empty.", "Give a value, or remove the key: absent is unknown."
            )
        return node.value

    def _key(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        raise self._problem(node, "A key must be a word.", "Quote it if it holds [ or {.")

    def _enter(self, node: yaml.Node, at: _Path) -> None:
        if id(node) in self._seen:
            raise self._problem(node, "Anchors and aliases aren't used here.", "Write it out.")
        if len(at) > _MAX_DEPTH:
            raise self._problem(node, "This is nested too deeply.", "Use the keys of the context.")
        self._seen.add(id(node))
        self._lines[at] = node.start_mark.line + 1

    def _problem(self, node: yaml.Node, message: str, hint: str) -> RecordError:
        line = node.start_mark.line + 1
        return RecordError(message, hint=hint, where=f"{self._path}:{line}")


def _iri(node: Node, path: Path, lines: Mapping[_Path, int], vocabulary: Vocabulary) -> str:
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
            f"The id of this file is “{node.get('id', 'missing')}”.",
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
    node: Node, path: Path, lines: Mapping[_Path, int], vocabulary: Vocabulary
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


def _nodes(value: object, at: _Path) -> Iterator[tuple[_Path, Node]]:
    if isinstance(value, dict):
        yield at, value
        for key, inner in value.items():
            yield from _nodes(inner, (*at, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _nodes(inner, (*at, position))


def _to_yaml(value: object, order: Mapping[str, int]) -> yaml.Node:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (order.get(key, len(order)), key))
        pairs = [(_scalar(key), _to_yaml(value[key], order)) for key in keys]
        one_line = _one_line([node for pair in pairs for node in pair])
        return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=one_line)
    if isinstance(value, list):
        items = [_to_yaml(item, order) for item in value]
        flat = all(isinstance(item, yaml.ScalarNode) for item in items)
        return yaml.SequenceNode(
            "tag:yaml.org,2002:seq", items, flow_style=flat and _one_line(items)
        )
    return _scalar(str(value))


def _scalar(text: str) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", text)


def _one_line(nodes: list[yaml.Node]) -> bool:
    """Whether nodes fit on one line: all are texts or fit themselves, and they aren't long."""
    return (
        not any(isinstance(node, yaml.CollectionNode) and not node.flow_style for node in nodes)
        and sum(_width(node) for node in nodes) <= _LINE_WIDTH
    )


def _width(node: yaml.Node) -> int:
    if isinstance(node, yaml.ScalarNode):
        return len(node.value) + 2
    if isinstance(node, yaml.MappingNode):
        return sum(_width(key) + _width(value) for key, value in node.value) + 2
    return sum(_width(item) for item in node.value) + 2
