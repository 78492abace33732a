"""Makes draft records of what a document states; what it doesn't state stays absent."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from medbench_kg import catalogue, readme
from medbench_kg.errors import RecordError
from medbench_kg.readme import normalise
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.intake.sources import Told
    from medbench_kg.pipeline import Assembled
    from medbench_kg.records import Node
    from medbench_kg.store import Store

__all__ = ["KINDS", "Draft", "Given", "catalogue_record", "draft", "kebab", "paper_of", "place"]

#: Classes that a dataset can be of.
KINDS = ("Benchmark", "TrainingSet", "EvaluationToolkit", "SourceDataset")

#: Keys whose values are concepts that a document may name.
_SCHEMES = ("modality", "task", "language")
_GIVEN = ("modality", "task")


@dataclass(frozen=True)
class Given:
    """What a person says about a dataset, which goes before what a document states.

    Attributes:
        title: its name.
        slug: last part of its IRI.
        url: where it is.
        kinds: some of :data:`KINDS`.
        modality: slugs or labels of modalities.
        task: slugs or labels of tasks.
        description: language → one sentence in the person's own words.
    """

    title: str = ""
    slug: str = ""
    url: str = ""
    kinds: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    task: tuple[str, ...] = ()
    description: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Draft:
    """Records to be written.

    Attributes:
        records: folder and file name → record.
        not_understood: words of the document that name no concept.
    """

    records: Mapping[str, Node]
    not_understood: tuple[str, ...]


def draft(assembled: Assembled, told: Told, *, source: str, today: str, given: Given) -> Draft:
    """Make records of a dataset and of its paper.

    Args:
        assembled: the graph, which knows the words and the slugs.
        told: what a document states.
        source: address of the document; "" if it has none.
        today: the day, ISO.
        given: what a person says about the dataset.

    Raises:
        RecordError: nothing is stated that makes a record, or there is such a record.
    """
    taken = {record.path.stem for record in assembled.records}
    words = _words(assembled.store)
    records: dict[str, Node] = {}
    paper, about = _paper_slug(told), _about(told)
    if paper and told.title and paper not in taken:
        records[f"papers/{paper}.yaml"] = paper_of(told, today)
    name, url = given.title or told.name, given.url or told.url
    missed: tuple[str, ...] = ()
    if name:
        slug = given.slug or kebab(name)
        if not slug or slug in taken:
            raise RecordError(
                f"There is a record “{slug}” already, or the name makes no slug.",
                hint="Give another with “--slug”, or edit that record.",
            )
        cited = paper if paper in taken or f"papers/{paper}.yaml" in records else ""
        found, missed = _concepts(told, words)
        found |= {
            key: _chosen(getattr(given, key), words[key], key) or found[key] for key in _GIVEN
        }
        node = _dataset(slug, name, url, cited, found, assembled.store)
        node |= {"type": list(given.kinds)} if given.kinds else {}
        node |= {"description": dict(given.description)} if given.description else {}
        node["record"] = catalogue_record(
            slug, node, source or url or (about if cited else ""), today
        )
        records[f"datasets/{slug}.yaml"] = node
    if not records:
        raise RecordError(
            "It states nothing that makes a new record.",
            hint="Name the dataset with “--title”, or edit the record of the paper.",
        )
    return Draft(records, missed)


def _dataset(
    slug: str, name: str, url: str, paper: str, found: Mapping[str, list[str]], store: Store
) -> Node:
    node: Node = {"id": f"mbd:{slug}", "type": ["Dataset"], "identifier": slug}
    node["title"] = {"en": name}
    node |= {key: found[key] for key in _SCHEMES if found[key]}
    if url:
        licence = {"licence": found["licence"]} if found["licence"] else {}
        node["distribution"] = [{**place(url, store), **licence}]
    return {**node, "paper": [paper]} if paper else node


def place(url: str, store: Store) -> Node:
    """Make a distribution of an address: its host is told by it, and names it."""
    host, _ = readme.host_of(url, "")
    rows = store.rows(catalogue.internal("concepts-of-scheme", "scheme", [f"{BASE}host"]))
    named = next(row for row in rows if row["value"] == f"{BASE}host/{host}")
    return {
        "id": f"#{host}",
        "type": "Distribution",
        "title": {"en": named["en"], "zh": named["zh"]},
        "accessURL": url,
        "host": host,
        "releaseStatus": "unknown",
    }


def paper_of(told: Told, today: str) -> Node:
    """Make the record of a paper, of which the title and the arXiv id or the DOI are known."""
    slug, about = _paper_slug(told), _about(told)
    node: Node = {
        "id": f"mbp:{slug}",
        "type": ["Paper", told.paper_class] if told.paper_class else ["Paper"],
        "identifier": slug,
        "title": {"en": told.title},
        "page": [about],
        "arxivId": told.arxiv,
        "doi": told.doi,
        "firstPosted": told.posted,
        "publicationYear": told.year if re.fullmatch(r"\d{4}", told.year) else "",
        "authorship": [
            {"id": f"#author-{n}", "type": "Authorship", "position": str(n), "name": name}
            for n, name in enumerate((a for a in told.authors if a != "others"), 1)
        ],
    }
    node = {key: value for key, value in node.items() if value}
    node["authorListComplete"] = str(bool(told.authors) and "others" not in told.authors).lower()
    return {**node, "record": catalogue_record(slug, node, about, today)}


def catalogue_record(slug: str, node: Node, source: str, today: str) -> Node:
    """Make the catalogue record of a thing; without a source it has no evidence."""
    silent = {"id", "type", "identifier", "page", "authorListComplete"}
    record: Node = {
        "id": f"mbr:{slug}",
        "type": "CatalogRecord",
        "issued": today,
        "modified": today,
        "status": "proposed",
    }
    if source:
        record["evidence"] = [
            {
                "id": "#evidence-1",
                "type": "Evidence",
                "confidence": "confirmed",
                "source": source,
                "supports": [key for key in node if key not in silent],
                "retrieved": today,
            }
        ]
    return record


def _words(store: Store) -> dict[str, dict[str, str]]:
    """Scheme → spelling → slug; a slug is a spelling too."""
    words: dict[str, dict[str, str]] = {}
    for row in store.rows(catalogue.internal("spellings")):
        slug = row["concept"].rpartition("/")[2]
        spelt = words.setdefault(row["scheme"].rpartition("/")[2], {})
        spelt.setdefault(normalise(slug), slug)
        spelt.setdefault(normalise(row["name"]).rstrip("/"), slug)
    return words


def _concepts(
    told: Told, words: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, list[str]], tuple[str, ...]]:
    """The concepts that a document names, and words that name none in any scheme."""
    found: dict[str, list[str]] = {}
    missed: dict[str, None] = {}
    understood: set[str] = set()
    for scheme in (*_SCHEMES, "licence"):
        slugs: dict[str, None] = {}
        for word in (told.words or {}).get(scheme, ()):
            slug = words[scheme].get(normalise(word).rstrip("/"))
            if slug:
                slugs[slug] = None
                understood.add(word)
            else:
                missed[word] = None
        found[scheme] = list(slugs)
    return found, tuple(word for word in missed if word not in understood)


def _chosen(given: tuple[str, ...], words: Mapping[str, str], key: str) -> list[str]:
    """The concepts that a person has named, each of which has to exist."""
    for word in given:
        if normalise(word) not in words:
            near = get_close_matches(normalise(word), words, 3, 0.6)
            hint = f"Did you mean {' or '.join(dict.fromkeys(words[one] for one in near))}?"
            raise RecordError(
                f"“{word}” is no concept of the scheme “{key}”.",
                hint=hint if near else f"See ontology/{key}.ttl.",
            )
    return list(dict.fromkeys(words[normalise(word)] for word in given))


def _about(told: Told) -> str:
    """Where a paper is."""
    return f"https://arxiv.org/abs/{told.arxiv}" if told.arxiv else f"https://doi.org/{told.doi}"


def _paper_slug(told: Told) -> str:
    if told.arxiv:
        return f"arxiv-{told.arxiv}"
    return f"doi-{kebab(told.doi)}" if told.doi else ""


def kebab(text: str) -> str:
    """Make a slug of a name; "" if it has no Latin letters and no digits."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
