"""The workbench: what a browser gets at ``/sparql``.

The page is a plain form that works without scripts; the script bundle makes an editor of it and
gets what it needs from here: the questions by theme, the terms of the graph, the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, render_template, url_for
from flask_babel import gettext

from medbench_kg import vocabulary
from medbench_kg.catalogue import Query, catalogue, find, internal, resolve, values
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.catalogue import Parameter
    from medbench_kg.store import Store

__all__ = ["render", "workbench"]

#: Made when the package is installed; without it the page is a plain form.
_BUNDLE = resources.files("medbench_kg.web") / "static" / "workbench.js"

#: The question that the workbench opens with.
_FIRST = "datasets-by-modality"


@dataclass(frozen=True)
class _Theme:
    """Questions that belong together."""

    title: str
    queries: tuple[Query, ...]


def workbench(store: Store) -> Blueprint:
    """Make the routes that the script asks.

    Args:
        store: the graph, which the terms come from.
    """
    routes = Blueprint("workbench", __name__)

    @routes.get("/workbench/terms.json")
    def terms() -> Response:
        """List classes, properties and concepts with labels and counts."""
        return jsonify(_terms(store))

    @routes.get("/query/<name>.rq")
    def text(name: str) -> Response:
        """Give the text of a canned query."""
        return Response(find(name).text, content_type="application/sparql-query; charset=utf-8")

    @routes.get("/query/<name>/values.json")
    def choices(name: str) -> Response:
        """List the values that each parameter of a canned query takes, with their labels."""
        return jsonify({p.name: values(store, p) for p in find(name).parameters})

    return routes


def render() -> str:
    """Render the page."""
    first = find(_FIRST)
    return render_template(
        "sparql.html",
        themes=_themes(),
        text=first.bind({}),
        question=first,
        data=_data() if _BUNDLE.is_file() else None,
    )


def _themes() -> list[_Theme]:
    """Group the questions by their tags; each is in the first theme that fits."""
    tags = {
        gettext("Coverage"): {"coverage"},
        gettext("Lineage and contamination"): {"lineage"},
        gettext("Quality and corrections"): {"quality", "list", "correction", "evidence"},
        gettext("Papers and venues"): {"paper", "venue"},
        gettext("Vocabularies"): {"vocabulary", "mapping"},
        gettext("Datasets"): {"dataset", "record"},
    }
    left = list(catalogue())
    themes = []
    for title, wanted in tags.items():
        themes.append(_Theme(title, tuple(query for query in left if wanted & set(query.tags))))
        left = [query for query in left if not wanted & set(query.tags)]
    return themes


def _data() -> dict[str, object]:
    """What the script needs to know; it is JSON inside the page."""
    lang = language()
    return {
        "lang": lang,
        "base": vocabulary.BASE,
        "root": url_for("pages.start"),
        "endpoint": url_for("protocol.sparql", lang="en"),
        "style": url_for("static", filename="style.css"),
        "termsUrl": url_for("workbench.terms"),
        "first": _FIRST,
        "labelsQuery": internal("labels-of-things"),
        "prefixes": dict(vocabulary.load().prefixes),
        "questions": {query.name: _question(query, lang) for query in catalogue()},
        "words": _words(),
    }


def _question(query: Query, lang: str) -> dict[str, object]:
    parameters = [
        {"name": p.name, "type": p.type, "help": p.help[lang], "initial": _initial(p)}
        for p in query.parameters
    ]
    return {
        "url": url_for("workbench.text", name=query.name),
        "valuesUrl": url_for("workbench.choices", name=query.name),
        "parameters": parameters,
    }


def _initial(parameter: Parameter) -> str:
    is_iri = parameter.type == "iri" and parameter.default
    return resolve(parameter, parameter.default) if is_iri else parameter.default


def _words() -> Mapping[str, str]:
    return {
        "query": gettext("Query"),
        "answer": gettext("Answer"),
        "any": gettext("any"),
        "gap": "" if language() == "zh" else " ",
        "running": gettext("Running …"),
        "stopped": gettext("Stopped: there is no answer to this query yet."),
        "unreachable": gettext("The server can't be reached. Try again."),
        "rows": gettext("{} rows"),
        "seconds": gettext("{} s."),
        "triples": gettext("{} triples"),
        "yes": gettext("Yes"),
        "no": gettext("No"),
        "empty": gettext("Nothing in the graph matches all of these patterns at once."),
        "firstRows": gettext("The first {} of {} rows; the downloads hold all."),
        "firstNodes": gettext("The {} best connected of {} things."),
        "table": gettext("Table"),
        "chart": gettext("Chart"),
        "graph": gettext("Graph"),
        "raw": gettext("Raw"),
        "copied": gettext("Copied."),
        "unknown": gettext("The graph has no {}."),
        "didYouMean": gettext(" Did you mean {}?"),
        "undeclared": gettext("The prefix {} isn't declared."),
    }


@lru_cache(maxsize=1)
def _terms(store: Store) -> list[dict[str, object]]:
    """Terms that have a prefix, the most used first."""
    prefixes = {namespace: prefix for prefix, namespace in vocabulary.load().prefixes.items()}
    found = []
    for row in store.rows(internal("workbench-terms")):
        cut = max(row["iri"].rfind("/"), row["iri"].rfind("#")) + 1
        if row["iri"][:cut] in prefixes:
            name = f"{prefixes[row['iri'][:cut]]}:{row['iri'][cut:]}"
            found.append({**row, "name": name, "count": int(row["count"])})
    return found
