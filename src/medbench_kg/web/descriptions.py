"""What the graph says about itself, as documents: VoID, canned queries, catalogue.

Specification: VoID, section 7.2 (``/.well-known/void``); RFC 8615.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from medbench_kg import export, vocabulary
from medbench_kg.metadata import CATALOGUE_GRAPH, QUERIES_GRAPH, VOID_GRAPH
from medbench_kg.negotiation import GRAPH_FORMATS, by_name, choose
from medbench_kg.vocabulary import BASE
from medbench_kg.web.resources import kept

if TYPE_CHECKING:
    from medbench_kg.store import Store

__all__ = ["PATHS", "descriptions"]

#: The paths of all routes.
PATHS = tuple(f"/{iri.removeprefix(BASE)}" for iri in (VOID_GRAPH, QUERIES_GRAPH, CATALOGUE_GRAPH))


def descriptions(store: Store) -> Blueprint:
    """Make a route for each named graph that describes the graph; its path is that of its IRI."""
    routes = Blueprint("descriptions", __name__)

    def document() -> Response:
        """Write a named graph in the format that the client prefers."""
        named = request.args.get("format")
        wanted = by_name(named, GRAPH_FORMATS) if named else None
        fmt = wanted or choose(request.headers.get("Accept", ""), GRAPH_FORMATS)
        graph = BASE + request.path.removeprefix("/")
        response = kept(export.serialize(store, fmt, vocabulary.load(), graph), fmt.content_type)
        response.vary.add("Accept")
        return response

    for path in PATHS:
        routes.add_url_rule(path, path.rpartition("/")[2], document)
    return routes
