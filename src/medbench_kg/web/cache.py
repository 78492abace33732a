"""Answers that are kept, in front of the app: the same request gets the same bytes again.

What is kept is the whole response, headers, encoding and all, by everything that it depends on: a
repeated request costs a look-up. Conditions of requests are decided here, and nowhere behind. An
app serves one version of the graph for its life, so nothing that is kept gets stale.

Specification: RFC 9111, section 4; RFC 9110, section 13 (conditional requests).
"""

from __future__ import annotations

import hashlib
import io
import threading
from typing import TYPE_CHECKING

from cachetools import LRUCache
from werkzeug.wrappers import Response
from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["keep", "keep_nothing"]

#: Longest body of a request by which an answer is found again.
_BODY_BYTES = 1 << 16

#: What an answer depends on besides the method and the body of its request.
_ASKED = (
    "wsgi.url_scheme",
    "HTTP_HOST",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "CONTENT_TYPE",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
)

_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH")

#: Headers and body of an answer.
_Kept = tuple[list[tuple[str, str]], bytes]


def keep(app: WSGIApplication, paths: tuple[str, ...], max_bytes: int) -> WSGIApplication:
    """Keep those answers of an app that have an ETag.

    Args:
        app: answers the same to the same request, and leaves conditions to this.
        paths: beginnings of the paths whose answers are worth their room.
        max_bytes: size of all that is kept.
    """
    cache: LRUCache[bytes, _Kept] = LRUCache(max(max_bytes, 1), _size)
    lock = threading.Lock()

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        asked = _asked(environ) if environ["PATH_INFO"].startswith(paths) else None
        if asked is None:
            return app(environ, start_response)
        with lock:
            kept = cache.get(asked)
        if kept is None:
            head = _Head()
            content = app(_plain(environ), head)
            if head.status != "200 OK" or not any(name == "ETag" for name, _ in head.headers):
                return Response(content, head.status, head.headers)(environ, start_response)
            kept = [pair for pair in head.headers if pair[0] != "Date"], b"".join(content)
            if isinstance(content, ClosingIterator):
                content.close()
            with lock:
                if _size(kept) <= cache.maxsize:
                    cache[asked] = kept
        headers, body = kept
        if environ["REQUEST_METHOD"] == "HEAD" or any(name in environ for name in _CONDITIONS):
            return Response(body, 200, headers).make_conditional(environ)(environ, start_response)
        start_response("200 OK", headers)
        return [body]

    return answer


def keep_nothing(app: WSGIApplication, paths: tuple[str, ...]) -> WSGIApplication:
    """Keep no answer, and let nobody else keep one: a graph without version may change unseen."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith(paths):
            return app(environ, start_response)
        response = Response.from_app(app, _plain(environ))
        for name in ("ETag", "Last-Modified"):
            response.headers.pop(name, None)
        response.cache_control.no_store = True
        return response(environ, start_response)

    return answer


class _Head:
    """Takes the head of an answer."""

    status = ""
    headers: Sequence[tuple[str, str]] = ()

    def __call__(
        self, status: str, headers: list[tuple[str, str]], _error: object = None
    ) -> Callable[[bytes], object]:
        self.status, self.headers = status, headers
        return _write


def _write(_content: bytes) -> None:
    """Stand for what WSGI offers to old apps; none here calls it."""


def _asked(environ: WSGIEnvironment) -> bytes | None:
    """A digest of the request as it was sent; None if its answer isn't kept."""
    method, body = environ["REQUEST_METHOD"], b""
    if method in {"POST", "QUERY"}:
        length = environ.get("CONTENT_LENGTH", "")
        if not length.isdecimal() or int(length) > _BODY_BYTES:
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
    elif method not in {"GET", "HEAD"}:
        return None
    sent = (method.replace("HEAD", "GET"), body, *map(environ.get, _ASKED))
    return hashlib.sha256(repr(sent).encode()).digest()


def _plain(environ: WSGIEnvironment) -> WSGIEnvironment:
    """The request without conditions, and for the body where only the head was asked for."""
    plain = {name: value for name, value in environ.items() if name not in _CONDITIONS}
    return plain | {"REQUEST_METHOD": environ["REQUEST_METHOD"].replace("HEAD", "GET")}


def _size(kept: _Kept) -> int:
    """Bytes of an entry, its headers and its key included."""
    return len(kept[1]) + 2048
