"""What a query likely means instead: the nearest prefix, class, property, concept or thing."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING

from rapidfuzz import process
from rapidfuzz.distance import DamerauLevenshtein

from medbench_kg import description, vocabulary
from medbench_kg.catalogue import internal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medbench_kg.store import Store

__all__ = ["Names", "prefix_hint"]

_DECLARED = re.compile(r"\bPREFIX\s+([\w.-]*):\s*<([^<>\s]*)>", re.IGNORECASE)

#: Strings and comments, which hold no names; IRIs; prefixed names.
_TOKEN = re.compile(
    r"\"\"\"[\s\S]*?\"\"\"|'''[\s\S]*?'''|\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*"
    r"|<(?P<iri>[^<>\s]*)>|(?<![\w:.?$@])(?P<prefix>[A-Za-z][\w.-]*)?:(?P<local>[\w-]+)"
)

#: How near a name must be, from 0 to 1.
_NEAR_ENOUGH = 0.6

#: The same for a whole IRI, most of which is always the same.
_NEARER = 0.85

#: Characters of a mistake that are looked at.
_MAX_MISTAKE = 120


def prefix_hint(text: str) -> str:
    """Name the prefix that a query forgot to declare, and the namespace that it likely means."""
    declared = {prefix for prefix, _ in _DECLARED.findall(text)}
    known = vocabulary.load().prefixes
    for token in _TOKEN.finditer(text):
        prefix = token["prefix"]
        if prefix and prefix not in declared:
            near = prefix if prefix in known else next(iter(get_close_matches(prefix, known)), "")
            if near:
                return f"“{prefix}:” isn't declared; add PREFIX {near}: <{known[near]}>."
            return f"“{prefix}:” isn't declared; add a PREFIX line for it."
    return "Declare every prefix with a PREFIX line."


class Names:
    """The names below our own address that a graph has; read when they are first asked for."""

    def __init__(self, store: Store) -> None:
        """Look at a graph later."""
        self._store = store

    @cached_property
    def _known(self) -> dict[str, set[str]]:
        """Namespace → names in it."""
        terms = (row["term"] for row in self._store.rows(internal("names")))
        found: dict[str, set[str]] = {}
        for iri in (*description.documents(self._store), *terms):
            namespace, name = _split(iri)
            if namespace.startswith(vocabulary.BASE):
                found.setdefault(namespace, set()).add(name)
        return found

    def hint(self, text: str) -> str:
        """Say which name of ours a query holds that the graph doesn't have; empty if none.

        It is ASCII, since it is sent as a header field.
        """
        short = vocabulary.load().shorten
        for iri in _iris(text):
            namespace, name = _split(iri)
            if name and name not in self._known.get(namespace, {name}):
                near = self.near(iri)
                advice = f" Did you mean {short(near)}?" if near else ""
                said = f"There is no {short(iri)} in this graph.{advice}"
                return said.encode("ascii", "backslashreplace").decode()
        return ""

    def near(self, iri: str) -> str:
        """The IRI that looks most like a wrong one, if possible in its namespace; "" if none."""
        namespace, name = _split(iri)
        if namespace not in self._known:
            namespace, name = "", iri
        known = self._known.get(namespace) or {
            n + one for n in self._known for one in self._known[n]
        }
        near = process.extractOne(
            name[:_MAX_MISTAKE],
            sorted(known),
            scorer=DamerauLevenshtein.normalized_similarity,
            score_cutoff=_NEAR_ENOUGH if namespace else _NEARER,
        )
        return namespace + near[0] if near else ""


def _iris(text: str) -> Iterator[str]:
    """The IRIs below our own address that a query names, other than those of namespaces."""
    if vocabulary.BASE not in text:
        return
    declared = dict(_DECLARED.findall(text))
    for token in _TOKEN.finditer(text):
        iri = token["iri"] or ""
        if token["local"]:
            iri = declared.get(token["prefix"] or "", "") + token["local"]
        if iri.startswith(vocabulary.BASE):
            yield iri


def _split(iri: str) -> tuple[str, str]:
    end = max(iri.rfind("/"), iri.rfind("#")) + 1
    return iri[:end], iri[end:]
