"""References over HTTP and on the command line."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pybtex.database
import pytest

from medbench_kg.negotiation import REFERENCE_FORMATS, Format

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore

CT = "/query/find?modality=ct"


def fetch(url: str, accept: str = "*/*") -> tuple[str, bytes]:
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as response:
        return response.headers.get_content_type(), response.read()


@pytest.mark.parametrize("fmt", REFERENCE_FORMATS, ids=lambda fmt: fmt.name)
def test_an_answer_is_cited_in_the_format_asked_for(server: str, fmt: Format) -> None:
    named = fetch(f"{server}{CT}&format={fmt.name}")
    assert named[0] == fmt.media_type
    assert named == fetch(f"{server}{CT}", fmt.media_type)


def test_each_dataset_of_an_answer_is_in_the_bibliography(server: str) -> None:
    rows = json.loads(fetch(f"{server}{CT}&format=json")[1])["results"]["bindings"]
    text = fetch(f"{server}{CT}&format=bibtex")[1].decode()
    keys = [f"dataset:{row['dataset']['value'].rpartition('/')[2]}" for row in rows]
    entries = pybtex.database.parse_string(text, "bibtex").entries
    assert [key for key in entries if key.startswith("dataset:")] == keys


def test_the_page_of_a_query_leads_to_its_bibliography(server: str) -> None:
    page = fetch(f"{server}{CT}", "text/html")[1].decode()
    (link,) = re.findall(r'href="(/query/find\?[^"]*format=bibtex[^"]*)">BibTeX<', page)
    assert fetch(server + html.unescape(link))[1] == fetch(f"{server}{CT}&format=bibtex")[1]


def test_the_command_line_cites(root: Path, built: tuple[LocalStore, Manifest]) -> None:
    assert built
    run = subprocess.run(
        [sys.executable, "-m", "medbench_kg", "cite", "gemex", "--format", "csl"],
        cwd=root,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert [item["type"] for item in json.loads(run.stdout)] == ["dataset", "paper-conference"]
