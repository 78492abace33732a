"""Reads what a document states about a dataset or a paper.

Specification: arXiv API user manual, section 3.3 (Atom); BibTeX entry types and fields; Hugging
Face dataset cards (YAML front matter); Croissant 1.1.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import feedparser
import yaml

from medbench_kg import citation
from medbench_kg.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Told", "address_of", "read"]

#: The answer of arXiv about one paper, and the card of a dataset of Hugging Face.
_ARXIV_API = "https://export.arxiv.org/api/query?id_list={id}"
_CARD = "https://huggingface.co/{path}/raw/main/README.md"

_ARXIV = re.compile(r"(?i)(?:arxiv\.org/(?:abs|pdf|html)/|arxiv:|^)(\d{4}\.\d{4,5})(v\d+)?")
_FRONT_MATTER = re.compile(r"\A---\r?\n(.*?)\r?\n---\s*(?:\r?\n|\Z)", re.DOTALL)


#: Entry type of BibTeX → class of papers.
_PAPERS = {
    "article": "JournalArticle",
    "conference": "ConferencePaper",
    "inproceedings": "ConferencePaper",
}


@dataclass(frozen=True)
class Told:
    """What a document states; "" and () stand for “nothing”.

    Attributes:
        kind: name of the form of the document.
        name: name of the dataset.
        url: address of the dataset.
        words: scheme → words that may name its concepts.
        title: title of the paper.
        authors: of the paper, in order, as printed.
        arxiv: its arXiv id, without version.
        doi: its DOI.
        posted: day of its first version, ISO.
        year: year of publication.
        paper_class: what kind of paper it is, a class of records.
        issue: text of an issue, which states what its form asks for.
    """

    kind: str
    name: str = ""
    url: str = ""
    words: Mapping[str, tuple[str, ...]] | None = None
    title: str = ""
    authors: tuple[str, ...] = ()
    arxiv: str = ""
    doi: str = ""
    posted: str = ""
    year: str = ""
    paper_class: str = ""
    issue: str = ""


def address_of(given: str) -> str:
    """Where to fetch what a person has named: an arXiv id or address, a dataset, any address."""
    if found := _ARXIV.search(given):
        return _ARXIV_API.format(id=found[1])
    parts = urlsplit(given)
    if parts.hostname in {"huggingface.co", "hf.co"} and parts.path.startswith("/datasets/"):
        return _CARD.format(path=parts.path.strip("/"))
    return given


def read(content: bytes, where: str) -> Told:
    """Read a document; its form is told by its content.

    Args:
        content: UTF-8, at most a few MB.
        where: name or address, for errors.

    Raises:
        RecordError: it is in none of the forms, malformed, or states nothing that can be used.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError("It isn't UTF-8.", hint="Save it as UTF-8.", where=where) from error
    beginning = text.lstrip()[:1]
    if beginning == "<":
        return _from_atom(text, where)
    if beginning == "{":
        return _from_croissant(text, where)
    if beginning == "@":
        return _from_bibtex(text, where)
    if text.lstrip().startswith("### "):
        return Told("issue", issue=text)
    if found := _FRONT_MATTER.match(text):
        return _from_card(found[1], where)
    raise RecordError(
        "It isn't known what this is.",
        hint="Give arXiv's Atom, a BibTeX entry, a dataset card with front matter, Croissant, "
        "or an issue.",
        where=where,
    )


def _from_atom(text: str, where: str) -> Told:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise RecordError("A document type isn't allowed here.", hint="Take it out.", where=where)
    entries = feedparser.parse(text.encode(), sanitize_html=False).entries
    found = _ARXIV.search(entries[0].get("id", "")) if len(entries) == 1 else None
    if not found:
        raise RecordError(
            f"It has {len(entries)} entries with an arXiv id, not one.",
            hint="Ask the arXiv API for one id.",
            where=where,
        )
    entry = entries[0]
    return Told(
        "arXiv",
        title=_flat(entry.get("title", "")),
        authors=tuple(_flat(author.get("name", "")) for author in entry.get("authors", ())),
        arxiv=found[1],
        doi=entry.get("arxiv_doi", ""),
        posted=entry.get("published", "")[: len("2024-11-25")],
        paper_class="Preprint",
    )


def _from_bibtex(text: str, where: str, kind: str = "BibTeX") -> Told:
    items = citation.read_bibtex(text)
    if len(items) != 1:
        raise RecordError(
            f"It holds {len(items)} entries that can be read, not one.",
            hint="Give one entry; check its braces and commas.",
            where=where,
        )
    (fields,) = items
    eprint = _ARXIV.search(fields.get("eprint", "")) or _ARXIV.search(fields.get("url", ""))
    eprint = eprint or _ARXIV.search(fields.get("journal", "").replace("arXiv preprint ", ""))
    authors = [name for name in fields.get("author", "").split(" and ") if name]
    return Told(
        kind,
        title=fields.get("title", ""),
        authors=tuple(_in_order(name) for name in authors),
        arxiv=eprint[1] if eprint else "",
        doi=fields.get("doi", "").removeprefix("https://doi.org/"),
        year=fields.get("year", ""),
        paper_class="Preprint" if eprint else _PAPERS.get(fields["entrytype"], ""),
    )


def _from_card(text: str, where: str) -> Told:
    try:
        card = yaml.load(text, Loader=yaml.BaseLoader)  # libyaml's would exhaust the stack
    except (yaml.YAMLError, RecursionError) as error:
        raise RecordError("Its front matter isn't YAML.", hint="Repair it.", where=where) from error
    if not isinstance(card, dict):
        raise RecordError("Its front matter has no keys.", hint="Add them.", where=where)
    tags = _texts(card.get("tags"))
    tasks = (*_texts(card.get("task_categories")), *_texts(card.get("task_ids")), *tags)
    paper = next((_ARXIV.search(tag) for tag in tags if tag.startswith("arxiv:")), None)
    return Told(
        "Hugging Face",
        name=next(iter(_texts(card.get("pretty_name"))), ""),
        url=where.partition("/raw/")[0] if where.startswith("https://huggingface.co/") else "",
        words={
            "licence": _texts(card.get("license")),
            "language": _texts(card.get("language")),
            "task": tasks,
            "modality": tags,
        },
        arxiv=paper[1] if paper else "",
    )


def _from_croissant(text: str, where: str) -> Told:
    try:
        card: dict[str, Any] = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError("It isn't JSON.", hint="Repair it.", where=where) from error
    if not str(card.get("@type", "")).endswith("Dataset") or not _texts(card.get("name")):
        raise RecordError(
            "It is no Croissant description.", hint="It needs “@type” and “name”.", where=where
        )
    words = {
        "licence": _texts(card.get("license")),
        "language": _texts(card.get("inLanguage")),
        "task": _texts(card.get("keywords")),
        "modality": _texts(card.get("keywords")),
    }
    cited = next(iter(_texts(card.get("citeAs"))), "")
    paper = _from_bibtex(cited, where) if cited.lstrip().startswith("@") else Told("")
    return Told(
        "Croissant",
        name=_texts(card["name"])[0],
        url=next(iter(_texts(card.get("url"))), ""),
        words=words,
        title=paper.title,
        authors=paper.authors,
        arxiv=paper.arxiv,
        doi=paper.doi,
        year=paper.year,
        paper_class=paper.paper_class,
    )


def _texts(value: object) -> tuple[str, ...]:
    """The texts of a value: itself, those of a list, or those of a language map."""
    if isinstance(value, str):
        return (_flat(value),) if value.strip() else ()
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return tuple(_flat(item) for item in inner if isinstance(item, str) and item.strip())


def _flat(text: str) -> str:
    return " ".join(text.split())


def _in_order(name: str) -> str:
    """“Family, Given” as it is printed: “Given Family”."""
    family, comma, given = name.partition(",")
    return _flat(f"{given} {family}" if comma and "," not in given else name)
