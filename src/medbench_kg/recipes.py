"""Recipes for those who take the graph into their own work: short programs for other tools.

Each is a file that runs as it stands. Its header, like that of a canned query, says in both
languages what it does; page, README and tests show and run the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import PurePath
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SERVER", "Recipe", "recipes"]

#: Where the recipes suppose the server to be.
SERVER = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Recipe:
    """A program of a few lines.

    Attributes:
        name: the tool that it is for, in lower case.
        kind: suffix of its file: ``sh``, ``py`` or ``R``.
        title: what it does, in both languages.
        needs: what has to be installed or started before, in both languages.
        text: the program.
    """

    name: str
    kind: str
    title: Mapping[str, str]
    needs: Mapping[str, str]
    text: str

    def at(self, server: str) -> str:
        """The program for a server at another address, without a slash at its end."""
        return self.text.replace(SERVER, server)


@lru_cache(maxsize=1)
def recipes() -> tuple[Recipe, ...]:
    """All recipes, in the order of their files."""
    folder = resources.files("medbench_kg") / "recipes"
    files = sorted((file for file in folder.iterdir() if file.is_file()), key=lambda f: f.name)
    return tuple(_recipe(PurePath(f.name), f.read_text(encoding="utf-8")) for f in files)


def _recipe(file: PurePath, text: str) -> Recipe:
    lines = text.splitlines(keepends=True)
    header = yaml.safe_load("".join(line[2:] for line in lines if line.startswith("#+")))
    return Recipe(
        file.stem.partition("-")[2],
        file.suffix[1:],
        {"en": header["title"], "zh": header["title_zh"]},
        {"en": header["needs"], "zh": header.get("needs_zh", header["needs"])},
        "".join(line for line in lines if not line.startswith("#+")),
    )
