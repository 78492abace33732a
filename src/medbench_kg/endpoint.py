"""Where a graph is that somebody else serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from medbench_kg.errors import SettingsError

__all__ = ["Endpoint"]


@dataclass(frozen=True)
class Endpoint:
    """Where a graph is, and how to be let in.

    Attributes:
        url: address of the SPARQL endpoint, http or https.
        graph: IRI of the named graph that holds the graph; "" is the endpoint's default graph.
        user: name for Basic authentication; "" if none.
        password: the password.
        token: a bearer token, instead of name and password.
    """

    url: str
    graph: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse what can't be asked.

        Raises:
            SettingsError: the address is no http or https URL or holds credentials, or there are
                both a token and a name.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.fragment:
            raise SettingsError(
                f"“{parts.hostname or self.url}” is no address of an endpoint.",
                hint="Give one that begins with http:// or https://.",
            )
        if parts.username is not None:
            raise SettingsError(
                "The address of the endpoint holds credentials.",
                hint="Set MEDBENCH_ENDPOINT_USER and MEDBENCH_ENDPOINT_PASSWORD instead.",
            )
        if self.token and self.user:
            raise SettingsError(
                "The endpoint has both a token and a user.", hint="Set the one or the other."
            )
