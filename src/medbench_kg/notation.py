"""YAML text ⇄ plain values: texts, lists and mappings, with the line of each.

What strangers send is read here, too. So whatever YAML has beyond that is refused, and refused
before it costs anything: nesting that would exhaust the stack, tags, aliases, two documents.

Specification: YAML 1.2.2, sections 3.2.2 (what is a detail of presentation), 5.1 and 10.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from medbench_kg.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Node", "Steps", "first_comment", "read", "write"]

#: A mapping of a record: key → text, node or list of these.
Node = dict[str, Any]

#: Where something stands in a record: keys and list positions from the top.
Steps = tuple[str | int, ...]

#: Deeper than this no record nests; deeper input is refused before it can exhaust the stack.
_MAX_DEPTH = 12

#: What is said of that, and how to repair it.
_TOO_DEEP = ("This is nested too deeply.", "Use the keys of the context.")

#: Shorter texts, in characters, don't nest deeply enough to exhaust the stack.
_SHORT = 10_000

#: Longest text of a record, in characters: many times the longest that there is.
_LONGEST = 10_000

#: Longest line of a node written on one line.
_LINE_WIDTH = 100

#: The tags that values have if none is written.
_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str"))

#: Controls, what turns the direction of a text around, and what is no character.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def read(text: str | bytes, path: Path) -> tuple[Node, dict[Steps, int]]:
    """Read the mapping that a text holds.

    Args:
        text: YAML; bytes are UTF-8.
        path: its name, for errors.

    Returns:
        The mapping, and where something stands in it → line, counted from 1.

    Raises:
        RecordError: the text is no YAML mapping of texts, names a key twice or nothing at all, has
            tags, aliases or characters that can't be seen, or nests too deeply.
    """
    root = _compose(text, path)
    if not isinstance(root, yaml.MappingNode):
        hint = "Write “key: value” lines."
        raise RecordError("The file holds no mapping.", hint=hint, where=f"{path}:1")
    lines: dict[Steps, int] = {}
    return _Reader(path, lines).mapping(root, ()), lines


def write(node: Node, order: Mapping[str, int]) -> str:
    """Write a mapping in canonical form.

    Args:
        node: the mapping.
        order: key → its place; others come last.
    """
    root = _to_yaml(node, order)
    if isinstance(root, yaml.CollectionNode):
        root.flow_style = False
    return yaml.serialize(root, Dumper=yaml.SafeDumper, allow_unicode=True, width=1 << 20, indent=2)


def first_comment(text: str) -> int | None:
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
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        if len(text) > _SHORT:
            _refuse_depth(text, path)
        loader = yaml.CBaseLoader(text)
        return loader.get_single_node()
    except UnicodeDecodeError as error:
        raise RecordError(
            "The file isn't UTF-8.", hint="Save it as UTF-8.", where=f"{path}:1"
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        message = f"This isn't YAML: {error.problem or 'syntax error'}."
        hint = "Check indentation, quotes and colons here and on the line above."
        if error.problem == "but found another document":
            message, hint = "The file holds a second document.", "Give each record its own file."
        raise RecordError(message, hint=hint, where=f"{path}:{line}") from error
    except yaml.YAMLError as error:
        raise RecordError(
            "The file holds a character that YAML doesn't allow.",
            hint="Remove control characters.",
            where=f"{path}:1",
        ) from error
    finally:
        if loader is not None:
            loader.dispose()


def _refuse_depth(text: str, path: Path) -> None:
    """Look at a text piece by piece, without recursion, as far as it nests as a record may."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CBaseLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH + 1:
            raise _problem(event, path, *_TOO_DEEP)


def _problem(at: yaml.Event | yaml.Node, path: Path, message: str, hint: str) -> RecordError:
    line = at.start_mark.line + 1 if at.start_mark else 1
    return RecordError(message, hint=hint, where=f"{path}:{line}")


class _Reader:
    """Turns YAML nodes into plain values and notes the line of each."""

    def __init__(self, path: Path, lines: dict[Steps, int]) -> None:
        self._path = path
        self._lines = lines
        self._seen: set[int] = set()

    def mapping(self, node: yaml.MappingNode, at: Steps) -> Node:
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

    def _value(self, node: yaml.Node, at: Steps) -> object:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, at)
        self._enter(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*at, i)) for i, item in enumerate(node.value)]
        if not node.value.strip():
            raise self._problem(
                node, f"“{at[-1]}” is empty.", "Give a value, or remove the key: absent is unknown."
            )
        return self._text(node)

    def _key(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode):
            return self._text(node)
        raise self._problem(node, "A key must be a word.", "Quote it if it holds [ or {.")

    def _text(self, node: yaml.Node) -> str:
        text = str(node.value)
        if len(text) > _LONGEST:
            message = f"This text has {len(text):,} characters; {_LONGEST:,} are allowed."
            raise self._problem(node, message, "Shorten it, and leave the rest to the source.")
        if unseen := _UNSEEN.search(text):
            character = f"U+{ord(unseen[0]):04X}"
            raise self._problem(node, f"The character {character} can't be seen.", "Take it out.")
        return text

    def _enter(self, node: yaml.Node, at: Steps) -> None:
        if id(node) in self._seen:
            raise self._problem(node, "Anchors and aliases aren't used here.", "Write it out.")
        if node.tag not in _TAGS:
            raise self._problem(node, f"The tag “{node.tag}” isn't used here.", "Take it out.")
        if len(at) > _MAX_DEPTH:
            raise self._problem(node, *_TOO_DEEP)
        self._seen.add(id(node))
        self._lines[at] = node.start_mark.line + 1

    def _problem(self, node: yaml.Node, message: str, hint: str) -> RecordError:
        return _problem(node, self._path, message, hint)


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
