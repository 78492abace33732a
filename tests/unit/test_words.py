"""Every word of the pages is in both languages; “make messages” brings the catalogue up to date."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from pathlib import Path

    from babel.messages.catalog import Message

CATALOGUE = "src/medbench_kg/translations/zh/LC_MESSAGES/messages.po"
#: Characters, and stops of full width.
CHINESE = re.compile(r"[\u3001\u3002\u4e00-\u9fff\uff00-\uffef]")
PLACEHOLDER = re.compile(r"%\(\w+\)\w")


def messages(root: Path) -> dict[str, Message]:
    with (root / CATALOGUE).open("rb") as file:
        catalogue = read_po(file, locale="zh")
    assert not list(catalogue.obsolete)
    return {forms(m.id)[0]: m for m in catalogue if m.id}


def forms(text: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_the_catalogue_holds_the_words_of_the_pages_and_no_others(root: Path) -> None:
    source = root / "src" / "medbench_kg"
    methods = [("web/templates/**", "jinja2"), ("web/**.py", "python"), ("*.py", "python")]
    used = {forms(found[2])[0] for found in extract_from_dir(source, methods)}
    assert used == set(messages(root)), "run “make messages”, then translate what is empty"


def test_every_word_has_a_chinese_one_with_the_same_placeholders(root: Path) -> None:
    for english, message in messages(root).items():
        assert not message.fuzzy, english
        for chinese in forms(message.string):
            assert CHINESE.search(chinese), f"“{english}” isn't translated"
            assert set(PLACEHOLDER.findall(chinese)) == set(PLACEHOLDER.findall(english))
