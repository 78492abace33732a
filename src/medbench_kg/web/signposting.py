"""Typed links that a machine can follow without reading a page.

The same links stand in the ``Link`` header and in the head of the page (level 1); a linkset holds
them for the thing and for each of its documents (level 2).

Specification: FAIR Signposting Profile; RFC 8288 (Web Linking); RFC 9264 (linksets).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from werkzeug.urls import iri_to_uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from medbench_kg.negotiation import Format

__all__ = ["Link", "header", "linkset"]


@dataclass(frozen=True)
class Link:
    """A typed link: address, relation type, media type and profile found there, "" if unknown."""

    target: str
    relation: str
    type: str = ""
    profile: str = ""


def header(links: Iterable[Link], anchor: str = "") -> str:
    """Write links as the value of a ``Link`` header.

    Args:
        links: what is linked to.
        anchor: where the links begin, if that isn't the document itself.
    """
    begin = f'; anchor="{iri_to_uri(anchor)}"' if anchor else ""
    return ", ".join(
        f'<{iri_to_uri(link.target)}>; rel="{link.relation}"'
        + (f'; type="{link.type}"' if link.type else "")
        + (f'; profile="{link.profile}"' if link.profile else "")
        + begin
        for link in links
    )


def linkset(anchored: Mapping[str, Iterable[Link]], fmt: Format) -> bytes:
    """Write the links of several documents.

    Args:
        anchored: absolute address of each document, and the links that begin there.
        fmt: the JSON form, or that of a ``Link`` header.

    Spec: RFC 9264, sections 4.1 and 4.2.
    """
    if fmt.name == "linkset":
        lines = (header(links, anchor) for anchor, links in anchored.items())
        return ",\n".join(line for line in lines if line).encode() + b"\n"
    contexts = []
    for anchor, links in anchored.items():
        context: dict[str, object] = {"anchor": anchor}
        targets: dict[str, list[dict[str, str]]] = {}
        for link in links:
            target = {"href": link.target, "type": link.type, "profile": link.profile}
            known = {name: value for name, value in target.items() if value}
            targets.setdefault(link.relation, []).append(known)
        contexts.append(context | targets)
    return json.dumps({"linkset": contexts}, ensure_ascii=False, indent=1).encode() + b"\n"
