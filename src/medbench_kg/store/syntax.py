"""What the engine's parser says about a text, without any data."""

from __future__ import annotations

import re

import pyoxigraph as ox

from medbench_kg.errors import QueryError

__all__ = ["is_update", "syntax_problem"]

_POSITION = re.compile(r"error at (\d+):(\d+): expected (?:one of )?(.*)", re.DOTALL)
_REASON = re.compile(r"(?:^|, )([A-Z][a-zA-Z]+ [a-zA-Z ]+)")
_TOKEN = re.compile(r"(?:^|, )(\"[^\"]+\"|[A-Z]{2,}(?= *(?:,|$)))")

#: Tokens that an error names at most.
_MAX_TOKENS = 8


def is_update(text: str, base: str | None) -> bool:
    """Whether the parser takes a text as an update; run on an empty store of its own."""
    try:
        ox.Store().update(text, base_iri=base)
    except SyntaxError:
        return False
    except (RuntimeError, ValueError, OSError):
        return True
    return True


def syntax_problem(error: SyntaxError) -> QueryError:
    """Shorten the engine's message, which lists every character class it could have taken."""
    found = _POSITION.search(str(error))
    if not found:
        return QueryError(f"This isn't a SPARQL 1.1 query: {str(error).splitlines()[0]}.")
    line, column, expected = found.groups()
    reasons, tokens = _REASON.findall(expected), _TOKEN.findall(expected)
    if reasons:
        detail = ", ".join(reasons)
    elif tokens:
        detail = f"expected {' or '.join(tokens[:_MAX_TOKENS])}"
    else:
        detail = "unexpected text"
    return QueryError(
        f"This isn't a SPARQL 1.1 query: {detail}.",
        hint="Look at the text before this position.",
        where=f"line {line}, column {column}",
    )
