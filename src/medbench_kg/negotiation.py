"""Formats and the choice among them: one table for files, routes, the command line and exports.

Specification: RFC 9110, sections 5.6.1 (lists), 12.4.2 (quality values) and 12.5.1 (Accept).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from medbench_kg.errors import NotAcceptableError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BOOLEAN_FORMATS",
    "CROISSANT",
    "DOCUMENT_FORMATS",
    "FORMATS",
    "GRAPH_FORMATS",
    "LINK_FORMATS",
    "REFERENCE_FORMATS",
    "RESULT_FORMATS",
    "Format",
    "Kind",
    "by_name",
    "choose",
    "encodings",
]

#: ``results``: bindings or a boolean; ``graph``: triples; ``dataset``: triples and named graphs;
#: ``boolean``: the answer to ASK, for which CSV and TSV define nothing; ``references``: to datasets
#: and papers; ``page``: for people; ``links``: what a document is linked to.
Kind = Literal["results", "graph", "dataset", "boolean", "references", "page", "links"]


@dataclass(frozen=True)
class Format:
    """A way to write results or triples.

    Attributes:
        name: what a user types after ``--format``.
        media_type: what goes into ``Content-Type``, without parameters.
        suffix: file extension, without the dot.
        kind: what the format can hold.
        aliases: other media types by which clients ask for it.
        profile: IRI of the profile that narrows the media type down; "" if none does.
    """

    name: str
    media_type: str
    suffix: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    profile: str = ""

    @property
    def content_type(self) -> str:
        """The ``Content-Type`` header; text types name their charset (RFC 6657)."""
        if self.profile:
            return f'{self.media_type};profile="{self.profile}"'
        return f"{self.media_type}; charset=utf-8" if self._is_text else self.media_type

    @property
    def _is_text(self) -> bool:
        return self.media_type.startswith("text/")


#: In the server's order of preference: an equal wish of the client goes to the earlier one.
FORMATS = (
    Format("json", "application/sparql-results+json", "srj", "results", ("application/json",)),
    Format(
        "xml", "application/sparql-results+xml", "srx", "results", ("application/xml", "text/xml")
    ),
    Format("csv", "text/csv", "csv", "results"),
    Format("tsv", "text/tab-separated-values", "tsv", "results"),
    Format("turtle", "text/turtle", "ttl", "graph", ("application/x-turtle", "text/n3")),
    Format("ntriples", "application/n-triples", "nt", "graph", ("text/plain",)),
    Format("jsonld", "application/ld+json", "jsonld", "graph", ("application/json",)),
    Format("rdfxml", "application/rdf+xml", "rdf", "graph", ("application/xml", "text/xml")),
    Format("nquads", "application/n-quads", "nq", "dataset"),
    Format("trig", "application/trig", "trig", "dataset"),
    Format("bibtex", "application/x-bibtex", "bib", "references", ("text/x-bibtex",)),
    Format("csl", "application/vnd.citationstyles.csl+json", "csl.json", "references"),
    Format("ris", "application/x-research-info-systems", "ris", "references"),
    Format("html", "text/html", "html", "page", ("application/xhtml+xml",)),
    Format("linkset-json", "application/linkset+json", "linkset.json", "links"),
    Format("linkset", "application/linkset", "linkset", "links"),
)

#: A dataset for tools of machine learning: JSON-LD that is asked for by its suffix.
CROISSANT = Format(
    "croissant",
    "application/ld+json",
    "croissant.json",
    "graph",
    profile="http://mlcommons.org/croissant/1.1",
)

#: What SELECT and ASK can be answered in.
RESULT_FORMATS = tuple(f for f in FORMATS if f.kind == "results")

#: What ASK is answered in over HTTP.
BOOLEAN_FORMATS = tuple(f for f in RESULT_FORMATS if f.name in {"json", "xml"})

#: What CONSTRUCT, DESCRIBE and a dump of one graph can be written in.
GRAPH_FORMATS = tuple(f for f in FORMATS if f.kind == "graph")

#: What references to datasets and papers can be written in.
REFERENCE_FORMATS = tuple(f for f in FORMATS if f.kind == "references")

#: What the links of a document are listed in.
LINK_FORMATS = tuple(f for f in FORMATS if f.kind == "links")

#: What a thing of the graph is shown in.
DOCUMENT_FORMATS = tuple(f for f in FORMATS if f.kind in {"graph", "page", "links"})


def by_name(name: str, offered: Sequence[Format] = FORMATS) -> Format:
    """Find a format by name, suffix or media type.

    Raises:
        NotAcceptableError: no offered format goes by that name.
    """
    wanted = name.strip().lower()
    for fmt in offered:
        if wanted in {fmt.name, fmt.suffix, fmt.media_type}:
            return fmt
    names = ", ".join(fmt.name for fmt in offered)
    raise NotAcceptableError(f"There is no format “{name}” here.", hint=f"Use one of: {names}.")


def choose(accept: str, offered: Sequence[Format]) -> Format:
    """Pick the format that a client prefers among those a resource offers.

    Args:
        accept: the Accept header as sent; "" means the client takes anything.
        offered: formats in the server's order of preference; at least one.

    Returns:
        The offered format of highest quality; ties go to the earlier one.

    Raises:
        NotAcceptableError: every offered format has quality 0 (HTTP 406).

    Spec: RFC 9110, section 12.5.1.
    """
    ranges = _parse(accept)
    if not ranges:
        return offered[0]
    best, best_quality = offered[0], 0.0
    for fmt in offered:
        quality = _quality(fmt, ranges)
        if quality > best_quality:
            best, best_quality = fmt, quality
    if best_quality > 0:
        return best
    types = ", ".join(fmt.media_type for fmt in offered)
    raise NotAcceptableError(
        "None of the media types that you accept can be made here.", hint=f"There are: {types}."
    )


@lru_cache(128)
def encodings(accept: str, offered: tuple[str, ...]) -> str:
    """Say which encodings a client takes, as an Accept-Encoding header that any library reads.

    Refusals (``q=0``) and ``*`` are resolved, which libraries get wrong.

    Spec: RFC 9110, section 12.5.3.
    """
    wishes = dict(_parse(accept))
    taken = {name: wishes.get(name, wishes.get("*", 0.0)) for name in offered}
    return ", ".join(f"{name};q={q:g}" for name, q in taken.items() if q > 0)


def _parse(accept: str) -> list[tuple[str, float]]:
    """Read an Accept header into (media range, quality); parameters other than q are ignored."""
    ranges = []
    for element in accept.split(","):
        name, *parameters = (part.strip().lower() for part in element.split(";"))
        if name:
            ranges.append((name, _q(parameters)))
    return ranges


def _q(parameters: list[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def _quality(fmt: Format, ranges: list[tuple[str, float]]) -> float:
    """Quality of a format: the most specific range that covers it decides.

    An alias is only what a client names it by: a wildcard speaks of the real media type.
    """
    major = fmt.media_type.partition("/")[0]
    for names in ((fmt.media_type,), fmt.aliases, (f"{major}/*",), ("*/*",)):
        qualities = [q for range_, q in ranges if range_ in names]
        if qualities:
            return max(qualities)
    return 0.0
