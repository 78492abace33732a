"""The page about the health of links, before and after a check."""

from __future__ import annotations

import re
import urllib.request
from typing import TYPE_CHECKING

import pytest

from medbench_kg import builds
from medbench_kg.negotiation import by_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from medbench_kg.store import LocalStore


def get(server: str, path: str) -> str:
    with urllib.request.urlopen(server + path, timeout=30) as response:
        return str(response.read().decode())


@pytest.fixture(scope="module")
def checked(
    mini: LocalStore,
    tmp_path_factory: pytest.TempPathFactory,
    running: Callable[..., AbstractContextManager[str]],
) -> Iterator[str]:
    """A server of the small graph, whose links have been checked."""
    at = tmp_path_factory.mktemp("checked")
    (at / "small.nq").write_bytes(mini.dump(by_name("nquads")))
    builds.build_on_disk(at / "store", at / "small.nq")
    with running(MEDBENCH_STORE=str(at / "store")) as address:
        yield address


def test_a_graph_without_results_says_how_to_get_them(server: str) -> None:
    page = get(server, "/health-of-links")
    assert "No link has been checked yet" in page
    assert "<code>medbench links check</code>" in page
    assert "尚未检查" in get(server, "/zh/health-of-links")


def test_results_are_shown_worst_first_with_the_day_since_when(checked: str) -> None:
    page = get(checked, "/health-of-links")
    found = re.findall(r'<h2 id="([a-z]+)">([A-Z][a-z]+) <span class="count">(\d+)', page)
    assert found == [
        ("gone", "Gone", "1"),
        ("unreachable", "Unreachable", "1"),
        ("moved", "Moved", "1"),
    ]
    for text in ("2026-01-10", "2026-01-05", "HTTP 404", "never seen", "took too long"):
        assert text in page


def test_results_are_shown_in_chinese(checked: str) -> None:
    page = get(checked, "/zh/health-of-links")
    assert "已失效" in page
    assert "服务器响应超时" in page


def test_a_distribution_shows_what_was_found(checked: str) -> None:
    assert "link-status/gone" in get(checked, "/dataset/gemex.ttl").replace(
        "mblstat:", "link-status/"
    )
    assert "Gone" in get(checked, "/dataset/gemex.html")


def test_the_page_of_a_dataset_says_when_its_links_were_checked(checked: str) -> None:
    page = get(checked, "/zh/dataset/gemex.html")
    link = page.split('href="https://example.org/gemex"', 1)[1].split("</small>", 1)[0]
    assert '<small class="status gone">已失效 · <time datetime="2026-01-31">' in link
