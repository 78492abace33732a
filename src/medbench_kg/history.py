"""Files as they were at a commit: asked from git, which is the only program started here."""

from __future__ import annotations

import io
import subprocess
import tarfile
from typing import TYPE_CHECKING

from medbench_kg.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["committed_on", "contents", "extract", "file_at"]


def file_at(path: Path, commit: str) -> bytes | None:
    """Content of a file at a commit; None if git doesn't know it there."""
    return _git(path.parent, "show", f"{commit}:./{path.name}")


def committed_on(folder: Path, commit: str) -> str:
    """ISO day of a commit; "" if git doesn't know it."""
    told = _git(folder, "show", "--no-patch", "--format=%cs", f"{commit}^{{commit}}")
    return (told or b"").decode().strip()


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Each file below a folder as each commit left it, oldest first; nothing where git isn't.

    Returns:
        Paths relative to the folder, and contents.
    """
    log = "log --reverse --format= --raw --no-abbrev --no-renames --relative -- ."
    told = (_git(folder, *log.split()) or b"").decode().splitlines()
    changes = [line.partition("\t") for line in told]
    left = [(fields.split()[3], path) for fields, _, path in changes if fields[-1] != "D"]
    ids = "\n".join(blob for blob, _ in left).encode()
    batch = io.BytesIO(_git(folder, "cat-file", "--batch", given=ids) or b"")
    for _, path in left:
        size = int(batch.readline().split()[-1])
        yield path, batch.read(size)
        batch.read(1)


def extract(folder: Path, revision: str, names: tuple[str, ...], into: Path) -> None:
    """Write folders as they were at a revision.

    Args:
        folder: a folder of the repository.
        revision: commit, tag or branch.
        names: folders below it.
        into: an empty folder.

    Raises:
        NotFoundError: git doesn't know the revision, or it lacks one of the folders.
    """
    archive = None
    if not revision.startswith("-"):  # git would read it as an option
        archive = _git(folder, "archive", "--format=tar", f"{revision}^{{commit}}", "--", *names)
    if archive is None:
        raise NotFoundError(
            f"Git knows no revision “{revision}” with {', '.join(names)}.",
            hint="Give a commit, tag or branch of this repository.",
        )
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(into, filter="data")


def _git(folder: Path, *words: str, given: bytes = b"") -> bytes | None:
    """What git prints when it is given something to read; None if it fails or isn't there."""
    try:
        done = subprocess.run(  # noqa: S603  words go to git as they are, no shell reads them
            ["git", "-C", str(folder), *words],  # noqa: S607  found as a shell finds it
            input=given,
            capture_output=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
