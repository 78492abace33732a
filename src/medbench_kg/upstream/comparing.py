"""The list as it stands against the list as the graph holds it: which row is which, what differs.

A row is recognised by its download links and the arXiv id of its paper, then by title and name. A
name alone makes no identity: the list has given a name to another dataset before.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from medbench_kg import readme
from medbench_kg.readme import Facts, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from medbench_kg.readme import Figure, Lang, Row, Terms
    from medbench_kg.upstream.held import Listing

__all__ = ["Change", "Comparison", "Pair", "compare", "states"]

#: Two rows are the same from this likeness on: a shared link or paper, or name and title.
_SAME = 2

#: What breaks off a shortened title.
_ELLIPSIS = ("...", "…")


@dataclass(frozen=True)
class Change:
    """One thing that differs.

    Attributes:
        kind: what happened to the row, or ``agreement`` when its two tables part.
        slug: of the listing; "" for a new row.
        name: what the list calls it, or called it.
        lang: language of the table.
        line: in the document that was read; 0 when the row isn't there.
        field: slug of the column; "" for a whole row.
        old: what the graph holds; for ``agreement`` the English table.
        new: what the list states; for ``agreement`` the Chinese table.
    """

    kind: Literal["new", "renamed", "changed", "removed", "agreement"]
    slug: str
    name: str
    lang: Lang
    line: int
    field: str = ""
    old: str = ""
    new: str = ""


#: The English and the Chinese row of a dataset.
Pair = dict["Lang", "Row"]


@dataclass(frozen=True)
class Comparison:
    """What came of it.

    Attributes:
        changes: everything that differs; empty if there is nothing to do.
        matched: slug and language → row of the list.
        new: rows of datasets that the graph doesn't list, joined by dataset.
    """

    changes: tuple[Change, ...]
    matched: Mapping[tuple[str, str], Row]
    new: tuple[Pair, ...]


def compare(rows: Sequence[Row], held: Sequence[Listing], terms: Terms) -> Comparison:
    """Find out what the list states otherwise than the graph holds.

    Args:
        rows: well-formed rows of the list.
        held: rows of the listing records.
        terms: for the words of sizes.
    """
    matched: dict[tuple[str, str], Row] = {}
    left: list[Row] = []
    changes: list[Change] = []
    for lang in readme.HEADERS:
        ours = [listing for listing in held if listing.lang == lang]
        theirs = [row for row in rows if row.lang == lang]
        pairs = _assign([o.facts for o in ours], [t.facts for t in theirs])
        for i, j in pairs.items():
            matched[ours[i].slug, lang] = theirs[j]
            changes += _differences(ours[i], theirs[j], terms)
        changes += [
            Change("removed", listing.slug, listing.facts.name, lang, 0)
            for i, listing in enumerate(ours)
            if i not in pairs
        ]
        left += [row for j, row in enumerate(theirs) if j not in pairs.values()]
    new, translated = _joined(left, matched, held)
    matched.update(translated)
    known = {normalise(listing.facts.name): listing.slug for listing in held}
    for row in left:
        slug = next((s for (s, _), r in translated.items() if r is row), "")
        namesake = "" if slug else known.get(normalise(row.facts.name), "")
        changes.append(Change("new", slug, row.facts.name, row.lang, row.line, old=namesake))
    changes += _partings(matched, new, held, terms)
    changes.sort(key=lambda change: (change.line == 0, change.line, change.slug))
    return Comparison(tuple(changes), matched, tuple(new))


def _assign(ours: Sequence[Facts], theirs: Sequence[Facts]) -> dict[int, int]:
    """Join the rows that are most alike first; each has at most one partner."""
    scored = sorted(
        (-_likeness(a, b), abs(i - j), i, j)
        for i, a in enumerate(ours)
        for j, b in enumerate(theirs)
        if _likeness(a, b) >= _SAME
    )
    pairs: dict[int, int] = {}
    for _, _, i, j in scored:
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def _likeness(a: Facts, b: Facts) -> float:
    mine, yours = _addresses(a), _addresses(b)
    score = 4 * len(mine & yours) / len(mine | yours) if mine and yours else 0.0
    if mine and yours and not mine & yours:
        score -= 1
    if a.paper_link and b.paper_link:
        score += 3 if _paper(a) == _paper(b) else -3
    if a.title and b.title:
        score += 1 if _same_title(a.title, b.title) else -1
    return score + (2 if normalise(a.name) == normalise(b.name) else 0)


def _addresses(facts: Facts) -> set[str]:
    return {_address(link.url) for link in facts.links}


def _address(url: str) -> str:
    parts = urlsplit(url.casefold())
    path = parts.path.rstrip("/").removesuffix(".git")
    return f"{parts.netloc.removeprefix('www.')}{path}?{parts.query}"


def _paper(facts: Facts) -> str:
    return readme.arxiv_id(facts.paper_link) or _address(facts.paper_link)


def _same_title(a: str, b: str) -> bool:
    short, long = sorted((a, b), key=len)
    for end in _ELLIPSIS:
        if short.endswith(end):
            return normalise(long).startswith(normalise(short.removesuffix(end)))
    return normalise(a) == normalise(b)


def _joined(
    left: Sequence[Row], matched: Mapping[tuple[str, str], Row], held: Sequence[Listing]
) -> tuple[list[Pair], dict[tuple[str, str], Row]]:
    """Join new rows with those of the other table, be they new or known.

    Returns:
        Rows of new datasets; and new rows of datasets that had a row in the other table only.
    """
    both = {(listing.slug, listing.lang) for listing in held}
    alone = {
        (slug, lang): row
        for (slug, lang), row in matched.items()
        if (slug, _other(row.lang)) not in both
    }
    translated: dict[tuple[str, str], Row] = {}
    for lang in readme.HEADERS:
        rows = [row for row in left if row.lang == lang]
        known = [(slug, row) for (slug, _), row in alone.items() if row.lang != lang]
        pairs = _assign([row.facts for _, row in known], [row.facts for row in rows])
        translated.update({(known[i][0], lang): rows[j] for i, j in pairs.items()})
    rest = [row for row in left if row not in translated.values()]
    english = [row for row in rest if row.lang == "en"]
    chinese = [row for row in rest if row.lang == "zh"]
    pairs = _assign([row.facts for row in english], [row.facts for row in chinese])
    new: list[Pair] = [
        {"en": row, "zh": chinese[pairs[i]]} if i in pairs else {"en": row}
        for i, row in enumerate(english)
    ]
    new += [{"zh": row} for j, row in enumerate(chinese) if j not in pairs.values()]
    return new, translated


def _other(lang: Lang) -> Lang:
    return "zh" if lang == "en" else "en"


def _differences(ours: Listing, row: Row, terms: Terms) -> Iterator[Change]:
    old, new = ours.facts, row.facts
    for field, before, after in _told(old, new, terms, row.lang):
        kind: Literal["renamed", "changed"] = "renamed" if field == "dataset-name" else "changed"
        yield Change(kind, ours.slug, new.name, row.lang, row.line, field, before, after)


def _told(old: Facts, new: Facts, terms: Terms, lang: Lang) -> Iterator[tuple[str, str, str]]:
    """Field, old and new words, for each that differs. Equal words have been read before."""
    for field, before, after in (
        ("dataset-name", old.name, new.name),
        ("paper-title", old.title, new.title),
        ("paper-link", old.paper_link, new.paper_link),
        ("date-venue", old.date, new.date),
        ("modality", old.modality, new.modality),
        ("task", old.task, new.task),
        ("download-link", _links(old), _links(new)),
    ):
        if before != after:
            yield field, before, after
    if not same_figures(old.figures, new.figures):
        yield "size", readme.sizes(old.figures, terms, lang), readme.sizes(new.figures, terms, lang)


def same_figures(held: Iterable[Figure], read: Iterable[Figure]) -> bool:
    """Whether a row states the figures that the graph holds of it.

    The list states number, unit and approximation. Whether the unit is content or source, and what
    is counted where the row doesn't say it, is what a curator has found out. A number of nothing
    that is known is an issue of the reading, not a fact.
    """
    rest = list(held)
    for figure in read:
        same = next((other for other in rest if states(other, figure)), None)
        if same:
            rest.remove(same)
        elif figure.unit:
            return False
    return not rest


def states(held: Figure, read: Figure) -> bool:
    """Whether two figures are the same, as far as the list can say so."""
    same = (held.value, held.approximation) == (read.value, read.approximation)
    return same and read.unit in {held.unit, ""}


def _links(facts: Facts) -> str:
    return " ".join(f"[{link.label}]({link.url})" for link in facts.links)


def _partings(
    matched: Mapping[tuple[str, str], Row],
    new: Sequence[Pair],
    held: Sequence[Listing],
    terms: Terms,
) -> Iterator[Change]:
    """Fields on which the two tables differ, as far as they didn't differ before."""
    before = {(listing.slug, listing.lang): listing.facts for listing in held}
    for slug, lang in matched:
        if lang == "en" and (slug, "zh") in matched:
            known: set[str] = set()
            if {(slug, "en"), (slug, "zh")} <= before.keys():
                known = {f for f, _, _ in _apart(before[slug, "en"], before[slug, "zh"], terms)}
            yield from _parting(slug, matched[slug, "en"], matched[slug, "zh"], known, terms)
    for pair in new:
        if len(pair) == len(readme.HEADERS):
            yield from _parting("", pair["en"], pair["zh"], set(), terms)


def _parting(slug: str, en: Row, zh: Row, known: set[str], terms: Terms) -> Iterator[Change]:
    for field, english, chinese in _apart(en.facts, zh.facts, terms):
        if field not in known:
            yield Change("agreement", slug, en.facts.name, "zh", zh.line, field, english, chinese)


def _apart(en: Facts, zh: Facts, terms: Terms) -> Iterator[tuple[str, str, str]]:
    """Field and both wordings, where two rows of one dataset state different things."""
    if normalise(en.name) != normalise(zh.name):
        yield "dataset-name", en.name, zh.name
    if not _same_title(en.title, zh.title):
        yield "paper-title", en.title, zh.title
    if _paper(en) != _paper(zh):
        yield "paper-link", en.paper_link, zh.paper_link
    if (en.issued, en.edition) != (zh.issued, zh.edition):
        yield "date-venue", en.date, zh.date
    if set(en.modalities) != set(zh.modalities):
        yield "modality", en.modality, zh.modality
    if set(en.tasks) != set(zh.tasks):
        yield "task", en.task, zh.task
    if _counted(en) != _counted(zh):
        yield "size", readme.sizes(en.figures, terms, "en"), readme.sizes(zh.figures, terms, "zh")
    if _addresses(en) != _addresses(zh):
        yield "download-link", _links(en), _links(zh)


def _counted(facts: Facts) -> Counter[tuple[int, str]]:
    return Counter((figure.value, figure.unit) for figure in facts.figures)
