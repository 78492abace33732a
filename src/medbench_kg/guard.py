"""One linear look at a stranger's query before the engine gets it.

The engine parses and plans by recursion and has no limits of its own: a short query can end the
process, and no switch turns SERVICE off. :func:`inspect` reads the tokens once and refuses what the
engine wouldn't survive. It judges no grammar; the parser does that better.

Where pyoxigraph 0.5.13 dies (segmentation fault, main thread, stack of 8 MiB), and the limit here:

    nested        FILTER(!EXISTS{ 687, EXISTS{, STR(, IF( and COALESCE( 875 to 1,000,
                  {SELECT*{ 1,250, { 2,375, OPTIONAL{ and MINUS{ 2,750, GRAPH{ 2,937,
                  f( 4,625, ( 5,000, <<( 6,250, 1 IN( 7,500, ^( in a path 15,000     depth       64
    side by side  (1 AS ?x), GROUP BY (…), ORDER BY STR(…), DESCRIBE <…> 2,750       items      600
    side by side  BIND, MINUS{ 2,750, UNION 6,875, FILTER 9,375, OPTIONAL{ > 2,000   patterns   128
    in a row      + - * / and -1 7,500, ! || && 9,375, | in a path 11,250            operators 1600
    100,000 pass  {}, VALUES with one or more columns, IN, arguments, ``;;``         tokens 200000

``patterns`` is lower than the stack needs, for the planner: 128 triple patterns over one variable
take it 1 s, 160 take 2.3 s, 200 take 5.5 s; chains of ``;`` and ``,``, collections, nested blank
nodes and triple terms grow alike.

The engine reads characters, not tokens, and goes back when it fails. So ``1SERVICE<x>{}`` and
``serviceex:a{}`` (SERVICE ex:a) are calls, ``?a<b:c&&'>'`` holds a string, not an IRI, and three
quotes that nothing closes are an empty string before another. Where two readings remain and matter,
the query is refused: being wrong there would hide the rest of the text.

Specification: SPARQL 1.1 Query Language, sections 19.2 (code point escapes) and 19.8 (grammar).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NoReturn

from medbench_kg.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Limits", "inspect"]


@dataclass(frozen=True)
class Limits:
    """How large a query may be.

    Args:
        max_bytes: length in UTF-8.
        depth: brackets inside each other.
        row: operators in direct sequence (``!!!``).
        operators: operators of expressions and paths, all together.
        items: expressions and terms that stand outside of groups: SELECT, GROUP BY, DESCRIBE, ….
        patterns: triple patterns, groups and filters, all together.
        tokens: words, terms and signs, so that a look takes less than half a second.
    """

    max_bytes: int = 1_000_000
    depth: int = 64
    row: int = 128
    operators: int = 1_600
    items: int = 600
    patterns: int = 128
    tokens: int = 200_000


_DEFAULT: Final = Limits()


def inspect(query: str, limits: Limits = _DEFAULT) -> None:
    r"""Let a query pass, or say why the engine mustn't see it.

    ``\\u0041`` may stand for a letter inside strings and IRIs only (pyoxigraph) or anywhere (the
    specification), so a text with such escapes has to pass both ways.

    Args:
        query: SPARQL of unknown origin.
        limits: what is too large.

    Raises:
        QueryError: the query calls SERVICE, is too large, too deep or too long for the engine, or
            can be read in two ways.
    """
    size = len(query.encode("utf-8", "surrogatepass"))
    if size > limits.max_bytes:
        raise QueryError(
            f"The query has {size:,} bytes; {limits.max_bytes:,} are allowed.",
            hint="Ask in several queries.",
        )
    if "\0" in query:
        _refuse(query, query.index("\0"), "The query holds a NUL character.", "Remove it.")
    if _is_small(query, limits):
        return
    _Scan(query, limits).run()
    unescaped = _ESCAPE.sub(_character, query)
    if unescaped != query:
        _Scan(unescaped, limits).run()


class _In(Enum):
    """What the innermost bracket holds; it decides what ``<`` means and what is counted."""

    QUERY = auto()  # none: prologue, SELECT clause, solution modifiers
    SELECT = auto()  # a sub-select
    GROUP = auto()
    TEMPLATE = auto()  # of CONSTRUCT
    VALUES = auto()
    NODE = auto()  # [ ]
    ROW = auto()  # ( ) in VALUES: terms
    EXPRESSION = auto()  # ( ): < after an operand is an operator
    OPEN = auto()  # ( ): a collection, a path, or arguments of a function named by an IRI


_CLAUSES = frozenset({_In.QUERY, _In.SELECT})
_DATA = frozenset({_In.VALUES, _In.ROW})
_PATTERNS = frozenset({_In.GROUP, _In.NODE, _In.OPEN})
_PARENTHESES = {
    _In.QUERY: _In.EXPRESSION,
    _In.SELECT: _In.EXPRESSION,
    _In.EXPRESSION: _In.EXPRESSION,
    _In.VALUES: _In.ROW,
    _In.ROW: _In.ROW,
}

_HEX = "[0-9A-Fa-f]"
_ESCAPE = re.compile(rf"\\u({_HEX}{{4}})|\\U({_HEX}{{8}})")
#: The same, for those that are characters: no surrogates, nothing beyond U+10FFFF.
_UCHAR = (
    rf"\\u(?![Dd][89A-Fa-f]){_HEX}{{4}}"
    rf"|\\U(?!0000[Dd][89A-Fa-f])00(?:0{_HEX}|10){_HEX}{{4}}"
)
_LETTER = (
    r"A-Za-z\u00C0-\u00D6\u00D8-\u00F6\u00F8-\u02FF\u0370-\u037D\u037F-\u1FFF\u200C\u200D"
    r"\u2070-\u218F\u2C00-\u2FEF\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_LATER = r"0-9\u00B7\u0300-\u036F\u203F\u2040"
_NAME = rf"[{_LETTER}_{_LATER}\-]"
_PLX = rf"%{_HEX}{{2}}|\\[_~.\-!$&'()*+,;=/?#@%]"
_CHAR = rf"\\[tbnrf\"'\\]|{_UCHAR}"
_BLANK = r"(?:[ \t\r\n]++|\#[^\r\n]*+)*+"

#: Everything is possessive: no token is ever tried in two lengths.
_ANY = rf"""
      (?P<iri> < (?:[^\x00-\x20<>"{{}}|^`\\]|{_UCHAR})*+ > )
    | (?P<term> [?$][{_LETTER}_0-9][{_LETTER}_{_LATER}]*+
        | _:[{_LETTER}_0-9](?:\.*+{_NAME}++)*+
        | @[A-Za-z]++(?:-[A-Za-z0-9]++)*+
        | '''(?:[^'\\]|'(?!'')|{_CHAR})*+'''
        | \"""(?:[^"\\]|"(?!"")|{_CHAR})*+\"""
        | '(?:[^'\\\r\n]|{_CHAR})*+'
        | "(?:[^"\\\r\n]|{_CHAR})*+" )
    | (?P<number> [+-]?+(?:[0-9]++(?:\.[0-9]++)?+|\.[0-9]++)(?:[Ee][+-]?+[0-9]++)?+ )
    | (?P<opening> [(\[{{] )
    | (?P<closing> [)\]}}] )
    | (?P<mark> [.;,~] )
    | (?P<word> [{_LETTER}](?:\.*+{_NAME}++)*+ )?+
      (?P<local> :(?:(?:[{_LETTER}_0-9:]|{_PLX})(?:\.*+(?:{_NAME}|:|{_PLX}))*+)?+ )
    | (?P<bare> [{_LETTER}](?:\.*+{_NAME}++)*+ )
    | (?P<operator> \|\||&&|[!=<>]=|[-+*/|^!=<>?] )
"""
_TOKEN = re.compile(rf"{_BLANK}(?:{_ANY})", re.VERBOSE)
#: The same for counting, where whatever is none counts as one.
_ANYTHING = re.compile(rf"{_BLANK}(?:{_ANY})?+", re.VERBOSE)
_BRACE = re.compile(rf"{_BLANK}\{{")
_SIGN = re.compile(r"[-+*/|!=&?]")
#: An IRI that can't be read as ``<`` and an expression, since nothing begins with ``//``.
_ABSOLUTE = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*+://")
#: One that can.
_RELATIVE = re.compile(rf"(?!{_ABSOLUTE.pattern})<[^\x00-\x20<>\"{{}}|^`\\]*+>")
#: What makes the two readings differ in more than the number of operators.
_TELLING = re.compile(r"['#()\[\]]")


class _Scan:
    """The state between two tokens."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.limits = limits
        self.inside = [_In.QUERY]
        self.operand = False  # the token before ends an operand, so < may be an operator
        self.word = ""  # the token before, if it is a bare word, in lower case
        self.values = False  # VALUES was read, its brace wasn't
        self.first = False  # the token before is a brace
        self.begun = False  # a separator was read; what follows is one more pattern
        self.row = 0  # operators in direct sequence
        self.operators = self.items = self.patterns = 0

    def run(self) -> None:
        """Read to the end, or to a place that the parser can't pass either."""
        actions: dict[str, Callable[[str, int], int]] = {
            "iri": self._iri,
            "term": self._term,
            "number": self._number,
            "opening": self._opening,
            "closing": self._closing,
            "mark": self._mark,
            "local": self._name,
            "bare": self._bare,
            "operator": self._operator,
        }
        at, match = 0, _TOKEN.match
        for _ in range(self.limits.tokens):
            found = match(self.text, at)
            if not found:
                return
            kind = found.lastgroup or ""
            start = found.start("word") if found["word"] else found.start(kind)
            at = actions[kind](self.text[start : found.end()], start)
        self._long(at, "words, terms and signs", self.limits.tokens, "Ask in several queries.")

    def _term(self, piece: str, at: int) -> int:
        place = self.inside[-1]
        if place in _CLAUSES:
            self._item(at)
        elif place is _In.OPEN or (self.begun and place in _PATTERNS):
            self._pattern(at)
        self.operand, self.first, self.word, self.row = True, False, "", 0
        return at + len(piece)

    def _iri(self, piece: str, at: int) -> int:
        place = self.inside[-1]
        adjacent = self.text.startswith("<", at - 1) and at > 0
        if self.operand and place is _In.EXPRESSION:
            return self._operator("<=" if piece[1] == "=" else "<", at)
        if (adjacent or (self.operand and place is _In.OPEN)) and not _ABSOLUTE.match(piece):
            if _TELLING.search(piece):
                _refuse(
                    self.text,
                    at,
                    f"“{piece[:40]}” can be read as an IRI and as a comparison.",
                    "Put a blank after “<” if it means less; use a prefixed name if it's an IRI.",
                )
            for _ in _SIGN.finditer(piece):
                self._count_operator(at)
        return self._term(piece, at)

    def _number(self, piece: str, at: int) -> int:
        if self.operand and piece[0] in "+-" and self.inside[-1] not in _DATA:
            self._count_operator(at)
        return self._term(piece, at)

    def _name(self, piece: str, at: int) -> int:
        prefix = piece.partition(":")[0]
        end = at + len(piece)
        named = self.word in {"graph", "from", "named", "describe"}
        if "service" in prefix.lower() and not named and _BRACE.match(self.text, end):
            self._service(at)
        self._inner(prefix, at)
        return self._term(piece, at)

    def _bare(self, piece: str, at: int) -> int:
        word = piece.lower()
        if "service" in word:
            self._service(at)
        if self.first and word.startswith("select"):
            self.inside[-1] = _In.SELECT
        self._inner(piece, at)
        self.values = self.values or word.endswith("values")
        self.operand, self.first, self.word = word.endswith(("true", "false")), False, word
        self.row = 0
        return at + len(piece)

    def _inner(self, word: str, at: int) -> None:
        """Count what glued words hide: ``true-1``, ``true.true``."""
        if "-" in word:
            for _ in range(word.count("-")):
                self._count_operator(at)
        if "." in word:
            for _ in range(word.count(".")):
                self._pattern(at)

    def _opening(self, piece: str, at: int) -> int:
        place = self.inside[-1]
        if place in _CLAUSES:
            self._item(at)
        self.begun = False
        if piece == "{" or place in _PATTERNS:
            self._pattern(at)
        self.inside.append(self._entered(piece, place))
        if len(self.inside) - 1 > self.limits.depth:
            self._deep(at)
        self.first, self.operand, self.word, self.row = piece == "{", False, "", 0
        return at + 1

    def _entered(self, piece: str, place: _In) -> _In:
        if piece == "[":
            return _In.NODE
        if piece == "(":
            # FILTER(, BIND(, regex( – but not ``?s a (1 2)``, nor ``true (1 2)``.
            called = self.word and not self.word.endswith(("a", "true", "false", "undef"))
            if called and place is _In.GROUP:
                return _In.EXPRESSION
            return _PARENTHESES.get(place, _In.OPEN)
        if self.values:
            self.values = False
            return _In.VALUES
        return _In.TEMPLATE if self.word == "construct" else _In.GROUP

    def _closing(self, piece: str, at: int) -> int:
        self.begun = False
        if len(self.inside) > 1:
            self.inside.pop()
        self.operand, self.first, self.word, self.row = True, False, "", 0
        return at + len(piece)

    def _mark(self, piece: str, at: int) -> int:
        self.begun = True
        self.operand, self.first, self.word, self.row = False, False, "", 0
        return at + len(piece)

    def _operator(self, piece: str, at: int) -> int:
        place = self.inside[-1]
        if place not in _DATA:
            self._count_operator(at)
        if piece == "<" and self.text.startswith("<", at + 1) and place is _In.EXPRESSION:
            self.inside[-1] = _In.OPEN  # a triple term may begin, and hold terms side by side
        if piece in {"/", "<"} and place in _PATTERNS:
            self._pattern(at)
        self.row += 1
        if self.row > self.limits.row:
            self._long(at, "operators in a row", self.limits.row, "Remove some of them.")
        self.operand, self.first, self.word = False, False, ""
        return at + len(piece)

    def _count_operator(self, at: int) -> None:
        self.operators += 1
        if self.operators > self.limits.operators:
            self._long(at, "operators", self.limits.operators, "Use IN, VALUES or a shorter path.")

    def _item(self, at: int) -> None:
        self.items += 1
        if self.items > self.limits.items:
            self._long(at, "terms outside of groups", self.limits.items, "Select fewer of them.")

    def _pattern(self, at: int) -> None:
        self.begun = False
        self.patterns += 1
        if self.patterns > self.limits.patterns:
            hint = "Ask in several queries, or list the alternatives in VALUES."
            self._long(at, "triple patterns and groups", self.limits.patterns, hint)

    def _long(self, at: int, what: str, limit: int, hint: str) -> NoReturn:
        _refuse(self.text, at, f"The query has more than {limit:,} {what}.", hint)

    def _deep(self, at: int) -> NoReturn:
        message = f"The query is nested deeper than {self.limits.depth} levels."
        _refuse(self.text, at, message, "Remove brackets.")

    def _service(self, at: int) -> NoReturn:
        message = "SERVICE isn't offered: this endpoint asks no other endpoint."
        _refuse(self.text, at, message, "Ask the other endpoint yourself; hand over with VALUES.")


def _is_small(text: str, limits: Limits) -> bool:
    """Whether a text can reach no limit, whatever its tokens mean: that is quickly seen of most."""
    few = min(limits.row, limits.items, limits.patterns)
    return (
        len(text) <= limits.operators
        and "\\" not in text
        and "service" not in text.lower()
        and not _RELATIVE.search(text)
        and sum(map(text.count, "([{")) <= limits.depth
        and _ANYTHING.subn("", text, few + 1)[1] + text.count(".") <= few
    )


def _character(escape: re.Match[str]) -> str:
    number = int(escape[1] or escape[2], 16)
    return chr(number) if number <= 0x10FFFF else escape[0]  # noqa: PLR2004  the last there is


def _refuse(text: str, at: int, message: str, hint: str) -> NoReturn:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    raise QueryError(message, hint=hint, where=f"line {line}, column {column}")
