"""Checks for everyone, and writes for those with a token: records over HTTP.

``POST /check`` stores nothing. ``PUT`` and ``DELETE`` of ``/record/<slug>`` are there only if the
server is writable; what they get is judged by the same gate.

Specification: SPARQL 1.1 Graph Store HTTP Protocol, sections 5.3 and 5.4; RFC 9110, sections 9.3.4
(PUT), 13.1 (preconditions) and 15.5; RFC 6750 (bearer tokens); RFC 6585, section 3; RFC 9457.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from flask import Blueprint, Response, jsonify, request, url_for
from flask_babel import gettext
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized, abort

from medbench_kg import curation, gate, vocabulary
from medbench_kg.curation import Author, Condition
from medbench_kg.gate import Sent, Verdict
from medbench_kg.negotiation import GRAPH_FORMATS, Format, by_name, choose
from medbench_kg.reporting import as_document
from medbench_kg.store import LocalStore
from medbench_kg.submission import TAKEN
from medbench_kg.web.asking import body_of
from medbench_kg.web.problems import problem
from medbench_kg.web.words import speak

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from werkzeug.datastructures import ETags

    from medbench_kg.settings import Settings

__all__ = ["author", "writing"]

#: What a report is written in: JSON first, since it holds both languages, place and repair.
_REPORT = Format("json", "application/json", "json", "graph")
_PROBLEM = Format("problem", "application/problem+json", "json", "graph", ("text/html",))

#: Longest reason of a change.
_REASON = 1000


def writing(socket: Path, settings: Settings, states: Mapping[str, str]) -> Blueprint:
    """Make the routes.

    Args:
        socket: where the gate answers.
        settings: deadline of a check; who may write, if anybody.
        states: slug of a catalogue record → digest of its file in the graph that is served.
    """
    routes = Blueprint("writing", __name__)

    def judge(form: str, content: bytes, slug: str = "") -> Verdict:
        record = vocabulary.load().expand(f"mbr:{slug}") if slug else ""
        sent = Sent(form, record, datetime.now(UTC).date().isoformat())
        return gate.ask(socket, sent, content, settings.check_deadline_s)

    @routes.post("/check", defaults={"lang": "en"})
    @routes.post("/zh/check", defaults={"lang": "zh"})
    def check() -> Response:
        """Validate a record as if it were written, and keep nothing of it."""
        verdict = judge(*_document())
        fmt = choose(request.headers.get("Accept", ""), (_REPORT, *GRAPH_FORMATS))
        return _spoken(_report(verdict, fmt))

    if settings.writable:
        _take_writes(routes, judge, settings.tokens, states)
    return routes


def _take_writes(
    routes: Blueprint,
    judge: Callable[..., Verdict],
    tokens: Mapping[str, str],
    states: Mapping[str, str],
) -> None:
    """Add the routes that change records."""

    @routes.after_app_request
    def mark(response: Response) -> Response:
        """Name the state of a record in the ETags of its documents."""
        name = str((request.view_args or {}).get("path", "")).removeprefix("record/")
        state = states.get(name) or states.get(name.rpartition(".")[0])
        if state and request.path.removeprefix("/zh").startswith("/record/"):
            response.set_etag(f"{state}-{response.get_etag()[0]}")
        return response

    @routes.put("/record/<slug>")
    def put(slug: str) -> Response:
        """Create a record, or replace the state of it that the client knows."""
        author = _author(tokens)
        form, content = _document()
        written = curation.write(lambda: judge(form, content, slug), author, _condition())
        if not written.verdict.conforms:
            return _refusal(written.verdict)
        address = url_for("resources.thing", path=f"record/{slug}", lang="en")
        response = Response(status=HTTPStatus.NO_CONTENT)
        if written.is_created:
            response = jsonify({"record": written.verdict.record, "file": written.verdict.file})
            response.status_code = HTTPStatus.CREATED
            response.headers["Location"] = address
        response.set_etag(written.state)
        return response

    @routes.delete("/record/<slug>")
    def withdraw(slug: str) -> Response:
        """Deprecate a record; its address goes on to tell of it."""
        author = _author(tokens)
        written = curation.write(lambda: judge("", b"", slug), author, _condition())
        if not written.verdict.conforms:
            return _refusal(written.verdict)
        response = Response(status=HTTPStatus.NO_CONTENT)
        response.set_etag(written.state)
        return response


def _document() -> tuple[str, bytes]:
    """Format and content of the body."""
    form = TAKEN.get(request.mimetype)
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if form is None or charset not in {"utf-8", "utf8"} or "Content-Encoding" in request.headers:
        abort(415, f"Send one of {', '.join(TAKEN)}, in UTF-8 and not encoded.")
    if "Content-Range" in request.headers:
        abort(400, "Send the whole record.")
    return form, body_of(request)


def _author(tokens: Mapping[str, str]) -> Author:
    """Who sends a token that is known, and why they change the record."""
    sent = request.authorization
    token = sent.token if sent is not None and sent.type == "bearer" else None
    reason = unquote(request.headers.get("Medbench-Reason", ""))[:_REASON]
    return author(token or "", tokens, " ".join(reason.split()))


def author(token: str, tokens: Mapping[str, str], reason: str = "") -> Author:
    """Find who has a token.

    Args:
        token: as it was sent; "" if none was.
        tokens: name → digest of the token, SHA-256.
        reason: why a record is changed.

    Raises:
        Unauthorized: there is no token, or nobody has it.
    """
    if not token:
        raise _unauthorized(gettext("Writing takes a token."))
    digest = hashlib.sha256(token.encode()).hexdigest()
    names = [name for name, known in tokens.items() if hmac.compare_digest(known, digest)]
    if not names:
        raise _unauthorized(gettext("The token isn't known."), error="invalid_token")
    return Author(names[0], reason)


def _unauthorized(detail: str, **more: str) -> Unauthorized:
    challenge = WWWAuthenticate("bearer", {"realm": "medbench-kg", **more})
    return Unauthorized(detail, www_authenticate=challenge)


def _condition() -> Condition:
    return Condition(
        _states(request.if_match) if "If-Match" in request.headers else None,
        _states(request.if_none_match) if "If-None-Match" in request.headers else None,
    )


def _states(tags: ETags) -> tuple[str, ...]:
    """The states that ETags stand for: that of an answer begins with the digest of the record."""
    named = tuple(tag.partition("-")[0] for tag in tags.as_set())
    return ("*", *named) if tags.star_tag else named


def _report(verdict: Verdict, fmt: Format) -> Response:
    if fmt != _REPORT:
        return _shacl(verdict, fmt)
    document = {
        "conforms": verdict.conforms,
        "record": verdict.record,
        "file": verdict.file,
        "findings": [as_document(finding) for finding in verdict.findings],
        "canonical": verdict.text,
    }
    return jsonify(document)


def _refusal(verdict: Verdict) -> Response:
    """Say what keeps a record out: as a problem, or as the report that SHACL defines."""
    fmt = choose(request.headers.get("Accept", ""), (_PROBLEM, _REPORT, *GRAPH_FORMATS))
    if fmt in GRAPH_FORMATS:
        response = _shacl(verdict, fmt)
        response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    else:
        lang = speak()
        detail = gettext("With this record the graph would break rules; nothing was written.")
        response = problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "shapes",
            detail,
            findings=[
                {
                    "message": one.messages[lang],
                    "repair": one.repairs.get(lang, ""),
                    **as_document(one),
                }
                for one in verdict.findings
            ],
        )
    return _spoken(response)


def _shacl(verdict: Verdict, fmt: Format) -> Response:
    store = LocalStore(vocabulary.load().prefixes)
    store.load(verdict.report.encode(), "ntriples")
    return Response(store.dump(by_name(fmt.name)), content_type=fmt.content_type)


def _spoken(response: Response) -> Response:
    """Say what the answer depends on, and that it isn't kept."""
    response.vary.update(("Accept", "Accept-Language"))
    response.cache_control.no_store = True
    return response
