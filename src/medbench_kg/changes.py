"""What changed: entries for a feed, and an event stream of the records.

Both are made from what each record says of itself: when it was issued, when it was last modified
and in which state it is; the stream, from what the journal tells of earlier states, too. A record
that is withdrawn stays, as a tombstone.

Specification: RFC 4287 (Atom); Linked Data Event Streams 1.0 and its server primer; TREE.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from medbench_kg import catalogue, vocabulary
from medbench_kg.errors import NotFoundError
from medbench_kg.negotiation import by_name
from medbench_kg.store import LocalStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from medbench_kg.store import Store

__all__ = ["Change", "Write", "days", "history", "recent", "stream", "stream_page"]


@dataclass(frozen=True)
class Change:
    """The last change of a thing.

    Attributes:
        thing: its IRI.
        issued: when its record was first published, ISO 8601 date.
        modified: when its record was last changed, ISO 8601 date.
        is_withdrawn: whether the thing shouldn't be used any more.
        kind: what it is, e.g. “Dataset”.
        title: its name.
        summary: a sentence about it; may be empty.
        event: what happened: ``Create``, ``Update`` or ``Delete``.
        change: which properties were added, removed or changed, in words; "" if that isn't known.
        author: who wrote it over HTTP; may be empty.
        reason: why; may be empty.
    """

    thing: str
    issued: str
    modified: str
    is_withdrawn: bool
    kind: str
    title: str
    summary: str
    event: str
    change: str
    author: str
    reason: str


def recent(store: Store, lang: Literal["en", "zh"], concept: str | None = None) -> list[Change]:
    """List the last change of each thing, newest first.

    Args:
        store: the graph.
        lang: language of the texts; a title that isn't there in it is given in English.
        concept: IRI; only what it, or a narrower concept, is stated of. "" means everything.
    """
    text = catalogue.internal("changes", *(("concept", [concept]) if concept else ()))
    told = {row["thing"]: row for row in store.rows(catalogue.internal("current-versions"))}
    return [_change(row, told.get(row["thing"], {}), lang) for row in store.rows(text)]


def _change(row: Mapping[str, str], told: Mapping[str, str], lang: str) -> Change:
    """The last change of a thing, from its record and, if there is one, from its version."""
    is_withdrawn = row["withdrawn"] == "true"
    event = "Update" if row["modified"] > row["issued"] else "Create"
    return Change(
        row["thing"],
        row["issued"],
        row["modified"],
        is_withdrawn,
        row[f"kind_{lang}"],
        row.get(f"title_{lang}", row["title_en"]),
        row.get(f"summary_{lang}", ""),
        "Delete" if is_withdrawn else told.get("event", event).rpartition("#")[2],
        told.get(f"change_{lang}", ""),
        told.get("author", ""),
        told.get("reason", ""),
    )


@dataclass(frozen=True)
class Write:
    """What the journal tells of a version of a record.

    Attributes:
        version: its IRI.
        thing: IRI of what the record describes.
        created: when, ISO 8601 date and time.
        event: what happened: ``Create``, ``Update`` or ``Delete``.
        author: who wrote it; "" if it was found by the first write after it.
        reason: why; may be empty.
        change: which properties were added, removed or changed, in words; "" if that isn't known.
    """

    version: str
    thing: str
    created: str
    event: str
    author: str
    reason: str
    change: str


def history(store: Store, lang: Literal["en", "zh"], thing: str = "") -> list[Write]:
    """List the versions that the history holds, newest first.

    Args:
        store: the graph.
        lang: language of what is said in words.
        thing: IRI of what the records describe; "" means everything.
    """
    text = catalogue.internal("history", *(("thing", [thing]) if thing else ()))
    return [
        Write(
            row["version"],
            row["thing"],
            row["created"],
            row["event"].rpartition("#")[2],
            row.get("author", ""),
            row.get("reason", ""),
            row.get(f"change_{lang}", ""),
        )
        for row in store.rows(text)
    ]


def days(changes: Sequence[Change]) -> list[str]:
    """The days with changes, newest first; each has a page in the event stream."""
    return sorted({change.modified for change in changes}, reverse=True)


def stream(store: Store, address: str) -> LocalStore:
    """Make the first page of the event stream, which leads to the pages of the days.

    Args:
        store: the graph.
        address: where the page is served; the others are below it.
    """
    return _construct(store, "stream", "root", address)


def stream_page(store: Store, address: str) -> LocalStore:
    """Make the page of a day.

    Args:
        store: the graph.
        address: where the page is served; it ends with the day.

    Raises:
        NotFoundError: nothing changed on that day.
    """
    page = _construct(store, "stream-page", "page", address)
    if not len(page):
        day = address.rpartition("/")[2]
        raise NotFoundError(f"Nothing changed on “{day}”.", hint="The first page lists the days.")
    return page


def _construct(store: Store, query: str, slot: str, address: str) -> LocalStore:
    text = catalogue.internal(query, slot, [address])
    triples, _ = store.query(text, lambda _kind: by_name("ntriples"))
    page = LocalStore(vocabulary.load().prefixes)
    page.load(triples, "ntriples")
    return page
