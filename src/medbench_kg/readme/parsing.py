"""From cells to facts: which rows are well-formed, and what they state."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from medbench_kg.readme import figures, markdown, words
from medbench_kg.readme.model import COLUMNS, Facts, Figure, Issue, Link, Row, Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medbench_kg.readme.markdown import Cell, Line

__all__ = ["parse"]

#: What a cell holds when it states nothing.
_NOTHING = {"", "-", "–", "—", "/", "n/a", "na", "none", "无", "未注明"}


def parse(text: str, terms: Terms) -> tuple[list[Row], list[Issue]]:
    """Read the list's tables.

    Args:
        text: the document, Markdown.
        terms: the words that the graph knows.

    Returns:
        The well-formed rows in the order of the document; and, in the order of lines, everything
        that wasn't read or is suspicious.
    """
    lines, issues = markdown.read(text)
    rows = []
    for line in lines:
        problem = _malformed(line)
        if problem:
            issues.append(problem)
        else:
            facts, found = _facts(line, terms)
            rows.append(Row(line.lang, line.number, len(line.cells), facts))
            issues += [Issue(line.number, code, detail) for code, detail in found]
    names = Counter((row.lang, row.facts.name) for row in rows)
    issues += [
        Issue(row.line, "same-name", row.facts.name)
        for row in rows
        if names[row.lang, row.facts.name] > 1
    ]
    return rows, sorted(issues, key=lambda issue: issue.line)


def _malformed(line: Line) -> Issue | None:
    """Why nothing of a row is to be believed."""
    if len(line.cells) < len(COLUMNS):
        return Issue(line.number, "few-cells", str(len(line.cells)))
    if not _stated(line.cells[0]):
        return Issue(line.number, "no-name")
    if not words.has_year(line.cells[2].text):
        return Issue(line.number, "no-year", _flat(line.cells[2]))
    if not line.cells[6].links:
        return Issue(
            line.number, "no-link", " ".join([_flat(line.cells[6]), *line.cells[6].strange])
        )
    return None


def _facts(line: Line, terms: Terms) -> tuple[Facts, list[tuple[str, str]]]:
    name, paper, date, modality, task, size, download = line.cells[: len(COLUMNS)]
    issued, edition, issues = words.date_and_venue(_flat(date), terms)
    numbers = list(_figures(modality, terms, issues, "modality")) + list(
        _figures(size, terms, issues)
    )
    if _stated(size) and not numbers:
        issues.append(("no-number", _flat(size)))
    for _, link in paper.links[1:2]:
        issues.append(("many-paper-links", link))
    extra = line.cells[len(COLUMNS) :]
    if extra:
        issues.append(("more-cells", " | ".join(_flat(cell) or "…" for cell in extra)))
    issues += [("markup", strange) for cell in line.cells[:7] for strange in cell.strange]
    facts = Facts(
        name=_flat(name),
        title=_stated(paper),
        paper_link=paper.links[0][1] if paper.links else "",
        date=_flat(date),
        issued=issued,
        edition=edition,
        modality=_stated(modality),
        modalities=_concepts(modality, "modality", terms, issues),
        task=_stated(task),
        tasks=_concepts(task, "task", terms, issues),
        figures=tuple(numbers),
        links=tuple(_links(download, issues)),
    )
    return facts, issues


def _figures(
    cell: Cell, terms: Terms, issues: list[tuple[str, str]], kinds_of: str = ""
) -> Iterator[Figure]:
    found, unclear = figures.read(cell.text, terms, kinds_of)
    issues += [("unclear-number", words_) for words_ in unclear]
    issues += [("no-unit", f"{figure.value:,}") for figure in found if not figure.unit]
    yield from found


def _concepts(
    cell: Cell, column: str, terms: Terms, issues: list[tuple[str, str]]
) -> tuple[str, ...]:
    text = _stated(cell)
    found = words.concepts(text, column, terms)
    if text and not found and (column, text) not in terms.readings:
        issues.append(("unknown-words", text))
    return found


def _links(cell: Cell, issues: list[tuple[str, str]]) -> Iterator[Link]:
    for label, url in cell.links:
        host, claimed = words.host_of(url, label)
        if claimed and claimed != host:
            issues.append(("link-label", f"[{label}]({url})"))
        yield Link(label, url, host)


def _stated(cell: Cell) -> str:
    text = _flat(cell)
    return "" if text.casefold() in _NOTHING else text


def _flat(cell: Cell) -> str:
    return " ".join(cell.text.split())
