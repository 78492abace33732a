"""The health of links: what the last checks found, worst first."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from flask import Blueprint, render_template

from medbench_kg import catalogue
from medbench_kg.links import wanted
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from medbench_kg.store import Store

__all__ = ["links"]

#: The states of links, worst first.
_ORDER = ("gone", "unreachable", "blocked", "moved", "alive")


def links(store: Store) -> Blueprint:
    """Make the page about the health of links.

    Args:
        store: the graph whose links were checked, or not yet.
    """
    routes = Blueprint("links", __name__)

    @routes.get("/health-of-links", defaults={"lang": "en"})
    @routes.get("/zh/health-of-links", defaults={"lang": "zh"})
    def health() -> str:
        """Show each link with its state and since when, or how to check them."""
        rows = sorted(catalogue.rows(store, "link-health"), key=_rank)
        return render_template(
            "links.html",
            groups=[
                (found[0][f"status_{language()}"], _by_link(found))
                for found in (list(group) for _, group in groupby(rows, _rank))
            ],
            checked=len({row["link"] for row in rows}),
            known=len(wanted(store)),
            last=max((row["checked"] for row in rows), default=""),
        )

    return routes


def _rank(row: dict[str, str]) -> int:
    return _ORDER.index(row["status"].rpartition("/")[2])


def _by_link(rows: list[dict[str, str]]) -> list[list[dict[str, str]]]:
    """The rows of each link: one for each dataset that has it."""
    return [list(group) for _, group in groupby(rows, lambda row: row["link"])]
