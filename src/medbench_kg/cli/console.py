"""What every command shares: errors, exit codes, the language, progress, printed answers."""

from __future__ import annotations

import csv
import io
import locale
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from medbench_kg import builds, errors, vocabulary
from medbench_kg import settings as configuration
from medbench_kg.negotiation import FORMATS, by_name
from medbench_kg.sentences import line
from medbench_kg.store import RemoteStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from medbench_kg.negotiation import Format, Kind
    from medbench_kg.store import Pick, Store

    Decorator = Callable[[Callable[..., None]], Callable[..., None]]

__all__ = [
    "ENDPOINT",
    "FOLDER",
    "GRAPH",
    "STORE",
    "Group",
    "Progress",
    "language_option",
    "opened",
    "print_answer",
    "set_by",
]

_EXIT_CODES: dict[type[errors.MedbenchError], int] = {
    errors.ShapesError: 3,
    errors.EndpointError: 5,
    errors.FetchError: 6,
    errors.StoreError: 5,
}

#: A folder on the command line.
FOLDER = click.Path(file_okay=False, path_type=Path)

#: Options that let a command ask another graph than the built one.
STORE = click.option("--store", type=FOLDER, help="Use the graph on disk in this folder.")
ENDPOINT = click.option("--endpoint", help="Use the graph behind this SPARQL endpoint.")
GRAPH = click.option("--graph", help="Named graph of the endpoint that holds the graph.")

#: Where a command keeps the language that it was asked for.
_LANGUAGE = "medbench_kg.language"

#: Widest cell of a printed table.
_CELL_WIDTH = 60


class Group(click.Group):
    """Turns errors of the core into a line on standard error and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  signature of click
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except errors.MedbenchError as error:
            language = ctx.meta.get(_LANGUAGE) or _language_of_locale()
            click.echo(f"medbench: {line(error, language)}", err=True)
            ctx.exit(_EXIT_CODES.get(type(error), 2))


class Progress:
    """A spinner on a terminal, nothing elsewhere."""

    def __init__(self, label: str) -> None:
        """Name what is being done."""
        self._label = label
        self._status: Any = None

    def __enter__(self) -> None:
        """Start to spin."""
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415  only a person needs it

            self._status = Console(stderr=True).status(self._label)
            self._status.start()

    def __exit__(self, *_: object) -> None:
        """Take the spinner away."""
        if self._status is not None:
            self._status.stop()


def language_option(about: str = "Language", *, is_passed: bool = True) -> Decorator:
    """Make the option ``--lang``: ``en`` or ``zh``; without it, that of the user's locale.

    Args:
        about: what is in that language.
        is_passed: whether the command itself says anything; errors are told in it anyway.
    """
    return click.option(
        "--lang",
        type=click.Choice(["en", "zh"]),
        callback=_keep_language,
        expose_value=is_passed,
        help=f"{about}; default: the locale's.",
    )


def _keep_language(ctx: click.Context, _option: click.Parameter, named: str | None) -> str:
    ctx.meta[_LANGUAGE] = named or _language_of_locale()
    return str(ctx.meta[_LANGUAGE])


def _language_of_locale() -> Literal["en", "zh"]:
    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return "zh" if (named or locale.getlocale()[0] or "").lower().startswith("zh") else "en"


def set_by(**options: str | int | Path | None) -> configuration.Settings:
    """The settings of the environment, but for options that were given, by name of the setting."""
    given = {f"MEDBENCH_{name.upper()}": str(value) for name, value in options.items() if value}
    return configuration.from_env({**os.environ, **given})


def opened(**options: str | Path | None) -> Store:
    """The graph that options or the environment name: at an endpoint, on disk, else the built one.

    Args:
        **options: values of ``store``, ``endpoint`` and ``graph``.
    """
    settings = set_by(**options)
    if settings.endpoint is not None:
        return RemoteStore(settings.endpoint)
    return builds.open_built(settings.store)[0]


def print_answer(answer: Callable[[Pick], tuple[bytes, Format]], form: str) -> None:
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
