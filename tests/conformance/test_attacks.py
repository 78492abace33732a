"""Attacks on the real server: each is answered in time, and nobody else notices.

The server runs as shipped, with a deadline of two seconds. After every attack an honest query is
answered at once and the memory of all its processes together stays bounded. All traffic goes to
loopback, and every attack ends by itself.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from email.message import Message

    from medbench_kg.builds import Manifest
    from medbench_kg.store import LocalStore

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="memory is read from Linux's /proc"
)

DEADLINE_S = 2
LIMIT_S = DEADLINE_S + 5
HONEST_S = 1
MEMORY = 1_500_000_000
DEEP = 10_000
KILOBYTE = 1_024
MEGABYTE = KILOBYTE * KILOBYTE

#: What is kept of an answer, and where reading ends: beyond the largest that the server makes.
KEPT = 4 * MEGABYTE
LONGEST_ANSWER = 300 * MEGABYTE

#: Instead of a status: the connection ended before the answer did.
CUT = 0

ANSWERED = {200}
REFUSED = {400, 413}
STOPPED = {503}

_serial = itertools.count()


# --- the server --------------------------------------------------------------------------------


class Running:
    """A server, the processes that belong to it, and the most memory that they had together."""

    def __init__(self, process: subprocess.Popen[bytes], address: str) -> None:
        self.process = process
        self.address = address
        self.netloc = urllib.parse.urlsplit(address).netloc
        self.peak = 0
        self._stop = threading.Event()
        self._watch = threading.Thread(target=self._measure)

    def __enter__(self) -> Running:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._watch.join()

    def _measure(self) -> None:
        while not self._stop.wait(0.1):
            self.peak = max(self.peak, sum(map(_memory, session(self.process.pid))))

    def connect(self) -> socket.socket:
        host, _, port = self.netloc.partition(":")
        return socket.create_connection((host, int(port)), timeout=LIMIT_S)


def session(leader: int) -> list[Path]:
    """Folders below /proc of the processes in a session, orphans included."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == leader and fields[0] != "Z":
                found.append(folder)
    return found


def _memory(folder: Path) -> int:
    """Octets that a process holds, its share of what it has in common with others included."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        rollup = (folder / "smaps_rollup").read_text()
        return sum(int(kb) * KILOBYTE for kb in re.findall(r"\nPss: +(\d+) kB", rollup))
    return 0


@pytest.fixture(scope="module")
def strict_server(
    root: Path, built: tuple[LocalStore, Manifest], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """``python server.py`` with a short deadline, in a session of its own."""
    assert built
    log = tmp_path_factory.mktemp("strict") / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "server.py"],
            cwd=root,
            env={
                **os.environ,
                "MEDBENCH_PORT": "0",
                "MEDBENCH_DEADLINE_S": str(DEADLINE_S),
                "MEDBENCH_MEMORY_MB": "192",
                "PYTHONUNBUFFERED": "1",
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with Running(process, _address(process, log)) as running:
            yield running
        process.terminate()
        process.wait(timeout=20)
        left = _left_after(process.pid, seconds=5)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)
    assert left == [], "processes outlive the server"


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait for the address in the log, and until the server answers at it."""
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        address = re.search(r"http://[\d.]+:\d+", log.read_text(errors="replace"))
        if address:
            running = Running(process, address[0])
            with contextlib.suppress(ConnectionError):
                if honest(running).status == 200:
                    return address[0]
        time.sleep(0.1)
    pytest.fail(f"the server did not start: {log.read_text(errors='replace')[-2000:]}")


def _left_after(leader: int, seconds: float) -> list[Path]:
    """The processes of a session that still live after a while."""
    end = time.monotonic() + seconds
    while (left := session(leader)) and time.monotonic() < end:
        time.sleep(0.1)
    return left


# --- asking ------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """An answer with the beginning of its body."""

    status: int
    headers: Message
    body: bytes
    size: int
    seconds: float


def send(
    server: Running,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | None = None,
) -> Answer:
    """Send a request and read its answer; a body that breaks off makes the status ``CUT``."""
    start = time.monotonic()
    connection = http.client.HTTPConnection(server.netloc, timeout=LIMIT_S)
    with contextlib.closing(connection):
        connection.connect()
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        with contextlib.suppress(ConnectionError):  # it may answer, and close, before it read all
            connection.endheaders(body)
        response = connection.getresponse()
        status, kept, size = response.status, b"", 0
        try:
            while size < LONGEST_ANSWER and (piece := response.read(MEGABYTE)):
                size += len(piece)
                kept += piece[: KEPT - len(kept)]
        except (http.client.IncompleteRead, ConnectionError):
            status = CUT
        if response.length:  # fewer octets came than Content-Length promised
            status = CUT
        return Answer(status, response.headers, kept, size, time.monotonic() - start)


JSON = ("Accept", "application/sparql-results+json")
SPARQL = ("Content-Type", "application/sparql-query")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


def post(server: Running, query: str, *headers: tuple[str, str]) -> Answer:
    return send(server, "POST", "/sparql", (SPARQL, *headers), query.encode())


def honest(server: Running) -> Answer:
    """Ask what no cache can know."""
    text = (
        "ASK { ?s a <https://w3id.org/medbench-kg/ontology#Dataset> "
        f"FILTER(?s != <urn:x:{next(_serial)}>) }}"
    )
    return post(server, text, JSON)


def serves(server: Running) -> bool:
    """Whether an honest query is answered, rightly and at once."""
    answer = honest(server)
    return (
        answer.status == 200
        and json.loads(answer.body)["boolean"] is True
        and answer.seconds < HONEST_S
    )


def check_unharmed(server: Running) -> None:
    """Check that others are served, at the second try at the latest, and memory is bounded."""
    assert serves(server) or serves(server)
    assert server.process.poll() is None
    assert server.peak < MEMORY


def check_answer(answer: Answer, allowed: set[int]) -> None:
    """Check status and time, and that an error explains itself."""
    assert answer.status in allowed, answer.body[:500]
    assert answer.seconds < LIMIT_S
    assert answer.size < LONGEST_ANSWER
    if answer.status >= 400:
        assert answer.headers.get_content_type() == "application/problem+json"
        document = json.loads(answer.body)
        assert document["status"] == answer.status
        assert {"type", "title", "detail"} <= document.keys()
        assert b"Traceback" not in answer.body
        assert len(answer.body) < 10 * KILOBYTE
    if answer.status == 503:
        assert int(answer.headers["Retry-After"]) > 0


@pytest.fixture
def target(strict_server: Running) -> Running:
    """The server, with the memory of earlier attacks forgotten."""
    strict_server.peak = 0
    return strict_server


# --- queries -----------------------------------------------------------------------------------


def nested(opening: str, middle: str, closing: str, frame: str = "ASK { % }") -> str:
    return frame.replace("%", opening * DEEP + middle + closing * DEEP)


FILTER = "ASK { FILTER(%) }"
ORDER = "SELECT * { ?s ?p ?o } ORDER BY % LIMIT 1"
NESTED = {
    "groups": nested("{", "", "}"),
    "groups around triples": nested("{ ?s ?p ?o . ", "", "}"),
    "parentheses": nested("(", "1", ")", FILTER),
    "sums in parentheses": nested("1 + (", "1", ")", FILTER),
    "negations": nested("!", "true", "", FILTER),
    "negations in parentheses": nested("!(", "true", ")", FILTER),
    "minus signs": nested("-(", "1", ")", FILTER),
    "functions": nested("STR(", "1", ")", FILTER),
    "functions in BIND": nested("STR(", "1", ")", "ASK { BIND(% AS ?x) }"),
    "functions in SELECT": nested("STR(", "1", ")", "SELECT (% AS ?x) {}"),
    "functions in ORDER BY": nested("STR(", "?s", ")", ORDER),
    "functions in GROUP BY": nested("STR(", "?s", ")", "SELECT * { ?s ?p ?o } GROUP BY (% AS ?x)"),
    "functions in HAVING": nested("STR(", "1", ")", "SELECT (1 AS ?x) {} HAVING (%)"),
    "casts": nested("<http://www.w3.org/2001/XMLSchema#string>(", "1", ")", FILTER),
    "IF": nested("IF(true, ", "1", ", 2)", FILTER),
    "COALESCE": nested("COALESCE(", "1", ")", FILTER),
    "CONCAT": nested("CONCAT('a', ", "'b'", ")", FILTER),
    "IN": nested("1 IN (", "1", ")", FILTER),
    "NOT IN": nested("1 NOT IN (", "1", ")", FILTER),
    "aggregates": nested("SUM(", "?o", ")", "SELECT (% AS ?x) { ?s ?p ?o }"),
    "EXISTS": nested("FILTER EXISTS { ", "?s ?p ?o", " }"),
    "NOT EXISTS": nested("FILTER NOT EXISTS { ", "?s ?p ?o", " }"),
    "EXISTS in an expression": nested("FILTER(true && EXISTS { ", "?s ?p ?o", " })"),
    "OPTIONAL": nested("OPTIONAL { ", "?s ?p ?o", " }"),
    "MINUS": nested("?s ?p ?o MINUS { ", "?s ?p ?o", " }"),
    "UNION": nested("{ ?s ?p ?o } UNION { ", "?s ?p ?o", " }"),
    "GRAPH": nested("GRAPH ?g { ", "?s ?p ?o", " }"),
    "SERVICE": nested("SERVICE <http://127.0.0.1:9/> { ", "?s ?p ?o", " }"),
    "LATERAL": nested("LATERAL { ", "?s ?p ?o", " }"),
    "sub-selects": nested("{ SELECT * { ", "?s ?p ?o", " } }"),
    "grouped sub-selects": nested("{ SELECT (COUNT(*) AS ?n) { ", "?s ?p ?o", " } }"),
    "collections": nested("(", "1", ")", "ASK { ?s ?p % }"),
    "blank nodes": nested("[ ?p ", "1", " ]", "ASK { ?s ?p % }"),
    "collections in a template": nested("(", "1", ")", "CONSTRUCT { ?s ?p % } WHERE { ?s ?p ?o }"),
    "blank nodes in a template": nested("[ ?p ", "1", " ]", "CONSTRUCT { ?s ?p % } WHERE {}"),
    "paths": nested("(", "<x:p>", ")", "ASK { ?s % ?o }"),
    "closures of paths": nested("(", "<x:p>", ")*", "ASK { ?s % ?o }"),
    "inverse paths": nested("^(", "<x:p>", ")", "ASK { ?s % ?o }"),
    "optional paths": nested("(", "<x:p>", ")?", "ASK { ?s % ?o }"),
    "alternatives of paths": nested("(<x:q>|", "<x:p>", ")", "ASK { ?s % ?o }"),
    "triple terms": nested("<<( ?s ?p ", "?o", " )>>", "ASK { ?s ?p % }"),
    "reified triples": nested("<< ?s ?p ", "?o", " >>", "ASK { ?s ?p % }"),
    "annotations": nested("{| ?p ?o ", "", " |}", "ASK { ?s ?p ?o % }"),
    "groups without end": "ASK " + "{" * DEEP,
    "parentheses without end": "ASK { FILTER(" + "(" * 10 * DEEP,
    "collections without end": "ASK { ?s ?p " + "(" * DEEP,
    "ends without a beginning": "ASK " + "}" * DEEP,
    "all kinds of brackets": nested("{ [] ?p ( [ ?p (", "", ") ] ) } "),
}


def chain(joint: str, link: str, frame: str = "ASK { % }") -> str:
    return frame.replace("%", joint.join([link] * DEEP))


def numbered(link: str, frame: str) -> str:
    return frame.replace("%", " ".join(link.replace("#", str(i)) for i in range(DEEP)))


CHAINS = {
    "||": chain(" || ", "false", FILTER),
    "&&": chain(" && ", "true", FILTER),
    "+": chain(" + ", "1", FILTER),
    "signed numbers": chain("", "+1", FILTER),
    "*": chain(" * ", "1", FILTER),
    "path sequences": chain("/", "<x:p>", "ASK { ?s % ?o }"),
    "path alternatives": chain("|", "<x:p>", "ASK { ?s % ?o }"),
    "negated property sets": chain("|", "<x:p>", "ASK { ?s !(%) ?o }"),
    "UNION": chain(" UNION ", "{ ?s ?p ?o }"),
    "OPTIONAL": chain(" ", "OPTIONAL { ?s ?p ?o }"),
    "MINUS": chain(" ", "MINUS { ?s ?p ?o }"),
    "FILTER": chain(" ", "FILTER(true)"),
    "FILTER EXISTS": chain(" ", "FILTER EXISTS { ?s ?p ?o }"),
    "BIND": numbered("BIND(1 AS ?v#)", "ASK { % }"),
    "VALUES": chain(" ", "VALUES ?x { 1 }"),
    "GRAPH": chain(" ", "GRAPH ?g { ?s ?p ?o }"),
    "sub-selects": chain(" ", "{ SELECT * { ?s ?p ?o } }"),
    "groups": chain(" ", "{ ?s ?p ?o }"),
    "triples": chain(" . ", "?s ?p ?o"),
    "predicates": chain(" ; ", "?p ?o", "ASK { ?s % }"),
    "objects": chain(" , ", "?o", "ASK { ?s ?p % }"),
    "arguments": chain(", ", "'a'", "ASK { FILTER(CONCAT(%)) }"),
    "members of IN": chain(", ", "1", "ASK { FILTER(2 IN (%)) }"),
    "members of a collection": chain(" ", "1", "ASK { ?s ?p (%) }"),
    "columns": numbered("(1 AS ?v#)", "SELECT % {}"),
    "groupings": numbered("(?s AS ?v#)", "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY %"),
    "orderings": chain(" ", "?s", ORDER),
    "conditions of HAVING": chain(" ", "(true)", "SELECT (1 AS ?x) {} HAVING %"),
    "aggregates": numbered("(COUNT(?s) AS ?v#)", "SELECT % { ?s ?p ?o }"),
    "prefixes": numbered("PREFIX p#: <urn:#>", "% ASK {}"),
    "graphs": numbered("FROM <urn:#>", "ASK % { ?s ?p ?o }"),
    "named graphs": numbered("FROM NAMED <urn:#>", "ASK % { GRAPH ?g { ?s ?p ?o } }"),
    "described": numbered("<urn:#>", "DESCRIBE %"),
}

PLANNING = {
    "collections of depth 400": "ASK { ?s ?p " + "(" * 400 + "1" + ")" * 400 + " }",
    "collections of depth 60": "ASK { ?s ?p " + "(" * 60 + "1" + ")" * 60 + " }",
    "collection of 400": "ASK { ?s ?p (" + "?x " * 400 + ") }",
    "chain of 150": "ASK { " + " . ".join(f"?v{i} ?p{i} ?v{i + 1}" for i in range(150)) + " }",
    "star of 400": "ASK { ?s " + " ; ".join(f"?p{i} ?o{i}" for i in range(400)) + " }",
    "product of 150": "ASK { " + " . ".join(f"?a{i} ?b{i} ?c{i}" for i in range(150)) + " }",
    "clique of 120": "ASK { "
    + " . ".join(f"?v{i} ?p ?v{j}" for i in range(16) for j in range(i))
    + " }",
    "unions of joins": "ASK { "
    + " ".join(f"{{ ?a{i} ?p ?b }} UNION {{ ?b ?p ?c{i} }}" for i in range(120))
    + " }",
    "optional chain of 150": "ASK { "
    + " ".join(f"OPTIONAL {{ ?v{i} ?p ?v{i + 1} }}" for i in range(150))
    + " }",
    "joins in many groups": "ASK { "
    + " ".join("{ " + " . ".join(f"?a{i} ?p ?b{j}" for j in range(20)) + " }" for i in range(20))
    + " }",
}


def product(patterns: int) -> str:
    return " . ".join(f"?s{i} ?p{i} ?o{i}" for i in range(patterns))


THOUSAND = " ".join(str(i) for i in range(1000))
ROWS = " ".join(f"VALUES ?v{i} {{ {THOUSAND} }}" for i in range(5))

#: These can't be finished on any machine, so that there is one right answer.
ENDLESS = {
    "COUNT over five patterns": f"SELECT (COUNT(*) AS ?n) {{ {product(5)} FILTER(?o0 != ?s4) }}",
    "COUNT over VALUES": f"SELECT (COUNT(*) AS ?n) {{ {ROWS} FILTER(?v0 + ?v4 > 0) }}",
    "ORDER BY": f"SELECT * {{ {product(4)} }} ORDER BY ?o3 ?s0 LIMIT 1",
    "all rows": f"SELECT * {{ {product(4)} }}",
    "DISTINCT": f"SELECT DISTINCT * {{ {product(4)} }}",
    "OFFSET": f"SELECT * {{ {product(4)} }} OFFSET 1000000000000 LIMIT 1",
    "GROUP BY": f"SELECT ?s0 ?s1 ?s2 (COUNT(*) AS ?n) {{ {product(4)} }} GROUP BY ?s0 ?s1 ?s2",
    "GROUP_CONCAT": f"SELECT (GROUP_CONCAT(?o0) AS ?x) {{ {product(4)} }}",
    "CONSTRUCT": f"CONSTRUCT {{ ?s0 ?p1 ?o2 }} WHERE {{ {product(4)} }}",
    "ASK for what is not": f"ASK {{ {product(4)} FILTER(CONCAT(STR(?s0), STR(?s3)) = '') }}",
    "NOT EXISTS": f"ASK {{ FILTER EXISTS {{ {product(4)} FILTER(STR(?o0) = STRUUID()) }} }}",
    "sub-select": f"ASK {{ {{ SELECT (MAX(?o3) AS ?m) {{ {product(4)} }} }} FILTER(!BOUND(?m)) }}",
}

ANY_PATH = "(<x:>|!<x:>|^<x:>|!^<x:>)*"
DOUBLED = " ".join(f"BIND(CONCAT(?v{i}, ?v{i}) AS ?v{i + 1})" for i in range(40))
EXPENSIVE = {
    "path": f"SELECT (COUNT(*) AS ?n) {{ ?a {ANY_PATH} ?b }}",
    "product of paths": f"SELECT (COUNT(*) AS ?n) {{ ?a {ANY_PATH} ?b . ?c {ANY_PATH} ?d }}",
    "closure of a closure": "SELECT (COUNT(*) AS ?n) { ?a ((!<x:>)*/(!<x:>)*)* ?b }",
    "path there and back": "SELECT (COUNT(*) AS ?n) { ?a ((!<x:>/!^<x:>)+)+ ?b }",
    "doubled text": f"SELECT (STRLEN(?v40) AS ?n) {{ BIND('aaaaaaaaaa' AS ?v0) {DOUBLED} }}",
    "doubled text shown": f"SELECT * {{ BIND('aaaaaaaaaa' AS ?v0) {DOUBLED} }}",
    "doubled text by rows": f"SELECT * {{ ?s ?p ?o BIND(STR(?o) AS ?v0) {DOUBLED} }}",
    "text replaced by text": "SELECT (STRLEN(?d) AS ?n) { BIND('aaaaaaaaaaaaaaaaaaaaaaaaa' AS ?a) "
    "BIND(REPLACE(?a, 'a', ?a) AS ?b) BIND(REPLACE(?b, 'a', ?b) AS ?c) "
    "BIND(REPLACE(?c, 'a', ?c) AS ?d) BIND(REPLACE(?d, 'a', ?d) AS ?e) }",
    "everything joined": "SELECT (GROUP_CONCAT(CONCAT(STR(?o0), STR(?o1))) AS ?x) "
    f"{{ {product(2)} }}",
    "pairs sorted": f"SELECT * {{ {product(2)} }} ORDER BY DESC(CONCAT(STR(?o0), STR(?o1)))",
    "pairs told apart": f"SELECT DISTINCT ?s0 ?o0 ?s1 ?o1 {{ {product(2)} }}",
    "everything described": "DESCRIBE * { ?s ?p ?o }",
    "long number": "SELECT (" + "9" * 100_000 + " * " + "9" * 100_000 + " AS ?x) {}",
    "long text": f"ASK {{ FILTER('{'a' * MEGABYTE}' = '') }}",
    "long name": f"ASK {{ ?{'a' * MEGABYTE} ?p ?o }}",
    "long IRI": f"ASK {{ <urn:{'a' * MEGABYTE}> ?p ?o }}",
    "long comment": f"# {'a' * MEGABYTE}\nASK {{}}",
    "backtracking": f"ASK {{ FILTER(REGEX('{'a' * 50_000}!', '^(a+)+$')) }}",
    "backtracking over all": "ASK { ?s ?p ?o "
    "FILTER(REGEX(STR(?o), '^(([a-z ])+.)+[A-Z]([a-z ])+$x')) }",
    "counted repetition": "ASK { FILTER(REGEX('a', '((a{1,1000}){1,1000}){1,1000}')) }",
    "unicode repetition": r"ASK { FILTER(REGEX('a', '(\\w{1,900}){1,900}')) }",
    "wildcards": f"ASK {{ FILTER(REGEX('{'x' * 10_000}', '{'.*' * 500}=')) }}",
    "nested groups in a regex": f"ASK {{ FILTER(REGEX('a', '{'(' * DEEP}a{')' * DEEP}')) }}",
    "broken regex": "ASK { FILTER(REGEX('a', '(')) }",
    "regex of a megabyte": f"ASK {{ FILTER(REGEX('a', '{'a?' * (MEGABYTE // 2)}')) }}",
    "regex per row": "ASK { ?s ?p ?o "
    "FILTER(REGEX(?o, CONCAT('(', STR(?s), '|', ?o, '){1,50}x'))) }",
}

HOSTILE = [
    *(pytest.param(q, ANSWERED | REFUSED | STOPPED, id=f"nested, {n}") for n, q in NESTED.items()),
    *(pytest.param(q, ANSWERED | REFUSED | STOPPED, id=f"chain, {n}") for n, q in CHAINS.items()),
    *(pytest.param(q, ANSWERED | REFUSED | STOPPED, id=f"plan, {n}") for n, q in PLANNING.items()),
    *(pytest.param(q, STOPPED | {CUT}, id=f"endless, {n}") for n, q in ENDLESS.items()),
    *(pytest.param(q, ANSWERED | REFUSED | STOPPED, id=n) for n, q in EXPENSIVE.items()),
]


@pytest.mark.parametrize(("query", "allowed"), HOSTILE)
def test_a_hostile_query_harms_nobody(target: Running, query: str, allowed: set[int]) -> None:
    check_answer(post(target, query), allowed)
    check_unharmed(target)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(nested("(", "", ")", "ASK { BIND('%' AS ?x) }"), id="brackets in a text"),
        pytest.param(f"# {'{' * DEEP}\nASK {{}}", id="brackets in a comment"),
        pytest.param(f"ASK {{ BIND(<urn:{'(' * 500}> AS ?x) }}", id="brackets in an IRI"),
        pytest.param(f"ASK {'{' * 30}{'}' * 30}", id="thirty groups"),
        pytest.param(f"ASK {{ BIND({'(' * 30}1{')' * 30} AS ?x) }}", id="thirty parentheses"),
        pytest.param(f"ASK {{ VALUES ?x {{ {THOUSAND} }} }}", id="a thousand values"),
        pytest.param(
            "ASK { " + " ".join(f"OPTIONAL {{ ?s{i} <x:p> ?o }}" for i in range(40)) + " }",
            id="forty patterns",
        ),
    ],
)
def test_what_only_looks_hostile_is_answered(target: Running, query: str) -> None:
    answer = post(target, query, JSON)
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["boolean"] is True


def test_a_client_can_not_lift_the_deadline(target: Running) -> None:
    endless = ENDLESS["COUNT over five patterns"].encode()
    check_answer(send(target, "POST", "/sparql?timeout=600", (SPARQL,), endless), STOPPED)
    check_unharmed(target)


# --- requests that are no HTTP, or too much of it ----------------------------------------------


class Exchange(NamedTuple):
    received: bytes
    is_closed: bool
    sent: int

    @property
    def statuses(self) -> list[int]:
        return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3})\b", self.received)]


def exchange(
    server: Running, pieces: Iterable[bytes], *, shuts: bool = False, quiet_s: float = 0.5
) -> Exchange:
    """Send pieces until something comes back, then read until the server closes or falls silent.

    Args:
        server: whom to talk to.
        pieces: what to send; may be endless.
        shuts: whether the client closes its half of the connection after the last piece.
        quiet_s: how long to wait for more after something was received.
    """
    queue, pending, received, sent, closed = iter(pieces), b"", b"", 0, False
    end = time.monotonic() + LIMIT_S
    with server.connect() as client, contextlib.suppress(ConnectionError):
        client.setblocking(False)
        sending = True
        while not closed and time.monotonic() < end:
            if sending and not pending:
                pending = next(queue, b"")
                sending = bool(pending)
                if shuts and not sending:
                    client.shutdown(socket.SHUT_WR)
            wait = quiet_s if received else end - time.monotonic()
            writers = [client] if sending else []
            readable, writable, _ = select.select([client], writers, [], max(wait, 0))
            if readable:
                octets = client.recv(65536)
                received, closed, sending = received + octets, not octets, False
            elif writable:
                count = client.send(pending)
                pending, sent = pending[count:], sent + count
            else:
                break
        return Exchange(received, closed, sent)
    return Exchange(received, is_closed=True, sent=sent)


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([line, "Host: 127.0.0.1", *headers, "", ""]).encode("latin-1")


CHUNKED = head(
    "POST /sparql HTTP/1.1", "Content-Type: application/sparql-query", "Transfer-Encoding: chunked"
)


def chunks(size: int, total: int) -> Iterator[bytes]:
    """A chunked body of spaces, without the last chunk."""
    chunk = b"%x\r\n%s\r\n" % (size, b" " * size)
    several = max(1, 65536 // len(chunk))
    yield CHUNKED
    yield from itertools.repeat(chunk * several, total // (size * several))


def test_a_body_of_100_megabytes_is_cut_off(target: Running) -> None:
    done = exchange(target, chunks(64 * KILOBYTE, 100 * MEGABYTE))
    assert done.statuses == [413] or (done.statuses == [] and done.is_closed)
    assert done.sent < 50 * MEGABYTE
    check_unharmed(target)


def test_an_announced_body_of_100_megabytes_is_not_awaited(target: Running) -> None:
    announced = head(
        "POST /sparql HTTP/1.1", ": ".join(SPARQL), f"Content-Length: {100 * MEGABYTE}"
    )
    done = exchange(target, [announced])
    assert done.statuses == [413]
    check_unharmed(target)


@pytest.mark.parametrize("size", [16, 1000], ids=["tiny", "small"])
def test_endless_chunks_are_cut_off(target: Running, size: int) -> None:
    done = exchange(target, chunks(size, 200 * MEGABYTE))
    assert set(done.statuses) <= {400, 408, 413}
    assert done.statuses or done.is_closed
    check_unharmed(target)


BAD_REQUEST = {400, 404, 405, 408, 411, 413, 414, 415, 431, 501, 505}
GARBAGE = {
    "5,000 headers": [head("GET / HTTP/1.1", *(f"X-{i}: {i}" for i in range(5000)))],
    "header of a megabyte": [head("GET / HTTP/1.1", f"X: {'a' * MEGABYTE}")],
    "header name of a megabyte": [head("GET / HTTP/1.1", f"{'a' * MEGABYTE}: a")],
    "headers without end": [b"GET / HTTP/1.1\r\n", *([b"X-Same: a\r\n" * 1000] * 2000)],
    "line without end": [b"GET /", *([b"a" * 65536] * 500)],
    "method without end": [b"A" * 65536] * 500,
    "chunk extension without end": [CHUNKED, b"1;", *([b"a" * 65536] * 500)],
    "trailers without end": [CHUNKED, b"0\r\n", *([b"X-Same: a\r\n" * 1000] * 2000)],
    "chunk size too large": [CHUNKED, b"f" * 17 + b"\r\n"],
    "chunk size negative": [CHUNKED, b"-1\r\n"],
    "chunk size not a number": [CHUNKED, b"zz\r\n"],
    "length negative": [head("POST /sparql HTTP/1.1", "Content-Length: -1")],
    "length not a number": [head("POST /sparql HTTP/1.1", "Content-Length: ten")],
    "length too large": [head("POST /sparql HTTP/1.1", f"Content-Length: {'9' * 40}")],
    "NUL in a header": [head("GET / HTTP/1.1", "X: a\0b")],
    "NUL in the line": [b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"],
    "no HTTP": [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500],
    "unknown version": [b"GET / HTTP/9.9\r\nHost: a\r\n\r\n"],
    "space before the colon": [b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"],
}


@pytest.mark.parametrize("name", GARBAGE)
def test_what_is_no_request_is_refused_or_closed(target: Running, name: str) -> None:
    done = exchange(target, GARBAGE[name])
    assert set(done.statuses) <= BAD_REQUEST
    assert done.statuses or done.is_closed
    assert len(done.statuses) <= 1
    check_unharmed(target)


def test_a_body_shorter_than_announced_is_not_answered_as_whole(target: Running) -> None:
    announced = head("POST /sparql HTTP/1.1", ": ".join(SPARQL), "Content-Length: 500")
    done = exchange(target, [announced, b"ASK {}"], shuts=True)
    assert set(done.statuses) <= {400, 408}
    assert done.statuses or done.is_closed
    check_unharmed(target)


SMUGGLED = head("GET /healthz HTTP/1.1", "Connection: close")
ASK_BODY = b"ASK { ?s ?p ?o }"
ASK_CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(ASK_BODY), ASK_BODY)
TYPED = f"{SPARQL[0]}: {SPARQL[1]}"
CONFLICTS = {
    "length over chunks": (
        [f"Content-Length: {len(ASK_CHUNKS + SMUGGLED)}", "Transfer-Encoding: chunked"],
        ASK_CHUNKS,
    ),
    "chunks over length": (
        ["Transfer-Encoding: chunked", f"Content-Length: {len(ASK_CHUNKS + SMUGGLED)}"],
        ASK_CHUNKS,
    ),
    "length of the chunks": (
        [f"Content-Length: {len(ASK_CHUNKS)}", "Transfer-Encoding: chunked"],
        ASK_CHUNKS,
    ),
    "two lengths": (
        [f"Content-Length: {len(ASK_BODY)}", f"Content-Length: {len(ASK_BODY + SMUGGLED)}"],
        ASK_BODY,
    ),
    "list of lengths": (
        [f"Content-Length: {len(ASK_BODY)}, {len(ASK_BODY + SMUGGLED)}"],
        ASK_BODY,
    ),
    "signed length": ([f"Content-Length: +{len(ASK_BODY)}"], ASK_BODY),
    "other coding after": (["Transfer-Encoding: chunked, identity"], ASK_CHUNKS),
    "unknown coding": (["Transfer-Encoding: xchunked"], ASK_CHUNKS),
    "folded header": (["Transfer-Encoding:\r\n chunked", "Content-Length: 4"], ASK_CHUNKS),
    "space before the colon": (["Transfer-Encoding : chunked", "Content-Length: 4"], ASK_CHUNKS),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_an_ambiguous_request_is_answered_once_at_most(target: Running, name: str) -> None:
    headers, body = CONFLICTS[name]
    done = exchange(target, [head("POST /sparql HTTP/1.1", TYPED, *headers) + body + SMUGGLED])
    assert len(done.statuses) <= 1
    assert done.statuses or done.is_closed
    assert set(done.statuses) <= {200, 400, 411, 501}
    check_unharmed(target)


# --- requests that are HTTP, and hostile -------------------------------------------------------


class Request(NamedTuple):
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None
    allowed: set[int]


HOSTILE_REQUESTS = {
    "invalid UTF-8 in a body": Request("POST", "/sparql", (SPARQL,), b"ASK { \xff }", {400}),
    "overlong UTF-8": Request("POST", "/sparql", (SPARQL,), b"ASK { ?s ?p '\xc0\xaf' }", {400}),
    "surrogate in UTF-8": Request(
        "POST", "/sparql", (SPARQL,), b"ASK { ?s ?p '\xed\xa0\x80' }", {400}
    ),
    "surrogate by escape": Request(
        "POST", "/sparql", (SPARQL,), rb"ASK { ?s ?p '\uD800' }", {200, 400}
    ),
    "NUL in a query": Request("POST", "/sparql", (SPARQL,), b"ASK {\0 ?s ?p ?o }", {400}),
    "NUL in a text": Request("POST", "/sparql", (SPARQL,), b"ASK { ?s ?p '\0' }", {200, 400}),
    "invalid UTF-8 in a form": Request("POST", "/sparql", (FORM,), b"query=ASK+%7B%FF", {400}),
    "invalid UTF-8 in a URL": Request("GET", "/sparql?query=ASK%20%7B%FF", (), None, {400}),
    "NUL in a URL": Request("GET", "/query/%00", (), None, {400, 404}),
    "invalid UTF-8 in a path": Request("GET", "/query/%FF%C0%AF", (), None, {400, 404}),
    "100,000 fields": Request("POST", "/sparql", (FORM,), b"a=1&" * 100_000, REFUSED),
    "100,000 queries": Request("POST", "/sparql", (FORM,), b"query=x&" * 100_000, REFUSED),
    "9,000 parameters": Request(
        "GET", "/sparql?" + "&".join(["x=1"] * 9000), (), None, {200, 400, 414}
    ),
    "1,000 graphs": Request(
        "GET",
        "/sparql?query=ASK%7B%7D&" + "&".join(f"default-graph-uri=urn:{i}" for i in range(1000)),
        (),
        None,
        {200, 400, 414},
    ),
    "long Accept": Request(
        "GET",
        "/sparql?query=ASK%7B%7D",
        (("Accept", ",".join(f"a/b;q=0.{i}" for i in range(2000))),),
        None,
        {406, 431},
    ),
    "strange Accept": Request(
        "GET",
        "/sparql?query=ASK%7B%7D",
        (("Accept", 'a/b;c="\\;q=nan,*/*;q=inf;;;"/"'),),
        None,
        {200, 400, 406},
    ),
    "gzip bomb": Request(
        "POST",
        "/sparql",
        (SPARQL, ("Content-Encoding", "gzip")),
        b"\x1f\x8b\x08" + b"\0" * 99,
        {400, 415},
    ),
    "path out of the data": Request("GET", "/data/..%2f..%2fpyproject.toml", (), None, {400, 404}),
    "path out of the static files": Request(
        "GET", "/static/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd", (), None, {400, 404}
    ),
    "path with dots": Request("GET", "/data/../../../../etc/passwd", (), None, {400, 404}),
    "path with backslashes": Request("GET", "/data/..%5c..%5cpyproject.toml", (), None, {400, 404}),
    "path with NUL": Request("GET", "/data/medbench.ttl%00.html", (), None, {400, 404}),
    "debugger": Request("GET", "/console", (), None, {404}),
}


@pytest.mark.parametrize("name", HOSTILE_REQUESTS)
def test_a_hostile_request_harms_nobody(target: Running, name: str) -> None:
    request = HOSTILE_REQUESTS[name]
    answer = send(target, request.method, request.target, request.headers, request.body)
    if answer.status != 431:  # that is said before there is an application
        check_answer(answer, request.allowed)
    assert answer.status in request.allowed
    assert b"root:" not in answer.body
    assert b"[project]" not in answer.body
    check_unharmed(target)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST", "TRACE"])
@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_no_header_overrides_the_method(target: Running, header: str, method: str) -> None:
    for answer in (
        post(target, ASK_BODY.decode(), JSON, (header, method)),
        send(target, "GET", "/sparql?query=ASK%7B%7D", (JSON, (header, method))),
    ):
        assert answer.status == 200, answer.body
        assert json.loads(answer.body)["boolean"] is True


# --- many at once ------------------------------------------------------------------------------

HALVES = {
    "half a line": b"GET /spar",
    "half the headers": b"POST /sparql HTTP/1.1\r\nHost: a\r\nContent-Type: appl",
    "half a body": head("POST /sparql HTTP/1.1", TYPED, "Content-Length: 500") + b"ASK {",
    "half a chunk": CHUNKED + b"ff\r\nASK {",
    "a chunk size that goes on": CHUNKED + b"0" * 10_000,
    "nothing": b"",
}


@pytest.mark.parametrize("name", HALVES)
def test_slow_clients_do_not_stop_others(target: Running, name: str) -> None:
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(target.connect()) for _ in range(30)]
        for client in slow:
            client.sendall(HALVES[name])
        time.sleep(0.2)
        check_unharmed(target)
        for client in slow:
            with contextlib.suppress(ConnectionError):  # it may have lost patience by now
                client.sendall(b" ")
        check_unharmed(target)
    check_unharmed(target)


def together(server: Running, payload: Callable[[], bytes], count: int) -> list[Exchange]:
    """Send requests on as many connections at once, then read every answer to its end."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(count)]
        for client in clients:
            client.sendall(payload())
        return [_read(client) for client in clients]


def _read(client: socket.socket) -> Exchange:
    received = b"".join(iter(lambda: client.recv(65536), b""))
    return Exchange(received, is_closed=True, sent=0)


def asking(query: str) -> bytes:
    body = f"{query} # {next(_serial)}".encode()
    length = f"Content-Length: {len(body)}"
    return head("POST /sparql HTTP/1.1", TYPED, "Connection: close", length) + body


def test_each_of_a_burst_of_200_is_answered(target: Running) -> None:
    start = time.monotonic()
    answers = together(target, lambda: asking("ASK { ?s ?p ?o }"), 200)
    assert time.monotonic() - start < LIMIT_S
    assert [a.received for a in answers if a.statuses not in ([200], [503], [429])] == []
    assert [a.received for a in answers if a.statuses == [200]] != []
    refused = [a.received.lower() for a in answers if a.statuses != [200]]
    assert [answer for answer in refused if b"\nretry-after:" not in answer] == []
    check_unharmed(target)


def test_a_herd_of_endless_queries_does_not_stop_others(target: Running) -> None:
    endless = ENDLESS["COUNT over five patterns"]
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        herd = [stack.enter_context(target.connect()) for _ in range(20)]
        for client in herd:
            client.sendall(asking(endless))
        time.sleep(0.2)
        check_unharmed(target)
        answers = [_read(client) for client in herd]
    assert time.monotonic() - start < LIMIT_S
    assert {tuple(answer.statuses) for answer in answers} <= {(503,), (429,)}
    check_unharmed(target)


def test_queries_whose_clients_have_left_do_not_stop_others(target: Running) -> None:
    for _ in range(20):
        with target.connect() as client:
            client.sendall(asking(ENDLESS["ORDER BY"]))
    check_unharmed(target)
    time.sleep(DEADLINE_S + 1)
    check_unharmed(target)
