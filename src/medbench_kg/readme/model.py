"""What a row of the list states, and what the reader was told about words.

A slug is the last part of a concept's IRI. "" stands for “not stated”.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "COLUMNS",
    "HEADERS",
    "Facts",
    "Figure",
    "Issue",
    "Lang",
    "Link",
    "Row",
    "Terms",
    "normalise",
    "plural",
]

Lang = Literal["en", "zh"]

#: The seven columns: slugs of the listing-field scheme, with the heads of the list's two tables.
COLUMNS = ("dataset-name", "paper-title", "date-venue", "modality", "task", "size", "download-link")
HEADERS: Mapping[Lang, tuple[str, ...]] = {
    "en": (
        "Dataset Name",
        "Paper Title",
        "Year / Venue",
        "Data Modality",
        "Task Type",
        "Size",
        "Download Link",
    ),
    "zh": ("数据集名称", "论文标题", "年份 / 会议", "数据模态", "任务类型", "数据规模", "下载链接"),
}

_IRREGULAR = {"criterion": "criteria", "corpus": "corpora"}


@dataclass(frozen=True)
class Figure:
    """A number of things.

    Attributes:
        value: how many.
        unit: slug of what is counted; "" if the words aren't known.
        kind: ``content``, ``source`` or ``coverage``.
        approximation: ``about``, ``at-least``, ``rounded``, or "" for an exact number.
        note: what is worth saying about it, in the language of the row; not a fact of its own.
    """

    value: int
    unit: str
    kind: str = "content"
    approximation: str = ""
    note: str = field(default="", compare=False)


@dataclass(frozen=True)
class Link:
    """A download link: its label, its address, and the slug of the host that the address names."""

    label: str
    url: str
    host: str


@dataclass(frozen=True)
class Facts:
    """What the seven cells of a row state.

    Attributes:
        name: text of the name cell, LaTeX kept.
        title: text of the paper cell.
        paper_link: address of the paper.
        date: text of the cell of date and venue.
        issued: ISO date, as precise as stated: ``2025-06-18``, ``2025-06`` or ``2025``.
        edition: slug of the edition of a conference.
        modality: text of the modality cell.
        modalities: slugs, in the order of the text.
        task: text of the task cell.
        tasks: slugs, in the order of the text.
        figures: the numbers of the modality cell and the size cell.
        links: the download links.
    """

    name: str
    title: str
    paper_link: str
    date: str
    issued: str
    edition: str
    modality: str
    modalities: tuple[str, ...]
    task: str
    tasks: tuple[str, ...]
    figures: tuple[Figure, ...]
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Row:
    """A well-formed row.

    Attributes:
        lang: language of its table.
        line: where it stands in the document, counted from 1.
        cell_count: cells that it has; the first seven are read.
        facts: what they state.
    """

    lang: Lang
    line: int
    cell_count: int
    facts: Facts


@dataclass(frozen=True)
class Issue:
    """Something that can't be read, or shouldn't be believed without a look.

    Attributes:
        line: where, counted from 1.
        code: key of :data:`medbench_kg.readme.words.ISSUES`.
        detail: the words of the list that it is about.
    """

    line: int
    code: str
    detail: str = ""


@dataclass(frozen=True)
class Terms:
    """The words that the graph knows.

    Attributes:
        names: scheme → normalised spelling → slug; schemes are ``modality``, ``task``, ``unit``
            and ``venue``.
        labels: slug of a unit, language → the words to write.
        kinds: slug of a unit → the kind of extent that it usually measures.
        editions: slugs of the editions that have a record.
        readings: column, text of a cell → the slugs that a curator has read from these very words.
    """

    names: Mapping[str, Mapping[str, str]]
    labels: Mapping[tuple[str, str], str]
    kinds: Mapping[str, str]
    editions: frozenset[str]
    readings: Mapping[tuple[str, str], tuple[str, ...]]


def normalise(text: str) -> str:
    """Fold width, case, hyphens and blanks, in which spellings differ without meaning it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\s\-‐‑–—]+", " ", folded).strip()


def plural(label: str) -> str:
    """The English plural of a label, which stands in its last word."""
    first, _, last = label.rpartition(" ")
    if last.lower() in _IRREGULAR:
        last = _IRREGULAR[last.lower()]
    elif re.search(r"[^aeiou]y$", last):
        last = f"{last[:-1]}ies"
    else:
        last += "es" if re.search(r"(s|x|ch|sh)$", last) else "s"
    return f"{first} {last}".strip()
