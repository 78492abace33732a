"""A validated knowledge graph of medical vision-language benchmarks.

    >>> import medbench_kg
    >>> rows = medbench_kg.query("largest-datasets", unit="image")
    >>> sorted(rows[0])[:2]
    ['approximation', 'dataset']

``load`` gives an rdflib graph over the embedded engine, ``query`` answers a canned query,
``connect`` puts the same canned queries in front of any SPARQL 1.1 endpoint.
"""

from __future__ import annotations

from medbench_kg.api import Connection, connect, load, query
from medbench_kg.errors import (
    MedbenchError,
    NotAcceptableError,
    NotFoundError,
    QueryError,
    RecordError,
    SettingsError,
    ShapesError,
    StoreError,
)

__all__ = [
    "Connection",
    "MedbenchError",
    "NotAcceptableError",
    "NotFoundError",
    "QueryError",
    "RecordError",
    "SettingsError",
    "ShapesError",
    "StoreError",
    "connect",
    "load",
    "query",
]
