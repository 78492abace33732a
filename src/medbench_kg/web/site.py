"""The whole thing as static files, which any web server or a disk serves with the same paths.

Pages are asked of the app, as a browser would, and so is all that they link to. In the files they
lead to each other by relative addresses, so a copy works at any path, and from a disk. What only a
server can answer leads to a page that says so: queries of one's own, other parameters, more facets.
A script searches the names that the copy brings along.

``/datasets?modality=ct`` is the file ``datasets/modality=ct.html``. Beside each page is a folder of
the same name, which leads to it: that is the address without ``.html``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from html import escape, unescape
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from flask import render_template

from medbench_kg import builds, search
from medbench_kg.catalogue import catalogue
from medbench_kg.errors import StoreError
from medbench_kg.evaluation import Limits, Pool
from medbench_kg.negotiation import CROISSANT, FORMATS, GRAPH_FORMATS
from medbench_kg.settings import Settings
from medbench_kg.vocabulary import BASE
from medbench_kg.web.app import create_app
from medbench_kg.web.contribute import PATHS as CONTRIBUTE
from medbench_kg.web.coverage import AXES
from medbench_kg.web.descriptions import PATHS as DESCRIPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from medbench_kg.builds import Manifest
    from medbench_kg.store import Store

__all__ = ["Written", "write"]

#: The page that what needs a server leads to; by it a folder is known as a copy.
_NOTICE = "needs-a-server.html"

#: The script that holds the names by which a page of the copy searches it.
_INDEX = "search-index.js"

#: Suffixes that a path may end in; those of slugs, as in ``arxiv-2411.16778``, are none.
_SUFFIXES = tuple(
    f".{suffix}"
    for suffix in (
        *(fmt.suffix for fmt in (*FORMATS, CROISSANT)),
        *("atom", "svg", "xml", "txt", "css", "js", "json", "rq"),
    )
)

#: What pages don't link to; one type of problems leads to the others.
_UNLINKED = (
    "/problem/gone",
    "/robots.txt",
    "/sitemap.xml",
    "/data/ro-crate-metadata.json",
    *(f"/ldes.{fmt.suffix}" for fmt in GRAPH_FORMATS),
    *DESCRIPTIONS,
    *(f"{path}?format={fmt.suffix}" for path in DESCRIPTIONS for fmt in GRAPH_FORMATS),
)

#: Without a server nothing can be asked or checked, so there are no pages for that.
_DYNAMIC = CONTRIBUTE + tuple(
    f"{lang}/{name}" for name in ("sparql", "api", "openapi.json") for lang in ("", "/zh")
)

#: Pages whose links with up to so many arguments are followed; of others those with one.
_FOLLOWED, _MOST = frozenset({"coverage.html", "zh/coverage.html"}), 2

_LINK = re.compile(r'(?<=\s)(href|src)="([^"]*)"')
_FORM, _ACTION = (
    re.compile(r'(?<=<form)(?:\s[\w-]+(?:="[^"]*")?)*'),
    re.compile(r'\saction="[^"]*"'),
)
_SEARCH = 'role="search"'
_EVENTS = re.compile(rb"ldes/(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True)
class Written:
    """What a copy holds: number of files, and of pages among them, and bytes of all."""

    files: int
    pages: int
    size: int


def write(store: Store, manifest: Manifest, base: str, target: Path) -> Written:
    """Write all that a server of a graph answers into a folder, all or nothing.

    Args:
        store: the graph.
        manifest: the build that it was read from.
        base: public URL of the copy, which absolute links begin with.
        target: a folder that is new, empty, or holds an earlier copy.

    Raises:
        StoreError: the folder holds something else, or an address gave no answer.
    """
    if target.exists() and any(target.iterdir()) and not (target / _NOTICE).is_file():
        raise StoreError(
            f"“{target}” holds files that no copy of the site has.", hint="Name another folder."
        )
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        written = _Copy(store, manifest, base, fresh).make()
        builds.replace(target, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return written


class _Copy:
    """A copy in the making."""

    def __init__(self, store: Store, manifest: Manifest, base: str, folder: Path) -> None:
        nobody = Pool(folder, Limits(1, 1, 1, 1, 1))
        settings = Settings(public_url=base, access_log=False)
        self._app = create_app(store, manifest, nobody, settings)
        self._app.config["IS_COPY"] = True
        self._client = self._app.test_client()
        self._store = store
        self._base = base
        self._root = urlsplit(base).path.removesuffix("/")
        self._folder = folder
        self._defaults = {
            f"/query/{query.name}": {p.name: p.default for p in query.parameters}
            for query in catalogue()
        } | dict.fromkeys(("/coverage", "/coverage.svg"), AXES)
        self._pages: dict[str, str] = {}
        self._moved: dict[str, str] = {}
        self._files: dict[str, int] = {}

    def make(self) -> Written:
        waiting = [*self._starts(), *_UNLINKED]
        seen = {*waiting, f"/{_INDEX}"}
        self._put(_INDEX, self._index())
        while waiting:
            found = self._take(waiting.pop()) - seen
            waiting += sorted(found)
            seen |= found
        for path in (f"/{_NOTICE}", f"/zh/{_NOTICE}"):
            self._pages[path[1:]] = self._render("needs-a-server.html", path)
        for name, page in self._pages.items():
            self._put(name, self._relative(page, name).encode())
        for name, target in self._leads():
            page = self._render("moved.html", "/", target=_way(name, target))
            self._put(name, page.encode())
        return Written(len(self._files), len(self._pages), sum(self._files.values()))

    def _render(self, template: str, path: str, **context: str) -> str:
        with self._app.test_request_context(path, base_url=self._base):
            return render_template(template, **context)

    def _index(self) -> bytes:
        """A script, not plain JSON: a page that is opened from a disk may read no file."""
        known = [(iri.removeprefix(BASE), *more) for iri, *more in search.names(self._store)]
        listed = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
        return f"self.searchIndex = {listed};\n".encode()

    def _leads(self) -> Iterator[tuple[str, str]]:
        """Files that lead to others: for things told of elsewhere, and pages without suffix."""
        for name, target in self._moved.items():
            if name != target:
                yield name, target
        for name in [*self._pages]:
            folder = name.removesuffix(".html")
            if not name.endswith("index.html") and folder not in self._files:
                yield f"{folder}/index.html", name

    def _starts(self) -> Iterator[str]:
        """Addresses of all pages, as the sitemap lists them."""
        sitemap = self._client.get("/sitemap.xml").text
        for address in re.findall("<loc>([^<]*)", sitemap):
            path = urlsplit(unescape(address)).path.removeprefix(self._root)
            if path not in _DYNAMIC:
                yield path

    def _take(self, address: str) -> set[str]:
        """Keep what is at an address, and tell where it leads."""
        accepting = {"Accept": "text/html, */*;q=0.5"}
        response = self._client.get(address, headers=accepting, buffered=True)
        name = self._name(address)
        if response.status_code == HTTPStatus.SEE_OTHER:
            target = response.headers["Location"].removeprefix(self._root)
            self._moved[name] = self._name(target)
            return {target}
        if response.status_code == HTTPStatus.BAD_REQUEST and "?" in address:
            return set()
        if response.status_code not in {HTTPStatus.OK, HTTPStatus.GONE}:
            status = response.status_code
            raise StoreError(f"“{address}” answers {status}.", hint="Please report this.")
        if response.mimetype == "text/html":
            self._pages[name] = response.text
            return {link for link in self._links(response.text) if self._is_kept(link, name)}
        self._put(name.removesuffix(".html"), response.data)
        days = {day.decode() for day in _EVENTS.findall(response.data)}
        return {f"/ldes/{day}.{fmt.suffix}" for day in days for fmt in GRAPH_FORMATS}

    def _links(self, page: str) -> Iterator[str]:
        """Addresses below the root that a page links to, without their fragments."""
        for _, link in _LINK.findall(page):
            target = unescape(link).partition("#")[0]
            if target.startswith(f"{self._root}/"):
                yield target.removeprefix(self._root)

    def _is_kept(self, link: str, page: str) -> bool:
        """Whether the answer that a page links to is to be had without a server."""
        name = self._name(link)
        if "=" not in name or page in _FOLLOWED:
            return bool(name) and name.count("=") <= _MOST
        return name.count("=") == 1 and "query/" not in name

    def _name(self, address: str) -> str:
        """The file that an address has; "" if only a server can answer it."""
        path, _, query = unquote(address).partition("?")
        suffix = next((one for one in _SUFFIXES if path.endswith(one)), "")
        defaults = self._defaults.get(path.removeprefix("/zh"), {})
        left = []
        for name, value in parse_qsl(query):
            if name == "format":
                suffix = f".{_suffix(value)}"
            elif defaults.get(name) != value:
                left.append(f"{name}={value}")
        if path in _DYNAMIC:
            return ""
        stem = f"{path[1:]}index" if path.endswith("/") else path[1:].removesuffix(suffix)
        return "/".join([stem, *["&".join(left)] * bool(left)]) + (suffix or ".html")

    def _relative(self, page: str, name: str) -> str:
        """Make the links of a page lead to files."""
        notice = f"zh/{_NOTICE}" if name.startswith("zh/") else _NOTICE

        def replace(match: re.Match[str]) -> str:
            attribute, link = match[1], unescape(match[2])
            if not link.startswith(f"{self._root}/"):
                return match[0]
            address, sign, fragment = link.removeprefix(self._root).partition("#")
            target = self._name(address)
            is_kept = target in self._pages or target in self._files or target in self._moved
            way = _way(name, target if is_kept else notice)
            return f'{attribute}="{escape(way + sign + fragment)}"'

        def send(form: re.Match[str]) -> str:
            found = notice.replace(_NOTICE, "search.html") if _SEARCH in form[0] else notice
            return _ACTION.sub("", form[0]) + f' action="{_way(name, found)}"'

        return _LINK.sub(replace, _FORM.sub(send, page))

    def _put(self, name: str, content: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self._files[name] = len(content)


def _suffix(named: str) -> str:
    """The suffix of a format that goes by a name; JSON is what a reader expects of “json”."""
    known = {fmt.name: fmt.suffix for fmt in FORMATS if fmt.name not in {"json", "xml"}}
    return known.get(named, named)


def _way(here: str, there: str) -> str:
    """The relative address of one file in another."""
    return quote(os.path.relpath(f"/{there}", PurePosixPath("/", here).parent), safe="/=")
