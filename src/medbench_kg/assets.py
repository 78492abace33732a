"""Where the files live that make the graph: beside the sources in a checkout, inside a wheel.

A wheel carries ``ontology/``, ``shapes/``, ``data/`` and ``build/`` below ``medbench_kg/_assets``.
A checkout is recognised first, because an editable install leaves a copy there that goes stale.
Queries are part of the package itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

__all__ = ["Folder", "folder"]

#: The folders that the graph is made from; only ``build`` is generated.
Folder = Literal["ontology", "shapes", "data", "queries", "tables", "sparql", "build"]

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parents[1]
_WHEEL = _PACKAGE / "_assets"


def folder(name: Folder) -> Path:
    """Find one of the folders; ``build`` may not exist yet."""
    if name in {"queries", "tables", "sparql"}:
        return _PACKAGE / name
    in_checkout = (_CHECKOUT / "pyproject.toml").is_file() and (_CHECKOUT / "ontology").is_dir()
    return (_CHECKOUT if in_checkout else _WHEEL) / name
