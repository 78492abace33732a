"""Links are classed by what a server does, however badly it behaves, and only public ones asked."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
import trustme
import yaml

from medbench_kg import editing, errors, fetching, links, pipeline
from medbench_kg.fetching import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TODAY = dt.date(2026, 1, 31)

#: Where redirects lead that nobody may follow.
PRIVATE = {
    "loopback": "http://127.0.0.1:{port}/fine",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "private": "http://10.0.0.1/",
    "mapped": "http://[::ffff:192.168.0.1]/",
    "translated": "http://[64:ff9b::7f00:1]/",
    "file": "file:///etc/passwd",
    "localhost": "http://localhost:{port}/fine",
}


class Misbehaving(BaseHTTPRequestHandler):
    """Answers by path; ``/<status>`` answers with that status."""

    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        server = self.server
        assert isinstance(server, Site)
        server.asked.append((self.command, self.path))
        name = self.path.strip("/")
        if name in PRIVATE:
            self.reply(302, Location=PRIVATE[name].format(port=server.server_port))
        else:
            getattr(self, f"do_{name.replace('-', '_')}", self.do_status)()

    def do_status(self) -> None:
        name = self.path.strip("/")
        self.reply(int(name) if name.isdigit() else 200)

    def do_moved(self) -> None:
        self.reply(301, Location="/fine")

    def do_elsewhere_for_now(self) -> None:
        self.reply(302, Location="/fine")

    def do_moved_then_for_now(self) -> None:
        self.reply(308, Location="/elsewhere-for-now")

    def do_moved_to_nowhere(self) -> None:
        self.reply(301, Location="/404")

    def do_loop(self) -> None:
        self.reply(301, Location="/loop")

    def do_no_head(self) -> None:
        self.reply(405 if self.command == "HEAD" else 200)

    def do_head_drops(self) -> None:
        self.close_connection = True
        if self.command == "GET":
            self.reply(200)

    def do_drops(self) -> None:
        self.close_connection = True

    def do_rubbish(self) -> None:
        self.wfile.write(b"\x00\xff no status line\r\n\r\n")
        self.close_connection = True

    def do_endless(self) -> None:
        self.reply(200, Content_Length=str(1 << 40))
        self.close_connection = True

    def do_silent(self) -> None:
        server = self.server
        assert isinstance(server, Site)
        server.released.wait()
        self.close_connection = True

    def do_drips(self) -> None:
        server = self.server
        assert isinstance(server, Site)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not server.released.wait(0.05):
            self.wfile.write(b"x")
        self.close_connection = True

    def do_busy_at_first(self) -> None:
        server = self.server
        assert isinstance(server, Site)
        self.reply(503 if len(server.asked) < 3 else 200)

    def reply(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content_Length": "0"} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


class Site(ThreadingHTTPServer):
    """A server that keeps what it was asked."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), Misbehaving)
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, *_: object) -> None: ...


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Site]:
    site = Site(context)
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield site
    finally:
        site.released.set()
        site.shutdown()
        thread.join()
        site.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as one:
        yield one


def resolve(host: str, port: int) -> list[str]:
    """Names of the tests lead to this machine; all others are treated as in earnest."""
    return ["127.0.0.1"] if host.endswith(".test") else fetching.public_addresses(host, port)


@pytest.fixture
def web() -> Web:
    return Web(resolve, pause_s=0, deadline_s=5)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("fine", "alive"),
        ("no-head", "alive"),
        ("head-drops", "alive"),
        ("endless", "alive"),
        ("elsewhere-for-now", "alive"),
        ("busy-at-first", "alive"),
        ("moved", "moved"),
        ("moved-then-for-now", "moved"),
        ("401", "blocked"),
        ("403", "blocked"),
        ("406", "blocked"),
        ("429", "blocked"),
        ("404", "gone"),
        ("410", "gone"),
        ("moved-to-nowhere", "gone"),
        ("500", "unreachable"),
        ("503", "unreachable"),
        ("304", "unreachable"),
        ("drops", "unreachable"),
        ("rubbish", "unreachable"),
        ("loop", "unreachable"),
        *((name, "unreachable") for name in PRIVATE),
    ],
)
def test_a_link_has_the_class_of_what_its_server_does(
    site: Site, web: Web, path: str, status: str
) -> None:
    assert links.status_of(web.visit(f"http://a.test:{site.server_port}/{path}")) == status


@pytest.mark.parametrize("path", ["silent", "drips"])
def test_a_server_that_takes_too_long_is_left(site: Site, path: str) -> None:
    web = Web(resolve, pause_s=0, deadline_s=0.2)
    visit = web.visit(f"http://a.test:{site.server_port}/{path}")
    assert (links.status_of(visit), visit.failure) == ("unreachable", "timeout")


@pytest.mark.parametrize("path", PRIVATE)
def test_no_redirect_leads_to_an_address_that_is_not_public(
    site: Site, web: Web, path: str
) -> None:
    visit = web.visit(f"http://a.test:{site.server_port}/{path}")
    assert visit.failure == "not-public"
    assert {asked for _, asked in site.asked} == {f"/{path}"}


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.64.0.1",
        "192.168.1.1",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::a00:1",
    ],
)
def test_a_name_with_one_address_that_is_not_public_is_refused(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    answers = [(None, None, None, "", (one, 80)) for one in ("192.0.43.8", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(errors.FetchError, match="public internet"):
        fetching.public_addresses("rebinding.example", 80)


def test_a_name_without_an_address_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert Web(pause_s=0).visit("https://nowhere.example/").failure == "no-address"


def test_the_place_that_a_link_has_moved_to_is_told(site: Site, web: Web) -> None:
    base = f"http://a.test:{site.server_port}"
    visit = web.visit(f"{base}/moved-then-for-now")
    assert (visit.moved_to, visit.end) == (f"{base}/elsewhere-for-now", f"{base}/fine")


def test_a_certificate_of_the_right_name_is_asked_for() -> None:
    authority = trustme.CA()
    theirs, ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("good.test").configure_cert(theirs)
    authority.configure_trust(ours)
    with serving(theirs) as site:
        web = Web(resolve, pause_s=0, deadline_s=5, certificates=ours)
        good, other = (
            web.visit(f"https://{name}.test:{site.server_port}/fine") for name in ("good", "other")
        )
    assert (links.status_of(good), other.failure) == ("alive", "tls")


def test_a_document_is_read_and_one_that_is_too_large_is_not(site: Site, web: Web) -> None:
    assert web.read(f"http://a.test:{site.server_port}/moved") == b""
    with pytest.raises(errors.FetchError, match="404"):
        web.read(f"http://a.test:{site.server_port}/404")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path) -> Path:
    """A folder that stands for ``data/`` when records are written."""
    monkeypatch.setattr(editing, "folder", lambda name: tmp_path if name == "data" else root / name)
    return tmp_path


def assembled_from(data: Path, root: Path) -> pipeline.Assembled:
    """The graph of no records but those in a folder."""
    for name in ("ontology", "shapes"):
        if not (data / name).exists():
            (data / name).symlink_to(root / name)
    if not (data / "data").exists():
        (data / "data").symlink_to(data)
    return pipeline.assemble_at(data)


def checks(data: Path, slug: str = "a.test") -> dict[str, dict[str, str]]:
    """The checks of a host by the path of their links."""
    report = yaml.load((data / "links" / f"{slug}.yaml").read_bytes(), Loader=yaml.CBaseLoader)
    return {check["url"].rpartition("/")[2]: check for check in report["linkCheck"]}


def silently(*_: object) -> None: ...


def test_since_when_and_when_last_alive_are_kept(
    site: Site, web: Web, data: Path, root: Path
) -> None:
    urls = [f"http://a.test:{site.server_port}/{name}" for name in ("fine", "busy", "404")]
    for day, answer in ((1, 200), (10, 404), (20, 404)):
        Misbehaving.do_busy = lambda self, status=answer: self.reply(status)  # type: ignore[attr-defined]
        links.check(assembled_from(data, root), urls, web, dt.date(2026, 1, day), silently)
    found = checks(data)
    fields = ("linkStatus", "checked", "statusSince", "lastAlive", "responseCode")
    assert [found["busy"][field] for field in fields] == [
        "gone",
        "2026-01-20",
        "2026-01-10",
        "2026-01-01",
        "404",
    ]
    assert [found["fine"][field] for field in fields[:4]] == [
        "alive",
        "2026-01-20",
        "2026-01-01",
        "2026-01-20",
    ]
    assert "lastAlive" not in found["404"]


def test_an_interrupted_run_keeps_what_it_has_and_goes_on(
    site: Site, web: Web, data: Path, root: Path
) -> None:
    urls = [f"http://a.test:{site.server_port}/{number}" for number in range(200, 206)]

    def interrupt(url: str, _status: str) -> None:
        if url == urls[1]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        links.check(assembled_from(data, root), urls, web, TODAY, interrupt)
    kept = set(checks(data))
    left = links.due(assembled_from(data, root), urls, TODAY - dt.timedelta(1))
    assert kept == {"200", "201"}
    assert left == urls[2:]


def test_what_is_written_conforms_and_gives_the_distribution_a_status(
    site: Site, web: Web, data: Path, root: Path
) -> None:
    url = f"http://a.test:{site.server_port}/loop"
    links.check(assembled_from(data, root), [url], web, TODAY, silently)
    assembled = assembled_from(data, root)
    report = pipeline.check(assembled, [record.path for record in assembled.records])
    assert [finding.message for finding in report.findings] == []
    assert checks(data)["loop"]["note"]["zh"] == "重定向没有终点。"


def test_nothing_is_written_without_a_network(data: Path, root: Path) -> None:
    def offline(host: str, _port: int) -> list[str]:
        raise errors.FetchError("no-address", host)

    with pytest.raises(errors.FetchError, match="online"):
        links.check(assembled_from(data, root), ["https://a.test/"], Web(offline), TODAY, silently)
    assert not (data / "links").exists()


def test_the_links_of_one_dataset_can_be_chosen(assembled: pipeline.Assembled) -> None:
    urls = links.wanted(assembled.store, ["gemex"])
    assert "https://huggingface.co/datasets/BoKelvin/GEMeX-VQA" in urls
    assert set(urls) < set(links.wanted(assembled.store))
    with pytest.raises(errors.NotFoundError, match="nonsense"):
        links.wanted(assembled.store, ["nonsense"])
