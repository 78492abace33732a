"""Changes records on disk: brings them into canonical form, writes several all or nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from medbench_kg import records, vocabulary
from medbench_kg.assets import folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["format_records", "shown", "write_records"]


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
