"""Chinese pages are Chinese: whatever is in another language says so."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from html.parser import HTMLParser

import pytest

#: A page of each kind, and of each kind of mistake.
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


class Reader(HTMLParser):
    """Collects texts of three Latin words or more that don't say that they aren't Chinese."""

    def __init__(self) -> None:
        super().__init__()
        self._around: list[tuple[str, bool]] = [("", False)]
        self.found: list[str] = []

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
        if not self._around[-1][1] and not HAN.search(data):
            self.found += WORDS.findall(data)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_has_no_english_that_does_not_say_so(server: str, path: str) -> None:
    request = urllib.request.Request(f"{server}/zh{path}", headers={"Accept": "text/html"})
    try:
        with urllib.request.urlopen(request) as response:
            text = response.read().decode()
    except urllib.error.HTTPError as error:
        text = error.read().decode()
    reader = Reader()
    reader.feed(text)
    assert reader.found == []
