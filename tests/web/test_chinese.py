"""Chinese pages are Chinese: whatever is in another language says so."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from html.parser import HTMLParser

import pytest

#: A page of each kind.
PATHS = (
    "/",
    "/about",
    "/api",
    "/changes",
    "/compare",
    "/compare?d=gemex&d=pathmmu",
    "/contribute",
    "/contribute?dataset=gemex&field=modality",
    "/corrections",
    "/coverage",
    "/dataset/gemex.html",
    "/dataset/gmai-mmbench.html",
    "/dataset/mimic-cxr.html",
    "/datasets",
    "/health-of-links",
    "/lineage?trained=pubmedvision",
    "/lineage/pathmmu",
    "/listing/gemex.html",
    "/modality.html",
    "/modality/ct.html",
    "/model/gpt-4o.html",
    "/ontology.html",
    "/paper/arxiv-2411.16778.html",
    "/problem/query",
    "/quality",
    "/query/contamination-risk",
    "/query/find",
    "/query/largest-datasets",
    "/record/gemex.html",
    "/search?q=chest",
    "/shapes.html",
    "/sparql",
    "/timeline",
    "/use",
    "/venue/neurips.html",
)
#: Addresses that are mistaken.
MISTAKES = (
    "/dataset/gemx.html",
    "/datasets?modality=ctt",
    "/datasets?page=99",
    "/datasets?sort=weight",
    "/compare?d=nothing",
    "/compare?d=gemex&d=pathmmu&d=pubmedvision&d=mm-skin&d=xbench&d=drvd-bench&d=medtvt-qa",
    "/lineage/nothing",
    "/lineage?trained=nothing",
    "/problem/nothing",
    "/query/nothing",
    "/query/find?modality=ctt",
    "/query/find?what=ct",
    "/query/datasets-by-year?year=soon",
    "/search?q=ct&kind=nothing",
    "/sparql?query=SELECT",
    "/sparql?query=",
    "/sparql?query=ASK%7B%3Fs%20%3Fp%20%3Fo%7D&timeout=soon",
    "/sparql?query=ASK%7B%3Fs%20a%20mb%3ABenchmark%7D",
    "/modality/nothing/feed.atom",
)
#: Elements that hold no words of ours, and those without an end.
APART = {"code", "pre", "script", "style", "textarea", "title"}
VOID = {"br", "hr", "img", "input", "link", "meta", "rect", "path", "line", "circle"}
WORDS = re.compile(r"[A-Za-z][a-z’']+(?:[,;:.]?[ ][A-Za-z][a-z’']+){2,}")
HAN = re.compile(r"[一-鿿]")
#: Stops as English sets them, right after Chinese, and brackets around it.
HALF_WIDTH = re.compile(r".{0,20}(?:[一-鿿）”]\s*[,;:!?](?=\s|$)|\([一-鿿]|[一-鿿]\))")
#: Pages that quote the list as it is written.
QUOTING = {"/corrections", "/listing/gemex.html"}


class Reader(HTMLParser):
    """Collects Chinese, and texts of three Latin words or more that don't say what they are."""

    def __init__(self) -> None:
        super().__init__()
        self._around: list[tuple[str, bool]] = [("", False)]
        self.found: list[str] = []
        self.chinese = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            lang = dict(attrs).get("lang")
            other = self._around[-1][1] if lang is None else not lang.startswith("zh")
            self._around.append((tag, other or tag in APART))

    def handle_endtag(self, tag: str) -> None:
        if tag in {name for name, _ in self._around}:
            while self._around.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._around[-1][1]:
            return
        self.chinese += data
        if not HAN.search(data):
            self.found += WORDS.findall(data)


def get(address: str, **headers: str) -> str:
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()


@pytest.mark.parametrize("path", PATHS + MISTAKES)
def test_a_page_has_no_english_that_does_not_say_so(server: str, path: str) -> None:
    reader = Reader()
    reader.feed(get(f"{server}/zh{path}", Accept="text/html"))
    assert reader.found == []


@pytest.mark.parametrize("path", sorted({*PATHS, *MISTAKES} - QUOTING))
def test_a_page_sets_chinese_stops(server: str, path: str) -> None:
    reader = Reader()
    reader.feed(get(f"{server}/zh{path}", Accept="text/html"))
    assert HALF_WIDTH.findall(reader.chinese) == []


@pytest.mark.parametrize("path", MISTAKES)
def test_what_is_wrong_is_said_in_chinese(server: str, path: str) -> None:
    text = get(f"{server}/zh{path}", Accept="text/html")
    told = text.split("<main", 1)[1].split("</main>", 1)[0]
    assert not re.search(r"<p[^>]* lang=", told)
    if not path.startswith("/dataset/"):
        problem = json.loads(get(server + path, **{"Accept-Language": "zh-CN,zh;q=0.9"}))
        assert HAN.search(problem["detail"])
        assert not HAN.search(json.loads(get(server + path))["detail"])
