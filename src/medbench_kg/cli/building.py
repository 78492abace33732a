"""Commands that write the graph: into its build folder, or out of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medbench_kg import builds, crate, description, elsewhere, pipeline, publication, vocabulary
from medbench_kg.cli.console import FOLDER, Progress, set_by
from medbench_kg.negotiation import GRAPH_FORMATS, by_name

if TYPE_CHECKING:
    from medbench_kg.builds import Manifest
    from medbench_kg.negotiation import Format

__all__ = ["build", "export", "push"]


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
        if not force and builds.is_built():
            click.echo("The build is up to date.", err=True)
        else:
            with Progress("Building"):
                _built(pipeline.build())
    if store:
        with Progress("Loading"):
            _built(builds.build_on_disk(store, source))


def _built(manifest: Manifest) -> None:
    click.echo(f"Built version {manifest.version}: {manifest.triples} triples.", err=True)


@click.command()
@click.option("--format", "form", default="turtle", show_default=True, help="RDF format, or crate.")
@click.option("--part", type=click.Choice(["schema", "data"]), help="Only this part of the graph.")
@click.option("--bundle", help="Only a concept with its datasets and papers: modality/ct.")
@click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="File.")
def export(form: str, part: str | None, bundle: str | None, output: Path | None) -> None:
    """Write the graph: turtle, jsonld, ntriples, nquads, trig or rdfxml, or all in an RO-Crate.

    The RO-Crate is a ZIP archive: ``--format crate``.
    """
    if sum(map(bool, (part, bundle, form == "crate"))) > 1:
        raise click.UsageError("Choose one of --part, --bundle and --format crate.")
    if form == "crate":
        content = crate.pack(builds.read)
    elif bundle:
        content = _bundle(bundle, by_name(form, GRAPH_FORMATS))
    else:
        part = part or publication.WHOLE
        content = builds.dump(by_name(form, publication.formats(part)), part)
    if output is None:
        sys.stdout.buffer.write(content)
    else:
        output.write_bytes(content)
        click.echo(f"Wrote {len(content)} bytes to {output}.", err=True)


def _bundle(concept: str, fmt: Format) -> bytes:
    names = vocabulary.load()
    iri = names.expand(concept)
    store, _ = builds.open_built()
    return description.write(description.bundle(store, iri), iri, fmt, names)


@click.command()
@click.argument("endpoint")
@click.option("--graph", help="Named graph to replace; else the default graph.")
@click.option("--timeout", default=600, show_default=True, help="Seconds for each graph.")
def push(endpoint: str, graph: str | None, timeout: int) -> None:
    """Put the built graph into the SPARQL 1.1 graph store at ENDPOINT, and count it there.

    GRAPH is replaced, and the named graphs of the shapes and descriptions, with one PUT each. A PUT
    is all or nothing if the store works in transactions; the protocol can't join several. If one
    fails, those before it have been replaced and those after it haven't: push again.

    MEDBENCH_ENDPOINT_USER and MEDBENCH_ENDPOINT_PASSWORD, or MEDBENCH_ENDPOINT_TOKEN, let you in.
    """
    where = set_by(endpoint=endpoint, graph=graph).endpoint
    if where is None:
        raise click.UsageError("Give the address of a graph store.")
    with Progress("Pushing"):
        counts = elsewhere.push(where, timeout)
    for name, triples in counts.items():
        click.echo(f"{name or 'default graph'}: {triples} triples.", err=True)
