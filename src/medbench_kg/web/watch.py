"""What surrounds every request: headers, a line in the log, counts, and whether all is well.

Specification: Fetch Standard (CORS); RFC 9110, section 9.3.7 (OPTIONS); Prometheus text format.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import resources
from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from medbench_kg.errors import MedbenchError
from medbench_kg.evaluation import Request
from medbench_kg.negotiation import encodings
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from flask import Flask

    from medbench_kg.evaluation import Pool
    from medbench_kg.pipeline import Manifest

__all__ = ["ENCODINGS", "watch"]

#: Encodings that answers are sent in, the best first.
ENCODINGS = ("zstd", "br", "gzip")

_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Link, Retry-After, Vary",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; "
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


def watch(app: Flask, pool: Pool, manifest: Manifest, *, access_log: bool) -> None:
    """Add headers, log, ``/healthz``, ``/readyz`` and ``/metrics`` to an app."""
    queries = Counter("medbench_queries", "Queries by route and status", ["route", "status"])
    seconds = Histogram("medbench_query_seconds", "Time to an answer", ["route"])
    graph = Gauge("medbench_graph_info", "Version", ["version"], multiprocess_mode="max")
    graph.labels(manifest.version).set(1)

    @app.before_request
    def begin() -> Response | None:
        g.begin = time.perf_counter()
        accepted = request.headers.get("Accept-Encoding", "")
        request.environ["HTTP_ACCEPT_ENCODING"] = encodings(accepted, ENCODINGS)
        if request.method == "OPTIONS" and request.url_rule is not None:
            return _preflight()
        return None

    @app.after_request
    def end(response: Response) -> Response:
        response.headers.extend({k: v for k, v in _HEADERS.items() if k not in response.headers})
        spent = time.perf_counter() - g.begin
        if request.blueprint == "protocol" and request.method != "OPTIONS":
            route = "query" if "/query/" in request.path else "sparql"
            queries.labels(route, str(response.status_code)).inc()
            seconds.labels(route).observe(spent)
        if access_log:
            _log(response, spent)
        return response

    app.register_blueprint(_health(pool))


def _preflight() -> Response:
    response = Response(status=204, headers=_PREFLIGHT)
    methods = set(request.url_rule.methods or ()) if request.url_rule else set()
    response.allow.update(sorted(methods))
    del response.headers["Content-Type"]
    return response


def _log(response: Response, spent: float) -> None:
    """Write one line; JSON's escapes leave no control character of a client's in it."""
    line = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "client": request.remote_addr,
        "method": request.method[:20],
        "path": request.full_path.rstrip("?")[:_LOGGED],
        "status": response.status_code,
        "bytes": response.content_length,
        "seconds": round(spent, 4),
        "agent": request.headers.get("User-Agent", "")[:_LOGGED],
    }
    sys.stderr.write(json.dumps(line) + "\n")


def _health(pool: Pool) -> Blueprint:
    routes = Blueprint("health", __name__)
    text = (resources.files("medbench_kg") / "sparql" / "alive.rq").read_text(encoding="utf-8")
    probe = Request(text, None, "json", None, BASE)

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
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(
            generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return routes
