"""The names: what a key of a record, a prefix and a concept slug stand for.

Everything is read from ``ontology/context.jsonld``, the file that also turns records into RDF and
that readers of our JSON-LD use. No IRI of a property or a class is written down in Python.

Specification: JSON-LD 1.1, sections 4.1 (the context) and 4.1.8 (scoped contexts).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from medbench_kg.assets import folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["BASE", "Vocabulary", "load", "read"]

#: Below this all IRIs of the graph are minted; it doesn't depend on who serves them.
BASE = "https://w3id.org/medbench-kg/"


@dataclass(frozen=True)
class Vocabulary:
    """A JSON-LD context, asked from Python's side.

    Attributes:
        context: the value of ``@context`` as published.
    """

    context: Mapping[str, Any]

    @cached_property
    def prefixes(self) -> dict[str, str]:
        """Prefix → namespace IRI, in the order of the context."""
        return {
            key: value
            for key, value in self.context.items()
            if isinstance(value, str) and not key.startswith("@") and value.endswith(("/", "#"))
        }

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys that a record may use, in canonical order, ``id`` and ``type`` first."""
        named = (k for k in self.context if not k.startswith("@") and k not in self.prefixes)
        return tuple(k for k in named if k[0].islower())

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The class names that the context maps to foreign vocabularies."""
        return tuple(k for k in self.context if k[0].isupper())

    @cached_property
    def reverse_properties(self) -> tuple[str, ...]:
        """The IRIs of the properties that a record states of what it is about, from inside it."""
        definitions = [d for d in self.context.values() if isinstance(d, dict) and "@reverse" in d]
        return tuple(self.expand(str(d["@reverse"])) for d in definitions)

    @cached_property
    def _properties(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key in self.keys:
            found.setdefault(self.property_of(key), []).append(key)
        return found

    def expand(self, name: str, base: str = BASE) -> str:
        """Turn a compact IRI, an absolute IRI or a reference into an IRI.

        Args:
            name: ``mbd:gemex``, ``https://…`` or ``#images``.
            base: what a reference is resolved against.
        """
        prefix, colon, local = name.partition(":")
        if colon and prefix in self.prefixes:
            return self.prefixes[prefix] + local
        if name.startswith("#"):
            return base.partition("#")[0] + name
        return name if colon else base + name

    def shorten(self, iri: str) -> str:
        """Turn an IRI into a compact IRI where a prefix fits; the longest prefix wins."""
        best = max(
            ((p, ns) for p, ns in self.prefixes.items() if iri.startswith(ns) and iri != ns),
            key=lambda pair: len(pair[1]),
            default=None,
        )
        return iri if best is None else f"{best[0]}:{iri[len(best[1]) :]}"

    def property_of(self, key: str) -> str:
        """The IRI of the property (or class) that a key stands for, reverse properties included."""
        definition = self.context.get(key, key)
        if not isinstance(definition, str):
            definition = str(definition.get("@id") or definition["@reverse"])
        if definition.startswith("@"):
            return self.expand("rdf:type") if definition == "@type" else definition
        if ":" not in definition:
            return str(self.context["@vocab"]) + definition
        return self.expand(definition)

    def keys_of(self, property_iri: str) -> tuple[str, ...]:
        """The keys that stand for a property; its compact IRI if the context has no key for it."""
        known = self._properties.get(property_iri)
        return tuple(known) if known else (self.local_name(property_iri),)

    def local_name(self, iri: str) -> str:
        """The name that a record would use for a term of our own vocabulary."""
        vocab = str(self.context["@vocab"])
        return iri.removeprefix(vocab) if iri.startswith(vocab) else self.shorten(iri)

    def base_of(self, key: str) -> str | None:
        """The namespace that the slugs of a key belong to, e.g. ``…/modality/``."""
        definition = self.context.get(key)
        scoped = definition.get("@context") if isinstance(definition, dict) else None
        return str(scoped["@base"]) if scoped else None

    def is_name(self, key: str) -> bool:
        """Whether a key holds slugs or names of terms."""
        return self.base_of(key) is not None or self._type_of(key) == "@vocab"

    def is_link(self, key: str) -> bool:
        """Whether a key holds addresses or references to nodes."""
        return not self.is_name(key) and self._type_of(key) == "@id"

    def _type_of(self, key: str) -> str | None:
        definition = self.context.get(key)
        return definition.get("@type") if isinstance(definition, dict) else None

    def is_language_map(self, key: str) -> bool:
        """Whether a key holds texts by language tag."""
        definition = self.context.get(key)
        return isinstance(definition, dict) and definition.get("@container") == "@language"


@lru_cache(maxsize=1)
def load() -> Vocabulary:
    """Read the published context."""
    return read(folder("ontology"))


def read(ontology: Path) -> Vocabulary:
    """Read the context that lies in a folder."""
    text = (ontology / "context.jsonld").read_text(encoding="utf-8")
    return Vocabulary(json.loads(text)["@context"])
