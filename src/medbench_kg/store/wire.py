"""Requests to another server, so that its failures stay its own.

Connections are kept alive. A read is tried again when that may help, never beyond its deadline;
when a server keeps failing it is left alone for a while. No redirect is followed, so credentials
go to no other host. An answer is handed on once it is complete.

Specification: RFC 9110, sections 9.2.2 (idempotent methods), 10.2.3 (Retry-After) and 15.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, cast

import urllib3
from circuitbreaker import CircuitBreaker
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from tenacity.stop import stop_base
from urllib3.util import make_headers

from medbench_kg.errors import (
    EndpointError,
    EngineError,
    NotAcceptableError,
    QueryError,
    QueryTimeoutError,
    StoreError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenacity import RetryCallState
    from urllib3 import BaseHTTPResponse

    from medbench_kg.settings import Endpoint

__all__ = ["Reply", "Wire"]

#: Times that a read is sent at most, and the longest pause before the second, in seconds; it
#: doubles with each.
_TRIES = 4
_PAUSE_S = 0.2

#: Failures in a row after which a server is left alone, and for how many seconds.
_FAILURES = 5
_ALONE_S = 10

#: Seconds that a connection may take.
_CONNECT_WITHIN_S = 5.0

#: Bytes of an answer that are kept in memory, and that are read at a time.
_IN_MEMORY = 1 << 20
_PIECE = 1 << 16

#: What a server says when it has done all that was asked; 206 is a part of an answer.
_FINE = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NO_CONTENT})

#: What a server says when it, or the one behind it, can't answer now.
_TRY_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Reply:
    """A complete answer, kept on disk when it is large; ``body`` is at its beginning."""

    media_type: str
    headers: Mapping[str, str]
    size: int
    body: IO[bytes]


class _TooLate(stop_base):
    """Stop when the next try would begin after the deadline."""

    def __init__(self, end: float) -> None:
        self._end = end

    def __call__(self, state: RetryCallState) -> bool:
        return time.monotonic() + state.upcoming_sleep >= self._end


class Wire:
    """Connections to one server, shared by threads."""

    def __init__(self, endpoint: Endpoint, max_bytes: int) -> None:
        """Point at a server; nothing is sent yet.

        Args:
            endpoint: says how to be let in.
            max_bytes: longest answer that is read.
        """
        self._authorization = _authorization(endpoint)
        self._max_bytes = max_bytes
        self._pool = urllib3.PoolManager(maxsize=64)
        self._breaker = CircuitBreaker(
            failure_threshold=_FAILURES,
            recovery_timeout=_ALONE_S,
            expected_exception=(EndpointError, QueryTimeoutError),
        )

    def read(
        self,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        deadline_s: float,
        *,
        trusted: bool = True,
    ) -> Reply:
        """Ask for something that changes nothing, so that it may be asked again.

        Args:
            url: where; sent as POST if there is a body, else as GET.
            body: a form or document.
            headers: without credentials, which are added.
            deadline_s: seconds that all tries may take together.
            trusted: whether a failure tells about the server; that of a stranger's query may be
                the query's own, and mustn't keep others from asking.

        Raises:
            EndpointError: the server can't be reached, or failed each time.
            QueryTimeoutError: it took too long.
            QueryError: it refuses the request as wrong.
            NotAcceptableError: it can't write the format that was asked for.
            EngineError: the answer is too large.
            StoreError: it lets us not in, or isn't there.
        """
        if self._breaker.opened:
            raise EndpointError(
                "The endpoint behind this server keeps failing and is left alone for a moment.",
                hint="Try again later.",
                retry_after_s=max(1, self._breaker.open_remaining),
            )
        end = time.monotonic() + deadline_s
        method = "GET" if body is None else "POST"
        tries = Retrying(
            retry=retry_if_exception_type(EndpointError),
            stop=stop_after_attempt(_TRIES) | _TooLate(end),
            wait=wait_random_exponential(multiplier=_PAUSE_S),
            reraise=True,
        )
        with self._breaker if trusted else contextlib.nullcontext():
            return tries(self._send, method, url, body, headers, end)

    def write(
        self,
        method: str,
        url: str,
        body: bytes | IO[bytes],
        headers: Mapping[str, str],
        deadline_s: float,
    ) -> Reply:
        """Send a change, once; the errors are those of :meth:`read`."""
        return self._send(method, url, body, headers, time.monotonic() + deadline_s)

    def _send(
        self,
        method: str,
        url: str,
        body: bytes | IO[bytes] | None,
        headers: Mapping[str, str],
        end: float,
    ) -> Reply:
        left = max(end - time.monotonic(), 0.01)
        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers={**headers, **self._authorization},
                retries=False,
                redirect=False,
                timeout=urllib3.Timeout(connect=min(left, _CONNECT_WITHIN_S), read=left),
                preload_content=False,
                decode_content=False,
            )
            with contextlib.closing(response):
                return self._taken(response, end)
        except urllib3.exceptions.ConnectTimeoutError as error:
            raise _unreachable(error) from error
        except urllib3.exceptions.TimeoutError as error:
            raise _too_long() from error
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(error) from error

    def _taken(self, response: BaseHTTPResponse, end: float) -> Reply:
        if response.status not in _FINE:
            raise _refusal(response)
        body = cast("IO[bytes]", tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115  the reader closes it
        try:
            while piece := response.read1(_PIECE):
                self._allow(body.tell() + len(piece), end)
                body.write(piece)
        except BaseException:
            body.close()
            raise
        size = body.tell()
        body.seek(0)
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Reply(media_type, response.headers, size, body)

    def _allow(self, size: int, end: float) -> None:
        if size > self._max_bytes:
            raise EngineError("The answer is too large.", hint="Use LIMIT and OFFSET.")
        if time.monotonic() > end:
            raise _too_long()


def _authorization(endpoint: Endpoint) -> dict[str, str]:
    if endpoint.token:
        return {"Authorization": f"Bearer {endpoint.token}"}
    if endpoint.user:
        return make_headers(basic_auth=f"{endpoint.user}:{endpoint.password}")
    return {}


def _refusal(response: BaseHTTPResponse) -> Exception:
    """What a status other than success means to whoever asked."""
    status, said = response.status, _first_line(response)
    if status in _TRY_AGAIN:
        return EndpointError(
            f"The endpoint behind this server failed with status {status}{said}.",
            hint="Try again later, or ask for less.",
        )
    if status == HTTPStatus.BAD_REQUEST:
        return QueryError(f"The endpoint behind this server refuses this{said}.")
    if status == HTTPStatus.NOT_ACCEPTABLE:
        return NotAcceptableError(
            "The endpoint behind this server can't write this format.", hint="Ask for another."
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        reason = f"redirects to {response.headers.get('Location', 'another address')[:200]!r}"
        return StoreError(f"The endpoint {reason}.", hint="Use that address, if it is yours.")
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return StoreError(
            f"The endpoint lets us not in (status {status}).",
            hint="Set MEDBENCH_ENDPOINT_USER and MEDBENCH_ENDPOINT_PASSWORD, or "
            "MEDBENCH_ENDPOINT_TOKEN.",
        )
    return StoreError(
        f"The endpoint answers with status {status}{said}.", hint="Check its address."
    )


def _first_line(response: BaseHTTPResponse) -> str:
    """Begin of what a server says about its refusal, without control characters; "" for HTML."""
    if "text/plain" not in response.headers.get("Content-Type", ""):
        return ""
    lines = response.read1(_PIECE).decode("utf-8", "replace").splitlines()
    line = next((line for line in lines if line.strip()), "")
    said = "".join(character for character in line if character.isprintable())[:200]
    return f": {said}" if said else ""


def _unreachable(error: Exception) -> EndpointError:
    reasons = {
        urllib3.exceptions.NameResolutionError: "its name isn't known",
        urllib3.exceptions.NewConnectionError: "nothing answers at its address",
        urllib3.exceptions.ConnectTimeoutError: "it accepts no connection",
        urllib3.exceptions.SSLError: "its certificate isn't accepted",
    }
    reason = reasons.get(type(error), "its answer broke off")
    return EndpointError(
        f"The endpoint behind this server gave no answer: {reason}.",
        hint="Check its address and that it is running, and try again.",
    )


def _too_long() -> QueryTimeoutError:
    return QueryTimeoutError(
        "The endpoint behind this server took too long.",
        hint="Narrow the query, or ask for fewer things at a time.",
    )
