"""What surrounds every request: headers, a line in the log, counts, and whether all is well.

Specification: Fetch Standard (CORS); RFC 9110, section 9.3.7 (OPTIONS); Prometheus text format.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import resources
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from werkzeug.wrappers import Request
from werkzeug.wsgi import ClosingIterator, FileWrapper

from medbench_kg import evaluation
from medbench_kg.errors import MedbenchError
from medbench_kg.negotiation import encodings
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client.metrics_core import Metric

    from medbench_kg.evaluation import Pool

    #: What WSGI hands over when something failed after the headers were made.
    _Error = (
        tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None
    )

__all__ = ["ENCODINGS", "health", "preflight", "watch"]

#: Encodings that answers are sent in, the best first.
ENCODINGS = ("zstd", "br", "gzip")

_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Content-Location, ETag, Link, Medbench-Hint, RateLimit, "
    "RateLimit-Policy, Retry-After, Vary",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; "
    "style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Content-Type-Options": "nosniff",
}
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, QUERY, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Content-Type, If-None-Match",
    "Access-Control-Max-Age": "86400",
}

#: Longest text of a client that is logged.
_LOGGED = 500

#: Bodies below this size go to the server in one piece; it takes longer over an iterator.
_LARGE = 1 << 20


def watch(app: WSGIApplication, *, access_log: bool) -> WSGIApplication:
    """Add headers to what an app answers, count it and log it.

    Args:
        app: gets an Accept-Encoding header that any library reads right.
        access_log: whether to write a line for each request.
    """
    queries = Counter("medbench_queries", "Queries", ["route", "status"], registry=None)
    seconds = Histogram("medbench_query_seconds", "Time to an answer", ["route"], registry=None)

    def watched(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        begin = time.perf_counter()
        accepted = environ.get("HTTP_ACCEPT_ENCODING", "")
        environ["HTTP_ACCEPT_ENCODING"] = encodings(accepted, ENCODINGS)
        told: dict[str, str] = {}

        def start(
            status: str, headers: list[tuple[str, str]], error: _Error = None
        ) -> Callable[[bytes], object]:
            told.update(headers)
            spent = time.perf_counter() - begin
            route = _route(environ)
            if route is not None:
                queries.labels(route, status[:3]).inc()
                seconds.labels(route).observe(spent)
            if access_log:
                _log(environ, status, told, spent)
            more = [(name, value) for name, value in _HEADERS.items() if name not in told]
            return start_response(status, headers + more, error)

        content = app(environ, start)
        return content if int(told.get("Content-Length", _LARGE)) >= _LARGE else _whole(content)

    return watched


def preflight() -> Response | None:
    """Answer OPTIONS, before any view is asked."""
    if request.method != "OPTIONS" or request.url_rule is None:
        return None
    response = Response(status=204, headers=_PREFLIGHT)
    response.allow.update(sorted(request.url_rule.methods or ()))
    del response.headers["Content-Type"]
    return response


def health(pool: Pool, version: str) -> Blueprint:
    """Make the routes that say whether all is well."""
    routes = Blueprint("health", __name__)
    text = (resources.files("medbench_kg") / "sparql" / "alive.rq").read_text(encoding="utf-8")
    probe = evaluation.Request(text, "json", None, None, BASE)

    @routes.get("/healthz")
    def healthz() -> Response:
        """Say that the process lives."""
        return Response("ok\n", content_type="text/plain; charset=utf-8")

    @routes.get("/readyz")
    def readyz() -> Response:
        """Say whether a query would be answered."""
        try:
            pool.run(probe, 2.0)
        except MedbenchError as error:
            return Response(f"{error}\n", 503, content_type="text/plain; charset=utf-8")
        return Response("ready\n", content_type="text/plain; charset=utf-8")

    @routes.get("/metrics")
    def metrics() -> Response:
        """Count over all server processes."""
        registry = CollectorRegistry()
        registry.register(_Version(version))
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(
            generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return routes


class _Version(Collector):
    """The version of the graph that is served; unlike a count, it isn't kept beyond that."""

    def __init__(self, version: str) -> None:
        self._version = version

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("medbench_graph_info", "Version", labels=["version"])
        family.add_metric([self._version], 1)
        yield family


def _route(environ: WSGIEnvironment) -> str | None:
    """What is counted: queries, those of strangers apart from the canned ones."""
    path = environ["PATH_INFO"].removeprefix("/zh")
    if environ["REQUEST_METHOD"] == "OPTIONS":
        return None
    return "sparql" if path == "/sparql" else "query" if path.startswith("/query/") else None


def _log(environ: WSGIEnvironment, status: str, headers: Mapping[str, str], spent: float) -> None:
    """Write one line; JSON's escapes leave no control character of a client's in it."""
    asked = Request(environ, populate_request=False)
    length = headers.get("Content-Length")
    line = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "client": asked.remote_addr,
        "method": asked.method[:20],
        "path": asked.full_path.rstrip("?")[:_LOGGED],
        "status": int(status[:3]),
        "bytes": None if length is None else int(length),
        "seconds": round(spent, 4),
        "agent": environ.get("HTTP_USER_AGENT", "")[:_LOGGED],
    }
    sys.stderr.write(json.dumps(line) + "\n")


def _whole(content: Iterable[bytes]) -> list[bytes]:
    if isinstance(content, list):
        return content
    body = b"".join(content)
    if isinstance(content, ClosingIterator | FileWrapper):
        content.close()
    return [body]
