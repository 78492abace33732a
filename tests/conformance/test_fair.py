"""What an assessor of FAIR data looks for, one test per metric (FsF v0.8, as F-UJI checks them).

The graph as a whole is described on the start page, a thing of it on its own page and in Turtle.
Not met until the redirect is registered: FsF-F1-02MD, the persistent identifier that resolves.
"""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any
from urllib.parse import urlsplit

import pyoxigraph as ox
import pytest

BASE = "https://w3id.org/medbench-kg/"
THING = "/dataset/pubmedvision"
BLOCK = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)
SCHEMA = "https://schema.org/"
DCTERMS = "http://purl.org/dc/terms/"
PROV = "http://www.w3.org/ns/prov#"
DCAT = "http://www.w3.org/ns/dcat#"


def fetch(url: str, accept: str = "text/html") -> tuple[str, bytes]:
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as response:
        assert response.status == 200
        return response.headers["Content-Type"], response.read()


def embedded(url: str) -> dict[str, Any]:
    (block,) = BLOCK.findall(fetch(url)[1].decode())
    found: dict[str, Any] = json.loads(block)
    return found


@pytest.fixture(scope="module", params=["/", "/zh/"])
def whole(server: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """JSON-LD of the graph as a whole, in its page."""
    return embedded(server + request.param)


@pytest.fixture(scope="module", params=["", "/zh"])
def thing(server: str, request: pytest.FixtureRequest) -> dict[str, Any]:
    """JSON-LD of a dataset, in its page."""
    return embedded(server + request.param + THING)


@pytest.fixture(scope="module")
def turtle(server: str) -> set[ox.Triple]:
    """Turtle of a dataset, by negotiation."""
    return {
        quad.triple
        for quad in ox.parse(fetch(server + THING, "text/turtle")[1], ox.RdfFormat.TURTLE)
    }


def test_f1_01md_the_identifier_is_unique(whole: dict[str, Any], thing: dict[str, Any]) -> None:
    assert whole["identifier"] == BASE
    assert thing["identifier"] == BASE.rstrip("/") + THING


def test_f2_01m_core_metadata_are_there(whole: dict[str, Any], thing: dict[str, Any]) -> None:
    core = {"name", "description", "keywords", "identifier", "datePublished", "@type"}
    assert core | {"creator", "publisher"} <= {key for key, value in whole.items() if value}
    assert core <= {key for key, value in thing.items() if value}
    assert whole["creator"]["name"]


def test_f3_01m_the_identifier_of_the_data_is_in_the_metadata(
    whole: dict[str, Any], thing: dict[str, Any]
) -> None:
    assert all(file["contentUrl"].startswith("http") for file in whole["distribution"])
    assert thing["distribution"]["url"] == (
        "https://huggingface.co/datasets/FreedomIntelligence/PubMedVision"
    )


def test_f4_01m_a_search_engine_reads_the_page_without_fetching_a_context(
    whole: dict[str, Any], thing: dict[str, Any]
) -> None:
    for document in (whole, thing):
        assert isinstance(document["@context"], dict)
        types = {
            quad.object.value
            for quad in ox.parse(json.dumps(document), ox.RdfFormat.JSON_LD)
            if quad.predicate.value.endswith("#type")
        }
        assert f"{SCHEMA}Dataset" in types
    assert len(whole["description"]) >= 50


def test_a1_01m_the_level_of_access_is_stated(
    whole: dict[str, Any], thing: dict[str, Any], turtle: set[ox.Triple]
) -> None:
    assert whole["isAccessibleForFree"] is True
    assert thing["isAccessibleForFree"] is True
    rights = {t.object.value for t in turtle if t.predicate.value == f"{DCTERMS}accessRights"}
    assert rights == {"http://publications.europa.eu/resource/authority/access-right/PUBLIC"}


def test_a1_02md_a11_a12_metadata_and_files_answer_over_http(whole: dict[str, Any]) -> None:
    for file in whole["distribution"]:
        media_type, body = fetch(file["contentUrl"], "*/*")
        assert media_type.partition(";")[0] == file["encodingFormat"]
        assert len(body) == int(file["contentSize"])
        assert urlsplit(file["contentUrl"]).scheme in {"http", "https"}


def test_i1_01m_metadata_are_in_a_formal_language(turtle: set[ox.Triple]) -> None:
    assert ox.NamedNode(f"{BASE.rstrip('/')}{THING}") in {t.subject for t in turtle}


def test_i2_01m_metadata_use_registered_vocabularies(turtle: set[ox.Triple]) -> None:
    used = {re.sub(r"[^/#]*$", "", t.predicate.value) for t in turtle}
    assert {DCTERMS, DCAT, PROV} <= used


def test_i3_01m_links_to_other_things_are_qualified(
    whole: dict[str, Any], thing: dict[str, Any]
) -> None:
    assert whole["isBasedOn"]["@id"] == f"{BASE}list/med-vlm-bench"
    assert thing["citation"]["@id"] == f"{BASE}paper/arxiv-2406.19280"
    assert thing["isBasedOn"]["@id"] == f"{BASE}dataset/pubmed"


def test_r1_01m_each_file_has_type_size_and_media_type(whole: dict[str, Any]) -> None:
    for file in whole["distribution"]:
        assert file["@type"] == "DataDownload"
        assert int(file["contentSize"]) > 10_000
        assert "/" in file["encodingFormat"]


def test_r11_the_licence_is_one_that_spdx_knows(
    whole: dict[str, Any], thing: dict[str, Any]
) -> None:
    assert whole["license"] == "https://creativecommons.org/publicdomain/zero/1.0/"
    assert thing["license"] == "https://www.apache.org/licenses/LICENSE-2.0"


def test_r12_provenance_is_stated_with_dates(
    whole: dict[str, Any], thing: dict[str, Any], turtle: set[ox.Triple]
) -> None:
    assert whole["datePublished"] >= "2026-11-22"
    assert thing["datePublished"] == "2024-06"
    assert f"{PROV}wasDerivedFrom" in {t.predicate.value for t in turtle}


def test_r13_01m_metadata_follow_a_standard_of_the_community(
    thing: dict[str, Any], turtle: set[ox.Triple]
) -> None:
    assert thing["@context"]["@vocab"] == SCHEMA
    assert ox.NamedNode(f"{DCAT}Dataset") in {t.object for t in turtle}


def test_r13_02d_the_files_are_in_formats_that_last(whole: dict[str, Any]) -> None:
    formats = {file["encodingFormat"] for file in whole["distribution"]}
    assert {"text/turtle", "application/n-triples", "application/ld+json"} <= formats
