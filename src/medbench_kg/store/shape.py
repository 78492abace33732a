"""Whether what another server sent is a whole answer to what it was asked.

Some engines end an answer with status 200 where a limit of theirs is reached, drop its last rows,
or answer ASK with a table. Nothing of that may pass for an answer.

Specification: SPARQL 1.1 Query Results (JSON, XML, CSV and TSV).
"""

from __future__ import annotations

import csv
import io
from typing import IO, TYPE_CHECKING

import pyoxigraph as ox

from medbench_kg.errors import StoreError
from medbench_kg.store.terms import RDF_FORMATS, RESULT_FORMATS

if TYPE_CHECKING:
    from medbench_kg.negotiation import Format
    from medbench_kg.store.wire import Reply

__all__ = ["check"]

#: Says that Virtuoso stopped on the way (its "anytime" queries).
_STOPPED = "X-SQL-State"

#: Names the number of rows at which Virtuoso stops, if the server has such a limit.
_MAX_ROWS = "X-SPARQL-MaxRows"


def check(reply: Reply, blank: bytes, fmt: Format) -> None:
    """Read an answer once and leave it at its beginning.

    Args:
        reply: what came.
        blank: the answer of an empty graph to the same query, in the same format.
        fmt: the format that was asked for.

    Raises:
        StoreError: it is in another format, isn't whole, or answers something else.
    """
    if reply.media_type not in {fmt.media_type, *fmt.aliases}:
        raise _no_answer(f"it is “{reply.media_type or 'without a type'}”, not {fmt.media_type}")
    if _STOPPED in reply.headers:
        raise _no_answer("the endpoint stopped on the way")
    try:
        if fmt.kind == "results":
            rows = _results(reply.body, blank, fmt)
            if reply.headers.get(_MAX_ROWS) == str(rows):
                raise _no_answer("the endpoint ends an answer at this number of rows")
        else:
            for _ in ox.parse(reply.body, format=RDF_FORMATS[fmt.name]):
                pass
    except (SyntaxError, ValueError, csv.Error) as error:
        raise _no_answer("it breaks off or isn't well-formed") from error
    reply.body.seek(0)


def _results(body: IO[bytes], blank: bytes, fmt: Format) -> int:
    """Read bindings or a boolean; return the number of rows."""
    if fmt.name == "csv":
        return _csv(body, blank)
    wanted = ox.parse_query_results(blank, format=RESULT_FORMATS[fmt.name])
    found = ox.parse_query_results(body, format=RESULT_FORMATS[fmt.name])
    if not isinstance(wanted, ox.QuerySolutions):
        if isinstance(found, ox.QuerySolutions):
            raise _no_answer("it is a table, not true or false")
        return 1
    if not isinstance(found, ox.QuerySolutions) or set(found.variables) != set(wanted.variables):
        raise _no_answer("it has other columns")
    return sum(1 for _ in found)


def _csv(body: IO[bytes], blank: bytes) -> int:
    header = next(csv.reader(io.StringIO(blank.decode())), [])
    text = io.TextIOWrapper(body, encoding="utf-8", newline="")
    try:
        rows = csv.reader(text, strict=True)
        found = next(rows, [])
        if sorted(found) != sorted(header):
            raise _no_answer("it has other columns")
        number = 0
        for row in rows:
            number += 1
            if len(row) != len(header) and (row or len(header) > 1):
                raise _no_answer("a row of it breaks off")
    finally:
        text.detach()
    body.seek(-1, io.SEEK_END)
    if body.read() != b"\n":
        raise _no_answer("its last row breaks off")
    return number


def _no_answer(reason: str) -> StoreError:
    return StoreError(
        f"The endpoint behind this server sent no whole answer: {reason}.",
        hint="Ask in another format, or for less; look into the endpoint's own log.",
    )
