"""A limit on how often a client asks, in front of all that answers, kept answers included.

Each server process counts for itself. A client is an IPv4 address, or a network of 2^64 IPv6
addresses, which one subscriber usually has.

Specification: RFC 6585, section 4; draft-ietf-httpapi-ratelimit-headers.
"""

from __future__ import annotations

import math
import time
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from flask import request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from medbench_kg.errors import RateLimitError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Flask, Response
    from limits import WindowStats

__all__ = ["limit"]

#: Where the app finds the state of a client that asks too often.
_REFUSED = "medbench.refused"


def limit(app: WSGIApplication, flask: Flask, rate: str) -> WSGIApplication:
    """Let a client ask only so often.

    Args:
        app: answers those that may ask.
        flask: answers the others; its problem documents say why.
        rate: number and time, such as ``300/minute``; ``off`` for no limit.
    """
    if rate == "off":
        return app
    item = parse(rate)
    limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
    refuse = flask.wsgi_app

    def limited(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        client = _client(environ["REMOTE_ADDR"])
        if client is None or limiter.hit(item, client):
            return app(environ, start_response)
        environ[_REFUSED] = limiter.get_window_stats(item, client)
        return refuse(environ, start_response)

    @flask.before_request
    def say_why() -> Response | None:
        stats: WindowStats | None = request.environ.get(_REFUSED)
        if stats is None:
            return None
        error = RateLimitError(
            f"You may send {item.amount} requests in {item.get_expiry()} seconds.",
            hint="Wait, and ask for more at a time.",
        )
        error.retry_after_s = max(1, math.ceil(stats.reset_time - time.time()))
        response = flask.make_response(flask.handle_user_exception(error))
        response.headers["RateLimit-Policy"] = f'"client";q={item.amount};w={item.get_expiry()}'
        response.headers["RateLimit"] = f'"client";r={stats.remaining};t={error.retry_after_s}'
        return response

    return limited


def _client(address: str) -> str | None:
    """Whom an address stands for; None for this machine."""
    try:
        found = ip_address(address)
    except ValueError:
        return address  # what a proxy makes of it, such as one with a port
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    if found.is_loopback:
        return None
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return str(found)
