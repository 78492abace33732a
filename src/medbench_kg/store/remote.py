"""The graph somewhere else: any SPARQL 1.1 endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from SPARQLWrapper import SPARQLWrapper

from medbench_kg.errors import StoreError
from medbench_kg.store.syntax import kind_of_answer

if TYPE_CHECKING:
    from medbench_kg.negotiation import Format
    from medbench_kg.store.interface import Pick

__all__ = ["RemoteStore"]


class RemoteStore:
    """A SPARQL 1.1 endpoint somewhere else."""

    def __init__(self, endpoint: str, timeout_s: int = 30) -> None:
        """Point at an endpoint; nothing is sent yet."""
        self._endpoint = endpoint
        self._timeout_s = timeout_s

    def query(self, text: str, pick: Pick) -> tuple[bytes, Format]:
        """Send a query and relay the answer's bytes.

        Raises:
            StoreError: the endpoint can't be reached or refuses the query.
        """
        fmt = pick(kind_of_answer(text))
        client = SPARQLWrapper(self._endpoint)
        client.setTimeout(self._timeout_s)
        client.setMethod("POST")
        client.setOnlyConneg(True)
        client.setRequestMethod("postdirectly")
        client.setQuery(text)
        client.addCustomHttpHeader("Accept", fmt.media_type)
        try:
            return client.query().response.read(), fmt
        except Exception as error:
            raise StoreError(
                f"The endpoint {self._endpoint} gave no answer: {error}.",
                hint="Check its address and that it is running.",
            ) from error
