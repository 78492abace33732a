"""Commands of operators: serve the graph, list what can be set."""

from __future__ import annotations

import os

import click

from medbench_kg import settings as configuration

__all__ = ["serve", "settings"]


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the built graph over HTTP."""
    from medbench_kg.web import server  # noqa: PLC0415  Flask and granian take 0.3 s

    overrides = {"MEDBENCH_HOST": host, "MEDBENCH_PORT": None if port is None else str(port)}
    environ = {**os.environ, **{key: value for key, value in overrides.items() if value}}
    server.run(configuration.from_env(environ))


@click.command()
def settings() -> None:
    """List every setting of the server with its variable, default and unit."""
    for setting in configuration.SETTINGS:
        click.echo(
            f"{setting.variable:20} {setting.default:12} {setting.unit:10} {setting.help_en}"
        )
