"""From facts to Markdown: a table, its cells, and a patch of somebody else's document."""

from __future__ import annotations

from collections import Counter
from difflib import unified_diff
from typing import TYPE_CHECKING

from medbench_kg.readme import figures
from medbench_kg.readme.markdown import escape, lines_of, rewrite
from medbench_kg.readme.model import HEADERS, Facts, Lang, Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["cells", "date_text", "patch", "render"]

_NOTHING = "-"


def render(rows: Iterable[Facts], lang: Lang, terms: Terms) -> str:
    """Write a table in the form of the list; equal facts give equal bytes."""
    heads = HEADERS[lang]
    table = [heads, ["---"] * len(heads), *(cells(facts, lang, terms) for facts in rows)]
    return "".join(f"| {' | '.join(row)} |\n" for row in table)


def cells(facts: Facts, lang: Lang, terms: Terms) -> tuple[str, ...]:
    """Write the seven cells of a row."""
    stated, _ = figures.read(facts.modality, terms, "modality")
    already = Counter(stated)
    sizes = []
    for figure in facts.figures:
        if already[figure]:
            already[figure] -= 1
        else:
            sizes.append(figure)
    title = escape(facts.title) or _NOTHING
    return (
        escape(facts.name),
        _link(title, facts.paper_link) if facts.paper_link else title,
        escape(facts.date),
        escape(facts.modality) or _NOTHING,
        escape(facts.task) or _NOTHING,
        escape(figures.write(sizes, terms, lang)) or _NOTHING,
        ", ".join(_link(escape(link.label), link.url) for link in facts.links),
    )


def date_text(issued: str, edition_label: str) -> str:
    """Write date and venue as the list does: “2025.03.23 (ICCV 2025)”."""
    date = issued.replace("-", ".")
    return f"{date} ({edition_label})" if date and edition_label else date or edition_label


def patch(document: str, changes: Mapping[int, Mapping[int, str]], name: str) -> str:
    """Write the change of some cells as a unified diff.

    Args:
        document: the text to change.
        changes: line, counted from 1 → position of a cell, counted from 0 → what to write there.
        name: path of the document in its repository.

    Returns:
        A patch for ``git apply`` or ``patch -p1``; "" if nothing changes.
    """
    before = lines_of(document)
    after = list(before)
    for number, replaced in changes.items():
        after[number - 1] = rewrite(before[number - 1], replaced)
    return "".join(
        line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n"
        for line in unified_diff(before, after, f"a/{name}", f"b/{name}")
    )


def _link(label: str, url: str) -> str:
    address = url.replace("|", r"\|")
    return f"[{label}](<{address}>)" if set("()") & set(url) else f"[{label}]({address})"
