"""References to datasets and papers, for BibTeX, CSL-JSON and RIS.

One query gets the facts in the variables of CSL; the other formats are made from those. A dataset
is followed by its papers. Nothing is said that the graph doesn't hold: names stay as they are
printed and aren't split into family and given names; an incomplete list of authors ends with
``others``, as in BibTeX.

Specification: CSL 1.0.2, appendices III (types) and IV (variables); BibTeX entry types and fields,
``eprint`` as arXiv recommends; RIS (2011).
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import rispy
from bibtexparser.entrypoint import parse_string, write_string
from bibtexparser.library import Library
from bibtexparser.model import Entry, Field
from bibtexparser.writer import BibtexFormat
from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexencode import UnicodeToLatexEncoder

from medbench_kg import catalogue
from medbench_kg.errors import NotFoundError
from medbench_kg.negotiation import by_name
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from medbench_kg.catalogue import Query
    from medbench_kg.negotiation import Format
    from medbench_kg.store import Store

__all__ = ["answer", "cite", "latex", "references", "write"]

#: An item of CSL-JSON: variable → text, ``author`` → names, ``issued`` → date.
Item = dict[str, Any]

#: CSL type → entry type of BibTeX, type of RIS.
_TYPES = {
    "article": ("misc", "UNPB"),
    "article-journal": ("article", "JOUR"),
    "dataset": ("misc", "DATA"),
    "paper-conference": ("inproceedings", "CPAPER"),
}

#: CSL variable → field of BibTeX; the first four are read by TeX, the others as they stand.
_BIBTEX = {
    "title": "title",
    "container-title": "booktitle",
    "event-title": "eventtitle",
    "volume": "volume",
    "DOI": "doi",
    "URL": "url",
    "archive": "archiveprefix",
    "archive_location": "eprint",
}
_VERBATIM = {"DOI", "URL", "archive_location"}

#: CSL variable → key of rispy.
_RIS = {
    "title": "title",
    "container-title": "secondary_title",
    "event-title": "custom3",
    "volume": "volume",
    "DOI": "doi",
    "archive": "name_of_database",
    "archive_location": "accession_number",
}

#: Writes a text as LaTeX.
latex = UnicodeToLatexEncoder(
    replacement_latex_protection="braces-all",
    unknown_char_policy="keep",
    unknown_char_warning=False,
).unicode_to_latex


class _Ris(rispy.RisWriter):  # type: ignore[misc]
    """Writes no running number before each reference, which not every reader skips."""

    def set_header(self, count: int) -> str:  # noqa: ARG002  signature of rispy
        return ""


def cite(store: Store, names: Iterable[str], fmt: Format) -> bytes:
    """Write references to datasets and papers.

    Args:
        store: where the facts are.
        names: IRIs, or slugs such as ``gemex`` and ``arxiv-2411.16778``.
        fmt: one of :data:`medbench_kg.negotiation.REFERENCE_FORMATS`.

    Raises:
        NotFoundError: there is no dataset and no paper of that name.
    """
    things = []
    for name in names:
        iris = [name] if "://" in name else [f"{BASE}dataset/{name}", f"{BASE}paper/{name}"]
        if not references(store, iris):
            raise NotFoundError(
                f"There is no dataset and no paper “{name}”.",
                hint="“medbench query find” and “medbench query papers-by-venue” list them.",
            )
        things += iris
    return write(references(store, things), fmt)


def answer(store: Store, query: Query, arguments: Mapping[str, str], fmt: Format) -> bytes:
    """Write references to all datasets and papers in the answer to a canned query.

    Raises:
        QueryError: see :func:`medbench_kg.catalogue.ask`.
    """
    body, _ = catalogue.ask(store, query, arguments, lambda _kind: by_name("json"))
    rows = json.loads(body)["results"]["bindings"]
    iris = [cell["value"] for row in rows for cell in row.values() if cell["type"] == "uri"]
    return write(references(store, iris), fmt)


def references(store: Store, things: Iterable[str]) -> list[Item]:
    """Describe how to cite things.

    Args:
        store: where the facts are.
        things: IRIs; what is neither dataset nor paper is passed over.

    Returns:
        CSL-JSON, in the order of the things, each dataset before its papers, nothing twice. The
        ``id`` is made from the IRI, so it never changes: ``paper:arxiv-2411.16778``.
    """
    wanted = list(dict.fromkeys(things))
    text = catalogue.internal("references", "thing", wanted)
    body, _ = store.query(text, lambda _kind: by_name("json"))
    found: dict[str, dict[str, Item]] = {}
    for row in json.loads(body)["results"]["bindings"]:
        thing, iri = row["thing"]["value"], row["item"]["value"]
        key = iri.removeprefix(BASE).replace("/", ":")
        item = found.setdefault(thing, {}).setdefault(key, {"id": key})
        _put(item, row["variable"]["value"], row["value"]["value"])
    items = (item for thing in wanted for item in found.get(thing, {}).values())
    return list({item["id"]: item for item in items}.values())


def _put(item: Item, variable: str, value: str) -> None:
    if variable == "author":
        item.setdefault("author", []).append({"literal": value})
    elif variable == "issued":
        item["issued"] = {"date-parts": [[int(part) for part in value.split("-")]]}
    else:
        item[variable] = value


def read_bibtex(text: str) -> list[dict[str, str]]:
    """Read the fields of entries, by lower-case name, as plain text, without broken entries.

    The type of an entry is its field ``entrytype``.
    """
    plain = LatexNodes2Text().latex_to_text
    return [
        {"entrytype": entry.entry_type.lower()}
        | {field.key.lower(): " ".join(plain(str(field.value)).split()) for field in entry.fields}
        for entry in parse_string(text).entries
    ]


def write(items: Iterable[Item], fmt: Format) -> bytes:
    """Write CSL-JSON in a format of references; UTF-8."""
    if fmt.name == "bibtex":
        return _bibtex(items)
    if fmt.name == "ris":
        return str(rispy.dumps([_ris(item) for item in items], implementation=_Ris)).encode()
    return json.dumps(list(items), ensure_ascii=False, indent=1).encode() + b"\n"


def _bibtex(items: Iterable[Item]) -> bytes:
    style = BibtexFormat()  # type: ignore[no-untyped-call]
    style.indent, style.block_separator = "  ", "\n"
    library = Library()
    for item in items:
        fields = [Field(*pair) for pair in _fields(item)]
        library.add(Entry(_TYPES[item["type"]][0], item["id"], fields))
    return write_string(library, bibtex_format=style).encode()


def _fields(item: Item) -> Iterator[tuple[str, str]]:
    """The fields of an entry; braces keep the capitals of a title."""
    if "author" in item:
        yield "author", " and ".join(_name(name["literal"]) for name in item["author"])
    for variable, field in _BIBTEX.items():
        if variable in item:
            write = _literal if variable in _VERBATIM else latex
            text = write(item[variable])
            own = "journal" if field == "booktitle" and item["type"] == "article-journal" else field
            yield own, f"{{{text}}}" if field == "title" else text
    if "page" in item:
        yield "pages", latex(item["page"]).replace("-", "--")
    if "issued" in item:
        yield from zip(("year", "month"), map(str, item["issued"]["date-parts"][0]), strict=False)


def _literal(address: str) -> str:
    """An address, which LaTeX reads as it stands, without what LaTeX would run or end it at."""
    return re.sub(r"[\\{}\s]", lambda found: quote(found[0]), address)


def _name(name: str) -> str:
    """A name as BibTeX reads it; braces keep together what it would take apart wrongly."""
    text = latex(name)
    return f"{{{text}}}" if "," in name or " and " in f" {name} ".lower() else text


def _ris(item: Item) -> Item:
    ris: Item = {"type_of_reference": _TYPES[item["type"]][1], "id": item["id"]}
    ris["authors"] = [name["literal"] for name in item.get("author", [])]
    ris |= {key: item[variable] for variable, key in _RIS.items() if variable in item}
    if "page" in item:
        first, _, last = item["page"].partition("-")
        ris |= {"start_page": first} | ({"end_page": last} if last else {})
    if "issued" in item:
        parts = item["issued"]["date-parts"][0]
        ris |= {"year": f"{parts[0]:04}", "date": "/".join(f"{part:02}" for part in parts)}
    if "URL" in item:
        ris["urls"] = [item["URL"]]
    return ris
