"""Commands that write the graph: into its build folder, or out of it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from medbench_kg import pipeline
from medbench_kg.cli.console import Progress
from medbench_kg.negotiation import by_name

__all__ = ["build", "export"]


@click.command()
@click.option("--force", is_flag=True, help="Build even if nothing has changed.")
def build(force: bool) -> None:
    """Validate the graph and write its dumps into build/, all or nothing."""
    if not force and pipeline.is_built():
        click.echo("The build is up to date.", err=True)
        return
    with Progress("Building"):
        manifest = pipeline.build()
    click.echo(f"Built version {manifest.version}: {manifest.triples} triples.", err=True)


@click.command()
@click.option("--format", "form", default="turtle", show_default=True, help="RDF format.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File.")
def export(form: str, output: Path | None) -> None:
    """Write the graph: turtle, jsonld, ntriples, nquads, trig or rdfxml."""
    fmt = by_name(form, pipeline.DUMPS)
    content = pipeline.dump(fmt)
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        output.write_bytes(content)
        click.echo(f"Wrote {len(content)} bytes to {output}.", err=True)
