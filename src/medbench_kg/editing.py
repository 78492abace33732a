"""Changes records on disk: brings them into canonical form, writes several all or nothing."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from medbench_kg import records, vocabulary
from medbench_kg.assets import folder
from medbench_kg.errors import ConflictError, OverloadedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from medbench_kg.records import Record

__all__ = [
    "format_records",
    "put",
    "settle",
    "shown",
    "tidy",
    "turn",
    "write_durably",
    "write_records",
]

#: What names of drafts begin with: files and folders that aren't yet in their place.
_DRAFT = ".record-"

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
    changed = []
    with turn(is_reading=not write):
        every = (path for kind in records.KINDS for path in (data / kind).glob("*.yaml"))
        for path in list(files) or sorted(every):
            content = path.read_bytes()
            canonical = records.reformat(content, path, names).encode()
            if canonical != content:
                changed.append(path)
                if write:
                    put(path, canonical)
    return changed


def write_records(texts: Mapping[str, str], known: Iterable[Record] | None = None) -> list[Path]:
    """Write records below ``data/``, all or nothing, while nobody else does.

    Args:
        texts: folder and file name, such as ``datasets/gemex.yaml`` → content.
        known: the records that there were when the texts were made; None takes what there is now.

    Returns:
        The files whose content has changed.

    Raises:
        RecordError: one of them can't be read as a record; nothing is written.
        ConflictError: one of them was written by somebody else meanwhile; nothing is written.
        OverloadedError: others have been writing for too long.
        OSError: the disk refuses; what was there before is there again.
    """
    names = vocabulary.load()
    data = shown(folder("data"))
    for name, text in texts.items():
        records.parse(text, data / name, names)
    with turn():
        before = {data / name: _content(data / name) for name in texts}
        if known is not None:
            _refuse_lost_updates(before, known)
        changed = {data / n: text for n, text in texts.items() if before[data / n] != text.encode()}
        _replace_all(changed, before, data)
    return list(changed)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _refuse_lost_updates(present: Mapping[Path, bytes | None], known: Iterable[Record]) -> None:
    digests = {record.path.resolve(): record.digest for record in known}
    for path, content in present.items():
        now = None if content is None else hashlib.sha256(content).hexdigest()
        if now != digests.get(path.resolve()):
            raise ConflictError(
                f"{path} was written by somebody else meanwhile.", hint="Run the command again."
            )


def _replace_all(
    changed: Mapping[Path, str], before: Mapping[Path, bytes | None], data: Path
) -> None:
    with tempfile.TemporaryDirectory(prefix=_DRAFT, dir=data) as staging:
        staged = {path: Path(staging) / str(i) for i, path in enumerate(changed)}
        for path, draft in staged.items():
            draft.write_text(changed[path], encoding="utf-8")
        try:
            for path, draft in staged.items():
                path.parent.mkdir(exist_ok=True)
                draft.replace(path)
        except OSError:
            for path in changed:
                if (content := before[path]) is None:
                    path.unlink(missing_ok=True)
                else:
                    path.write_bytes(content)
            raise


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


def put(path: Path, content: bytes) -> None:
    """Replace a file durably: whatever happens, it has its old content or the new one."""
    handle, name = tempfile.mkstemp(prefix=_DRAFT, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    settle(path.parent)


def settle(path: Path) -> None:
    """Have the names in a folder on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def tidy() -> list[Path]:
    """Remove what writers that were killed have left of drafts; call it in :func:`turn`."""
    data = folder("data")
    left = sorted([*data.glob(f"{_DRAFT}*"), *data.glob(f"*/{_DRAFT}*")])
    for path in left:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return left


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
    return OverloadedError(
        "Others are writing to data/ at this moment.", hint="Try again in a second."
    )


def shown(path: Path) -> Path:
    """A path as a person would write it: relative where it is below the working folder."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
