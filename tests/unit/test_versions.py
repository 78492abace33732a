"""Versions of records: from git, where people committed them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from medbench_kg import history, records, versions, vocabulary

if TYPE_CHECKING:
    from pathlib import Path

NAMES = vocabulary.load()
RECORD = f"{vocabulary.BASE}record/gemex"


def commit(folder: Path, path: Path, title: str, day: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f"id: mbd:gemex\ntitle: {{en: {title}}}\n"
        f"record:\n  id: mbr:gemex\n  issued: '2026-01-01'\n  modified: '{day}'\n"
        "  status: accepted\n",
        encoding="utf-8",
    )
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", title]):
        subprocess.run(["git", *words], cwd=folder, check=True)


def test_what_people_committed_is_kept_by_day(tmp_path: Path) -> None:
    path = tmp_path / "data" / "datasets" / "gemex.yaml"
    path.parent.mkdir(parents=True)
    for title, day in (
        ("One", "2026-01-01"),
        ("Two", "2026-01-01"),
        ("Three", "2026-01-05"),
        ("Four", "2026-01-09"),
    ):
        commit(tmp_path, path, title, day)
    before = versions.earlier(history.contents(tmp_path / "data"), NAMES)
    present = records.parse(path.read_bytes(), path, NAMES)
    found = versions.of_records([], [present], before, NAMES)
    assert [(one.iri.removeprefix(f"{RECORD}#"), one.state.titles["en"]) for one in found] == [
        ("2026-01-01", "Two"),
        ("2026-01-05", "Three"),
        ("2026-01-09", "Four"),
    ]
    assert [one.is_first for one in found] == [True, False, False]
    assert [one.revises for one in found] == ["", found[0].iri, found[1].iri]
    title = NAMES.expand("dcterms:title")
    assert [one.difference.changed for one in found] == [(), (title,), (title,)]


def test_where_there_is_no_repository_a_record_has_the_version_that_it_is(tmp_path: Path) -> None:
    assert list(history.contents(tmp_path)) == []


def test_what_changed_is_told_by_properties_without_the_stamps() -> None:
    old = {"title": {"en": "a"}, "record": {"modified": "1", "status": "proposed"}}
    new = {"title": {"en": "b"}, "record": {"modified": "2", "status": "accepted"}}
    told = versions.difference(old, new, NAMES)
    assert {NAMES.shorten(iri) for iri in told.changed} == {"adms:status", "dcterms:title"}
    assert told.added == told.removed == ()


def test_a_property_is_told_as_added_or_removed_where_only_one_state_has_it() -> None:
    told = versions.difference({"title": {"en": "a"}}, {"venue": ["iccv"]}, NAMES)
    assert [NAMES.shorten(iri) for iri in (*told.added, *told.removed)] == [
        "mb:venue",
        "dcterms:title",
    ]


def test_an_id_is_no_property_that_differs() -> None:
    node: records.Node = {"id": "mbd:x", "type": "Benchmark", "record": {"id": "mbr:x"}}
    assert versions.difference({}, node, NAMES).added == (NAMES.expand("rdf:type"),)
