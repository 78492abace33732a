"""Records that attack their readers: nothing of them runs, leads astray or breaks out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import bibtexparser
import pyoxigraph as ox
import pytest
from playwright.sync_api import expect

from medbench_kg import builds
from medbench_kg.negotiation import by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page

    from medbench_kg.store import LocalStore

#: What is put behind every text: ends of all contexts, handlers, an override of direction, a word
#: without end.
ATTACK = (
    " </script></title></textarea>--><script>hit()</script>\"'><img src=x onerror=hit()>"
    "<svg onload=hit()></svg>]]>{{7*7}}${hit()} [a](javascript:hit()) | \\input{/etc/passwd} & % $"
    f" \u202eterces {'W' * 300}"
)
LINK = "javascript:hit()//"
#: Literals that aren't texts but names in addresses.
NAMES = ("identifier", "notation", "preferredNamespacePrefix")
PAGES = (
    "/",
    "/about",
    "/api",
    "/changes",
    "/compare?d=gemex&d=pathmmu",
    "/contribute?dataset=gemex&field=modality",
    "/corrections",
    "/coverage?open=image",
    "/coverage.svg?open=image",
    "/dataset/gemex.html",
    "/dataset/mimic-cxr.html",
    "/datasets?modality=image",
    "/health-of-links",
    "/lineage?trained=pubmedvision",
    "/lineage/pathmmu",
    "/model/gpt-4o.html",
    "/modality.html",
    "/modality/ct.html",
    "/paper/arxiv-2501.00001.html",
    "/quality",
    "/query/links-of",
    "/record/gemex.html",
    "/search?q=terces",
    "/timeline",
    "/venue/neurips.html",
    "/nothing/%3Cscript%3Ehit()%3C%2Fscript%3E.html",
    "/search?q=%22%3E%3Cscript%3Ehit()%3C/script%3E",
)
#: What an attack would have left in a page, had it broken out.
TRACES = (
    "window.hits ?? [...document.querySelectorAll('[onerror], [onload], img[src=x], "
    'a[href^="javascript:" i], script:not([src]):not([type*=json])\')].map(one => one.outerHTML)'
)
#: Texts that an override of direction in a neighbour turned round.
TURNED = """[...document.querySelectorAll('.count, .number, time')].filter(one => {
  const text = one.firstChild, end = text?.length;
  if (text?.nodeType !== 3 || end < 2 || !one.getClientRects().length) return false;
  const left = at => { const range = document.createRange(); range.setStart(text, at);
    range.setEnd(text, at + 1); return range.getBoundingClientRect(); };
  return left(0).top === left(end - 1).top && left(0).left > left(end - 1).left;
}).map(one => one.outerHTML)"""


def poisoned(quad: ox.Quad) -> ox.Quad:
    """The same statement with an attack in its text or in its link."""
    one, name = quad.object, re.split("[#/]", quad.predicate.value)[-1]
    if isinstance(one, ox.Literal) and name not in NAMES:
        if one.language:
            one = ox.Literal(one.value + ATTACK, language=one.language)
        elif one.datatype.value.endswith("#string"):
            one = ox.Literal(one.value + ATTACK)
        elif one.datatype.value.endswith("#anyURI"):
            one = ox.Literal(LINK + one.value, datatype=one.datatype)
    elif isinstance(one, ox.NamedNode) and one.value.startswith("https://example.org/"):
        one = ox.NamedNode(LINK + one.value)
    return ox.Quad(quad.subject, quad.predicate, one, quad.graph_name)


@pytest.fixture(scope="module")
def hostile(
    mini: LocalStore,
    tmp_path_factory: pytest.TempPathFactory,
    running: Callable[..., AbstractContextManager[str]],
) -> Iterator[str]:
    """A server of the small graph, poisoned."""
    at = tmp_path_factory.mktemp("hostile")
    quads = ox.parse(mini.dump(by_name("nquads")), ox.RdfFormat.N_QUADS)
    ox.serialize(map(poisoned, quads), at / "small.nq", ox.RdfFormat.N_QUADS)
    builds.build_on_disk(at / "store", at / "small.nq")
    with running(MEDBENCH_STORE=str(at / "store")) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser: Browser, hostile: str) -> Iterator[Page]:
    """A narrow page that would let scripts run, and tells of any that did."""
    context = browser.new_context(
        base_url=hostile, bypass_csp=True, viewport={"width": 320, "height": 640}
    )
    context.add_init_script("window.hit = () => { window.hits = ['hit'] }")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("lang", ["", "/zh"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_runs_nothing_leads_nowhere_and_keeps_its_form(
    page: Page, lang: str, path: str
) -> None:
    page.goto(lang + path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(TRACES) == []
    if ".svg" not in path:
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        assert page.evaluate(TURNED) == []
        for data in page.locator("script[type*=json]").all():
            assert json.loads(data.text_content() or "")


def test_the_workbench_shows_texts_as_texts(page: Page) -> None:
    page.goto("/sparql")
    for query in (
        "SELECT ?t ?l { ?d a mb:Benchmark ; dcterms:title ?t OPTIONAL { ?d dcat:landingPage ?l } }",
        "SELECT ?t (1 AS ?n) { ?d a mb:Benchmark ; dcterms:title ?t }",
        "CONSTRUCT { ?a ?p ?b } { ?a ?p ?b . ?a a mb:Benchmark }",
    ):
        names = {
            "mb": "https://w3id.org/medbench-kg/ontology#",
            "dcat": "http://www.w3.org/ns/dcat#",
        }
        names["dcterms"] = "http://purl.org/dc/terms/"
        head = "".join(f"PREFIX {name}: <{iri}> " for name, iri in names.items())
        page.locator(".cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(head + query)
        page.keyboard.press("Control+Enter")
        expect(page.locator("#status")).to_contain_text(re.compile(r"^\d+ (rows|triples)"))
        for tab in page.get_by_role("tab").all():
            tab.click()
            assert page.evaluate(TRACES) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize(
    "path", ["/feed.atom", "/zh/modality/ct/feed.atom", "/sitemap.xml", "/coverage.svg"]
)
def test_xml_stays_well_formed(page: Page, path: str) -> None:
    page.goto("/about")
    names = page.evaluate(
        """path => fetch(path).then(answer => answer.text()).then(text =>
        [...new DOMParser().parseFromString(text, "text/xml").querySelectorAll("*")]
        .map(one => one.localName))""",
        path,
    )
    assert names
    assert not {"parsererror", "script", "img"} & set(names)


def test_files_of_a_comparison_hold_texts_and_no_code(page: Page) -> None:
    asked = "?d=gemex&d=pathmmu"
    lines = page.request.get(f"/compare.md{asked}").text().strip().splitlines()
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {4}
    assert not re.search(r"(?<!\\)[<\[]", "".join(lines))
    tex = page.request.get(f"/compare.tex{asked}").text()
    assert "\\input" not in tex
    assert not re.search(r"(?<!\\)[$]", tex)
    library = bibtexparser.parse_string(page.request.get(f"/compare.bib{asked}").text())
    assert len(library.entries) >= 2
    assert not library.failed_blocks
    assert all("\\input" not in str(field.value) for one in library.entries for field in one.fields)
