"""The graph that scale is measured on keeps the rules of the real one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from medbench_kg import synthetic, validation
from medbench_kg.assets import folder
from medbench_kg.store import LocalStore

if TYPE_CHECKING:
    from medbench_kg.builds import Manifest


@pytest.fixture(scope="module")
def real(built: tuple[LocalStore, Manifest]) -> list[str]:
    assert built
    text = (folder("build") / "medbench.nq").read_text(encoding="utf-8")
    return text.splitlines(keepends=True)


@pytest.fixture(scope="module")
def lines(real: list[str]) -> list[str]:
    return list(synthetic.enlarge(real, 15))


def test_a_synthetic_graph_conforms_to_the_shapes(lines: list[str]) -> None:
    store = LocalStore()
    store.load("".join(lines).encode(), "nquads")
    subjects = {line.split(" ", 1)[0].strip("<>") for line in lines}
    report = validation.validate(store, {iri for iri in subjects if "/synthetic-" in iri})
    assert [f.shape for f in report.findings if f.severity == validation.Severity.VIOLATION] == []
    assert report.findings


def test_as_many_datasets_are_added_as_asked_for(lines: list[str]) -> None:
    kept = "<https://w3id.org/medbench-kg/listing/synthetic-"
    assert sum(line.startswith(kept) and "ontology#Listing> ." in line for line in lines) == 15


def test_the_same_number_gives_the_same_lines(real: list[str], lines: list[str]) -> None:
    assert list(synthetic.enlarge(real, 15)) == lines
