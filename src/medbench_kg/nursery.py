"""The nursery: processes that answer one query at a time, and may die of it.

It is forked while the program has one thread and holds the loaded graph, and keeps a number of
children ready; all wait on one Unix socket. A child serves one connection for its life and can open
neither file nor socket from then on; when it ends, another is forked.

Only Linux is supported: the children end with their parent by ``prctl``.
"""

from __future__ import annotations

import ctypes
import faulthandler
import io
import json
import os
import re
import resource
import signal
import socket
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from medbench_kg import errors
from medbench_kg.negotiation import Format, Kind, by_name

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.store import LocalStore

__all__ = ["Limits", "Request", "end_with_parent", "read_frame", "start_nursery", "write_frame"]

#: A frame is one letter, the length of what follows as 4 bytes, and its content.
_FRAME = struct.Struct(">cI")

#: P: process id; Q: query; H: format of the answer; D: data; E: end; X: what is wrong.
FrameKind = Literal[b"P", b"Q", b"H", b"D", b"E", b"X"]

#: Bytes that a child sends at a time.
_CHUNK = 1 << 16

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
    long_after_s: float = 0.5
    memory_bytes: int = 1 << 29
    answer_bytes: int = 1 << 28
    short: int = 4
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


def start_nursery(path: Path, store: LocalStore, limits: Limits, size: int) -> int:
    """Fork the process that keeps children ready; call it while there is one thread.

    Args:
        path: where to put the socket; its folder should be the user's alone.
        store: the loaded graph.
        limits: what a child may use.
        size: number of children.

    Returns:
        The process id of the nursery, which ends with this process. Signals that stop or reload
        a program leave it alone, since they are often sent to all processes at once.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(size * 4)
    pid = os.fork()
    if pid:
        listener.close()
        return pid
    try:
        end_with_parent(signal.SIGKILL)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        _keep(listener, store, limits, size)
    finally:
        os._exit(0)


def end_with_parent(number: signal.Signals) -> None:
    """Have the kernel send this process a signal when the thread that forked it ends."""
    ctypes.CDLL(None).prctl(_PDEATHSIG, number)


def write_frame(connection: socket.socket, kind: FrameKind, content: bytes) -> None:
    """Send one frame."""
    connection.sendall(_frame(kind, content))


def _frame(kind: FrameKind, content: bytes) -> bytes:
    return _FRAME.pack(kind, len(content)) + content


def read_frame(connection: socket.socket) -> tuple[bytes, bytes]:
    """Receive one frame: its kind and its content.

    Raises:
        ConnectionResetError: the other end is gone.
    """
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


def _keep(listener: socket.socket, store: LocalStore, limits: Limits, size: int) -> None:
    """Fork a child for each that ends, for ever."""
    living: set[int] = set()
    while True:
        while len(living) < size:
            pid = os.fork()
            if not pid:
                try:
                    end_with_parent(signal.SIGKILL)
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
    write_frame(connection, b"P", str(os.getpid()).encode())
    _give_up_rights(limits)
    while True:
        try:
            _, content = read_frame(connection)
        except OSError:
            return
        request = Request(**json.loads(content))
        try:
            _evaluate(connection, store, request, limits)
        except errors.MedbenchError as error:
            problem = {"message": error.message, "hint": error.hint, "where": error.where}
            name = type(error).__name__
            write_frame(connection, b"X", json.dumps({"error": name, **problem}).encode())
        except MemoryError:
            return


def _evaluate(
    connection: socket.socket, store: LocalStore, request: Request, limits: Limits
) -> None:
    def pick(kind: Kind) -> Format:
        name: str | None = getattr(request, kind)
        if name is None:
            raise errors.NotAcceptableError("No format that you accept fits.", where=kind)
        output.forbidden = _NOT_IN_XML if name in {"xml", "rdfxml"} else None
        output.begin(json.dumps({"format": name}).encode())
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
        self._frames = bytearray()

    def begin(self, head: bytes) -> None:
        """Say what the answer is written in; it goes out with the first data."""
        self._frames += _frame(b"H", head)

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
        self._frames += _frame(b"D", bytes(self._kept)) + _frame(b"E", b"")
        self._connection.sendall(self._frames)

    def _send(self) -> None:
        self._connection.sendall(self._frames + _frame(b"D", bytes(self._kept)))
        self._frames.clear()
        self._kept.clear()


def _give_up_rights(limits: Limits) -> None:
    """From here on: no new file, no socket, no core dump, no more memory than allowed."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  pathlib opens the same
        used = int(file.read().split()[0]) * resource.getpagesize()
    allowed = used + limits.memory_bytes
    resource.setrlimit(resource.RLIMIT_AS, (allowed, allowed))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
