"""Pages do without any other host, and are light."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Response, Route

KB = 1 << 10

#: A page of each kind.
PATHS = (
    "/",
    "/about",
    "/api",
    "/changes",
    "/compare?d=gemex&d=pathmmu",
    "/contribute",
    "/corrections",
    "/coverage",
    "/dataset/gemex.html",
    "/datasets",
    "/health-of-links",
    "/lineage",
    "/lineage/pathmmu",
    "/modality/ct.html",
    "/modality.html",
    "/ontology.html",
    "/paper/arxiv-2411.16778.html",
    "/problem/query",
    "/quality",
    "/query/find",
    "/search?q=ct",
    "/shapes.html",
    "/sparql",
    "/timeline",
    "/use",
    "/nowhere.html",
)


class Visit:
    """A page behind a cut cable: only the server itself can be reached."""

    def __init__(self, browser: Browser, server: str) -> None:
        self.context = browser.new_context(base_url=server)
        self.page: Page = self.context.new_page()
        self.abroad: list[str] = []
        self.sizes: dict[str, int] = {}
        self._home = urlsplit(server).netloc
        self.context.route("**/*", self._pass)
        self.page.on("response", self._weigh)

    def go(self, path: str) -> None:
        self._seen: list[Response] = []
        self.page.goto(path)
        self.page.wait_for_load_state("networkidle")
        self.sizes = {
            response.url: response.request.sizes()["responseBodySize"] for response in self._seen
        }

    def total(self, suffix: str = "") -> int:
        """Bytes of bodies as they were sent."""
        return sum(size for url, size in self.sizes.items() if url.endswith(suffix))

    def _pass(self, route: Route) -> None:
        if urlsplit(route.request.url).netloc == self._home:
            route.continue_()
        else:
            self.abroad.append(route.request.url)
            route.abort()

    def _weigh(self, response: Response) -> None:
        self._seen.append(response)


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Visit]:
    visit = Visit(browser, server)
    yield visit
    visit.context.close()


@pytest.mark.parametrize("lang", ["", "/zh"])
def test_no_page_asks_another_host(visit: Visit, lang: str) -> None:
    for path in PATHS:
        visit.go(lang + path)
        assert visit.page.locator("h1").is_visible(), path
    assert visit.abroad == []


@pytest.mark.parametrize("path", ["/", "/zh/"])
def test_the_first_page_is_light(visit: Visit, path: str) -> None:
    visit.go(path)
    assert 0 < visit.total(".js") <= 30 * KB
    assert visit.total() <= 100 * KB


def test_the_workbench_is_light_enough(visit: Visit) -> None:
    visit.go("/sparql")
    assert 0 < visit.total(".js") <= 150 * KB


def test_pages_are_light_whatever_they_show(visit: Visit) -> None:
    for path in PATHS:
        visit.go(path)
        assert visit.total() - visit.total("workbench.js") <= 100 * KB, path
