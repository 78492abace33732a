"""Each recipe of “Use it in your graph” runs, against the tool itself, and gives the right answer.

That other engines answer all canned queries as ours does is tested in ``tests/queries``.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import peers
import processes
import pytest
import rdflib

import medbench_kg
from medbench_kg.recipes import Recipe, recipes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RECIPES = {recipe.name: recipe for recipe in recipes()}
COMMANDS = {"sh": ["bash", "-euo", "pipefail"], "py": [sys.executable, "-"], "R": ["Rscript", "-"]}
PROGRAMS = os.pathsep.join([str(peers.BIN), str(peers.COMUNICA / ".bin"), os.environ["PATH"]])
CODES = {"ultrasound": 1, "mri": 2, "ct": 3}  #: modality → the study that has a code of it


@pytest.fixture
def oxigraph(started: Callable[..., peers.Peer], tmp_path: Path) -> Iterator[str]:
    """Address of Oxigraph's own server with nothing in it."""
    peer = started(peers.empty_oxigraph, tmp_path)
    yield f"http://127.0.0.1:{peer.port}"
    processes.stop(peer.process)


def run(recipe: Recipe, server: str, folder: Path, **replaced: str) -> str:
    """Run a recipe as a reader would, but for the addresses of the servers."""
    text = recipe.at(server)
    for address, own in replaced.items():
        assert address in text
        text = text.replace(address, own)
    told = subprocess.run(
        COMMANDS[recipe.kind],
        input=text,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PATH": PROGRAMS},
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def find(program: str, package: str) -> None:
    if not shutil.which(program, path=PROGRAMS):
        raise peers.MissingError(package)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.strip().splitlines()))


def test_curl_gets_answers_and_things(server: str, tmp_path: Path) -> None:
    printed = run(RECIPES["curl"], server, tmp_path)
    benchmarks = medbench_kg.query("find", role="benchmark")
    assert rows(printed) == [{"benchmarks": str(len(benchmarks))}]
    ct = (tmp_path / "ct.csv").read_text(encoding="utf-8")
    assert rows(ct) == medbench_kg.query("datasets-by-modality", modality="ct")
    gemex = rdflib.URIRef("https://w3id.org/medbench-kg/dataset/gemex")
    assert (gemex, None, None) in rdflib.Graph().parse(tmp_path / "gemex.ttl")


def test_rdflib_answers_a_canned_query(server: str, tmp_path: Path) -> None:
    printed = run(RECIPES["rdflib"], server, tmp_path)
    assert rows(printed) == medbench_kg.query("papers-with-several-datasets")


def test_sparqlwrapper_asks_the_endpoint(server: str, tmp_path: Path) -> None:
    printed = run(RECIPES["sparqlwrapper"], server, tmp_path)
    sources = medbench_kg.query("most-reused-sources")
    assert printed.splitlines() == [f"{row['transitive']} {row['title']}" for row in sources]


@pytest.mark.parametrize(
    ("name", "program"), [("pandas", "python"), ("r", "Rscript")], ids=["pandas", "r"]
)
def test_tables_become_data_frames(
    name: str,
    program: str,
    server: str,
    root: Path,
    started: Callable[..., None],
    tmp_path: Path,
) -> None:
    started(find, program, "Debian package r-base-core")
    printed = run(RECIPES[name], server, tmp_path)
    ct = len(medbench_kg.query("find", modality="ct"))
    with (root / "build" / "sizes.csv").open(encoding="utf-8", newline="") as file:
        sizes = len(list(csv.DictReader(file)))
    assert printed.split()[:2] == [str(sizes), str(ct)]
    assert "Abstract" in printed


def test_comunica_finds_our_endpoint_by_its_description(
    server: str, started: Callable[..., None], tmp_path: Path
) -> None:
    started(find, "comunica-sparql-file", "npm")
    printed = run(RECIPES["comunica"], server, tmp_path)
    assert rows(printed) == [{"paper": "https://lab.example/paper/1", "title": "GEMeX"}]


def test_oxigraph_takes_the_dump_and_answers_the_same(
    server: str, oxigraph: str, tmp_path: Path
) -> None:
    own = {"http://127.0.0.1:7878": oxigraph}
    printed = run(RECIPES["oxigraph"], server, tmp_path, **own)
    assert rows(printed) == medbench_kg.query("most-reused-sources")


def test_virtuoso_takes_the_dump_and_answers_the_same(
    server: str, started: Callable[..., peers.Peer], tmp_path: Path
) -> None:
    peer = started(peers.empty_virtuoso, tmp_path)
    folder = tmp_path / "virtuoso"
    own = {
        "http://127.0.0.1:8890": f"http://127.0.0.1:{peer.port}",
        "isql-vt 1111": f"isql-vt {peers.sql_port(folder)}",
    }
    try:
        printed = run(RECIPES["virtuoso"], server, folder, **own)
    finally:
        processes.stop(peer.process)
    assert rows(printed) == medbench_kg.query("most-reused-sources")


def test_another_engine_joins_its_graph_to_ours_by_service(
    server: str, oxigraph: str, tmp_path: Path
) -> None:
    own = {"http://127.0.0.1:7878": oxigraph}
    assert rows(run(RECIPES["service"], server, tmp_path, **own)) == joined()


@pytest.mark.usefixtures("built")
def test_the_same_join_needs_no_server(root: Path, tmp_path: Path) -> None:
    (tmp_path / "medbench.nt").symlink_to(root / "build" / "medbench.nt")
    assert rows(run(RECIPES["offline"], "", tmp_path)) == joined()


def joined() -> list[dict[str, str]]:
    """Each study with the number of benchmarks of its modality."""
    found = {
        study: len(medbench_kg.query("find", modality=modality, role="benchmark"))
        for modality, study in CODES.items()
    }
    assert all(found.values())
    return [
        {"study": f"https://hospital.example/study/{study}", "benchmarks": str(count)}
        for study, count in found.items()
    ]
