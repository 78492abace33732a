"""What the graph holds of the upstream list: its words, its listings, and what is right instead."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg.catalogue import internal
from medbench_kg.errors import RecordError
from medbench_kg.readme import Facts, Figure, Link, Terms, normalise, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medbench_kg.pipeline import Assembled
    from medbench_kg.readme import Lang
    from medbench_kg.records import Node, Record

__all__ = [
    "Listing",
    "facts_of",
    "issued_of",
    "listings",
    "of_kind",
    "preferred_labels",
    "read_terms",
]


@dataclass(frozen=True)
class Listing:
    """One row of a listing record.

    Attributes:
        slug: of the record, which is that of the dataset.
        lang: language of the table.
        line: where the row stands in the document that was read last.
        facts: what it states.
        node: the row as the record has it.
        record: the record.
    """

    slug: str
    lang: Lang
    line: int
    facts: Facts
    node: Node
    record: Record


def listings(assembled: Assembled) -> list[Listing]:
    """All rows of all listing records, in the order of the list.

    Raises:
        RecordError: a listing lacks what every listing has.
    """
    found: list[Listing] = []
    for record in of_kind(assembled, "listings"):
        try:
            found += [
                Listing(
                    slug=record.path.stem,
                    lang=row["language"],
                    line=int(row["line"]),
                    facts=facts_of(row),
                    node=row,
                    record=record,
                )
                for row in record.node["row"]
            ]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise RecordError(
                f"The listing can't be read: {error}.",
                hint="Run “medbench check” on it.",
                where=f"{record.path}:1",
            ) from error
    return sorted(found, key=lambda listing: listing.line)


def of_kind(assembled: Assembled, kind: str) -> Iterator[Record]:
    """The records of one folder of ``data/``."""
    return (record for record in assembled.records if record.path.parent.name == kind)


def facts_of(row: Node) -> Facts:
    """Read the facts of a row from its node."""
    return Facts(
        name=row["nameText"],
        title=row.get("titleText", ""),
        paper_link=row.get("paperLink", ""),
        date=row.get("dateText", ""),
        issued=issued_of(row, "issued"),
        edition=row.get("edition", ""),
        modality=row.get("modalityText", ""),
        modalities=tuple(row.get("modality", ())),
        task=row.get("taskText", ""),
        tasks=tuple(row.get("task", ())),
        figures=tuple(figure_of(extent, row["language"]) for extent in row.get("extent", ())),
        links=tuple(
            Link(link["linkText"], link["url"], link["host"]) for link in row.get("listedLink", ())
        ),
    )


def figure_of(extent: Node, lang: str) -> Figure:
    """Read a figure from the node of an extent."""
    return Figure(
        value=int(extent["value"]),
        unit=extent["unit"],
        kind=extent["extentKind"],
        approximation=extent.get("approximation", ""),
        note=extent.get("note", {}).get(lang, ""),
    )


def issued_of(node: Node, key: str) -> str:
    """A date, whatever its precision; "" if there is none."""
    return str(next((node[k] for k in (key, f"{key}Month", f"{key}Year") if k in node), ""))


def read_terms(assembled: Assembled) -> Terms:
    """Collect the words by which cells name concepts, units and venues."""
    names: dict[str, dict[str, str]] = {}
    labels: dict[tuple[str, str], str] = {}
    for row in assembled.store.rows(internal("list-names")):
        scheme, slug = row["scheme"].rpartition("/")[2], row["concept"].rpartition("/")[2]
        name, lang = row["name"], row.get("lang", "")
        spelt = names.setdefault(scheme, {})
        spelt.setdefault(normalise(name), slug)
        if scheme != "venue" and lang == "en":
            spelt.setdefault(normalise(plural(name)), slug)
        if scheme == "unit" and _can_be_written(name):
            labels.setdefault((slug, lang), name if name[1:2].isupper() else name.lower())
    rows = listings(assembled)
    return Terms(
        names=names,
        labels=labels,
        kinds=_usual_kinds(assembled),
        editions=frozenset(
            edition["id"].partition(":")[2]
            for venue in of_kind(assembled, "venues")
            for edition in venue.node.get("editions", ())
        ),
        readings={
            **{("modality", row.facts.modality): row.facts.modalities for row in rows},
            **{("task", row.facts.task): row.facts.tasks for row in rows},
        },
    )


def _can_be_written(label: str) -> bool:
    """Whether a label can stand behind a number: one noun, without remarks."""
    return not any(part in f" {label} " for part in ("(", "（", " of ", " or ", " and ", " from "))


def _usual_kinds(assembled: Assembled) -> dict[str, str]:
    """Unit → the kind of most extents with it in listings, else in datasets; ties: content."""
    usual: dict[str, str] = {}
    for nodes in (
        (listing.node for listing in listings(assembled)),
        (record.node for record in of_kind(assembled, "datasets")),
    ):
        counts: dict[str, Counter[str]] = {}
        for extent in (extent for node in nodes for extent in node.get("extent", ())):
            counts.setdefault(extent["unit"], Counter())[extent["extentKind"]] += 1
        for unit, count in counts.items():
            most = max(sorted(count), key=lambda kind: (count[kind], kind == "content"))
            usual.setdefault(unit, most)
    return usual


def preferred_labels(assembled: Assembled) -> dict[tuple[str, str, str], str]:
    """Scheme, slug and language → preferred label."""
    return {
        (
            row["scheme"].rpartition("/")[2],
            row["concept"].rpartition("/")[2],
            row["lang"],
        ): row["name"]
        for row in assembled.store.rows(internal("list-names"))
        if row["preferred"] == "true"
    }
