"""Commands of curators: check records and write them in canonical form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from medbench_kg import builds, editing, errors, pipeline
from medbench_kg.cli.console import FOLDER, Progress, language_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from medbench_kg.validation import Report, Severity

__all__ = ["check", "checked", "fmt", "print_report"]


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@language_option()
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
@click.option(
    "--store", type=FOLDER, help="Check FILES against the graph on disk in this folder, not data/."
)
def check(
    files: tuple[Path, ...],
    lang: str,
    form: str,
    strict: bool,
    verbose: bool,
    store: Path | None,
) -> None:
    """Validate records against the whole graph and say how to repair what is wrong.

    Without FILES the whole graph is checked.
    """
    if store and not files:
        raise click.UsageError("--store needs FILES: a graph on disk isn't checked as a whole.")
    from medbench_kg import validation  # noqa: PLC0415  pulls in pySHACL, which only checks need

    severity = validation.Severity
    least = severity.INFO if files or verbose else severity.VIOLATION
    worst = print_report(files, lang, form, least, store)
    if strict and worst == severity.WARNING:
        raise SystemExit(1)


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit with 1 if needed.")
@language_option(is_passed=False)
def fmt(files: tuple[Path, ...], only_check: bool) -> None:
    """Write records in their canonical form; without FILES, all of them."""
    changed = editing.format_records(files, write=not only_check)
    for path in changed:
        click.echo(path)
    if changed and only_check:
        raise SystemExit(1)


def print_report(
    files: tuple[Path, ...],
    language: str,
    form: str,
    least: Severity,
    store: Path | None = None,
) -> Severity | None:
    """Check records and print the report.

    Args:
        files: the records; none means the whole graph.
        language: ``en`` or ``zh``.
        form: see ``check``.
        least: findings below this severity are counted, not shown.
        store: folder of the graph on disk that the records are checked against; None is ``data/``.

    Returns:
        The worst severity found; None if there are no findings.

    Raises:
        SystemExit: 2 if a record can't be read, 3 if there is a violation.
    """
    from medbench_kg import reporting  # noqa: PLC0415  pulls in pySHACL, which only checks need

    report, problems = checked(files, language, store)
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
    return report.worst


def checked(
    files: tuple[Path, ...], language: str, store: Path | None = None
) -> tuple[Report, list[errors.RecordError]]:
    """Check records; give the report, and why others of them can't be read.

    Args:
        files: the records; none means the whole graph.
        language: of what is said meanwhile.
        store: see :func:`print_report`.
    """
    with Progress("Reading records" if language == "en" else "读取记录"):
        if store is None:
            assembled = pipeline.assemble(files)
        else:
            assembled = pipeline.assemble_beside(builds.open_built(store)[0], files)
    with Progress("Validating" if language == "en" else "校验"):
        report = pipeline.check(assembled, files)
    return report, [p for p in assembled.problems if not files or _concerns(p, files)]


def _concerns(problem: errors.RecordError, files: tuple[Path, ...]) -> bool:
    return Path(problem.where.rpartition(":")[0]).resolve() in {path.resolve() for path in files}
