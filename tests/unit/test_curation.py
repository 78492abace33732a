"""Writers that are killed at any moment: each file is old or new, and what was said is there."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from medbench_kg import journal, submission, vocabulary
from medbench_kg.assets import folder
from medbench_kg.curation import Condition
from medbench_kg.errors import PreconditionError, UnconditionalError
from medbench_kg.negotiation import by_name
from medbench_kg.records import load

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.records import Record

#: Writes one file again and again, and says so each time.
WRITER = """
import sys
from pathlib import Path

from medbench_kg import curation, editing, journal
from medbench_kg.gate import Verdict
from medbench_kg.journal import State
from medbench_kg.versions import Difference
data, name = Path(sys.argv[1]), sys.argv[2]
curation.folder = editing.folder = journal.folder = lambda _: data
for number in range(1000):
    text = f"{name} {number}\\n" * 2000
    state = State(name, "2026-01-01", "2026-01-01", "accepted", {})
    file = f"datasets/{name}"
    verdict = Verdict(True, name, file, text, "", True, state, None, Difference(), (), "", {})
    condition = curation.Condition(is_any_of=None)
    written = curation.write(lambda: verdict, curation.Author(name), condition)
    print(written.state, flush=True)
"""


def test_writers_that_are_killed_leave_whole_files_and_all_that_they_said(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    chance = random.Random(7)  # noqa: S311
    told: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    for _ in range(4):
        writers = {
            name: subprocess.Popen(
                [sys.executable, "-c", WRITER, str(tmp_path), name],
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in told
        }
        for name, writer in writers.items():
            assert writer.stdout is not None
            for _ in range(chance.randrange(1, 12)):
                told[name].append(writer.stdout.readline().strip())
            os.kill(writer.pid, signal.SIGKILL)
            told[name] += writer.communicate()[0].split()
    lines = (tmp_path / journal.JOURNAL).read_bytes().splitlines()
    whole = [json.loads(line) for line in lines if line.endswith(b"}")]
    assert len(whole) >= len(lines) - 1
    for name, states in told.items():
        assert len(states) > 4
        content = (tmp_path / "datasets" / name).read_bytes()
        assert len(content.splitlines()) == 2000
        journaled = [line["after"] for line in whole if line["author"] == name]
        assert set(states) <= set(journaled)
        last = len(journaled) - 1 - journaled[::-1].index(states[-1])
        assert hashlib.sha256(content).hexdigest() in journaled[last:]


@pytest.mark.parametrize(
    ("condition", "state", "error"),
    [
        (Condition(), "a", UnconditionalError),
        (Condition(is_any_of=("b",)), "a", PreconditionError),
        (Condition(is_any_of=("*",)), "", PreconditionError),
        (Condition(is_none_of=("*",)), "a", PreconditionError),
        (Condition(is_any_of=("a",), is_none_of=("a",)), "a", PreconditionError),
    ],
)
def test_a_record_in_another_state_than_its_author_knows_is_kept(
    condition: Condition, state: str, error: type[PreconditionError]
) -> None:
    with pytest.raises(error):
        condition.check(state)


def test_every_record_comes_back_from_its_triples() -> None:
    """Sent as RDF, it says the same and its file keeps its order."""
    names = vocabulary.load()
    found, _ = load(folder("data"), names)
    known = {submission.record_iri(one, names): one for one in found}
    chosen: list[Record] = [one for one in found if one.path.parent.name in submission.WRITABLE]
    for one in chosen[::12]:
        triples = submission.triples(one, names)
        again = submission.read(triples.dump(by_name("ntriples")), "ntriples", known, names)
        assert submission.triples(again, names).missing_from(triples) == []
        assert triples.missing_from(submission.triples(again, names)) == []
        assert list(again.node) == list(one.node)
