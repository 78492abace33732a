"""Runs the app on a production server, several processes, each with the graph in memory.

Before the first thread starts, the nursery of query processes is forked off; the server processes
find it by the path of its socket.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from medbench_kg import evaluation, nursery, pipeline
from medbench_kg import settings as configuration
from medbench_kg.catalogue import catalogue
from medbench_kg.errors import MedbenchError

if TYPE_CHECKING:
    from flask import Flask

    from medbench_kg.settings import Settings

__all__ = ["run"]

#: Seconds that a process may take to stop; on Ctrl-C a starting one would otherwise never do so.
_KILL_AFTER_S = 2

#: Threads of a process. Most wait: for a query process, or for a slow client's body.
_THREADS = 64

#: Requests that wait in a process before it takes no further connection.
_WAITING = 256

#: Seconds that a client may take to send its headers.
_HEADERS_WITHIN_S = 10

#: Tells a server process where the socket of its nursery is.
_QUERIES = "MEDBENCH_QUERIES_SOCKET"

#: Nurseries that run at a time: the present one, and those of server processes that are on their
#: way out; granian replaces one after the other.
_KEPT = 4

#: Query processes beyond those that can be busy, so that one is ready when another was killed.
_SPARE = 2


def run(settings: Settings) -> None:
    """Serve until stopped; SIGHUP takes a new build without dropping a request.

    Prints one line when the graph is open.

    Raises:
        StoreError: the graph hasn't been built from the present files.
    """
    shared = Path(tempfile.mkdtemp(prefix="medbench-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(shared)
    nurseries = _Nurseries(shared, settings)
    try:
        numbers, triples = nurseries.open()
        port = settings.port or _free_port(settings.host)
        click.echo(
            f"http://{settings.host}:{port}/ · {triples} triples · {numbers['datasets']} datasets "
            f"· {len(catalogue())} canned queries · read-only"
        )
        server = _server(settings, port)
        server.on_startup(lambda: _heed_signals(server, nurseries))
        server.serve()
        if nurseries.lost:
            raise SystemExit("medbench: the process that answers queries ended; start again")
    finally:
        nurseries.close()
        shutil.rmtree(shared, ignore_errors=True)


class _Nurseries:
    """The nursery of the present graph, and that of the one before while it is still asked."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._running: list[int] = []
        self._count = 0
        #: Whether the present nursery ended by itself.
        self.lost = False

    def open(self) -> tuple[dict[str, int], int]:
        """Open the built graph and fork its nursery; new server processes will use it.

        Returns:
            Counts of the graph, and its size in triples.
        """
        store, manifest = pipeline.open_built()
        settings = self._settings
        places = settings.workers * (settings.short_queries + settings.long_queries)
        self._count += 1
        path = self._folder / f"queries-{self._count}"
        pid = nursery.start_nursery(path, store, _limits(settings), places + _SPARE)
        os.environ[_QUERIES] = str(path)
        self._running.append(pid)
        while len(self._running) > _KEPT:
            self._stop(self._running.pop(0))
        return pipeline.statistics(store), manifest.triples

    def look(self) -> bool:
        """Whether the present nursery has ended by itself."""
        if self._running and not self.lost:
            self.lost = os.waitpid(self._running[-1], os.WNOHANG)[0] != 0
            if self.lost:
                self._running.pop()
        return self.lost

    def close(self) -> None:
        """Stop all query processes."""
        for pid in self._running:
            self._stop(pid)

    @staticmethod
    def _stop(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _server(settings: Settings, port: int) -> Any:  # noqa: ANN401  granian names a class by platform
    return Granian(
        "medbench_kg.web.server:_worker",
        address=settings.host,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        factory=True,
        blocking_threads=_THREADS,
        backlog=1024,
        backpressure=_WAITING,
        workers_kill_timeout=_KILL_AFTER_S,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADERS_WITHIN_S * 1000),
        log_access=False,
        log_level=LogLevels.error,
    )


def _heed_signals(server: Any, nurseries: _Nurseries) -> None:  # noqa: ANN401  see above
    """Reload on SIGHUP, and stop when the nursery ends, so that whoever watches us starts again.

    A new build is taken only if it can be opened; else the graph stays, and a line says why.
    """

    def reload(*_: object) -> None:
        try:
            nurseries.open()
        except MedbenchError as error:
            click.echo(f"medbench: the graph stays as it is: {error}", err=True)
        else:
            server.signal_handler_reload()

    def look(*_: object) -> None:
        if nurseries.look():
            server.signal_handler_interrupt()

    signal.signal(signal.SIGHUP, reload)
    signal.signal(signal.SIGCHLD, look)


def _worker() -> Flask:
    """Open the graph in a server process."""
    # Reads PROMETHEUS_MULTIPROC_DIR when it is imported, so not before it is set.
    from medbench_kg.web.app import create_app  # noqa: PLC0415

    settings = configuration.from_env()
    store, manifest = pipeline.open_built()
    pool = evaluation.Pool(Path(os.environ[_QUERIES]), _limits(settings))
    return create_app(store, manifest, pool, settings)


def _limits(settings: Settings) -> nursery.Limits:
    return nursery.Limits(
        deadline_s=settings.deadline_s,
        memory_bytes=settings.memory_mb << 20,
        answer_bytes=settings.answer_mb << 20,
        short=settings.short_queries,
        long=settings.long_queries,
    )


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])
