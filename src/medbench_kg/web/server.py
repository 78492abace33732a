"""Runs the app on a production server, in several processes.

the process that was started    opens the graph, heeds signals, has one thread
├ nursery                       holds the graph; its children answer queries
├ gate                          holds the records; its children check what is sent
├ build                         after a record was written; ends
└ web server                    keeps its processes
  └ server processes            share the graph; answer requests, in threads
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import shutil
import signal
import socket
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer

from medbench_kg import builds, curation, nursery, pipeline
from medbench_kg.catalogue import catalogue
from medbench_kg.errors import MedbenchError, SettingsError
from medbench_kg.store import LocalStore
from medbench_kg.web import upkeep
from medbench_kg.web.worker import LOOK_EVERY_S, QUERIES, Graph, limits, open_graph, prepare

if TYPE_CHECKING:
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

#: Nurseries that run at a time: the present one, and the one before, which may still be asked.
_KEPT = 2

#: Query processes beyond those that can be busy, so that one is ready when another was killed.
_SPARE = 2

#: Signals that are taken when a process is ready for them.
_HEEDED = {signal.SIGCHLD, signal.SIGHUP, signal.SIGINT, signal.SIGTERM}

#: Heaps of a process, and how ``mallopt`` calls them.
_HEAPS, _M_ARENA_MAX = 2, -8

#: Seconds that the web server may take to stop.
_STOP_WITHIN_S = 10

_log = logging.getLogger(__name__)


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP takes a new build without dropping a request.

    This process stays single-threaded and only watches: the nursery and the web server, with its
    processes, are its children. It takes signals when it is ready for them, so each may as well go
    to all its children at once, from a terminal or a service manager.

    Prints one line when the graph is open.

    Raises:
        SettingsError: the address or the port can't be used.
        StoreError: the graph hasn't been built from the present files.
        SystemExit: a child ended by itself; whoever watches this program should start it again.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _HEEDED)
    _share_heaps()
    shared = Path(tempfile.mkdtemp(prefix="medbench-"))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(shared)
    # Not before that variable is set, and not after the processes are forked, which share it.
    import medbench_kg.web.app  # noqa: F401, PLC0415

    nurseries = _Nurseries(shared, settings)
    try:
        if settings.writable:
            _recover()
        graph = nurseries.open()
        judges = upkeep.start_gate(shared, settings)
        port = _port(settings.host, settings.port)
        click.echo(
            f"http://{settings.host}:{port}/ · {graph.manifest.triples} triples "
            f"· {graph.manifest.numbers['datasets']} datasets · {len(catalogue())} canned queries "
            f"· {'writable' if settings.writable else 'read-only'}"
        )
        prepare(graph, settings)
        gc.freeze()
        web = _start_web(settings, port)
        try:
            _attend(web, judges, nurseries, settings)
        finally:
            _stop_web(web)
    finally:
        nurseries.close()
        shutil.rmtree(shared, ignore_errors=True)


def _share_heaps() -> None:
    """Have threads allocate from few heaps: each would get one of its own, and never empty it."""
    with contextlib.suppress(AttributeError):  # another C library than glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _HEAPS)


def _recover() -> None:
    """Put right what was left when the server was stopped while records were written."""
    for repair in curation.recover():
        click.echo(f"medbench: {repair}", err=True)
    if not builds.is_built():
        pipeline.build()


def _attend(web: int, judges: int | None, nurseries: _Nurseries, settings: Settings) -> None:
    """Heed signals until one says to stop, and, if wanted, look for a new build meanwhile."""
    watching = settings.reload or settings.writable
    keeper = upkeep.Builds() if settings.writable else None
    while (number := _signal(watching)) not in {signal.SIGINT, signal.SIGTERM}:
        if keeper is not None:
            keeper.look()
        if number == signal.SIGHUP or (number is None and nurseries.are_behind()):
            _reload(nurseries)
        elif number == signal.SIGCHLD:
            ended = _ended()
            if keeper is not None:
                keeper.forget(ended)
            if web in ended:
                raise SystemExit("medbench: the web server ended; start again")
            if judges in ended:
                raise SystemExit("medbench: the process that checks records ended; start again")
            if nurseries.forget(ended):
                raise SystemExit("medbench: the process that answers queries ended; start again")


def _signal(watching: bool) -> int | None:
    """Wait for a signal; while the build is watched, not longer than to the next look at it."""
    if not watching:
        return signal.sigwait(_HEEDED)
    found = signal.sigtimedwait(_HEEDED, LOOK_EVERY_S)
    return found and found.si_signo


def _reload(nurseries: _Nurseries) -> None:
    """Take a new build, but only if it can be opened; else the graph stays, and a line says why."""
    try:
        nurseries.open()
    except MedbenchError as error:
        click.echo(f"medbench: the graph stays as it is: {error}", err=True)


def _ended() -> set[int]:
    """Reap what has ended: children, and, as process 1 of a container, the children of those."""
    ended = set()
    with contextlib.suppress(ChildProcessError):
        while pid := os.waitpid(-1, os.WNOHANG)[0]:
            ended.add(pid)
    return ended


class _Nurseries:
    """The nursery of the present graph, and those before while they are still asked."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._running: list[int] = []
        self._count = 0
        self._tried: str | None = None

    def are_behind(self) -> bool:
        """Whether there is a build of another version than the one that was tried last."""
        return self._version() not in {None, self._tried}

    def open(self) -> Graph:
        """Open the built graph and fork its nursery; the server processes follow."""
        self._tried = self._version()
        store, manifest = open_graph(self._settings)
        held = store if isinstance(store, LocalStore) else LocalStore()
        gc.freeze()  # a collection would write to the memory that the processes share
        settings = self._settings
        places = settings.workers * (settings.short_queries + settings.long_queries)
        self._count += 1
        path = self._folder / f"queries-{self._count}-{manifest.version}"
        work = partial(nursery.work_on_queries, held, limits(settings))
        pid = nursery.start_nursery(path, places + _SPARE, work)
        self._running.append(pid)
        self._point_at(path)
        while len(self._running) > _KEPT:
            os.kill(self._running.pop(0), signal.SIGKILL)
        return Graph(store, manifest, path)

    def _version(self) -> str | None:
        """Version of the build that is there; None if an endpoint holds the graph."""
        return None if self._settings.endpoint else builds.built_version(self._settings.store)

    def forget(self, ended: set[int]) -> bool:
        """Strike out those that have ended; whether the present one is among them."""
        lost = self._running[-1] in ended
        self._running = [pid for pid in self._running if pid not in ended]
        return lost

    def close(self) -> None:
        """Stop all query processes."""
        for pid in self._running:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def _point_at(self, path: Path) -> None:
        """Lead the server processes to a nursery."""
        link = self._folder / "queries"
        fresh = link.with_suffix(".new")
        fresh.symlink_to(path)
        fresh.replace(link)
        os.environ[QUERIES] = str(link)


def _start_web(settings: Settings, port: int) -> int:
    """Fork the web server, which starts processes of its own."""
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        try:
            nursery.end_with_parent(parent, signal.SIGTERM)
            server = _server(settings, port)
            server.on_startup(_heed_signals)
            server.serve()
        except Exception:  # noqa: BLE001  nobody else would say what it was
            _log.exception("The web server failed")
        finally:
            os._exit(1)  # it was told to stop, or it failed: its parent knows which
    return pid


def _stop_web(pid: int) -> None:
    """End the web server: requests that have begun are answered, if that doesn't take long."""
    with contextlib.suppress(ChildProcessError, ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + _STOP_WITHIN_S
        while not os.waitpid(pid, os.WNOHANG)[0]:
            left = end - time.monotonic()
            if left <= 0:
                os.kill(pid, signal.SIGKILL)
            signal.sigtimedwait({signal.SIGCHLD}, max(left, 0.1))


def _server(settings: Settings, port: int) -> MPServer:
    return MPServer(
        "medbench_kg.web.worker:work",
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


def _heed_signals() -> None:
    """Let the web server be stopped, but leave it to its parent to reload."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEEDED)


def _port(host: str, port: int) -> int:
    """A port that nobody listens on; 0 asks for any.

    The web server's own sockets may share a port, so a second server would take some of the
    first one's requests without a word.

    Raises:
        SettingsError: somebody listens there, or the address isn't this machine's.
    """
    try:
        with socket.create_server((host, port)) as probe:
            return int(probe.getsockname()[1])
    except OSError as error:
        raise SettingsError(
            f"The server can't listen at {host}:{port}: {error.strerror}.",
            hint="Stop what listens there, or choose another port with MEDBENCH_PORT.",
        ) from error
