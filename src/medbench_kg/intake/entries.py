"""Makes a record of what was entered into a form, whether it may be published or not.

Nothing is refused here: what is missing or wrong stays so, and the shapes say it.
"""

from __future__ import annotations

import re
from collections import Counter
from copy import deepcopy
from itertools import count
from typing import TYPE_CHECKING

from medbench_kg.errors import RecordError
from medbench_kg.form import CITATION, clean
from medbench_kg.intake.drafting import Draft, catalogue_record, kebab, paper_of, place
from medbench_kg.intake.sources import read
from medbench_kg.records import encode
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from medbench_kg.form import Entries, Field, Form
    from medbench_kg.pipeline import Assembled
    from medbench_kg.records import Node
    from medbench_kg.store import Store

__all__ = ["beside", "cited", "corrected", "draft_of", "record_of"]

#: Slug of a record that has neither a short name nor a name to make one of.
_UNNAMED = "unnamed"

#: Digits in groups, as figures are printed.
_GROUPED = re.compile(r"(?<=\d)[,， ](?=\d{3})")

#: What separates values in a text.
_SEPARATORS = re.compile(r"[,，、;；\n]")

#: Keys of a date, and those that stand for one that isn't a day.
_DATES = ("issued", "issuedMonth", "issuedYear")
_PRECISIONS = {re.compile(r"\d{4}"): "issuedYear", re.compile(r"\d{4}-\d\d"): "issuedMonth"}


def cited(entries: Entries, today: str) -> Node:
    """Make the record of the paper whose BibTeX entry was entered; {} if there is none.

    Raises:
        RecordError: it isn't one entry, or lacks the title, or both arXiv id and DOI.
    """
    text = next(iter(entries.get(CITATION, ())), "")
    if not text:
        return {}
    told = read(text.encode(), "BibTeX") if text.startswith("@") else None
    if told is None or not told.title or not (told.arxiv or told.doi):
        raise RecordError(
            "It isn't a BibTeX entry with a title and an arXiv id or a DOI.",
            hint="Copy it from arXiv or from the publisher, e.g. @misc{…, eprint={2411.16778}, …}.",
        )
    return paper_of(told, today)


def record_of(entries: Entries, form: Form, store: Store, today: str, paper: str = "") -> Node:
    """Make the record of a dataset of what was entered; its status is “proposed”.

    Args:
        entries: what :meth:`Form.read` gives.
        form: the form that it was entered into.
        store: the graph, which names hosts.
        today: the day, ISO 8601.
        paper: slug of a paper that describes it, besides the one that was entered.
    """
    slug = _slug(entries)
    node: Node = {"id": f"mbd:{slug or _UNNAMED}", "type": ["Dataset"]}
    node |= {"identifier": slug} if slug else {}
    parts: dict[str, dict[int, Node]] = {"distribution": {}, "extent": {}, "record.evidence": {}}
    for one in form.fields:
        value = _value(one, entries)
        if value and one.part:
            parts[one.part].setdefault(one.number, {})[one.keys[-1]] = value
        elif value and one.name not in {"identifier", CITATION}:
            node[one.name] = value
    if paper:
        node["paper"] = list(dict.fromkeys([*node.get("paper", ()), paper]))
    _date(node)
    told = {name: list(found.values()) for name, found in parts.items()}
    node["distribution"] = _numbered(_place(one, store) for one in told["distribution"])
    node["extent"] = _numbered({"id": "#extent", "type": "Extent", **one} for one in told["extent"])
    node = {key: value for key, value in node.items() if value}
    sources = [one["source"] for one in told["record.evidence"]]
    record = catalogue_record(slug or _UNNAMED, node, next(iter(sources), ""), today)
    for number, source in enumerate(sources[1:], 2):
        further = {"id": f"#evidence-{number}", "source": source}
        record["evidence"].append({**record["evidence"][0], **further})
    return {**node, "record": record}


def _place(told: Node, store: Store) -> Node:
    """A distribution of what was entered; without an address it has none."""
    found = {**place(told.get("accessURL", ""), store), **told}
    return {key: value for key, value in found.items() if key != "accessURL" or value}


def _numbered(parts: Iterable[Node]) -> list[Node]:
    """Give each part an id of its own: the second of an id gets a number."""
    seen: Counter[str] = Counter()
    found: list[Node] = []
    for one in parts:
        seen[one["id"]] += 1
        number = seen[one["id"]]
        found.append({**one, "id": one["id"] if number == 1 else f"{one['id']}-{number}"})
    return found


def draft_of(entries: Entries, form: Form, assembled: Assembled, today: str) -> Draft:
    """Make drafts of the records of what was entered: a dataset, and its paper if that is new.

    Args:
        entries: what :meth:`Form.read` gives.
        form: the form that it was entered into.
        assembled: the graph, and the records that there are.
        today: the day, ISO 8601.

    Raises:
        RecordError: there is such a record, or it has no name to make a slug of; or its paper is
            cited in no way that makes a record.
    """
    paper = cited(entries, today)
    node = record_of(entries, form, assembled.store, today, paper.get("identifier", ""))
    slug, taken = node.get("identifier", ""), {one.path.stem for one in assembled.records}
    if not slug or slug in taken:
        raise RecordError(
            f"There is a record “{slug}” already, or the name makes no slug.",
            hint="Enter another short name, or report what is wrong with that record.",
        )
    kind = "sources" if "SourceDataset" in node["type"] else "datasets"
    return Draft({f"{kind}/{slug}.yaml": node, **beside(paper, taken)}, ())


def beside(paper: Node, taken: Container[str]) -> dict[str, Node]:
    """The record of a paper by its file, unless it has one."""
    slug = paper.get("identifier", "")
    return {f"papers/{slug}.yaml": paper} if slug and slug not in taken else {}


def corrected(
    node: Node, field: Field, text: str, source: str, lang: str, today: str
) -> Node | None:
    """Make the record of a dataset say what is right, with the source for it.

    Args:
        node: the record that there is.
        field: which fact is wrong.
        text: what is right: values or their names, separated by commas where there can be several.
        source: address of what states it.
        lang: language of a text for people.
        today: the day, ISO 8601.

    Returns:
        The record; None if it has several of what the field is a part of.
    """
    node = deepcopy(node)
    values = [clean(part) for part in (_SEPARATORS.split(text) if field.choices else [text])]
    name = f"{field.name}.{lang}" if field.is_by_language else field.name
    value = _value(field, {name: [field.value_of(one) or one for one in values if one]})
    key, *inner = field.keys
    if inner:
        parts = node.setdefault(key, [{"id": f"#{key}", "type": key.capitalize()}])
        if len(parts) != 1:
            return None
        parts[0][inner[0]] = value
    elif isinstance(value, dict):
        node[key] = {**node.get(key, {}), **value}
    elif key == "issued":
        node = {one: kept for one, kept in node.items() if one not in _DATES} | {key: value}
        _date(node)
    else:
        node[key] = value
    taken = {one["id"] for one in node["record"].get("evidence", ())}
    free = next(f"#evidence-{n}" for n in count(1) if f"#evidence-{n}" not in taken)
    proof = {
        "id": free,
        "type": "Evidence",
        "confidence": "confirmed",
        "source": encode(clean(source)),
        "supports": [key],
        "retrieved": today,
    }
    node["record"] |= {"modified": today, "evidence": [*node["record"].get("evidence", ()), proof]}
    return node


def _slug(entries: Entries) -> str:
    """The slug that was chosen, else one of the name."""
    chosen = entries.get("identifier", [""])[0]
    return kebab(chosen or entries.get("title.en", [""])[0])


def _value(field: Field, entries: Entries) -> str | list[str] | Node:
    """What a field holds, in the form of a record; nothing if it is empty."""
    if field.is_by_language:
        texts = {name.rpartition(".")[2]: entries.get(name, [""])[0] for name in field.inputs}
        return {lang: text for lang, text in texts.items() if text}
    found = entries.get(field.name, [])
    if field.name == "paper":
        return [_paper(text) for text in found]
    if field.keys == ("extent", "value"):
        found = [_GROUPED.sub("", text) for text in found]
    if field.is_link:
        found = [encode(text) for text in found]
    return found if field.is_multiple else next(iter(found), "")


def _date(node: Node) -> None:
    """Move a date to the key that says how precise it is."""
    text = node.pop("issued", "")
    if text:
        fitting = (key for pattern, key in _PRECISIONS.items() if pattern.fullmatch(text))
        node[next(fitting, "issued")] = text


def _paper(text: str) -> str:
    """The slug of a paper, from its slug, its IRI, its arXiv id or its address there."""
    found = re.fullmatch(
        r"(?i)(?:https?://arxiv\.org/(?:abs|pdf|html)/|arxiv:|arxiv-)?(\d{4}\.\d{4,5})(?:v\d+)?",
        text,
    )
    return f"arxiv-{found[1]}" if found else encode(text.removeprefix(f"{BASE}paper/"))
