"""How a record would look, made by the gate beside its judgement, and read by a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg import description, pipeline
from medbench_kg.negotiation import by_name
from medbench_kg.store import LocalStore
from medbench_kg.web import view
from medbench_kg.web.layout import layout
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medbench_kg.readme import Lang
    from medbench_kg.records import Record
    from medbench_kg.store import Store
    from medbench_kg.web.view import Page

__all__ = ["Preview", "preview", "read"]

#: Folder of the records that have rows in the list.
_LISTED = "datasets"

#: Languages of the tables of the list.
_LANGUAGES: tuple[Lang, ...] = ("en", "zh")


@dataclass(frozen=True)
class Preview:
    """A page, and language → the row of a table of the list; no rows if it wouldn't be listed."""

    page: Page
    rows: Mapping[str, str]


def preview(found: Sequence[Record], store: LocalStore, record: Record) -> dict[str, str]:
    """Say how a record would look.

    Args:
        found: all records, this one included.
        store: the graph that they make.
        record: the one that is asked about.

    Returns:
        Its description in N-Triples, and the row of each table of the list by its language.
    """
    from medbench_kg import upstream  # noqa: PLC0415  pulls in a Markdown parser, which only this needs

    said = description.describe(store, record.iri).dump(by_name("ntriples")).decode()
    if record.path.parent.name != _LISTED:
        return {"description": said}
    assembled = pipeline.Assembled(tuple(found), store, ())
    rows: dict[str, str] = {
        lang: upstream.proposed_row(assembled, record.path.stem, lang) for lang in _LANGUAGES
    }
    return {"description": said, **rows}


def read(shown: Mapping[str, str], iri: str, store: Store) -> Preview:
    """Lay out what :func:`preview` says about the thing with an IRI."""
    said = LocalStore()
    said.load(shown["description"].encode(), "ntriples")
    page = view.page(description.statements(said), iri, layout(store), language())
    return Preview(page, {lang: shown[lang] for lang in _LANGUAGES if lang in shown})
