"""Commands that ask the graph: canned queries and SPARQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from medbench_kg import builds, citation, vocabulary
from medbench_kg.catalogue import ask, catalogue, find, values
from medbench_kg.cli.console import ENDPOINT, GRAPH, STORE, opened, print_answer
from medbench_kg.negotiation import REFERENCE_FORMATS, by_name

if TYPE_CHECKING:
    import io
    from pathlib import Path

__all__ = ["cite", "query", "sparql"]

_REFERENCES = click.Choice([fmt.name for fmt in REFERENCE_FORMATS])


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False)
@click.option("--format", "form", default="table", help="table, json, xml, csv, tsv, bibtex …")
@STORE
@ENDPOINT
@GRAPH
@click.argument("parameters", nargs=-1, type=click.UNPROCESSED)
def query(
    name: str | None, form: str, parameters: tuple[str, ...], **where: str | Path | None
) -> None:
    """Answer the canned query NAME; without NAME, list them.

    Parameters are given as options of the same name: ``--modality ct``. ``--values`` lists what a
    parameter takes: ``--values modality``.
    """
    if name is None:
        for one in catalogue():
            options = " ".join(f"--{p.name}" for p in one.parameters)
            click.echo(f"{one.name:28} {one.question['en']}  {options}".rstrip())
        return
    wanted = find(name)
    store = opened(**where)
    arguments = _pairs(parameters)
    if "values" in arguments:
        for row in values(store, wanted.parameter(arguments["values"])):
            click.echo(f"{row['value'].rpartition('/')[2]}\t{row['en']}\t{row['zh']}")
        return
    if form in _REFERENCES.choices:
        click.echo(citation.answer(store, wanted, arguments, by_name(form)), nl=False)
    else:
        print_answer(lambda pick: ask(store, wanted, arguments, pick), form)


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--format", "form", type=_REFERENCES, default="bibtex", show_default=True)
def cite(names: tuple[str, ...], form: str) -> None:
    """Write references to datasets, with their papers, and to papers.

    NAMES are slugs or IRIs: ``gemex``, ``arxiv-2411.16778``.
    """
    store, _ = builds.open_built()
    click.echo(citation.cite(store, names, by_name(form)), nl=False)


@click.command()
@click.argument("text", required=False)
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="Read the query from here.")
@click.option("--format", "form", default="table", help="table, json, xml, csv, tsv, turtle …")
@STORE
@ENDPOINT
@GRAPH
def sparql(
    text: str | None, file: io.TextIOBase | None, form: str, **where: str | Path | None
) -> None:
    """Answer a SPARQL query; undeclared prefixes of the graph are declared for you."""
    content = file.read() if file else text
    if not content:
        raise click.UsageError("Give a query, or --file.")
    store = opened(**where)
    prologue = "".join(
        f"PREFIX {prefix}: <{namespace}>\n"
        for prefix, namespace in vocabulary.load().prefixes.items()
    )
    print_answer(lambda pick: store.query(prologue + content, pick), form)


def _pairs(words: tuple[str, ...]) -> dict[str, str]:
    """Read ``--name value`` and ``--name=value``."""
    pairs: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if not name.startswith("--") or not (equals or rest):
            raise click.UsageError(f"“{word}” isn't “--parameter value”.")
        pairs[name[2:]] = value if equals else rest.pop(0)
    return pairs
