"""The command that makes new records from what others publish."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medbench_kg import editing, intake, pipeline, records, upstream, vocabulary
from medbench_kg.cli import replying
from medbench_kg.cli.console import Progress, language_option
from medbench_kg.cli.curation import print_report
from medbench_kg.errors import MedbenchError, RecordError
from medbench_kg.fetching import Web
from medbench_kg.form import CITATION, form

if TYPE_CHECKING:
    from medbench_kg.form import Form
    from medbench_kg.pipeline import Assembled
    from medbench_kg.readme import Lang

__all__ = ["add"]

#: A file that is written.
_FILE = click.Path(dir_okay=False, path_type=Path)

#: Languages of the tables of the list.
_TABLES: tuple[Lang, ...] = ("en", "zh")

#: Longest document that is read, in bytes.
_LONGEST = 4 << 20

_WORDS = {
    "en": {
        "reading": "Reading the document",
        "read": "Read as {kind}.",
        "missed": "Words that name no concept here, left out: {words}.",
        "written": "Wrote {files}.",
    },
    "zh": {
        "reading": "读取文档",
        "read": "已按 {kind} 格式读取。",
        "missed": "以下词语没有对应的概念，未采用：{words}。",
        "written": "已写入 {files}。",
    },
}


@click.command()
@click.option(
    "--from",
    "source",
    metavar="FILE|URL|ARXIV-ID",
    help="arXiv's Atom, a BibTeX entry, a Hugging Face dataset card, Croissant, or an issue. "
    "Without it, questions are asked.",
)
@click.option("--title", help="Name of the dataset, where the document doesn't give it.")
@click.option("--slug", help="Last part of its IRI; it never changes. Default: from the name.")
@click.option("--url", help="Where the dataset is, where the document doesn't say it.")
@click.option("--type", "kinds", multiple=True, type=click.Choice(intake.KINDS))
@click.option("--modality", multiple=True, help="Slug or label of a concept; again for each.")
@click.option("--task", multiple=True, help="Slug or label of a concept; again for each.")
@click.option("--description-en", "en", help="One sentence in your own words, in English.")
@click.option("--description-zh", "zh", help="The same in Chinese.")
@click.option("--reply", type=_FILE, help="Write what is found here, as the answer to an issue.")
@language_option()
def add(
    source: str | None,
    reply: Path | None,
    lang: str,
    en: str | None,
    zh: str | None,
    **given: str | tuple[str, ...] | None,
) -> None:
    """Draft records of a dataset and its paper, and check them.

    They are made of a document about them, or, on a terminal, of answers to questions. What isn't
    stated stays absent; the findings name what is missing. The status of
    a draft is “proposed”.
    """
    try:
        if source is None:
            files, is_checked_first = _answered(lang), True
        else:
            files, is_checked_first = _added(source, lang, {"en": en, "zh": zh}, given)
    except MedbenchError as error:
        if reply:
            replying.refuse(reply, error)
        raise
    if reply:
        if not replying.reply(reply, files, lambda: _rows(files)):
            raise SystemExit(3)
        return
    from medbench_kg.validation import Severity  # noqa: PLC0415  pulls in pySHACL

    if not is_checked_first:
        click.echo("\n".join(_rows(files)))
    print_report(files, lang, "text", Severity.WARNING)
    if is_checked_first:
        click.echo("\n".join(_rows(files)))


def _answered(language: str) -> tuple[Path, ...]:
    """Ask for all fields; write a draft of the answers and show it, as record and in words."""
    if not sys.stdin.isatty():
        raise click.UsageError("Give --from, or run this on a terminal, where it asks.")
    from medbench_kg.cli import dialogue  # noqa: PLC0415  readline prepares the terminal

    assembled = pipeline.assemble()
    fields = form(assembled.store)
    one_line = [one for one in fields.fields if one.name != CITATION]  # “--from” reads BibTeX
    entries = fields.read(dialogue.ask(one_line, language))
    draft = intake.draft_of(entries, fields, assembled, _today())
    files = _written(draft, assembled, language)
    for path, node in zip(files, draft.records.values(), strict=True):
        click.echo(path.read_text(encoding="utf-8"))
        click.echo(f"{dialogue.tell(fields, node, language)}\n")
    return files


def _added(
    source: str,
    language: str,
    description: dict[str, str | None],
    given: dict[str, str | tuple[str, ...] | None],
) -> tuple[tuple[Path, ...], bool]:
    """Write drafts of what a source states; give the files, and whether it is an issue.

    An issue may hold anything, and so has rows only if it conforms.
    """
    words = _WORDS[language]
    with Progress(words["reading"]):
        content, where = _content(source)
        told = intake.read(content, where)
    click.echo(words["read"].format(kind=told.kind), err=True)
    assembled = pipeline.assemble()
    if told.issue:
        draft = intake.of_issue(assembled, told.issue, _today())
    else:
        draft = intake.draft(
            assembled,
            told,
            source=where if "://" in where and "/api/" not in where else "",
            today=_today(),
            given=_asked(told, form(assembled.store), language, description, given),
        )
    if draft.not_understood:
        click.echo(words["missed"].format(words=", ".join(draft.not_understood)), err=True)
    return _written(draft, assembled, language), bool(told.issue)


def _written(draft: intake.Draft, assembled: Assembled, language: str) -> tuple[Path, ...]:
    names = vocabulary.load()
    files = editing.write_records(
        {name: records.canonical(node, names) for name, node in draft.records.items()},
        assembled.records,
    )
    click.echo(_WORDS[language]["written"].format(files=", ".join(map(str, files))), err=True)
    return tuple(files)


def _rows(files: tuple[Path, ...]) -> list[str]:
    """Rows of datasets in the tables of the list, English and Chinese."""
    assembled = pipeline.assemble(files)
    slugs = [path.stem for path in files if path.parent.name == "datasets"]
    return [upstream.proposed_row(assembled, slug, lang) for slug in slugs for lang in _TABLES]


def _today() -> str:
    return dt.datetime.now(tz=dt.UTC).date().isoformat()


def _asked(
    told: intake.Told,
    fields: Form,
    language: str,
    description: dict[str, str | None],
    given: dict[str, str | tuple[str, ...] | None],
) -> intake.Given:
    """What a person says, after questions for what a dataset needs if somebody is there."""
    if sys.stdin.isatty():
        from medbench_kg.cli import dialogue  # noqa: PLC0415  readline prepares the terminal

        known: dict[str, object] = {"title": given["title"] or told.name}
        known["description"] = all(description.values())
        known |= {"type": given["kinds"], **{key: given[key] for key in ("modality", "task")}}
        wanted = [one for one in fields.fields if one.name in known and not known[one.name]]
        entries = dialogue.ask(wanted, language)
        given["title"] = given["title"] or told.name or next(iter(entries.get("title.en", ())), "")
        given["kinds"] = given["kinds"] or tuple(entries.get("type", ()))
        for key in ("modality", "task"):
            given[key] = given[key] or tuple(entries.get(key, ()))
        description = {
            lang: text or next(iter(entries.get(f"description.{lang}", ())), "")
            for lang, text in description.items()
        }
    told_so = {key: value for key, value in given.items() if value}
    kept = {one: text for one, text in description.items() if text}
    return intake.Given(description=kept, **told_so)  # type: ignore[arg-type]


def _content(source: str) -> tuple[bytes, str]:
    """The document and its name or address."""
    path = Path(source)
    if path.is_file():
        with path.open("rb") as file:
            content = file.read(_LONGEST + 1)
        if len(content) > _LONGEST:
            raise RecordError("It is too large.", hint="Give the entry alone.", where=source)
        return content, source
    address = intake.address_of(source)
    if "://" not in address:
        raise RecordError(
            f"There is no file “{source}”.", hint="Give a file, an address or an arXiv id."
        )
    return Web().read(address, _LONGEST), address
