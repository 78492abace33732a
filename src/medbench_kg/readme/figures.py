"""Numbers in a cell, with what they count: “~9.3M training samples from 60+ datasets”.

What is counted is the noun that a number stands before; both languages put it after its
attributes, English ends it with a preposition or a participle, Chinese may nest a second number
before it (“10 种模态的2500万张图像”). A number whose noun isn't known keeps no unit.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING

from medbench_kg.readme.model import Figure, Lang, Terms, normalise, plural
from medbench_kg.readme.words import spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["read", "write"]

_POWERS = {
    "k": 3,
    "thousand": 3,
    "千": 3,
    "万": 4,
    "m": 6,
    "million": 6,
    "百万": 6,
    "千万": 7,
    "亿": 8,
    "b": 9,
    "billion": 9,
}

#: No dataset holds so many things; longer rows of digits are something else.
_TOO_MUCH = 10**15

#: “3,535 MCQs” has no multiplier, “Cholec80”, “3D” and “12-lead” hold no number of things.
_NUMBER = re.compile(
    r"""(?<![A-Za-z0-9_\-])(?<!\d[.,])
    (?:(?P<about>~|≈|\b(?:about|around|approximately|roughly|nearly)\b|大约|约|近)\s*)?
    (?:(?P<least>>|≥|\b(?:over|more\ than|at\ least)\b|超过|逾|超|至少)\s*)?
    (?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)
    (?P<more>\s*[+多余])?
    \s*(?P<power>(?:million|billion|thousand)\b|[KMB](?![A-Za-z])|百万|千万|万|亿|千)?
    (?P<more_after>\s*[+多余](?!\s*\d))?
    (?!\s*%|(?<![百千万亿])[A-Za-z]|-[A-Za-z]|[.,]?\d|\s*年|\s*[x×]\s*\d|\s*[百千万亿])""",
    re.VERBOSE | re.IGNORECASE,
)
#: Ranges, and groups of digits parted by blanks: nobody can say which number is meant.
_UNCLEAR = re.compile(
    r"(?<![\w.,])[\d.,]+\s*[KM万]?\s*(?:-|–|—|至|到|\bto\b)\s*\d[\d.,]*\s*[KM万]?(?![A-Za-z])"
    r"|(?<![\w.,])\d{1,3}(?:[ ]\d{3})+(?![\d,])"
)
_BRACKETS = re.compile(r"\(([^()]*)\)")
_CLAUSE = re.compile(r"[,;。、\n(]|\.(?=\s|$)")
_STOP = re.compile(
    r"\b(?:with|from|of|across|covering|spanning|in|for|on|based|derived|resulting|paired|and|to|"
    r"including|featuring|per|by|that|where|used|requiring|validated|focused|designed|detailing|"
    r"generated|distilled|integrated|encompassing|stratifying|filtered|via)\b|[&与及和或]"
)
_JOINED = re.compile(r"\s*(?:/|\+|and|or|和|或)?\s*")

#: Words right before a number that say what kind of figure it is. The first of each language is
#: for :func:`write`: it always means that kind, while a unit of another kind outweighs the rest.
_LEADS: Mapping[str, Mapping[Lang, Sequence[str]]] = {
    "source": {
        "en": ("derived from", "from", "based on"),
        "zh": ("源自", "来自", "基于", "从"),
    },
    "coverage": {
        "en": ("spanning", "covering", "covers", "across"),
        "zh": ("横跨", "涵盖", "覆盖"),
    },
    "content": {"en": ("comprising",), "zh": ("计有",)},
}
_SEPARATOR: Mapping[Lang, str] = {"en": "; ", "zh": "；"}


@dataclass(frozen=True)
class _Found:
    """A number in the text, with the size of a step of its last digit."""

    start: int
    end: int
    step: int
    figure: Figure


def read(text: str, terms: Terms, kinds_of: str = "") -> tuple[list[Figure], list[str]]:
    """Read the numbers of a cell.

    Args:
        text: the cell.
        terms: the words that are known.
        kinds_of: unit of a number of “types” or “种”, as in “多模态（38种）”.

    Returns:
        The figures in the order of the text, and the words of numbers that can't be read.
    """
    text = unicodedata.normalize("NFKC", text)
    unclear = [match[0] for match in _UNCLEAR.finditer(text)]
    text = _UNCLEAR.sub(lambda match: "■" * len(match[0]), text)
    found: list[_Found] = []
    for match in _NUMBER.finditer(text):
        number = _number(match)
        if number is None:
            unclear.append(match[0])
        else:
            found.append(number)
    found = _with_units(text, found, terms, kinds_of)
    found = _with_subtotals(text, found)
    return [item.figure for item in found], unclear


def write(figures: Iterable[Figure], terms: Terms, lang: Lang) -> str:
    """Write figures so that :func:`read` reads the same ones."""
    return _SEPARATOR[lang].join(_written(figure, terms, lang) for figure in figures)


def _number(match: re.Match[str]) -> _Found | None:
    power = _POWERS[match["power"].lower()] if match["power"] else 0
    digits = Decimal(match["digits"].replace(",", ""))
    value = digits.scaleb(power)
    if value >= _TOO_MUCH or value != value.to_integral_value():
        return None
    step = Decimal(1).scaleb(power + int(digits.as_tuple().exponent))
    if match["least"] or match["more"] or match["more_after"]:
        approximation = "at-least"
    elif match["about"]:
        approximation = "about"
    else:
        approximation = "rounded" if power else ""
    figure = Figure(int(value), "", "content", approximation)
    return _Found(match.start(), match.end(), max(1, int(step)), figure)


def _with_units(text: str, found: list[_Found], terms: Terms, kinds_of: str) -> list[_Found]:
    result: list[_Found] = []
    names = terms.names["unit"]
    left = ""
    for this, after in reversed(list(zip_longest(found, found[1:]))):
        end = after.start if after else len(text)
        phrase = text[this.end : end]
        unit, rest = _unit(phrase, names, kinds_of)
        if not unit and after and _JOINED.fullmatch(phrase):
            unit = result[-1].figure.unit
        elif not unit and after and left and not _CLAUSE.search(phrase):
            unit, left = left, ""
        elif not unit:
            unit = _before(text[: this.start], names)
        left = rest or ("" if _CLAUSE.search(phrase) else left)
        kind = _kind(text[: this.start], unit, terms)
        result.append(replace(this, figure=replace(this.figure, unit=unit, kind=kind)))
    return result[::-1]


def _unit(phrase: str, names: Mapping[str, str], kinds_of: str) -> tuple[str, str]:
    """The unit that a phrase names, and a second one after “的”, which an outer number counts."""
    clause = _CLAUSE.split(phrase)[0]
    for words in (clause, phrase):
        unit, rest = _head(normalise(words), names)
        if unit:
            return unit, rest
    if kinds_of and re.match(r"\s*(?:types|kinds|种)", phrase):
        return kinds_of, ""
    return "", ""


def _head(words: str, names: Mapping[str, str]) -> tuple[str, str]:
    """The noun that ends the first part of a phrase that holds a known one."""
    known = spellings(words, names)
    if not known:
        return "", ""
    start, end, slug = known[0]
    if words[end : end + 1] == "的" and start <= 1:
        rest = [s for _, _, s in spellings(words[end:], names)]
        return slug, rest[-1] if rest else ""
    stops = [match.start() for match in _STOP.finditer(words) if match.start() >= end]
    limit = stops[0] if stops else len(words)
    return [s for begin, _, s in known if begin < limit][-1], ""


def _before(words: str, names: Mapping[str, str]) -> str:
    """The unit that stands before its number: “Images: 315”."""
    clause = normalise(_CLAUSE.split(words)[-1]).rstrip(": ")
    known = spellings(clause, names)
    return known[-1][2] if known and known[-1][1] == len(clause) else ""


def _kind(before: str, unit: str, terms: Terms) -> str:
    usual = terms.kinds.get(unit, "content")
    words = normalise(before)
    for kind, leads in _LEADS.items():
        for always, *others in leads.values():
            if words.endswith(always):
                return kind
            if usual == "content" and any(words.endswith(lead) for lead in others):
                return kind
    return usual


def _with_subtotals(text: str, found: list[_Found]) -> list[_Found]:
    """Give numbers in brackets the unit of the number before them that they add up to."""
    for bracket in _BRACKETS.finditer(text):
        inner = [item for item in found if bracket.start() < item.start < bracket.end()]
        if len(inner) < 2:  # noqa: PLR2004  a sum needs two
            continue
        total = sum(item.figure.value for item in inner)
        for outer in (item for item in found if item.end <= bracket.start()):
            if abs(outer.figure.value - total) < outer.step:
                whole = outer.figure
                found = [
                    replace(i, figure=replace(i.figure, unit=whole.unit, kind=whole.kind))
                    if i in inner
                    else i
                    for i in found
                ]
                break
    return found


def _written(figure: Figure, terms: Terms, lang: Lang) -> str:
    label = terms.labels.get((figure.unit, lang), "")
    if lang == "en" and figure.value != 1 and label:
        label = plural(label)
    lead = ""
    if figure.kind != terms.kinds.get(figure.unit, "content"):
        lead = _LEADS[figure.kind][lang][0]
    note = ""
    if figure.note and not re.search(r"[\d()（）]", figure.note):
        note = f" ({figure.note})" if lang == "en" else f"（{figure.note}）"
    number = _digits(figure, lang)
    gap = "" if number.endswith(("万", "亿")) else " "
    return f"{lead} {number}{gap}{label}".strip() + note


def _digits(figure: Figure, lang: Lang) -> str:
    prefix = "~" if figure.approximation == "about" else ""
    suffix = "+" if figure.approximation == "at-least" else ""
    if figure.approximation != "rounded":
        return f"{prefix}{figure.value:,}{suffix}"
    units = {"en": ((6, "M"), (3, "K")), "zh": ((8, " 亿"), (4, " 万"), (3, "K"))}[lang]
    power, sign = next((u for u in units if figure.value >= 10 ** u[0]), units[-1])
    return f"{Decimal(figure.value).scaleb(-power).normalize():,f}{sign}"
