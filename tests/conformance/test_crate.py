"""The RO-Crate of a release, read by the RO-Crate library, and its files checked against it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import urllib.request
import zipfile
from typing import TYPE_CHECKING

import pytest
from rocrate.rocrate import ROCrate

from medbench_kg.changes import recent

if TYPE_CHECKING:
    from pathlib import Path

    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore


@pytest.fixture(scope="module")
def unpacked(
    root: Path, built: tuple[LocalStore, Manifest], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The crate as the command line writes it, unpacked."""
    assert built
    folder = tmp_path_factory.mktemp("crate")
    archive = folder / "crate.zip"
    subprocess.run(
        [sys.executable, "-m", "medbench_kg", "export", "--format", "crate", "-o", str(archive)],
        cwd=root,
        check=True,
        timeout=60,
    )
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder / "crate")
    return folder / "crate"


def test_the_crate_has_a_root_with_all_that_is_demanded(
    unpacked: Path, built: tuple[LocalStore, Manifest]
) -> None:
    crate = ROCrate(unpacked)
    root = crate.root_dataset
    assert crate.metadata["conformsTo"] == "https://w3id.org/ro/crate/1.2"
    assert root["name"].startswith("medbench-kg")
    assert root["description"]
    assert root["license"]["name"] == "CC0 1.0 Universal"
    assert root["version"] == built[1].version
    (change, *_) = recent(built[0], "en")
    assert root["datePublished"] == change.modified
    assert {part.id for part in root["hasPart"]} == set(built[1].files)


def test_each_file_of_the_crate_is_what_the_crate_says(unpacked: Path) -> None:
    for file in ROCrate(unpacked).root_dataset["hasPart"]:
        content = (unpacked / file.id).read_bytes()
        assert file["contentSize"] == str(len(content))
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert "/" in file["encodingFormat"]


def test_the_server_has_the_description_beside_the_dumps(server: str, unpacked: Path) -> None:
    with urllib.request.urlopen(f"{server}/data/ro-crate-metadata.json", timeout=30) as response:
        assert response.headers["Content-Type"] == "application/ld+json"
        served = json.loads(response.read())
    assert served == json.loads((unpacked / "ro-crate-metadata.json").read_bytes())
    files = {node["@id"] for node in served["@graph"] if node["@type"] == "File"}
    for name in files:
        request = urllib.request.Request(f"{server}/data/{name}", method="HEAD")
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.status == 200
