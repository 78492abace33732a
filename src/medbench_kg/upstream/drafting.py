"""Records for what the list states: new datasets as drafts, listings as the list has them now.

A draft holds what the list states and nothing else; what a row doesn't say stays absent, and
``medbench check`` names it. A listing is rewritten, but what a curator has read from words that
the list hasn't changed is kept.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from medbench_kg import readme
from medbench_kg.readme import normalise, plural
from medbench_kg.upstream.comparing import states
from medbench_kg.upstream.held import facts_of, figure_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from medbench_kg.readme import Facts, Figure, Row
    from medbench_kg.records import Node
    from medbench_kg.upstream.comparing import Comparison, Pair
    from medbench_kg.upstream.held import Listing

__all__ = ["Source", "draft"]

_PRECISION = {len("2025"): "issuedYear", len("2025-06"): "issuedMonth", len("2025-06-18"): "issued"}


@dataclass(frozen=True)
class Source:
    """Where the rows were read.

    Attributes:
        list_record: the record of the list, as it is.
        commit: the full id of the commit that was read.
        committed: day of that commit, ISO.
        today: day on which the records are written, ISO.
        labels: scheme, slug and language → preferred label.
    """

    list_record: Node
    commit: str
    committed: str
    today: str
    labels: Mapping[tuple[str, str, str], str]

    @property
    def document(self) -> str:
        """Permanent address of the document."""
        return str(self.list_record["document"]).replace(self.list_record["commit"], self.commit)

    def line(self, number: int) -> str:
        """Permanent address of a line of the document."""
        return f"{self.document}?plain=1#L{number}"


def draft(
    comparison: Comparison, held: Sequence[Listing], taken: Iterable[str], source: Source
) -> dict[str, Node]:
    """Make the records that bring the graph to what the list states.

    Args:
        comparison: what differs.
        held: the rows of the listing records.
        taken: slugs of datasets and papers that exist.
        source: where the list was read.

    Returns:
        Folder and file name → record: new datasets and papers, all listings, the list itself.
    """
    records = _listings(comparison, held, source)
    slugs = set(taken)
    for pair in comparison.new:
        row = pair.get("en") or pair["zh"]
        slug = _slug(row, slugs)
        slugs.add(slug)
        records[f"datasets/{slug}.yaml"] = _dataset(slug, pair, source)
        records[f"listings/{slug}.yaml"] = {
            "id": f"mbl:{slug}",
            "type": ["Listing"],
            "identifier": slug,
            "list": source.list_record["identifier"],
            "lists": slug,
            "row": [_row(one, source) for one in pair.values()],
        }
        paper = readme.arxiv_id(row.facts.paper_link)
        if paper and f"arxiv-{paper}" not in slugs:
            slugs.add(f"arxiv-{paper}")
            records[f"papers/arxiv-{paper}.yaml"] = _paper(paper, row, source)
    records[f"lists/{source.list_record['identifier']}.yaml"] = {
        **source.list_record,
        "commit": source.commit,
        "document": source.document,
        "modified": source.committed,
    }
    return records


def _listings(comparison: Comparison, held: Sequence[Listing], source: Source) -> dict[str, Node]:
    """The listing records with their rows as they are now; a row that is gone stays as it was."""
    records: dict[str, Node] = {}
    for listing in held:
        record = records.setdefault(
            f"listings/{listing.slug}.yaml", {**listing.record.node, "row": []}
        )
        row = comparison.matched.get((listing.slug, listing.lang))
        record["row"].append(_row(row, source, listing.node) if row else listing.node)
    present = {(listing.slug, listing.lang) for listing in held}
    for (slug, lang), row in comparison.matched.items():
        if (slug, lang) not in present:
            records[f"listings/{slug}.yaml"]["row"].append(_row(row, source))
    for record in records.values():
        record["row"].sort(key=lambda row: row["language"])
    return records


def _row(row: Row, source: Source, old: Node | None = None) -> Node:
    facts = row.facts if old is None else _as_read_before(row.facts, facts_of(old))
    lang = row.lang
    links = [
        {
            "id": f"#{lang}-link-{number}",
            "type": "ListedLink",
            "host": link.host,
            "linkText": link.label,
            "url": link.url,
        }
        for number, link in enumerate(facts.links, 1)
    ]
    node: Node = {
        "id": f"#{lang}",
        "type": "ListingRow",
        "modality": list(facts.modalities),
        "task": list(facts.tasks),
        "language": lang,
        "extent": _extents(facts.figures, f"#{lang}-", (old or {}).get("extent", ()), lang),
        "edition": facts.edition,
        "source": source.line(row.line),
        "line": str(row.line),
        "nameText": facts.name,
        "titleText": facts.title,
        "paperLink": facts.paper_link,
        "dateText": facts.date,
        "modalityText": facts.modality,
        "taskText": facts.task,
        "listedLink": links,
        "cellCount": str(row.cell_count),
    }
    if facts.issued:
        node[_PRECISION[len(facts.issued)]] = facts.issued
    return {key: value for key, value in node.items() if value}


def _as_read_before(new: Facts, old: Facts) -> Facts:
    """New facts, with what a curator has read from cells that are as they were."""
    if new.date == old.date:
        new = replace(new, issued=old.issued, edition=old.edition)
    if new.modality == old.modality:
        new = replace(new, modalities=old.modalities)
    return replace(new, tasks=old.tasks) if new.task == old.task else new


def _extents(figures: Iterable[Figure], prefix: str, old: Iterable[Node], lang: str) -> list[Node]:
    """Nodes of figures with a known unit; a node that states the same stays as it is."""
    rest = list(old)
    kept: list[Node | None] = []
    wanted = list(figures)
    for figure in wanted:
        same = next((node for node in rest if states(figure_of(node, lang), figure)), None)
        if same is not None:
            rest.remove(same)
        kept.append(same)
    used = {node["id"] for node in kept if node}
    return [
        node or _extent(figure, prefix, used)
        for figure, node in zip(wanted, kept, strict=True)
        if node or figure.unit
    ]


def _extent(figure: Figure, prefix: str, used: set[str]) -> Node:
    fragment = base = prefix + plural(figure.unit.replace("-", " ")).replace(" ", "-")
    number = 1
    while fragment in used:
        number += 1
        fragment = f"{base}-{number}"
    used.add(fragment)
    node: Node = {
        "id": fragment,
        "type": "Extent",
        "value": str(figure.value),
        "unit": figure.unit,
        "extentKind": figure.kind,
    }
    return {**node, "approximation": figure.approximation} if figure.approximation else node


def _dataset(slug: str, pair: Pair, source: Source) -> Node:
    row = pair.get("en") or pair["zh"]
    facts = row.facts
    paper = readme.arxiv_id(facts.paper_link)
    by_host = {
        "github": "codeRepository",
        "project-page": "landingPage",
    }
    node: Node = {
        "id": f"mbd:{slug}",
        "type": ["Dataset"],
        "identifier": slug,
        "title": {"en": facts.name},
        "modality": list(facts.modalities),
        "task": list(facts.tasks),
        "extent": _extents(facts.figures, "#", (), row.lang),
        "distribution": [],
        "paper": [f"arxiv-{paper}"] if paper else [],
    }
    for link in dict.fromkeys(link for one in pair.values() for link in one.facts.links):
        key = by_host.get(link.host, "")
        if key and key not in node:
            node[key] = link.url
        elif all(link.url != d["accessURL"] for d in node["distribution"]) and not key:
            node["distribution"].append(_distribution(link.url, link.host, node, source))
    node = {key: value for key, value in node.items() if value}
    told = [key for key in node if key not in {"id", "type", "identifier"}]
    return {**node, "record": _record(slug, told, row, source)}


def _distribution(url: str, host: str, node: Node, source: Source) -> Node:
    used = sum(d["host"] == host for d in node["distribution"])
    return {
        "id": f"#{host}-{used + 1}" if used else f"#{host}",
        "type": "Distribution",
        "title": {lang: source.labels["host", host, lang] for lang in readme.HEADERS},
        "accessURL": url,
        "host": host,
        "releaseStatus": "unknown",
    }


def _paper(arxiv: str, row: Row, source: Source) -> Node:
    facts = row.facts
    node: Node = {
        "id": f"mbp:arxiv-{arxiv}",
        "type": ["Paper"],
        "identifier": f"arxiv-{arxiv}",
        "title": {} if facts.title.endswith(("...", "…")) else {"en": facts.title},
        "page": [f"https://arxiv.org/abs/{arxiv}"],
        "arxivId": arxiv,
        "edition": facts.edition,
    }
    node = {key: value for key, value in node.items() if value}
    told = [key for key in node if key in {"title", "arxivId", "edition"}]
    return {
        **node,
        "authorListComplete": "false",
        "record": _record(f"arxiv-{arxiv}", told, row, source),
    }


def _record(slug: str, told: list[str], row: Row, source: Source) -> Node:
    evidence = {
        "id": "#evidence-list",
        "type": "Evidence",
        "confidence": "secondary-source",
        "source": source.line(row.line),
        "supports": told,
    }
    return {
        "id": f"mbr:{slug}",
        "type": "CatalogRecord",
        "issued": source.today,
        "modified": source.today,
        "status": "proposed",
        "evidence": [evidence],
    }


def _slug(row: Row, taken: set[str]) -> str:
    """A slug from the name, else from the first link; never one that exists."""
    name = re.sub(r"[$^{}]", "", normalise(row.facts.name))
    path = PurePosixPath(urlsplit(row.facts.links[0].url).path).name
    slug = _kebab(name) or _kebab(path) or f"row-{row.line}"
    number = 1
    free = slug
    while free in taken:
        number += 1
        free = f"{slug}-{number}"
    return free


def _kebab(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
