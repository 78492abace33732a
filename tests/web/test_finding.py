"""Search over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest


def get(server: str, path: str) -> tuple[str, str]:
    with urllib.request.urlopen(server + path) as response:
        return response.headers["Content-Type"], response.read().decode()


def test_a_hit_leads_to_its_page_and_says_why(server: str) -> None:
    _, page = get(server, f"/search?q={quote('Weidi Xie')}")
    assert '<a href="/dataset/pmc-vqa">PMC-VQA</a>' in page
    assert "author: <span>Weidi Xie" in page


def test_chinese_finds_in_chinese_pages(server: str) -> None:
    _, page = get(server, f"/zh/search?q={quote('病理')}&kind=concept")
    assert '<a href="/zh/specialty/pathology">病理学</a>' in page
    assert "数据集</small>" not in page


def test_suggestions_have_the_form_that_browsers_expect(server: str) -> None:
    kind, body = get(server, "/search/suggestions?q=gmai")
    assert kind == "application/x-suggestions+json"
    text, names, kinds, addresses = json.loads(body)
    assert (text, names[0], kinds[0]) == ("gmai", "GMAI-MMBench", "Dataset")
    assert addresses[0] == f"{server}/dataset/gmai-mmbench"


def test_the_description_leads_to_the_search(server: str) -> None:
    kind, body = get(server, "/opensearch.xml")
    assert kind.startswith("application/opensearchdescription+xml")
    assert f'template="{server}/search?q={{searchTerms}}"' in body


@pytest.mark.parametrize("arguments", ["kind=x&q=a", f"q={'a' * 201}"])
def test_a_wrong_request_is_refused(server: str, arguments: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(server, f"/search?{arguments}")
    assert refused.value.code == 400
    refused.value.close()


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '" onfocus="x', "𝒳'\\"])
def test_hostile_words_stay_words(server: str, text: str) -> None:
    _, page = get(server, f"/search?q={quote(text)}")
    assert "<script>alert" not in page
    assert 'value="" onfocus' not in page


def test_the_start_page_answers_its_questions(server: str) -> None:
    _, page = get(server, "/")
    assert '<a href="/datasets?language=zh&amp;role=Benchmark">' in page
    _, answer = get(server, "/datasets?language=zh&role=Benchmark")
    assert "<article" in answer
