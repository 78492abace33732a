"""SSSOM mapping sets → RDF: one SKOS mapping triple per row.

Alignments are edited and exchanged as SSSOM/TSV; the graph holds their SKOS form.

Specification: SSSOM/TSV (https://mapping-commons.github.io/sssom/), its embedded curie map.
"""

from __future__ import annotations

import csv
import io

import yaml

from medbench_kg.errors import RecordError

__all__ = ["to_ntriples"]


def to_ntriples(text: str, name: str) -> str:
    """Turn the rows of a mapping set into N-Triples.

    Args:
        text: an SSSOM/TSV file with its metadata block.
        name: what to call the file in an error.

    Raises:
        RecordError: a CURIE has a prefix that the curie map doesn't declare.
    """
    lines = text.splitlines(keepends=True)
    header = "".join(line[1:] for line in lines if line.startswith("#"))
    prefixes: dict[str, str] = yaml.load(header, Loader=yaml.CBaseLoader)["curie_map"]
    first = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    rows = csv.DictReader(io.StringIO("".join(lines[first:])), delimiter="\t")
    triples = []
    for number, row in enumerate(rows, start=first + 2):
        terms = [
            _expand(row[column], prefixes, f"{name}:{number}")
            for column in ("subject_id", "predicate_id", "object_id")
        ]
        triples.append(" ".join(f"<{term}>" for term in terms) + " .\n")
    return "".join(triples)


def _expand(curie: str, prefixes: dict[str, str], where: str) -> str:
    prefix, colon, local = curie.partition(":")
    if colon and prefix in prefixes:
        return prefixes[prefix] + local
    raise RecordError(
        f"The prefix of “{curie}” isn't declared.", hint="Add it to curie_map.", where=where
    )
