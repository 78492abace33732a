"""What a page shows of a description: groups of rows, in the words of the reader's language.

Order, groups and the names of other vocabularies' terms are in ``layout.ttl``, in SHACL's words for
that; names of our own terms come from the ontology, those of things from the description itself.

Specification: SHACL, section 2.3.2 (non-validating property shape characteristics).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from flask_babel import gettext

from medbench_kg.vocabulary import BASE
from medbench_kg.web.layout import ANYWHERE, compact

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from medbench_kg.description import Statement
    from medbench_kg.web.layout import Layout, Names, Place

__all__ = ["Group", "Page", "Part", "Row", "Value", "page"]

#: How the values of a row are laid out.
_Shape = Literal["list", "names", "table", "blocks"]

#: Properties and groups that a page treats in a way of its own.
_NAMING = ("dcterms:title", "skos:prefLabel", "rdfs:label", "schema:name")
_TELLING = ("dcterms:description", "skos:definition")
_HEAD = {*_NAMING, *_TELLING}
_TYPE, _TOPIC, _LISTS = "rdf:type", "foaf:primaryTopic", "mb:lists"
_EVIDENCE, _SUPPORTS = "mb:evidence", "mb:supports"
_ALSO, _IN_SCHEME, _BROADER = "skos:altLabel", "skos:inScheme", "skos:broader"
_NAME, _POSITION = "schema:name", "schema:position"
_INTEGER, _BOOLEAN, _ANY_URI = "xsd:integer", "xsd:boolean", "xsd:anyURI"
_MORE, _USERS, _RECORD = (f"{BASE}layout#{name}" for name in ("more", "users", "record"))

#: Addresses that are made links.
_WEB = ("http://", "https://")

#: Characters of an address that are shown; digits of a number without separators.
_MAX_ADDRESS, _UNGROUPED = 60, 4

#: Columns that a table of parts has at most; beyond, each part is a block.
_MAX_COLUMNS = 7


@dataclass(frozen=True)
class Value:
    """A value: a text, a link, or a node that belongs to the thing.

    Attributes:
        text: what is shown.
        lang: language of the text if it isn't the page's; "" else.
        path: path and fragment of a thing of the graph, below the base; "" for anything else.
        url: address elsewhere; "" if there is none.
        part: the node that belongs to the thing.
        below: concepts below this one, in the tree of a scheme.
    """

    text: str
    lang: str = ""
    path: str = ""
    url: str = ""
    part: Part | None = None
    below: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Row:
    """A property and its values; none if nothing is known of what should be.

    Attributes:
        label: name of the property.
        property: its compact IRI.
        values: in the order of the page.
        shape: how they are laid out.
        columns: what the parts among them have.
        evidence: number and anchor of each node of the record that supports the row.
    """

    label: str
    property: str
    values: tuple[Value, ...]
    shape: _Shape = "list"
    columns: tuple[Row, ...] = ()
    evidence: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Part:
    """A node that belongs to the thing: the fragment of its IRI, and its rows by property."""

    anchor: str
    rows: dict[str, Row]


@dataclass(frozen=True)
class Group:
    """Rows under a heading; ``name`` is the group's in the layout."""

    heading: str
    rows: tuple[Row, ...]
    name: str


@dataclass(frozen=True)
class Page:
    """A thing, ready to be shown."""

    iri: str
    title: Value
    other_title: Value | None = None
    types: tuple[str, ...] = ()
    description: Value | None = None
    groups: tuple[Group, ...] = ()
    tree: tuple[Value, ...] = ()


def page(said: Iterable[Statement], iri: str, plan: Layout, lang: str) -> Page:
    """Lay out a description.

    Args:
        said: the description.
        iri: the thing that it is about.
        plan: order, groups and names.
        lang: ``en`` or ``zh``.
    """
    return _Writer(list(said), iri, plan, lang).page()


class _Writer:
    """The statements of one description, found by subject and property."""

    def __init__(self, said: list[Statement], iri: str, plan: Layout, lang: str) -> None:
        self._iri, self._plan, self._lang = iri, plan, lang
        self._said: dict[str, dict[str, list[Statement]]] = {}
        self._back: dict[str, list[Statement]] = {}
        for one in said:
            name = compact(one.property)
            self._said.setdefault(one.subject, {}).setdefault(name, []).append(one)
            if one.value == iri:
                self._back.setdefault(name, []).append(one)

    def page(self) -> Page:
        types, names = self._types(), self._names(self._iri)
        title = self._spoken(names) or Value(" ".join([*types[:1], self._slug(self._iri)]))
        others = (Value(text, lang) for lang, text in names.items() if text != title.text and lang)
        told = (self._literals(self._iri, name) for name in _TELLING)
        return Page(
            self._iri,
            title,
            next(others, None),
            types,
            self._spoken(next((texts for texts in told if texts), {})),
            tuple(self._groups()),
            self._tree(),
        )

    def _types(self) -> tuple[str, ...]:
        """Names of the most special classes."""
        found = [compact(one.value) for one in self._of(self._iri, _TYPE)]
        named = [name for name in found if name in self._plan.names]
        above = {one for name in named for one in self._plan.above[name]}
        return tuple(self._plan.names[name][self._lang] for name in named if name not in above)

    def _of(self, subject: str, name: str) -> list[Statement]:
        return self._said.get(subject, {}).get(name, [])

    def _literals(self, subject: str, name: str) -> Names:
        return {one.language: one.value for one in self._of(subject, name)}

    def _names(self, iri: str) -> Names:
        """Names of a thing by language; a list entry goes by the name of what it lists."""
        for name in _NAMING:
            if found := self._literals(iri, name):
                return found
        listed = next(iter(self._of(iri, _LISTS)), None)
        return self._names(listed.value) if listed else self._plan.name(compact(iri))

    def _spoken(self, names: Names) -> Value | None:
        """The text in the page's language, else in any, and then said to be."""
        if not names:
            return None
        lang = next(one for one in (self._lang, "", "en", *names) if one in names)
        return Value(names[lang], lang if lang != self._lang else "")

    def _groups(self) -> Iterator[Group]:
        """Groups in their order; the rows of the record stand in a group of their own."""
        found = [(place.group or _MORE, place, row) for place, row in self._rows(self._iri, _HEAD)]
        found += [(place.group or _USERS, place, row) for place, row in self._back_rows()]
        for record in self._back.get(_TOPIC, []):
            said = self._rows(record.subject, {_TOPIC})
            found += [(_RECORD, place, row) for place, row in said]
        found += [(place.group, place, row) for place, row in self._missing(found)]
        found.sort(key=lambda one: one[1].rank)
        for group, names in self._plan.groups.items():
            rows = tuple(row for its_group, _, row in found if its_group == group)
            if rows:
                yield Group(names[self._lang], rows, group.rpartition("#")[2])

    def _rows(self, subject: str, hidden: Container[str]) -> Iterator[tuple[Place, Row]]:
        for name, said in self._said.get(subject, {}).items():
            place = self._plan.places.get((name, False), ANYWHERE)
            if name in hidden or place.is_hidden:
                continue
            values = tuple(self._value(one, place) for one in self._chosen(said))
            evidence = tuple(self._evidence.get(name, ())) if subject == self._iri else ()
            row = Row(self._label(name, place), name, values, evidence=evidence)
            yield place, _laid_out(row, self._plan)

    def _missing(self, found: list[tuple[str, Place, Row]]) -> Iterator[tuple[Place, Row]]:
        """Rows without values, for what should be known of such a thing, or of its parts."""
        there = {one.property for _, _, row in found for one in (row, *row.columns)}
        for one in self._of(self._iri, _TYPE):
            missing = self._plan.expected.get(compact(one.value), set()) - there
            there |= missing
            for name in missing:
                place = self._plan.places[name, False]
                yield place, Row(self._label(name, place), name, ())

    @cached_property
    def _evidence(self) -> dict[str, list[tuple[int, str]]]:
        """Property → number and anchor of the evidence for it, numbered as the record is."""
        found: dict[str, list[tuple[int, str]]] = {}
        records = [one.subject for one in self._back.get(_TOPIC, [])]
        nodes = [one.value for record in records for one in self._of(record, _EVIDENCE)]
        for number, node in enumerate(nodes, 1):
            for one in self._of(node, _SUPPORTS):
                support = number, node.partition("#")[2]
                found.setdefault(compact(one.value), []).append(support)
        return found

    def _back_rows(self) -> Iterator[tuple[Place, Row]]:
        """What points here, by property; of one document only the first place."""
        for name, said in self._back.items():
            place = self._plan.places.get((name, True), ANYWHERE)
            wholes = {one.subject.partition("#")[0]: one.subject for one in reversed(said)}
            wholes.pop(self._iri.partition("#")[0], None)
            if wholes and name != _TOPIC and not place.is_hidden:
                values = sorted((self._link(iri) for iri in wholes.values()), key=_by_text)
                yield place, Row(self._label(name, place), name, tuple(values))

    def _label(self, name: str, place: Place) -> str:
        return (place.names or self._plan.name(name)).get(self._lang, name)

    def _chosen(self, said: list[Statement]) -> list[Statement]:
        """Texts in the page's language only, if there are any; other names in all, but once."""
        mine = [one for one in said if one.language == self._lang]
        if compact(said[0].property) == _ALSO:
            return list({one.value: one for one in [*said, *mine]}.values())
        return mine or said

    def _value(self, said: Statement, place: Place) -> Value:
        if said.datatype:
            lang = said.language if said.language != self._lang else ""
            url = place.space + said.value if place.space else ""
            is_address = compact(said.datatype) == _ANY_URI and said.value.startswith(_WEB)
            url = said.value if is_address else url
            return Value(_readable(said), lang, url=url)
        if "#" in said.value and _TYPE in self._said.get(said.value, {}):
            return self._part(said.value)
        return self._link(said.value)

    def _part(self, iri: str) -> Value:
        rows = {row.property: row for _, row in self._rows(iri, ())}
        return Value(iri, part=Part(iri.partition("#")[2], rows))

    def _link(self, iri: str) -> Value:
        whole = iri.partition("#")[0]
        name = self._spoken(self._names(iri))
        if not iri.startswith(BASE):
            name = name or Value(_short(compact(iri)))
            return Value(name.text, name.lang, url=iri if iri.startswith(_WEB) else "")
        name = name or self._spoken(self._names(whole)) or Value(self._slug(iri))
        return Value(name.text, name.lang, path=iri.removeprefix(BASE))

    @staticmethod
    def _slug(iri: str) -> str:
        return iri.rpartition("/")[2].replace("#", " ")

    def _tree(self) -> tuple[Value, ...]:
        """The concepts of a scheme, narrower ones below broader ones."""
        mine = {one.subject for one in self._back.get(_IN_SCHEME, [])}
        below: dict[str, list[str]] = {}
        for iri in mine:
            for broader in [one.value for one in self._of(iri, _BROADER)] or [""]:
                below.setdefault(broader, []).append(iri)

        def grow(root: str) -> tuple[Value, ...]:
            grown = (replace(self._link(iri), below=grow(iri)) for iri in below.get(root, ()))
            return tuple(sorted(grown, key=_by_text))

        return grow("")


def _laid_out(row: Row, plan: Layout) -> Row:
    """Choose a shape: a table for parts that have much in common."""
    parts = [value.part for value in row.values if value.part]
    if len(parts) < len(row.values) or not parts:
        return row
    columns = {name: one for part in parts for name, one in part.rows.items()}
    if columns.keys() <= {_NAME, _POSITION}:
        ordered = sorted(row.values, key=_position)
        return replace(row, values=tuple(ordered), shape="names")
    ranked = sorted(columns.values(), key=lambda one: _rank_in_table(one, plan))
    shape: _Shape = "table" if len(ranked) <= _MAX_COLUMNS and len(parts) > 1 else "blocks"
    return replace(row, shape=shape, columns=tuple(ranked))


def _rank_in_table(row: Row, plan: Layout) -> tuple[bool, int]:
    place = plan.places.get((row.property, False), ANYWHERE)
    return bool(place.group), place.rank


def _position(value: Value) -> int:
    row = value.part.rows.get(_POSITION) if value.part else None
    return int(row.values[0].text) if row else 0


def _by_text(value: Value) -> str:
    return value.text.casefold()


def _readable(said: Statement) -> str:
    datatype = compact(said.datatype)
    if datatype == _BOOLEAN:
        return str(gettext("yes") if said.value == "true" else gettext("no"))
    if datatype == _INTEGER and len(said.value) > _UNGROUPED:
        return f"{int(said.value):,}"
    return said.value


def _short(address: str) -> str:
    """An address without its scheme, cut in the middle when it is long."""
    text = re.sub(r"^https?://(www\.)?", "", address).rstrip("/")
    return text if len(text) <= _MAX_ADDRESS else f"{text[:40]}…{text[-19:]}"
