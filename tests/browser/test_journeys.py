"""What the five kinds of users do in their first minutes, each as one walk, in both languages."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

LANGUAGES = pytest.mark.parametrize("zh", [False, True], ids=["en", "zh"])
PHONE = {"viewport": {"width": 360, "height": 740}}


def triples(page: Page, path: str) -> int:
    """Number of triples of a document, read strictly."""
    answer = page.request.get(path)
    assert answer.headers["content-type"].startswith("text/turtle")
    return len(list(ox.parse(answer.body(), ox.RdfFormat.TURTLE)))


@LANGUAGES
def test_a_researcher_changes_a_question_and_takes_the_answer_along(
    open_page: Callable[..., Page], server: str, zh: bool
) -> None:
    page = open_page("/zh/sparql" if zh else "/sparql")
    status, table = page.locator("#status"), page.get_by_role("tabpanel").get_by_role("table")
    expect(status).to_contain_text("34 行" if zh else "34 rows")

    page.get_by_label("modality").select_option(label="胸部 X 光" if zh else "Chest X-ray")
    expect(page.locator(".cm-content")).to_contain_text("modality/chest-x-ray")
    expect(table).to_contain_text("GEMeX")

    with page.expect_download() as download:
        page.get_by_role("button", name="下载" if zh else "Download").click()
    rows = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert rows[0] == "dataset,title,modality,via"
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for tool, begin in {"curl": "curl ", "Python": "import ", "R": "library("}.items():
        page.get_by_label("复制为" if zh else "Copy as").select_option(tool)
        page.wait_for_function(
            "([begin, endpoint]) => navigator.clipboard.readText().then("
            "text => text.startsWith(begin) && text.includes(endpoint))",
            arg=[begin, f"{server}/sparql"],
        )

    page.get_by_role("button", name="复制链接" if zh else "Copy link").click()
    again = open_page(page.url)
    expect(again.locator("#status")).to_contain_text(f"{len(rows) - 1} {'行' if zh else 'rows'}")

    again.locator(".cm-content").click()
    again.keyboard.press("Control+a")
    again.keyboard.type("ASK { ?d mb:modality ", delay=5)
    again.keyboard.insert_text("眼底" if zh else "fundus")
    again.keyboard.press("Control+Space")
    expect(again.locator(".cm-tooltip-autocomplete")).to_contain_text(
        re.compile(f"mbmod:fundus-photograph{'眼底照片' if zh else 'Fundus photograph'} · \\d+")
    )


@LANGUAGES
def test_a_researcher_goes_from_a_question_to_its_query(
    open_page: Callable[..., Page], server: str, zh: bool
) -> None:
    page = open_page("/zh/" if zh else "/")
    page.get_by_role("link", name="哪些数据集规模最大" if zh else "are the largest").click()
    page.get_by_label("unit").select_option(label="视频" if zh else "Video")
    page.get_by_role("button", name="查询" if zh else "Ask").click()
    rows = page.locator("main tbody tr").count()
    page.get_by_text("命令行" if zh else "As a command").click()
    command = page.locator("details[open] code").inner_text().splitlines()[0]
    assert command == f"curl '{server}/query/largest-datasets?unit=video&format=csv'"
    assert len(page.request.get(command.split("'")[1]).text().splitlines()) == rows + 1
    page.get_by_role("link", name="在查询工作台中修改" if zh else "Change this query").click()
    expect(page.locator(".cm-content")).to_contain_text("unit/video")
    expect(page.locator("#status")).to_contain_text(f"{rows} {'行' if zh else 'row'}")


@LANGUAGES
def test_an_exporter_gets_a_thing_and_the_whole_in_every_format(
    open_page: Callable[..., Page], zh: bool
) -> None:
    page = open_page("/zh/dataset/pathmmu" if zh else "/dataset/pathmmu")
    formats = page.locator("footer.about").get_by_role("link")
    suffixes = [link.inner_text() for link in formats.all()]
    assert {".ttl", ".nt", ".jsonld", ".rdf", ".croissant.json", ".bib"} <= set(suffixes)
    path = page.get_by_role("link", name=".ttl", exact=True).get_attribute("href")
    assert path
    assert triples(page, path) > 100

    page.get_by_role("navigation").get_by_role("link", name="数据", exact=True).or_(
        page.get_by_role("navigation").get_by_role("link", name="Data", exact=True)
    ).first.click()
    row = page.get_by_role("row", name="datasets.csv")
    with page.expect_download() as download:
        row.get_by_role("link").evaluate("link => { link.download = ''; link.click() }")
    digest = hashlib.sha256(Path(download.value.path()).read_bytes()).hexdigest()
    assert row.locator("code").get_attribute("title") == digest


@LANGUAGES
def test_an_embedder_finds_recipes_a_bundle_and_the_changes(
    open_page: Callable[..., Page], server: str, zh: bool
) -> None:
    page = open_page("/zh/" if zh else "/")
    page.get_by_role("link", name="用于您的图谱" if zh else "Use it in your graph").click()
    for tool in ("curl", "rdflib", "comunica"):
        expect(page.locator(f"section[aria-labelledby={tool}] pre")).to_contain_text(server)

    page.goto("/zh/modality/ct" if zh else "/modality/ct")
    bundle = page.locator("a[href*='/bundle/'][href$='.ttl']").get_attribute("href")
    assert bundle
    assert triples(page, bundle) > 1000
    assert triples(page, "/.well-known/void?format=ttl") > 100
    assert triples(page, "/ldes.ttl") > 10
    service = page.request.get("/sparql", headers={"Accept": "text/turtle"})
    assert "sd:supportedLanguage" in service.text()
    assert service.headers["access-control-allow-origin"] == "*"


@LANGUAGES
def test_a_curator_sees_what_is_missing_and_has_a_record_checked(
    open_page: Callable[..., Page], root: Path, zh: bool
) -> None:
    page = open_page("/zh/dataset/pathmmu" if zh else "/dataset/pathmmu")
    page.get_by_role("link", name="补充" if zh else "add it").first.click()
    expect(page.locator("#f-dataset")).to_have_value("pathmmu")
    expect(page.locator("#f-field")).not_to_have_value("")

    record = (root / "data" / "datasets" / "pathmmu.yaml").read_text(encoding="utf-8")
    answer = page.request.post(
        "/zh/check" if zh else "/check",
        headers={"Content-Type": "application/yaml", "Accept": "application/json"},
        data=record.replace("modality: [pathology-image,", "modality: [patology-image,"),
    )
    message = answer.text()
    assert "patology-image" in message
    assert "pathology-image" in message.replace("patology-image", "")


@LANGUAGES
def test_a_visitor_with_a_phone_searches_narrows_compares_and_changes_the_language(
    open_page: Callable[..., Page], zh: bool
) -> None:
    page = open_page("/zh/" if zh else "/", **PHONE)
    expect(page.locator(".numbers")).to_contain_text("59 个数据集" if zh else "59 datasets")
    page.get_by_role("combobox").fill("病理" if zh else "pathology")
    page.keyboard.press("Enter")
    page.locator(".hits").get_by_role("link", name="PathMMU", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("PathMMU")
    page.get_by_role("link", name="病理图像" if zh else "Pathology image").first.click()
    page.get_by_role("link", name="浏览这些数据集" if zh else "Browse these datasets").click()
    expect(page.locator(".card").first).to_be_visible()
    for title in ("PathMMU", "MM-Skin"):
        page.get_by_label(re.compile(f"{title}$")).check()
    page.get_by_role("button", name="比较" if zh else "Compare").click()
    expect(page.get_by_role("columnheader", name="MM-Skin")).to_be_visible()
    there = page.url
    page.get_by_role("link", name="English" if zh else "中文").click()
    expect(page.get_by_role("columnheader", name="MM-Skin")).to_be_visible()
    assert page.url.replace("/zh/", "/") == there.replace("/zh/", "/")
    assert page.context.cookies() == []
