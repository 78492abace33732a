"""A form to propose a dataset, and one to say that a fact is wrong; neither needs a script.

What is entered becomes a record, which the gate judges as it judges any other. The page comes back
with what was entered, each finding beside its field; what conforms can be taken along, sent to the
repository as an issue or, with a token, written. There are no cookies, so a page of somebody else
can make a browser send this form, but not with a token.

Specification: HTML Living Standard, section 4.10 (forms); WAI-ARIA 1.2; RFC 6266.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext
from werkzeug.exceptions import Unauthorized, abort

from medbench_kg import curation, gate, records, vocabulary
from medbench_kg.catalogue import internal
from medbench_kg.curation import Condition
from medbench_kg.errors import MedbenchError, NotFoundError, RecordError, SubmissionError
from medbench_kg.form import CITATION, form
from medbench_kg.gate import Sent
from medbench_kg.sentences import line
from medbench_kg.validation import Severity
from medbench_kg.vocabulary import BASE
from medbench_kg.web import placing, preview
from medbench_kg.web.asking import body_of, html, parameters
from medbench_kg.web.problems import status_of
from medbench_kg.web.words import language
from medbench_kg.web.writing import author

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from medbench_kg.curation import Author
    from medbench_kg.form import Entries, Field, Form
    from medbench_kg.gate import Verdict
    from medbench_kg.records import Node
    from medbench_kg.settings import Settings
    from medbench_kg.store import Store
    from medbench_kg.validation import Finding
    from medbench_kg.web.preview import Preview

__all__ = ["PATHS", "contribute"]

#: Paths of the pages.
PATHS = ("/contribute", "/zh/contribute")

#: The one type of a form without files.
_FORM = "application/x-www-form-urlencoded"

#: Inputs of the form for a fact; the first one tells it from the other form.
_FACT = ("dataset", "field", "value", "source")

#: Inputs of either form that say what to do with it.
_ABOUT = ("action", "token", "more")

#: Longest address of an issue that is filled in; longer ones are refused by servers.
_LONGEST = 7000


@dataclass
class _Proposal:
    """What a page shows of what was entered.

    Attributes:
        entries: name of an input → what was entered.
        form: into which.
        errors: name of an input, or "" → what is wrong before or beside the shapes.
        verdict: of the gate; None if it wasn't asked.
        placed: name of a field, or "" → findings.
        beside: file and text of the record of its paper, if that is new.
        look: how the record would look; None if it doesn't conform.
        is_written: whether it was put among the records.
        status: of the answer.
        more: the part that one more is asked for of; "" if none is.
    """

    entries: Entries
    form: Form
    errors: dict[str, str] = field(default_factory=dict)
    verdict: Verdict | None = None
    placed: dict[str, list[Finding]] = field(default_factory=dict)
    beside: tuple[str, str] = ("", "")
    look: Preview | None = None
    is_written: bool = False
    status: int = HTTPStatus.OK
    more: str = ""
    retry_after_s: int = 0

    @property
    def fresh(self) -> str:
        """Name of the first field of a part that was added; "" if none was."""
        added = [one for one in self.form.fields if one.part == self.more] if self.more else []
        return next((one.name for one in added if one.number == added[-1].number), "")

    @property
    def conforms(self) -> bool:
        return self.verdict is not None and self.verdict.conforms and not self.errors

    def first(self, name: str) -> str:
        """The first value of an input; "" if nothing was entered."""
        return next(iter(self.entries.get(name, ())), "")


class _Desk:
    """Takes proposals for a graph."""

    def __init__(self, store: Store, socket: Path | None, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self._socket = socket

    @property
    def is_open(self) -> bool:
        """Whether records can be checked here."""
        return self._socket is not None and self.settings.checks > 0

    @cached_property
    def form(self) -> Form:
        return form(self.store)

    @cached_property
    def datasets(self) -> dict[str, str]:
        """Slug → title of each dataset."""
        rows = self.store.rows(internal("roles"))
        return {row["dataset"].removeprefix(f"{BASE}dataset/"): row["title"] for row in rows}

    @cached_property
    def papers(self) -> dict[str, str]:
        """Slug → title of each paper."""
        rows = self.store.rows(internal("papers"))
        return {row["paper"].removeprefix(f"{BASE}paper/"): row["title"] for row in rows}

    def target(self, name: str) -> str:
        """The first input of a field, where a link to it leads."""
        found = self.form.grown([name]).fields
        known = {one.name: one.inputs[0] for one in found if not one.is_multiple}
        return known.get(name, name)

    def take(self, sent: Mapping[str, Sequence[str]], who: Author | None, more: str) -> _Proposal:
        """Take what was entered into either form, or give it back with one more part to fill in."""
        if more:
            grown = self.form.grown(sent, more)
            return _Proposal(grown.read(sent), grown, more=more)
        return (self.fact if _FACT[0] in sent else self.new)(sent, who)

    def new(self, sent: Mapping[str, Sequence[str]], who: Author | None) -> _Proposal:
        """Take what was entered about a new dataset."""
        from medbench_kg import intake  # noqa: PLC0415  its parsers of documents start slowly

        grown = self.form.grown(sent)
        proposal = _Proposal(grown.read(sent), grown)
        paper: Node = {}
        try:
            paper = intake.cited(proposal.entries, _today())
        except RecordError:
            proposal.errors[CITATION] = gettext(
                "This isn’t one BibTeX entry with a title and an arXiv id or a DOI."
            )
        slug = paper.get("identifier", "")
        for file, one in intake.beside(paper, self.papers).items():
            proposal.beside = file, records.canonical(one, vocabulary.load())
        node = intake.record_of(proposal.entries, grown, self.store, _today(), slug)
        self._judge(proposal, node, Condition(is_none_of=("*",)), who)
        if CITATION in proposal.errors:
            proposal.status = HTTPStatus.UNPROCESSABLE_ENTITY
        if proposal.verdict and proposal.verdict.before and not proposal.is_written:
            proposal.errors["identifier"] = gettext(
                "There is a record of that name already. Choose another short name, or say what "
                "is wrong with that record."
            )
            proposal.status = HTTPStatus.CONFLICT
        return proposal

    def fact(self, sent: Mapping[str, Sequence[str]], who: Author | None) -> _Proposal:
        """Take what was entered about a fact that is wrong."""
        from medbench_kg import intake  # noqa: PLC0415  as above

        for name, values in sent.items():
            if name not in _FACT or len(values) > 1:
                raise SubmissionError(
                    f"“{name[:60]}” is no field of the form, or was sent twice.",
                    hint="Use the form as it is.",
                )
        proposal = _Proposal(
            {name: [text] for name in _FACT if (text := _text(sent, name))}, self.form
        )
        missing = gettext("Please enter this.")
        proposal.errors = {name: missing for name in _FACT if not proposal.first(name)}
        slug, chosen = proposal.first("dataset"), proposal.first("field")
        if slug and slug not in self.datasets:
            proposal.errors["dataset"] = gettext("There is no such dataset.")
        if chosen and chosen not in self.form.correctable:
            proposal.errors["field"] = gettext("There is no such field.")
        if proposal.errors:
            proposal.status = HTTPStatus.UNPROCESSABLE_ENTITY
            return proposal
        found = curation.stored(slug)
        wrong = self.form.correctable[chosen]
        value, source = proposal.first("value"), proposal.first("source")
        node = intake.corrected(found.node, wrong, value, source, language(), _today())
        if node is not None:
            self._judge(proposal, node, Condition(is_any_of=(found.digest,)), who)
        return proposal

    def _judge(
        self, proposal: _Proposal, node: Node, condition: Condition, who: Author | None
    ) -> None:
        """Have a record judged and, if somebody may write it, written."""
        text = records.canonical(node, vocabulary.load())
        try:
            if who is None or proposal.errors:
                proposal.verdict = self._asked(text, proposal.beside[1])
            elif self._is_ready(proposal, text, who):
                written = curation.write(lambda: self._asked(text), who, condition)
                proposal.verdict = written.verdict
                proposal.is_written = written.verdict.conforms
        except MedbenchError as error:
            proposal.errors[""] = line(error, language())
            proposal.status = status_of(error)
            proposal.retry_after_s = getattr(error, "retry_after_s", 0)
        else:
            if proposal.verdict:
                self._place(proposal, proposal.verdict, node)

    def _is_ready(self, proposal: _Proposal, text: str, who: Author) -> bool:
        """Write the paper that a record names, if it is new and both conform."""
        paper = proposal.beside[1]
        if paper:
            proposal.verdict = self._asked(text, paper)
            if not proposal.verdict.conforms:
                return False
            curation.write(lambda: self._asked(paper), who, Condition(is_none_of=("*",)))
        return True

    def _asked(self, text: str, beside: str = "") -> Verdict:
        sent = Sent("yaml", "", _today(), is_shown=True, beside=beside)
        if self._socket is None:
            raise NotFoundError("Records aren't checked here.", hint="Ask another server.")
        return gate.ask(self._socket, sent, text.encode(), self.settings.check_deadline_s)

    def _place(self, proposal: _Proposal, verdict: Verdict, node: Node) -> None:
        """Bring each finding to its field, and lay out what conforms."""
        iri = vocabulary.load().expand(node["id"])
        where = placing.places_of(node, iri)
        chosen = proposal.first("field")
        inputs = {chosen: "value", "record.evidence.source": "source"} if chosen else {}
        for one in verdict.findings:
            name = placing.field_of(one, where, proposal.form, proposal.entries)
            if proposal.beside[0] and one.focus.startswith(f"{BASE}paper/"):
                name = CITATION
            if chosen and name not in inputs and one.severity < Severity.VIOLATION:
                continue
            name = inputs.get(name, "" if chosen else name)
            proposal.placed.setdefault(name, []).append(one)
        if not verdict.conforms:
            proposal.status = HTTPStatus.UNPROCESSABLE_ENTITY
        elif verdict.shown:
            proposal.look = preview.read(verdict.shown, iri, self.store)


def contribute(store: Store, socket: Path | None, settings: Settings) -> Blueprint:
    """Make the routes.

    Args:
        store: the graph, whose shapes and schemes make the forms.
        socket: where the gate answers; None if records aren't checked here.
        settings: who may write, and the repository that takes issues.
    """
    routes = Blueprint("contribute", __name__)
    desk = _Desk(store, socket, settings)

    @routes.get("/contribute", defaults={"lang": "en"})
    @routes.get("/zh/contribute", defaults={"lang": "zh"})
    def page() -> Response:
        """Show the form for a dataset, or, if one is named, that for a fact."""
        sent = parameters(request.query_string)
        grown = desk.form.grown(sent)
        known = _FACT if _FACT[0] in sent else tuple(grown.inputs)
        entries = {name: values for name, values in sent.items() if name in known}
        if entries.get("field"):
            entries["field"] = [_name_of(entries["field"][0], desk.form.correctable)]
        return html(_page(desk, _Proposal(entries, grown), is_fact=_FACT[0] in sent))

    @routes.post("/contribute", defaults={"lang": "en"})
    @routes.post("/zh/contribute", defaults={"lang": "zh"})
    def propose() -> Response:
        """Check what was entered; give it back with findings, as a file, or write it."""
        if not desk.is_open:
            raise NotFoundError("Records aren't checked here.", hint="Ask another server.")
        if request.mimetype != _FORM:
            abort(415, f"Send {_FORM}, in UTF-8.")
        sent = parameters(body_of(request))
        action, token, more = (_text(sent, name) for name in _ABOUT)
        sent = {name: values for name, values in sent.items() if name not in _ABOUT}
        is_fact = _FACT[0] in sent
        who, challenge = _author(token, settings) if action == "write" else (None, None)
        proposal = desk.take(sent, who, more)
        if challenge:
            proposal.errors["token"] = challenge.description or ""
            proposal.status = HTTPStatus.UNAUTHORIZED
        if action == "file" and proposal.conforms and proposal.verdict:
            response = Response(proposal.verdict.text, content_type="application/yaml")
            name = proposal.verdict.file.rpartition("/")[2]
            response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        else:
            response = Response(_page(desk, proposal, is_fact=is_fact), proposal.status)
        if proposal.retry_after_s:
            response.headers["Retry-After"] = str(proposal.retry_after_s)
        if challenge:
            response.headers.extend(challenge.get_headers())
        return _private(response)

    return routes


def _private(response: Response) -> Response:
    """Say that an answer is for nobody else."""
    response.cache_control.no_store = True
    return response


def _author(token: str, settings: Settings) -> tuple[Author | None, Unauthorized | None]:
    """Who sends a token that may write here, or why nobody does."""
    try:
        return author(token, settings.tokens if settings.writable else {}), None
    except Unauthorized as challenge:
        return None, challenge


def _page(desk: _Desk, proposal: _Proposal, *, is_fact: bool) -> str:
    has_issues = bool(desk.settings.repository)
    issue, is_whole = _issue(desk, proposal, is_fact=is_fact) if has_issues else ("", True)
    return render_template(
        "contribute.html",
        desk=desk,
        proposal=proposal,
        is_fact=is_fact,
        issue=issue,
        is_whole=is_whole,
        violation=Severity.VIOLATION,
        slug=proposal.verdict.record.rpartition("/")[2] if proposal.verdict else "",
    )


def _issue(desk: _Desk, proposal: _Proposal, *, is_fact: bool) -> tuple[str, bool]:
    """Address of the repository's form for an issue, and whether all of it is filled in.

    What makes the address too long is left out, the record first.
    """
    from medbench_kg import intake  # noqa: PLC0415  as above

    words = {
        "template": "wrong-fact.yml" if is_fact else "new-dataset.yml",
        "title": proposal.first("dataset") or proposal.first("title.en"),
        **intake.filled_in(proposal.entries, desk.form),
        "record": proposal.verdict.text if proposal.verdict else "",
    }
    kept: dict[str, str] = {}
    for name, text in words.items():
        if text and len(urlencode({**kept, name: text})) <= _LONGEST:
            kept[name] = text
    is_whole = all(name in kept for name, text in words.items() if text)
    return f"{desk.settings.repository}/issues/new?{urlencode(kept)}", is_whole


def _name_of(wanted: str, known: Mapping[str, Field]) -> str:
    """The field of a name or of a property, whose compact IRI a page knows."""
    names = vocabulary.load()
    if wanted in known:
        return wanted
    iri = names.expand(wanted)
    fitting = (name for name, one in known.items() if names.property_of(one.keys[0]) == iri)
    inner = (name for name, one in known.items() if names.property_of(one.keys[-1]) == iri)
    return next(fitting, next(inner, ""))


def _text(sent: Mapping[str, Sequence[str]], name: str) -> str:
    """The first value of an input, without blanks around it."""
    return next(iter(sent.get(name, ())), "").strip()


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
