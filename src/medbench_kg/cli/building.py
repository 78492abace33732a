"""Commands that write the graph: into its build folder, or out of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medbench_kg import crate, pipeline
from medbench_kg.cli.console import FOLDER, Progress
from medbench_kg.negotiation import by_name

if TYPE_CHECKING:
    from medbench_kg.pipeline import Manifest

__all__ = ["build", "export"]


@click.command()
@click.option("--force", is_flag=True, help="Build even if nothing has changed.")
@click.option(
    "--store", type=FOLDER, help="Then load the graph into this folder, to be used on disk."
)
@click.option(
    "--from",
    "source",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Load this dump there instead; it isn't checked.",
)
def build(force: bool, store: Path | None, source: Path | None) -> None:
    """Validate the graph and write its dumps into build/, all or nothing."""
    if source and not store:
        raise click.UsageError("--from needs --store.")
    if not source:
        if not force and pipeline.is_built():
            click.echo("The build is up to date.", err=True)
        else:
            with Progress("Building"):
                _built(pipeline.build())
    if store:
        with Progress("Loading"):
            _built(pipeline.build_on_disk(store, source))


def _built(manifest: Manifest) -> None:
    click.echo(f"Built version {manifest.version}: {manifest.triples} triples.", err=True)


@click.command()
@click.option("--format", "form", default="turtle", show_default=True, help="RDF format, or crate.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File.")
def export(form: str, output: Path | None) -> None:
    """Write the graph: turtle, jsonld, ntriples, nquads, trig or rdfxml, or all in an RO-Crate.

    The RO-Crate is a ZIP archive: ``--format crate``.
    """
    if form == "crate":
        content = crate.pack(pipeline.read)
    else:
        content = pipeline.dump(by_name(form, pipeline.DUMPS))
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        output.write_bytes(content)
        click.echo(f"Wrote {len(content)} bytes to {output}.", err=True)
