"""Feeds as a reader reads them, the event stream as a client follows it."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import feedparser
import pytest
from flask import Flask
from rdflib import RDF, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, FOAF, SDO

from medbench_kg import metadata, records, versions, vocabulary
from medbench_kg.journal import Line, State
from medbench_kg.store import LocalStore
from medbench_kg.web import problems, words
from medbench_kg.web.feeds import feeds

if TYPE_CHECKING:
    from email.message import Message

    from flask.testing import FlaskClient

BASE = "https://w3id.org/medbench-kg/"
MB = Namespace(f"{BASE}ontology#")
LDES = Namespace("https://w3id.org/ldes#")
TREE = Namespace("https://w3id.org/tree#")
ADMS = Namespace("http://www.w3.org/ns/adms#")
AS = Namespace("https://www.w3.org/ns/activitystreams#")
STREAM = URIRef(f"{BASE}ldes#stream")

#: One record on an earlier day, one that was changed later, one that was withdrawn.
HISTORY = """
@prefix adms: <http://www.w3.org/ns/adms#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix mb: <https://w3id.org/medbench-kg/ontology#> .
@prefix mbd: <https://w3id.org/medbench-kg/dataset/> .
@prefix mbr: <https://w3id.org/medbench-kg/record/> .
@prefix mbstat: <https://w3id.org/medbench-kg/record-status/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
mb:Dataset rdfs:label "Dataset"@en , "数据集"@zh .
dcterms:title rdfs:label "title"@en , "标题"@zh .
dcterms:description rdfs:label "description"@en , "描述"@zh .
mb:venue rdfs:label "venue"@en , "发表渠道"@zh .
mbd:old a mb:Dataset ; dcterms:title "Old & <odd>"@en .
mbd:new a mb:Dataset ; dcterms:title "New"@en , "新"@zh .
mbd:gone a mb:Dataset ; dcterms:title "Gone"@en ; dcterms:isReplacedBy mbd:new .
mbr:old a dcat:CatalogRecord ; foaf:primaryTopic mbd:old ; adms:status mbstat:accepted ;
  dcterms:issued "2026-01-31"^^xsd:date ; dcterms:modified "2026-01-31"^^xsd:date .
mbr:new a dcat:CatalogRecord ; foaf:primaryTopic mbd:new ; adms:status mbstat:accepted ;
  dcterms:issued "2026-01-31"^^xsd:date ; dcterms:modified "2026-02-03"^^xsd:date .
mbr:gone a dcat:CatalogRecord ; foaf:primaryTopic mbd:gone ; adms:status mbstat:deprecated ;
  dcterms:issued "2026-01-31"^^xsd:date ; dcterms:modified "2026-02-03"^^xsd:date .
"""


class Answer(NamedTuple):
    status: int
    headers: Message
    body: bytes


def fetch(url: str, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=named), timeout=30
        ) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def line(time: str, author: str, before: str, after: str, states: tuple[State, ...]) -> Line:
    """A line of the journal: a write to the record of “old”, and its states before and after."""
    former, state = states if len(states) > 1 else (None, *states)
    record = f"{BASE}record/old"
    changed = (str(DCTERMS.title),)
    return Line(time, author, "a typo", record, "a", before, after, state, former, changed)


def state(modified: str, title: str, status: str = "accepted") -> State:
    return State(f"{BASE}dataset/old", "2026-01-31", modified, status, {"en": title})


#: The first write takes the place of what a person wrote; somebody edits the file before the last.
WRITES = [
    line("2026-01-31T10:00:00+00:00", "ann", "0", "1",
         (state("2026-01-31", "Oldest"), state("2026-01-31", "Older"))),
    line("2026-02-01T11:00:00+00:00", "bob", "1", "2",
         (state("2026-01-31", "Older"), state("2026-02-01", "Odd"))),
    line("2026-02-03T12:00:00+00:00", "ann", "3", "4",
         (state("2026-02-02", "Edited"), state("2026-02-03", "Old & <odd>", "deprecated"))),
]  # fmt: skip


NAMES = vocabulary.load()


def record(modified: str, title: str, more: str = "") -> records.Record:
    text = (
        f"id: mbd:old\ntitle: {{en: {title}}}\n{more}"
        f"record: {{id: mbr:old, issued: '2026-01-31', modified: '{modified}', status: accepted}}\n"
    )
    return records.parse(text, Path("datasets/old.yaml"), NAMES)


#: What people committed before: the second state is that which the first write replaced.
BEFORE = {f"{BASE}record/old": [record("2026-01-30", "First"), record("2026-01-31", "Oldest")]}

#: The record as it is: edited by hand on the day of the last write.
PRESENT = record("2026-02-03", "Back")


@pytest.fixture(scope="module")
def written() -> FlaskClient:
    """The same records, one of them written over HTTP several times."""
    store = LocalStore()
    store.load(
        HISTORY.replace('-01-31"^^xsd:date .\nmbr:new', '-02-03"^^xsd:date .\nmbr:new').encode(),
        "turtle",
    )
    metadata.add_history(store, versions.of_records(WRITES, [PRESENT], BEFORE, NAMES))
    return client(store)


@pytest.fixture(scope="module")
def history() -> FlaskClient:
    store = LocalStore()
    store.load(HISTORY.encode(), "turtle")
    return client(store)


def client(store: LocalStore) -> FlaskClient:
    app = Flask("medbench_kg.web")
    words.register(app)
    problems.register(app)
    app.register_blueprint(feeds(store))
    return app.test_client()


@pytest.mark.parametrize(
    ("path", "lang", "kind", "title"),
    [
        ("/feed.atom", "en", "Dataset", "medbench-kg: what is new"),
        ("/zh/feed.atom", "zh-Hans", "数据集", "medbench-kg：最近变更"),
        (
            "/modality/ct/feed.atom",
            "en",
            "Dataset",
            "medbench-kg: what is new about Computed tomography (CT)",
        ),
        (
            "/zh/modality/ct/feed.atom",
            "zh-Hans",
            "数据集",
            "medbench-kg：“计算机断层扫描（CT）”的最近变更",
        ),
    ],
)
def test_a_feed_has_all_that_atom_demands(
    server: str, path: str, lang: str, kind: str, title: str
) -> None:
    answer = fetch(server + path)
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    read = feedparser.parse(answer.body)
    assert not read.bozo
    assert read.version == "atom10"
    assert (read.feed.id, read.feed.title, read.feed.language) == (
        f"{BASE}{path.removeprefix('/')}",
        title,
        lang,
    )
    assert read.feed.author
    assert {"rel": "self", "href": server + path, "type": "application/atom+xml"} in read.feed.links
    assert len({entry.id for entry in read.entries}) == len(read.entries) > 5
    for entry in read.entries:
        assert entry.id.startswith(BASE)
        assert entry.title
        assert entry.summary
        assert datetime(*entry.updated_parsed[:6], tzinfo=UTC) <= datetime(
            *read.feed.updated_parsed[:6], tzinfo=UTC
        )
        assert entry.link.startswith(server)
    assert kind in {tag.label for entry in read.entries for tag in entry.tags}


def test_a_feed_of_a_concept_has_what_the_query_finds(server: str) -> None:
    rows = fetch(f"{server}/query/datasets-by-modality?modality=ct&format=csv").body.decode()
    found = {line.split(",")[0] for line in rows.splitlines()[1:]}
    entries = feedparser.parse(fetch(f"{server}/modality/ct/feed.atom").body).entries
    assert {entry.id for entry in entries} == found


def test_an_unknown_concept_has_no_feed(server: str) -> None:
    answer = fetch(f"{server}/modality/nonsense/feed.atom")
    assert answer.status == 404
    assert answer.headers.get_content_type() == "application/problem+json"


def test_a_page_leads_to_the_feed_of_its_language(server: str) -> None:
    for path in ("/", "/zh/"):
        page = fetch(server + path, Accept="text/html").body.decode()
        assert 'type="application/atom+xml" title="medbench-kg' in page
        assert f'href="{path}feed.atom"' in page


def test_a_feed_says_what_was_withdrawn_and_escapes_titles(history: FlaskClient) -> None:
    text = history.get("/zh/feed.atom").text
    assert f'<at:deleted-entry ref="{BASE}dataset/gone" when="2026-02-03T00:00:00Z">' in text
    read = feedparser.parse(text)
    assert not read.bozo
    assert [entry.id for entry in read.entries] == [f"{BASE}dataset/new", f"{BASE}dataset/old"]
    assert read.entries[0].title == "新"
    assert "Old &amp; &lt;odd&gt;" in text


def test_a_feed_says_what_was_changed_by_whom_and_why() -> None:
    store = LocalStore()
    store.load(HISTORY.replace("01-31", "02-01").encode(), "turtle")
    present = replace(PRESENT, digest="2")
    metadata.add_history(store, versions.of_records(WRITES[:2], [present], {}, NAMES))
    for path, said, event in (
        ("/feed.atom", "changed: title · a typo · Dataset", "changed"),
        ("/zh/feed.atom", "修改：标题 · a typo · 数据集", "修改"),
    ):
        read = feedparser.parse(client(store).get(path).text)
        (old,) = [entry for entry in read.entries if entry.id == f"{BASE}dataset/old"]
        assert not read.bozo
        assert old.summary == said
        assert old.contributors == [{"name": "bob"}]
        assert old.tags[1]["term"] == "Update"
        assert old.tags[1]["label"] == event


def test_a_feed_says_who_withdrew_a_record_and_why() -> None:
    store = LocalStore()
    about_old = "foaf:primaryTopic mbd:old ; adms:status mbstat:"
    withdrawn = HISTORY.replace(f"{about_old}accepted", f"{about_old}deprecated")
    store.load(withdrawn.encode(), "turtle")
    present = replace(PRESENT, digest="4")
    metadata.add_history(store, versions.of_records(WRITES, [present], BEFORE, NAMES))
    text = client(store).get("/feed.atom").text
    assert "<at:by><name>ann</name></at:by><at:comment>a typo</at:comment>" in text


def test_a_version_from_git_says_what_was_added_removed_and_changed() -> None:
    store = LocalStore()
    store.load(HISTORY.encode(), "turtle")
    before = {
        f"{BASE}record/old": [
            record("2026-01-31", "One", "description: {en: x}\n"),
            record("2026-02-01", "Two", "venue: [iccv]\n"),
        ]
    }
    metadata.add_history(store, versions.of_records([], [PRESENT], before, NAMES))
    told = Graph().parse(data=client(store).get("/ldes/2026-02-01.ttl").data)
    version = URIRef(f"{BASE}record/old#2026-02-01")
    assert set(told.objects(version, ADMS.versionNotes)) == {
        Literal("added: venue; removed: description; changed: title", "en"),
        Literal("新增：发表渠道；删除：描述；修改：标题", "zh"),
    }
    assert set(told.objects(version, MB.addedProperty)) == {MB.venue}
    assert set(told.objects(version, MB.removedProperty)) == {DCTERMS.description}
    assert len(set(told.objects(version, MB.changedProperty))) == 3


def members(graph: Graph) -> set[str]:
    return {str(member) for member in graph.objects(STREAM, TREE.member)}


@pytest.mark.parametrize(
    ("accept", "parser"),
    [
        ("text/turtle", "turtle"),
        ("application/n-triples", "nt"),
        ("application/ld+json", "json-ld"),
        ("application/rdf+xml", "xml"),
    ],
)
def test_a_client_finds_each_record_once_by_following_the_stream(
    server: str, store: LocalStore, accept: str, parser: str
) -> None:
    answer = fetch(f"{server}/ldes", Accept=accept)
    assert answer.headers.get_content_type() == accept
    assert "Accept" in answer.headers["Vary"]
    root = Graph().parse(data=answer.body, format=parser)
    assert set(root.objects(STREAM, TREE.view)) == {URIRef(f"{server}/ldes")}
    assert root.value(STREAM, LDES.timestampPath) == DCTERMS.created
    found: list[URIRef] = []
    for node in set(root.objects(None, TREE.node)):
        page = Graph().parse(data=fetch(str(node), Accept=accept).body, format=parser)
        for member in page.objects(STREAM, TREE.member):
            found += page.objects(member, DCTERMS.isVersionOf)
    records = store.copy_to_rdflib().subjects(FOAF.primaryTopic, None)
    assert sorted(found) == sorted(set(records))


def test_the_newest_page_is_open_and_can_be_revalidated(server: str) -> None:
    root = Graph().parse(data=fetch(f"{server}/ldes", Accept="text/turtle").body)
    newest = max(str(node) for node in root.objects(None, TREE.node))
    answer = fetch(f"{newest}.ttl")
    assert "immutable" not in answer.headers["Cache-Control"]
    assert fetch(f"{newest}.ttl", If_None_Match=answer.headers["ETag"]).status == 304
    assert fetch(f"{server}/ldes/1999-01-01").status == 404


def test_the_stream_bounds_each_page_by_time(history: FlaskClient) -> None:
    root = Graph().parse(data=history.get("/ldes.ttl").data)
    bounds = {
        (str(page).rpartition("/")[2], str(root.value(relation, RDF.type)).rpartition("#")[2]): str(
            root.value(relation, TREE.value)
        )
        for relation, page in root.subject_objects(TREE.node)
    }
    assert bounds == {
        ("2026-01-31", "GreaterThanOrEqualToRelation"): "2026-01-31T00:00:00+00:00",
        ("2026-01-31", "LessThanRelation"): "2026-02-01T00:00:00+00:00",
        ("2026-02-03", "GreaterThanOrEqualToRelation"): "2026-02-03T00:00:00+00:00",
    }


def test_a_closed_page_may_be_kept_for_ever(history: FlaskClient) -> None:
    closed = history.get("/ldes/2026-01-31.nt")
    assert closed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    page = Graph().parse(data=closed.data, format="nt")
    assert members(page) == {f"{BASE}record/old#2026-01-31"}
    assert [str(value) for value in page.objects(None, LDES.immutable)] == ["true"]


def test_a_withdrawn_record_is_a_tombstone(history: FlaskClient) -> None:
    page = Graph().parse(data=history.get("/ldes/2026-02-03.nt").data, format="nt")
    assert members(page) == {f"{BASE}record/new#2026-02-03", f"{BASE}record/gone#2026-02-03"}
    gone = URIRef(f"{BASE}record/gone#2026-02-03")
    assert page.value(gone, RDF.type) == AS.Delete
    assert page.value(gone, DCTERMS.isReplacedBy) == URIRef(f"{BASE}dataset/new")
    assert page.value(URIRef(f"{BASE}record/new#2026-02-03"), RDF.type) == AS.Update


def test_every_version_of_a_record_stays_in_the_stream(written: FlaskClient) -> None:
    root = Graph().parse(data=written.get("/ldes.ttl").data)
    assert root.value(None, LDES.retentionPolicy) is None
    pages = {str(node).rpartition("/")[2] for node in root.objects(None, TREE.node)}
    assert pages == {"2026-01-30", "2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03"}
    stream = Graph()
    for page in pages:
        stream.parse(data=written.get(f"/ldes/{page}.ttl").data)
    of_old = stream.subjects(DCTERMS.isVersionOf, URIRef(f"{BASE}record/old"))
    told = {
        str(version).removeprefix(f"{BASE}record/old#"): (
            str(stream.value(version, RDF.type)).rpartition("#")[2],
            str(stream.value(version, DCTERMS.title)),
            str(stream.value(version, SDO.creditText)),
        )
        for version in of_old
    }
    assert told == {
        "2026-01-30": ("Update", "First", "None"),
        "2026-01-31": ("Create", "Oldest", "None"),
        "2026-01-31-2": ("Update", "Older", "ann"),
        "2026-02-01": ("Update", "Odd", "bob"),
        "2026-02-02": ("Update", "Edited", "None"),
        "2026-02-03": ("Delete", "Old & <odd>", "ann"),
        "2026-02-03-2": ("Update", "Back", "None"),
    }
    assert len(members(stream)) == 7 + 2


def test_what_was_told_of_a_version_never_changes(written: FlaskClient) -> None:
    """What happens later adds members; those that there were stay byte for byte."""
    early = LocalStore()
    early.load(HISTORY.encode(), "turtle")
    metadata.add_history(early, versions.of_records(WRITES[:1], [PRESENT], BEFORE, NAMES))
    before = Graph().parse(data=client(early).get("/ldes/2026-01-31.nt").data, format="nt")
    after = Graph().parse(data=written.get("/ldes/2026-01-31.nt").data, format="nt")
    for member in members(before):
        about = URIRef(member)
        assert set(before.predicate_objects(about)) == set(after.predicate_objects(about))
    assert written.get("/ldes/2026-01-31.nt").headers["Cache-Control"].endswith("immutable")
