"""What can go wrong, once, for every face of the program.

    MedbenchError
    ├ SettingsError        a setting is missing or malformed                 CLI 2
    ├ RecordError          a record can't be read                            CLI 2   HTTP 400
    ├ ShapesError          the graph doesn't conform; carries the report     CLI 3
    ├ FetchError           an address of the web gives no answer             CLI 6
    ├ SubmissionError      a record says what it may not say                 CLI 2   HTTP 422
    ├ ConflictError        it is another record than it is sent as           CLI 2   HTTP 409
    ├ PreconditionError    it was changed meanwhile, or exists already               HTTP 412
    │ └ UnconditionalError it would be overwritten without being known               HTTP 428
    ├ QueryError           a query or a parameter is wrong                   CLI 2   HTTP 400
    │ └ UpdateError        an update was sent; the graph is read-only        CLI 2   HTTP 403
    ├ UnavailableError     a query was stopped; carries when to try again    CLI 4   HTTP 503
    │ ├ QueryTimeoutError  it took longer than allowed
    │ ├ OverloadedError    there is no room for it now
    │ ├ RateLimitError     the client asks too often                                 HTTP 429
    │ ├ EngineError        it needs too much memory, or the engine crashed
    │ └ EndpointError      the endpoint that holds the graph is down           CLI 5
    ├ StoreError           the graph can't be opened or is not built         CLI 5   HTTP 502
    ├ NotFoundError        no such query, record, thing or file              CLI 2   HTTP 404
    ├ GoneError            the thing was withdrawn; carries what replaces it         HTTP 410
    └ NotAcceptableError   none of the formats asked for is on offer         CLI 2   HTTP 406

The command line and the web layer each hold one table that turns a class into an exit code or a
status. Every error says what is wrong, where, and how to repair it.
"""

from __future__ import annotations

__all__ = [
    "ConflictError",
    "EndpointError",
    "EngineError",
    "FetchError",
    "GoneError",
    "MedbenchError",
    "NotAcceptableError",
    "NotFoundError",
    "OverloadedError",
    "PreconditionError",
    "QueryError",
    "QueryTimeoutError",
    "RateLimitError",
    "RecordError",
    "SettingsError",
    "ShapesError",
    "StoreError",
    "SubmissionError",
    "UnavailableError",
    "UnconditionalError",
    "UpdateError",
]


class MedbenchError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        message: what is wrong, one sentence.
        hint: what to do about it, one sentence; may be empty.
        where: file and line, record and key, or parameter; may be empty.
    """

    #: Stable slug, used as the last part of the problem type IRI (RFC 9457, section 3.1.1).
    code = "error"

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        """Hold the parts apart, so that each face can lay them out its own way."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        """Join place, message and hint into one line for a terminal or a log."""
        place = f"{self.where}: " if self.where else ""
        advice = f" {self.hint}" if self.hint else ""
        return f"{place}{self.message}{advice}"


class SettingsError(MedbenchError):
    """A setting has a value that can't be used."""

    code = "settings"


class RecordError(MedbenchError):
    """A record isn't well-formed: YAML syntax, duplicate key, wrong file name."""

    code = "record"


class ShapesError(MedbenchError):
    """The graph has at least one violation of the shapes."""

    code = "shapes"


class FetchError(MedbenchError):
    """An address of the web gives no answer, or none that may be taken.

    Args:
        reason: slug of why.
        message: what is wrong, one sentence.
        hint: what to do about it.
    """

    code = "fetch"

    def __init__(self, reason: str, message: str, hint: str = "") -> None:
        """Hold the reason apart, so that it can be counted."""
        super().__init__(message, hint=hint)
        self.reason = reason


class SubmissionError(MedbenchError):
    """A record that somebody sends says what it may not say."""

    code = "submission"


class ConflictError(MedbenchError):
    """A record is sent to an address that is another's (RFC 9110, section 15.5.10)."""

    code = "conflict"


class PreconditionError(MedbenchError):
    """A record isn't in the state that its author knows (RFC 9110, section 15.5.13)."""

    code = "precondition"


class UnconditionalError(PreconditionError):
    """A record would be overwritten by somebody who may not know it (RFC 6585, section 3)."""

    code = "unconditional"


class QueryError(MedbenchError):
    """A query isn't SPARQL 1.1, or a parameter of a canned query is unknown or ill-typed."""

    code = "query"


class UpdateError(QueryError):
    """The text is an update, and the graph is read-only."""

    code = "read-only"


class UnavailableError(MedbenchError):
    """A query was stopped, or not begun (RFC 9110, section 15.6.4)."""

    code = "unavailable"

    #: Seconds after which it makes sense to try again.
    retry_after_s = 1


class QueryTimeoutError(UnavailableError):
    """A query took longer than allowed."""

    code = "timeout"
    retry_after_s = 10


class OverloadedError(UnavailableError):
    """There is no room for a query now."""

    code = "overloaded"


class RateLimitError(UnavailableError):
    """A client asks more often than the server allows (RFC 6585, section 4)."""

    code = "rate-limit"


class EngineError(UnavailableError):
    """A query needs too much memory, or the engine crashed on it."""

    code = "engine"
    retry_after_s = 10


class EndpointError(UnavailableError):
    """The endpoint that holds the graph can't be reached, or fails."""

    code = "endpoint"

    def __init__(self, message: str, *, hint: str = "", retry_after_s: int = 10) -> None:
        """Say when the endpoint will be asked again."""
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class StoreError(MedbenchError):
    """The graph can't be opened, or hasn't been built from the present files."""

    code = "store"


class NotFoundError(MedbenchError):
    """There is no query, record or file of that name."""

    code = "not-found"


class GoneError(MedbenchError):
    """The thing was withdrawn (RFC 9110, section 15.5.11).

    Args:
        message: what was withdrawn.
        successors: IRIs of what replaces it.
    """

    code = "gone"

    def __init__(self, message: str, successors: tuple[str, ...] = ()) -> None:
        """Hold the successors apart, so that a page can link to them."""
        hint = f"It is replaced by {' and '.join(successors)}." if successors else ""
        super().__init__(message, hint=hint)
        self.successors = successors


class NotAcceptableError(MedbenchError):
    """None of the media types that the client accepts can be made (RFC 9110, section 15.5.7)."""

    code = "not-acceptable"
