"""The engine: the only package that knows pyoxigraph, oxrdflib and SPARQLWrapper.

:class:`LocalStore` holds the graph in memory or on disk and answers in the engine's own
serialisation; :class:`RemoteStore` asks any SPARQL 1.1 endpoint the same way. The default graph
holds ontology, concepts, mappings and data; the shapes are in a named graph of their own.

Specification: SPARQL 1.1 Query Language, SPARQL 1.1 Protocol.
"""

from medbench_kg.store.interface import Pick, Store
from medbench_kg.store.local import LocalStore, write_to_disk
from medbench_kg.store.remote import RemoteStore
from medbench_kg.store.terms import Quad, literal, named_node, triple_of
from medbench_kg.store.upload import put
from medbench_kg.store.wire import Reply

__all__ = [
    "LocalStore",
    "Pick",
    "Quad",
    "RemoteStore",
    "Reply",
    "Store",
    "literal",
    "named_node",
    "put",
    "triple_of",
    "write_to_disk",
]
