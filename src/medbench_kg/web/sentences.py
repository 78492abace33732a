"""What errors say, in Chinese: the sentences of the core and of the routes, by their patterns.

Errors are raised in English, wherever they are found. What has no translation here stays so, and
pages mark it as English.
"""

from __future__ import annotations

import re
from functools import lru_cache

from flask_babel import gettext

from medbench_kg.web.words import facet_titles, language

__all__ = ["retell"]


def _(text: str) -> str:
    """Mark a text for translation; it is translated when an error is told."""
    return text


#: The sentences; what stands in braces differs from case to case.
_SENTENCES = (
    _("The query “{query}” has no parameter “{name}”."),
    _("There is no canned query “{name}”."),
    _("“{value}” isn't a value of “{name}”."),
    _("“{value}” isn't a whole number."),
    _("There is no format “{name}” here."),
    _("There is no format “{name}”."),
    _("None of the media types that you accept can be made here."),
    _("No format that you accept fits."),
    _("This isn't a SPARQL 1.1 query: {detail}."),
    _("The query can't be answered: {detail}."),
    _("The query has {size} bytes; {most} are allowed."),
    _("words, terms and signs"),
    _("operators"),
    _("terms outside of groups"),
    _("triple patterns and groups"),
    _("The query holds a NUL character."),
    _("“{value}” can be read as an IRI and as a comparison."),
    _("The query isn't UTF-8."),
    _("SERVICE isn't offered: this endpoint asks no other endpoint."),
    _("The query is nested deeper than {number} levels."),
    _("Remove brackets."),
    _("The query has more than {number} operators in a row."),
    _("The query has more than {number} {what}."),
    _("Remove some of them."),
    _("Ask the other endpoint yourself; hand over with VALUES."),
    _("“{prefix}:” isn't declared; add PREFIX {line}."),
    _("“{prefix}:” isn't declared; add a PREFIX line for it."),
    _("Declare every prefix with a PREFIX line."),
    _("The request holds {number} queries."),
    _("This endpoint is read-only: it takes no updates."),
    _("This is an update, and the graph is read-only."),
    _("“{name}” isn't an IRI."),
    _("“{value}” isn't a timeout."),
    _("The engine gave up on this query: it needs too much memory, or is too complex."),
    _("The query was stopped at its deadline of {seconds} seconds."),
    _("The query was stopped at its deadline."),
    _("The check was stopped at its deadline of {seconds} seconds."),
    _("The endpoint behind this server keeps failing and is left alone for a moment."),
    _("The endpoint behind this server failed with status {status}."),
    _("The endpoint behind this server refuses this: {detail}."),
    _("The endpoint behind this server refuses this."),
    _("The endpoint behind this server can't write this format."),
    _("The endpoint behind this server gave no answer: {reason}."),
    _("its name isn't known"),
    _("nothing answers at its address"),
    _("it accepts no connection"),
    _("its certificate isn't accepted"),
    _("its answer broke off"),
    _("The endpoint behind this server sent no whole answer: {reason}."),
    _("The endpoint behind this server took too long."),
    _("The query runs long, and all places for long queries are taken."),
    _("All places for queries are taken."),
    _("The answer is larger than this server allows."),
    _("The answer is too large."),
    _("There is no room for so large an answer now."),
    _("The answer holds a character that XML can't hold."),
    _("No dataset has “{value}” as its {facet}."),
    _("There is no facet “{name}”."),
    _("There is no page “{number}”."),
    _("There is no order “{order}”."),
    _("There is no kind “{kind}”."),
    _("There is no type “{code}”."),
    _("There is no file “{name}”."),
    _("There is no concept “{concept}”."),
    _("There is no bundle “{path}”."),
    _("There is no dataset and no paper “{name}”."),
    _("There is no record of a dataset “{name}”."),
    _("“{name}” has no record."),
    _("Nothing changed on “{day}”."),
    _("There is no dataset “{name}”."),
    _("There is nothing at “{path}”."),
    _("{iri} was withdrawn."),
    _("Choose at least two datasets."),
    _("{number} datasets are too many for a table."),
    _("The text has {number} characters."),
    _("The form has no field “{name}”."),
    _("“{name}” is no field of the form, or was sent twice."),
    _("“{name}” was sent {number} times."),
    _("“{name}” has more than {number} characters."),
    _("Records aren't checked here."),
    _("No process is ready for this."),
    _("This graph has no dumps."),
    _("You may send {number} requests in {seconds} seconds."),
    _("A body may have {number} bytes."),
    _("The server made a mistake; it is in its log."),
    _("Did you mean “{name}”?"),
    _("Did you mean {name}?"),
    _("There are: {names}."),
    _("It has: {names}."),
    _("Use one of: {names}."),
    _("It takes none."),
    _("Give digits only."),
    _("Give seconds, e.g. timeout=5."),
    _("Give at most {number}."),
    _("Send UTF-8."),
    _("Send a query."),
    _("Send one: GET ?query=…, a form with query=…, or a body of type {type}."),
    _("Look at the text before this position."),
    _("Put a blank after “<” if it means less; use a prefixed name if it's an IRI."),
    _("Remove it."),
    _("Select fewer of them."),
    _("Use IN, VALUES or a shorter path."),
    _("Ask in several queries."),
    _("Ask in several queries, or list the alternatives in VALUES."),
    _("Ask for less at a time."),
    _("Ask for JSON or Turtle."),
    _("Ask another server."),
    _("Ask it by SPARQL."),
    _("Narrow it."),
    _("Narrow it, or ask for fewer things at a time."),
    _("Narrow the query, or ask for fewer things at a time."),
    _("Ask for another."),
    _("Ask in another format, or for less; look into the endpoint's own log."),
    _("Check its address and that it is running, and try again."),
    _("Try again later."),
    _("Try again later, or ask for less."),
    _("Try again later, or send a smaller record."),
    _("Try again later, or narrow the query."),
    _("Try again in a second."),
    _("Wait, and ask for more at a time."),
    _("Use LIMIT and OFFSET."),
    _("Name a graph by its IRI."),
    _("Give an absolute IRI or a slug."),
    _("Give one such as {example}."),
    _("Name one like “{example}”."),
    _("The first page lists the days."),
    _("See {path}."),
    _("Use the form as it is."),
    _("Send it once."),
    _("Shorten it."),
    _("Begin at page 1."),
    _("Sort by title, year or size-image."),
    _("Add “d=…”."),
    _("Choose {number} at most."),
    _("Name it as in its address, e.g. {example}."),
    _("One is at {path}."),
    _("/lineage lists them all."),
    _("The start page leads to everything."),
    _("“medbench query” lists them."),
)


def retell(sentence: str) -> str:
    """Say what an error says in the language of the answer, as far as that is known."""
    if language() == "en":
        return sentence
    for template, pattern in _patterns():
        if found := pattern.fullmatch(sentence):
            parts = {name: _part(name, text) for name, text in found.groupdict().items()}
            return str(gettext(template)).format(**parts)
    return sentence


def _part(name: str, text: str) -> str:
    """What stands in braces, as far as it isn't a name or quoted."""
    if name == "names":
        return text.replace(", ", gettext(", "))
    if name == "facet":
        return facet_titles().get(text, text)
    return retell(text) if name in {"what", "reason"} else text


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each sentence with the pattern of all that it stands for."""
    return tuple((one, _pattern(one)) for one in _SENTENCES)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    fixed, names = map(re.escape, parts[::2]), (f"(?P<{name}>.+?)" for name in parts[1::2])
    return re.compile(
        "".join(part for pair in zip(fixed, [*names, ""], strict=True) for part in pair), re.DOTALL
    )
