"""What the graph says about itself, as documents: VoID, canned queries, catalogue.

Specification: VoID, section 7.2 (``/.well-known/void``); RFC 8615.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request

from medbench_kg.metadata import CATALOGUE_GRAPH, QUERIES_GRAPH, VOID_GRAPH
from medbench_kg.negotiation import GRAPH_FORMATS, by_name, choose
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from medbench_kg.store import Store

__all__ = ["PATHS", "descriptions"]

#: The paths of all routes.
PATHS = tuple(f"/{iri.removeprefix(BASE)}" for iri in (VOID_GRAPH, QUERIES_GRAPH, CATALOGUE_GRAPH))


def descriptions(store: Store, version: str) -> Blueprint:
    """Make a route for each named graph that describes the graph; its path is that of its IRI.

    Args:
        store: the graph with its descriptions.
        version: version of the graph, for ETags.
    """
    routes = Blueprint("descriptions", __name__)

    def document() -> Response:
        """Write a named graph in the format that the client prefers."""
        named = request.args.get("format")
        wanted = by_name(named, GRAPH_FORMATS) if named else None
        fmt = wanted or choose(request.headers.get("Accept", ""), GRAPH_FORMATS)
        body = store.dump(fmt, BASE + request.path.removeprefix("/"))
        response = Response(body, content_type=fmt.content_type)
        response.vary.add("Accept")
        response.set_etag(f"{version}-{fmt.suffix}")
        response.cache_control.public = True
        response.cache_control.no_cache = True
        return response

    for path in PATHS:
        routes.add_url_rule(path, path.rpartition("/")[2], document)
    return routes
