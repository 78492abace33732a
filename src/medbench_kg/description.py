"""What is said about a thing: the document behind each IRI of the graph.

A thing with a slash IRI has a document of its own, which the fragments of its IRI belong to. The
ontology and the shapes are served whole. What belongs into a document is said by queries.

Specification: Cool URIs for the Semantic Web, section 4; Concise Bounded Description.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg import export
from medbench_kg.catalogue import internal
from medbench_kg.errors import NotFoundError, QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.negotiation import Format
    from medbench_kg.store import LocalStore, Store
    from medbench_kg.vocabulary import Vocabulary

__all__ = [
    "Document",
    "Statement",
    "aliases",
    "bundle",
    "describe",
    "document",
    "documents",
    "last_change",
    "signposts",
    "statements",
    "write",
]

#: Documents that are made by a query of their own, by the last part of their IRI.
_WHOLE = ("ontology", "shapes")


@dataclass(frozen=True)
class Document:
    """A document of the graph.

    Attributes:
        iri: the thing that it is about.
        modified: date of the last change of its record, ISO 8601; "" if it has no record.
        is_deprecated: whether the thing was withdrawn.
        successors: IRIs of what replaces it.
        is_concept: whether it belongs to a concept scheme, so that it has a bundle.
    """

    iri: str
    modified: str
    is_deprecated: bool
    successors: tuple[str, ...]
    is_concept: bool


@dataclass(frozen=True)
class Statement:
    """A triple; ``datatype`` and ``language`` are "" when the value isn't a literal."""

    subject: str
    property: str
    value: str
    language: str
    datatype: str


def documents(store: Store) -> dict[str, Document]:
    """All documents by the IRI of their thing, in the order of the IRIs."""
    return {row["thing"]: _document(row) for row in store.rows(internal("documents"))}


def document(store: Store, iri: str) -> Document | None:
    """The document about one thing; None if there is no such thing."""
    try:
        text = internal("documents", "thing", [iri])
    except QueryError:  # no IRI at all
        return None
    return next(map(_document, store.rows(text)), None)


def _document(row: Mapping[str, str]) -> Document:
    return Document(
        row["thing"],
        row.get("modified", ""),
        row.get("deprecated") == "true",
        tuple(row.get("successors", "").split()),
        "scheme" in row,
    )


def last_change(store: Store) -> str:
    """Date of the last change of any record, ISO 8601; "" if there are none."""
    return next((row.get("modified", "") for row in store.rows(internal("last-change"))), "")


def aliases(store: Store) -> dict[str, str]:
    """IRIs that have no document of their own, by the thing whose document tells of them."""
    return {row["alias"]: row["thing"] for row in store.rows(internal("aliases"))}


def describe(store: Store, iri: str) -> LocalStore:
    """Select what is said about a thing."""
    name = iri.rpartition("/")[2]
    if name in _WHOLE:
        return store.construct(internal(f"describe-{name}"))
    return store.construct(internal("describe", "thing", [iri]))


def bundle(store: Store, iri: str) -> LocalStore:
    """Select all about a concept: it and its narrower ones, their datasets, papers and records.

    The answer needs no other document: what it points to comes with its type and its labels.

    Raises:
        NotFoundError: there is no such concept.
    """
    said = store.construct(internal("bundle", "concept", [iri]))
    if not len(said):
        raise NotFoundError(f"There is no concept {iri}.", hint="Name one like “modality/ct”.")
    return said


def statements(description: LocalStore) -> list[Statement]:
    """The triples of a description, sorted by subject and property."""
    return [
        Statement(
            row["subject"],
            row["property"],
            row["value"],
            row.get("language", ""),
            row.get("datatype", ""),
        )
        for row in description.rows(internal("statements"))
    ]


def signposts(store: Store, iri: str) -> list[tuple[str, str]]:
    """Where a machine may go from a thing: relation type and target.

    Spec: FAIR Signposting Profile, section 2.
    """
    rows = store.rows(internal("signposts", "thing", [iri]))
    return [(row["relation"], row["target"]) for row in rows]


def write(description: LocalStore, iri: str, fmt: Format, names: Vocabulary) -> bytes:
    """Write a description in a graph format, the thing first; equal for equal descriptions."""
    content = description.document(fmt, iri)
    return export.compact(content, names) if fmt.name == "jsonld" else content
