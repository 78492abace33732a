"""Lists that don't fit on a page are shown part by part, and all of their rows can be reached."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import pytest

from medbench_kg.catalogue import rows
from medbench_kg.evaluation import Limits, Pool
from medbench_kg.settings import Settings
from medbench_kg.web import paging
from medbench_kg.web.app import create_app

if TYPE_CHECKING:
    from pathlib import Path

    from flask.testing import FlaskClient

    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore

SIZE = 7


@pytest.fixture
def client(
    built: tuple[LocalStore, Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    """Pages that hold so little that the real graph doesn't fit on them."""
    monkeypatch.setattr(paging, "SIZE", SIZE)
    monkeypatch.setattr(paging.paged, "__defaults__", ("page", SIZE))
    pool = Pool(tmp_path, Limits(1, 1, 1, 1, 1))
    return create_app(*built, pool, Settings(access_log=False)).test_client()


def walk(client: FlaskClient, path: str) -> list[str]:
    """The texts of a page and of those that “next” leads to."""
    texts = []
    while path:
        texts.append(client.get(path, headers={"Accept": "text/html"}).text)
        following = re.search(r'<a href="([^"]+)" rel="next"', texts[-1])
        path = urljoin(path, following[1].replace("&amp;", "&")) if following else ""
    return texts


@pytest.mark.parametrize(
    ("path", "below", "query", "column"),
    [
        ("/lineage", "lineage", "most-reused-sources", "source"),
        ("/query/datasets-by-modality?modality=ct", "dataset", "datasets-by-modality", "dataset"),
        ("/zh/query/papers-by-venue", "paper", "papers-by-venue", "paper"),
    ],
)
def test_the_pages_together_show_the_whole_answer_in_its_order(
    client: FlaskClient, store: LocalStore, path: str, below: str, query: str, column: str
) -> None:
    asked = {"modality": "ct"} if "=" in path else {}
    expected = list(dict.fromkeys(row[column] for row in rows(store, query, **asked)))
    texts = walk(client, path)
    row = rf'<(?:td|th scope="row")><a[^>]* href="[^"]*/{below}/([^"]+)"'
    found = [slug for text in texts for slug in re.findall(row, text)]
    assert len(texts) > 1
    assert list(dict.fromkeys(found)) == [iri.rpartition("/")[2] for iri in expected]


def test_corrections_say_how_many_there_are_in_all_on_each_page(
    client: FlaskClient, store: LocalStore
) -> None:
    corrected = {row["dataset"] for row in rows(store, "corrections")}
    last = -(-len(corrected) // SIZE)
    texts = [client.get(f"/corrections?page={number}").text for number in (1, last)]
    assert all(f"{len(corrected)} datasets corrected" in text for text in texts)
    assert 'rel="prev"' not in texts[0]
    assert 'rel="prev"' in texts[1]
    assert client.get(f"/corrections?page={last + 1}").status_code == 400


def test_two_lists_of_a_page_are_turned_one_at_a_time(client: FlaskClient) -> None:
    text = client.get("/corrections?page=2&differing=3").text
    assert "/corrections?page=3&amp;differing=3" in text
    assert "/corrections?page=2&amp;differing=4" in text


def test_a_list_cut_short_leads_to_its_rest(client: FlaskClient, store: LocalStore) -> None:
    in_2024 = len(rows(store, "datasets-by-year", year="2024"))
    assert f'href="/datasets?year=2024">All {in_2024}</a>' in client.get("/timeline").text
    assert "the files below have all" in client.get("/access/open.html").text


def test_what_does_not_fit_into_a_menu_is_typed_and_kept(client: FlaskClient) -> None:
    text = client.get("/lineage?trained=pubmedvision&trained=").text
    assert 'value="pubmedvision" checked' in text
    assert text.count('type="checkbox"') == 1
    assert '<input name="trained"' in text


@pytest.mark.parametrize("page", ["0", "x", "99"])
def test_a_page_that_is_not_there_is_said_not_to_be(client: FlaskClient, page: str) -> None:
    assert client.get(f"/lineage?page={page}").status_code == 400
