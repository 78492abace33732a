"""Commands about the upstream list: read it, write it, see what a change does to it."""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medbench_kg import history, pipeline, upstream
from medbench_kg.cli.console import Progress, language_option
from medbench_kg.cli.curation import print_report
from medbench_kg.errors import RecordError

if TYPE_CHECKING:
    from medbench_kg.readme import Lang

__all__ = ["diff", "import_list", "render"]

_WORDS = {
    "en": {
        "reading": "Comparing the list with the graph",
        "commit": "“{commit}” isn't the full id of a commit.",
        "commit-hint": "Give its 40 hexadecimal digits.",
        "no-commit": "“--write” needs “--commit”: each row links to its line at a commit.",
        "json": "“--write” reports as text only.",
        "no-day": "Git doesn't know the day of this commit here: give “--committed”.",
        "encoding": "The file isn't UTF-8.",
        "encoding-hint": "Save it as UTF-8.",
        "written": "Wrote {count} files.",
        "comparing": "Comparing two graphs",
        "triples": "{removed} triples removed, {added} added",
        "rows": "{removed} rows of the list removed, {added} added",
    },
    "zh": {
        "reading": "对照列表与图谱",
        "commit": "“{commit}”不是完整的提交编号。",
        "commit-hint": "请给出 40 位十六进制编号。",
        "no-commit": "“--write”需要“--commit”：每一行都链接到某一提交中的原始行。",
        "json": "“--write”只输出文本报告。",
        "no-day": "此处的 git 不知道该提交的日期：请用“--committed”给出。",
        "encoding": "文件不是 UTF-8 编码。",
        "encoding-hint": "请存为 UTF-8。",
        "written": "已写入 {count} 个文件。",
        "comparing": "对照两个图谱",
        "triples": "删除 {removed} 条三元组，新增 {added} 条",
        "rows": "列表删除 {removed} 行，新增 {added} 行",
    },
}


@click.command("import")
@click.argument("readme", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--commit", help="Full id of the commit; read from git, if git knows it there.")
@click.option(
    "--committed", type=click.DateTime(["%Y-%m-%d"]), help="Day of the commit; default: git's."
)
@click.option("--write", is_flag=True, help="Draft records of new rows, update the listings.")
@language_option()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def import_list(
    readme: Path,
    commit: str | None,
    committed: dt.datetime | None,
    write: bool,
    lang: str,
    form: str,
) -> None:
    """Show what the list README states otherwise than the graph, row by row.

    A malformed row is reported with line and reason; no fact is taken from it. With --write, what
    is written is checked, and what remains to be done is named.
    """
    words = _WORDS[lang]
    if commit and not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise click.BadParameter(f"{words['commit'].format(commit=commit)} {words['commit-hint']}")
    if write and not commit:
        raise click.UsageError(words["no-commit"])
    if write and form != "text":
        raise click.UsageError(words["json"])
    document = _document(readme, commit, words)
    with Progress(words["reading"]):
        assembled = pipeline.assemble()
        outcome = upstream.read(assembled, document)
    if form == "json":
        click.echo(upstream.as_json(outcome.comparison.changes, outcome.issues))
    else:
        click.echo(upstream.as_text(outcome.comparison.changes, outcome.issues, lang, str(readme)))
    if not write or not commit:
        return
    day = committed.date().isoformat() if committed else history.committed_on(readme.parent, commit)
    if not day:
        raise click.UsageError(words["no-day"])
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    files = upstream.write(assembled, outcome, commit=commit, committed=day, today=today)
    click.echo(words["written"].format(count=len(files)), err=True)
    if files:
        from medbench_kg.validation import Severity  # noqa: PLC0415  pulls in pySHACL

        print_report(tuple(files), lang, "text", Severity.WARNING)


@click.group()
def render() -> None:
    """Write what the graph holds in the form of another document."""


@render.command("readme")
@language_option("Table")
@click.option("--corrected", is_flag=True, help="With what corrections have put right.")
@click.option("--newest", type=click.IntRange(1), help="Only so many datasets, newest first.")
@click.option(
    "--diff",
    "other",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Write a patch of this list instead: both tables, corrections applied.",
)
def render_readme(lang: Lang, corrected: bool, newest: int | None, other: Path | None) -> None:
    """Write the table of the upstream list from the graph, or a patch of the list."""
    assembled = pipeline.assemble()
    if other is None:
        text = upstream.table(assembled, lang, corrected=corrected, newest=newest or 0)
    else:
        text = upstream.patch(assembled, _document(other, None, _WORDS[lang]), other.name)
    sys.stdout.buffer.write(text.encode())


@click.command()
@click.argument("revision")
@language_option()
def diff(revision: str, lang: str) -> None:
    """Show the triples and list rows that the files add to or remove from a git REVISION."""
    words = _WORDS[lang]
    with Progress(words["comparing"]):
        difference = upstream.since(revision)
    for title, (removed, added) in (
        ("triples", difference.triples),
        ("rows", difference.rows),
    ):
        count = words[title].format(removed=len(removed), added=len(added))
        lines = [*(f"- {line}" for line in removed), *(f"+ {line}" for line in added)]
        click.echo("\n".join([f"# {count}", *lines]))


def _document(readme: Path, commit: str | None, words: dict[str, str]) -> str:
    """The list: as git has it at the commit, else as the file is."""
    content = history.file_at(readme, commit) if commit else None
    try:
        return (readme.read_bytes() if content is None else content).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(
            words["encoding"], hint=words["encoding-hint"], where=str(readme)
        ) from error
