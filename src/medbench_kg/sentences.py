"""What errors say, in Chinese: their sentences by pattern, from the catalogue of the pages' words.

Errors are raised in English, wherever they are found; each face says them in the language of its
reader. What has no translation here stays as it is, and pages mark it as English.

Specification: GNU gettext, section 10 (PO files).
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.support import Translations

    from medbench_kg.errors import MedbenchError

__all__ = ["chinese", "in_order", "line", "retell"]


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
    _("The file isn't UTF-8."),
    _("Save it as UTF-8."),
    _("The file holds no mapping."),
    _("Write “key: value” lines."),
    _("The file holds a second document."),
    _("Give each record its own file."),
    _("The file holds a character that YAML doesn't allow."),
    _("Remove control characters."),
    _("This isn't YAML: {reason}."),
    _("Check indentation, quotes and colons here and on the line above."),
    _("syntax error"),
    _("mapping values are not allowed in this context"),
    _("mapping keys are not allowed in this context"),
    _("block sequence entries are not allowed in this context"),
    _("could not find expected ':'"),
    _("did not find expected ',' or ']'"),
    _("did not find expected ',' or '}}'"),
    _("did not find expected '-' indicator"),
    _("did not find expected alphabetic or numeric character"),
    _("did not find expected comment or line break"),
    _("did not find expected key"),
    _("did not find expected node content"),
    _("did not find expected whitespace or line break"),
    _("did not find expected <document start>"),
    _("found a tab character that violates indentation"),
    _("found a tab character where an indentation space is expected"),
    _("found character that cannot start any token"),
    _("found invalid Unicode character escape code"),
    _("found undefined alias"),
    _("found undefined tag handle"),
    _("found duplicate anchor; first occurrence"),
    _("found unexpected ':'"),
    _("found unexpected document indicator"),
    _("found unexpected end of stream"),
    _("found unknown escape character"),
    _("This is nested too deeply."),
    _("Use the keys of the context."),
    _("No record nests so deeply; write the nodes side by side."),
    _("The key “{key}” stands here twice."),
    _("Keep one; make a list of two."),
    _("Keep one."),
    _("“{key}” is empty."),
    _("Give a value, or remove the key: absent is unknown."),
    _("A key must be a word."),
    _("Quote it if it holds [ or {{."),
    _("This text has {number} characters; {most} are allowed."),
    _("Shorten it, and leave the rest to the source."),
    _("The character {character} can't be seen."),
    _("Take it out."),
    _("Anchors and aliases aren't used here."),
    _("Write it out."),
    _("The tag “{tag}” isn't used here."),
    _("Comments get lost in the canonical form."),
    _("Move the comment into a “note”, in both languages, or delete it."),
    _("The canonical form would not say the same."),
    _("Leave the file as it is and report this."),
    _("“{name}” is no folder of records."),
    _("Put the file into one of: {names}."),
    _("This file has no id."),
    _("The id of this file is “{id}”."),
    _("Write “id: {id}”, or rename the file."),
    _("“{value}” can't be an address: it holds “{character}”."),
    _("Take it out, or write a blank as %20."),
    _("{name} is described here and in {where}."),
    _("Give one of them another id."),
    _("The record has no id."),
    _("Write “id: mbd:<slug>” first."),
    _("“{key}” isn't a key of a record."),
    _("Leave it out: the context is ours."),
    _("This is a record without an id, and not “{wanted}”."),
    _("This is the record “{told}”, and not “{wanted}”."),
    _("Send it to its own address."),
    _("“{told}” is the record of {name}."),
    _("A record stays with the thing that it describes; choose another id."),
    _("The RDF can't be read: {reason}."),
    _("Unexpected end of file"),
    _("The prefix {name} has not been declared"),
    _("{value} is not a valid RDF object"),
    _("@id value must be a string"),
    _("@type value must be a string"),
    _("The values in a @language map must be null or strings"),
    _("Send well-formed RDF."),
    _("Repair the Turtle."),
    _("The document has named graphs or triple terms."),
    _("Send triples of RDF 1.1 alone."),
    _("The document describes {number} things that have records."),
    _("Send the record of one dataset, paper, venue, model or source at a time."),
    _("{number} triples hang loose from {name}, such as: {example}"),
    _("Say only what belongs to it, and give each node below it an IRI with a fragment."),
    _("This isn't JSON: {reason}."),
    _("Send well-formed JSON-LD."),
    _("Expecting value"),
    _("Expecting ',' delimiter"),
    _("Expecting ':' delimiter"),
    _("Expecting property name enclosed in double quotes"),
    _("Unterminated string starting at"),
    _("Invalid control character at"),
    _("Extra data"),
    _("A number is too long."),
    _("Write it as a text."),
    _("“{value}” is no number of JSON."),
    _("Leave it out: absent is unknown."),
    _("There is half of a character."),
    _("Write both halves of a character beyond U+FFFF, or the character itself."),
    _("The document names a context that isn't ours."),
    _("Use “{address}”, the same context inline, or expanded JSON-LD."),
    _("A context stands inside the document."),
    _("Put one “@context” at its top."),
    _("The document isn't UTF-8."),
    _("Send it as UTF-8."),
    _("Look for an IRI with a space, a value where a node belongs, or a wrong language tag."),
    _("Nothing that has a record is a {name}."),
    _("Use a class of the ontology, such as Benchmark."),
    _("The document speaks of {other}, which isn't part of {name}."),
    _("Say only what belongs to this record; send others to their own address."),
    _("“{name}” can't be the id of a record."),
    _("Write a prefix of records and a slug in small letters: mbd:my-dataset."),
    _("There is no such record."),
    _("“/query/recent-changes” has all."),
    _("The check broke off: the record needs too much memory, or is nested too deeply."),
    _("Send a smaller one."),
    _("Send one of {names}, in UTF-8 and not encoded."),
    _("Send the whole record."),
    _("It is too large."),
    _("Give the entry alone."),
    _("Give a file, an address or an arXiv id."),
    _("{name} was written by somebody else meanwhile."),
    _("Run the command again."),
    _("Others are writing to data/ at this moment."),
)


def retell(sentence: str, lang: str) -> str:
    """Say what an error says in a language, as far as that is known."""
    if lang == "en":
        return sentence
    for template, pattern in _patterns():
        if found := pattern.fullmatch(sentence):
            parts = {name: _part(name, text, lang) for name, text in found.groupdict().items()}
            return str(chinese().gettext(template)).format(**parts)
    return sentence


def in_order(name: str) -> bytes:
    """Key that sorts names as a reader looks them up: GB 18030 has Chinese ones by their sound."""
    return name.casefold().encode("gb18030")


def line(error: MedbenchError, lang: str) -> str:
    """Place, message and hint of an error in one line, as ``str`` gives them in English."""
    if lang == "en":
        return str(error)
    place = f"{error.where}: " if error.where else ""
    return place + "".join(retell(one, lang) for one in (error.message, error.hint))


@lru_cache(maxsize=1)
def chinese() -> Translations:
    """The catalogue, compiled in memory when it is first needed."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415  only Chinese needs it
    from babel.messages.pofile import read_po  # noqa: PLC0415  as above
    from babel.support import Translations  # noqa: PLC0415  as above

    source = resources.files("medbench_kg") / "translations/zh/LC_MESSAGES/messages.po"
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale="zh"))
    compiled.seek(0)
    return Translations(compiled)


def _part(name: str, text: str, lang: str) -> str:
    """What stands in braces, as far as it isn't a name or quoted."""
    if name == "names":
        return text.replace(", ", chinese().gettext(", "))
    if name == "facet":
        return str(chinese().gettext(text.capitalize()))
    return retell(text, lang) if name in {"what", "reason"} else text


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each sentence with the pattern of all that it stands for."""
    return tuple((one, _pattern(one)) for one in _SENTENCES)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(?<!\{)\{(\w+)\}", template)
    fixed = (re.escape(part.format()) for part in parts[::2])
    names = (f"(?P<{name}>.+?)" for name in parts[1::2])
    return re.compile(
        "".join(part for pair in zip(fixed, [*names, ""], strict=True) for part in pair), re.DOTALL
    )
