"""One error shape for every route: RFC 9457 problem JSON, or a page for browsers.

Specification: RFC 9457, section 3; RFC 9110, section 15.
"""

from __future__ import annotations

import json
import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response, render_template, request
from werkzeug.exceptions import HTTPException

from medbench_kg import errors
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["register"]

_STATUS: dict[type[errors.MedbenchError], HTTPStatus] = {
    errors.QueryError: HTTPStatus.BAD_REQUEST,
    errors.UpdateError: HTTPStatus.FORBIDDEN,
    errors.QueryTimeoutError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OverloadedError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RateLimitError: HTTPStatus.TOO_MANY_REQUESTS,
    errors.EngineError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.EndpointError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.GoneError: HTTPStatus.GONE,
    errors.NotAcceptableError: HTTPStatus.NOT_ACCEPTABLE,
    errors.StoreError: HTTPStatus.BAD_GATEWAY,
}

_POSITION = re.compile(r"line (\d+), column (\d+)")

_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Answer every error of the core, of routing and of the program itself as a problem."""
    app.register_error_handler(errors.MedbenchError, _from_core)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(Exception, _from_accident)


def _from_core(error: errors.MedbenchError) -> Response:
    status = _STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)
    position = _POSITION.fullmatch(error.where)
    place = {"line": int(position[1]), "column": int(position[2])} if position else {}
    more: dict[str, str | int | list[str]] = {"hint": error.hint, "where": error.where, **place}
    if isinstance(error, errors.GoneError):
        more["replacedBy"] = list(error.successors)
    response = _problem(status, error.code, error.message, **more)
    if isinstance(error, errors.UnavailableError):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _from_http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    code = status.phrase.lower().replace(" ", "-")
    response = _problem(status, code, error.description or status.phrase)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def _from_accident(error: Exception) -> Response:
    _log.exception("Unexpected error", exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _problem(status, "error", "The server made a mistake; it is in its log.")


def _problem(status: HTTPStatus, code: str, detail: str, **more: str | int | list[str]) -> Response:
    document = {
        "type": f"{BASE}problem/{code}",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        **{key: value for key, value in more.items() if value},
    }
    if "text/html" in request.headers.get("Accept", ""):
        page = render_template("problem.html", problem=document)
        response = Response(page, status.value, content_type="text/html; charset=utf-8")
    else:
        body = json.dumps(document, ensure_ascii=False, indent=1)
        response = Response(body, status.value, content_type="application/problem+json")
    response.vary.add("Accept")
    return response
