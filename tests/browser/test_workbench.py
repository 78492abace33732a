"""The workbench as a person uses it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page, Route

RUNAWAY = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"


def write(page: Page, text: str) -> None:
    page.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def run(page: Page, text: str) -> None:
    write(page, text)
    page.keyboard.press("Control+Enter")


def test_it_opens_with_a_question_and_its_answer(open_page: Callable[..., Page]) -> None:
    page = open_page("/sparql")
    expect(page.locator("#status")).to_contain_text("34 rows")
    expect(
        page.get_by_role("tabpanel").get_by_role("link", name="AbdomenAtlas 3.0").first
    ).to_be_visible()


def test_a_name_is_completed_with_its_prefix(open_page: Callable[..., Page]) -> None:
    page = open_page("/sparql")
    write(page, "SELECT * { ?d ?p ")
    page.keyboard.type("chest x", delay=20)
    page.keyboard.press("Control+Space")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("mbmod:chest-x-ray")


def test_a_misspelt_term_is_marked_and_mended(open_page: Callable[..., Page]) -> None:
    page = open_page("/sparql")
    write(page, "PREFIX mb: <https://w3id.org/medbench-kg/ontology#> SELECT * { ?d a mb:Benchmrk }")
    page.locator(".cm-lintRange-warning").hover()
    expect(page.locator(".cm-tooltip-lint")).to_contain_text("Did you mean mb:Benchmark?")
    page.locator(".cm-diagnosticAction").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#status")).to_contain_text("44 rows")


def test_a_mistake_is_said_and_marked(open_page: Callable[..., Page]) -> None:
    page = open_page("/sparql")
    run(page, "SELECT * {\n ?s ?p\n}")
    expect(page.locator("#status.error")).to_contain_text("This isn't a SPARQL 1.1 query")
    expect(page.locator(".cm-lintRange-error")).to_be_visible()


def test_a_stopped_query_does_not_look_empty(open_page: Callable[..., Page]) -> None:
    page = open_page("/sparql")
    expect(page.locator("#status")).to_contain_text("rows")
    run(page, RUNAWAY)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#status")).to_have_text("Stopped: there is no answer to this query yet.")
    expect(page.get_by_role("tabpanel")).to_be_empty()


def test_an_empty_answer_explains_itself(open_page: Callable[..., Page]) -> None:
    page = open_page("/sparql")
    run(page, "SELECT * { <x:a> <x:b> ?c }")
    expect(page.locator("#status")).to_contain_text("0 rows")
    expect(page.locator("#status")).to_contain_text("matches all of these patterns")


def test_two_columns_make_a_chart(open_page: Callable[..., Page]) -> None:
    page = open_page("/sparql")
    run(page, "SELECT ?class (COUNT(*) AS ?n) { ?s a ?class } GROUP BY ?class")
    page.get_by_role("tab", name="Chart").click()
    expect(page.locator("svg.chart rect").first).to_be_visible()


def test_triples_make_a_graph(open_page: Callable[..., Page]) -> None:
    page = open_page("/sparql")
    run(page, "CONSTRUCT { ?a ?p ?b } { ?a ?p ?b FILTER (isIRI(?b)) } LIMIT 50")
    page.get_by_role("tab", name="Graph").click()
    expect(page.locator("svg.graph circle").first).to_be_visible()


def test_a_shared_link_opens_the_same_query_in_the_same_view(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("/sparql")
    run(page, "SELECT ?class (COUNT(*) AS ?n) { ?s a ?class } GROUP BY ?class")
    page.get_by_role("tab", name="Chart").click()
    page.get_by_role("button", name="Copy link").click()
    expect(page).to_have_url(re.compile("#query="))
    again = open_page(page.url)
    expect(again.locator("svg.chart")).to_be_visible()


def test_a_question_has_fields_for_what_it_leaves_open(open_page: Callable[..., Page]) -> None:
    page = open_page("/zh/sparql")
    page.get_by_role("link", name="哪些数据集包含某一任务").click()
    page.locator("#field-task").select_option("https://w3id.org/medbench-kg/task/reasoning")
    expect(page.locator(".cm-content")).to_contain_text("task/reasoning")
    expect(page.locator("#status")).to_contain_text("行")


def test_of_two_questions_the_one_that_was_asked_last_counts(
    open_page: Callable[..., Page],
) -> None:
    page = open_page("/sparql")
    expect(page.locator("#status")).to_contain_text("34 rows")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/query/datasets-by-task*", hold)
    with page.expect_request("**/query/datasets-by-task.rq"):
        page.get_by_role("link", name="Which datasets pose a task").click()
    page.get_by_text("Vocabularies", exact=True).click()
    page.get_by_role("link", name="Which concepts of other vocabularies").click()
    expect(page.locator(".cm-content")).to_contain_text("?external")
    expect(page.locator("#status")).to_contain_text("rows")
    answered = page.locator("#status").inner_text()
    with page.expect_response("**/query/datasets-by-task.rq"):
        for one in held:
            one.continue_()
    page.evaluate("new Promise(requestAnimationFrame)")
    expect(page.locator(".cm-content")).to_contain_text("?external")
    expect(page.locator("#field-scheme")).to_be_visible()
    assert page.locator("#status").inner_text() == answered


def test_things_of_the_graph_open_in_the_site(open_page: Callable[..., Page]) -> None:
    page = open_page("/zh/sparql")
    link = page.get_by_role("tabpanel").get_by_role("link", name="GEMeX").first
    expect(link).to_have_attribute("href", "/zh/dataset/gemex")


@pytest.mark.parametrize("path", ["/sparql", "/zh/sparql"])
def test_without_scripts_it_is_a_form(open_page: Callable[..., Page], path: str) -> None:
    page = open_page(path, java_script_enabled=False)
    with page.expect_download() as download:
        page.locator("button[name=download]").click()
    assert download.value.failure() is None
