"""Evaluation that can be killed: queries of strangers run in processes of their own.

The engine knows no deadline in Python, and some queries make it crash. A :class:`Pool` keeps
connections to children of the nursery, allows few long queries at a time, and kills the child of a
query that is past its deadline.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from medbench_kg import errors
from medbench_kg.negotiation import Format, by_name
from medbench_kg.nursery import Channel, Limits, Request, frame

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["IN_MEMORY", "Answer", "Child", "Limits", "Pool", "Request", "refused"]

#: Bytes of an answer that is kept in memory.
IN_MEMORY = 1 << 20

#: Seconds that a query waits for a place.
_WAIT_S = 2.0

#: ``struct timeval``: seconds and microseconds.
_TIME = struct.Struct("ll")


@dataclass(frozen=True)
class Answer:
    """A complete answer: in ``body``, or, when it is large, in ``file``, at its beginning.

    An answer that breaks off is an error and never an answer: some WSGI servers end a stream that
    fails as if it were complete, so nothing is handed on before its end is known.
    """

    format: Format
    size: int
    body: bytes | None
    file: IO[bytes] | None = None


class Pool:
    """Connections to children, shared by the threads of one server process."""

    def __init__(self, path: Path, limits: Limits) -> None:
        """Point at a nursery; connections are made when they are needed."""
        self._path = path
        self._limits = limits
        self._idle: list[Child] = []
        self._lock = threading.Lock()
        self._short = threading.BoundedSemaphore(limits.short)
        self._long = threading.BoundedSemaphore(limits.long)

    def run(self, request: Request, deadline_s: float | None = None) -> Answer:
        """Evaluate a query in a child.

        Args:
            request: the query.
            deadline_s: a shorter deadline than that of the limits.

        Raises:
            QueryError: the query is wrong.
            UpdateError: it is an update.
            NotAcceptableError: its answer can't be written in any format that was asked for.
            OverloadedError: there is no room for it now.
            QueryTimeoutError: it took longer than allowed.
            EngineError: it needed too much memory, or the engine crashed.
        """
        allowed = min(deadline_s or self._limits.deadline_s, self._limits.deadline_s)
        if not self._short.acquire(timeout=_WAIT_S):
            raise errors.OverloadedError(
                "All places for queries are taken.", hint="Try again in a second."
            )
        try:
            child = self._sent(request)
        except BaseException:
            self._short.release()
            raise
        run = _Run(child, self._limits, allowed, self._short, self._long)
        try:
            answer = run.answer()
        except BaseException:
            run.finish(reusable=False)
            raise
        self._return(run)
        return answer

    @property
    def deadline_s(self) -> float:
        """Longest time that a query may take."""
        return self._limits.deadline_s

    def close(self) -> None:
        """Let go of the idle children; they end."""
        with self._lock:
            while self._idle:
                self._idle.pop().kill()

    def _return(self, run: _Run) -> None:
        run.finish(reusable=True)
        with self._lock:
            self._idle.append(run.child)

    def _sent(self, request: Request) -> Child:
        """Send a request to an idle child, or, if that has died meanwhile, to the next."""
        asked = frame(b"Q", json.dumps(vars(request)).encode())
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                child = Child(self._path)
                child.send(asked)
                return child
            try:
                child.send(asked)
            except OSError:
                child.kill()
            else:
                return child


class Child:
    """One end of a connection to a child."""

    def __init__(self, path: Path, wait_s: float = _WAIT_S) -> None:
        """Connect to a nursery.

        Args:
            path: its socket.
            wait_s: seconds until one of its children has to be ready.

        Raises:
            OverloadedError: all its children are busy.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(_WAIT_S)
        self._channel = Channel(connection)
        try:
            connection.connect(str(path))
            greeting = self._channel.receive(time.monotonic() + wait_s)
        except OSError:
            greeting = None
        if greeting is None:
            connection.close()
            raise errors.OverloadedError(
                "No process is ready for this.", hint="Try again in a second."
            )
        # The kernel keeps time of what is sent, and poll of what comes: Python would ask it twice.
        connection.settimeout(None)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIME.pack(int(_WAIT_S), 0))
        self.pid = int(greeting[1])

    def send(self, *frames: bytes) -> None:
        """Send frames in one piece."""
        self._channel.send(*frames)

    def receive(self, until: float) -> tuple[bytes, bytes] | None:
        """The next frame, or None if there is none by then (monotonic clock)."""
        return self._channel.receive(until)

    def kill(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._channel.close()


class _Run:
    """One query on its way: its child, its places and its clock."""

    def __init__(
        self,
        child: Child,
        limits: Limits,
        allowed_s: float,
        short: threading.BoundedSemaphore,
        long: threading.BoundedSemaphore,
    ) -> None:
        self.child = child
        self._allowed_s = allowed_s
        begin = time.monotonic()
        self._long_from = begin + min(limits.long_after_s, allowed_s)
        self._end = begin + allowed_s
        self._short, self._long = short, long
        self._place: threading.BoundedSemaphore | None = short

    def answer(self) -> Answer:
        """Read until the answer is complete; beyond a size it is kept on disk."""
        kind, content = self._next()
        fmt = by_name(content.decode()) if kind == b"H" else _refuse(content)
        kept = cast("IO[bytes]", tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115  the response closes it
        try:
            while (found := self._next())[0] == b"D":
                _keep(kept, found[1])
            if found[0] != b"E":
                _refuse(found[1])
        except BaseException:
            kept.close()
            raise
        size = kept.tell()
        kept.seek(0)
        if size > IN_MEMORY:
            return Answer(fmt, size, None, kept)
        with kept:
            return Answer(fmt, size, kept.read())

    def finish(self, *, reusable: bool) -> None:
        """Give the place back; a child that isn't done is killed."""
        if not reusable:
            self.child.kill()
        if self._place is not None:
            self._place.release()
            self._place = None

    def _next(self) -> tuple[bytes, bytes]:
        try:
            found = self.child.receive(min(self._long_from, self._end))
            if found is None and self._long_from < self._end:
                self._become_long()
                found = self.child.receive(self._end)
        except OSError as error:
            raise errors.EngineError(
                "The engine gave up on this query: it needs too much memory, or is too complex.",
                hint="Ask for less at a time.",
            ) from error
        if found is None:
            raise errors.QueryTimeoutError(
                f"The query was stopped at its deadline of {self._allowed_s:g} seconds.",
                hint="Narrow it, or ask for fewer things at a time.",
            )
        return found

    def _become_long(self) -> None:
        """Move to a place for long queries, so that short ones always find one."""
        if not self._long.acquire(blocking=False):
            raise errors.OverloadedError(
                "The query runs long, and all places for long queries are taken.",
                hint="Try again later, or narrow the query.",
            )
        if self._place is not None:
            self._place.release()
        self._place = self._long
        self._long_from = self._end


def refused(content: bytes) -> errors.MedbenchError:
    """The error that a child tells of."""
    problem = json.loads(content)
    return _REFUSALS[problem.pop("error")](**problem)


def _refuse(content: bytes) -> Any:  # noqa: ANN401  never returns
    raise refused(content)


def _keep(kept: IO[bytes], content: bytes) -> None:
    try:
        kept.write(content)
    except OSError as error:
        raise errors.OverloadedError(
            "There is no room for so large an answer now.", hint="Use LIMIT and OFFSET."
        ) from error


#: What a child may report, by name.
_REFUSALS: dict[str, type[errors.MedbenchError]] = {
    cls.__name__: cls
    for cls in (
        errors.QueryError,
        errors.UpdateError,
        errors.NotAcceptableError,
        errors.EngineError,
        errors.RecordError,
        errors.SubmissionError,
        errors.ConflictError,
        errors.NotFoundError,
        errors.StoreError,
    )
}
