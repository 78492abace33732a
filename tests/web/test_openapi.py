"""The description of the HTTP interface: valid, complete, and true of the server that runs."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import peers
import pytest
import yaml

from medbench_kg.catalogue import catalogue
from medbench_kg.evaluation import Limits, Pool
from medbench_kg.settings import Settings
from medbench_kg.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable

    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore

VALIDATOR = Path(sys.executable).parent.parent / "share/openapi/bin/openapi-spec-validator"
LANGUAGES = pytest.mark.parametrize("lang", ["", "/zh"])


def get(address: str, **headers: str) -> tuple[int, str, str]:
    """Status, media type and body."""
    request = urllib.request.Request(address, headers=headers)
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers.get_content_type(), response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get_content_type(), error.read().decode()


@pytest.fixture(scope="module")
def api(server: str) -> dict[str, Any]:
    described: dict[str, Any] = json.loads(get(f"{server}/openapi.json")[2])
    return described


def find_validator() -> Path:
    if not VALIDATOR.is_file():
        raise peers.MissingError("openapi-spec-validator (make .venv/.openapi)")
    return VALIDATOR


@LANGUAGES
def test_it_conforms_to_the_specification(
    server: str, lang: str, started: Callable[..., Path], tmp_path: Path
) -> None:
    validator = started(find_validator)
    file = tmp_path / "openapi.json"
    file.write_text(get(f"{server}{lang}/openapi.json")[2], encoding="utf-8")
    command = [str(validator), "--schema", "3.1", "--validation-errors", "all", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_route_is_described_and_nothing_else(
    root: Path, built: tuple[LocalStore, Manifest], tmp_path: Path
) -> None:
    settings = Settings(writable=True, tokens={"ann": "0" * 64})
    app = create_app(*built, Pool(tmp_path, Limits(1, 1, 1, 1, 1)), settings, tmp_path)
    told = yaml.safe_load((root / "src/medbench_kg/web/openapi.yaml").read_text(encoding="utf-8"))
    assert set(told["endpoints"]) == {rule.endpoint for rule in app.url_map.iter_rules()}
    described = app.test_client().get("/openapi.json").get_json()
    assert described["paths"]["/record/{slug}"]["put"]["security"] == [{"token": []}]
    assert "token" in described["components"]["securitySchemes"]


def test_each_canned_query_has_its_parameters(api: dict[str, Any]) -> None:
    for query in catalogue():
        described = api["paths"][f"/query/{query.name}"]["get"]
        names = [one["name"] for one in described["parameters"]]
        assert names == [*(one.name for one in query.parameters), "format"]


def test_each_status_has_its_types_of_problems(api: dict[str, Any]) -> None:
    answers = api["components"]["responses"].values()
    explained = {code for one in answers for code in one["description"].split("`")[1::2]}
    assert types(api) == explained


def types(api: dict[str, Any]) -> set[str]:
    members = api["components"]["schemas"]["Problem"]["properties"]
    return {one.rpartition("/")[2] for one in members["type"]["enum"]}


def test_every_get_answers_as_it_is_described(api: dict[str, Any], server: str) -> None:
    day = get(f"{server}/ldes.nt")[2].split("/ldes/")[1][:10]
    for path, operations in api["paths"].items():
        if "get" not in operations:
            continue
        suffix = "csv" if "compare" in path else "ttl"
        address = path.replace("{day}", day).replace("{suffix}", suffix)
        for one in operations["get"]["parameters"]:
            value = one.get("example") or one["schema"].get("enum", [""])[0]
            address = address.replace(f"{{{one['name']}}}", str(value))
        query = "?d=gemex&d=pathmmu" if "compare" in path else ""
        status, kind, _ = get(server + address + query)
        assert status == 200, address
        described = operations["get"]["responses"]["200"]["content"]
        assert kind in described or "*/*" in described, address


@LANGUAGES
def test_the_page_shows_every_path_and_problem(api: dict[str, Any], server: str, lang: str) -> None:
    page = get(f"{server}{lang}/api", Accept="text/html")[2]
    for path in api["paths"]:
        assert f"</b> {path}</code>" in page
    assert all(f"/problem/{code}" in page for code in types(api))


def test_limits_are_those_in_force(running: Callable[..., Any]) -> None:
    with running(MEDBENCH_DEADLINE_S="7", MEDBENCH_RATE_LIMIT="500/minute") as address:
        described = json.loads(get(f"{address}/openapi.json")[2])
        asked = described["paths"]["/sparql"]["get"]
        timeout = next(one for one in asked["parameters"] if one["name"] == "timeout")
        assert timeout["schema"]["maximum"] == 7
        assert "429" in asked["responses"]
        about = get(f"{address}/zh/about", Accept="text/html")[2]
        assert "<td>7 秒</td>" in about
        assert "<td>500/minute</td>" in about


@LANGUAGES
def test_the_about_page_cites_as_the_citation_file_does(
    server: str, lang: str, root: Path, built: tuple[object, Manifest]
) -> None:
    page = get(f"{server}{lang}/about", Accept="text/html")[2]
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    for told in (citation["title"], str(citation["version"]), citation["authors"][0]["name"]):
        assert told in page
    assert built[1].version in page
    assert str(built[1].files["medbench.nq"]["sha256"]) in page
    assert f"<td>{Settings().deadline_s} {'秒' if lang else 'seconds'}</td>" in page


def test_pages_lead_to_the_description(server: str) -> None:
    page = get(f"{server}/dataset/gemex", Accept="text/html")[2]
    assert '<link rel="service-desc" type="application/json" href="/openapi.json">' in page
    assert '<link rel="service-doc" href="/api">' in page
