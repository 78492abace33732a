"""A remote endpoint that fails, in every way that they do, gives an error and never an answer."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from medbench_kg import errors
from medbench_kg.negotiation import by_name
from medbench_kg.settings import Endpoint
from medbench_kg.store import RemoteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message
    from pathlib import Path

SELECT = "SELECT ?s WHERE { ?s ?p ?o }"
JSON = "application/sparql-results+json"
WHOLE = b'{"head":{"vars":["s"]},"results":{"bindings":[{"s":{"type":"uri","value":"http://e/"}}]}}'

Script = "Callable[[BaseHTTPRequestHandler, int], None]"


class Told(ThreadingHTTPServer):
    """A server that answers as it is told, and keeps the headers of each request."""

    daemon_threads = True

    def __init__(self, script: Script) -> None:
        self.seen: list[Message] = []
        self.bodies: list[bytes] = []
        self.released = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                server = self.server
                assert isinstance(server, Told)
                server.seen.append(self.headers)
                server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                script(self, len(server.seen))

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/sparql"


def reply(
    handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, kind: str = JSON, **more: str
) -> None:
    handler.send_response(status)
    headers = {"Content-Type": kind, "Content-Length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in more.items()
    }
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def told(script: Script) -> Iterator[Told]:
    server = Told(script)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


def ask(url: str, text: str = SELECT, fmt: str = "json", **options: float) -> bytes:
    return RemoteStore(Endpoint(url), **options).query(text, lambda _: by_name(fmt))[0]  # type: ignore[arg-type]


def test_an_answer_is_relayed_byte_by_byte() -> None:
    with told(lambda handler, _: reply(handler, WHOLE)) as server:
        assert ask(server.url) == WHOLE
        assert server.seen[0]["Accept"] == JSON


def test_an_endpoint_that_is_down_is_named_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(errors.EndpointError, match="nothing answers at its address"):
        ask(f"http://127.0.0.1:{port}/sparql")


def test_an_endpoint_that_hangs_is_given_up_at_the_deadline() -> None:
    def hang(handler: BaseHTTPRequestHandler, _: int) -> None:
        assert isinstance(handler.server, Told)
        handler.server.released.wait()

    with told(hang) as server, pytest.raises(errors.QueryTimeoutError):
        ask(server.url, deadline_s=0.2)
    assert len(server.seen) == 1


def test_an_endpoint_that_drips_is_given_up_at_the_deadline() -> None:
    def drip(handler: BaseHTTPRequestHandler, _: int) -> None:
        assert isinstance(handler.server, Told)
        handler.send_response(200)
        handler.send_header("Content-Type", JSON)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while not handler.server.released.wait(0.05):
            handler.wfile.write(b" ")

    with told(drip) as server, pytest.raises(errors.QueryTimeoutError):
        ask(server.url, deadline_s=0.3)


def test_a_read_is_sent_again_after_three_failures() -> None:
    def fail_thrice(handler: BaseHTTPRequestHandler, number: int) -> None:
        reply(handler, WHOLE, 200 if number > 3 else 500)

    with told(fail_thrice) as server:
        assert ask(server.url) == WHOLE
        assert len(server.seen) == 4


def test_an_endpoint_that_keeps_failing_is_left_alone() -> None:
    with told(lambda handler, _: reply(handler, b"no", 503, "text/plain")) as server:
        store = RemoteStore(Endpoint(server.url), deadline_s=0.1)
        for _ in range(5):
            with pytest.raises(errors.UnavailableError):
                store.query(SELECT, lambda _: by_name("json"))
        asked = len(server.seen)
        with pytest.raises(errors.EndpointError, match="left alone") as raised:
            store.query(SELECT, lambda _: by_name("json"))
        assert len(server.seen) == asked
        assert 0 < raised.value.retry_after_s <= 10


def test_a_strangers_failures_keep_nobody_else_from_asking() -> None:
    def refuse_strangers(handler: BaseHTTPRequestHandler, _: int) -> None:
        assert isinstance(handler.server, Told)
        reply(handler, WHOLE, 503 if b"stranger" in handler.server.bodies[-1] else 200)

    with told(refuse_strangers) as server:
        store, fmt = RemoteStore(Endpoint(server.url)), by_name("json")
        for _ in range(6):
            with pytest.raises(errors.UnavailableError):
                store.relay(f"{SELECT} # stranger", WHOLE, fmt, deadline_s=0.05, trusted=False)
        assert store.query(SELECT, lambda _: fmt)[0] == WHOLE


@pytest.mark.parametrize("status", [401, 403])
def test_being_refused_asks_for_credentials_and_is_not_tried_again(status: int) -> None:
    with told(lambda handler, _: reply(handler, b"", status)) as server:
        with pytest.raises(errors.StoreError, match="lets us not in") as raised:
            ask(server.url)
        assert "MEDBENCH_ENDPOINT_TOKEN" in raised.value.hint
        assert len(server.seen) == 1


def test_a_body_that_is_cut_is_no_answer() -> None:
    def cut(handler: BaseHTTPRequestHandler, _: int) -> None:
        reply(handler, WHOLE[:40], Content_Length=str(len(WHOLE)))
        handler.close_connection = True

    with told(cut) as server, pytest.raises(errors.EndpointError, match="broke off"):
        ask(server.url)


@pytest.mark.parametrize(
    ("fmt", "kind", "body"),
    [
        ("json", JSON, WHOLE[:-2]),
        ("json", JSON, WHOLE + b"the query timed out"),
        ("json", JSON, b'{"head":{"vars":["x"]},"results":{"bindings":[]}}'),
        ("xml", "application/sparql-results+xml", b"<sparql><head><variable name='s'/></head>"),
        ("csv", "text/csv", b"s\r\nhttp://e/\r\nhttp://e"),
        ("csv", "text/csv", b"s\r\nhttp://e/\r\nan error, here\r\n"),
        ("csv", "text/csv", b""),
        ("tsv", "text/tab-separated-values", b"?s\n<http://e/>\n<http:"),
    ],
)
def test_a_complete_reply_that_holds_no_whole_answer_is_none(
    fmt: str, kind: str, body: bytes
) -> None:
    with (
        told(lambda handler, _: reply(handler, body, kind=kind)) as server,
        pytest.raises(errors.StoreError, match="no whole answer"),
    ):
        ask(server.url, fmt=fmt)


@pytest.mark.parametrize("header", [{"X_SQL_State": "S1TAT"}, {"X_SPARQL_MaxRows": "1"}])
def test_rows_that_virtuoso_drops_are_no_answer(header: dict[str, str]) -> None:
    with (
        told(lambda handler, _: reply(handler, WHOLE, **header)) as server,
        pytest.raises(errors.StoreError, match="no whole answer"),
    ):
        ask(server.url)


def test_a_table_is_no_answer_to_ask() -> None:
    with (
        told(lambda handler, _: reply(handler, WHOLE)) as server,
        pytest.raises(errors.StoreError, match="not true or false"),
    ):
        ask(server.url, "ASK { ?s ?p ?o }")


def test_triples_that_break_off_are_no_answer() -> None:
    with (
        told(
            lambda handler, _: reply(handler, b"<http://e/> <http://", kind="text/turtle")
        ) as server,
        pytest.raises(errors.StoreError, match="breaks off"),
    ):
        ask(server.url, "CONSTRUCT WHERE { ?s ?p ?o }", "turtle")


def test_a_page_is_no_answer() -> None:
    with (
        told(lambda handler, _: reply(handler, b"<html>", kind="text/html")) as server,
        pytest.raises(errors.StoreError, match="it is “text/html”"),
    ):
        ask(server.url)


@pytest.mark.parametrize(
    ("endpoint", "sent"),
    [
        ({"user": "me", "password": "secret"}, f"Basic {b64encode(b'me:secret').decode()}"),
        ({"token": "secret"}, "Bearer secret"),
    ],
)
def test_credentials_are_sent_to_the_endpoint_and_never_to_where_it_redirects(
    endpoint: dict[str, str], sent: str
) -> None:
    with (
        told(lambda handler, _: reply(handler, WHOLE)) as other,
        told(lambda handler, _: reply(handler, b"", 307, Location=other.url)) as server,
    ):
        where = Endpoint(server.url, **endpoint)
        assert "secret" not in repr(where)
        with pytest.raises(errors.StoreError, match="redirects") as raised:
            RemoteStore(where).query(SELECT, lambda _: by_name("json"))
        assert [request["Authorization"] for request in server.seen] == [sent]
        assert other.seen == []
        assert "secret" not in str(raised.value)


def test_a_gigabyte_is_not_taken() -> None:
    def pour(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", JSON)
        handler.send_header("Content-Length", str(1 << 30))
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(1 << 16))
        except OSError:
            handler.close_connection = True

    with told(pour) as server, pytest.raises(errors.EngineError, match="too large"):
        ask(server.url, max_bytes=1 << 20)


def test_what_the_endpoint_says_against_a_query_is_told() -> None:
    with (
        told(lambda handler, _: reply(handler, b"\x1b[31mno\nmore", 400, "text/plain")) as server,
        pytest.raises(errors.QueryError, match=r"refuses this: \[31mno"),
    ):
        ask(server.url)


def test_words_in_a_query_never_make_it_an_update() -> None:
    text = 'SELECT ?s { ?s ?p "DROP" } # INSERT DATA'
    with told(lambda handler, _: reply(handler, WHOLE)) as server:
        ask(server.url, text)
        assert server.bodies[0].startswith(b"query=")
    with told(lambda handler, _: reply(handler, WHOLE)) as server:
        with pytest.raises(errors.QueryError):
            ask(server.url, "DROP ALL")
        assert server.seen == []


@pytest.mark.parametrize(
    "url", ["ftp://host/", "host/sparql", "http://user:secret@host/sparql", "http:///sparql"]
)
def test_an_address_that_cannot_be_asked_is_refused(url: str) -> None:
    with pytest.raises(errors.SettingsError) as raised:
        Endpoint(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, b"<title>It works</title>", "text/html"),
        (200, b"not JSON", JSON),
        (400, b"What?", "text/plain"),
        (503, b"", "text/plain"),
    ],
)
def test_an_endpoint_that_fails_at_the_start_ends_the_server_with_one_line(
    status: int, body: bytes, kind: str, root: Path
) -> None:
    with told(lambda handler, _: reply(handler, body, status, kind)) as server:
        ended = subprocess.run(
            [sys.executable, "server.py"],
            cwd=root,
            env={**os.environ, "MEDBENCH_ENDPOINT": server.url, "MEDBENCH_PORT": "0"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ended.returncode == 5
    assert ended.stderr.startswith("medbench: ")
    assert ended.stderr.count("\n") == 1
