"""The nursery: processes that work on what strangers send, and may die of it.

It is forked while the program has one thread and holds the loaded graph, and keeps a number of
children ready; all wait on one Unix socket. A child serves one connection for its life; when it
ends, another is forked. Once it has seen what a stranger sends it can open neither socket nor file,
but for those of an on-disk graph.

Only Linux is supported: the children end with their parent by ``prctl``.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import io
import json
import logging
import math
import os
import re
import resource
import select
import signal
import socket
import struct
import time
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from medbench_kg import errors
from medbench_kg.confinement import forbid_sockets
from medbench_kg.negotiation import Format, Kind, by_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from medbench_kg.store import LocalStore

__all__ = [
    "Channel",
    "Limits",
    "Request",
    "Work",
    "end_with_parent",
    "frame",
    "give_up_rights",
    "start_nursery",
    "work_on_queries",
]

#: A frame is one letter, the length of what follows as 4 bytes, and its content.
_FRAME = struct.Struct(">cI")

#: P: process id; Q: query; H: format of the answer; D: data; E: end; X: what is wrong.
FrameKind = Literal[b"P", b"Q", b"H", b"D", b"E", b"X"]

#: Bytes that a child sends at a time.
_CHUNK = 1 << 16

_PDEATHSIG = 1

#: Queries of strangers yield to everything else, on a scale to 19.
_BEHIND = 10

_log = logging.getLogger(__name__)

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
    long_after_s: float = 0.5
    memory_bytes: int = 1 << 29
    answer_bytes: int = 1 << 28
    short: int = 3
    long: int = 2


@dataclass(frozen=True)
class Request:
    """A query as a client sends it.

    Attributes:
        text: SPARQL 1.1.
        results: name of the format for bindings; None if the client takes none that there is.
        boolean: name of the format for a boolean; None likewise.
        graph: name of the format for triples; None likewise.
        base: IRI that relative references are resolved against.
        default_graphs: IRIs of the graphs that make the default graph; None leaves it to the text.
        named_graphs: IRIs of the named graphs; None leaves it to the text.
    """

    text: str
    results: str | None
    boolean: str | None
    graph: str | None
    base: str
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Work:
    """What a nursery is for.

    Attributes:
        serve: what each child does with its connection.
        renew: called in the nursery before it forks, so that a child begins with what is new.
    """

    serve: Callable[[Channel], None]
    renew: Callable[[], None] | None = None


def start_nursery(
    path: Path,
    size: int,
    prepare: Callable[[], Work],
    *,
    is_lazy: bool = False,
) -> int:
    """Fork the process that keeps children ready; call it while there is one thread.

    Args:
        path: where to put the socket; its folder should be the user's alone.
        size: number of children.
        prepare: called in the nursery, gives what it is for.
        is_lazy: whether that waits until somebody connects.

    Returns:
        The process id of the nursery, which ends with this process. Signals that stop or reload
        a program leave it alone, since they are often sent to all processes at once.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(size * 4)
    parent = os.getpid()
    pid = os.fork()
    if pid:
        listener.close()
        return pid
    try:
        end_with_parent(parent, signal.SIGKILL)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        os.nice(_BEHIND)
        if is_lazy:
            select.select([listener], [], [])
        _keep(listener, prepare(), size)
    except Exception:  # noqa: BLE001  nobody else would say what it was
        _log.exception("No process could be made ready")
    finally:
        os._exit(0)


def work_on_queries(store: LocalStore, limits: Limits) -> Work:
    """Prepare to answer queries.

    Args:
        store: the loaded graph.
        limits: what a child may use.
    """
    if store.unopened_files:
        forbid_sockets()  # a limit on files, which forbids sockets too, can't be 0 then
    return Work(partial(_answer_queries, store=store, limits=limits))


def end_with_parent(parent: int, number: signal.Signals) -> None:
    """Have the kernel send this process a signal when the thread that forked it ends.

    Args:
        parent: process id of that which forked this one; it may have ended already.
        number: the signal.
    """
    ctypes.CDLL(None).prctl(_PDEATHSIG, number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)


class Channel:
    """One end of the connection between a server process and a child."""

    def __init__(self, connection: socket.socket) -> None:
        """Take over a connected socket."""
        self._connection = connection
        self._received = bytearray()
        self._readable = select.poll()
        self._readable.register(connection, select.POLLIN)

    def send(self, *frames: bytes) -> None:
        """Send frames as :func:`frame` makes them, in one piece."""
        self._connection.sendall(b"".join(frames))

    def refuse(self, error: errors.MedbenchError) -> None:
        """Say what is wrong."""
        problem = {"message": error.message, "hint": error.hint, "where": error.where}
        named = json.dumps({"error": type(error).__name__, **problem})
        self.send(frame(b"X", named.encode()))

    def receive(self, until: float = math.inf) -> tuple[bytes, bytes] | None:
        """The next frame, its kind and its content, or None if there is none by a time.

        Args:
            until: of the monotonic clock, in seconds.

        Raises:
            ConnectionResetError: the other end is gone.
        """
        while (found := self._frame()) is None:
            if until < math.inf:  # a child has no right to poll
                left_ms = (until - time.monotonic()) * 1000
                if not self._readable.poll(max(0.0, left_ms)):
                    return None
            part = self._connection.recv(_CHUNK)
            if not part:
                raise ConnectionResetError("the other end is gone")
            self._received += part
        return found

    def _frame(self) -> tuple[bytes, bytes] | None:
        """Take a frame out of what was received, if it is there to its end."""
        if len(self._received) < _FRAME.size:
            return None
        kind, length = _FRAME.unpack_from(self._received)
        end = _FRAME.size + length
        if len(self._received) < end:
            return None
        content = bytes(memoryview(self._received)[_FRAME.size : end])
        del self._received[:end]
        return kind, content

    def close(self) -> None:
        """Close the connection; a child ends then."""
        self._connection.close()


def frame(kind: FrameKind, content: bytes = b"") -> bytes:
    """Write a frame."""
    return _FRAME.pack(kind, len(content)) + content


def _keep(listener: socket.socket, work: Work, size: int) -> None:
    """Fork a child for each that ends, for ever."""
    living: set[int] = set()
    parent = os.getpid()
    while True:
        if work.renew is not None:
            work.renew()
        while len(living) < size:
            pid = os.fork()
            if not pid:
                try:
                    end_with_parent(parent, signal.SIGKILL)
                    _serve(listener, work.serve)
                finally:
                    os._exit(0)
            living.add(pid)
        living.discard(os.wait()[0])


def _serve(listener: socket.socket, work: Callable[[Channel], None]) -> None:
    """Be a child: take one connection and work on what comes until it closes."""
    connection, _ = listener.accept()
    listener.close()
    faulthandler.disable()  # a crash is expected here, and told by the other end
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  what the engine says as it aborts
        os.dup2(nowhere.fileno(), 2)
    channel = Channel(connection)
    channel.send(frame(b"P", str(os.getpid()).encode()))
    with contextlib.suppress(OSError, MemoryError):
        work(channel)


def _answer_queries(channel: Channel, store: LocalStore, limits: Limits) -> None:
    give_up_rights(limits.memory_bytes, store.unopened_files)
    while asked := channel.receive():
        try:
            _evaluate(channel, store, Request(**json.loads(asked[1])), limits)
        except errors.MedbenchError as error:
            channel.refuse(error)


def _evaluate(channel: Channel, store: LocalStore, request: Request, limits: Limits) -> None:
    def pick(kind: Kind) -> Format:
        name: str | None = getattr(request, kind)
        if name is None:
            raise errors.NotAcceptableError("No format that you accept fits.", where=kind)
        output.forbidden = _NOT_IN_XML if name in {"xml", "rdfxml"} else None
        output.begin(name.encode())
        return by_name(name)

    output = _Output(channel, limits.answer_bytes)
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

    def __init__(self, channel: Channel, limit: int) -> None:
        super().__init__()
        #: Bytes that the format can't hold although the engine writes them.
        self.forbidden: re.Pattern[bytes] | None = None
        self._channel = channel
        self._left = limit
        self._kept = bytearray()
        self._head = b""

    def begin(self, head: bytes) -> None:
        """Say what the answer is written in; it goes out with the first data."""
        self._head = frame(b"H", head)

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401  any buffer
        content = bytes(data)
        self._left -= len(content)
        if self._left < 0:
            raise errors.EngineError(
                "The answer is larger than this server allows.", hint="Use LIMIT and OFFSET."
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
        self._send(frame(b"E"))

    def _send(self, end: bytes = b"") -> None:
        self._channel.send(self._head, frame(b"D", bytes(self._kept)), end)
        self._head = b""
        self._kept.clear()


def give_up_rights(memory_bytes: int, files: int = 0) -> None:
    """From here on: no socket, no core dump, no more memory and no more files than allowed."""
    if files:
        files += len(os.listdir("/proc/self/fd"))  # noqa: PTH208  pathlib can't tell how many
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  pathlib opens the same
        used = int(file.read().split()[0]) * resource.getpagesize()
    allowed = used + memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
