"""Every IRI answers, in every format, to every client.

The bulk of the table goes to the app in this process, a sample of it to the running server.
"""

from __future__ import annotations

import html
import json
import re
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING

import pyoxigraph as ox
import pytest
import rdflib
from signposting import (
    find_signposting_html,
    find_signposting_http,
    find_signposting_linkset,
)

from medbench_kg import description, vocabulary
from medbench_kg.evaluation import Limits, Pool
from medbench_kg.negotiation import DOCUMENT_FORMATS, GRAPH_FORMATS, Format, by_name
from medbench_kg.settings import Settings
from medbench_kg.store import LocalStore
from medbench_kg.vocabulary import BASE
from medbench_kg.web import schema
from medbench_kg.web.app import create_app

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from signposting import Signposting
    from werkzeug.test import TestResponse

    from medbench_kg.builds import Manifest

NAMESPACES = [ns.removeprefix(BASE) for ns in vocabulary.load().prefixes.values() if BASE in ns]

#: One kind of thing for each namespace below the base: datasets, papers, the concepts of a scheme …
#: Checks of links are only there once somebody has checked, see ``test_links.py``.
KINDS = sorted({namespace.rstrip("/#") for namespace in NAMESPACES if namespace} - {"links"})

#: The Accept headers of clients, and what they get.
CLIENTS = {
    "none": (None, "turtle"),
    "curl": ("*/*", "turtle"),
    "curl -H text/turtle": ("text/turtle", "turtle"),
    "firefox": (
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/png,image/svg+xml,*/*;q=0.8",
        "html",
    ),
    "chrome": (
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
            "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
        ),
        "html",
    ),
    "google": ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "html"),
    "xhtml": ("application/xhtml+xml", "html"),
    "rdflib xml": ("application/rdf+xml, */*;q=0.1", "rdfxml"),
    "rdflib turtle": ("text/turtle, application/x-turtle, */*;q=0.1", "turtle"),
    "rdflib nt": ("text/plain, */*;q=0.1", "ntriples"),
    "rdflib json-ld": ("application/ld+json, application/json;q=0.9, */*;q=0.1", "jsonld"),
    "jena": (
        (
            "text/turtle,application/n-triples;q=0.9,application/ld+json;q=0.8,"
            "application/rdf+xml;q=0.7,*/*;q=0.3"
        ),
        "turtle",
    ),
    "any23": (
        (
            "application/rdf+xml, text/rdf+n3, text/turtle, application/json, "
            "application/xhtml+xml;q=0.3, text/html;q=0.3, text/plain;q=0.1, application/xml;q=0.1"
        ),
        "turtle",
    ),
    "profile": ('application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"', "jsonld"),
    "version": ("text/turtle;version=1.2;q=0.5, application/rdf+xml;q=0.4", "turtle"),
    "upper case": ("TEXT/Turtle;Q=0.9, APPLICATION/N-Triples", "ntriples"),
    "lesser quality": ("text/turtle;q=0.2, application/n-triples;q=0.7", "ntriples"),
    "refusal": ("text/turtle;q=0, */*;q=0.1", "ntriples"),
    "wildcard of a type": ("application/*", "ntriples"),
    "empty elements": (", ,,text/turtle, ,", "turtle"),
    "linkset": ("application/linkset+json", "linkset-json"),
}
#: All datasets, counted apart from the program.
INSTANCES = "SELECT ?d WHERE { ?d a <https://w3id.org/medbench-kg/ontology#Dataset> }"

NONSENSE = ["image/png", "*/*;q=0", "text/turtle;q=0", "a", "text/csv, audio/*;q=0.1"]


@pytest.fixture(scope="module")
def client(built: tuple[LocalStore, Manifest]) -> FlaskClient:
    return client_of(*built)


def client_of(store: LocalStore, manifest: Manifest, public_url: str = "") -> FlaskClient:
    """The app as it is served, but for the processes of strangers' queries, which nobody asks."""
    limits = Limits(1, 1 << 26, 1 << 20, 1, 1)
    settings = Settings(public_url=public_url)
    return create_app(store, manifest, Pool(Path("nowhere"), limits), settings).test_client()


@pytest.fixture(scope="module")
def things(store: LocalStore) -> dict[str, str]:
    """Path of one thing of each kind; schemes stand for themselves."""
    paths = [iri.removeprefix(BASE) for iri in reversed(description.documents(store))]
    return {
        path.partition("/")[0]: path
        for path in paths
        if "/" in path or path in {"ontology", "shapes"}
    }


def get(client: FlaskClient, path: str, accept: str | None) -> TestResponse:
    return client.get(path, headers={} if accept is None else {"Accept": accept})


def parsed(body: bytes, fmt: Format) -> list[ox.Quad]:
    return list(ox.parse(body, ox.RdfFormat.from_media_type(fmt.media_type)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fmt", DOCUMENT_FORMATS, ids=lambda fmt: fmt.name)
def test_a_thing_of_each_kind_is_told_of_in_each_format(
    client: FlaskClient, things: dict[str, str], kind: str, fmt: Format
) -> None:
    path = things[kind]
    answer = get(client, f"/{path}", fmt.media_type)
    suffixed = get(client, f"/{path}.{fmt.suffix}", None)
    named = get(client, f"/{path}?_mediatype={fmt.media_type}", "image/png")
    assert [one.status_code for one in (answer, suffixed, named)] == [200, 200, 200]
    assert {one.mimetype for one in (answer, suffixed, named)} == {fmt.media_type}
    assert answer.data == named.data or fmt.kind == "page"
    assert answer.vary.as_set() >= {"accept"}
    assert answer.headers["Content-Location"] == f"/{path}.{fmt.suffix}"
    assert answer.get_etag() != (None, None)
    assert answer.last_modified is not None
    assert f'<{BASE}{path}>; rel="cite-as"' in answer.headers["Link"]
    assert client.head(f"/{path}.{fmt.suffix}").status_code == 200
    if fmt in GRAPH_FORMATS:
        thing = f"<{BASE}{path}{'#' if path == 'shapes' else ''}>"
        assert suffixed.data == answer.data
        assert thing in {str(quad.subject) for quad in parsed(answer.data, fmt)}
    if fmt.kind == "page":
        assert f"<code>{BASE}{path}</code>" in answer.text


@pytest.mark.parametrize(("accept", "expected"), CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("path", ["dataset/gemex", "modality", "zh/paper/arxiv-2411.16778"])
def test_each_client_gets_what_it_prefers(
    client: FlaskClient, path: str, accept: str | None, expected: str
) -> None:
    answer = get(client, f"/{path}", accept)
    fmt = by_name(expected)
    assert (answer.status_code, answer.content_type) == (200, fmt.content_type)


@pytest.mark.parametrize("accept", NONSENSE)
def test_what_can_t_be_made_is_406_and_names_what_can(client: FlaskClient, accept: str) -> None:
    answer = get(client, "/dataset/gemex", accept)
    assert (answer.status_code, answer.mimetype) == (406, "application/problem+json")
    assert all(fmt.media_type in answer.json["hint"] for fmt in DOCUMENT_FORMATS)
    assert "Accept" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("dataset/gemx", "/dataset/gemex"),
        ("datasets/gemex", "/dataset/gemex"),
        ("dataset/gemex.csv", "/dataset/gemex"),
        ("modality/ct.bib", "/modality/ct"),
        ("x" * 5000, "start page"),
    ],
)
def test_a_wrong_name_is_404_and_told_the_nearest(
    client: FlaskClient, path: str, said: str
) -> None:
    answer = get(client, f"/{path}", None)
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert said in answer.json["hint"]


def test_every_fragment_is_told_of_in_the_document_that_it_belongs_to(store: LocalStore) -> None:
    ntriples, fragment = by_name("ntriples"), re.compile(rb"<([^#>]*)#[^>]*> ")
    told: dict[str, set[bytes]] = {}
    for line in store.dump(ntriples).splitlines():
        found = fragment.match(line)
        iri = found[1].decode() if found else f"{BASE}ontology"
        if iri != f"{BASE}ontology":
            if iri not in told:
                told[iri] = set(description.describe(store, iri).dump(ntriples).splitlines())
            assert line in told[iri]
    assert len(told) > 200


@pytest.mark.parametrize(
    "path", ["dataset/gemex", "paper/arxiv-2411.16778", "venue/iccv", "modality/ct", "record/gemex"]
)
def test_turtle_is_written_to_be_read(client: FlaskClient, path: str) -> None:
    text = get(client, f"/{path}.ttl", None).text
    head, body = re.split(r"\n\n", text, maxsplit=1)
    declared = re.findall(r"^@prefix ([\w-]*):", head, re.MULTILINE)
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|<[^>]*>', "", body)
    assert sorted(declared) == sorted({*re.findall(r"(?<![\w-])([\w-]*):", bare)})
    assert "_:" not in bare
    assert "[]" not in bare
    namespace, _, slug = path.rpartition("/")
    prefix = vocabulary.load().shorten(f"{BASE}{namespace}/x").partition(":")[0]
    assert body.startswith(f"{prefix}:{slug} a ")
    assert text == get(client, f"/{path}.ttl", None).text


def test_a_description_holds_labels_in_both_languages_record_and_evidence(
    store: LocalStore,
) -> None:
    said = description.statements(description.describe(store, f"{BASE}dataset/gemex"))
    facts = {(s.subject.removeprefix(BASE), s.property, s.value, s.language) for s in said}
    label = "http://www.w3.org/2004/02/skos/core#prefLabel"
    assert ("modality/chest-x-ray", label, "Chest X-ray", "en") in facts
    assert ("modality/chest-x-ray", label, "胸部 X 光", "zh") in facts
    subjects = {subject for subject, *_ in facts}
    assert {"record/gemex", "dataset/gemex#evidence-1", "listing/gemex"} <= subjects


@pytest.mark.parametrize(
    ("path", "words_", "tag", "other"),
    [
        ("/modality/ct.html", "Datasets with this modality", "en", "/zh/modality/ct.html"),
        ("/zh/modality/ct.html", "使用该模态的数据集", "zh-Hans", "/modality/ct.html"),
    ],
)
def test_a_page_speaks_its_language_and_links_to_the_other(
    client: FlaskClient, path: str, words_: str, tag: str, other: str
) -> None:
    answer = get(client, path, None)
    assert words_ in answer.text
    assert answer.headers["Content-Language"] == tag
    assert f'<html lang="{tag}">' in answer.text
    assert f'href="{other}"' in answer.text


def test_a_page_names_properties_in_words_and_numbers_in_their_order(client: FlaskClient) -> None:
    text = get(client, "/paper/arxiv-2411.16778", "text/html").text
    assert ">Identifier at arXiv</a>" in text
    assert text.index("Bo Liu") < text.index("Ke Zou") < text.index("Huazhu Fu")
    assert "fabio:" not in text


def test_links_in_a_page_are_local_and_only_anchors_lead_elsewhere(client: FlaskClient) -> None:
    text = get(client, "/zh/dataset/gemex", "text/html").text
    anchors = re.findall(r'<a [^>]*href="([^"]+)"', text)
    assert not [href for href in anchors if href.startswith(BASE)]
    assert "/zh/modality/chest-x-ray" in anchors
    loaded = re.findall(r'<(?:img|script|iframe|source)[^>]*(?:src|href)="([^"]+)"', text)
    loaded += re.findall(r'<link rel="(?:stylesheet|icon)"[^>]*href="([^"]+)"', text)
    assert loaded
    assert all(address.startswith("/") for address in loaded)


def test_an_alias_leads_to_the_document_that_tells_of_it(client: FlaskClient) -> None:
    for path, target in (("ontology/0.1.0", "/ontology"), ("graph/shapes", "/shapes")):
        answer = get(client, f"/{path}", "text/turtle")
        assert (answer.status_code, answer.headers["Location"]) == (303, target)


def test_a_server_at_the_persistent_address_itself_says_303(
    built: tuple[LocalStore, Manifest],
) -> None:
    client = client_of(*built, public_url=BASE)
    answer = get(client, "/dataset/gemex", "application/ld+json")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/medbench-kg/dataset/gemex.jsonld"
    assert "Accept" in answer.headers["Vary"]
    suffixed = get(client, "/dataset/gemex.jsonld", None)
    assert (suffixed.status_code, suffixed.mimetype) == (200, "application/ld+json")


@pytest.fixture(scope="module")
def withdrawn(built: tuple[LocalStore, Manifest]) -> FlaskClient:
    store = LocalStore(vocabulary.load().prefixes)
    store.load(
        b"@prefix owl: <http://www.w3.org/2002/07/owl#> ."
        b"@prefix dcterms: <http://purl.org/dc/terms/> ."
        b"<dataset/old> a <ontology#Benchmark> ; dcterms:title 'Old'@en ; owl:deprecated true ;"
        b" dcterms:isReplacedBy <dataset/new> ."
        b"<dataset/new> a <ontology#Benchmark> ; dcterms:title 'New'@en .",
        "turtle",
        base=BASE,
    )
    return client_of(store, built[1])


@pytest.mark.parametrize(
    ("accept", "type_"), [("*/*", "application/problem+json"), ("text/html", "text/html")]
)
def test_what_was_withdrawn_is_410_and_names_what_replaces_it(
    withdrawn: FlaskClient, accept: str, type_: str
) -> None:
    answer = get(withdrawn, "/dataset/old", accept)
    assert (answer.status_code, answer.mimetype) == (410, type_)
    assert "dataset/new" in answer.text
    assert get(withdrawn, "/dataset/new", accept).status_code == 200


def test_the_tombstone_of_what_was_withdrawn_is_told_in_rdf(withdrawn: FlaskClient) -> None:
    answer = get(withdrawn, "/dataset/old", "text/turtle")
    assert (answer.status_code, answer.mimetype) == (410, "text/turtle")
    said = {quad.predicate.value for quad in parsed(answer.data, by_name("turtle"))}
    assert "http://purl.org/dc/terms/isReplacedBy" in said
    assert "/dataset/old" not in get(withdrawn, "/sitemap.xml", None).text


def test_the_context_is_served(client: FlaskClient, root: Path) -> None:
    answer = get(client, "/context.jsonld", None)
    assert answer.mimetype == "application/ld+json"
    assert answer.data == (root / "ontology" / "context.jsonld").read_bytes()


def test_the_sitemap_lists_every_document_in_both_languages(
    client: FlaskClient, store: LocalStore
) -> None:
    text = get(client, "/sitemap.xml", None).text
    ET.fromstring(text)  # noqa: S314  our own server wrote it
    assert "<loc>http://localhost/zh/</loc>" in text
    found = set(re.findall(r"<loc>http://localhost/(zh/)?(.*)\.html</loc>", text))
    known = {iri.removeprefix(BASE) for iri in description.documents(store)}
    assert found == {(lang, path) for path in known for lang in ("", "zh/")}
    assert "/dataset/gemex.html</loc>\n<lastmod>2026-" in text
    assert "Sitemap: http://localhost/sitemap.xml" in get(client, "/robots.txt", None).text


@pytest.mark.parametrize("lang", ["", "/zh"])
def test_the_ontology_page_tells_of_every_term_in_both_languages(
    client: FlaskClient, store: LocalStore, lang: str
) -> None:
    text = html.unescape(get(client, f"{lang}/ontology", "text/html").text)
    terms = schema.terms(store)
    assert len(terms) > 80
    for term in terms:
        assert f'id="{term.anchor}"' in text
        assert all(said in text for said in (*term.labels.values(), *term.definitions.values()))
    (dataset,) = [term for term in terms if term.name == "mb:Dataset"]
    assert dataset.used == sum(1 for _ in store.rows(INSTANCES))
    assert f"{BASE}ontology#modality" in dataset.links["in the domain of"]
    assert "mbd:abdomenatlas-3-0" in text


def test_the_shapes_page_tells_of_every_constraint_with_its_repair(
    client: FlaskClient, store: LocalStore
) -> None:
    text = html.unescape(get(client, "/zh/shapes", "text/html").text)
    rules = {rule.iri: rule for group in schema.rules(store).values() for rule in group}
    assert len(rules) > 300
    for rule in rules.values():
        assert f'id="{rule.anchor}"' in text
        assert rule.messages["en"] in text
        assert rule.repairs["zh"] in text


# Over real HTTP


@pytest.mark.parametrize("fmt", ["turtle", "xml", "json-ld", "nt"])
def test_rdflib_reads_a_thing_from_its_address(server: str, fmt: str) -> None:
    graph = rdflib.Graph().parse(f"{server}/dataset/gemex", format=fmt)
    title = rdflib.URIRef("http://purl.org/dc/terms/title")
    assert str(graph.value(rdflib.URIRef(f"{BASE}dataset/gemex"), title)) == "GEMeX"


def test_an_answer_that_is_known_already_isn_t_sent_again(server: str) -> None:
    with urllib.request.urlopen(f"{server}/dataset/gemex.ttl", timeout=30) as answer:
        tag = answer.headers["ETag"]
        assert answer.headers["Last-Modified"].endswith("00:00:00 GMT")
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    again = urllib.request.Request(f"{server}/dataset/gemex.ttl", headers={"If-None-Match": tag})
    with pytest.raises(urllib.error.HTTPError) as unchanged:
        urllib.request.urlopen(again, timeout=30)
    assert unchanged.value.code == 304
    unchanged.value.close()


def links(found: Signposting) -> set[tuple[str, str, str]]:
    return {(one.rel.value, str(one.target), str(one.type or "")) for one in found.signposts}


@pytest.mark.parametrize("path", ["dataset/gemex", "venue/iccv", "modality/ct"])
def test_signposting_reads_the_same_links_everywhere(server: str, path: str) -> None:
    address = f"{server}/{path}.html"
    header = find_signposting_http(address)
    assert str(header.citeAs.target) == f"{BASE}{path}"
    assert {
        one.type.value if hasattr(one.type, "value") else str(one.type)
        for one in header.describedBy
    } >= {fmt.media_type for fmt in GRAPH_FORMATS}
    assert links(find_signposting_html(address)) == links(header)
    for linkset in header.linksets:
        read = find_signposting_linkset(str(linkset.target))
        assert links(header) <= links(read.for_context(f"{server}/{path}"))
        assert read.for_context(f"{server}/{path}.ttl").signposts


def test_a_linkset_says_of_each_description_what_it_describes(server: str) -> None:
    with urllib.request.urlopen(f"{server}/dataset/gemex.linkset.json", timeout=30) as answer:
        contexts = {one["anchor"]: one for one in json.load(answer)["linkset"]}
    turtle = contexts[f"{server}/dataset/gemex.ttl"]
    assert turtle["describes"] == [{"href": f"{server}/dataset/gemex", "type": "text/html"}]
