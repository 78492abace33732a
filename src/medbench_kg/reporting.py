"""A validation report in the forms that people and machines read, in English or Chinese.

Words of a finding come from the shapes; only the frame around them is here.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import unquote

from medbench_kg.sentences import retell
from medbench_kg.validation import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from medbench_kg.errors import RecordError
    from medbench_kg.validation import Finding, Report

__all__ = ["as_document", "as_github", "as_json", "as_text"]

#: Longest list of allowed values that is printed whole.
_MAX_ALLOWED = 12

_WORDS = {
    "en": {
        "INFO": "info",
        "WARNING": "warning",
        "VIOLATION": "violation",
        "unreadable": "unreadable",
        "value": "“{written}” isn't known here; did you mean “{nearest}”?",
        "allowed": "Allowed: {values}.",
        "repair": "Repair: {repair}",
        "summary": "{VIOLATION} violations, {WARNING} warnings, {INFO} notes; {unreadable} files "
        "unreadable.",
        "more": "… {count} in all",
    },
    "zh": {
        "INFO": "提示",
        "WARNING": "警告",
        "VIOLATION": "违规",
        "unreadable": "无法读取",
        "value": "没有“{written}”这个取值，是否想写“{nearest}”？",
        "allowed": "可用取值：{values}。",
        "repair": "修复：{repair}",
        "summary": "违规 {VIOLATION} 处，警告 {WARNING} 处，提示 {INFO} 处；无法读取的文件 "
        "{unreadable} 个。",
        "more": "…… 共 {count} 个",
    },
}

_GITHUB = {Severity.VIOLATION: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def as_text(report: Report, problems: Iterable[RecordError], lang: str, least: Severity) -> str:
    """Write findings for a terminal: place, key, what is wrong, what would do, how to repair.

    Args:
        report: located findings.
        problems: files that could not be read.
        lang: ``en`` or ``zh``.
        least: findings below this severity are counted, not shown.
    """
    words = _WORDS[lang]
    unreadable = list(problems)
    blocks = [
        f"{problem.where}: {words['unreadable']}: {retell(problem.message, lang)}\n"
        f"    {words['repair'].format(repair=retell(problem.hint, lang))}"
        for problem in unreadable
    ]
    blocks += [_block(f, lang) for f in report.findings if f.severity >= least]
    count = Counter(f.severity.name for f in report.findings)
    numbers = {severity.name: count[severity.name] for severity in Severity}
    blocks.append(words["summary"].format(**numbers, unreadable=len(unreadable)))
    return "\n".join(blocks)


def as_json(report: Report, problems: Iterable[RecordError]) -> str:
    """Write findings as a JSON document with all languages."""
    findings = [as_document(finding) for finding in report.findings]
    unreadable = [
        {"where": p.where, "messages": _by_language(p.message), "repairs": _by_language(p.hint)}
        for p in problems
    ]
    document = {"conforms": report.conforms, "findings": findings, "unreadable": unreadable}
    return json.dumps(document, ensure_ascii=False, indent=1)


def as_document(finding: Finding) -> dict[str, object]:
    """A finding as a value of JSON."""
    return {**vars(finding), "severity": finding.severity.name.lower()}


def _by_language(sentence: str) -> dict[str, str]:
    return {lang: retell(sentence, lang) for lang in _WORDS}


def as_github(report: Report, problems: Iterable[RecordError], lang: str) -> str:
    """Write findings as annotations of a GitHub workflow."""
    return "\n".join(_annotations(report, problems, lang))


def _annotations(report: Report, problems: Iterable[RecordError], lang: str) -> Iterator[str]:
    for problem in problems:
        text = " ".join(retell(one, lang) for one in (problem.message, problem.hint))
        yield _annotation("error", problem.where, "medbench", text)
    for finding in report.findings:
        text = " ".join(line.strip() for line in _details(finding, lang))
        yield _annotation(_GITHUB[finding.severity], finding.where, finding.key, text)


def _annotation(level: str, where: str, title: str, message: str) -> str:
    file, _, line = where.rpartition(":")
    place = f"file={_escape(file)},line={line}," if file else ""
    text = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{level} {place}title={_escape(title)}::{text}"


def _escape(text: str) -> str:
    """Escape a property of a workflow command."""
    for character in "%\r\n:,":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _block(finding: Finding, lang: str) -> str:
    severity = _WORDS[lang][finding.severity.name]
    place = finding.where or finding.focus
    key = f" [{finding.key}]" if finding.key else ""
    first, *rest = _details(finding, lang)
    return "\n".join([f"{place}: {severity}{key}: {first}", *(f"    {line}" for line in rest)])


def _details(finding: Finding, lang: str) -> list[str]:
    words = _WORDS[lang]
    lines = [finding.messages[lang]]
    if finding.nearest:
        written = unquote(finding.value.rpartition("/")[2]) if finding.allowed else finding.key
        lines.append(words["value"].format(written=written, nearest=finding.nearest))
    if finding.allowed and finding.value:
        shown = ", ".join(finding.allowed[:_MAX_ALLOWED])
        if len(finding.allowed) > _MAX_ALLOWED:
            shown += " " + words["more"].format(count=len(finding.allowed))
        lines.append(words["allowed"].format(values=shown))
    if finding.repairs.get(lang):
        lines.append(words["repair"].format(repair=finding.repairs[lang]))
    return lines
