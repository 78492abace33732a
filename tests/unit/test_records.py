"""Reading records: strings stay strings, mistakes are named with file, line and repair."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from medbench_kg import RecordError, vocabulary
from medbench_kg.records import canonical, parse, places, reformat
from medbench_kg.sentences import retell

NAMES = vocabulary.load()
PATH = Path("data/datasets/example.yaml")
HAN, WORDS = re.compile(r"[一-鿿]"), re.compile(r"[A-Za-z]{3,} [A-Za-z]{3,}")


def read(text: str) -> object:
    return parse(text, PATH, NAMES)


def typed(text: str) -> str:
    """A record that says what it is about."""
    return f"id: mbd:example\ntype: [Dataset]\n{text}"


@pytest.mark.parametrize("value", ["no", "2025-06-18", "2504.01230", "12:30", "null", "~", "0x1F"])
def test_scalars_stay_as_they_are_written(value: str) -> None:
    assert read(typed(f"language: [{value}]")).node["language"] == [value]


@pytest.mark.parametrize(
    ("text", "line", "said", "repair"),
    [
        pytest.param("id: mbd:example\nid: mbd:example", 2, "twice", "Keep one", id="duplicate"),
        pytest.param("id: mbd:example\ntitle: {en: [}", 2, "isn't YAML", "quotes", id="syntax"),
        pytest.param("id: mbd:example\n\ttitle: x", 2, "isn't YAML", "indentation", id="tab"),
        pytest.param("id: mbd:example\ntitle:", 2, "empty", "remove the key", id="empty"),
        pytest.param("id: mbd:example\ntask: ['']", 2, "empty", "remove", id="empty in a list"),
        pytest.param("id: mbd:other", 1, "mbd:other", "id: mbd:example", id="wrong id"),
        pytest.param("title: {en: x}", 1, "no id", "id: mbd:example", id="no id"),
        pytest.param(f"id: mbd:example\na: {'x' * 10_001}", 2, "10,001", "Shorten", id="long"),
        pytest.param("id: mbd:example\na: [b", 3, "',' or ']'", "quotes", id="open list"),
        pytest.param("id: mbd:example\na: 'b", 2, "end of stream", "quotes", id="open quote"),
        pytest.param("id: mbd:example\na: b: c", 2, "mapping values", "colons", id="colon"),
        pytest.param("id: mbd:example\na: @b", 2, "start any token", "quotes", id="odd start"),
        pytest.param("id: mbd:example\na: 'b' c", 2, "expected key", "quotes", id="after a quote"),
        pytest.param("id: mbd:example\na: - b", 2, "sequence", "indentation", id="list in a line"),
        pytest.param('id: mbd:example\na: "\\q"', 2, "escape", "quotes", id="odd escape"),
        pytest.param("id: mbd:example\na: *b", 2, "alias", "quotes", id="alias of nothing"),
        pytest.param("id: mbd:example\nb", 3, "':'", "colons", id="key alone"),
        pytest.param("- a\n- b", 1, "no mapping", "key: value", id="list"),
        pytest.param("", 1, "no mapping", "key: value", id="empty file"),
        pytest.param("id: mbd:example\na: &x [b]\nc: *x", 2, "Anchors", "Write", id="alias"),
        pytest.param(
            "id: mbd:example\na: &x b\nc: *x", 2, "Anchors", "Write", id="alias of a text"
        ),
        pytest.param("id: mbd:example\na: !!int 3", 2, "tag", "Take it out", id="tag"),
        pytest.param(
            "id: mbd:example\na: !!python/name:os.system x", 2, "tag", "Take", id="tag of Python"
        ),
        pytest.param("id: mbd:example\n---\nid: a", 2, "second", "own file", id="two documents"),
        pytest.param('id: mbd:example\na: "b\\0"', 2, "U+0000", "Take", id="escaped NUL"),
        pytest.param('id: mbd:example\na: "\\uD800"', 2, "isn't YAML", "quotes", id="surrogate"),
        pytest.param("id: mbd:example\na: b\u202ec", 2, "U+202E", "Take", id="turned around"),
        pytest.param("id: mbd:example\n? [a]\n: b", 2, "key must be", "Quote", id="odd key"),
        pytest.param(
            "id: mbd:example\npage: [https://a b]", 2, "address", "%20", id="blank in a link"
        ),
        pytest.param("id: mbd:example\nx: \x07", 1, "character", "control", id="control"),
    ],
)
def test_a_broken_file_is_named_with_line_and_repair(
    text: str, line: int, said: str, repair: str
) -> None:
    with pytest.raises(RecordError) as caught:
        read(text)
    assert caught.value.where == f"{PATH}:{line}"
    assert said in caught.value.message
    assert repair in caught.value.hint
    for sentence in (caught.value.message, caught.value.hint):
        chinese = retell(sentence, "zh")
        assert HAN.search(chinese)
        assert not WORDS.search(chinese)


@pytest.mark.parametrize(
    "text", ["[" * 300 + "]" * 300, *(s * 100_000 for s in ("[", "{a: ", "- ", "? "))]
)
def test_deep_nesting_is_refused_before_it_exhausts_anything(text: str) -> None:
    with pytest.raises(RecordError, match="nested too deeply") as caught:
        read("id: mbd:example\nx:\n  " + text)
    assert caught.value.where == f"{PATH}:3"


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(RecordError, match="UTF-8"):
        parse("id: mbd:example\ntitle: {zh: 眼底}".encode("gb18030"), PATH, NAMES)


def test_a_byte_order_mark_is_no_part_of_a_record() -> None:
    assert parse(b"\xef\xbb\xbf" + typed("").encode(), PATH, NAMES).node["id"] == "mbd:example"


def test_canonical_sorts_keys_by_the_context_and_quotes_what_looks_like_a_number() -> None:
    record = read(typed("title: {zh: 例, en: E}\nidentifier: '1'"))
    assert canonical(record.node, NAMES) == (
        "id: mbd:example\ntype: [Dataset]\nidentifier: '1'\ntitle: {en: E, zh: 例}\n"
    )


@pytest.mark.parametrize("second", ["# why", "title: {en: E} # why", "task: [a, # why\n  b]"])
def test_reformat_refuses_to_lose_a_comment(second: str) -> None:
    with pytest.raises(RecordError, match="Comments get lost") as caught:
        reformat(typed(f"{second}\n").encode(), PATH, NAMES)
    assert caught.value.where.endswith(":3")


@pytest.mark.parametrize("value", ["'#images'", "a#b", '"# no comment"'])
def test_a_number_sign_inside_a_value_is_no_comment(value: str) -> None:
    assert reformat(typed(f"part: {value}\n").encode(), PATH, NAMES)


def test_a_slug_with_a_blank_arrives_in_the_document_so_that_a_shape_can_refuse_it() -> None:
    record = read(typed("modality: [CT scan, 眼底]"))
    assert record.document(NAMES)["modality"] == ["CT%20scan", "眼底"]


def test_places_know_the_line_of_each_value() -> None:
    record = read(typed("extent:\n- id: '#a'\n  unit: image\n  value: '3'\n"))
    (place,) = places([record], NAMES)["https://w3id.org/medbench-kg/dataset/example#a"]
    assert (place.line(), place.line("value"), place.line("missing")) == (4, 6, 4)
