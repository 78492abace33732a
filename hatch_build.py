"""Puts the built graph into the wheel, so that an installed package serves what was checked."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GraphBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the graph unless ``build/`` is fresh; a violation stops the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before a wheel is packed; an editable install needs no build."""
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "src"))
        from medbench_kg import pipeline  # noqa: PLC0415  importable only now

        if not pipeline.is_built():
            pipeline.build()
        build_data["force_include"][str(Path(self.root) / "build")] = "medbench_kg/_assets/build"
