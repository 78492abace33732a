"""The list as it should read: rows with what corrections have put right.

A correction says in prose what is right; the value to write comes from the records of the dataset
and its paper. Only corrections that were confirmed in a primary source reach the list.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from medbench_kg import readme
from medbench_kg.readme import Link
from medbench_kg.upstream.held import figure_of, issued_of, of_kind, preferred_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medbench_kg.pipeline import Assembled
    from medbench_kg.readme import Facts, Figure, Lang
    from medbench_kg.records import Node
    from medbench_kg.upstream.held import Listing

__all__ = ["Book"]

#: How sure a correction must be to be proposed to others.
_SURE = "confirmed"

#: What the list calls the hosts that it links to most.
_LABELS = {"github": "GitHub", "huggingface": "HF", "project-page": "Project page"}
_JOINED: Mapping[Lang, str] = {"en": ", ", "zh": "、"}


class Book:
    """The records that a right row is made from."""

    def __init__(self, assembled: Assembled, kinds: Mapping[str, str]) -> None:
        """Index the records.

        Args:
            assembled: the graph.
            kinds: see :class:`medbench_kg.readme.Terms`; a list doesn't tell kinds apart.
        """
        self._kinds = kinds
        self._labels = preferred_labels(assembled)
        self._datasets = {r.path.stem: r.node for r in of_kind(assembled, "datasets")}
        self._papers = {r.path.stem: r.node for r in of_kind(assembled, "papers")}
        self._venues = {r.path.stem: r.node for r in of_kind(assembled, "venues")}
        self._editions = {
            edition["id"].partition(":")[2]: f"{venue['acronym']} {edition['heldInYear']}"
            for venue in self._venues.values()
            for edition in venue.get("editions", ())
        }

    def issued(self, slug: str) -> str:
        """The date of a dataset, ISO, as precise as it is known; "" if it isn't."""
        return issued_of(self._datasets[slug], "issued")

    def corrected(self, listing: Listing) -> tuple[Facts, frozenset[str]]:
        """Put a row right.

        Returns:
            The facts, and the slugs of the columns that were corrected.
        """
        dataset = self._datasets[listing.slug]
        fields = {
            correction["field"]
            for correction in dataset["record"].get("correction", ())
            if correction["confidence"] == _SURE
        }
        paper = self._papers.get(next(iter(dataset.get("paper", ())), ""), {})
        facts = listing.facts
        for field in fields:
            if paper:
                facts = self._as_published(facts, field, paper)
            facts = self._as_released(facts, field, dataset, listing.lang)
        return facts, frozenset(fields)

    def _as_published(self, facts: Facts, field: str, paper: Node) -> Facts:
        """Put right what the list states of the paper."""
        if field in {"paper-title", "paper-link"}:
            return replace(facts, title=paper["title"]["en"], paper_link=_link_of(paper, facts))
        if field != "date-venue":
            return facts
        edition = paper.get("edition", "")
        venue = self._editions.get(edition, "")
        if not venue and "venue" in paper and "publicationYear" in paper:
            venue = f"{self._venues[paper['venue']]['acronym']} {paper['publicationYear']}"
        issued = issued_of(paper, "firstPosted")
        if facts.issued.startswith(issued):  # the list is more precise, and isn't wrong
            issued = facts.issued
        if edition and edition == facts.edition and len(facts.issued) == len("2025"):
            issued = ""  # the list states the venue alone
        return replace(facts, date=readme.date_text(issued, venue) or facts.date)

    def _as_released(self, facts: Facts, field: str, dataset: Node, lang: Lang) -> Facts:
        """Put right what the list states of the data."""
        if field == "dataset-name":
            return replace(facts, name=dataset["title"].get(lang, dataset["title"]["en"]))
        if field == "modality":
            return replace(facts, modality=self._words(dataset, field, lang))
        if field == "task":
            return replace(facts, task=self._words(dataset, field, lang))
        if field == "size":
            return replace(facts, figures=tuple(self._figures(dataset, lang)) or facts.figures)
        if field == "download-link":
            return replace(facts, links=tuple(_links(dataset, facts)))
        return facts

    def _words(self, dataset: Node, scheme: str, lang: Lang) -> str:
        return _JOINED[lang].join(self._labels[scheme, slug, lang] for slug in dataset[scheme])

    def _figures(self, dataset: Node, lang: Lang) -> Iterable[Figure]:
        """Sizes of the whole; models that others evaluated are no size."""
        for extent in dataset.get("extent", ()):
            if "ofPart" not in extent and extent["unit"] != "evaluated-model":
                kind = self._kinds.get(extent["unit"], "content")
                yield replace(figure_of(extent, lang), kind=kind)


def _link_of(paper: Node, facts: Facts) -> str:
    """Address of a paper; the list's own, if it is another form of it."""
    arxiv = paper.get("arxivId", "")
    if arxiv and readme.arxiv_id(facts.paper_link) == arxiv:
        return facts.paper_link
    if arxiv:
        return f"https://arxiv.org/abs/{arxiv}"
    return str(next(iter(paper.get("page", ())), facts.paper_link))


def _links(dataset: Node, facts: Facts) -> Iterable[Link]:
    """Links of the dataset: data, then code; labels as the list has them."""
    labels = {link.url: link.label for link in facts.links}
    found = {d["accessURL"]: d["host"] for d in dataset.get("distribution", ())}
    if "codeRepository" in dataset:
        found.setdefault(dataset["codeRepository"], "github")
    if not found:
        yield from facts.links
    for url, known in found.items():
        label = labels.get(url) or _LABELS.get(known, "Data")
        host, _ = readme.host_of(url, label)
        yield Link(label, url, host)
