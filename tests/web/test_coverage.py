"""The coverage table says what the canned query says."""

from __future__ import annotations

import csv
import io
import re
import urllib.request
from typing import TYPE_CHECKING
from xml.dom import minidom

import pytest

from medbench_kg import catalogue
from medbench_kg.facets import Facets
from medbench_kg.negotiation import by_name

if TYPE_CHECKING:
    from medbench_kg.store import LocalStore


@pytest.mark.parametrize(
    ("rows", "columns"), [("modality", "task"), ("specialty", "access"), ("language", "venue")]
)
def test_every_cell_is_the_answer_of_the_canned_query(
    store: LocalStore, rows: str, columns: str
) -> None:
    labels = list(store.rows(catalogue.internal("facet-labels")))
    facets = Facets(store.rows(catalogue.internal("facets")), labels)
    everything = {row["value"].rpartition("/")[2] for row in labels}
    table = facets.table(rows, columns, everything)
    shown = {
        (row.iri, column.iri): count
        for row, counts in zip(table.rows, table.counts, strict=True)
        for column, count in zip(table.columns, counts, strict=True)
        if count
    }
    arguments = {"rows": rows, "columns": columns}
    body, _ = catalogue.ask(
        store, catalogue.find("cross-table"), arguments, lambda _: by_name("csv")
    )
    answer = csv.DictReader(io.StringIO(body.decode()))
    assert shown == {(one["row"], one["column"]): int(one["datasets"]) for one in answer}


def get(server: str, path: str) -> str:
    with urllib.request.urlopen(server + path) as response:
        return str(response.read().decode())


def test_a_row_opens_and_closes(server: str) -> None:
    closed = get(server, "/coverage")
    assert "Radiology image" not in closed
    (link,) = re.findall(r'href="([^"]*open=image)" title="show narrower">', closed)
    assert "Radiology image" in get(server, link.replace("&amp;", "&"))


def test_a_gap_leads_to_the_nearest_datasets(server: str) -> None:
    page = get(server, "/datasets?modality=ultrasound&task=retrieval")
    assert "0 datasets" in page
    (count,) = re.findall(
        r'<a href="/datasets\?modality=image[^"]*">.*?</a> <span class="count">(\d+)', page
    )
    assert int(count) > 0


def test_the_drawing_is_svg_in_both_languages(server: str) -> None:
    assert "Question answering" in get(server, "/coverage.svg")
    drawing = minidom.parseString(get(server, "/zh/coverage.svg"))  # noqa: S318  our own
    assert drawing.documentElement.tagName == "svg"
