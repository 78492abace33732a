"""Lineage: what datasets were made from, as drawings and tables; what training data puts at risk.

The facts are the answers of canned queries: ``sources-of``, ``derived-from``, ``shared-sources``,
``most-reused-sources`` and ``contamination-risk``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, request

from medbench_kg.catalogue import internal, rows
from medbench_kg.errors import NotFoundError, QueryError
from medbench_kg.lineage import HEIGHT, WIDTH, Lineage
from medbench_kg.vocabulary import BASE
from medbench_kg.web.asking import html
from medbench_kg.web.paging import paged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medbench_kg.lineage import Drawing, Node
    from medbench_kg.store import Store

__all__ = ["PATHS", "Risk", "Risks", "lineage"]

#: Beginnings of the paths of all routes.
PATHS = ("/lineage", "/zh/lineage")

#: What the IRIs of datasets begin with.
_DATASET = f"{BASE}dataset/"

#: Training sets that are set against all evaluation sets at once; more are asked about singly.
_MAX_TRAINING_SETS = 200

#: Roles of what models are trained on, and of what they are evaluated on.
_TRAINS, _EVALUATES = {"training", "both"}, {"evaluation", "both"}

#: Reasons why an evaluation set is at risk, the gravest first.
_REASONS = ("leakage-claim", "contains", "contained-in", "made-from", "shared-source")


@dataclass(frozen=True)
class Risk:
    """An evaluation set that some training data puts at risk.

    Attributes:
        training: the training data.
        test: the evaluation set.
        reason: one of :data:`_REASONS`.
        evidence: what speaks for it; rows of a canned query.
    """

    training: Node
    test: Node
    reason: str
    evidence: tuple[Mapping[str, str], ...]


class Risks:
    """What the canned queries say of risks; each is asked once, when it is first needed."""

    def __init__(self, store: Store) -> None:
        """Ask a store."""
        self._store = store
        self.of = lru_cache(1 << 10)(self._of)

    @cached_property
    def known(self) -> Lineage:
        """What was made from what."""
        rows_of = self._store.rows
        return Lineage(rows_of(internal("derivations")), rows_of(internal("roles")))

    @cached_property
    def is_limited(self) -> bool:
        """Whether there are too many training sets to ask for the risks of all."""
        training = [node for node in self.known.nodes.values() if node.role in _TRAINS]
        return len(training) > _MAX_TRAINING_SETS

    @cached_property
    def all(self) -> list[Risk]:
        """The risks of all training sets; none if there are too many for that."""
        return [] if self.is_limited else self._grouped(rows(self._store, "contamination-risk"))

    def about(self, iri: str) -> list[Risk]:
        """The risks that a dataset is a side of; none for one without a name."""
        node = self.known.nodes.get(iri)
        as_training = self.of(iri) if node and node.role in _TRAINS else []
        return [*as_training, *(one for one in self.all if one.test.iri == iri)]

    def _of(self, training: str) -> list[Risk]:
        """The risks of some training data: a training set, or a source of others."""
        if self.known.nodes[training].role in _TRAINS:
            return self._grouped(rows(self._store, "contamination-risk", dataset=training))
        made = rows(self._store, "derived-from", dataset=training)
        return self._grouped(
            {**row, "training": training, "test": row["derived"], "reason": "made-from"}
            for row in made
            if self.known.nodes[row["derived"]].role in _EVALUATES
        )

    def _grouped(self, found: Iterable[Mapping[str, str]]) -> list[Risk]:
        grouped: dict[tuple[str, str, str], list[Mapping[str, str]]] = {}
        for row in found:
            key = row["training"], row["test"], row["reason"]
            grouped.setdefault(key, []).append(row)
        node = self.known.nodes
        risks = [Risk(node[a], node[b], why, tuple(how)) for (a, b, why), how in grouped.items()]
        return sorted(
            risks, key=lambda one: (_REASONS.index(one.reason), one.test.title.casefold())
        )


def lineage(store: Store, risks: Risks) -> Blueprint:
    """Make the pages below ``/lineage``.

    Args:
        store: answers the canned queries.
        risks: what training data puts at risk; read at the first request.
    """
    routes = Blueprint("lineage", __name__)
    routes.add_app_template_filter(_host, "host")

    @lru_cache(1 << 8)
    def drawn(iri: str) -> Drawing:
        return risks.known.around(iri)

    @routes.get("/lineage", defaults={"lang": "en"})
    @routes.get("/zh/lineage", defaults={"lang": "zh"})
    def overview() -> Response:
        """Show what feeds what, and what the chosen training data puts at risk."""
        known = risks.known
        trained = [_node(known, slug) for slug in request.args.getlist("trained") if slug]
        by_title = sorted(known.nodes.values(), key=lambda node: node.title.casefold())
        return html(
            render_template(
                "lineage.html",
                **_SIZES,
                trained=trained,
                chosen=[_slug(node) for node in trained],
                risks=[risk for node in trained for risk in risks.of(node.iri)],
                training_sets=[
                    (_slug(node), node.title) for node in by_title if node.role in _TRAINS
                ],
                sources=[
                    (_slug(node), node.title)
                    for node in by_title
                    if node.role not in _TRAINS and known.derived(node.iri)
                ],
                drawing=known.shared(),
                reused=paged(rows(store, "most-reused-sources")),
                pairs=risks.all,
            )
        )

    @routes.get("/lineage/<slug>", defaults={"lang": "en"})
    @routes.get("/zh/lineage/<slug>", defaults={"lang": "zh"})
    def around(slug: str) -> Response:
        """Show what a dataset goes back to, and what goes back to it."""
        known = risks.known
        if _DATASET + slug not in known.nodes:
            raise NotFoundError(f"There is no dataset “{slug}”.", hint="/lineage lists them all.")
        node = known.nodes[_DATASET + slug]
        return html(
            render_template(
                "lineage-of.html",
                **_SIZES,
                node=node,
                slug=slug,
                drawing=drawn(node.iri),
                sources=paged(rows(store, "sources-of", dataset=slug)),
                derived=paged(rows(store, "derived-from", dataset=slug), "derived"),
                risks=risks.about(node.iri),
                is_limited=risks.is_limited,
            )
        )

    return routes


#: What templates draw a box with.
_SIZES = {"box_width": WIDTH, "box_height": HEIGHT}


def _host(url: str) -> str:
    return urlsplit(url).netloc.removeprefix("www.")


def _slug(node: Node) -> str:
    return node.iri.removeprefix(_DATASET)


def _node(known: Lineage, slug: str) -> Node:
    if _DATASET + slug not in known.nodes:
        raise QueryError(
            f"There is no dataset “{slug}”.",
            hint="Name it as in its address, e.g. trained=pubmedvision.",
            where="trained",
        )
    return known.nodes[_DATASET + slug]
