"""Writers over HTTP while processes of the server are killed: what was acknowledged is there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import writes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path, root: Path) -> Iterator[writes.Site]:
    """A server of its own with a few records, so that it starts and builds quickly."""
    found = writes.Site(tmp_path / "site", root / "tests" / "fixtures" / "mini")
    try:
        found.start()
        yield found
    finally:
        found.stop()


def test_every_acknowledged_write_is_there_whatever_was_killed_meanwhile(
    site: writes.Site,
) -> None:
    writers, killed = writes.under_fire(site, clients=4, writes=48, kills=3, seed=2)
    journal = site.data / "journal.jsonl"
    site.stop()
    with journal.open("a", encoding="utf-8") as file:
        file.write('{"time": "2026-')
    assert writes.wrongs(site, writers) == []
    assert killed == ["all", "one", "first"]
    assert sum(len(writer.states) for writer in writers) > 20
    assert "cut off a torn last line" in site.log.read_text(encoding="utf-8")
    told = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    assert {line["author"] for line in told if not line["takes_back"]} == {"ann"}
