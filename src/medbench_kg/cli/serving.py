"""Commands of operators: serve the graph, list what can be set."""

from __future__ import annotations

import os

import click

from medbench_kg import settings as configuration

__all__ = ["serve", "settings"]


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@click.option("--store", help="Folder of a graph on disk.")
def serve(host: str | None, port: int | None, store: str | None) -> None:
    """Serve the built graph, or one on disk, over HTTP."""
    from medbench_kg.web import server  # noqa: PLC0415  Flask and granian take 0.3 s

    overrides = {
        "MEDBENCH_HOST": host,
        "MEDBENCH_PORT": None if port is None else str(port),
        "MEDBENCH_STORE": store,
    }
    # Server processes read the environment again.
    os.environ.update({key: value for key, value in overrides.items() if value})
    server.run(configuration.from_env())


@click.command()
def settings() -> None:
    """List every setting of the server with its variable, default and unit."""
    for setting in configuration.SETTINGS:
        click.echo(
            f"{setting.variable:20} {setting.default:12} {setting.unit:10} {setting.help_en}"
        )
