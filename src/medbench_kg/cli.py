"""The command line: parse arguments, call one function of the core, print.

Data goes to standard output, messages to standard error. Exit codes: 0 fine, 1 warnings only and
``--strict``, 2 wrong input, 3 violations, 5 no graph to open.
"""

from __future__ import annotations

import csv
import io
import locale
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from medbench_kg import errors, pipeline, vocabulary
from medbench_kg import settings as configuration
from medbench_kg.catalogue import ask, catalogue, find, values
from medbench_kg.negotiation import FORMATS, by_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from medbench_kg.negotiation import Format, Kind
    from medbench_kg.store import Pick

__all__ = ["main"]

_EXIT_CODES: dict[type[errors.MedbenchError], int] = {
    errors.ShapesError: 3,
    errors.StoreError: 5,
}

#: Widest cell of a printed table.
_CELL_WIDTH = 60


class _Group(click.Group):
    """Turns errors of the core into a line on standard error and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  signature of click
        try:
            return super().invoke(ctx)
        except errors.MedbenchError as error:
            click.echo(f"medbench: {error}", err=True)
            ctx.exit(_EXIT_CODES.get(type(error), 2))


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="medbench-kg")
def main() -> None:
    """Check, build, query, export and serve the graph of medical vision-language benchmarks."""


@main.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Language; default: the locale's.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "turtle"]),
    default="text",
    show_default=True,
    help="Form of the report; turtle is the SHACL validation report.",
)
@click.option("--strict", is_flag=True, help="Exit with 1 when there are warnings.")
@click.option("--verbose", "-v", is_flag=True, help="Show warnings and notes of the whole graph.")
def check(
    files: tuple[Path, ...], lang: str | None, form: str, strict: bool, verbose: bool
) -> None:
    """Validate records against the whole graph and say how to repair what is wrong.

    Without FILES the whole graph is checked.
    """
    from medbench_kg import reporting  # noqa: PLC0415  pulls in pySHACL, which only checks need
    from medbench_kg.validation import Severity  # noqa: PLC0415

    language = lang or _language()
    with _Progress("Reading records" if language == "en" else "读取记录"):
        assembled = pipeline.assemble(files)
    with _Progress("Validating" if language == "en" else "校验"):
        report = pipeline.check(assembled, files)
    problems = [p for p in assembled.problems if not files or _concerns(p, files)]
    least = Severity.INFO if files or verbose else Severity.VIOLATION
    writers: dict[str, Callable[[], str]] = {
        "text": lambda: reporting.as_text(report, problems, language, least),
        "json": lambda: reporting.as_json(report, problems),
        "github": lambda: reporting.as_github(report, problems, language),
        "turtle": lambda: report.turtle().decode().rstrip(),
    }
    click.echo(writers[form]())
    if problems:
        raise SystemExit(2)
    if not report.conforms:
        raise SystemExit(3)
    if strict and report.worst == Severity.WARNING:
        raise SystemExit(1)


@main.command()
@click.option("--force", is_flag=True, help="Build even if nothing has changed.")
def build(force: bool) -> None:
    """Validate the graph and write its dumps into build/, all or nothing."""
    if not force and pipeline.is_built():
        click.echo("The build is up to date.", err=True)
        return
    with _Progress("Building"):
        manifest = pipeline.build()
    click.echo(f"Built version {manifest.version}: {manifest.triples} triples.", err=True)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("name", required=False)
@click.option("--format", "form", default="table", help="table, json, xml, csv, tsv, turtle …")
@click.argument("parameters", nargs=-1, type=click.UNPROCESSED)
def query(name: str | None, form: str, parameters: tuple[str, ...]) -> None:
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
    store, _ = pipeline.open_built()
    arguments = _pairs(parameters)
    if "values" in arguments:
        for row in values(store, wanted.parameter(arguments["values"])):
            click.echo(f"{row['value'].rpartition('/')[2]}\t{row['en']}\t{row['zh']}")
        return
    _print(lambda pick: ask(store, wanted, arguments, pick), form)


@main.command()
@click.argument("text", required=False)
@click.option("--file", "file", type=click.File(encoding="utf-8"), help="Read the query from here.")
@click.option("--format", "form", default="table", help="table, json, xml, csv, tsv, turtle …")
def sparql(text: str | None, file: io.TextIOBase | None, form: str) -> None:
    """Answer a SPARQL query; undeclared prefixes of the graph are declared for you."""
    content = file.read() if file else text
    if not content:
        raise click.UsageError("Give a query, or --file.")
    store, _ = pipeline.open_built()
    prologue = "".join(
        f"PREFIX {prefix}: <{namespace}>\n"
        for prefix, namespace in vocabulary.load().prefixes.items()
    )
    _print(lambda pick: store.query(prologue + content, pick), form)


@main.command()
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


@main.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit with 1 if needed.")
def fmt(files: tuple[Path, ...], only_check: bool) -> None:
    """Write records in their canonical form; without FILES, all of them."""
    changed = pipeline.format_records(files, write=not only_check)
    for path in changed:
        click.echo(path)
    if changed and only_check:
        raise SystemExit(1)


@main.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=int, help="Port to listen on.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the built graph over HTTP."""
    from medbench_kg.web import server  # noqa: PLC0415  Flask and granian take 0.3 s

    overrides = {"MEDBENCH_HOST": host, "MEDBENCH_PORT": None if port is None else str(port)}
    environ = {**os.environ, **{key: value for key, value in overrides.items() if value}}
    server.run(configuration.from_env(environ))


@main.command()
def settings() -> None:
    """List every setting of the server with its variable, default and unit."""
    for setting in configuration.SETTINGS:
        click.echo(
            f"{setting.variable:20} {setting.default:12} {setting.unit:10} {setting.help_en}"
        )


def _print(answer: Callable[[Pick], tuple[bytes, Format]], form: str) -> None:
    """Ask with the format that the user named, and print the answer."""
    table = form == "table"

    def pick(kind: Kind) -> Format:
        if table:
            return by_name("csv" if kind == "results" else "turtle")
        return by_name(form, [fmt for fmt in FORMATS if fmt.kind == kind])

    body, written = answer(pick)
    if table and written.name == "csv":
        click.echo(_table(body.decode()))
    else:
        sys.stdout.buffer.write(body)


def _table(text: str) -> str:
    """Lay out CSV in columns; a Chinese character takes two cells of a terminal."""
    from rich.cells import cell_len, set_cell_size  # noqa: PLC0415  only a person needs it

    rows = list(csv.reader(io.StringIO(text)))
    names = vocabulary.load()
    short = [[" ".join(names.shorten(value).split()) for value in row] for row in rows]
    widths = [min(max(map(cell_len, column)), _CELL_WIDTH) for column in zip(*short, strict=True)]
    lines = [
        "  ".join(
            set_cell_size(
                value if cell_len(value) <= width else f"{set_cell_size(value, width - 1)}…", width
            )
            for value, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in short
    ]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


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


def _concerns(problem: errors.RecordError, files: tuple[Path, ...]) -> bool:
    return Path(problem.where.rpartition(":")[0]).resolve() in {path.resolve() for path in files}


def _language() -> str:
    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return "zh" if (named or locale.getlocale()[0] or "").lower().startswith("zh") else "en"


class _Progress:
    """A spinner on a terminal, nothing elsewhere."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._status: Any = None

    def __enter__(self) -> None:
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415  only a person needs it

            self._status = Console(stderr=True).status(self._label)
            self._status.start()

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
