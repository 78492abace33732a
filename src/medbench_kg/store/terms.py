"""Terms and formats: written as SPARQL, turned into rdflib's, put in order."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pyoxigraph as ox
from rdflib.term import BNode, Literal, Node, URIRef

from medbench_kg.errors import QueryError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "RDF_FORMATS",
    "RESULT_FORMATS",
    "Quad",
    "literal",
    "named_node",
    "ordered",
    "reading_order",
    "sort_key",
    "spaced",
    "to_rdflib",
    "triple_of",
    "used",
    "with_fragments",
]

#: A triple and its graph, equal to others that say the same.
Quad = ox.Quad

#: Formats of triples, by the names of :mod:`medbench_kg.negotiation`.
RDF_FORMATS = {
    "turtle": ox.RdfFormat.TURTLE,
    "ntriples": ox.RdfFormat.N_TRIPLES,
    "nquads": ox.RdfFormat.N_QUADS,
    "trig": ox.RdfFormat.TRIG,
    "rdfxml": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
}

#: Formats of bindings and booleans.
RESULT_FORMATS = {
    "json": ox.QueryResultsFormat.JSON,
    "xml": ox.QueryResultsFormat.XML,
    "csv": ox.QueryResultsFormat.CSV,
    "tsv": ox.QueryResultsFormat.TSV,
}

_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_XSD_STRING = f"{_XSD}string"

#: What Turtle has a shorter way to write than a name.
_OMITTED = {
    _RDF_TYPE,
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString",
    _XSD_STRING,
    *(f"{_XSD}{name}" for name in ("boolean", "decimal", "double", "integer")),
}


def named_node(iri: str) -> str:
    """Write an IRI as a SPARQL term.

    Raises:
        QueryError: it isn't an absolute IRI.
    """
    try:
        return str(ox.NamedNode(iri))
    except ValueError as error:
        raise QueryError(
            f"“{iri}” isn't an IRI.", hint="Give an absolute IRI or a slug."
        ) from error


def literal(text: str, datatype: str | None = None) -> str:
    """Write a literal as a SPARQL term, escaped; ``datatype`` is an IRI, None for a string."""
    return str(ox.Literal(text, datatype=None if datatype is None else ox.NamedNode(datatype)))


def to_rdflib(value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Node:
    """Make the term that rdflib's own parser makes."""
    if isinstance(value, ox.NamedNode):
        return URIRef(value.value)
    if isinstance(value, ox.BlankNode):
        return BNode(value.value)
    if isinstance(value, ox.Literal):
        if value.language is not None:
            return Literal(value.value, lang=value.language)
        datatype = value.datatype.value
        kind = None if datatype == _XSD_STRING else URIRef(datatype)
        return Literal(value.value, datatype=kind, normalize=False)
    raise StoreError("The graph holds a triple term.", hint="Only RDF 1.1 terms are used here.")


def triple_of(quad: Quad) -> tuple[Node, Node, Node]:
    """Make the triple that rdflib's own parser makes."""
    return to_rdflib(quad.subject), to_rdflib(quad.predicate), to_rdflib(quad.object)


def sort_key(quad: ox.Quad) -> tuple[str, str, str, str]:
    """Order of quads in a dump."""
    return (str(quad.graph_name), str(quad.subject), str(quad.predicate), str(quad.object))


def reading_order(about: str) -> Callable[[ox.Triple], tuple[int, str, bool, str, str]]:
    """Order of triples in a document: its thing, the fragments of that, the rest; types first.

    Numbers within names are ordered as numbers: ``#author-2`` comes before ``#author-10``.
    """

    def key(triple: ox.Triple) -> tuple[int, str, bool, str, str]:
        subject, predicate = _counted(triple.subject), triple.predicate.value
        iri = str(triple.subject)
        rank = 0 if iri == f"<{about}>" else 1 if iri.startswith(f"<{about}#") else 2
        return rank, subject, predicate != _RDF_TYPE, predicate, _counted(triple.object)

    return key


def _counted(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str:
    """The text of a term, to sort it by."""
    return re.sub(r"\d+", lambda number: number[0].zfill(9), str(term).rstrip(">"))


def with_fragments(prefixes: Mapping[str, str], triples: Sequence[ox.Triple]) -> dict[str, str]:
    """Add the empty prefix, for the document whose fragments are described most."""
    described = {str(t.subject)[1:-1] for t in triples if t.predicate.value == _RDF_TYPE}
    namespaces = Counter(iri[: iri.index("#") + 1] for iri in sorted(described) if "#" in iri)
    for known in prefixes.values():
        namespaces.pop(known, None)
    if not namespaces:
        return dict(prefixes)
    return {"": namespaces.most_common(1)[0][0], **prefixes}


def used(prefixes: Mapping[str, str], quads: Sequence[ox.Quad | ox.Triple]) -> dict[str, str]:
    """The prefixes whose namespace some IRI of the quads begins with, but for what Turtle omits."""
    iris = {term.value for quad in quads for term in quad if isinstance(term, ox.NamedNode)}
    iris |= {quad.object.datatype.value for quad in quads if isinstance(quad.object, ox.Literal)}
    iris -= _OMITTED
    namespaces = {iri[: max(iri.rfind("/"), iri.rfind("#")) + 1] for iri in iris}
    return {prefix: ns for prefix, ns in prefixes.items() if ns in namespaces}


def spaced(turtle: bytes) -> bytes:
    """Put an empty line between the things of a Turtle document; literals hold no line ends."""
    return re.sub(rb"(?<= \.)\n(?=[^@\n])", b"\n\n", turtle)


def ordered(document: bytes) -> bytes:
    """Sort the prefix declarations at the head, which the engine writes in random order."""
    lines = document.split(b"\n")
    end = next((i for i, line in enumerate(lines) if not line.startswith(b"@prefix ")), 0)
    head, root = sorted(lines[:end]), re.compile(rb"(?<=<rdf:RDF )[^>]*(?=>)")
    body = b"\n".join([*head, *lines[end:]])
    return root.sub(lambda match: b" ".join(sorted(match[0].split())), body, count=1)
