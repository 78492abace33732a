"""Every kind of page, in both languages and both colour schemes, and on a narrow screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

PATHS = (
    "/",
    "/coverage",
    "/datasets",
    "/datasets?modality=ct",
    "/lineage?trained=pubmedvision",
    "/health-of-links",
    "/lineage/pathmmu",
    "/dataset/gmai-mmbench",
    "/modality/ct",
    "/corrections",
    "/quality",
    "/changes",
    "/timeline",
    "/compare?d=gemex&d=pathmmu",
    "/contribute",
    "/contribute?dataset=gemex&field=modality",
    "/sparql",
    "/query/datasets-by-modality",
    "/api",
    "/about",
)
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["", "/zh"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_barriers(
    open_page: Callable[..., Page], path: str, language: str, scheme: str
) -> None:
    page = open_page(language + path, color_scheme=scheme)
    page.wait_for_load_state("networkidle")
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("language", ["", "/zh"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_fits_a_narrow_screen(
    open_page: Callable[..., Page], path: str, language: str
) -> None:
    page = open_page(language + path, viewport={"width": 320, "height": 640})
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
