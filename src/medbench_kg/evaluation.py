"""Evaluation that can be killed: queries of strangers run in processes of their own.

The engine knows no deadline in Python, and some queries make it crash, so each query runs in a
child that may die. A *nursery*, forked while the program has one thread and holds the loaded graph,
keeps a number of children ready; all wait on one Unix socket. A child serves one connection for its
life and can open neither file nor socket from then on. A :class:`Pool` keeps connections to
children, allows few long queries at a time, and kills the child of a query that is past its
deadline; the nursery forks another.

Only Linux is supported: the children end with their parent by ``prctl``.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import io
import json
import os
import re
import resource
import select
import signal
import socket
import struct
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from medbench_kg import errors
from medbench_kg.negotiation import Format, Kind, by_name

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.store import LocalStore

__all__ = ["Answer", "Limits", "Pool", "Request", "start_nursery"]

#: A frame is one letter, the length of what follows as 4 bytes, and its content.
_FRAME = struct.Struct(">cI")

#: Bytes that a child sends at a time, and of an answer that is kept in memory.
_CHUNK = 1 << 16
_IN_MEMORY = 1 << 20

_PDEATHSIG = 1

#: Characters that XML 1.0 can't hold; the engine writes them all the same.
_NOT_IN_XML = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(frozen=True)
class Limits:
    """What a query may use.

    Attributes:
        deadline_s: seconds until it is stopped.
        long_after_s: seconds after which it counts as long.
        memory_bytes: address space beyond that of the loaded graph.
        answer_bytes: size of the answer.
        short: queries at a time per server process.
        long: long queries at a time per server process, besides the short ones.
    """

    deadline_s: float = 10.0
    long_after_s: float = 1.0
    memory_bytes: int = 1 << 30
    answer_bytes: int = 1 << 28
    short: int = 4
    long: int = 2


@dataclass(frozen=True)
class Request:
    """A query as a client sends it.

    Attributes:
        text: SPARQL 1.1.
        results: name of the format for bindings; None if the client takes none that there is.
        graph: name of the format for triples; None likewise.
        base: IRI that relative references are resolved against.
        default_graphs: IRIs of the graphs that make the default graph; None leaves it to the text.
        named_graphs: IRIs of the named graphs; None leaves it to the text.
    """

    text: str
    results: str | None
    graph: str | None
    base: str
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None


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


def start_nursery(path: Path, store: LocalStore, limits: Limits, size: int) -> int:
    """Fork the process that keeps children ready; call it while there is one thread.

    Args:
        path: where to put the socket; its folder should be the user's alone.
        store: the loaded graph.
        limits: what a child may use.
        size: number of children.

    Returns:
        The process id of the nursery, which ends with this process.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(size * 4)
    pid = os.fork()
    if pid:
        listener.close()
        return pid
    try:
        _die_with_parent()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _keep(listener, store, limits, size)
    finally:
        os._exit(0)


class Pool:
    """Connections to children, shared by the threads of one server process."""

    def __init__(self, path: Path, limits: Limits) -> None:
        """Point at a nursery; connections are made when they are needed."""
        self._path = path
        self._limits = limits
        self._idle: list[_Child] = []
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
        if not self._short.acquire(timeout=self._limits.long_after_s):
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

    def close(self) -> None:
        """Let go of the idle children; they end."""
        with self._lock:
            while self._idle:
                self._idle.pop().kill()

    def _return(self, run: _Run) -> None:
        run.finish(reusable=True)
        with self._lock:
            self._idle.append(run.child)

    def _sent(self, request: Request) -> _Child:
        """Send a request to an idle child, or, if that has died meanwhile, to the next."""
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                child = _Child(self._path)
                child.send(request)
                return child
            try:
                child.send(request)
            except OSError:
                child.kill()
            else:
                return child


class _Child:
    """One end of a connection to a child."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(5)
        try:
            self._socket.connect(str(path))
            self.pid = int(_read_frame(self._socket)[1])
        except OSError as error:
            raise errors.OverloadedError(
                "No process for queries is ready.", hint="Try again in a second."
            ) from error

    def send(self, request: Request) -> None:
        _write_frame(self._socket, b"Q", json.dumps(asdict(request)).encode())

    def frame(self, until: float) -> tuple[bytes, bytes] | None:
        """The next frame, or None if there is none by then (monotonic clock)."""
        left = max(0.0, until - time.monotonic())
        ready, _, _ = select.select([self._socket], [], [], left)
        return _read_frame(self._socket) if ready else None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._socket.close()


class _Run:
    """One query on its way: its child, its places and its clock."""

    def __init__(
        self,
        child: _Child,
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
        fmt = by_name(json.loads(content)["format"]) if kind == b"H" else self._refuse(content)
        kept = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  the response closes it
        try:
            while (frame := self._next())[0] == b"D":
                kept.write(frame[1])
            if frame[0] != b"E":
                self._refuse(frame[1])
        except BaseException:
            kept.close()
            raise
        size = kept.tell()
        kept.seek(0)
        if size > _IN_MEMORY:
            return Answer(fmt, size, None, cast("IO[bytes]", kept))
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
            frame = self.child.frame(min(self._long_from, self._end))
            if frame is None and self._long_from < self._end:
                self._become_long()
                frame = self.child.frame(self._end)
        except OSError as error:
            raise errors.EngineError(
                "The engine gave up on this query: it needs too much memory, or is too complex.",
                hint="Ask for less at a time.",
            ) from error
        if frame is None:
            raise errors.QueryTimeoutError(
                f"The query was stopped at its deadline of {self._allowed_s:g} seconds.",
                hint="Narrow it, or ask for fewer things at a time.",
            )
        return frame

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

    @staticmethod
    def _refuse(content: bytes) -> Any:  # noqa: ANN401  never returns
        problem = json.loads(content)
        raise _REFUSALS[problem.pop("error")](**problem)


#: What a child may report, by name.
_REFUSALS: dict[str, type[errors.MedbenchError]] = {
    cls.__name__: cls
    for cls in (
        errors.QueryError,
        errors.UpdateError,
        errors.NotAcceptableError,
        errors.EngineError,
    )
}


def _keep(listener: socket.socket, store: LocalStore, limits: Limits, size: int) -> None:
    """Fork a child for each that ends, for ever."""
    living: set[int] = set()
    while True:
        while len(living) < size:
            pid = os.fork()
            if not pid:
                try:
                    _die_with_parent()
                    _serve(listener, store, limits)
                finally:
                    os._exit(0)
            living.add(pid)
        living.discard(os.wait()[0])


def _serve(listener: socket.socket, store: LocalStore, limits: Limits) -> None:
    """Be a child: take one connection, give up all rights, answer until it closes."""
    connection, _ = listener.accept()
    listener.close()
    faulthandler.disable()  # a crash is expected here, and told by the other end
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  what the engine says as it aborts
        os.dup2(nowhere.fileno(), 2)
    _write_frame(connection, b"P", str(os.getpid()).encode())
    _give_up_rights(limits)
    while True:
        try:
            _, content = _read_frame(connection)
        except OSError:
            return
        request = Request(**json.loads(content))
        try:
            _evaluate(connection, store, request, limits)
        except errors.MedbenchError as error:
            problem = {"message": error.message, "hint": error.hint, "where": error.where}
            name = type(error).__name__
            _write_frame(connection, b"X", json.dumps({"error": name, **problem}).encode())
        except MemoryError:
            return


def _evaluate(
    connection: socket.socket, store: LocalStore, request: Request, limits: Limits
) -> None:
    def pick(kind: Kind) -> Format:
        name = request.results if kind == "results" else request.graph
        if name is None:
            raise errors.NotAcceptableError("None of the media types that you accept fits.")
        output.forbidden = _NOT_IN_XML if name in {"xml", "rdfxml"} else None
        _write_frame(connection, b"H", json.dumps({"format": name}).encode())
        return by_name(name)

    output = _Output(connection, limits.answer_bytes)
    store.write_answer(
        request.text,
        pick,
        cast("IO[bytes]", output),
        base=request.base,
        default_graphs=request.default_graphs,
        named_graphs=request.named_graphs,
    )
    output.finish()


class _Output(io.BufferedIOBase):
    """What the engine writes an answer to: frames, up to a limit."""

    def __init__(self, connection: socket.socket, limit: int) -> None:
        super().__init__()
        #: Bytes that the format can't hold although the engine writes them.
        self.forbidden: re.Pattern[bytes] | None = None
        self._connection = connection
        self._left = limit
        self._kept = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401  any buffer
        content = bytes(data)
        self._left -= len(content)
        if self._left < 0:
            raise errors.EngineError(
                "The answer is larger than this server gives.", hint="Use LIMIT and OFFSET."
            )
        if self.forbidden is not None and self.forbidden.search(content):
            raise errors.NotAcceptableError(
                "The answer holds a character that XML can't hold.", hint="Ask for JSON or Turtle."
            )
        self._kept += content
        if len(self._kept) >= _CHUNK:
            self._send()
        return len(content)

    def finish(self) -> None:
        if self._kept:
            self._send()
        _write_frame(self._connection, b"E", b"")

    def _send(self) -> None:
        _write_frame(self._connection, b"D", bytes(self._kept))
        self._kept.clear()


def _give_up_rights(limits: Limits) -> None:
    """From here on: no new file, no socket, no core dump, no more memory than allowed."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  pathlib opens the same
        used = int(file.read().split()[0]) * resource.getpagesize()
    allowed = used + limits.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)


def _write_frame(
    connection: socket.socket, kind: Literal[b"P", b"Q", b"H", b"D", b"E", b"X"], content: bytes
) -> None:
    connection.sendall(_FRAME.pack(kind, len(content)) + content)


def _read_frame(connection: socket.socket) -> tuple[bytes, bytes]:
    kind, length = _FRAME.unpack(_read(connection, _FRAME.size))
    return kind, _read(connection, length)


def _read(connection: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = connection.recv(min(length - len(parts), _CHUNK))
        if not part:
            raise ConnectionResetError("the other end is gone")
        parts += part
    return bytes(parts)
