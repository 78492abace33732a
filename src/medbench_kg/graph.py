"""Assembles the graph: records, ontology, concept schemes, mappings, rules and shapes.

Deterministic: the same files give the same quads. Nothing is validated here.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING

from medbench_kg import mappings
from medbench_kg.errors import MedbenchError, RecordError
from medbench_kg.negotiation import by_name
from medbench_kg.store import LocalStore
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from medbench_kg.records import Record
    from medbench_kg.store import Quad
    from medbench_kg.vocabulary import Vocabulary

__all__ = ["SHAPES_GRAPH", "Assembly", "Schema", "build", "stated", "version"]

#: The named graph that holds the shapes.
SHAPES_GRAPH = f"{BASE}graph/shapes"

#: Endings of the files that make the graph; others, such as a README, don't.
_PARTS = {".jsonld", ".rq", ".tsv", ".ttl", ".yaml"}


def build(
    records: Iterable[Record],
    ontology: Path,
    shapes: Path,
    vocabulary: Vocabulary,
    surroundings: LocalStore | None = None,
) -> LocalStore:
    """Put everything into one store.

    Args:
        records: what ``data/`` holds.
        ontology: folder of the Turtle files, mapping sets and rules.
        shapes: folder of the shapes.
        vocabulary: the context that the records are written in.
        surroundings: what is known of other things from elsewhere than a record.

    Raises:
        MedbenchError: a record, a Turtle file or a mapping can't be turned into RDF; the error
            names the file.
    """
    return Schema(ontology, shapes).build(records, vocabulary, surroundings)


class Schema:
    """What the graph is made of besides the records, read once."""

    def __init__(self, ontology: Path, shapes: Path) -> None:
        """Read ontology, mapping sets, rules and shapes; arguments are those of :func:`build`."""
        self._terms = [(path, path.read_bytes()) for path in sorted(ontology.glob("*.ttl"))]
        self._mappings = [
            mappings.to_ntriples(path.read_text(encoding="utf-8"), path.name).encode()
            for path in sorted((ontology / "mappings").glob("*.sssom.tsv"))
        ]
        self._rules = [
            path.read_text(encoding="utf-8") for path in sorted((ontology / "rules").glob("*.rq"))
        ]
        self._shapes = [(path, path.read_bytes()) for path in sorted(shapes.glob("*.ttl"))]

    def build(
        self,
        records: Iterable[Record],
        vocabulary: Vocabulary,
        surroundings: LocalStore | None = None,
    ) -> LocalStore:
        """Put everything into one store; see :func:`build`."""
        store = self.stated(vocabulary)
        _add_records(store, list(records), vocabulary)
        if surroundings is not None:
            ntriples = by_name("ntriples")
            store.load(surroundings.dump(ntriples), ntriples.name)
        self.infer(store)
        return store

    def stated(self, vocabulary: Vocabulary) -> LocalStore:
        """What the files say, without what follows from it."""
        store = LocalStore(vocabulary.prefixes)
        for path, content in self._terms:
            _load(store, path, content)
        for triples in self._mappings:
            store.load(triples, "ntriples")
        for path, content in self._shapes:
            _load(store, path, content, SHAPES_GRAPH)
        return store

    def infer(self, store: LocalStore) -> set[Quad]:
        """Add what follows from what a store holds; return what is new."""
        return set().union(*(store.infer(rule) for rule in self._rules))


class Assembly:
    """A graph whose records change one by one: it is always what a build of them would be.

    Attributes:
        store: the graph.
    """

    def __init__(self, schema: Schema, vocabulary: Vocabulary) -> None:
        """Begin without records."""
        self.store = schema.stated(vocabulary)
        self._schema = schema
        self._vocabulary = vocabulary
        self._of_record: dict[Path, set[Quad]] = {}
        self._said = Counter(self.store.quads())
        self._inferred = schema.infer(self.store)

    def change(self, records: Mapping[Path, Record | None]) -> tuple[set[Quad], set[Quad]]:
        """Put records in the place of others; None takes one away.

        Returns:
            What the graph lost by that, and what it gained.

        Raises:
            RecordError: a record can't be turned into RDF; the graph is as it was.
        """
        said = {
            path: set() if record is None else stated([record], self._vocabulary).quads()
            for path, record in records.items()
        }
        old = [quad for path in said for quad in self._of_record.get(path, ())]
        new = [quad for quads in said.values() for quad in quads]
        held = {quad for quad in {*old, *new} if self._said[quad]}
        self._of_record.update(said)
        self._said.subtract(old)
        self._said.update(new)
        holds = {quad for quad in {*old, *new} if self._said[quad]}
        gone, come, followed = held - holds, holds - held, self._inferred
        self.store.replace(followed | gone, come)
        self._inferred = self._schema.infer(self.store)
        return (gone | followed) - come - self._inferred, (come | self._inferred) - gone - followed


def stated(records: Iterable[Record], vocabulary: Vocabulary) -> LocalStore:
    """What some records say, without what follows from it.

    Raises:
        RecordError: see :func:`build`.
    """
    store = LocalStore(vocabulary.prefixes)
    _add_records(store, list(records), vocabulary)
    return store


def version(*folders: Path) -> str:
    """Digest of the files that make the graph: equal files, equal version.

    Returns:
        The first 16 hexadecimal digits of a SHA-256 over names and contents.
    """
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.suffix in _PARTS):
            content = path.read_bytes()
            digest.update(f"{folder.name}/{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(f"{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:16]


def _load(store: LocalStore, path: Path, content: bytes, graph: str | None = None) -> None:
    try:
        store.load(content, "turtle", graph=graph)
    except MedbenchError as error:
        where = ", ".join(filter(None, (str(path), error.where)))
        raise RecordError(error.message, hint="Repair the Turtle.", where=where) from error


def _add_records(store: LocalStore, records: list[Record], vocabulary: Vocabulary) -> None:
    """Load all records as one document, or, if that fails, one by one to name the culprit."""
    try:
        store.load(
            _jsonld([record.document(vocabulary) for record in records], vocabulary), "jsonld"
        )
    except MedbenchError:
        for record in records:
            try:
                LocalStore().load(_jsonld([record.document(vocabulary)], vocabulary), "jsonld")
            except MedbenchError as error:
                raise RecordError(
                    error.message,
                    hint="Look for an IRI with a space, a value where a node belongs, or a wrong "
                    "language tag.",
                    where=f"{record.path}:1",
                ) from error
        raise


def _jsonld(nodes: list[dict[str, object]], vocabulary: Vocabulary) -> bytes:
    return json.dumps({"@context": vocabulary.context, "@graph": nodes}).encode()
