"""SPARQL 1.1 Protocol and HTTP, asked of the real server over real HTTP.

Specification: SPARQL 1.1 Protocol, sections 2.1 and 2.2; SPARQL 1.1 Service Description; RFC 9110,
sections 8.8, 9.3, 12 and 13; RFC 9457; RFC 10008 (QUERY); Fetch (CORS).
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import http.client
import io
import itertools
import json
import re
import select
import socket
import time
import urllib.parse
from typing import TYPE_CHECKING, Any, NamedTuple

import pyoxigraph as ox
import pytest

from medbench_kg.catalogue import Query, catalogue
from medbench_kg.negotiation import GRAPH_FORMATS, RESULT_FORMATS, Format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message

    Way = Callable[[str, tuple[tuple[str, str], ...]], "Sent"]

Header = tuple[str, str]

SHAPES = "https://w3id.org/medbench-kg/graph/shapes"
UNKNOWN = "https://w3id.org/medbench-kg/graph/there-is-no-such-graph"
SHAPE = "?s a <http://www.w3.org/ns/shacl#NodeShape>"
SD = "http://www.w3.org/ns/sparql-service-description#"

ASK = "ASK { ?s ?p ?o }"
SELECT = (
    "SELECT ?s WHERE { ?s a <https://w3id.org/medbench-kg/ontology#Paper> } ORDER BY ?s LIMIT 3"
)
MANY = (
    "SELECT ?s ?p ?o WHERE { ?s ?p ?o FILTER(isIRI(?s) && !isBlank(?o)) } "
    "ORDER BY ?s ?p ?o LIMIT 500"
)
CONSTRUCT = "CONSTRUCT WHERE { <https://w3id.org/medbench-kg/dataset/gemex> ?p ?o }"
RUNAWAY = (
    "SELECT (COUNT(*) AS ?n) WHERE "
    "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l . ?m ?o ?p FILTER(?c != ?p) }"
)

FORM = ("Content-Type", "application/x-www-form-urlencoded")
SPARQL = ("Content-Type", "application/sparql-query")
JSON = ("Accept", "application/sparql-results+json")
BROWSER = ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")

MEGABYTE = 1_000_000
TIMEOUT_S = 30

_serial = itertools.count()


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes
    seconds: float

    @property
    def type(self) -> str:
        return self.headers.get_content_type()

    def list_of(self, name: str) -> set[str]:
        """Members of a header that holds a list, in lower case."""
        lines = self.headers.get_all(name, [])
        return {member.strip().lower() for line in lines for member in line.split(",")}


def send(
    server: str, method: str, target: str, *headers: Header, body: bytes | None = None
) -> Answer:
    """Send exactly these headers, besides Host and Content-Length; no redirects, no defaults."""
    start = time.monotonic()
    netloc = urllib.parse.urlsplit(server).netloc
    with contextlib.closing(http.client.HTTPConnection(netloc, timeout=TIMEOUT_S)) as connection:
        connection.connect()
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        with contextlib.suppress(ConnectionError):  # it may answer, and close, before it read all
            connection.endheaders(body)
        response = connection.getresponse()
        content = response.read()
        return Answer(response.status, response.headers, content, time.monotonic() - start)


def at(*pairs: tuple[str, str], path: str = "/sparql") -> str:
    return f"{path}?{urllib.parse.urlencode(pairs)}" if pairs else path


def form(*pairs: tuple[str, str]) -> bytes:
    return urllib.parse.urlencode(pairs).encode()


def ask(server: str, query: str, *headers: Header, method: str = "GET") -> Answer:
    return send(server, method, at(("query", query)), *headers)


def fresh(query: str) -> str:
    """The same query in a text that was never sent before, so that no cache answers it."""
    return f"{query} # {next(_serial)}"


def truth(answer: Answer) -> bool:
    assert answer.status == 200, answer.body
    result = json.loads(answer.body)["boolean"]
    assert isinstance(result, bool)
    return result


def problem(answer: Answer, status: int) -> dict[str, Any]:
    """Check that an answer is a problem document (RFC 9457) that tells nothing of the inside."""
    assert (answer.status, answer.type) == (status, "application/problem+json"), answer.body
    document: dict[str, Any] = json.loads(answer.body)
    assert {"type", "title", "status", "detail"} <= document.keys()
    assert document["status"] == status
    assert document["detail"]
    for secret in (b"Traceback", b"site-packages", b".py", b"pyoxigraph"):
        assert secret not in answer.body
    return document


def said(document: dict[str, Any]) -> str:
    return " ".join(map(str, document.values()))


# --- how a query is sent -----------------------------------------------------------------------


class Sent(NamedTuple):
    method: str
    pairs: tuple[tuple[str, str], ...]
    body: bytes | None
    type: str | None


def by_get(query: str) -> Sent:
    return Sent("GET", (("query", query),), None, None)


def by_form(query: str, media_type: str = FORM[1]) -> Sent:
    return Sent("POST", (), form(("query", query)), media_type)


def by_body(query: str, media_type: str = SPARQL[1], method: str = "POST") -> Sent:
    return Sent(method, (), query.encode(), media_type)


def deliver(server: str, sent: Sent, *headers: Header) -> Answer:
    typed = () if sent.type is None else (("Content-Type", sent.type),)
    return send(server, sent.method, at(*sent.pairs), *typed, *headers, body=sent.body)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(by_get(SELECT), id="GET"),
        pytest.param(by_form(SELECT), id="POST form"),
        pytest.param(by_form(SELECT, f"{FORM[1]}; charset=UTF-8"), id="POST form UTF-8"),
        pytest.param(by_form(SELECT, FORM[1].title()), id="POST form capitals"),
        pytest.param(by_body(SELECT), id="POST body"),
        pytest.param(by_body(SELECT, f"{SPARQL[1]};charset=utf-8"), id="POST body UTF-8"),
        pytest.param(by_body(SELECT, f'{SPARQL[1]}; charset="UTF-8"'), id="POST body quoted UTF-8"),
        pytest.param(by_body(SELECT, SPARQL[1].upper()), id="POST body capitals"),
        pytest.param(by_body(SELECT, method="QUERY"), id="QUERY"),
        pytest.param(by_body(SELECT, f"{SPARQL[1]}; charset=UTF-8", "QUERY"), id="QUERY UTF-8"),
    ],
)
@pytest.mark.parametrize("accept", ["application/sparql-results+json", "text/csv"])
def test_every_way_to_send_a_query_gives_the_same_answer(
    server: str, sent: Sent, accept: str
) -> None:
    answer = deliver(server, sent, ("Accept", accept))
    assert (answer.status, answer.type) == (200, accept)
    assert answer.body == ask(server, SELECT, ("Accept", accept)).body


@pytest.mark.parametrize("sent", [by_get, by_form, by_body], ids=["GET", "form", "body"])
@pytest.mark.parametrize("text", ["模态 é 🩻 + & = % ; #", "\ufffd"], ids=["many", "U+FFFD"])
def test_a_query_may_hold_any_character(
    server: str, sent: Callable[[str], Sent], text: str
) -> None:
    answer = deliver(server, sent(f'SELECT ("{text}" AS ?x) {{}}'), JSON)
    assert answer.status == 200, answer.body
    (row,) = json.loads(answer.body)["results"]["bindings"]
    assert row["x"]["value"] == text


@pytest.mark.parametrize(
    ("size", "status"),
    [pytest.param(20, 200, id="short"), pytest.param(11_000_000, 413, id="long")],
)
@pytest.mark.parametrize(
    ("header", "start"),
    [(SPARQL, b"ASK {} #"), (FORM, b"query=ASK+%7B%7D&x=")],
    ids=["body", "form"],
)
def test_a_body_in_chunks_is_taken_whole_or_not_at_all(
    server: str, header: Header, start: bytes, size: int, status: int
) -> None:
    body = start.ljust(size, b"x")
    netloc = urllib.parse.urlsplit(server).netloc
    with contextlib.closing(http.client.HTTPConnection(netloc, timeout=TIMEOUT_S)) as connection:
        connection.connect()
        pieces = (body[i : i + 65536] for i in range(0, len(body), 65536))
        with contextlib.suppress(ConnectionError):  # it may answer, and close, before it read all
            connection.request("POST", "/sparql", pieces, dict((header, JSON)), encode_chunked=True)
        response = connection.getresponse()
        assert response.status == status, response.read()
        response.read()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(Sent("GET", (("query", ""),), None, None), id="empty in URL"),
        pytest.param(Sent("GET", (("query", ASK), ("query", ASK)), None, None), id="two in URL"),
        pytest.param(Sent("POST", (), b"", FORM[1]), id="form without"),
        pytest.param(Sent("POST", (), form(("query", "")), FORM[1]), id="empty in form"),
        pytest.param(
            Sent("POST", (), form(("query", ASK), ("query", ASK)), FORM[1]), id="two in form"
        ),
        pytest.param(Sent("POST", (), b"", SPARQL[1]), id="empty body"),
        pytest.param(Sent("QUERY", (), b"", SPARQL[1]), id="QUERY empty body"),
        pytest.param(
            Sent("POST", (("query", ASK),), form(("query", ASK)), FORM[1]), id="URL and form"
        ),
        pytest.param(Sent("POST", (("query", ASK),), ASK.encode(), SPARQL[1]), id="URL and body"),
        pytest.param(
            Sent("QUERY", (("query", ASK),), ASK.encode(), SPARQL[1]), id="QUERY URL and body"
        ),
    ],
)
def test_a_request_holds_exactly_one_query(server: str, sent: Sent) -> None:
    problem(deliver(server, sent, JSON), 400)


@pytest.mark.parametrize(
    ("method", "media_type"),
    [
        pytest.param("POST", None, id="none"),
        pytest.param("POST", "text/plain", id="text"),
        pytest.param("POST", "application/json", id="json"),
        pytest.param("POST", "multipart/form-data; boundary=x", id="multipart"),
        pytest.param("POST", f"{SPARQL[1]}; charset=UTF-16", id="UTF-16"),
        pytest.param("POST", f"{SPARQL[1]}; charset=ISO-8859-1", id="Latin-1"),
        pytest.param("POST", f"{SPARQL[1]}-results", id="longer name"),
        pytest.param("POST", "nonsense", id="nonsense"),
        pytest.param("QUERY", "text/plain", id="QUERY text"),
    ],
)
def test_other_content_types_are_415(server: str, method: str, media_type: str | None) -> None:
    document = problem(deliver(server, Sent(method, (), ASK.encode(), media_type), JSON), 415)
    assert "application/sparql-query" in said(document)


@pytest.mark.parametrize(
    ("method", "target", "headers", "body"),
    [
        pytest.param("GET", "/sparql?query=ASK%20%7B%20%22%FF%22", (), None, id="URL"),
        pytest.param("POST", "/sparql", (FORM,), b"query=ASK+%7B+%22%FF%22", id="form escaped"),
        pytest.param("POST", "/sparql", (FORM,), b'query=ASK+{+"\xff"', id="form raw"),
        pytest.param("POST", "/sparql", (SPARQL,), b'ASK { ?s ?p "\xff" }', id="body"),
        pytest.param("POST", "/sparql", (SPARQL,), b'ASK { ?s ?p "\xed\xa0\x80" }', id="half"),
        pytest.param("POST", "/sparql", (SPARQL,), ASK.encode("utf-16"), id="UTF-16"),
    ],
)
def test_invalid_utf_8_is_400(
    server: str, method: str, target: str, headers: tuple[Header, ...], body: bytes | None
) -> None:
    problem(send(server, method, target, *headers, JSON, body=body), 400)


@pytest.mark.parametrize(
    "headers",
    [pytest.param((), id="RDF"), pytest.param((BROWSER,), id="page")],
)
@pytest.mark.parametrize(
    "target",
    [
        pytest.param(at(("query", SELECT)), id="SELECT"),
        pytest.param(at(("query", CONSTRUCT)), id="CONSTRUCT"),
        pytest.param(at(("query", "ASK {")), id="syntax error"),
        pytest.param("/sparql", id="description"),
        pytest.param("/", id="start page"),
        pytest.param("/data/medbench.ttl", id="dump"),
        pytest.param("/nowhere", id="nowhere"),
        pytest.param("/query/datasets-by-modality", id="canned"),
        pytest.param("/query/datasets-by-modality?modality=ct&format=json", id="canned, format"),
    ],
)
def test_head_is_get_without_a_body(server: str, target: str, headers: tuple[Header, ...]) -> None:
    got = send(server, "GET", target, *headers)
    head = send(server, "HEAD", target, *headers)
    assert head.status == got.status
    for name in ("Content-Type", "ETag", "Vary", "Access-Control-Allow-Origin"):
        assert head.headers[name] == got.headers[name], name
    assert head.headers["Content-Length"] in {None, str(len(got.body))}
    assert _after_headers(server, f"HEAD {target} HTTP/1.1", headers) == b""


def _after_headers(server: str, request_line: str, headers: tuple[Header, ...]) -> bytes:
    """What a connection carries after the first empty line, until the server closes it."""
    address = urllib.parse.urlsplit(server)
    lines = [request_line, f"Host: {address.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    with socket.create_connection((address.hostname, address.port), timeout=TIMEOUT_S) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        received = b"".join(iter(lambda: client.recv(65536), b""))
    return received.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("query", catalogue(), ids=lambda query: query.name)
def test_every_canned_query_answers_head(server: str, query: Query) -> None:
    answer = send(server, "HEAD", f"/query/{query.name}?format=csv")
    assert (answer.status, answer.type, answer.body) == (200, "text/csv", b"")


def test_options_names_the_methods(server: str) -> None:
    answer = send(server, "OPTIONS", "/sparql")
    assert (answer.status, answer.body) == (204, b"")
    assert {"get", "head", "post", "query", "options"} <= answer.list_of("Allow")
    assert not {"put", "patch", "delete"} & answer.list_of("Allow")


@pytest.mark.parametrize("method", ["POST", "QUERY"])
def test_a_preflight_allows_what_sparql_clients_send(server: str, method: str) -> None:
    answer = send(
        server,
        "OPTIONS",
        "/sparql",
        ("Origin", "https://yasgui.example"),
        ("Access-Control-Request-Method", method),
        ("Access-Control-Request-Headers", "content-type"),
    )
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert method.lower() in answer.list_of("Access-Control-Allow-Methods")
    assert "content-type" in answer.list_of("Access-Control-Allow-Headers")
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("target", ["/sparql", at(("query", ASK))], ids=["bare", "query"])
def test_other_methods_are_405_and_name_the_allowed(server: str, method: str, target: str) -> None:
    answer = send(server, method, target, SPARQL, JSON, body=ASK.encode())
    problem(answer, 405)
    assert {"get", "post", "query"} <= answer.list_of("Allow")


def test_a_query_of_7000_octets_goes_into_a_url(server: str) -> None:
    target = at(("query", f"{ASK} #"))
    assert truth(send(server, "GET", target.ljust(7_000, "x"), JSON)) is True


def test_a_url_of_60000_octets_is_answered_or_too_long(server: str) -> None:
    answer = send(server, "GET", at(("query", f"{ASK} #")).ljust(60_000, "x"), JSON)
    assert answer.status in {200, 414, 431}


def test_a_body_over_the_limit_is_413(server: str) -> None:
    text = f"{ASK} #".encode().ljust(11 * MEGABYTE, b"x")
    answer = send(server, "POST", "/sparql", SPARQL, JSON, body=text)
    problem(answer, 413)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_relative_references_are_resolved(server: str) -> None:
    answer = ask(server, "CONSTRUCT { <s> <p> 1 } WHERE {}", ("Accept", "application/n-triples"))
    assert answer.status == 200
    (triple,) = ox.parse(answer.body, ox.RdfFormat.N_TRIPLES)
    assert str(triple.object) == '"1"^^<http://www.w3.org/2001/XMLSchema#integer>'


# --- errors in the query -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("SELECT ?s WHERE {", 1, id="end"),
        pytest.param("SELECT ?s WHERE {\n ?s ?p }", 2, id="triple"),
        pytest.param("SELECT * WHERE {\n  ?s ?p ?o .\n  FILTR(?o)\n}", 3, id="keyword"),
        pytest.param("ASK {\n\n\n ?s ?p ?o . % }", 4, id="character"),
        pytest.param("nonsense", 1, id="nonsense"),
    ],
)
def test_a_syntax_error_is_400_with_line_and_column(server: str, text: str, line: int) -> None:
    document = problem(ask(server, text, JSON), 400)
    assert document["line"] == line
    assert isinstance(document["line"], int)
    assert isinstance(document["column"], int)
    assert 1 <= document["column"] <= len(text.splitlines()[line - 1]) + 1


@pytest.mark.parametrize(
    ("text", "prefix", "namespace"),
    [
        pytest.param(
            "SELECT * { ?s rfd:type ?o }",
            "rdf",
            "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
            id="letters swapped",
        ),
        pytest.param(
            "SELECT * { ?s dcatt:theme ?o }", "dcat", "http://www.w3.org/ns/dcat#", id="doubled"
        ),
        pytest.param(
            "SELECT * { ?s dcterms:title ?o }", "dcterms", "http://purl.org/dc/terms/", id="missing"
        ),
    ],
)
def test_an_unknown_prefix_is_explained_by_the_nearest_known(
    server: str, text: str, prefix: str, namespace: str
) -> None:
    hint = problem(ask(server, text, JSON), 400)["hint"]
    assert re.search(rf"\b{prefix}\b", hint)
    assert namespace in hint


@pytest.mark.parametrize(
    "text",
    [
        "SELECT (<http://example.org/f>(1) AS ?x) {}",
        "SELECT * { FILTER(<http://example.org/f>(1)) }",
    ],
    ids=["projection", "filter"],
)
def test_an_unknown_function_is_400_or_unbound(server: str, text: str) -> None:
    answer = ask(server, text, JSON)
    assert answer.status in {200, 400}
    if answer.status == 200:
        assert [row for row in json.loads(answer.body)["results"]["bindings"] if row] == []
    else:
        assert "http://example.org/f" in said(problem(answer, 400))


def test_an_error_page_escapes_the_query(server: str) -> None:
    answer = ask(server, "<script>alert(1)</script>", BROWSER)
    assert (answer.status, answer.type) == (400, "text/html")
    assert b"<script>alert" not in answer.body


def test_no_parameter_reaches_a_header(server: str) -> None:
    target = at(("query", ASK), ("format", "csv\r\nX-Injected: yes"), ("lang", "en\r\nX-Other: y"))
    answer = send(server, "GET", target)
    assert answer.status in {400, 406}
    assert {"x-injected", "x-other"} & {name.lower() for name in answer.headers} == set()


# --- nothing is written, nothing is fetched ----------------------------------------------------

MARK = "<urn:mark> <urn:mark> <urn:mark>"
UPDATES = {
    "INSERT DATA": f"INSERT DATA {{ {MARK} }}",
    "prologue": f"PREFIX ex: <http://example.org/> # ASK\nINSERT DATA {{ {MARK} }}",
    "lower case": f"insert data {{ {MARK} }}",
    "DELETE WHERE": "DELETE WHERE { ?s ?p ?o }",
    "DELETE INSERT": f"DELETE {{ ?s ?p ?o }} INSERT {{ {MARK} }} WHERE {{ ?s ?p ?o }}",
    "WITH": f"WITH <{SHAPES}> DELETE {{ ?s ?p ?o }} WHERE {{ ?s ?p ?o }}",
    "DROP": "DROP ALL",
    "CLEAR": "CLEAR DEFAULT",
    "CREATE": "CREATE GRAPH <urn:g>",
    "COPY": f"COPY <{SHAPES}> TO DEFAULT",
}
WAYS_TO_UPDATE = {
    "update in form": lambda text: Sent("POST", (), form(("update", text)), FORM[1]),
    "update in URL": lambda text: Sent("GET", (("update", text),), None, None),
    "update in URL of POST": lambda text: Sent("POST", (("update", text),), b"", FORM[1]),
    "update body": lambda text: Sent("POST", (), text.encode(), "application/sparql-update"),
    "query in URL": by_get,
    "query in form": by_form,
    "query body": by_body,
    "QUERY": lambda text: by_body(text, method="QUERY"),
}


def state(server: str) -> tuple[bytes, bool]:
    """How many quads there are, and whether the mark is among them."""
    count = "SELECT (COUNT(*) AS ?n) { { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"
    rows = ask(server, fresh(count), ("Accept", "text/csv"))
    assert rows.status == 200
    return rows.body, truth(ask(server, fresh(f"ASK {{ {MARK} }}"), JSON))


@pytest.mark.parametrize("way", WAYS_TO_UPDATE)
@pytest.mark.parametrize("update", UPDATES)
def test_an_update_is_403_and_changes_nothing(server: str, update: str, way: str) -> None:
    before = state(server)
    problem(deliver(server, WAYS_TO_UPDATE[way](UPDATES[update]), JSON), 403)
    assert {state(server) for _ in range(3)} == {before}
    assert before[1] is False


def test_query_and_update_in_one_form_are_refused(server: str) -> None:
    body = form(("query", ASK), ("update", UPDATES["INSERT DATA"]))
    answer = send(server, "POST", "/sparql", FORM, JSON, body=body)
    problem(answer, answer.status)
    assert answer.status in {400, 403}
    assert state(server)[1] is False


class Trap:
    """A listener on loopback that notices connections without answering them."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        host, port = listener.getsockname()
        self.url = f"http://{host}:{port}/sparql"

    def is_untouched(self) -> bool:
        """Whether nobody has connected; the kernel holds a connection until it is accepted."""
        return select.select([self._listener], [], [], 0.2)[0] == []


@pytest.fixture
def trap() -> Iterator[Trap]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Trap(listener)


SERVICES = {
    "constant": "SELECT * { SERVICE <URL> { ?s ?p ?o } }",
    "silent": "SELECT * { SERVICE SILENT <URL> { ?s ?p ?o } }",
    "lower case": "select * { service<URL>{ ?s ?p ?o } }",
    "comment between": "SELECT * { SERVICE # a { remark\n <URL> { ?s ?p ?o } }",
    "prefixed name": "PREFIX x: <URL> SELECT * { SERVICE x: { ?s ?p ?o } }",
    "variable": "SELECT * { VALUES ?g { <URL> } SERVICE ?g { ?s ?p ?o } }",
    "in EXISTS": "ASK { ?s ?p ?o FILTER EXISTS { SERVICE <URL> { ?s ?p ?o } } }",
    "in sub-select": "SELECT * { { SELECT * { SERVICE <URL> { ?s ?p ?o } } } }",
    "in OPTIONAL": "ASK { OPTIONAL { SERVICE <URL> { ?s ?p ?o } } }",
    "in CONSTRUCT": "CONSTRUCT { ?s ?p ?o } WHERE { SERVICE <URL> { ?s ?p ?o } }",
    "in DESCRIBE": "DESCRIBE ?s WHERE { SERVICE <URL> { ?s ?p ?o } }",
    "after a quotation mark in an IRI": "ASK { <urn:a'b> ?p ?o . SERVICE <URL> { ?s ?p 'x' } }",
    "after a hash in an IRI": "ASK { <urn:a#b> ?p ?o . SERVICE <URL> { ?s ?p ?o } }",
    "after an escaped quotation mark": r'ASK { ?a ?b "\"" . SERVICE <URL> { ?s ?p ?o } }',
}


@pytest.mark.parametrize("name", SERVICES)
def test_service_is_400_with_the_reason_and_connects_to_nobody(
    server: str, trap: Trap, name: str
) -> None:
    document = problem(ask(server, SERVICES[name].replace("URL", trap.url), JSON), 400)
    assert "SERVICE" in said(document)
    assert trap.is_untouched()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(r"ASK { \u0053ERVICE <URL> { ?s ?p ?o } }", id="escaped keyword"),
        pytest.param("ASK { SERVICE <URL> { ?s ?p ?o }", id="with a syntax error"),
    ],
)
def test_a_disguised_service_is_400_and_connects_to_nobody(
    server: str, trap: Trap, text: str
) -> None:
    problem(ask(server, text.replace("URL", trap.url), JSON), 400)
    assert trap.is_untouched()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('ASK { BIND("SERVICE <http://x/> {}" AS ?x) }', id="string"),
        pytest.param("ASK { BIND('''it's a\n SERVICE <http://x/> {''' AS ?x) }", id="long string"),
        pytest.param("# SERVICE <http://x/> {}\nASK {}", id="comment"),
        pytest.param("ASK { OPTIONAL { ?service ?p ?SERVICE } }", id="variable"),
        pytest.param(
            "PREFIX service: <http://x/> ASK { OPTIONAL { ?s service:SERVICE ?o } }", id="name"
        ),
        pytest.param("ASK { OPTIONAL { ?s <http://x/SERVICE> ?o } }", id="IRI"),
        pytest.param('ASK { BIND("INSERT DATA { }" AS ?x) BIND("x"@delete AS ?y) }', id="update"),
    ],
)
def test_a_word_that_only_looks_forbidden_is_no_harm(server: str, text: str) -> None:
    assert truth(ask(server, text, JSON)) is True


@pytest.mark.parametrize("way", WAYS_TO_UPDATE)
def test_load_is_403_and_connects_to_nobody(server: str, trap: Trap, way: str) -> None:
    sent = WAYS_TO_UPDATE[way](f"LOAD <{trap.url}> INTO GRAPH <urn:g>")
    problem(deliver(server, sent, JSON), 403)
    assert trap.is_untouched()


# --- the dataset of a query --------------------------------------------------------------------

DEFAULT = "default-graph-uri"
NAMED = "named-graph-uri"
IN_DEFAULT = f"{{ {SHAPE} }}"
IN_NAMED = f"{{ GRAPH ?g {{ {SHAPE} }} }}"

DATASETS = {
    "none, default": ("", IN_DEFAULT, (), False),
    "none, named": ("", IN_NAMED, (), True),
    "FROM": (f"FROM <{SHAPES}>", IN_DEFAULT, (), True),
    "FROM leaves no named graph": (f"FROM <{SHAPES}>", IN_NAMED, (), False),
    "FROM NAMED": (f"FROM NAMED <{SHAPES}>", IN_NAMED, (), True),
    "FROM NAMED leaves no default graph": (f"FROM NAMED <{SHAPES}>", "{ ?s ?p ?o }", (), False),
    "FROM unknown": (f"FROM <{UNKNOWN}>", "{ ?s ?p ?o }", (), False),
    "FROM NAMED unknown": (f"FROM NAMED <{UNKNOWN}>", "{ GRAPH ?g { ?s ?p ?o } }", (), False),
    "FROM two": (f"FROM <{UNKNOWN}> FROM <{SHAPES}>", IN_DEFAULT, (), True),
    "default": ("", IN_DEFAULT, ((DEFAULT, SHAPES),), True),
    "default leaves no named graph": ("", IN_NAMED, ((DEFAULT, SHAPES),), False),
    "named": ("", IN_NAMED, ((NAMED, SHAPES),), True),
    "named leaves no default graph": ("", "{ ?s ?p ?o }", ((NAMED, SHAPES),), False),
    "default unknown": ("", "{ ?s ?p ?o }", ((DEFAULT, UNKNOWN),), False),
    "named unknown": ("", "{ GRAPH ?g { ?s ?p ?o } }", ((NAMED, UNKNOWN),), False),
    "default two": ("", IN_DEFAULT, ((DEFAULT, UNKNOWN), (DEFAULT, SHAPES)), True),
    "both": ("", IN_NAMED, ((DEFAULT, UNKNOWN), (NAMED, SHAPES)), True),
    "default beats FROM": (f"FROM <{UNKNOWN}>", IN_DEFAULT, ((DEFAULT, SHAPES),), True),
    "default unknown beats FROM": (f"FROM <{SHAPES}>", IN_DEFAULT, ((DEFAULT, UNKNOWN),), False),
    "named beats FROM NAMED": (f"FROM NAMED <{UNKNOWN}>", IN_NAMED, ((NAMED, SHAPES),), True),
    "default beats FROM NAMED": (f"FROM NAMED <{SHAPES}>", IN_NAMED, ((DEFAULT, SHAPES),), False),
    "named beats FROM": (f"FROM <{SHAPES}>", IN_DEFAULT, ((NAMED, SHAPES),), False),
}


def in_form(query: str, pairs: tuple[tuple[str, str], ...]) -> Sent:
    return Sent("POST", (), form(("query", query), *pairs), FORM[1])


def in_url(query: str, pairs: tuple[tuple[str, str], ...]) -> Sent:
    return Sent("GET", (("query", query), *pairs), None, None)


def beside_body(query: str, pairs: tuple[tuple[str, str], ...]) -> Sent:
    return Sent("POST", pairs, query.encode(), SPARQL[1])


def beside_query(query: str, pairs: tuple[tuple[str, str], ...]) -> Sent:
    return Sent("QUERY", pairs, query.encode(), SPARQL[1])


@pytest.mark.parametrize("way", [in_url, in_form, beside_body, beside_query])
@pytest.mark.parametrize("name", DATASETS)
def test_a_dataset_is_made_of_graphs_of_the_store(server: str, name: str, way: Way) -> None:
    clauses, pattern, pairs, expected = DATASETS[name]
    assert truth(deliver(server, way(f"ASK {clauses} {pattern}", pairs), JSON)) is expected


@pytest.mark.parametrize("clause", ["FROM", "FROM NAMED", DEFAULT, NAMED])
@pytest.mark.parametrize("file", [False, True], ids=["http", "file"])
def test_a_foreign_graph_is_empty_and_never_fetched(
    server: str, trap: Trap, clause: str, file: bool
) -> None:
    iri = "file:///etc/hostname" if file else trap.url
    is_parameter = clause in {DEFAULT, NAMED}
    text = "{ { ?s ?p ?o } UNION { GRAPH ?g { ?s ?p ?o } } }"
    sent = (
        in_url(f"ASK {text}", ((clause, iri),))
        if is_parameter
        else by_get(f"ASK {clause} <{iri}> {text}")
    )
    assert truth(deliver(server, sent, JSON)) is False
    assert trap.is_untouched()


@pytest.mark.parametrize("parameter", [DEFAULT, NAMED])
@pytest.mark.parametrize(
    "iri",
    ["no iri at all", "http://example.org/a b", "http://example.org/<b>", "http://["],
    ids=["words", "space", "angle brackets", "half a host"],
)
@pytest.mark.parametrize("way", [in_url, in_form, beside_body])
def test_an_invalid_graph_iri_is_400(server: str, parameter: str, iri: str, way: Way) -> None:
    problem(deliver(server, way(ASK, ((parameter, iri),)), JSON), 400)


# --- negotiation -------------------------------------------------------------------------------

ANY_RESULTS = "|".join(re.escape(fmt.media_type) for fmt in RESULT_FORMATS)
JSON_RESULTS = r"application/(sparql-results\+)?json"
XML_RESULTS = r"application/(sparql-results\+)?xml|text/xml"
TURTLE_TOO_FEW = "text/turtle, application/n-triples;q=0.9, application/rdf+xml"

ACCEPTED = [
    pytest.param(SELECT, "", JSON_RESULTS, id="empty"),
    pytest.param(SELECT, "*/*", JSON_RESULTS, id="anything"),
    pytest.param(SELECT, "application/json", JSON_RESULTS, id="alias json"),
    pytest.param(SELECT, "application/xml", XML_RESULTS, id="alias xml"),
    pytest.param(SELECT, "text/xml", XML_RESULTS, id="alias text xml"),
    pytest.param(SELECT, "text/csv;q=0.5, text/tab-separated-values", "text/tab.*", id="q"),
    pytest.param(SELECT, "text/tab-separated-values;q=0.51,text/csv;q=0.5", "text/tab.*", id="q.."),
    pytest.param(SELECT, "text/csv;Q=0.1,text/tab-separated-values;q=0.2", "text/tab.*", id="Q"),
    pytest.param(SELECT, "text/csv ; q=0.2 , text/tab-separated-values;q=0.1", "text/csv", id="ws"),
    pytest.param(SELECT, "TEXT/CSV", "text/csv", id="capitals"),
    pytest.param(SELECT, "text/*", "text/(csv|tab-separated-values)", id="text wildcard"),
    pytest.param(SELECT, "text/*;q=0.1, text/csv;q=0, */*;q=0", "text/tab.*", id="q=0 of one"),
    pytest.param(SELECT, "text/csv;q=0.1, */*;q=0.9", "(?!text/csv).*", id="specific first"),
    pytest.param(SELECT, "application/*;q=0.2, text/csv;q=0.3", "text/csv", id="range below"),
    pytest.param(
        SELECT, "application/sparql-results+json;q=0, */*", r"(?!application/.*json).*", id="q=0"
    ),
    pytest.param(SELECT, ", ,text/csv,,", "text/csv", id="empty elements"),
    pytest.param(SELECT, "image/png, text/csv;q=0.1", "text/csv", id="unknown and known"),
    pytest.param(SELECT, "text/csv;charset=utf-8", "text/csv", id="charset"),
    pytest.param(SELECT, "text/csv;header=present;q=0.9, image/*", "text/csv", id="parameter"),
    pytest.param(SELECT, 'text/csv;x="a,b;q=0"', "text/csv", id="quoted parameter"),
    pytest.param(SELECT, BROWSER[1], f"text/html|{ANY_RESULTS}", id="browser"),
    pytest.param(CONSTRUCT, "", "text/turtle", id="graph, empty"),
    pytest.param(CONSTRUCT, "*/*", "text/turtle", id="graph, anything"),
    pytest.param(CONSTRUCT, "application/json", r"application/(ld\+)?json", id="graph, json"),
    pytest.param(CONSTRUCT, "text/*", "text/turtle", id="graph, text wildcard"),
    pytest.param(CONSTRUCT, "application/*", "application/.*", id="graph, application wildcard"),
    pytest.param(CONSTRUCT, "text/turtle;q=0, */*", "(?!text/turtle).*", id="graph, q=0"),
    pytest.param(
        CONSTRUCT,
        'application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"',
        r"application/ld\+json",
        id="graph, profile",
    ),
    pytest.param(
        CONSTRUCT, "application/rdf+xml;q=0.8, text/csv", r"application/rdf\+xml", id="graph, 2nd"
    ),
]


@pytest.mark.parametrize(("query", "accept", "type_"), ACCEPTED)
def test_the_type_is_the_one_that_the_client_prefers(
    server: str, query: str, accept: str, type_: str
) -> None:
    answer = ask(server, query, ("Accept", accept))
    assert answer.status == 200
    assert re.fullmatch(type_, answer.type), answer.type
    assert "accept" in answer.list_of("Vary")


def test_no_accept_header_means_anything(server: str) -> None:
    assert ask(server, SELECT).type == "application/sparql-results+json"
    assert ask(server, CONSTRUCT).type == "text/turtle"


def test_accept_may_stand_on_several_lines(server: str) -> None:
    answer = ask(server, SELECT, ("Accept", "image/png"), ("Accept", "text/csv"))
    assert (answer.status, answer.type) == (200, "text/csv")


@pytest.mark.parametrize(
    ("query", "accept", "offered"),
    [
        pytest.param(SELECT, "image/png", RESULT_FORMATS, id="picture"),
        pytest.param(SELECT, "*/*;q=0", RESULT_FORMATS, id="nothing"),
        pytest.param(SELECT, "text/turtle", RESULT_FORMATS, id="SELECT as Turtle"),
        pytest.param(SELECT, TURTLE_TOO_FEW, RESULT_FORMATS, id="SELECT as triples"),
        pytest.param(CONSTRUCT, "text/csv", GRAPH_FORMATS, id="CONSTRUCT as CSV"),
        pytest.param(CONSTRUCT, "application/sparql-results+json", GRAPH_FORMATS, id="as results"),
        pytest.param(ASK, "text/turtle", RESULT_FORMATS[:2], id="ASK as Turtle"),
    ],
)
def test_nothing_acceptable_is_406_and_lists_the_types(
    server: str, query: str, accept: str, offered: tuple[Format, ...]
) -> None:
    answer = ask(server, query, ("Accept", accept))
    text = said(problem(answer, 406))
    assert [fmt.media_type for fmt in offered if fmt.media_type not in text] == []
    assert "accept" in answer.list_of("Vary")


@pytest.mark.parametrize("accept", ["text/csv", "text/tab-separated-values"])
def test_a_boolean_is_never_called_a_table(server: str, accept: str) -> None:
    answer = ask(server, ASK, ("Accept", accept))
    assert answer.status in {200, 406}
    if answer.status == 200:  # the table has no boolean form, so this is a default
        fmt = ox.QueryResultsFormat.from_media_type(answer.type)
        assert fmt in {ox.QueryResultsFormat.JSON, ox.QueryResultsFormat.XML}
        assert bool(ox.parse_query_results(answer.body, fmt)) is True


# --- what the answers say ----------------------------------------------------------------------

HARD = (
    'SELECT ?a ?b { VALUES (?a ?b) { ("x, \\"y\\"\\n\\tz"@en UNDEF) (<http://example.org/a> 1.5) '
    '("é 模态 🩻" "2026-01-01"^^<http://www.w3.org/2001/XMLSchema#date>) (true "") '
    '("a\\\\b" "<&>") } }'
)
Term = ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple | None


def expected_solutions(store: ox.Store, query: str) -> list[tuple[Term, ...]]:
    return rows_of(store.query(query))


def rows_of(solutions: object) -> list[tuple[Term, ...]]:
    assert isinstance(solutions, ox.QuerySolutions)
    names = [variable.value for variable in solutions.variables]
    return [tuple(solution[name] for name in names) for solution in solutions]


@pytest.fixture(scope="module")
def engine(server: str) -> ox.Store:
    """The graph that the server publishes, in an engine of our own."""
    answer = send(server, "GET", "/data/medbench.trig")
    assert answer.status == 200
    store = ox.Store()
    store.load(answer.body, ox.RdfFormat.TRIG)
    return store


@pytest.mark.parametrize("query", [HARD, SELECT, MANY], ids=["hard terms", "short", "long"])
@pytest.mark.parametrize("fmt", RESULT_FORMATS, ids=lambda fmt: fmt.name)
def test_results_parse_back_to_the_same_solutions(
    server: str, engine: ox.Store, fmt: Format, query: str
) -> None:
    answer = ask(server, query, ("Accept", fmt.media_type))
    assert (answer.status, answer.type) == (200, fmt.media_type)
    expected = expected_solutions(engine, query)
    if fmt.name == "csv":
        table = list(csv.reader(io.StringIO(answer.body.decode(), newline="")))[1:]
        assert table == [[_lexical(term) for term in row] for row in expected]
    else:
        parser = ox.QueryResultsFormat.from_media_type(fmt.media_type)
        assert parser is not None
        got = rows_of(ox.parse_query_results(answer.body, parser))
        assert got == expected


def _lexical(term: Term) -> str:
    if term is None:
        return ""
    assert isinstance(term, ox.NamedNode | ox.Literal)
    return term.value


@pytest.mark.parametrize("accept", ["application/sparql-results+json", "application/xml"])
@pytest.mark.parametrize(("query", "expected"), [(ASK, True), ("ASK { FILTER(1 = 2) }", False)])
def test_a_boolean_parses_back(server: str, accept: str, query: str, expected: bool) -> None:
    answer = ask(server, query, ("Accept", accept))
    fmt = ox.QueryResultsFormat.JSON if "json" in accept else ox.QueryResultsFormat.XML
    assert bool(ox.parse_query_results(answer.body, fmt)) is expected


TRIPLES = (
    'CONSTRUCT { [] <http://example.org/p> "x, \\"y\\"\\n"@en, 1.5, "é 模态 🩻", '
    "[ <http://example.org/q> <http://example.org/o> ] } WHERE {}"
)


@pytest.mark.parametrize("query", [TRIPLES, CONSTRUCT], ids=["hard terms", "data"])
def test_all_graph_formats_hold_the_same_triples(server: str, query: str) -> None:
    read = [canonical(ask(server, query, ("Accept", fmt.media_type)), fmt) for fmt in GRAPH_FORMATS]
    assert read[0]
    assert [triples for triples in read if triples != read[0]] == []


def canonical(answer: Answer, fmt: Format) -> set[str]:
    """The triples of an answer, with blank nodes labelled by what they are."""
    assert (answer.status, answer.type) == (200, fmt.media_type)
    syntax = ox.RdfFormat.from_media_type(fmt.media_type)
    assert syntax is not None
    dataset = ox.Dataset(ox.parse(answer.body, syntax, base_iri="http://example.org/"))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return {str(quad) for quad in dataset}


@pytest.mark.parametrize(
    ("query", "accept"),
    [
        pytest.param(
            'SELECT ("a\\u0001b" AS ?x) {}', "application/sparql-results+xml", id="results"
        ),
        pytest.param(
            'CONSTRUCT { <urn:s> <urn:p> "a\\u0001b" } WHERE {}',
            "application/rdf+xml",
            id="triples",
        ),
    ],
)
def test_xml_holds_no_character_that_it_can_not_hold(server: str, query: str, accept: str) -> None:
    answer = ask(server, query, ("Accept", accept))
    assert answer.status in {200, 406}
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(0*1|x0*1);", answer.body)


# --- caching and compression -------------------------------------------------------------------

CANNED = "/query/datasets-by-modality?modality=ct&format=json"
CACHED = [
    pytest.param(at(("query", MANY)), id="SELECT"),
    pytest.param(at(("query", ASK)), id="ASK"),
    pytest.param(at(("query", CONSTRUCT)), id="CONSTRUCT"),
    pytest.param(CANNED, id="canned"),
]


@pytest.mark.parametrize("target", CACHED)
def test_an_answer_has_a_strong_tag_that_does_not_change(server: str, target: str) -> None:
    tags = {send(server, "GET", target).headers["ETag"] for _ in range(6)}
    assert len(tags) == 1
    assert re.fullmatch(r'"[\x21\x23-\x7e]+"', tags.pop())


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("written", ["{}", 'W/{}, "x"', '"other", {}', "*"])
@pytest.mark.parametrize("target", CACHED)
def test_a_known_tag_is_304_without_a_body(
    server: str, target: str, written: str, method: str
) -> None:
    full = send(server, "GET", target)
    tag = full.headers["ETag"]
    assert tag
    answer = send(server, method, target, ("If-None-Match", written.format(tag)))
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers["ETag"] == tag
    assert answer.list_of("Vary") == full.list_of("Vary")


@pytest.mark.parametrize("target", CACHED)
def test_another_tag_is_answered_in_full(server: str, target: str) -> None:
    full = send(server, "GET", target)
    answer = send(server, "GET", target, ("If-None-Match", '"other"'))
    assert (answer.status, answer.body) == (200, full.body)


def test_a_tag_belongs_to_version_query_dataset_and_format(server: str) -> None:
    requests = [
        (at(("query", SELECT)), "application/sparql-results+json"),
        (at(("query", SELECT)), "application/sparql-results+xml"),
        (at(("query", SELECT)), "text/csv"),
        (at(("query", SELECT)), "text/tab-separated-values"),
        (at(("query", MANY)), "text/csv"),
        (at(("query", MANY), (DEFAULT, SHAPES)), "text/csv"),
        (at(("query", MANY), (DEFAULT, UNKNOWN)), "text/csv"),
        (at(("query", CONSTRUCT)), "text/turtle"),
        (at(("query", CONSTRUCT)), "application/n-triples"),
    ]
    answers = [send(server, "GET", target, ("Accept", accept)) for target, accept in requests]
    tags = [answer.headers["ETag"] for answer in answers]
    assert None not in tags
    assert len(set(tags)) == len(requests)


def test_a_tag_of_one_format_is_not_304_for_another(server: str) -> None:
    tag = ask(server, SELECT, ("Accept", "text/csv")).headers["ETag"]
    assert tag
    answer = ask(server, SELECT, JSON, ("If-None-Match", tag))
    assert (answer.status, answer.type) == (200, "application/sparql-results+json")


@pytest.mark.parametrize("target", [at(("query", MANY)), "/", "/data/medbench.ttl"])
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param((), id="not asked"),
        pytest.param((("Accept-Encoding", "identity"),), id="identity"),
        pytest.param((("Accept-Encoding", "gzip;q=0"),), id="q=0"),
        pytest.param((("Accept-Encoding", "gzip;q=0, *"),), id="q=0 and anything"),
        pytest.param((("Accept-Encoding", ""),), id="empty"),
    ],
)
def test_nothing_is_compressed_unasked(
    server: str, target: str, headers: tuple[Header, ...]
) -> None:
    answer = send(server, "GET", target, *headers)
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] in {None, "identity"} or (
        "*" in dict(headers).get("Accept-Encoding", "")
        and answer.headers["Content-Encoding"] != "gzip"
    )


@pytest.mark.parametrize("target", [at(("query", MANY)), "/", "/data/medbench.ttl"])
def test_a_compressed_answer_holds_the_same_and_says_so(server: str, target: str) -> None:
    plain = send(server, "GET", target)
    packed = send(server, "GET", target, ("Accept-Encoding", "gzip"))
    assert packed.headers["Content-Encoding"] in {None, "gzip"}
    if packed.headers["Content-Encoding"] == "gzip":
        assert gzip.decompress(packed.body) == plain.body
        assert "accept-encoding" in packed.list_of("Vary")
        assert "accept-encoding" in plain.list_of("Vary")
        assert packed.headers["ETag"] is None or packed.headers["ETag"] != plain.headers["ETag"]
    else:
        assert packed.body == plain.body


# --- service description -----------------------------------------------------------------------


def described(server: str, fmt: Format) -> set[str]:
    answer = send(server, "GET", "/sparql", ("Accept", fmt.media_type))
    assert "accept" in answer.list_of("Vary")
    return canonical(answer, fmt)


def test_the_service_description_is_the_same_in_every_syntax(server: str) -> None:
    read = [described(server, fmt) for fmt in GRAPH_FORMATS]
    assert read[0]
    assert [triples for triples in read if triples != read[0]] == []


def test_the_service_description_says_what_is_true(server: str) -> None:
    answer = send(server, "GET", "/sparql", ("Accept", "application/n-triples"))
    assert answer.status == 200
    triples = list(ox.parse(answer.body, ox.RdfFormat.N_TRIPLES))
    type_ = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
    services = {t.subject for t in triples if (t.predicate, t.object) == (type_, sd("Service"))}
    assert len(services) == 1

    def values(name: str) -> set[object]:
        return {t.object for t in triples if t.subject in services and t.predicate == sd(name)}

    assert values("supportedLanguage") == {sd("SPARQL11Query")}
    assert len(values("endpoint")) == 1
    assert values("resultFormat")
    assert not values("feature") & {sd("BasicFederatedQuery"), sd("DereferencesURIs")}
    assert b"SPARQL11Update" not in answer.body


def sd(name: str) -> ox.NamedNode:
    return ox.NamedNode(SD + name)


def test_a_client_without_wishes_gets_the_description_as_rdf(server: str) -> None:
    for headers in ((), (("Accept", "*/*"),)):
        answer = send(server, "GET", "/sparql", *headers)
        assert answer.status == 200
        assert answer.type in {fmt.media_type for fmt in GRAPH_FORMATS}


def test_a_browser_gets_a_page_to_ask_from(server: str) -> None:
    answer = send(server, "GET", "/sparql", BROWSER)
    assert (answer.status, answer.type) == (200, "text/html")
    assert "accept" in answer.list_of("Vary")


def test_the_description_as_a_picture_is_406(server: str) -> None:
    text = said(problem(send(server, "GET", "/sparql", ("Accept", "image/png")), 406))
    assert "text/turtle" in text


@pytest.mark.parametrize("target", ["/sparql", "/", at(("query", CONSTRUCT))])
def test_the_client_does_not_decide_what_the_server_is_called(server: str, target: str) -> None:
    netloc = urllib.parse.urlsplit(server).netloc
    lines = [
        f"GET {target} HTTP/1.1",
        "Host: evil.example",
        "X-Forwarded-Host: evil.example",
        f"Forwarded: host=evil.example;by={netloc}",
    ]
    address = urllib.parse.urlsplit(server)
    with socket.create_connection((address.hostname, address.port), timeout=TIMEOUT_S) as client:
        client.sendall("\r\n".join([*lines, "Connection: close", "", ""]).encode())
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 ")
    assert b"evil.example" not in received


# --- time --------------------------------------------------------------------------------------


def test_a_runaway_query_is_stopped_and_harms_nobody(server: str) -> None:
    target = at(("query", fresh(RUNAWAY)), ("timeout", "1"))
    answer = send(server, "GET", target, JSON)
    document = problem(answer, 503)
    assert answer.seconds < 3
    assert int(answer.headers["Retry-After"]) > 0
    assert re.search(r"\b1(\.0)? ?s", said(document)), document
    honest = ask(server, fresh(ASK), JSON)
    assert truth(honest) is True
    assert honest.seconds < 1


@pytest.mark.parametrize("way", [in_form, beside_body, beside_query])
def test_the_deadline_is_taken_from_every_way_to_ask(server: str, way: Way) -> None:
    answer = deliver(server, way(fresh(RUNAWAY), (("timeout", "1"),)), JSON)
    problem(answer, 503)
    assert answer.seconds < 3


def test_a_stopped_query_is_not_remembered_as_an_answer(server: str) -> None:
    target = at(("query", fresh(RUNAWAY)), ("timeout", "1"))
    answer = send(server, "GET", target, JSON, ("If-None-Match", "*"))
    problem(answer, 503)
    assert "ETag" not in answer.headers


# --- every answer ------------------------------------------------------------------------------

EVERYTHING = [
    pytest.param("GET", "/", (), 200, id="start page"),
    pytest.param("GET", "/sparql", (), 200, id="description"),
    pytest.param("GET", "/sparql", (BROWSER,), 200, id="query page"),
    pytest.param("GET", at(("query", ASK)), (JSON,), 200, id="answer"),
    pytest.param("HEAD", at(("query", ASK)), (JSON,), 200, id="HEAD"),
    pytest.param("GET", at(("query", ASK)), (("If-None-Match", "*"),), 304, id="304"),
    pytest.param("GET", "/data/medbench.nt", (), 200, id="dump"),
    pytest.param("GET", CANNED, (), 200, id="canned"),
    pytest.param("GET", "/query/datasets-by-modality", (BROWSER,), 200, id="canned page"),
    pytest.param("GET", "/healthz", (), 200, id="healthz"),
    pytest.param("GET", at(("query", "ASK {")), (), 400, id="400"),
    pytest.param("GET", at(("query", "ASK {")), (BROWSER,), 400, id="400 page"),
    pytest.param("GET", at(("update", "DROP ALL")), (), 403, id="403"),
    pytest.param("GET", "/nowhere", (), 404, id="404"),
    pytest.param("PUT", "/sparql", (), 405, id="405"),
    pytest.param("GET", at(("query", ASK)), (("Accept", "image/png"),), 406, id="406"),
    pytest.param("POST", "/sparql", (("Content-Type", "text/plain"),), 415, id="415"),
    pytest.param("OPTIONS", "/sparql", (), 204, id="OPTIONS"),
]


@pytest.mark.parametrize(("method", "target", "headers", "status"), EVERYTHING)
@pytest.mark.parametrize(
    "origin",
    [pytest.param((), id="same"), pytest.param((("Origin", "https://a.example"),), id="foreign")],
)
def test_every_answer_may_be_read_from_any_page_without_credentials(
    server: str,
    method: str,
    target: str,
    headers: tuple[Header, ...],
    status: int,
    origin: tuple[Header, ...],
) -> None:
    body = b"" if method in {"POST", "PUT"} else None
    answer = send(server, method, target, *headers, *origin, body=body)
    assert answer.status == status
    assert answer.headers.get_all("Access-Control-Allow-Origin") == ["*"]
    assert {"etag", "link", "retry-after"} <= answer.list_of("Access-Control-Expose-Headers")
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("method", "target", "headers", "status"), EVERYTHING)
def test_every_answer_tells_browsers_to_be_careful(
    server: str, method: str, target: str, headers: tuple[Header, ...], status: int
) -> None:
    body = b"" if method in {"POST", "PUT"} else None
    answer = send(server, method, target, *headers, body=body)
    assert answer.status == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"]
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src" in policy
    assert "unsafe-" not in policy


# --- operation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_server_says_that_it_lives(server: str, path: str, method: str) -> None:
    assert send(server, method, path).status == 200


def outcomes(server: str) -> dict[str, float]:
    """Number of queries by outcome, read as Prometheus reads it."""
    answer = send(server, "GET", "/metrics")
    assert (answer.status, answer.type) == (200, "text/plain")
    text = answer.body.decode()
    for line in text.splitlines():
        assert re.fullmatch(r"#.*|[a-zA-Z_:][\w:]*(\{.*\})? [-+\w.]+( \d+)?|", line), line
    sample = re.compile(
        r'^(\w*quer\w*_total)\{[^}]*\b(?:outcome|status)="([^"]+)"[^}]*\} (\S+)$', re.MULTILINE
    )
    counts: dict[str, float] = {}
    for name, outcome, value in sample.findall(text):
        assert f"# TYPE {name} counter" in text
        counts[outcome] = counts.get(outcome, 0) + float(value)
    return counts


def test_metrics_count_queries_by_outcome_over_all_processes(server: str) -> None:
    truth(ask(server, fresh(ASK), JSON))
    before = outcomes(server)
    for _ in range(4):
        truth(ask(server, fresh(ASK), JSON))
        problem(ask(server, fresh("ASK {"), JSON), 400)
    after = outcomes(server)
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert len([count for count in grown.values() if count >= 4]) == 2
