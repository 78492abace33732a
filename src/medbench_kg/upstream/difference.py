"""What a change does: triples and rows of the list that it adds or removes."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from medbench_kg import history, pipeline, readme
from medbench_kg.assets import folder
from medbench_kg.errors import RecordError
from medbench_kg.negotiation import by_name
from medbench_kg.upstream.held import listings, read_terms

if TYPE_CHECKING:
    from medbench_kg.pipeline import Assembled

__all__ = ["Difference", "since"]


@dataclass(frozen=True)
class Difference:
    """Lines that a change removes and adds.

    Attributes:
        triples: N-Triples, removed and added; blank nodes have canonical labels.
        rows: rows of the list's tables as the graph writes them, removed and added.
    """

    triples: tuple[tuple[str, ...], tuple[str, ...]]
    rows: tuple[tuple[str, ...], tuple[str, ...]]


def since(revision: str) -> Difference:
    """Compare the files as they are with those of a revision.

    Args:
        revision: commit, tag or branch of the repository that holds ``data/``.

    Raises:
        NotFoundError: git doesn't know the revision.
        RecordError: a record can't be read, now or then.
    """
    with tempfile.TemporaryDirectory() as scratch:
        history.extract(
            folder("data").parent, revision, ("data", "ontology", "shapes"), Path(scratch)
        )
        before = pipeline.assemble_at(Path(scratch))
    after = pipeline.assemble()
    for problem in (*before.problems, *after.problems):
        raise RecordError(problem.message, hint=problem.hint, where=problem.where)
    return Difference(
        _parted(_triples(before), _triples(after)), _parted(_rows(before), _rows(after))
    )


def _triples(assembled: Assembled) -> set[str]:
    return set(assembled.store.canonical().dump(by_name("ntriples")).decode().splitlines())


def _rows(assembled: Assembled) -> set[str]:
    terms = read_terms(assembled)
    return {
        readme.render([listing.facts], listing.lang, terms).splitlines()[-1]
        for listing in listings(assembled)
    }


def _parted(old: set[str], new: set[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(sorted(old - new)), tuple(sorted(new - old))
