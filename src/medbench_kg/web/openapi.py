"""The HTTP interface, described for programs (``/openapi.json``) and for people (``/api``).

Paths and methods are those of the app's own routes, parameters and values those of the canned
queries, formats and problems those of their tables; ``openapi.yaml`` says what each route does.

Specification: OpenAPI 3.1.0; RFC 8631 (``service-desc``, ``service-doc``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from http import HTTPStatus
from importlib import metadata, resources
from typing import TYPE_CHECKING, Any

import yaml
from flask import Blueprint, Response, current_app, jsonify, render_template, request
from flask_babel import gettext

from medbench_kg import vocabulary
from medbench_kg.catalogue import catalogue, find, values
from medbench_kg.facets import FACETS
from medbench_kg.negotiation import FORMATS
from medbench_kg.vocabulary import BASE
from medbench_kg.web.problems import kinds
from medbench_kg.web.words import language

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from werkzeug.routing import Rule

    from medbench_kg.builds import Manifest
    from medbench_kg.catalogue import Parameter
    from medbench_kg.settings import Settings
    from medbench_kg.store import Store

__all__ = ["openapi"]

#: A JSON object; OpenAPI nests them to any depth.
_Object = dict[str, Any]

#: What any route may answer with besides its own problems.
_ALWAYS = (405, 500)

_METHODS = ("get", "post", "put", "delete")


def openapi(store: Store, manifest: Manifest, settings: Settings) -> Blueprint:
    """Make the routes.

    Args:
        store: the graph, which the values of parameters come from.
        manifest: its version and files.
        settings: the limits in force.
    """
    routes = Blueprint("openapi", __name__)

    @lru_cache(maxsize=4)
    def described(lang: str, root: str) -> _Object:
        return _Description(store, manifest, settings, lang).document(root)

    @routes.get("/openapi.json", defaults={"lang": "en"})
    @routes.get("/zh/openapi.json", defaults={"lang": "zh"})
    def document() -> Response:
        """Describe all routes to programs."""
        return jsonify(described(language(), request.root_url.removesuffix("/")))

    @routes.get("/api", defaults={"lang": "en"})
    @routes.get("/zh/api", defaults={"lang": "zh"})
    def page() -> str:
        """Show the same to people."""
        root = request.root_url.removesuffix("/")
        return render_template(
            "api.html", api=described(language(), root), methods=_METHODS, problems=kinds()
        )

    return routes


@lru_cache(maxsize=1)
def _told() -> _Object:
    file = resources.files("medbench_kg.web") / "openapi.yaml"
    told: _Object = yaml.safe_load(file.read_text(encoding="utf-8"))
    return told


class _Description:
    """The description in one language."""

    def __init__(self, store: Store, manifest: Manifest, settings: Settings, lang: str) -> None:
        self._store, self._manifest, self._settings = store, manifest, settings
        self._lang = lang
        self._told = _told()
        self._values = _values(manifest)

    def document(self, root: str) -> _Object:
        """Describe the routes of the app that answers now; ``root`` is its address."""
        rules = sorted(current_app.url_map.iter_rules(), key=lambda rule: rule.rule)
        paths: dict[str, _Object] = defaultdict(dict)
        for rule in rules:
            for path, operations in self._paths(rule):
                paths[path] |= operations
        tags = self._told["tags"].items()
        is_secret = any(self._told["endpoints"][rule.endpoint].get("is_secret") for rule in rules)
        return {
            "openapi": "3.1.0",
            "info": self._info(),
            "servers": [{"url": root}],
            "tags": [{"name": name, "description": one[self._lang]} for name, one in tags],
            "paths": dict(paths),
            "components": {
                "schemas": {"Problem": _problem(), **self._schemas()},
                "responses": self._problems(),
                **(_SECURITY if is_secret else {}),
            },
        }

    def _info(self) -> _Object:
        return {
            "title": "medbench-kg",
            "version": metadata.version("medbench-kg"),
            "summary": gettext("Medical vision-language benchmarks, as linked data"),
            "description": gettext(
                "Read-only for everyone; no key, no cookie. A query may take %(seconds)s seconds, "
                "its answer %(answer)s MiB, and a body %(body)s KiB. Every page stands in Chinese "
                "at the same path below /zh. Version of the graph: %(version)s.",
                seconds=self._settings.deadline_s,
                answer=self._settings.answer_mb,
                body=self._settings.body_kb,
                version=self._manifest.version,
            ),
            "license": {"name": "MIT AND CC0-1.0", "identifier": "MIT AND CC0-1.0"},
        }

    def _paths(self, rule: Rule) -> Iterator[tuple[str, _Object]]:
        """Path and operations of a route; those in Chinese are the same below ``/zh``."""
        if rule.rule.startswith("/zh/"):
            return
        told = self._told["endpoints"][rule.endpoint]
        if rule.endpoint == "protocol.query":
            for query in catalogue():
                more = [self._argument(one) for one in query.parameters]
                said = told | {"en": query.question["en"], "zh": query.question["zh"]}
                yield (
                    f"/query/{query.name}",
                    self._operations(rule, said, f"query-{query.name}", more),
                )
            return
        own = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for path in told.get("paths", [own]):
            yield path, self._operations(rule, told, _identifier(path), self._in_path(path))

    def _operations(
        self, rule: Rule, told: Mapping[str, Any], name: str, more: list[_Object]
    ) -> _Object:
        found = {method.lower() for method in rule.methods or ()} & set(_METHODS)
        return {
            method: {
                "operationId": name if method == "get" else f"{method}-{name}",
                "tags": [told["tag"]],
                "summary": told[self._lang],
                "parameters": more + (list(self._in_url(told)) if method == "get" else []),
                **self._body(told, method),
                "responses": self._responses(told),
                **({"security": [{"token": []}]} if told.get("is_secret") else {}),
            }
            for method in sorted(found, key=_METHODS.index)
        }

    def _in_path(self, path: str) -> list[_Object]:
        return [
            self._parameter(name, "path") | {"required": True}
            for name in re.findall(r"{(\w+)}", path)
        ]

    def _in_url(self, told: Mapping[str, Any]) -> Iterator[_Object]:
        for name in told.get("query", ()):
            if name == "facets":
                facets = (one for one in find("find").parameters if one.name in FACETS)
                yield from map(self._argument, facets)
            else:
                yield self._parameter(name, "query")

    def _parameter(self, name: str, place: str) -> _Object:
        said = self._told["parameters"][name]
        kind = said.get("type", "string")
        schema: _Object = {"type": "string", "format": kind} if kind == "date" else {"type": kind}
        schema |= {"maxLength": said["most"]} if "most" in said else {}
        schema |= {"enum": self._values[name]} if name in self._values else {}
        schema |= {"maximum": self._settings.deadline_s} if name == "timeout" else {}
        example = [said["example"]] if "many" in said and "example" in said else said.get("example")
        return {
            "name": said.get("as", name),
            "in": place,
            "description": said[self._lang],
            "schema": {"type": "array", "items": schema} if said.get("many") else schema,
            **({"example": example} if example else {}),
        }

    def _argument(self, parameter: Parameter) -> _Object:
        """A parameter of a canned query; the slugs of a scheme are listed once for all."""
        name = vocabulary.load().local_name
        is_number = parameter.type == "integer"
        schema: _Object = {"type": "integer" if is_number else "string"}
        if parameter.scheme:
            schema = {"$ref": f"#/components/schemas/{parameter.scheme}"}
        elif parameter.choices:
            schema["enum"] = [name(one).rpartition("/")[2] for one in parameter.choices]
        default = int(parameter.default or 0) if is_number else parameter.default
        return {
            "name": parameter.name,
            "in": "query",
            "description": parameter.help[self._lang],
            "schema": schema | ({"default": default} if default else {}),
        }

    def _schemas(self) -> _Object:
        """The slugs of each scheme that a canned query asks for."""
        asked = {one.scheme: one for query in catalogue() for one in query.parameters}
        return {
            scheme: {
                "type": "string",
                "enum": [row["value"].rpartition("/")[2] for row in values(self._store, one)],
            }
            for scheme, one in sorted(asked.items())
            if scheme
        }

    def _body(self, told: Mapping[str, Any], method: str) -> _Object:
        if "body" not in told or method == "get":
            return {}
        taken = self._told["bodies"][told["body"]]
        content: _Object = {kind: {"schema": {"type": "string"}} for kind in taken}
        if told["body"] == "query":
            fields = {p["name"]: p["schema"] for p in self._in_url(told)}
            form = {"type": "object", "required": ["query"], "properties": fields}
            content["application/x-www-form-urlencoded"] = {"schema": form}
        lines = [f"{kind}{gettext(': ')}{one[self._lang]}" for kind, one in taken.items()]
        return {
            "requestBody": {
                "required": True,
                "description": gettext("; ").join(lines),
                "content": content,
            }
        }

    def _responses(self, told: Mapping[str, Any]) -> _Object:
        done = told.get("done", [200])
        content: _Object = {kind: {} for kind in _media_types(told.get("answers", ()))}
        answers = {
            str(status): {
                "description": HTTPStatus(status).phrase,
                **({"content": content} if content else {}),
            }
            for status in done
        }
        always = (*_ALWAYS, 429) if self._settings.rate_limit != "off" else _ALWAYS
        refused = sorted({*told.get("limits", ()), *always})
        return answers | {
            str(status): {"$ref": f"#/components/responses/{status}"} for status in refused
        }

    def _problems(self) -> _Object:
        """Problems by status: their types, what they mean and what to do."""
        found: dict[int, list[str]] = defaultdict(list)
        for code, kind in kinds().items():
            found[kind.status.value].append(f"`{code}`: {kind.meaning} {kind.repair}")
        content: _Object = {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
            "text/html": {},
        }
        return {
            str(status): {"description": "\n\n".join(lines), "content": content}
            for status, lines in sorted(found.items())
        }


#: What holders of a token send.
_SECURITY: _Object = {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}


def _values(manifest: Manifest) -> dict[str, list[str]]:
    """Parameter → its values, where they are few and known."""
    spaces = [one.removeprefix(BASE) for one in vocabulary.load().prefixes.values()]
    folders = {one.removesuffix("/") for one in spaces if one.endswith("/") and ":" not in one}
    schemes = {one.scheme for query in catalogue() for one in query.parameters if one.scheme}
    return {
        "file": sorted(manifest.files),
        "thing": sorted(folders),
        "scheme": sorted(schemes - {"venue"}),
        "name": [query.name for query in catalogue()],
        "code": list(kinds()),
    }


def _media_types(answers: list[str]) -> list[str]:
    """Media types of kinds of answers, in the server's order of preference."""
    found = [
        [answer] if "/" in answer else [fmt.media_type for fmt in FORMATS if fmt.kind == answer]
        for answer in answers
    ]
    return list(dict.fromkeys(one for some in found for one in some))


def _identifier(path: str) -> str:
    return "-".join(re.findall(r"\w+", path)) or "start"


def _problem() -> _Object:
    """The members of a problem; what is empty is left out."""
    text, number = {"type": "string"}, {"type": "integer"}
    types = [f"{BASE}problem/{code}" for code in kinds()]
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"enum": types},
            "title": text,
            "status": number,
            "detail": text,
            "hint": text,
            "where": text,
            "line": number,
            "column": number,
            "replacedBy": {"type": "array", "items": text},
            "findings": {"type": "array", "items": {"type": "object"}},
        },
    }
