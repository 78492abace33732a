"""Markdown: the list's tables, as rows of cells with their texts and links.

The only door of markdown-it-py. Its table rule says where tables and rows are; a row is cut into
cells here, since that rule drops what goes beyond the header (GFM, section 4.10: “excess is
ignored”), and we want to report it.

Specification: CommonMark 0.31; GitHub Flavored Markdown 0.29, section 4.10 (tables).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from medbench_kg.readme.model import HEADERS, Issue, Lang, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from markdown_it.token import Token

__all__ = ["Cell", "Line", "escape", "lines_of", "read", "rewrite", "split"]

#: Heads that the columns have had, or may well get, normalised; position → words, one of which
#: must be in the head. Four of seven are enough.
_HEADS = (
    ("dataset", "name", "数据集", "名称"),
    ("paper", "title", "论文", "标题"),
    ("year", "venue", "date", "年份", "会议", "时间", "日期"),
    ("modal", "模态"),
    ("task", "任务"),
    ("size", "scale", "规模", "大小"),
    ("link", "download", "链接", "下载"),
)
_ENOUGH_HEADS = 4

_PIPE = re.compile(r"(?<!\\)\|")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_CHINESE = re.compile(r"[一-鿿]")
_BARE_URL = re.compile(r"https?://[^\s<>()\[\]|，。；、）]+")

#: LaTeX between dollars: kept as it is, since only so the list shows it as a formula.
_MATH = re.compile(r"(?<![\d\\$])\$(?=[^\s$])[^$\n]*?[^\s$\\]\$(?![\d$])")
#: What Markdown would take for markup; an underscore within a word and a lone ampersand aren't.
_MARKUP = re.compile(r"[\\`*\[\]<>$|]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: without markup, blanks collapsed; a line break of HTML is a newline.
        links: label and address of each link to the web, in order.
        strange: markup that isn't read: addresses that lead nowhere, HTML, pictures.
    """

    text: str
    links: tuple[tuple[str, str], ...]
    strange: tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """A row of one of the list's tables: language, line counted from 1, cells."""

    lang: Lang
    number: int
    cells: tuple[Cell, ...]


def read(markdown: str) -> tuple[list[Line], list[Issue]]:
    """Find the list's tables and cut them into cells.

    Args:
        markdown: the document.

    Returns:
        The rows below the headers, and what looks like a row or table of the list but isn't one.
    """
    source = lines_of(markdown)
    found: list[Line] = []
    issues: list[Issue] = []
    tokens = _parser().parse(markdown)
    for head, *rows in _tables(tokens):
        heads = [normalise(cell) for cell in split(source[head])]
        if sum(any(w in h for w in words) for h, words in zip(heads, _HEADS, strict=False)) < (
            _ENOUGH_HEADS
        ):
            issues.append(Issue(head + 1, "other-table", " | ".join(heads)))
            continue
        lang: Lang = "zh" if _CHINESE.search("".join(heads)) else "en"
        found += [Line(lang, n + 1, tuple(map(_cell, split(source[n])))) for n in rows]
    issues += [
        Issue(n + 1, "outside-table", source[n].strip()[:60])
        for token in tokens
        if token.type == "paragraph_open" and token.map
        for n in range(*token.map)
        if source[n].lstrip().startswith("|")
    ]
    issues += [Issue(1, "no-table", lang) for lang in HEADERS if all(r.lang != lang for r in found)]
    return found, issues


def lines_of(markdown: str) -> list[str]:
    """The lines as Markdown counts them, with their ends: only CR, LF and both end one."""
    return re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", markdown)


def split(row: str) -> list[str]:
    """Cut a row into cells as they are written; a pipe after a backslash is part of its cell."""
    parts = _PIPE.split(row.strip())
    if parts and not parts[0].strip():
        parts = parts[1:]
    if len(parts) > 1 and not parts[-1].strip():
        parts = parts[:-1]
    return parts


def rewrite(row: str, cells: Mapping[int, str]) -> str:
    """Replace cells of a row, given by position; the rest, blanks included, stays."""
    parts = _PIPE.split(row)
    first = 1 if row.lstrip().startswith("|") else 0
    for position, text in cells.items():
        part = parts[first + position]
        parts[first + position] = (
            part.replace(part.strip(), text, 1) if part.strip() else f" {text} "
        )
    return "|".join(parts)


def escape(text: str) -> str:
    """Write a text so that Markdown shows it as it is, inside a table."""
    written = []
    end = 0
    for math in _MATH.finditer(text):
        written += [_MARKUP.sub(r"\\\g<0>", text[end : math.start()]), math[0].replace("|", r"\|")]
        end = math.end()
    return "".join([*written, _MARKUP.sub(r"\\\g<0>", text[end:])])


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    return parser.use(dollarmath_plugin, allow_space=False, allow_digits=False)


def _tables(tokens: Iterable[Token]) -> Iterator[list[int]]:
    """The lines of each table, header first, counted from 0."""
    rows: list[int] = []
    for token in tokens:
        if token.type == "tr_open" and token.map:
            rows.append(token.map[0])
        elif token.type == "table_close":
            yield rows
            rows = []


def _cell(written: str) -> Cell:
    (inline,) = _parser().parseInline(written.replace(r"\|", "|").strip())
    texts: list[str] = []
    links: list[tuple[str, str]] = []
    strange: list[str] = []
    href, start = "", -1
    for token in inline.children or ():
        if token.type == "link_open":
            href, start = str(token.attrs["href"]), len(texts)
        elif token.type == "link_close":
            label = _blanks("".join(texts[start:]))
            if href.lower().startswith(("https://", "http://")):
                links.append((label, href))
            else:
                strange.append(f"[{label}]({href})")
            start = -1
        else:
            texts.append(_text(token))
            if start < 0:
                links += [(url, url) for url in _BARE_URL.findall(texts[-1])]
            if token.type == "html_inline" and not _BREAK.fullmatch(token.content):
                strange.append(token.content)
    return Cell(_blanks("".join(texts)), tuple(links), tuple(strange))


def _text(token: Token) -> str:
    if token.type == "math_inline":
        return f"${token.content}$"
    if token.type == "html_inline":
        return "\n" if _BREAK.fullmatch(token.content) else ""
    if token.type in {"softbreak", "hardbreak"}:
        return " "
    return token.content


def _blanks(text: str) -> str:
    return "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))
