"""About: what this is, its licences, how to cite and embed it, which limits hold, what is kept."""

from __future__ import annotations

from importlib import metadata
from typing import TYPE_CHECKING

from flask import Blueprint, render_template
from flask_babel import gettext

from medbench_kg.description import last_change
from medbench_kg.settings import SETTINGS
from medbench_kg.vocabulary import BASE
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from medbench_kg.builds import Manifest
    from medbench_kg.settings import Settings
    from medbench_kg.store import Store

__all__ = ["about"]

#: Settings that limit what a client may ask.
_LIMITS = (
    "deadline_s",
    "memory_mb",
    "answer_mb",
    "body_kb",
    "short_queries",
    "long_queries",
    "rate_limit",
    "checks",
    "check_deadline_s",
)

#: The dump that holds everything, by whose digest a copy is known.
_WHOLE = "medbench.nq"


def about(store: Store, manifest: Manifest, settings: Settings) -> Blueprint:
    """Make the page.

    Args:
        store: the graph.
        manifest: the build that it was read from.
        settings: the limits in force.
    """
    routes = Blueprint("about", __name__)

    @routes.get("/about", defaults={"lang": "en"})
    @routes.get("/zh/about", defaults={"lang": "zh"})
    def page() -> str:
        """Tell all of that."""
        return render_template(
            "about.html",
            base=BASE,
            manifest=manifest,
            digest=manifest.files.get(_WHOLE, {}).get("sha256", ""),
            whole=_WHOLE,
            release=metadata.version("medbench-kg"),
            changed=last_change(store),
            limits=_limits(settings),
            repository=settings.repository,
        )

    return routes


def _limits(settings: Settings) -> list[tuple[str, str]]:
    """What is limited, and the limit with its unit."""
    units = {
        "seconds": gettext("seconds"),
        "queries": gettext("queries"),
        "records": gettext("records"),
        "off, or requests/time": "",
    }
    is_chinese = language() == "zh"
    return [
        (
            one.help_zh if is_chinese else one.help_en,
            f"{getattr(settings, one.name)} {units.get(one.unit, one.unit)}".strip(),
        )
        for one in SETTINGS
        if one.name in _LIMITS
    ]
