"""The rules for w3id.org, run by Apache as they would be there, and followed to our server."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from medbench_kg.negotiation import DOCUMENT_FORMATS, Format

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVER = "https://medbench-kg.example.org"
PATHS = [
    "dataset/gemex",
    "paper/arxiv-2411.16778",
    "venue/iccv-2025",
    "record/gemex",
    "listing/gemex",
    "list/med-vlm-bench",
    "model/gpt-4o",
    "result/gmai-mmbench-1",
    "modality",
    "modality/ct",
    "ontology",
    "shapes",
]

CONFIGURATION = """
ServerName localhost
ServerRoot {folder}
PidFile {folder}/pid
ErrorLog {folder}/error.log
Listen 127.0.0.1:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
DocumentRoot {folder}/www
<Directory {folder}/www>
  AllowOverride All
  Require all granted
</Directory>
"""


@pytest.fixture(scope="module")
def apache(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[int]:
    """Port of an Apache that has our folder where w3id.org would have it."""
    folder = tmp_path_factory.mktemp("apache")
    folder.chmod(0o755)
    rules = folder / "www" / "medbench-kg"
    rules.mkdir(parents=True)
    shutil.copy(root / "docs" / "w3id" / ".htaccess", rules)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "httpd.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    apache2 = shutil.which("apache2", path="/usr/sbin:/usr/bin")
    if apache2 is None:
        message = "No Apache: the rules for w3id.org were NOT run. Install the package apache2."
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    command = [apache2, "-f", str(folder / "httpd.conf"), "-DFOREGROUND"]
    with subprocess.Popen(command) as process:
        _wait(port)
        yield port
        process.terminate()


def _wait(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def redirect(port: int, path: str, accept: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", f"/medbench-kg/{path}", headers={"Accept": accept})
    answer = connection.getresponse()
    connection.close()
    return answer.status, answer.headers.get("Location", "")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("fmt", DOCUMENT_FORMATS, ids=lambda fmt: fmt.name)
def test_the_persistent_iri_leads_to_the_document_in_each_format(
    apache: int, server: str, path: str, fmt: Format
) -> None:
    for asked in (path, f"{path}.{fmt.suffix}", f"{path}?_mediatype={fmt.media_type}"):
        status, target = redirect(apache, asked, fmt.media_type)
        assert (status, target) == (303, f"{SERVER}/{asked}")
    request = urllib.request.Request(
        target.replace(SERVER, server), headers={"Accept": fmt.media_type}, method="HEAD"
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert (answer.status, answer.headers.get_content_type()) == (200, fmt.media_type)


def test_nothing_that_a_client_sends_becomes_a_header(apache: int) -> None:
    status, target = redirect(apache, "dataset/x%0d%0aSet-Cookie:a", "*/*")
    assert "\n" not in target
    assert status in {303, 400, 403, 404}
