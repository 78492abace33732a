"""Changes records on disk: brings them into canonical form, writes several all or nothing."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from medbench_kg import records, vocabulary
from medbench_kg.assets import folder
from medbench_kg.errors import OverloadedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["format_records", "shown", "turn", "write_durably", "write_records"]

#: Seconds that somebody waits for a turn.
_WAIT_S = 30.0

#: Seconds between two looks at the lock.
_LOOK_EVERY_S = 0.01

#: Those that wait in a process; more are told to come back.
_waiting = threading.BoundedSemaphore(16)


def format_records(files: Iterable[Path] = (), *, write: bool) -> list[Path]:
    """Bring records into canonical form.

    Args:
        files: records; none means all below ``data/``.
        write: whether to change the files.

    Returns:
        The files that were not in canonical form.

    Raises:
        RecordError: a file can't be read, or holds a comment, which would be lost.
    """
    names = vocabulary.load()
    data = shown(folder("data"))
    paths = list(files) or sorted(p for kind in records.KINDS for p in (data / kind).glob("*.yaml"))
    changed = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        canonical = records.reformat(text, path, names)
        if canonical != text:
            changed.append(path)
            if write:
                _write_atomically(path, canonical)
    return changed


def write_records(texts: Mapping[str, str]) -> list[Path]:
    """Write records below ``data/``, all or nothing.

    Args:
        texts: folder and file name, such as ``datasets/gemex.yaml`` → content.

    Returns:
        The files whose content has changed.

    Raises:
        RecordError: one of them can't be read as a record; nothing is written.
        OSError: the disk refuses; what was there before is there again.
    """
    names = vocabulary.load()
    data = shown(folder("data"))
    changed: dict[Path, str] = {}
    for name, text in texts.items():
        path = data / name
        records.parse(text, path, names)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            changed[path] = text
    before = {path: path.read_bytes() if path.exists() else None for path in changed}
    with tempfile.TemporaryDirectory(prefix=".records-", dir=data) as staging:
        staged = {path: Path(staging) / str(i) for i, path in enumerate(changed)}
        for path, draft in staged.items():
            draft.write_text(changed[path], encoding="utf-8")
        try:
            for path, draft in staged.items():
                path.parent.mkdir(exist_ok=True)
                draft.replace(path)
        except OSError:
            for path, content in before.items():
                if content is None:
                    path.unlink(missing_ok=True)
                else:
                    path.write_bytes(content)
            raise
    return list(changed)


@contextlib.contextmanager
def turn(*, is_reading: bool = False) -> Iterator[None]:
    """Keep every other writer out of ``data/``, of this process and of others.

    Args:
        is_reading: whether others may read meanwhile.

    Raises:
        OverloadedError: others have been writing for too long, or too many wait.
    """
    if not _waiting.acquire(blocking=False):
        raise _busy()
    handle = os.open(folder("data"), os.O_RDONLY)
    try:
        end = time.monotonic() + _WAIT_S
        while not _locked(handle, fcntl.LOCK_SH if is_reading else fcntl.LOCK_EX):
            if time.monotonic() > end:
                raise _busy()
            time.sleep(_LOOK_EVERY_S)
        yield
    finally:
        os.close(handle)
        _waiting.release()


def write_durably(path: Path, content: bytes) -> None:
    """Write a file that is on disk when this returns."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _locked(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _busy() -> OverloadedError:
    return OverloadedError("Too many are writing at this moment.", hint="Try again in a second.")


def shown(path: Path) -> Path:
    """A path as a person would write it: relative where it is below the working folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _write_atomically(path: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=".", delete=False
    ) as file:
        file.write(text)
    Path(file.name).chmod(path.stat().st_mode)
    Path(file.name).replace(path)
