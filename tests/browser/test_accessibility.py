"""Every kind of page and its states, in both languages and colour schemes, wide and narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

PATHS = (
    "/",
    "/coverage",
    "/coverage?open=image&open=diagnosis",
    "/datasets",
    "/datasets?modality=ct",
    "/datasets?modality=audio&task=diagnosis",
    "/search?q=chest",
    "/search?q=zzzzqq",
    "/lineage?trained=pubmedvision",
    "/health-of-links",
    "/lineage/pathmmu",
    "/dataset/gmai-mmbench",
    "/dataset/mimic-cxr",
    "/modality",
    "/modality/ct",
    "/paper/arxiv-2411.16778",
    "/venue/iccv",
    "/model/gpt-4o",
    "/listing/gemex",
    "/ontology",
    "/shapes",
    "/corrections",
    "/quality",
    "/changes",
    "/changes?thing=dataset/gemex",
    "/timeline",
    "/compare",
    "/compare?d=gemex&d=pathmmu",
    "/contribute",
    "/contribute?dataset=gemex&field=modality",
    "/sparql",
    "/query/datasets-by-modality",
    "/query/find?modality=audio&task=diagnosis",
    "/use",
    "/api",
    "/problem/query",
    "/nothing",
    "/about",
)
#: Rules that depend on how a page is laid out.
ON_NARROW_SCREENS = ("target-size", "scrollable-region-focusable")
RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
COUNTS = "SELECT ?class (COUNT(*) AS ?n) { ?s a ?class } GROUP BY ?class"


def ask(page: Page, text: str) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)
    page.keyboard.press("Control+Enter")


def answered(page: Page) -> None:
    expect(page.locator("#panel td").first).to_be_visible()


def refused(page: Page) -> None:
    ask(page, "SELECT * {\n ?s ?p\n}")
    expect(page.locator("#status.error")).to_be_visible()


def stopped(page: Page) -> None:
    answered(page)
    ask(page, RUNAWAY)
    page.locator("#stop").click()
    expect(page.locator("#status.error")).to_be_visible()


def empty(page: Page) -> None:
    ask(page, "SELECT * { <x:a> <x:b> ?c }")
    expect(page.locator("#panel thead")).to_be_attached()


def charted(page: Page) -> None:
    ask(page, COUNTS)
    page.locator("#tab-chart").click()


def drawn(page: Page) -> None:
    ask(page, "CONSTRUCT { ?a ?p ?b } { ?a ?p ?b FILTER (isIRI(?b)) } LIMIT 50")
    page.locator("#tab-graph").click()


def completing(page: Page) -> None:
    answered(page)
    page.locator(".cm-content").click()
    page.keyboard.press("Control+Space")
    expect(page.locator(".cm-tooltip-autocomplete")).to_be_visible()


def suggested(page: Page) -> None:
    page.locator("#q").press_sequentially("chest")
    expect(page.locator("#suggestions option").first).to_be_attached()


def opened(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")


STATES = [
    ("/sparql", answered),
    ("/sparql", refused),
    ("/sparql", stopped),
    ("/sparql", empty),
    ("/sparql", charted),
    ("/sparql", drawn),
    ("/sparql", completing),
    ("/", suggested),
    *((path, opened) for path in ("/datasets", "/lineage", "/quality", "/contribute", "/api")),
]


@pytest.mark.parametrize("language", ["", "/zh"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_barriers(
    open_page: Callable[..., Page], barriers: Callable[..., str], path: str, language: str
) -> None:
    page = open_page(language + path)
    page.wait_for_load_state("networkidle")
    assert barriers(page) == ""
    page.emulate_media(color_scheme="dark")
    assert barriers(page, "color-contrast") == ""


@pytest.mark.parametrize("language", ["", "/zh"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_a_narrow_screen(
    open_page: Callable[..., Page], barriers: Callable[..., str], path: str, language: str
) -> None:
    page = open_page(language + path, viewport={"width": 320, "height": 640})
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert barriers(page, *ON_NARROW_SCREENS) == ""


@pytest.mark.parametrize("language", ["", "/zh"])
@pytest.mark.parametrize(("path", "reach"), STATES)
def test_what_one_does_on_a_page_makes_no_barriers(
    open_page: Callable[..., Page],
    barriers: Callable[..., str],
    path: str,
    reach: Callable[[Page], None],
    language: str,
) -> None:
    page = open_page(language + path)
    reach(page)
    assert barriers(page) == ""
    page.emulate_media(color_scheme="dark")
    assert barriers(page, "color-contrast") == ""
