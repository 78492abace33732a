"""The files of a build: dumps of the graph, of its schema and of its data alone, and plain tables.

Specification: RFC 4180 (CSV); Metadata Vocabulary for Tabular Data (CSV on the Web).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medbench_kg import export, vocabulary
from medbench_kg.catalogue import ask, tables
from medbench_kg.negotiation import FORMATS, by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medbench_kg.catalogue import Column, Query
    from medbench_kg.negotiation import Format
    from medbench_kg.store import LocalStore

__all__ = ["WHOLE", "File", "files", "formats", "name"]

#: The part that is all of the graph; the others are ``schema`` and ``data``.
WHOLE = "medbench-kg"

#: The columns that name a row, and those that name a row of another table.
_KEYS = {"datasets": "dataset", "papers": "paper", "sizes": "size"}
_FOREIGN_KEYS = {"sizes": ("dataset", "datasets")}

_CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"


@dataclass(frozen=True)
class File:
    """A file that can be downloaded.

    Attributes:
        name: its name below ``/data/``.
        media_type: of its content, without parameters.
        part: which dataset of the catalogue it is a distribution of.
        content: its bytes; text is UTF-8.
    """

    name: str
    media_type: str
    part: str
    content: bytes


def files(store: LocalStore, schema: LocalStore) -> Iterator[File]:
    """Write all files.

    Args:
        store: the whole graph, its blank nodes labelled canonically.
        schema: what the graph is without records, labelled the same way.
    """
    names = vocabulary.load()
    dumps = {WHOLE: store}
    dumps["schema"], dumps["data"] = store.split(schema)
    document = b""
    for part, content in dumps.items():
        for fmt in formats(part):
            if fmt.name == "jsonld" and document:
                written = export.only(document, content.subjects(), names)
            else:
                written = export.serialize(content, fmt, names)
            document = document or (written if fmt.name == "jsonld" else b"")
            yield File(name(part, fmt), fmt.media_type, part, written)
    csv = by_name("csv")
    for table in tables():
        body, _ = ask(store, table, {}, lambda _kind: csv)
        yield File(f"{table.name}.csv", csv.media_type, "tables", body)
    yield File("csv-metadata.json", "application/csvm+json", "tables", _csvw())


def formats(part: str) -> tuple[Format, ...]:
    """The formats that a part of the graph is dumped in: the data alone have no named graphs."""
    kinds = {"graph"} if part == "data" else {"graph", "dataset"}
    return tuple(fmt for fmt in FORMATS if fmt.kind in kinds)


def name(part: str, fmt: Format) -> str:
    """Name of the file that a part of the graph is dumped into."""
    stem = "medbench" if part == WHOLE else f"medbench-{part}"
    return f"{stem}.{fmt.suffix}"


def _csvw() -> bytes:
    """Document the columns of all tables, at the place where readers of CSV look for it."""
    group = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "@type": "TableGroup",
        "dc:license": {"@id": _CC0},
        "tables": [_table(table) for table in tables()],
    }
    return json.dumps(group, ensure_ascii=False, indent=1).encode() + b"\n"


def _table(table: Query) -> dict[str, object]:
    schema: dict[str, object] = {
        "columns": [_column(column) for column in table.columns],
        "primaryKey": _KEYS[table.name],
    }
    if table.name in _FOREIGN_KEYS:
        column, other = _FOREIGN_KEYS[table.name]
        reference = {"resource": f"{other}.csv", "columnReference": _KEYS[other]}
        schema["foreignKeys"] = [{"columnReference": column, "reference": reference}]
    return {"url": f"{table.name}.csv", "dc:title": _texts(table.question), "tableSchema": schema}


def _column(column: Column) -> dict[str, object]:
    described: dict[str, object] = {
        "name": column.name,
        "titles": column.name,
        "datatype": column.datatype,
        "dc:description": _texts(column.help),
    }
    return {**described, "separator": column.separator} if column.separator else described


def _texts(text: dict[str, str]) -> list[dict[str, str]]:
    return [{"@value": value, "@language": lang} for lang, value in text.items()]
