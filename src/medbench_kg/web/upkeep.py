"""What a server does for records that are sent: it keeps a gate, and builds after each write.

Both are children of the process that was started, which forks them while it has one thread.
"""

from __future__ import annotations

import logging
import os
import signal
from functools import partial
from typing import TYPE_CHECKING

from medbench_kg import curation, gate, nursery, pipeline
from medbench_kg.errors import OverloadedError
from medbench_kg.web.preview import preview

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.settings import Settings

__all__ = ["GATE", "Builds", "start_gate"]

#: Tells a server process where the socket of the gate is.
GATE = "MEDBENCH_GATE_SOCKET"

#: Builds yield to everything else, on a scale to 19.
_BEHIND = 10

_log = logging.getLogger(__name__)


class Builds:
    """Builds the graph anew after records were written, one build at a time."""

    def __init__(self) -> None:
        """Take what is built to be what is on disk."""
        self._built = curation.last_change()
        self._running: int | None = None

    def look(self) -> None:
        """Start a build if a record was written since the last one began."""
        change = curation.last_change()
        if self._running is None and change != self._built:
            self._built = change
            parent = os.getpid()
            self._running = os.fork()
            if not self._running:
                _build(parent)

    def forget(self, ended: set[int]) -> None:
        """Take note of a build that has ended."""
        if self._running in ended:
            self._running = None


def _build(parent: int) -> None:
    """Be the process that builds, and end."""
    try:
        nursery.end_with_parent(parent, signal.SIGKILL)
        os.nice(_BEHIND)
        while not _is_built():
            pass
    except Exception:  # noqa: BLE001  nobody else would say what it was
        _log.exception("The graph can't be built anew")
    finally:
        os._exit(0)


def _is_built() -> bool:
    """Build, unless too many are writing; nobody else would try again."""
    try:
        pipeline.build(is_judged=True)
    except OverloadedError:
        return False
    return True


def start_gate(shared: Path, settings: Settings) -> int | None:
    """Fork the gate, which reads the records when it is first asked.

    Returns:
        Its process id; None if no records are checked.
    """
    path = shared / "gate"
    os.environ[GATE] = str(path)
    if not settings.checks:
        return None
    prepare = partial(gate.prepare, settings.memory_mb << 20, preview)
    return nursery.start_nursery(path, settings.checks, prepare, is_lazy=True)
