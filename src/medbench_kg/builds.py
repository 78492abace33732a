"""What was built: the dumps in their folder, or a graph on disk, each with a manifest.

A version is a digest of the files that a build was made from. Whoever opens a build never
validates it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from medbench_kg import changes, crate, editing, graph, metadata, publication, search, vocabulary
from medbench_kg.assets import folder
from medbench_kg.catalogue import internal
from medbench_kg.errors import StoreError
from medbench_kg.negotiation import by_name
from medbench_kg.store import LocalStore, write_to_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medbench_kg.assets import Folder
    from medbench_kg.negotiation import Format
    from medbench_kg.store import Store

__all__ = [
    "DUMPS",
    "Manifest",
    "build_on_disk",
    "built_version",
    "count",
    "dump",
    "is_built",
    "open_built",
    "read",
    "replace",
    "search_file",
    "version",
    "write",
]

#: The formats of the whole graph, in the order of the format table.
DUMPS = publication.formats(publication.WHOLE)

_MANIFEST = "manifest.json"

#: The catalogue isn't in the dataset dumps, because it holds their digests.
_CATALOGUE = "catalogue.ttl"

#: What the folders of graphs begin with, in the folder of an on-disk build.
_GRAPH = "graph-"

_SOURCES: tuple[Folder, ...] = ("data", "ontology", "shapes", "queries", "tables", "sparql")


@dataclass(frozen=True)
class Manifest:
    """What a build says about itself.

    Attributes:
        version: digest of the files that it was made from.
        triples: size of the default graph.
        numbers: how many ``datasets`` of the list, ``papers``, ``sources`` and ``concepts`` it has.
        files: file name → bytes, SHA-256 and media type.
        graph: name of the folder that holds the graph, in an on-disk build.
        records: slug of a catalogue record → SHA-256 of its file.
    """

    version: str
    triples: int
    numbers: dict[str, int]
    files: dict[str, dict[str, str | int]]
    graph: str = ""
    records: dict[str, str] = field(default_factory=dict)


def write(store: LocalStore, target: Path, made_from: str, records: dict[str, str]) -> Manifest:
    """Write the dumps of a checked graph into a folder, all or nothing.

    Args:
        store: the graph with the descriptions of itself, canonical.
        target: the folder; replaced as a whole.
        made_from: version of the files that it was made from.
        records: slug of a catalogue record → SHA-256 of its file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".build-", dir=target.parent))
    try:
        manifest = _write(store, fresh, made_from, records)
        replace(target, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return manifest


def build_on_disk(target: Path, source: Path | None = None) -> Manifest:
    """Load a graph into a folder that it can be served from without fitting in memory.

    The manifest names the graph's own folder and is replaced last: whatever happens before, the
    graph of the last build stays.

    Args:
        target: the folder; made if there is none.
        source: a dump, its format told by its suffix; taken as it is, without being checked. None
            takes the graph that was built and checked.

    Raises:
        StoreError: there is no build, the dump can't be loaded, or the folder isn't ours alone.
    """
    made_from = version() if source is None else ""
    if source is None and not is_built():
        raise _stale()
    dump_file = source or folder("build") / "medbench.nq"
    fmt = by_name(dump_file.suffix.removeprefix("."), DUMPS)
    with _alone(target):
        fresh = Path(tempfile.mkdtemp(prefix=_GRAPH, dir=target))
        try:
            fresh.chmod(0o755)
            write_to_disk(dump_file, fmt.name, fresh)
            store = LocalStore(folder=fresh)
            search.write(store, fresh)
            numbers = count(store)
            manifest = Manifest(
                made_from or _digest(dump_file), numbers.pop("triples"), numbers, {}, fresh.name
            )
            editing.write_durably(fresh / _MANIFEST, _as_json(manifest).encode())
            (fresh / _MANIFEST).replace(target / _MANIFEST)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        for old in target.glob(f"{_GRAPH}*"):
            if old != fresh:
                shutil.rmtree(old, ignore_errors=True)
    return manifest


def is_built() -> bool:
    """Whether the build folder was made from the present files."""
    return built_version() == version()


def built_version(on_disk: Path | None = None) -> str | None:
    """Version of what is in the build folder or an on-disk one; None if there is nothing."""
    try:
        return _read_manifest(on_disk or folder("build")).version
    except StoreError:
        return None


def open_built(
    on_disk: Path | None = None, *, is_fresh: bool = True
) -> tuple[LocalStore, Manifest]:
    """Open the graph that was built and checked.

    Args:
        on_disk: a folder that :func:`build_on_disk` wrote; it is opened as it is, at any size in
            the same time. None reads the build folder into memory.
        is_fresh: whether the build has to be from the present files; else it may be one behind.

    Raises:
        StoreError: there is no build, or it isn't from the present files.
    """
    manifest = _read_manifest(on_disk or folder("build"))
    if on_disk is not None:
        return LocalStore(vocabulary.load().prefixes, on_disk / manifest.graph), manifest
    if is_fresh and manifest.version != version():
        raise _stale()
    store = LocalStore(vocabulary.load().prefixes)
    content = (folder("build") / "medbench.nq").read_bytes()
    if hashlib.sha256(content).hexdigest() != manifest.files["medbench.nq"]["sha256"]:
        raise StoreError("The build was replaced meanwhile.", hint="Open it again.")
    store.load(content, "nquads")
    catalogue = (folder("build") / _CATALOGUE).read_bytes()
    store.load(catalogue, "turtle", graph=metadata.CATALOGUE_GRAPH)
    return store, manifest


def search_file(on_disk: Path | None = None) -> Path:
    """The full-text index of what was built; arguments are those of :func:`open_built`."""
    return (on_disk / _read_manifest(on_disk).graph if on_disk else folder("build")) / search.FILE


def dump(fmt: Format, part: str = publication.WHOLE) -> bytes:
    """The built graph, or a part of it, in one of :func:`medbench_kg.publication.formats`.

    Raises:
        StoreError: the graph hasn't been built from the present files.
    """
    return read(publication.name(part, fmt))


def read(name: str, opened: Manifest | None = None) -> bytes:
    """A file of the build that was opened before; None takes the one there is, if it is fresh.

    Raises:
        StoreError: the graph hasn't been built from the present files, or not the one opened.
    """
    manifest = _read_manifest(folder("build"))
    if manifest.version != (version() if opened is None else opened.version):
        raise _stale()
    return (folder("build") / name).read_bytes()


def count(store: Store) -> dict[str, int]:
    """Count what a graph holds: ``triples``, and the numbers of a manifest."""
    (row,) = store.rows(internal("statistics"))
    return {name: int(value) for name, value in row.items()}


def _stale() -> StoreError:
    return StoreError(
        "The built graph isn't from the present data/, ontology/ and shapes/.",
        hint="Run “medbench build”.",
    )


def version() -> str:
    """Digest of the present files."""
    return graph.version(*(folder(name) for name in _SOURCES))


def _write(store: LocalStore, target: Path, version: str, records: dict[str, str]) -> Manifest:
    schema = graph.build((), folder("ontology"), folder("shapes"), vocabulary.load()).canonical()
    files: dict[str, dict[str, str | int]] = {}
    published = list(publication.files(store, schema))
    metadata.list_files(store, published, version)
    catalogue = store.dump(by_name("turtle"), metadata.CATALOGUE_GRAPH)
    published.append(publication.File(_CATALOGUE, by_name("turtle").media_type, "", catalogue))
    for file in published:
        (target / file.name).write_bytes(file.content)
        digest = hashlib.sha256(file.content).hexdigest()
        files[file.name] = {
            "bytes": len(file.content),
            "sha256": digest,
            "media_type": file.media_type,
        }
    search.write(store, target)
    numbers = count(store)
    manifest = Manifest(version, numbers.pop("triples"), numbers, files, records=records)
    (last, *_) = changes.days(changes.recent(store, "en"))
    (target / crate.FILE).write_bytes(crate.describe(files, manifest.version, last))
    (target / _MANIFEST).write_text(_as_json(manifest), encoding="utf-8")
    return manifest


def _as_json(manifest: Manifest) -> str:
    return json.dumps(vars(manifest), indent=2, sort_keys=True) + "\n"


def _digest(path: Path) -> str:
    """Version of a graph that comes from a dump."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Keep every other build out of an on-disk folder, and leave folders alone that are others'."""
    target.mkdir(parents=True, exist_ok=True)
    for path in target.iterdir():
        if path.name != _MANIFEST and not path.name.startswith(_GRAPH):
            raise StoreError(
                f"{target} holds “{path.name}”, which isn't of a graph.",
                hint="Name a folder for the graph alone.",
            )
    handle = os.open(target, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StoreError(f"{target} is being built already.", hint="Wait for its end.") from error
    finally:
        os.close(handle)


def replace(target: Path, fresh: Path) -> None:
    """Put the new folder in place of the old one; a reader sees the one or the other."""
    old = fresh.with_name(fresh.name + "-old")
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    target.chmod(0o755)
    shutil.rmtree(old, ignore_errors=True)


def _read_manifest(built: Path) -> Manifest:
    try:
        return Manifest(**json.loads((built / _MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise StoreError(
            f"There is no built graph in {editing.shown(built)}.", hint="Run “medbench build”."
        ) from error
