"""The command that makes new records from what others publish."""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medbench_kg import editing, intake, pipeline, records, upstream, vocabulary
from medbench_kg.cli import replying
from medbench_kg.cli.console import Progress, locale_language
from medbench_kg.cli.curation import print_report
from medbench_kg.errors import MedbenchError, RecordError
from medbench_kg.fetching import Web

if TYPE_CHECKING:
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
        "title": "Name of the dataset (empty: only the paper)",
        "kind": "What is it",
        "modality": "Modalities, separated by commas (empty: those of the document)",
        "task": "Tasks, separated by commas (empty: those of the document)",
        "description-en": "One sentence about it in your own words, in English",
        "description-zh": "The same in Chinese",
    },
    "zh": {
        "reading": "读取文档",
        "read": "已按 {kind} 格式读取。",
        "missed": "以下词语没有对应的概念，未采用：{words}。",
        "written": "已写入 {files}。",
        "title": "数据集名称（留空则只收录论文）",
        "kind": "类型",
        "modality": "数据模态，以逗号分隔（留空则采用文档所述）",
        "task": "任务，以逗号分隔（留空则采用文档所述）",
        "description-en": "用自己的话写一句英文简介",
        "description-zh": "用自己的话写一句中文简介",
    },
}


@click.command()
@click.option(
    "--from",
    "source",
    required=True,
    metavar="FILE|URL|ARXIV-ID",
    help="arXiv's Atom, a BibTeX entry, a Hugging Face dataset card, Croissant, or an issue.",
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
@click.option("--lang", type=click.Choice(["en", "zh"]), help="Language; default: the locale's.")
def add(
    source: str,
    reply: Path | None,
    lang: str | None,
    en: str | None,
    zh: str | None,
    **given: str | tuple[str, ...] | None,
) -> None:
    """Draft records of a dataset and its paper from a document about them, and check them.

    What the document doesn't state stays absent; the findings name what is missing. The status of
    a draft is “proposed”.
    """
    try:
        files, is_issue = _added(source, lang or locale_language(), {"en": en, "zh": zh}, given)
    except MedbenchError as error:
        if reply:
            replying.refuse(reply, error)
        raise
    if reply:
        if not replying.reply(reply, files, lambda: _rows(files)):
            raise SystemExit(3)
        return
    from medbench_kg.validation import Severity  # noqa: PLC0415  pulls in pySHACL

    if not is_issue:
        click.echo("\n".join(_rows(files)))
    print_report(files, lang or locale_language(), "text", Severity.WARNING)
    if is_issue:  # which may hold anything, and has rows only if it conforms
        click.echo("\n".join(_rows(files)))


def _added(
    source: str,
    language: str,
    description: dict[str, str | None],
    given: dict[str, str | tuple[str, ...] | None],
) -> tuple[tuple[Path, ...], bool]:
    """Write drafts of what a source states; give the files, and whether it is an issue."""
    words = _WORDS[language]
    with Progress(words["reading"]):
        content, where = _content(source)
        told = intake.read(content, where)
    click.echo(words["read"].format(kind=told.kind), err=True)
    assembled, today = pipeline.assemble(), dt.datetime.now(tz=dt.UTC).date().isoformat()
    if told.issue:
        draft = intake.of_issue(assembled, told.issue, today)
    else:
        draft = intake.draft(
            assembled,
            told,
            source=where if "://" in where and "/api/" not in where else "",
            today=today,
            given=_asked(told, language, description, given),
        )
    if draft.not_understood:
        click.echo(words["missed"].format(words=", ".join(draft.not_understood)), err=True)
    names = vocabulary.load()
    files = editing.write_records(
        {name: records.canonical(node, names) for name, node in draft.records.items()},
        assembled.records,
    )
    click.echo(words["written"].format(files=", ".join(map(str, files))), err=True)
    return tuple(files), bool(told.issue)


def _rows(files: tuple[Path, ...]) -> list[str]:
    """Rows of datasets in the tables of the list, English and Chinese."""
    assembled = pipeline.assemble(files)
    slugs = [path.stem for path in files if path.parent.name == "datasets"]
    return [upstream.proposed_row(assembled, slug, lang) for slug in slugs for lang in _TABLES]


def _asked(
    told: intake.Told,
    language: str,
    description: dict[str, str | None],
    given: dict[str, str | tuple[str, ...] | None],
) -> intake.Given:
    """What a person says, after questions for what a dataset needs if somebody is there."""
    words = _WORDS[language]
    if sys.stdin.isatty():
        given["title"] = given["title"] or told.name or _answer(words["title"])
        if given["title"]:
            given["kinds"] = given["kinds"] or (
                click.prompt(words["kind"], type=click.Choice(intake.KINDS), err=True),
            )
            for key in ("modality", "task"):
                given[key] = given[key] or _parts(_answer(words[key]))
            description = {
                one: text or _answer(words[f"description-{one}"])
                for one, text in description.items()
            }
    told_so = {key: value for key, value in given.items() if value}
    kept = {one: text for one, text in description.items() if text}
    return intake.Given(description=kept, **told_so)  # type: ignore[arg-type]


def _answer(question: str) -> str:
    return str(click.prompt(question, default="", show_default=False, err=True)).strip()


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in re.split("[,，、]", text) if part.strip())


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
