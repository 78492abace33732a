"""The form for a dataset as a person fills it in: with scripts and without, with keys alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

#: Longest time that a check may take here, in ms; the first one reads all records.
PATIENCE = 120_000

ENGLISH = "Questions about CT images, made from public teaching files, to test models."
CHINESE = "关于 CT 图像的问答，取自公开教学资料，用于评测模型。"


def go_to(page: Page, element_id: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == element_id:
            return
    pytest.fail(f"{element_id} can't be reached with the keyboard")


def tick(page: Page, name: str, value: str) -> None:
    """Open a list of choices and tick one, with keys alone."""
    go_to(page, f"f-{name}")
    if page.evaluate("!document.activeElement.parentElement.open"):
        page.keyboard.press("Enter")
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == value:
            page.keyboard.press("Space")
            return
    pytest.fail(f"{value} can't be reached with the keyboard")


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(
    ("path", "wrong", "right"),
    [
        ("/contribute", "Please correct this", "It conforms"),
        ("/zh/contribute", "请更正以下内容", "符合全部规则"),
    ],
)
def test_a_dataset_is_proposed_with_the_keyboard_alone(
    open_page: Callable[..., Page], path: str, wrong: str, right: str, *, scripts: bool
) -> None:
    page = open_page(path, java_script_enabled=scripts)
    page.set_default_timeout(PATIENCE)
    for name, text in (
        ("title.en", "KeyBench"),
        ("description.en", ENGLISH),
        ("description.zh", CHINESE),
    ):
        go_to(page, f"f-{name}")
        page.keyboard.insert_text(text)
    tick(page, "modality", "ct")
    tick(page, "task", "visual-question-answering")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(wrong, timeout=PATIENCE)
    expect(page.locator("[id='f-title.en']")).to_have_value("KeyBench")
    expect(page.locator("input[value=ct]")).to_be_checked()
    page.get_by_role("alert").get_by_role("link").first.focus()
    page.keyboard.press("Enter")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.value") == "Benchmark":
            page.keyboard.press("Space")
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(right, timeout=PATIENCE)
    expect(page.locator("#record textarea")).to_have_value(re.compile("id: mbd:keybench"))
    expect(page.locator("#rows pre").first).to_contain_text("| KeyBench |")
    expect(page.locator("#page h3")).to_have_text("KeyBench")


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize(
    ("path", "button", "label"),
    [
        ("/contribute", "Add another figure", "Number (2)"),
        ("/zh/contribute", "再添一个数值", "数量（2）"),
    ],
)
def test_a_further_figure_is_added_with_the_keyboard(
    open_page: Callable[..., Page], path: str, button: str, label: str, *, scripts: bool
) -> None:
    page = open_page(path, java_script_enabled=scripts)
    go_to(page, "f-extent.value")
    page.keyboard.insert_text("151025")
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == button:
            break
    page.keyboard.press("Enter")
    expect(page.get_by_label(label)).to_be_focused()
    page.keyboard.insert_text("40")
    expect(page.locator("[id='f-extent.value']")).to_have_value("151025")
    expect(page.locator("[id='f-extent.2.value']")).to_have_value("40")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "state"), [("/contribute", "alert"), ("/zh/contribute", "status")]
)
def test_findings_and_results_have_no_barriers_and_fit_a_narrow_screen(
    open_page: Callable[..., Page],
    barriers: Callable[..., str],
    path: str,
    state: str,
    scheme: str,
) -> None:
    page = open_page(path, color_scheme=scheme, viewport={"width": 320, "height": 640})
    page.set_default_timeout(PATIENCE)
    page.fill("[name='title.en']", "AxeBench")
    page.click("[value=distribution]")
    if state == "status":
        page.fill("[name='description.en']", ENGLISH)
        page.fill("[name='description.zh']", CHINESE)
        page.check("[value=SourceDataset]")
    page.click("button.main[value=check]")
    expect(page.get_by_role(state)).to_be_focused(timeout=PATIENCE)
    assert barriers(page) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_page_of_a_dataset_leads_to_the_short_form(open_page: Callable[..., Page]) -> None:
    page = open_page("/zh/dataset/gemex.html")
    page.get_by_role("link", name="说明正确内容及其来源").click()
    expect(page.locator("#f-dataset")).to_have_value("gemex")
