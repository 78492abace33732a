"""The canned queries: `.rq` files with a header, their parameters, and how to ask them.

A query is plain SPARQL 1.1 that any editor or endpoint can run. Its header is grlc's (comment lines
that begin with ``#+`` and hold YAML): ``summary``, ``tags``; ``summary_zh``, ``parameters``,
``columns`` and ``empty`` are ours. A parameter is a slot ``VALUES ?name { UNDEF }`` in the text; it
is filled by writing an RDF term there, never by building query text.

Specification: SPARQL 1.1 Query, section 10 (VALUES); grlc's decorator syntax.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import yaml

from medbench_kg import store as engine
from medbench_kg import vocabulary
from medbench_kg.errors import NotFoundError, QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medbench_kg.negotiation import Format
    from medbench_kg.store import Pick, Store

__all__ = [
    "Column",
    "Parameter",
    "Query",
    "Text",
    "ask",
    "catalogue",
    "find",
    "internal",
    "resolve",
    "rows",
    "tables",
    "values",
]

#: A text in both languages: ``{"en": …, "zh": …}``.
Text = dict[str, str]

_COMMENT_LINE = re.compile(r"^[ \t]*#.*\n", re.MULTILINE)
_XSD_INTEGER = "http://www.w3.org/2001/XMLSchema#integer"


@dataclass(frozen=True)
class Parameter:
    """A slot of a query.

    Attributes:
        name: the variable, without the question mark.
        type: how a value is written into the slot.
        scheme: slug of the concept scheme that values come from; "" if none.
        of_class: name of the class whose instances are values; "" if none.
        choices: IRIs of the values, when they are neither of a scheme nor of a class.
        folder: path below the base IRI that a bare slug belongs to.
        default: value that is used when none is given; "" leaves the slot open.
        help: what the parameter means.
    """

    name: str
    type: Literal["iri", "string", "integer"]
    scheme: str
    of_class: str
    choices: tuple[str, ...]
    folder: str
    default: str
    help: Text


@dataclass(frozen=True)
class Column:
    """A variable of the answer.

    Attributes:
        name: the variable, without the question mark.
        help: what its values mean.
        datatype: local name of the XML Schema datatype of its values.
        separator: what stands between several values; "" if there is one at most.
    """

    name: str
    help: Text
    datatype: str
    separator: str


@dataclass(frozen=True)
class Query:
    """A canned query.

    Attributes:
        name: id in URLs and on the command line.
        question: what it answers.
        tags: themes.
        parameters: its slots, in the order of the header.
        columns: the variables of the answer, in order.
        empty: why the answer may be empty; "" when it may not.
        text: SPARQL with open slots, header included.
    """

    name: str
    question: Text
    tags: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    empty: str
    text: str

    def parameter(self, name: str) -> Parameter:
        """Find a parameter by name.

        Raises:
            QueryError: the query has no such parameter.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = [parameter.name for parameter in self.parameters]
        raise QueryError(
            f"The query “{self.name}” has no parameter “{name}”.",
            hint=f"It has: {', '.join(known)}." if known else "It takes none.",
            where=name,
        )

    def bind(self, arguments: Mapping[str, str]) -> str:
        """Fill the slots.

        Args:
            arguments: parameter → value; a slug, compact IRI or IRI where an IRI is asked for. A
                missing or empty value takes the default.

        Returns:
            SPARQL that is ready to run, without comments: some clients guess the form of a query
            from words in them.

        Raises:
            QueryError: a parameter is unknown or a value ill-typed.
        """
        for name in arguments:
            self.parameter(name)
        text = _COMMENT_LINE.sub("", self.text)
        for parameter in self.parameters:
            value = arguments.get(parameter.name) or parameter.default
            if value:
                text = _fill(text, parameter.name, _term(parameter, value))
        return text


@lru_cache(maxsize=1)
def catalogue() -> tuple[Query, ...]:
    """All canned queries by name."""
    return _read("queries")


@lru_cache(maxsize=1)
def tables() -> tuple[Query, ...]:
    """The queries that make the plain tables, by name; they have no parameters."""
    return _read("tables")


def _read(name: str) -> tuple[Query, ...]:
    folder = resources.files("medbench_kg") / name
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".rq")), key=lambda f: f.name)
    return tuple(_parse(f.name.removesuffix(".rq"), f.read_text(encoding="utf-8")) for f in files)


def find(name: str) -> Query:
    """Find a canned query.

    Raises:
        NotFoundError: there is none of that name; the hint names the nearest.
    """
    for query in catalogue():
        if query.name == name:
            return query
    near = get_close_matches(name, [query.name for query in catalogue()], 3, 0.5)
    hint = f"Did you mean {' or '.join(near)}?" if near else "“medbench query” lists them."
    raise NotFoundError(f"There is no canned query “{name}”.", hint=hint)


def ask(
    store: Store,
    query: Query,
    arguments: Mapping[str, str],
    pick: Pick,
) -> tuple[bytes, Format]:
    """Answer a canned query.

    Args:
        store: where to ask; first whether values of parameters exist.
        query: what to ask.
        arguments: see :meth:`Query.bind`.
        pick: names the format, see :meth:`medbench_kg.store.Store.query`.

    Returns:
        The answer and the format that it is in.

    Raises:
        QueryError: a parameter is unknown, ill-typed, or names no value that there is.
    """
    text = query.bind(arguments)
    _check_values(store, query, arguments)
    return store.query(text, pick)


def rows(store: Store, name: str, **arguments: str) -> list[dict[str, str]]:
    """Answer the canned query of a name as rows of lexical values, unbound variables left out.

    Raises:
        NotFoundError: there is no such query.
        QueryError: see :func:`ask`.
    """
    query = find(name)
    text = query.bind(arguments)
    _check_values(store, query, arguments)
    return list(store.rows(text))


def values(store: Store, parameter: Parameter, iri: str = "") -> list[dict[str, str]]:
    """The values that a parameter takes, or only this one if it is among them.

    Returns:
        Rows of ``value``, ``en`` and ``zh``; [] if any text will do.
    """
    names = vocabulary.load()
    if parameter.scheme:
        slot, file, iris = "scheme", "concepts-of-scheme", [vocabulary.BASE + parameter.scheme]
    elif parameter.of_class:
        slot, file, iris = "class", "instances-of-class", [names.property_of(parameter.of_class)]
    elif parameter.choices:
        slot, file, iris = "value", "labels-of-terms", list(parameter.choices)
    else:
        return []
    text = internal(file, slot, iris)
    return list(store.rows(_fill(text, "value", engine.named_node(iri)) if iri else text))


def internal(name: str, slot: str = "", iris: Iterable[str] = ()) -> str:
    """Read a query of the program's own and write IRIs into its slot.

    Args:
        name: a file of ``sparql/``, without its ending.
        slot: the variable that the IRIs are values of; "" leaves the text as it is.
        iris: absolute IRIs; none at all makes an answer without rows.

    Raises:
        QueryError: one isn't an absolute IRI.
    """
    text = _internal(name)
    return _fill(text, slot, " ".join(map(engine.named_node, iris))) if slot else text


@cache
def _internal(name: str) -> str:
    template = resources.files("medbench_kg") / "sparql" / f"{name}.rq"
    return template.read_text(encoding="utf-8")


def resolve(parameter: Parameter, value: str) -> str:
    """Read a slug, a compact IRI or an IRI, where a parameter takes an IRI."""
    names = vocabulary.load()
    if "://" in value:
        return value
    if ":" in value:
        return names.expand(value)
    for choice in parameter.choices:
        if names.local_name(choice).lower() == value.lower():
            return choice
    return vocabulary.BASE + "/".join(part for part in (parameter.folder, value) if part)


def _check_values(store: Store, query: Query, arguments: Mapping[str, str]) -> None:
    for name, value in arguments.items():
        parameter = query.parameter(name)
        if not value or parameter.type != "iri":
            continue
        iri = resolve(parameter, value)
        if iri in {row["value"] for row in values(store, parameter, iri)}:
            continue
        if known := values(store, parameter):
            slugs = [row["value"].rpartition("/")[2].rpartition("#")[2] for row in known]
            near = get_close_matches(value.lower(), slugs, 1, 0.4)
            raise QueryError(
                f"“{value}” isn't a value of “{name}”.",
                hint=f"Did you mean “{near[0]}”?" if near else f"There are: {', '.join(slugs)}.",
                where=name,
            )


def _fill(text: str, name: str, term: str) -> str:
    slot = re.compile(rf"VALUES\s+\?{name}\s*\{{\s*UNDEF\s*\}}")
    return slot.sub(lambda _: f"VALUES ?{name} {{ {term} }}", text)


def _term(parameter: Parameter, value: str) -> str:
    if parameter.type == "iri":
        return engine.named_node(resolve(parameter, value))
    if parameter.type == "integer":
        if not re.fullmatch(r"[+-]?\d{1,18}", value):
            raise QueryError(
                f"“{value}” isn't a whole number.", hint="Give digits only.", where=parameter.name
            )
        return engine.literal(value, _XSD_INTEGER)
    return engine.literal(value)


def _parse(name: str, text: str) -> Query:
    header = "\n".join(line[2:] for line in text.splitlines() if line.startswith("#+"))
    meta: dict[str, Any] = yaml.load(header, Loader=yaml.CBaseLoader)
    parameters = tuple(_parameter(key, spec) for key, spec in meta.get("parameters", {}).items())
    columns = tuple(_column(key, spec) for key, spec in meta["columns"].items())
    question = {"en": meta["summary"], "zh": meta["summary_zh"]}
    return Query(
        name, question, tuple(meta["tags"]), parameters, columns, meta.get("empty", ""), text
    )


def _column(name: str, spec: Mapping[str, str]) -> Column:
    text = {lang: spec[lang] for lang in ("en", "zh")}
    return Column(name, text, spec.get("datatype", "string"), spec.get("separator", ""))


def _parameter(name: str, spec: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name,
        spec["type"],
        spec.get("scheme", ""),
        spec.get("class", ""),
        tuple(vocabulary.load().expand(name) for name in spec.get("choices", [])),
        spec.get("folder", spec.get("scheme", spec.get("class", "").lower())),
        spec.get("default", ""),
        spec["help"],
    )
