"""Words: known spellings in a text, dates and venues, hosts of links, and what issues say."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from medbench_kg.readme.model import Terms, normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ISSUES", "arxiv_id", "concepts", "date_and_venue", "has_year", "host_of", "spellings"]

#: Code of an issue → what is said about it, in both languages.
ISSUES: Mapping[str, Mapping[str, str]] = {
    "no-table": {
        "en": "There is no table in this language ({detail}).",
        "zh": "没有这种语言的表格（{detail}）。",
    },
    "other-table": {
        "en": "This table isn't one of the list's and isn't read: {detail}",
        "zh": "该表格不是列表的数据表，未读取：{detail}",
    },
    "outside-table": {
        "en": "A row outside any table isn't read: {detail}",
        "zh": "该行不在任何表格内，未读取：{detail}",
    },
    "few-cells": {
        "en": "Malformed row, nothing is read: it has {detail} cells instead of seven.",
        "zh": "行格式有误，未读取：仅有 {detail} 个单元格，应为七个。",
    },
    "no-name": {
        "en": "Malformed row, nothing is read: its first cell holds no name.",
        "zh": "行格式有误，未读取：第一格没有名称。",
    },
    "no-year": {
        "en": "Malformed row, nothing is read: its third cell holds no year: “{detail}”.",
        "zh": "行格式有误，未读取：第三格没有年份：“{detail}”。",
    },
    "no-link": {
        "en": "Malformed row, nothing is read: its seventh cell holds no link: “{detail}”.",
        "zh": "行格式有误，未读取：第七格没有链接：“{detail}”。",
    },
    "more-cells": {
        "en": "Cells after the seventh aren't read: {detail}",
        "zh": "第七格之后的单元格未读取：{detail}",
    },
    "markup": {
        "en": "Markup that isn't read: {detail}",
        "zh": "未读取的标记：{detail}",
    },
    "bad-date": {
        "en": "“{detail}” isn't a date of the calendar; no date is taken from it.",
        "zh": "“{detail}”不是有效日期，未据此取得日期。",
    },
    "unknown-venue": {
        "en": "The venue “{detail}” isn't in data/venues/; no edition is taken from it.",
        "zh": "data/venues/ 未收录“{detail}”，未据此取得会议届次。",
    },
    "unknown-words": {
        "en": "No known concept in “{detail}”.",
        "zh": "“{detail}”中没有已知概念。",
    },
    "unclear-number": {
        "en": "It isn't clear which number “{detail}” states; none is taken.",
        "zh": "无法确定“{detail}”所指的数值，未采用。",
    },
    "no-unit": {
        "en": "It isn't clear what {detail} counts.",
        "zh": "无法确定 {detail} 的计数对象。",
    },
    "no-number": {
        "en": "The size cell holds no number: “{detail}”.",
        "zh": "规模单元格没有数值：“{detail}”。",
    },
    "link-label": {
        "en": "The label names another host than the address: {detail}",
        "zh": "链接文字与实际地址不符：{detail}",
    },
    "many-paper-links": {
        "en": "The paper cell holds several links; the first is taken: {detail}",
        "zh": "论文单元格有多个链接，采用第一个：{detail}",
    },
    "same-name": {
        "en": "Another row of this table has the same name: {detail}",
        "zh": "同一表格中另有同名的行：{detail}",
    },
}

#: Domain, or end of one → slug of its kind of host.
_HOSTS = {
    "4open.science": "anonymous",
    "github.com": "github",
    "drive.google.com": "google-drive",
    "huggingface.co": "huggingface",
    "hf.co": "huggingface",
    "kaggle.com": "kaggle",
    "1drv.ms": "onedrive",
    "onedrive.live.com": "onedrive",
    "openxlab.org.cn": "openxlab",
    "osf.io": "osf",
    "physionet.org": "physionet",
    "github.io": "project-page",
    "sharepoint.com": "sharepoint",
}
#: What a label says about the host, normalised.
_HOST_NAMES = {
    "github": "github",
    "hf": "huggingface",
    "hugging face": "huggingface",
    "huggingface": "huggingface",
    "kaggle": "kaggle",
    "openxlab": "openxlab",
    "osf": "osf",
    "physionet": "physionet",
    "google drive": "google-drive",
}

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DATE = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)"
    r"(?:\s*[./\-年]\s*(?P<month>\d{1,2})(?:\s*[./\-月]\s*(?P<day>\d{1,2})(?!\d)\s*日?|(?!\d)\s*月?))?"
    r"\s*年?(?!\d)"
)
_ARXIV = re.compile(r"^https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/(\d{4}\.\d{4,5})")
_BRACKETED = re.compile(r"\(([^()]*)\)")


def spellings(text: str, names: Mapping[str, str]) -> list[tuple[int, int, str]]:
    """Find known spellings, the longest first at each place, none inside a Latin word.

    Args:
        text: normalised.
        names: normalised spelling → slug.

    Returns:
        Start, end and slug of each, in the order of the text; none overlaps another.
    """
    longest = max(map(len, names), default=0)
    found = []
    start = 0
    while start < len(text):
        for end in range(min(len(text), start + longest), start, -1):
            slug = names.get(text[start:end])
            if slug and not _inside_word(text, start) and not _inside_word(text, end):
                found.append((start, end, slug))
                start = end
                break
        else:
            start += 1
    return found


def concepts(text: str, column: str, terms: Terms) -> tuple[str, ...]:
    """Read the concepts that a cell names, in the order of the text.

    The same words are read as a curator has read them before. A spelling with brackets, such as
    “3D Image (Abdominal CT)”, states more than its parts; the parts are read too.
    """
    known = terms.readings.get((column, text))
    if known is not None:
        return known
    names = terms.names[column]
    found: list[str] = []
    words = normalise(text)
    for start, end, slug in spellings(words, names):
        inner = _BRACKETED.search(words[start:end])
        if inner:
            found += [s for _, _, s in spellings(words[start : start + inner.start()], names)]
        found.append(slug)
        if inner:
            found += [s for _, _, s in spellings(inner[1], names)]
    unique = tuple(dict.fromkeys(found))
    specific = tuple(slug for slug in unique if slug != "multimodal")
    return specific or unique


def has_year(text: str) -> bool:
    """Whether a cell holds a year."""
    return _YEAR.search(unicodedata.normalize("NFKC", text)) is not None


def date_and_venue(text: str, terms: Terms) -> tuple[str, str, list[tuple[str, str]]]:
    """Read a cell such as “2025.03.23 (ICCV2025)”, “2025IJCAI” or a long name of a conference.

    Returns:
        ISO date, slug of the edition, and code and words of what can't be read.
    """
    text = unicodedata.normalize("NFKC", text)
    dates = list(_DATE.finditer(text))
    dated = next((d for d in dates if d["month"]), dates[0] if dates else None)
    issues = []
    issued = _iso(dated) if dated else ""
    if dated and not issued:
        issues.append(("bad-date", dated[0].strip()))
    words = " ".join(_DATE.sub(" ", text).replace("(", " ").replace(")", " ").split())
    if not any(character.isalnum() for character in words):
        return issued, "", issues
    venues = spellings(normalise(words), terms.names["venue"])
    years = [d["year"] for d in dates if not d["month"]] or [d["year"] for d in dates]
    edition = f"{venues[0][2]}-{years[0]}" if venues and years else ""
    if edition not in terms.editions:
        issues.append(("unknown-venue", f"{words} {years[0]}" if years else words))
        edition = ""
    return issued, edition, issues


def host_of(url: str, label: str) -> tuple[str, str]:
    """The kind of host that an address has, and the one that its label claims, "" if none."""
    try:
        domain = (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:  # brackets that hold no address
        domain = ""
    claimed = _HOST_NAMES.get(normalise(label), "")
    for known, host in _HOSTS.items():
        if domain == known or domain.endswith(f".{known}"):
            return host, claimed
    return ("project-page" if "project" in normalise(label) else "other"), claimed


def arxiv_id(url: str) -> str:
    """The arXiv id in an address, without version; "" if there is none."""
    found = _ARXIV.match(url)
    return found[1] if found else ""


def _inside_word(text: str, at: int) -> bool:
    """Whether a place is within a Latin word; Chinese has no gaps between words."""
    return 0 < at < len(text) and _is_latin(text[at - 1]) and _is_latin(text[at])


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _iso(match: re.Match[str]) -> str:
    year, month, day = (int(match[part] or 0) for part in ("year", "month", "day"))
    try:
        dt.date(year, month or 1, day or 1)
    except ValueError:
        return ""
    if match["month"] is None:
        return f"{year}"
    return f"{year}-{month:02}" if match["day"] is None else f"{year}-{month:02}-{day:02}"
