"""The rows that the list would have for a dataset that isn't in it yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from medbench_kg import readme
from medbench_kg.errors import NotFoundError
from medbench_kg.upstream.held import (
    figure_of,
    issued_of,
    of_kind,
    preferred_labels,
    read_terms,
)

if TYPE_CHECKING:
    from medbench_kg.pipeline import Assembled
    from medbench_kg.readme import Lang
    from medbench_kg.records import Node

__all__ = ["proposed_row"]


def proposed_row(assembled: Assembled, slug: str, lang: Lang) -> str:
    """Write the row of a dataset from its record, with the heads of the table.

    Raises:
        NotFoundError: there is no such record.
    """
    node = next((r.node for r in of_kind(assembled, "datasets") if r.path.stem == slug), None)
    if node is None:
        raise NotFoundError(f"There is no record of a dataset “{slug}”.")
    cited = set(node.get("paper", ()))
    papers = [r.node for r in of_kind(assembled, "papers") if r.path.stem in cited]
    paper: Node = papers[0] if papers else {}
    labels = preferred_labels(assembled)

    def named(key: str) -> str:
        return ", ".join(labels[key, one, lang] for one in node.get(key, ()))

    issued = issued_of(node, "issued") or issued_of(paper, "firstPosted")
    facts = readme.Facts(
        name=node["title"].get(lang, node["title"]["en"]),
        title=paper.get("title", {}).get("en", ""),
        paper_link=next(iter(paper.get("page", ())), ""),
        date=readme.date_text(issued, ""),
        issued=issued,
        edition="",
        modality=named("modality"),
        modalities=tuple(node.get("modality", ())),
        task=named("task"),
        tasks=tuple(node.get("task", ())),
        figures=tuple(figure_of(extent, lang) for extent in node.get("extent", ())),
        links=tuple(
            readme.Link(place["title"][lang], place["accessURL"], place["host"])
            for place in node.get("distribution", ())
        ),
    )
    return readme.render([facts], lang, read_terms(assembled))
