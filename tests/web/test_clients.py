"""Who a client says it is, and what host it names: believed only as far as the settings say."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest

from medbench_kg.errors import SettingsError
from medbench_kg.settings import from_env

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

SPOOFED = {
    "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "X-Forwarded-Prefix": "/evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Server": "evil.example",
    "X-Original-URL": "/evil.example",
    "X-Real-IP": "203.0.113.9",
    "X-Rewrite-URL": "/evil.example",
}

#: Every kind of answer: pages, redirects, RDF, results, problems.
TARGETS = [
    "/",
    "/zh",
    "//sparql",
    "/sparql",
    "/query/coverage",
    "/data/medbench.ttl",
    "/dataset/gemex",
    "/dataset/gemex.ttl",
    "/feed.atom",
    "/ldes",
    "/nothing",
    "/sparql?query=" + quote("CONSTRUCT { <a> <b> <c> } WHERE {}"),
    "/sparql?query=nonsense",
]


def get(address: str, target: str, **headers: str) -> tuple[int, dict[str, str], str]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
@pytest.mark.parametrize("target", TARGETS)
def test_no_answer_holds_a_host_that_the_client_names(
    server: str, target: str, accept: str
) -> None:
    plain = get(server, target, Accept=accept)
    status, headers, body = get(server, target, Host="evil.example", Accept=accept, **SPOOFED)
    assert (status, body) == (plain[0], plain[2])
    assert headers == plain[1] | {"date": headers["date"]}
    assert "evil.example" not in f"{headers}{body}"


def test_relative_references_and_the_description_follow_the_public_address(
    running: Callable[..., AbstractContextManager[str]],
) -> None:
    query = quote("CONSTRUCT { <a> <b> <c> } WHERE {}")
    with running(MEDBENCH_PUBLIC_URL="https://kg.example.org/med") as address:
        relative = get(address, f"/sparql?format=ntriples&query={query}")[2]
        description = get(address, "/sparql?format=ntriples", Accept="application/n-triples")[2]
        page = get(address, "/zh/", Accept="text/html")[2]
    assert relative.startswith("<https://kg.example.org/med/a>")
    endpoint = "service-description#endpoint> <https://kg.example.org/med/sparql>"
    assert endpoint in description
    assert '<link rel="canonical" href="https://kg.example.org/med/zh/">' in page
    assert 'href="/med/zh/sparql"' in page


def test_a_client_that_asks_too_often_is_told_when_to_come_back(
    running: Callable[..., AbstractContextManager[str]],
) -> None:
    settings = {
        "MEDBENCH_RATE_LIMIT": "5/hour",
        "MEDBENCH_TRUSTED_PROXIES": "1",
        "MEDBENCH_WORKERS": "1",
    }
    asked = "/sparql?query=" + quote("ASK {}")
    with running(**settings) as address:
        first = [get(address, asked, **{"X-Forwarded-For": "203.0.113.9"}) for _ in range(6)]
        spoofed = get(address, asked, **{"X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
        other = get(address, asked, **{"X-Forwarded-For": "203.0.113.9, 198.51.100.1"})
        own = [get(address, asked) for _ in range(6)]
        neighbours = [
            get(address, asked, **{"X-Forwarded-For": f"2001:db8::{number}"}) for number in range(6)
        ]
    assert [status for status, _, _ in first] == [200] * 5 + [429]
    _, headers, body = first[5]
    assert headers["content-type"] == "application/problem+json"
    assert json.loads(body)["type"].endswith("/problem/rate-limit")
    assert 0 < int(headers["retry-after"]) <= 3600
    assert headers["ratelimit-policy"] == '"client";q=5;w=3600'
    assert re.fullmatch(r'"client";r=0;t=\d+', headers["ratelimit"])
    assert headers["access-control-allow-origin"] == "*"
    assert spoofed[0] == 429
    assert other[0] == 200
    assert {status for status, _, _ in own} == {200}
    assert [status for status, _, _ in neighbours] == [200] * 5 + [429]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MEDBENCH_PUBLIC_URL", "kg.example.org"),
        ("MEDBENCH_PUBLIC_URL", "https://kg.example.org/?query"),
        ("MEDBENCH_PUBLIC_URL", "https://someone@kg.example.org"),
        ("MEDBENCH_PUBLIC_URL", "https://kg.example.org:port"),
        ("MEDBENCH_PUBLIC_URL", 'https://"><script>'),
        ("MEDBENCH_TRUSTED_PROXIES", "10.0.0.1"),
        ("MEDBENCH_RATE_LIMIT", "60"),
        ("MEDBENCH_RATE_LIMIT", "0/minute"),
        ("MEDBENCH_RELOAD", "yes"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        from_env({variable: value})
    assert variable in str(error.value)
    assert error.value.hint


def test_a_port_that_is_taken_is_refused(server: str) -> None:
    port = server.rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, "-m", "medbench_kg", "serve", "--port", port],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert second.returncode == 2
    assert f"can't listen at 127.0.0.1:{port}" in second.stderr
    assert second.stdout == ""
