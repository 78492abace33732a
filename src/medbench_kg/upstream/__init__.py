"""The upstream list and the graph: what the list states anew, what the graph puts right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg import editing, readme, records, vocabulary
from medbench_kg.errors import NotFoundError
from medbench_kg.upstream.comparing import Change, Comparison, compare
from medbench_kg.upstream.correcting import Book
from medbench_kg.upstream.difference import Difference, since
from medbench_kg.upstream.drafting import Source, draft
from medbench_kg.upstream.held import Listing, listings, of_kind, preferred_labels, read_terms
from medbench_kg.upstream.proposing import proposed_row
from medbench_kg.upstream.reporting import as_json, as_text

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.pipeline import Assembled
    from medbench_kg.readme import Issue, Lang

__all__ = [
    "Change",
    "Difference",
    "Outcome",
    "as_json",
    "as_text",
    "patch",
    "proposed_row",
    "read",
    "since",
    "table",
    "write",
]

#: Slug of the list that listings belong to.
_LIST = "med-vlm-bench"


@dataclass(frozen=True)
class Outcome:
    """What came of reading the list.

    Attributes:
        comparison: what differs from the graph.
        issues: what wasn't read or is suspicious, in the order of lines.
        held: the rows as the graph holds them.
    """

    comparison: Comparison
    issues: tuple[Issue, ...]
    held: tuple[Listing, ...]


def read(assembled: Assembled, document: str) -> Outcome:
    """Read the list and compare it with the graph.

    Args:
        assembled: the graph.
        document: the list, Markdown.
    """
    terms = read_terms(assembled)
    held = listings(assembled)
    rows, issues = readme.parse(document, terms)
    return Outcome(compare(rows, held, terms), tuple(issues), tuple(held))


def write(
    assembled: Assembled, outcome: Outcome, *, commit: str, committed: str, today: str
) -> list[Path]:
    """Draft records for new rows and bring the listings up to date, all or nothing.

    Args:
        assembled: the graph that the outcome was compared with.
        outcome: see :func:`read`.
        commit: full id of the commit that was read.
        committed: its day, ISO.
        today: day of the import, ISO.

    Returns:
        The files that were written.

    Raises:
        NotFoundError: there is no record of the list.
        RecordError: a record can't be written; nothing is.
    """
    upstream = next((r for r in of_kind(assembled, "lists") if r.path.stem == _LIST), None)
    if upstream is None:
        raise NotFoundError(
            f"There is no record of the list “{_LIST}”.", hint="Add it to data/lists/."
        )
    source = Source(upstream.node, commit, committed, today, preferred_labels(assembled))
    taken = {record.path.stem for record in assembled.records}
    drafts = draft(outcome.comparison, outcome.held, taken, source)
    names = vocabulary.load()
    return editing.write_records(
        {name: records.canonical(node, names) for name, node in drafts.items()}, assembled.records
    )


def table(assembled: Assembled, lang: Lang, *, corrected: bool = False, newest: int = 0) -> str:
    """Write the list's table of a language.

    Args:
        assembled: the graph.
        lang: ``en`` or ``zh``.
        corrected: what the graph holds to be right, instead of what the list states.
        newest: only so many datasets, the newest first; 0 means all, in the order of the list.
    """
    terms = read_terms(assembled)
    book = Book(assembled, terms.kinds)
    rows = [listing for listing in listings(assembled) if listing.lang == lang]
    if newest:
        rows.sort(key=lambda row: (book.issued(row.slug), row.slug), reverse=True)
        rows = rows[:newest]
    facts = [book.corrected(row)[0] if corrected else row.facts for row in rows]
    return readme.render(facts, lang, terms)


def patch(assembled: Assembled, document: str, name: str) -> str:
    """Write what the graph would change in the list, for those who maintain it.

    Only cells change that still read as they did when they were corrected.

    Args:
        assembled: the graph.
        document: the list, Markdown.
        name: path of the list in its repository.

    Returns:
        A unified diff; "" if there is nothing to change.
    """
    terms = read_terms(assembled)
    book = Book(assembled, terms.kinds)
    outcome = read(assembled, document)
    changed = {(c.slug, c.lang, c.field) for c in outcome.comparison.changes}
    cells: dict[int, dict[int, str]] = {}
    for listing in outcome.held:
        row = outcome.comparison.matched.get((listing.slug, listing.lang))
        if row is None:
            continue
        facts, fields = book.corrected(listing)
        stated = readme.cells(listing.facts, listing.lang, terms)
        right = readme.cells(facts, listing.lang, terms)
        for position, (column, old, new) in enumerate(
            zip(readme.COLUMNS, stated, right, strict=True)
        ):
            about = {column, "paper-link"} if column == "paper-title" else {column}
            untouched = all((listing.slug, listing.lang, c) not in changed for c in about)
            if old != new and about & fields and untouched:
                cells.setdefault(row.line, {})[position] = new
    return readme.patch(document, cells, name)
