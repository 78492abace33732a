"""Pages of long lists: a part of a list, and the addresses of the parts before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlencode

from flask import request, url_for

from medbench_kg.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SIZE", "Paged", "paged"]

#: Rows of a page.
SIZE = 200

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Paged(Generic[_Item]):
    """A part of a list.

    Attributes:
        items: what is shown.
        number: of the page, from 1.
        pages: how many there are.
        total: number of items on all of them.
        parameter: names the page in an address.
    """

    items: Sequence[_Item]
    number: int
    pages: int
    total: int
    parameter: str

    def address(self, number: int) -> str:
        """The address of this page with another part of the list."""
        asked = {**request.args.to_dict(flat=False), self.parameter: number}
        here = url_for(request.endpoint or "", **(request.view_args or {}))
        return f"{here}?{urlencode(asked, doseq=True)}"


def paged(found: Sequence[_Item], parameter: str = "page", size: int = SIZE) -> Paged[_Item]:
    """Choose the part of a list that the request names.

    Raises:
        QueryError: there is no such page.
    """
    named = request.args.get(parameter, "1")
    pages = max(1, -(-len(found) // size))
    if not named.isdecimal() or not 1 <= int(named) <= pages:
        raise QueryError(f"There is no page “{named}”.", hint="Begin at page 1.", where=parameter)
    number = int(named)
    return Paged(found[(number - 1) * size : number * size], number, pages, len(found), parameter)
