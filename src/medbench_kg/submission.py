"""One record as somebody sends it: read from YAML-LD or RDF, and refused if it says too much.

A submission may speak of one thing of a kind that has records, of the nodes below it and of its
catalogue record. Whatever else it holds is refused, never dropped: what is stored says what was
sent. No address in it is ever fetched.

Specification: JSON-LD 1.1, section 3.1 (the context); RDF 1.1 Turtle, N-Triples.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from medbench_kg import description, export, notation, records
from medbench_kg.errors import ConflictError, RecordError, StoreError, SubmissionError
from medbench_kg.negotiation import by_name
from medbench_kg.records import KINDS, Record
from medbench_kg.store import LocalStore
from medbench_kg.versions import record_iri
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medbench_kg.records import Node
    from medbench_kg.vocabulary import Vocabulary

__all__ = ["TAKEN", "WRITABLE", "read", "record_iri", "states", "triples"]

#: Media type → name of the format of a submission.
TAKEN = {
    "text/turtle": "turtle",
    "application/ld+json": "jsonld",
    "application/n-triples": "ntriples",
    "application/yaml": "yaml",
    "application/ld+yaml": "yaml",
}

#: Folders whose records may be written; rows of the list change by importing it.
WRITABLE = tuple(kind for kind in KINDS if kind not in {"listings", "lists"})

#: Where the context is published; a document may name it, and no other.
_CONTEXT = f"{BASE}context.jsonld"

_SLUG = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_LONGEST_SLUG = 100

#: Prefixes of things without a fragment that stand in the record of another thing.
_INSIDE = ("mbres", "mbv")


def read(
    content: bytes, form: str, known: Mapping[str, Record], names: Vocabulary, wanted: str = ""
) -> Record:
    """Read a submission.

    Args:
        content: the document.
        form: one of the values of :data:`TAKEN`.
        known: the records that there are, by the IRI of their catalogue record.
        names: the context.
        wanted: IRI of the catalogue record that it has to be; "" leaves that to the document.

    Returns:
        The record, with the path of its file relative to ``data/``. Lines are those of the document
        if it is YAML, else those of the canonical form.

    Raises:
        RecordError: the document isn't well-formed.
        SubmissionError: it says what it may not say.
        ConflictError: it is the record of another thing than the one that has this address.
    """
    try:
        if form == "yaml":
            record = _from_yaml(content, known, names)
        else:
            record = _from_rdf(_utf8(content), form, known, names, wanted)
    except RecursionError as error:
        hint = "No record nests so deeply; write the nodes side by side."
        raise RecordError("This is nested too deeply.", hint=hint) from error
    told = record_iri(record, names)
    if wanted and told != wanted:
        this = f"the record “{names.shorten(told)}”" if told else "a record without an id"
        raise ConflictError(
            f"This is {this}, and not “{names.shorten(wanted)}”.",
            hint="Send it to its own address.",
            where=_where(record, told, names),
        )
    other = known.get(told) if told else None
    if other is not None and other.iri != record.iri:
        raise ConflictError(
            f"“{names.shorten(told)}” is the record of {names.shorten(other.iri)}.",
            hint="A record stays with the thing that it describes; choose another id.",
            where=_where(record, told, names),
        )
    _refuse_others(triples(record, names), record, told, known, names)
    return record


def states(found: Iterable[Record], names: Vocabulary) -> dict[str, str]:
    """Slug of each catalogue record → SHA-256 of its file."""
    told = {record_iri(one, names): one.digest for one in found}
    return {iri.rpartition("/")[2]: digest for iri, digest in told.items() if iri}


def _from_yaml(content: bytes, known: Mapping[str, Record], names: Vocabulary) -> Record:
    sent = Path("record.yaml")
    node, lines = notation.read(content, sent)
    iri = node.get("id")
    if not isinstance(iri, str):
        raise SubmissionError(
            "The record has no id.", hint="Write “id: mbd:<slug>” first.", where=f"{sent}:1"
        )
    for at, line in lines.items():
        if at and str(at[-1]).startswith("@"):
            raise SubmissionError(
                f"“{at[-1]}” isn't a key of a record.",
                hint="Leave it out: the context is ours.",
                where=f"{sent}:{line}",
            )
    path = _path(names.expand(iri), node, known, names, where=f"{sent}:{lines['id',]}")
    return records.parse(content, path, names)


def _from_rdf(
    content: bytes, form: str, known: Mapping[str, Record], names: Vocabulary, wanted: str
) -> Record:
    store = LocalStore(names.prefixes)
    try:
        if form == "jsonld":
            content = _with_our_context(content, names)
        store.load(content, form, base=wanted or BASE)
    except StoreError as error:
        where = "" if form == "jsonld" else error.where  # what is loaded has been written anew
        raise RecordError(error.message, hint="Send well-formed RDF.", where=where) from error
    said = description.statements(store)
    if len(said) < len(store):
        raise SubmissionError(
            "The document has named graphs or triple terms.", hint="Send triples of RDF 1.1 alone."
        )
    topics = {one.subject for one in said if _kind(one.subject, names) and "#" not in one.subject}
    topics -= {one.subject for one in said if one.property in names.reverse_properties}
    if len(topics) != 1:
        raise SubmissionError(
            f"The document describes {len(topics)} things that have records.",
            hint="Send the record of one dataset, paper, venue, model or source at a time.",
        )
    (iri,) = topics
    before = next((r.node for r in known.values() if r.iri == iri), {})
    tree = export.tree(store.dump(by_name("jsonld")), iri, names)
    node = cast("Node", _ordered_like(_tidy(tree, "", iri, names), before))
    path = _path(iri, node, known, names)
    record = records.parse(records.canonical(node, names), path, names)
    lost = store.missing_from(triples(record, names))
    if lost:
        raise SubmissionError(
            f"{len(lost)} triples hang loose from {names.shorten(iri)}, such as: {lost[0]}",
            hint="Say only what belongs to it, and give each node below it an IRI with a fragment.",
        )
    return record


def _with_our_context(content: bytes, names: Vocabulary) -> bytes:
    """Replace our context by what it stands for; no other is taken, and none is fetched."""
    try:
        document = json.loads(content, object_pairs_hook=_once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise RecordError(
            f"This isn't JSON: {error.msg}.",
            hint="Send well-formed JSON-LD.",
            where=f"line {error.lineno}, column {error.colno}",
        ) from error
    except ValueError as error:
        raise RecordError("A number is too long.", hint="Write it as a text.") from error
    if isinstance(document, dict):
        context = document.pop("@context", None)
        if context not in (None, _CONTEXT, names.context):
            raise SubmissionError(
                "The document names a context that isn't ours.",
                hint=f"Use “{_CONTEXT}”, the same context inline, or expanded JSON-LD.",
            )
    if any(key in {"@context", "@import"} for key in _keys(document)):
        raise SubmissionError(
            "A context stands inside the document.", hint="Put one “@context” at its top."
        )
    if isinstance(document, dict) and context is not None:
        document = {"@context": names.context, **document}
    try:
        return json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        hint = "Write both halves of a character beyond U+FFFF, or the character itself."
        raise RecordError("There is half of a character.", hint=hint) from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RecordError(f"The key “{twice[:60]}” stands here twice.", hint="Keep one.")
    return found


def _no_number(text: str) -> NoReturn:
    raise RecordError(f"“{text}” is no number of JSON.", hint="Leave it out: absent is unknown.")


def _utf8(content: bytes) -> bytes:
    """A text without byte order mark, which would be read as a part of it."""
    try:
        return content.decode("utf-8-sig").encode()
    except UnicodeDecodeError as error:
        raise RecordError("The document isn't UTF-8.", hint="Send it as UTF-8.") from error


def _keys(value: object) -> Iterable[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)


def triples(record: Record, names: Vocabulary) -> LocalStore:
    """Turn a record into triples.

    Raises:
        SubmissionError: some of it can't be said in RDF.
    """
    store = LocalStore(names.prefixes)
    document = {"@context": names.context, "@graph": [record.document(names)]}
    try:
        store.load(json.dumps(document).encode(), "jsonld")
    except StoreError as error:
        raise SubmissionError(
            error.message,
            hint="Look for an IRI with a space, a value where a node belongs, or a wrong "
            "language tag.",
        ) from error
    return store


def _refuse_others(
    store: LocalStore,
    record: Record,
    told: str,
    known: Mapping[str, Record],
    names: Vocabulary,
) -> None:
    """Refuse triples about anything but the thing, what is below it, and its record."""
    slug = record.iri.rpartition("/")[2]
    others = records.places((r for r in known.values() if r.iri != record.iri), names).keys()
    below = tuple(f"{names.expand(f'{prefix}:{slug}')}-" for prefix in _INSIDE)
    said = description.statements(store)
    classes = {names.property_of(name) for name in names.classes}
    for one in said:
        vocab = str(names.context["@vocab"])
        if one.property == names.property_of("type") and not (
            one.value in classes or one.value.startswith(vocab)
        ):
            raise SubmissionError(
                f"Nothing that has a record is a {names.shorten(one.value)}.",
                hint="Use a class of the ontology, such as Benchmark.",
                where=_where(record, one.subject, names, "type"),
            )
    for subject in sorted({one.subject for one in said}):
        own = subject in {record.iri, told} or subject.startswith((f"{record.iri}#", f"{told}#"))
        inside = subject.startswith(below) or not subject.startswith(("http:", "https:"))
        if subject in others or not (own or inside):
            raise SubmissionError(
                f"The document speaks of {names.shorten(subject)}, which isn't part of "
                f"{names.shorten(record.iri)}.",
                hint="Say only what belongs to this record; send others to their own address.",
                where=_where(record, subject, names),
            )


def _where(record: Record, iri: str, names: Vocabulary, key: str = "id") -> str:
    """File and line of a node of a record; of its id if no node is called so."""
    top = records.Place(record, (), record.node)
    (place, *_) = records.places([record], names).get(iri, [top])
    return f"{record.path}:{place.line(key)}"


def _kind(iri: str, names: Vocabulary) -> str | None:
    """The first folder of records whose things have such IRIs."""
    prefix = names.shorten(iri).partition(":")[0]
    return next((kind for kind in WRITABLE if KINDS[kind] == prefix), None)


def _path(
    iri: str, node: Node, known: Mapping[str, Record], names: Vocabulary, where: str = ""
) -> Path:
    """The file of a record: the one that there is, else the one that its id and type ask for."""
    for record in known.values():
        if record.iri == iri:
            return Path(record.path.parent.name, record.path.name)
    kind, slug = _kind(iri, names), names.shorten(iri).partition(":")[2]
    if kind is None or not _SLUG.fullmatch(slug) or len(slug) > _LONGEST_SLUG:
        raise SubmissionError(
            f"“{names.shorten(iri)}” can't be the id of a record.",
            hint="Write a prefix of records and a slug in small letters: mbd:my-dataset.",
            where=where,
        )
    types = node.get("type", [])
    if "SourceDataset" in ([types] if isinstance(types, str) else types):
        kind = "sources"
    return Path(kind, f"{slug}.yaml")


def _tidy(value: object, key: str, iri: str, names: Vocabulary) -> object:
    """Write names the way that a record does: slugs, fragments, keys."""
    if isinstance(value, dict):
        return {name: _tidy(inner, name, iri, names) for name, inner in value.items()}
    if isinstance(value, list):
        return [_tidy(inner, key, iri, names) for inner in value]
    return _tidy_text(value, key, iri, names) if isinstance(value, str) else value


def _tidy_text(value: str, key: str, iri: str, names: Vocabulary) -> str:
    full, base = names.expand(value, ""), names.base_of(key)
    if base is not None:
        return full.removeprefix(base)
    if names.is_name(key):
        return names.keys_of(full)[0] if full != value else value
    if full.startswith(f"{iri}#") and (key == "id" or names.is_link(key)):
        return full.removeprefix(iri)
    return value


def _ordered_like(new: object, old: object) -> object:
    """Keep order and lists of the record that there is, so that a difference shows what changed."""
    if isinstance(new, dict) and isinstance(old, dict):
        return {key: _ordered_like(value, old.get(key)) for key, value in new.items()}
    if not isinstance(old, list):
        return new
    found = new if isinstance(new, list) else [new]
    before = {_name(item): (place, item) for place, item in enumerate(old)}
    last = (len(old), None)
    ordered = sorted(found, key=lambda item: before.get(_name(item), last)[0])
    return [_ordered_like(item, before.get(_name(item), last)[1]) for item in ordered]


def _name(item: object) -> str:
    return str(item.get("id") if isinstance(item, dict) else item)
