"""Asks public web servers, and no others, patiently and one request at a time for each host.

A name is resolved once and the connection goes to an address that was checked, so no later answer
of a name server leads into a private network. Redirects are followed by hand: each step is checked
as the first was.

Specification: RFC 9110, sections 9.3.2 (HEAD) and 15.4 (redirection); RFC 6890 (addresses that
aren't public).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError, SSLError

from medbench_kg.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from urllib3 import HTTPResponse

    #: Host and port → its addresses, or a :class:`FetchError`.
    Resolver = Callable[[str, int], list[str]]

__all__ = ["Visit", "Web", "public_addresses"]

#: Steps of a redirection that are followed, and times that each is asked.
_STEPS, _TRIES = 10, 3

#: Statuses of redirects, and those of them that are for good.
_REDIRECTS, _FOR_GOOD = frozenset({301, 302, 303, 307, 308}), frozenset({301, 308})

#: Statuses of servers that may answer better a moment later.
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})

_PORTS = {"http": 80, "https": 443}

#: IPv6 addresses below this end with the IPv4 address that they lead to (RFC 6052).
_NAT64 = IPv6Address("64:ff9b::")

#: What a path may hold as it is; the rest is percent-encoded (RFC 3986, section 3.3).
_SAFE = "/%!$&'()*+,;=:@~?"

_AGENT = "medbench-kg (+https://w3id.org/medbench-kg/)"


@dataclass(frozen=True)
class Visit:
    """What became of asking for an address.

    Attributes:
        status: HTTP status of the last answer; None if none came.
        failure: slug of why none came, see :class:`FetchError`; "" if one did.
        end: where the redirects led to; the address itself if there were none.
        moved_to: where it has moved for good; "" if it hasn't.
    """

    status: int | None
    failure: str
    end: str
    moved_to: str


class _BusyError(Exception):
    """A server answers that it may answer better a moment later."""

    def __init__(self, answer: _Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True)
class _Answer:
    """An answer to one request: status, where it redirects to ("" if it doesn't), and body."""

    status: int
    location: str
    body: bytes = b""


@dataclass
class _Turn:
    """When a host may be asked again."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    free_at: float = 0.0


def public_addresses(host: str, port: int) -> list[str]:
    """Resolve a name to addresses of the public internet.

    Raises:
        FetchError: it has none, or one that isn't public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError("no-address", f"The name “{host}” has no address.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not all(_is_public(address) for address in addresses):
        raise FetchError("not-public", f"“{host}” isn't on the public internet.")
    return addresses


class Web:
    """The public web, shared by threads."""

    def __init__(
        self,
        resolve: Resolver | None = None,
        *,
        pause_s: float = 1.0,
        deadline_s: float = 20.0,
        certificates: ssl.SSLContext | None = None,
    ) -> None:
        """Set out; nothing is sent yet.

        Args:
            resolve: gives the addresses of a host, and refuses what mustn't be asked; by default
                :func:`public_addresses`.
            pause_s: seconds between two requests to a host, and before the first retry.
            deadline_s: seconds that a request may take.
            certificates: which certificates are trusted; by default those of the system.
        """
        self._resolve = resolve or public_addresses
        self._pause_s = pause_s
        self._deadline_s = deadline_s
        self._certificates = certificates or ssl.create_default_context()
        self._turns: dict[str, _Turn] = {}
        self._entrance = threading.Lock()

    def visit(self, url: str) -> Visit:
        """Ask whether something is at an address, without reading it."""
        end = moved_to = url
        try:
            for end, moved_to, answer in self._way(url, self._look):
                if not answer.location:
                    return Visit(answer.status, "", end, moved_to if moved_to != url else "")
        except FetchError as error:
            return Visit(None, error.reason, end, "")
        return Visit(None, "redirects", end, "")

    def finds(self, url: str) -> bool:
        """Whether the host of an address has an address of the public internet."""
        _, host, port = _parts(url)
        try:
            return bool(self._resolve(host, port))
        except FetchError:
            return False

    def read(self, url: str, max_bytes: int = 1 << 22) -> bytes:
        """Fetch what is at an address.

        Raises:
            FetchError: there is no answer, it isn't a document, or it is too large.
        """
        for _, _, answer in self._way(url, lambda at: self._ask("GET", at, max_bytes)):
            if not answer.location:
                if answer.status != HTTPStatus.OK:
                    raise FetchError("status", f"{url} answers with status {answer.status}.")
                return answer.body
        raise FetchError("redirects", f"{url} redirects without end.")

    def _way(self, url: str, ask: Callable[[str], _Answer]) -> Iterator[tuple[str, str, _Answer]]:
        """Follow redirects: each place, where all redirects for good led to, and the answer."""
        at = moved_to = url
        for_good = True
        for _ in range(_STEPS):
            answer = ask(at)
            yield at, moved_to, answer
            if not answer.location:
                return
            at = urljoin(at, answer.location)
            for_good = for_good and answer.status in _FOR_GOOD
            moved_to = at if for_good else moved_to

    def _look(self, url: str) -> _Answer:
        """Ask by HEAD, and by GET if that isn't answered well: many servers don't know HEAD."""
        with contextlib.suppress(FetchError, _BusyError):
            answer = self._send("HEAD", url, 0)
            if answer.location or answer.status < HTTPStatus.MULTIPLE_CHOICES:
                return answer
        return self._ask("GET", url)

    def _ask(self, method: str, url: str, max_bytes: int = 0) -> _Answer:
        tries = Retrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_attempt(_TRIES),
            wait=wait_random_exponential(multiplier=self._pause_s),
            reraise=True,
        )
        try:
            return tries(self._send, method, url, max_bytes)
        except _BusyError as busy:
            return busy.answer

    def _send(self, method: str, url: str, max_bytes: int) -> _Answer:
        parts, host, port = _parts(url)
        (address, *_) = self._resolve(host, port)
        connection = self._connection(parts.scheme, address, host, port)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Host": _host(parts), "User-Agent": _AGENT, "Accept": "*/*"}
        with self._turn(host), _in_time(connection, self._deadline_s):
            connection.request(
                method, quote(target, safe=_SAFE), headers=headers, preload_content=False
            )
            answer = _taken(connection.getresponse(), max_bytes)
        if answer.status in _TRY_AGAIN:
            raise _BusyError(answer)
        return answer

    def _connection(self, scheme: str, address: str, host: str, port: int) -> HTTPConnection:
        if scheme == "http":
            return HTTPConnection(address, port, timeout=self._deadline_s)
        return HTTPSConnection(
            address,
            port,
            timeout=self._deadline_s,
            ssl_context=self._certificates,
            server_hostname=host,
        )

    @contextlib.contextmanager
    def _turn(self, host: str) -> Iterator[None]:
        """Wait until a host may be asked, and keep others from asking it."""
        with self._entrance:
            turn = self._turns.setdefault(host, _Turn())
        with turn.lock:
            time.sleep(max(0.0, turn.free_at - time.monotonic()))
            try:
                yield
            finally:
                turn.free_at = time.monotonic() + self._pause_s


def _parts(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna").decode(), parts.port
    except ValueError as error:
        raise FetchError("no-address", f"“{url}” isn't a web address.") from error
    if parts.scheme not in _PORTS or not host:
        raise FetchError("not-public", f"“{url}” isn't an address of the public web.")
    return parts, host, port or _PORTS[parts.scheme]


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2].encode("idna").decode()


def _taken(response: HTTPResponse, max_bytes: int) -> _Answer:
    location = response.headers.get("Location", "") if response.status in _REDIRECTS else ""
    body = b"" if location else response.read(max_bytes + 1) if max_bytes else b""
    if len(body) > max_bytes:
        raise FetchError("too-large", f"The answer has more than {max_bytes} bytes.")
    return _Answer(response.status, location, body)


@contextlib.contextmanager
def _in_time(connection: HTTPConnection, seconds: float) -> Iterator[None]:
    """Close a connection at the end or in time, however slowly the server sends; name failures."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
        if late.is_set():
            raise TimeoutError
    except (OSError, HTTPError, HTTPException) as error:
        raise _failure(error, late=late.is_set()) from error
    finally:
        timer.cancel()
        connection.close()


def _failure(error: Exception, *, late: bool) -> FetchError:
    if late or isinstance(error, ConnectTimeoutError | ReadTimeoutError | TimeoutError):
        return FetchError("timeout", "The server takes too long.")
    if isinstance(error, ssl.SSLError | SSLError):
        return FetchError("tls", "The server's certificate can't be trusted.")
    return FetchError("no-connection", "The connection fails.")


def _may_pass(error: BaseException) -> bool:
    """Whether asking again may help."""
    passing = {"no-connection", "timeout"}
    return isinstance(error, _BusyError) or (
        isinstance(error, FetchError) and error.reason in passing
    )


def _is_public(text: str) -> bool:
    address = ip_address(text)
    while isinstance(address, IPv6Address) and (inner := _within(address)):
        address = inner
    return address.is_global and not address.is_multicast


def _within(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address leads to, if that is what it is for."""
    if int(address) >> 32 == int(_NAT64) >> 32:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
