"""Each type of problems answers at its IRI, in both languages; the documentation lists the same."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def fetch(url: str, accept: str = "text/html") -> tuple[int, str]:
    request = urllib.request.Request(url, headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def documented(root: Path) -> dict[str, str]:
    """Code → status, as the English table has it."""
    text = (root / "docs/endpoint.md").read_text(encoding="utf-8").partition("## 中文")[0]
    table = text.partition("| type | status |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `([a-z-]+)` \| (\d{3}) \|", table, re.MULTILINE))


@pytest.mark.parametrize(
    ("lang", "todo"), [("", "What to do"), ("/zh", "处理办法")], ids=["en", "zh"]
)
def test_each_type_has_a_page_that_says_what_to_do(
    lang: str, todo: str, server: str, root: Path
) -> None:
    for code, status in documented(root).items():
        found, page = fetch(f"{server}{lang}/problem/{code}")
        assert found == 200, code
        assert todo in page
        assert f"<dd>{status}</dd>" in page
        assert f"https://w3id.org/medbench-kg/problem/{code}" in page


def test_the_documentation_lists_the_types_that_there_are_in_both_languages(
    server: str, root: Path
) -> None:
    _, page = fetch(f"{server}/problem/gone")
    codes = {"gone", *re.findall(r'href="/problem/([a-z-]+)"', page)}
    assert set(documented(root)) == codes
    chinese = (root / "docs/endpoint.md").read_text(encoding="utf-8").partition("## 中文")[2]
    assert [code for code in codes if f"| `{code}` |" not in chinese] == []


def test_an_unknown_type_is_told_the_known_ones(server: str) -> None:
    status, text = fetch(f"{server}/problem/nonsense", "*/*")
    assert status == 404
    assert "not-acceptable" in text


@pytest.mark.parametrize("path", ["/nowhere", "/zh/nowhere"])
def test_the_page_of_a_problem_leads_to_what_it_means(path: str, server: str) -> None:
    status, page = fetch(f"{server}{path}")
    assert status == 404
    link = re.search(r'href="([^"]*/problem/not-found)"', page)
    assert link
    assert fetch(f"{server}{link[1]}")[0] == 200
