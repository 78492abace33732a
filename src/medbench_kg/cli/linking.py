"""Commands about the links of the graph."""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from medbench_kg import links, pipeline
from medbench_kg.cli.console import language_option
from medbench_kg.fetching import Web

if TYPE_CHECKING:
    from medbench_kg.links import Status

__all__ = ["links_group"]

_WORDS = {
    "en": {
        "checking": "Checking links",
        "nothing": "No link is due: all were checked less than {days} days ago.",
        "done": "{count} links checked: {counts}.",
        "stopped": "Stopped. What was checked is kept; run the same again to go on.",
        "alive": "alive",
        "moved": "moved",
        "blocked": "blocked",
        "gone": "gone",
        "unreachable": "unreachable",
    },
    "zh": {
        "checking": "检查链接",
        "nothing": "没有需要检查的链接：全部链接在 {days} 天内均已检查。",
        "done": "已检查 {count} 个链接：{counts}。",
        "stopped": "已中止。已检查的结果均已保存，重新运行同一命令即可继续。",
        "alive": "可用",
        "moved": "已迁移",
        "blocked": "被拒",
        "gone": "已失效",
        "unreachable": "无法访问",
    },
}


@click.group("links")
def links_group() -> None:
    """Find out where the links of the graph lead."""


@links_group.command("check")
@click.option("--only", multiple=True, metavar="DATASET", help="Only links of this dataset.")
@click.option(
    "--older-than",
    type=click.IntRange(0, 36500),
    default=1,
    show_default=True,
    metavar="DAYS",
    help="Only links whose last check is at least so many days old; 0 takes all.",
)
@language_option()
def check(only: tuple[str, ...], older_than: int, lang: str) -> None:
    """Visit the links of the datasets and of the list, and write the results into data/links/.

    Only public web servers are asked, each once a second. After an interruption the same command
    goes on with what is left.
    """
    words = _WORDS[lang]
    assembled = pipeline.assemble()
    today = dt.datetime.now(tz=dt.UTC).date()
    due = links.due(
        assembled, links.wanted(assembled.store, only), today - dt.timedelta(older_than)
    )
    if not due:
        click.echo(words["nothing"].format(days=older_than), err=True)
        return
    found: Counter[Status] = Counter()
    try:
        _check(assembled, due, today, found, words["checking"])
    except KeyboardInterrupt:
        click.echo(words["stopped"], err=True)
        raise SystemExit(130) from None
    finally:
        counts = ", ".join(f"{number} {words[status]}" for status, number in found.most_common())
        if found:
            click.echo(words["done"].format(count=found.total(), counts=counts), err=True)


def _check(
    assembled: pipeline.Assembled,
    due: list[str],
    today: dt.date,
    found: Counter[Status],
    label: str,
) -> None:
    """Check with a progress bar on a terminal, and a line for each link that isn't alive."""
    from rich.console import Console  # noqa: PLC0415  slow to import
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(label, total=len(due))

        def tell(url: str, status: Status) -> None:
            found[status] += 1
            bar.advance(task)
            if status != "alive":
                click.echo(f"{status}\t{url}")

        links.check(assembled, due, Web(), today, tell)
