"""Terms: written as SPARQL, turned into rdflib's, put in order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyoxigraph as ox
from rdflib.term import BNode, Literal, Node, URIRef

from medbench_kg.errors import QueryError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["literal", "named_node", "ordered", "sort_key", "to_rdflib", "used"]

_XSD_STRING = "http://www.w3.org/2001/XMLSchema#string"


def named_node(iri: str) -> str:
    """Write an IRI as a SPARQL term.

    Raises:
        QueryError: it isn't an absolute IRI.
    """
    try:
        return str(ox.NamedNode(iri))
    except ValueError as error:
        raise QueryError(f"“{iri}” is no IRI.", hint="Give an absolute IRI or a slug.") from error


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


def sort_key(quad: ox.Quad) -> tuple[str, str, str, str]:
    """Order of quads in a dump."""
    return (str(quad.graph_name), str(quad.subject), str(quad.predicate), str(quad.object))


def used(prefixes: Mapping[str, str], quads: Sequence[ox.Quad | ox.Triple]) -> dict[str, str]:
    """The prefixes whose namespace some IRI of the quads begins with."""
    iris = {term.value for quad in quads for term in quad if isinstance(term, ox.NamedNode)}
    iris |= {quad.object.datatype.value for quad in quads if isinstance(quad.object, ox.Literal)}
    namespaces = {iri[: max(iri.rfind("/"), iri.rfind("#")) + 1] for iri in iris}
    return {prefix: ns for prefix, ns in prefixes.items() if ns in namespaces}


def ordered(document: bytes) -> bytes:
    """Sort the prefix declarations at the head, which the engine writes in random order."""
    lines = document.split(b"\n")
    end = next((i for i, line in enumerate(lines) if not line.startswith(b"@prefix ")), 0)
    head, root = sorted(lines[:end]), re.compile(rb"(?<=<rdf:RDF )[^>]*(?=>)")
    body = b"\n".join([*head, *lines[end:]])
    return root.sub(lambda match: b" ".join(sorted(match[0].split())), body, count=1)
