"""Under mixed load no request is lost and no process left; the benchmarks hold the long form."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore


def test_mixed_load_loses_no_request_and_leaves_no_process(
    root: Path, built: tuple[LocalStore, Manifest]
) -> None:
    assert built
    script = root / "tests" / "benchmarks" / "soak.py"
    run = subprocess.run(
        [sys.executable, str(script), "--seconds", "6"], capture_output=True, text=True, check=True
    )
    found = json.loads(run.stdout)
    assert {"200", "400", "503"} <= found["statuses"].keys()
    assert found["lost"] == 0
    assert found["left_behind"] == 0
    before, after = found["processes"]
    assert before == after
