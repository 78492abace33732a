"""The Python face: a graph for rdflib, canned queries as rows, a remote endpoint."""

from __future__ import annotations

import csv
import io
from functools import lru_cache
from typing import TYPE_CHECKING

from medbench_kg import builds
from medbench_kg.catalogue import ask, find
from medbench_kg.negotiation import by_name
from medbench_kg.settings import Endpoint
from medbench_kg.store import RemoteStore

if TYPE_CHECKING:
    from rdflib import Graph

    from medbench_kg.store import LocalStore, Store

__all__ = ["Connection", "connect", "load", "query"]

#: A row of an answer: column → value; columns without a value hold "".
Row = dict[str, str]


class Connection:
    """Canned queries over a store: the embedded one or a remote endpoint."""

    def __init__(self, store: Store) -> None:
        """Ask this store."""
        self._store = store

    def query(self, name: str, /, **parameters: str) -> list[Row]:
        """Answer a canned query.

        Args:
            name: its name, e.g. ``coverage``.
            **parameters: values of its parameters; hyphens are underscores here.

        Returns:
            Rows in query order, each column → lexical value, "" where unbound.

        Raises:
            NotFoundError: there is no such query.
            QueryError: a parameter is unknown or a value is none that there is.
            UnavailableError: a remote endpoint gives no answer now.
            StoreError: a remote endpoint gave no whole answer, or lets us not in.
        """
        body, _ = ask(self._store, find(name), parameters, lambda _kind: by_name("csv"))
        return list(csv.DictReader(io.StringIO(body.decode())))


def connect(
    endpoint: str,
    timeout_s: int = 30,
    *,
    graph: str = "",
    user: str = "",
    password: str = "",
    token: str = "",
) -> Connection:
    """Put the canned queries in front of a SPARQL 1.1 endpoint that holds the graph.

    Args:
        endpoint: its address.
        timeout_s: seconds that an answer may take.
        graph: IRI of the named graph that holds the graph; "" is the endpoint's default graph.
        user: name for Basic authentication.
        password: the password.
        token: a bearer token, instead of name and password.

    Raises:
        SettingsError: the address is no http or https URL or holds credentials.
    """
    where = Endpoint(endpoint, graph, user, password, token)
    return Connection(RemoteStore(where, deadline_s=timeout_s))


def load() -> Graph:
    """Open the graph as an rdflib graph over the embedded engine.

    Returns:
        A graph of its own: what is added to it is seen by nobody else.

    Raises:
        StoreError: the graph hasn't been built from the present files.
    """
    store, _ = builds.open_built()
    return store.as_rdflib()


def query(name: str, /, **parameters: str) -> list[Row]:
    """Answer a canned query from the built graph; see :meth:`Connection.query`.

    Raises:
        NotFoundError: there is no such query.
        QueryError: a parameter is unknown or a value is none that there is.
        StoreError: the graph hasn't been built from the present files.
    """
    return Connection(_embedded()).query(name, **parameters)


@lru_cache(maxsize=1)
def _embedded() -> LocalStore:
    store, _ = builds.open_built()
    return store
