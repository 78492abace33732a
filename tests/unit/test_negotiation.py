"""RFC 9110, section 12.5.1, on the format table."""

from __future__ import annotations

import pytest

from medbench_kg import NotAcceptableError
from medbench_kg.negotiation import (
    FORMATS,
    GRAPH_FORMATS,
    RESULT_FORMATS,
    Format,
    by_name,
    choose,
    encodings,
)

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("", "json", id="nothing said means anything"),
        pytest.param("*/*", "json", id="anything"),
        pytest.param("text/csv", "csv", id="exact"),
        pytest.param("TEXT/CSV", "csv", id="media types ignore case"),
        pytest.param("text/csv;q=0.5, application/json", "json", id="quality decides"),
        pytest.param("text/csv; q=0.9 , application/json ;q=0.1", "csv", id="blanks"),
        pytest.param("text/*", "csv", id="a wildcard speaks of real types, not of aliases"),
        pytest.param("text/*;q=0.1, text/csv", "csv", id="the more specific range counts"),
        pytest.param("*/*, application/sparql-results+json;q=0", "xml", id="refused by name"),
        pytest.param(",, text/csv ,", "csv", id="empty elements"),
        pytest.param("text/csv;q=nonsense, text/tab-separated-values", "tsv", id="malformed q"),
        pytest.param("text/csv;header=present", "csv", id="other parameters"),
        pytest.param(BROWSER, "xml", id="a browser"),
    ],
)
def test_choose_results(accept: str, expected: str) -> None:
    assert choose(accept, RESULT_FORMATS).name == expected


def test_choose_all_refused_raises_and_names_what_there_is() -> None:
    with pytest.raises(NotAcceptableError, match="text/turtle") as caught:
        choose("image/png, text/turtle;q=0", GRAPH_FORMATS)
    assert "application/ld+json" in caught.value.hint


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
def test_by_name_takes_name_suffix_and_media_type(fmt: Format) -> None:
    for spelling in (fmt.name, fmt.suffix, fmt.media_type):
        assert by_name(spelling) == fmt


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param("", "", id="nothing said, nothing taken"),
        pytest.param("gzip, br", "br;q=1, gzip;q=1", id="in the server's order"),
        pytest.param("gzip;q=0, *", "br;q=1", id="all but one"),
        pytest.param("gzip;q=0", "", id="refused"),
        pytest.param("identity", "", id="identity"),
    ],
)
def test_encodings(accept: str, expected: str) -> None:
    assert encodings(accept, ("br", "gzip")) == expected


def test_by_name_unknown_lists_the_known() -> None:
    with pytest.raises(NotAcceptableError, match="turtle"):
        by_name("pdf")
