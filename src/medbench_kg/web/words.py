"""The language of a page and its words: English in templates, Chinese in a gettext catalogue.

A page in Chinese has the path of the English one, below ``/zh/``. Names of things aren't words of
pages: they come from the graph.

Specification: GNU gettext, section 10 (PO files); RFC 5646 (language tags).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from babel.support import NullTranslations
from flask import current_app, g, request, url_for
from flask_babel import Babel, Domain, gettext

from medbench_kg.sentences import chinese, in_order

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["LANGUAGES", "Language", "facet_titles", "language", "register", "speak", "url_in"]

#: The languages of the pages.
Language = Literal["en", "zh"]

#: Language → BCP 47 tag of its pages.
LANGUAGES: dict[Language, str] = {"en": "en", "zh": "zh-Hans"}


#: The same, in order of preference.
_SPOKEN = ("en", "zh")


class _Words(Domain):  # type: ignore[misc]  # Flask-Babel has no types
    """The catalogue of the page's language."""

    def get_translations(self) -> NullTranslations:
        return chinese() if language() == "zh" else _ENGLISH


_ENGLISH = NullTranslations()

#: Two words of Latin letters, and any Chinese character: enough to tell a text's language.
_ENGLISH_WORDS, _HAN = re.compile(r"[A-Za-z]{2}[^A-Za-z]+[A-Za-z]{2}"), re.compile(r"[一-鿿]")


def register(app: Flask) -> None:
    """Give templates ``_``, ``lang`` and ``url_in``; links keep the language of the page.

    ``gap`` is what stands between two sentences: in Chinese nothing.
    A route has a page in both languages if its rules name the ``lang`` as a default.
    """
    babel = Babel(app, locale_selector=language)
    babel.domain_instance = _Words()

    app.add_template_filter(_in_order, "in_order")

    @app.url_value_preprocessor
    def take(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values is not None:
            values.pop("lang", None)

    @app.url_defaults
    def keep(endpoint: str, values: dict[str, Any]) -> None:
        if app.url_map.is_endpoint_expecting(endpoint, "lang"):
            values.setdefault("lang", language())

    @app.context_processor
    def words() -> dict[str, object]:
        here = language()
        gap = "" if here == "zh" else " "
        said = {"lang": here, "languages": LANGUAGES, "gap": gap}
        return {**said, "url_in": url_in, "spoken": _spoken}


def language() -> Language:
    """The language of the page that is asked for."""
    if "lang" not in g:
        g.lang = "zh" if request.path.startswith("/zh/") else "en"
    lang: Language = g.lang
    return lang


def _spoken(text: str) -> dict[str, str]:
    """The ``lang`` of an element whose text, such as a title, isn't in the page's language."""
    told: Language = "zh" if _HAN.search(text) else "en"
    is_foreign = told != language() and (told == "zh" or _ENGLISH_WORDS.search(text))
    return {"lang": LANGUAGES[told]} if is_foreign else {}


def _in_order(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Sort rows by their names in the language of the page."""
    return sorted(rows, key=lambda row: in_order(row[language()]))


def speak() -> Language:
    """Choose the language of an answer to a program: its path says, else it does."""
    if not request.path.startswith("/zh/") and request.accept_languages.best_match(_SPOKEN) == "zh":
        g.lang = "zh"
    return language()


def url_in(lang: Language) -> str:
    """Address of the present page in a language; "" if it has none."""
    endpoint = request.endpoint
    if not endpoint or not current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
        return ""
    arguments = {**request.args.to_dict(flat=False), **(request.view_args or {})}
    return url_for(endpoint, **{**arguments, "lang": lang})


def facet_titles() -> dict[str, str]:
    """Facet → what it is called, in the order of a page."""
    return {
        "modality": gettext("Modality"),
        "task": gettext("Task"),
        "specialty": gettext("Specialty"),
        "anatomy": gettext("Anatomy"),
        "language": gettext("Language"),
        "licence": gettext("Licence"),
        "access": gettext("Access"),
        "venue": gettext("Venue"),
        "role": gettext("Role"),
        "year": gettext("Year"),
        "size": gettext("Size"),
    }
