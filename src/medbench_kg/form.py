"""The form by which a dataset is proposed, for pages, issues and the command line alike.

Which facts are asked for, and in what words, is in ``form.ttl``; what a field takes comes from the
shapes and the concept schemes. So a form never asks for what a record can't hold.

Specification: SHACL, section 2.3.2 (non-validating property shape characteristics) and section
2.3.1.2 (sequence paths); SKOS Reference, section 5 (labels).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING

from medbench_kg import vocabulary
from medbench_kg.catalogue import internal
from medbench_kg.errors import SubmissionError
from medbench_kg.sentences import in_order
from medbench_kg.store import LocalStore
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from medbench_kg.store import Store
    from medbench_kg.vocabulary import Vocabulary

__all__ = ["CITATION", "LANGUAGES", "Choice", "Entries", "Field", "Form", "clean", "form"]

#: Languages of texts.
LANGUAGES = ("en", "zh")

#: What was entered: name of an input → its values, none of them empty.
Entries = dict[str, list[str]]

#: Language → text.
_Texts = dict[str, str]

#: Local names of the classes that the fields are about, by the key that leads to their nodes.
_CLASSES = {"extent": "Extent", "distribution": "Distribution", "record": "CatalogRecord"}

#: The class of what holds the evidence, which is a step further from the dataset.
_OWNERS = ("CatalogRecord",)

#: Steps of the path of a field in a part of a dataset.
_IN_A_PART = 2

#: The classes of datasets with rules on what has to be there.
_DATASETS = ("Dataset", "Benchmark")

#: What has to be there, but is made if nothing is entered.
_MADE = frozenset({"identifier"})

#: The field with the BibTeX entry of a paper, which becomes a record of its own.
CITATION = "paper.bibliographicCitation"

#: Fields whose values nobody corrects: one never changes, the others make something new.
_FIXED = frozenset({"identifier", "record.evidence.source", CITATION})

#: Longest text of an entry, in characters.
_LONGEST = 4000

#: Parts of a kind that a form takes, such as figures.
_PARTS = 20

#: Name of an input of a further part: the part, its number, the input in it.
_FURTHER = re.compile(r"([\w.]+)\.([2-9]|1[0-9]|20)\.\w+", re.ASCII)


@dataclass(frozen=True)
class Choice:
    """A value that a field takes: what stands in the record, and what it is called."""

    value: str
    names: _Texts


@dataclass(frozen=True)
class Field:
    """A fact that is asked for.

    Attributes:
        keys: where it stands in a record, key by key.
        group: heading that it stands under.
        names: what it is called.
        helps: what to enter.
        choices: the values that it takes; () if it is a text.
        is_required: whether it has to be entered for a benchmark.
        is_multiple: whether it takes several values.
        is_by_language: whether there is a text for each language.
        is_long: whether a text has more than a few words.
        is_link: whether it is an address.
        part: name of the part of a record that it belongs to, such as “extent”, if there can be
            several; else "".
        number: which of these parts, from 1.
    """

    keys: tuple[str, ...]
    group: _Texts
    names: _Texts
    helps: _Texts
    choices: tuple[Choice, ...]
    is_required: bool
    is_multiple: bool
    is_by_language: bool
    is_long: bool
    is_link: bool
    part: str = ""
    number: int = 1

    @property
    def name(self) -> str:
        """Its name in a form."""
        *outer, last = self.keys
        return ".".join([*outer, *([str(self.number)] if self.number > 1 else []), last])

    def again(self, number: int) -> Field:
        """The same field of another part."""
        names = {"en": f"{self.names['en']} ({number})", "zh": f"{self.names['zh']}（{number}）"}
        return replace(self, names=names, number=number) if number > 1 else self

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of its inputs, one for each language if it is a text for people."""
        if not self.is_by_language:
            return (self.name,)
        return tuple(f"{self.name}.{lang}" for lang in LANGUAGES)

    def value_of(self, name: str) -> str | None:
        """The value that goes by a name, in any language, or by its slug; None if there is none."""
        wanted = name.casefold()
        for choice in self.choices:
            if wanted in {choice.value.casefold(), *map(str.casefold, choice.names.values())}:
                return choice.value
        return None

    def sorted_choices(self, lang: str) -> list[Choice]:
        """The values that it takes, in the order of a reader."""
        return sorted(self.choices, key=lambda one: in_order(one.names[lang]))


@dataclass(frozen=True)
class Form:
    """All fields, in order."""

    fields: tuple[Field, ...]

    def grown(self, sent: Iterable[str], more: str = "") -> Form:
        """A form with as many parts of each kind as were sent.

        Args:
            sent: names of inputs.
            more: the part that one more is wanted of; "" for none.
        """
        count: Counter[str] = Counter()
        for found in filter(None, map(_FURTHER.fullmatch, sent)):
            count[found[1]] = max(count[found[1]], int(found[2]))
        count[more] = max(count[more], 1) + 1
        by_part = groupby(self.fields, key=lambda one: one.part)
        return Form(
            tuple(
                one.again(number)
                for part, fields in ((part, tuple(found)) for part, found in by_part)
                for number in range(1, min(max(count[part], 1), _PARTS) + 1 if part else 2)
                for one in fields
            )
        )

    def is_last(self, field: Field) -> bool:
        """Whether a further part can be added after a field."""
        own = [one for one in self.fields if one.part and one.part == field.part]
        return bool(own) and own[-1] == field and field.number < _PARTS

    def groups(self) -> Iterator[tuple[_Texts, list[Field]]]:
        """The fields below each heading."""
        headings = {one.group["en"]: one.group for one in self.fields}
        for key, heading in headings.items():
            yield heading, [one for one in self.fields if one.group["en"] == key]

    @cached_property
    def inputs(self) -> dict[str, Field]:
        """Name of each input → its field."""
        return {name: one for one in self.fields for name in one.inputs}

    @cached_property
    def correctable(self) -> dict[str, Field]:
        """Fields whose values can be said to be wrong, by their names."""
        return {one.name: one for one in self.fields if one.name not in _FIXED}

    def read(self, sent: Mapping[str, Sequence[str]]) -> Entries:
        """Take what was entered; blanks around it and empty values are left out.

        Args:
            sent: name of an input → values.

        Raises:
            SubmissionError: there is no such input, one that takes a single value has several, or a
                value is too long.
        """
        entries: Entries = {}
        for name, values in sent.items():
            if name not in self.inputs:
                raise SubmissionError(
                    f"The form has no field “{name[:60]}”.", hint="Use the form as it is."
                )
            found = [text for text in map(clean, values) if text]
            if len(found) > 1 and not self.inputs[name].is_multiple:
                raise SubmissionError(
                    f"“{name}” was sent {len(found)} times.", hint="Send it once."
                )
            if any(len(text) > _LONGEST for text in found):
                raise SubmissionError(
                    f"“{name}” has more than {_LONGEST} characters.", hint="Shorten it."
                )
            entries[name] = list(dict.fromkeys(found))
        return {name: values for name, values in entries.items() if values}


def form(store: Store) -> Form:
    """Make the form of a graph: its shapes and schemes say what may be entered."""
    own = LocalStore()
    package = resources.files("medbench_kg") / "form.ttl"
    own.load(package.read_text(encoding="utf-8").encode(), "turtle", base=f"{BASE}form")
    names, rules = vocabulary.load(), _rules(store)
    return Form(tuple(_field(row, rules, store, names) for row in own.rows(internal("form"))))


def _field(
    row: dict[str, str], rules: Mapping[tuple[str, str], _Rule], store: Store, names: Vocabulary
) -> Field:
    path = [row[step] for step in ("first", "second", "third") if step in row]
    keys = tuple(_key(step, names) for step in path)
    inner = _CLASSES.get(keys[0]) if keys[1:] else None
    about = [names.property_of(one) for one in ([inner] if inner else _DATASETS)]
    found = [rules[one, path[-1]] for one in about if (one, path[-1]) in rules]
    owners = [names.property_of(one) for one in (_DATASETS if len(path) == _IN_A_PART else _OWNERS)]
    is_part = inner and not any(
        rules[one, path[-2]].is_single for one in owners if (one, path[-2]) in rules
    )
    choices = _choices(keys, next((one.scheme for one in found if one.scheme), ""), store)
    return Field(
        keys,
        {"en": row["groupEn"], "zh": row["groupZh"]},
        {"en": row["en"], "zh": row["zh"]},
        {"en": row["helpEn"], "zh": row["helpZh"]},
        tuple(Choice(_slug(one["value"]), {"en": one["en"], "zh": one["zh"]}) for one in choices),
        is_required=any(one.is_required for one in found) and keys[0] not in _MADE and not inner,
        is_multiple=bool(choices) and not any(one.is_single for one in found),
        is_by_language=names.is_language_map(keys[-1]),
        is_long=row["long"] == "true",
        is_link=names.is_link(keys[-1]),
        part=".".join(keys[:-1]) if is_part else "",
    )


def _choices(keys: tuple[str, ...], scheme: str, store: Store) -> Iterable[dict[str, str]]:
    """The values that a field takes: kinds of datasets, or the concepts of its scheme, if any."""
    if keys == ("type",):
        return store.rows(internal("form-kinds"))
    return store.rows(internal("concepts-of-scheme", "scheme", [scheme])) if scheme else ()


@dataclass(frozen=True)
class _Rule:
    """What all constraints on a property of a class say together."""

    is_required: bool
    is_single: bool
    scheme: str


def _rules(store: Store) -> dict[tuple[str, str], _Rule]:
    """Class and property → what the shapes say."""
    found: dict[tuple[str, str], _Rule] = {}
    for row in store.rows(internal("form-rules")):
        key = row["class"], row["property"]
        before = found.get(key, _Rule(is_required=False, is_single=False, scheme=""))
        found[key] = _Rule(
            before.is_required or row["required"] == "true",
            before.is_single or row["single"] == "true",
            before.scheme or row.get("scheme", ""),
        )
    return found


def _key(step: str, names: Vocabulary) -> str:
    """The key of a property; of one that is followed backwards, the key for that."""
    return names.keys_of(step)[0].rpartition(":")[2]


def _slug(iri: str) -> str:
    return iri.rpartition("#")[2].rpartition("/")[2]


def clean(text: str) -> str:
    """A text on one line, without characters that can't be seen."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
