"""The site as files: served by any web server it has the same pages, and nothing leads nowhere."""

from __future__ import annotations

import http.client
import json
import re
import threading
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import pyoxigraph as ox
import pytest

from medbench_kg import description
from medbench_kg.catalogue import ask, catalogue
from medbench_kg.errors import StoreError
from medbench_kg.negotiation import GRAPH_FORMATS, by_name
from medbench_kg.vocabulary import BASE
from medbench_kg.web import site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore

#: Where the copy is to be, below a path: absolute links begin with it.
ADDRESS = "https://kg.example.org/copy"
NOTICE = "needs-a-server.html"


@pytest.fixture(scope="module")
def copy(
    mini: LocalStore, built: tuple[LocalStore, Manifest], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    target = tmp_path_factory.mktemp("site") / "copy"
    written = site.write(mini, built[1], ADDRESS, target)
    files = [file for file in target.rglob("*") if file.is_file()]
    assert written.files == len(files)
    assert written.size == sum(file.stat().st_size for file in files)
    return target


@pytest.fixture(scope="module")
def pages(copy: Path) -> dict[str, str]:
    """Path of each page in the copy → its text."""
    return {
        str(file.relative_to(copy)): file.read_text(encoding="utf-8")
        for file in copy.rglob("*.html")
    }


class Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def ask_copy(copy: Path) -> Iterator[Callable[[str], http.client.HTTPResponse]]:
    """Get a path below ``/copy/`` from Python's own web server, which knows nothing of us."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=copy.parent))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)

    def get(path: str, method: str = "GET") -> http.client.HTTPResponse:
        connection.request(method, path)
        answer = connection.getresponse()
        answer.text = answer.read().decode()  # type: ignore[attr-defined]
        return answer

    yield get
    connection.close()
    server.shutdown()
    thread.join()
    server.server_close()


def links(page: str) -> set[str]:
    found = re.findall(r'\s(?:href|src|action)="([^"]*)"', page)
    return {unescape(link).partition("#")[0] for link in found} - {""}


def test_every_link_of_every_page_leads_to_a_file(
    pages: dict[str, str], ask_copy: Callable[..., http.client.HTTPResponse]
) -> None:
    local = {
        urljoin(f"/copy/{name}", link): name
        for name, page in pages.items()
        for link in links(page)
        if not urlsplit(link).scheme
    }
    assert len(local) > 1000
    broken = {to: name for to, name in local.items() if ask_copy(to, "HEAD").status != 200}
    assert broken == {}


def test_no_page_loads_anything_from_elsewhere(pages: dict[str, str]) -> None:
    loaded = r'<(?:script|img|iframe)[^>]*\ssrc="([^"]*)|<link rel="stylesheet" href="([^"]*)'
    found = {"".join(pair) for page in pages.values() for pair in re.findall(loaded, page)}
    assert found
    assert [address for address in found if urlsplit(address).netloc] == []


def test_every_thing_is_there_in_both_languages_and_all_formats(
    mini: LocalStore, copy: Path
) -> None:
    for iri in description.documents(mini):
        path = iri.removeprefix(BASE)
        names = [path + ".html", f"zh/{path}.html", path + ".linkset.json", path + ".linkset"]
        names += [f"{path}.{fmt.suffix}" for fmt in GRAPH_FORMATS]
        assert [name for name in names if not (copy / name).is_file()] == []


def test_counts_agree_with_the_graph(mini: LocalStore, copy: Path) -> None:
    for kind in ("dataset", "paper", "record", "modality"):
        known = [iri for iri in description.documents(mini) if iri.startswith(f"{BASE}{kind}/")]
        for suffix in ("html", "ttl", "jsonld"):
            found = list((copy / kind).glob(f"*.{suffix}"))
            files = [file for file in found if file.name != "index.html"]
            assert len(files) == len(known), (kind, suffix)


def test_all_rdf_parses(copy: Path) -> None:
    for fmt in GRAPH_FORMATS:
        rdf = ox.RdfFormat.from_media_type(fmt.media_type)
        files = [file for file in copy.rglob(f"*.{fmt.suffix}") if file.name != "context.jsonld"]
        assert len(files) > 100
        for file in files:
            triples = sum(1 for _ in ox.parse(path=file, format=rdf, base_iri=BASE))
            assert triples or file.stem in {"catalogue", "void", "sparql-examples"}, file
    for file in copy.rglob("*.json"):
        json.loads(file.read_bytes())


@pytest.mark.parametrize("query", catalogue(), ids=lambda query: query.name)
def test_canned_answers_are_those_of_the_graph(query: object, mini: LocalStore, copy: Path) -> None:
    body, _ = ask(mini, query, {}, lambda _kind: by_name("csv"))  # type: ignore[arg-type]
    assert (copy / "query" / f"{query.name}.csv").read_bytes() == body  # type: ignore[attr-defined]


def test_a_path_without_suffix_leads_to_the_page(
    ask_copy: Callable[..., http.client.HTTPResponse],
) -> None:
    moved = ask_copy("/copy/dataset/gemex")
    assert (moved.status, moved.headers["Location"]) == (301, "/copy/dataset/gemex/")
    page = ask_copy("/copy/dataset/gemex/").text  # type: ignore[attr-defined]
    assert 'content="0; url=../gemex.html"' in page


def test_what_needs_a_server_leads_to_a_page_that_says_so(pages: dict[str, str]) -> None:
    assert f'action="../{NOTICE}"' in pages["query/coverage.html"]
    assert f'href="{NOTICE}">SPARQL' in pages["index.html"]
    assert f'href="{NOTICE}">SPARQL' in pages["zh/index.html"]
    assert "服务器" in pages[f"zh/{NOTICE}"]


def test_facets_and_the_cells_of_coverage_are_there(pages: dict[str, str]) -> None:
    assert "datasets/modality=ct.html" in links(pages["datasets.html"])
    cells = [link for link in links(pages["coverage.html"]) if link.startswith("datasets/")]
    assert cells
    assert NOTICE not in cells


def test_types_of_problems_are_there_in_both_languages(pages: dict[str, str]) -> None:
    assert "What to do" in pages["problem/timeout.html"]
    assert "处理办法" in pages["zh/problem/timeout.html"]


def test_absolute_links_begin_with_the_address(copy: Path) -> None:
    sitemap = (copy / "sitemap.xml").read_text(encoding="utf-8")
    assert f"<loc>{ADDRESS}/dataset/gemex.html</loc>" in sitemap
    assert "localhost" not in sitemap


def test_a_folder_of_somebody_else_stays_as_it_is(
    mini: LocalStore, built: tuple[LocalStore, Manifest], tmp_path: Path
) -> None:
    (tmp_path / "thesis.tex").write_text("dear", encoding="utf-8")
    with pytest.raises(StoreError, match="holds files that no copy"):
        site.write(mini, built[1], ADDRESS, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_copy_that_fails_leaves_nothing_behind(
    mini: LocalStore, built: tuple[LocalStore, Manifest], tmp_path: Path
) -> None:
    broken = type(built[1])(**{**vars(built[1]), "files": {}})
    with pytest.raises(StoreError, match="answers 404"):
        site.write(mini, broken, ADDRESS, tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("language", "asked", "name"),
    [("", "gemex", "GEMeX"), ("zh/", "胸部 X", "X"), ("", "arXiv:2501.00001", "GEMeX")],
)
def test_a_copy_on_a_disk_is_searched_without_a_server(
    copy: Path, browser: Browser, language: str, asked: str, name: str
) -> None:
    page = browser.new_page()
    page.goto(f"{(copy / language / 'search.html').as_uri()}")
    page.locator("#q").fill(asked)
    page.locator("#q").press("Enter")
    first = page.locator("ol.hits a").first
    assert name in first.inner_text()
    first.click()
    page.wait_for_url(re.compile(r"/(dataset|paper|modality|anatomy|task)/"))
    assert page.locator("h1").inner_text()
    page.close()
