"""What an import found, for people in both languages and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from medbench_kg import readme

if TYPE_CHECKING:
    from collections.abc import Iterable

    from medbench_kg.readme import Issue
    from medbench_kg.upstream.comparing import Change

__all__ = ["as_json", "as_text"]

_WORDS = {
    "en": {
        "new": "new row: {name}",
        "namesake": "new row: {name}; it shares a name with {old}, but neither links nor paper",
        "removed": "removed: {name} ({slug}); its record stays",
        "renamed": "renamed ({slug}): “{old}” is now “{new}”",
        "changed": "changed ({slug}), {field}:\n    - {old}\n    + {new}",
        "agreement": "the tables no longer agree ({who}), {field}:\n    en {old}\n    zh {new}",
        "nothing": "Nothing to do: the graph states what the list states.",
        "summary": "{new} new rows, {renamed} renamed, {changed} changes, {removed} removed, "
        "{agreement} disagreements.",
        "issues": "Not read, or suspicious:",
        "none": "(nothing)",
    },
    "zh": {
        "new": "新增行：{name}",
        "namesake": "新增行：{name}；与 {old} 同名，但链接与论文均不同",
        "removed": "已删除：{name}（{slug}），其记录保留",
        "renamed": "更名（{slug}）：“{old}”改为“{new}”",
        "changed": "有改动（{slug}），{field}：\n    - {old}\n    + {new}",
        "agreement": "两表不再一致（{who}），{field}：\n    英文 {old}\n    中文 {new}",
        "nothing": "无需处理：图谱与列表一致。",
        "summary": "新增 {new} 行，更名 {renamed} 处，改动 {changed} 处，删除 {removed} 行，"
        "两表不一致 {agreement} 处。",
        "issues": "未读取或可疑之处：",
        "none": "（无）",
    },
}


def as_text(changes: Iterable[Change], issues: Iterable[Issue], lang: str, path: str) -> str:
    """Write changes and issues for a terminal, each with its place.

    Args:
        changes: what differs from the graph.
        issues: what wasn't read.
        lang: ``en`` or ``zh``.
        path: the document, as the user named it.
    """
    words = _WORDS[lang]
    changes = list(changes)
    lines = [f"{path}:{c.line or '-'}: [{c.lang}] {_sentence(c, lang)}" for c in changes]
    kinds = ("new", "renamed", "changed", "removed", "agreement")
    count = {kind: sum(change.kind == kind for change in changes) for kind in kinds}
    lines.append(words["summary"].format(**count) if changes else words["nothing"])
    told = [f"{path}:{issue.line}: {_told(issue, lang)}" for issue in issues]
    return "\n".join([*lines, *(["", words["issues"]] if told else []), *told])


def as_json(changes: Iterable[Change], issues: Iterable[Issue]) -> str:
    """Write changes and issues as a JSON document, issues with their words in both languages."""
    document = {
        "changes": [vars(change) for change in changes],
        "issues": [
            {**vars(issue), "message": {lang: _told(issue, lang) for lang in _WORDS}}
            for issue in issues
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1)


def _sentence(change: Change, lang: str) -> str:
    words = _WORDS[lang]
    kind = "namesake" if change.kind == "new" and change.old else change.kind
    told = {
        **vars(change),
        "field": _head(change.field, lang),
        "who": change.slug or change.name,
        "old": change.old or words["none"],
        "new": change.new or words["none"],
    }
    return words[kind].format(**told)


def _head(field: str, lang: str) -> str:
    """The head of a column, in the words of the list; the paper's link has no column of its own."""
    heads = dict(zip(readme.COLUMNS, readme.HEADERS["zh" if lang == "zh" else "en"], strict=True))
    heads["paper-link"] = "论文链接" if lang == "zh" else "Paper Link"
    return heads.get(field, field)


def _told(issue: Issue, lang: str) -> str:
    return readme.ISSUES[issue.code][lang].format(detail=issue.detail)
