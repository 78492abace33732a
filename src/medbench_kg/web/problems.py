"""One error shape for every route: RFC 9457 problem JSON, or a page for browsers.

The type of a problem is an IRI of ours, and answers like the others: with a page that says what the
problem means and what to do.

Specification: RFC 9457, sections 3 and 3.1.1; RFC 9110, section 15.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from medbench_kg import errors
from medbench_kg.errors import NotFoundError
from medbench_kg.sentences import retell
from medbench_kg.vocabulary import BASE
from medbench_kg.web.words import language, speak

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["Kind", "kinds", "problem", "register", "status_of"]

_STATUS: dict[type[errors.MedbenchError], HTTPStatus] = {
    errors.RecordError: HTTPStatus.BAD_REQUEST,
    errors.ShapesError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.SubmissionError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.PreconditionError: HTTPStatus.PRECONDITION_FAILED,
    errors.UnconditionalError: HTTPStatus.PRECONDITION_REQUIRED,
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

#: A type of problems: an error of the core, or a status that only HTTP knows.
_What = type[errors.MedbenchError] | HTTPStatus

_POSITION = re.compile(r"line (\d+), column (\d+)")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kind:
    """A type of problems, in the language of the page.

    Attributes:
        status: the status that answers with such a problem have.
        meaning: what is wrong.
        repair: what to do about it.
    """

    status: HTTPStatus
    meaning: str
    repair: str


def register(app: Flask) -> None:
    """Answer every error of the core, of routing and of the program itself as a problem."""
    app.register_error_handler(errors.MedbenchError, _from_core)
    app.register_error_handler(HTTPException, _from_http)
    app.register_error_handler(Exception, _from_accident)
    app.register_blueprint(_pages())


def _pages() -> Blueprint:
    routes = Blueprint("problems", __name__)

    @routes.get("/problem/<code>", defaults={"lang": "en"})
    @routes.get("/zh/problem/<code>", defaults={"lang": "zh"})
    def kind(code: str) -> str:
        """Say what a type of problems means and what to do."""
        known = kinds()
        if code not in known:
            raise NotFoundError(
                f"There is no type “{code}”.", hint=f"There are: {', '.join(known)}."
            )
        return render_template("problem-type.html", code=code, kinds=known, base=BASE)

    return routes


def kinds() -> dict[str, Kind]:
    """All types of problems by their code, in the order of their status."""
    found = {_code(what): Kind(_status(what), *told) for what, told in _told().items()}
    return dict(sorted(found.items(), key=lambda one: one[1].status))


def _told() -> dict[_What, tuple[str, str]]:
    """What is wrong, and what to do about it; a status stands for a mistake that HTTP knows."""
    later = gettext("Try again after the number of seconds in Retry-After.")
    see = gettext("Read “detail” and “hint” of the problem: they name the place and the repair.")
    return {
        errors.QueryError: (
            gettext(
                "The query isn't SPARQL 1.1, is too large or too deep, or calls SERVICE; or a "
                "parameter is unknown or has a value that there isn't."
            ),
            see,
        ),
        errors.UpdateError: (
            gettext("The text is an update, and the graph is read-only."),
            gettext("Send a query. To have a fact corrected, see CONTRIBUTING.md."),
        ),
        errors.RecordError: (gettext("The record isn't well-formed."), see),
        errors.SubmissionError: (
            gettext("The record says what it may not say, such as something about another thing."),
            see,
        ),
        errors.ShapesError: (
            gettext("With the record the graph would break rules."),
            gettext("“findings” names each with its place and repair."),
        ),
        errors.ConflictError: (
            gettext("The record belongs to another address than the one that it is sent to."),
            gettext("Send it to its own address."),
        ),
        errors.PreconditionError: (
            gettext("The record was changed since you read it, or exists already."),
            gettext("Read it again and bring your change into it."),
        ),
        errors.UnconditionalError: (
            gettext("The record exists, and you don't say which state of it you know."),
            gettext("Send its ETag as If-Match."),
        ),
        HTTPStatus.UNAUTHORIZED: (
            gettext("Writing takes a token that the server knows."),
            gettext("Send it as “Authorization: Bearer …”; the operator gives you one."),
        ),
        errors.NotFoundError: (
            gettext("There is no thing, page, canned query or file of that name."),
            gettext("“hint” proposes the nearest names; the start page leads to everything."),
        ),
        errors.NotAcceptableError: (
            gettext("None of the formats that you accept can be made of this."),
            gettext("“hint” lists the formats that there are; name one in Accept, or by a suffix."),
        ),
        errors.GoneError: (
            gettext("The thing was withdrawn. Its name will never stand for anything else."),
            gettext("“replacedBy” names what replaces it, if anything does."),
        ),
        errors.RateLimitError: (gettext("You ask more often than this server allows."), later),
        errors.StoreError: (
            gettext("The graph can't be opened: its files have changed since it was built."),
            gettext("Try later; the operator has to run “medbench build”."),
        ),
        errors.QueryTimeoutError: (
            gettext("The query was stopped when its time was up."),
            gettext("Narrow it: name more terms, ask for fewer paths, use LIMIT."),
        ),
        errors.OverloadedError: (gettext("All places for queries are taken."), later),
        errors.EngineError: (
            gettext(
                "The query needs too much memory, its answer is too large, or the engine crashed."
            ),
            gettext("Ask for less, use LIMIT, or load a dump into an engine of your own."),
        ),
        errors.EndpointError: (
            gettext("The endpoint that holds the graph can't be reached, or fails."),
            later,
        ),
        HTTPStatus.BAD_REQUEST: (
            gettext("The body is shorter than it announced."),
            gettext("Send it whole."),
        ),
        HTTPStatus.METHOD_NOT_ALLOWED: (
            gettext("There is something here, but not for this method."),
            gettext("Allow lists the methods."),
        ),
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
            gettext("The body is larger than this server takes."),
            gettext("Send less; “detail” says how much may be sent."),
        ),
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
            gettext("The body is of a type that isn't taken here, or it isn't UTF-8."),
            gettext("Send one of the types that “detail” names, in UTF-8."),
        ),
        HTTPStatus.INTERNAL_SERVER_ERROR: (
            gettext("The server made a mistake."),
            gettext("Please report it, with what you asked for."),
        ),
    }


def _status(what: _What) -> HTTPStatus:
    return what if isinstance(what, HTTPStatus) else _STATUS[what]


def _code(what: _What) -> str:
    """Last part of a type's IRI; of a status its phrase in any version of Python."""
    if not isinstance(what, HTTPStatus):
        return what.code
    if what == HTTPStatus.INTERNAL_SERVER_ERROR:
        return errors.MedbenchError.code
    return HTTP_STATUS_CODES[what].lower().replace(" ", "-")


def status_of(error: errors.MedbenchError) -> HTTPStatus:
    """The status of the answer to a request that fails so."""
    return _STATUS.get(type(error), HTTPStatus.INTERNAL_SERVER_ERROR)


def _from_core(error: errors.MedbenchError) -> Response:
    status = status_of(error)
    position = _POSITION.fullmatch(error.where)
    place = {"line": int(position[1]), "column": int(position[2])} if position else {}
    more: dict[str, str | int | list[str]] = {"hint": error.hint, "where": error.where, **place}
    if isinstance(error, errors.GoneError):
        more["replacedBy"] = list(error.successors)
    response = problem(status, error.code, error.message, **more)
    if isinstance(error, errors.UnavailableError):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _from_http(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or 500)
    response = problem(status, _code(status), error.description or status.phrase)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def _from_accident(error: Exception) -> Response:
    _log.exception("Unexpected error", exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem(status, _code(status), "The server made a mistake; it is in its log.")


def problem(status: HTTPStatus, code: str, detail: str, **more: object) -> Response:
    """Describe a problem to a program, or to a person with a browser.

    Args:
        status: of the answer.
        code: last part of the IRI of its type.
        detail: what is wrong here.
        **more: members of the document that are left out where empty.
    """
    is_page = "text/html" in request.headers.get("Accept", "")
    if not is_page:
        speak()
    hint = {"hint": retell(str(more["hint"]), language())} if more.get("hint") else {}
    document = {
        "type": f"{BASE}problem/{code}",
        "title": status.phrase,
        "status": status.value,
        "detail": retell(detail, language()),
        **{key: value for key, value in (more | hint).items() if value},
    }
    if is_page:
        page = render_template("problem.html", problem=document, kind=kinds().get(code))
        response = Response(page, status.value, content_type="text/html; charset=utf-8")
    else:
        body = json.dumps(document, ensure_ascii=False, indent=1)
        response = Response(body, status.value, content_type="application/problem+json")
    response.vary.update(("Accept", "Accept-Language"))
    return response
