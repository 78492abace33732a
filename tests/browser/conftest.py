"""A real browser on the real server; without one the tests say so loudly, and fail in CI."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page, Request

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        message = "No Chromium: the tests in a browser were NOT run. Install the package chromium."
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


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
