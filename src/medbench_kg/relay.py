"""Queries of strangers passed on to an endpoint, after the engine's parser has taken them.

The children of the nursery hold an empty graph: they decide what is a query, in which format its
answer is written and how an answer looks, and stop what the engine's parser wouldn't survive.

Specification: SPARQL 1.1 Protocol, section 2.1 (query operation).
"""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

from medbench_kg.errors import OverloadedError, QueryTimeoutError
from medbench_kg.evaluation import IN_MEMORY, Answer, Pool
from medbench_kg.store import named_node

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from medbench_kg.evaluation import Limits, Request
    from medbench_kg.store import RemoteStore

__all__ = ["Relay"]

#: What may look like a clause of a query and is none: strings, IRIs, comments.
_OTHER = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'(?:\\.|[^\\])*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    r"|<[^<>\"{}|^`\\\s]*>|#.*"
)
_FROM = re.compile(r"(?<![?$:\w.-])FROM(?![\w:.-])", re.IGNORECASE)


class Relay(Pool):
    """A pool whose children parse, while an endpoint answers."""

    def __init__(self, path: Path, limits: Limits, store: RemoteStore) -> None:
        """Point at a nursery of an empty graph, and at the endpoint."""
        super().__init__(path, limits)
        self._store = store
        self._places = threading.BoundedSemaphore(limits.short + limits.long)

    def run(self, request: Request, deadline_s: float | None = None) -> Answer:
        """Pass a query on and its answer back, when it is complete.

        Raises:
            QueryError: the query is wrong, or the endpoint refuses it.
            UpdateError: it is an update.
            NotAcceptableError: its answer can't be written in any format that was asked for.
            UnavailableError: there is no room for it now, it took longer than allowed, or the
                endpoint gives no answer.
            StoreError: what the endpoint sends is no answer to this query.
        """
        end = time.monotonic() + min(deadline_s or self.deadline_s, self.deadline_s)
        blank = super().run(request, deadline_s)
        if not self._places.acquire(blocking=False):
            raise OverloadedError("All places for queries are taken.", hint="Try again later.")
        try:
            return self._relayed(request, blank, end - time.monotonic())
        finally:
            self._places.release()

    def _relayed(self, request: Request, blank: Answer, left: float) -> Answer:
        if left <= 0:
            raise QueryTimeoutError("The query was stopped at its deadline.", hint="Narrow it.")
        reply = self._store.relay(
            f"BASE {named_node(request.base)}\n{request.text}",
            blank.body or b"",
            blank.format,
            dataset=_dataset(request),
            deadline_s=left,
            trusted=False,
        )
        if reply.size > IN_MEMORY:
            return Answer(blank.format, reply.size, None, reply.body)
        with reply.body as body:
            return Answer(blank.format, reply.size, body.read())


def _dataset(request: Request) -> tuple[Sequence[str], Sequence[str]] | None:
    """The graphs that a request names; two times none if its text names them, None if nobody."""
    if request.default_graphs is not None or request.named_graphs is not None:
        return request.default_graphs or (), request.named_graphs or ()
    return ((), ()) if _FROM.search(_OTHER.sub(" ", request.text)) else None
