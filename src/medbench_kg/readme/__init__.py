"""The upstream list as Markdown: ``parse`` reads its two tables, ``render`` writes one.

Pure: what the graph knows comes in as :class:`Terms`. Rendering and parsing again gives the same
facts. A row that can't be believed is an :class:`Issue` with its line, never a guess.
"""

from __future__ import annotations

from medbench_kg.readme.figures import read as figures_in
from medbench_kg.readme.figures import write as sizes
from medbench_kg.readme.model import (
    COLUMNS,
    HEADERS,
    Facts,
    Figure,
    Issue,
    Lang,
    Link,
    Row,
    Terms,
    normalise,
    plural,
)
from medbench_kg.readme.parsing import parse
from medbench_kg.readme.rendering import cells, date_text, patch, render
from medbench_kg.readme.words import ISSUES, arxiv_id, concepts, host_of

__all__ = [
    "COLUMNS",
    "HEADERS",
    "ISSUES",
    "Facts",
    "Figure",
    "Issue",
    "Lang",
    "Link",
    "Row",
    "Terms",
    "arxiv_id",
    "cells",
    "concepts",
    "date_text",
    "figures_in",
    "host_of",
    "normalise",
    "parse",
    "patch",
    "plural",
    "render",
    "sizes",
]
