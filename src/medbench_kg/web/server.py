"""Runs the app on a production server, several processes, each with the graph in memory."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from medbench_kg import pipeline
from medbench_kg.catalogue import catalogue
from medbench_kg.web.app import create_app

if TYPE_CHECKING:
    from flask import Flask

    from medbench_kg.settings import Settings

__all__ = ["run"]

#: Requests that a process answers at a time.
_THREADS = 4

#: Seconds that a process may take to stop; on Ctrl-C a starting one would otherwise never do so.
_KILL_AFTER_S = 2


def run(settings: Settings) -> None:
    """Serve until stopped; prints one line when the graph is open.

    Raises:
        StoreError: the graph hasn't been built from the present files.
    """
    store, manifest = pipeline.open_built()
    port = settings.port or _free_port(settings.host)
    numbers = pipeline.statistics(store)
    click.echo(
        f"http://{settings.host}:{port}/ · {manifest.triples} triples · "
        f"{numbers['datasets']} datasets · {len(catalogue())} canned queries · read-only"
    )
    Granian(
        "medbench_kg.web.server:_worker",
        address=settings.host,
        port=port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        factory=True,
        blocking_threads=_THREADS,
        workers_kill_timeout=_KILL_AFTER_S,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve()


def _worker() -> Flask:
    """Open the graph in a server process."""
    return create_app(*pipeline.open_built())


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as probe:
        return int(probe.getsockname()[1])
