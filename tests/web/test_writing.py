"""Records over HTTP: checked for everyone, written with a token, refused for good reasons."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import re
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from rdflib import SH, Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, SDO, SKOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a token of a test"  # noqa: S105
YAML = {"Content-Type": "application/yaml"}
TYPED = {"Content_Type": "application/yaml"}
BASE = "https://w3id.org/medbench-kg/"
HOME = BASE.encode()
HAN = re.compile(r"[一-鿿]")
TRIPLES = {"Content-Type": "application/n-triples"}


class Site(NamedTuple):
    """A server whose records may be written, and where they are."""

    address: str
    data: Path

    def send(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, Any, bytes]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.address}{path}", body, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def write(
        self, method: str, slug: str, body: bytes = b"", **headers: str
    ) -> tuple[int, Any, bytes]:
        named = {"Content_Type": "application/yaml", "Authorization": f"Bearer {TOKEN}", **headers}
        return self.send(method, f"/record/{slug}", body, **named)

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.data.rglob("*") if path.is_file()}

    def journal(self) -> list[dict[str, str]]:
        lines = (self.data / "journal.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def site(
    copied: Callable[[Path], Path],
    running: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    root = copied(tmp_path_factory.mktemp("site"))
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    settings = {
        "MEDBENCH_WRITABLE": "on",
        "MEDBENCH_TOKENS": f"ann:{digest}",
        "MEDBENCH_ACCESS_LOG": "off",
    }
    with running(root, **settings) as address:
        yield Site(address, root / "data")


def record(slug: str = "gemex") -> bytes:
    """GEMeX, or a dataset like it of another name."""
    text = (ROOT / "data" / "datasets" / "gemex.yaml").read_bytes()
    return text.replace(b"gemex", slug.encode())


def triple(subject: str) -> bytes:
    return f'<{subject}> <http://purl.org/dc/terms/identifier> "x" .\n'.encode()


def test_a_record_is_checked_for_everyone_and_nothing_is_kept(site: Site) -> None:
    before = site.files()
    wrong = record().replace(b"chest-x-ray]", b"chest-xray]")
    status, _, body = site.send("POST", "/check", wrong, Content_Type="application/yaml")
    report = json.loads(body)
    assert (status, report["conforms"]) == (200, False)
    (found,) = [one for one in report["findings"] if one["severity"] == "violation"]
    assert (found["key"], found["nearest"]) == ("modality", "chest-x-ray")
    assert found["where"] == "data/datasets/gemex.yaml:9"
    assert found["repairs"]["en"]
    assert "概念表" in found["messages"]["zh"]
    assert site.files() == before


def test_the_report_is_that_of_shacl_for_those_who_ask_for_rdf(site: Site) -> None:
    wrong = record().replace(b"chest-x-ray]", b"chest-xray]")
    status, headers, body = site.send(
        "POST", "/check", wrong, Content_Type="application/yaml", Accept="text/turtle"
    )
    assert status == 200
    assert headers["Content-Type"] == "text/turtle; charset=utf-8"
    report = Graph().parse(data=body, format="turtle")
    assert (None, SH.resultSeverity, SH.Violation) in report


def test_a_record_is_created_changed_and_withdrawn_and_the_journal_tells_of_it(site: Site) -> None:
    status, headers, _ = site.write("PUT", "anew", record("anew"), Medbench_Reason="it%20is%20new")
    assert (status, headers["Location"]) == (201, "/record/anew")
    first = headers["ETag"]
    changed = record("anew").replace(b"{en: GEMeX}", b"{en: Anew}")
    assert site.write("PUT", "anew", changed)[0] == 428
    assert site.write("PUT", "anew", changed, If_None_Match="*", If_Match="*")[0] == 412
    status, headers, _ = site.write("PUT", "anew", changed, If_Match=first)
    assert status == 204
    second = headers["ETag"]
    assert second != first
    assert site.write("PUT", "anew", record("anew"), If_Match=first)[0] == 412
    assert site.write("DELETE", "anew", If_Match=second)[0] == 204
    text = (site.data / "datasets" / "anew.yaml").read_text(encoding="utf-8")
    assert "deprecated: 'true'" in text
    assert "status: deprecated" in text
    lines = [line for line in site.journal() if line["record"] == f"{BASE}record/anew"]
    assert [line["author"] for line in lines] == ["ann"] * 3
    assert lines[0]["reason"] == "it is new"
    assert [line["before"] for line in lines[1:]] == [line["after"] for line in lines[:-1]]
    assert lines[-1]["after"] == hashlib.sha256(text.encode()).hexdigest()


def test_every_process_serves_what_was_written_soon_after(site: Site) -> None:
    _, headers, _ = site.send("GET", "/record/vqa-rad.ttl")
    text = (site.data / "datasets" / "vqa-rad.yaml").read_bytes()
    changed = text.replace(b"title: {en: VQA-RAD}", b"title: {en: VQA-RAD anew}")
    assert changed != text
    known = {"If_Match": headers["ETag"], "Medbench_Reason": "a%20better%20name"}
    assert site.write("PUT", "vqa-rad", changed, **known)[0] == 204
    end = time.monotonic() + 240
    seen = 0
    while seen < 20 and time.monotonic() < end:
        found = b"VQA-RAD anew" in site.send("GET", "/dataset/vqa-rad.ttl")[2]
        seen = seen + 1 if found else 0
        time.sleep(0 if found else 0.2)
    assert seen == 20
    page = site.send("GET", "/changes?thing=dataset/vqa-rad")[2].decode()
    assert "by ann · changed: title <q>a better name</q>" in page
    told = Graph().parse(data=site.send("GET", "/record/vqa-rad.nt")[2], format="nt")
    (version,) = told.subjects(SDO.creditText, Literal("ann"))
    assert told.value(version, SKOS.changeNote) == Literal("a better name")
    root = Graph().parse(data=site.send("GET", "/ldes.nt")[2], format="nt")
    stream = Graph()
    for node in root.objects(None, URIRef("https://w3id.org/tree#node")):
        path = str(node).removeprefix(site.address)
        stream.parse(data=site.send("GET", f"{path}.nt")[2], format="nt")
    versions = set(stream.subjects(DCTERMS.isVersionOf, URIRef(f"{BASE}record/vqa-rad")))
    titles = {str(stream.value(version, DCTERMS.title)) for version in versions}
    assert titles == {"VQA-RAD", "VQA-RAD anew"}


@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [
        ("", "Bearer"),
        ("Basic YW5uOng=", "Bearer"),
        ("Bearer wrong", "error=invalid_token"),
        ("Bearer ", "Bearer"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_nobody_writes_without_a_known_token(
    site: Site, method: str, authorization: str, challenge: str
) -> None:
    before = site.files()
    status, headers, _ = site.write(method, "gemex", record(), Authorization=authorization)
    assert status == 401
    assert challenge in headers["WWW-Authenticate"]
    assert site.files() == before


LETTERS = b"abcdefghijklmnopqrstuvwxyz"
BOMB = b"id: mbd:gemex\na: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (this, this, b", ".join([b"*%c" % before] * 9))
    for before, this in pairwise(LETTERS)
)
JSONLD = {"Content-Type": "application/ld+json"}
TURTLE = {"Content-Type": "text/turtle"}
GEMEX = f"<{BASE}dataset/gemex> <http://purl.org/dc/terms/relation> ".encode()
REFUSED = {
    "triples about another dataset": (TRIPLES, triple(f"{BASE}dataset/vqa-rad"), 409),
    "two things at once": (
        TRIPLES,
        triple(f"{BASE}dataset/gemex") + triple(f"{BASE}dataset/vqa-rad"),
        422,
    ),
    "a term of the ontology": (
        TRIPLES,
        triple(f"{BASE}dataset/gemex") + triple(f"{BASE}ontology#modality"),
        422,
    ),
    "a shape": (TRIPLES, triple(f"{BASE}shapes#Dataset"), 422),
    "another record inside": (
        YAML,
        record().replace(b"'#images'", b"mbd:vqa-rad"),
        422,
    ),
    "a foreign class": (YAML, record().replace(b"[Benchmark]", b"[Benchmark, 'owl:Class']"), 422),
    "a remote context": (
        JSONLD,
        b'{"@context": "https://example.org/context", "id": "mbd:gemex"}',
        422,
    ),
    "a context inside": (
        JSONLD,
        b'{"@id": "urn:x", "urn:p": {"@context": "https://example.org/context"}}',
        422,
    ),
    "a context in YAML": (YAML, b"'@context': https://example.org/c\n" + record(), 422),
    "our context and a remote one": (
        JSONLD,
        (
            b'{"@context": ["https://w3id.org/medbench-kg/context.jsonld", "https://example.org/c"],'
            b' "id": "mbd:gemex"}'
        ),
        422,
    ),
    "a context that imports another": (
        JSONLD,
        b'{"@context": {"@version": 1.1, "@import": "https://example.org/c"}, "id": "mbd:gemex"}',
        422,
    ),
    "aliases": (YAML, BOMB, 400),
    "an object of Python": (YAML, b"!!python/object/apply:os.system ['true']", 400),
    "a key with a blank": (YAML, record() + b"see also: x\n", 422),
    "a merge": (YAML, record() + b"'<<': {identifier: other}\n", 422),
    "brackets without end": (YAML, b"[" * 100_000, 400),
    "mappings without end": (YAML, b"{a: " * 100_000 + b"x" + b"}" * 100_000, 400),
    "lists without end": (YAML, b"- " * 100_000 + b"x", 400),
    "keys without end": (YAML, b"? " * 100_000, 400),
    "braces without end": (JSONLD, b'{"a":' * 100_000, 400),
    "graphs within graphs": (JSONLD, b'{"@graph":[' * 497 + b"]}" * 497, 400),
    "nodes within nodes": (
        TURTLE,
        GEMEX + b"[<urn:p> " * 20_000 + b"1" + b"]" * 20_000 + b".",
        422,
    ),
    "lists within lists": (TURTLE, GEMEX + b"(" * 5000 + b")" * 5000 + b".", 422),
    "a chain of nodes": (
        TURTLE,
        b"".join(
            GEMEX.replace(b"gemex", b"gemex#%d" % n) + b"<%sdataset/gemex#%d> .\n" % (HOME, n + 1)
            for n in range(3000)
        )
        + GEMEX
        + b"<%sdataset/gemex#0> ." % HOME,
        400,
    ),
    "a triple about a triple": (TURTLE, GEMEX + b"<<( <urn:a> <urn:b> <urn:c> )>> .", 422),
    "a large text": (YAML, record().replace(b"GEMeX}", b"x" * 900_000 + b"}"), 400),
    "many anchors": (
        YAML,
        record() + b"".join(b"k%d: &a%d x\n" % (n, n) for n in range(2000)),
        422,
    ),
    "many aliases": (YAML, b"id: &a mbd:gemex\nb: [" + b"*a, " * 50_000 + b"]\n", 400),
    "an alias of a text": (YAML, record().replace(b"{en: GEMeX}", b"{en: &a x, zh: *a}"), 400),
    "a tag inside": (YAML, record().replace(b"{en: GEMeX}", b"!!python/dict {en: x}"), 400),
    "two documents": (YAML, record() + b"---\n" + record(), 400),
    "UTF-16": (YAML, record().decode().encode("utf-16"), 400),
    "JSON in UTF-16": (JSONLD, '{"@id": "urn:x"}'.encode("utf-16"), 400),
    "JSON with a key twice": (JSONLD, b'{"@id": "urn:x", "@id": "urn:y"}', 400),
    "JSON with half a character": (JSONLD, b'{"@id": "urn:x", "urn:p": "\\ud800"}', 400),
    "JSON with no number": (JSONLD, b'{"@id": "urn:x", "urn:p": NaN}', 400),
    "JSON with a long number": (JSONLD, b'{"urn:p": ' + b"9" * 9999 + b"}", 400),
    "Turtle in UTF-16": (TURTLE, (GEMEX + b"1 .").decode().encode("utf-16"), 400),
    "an escaped NUL": (YAML, record().replace(b"{en: GEMeX}", b'{en: "\\0"}'), 400),
    "a NUL in Turtle": (TURTLE, GEMEX + b"'\\u0000' .", 400),
    "half a character": (YAML, record().replace(b"{en: GEMeX}", b'{en: "\\ud800"}'), 400),
    "a text turned around": (YAML, record().replace(b"GEMeX}", "x\u202ey}".encode()), 400),
    "no UTF-8": (YAML, record() + b"note: \xff\n", 400),
    "a control character": (YAML, record().replace(b"GEMeX}", b"GEMeX\x00}"), 400),
    "nothing": (YAML, b"", 400),
    "a named graph": (
        JSONLD,
        b'{"@id": "urn:g", "@graph": [{"@id": "urn:x", "urn:p": "y"}]}',
        422,
    ),
    "a loose node": (
        TRIPLES,
        triple(f"{BASE}dataset/gemex") + b'<urn:x> <http://purl.org/dc/terms/title> "x" .\n',
        422,
    ),
    "a number of the wrong kind": (YAML, record().replace(b"'151025'", b"many"), 422),
    "a date of the wrong kind": (YAML, record().replace(b"2024-11\n", b"last winter\n"), 422),
    "a key twice": (YAML, b"id: mbd:gemex\nid: mbd:gemex\n", 400),
    "no YAML": (YAML, b"{", 400),
    "no Turtle": ({"Content-Type": "text/turtle"}, b"<a> <b>", 400),
    "a path as a slug": (YAML, record().replace(b"mbd:gemex", b"mbd:../../x"), 422),
    "XML": (
        {"Content-Type": "application/rdf+xml"},
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        415,
    ),
    "plain JSON": ({"Content-Type": "application/json"}, b"{}", 415),
    "plain text": ({"Content-Type": "text/plain"}, record(), 415),
    "no type": ({"Content-Type": ""}, record(), 415),
    "a part of it": ({**YAML, "Content-Range": "bytes 0-9/10"}, record(), 400),
    "a form": ({"Content-Type": "application/x-www-form-urlencoded"}, b"a=b", 415),
    "another charset": ({"Content-Type": "text/turtle; charset=utf-16"}, record(), 415),
    "something compressed": ({**YAML, "Content-Encoding": "gzip"}, record(), 415),
    "100 MB": (YAML, bytes(100_000_000), 413),
}


def assert_said(problem: dict[str, Any], lang: str, *, is_yaml: bool) -> None:
    """What is wrong, and how to repair it, is said in the language; of YAML with the line."""
    said = [problem["detail"]]
    if problem["type"].endswith(("/record", "/submission")):
        said.append(problem["hint"])
        assert not is_yaml or re.fullmatch(r"\S+[.]yaml:\d+", problem["where"])
    for one in problem.get("findings", ()):
        said += [one["messages"][lang], one["repairs"][lang]]
    assert all(bool(HAN.search(one)) == (lang == "zh") for one in said), said


@pytest.mark.parametrize("what", REFUSED)
def test_what_may_not_be_written_is_refused_and_changes_nothing(site: Site, what: str) -> None:
    headers, body, expected = REFUSED[what]
    before = site.files()
    named = {name.replace("-", "_"): value for name, value in headers.items()}
    try:
        status, told, problem = site.write(
            "PUT", "gemex", body, If_Match="*", Accept_Language="zh", **named
        )
    except (BrokenPipeError, ConnectionResetError, urllib.error.URLError):
        assert expected == 413  # the server doesn't read on
    else:
        assert status == expected
        assert told["Content-Type"] == "application/problem+json"
        assert_said(json.loads(problem), "zh", is_yaml=headers == YAML)
    if expected == 400 and "Content-Range" not in headers:
        status, _, problem = site.send("POST", "/check", body, **named)
        assert status == expected
        assert_said(json.loads(problem), "en", is_yaml=headers == YAML)
    assert site.files() == before


@pytest.mark.parametrize("said", [b"", b"type: [Benchmrk]\n"])
def test_a_record_that_does_not_say_what_it_is_is_found(site: Site, said: bytes) -> None:
    sent = b"id: mbd:anew\n" + said + b"title: {en: Anew}\n"
    status, _, body = site.send("POST", "/check", sent, **TYPED)
    report = json.loads(body)
    assert (status, report["conforms"]) == (200, False)
    (found,) = [one for one in report["findings"] if one["key"] == "type"]
    assert found["where"] == f"data/datasets/anew.yaml:{2 if said else 1}"
    for lang, is_chinese in (("en", False), ("zh", True)):
        for one in (found["messages"][lang], found["repairs"][lang]):
            assert bool(HAN.search(one)) == is_chinese


def test_a_byte_order_mark_is_no_part_of_a_record(site: Site) -> None:
    for form, body in ((YAML, record()), (TURTLE, GEMEX + b"1 .")):
        plain = site.send("POST", "/check", body, Content_Type=form["Content-Type"])
        marked = site.send(
            "POST", "/check", b"\xef\xbb\xbf" + body, Content_Type=form["Content-Type"]
        )
        assert json.loads(marked[2])["findings"] == json.loads(plain[2])["findings"]


def test_what_lacks_a_catalogue_record_is_told_so(site: Site) -> None:
    body = b"id: mbd:anew\ntype: [Benchmark]\n"
    found = json.loads(site.send("POST", "/check", body, **TYPED)[2])["findings"]
    assert "record" in {one["key"] for one in found}


def test_a_body_without_end_is_refused_and_changes_nothing(site: Site) -> None:
    """Nobody says how long it is: it comes in chunks."""
    before = site.files()
    connection = http.client.HTTPConnection(site.address.removeprefix("http://"), timeout=60)
    headers = {**YAML, "Authorization": f"Bearer {TOKEN}", "If-Match": "*"}
    chunks = (b"# and so on\n" * 1000 for _ in range(10_000))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the server doesn't read on
        connection.request("PUT", "/record/gemex", chunks, headers, encode_chunked=True)
        assert connection.getresponse().status in {400, 411, 413}
    connection.close()
    assert site.files() == before


@pytest.mark.parametrize(
    ("method", "slug", "match", "expected"),
    [
        ("PUT", "gemex", {}, 428),
        ("PUT", "gemex", {"If_None_Match": "*"}, 412),
        ("PUT", "gemex", {"If_Match": '"0000"'}, 412),
        ("PUT", "gemex", {"If_Match": "nonsense"}, 412),
        ("PUT", "brand-new", {"If_Match": "*"}, 412),
        ("DELETE", "gemex", {}, 428),
        ("DELETE", "gemex", {"If_Match": '"0000"'}, 412),
        ("DELETE", "brand-new", {"If_Match": "*"}, 404),
        ("PUT", "gemex.ttl", {"If_Match": "*"}, 409),
        ("PATCH", "gemex", {"If_Match": "*"}, 405),
        ("POST", "gemex", {}, 405),
    ],
)
def test_a_write_whose_condition_or_address_fails_changes_nothing(
    site: Site, method: str, slug: str, match: dict[str, str], expected: int
) -> None:
    before = site.files()
    body = record(slug if slug == "brand-new" else "gemex")
    assert site.write(method, slug, body, **match)[0] == expected
    assert site.files() == before


def test_a_record_that_is_withdrawn_already_is_left_as_it_is(site: Site) -> None:
    _, headers, _ = site.write("PUT", "gone", record("gone"))
    status, headers, _ = site.write("DELETE", "gone", If_Match=headers["ETag"])
    before = site.files()
    assert site.write("DELETE", "gone", If_Match=headers["ETag"])[0] == status == 204
    assert site.files() == before


def test_findings_keep_a_record_out_and_are_told_in_the_readers_language(site: Site) -> None:
    before = site.files()
    wrong = record().replace(b"chest-x-ray]", b"chest-xray]")
    status, _, body = site.write("PUT", "gemex", wrong, If_Match="*", Accept_Language="zh-CN,zh")
    problem = json.loads(body)
    assert (status, problem["type"]) == (422, f"{BASE}problem/shapes")
    assert "概念表" in problem["findings"][0]["message"]
    status, headers, _ = site.write("PUT", "gemex", wrong, If_Match="*", Accept="text/turtle")
    assert (status, headers["Content-Type"]) == (422, "text/turtle; charset=utf-8")
    assert site.files() == before


def test_a_record_stays_with_its_thing_and_its_address(site: Site) -> None:
    assert site.write("PUT", "vqa-rad", record(), If_Match="*")[0] == 409
    taken = record("other").replace(b"mbr:other", b"mbr:gemex")
    assert site.write("PUT", "gemex", taken, If_Match="*")[0] == 409


def test_the_graph_itself_can_be_sent_as_rdf(site: Site) -> None:
    """Nothing but the date differs: the file keeps its order."""
    from medbench_kg import records, submission, vocabulary  # noqa: PLC0415
    from medbench_kg.negotiation import by_name  # noqa: PLC0415

    names = vocabulary.load()
    one = records.parse(record("rdf-anew"), Path("datasets/rdf-anew.yaml"), names)
    body = submission.triples(one, names).dump(by_name("turtle"))
    status, _, _ = site.write("PUT", "rdf-anew", body, Content_Type="text/turtle")
    assert status == 201


def test_writers_at_the_same_time_lose_nothing(site: Site) -> None:
    slugs = [f"crowd-{number}" for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda slug: site.write("PUT", slug, record(slug)), slugs))
    assert [status for status, *_ in answers] == [201] * 4
    for slug, (_, headers, _) in zip(slugs, answers, strict=True):
        content = (site.data / "datasets" / f"{slug}.yaml").read_bytes()
        assert headers["ETag"].strip('"') == hashlib.sha256(content).hexdigest()


def test_a_server_that_is_not_writable_takes_no_record(server: str) -> None:
    site = Site(server, ROOT / "data")
    status, headers, _ = site.write("PUT", "gemex", record())
    assert status == 405
    assert "PUT" not in headers["Allow"]
