"""Full-text search over names, labels, authors, identifiers and descriptions, in both languages.

Latin text is searched by word, Chinese by pairs of neighbouring characters, because everyday
medical words have two of them (病理, 影像) and no tokeniser of the index knows words. A word that
occurs nowhere is taken for a misspelling of the nearest names.

The index is SQLite's FTS5; it is written once, when the graph is built, and only read afterwards.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
import threading
import unicodedata
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from medbench_kg.catalogue import internal
from medbench_kg.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medbench_kg.store import Store

__all__ = ["FILE", "Field", "Hit", "Index", "Kind", "names", "open_or_make", "write"]

#: Name of the file that holds an index.
FILE = "search.sqlite"

#: What a hit is.
Kind = Literal["dataset", "source", "paper", "venue", "concept", "model"]

#: Where a hit was found, the most telling first; `theme` is a concept that a dataset has.
Field = Literal["title", "name", "identifier", "author", "paper", "theme", "text"]

#: Weight of a match per field.
_WEIGHTS: dict[Field, float] = {
    "title": 10,
    "name": 8,
    "identifier": 8,
    "author": 4,
    "paper": 3,
    "theme": 2,
    "text": 1,
}

#: How much a person who searches prefers a kind to others that match as well.
_PREFERRED: dict[Kind, float] = {
    "dataset": 2.0,
    "concept": 1.5,
    "source": 1.2,
    "venue": 1.0,
    "paper": 1.0,
    "model": 0.8,
}

#: Columns of the index: a field each, and the names of a thing, each as a single word.
_COLUMNS = (*_WEIGHTS, "whole")

_SCHEMA = f"""
CREATE VIRTUAL TABLE words USING fts5({", ".join(_COLUMNS)}, tokenize = "unicode61");
CREATE VIRTUAL TABLE known USING fts5vocab(words, col);
CREATE TABLE things (id INTEGER PRIMARY KEY, iri TEXT, kind TEXT, preferred REAL);
CREATE TABLE texts (thing INTEGER, field TEXT, lang TEXT, text TEXT);
CREATE INDEX texts_of_thing ON texts (thing);
"""
_FOUND = f"""
SELECT things.id, iri, kind FROM words JOIN things ON things.id = words.rowid
WHERE words MATCH ?
ORDER BY bm25(words, {", ".join(str(w) for w in _WEIGHTS.values())}) * preferred, iri
"""  # noqa: S608  weights are ours
_NAMES = """
SELECT DISTINCT term FROM known
WHERE col IN ('title', 'name', 'author', 'whole') AND term GLOB '[a-z]*'
"""

#: A run of Chinese characters, or a word in another script.
_RUN = re.compile(r"([\u3400-\u9fff]+)|[^\W_]+")

#: Shortest word that is taken for a misspelling, and how near a name must be to it (0 to 1).
_MISSPELT_FROM = 4
_NEAR_ENOUGH = 0.7


#: A thing in the index: its number, its IRI, its kind.
_Row = tuple[int, str, Kind]


@dataclass(frozen=True)
class Hit:
    """Something that was found.

    Attributes:
        iri: of the thing.
        kind: what it is.
        title: language → name to show; "" is the language of names that have none.
        field: where it was found.
        matched: the text that it was found by.
    """

    iri: str
    kind: Kind
    title: Mapping[str, str]
    field: Field
    matched: str


def names(store: Store) -> list[tuple[str, Kind, dict[str, str], str]]:
    """What a search without this index can go by.

    Returns:
        For each thing its IRI, its kind, language → title, and all else that it goes by: other
        names, identifiers, authors, papers and topics.
    """
    found = []
    for iri, kind, texts in _things(store):
        # The first title in a language counts, so it comes last here.
        titles = {r.get("lang", ""): r["text"] for r in reversed(texts) if r["field"] == "title"}
        more = [row["text"] for row in texts if row["field"] not in {"title", "text"}]
        found.append((iri, kind, titles, "\n".join(more)))
    return found


def write(store: Store, folder: Path) -> Path:
    """Write the index of a graph into a folder that has none; return its path."""
    path = folder / FILE
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(_SCHEMA)
        for number, (iri, kind, texts) in enumerate(_things(store)):
            db.execute(
                "INSERT INTO things VALUES (?, ?, ?, ?)", (number, iri, kind, _PREFERRED[kind])
            )
            db.executemany(
                "INSERT INTO texts VALUES (?, ?, ?, ?)",
                [(number, row["field"], row.get("lang", ""), row["text"]) for row in texts],
            )
            words = [
                " ".join(_indexed(row["text"]) for row in texts if row["field"] == field)
                for field in _WEIGHTS
            ]
            names = [_compact(row["text"]) for row in texts if row["field"] in {"title", "name"}]
            marks = ", ".join("?" * (len(_COLUMNS) + 1))
            db.execute(
                f"INSERT INTO words (rowid, {', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608  column names are ours
                (number, *words, " ".join(names)),
            )
    return path


def _things(store: Store) -> list[tuple[str, Kind, list[Mapping[str, str]]]]:
    """Each thing that can be found: its IRI, its kind, and the texts that it is found by."""
    things: dict[tuple[str, Kind], list[Mapping[str, str]]] = defaultdict(list)
    for row in store.rows(internal("search-documents")):
        things[row["thing"], cast("Kind", row["kind"])].append(row)
    return [(*key, texts) for key, texts in sorted(things.items())]


def open_or_make(store: Store, path: Path | None) -> Index:
    """Open the index at a path, or, without one, index the graph now; that takes a while."""
    if path is not None:
        return Index(path)
    with tempfile.TemporaryDirectory() as folder:
        return Index(write(store, Path(folder)))


class Index:
    """An index that was written before; threads may share it."""

    def __init__(self, path: Path) -> None:
        """Open an index.

        Raises:
            StoreError: there is none.
        """
        try:
            self._db = sqlite3.connect(
                f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False
            )
            self._names = [name for (name,) in self._db.execute(_NAMES)]
        except sqlite3.Error as error:
            raise StoreError(
                f"The search index {path} can't be read.", hint="Run “medbench build”."
            ) from error
        self._lock = threading.Lock()

    def search(self, text: str, limit: int = 20, kinds: Iterable[Kind] = ()) -> list[Hit]:
        """Find things that all words of a text occur in, whichever field or language they are in.

        Args:
            text: what a person typed; the last word may be its beginning only.
            limit: number of hits at most.
            kinds: what the hits may be; none means anything.

        Returns:
            Hits, the best first; things whose name is the text come before all others.
        """
        wanted = set(kinds or _PREFERRED)
        terms = _terms(text)
        if not terms:
            return []
        with self._lock:
            found = self._named(text) + (
                self._matches(terms) or self._matches(self._respelt(terms))
            )
            best = [row for row in dict.fromkeys(found) if row[2] in wanted][:limit]
            return [self._hit(*row, terms) for row in best]

    def _named(self, text: str) -> list[_Row]:
        """What has just this name."""
        return self._db.execute(_FOUND, (f"whole : {_quoted(_compact(text))}",)).fetchall()

    def _matches(self, terms: list[list[str]]) -> list[_Row]:
        """What has every term in one of its spellings, or all of them run together as a name."""
        *whole, last = [" OR ".join(_quoted(word) for word in term) for term in terms]
        begun = " OR ".join(f"{_quoted(word)} *" for word in terms[-1])
        every = " AND ".join(f"({term})" for term in (*whole, f"{last} OR {begun}"))
        joined = "".join(term[0] for term in terms)
        query = f"({every}) OR (whole : {_quoted(joined)} *)"
        return self._db.execute(_FOUND, (query,)).fetchall()

    def _respelt(self, terms: list[list[str]]) -> list[list[str]]:
        """For words that occur nowhere, the names that are spelt nearly so."""
        return [self._nearest(term[0]) or term for term in terms]

    def _nearest(self, word: str) -> list[str]:
        if len(word) < _MISSPELT_FROM or word in self._names:
            return []
        near = process.extract(
            word,
            self._names,
            scorer=DamerauLevenshtein.normalized_similarity,
            score_cutoff=_NEAR_ENOUGH,
            limit=3,
        )
        return [name for name, _, _ in near]

    def _hit(self, number: int, iri: str, kind: Kind, terms: list[list[str]]) -> Hit:
        texts = self._db.execute(
            "SELECT field, lang, text FROM texts WHERE thing = ?", (number,)
        ).fetchall()
        title = {lang: text for field, lang, text in texts if field == "title"}
        order = list(_WEIGHTS)

        def telling(row: tuple[Field, str, str]) -> tuple[int, int]:
            words = set(_indexed(row[2]).split())
            missed = sum(not any(w.startswith(t) for t in term for w in words) for term in terms)
            return missed, order.index(row[0])

        field, _, matched = min(texts, key=telling)
        return Hit(iri, kind, title, field, matched)


def _terms(text: str) -> list[list[str]]:
    """What must be found, each as a list of spellings."""
    return [[word] for run in _RUN.finditer(_normal(text)) for word in _words(run)]


def _words(run: re.Match[str]) -> list[str]:
    """A word as it is; Chinese as its pairs of neighbours, a single character as itself."""
    characters = run[1]
    if characters is None or len(characters) == 1:
        return [run[0]]
    return [a + b for a, b in pairwise(characters)]


def _indexed(text: str) -> str:
    """A text as the index holds it, with each Chinese character by itself too."""
    runs = list(_RUN.finditer(_normal(text)))
    return " ".join([word for run in runs for word in (*_words(run), *(run[1] or ""))])


def _normal(text: str) -> str:
    """Full-width letters as plain ones, accents off, capitals small."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def _compact(text: str) -> str:
    return "".join(run[0] for run in _RUN.finditer(_normal(text)))


def _quoted(word: str) -> str:
    return f'"{word}"'
