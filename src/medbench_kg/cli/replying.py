"""The answer to an issue, in Markdown: what the check finds, the record, its rows in the list.

Whatever comes from the issue stands in fenced blocks, longer than any fence within: it can't be
read as Markdown, mention anybody or close anything.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from medbench_kg.cli.curation import checked
from medbench_kg.sentences import line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from medbench_kg.errors import MedbenchError

__all__ = ["refuse", "reply"]

#: Longest block, in characters; a comment has 65,536 at most.
_LONGEST = 15_000


def reply(to: Path, files: tuple[Path, ...], rows: Callable[[], Iterable[str]]) -> bool:
    """Check records and write the answer; tell whether the graph conforms with them.

    Args:
        to: file of the answer.
        files: the records.
        rows: gives the rows that the list would have.
    """
    from medbench_kg import reporting  # noqa: PLC0415  pulls in pySHACL, which only checks need
    from medbench_kg.validation import Severity  # noqa: PLC0415  as above

    report, problems = checked(files, "en")
    conforms = report.conforms and not problems
    blocks = [
        "**This conforms to the rules of the graph.** · **符合图谱的全部规则。**"
        if conforms
        else "**Please edit the issue:** · **请修改 issue：**"
    ]
    texts = (reporting.as_text(report, problems, one, Severity.WARNING) for one in ("en", "zh"))
    blocks += map(_block, texts)
    for path in files:
        blocks += [f"`{path}`", _block(path.read_text(encoding="utf-8"), "yaml")]
    blocks += map(_block, rows() if conforms else ())
    to.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return conforms


def refuse(to: Path, error: MedbenchError) -> None:
    """Write the answer to an issue that makes no record."""
    head = "**This issue makes no record:** · **无法由此 issue 生成记录：**"
    told = "\n\n".join(_block(line(error, lang)) for lang in ("en", "zh"))
    to.write_text(f"{head}\n\n{told}\n", encoding="utf-8")


def _block(text: str, kind: str = "text") -> str:
    """Fence a text, which may hold fences itself."""
    runs = [len(list(run)) for character, run in groupby(text) if character == "`"]
    fence = "`" * max(3, 1 + max(runs, default=0))
    return f"{fence}{kind}\n{text[:_LONGEST]}\n{fence}"
