"""The load client: a process of its own that sends one request after another over kept connections.

It reads orders as lines of JSON and answers each with a line. It speaks HTTP over plain sockets,
since ``http.client`` would need longer for a request than the fastest server here. The texts of a
run differ in a comment when the order says so: no cache that goes by the text can help then.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Seconds that the last answers of a run may take.
DRAIN_S = 30.0

_CHUNK = 1 << 18


@dataclass(frozen=True)
class Order:
    """What to measure.

    Attributes:
        port: of the server, on 127.0.0.1.
        paths: taken in turns; up to and with the ``query=`` that the text is put after.
        text: the query; "" if the paths are complete.
        accept: media type to ask for.
        clients: number of connections, each with one request at a time.
        seconds: how long to begin requests.
        varied: whether each text is another one.
        first: number of the first text.
    """

    port: int
    paths: Sequence[str]
    text: str
    accept: str
    clients: int
    seconds: float
    varied: bool
    first: int

    def request(self, number: int) -> bytes:
        path = self.paths[number % len(self.paths)]
        if self.text:
            comment = number if self.varied else 0
            path += quote(f"{self.text.rstrip()}\n# {comment}\n", safe="")
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Accept: {self.accept}\r\nUser-Agent: bench\r\n\r\n"
        ).encode()


@dataclass
class Outcome:
    """What was measured; times in seconds, statuses with 0 for what broke off."""

    answered: int = 0
    failed: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    elapsed: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    drained: bool = True
    times: list[float] = field(default_factory=list)

    def line(self) -> str:
        times = sorted(self.times)
        if times:
            self.p50 = times[len(times) // 2]
            self.p99 = times[min(len(times) - 1, int(len(times) * 0.99))]
        self.times = []
        return json.dumps(asdict(self))


class Connection:
    """A connection that is kept as long as the server keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._buffer = bytearray()
        self.begun = 0.0
        self._open()

    def _open(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self._port), timeout=5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, request: bytes) -> None:
        self._buffer.clear()
        self.begun = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """Take what has come; the status if the answer is complete, 0 if it broke off."""
        try:
            part = self.socket.recv(_CHUNK)
        except OSError:
            return 0
        self._buffer += part
        if not part:
            return 0
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return None
        headers = bytes(self._buffer[:head]).lower()
        if not self._complete(headers, head + 4):
            return None
        return int(headers.split(b" ", 2)[1])

    def _complete(self, headers: bytes, body: int) -> bool:
        if b"transfer-encoding: chunked" in headers:
            return self._buffer.endswith(b"0\r\n\r\n")
        _, found, rest = headers.partition(b"content-length:")
        return bool(found) and len(self._buffer) - body >= int(rest.split(b"\r\n", 1)[0])

    def renew(self) -> None:
        self.socket.close()
        self._open()

    def wants_renewal(self) -> bool:
        return b"connection: close" in bytes(self._buffer[:2000]).lower()


def run(order: Order) -> Outcome:
    outcome = Outcome()
    number = order.first
    with selectors.DefaultSelector() as selector:
        begin = time.perf_counter()
        end = begin + order.seconds
        pending = 0
        for _ in range(order.clients):
            connection = Connection(order.port)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(order.request(number))
            number += 1
            pending += 1
        while pending and time.perf_counter() < end + DRAIN_S:
            for key, _ in selector.select(1.0):
                connection = key.data
                status = connection.receive()
                if status is None:
                    continue
                now = time.perf_counter()
                pending -= 1
                outcome.statuses[status] = outcome.statuses.get(status, 0) + 1
                if status == 200:
                    outcome.answered += 1
                    outcome.times.append(now - connection.begun)
                else:
                    outcome.failed += 1
                if now >= end:
                    continue
                if status == 0 or connection.wants_renewal():
                    selector.unregister(connection.socket)
                    connection.renew()
                    selector.register(connection.socket, selectors.EVENT_READ, connection)
                connection.send(order.request(number))
                number += 1
                pending += 1
        outcome.elapsed = time.perf_counter() - begin
        outcome.drained = not pending
        for key in list(selector.get_map().values()):
            key.data.socket.close()
    return outcome


def main() -> None:
    for line in sys.stdin:
        try:
            answer = run(Order(**json.loads(line))).line()
        except OSError as error:
            answer = json.dumps({"error": str(error)})
        sys.stdout.write(answer + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
