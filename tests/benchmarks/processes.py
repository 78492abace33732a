"""What the kernel tells about a process and all its descendants: memory and processor time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        stat = _stat(int(folder.name))
        if stat:
            children.setdefault(int(stat[1]), []).append(int(folder.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def pss_mb(root: int) -> float:
    """Memory of a process tree; a page that several share counts in parts."""
    total = 0
    for pid in tree(root):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cpu_s(root: int) -> float:
    """Processor time of a process tree so far."""
    stats = [_stat(pid) for pid in tree(root)]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats if stat) / _TICKS


def lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped doesn't."""
    return _stat(pid)[:1] not in ([], ["Z"])


def _stat(pid: int) -> list[str]:
    """Fields of ``/proc/<pid>/stat`` after the name; empty if the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


#: Every server that was started, so that none outlives the run.
_STARTED: list[subprocess.Popen[str]] = []


def start(
    command: Sequence[str], log: Path, env: Mapping[str, str], cwd: Path
) -> subprocess.Popen[str]:
    """Start a server in a session of its own; what it says goes to a file."""
    with log.open("a") as output:
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
        )
    _STARTED.append(process)
    return process


def stop_all() -> None:
    """End every server that was started here."""
    for process in _STARTED:
        stop(process)
    _STARTED.clear()


def stop(process: subprocess.Popen[str]) -> None:
    """End a server that was started here, and what it started."""
    family = tree(process.pid)[1:]
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                continue
    for pid in family:
        if os.path.exists(f"/proc/{pid}") and _session(pid) == process.pid:  # noqa: PTH110
            os.kill(pid, signal.SIGKILL)


def _session(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[3]) if stat else 0


class Helper:
    """A process of this folder that takes lines of JSON and answers with lines of JSON."""

    def __init__(self, script: str, *arguments: str) -> None:
        path = Path(__file__).parent / script
        self.process = subprocess.Popen(
            [sys.executable, str(path), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def close(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)
