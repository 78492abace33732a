"""What a server process does: answer with the app of a graph, and follow when that is renewed.

The first app is made before the processes are forked, so that they share its memory as far as
nobody writes to it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from medbench_kg import builds, elsewhere, evaluation, nursery
from medbench_kg import settings as configuration
from medbench_kg.errors import StoreError
from medbench_kg.relay import Relay
from medbench_kg.store import RemoteStore
from medbench_kg.web import upkeep

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from medbench_kg.builds import Manifest
    from medbench_kg.settings import Settings
    from medbench_kg.store import Store

__all__ = ["LOOK_EVERY_S", "QUERIES", "Graph", "limits", "open_graph", "prepare", "work"]

#: Tells a server process where the link to the socket of the present nursery is.
QUERIES = "MEDBENCH_QUERIES_SOCKET"

#: Seconds between two looks at the present nursery, and at the build if it is watched.
LOOK_EVERY_S = 0.5

#: The app that server processes inherit, by its nursery; they make later ones.
_inherited: dict[Path, WSGIApplication] = {}


class Graph(NamedTuple):
    """An open graph, what its build says about itself, and the socket of its nursery."""

    store: Store
    manifest: Manifest
    nursery: Path


def prepare(graph: Graph, settings: Settings) -> None:
    """Make the first app before processes are forked; connections to an endpoint aren't shared."""
    if not isinstance(graph.store, RemoteStore):
        _inherited[graph.nursery] = _app(graph, settings)


def work() -> WSGIApplication:
    """Open the graph in a server process."""
    web = multiprocessing.parent_process()
    nursery.end_with_parent((web and web.pid) or 0, signal.SIGKILL)
    return _Site(Path(os.environ[QUERIES]), configuration.from_env())


class _Site:
    """The app of the present graph; takes another graph while it goes on answering."""

    def __init__(self, link: Path, settings: Settings) -> None:
        """Open the graph, and follow a link from nursery to nursery."""
        self._link = link
        self._settings = settings
        self._nursery = link.resolve()
        self._app = self._open(self._nursery)
        threading.Thread(target=self._follow, daemon=True).start()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._app(environ, start_response)

    def _follow(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_S)
            path = self._link.resolve()
            if path != self._nursery:
                self._nursery = path
                try:
                    self._app = self._open(path)
                except StoreError as error:
                    click.echo(f"medbench: the graph stays as it is: {error}", err=True)

    def _open(self, path: Path) -> WSGIApplication:
        if path in _inherited:
            return _inherited.pop(path)
        store, manifest = open_graph(self._settings)
        if not path.name.endswith(manifest.version):
            raise StoreError("The build was replaced meanwhile.", hint="Send SIGHUP again.")
        return _app(Graph(store, manifest, path), self._settings)


def _app(graph: Graph, settings: Settings) -> WSGIApplication:
    """Make the app of a graph."""
    from medbench_kg.web.app import create_app  # noqa: PLC0415

    store, allowed = graph.store, limits(settings)
    if isinstance(store, RemoteStore):
        pool: evaluation.Pool = Relay(graph.nursery, allowed, store)
    else:
        pool = evaluation.Pool(graph.nursery, allowed)
    return create_app(store, graph.manifest, pool, settings, Path(os.environ[upkeep.GATE]))


def open_graph(settings: Settings) -> tuple[Store, Manifest]:
    """The graph at the endpoint that is set, else the built one."""
    if settings.endpoint is None:
        # While records are written, the build may be one behind.
        return builds.open_built(settings.store, is_fresh=not settings.writable)
    return elsewhere.open_endpoint(
        settings.endpoint, deadline_s=settings.deadline_s, max_bytes=settings.answer_mb << 20
    )


def limits(settings: Settings) -> nursery.Limits:
    """What a query may use."""
    return nursery.Limits(
        deadline_s=settings.deadline_s,
        memory_bytes=settings.memory_mb << 20,
        answer_bytes=settings.answer_mb << 20,
        short=settings.short_queries,
        long=settings.long_queries,
    )
