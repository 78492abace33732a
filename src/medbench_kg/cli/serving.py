"""Commands of operators: serve the graph, copy the site, list settings, let somebody write."""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import TYPE_CHECKING

import click

from medbench_kg import builds, vocabulary
from medbench_kg import settings as configuration
from medbench_kg.cli.console import ENDPOINT, FOLDER, GRAPH, STORE, Progress, set_by

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["serve", "settings", "site", "token"]


@click.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
@STORE
@ENDPOINT
@GRAPH
@click.option("--writable", is_flag=True, help="Let those in MEDBENCH_TOKENS write records.")
def serve(writable: bool, **options: str | int | Path | None) -> None:
    """Serve the built graph, one on disk, or that of an endpoint over HTTP."""
    from medbench_kg.web import server  # noqa: PLC0415  Flask and granian take 0.3 s

    options["writable"] = "on" if writable else None
    # Server processes read the environment again.
    given = {name: value for name, value in options.items() if value is not None}
    os.environ.update({f"MEDBENCH_{name.upper()}": str(value) for name, value in given.items()})
    server.run(configuration.from_env())


@click.command()
@click.argument("out", type=FOLDER)
@click.option("--base", help="Address that the copy will have; absolute links begin with it.")
def site(out: Path, base: str | None) -> None:
    """Write the whole site into the folder OUT, as files that any web server or a disk serves.

    Pages lead to each other by relative links. What has to be computed isn't in it: queries of
    one's own, canned queries with other parameters, and more than one or two facets at a time.
    """
    from medbench_kg.web.site import write  # noqa: PLC0415  Flask takes 0.3 s

    address = set_by(public_url=base).public_url or vocabulary.BASE
    store, manifest = builds.open_built()
    with Progress("Writing"):
        written = write(store, manifest, address, out)
    click.echo(
        f"{out}: {written.pages} pages, {written.files} files, {written.size >> 20} MiB.", err=True
    )


@click.command()
def settings() -> None:
    """List every setting of the server with its variable, default and unit."""
    for setting in configuration.SETTINGS:
        click.echo(
            f"{setting.variable:20} {setting.default:12} {setting.unit:10} {setting.help_en}"
        )


@click.command()
@click.argument("name")
def token(name: str) -> None:
    """Make a token by which NAME can write records to a server.

    The token is shown once and kept nowhere; its digest goes into MEDBENCH_TOKENS.
    """
    secret = secrets.token_urlsafe(32)
    entry = f"{name}:{hashlib.sha256(secret.encode()).hexdigest()}"
    configuration.from_env({"MEDBENCH_TOKENS": entry})
    click.echo(f"Give this to {name}, who sends it as “Authorization: Bearer …”:", err=True)
    click.echo(secret)
    click.echo("Add this to MEDBENCH_TOKENS of the server:", err=True)
    click.echo(entry)
