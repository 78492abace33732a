"""Asks for the fields of the form on a terminal, and reads a record back in words.

Names of concepts are completed with the Tab key; what is no name gets the nearest ones proposed.
"""

from __future__ import annotations

import contextlib
import re
import readline
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from medbench_kg.form import Entries, Field, Form
    from medbench_kg.records import Node

__all__ = ["ask", "tell"]

_WORDS = {
    "en": {
        "open": "Leave a line empty where nothing is known. Tab completes names.",
        "several": "several are separated by commas",
        "unknown": "“{text}” isn't known.",
        "near": "Did you mean: {names}?",
        "one": "Only one can be chosen.",
        "lang": {"en": "in English", "zh": "in Chinese"},
    },
    "zh": {
        "open": "未知的内容直接回车跳过；按 Tab 键补全名称。",
        "several": "多个取值以逗号分隔",
        "unknown": "没有“{text}”这个取值。",
        "near": "是否想写：{names}？",
        "one": "只能选择一个。",
        "lang": {"en": "英文", "zh": "中文"},
    },
}

#: What separates values.
_SEPARATORS = ",，、"


def ask(fields: Iterable[Field], lang: str) -> Entries:
    """Ask for fields, one after the other.

    Args:
        fields: what to ask for.
        lang: of questions and names.
    """
    words = _WORDS[lang]
    click.echo(words["open"], err=True)
    entries: Entries = {}
    heading = ""
    for one in fields:
        if one.group[lang] != heading:
            heading = one.group[lang]
            click.secho(f"\n{heading}", bold=True, err=True)
        several = f" ({words['several']})" if one.is_multiple else ""
        click.secho(f"{one.helps[lang]}{several}", dim=True, err=True)
        for name in one.inputs:
            told = _WORDS[lang]["lang"][name.rpartition(".")[2]] if one.is_by_language else ""  # type: ignore[index]
            label = f"{one.names[lang]} ({told})" if told else one.names[lang]
            with _completing(_names(one, lang)):
                entries[name] = _answer(one, label, lang)
    return {name: values for name, values in entries.items() if values}


def tell(fields: Form, node: Node, lang: str) -> str:
    """Read a record back in words, as its page would say it."""
    lines = []
    for heading, group in fields.groups():
        said = {one.names[lang]: _texts(one, node, lang) for one in group}
        told = [f"  {name}: {'; '.join(texts)}" for name, texts in said.items() if texts]
        lines += [heading[lang], *told] if told else []
    return "\n".join(lines)


def _answer(field: Field, label: str, lang: str) -> list[str]:
    """Ask until every name is known."""
    words = _WORDS[lang]
    while True:
        is_piped = not sys.stdout.isatty()  # readline completes on standard output alone
        text = str(click.prompt(label, default="", show_default=False, err=is_piped)).strip()
        if not field.choices:
            return [text] if text else []
        parts = [part.strip() for part in re.split(f"[{_SEPARATORS}]", text) if part.strip()]
        unknown = [part for part in parts if field.value_of(part) is None]
        if len(parts) > 1 and not field.is_multiple:
            click.echo(words["one"], err=True)
        elif not unknown:
            return [value for part in parts if (value := field.value_of(part))]
        for part in unknown:
            near = get_close_matches(part.casefold(), _names(field, lang), 3, 0.5)
            hint = str(words["near"]).format(names=", ".join(near)) if near else ""
            click.echo(f"{str(words['unknown']).format(text=part)} {hint}".rstrip(), err=True)


def _names(field: Field, lang: str) -> list[str]:
    return [choice.names[lang] for choice in field.choices]


@contextlib.contextmanager
def _completing(names: list[str]) -> Iterator[None]:
    """Complete names, each from where it begins."""

    def complete(text: str, state: int) -> str | None:
        begun = text.lstrip()
        found = [name for name in names if name.casefold().startswith(begun.casefold())]
        blanks = text[: len(text) - len(begun)]
        return f"{blanks}{found[state]}" if state < len(found) else None

    readline.parse_and_bind("tab: complete")
    delimiters, before = readline.get_completer_delims(), readline.get_completer()
    readline.set_completer_delims(_SEPARATORS)
    readline.set_completer(complete)
    try:
        yield
    finally:
        readline.set_completer(before)
        readline.set_completer_delims(delimiters)


def _texts(field: Field, node: Node, lang: str) -> list[str]:
    """What a record says in a field."""
    found: list[object] = [node]
    for key in field.keys:
        inner = [one[key] for one in found if isinstance(one, dict) and key in one]
        found = [item for one in inner for item in (one if isinstance(one, list) else [one])]
    known = {choice.value: choice.names[lang] for choice in field.choices}
    texts = [one.get(lang, "") if isinstance(one, dict) else one for one in found]
    return [known.get(str(text), str(text)) for text in texts if text]
