"""A real browser on the real server; without one the tests say so loudly, and fail in CI."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, Request


#: Rules of axe: levels A and AA of WCAG 2.2.
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


@pytest.fixture(scope="session")
def barriers() -> Callable[..., str]:
    """Tell what axe finds on a page as it is, by all rules or by some; "" if it finds nothing."""

    def told(page: Page, *some: str) -> str:
        only = {"type": "rule" if some else "tag", "values": some or RULES}
        found = Axe().run(page, options={"runOnly": only})
        return str(found.generate_report()) if found.violations_count else ""

    return told


@pytest.fixture
def open_page(browser: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Open pages; an error of a script or a request to another host fails the test."""
    contexts, mistakes = [], []

    def opened(path: str, **options: object) -> Page:
        context = browser.new_context(base_url=server, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.on("request", watch)
        page.goto(path)
        return page

    def watch(request: Request) -> None:
        if urlsplit(request.url).netloc not in {urlsplit(server).netloc, ""}:
            mistakes.append(f"foreign request {request.url}")

    yield opened
    for context in contexts:
        context.close()
    assert mistakes == []
