"""The forms of ``/contribute`` over HTTP: entries, findings beside fields, records, refusals."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import yaml

from medbench_kg import records, vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from medbench_kg.store import LocalStore

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a token of a test"  # noqa: S105
REPOSITORY = "https://github.com/example/kg"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

#: What conforms, as a person would enter it.
GOOD: dict[str, Any] = {
    "title.en": "FooBench",
    "type": ["Benchmark", "TrainingSet"],
    "description.en": "Questions about CT images, made from public teaching files, to test models.",
    "description.zh": "关于 CT 图像的问答，取自公开教学资料，用于评测模型。",
    "issued": "2025-03",
    "modality": ["ct", "text"],
    "task": "visual-question-answering",
    "extent.value": "151,025",
    "extent.unit": "image",
    "extent.extentKind": "content",
    "distribution.accessURL": "https://huggingface.co/datasets/example/foobench",
    "distribution.licence": "cc-by-4.0",
    "paper": "https://arxiv.org/abs/2411.16778v2",
    "record.evidence.source": "https://example.org/foobench",
}


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes

    @property
    def page(self) -> Page:
        return Page.of(self.body.decode())


class Page(HTMLParser):
    """What a browser would see: elements by id, inputs by name, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""

    @classmethod
    def of(cls, text: str) -> Page:
        page = cls()
        page.feed(text)
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def find(self, **wanted: str) -> dict[str, str]:
        return next(a for _, a in self.elements if wanted.items() <= a.items())

    def texts(self, source: str, element_id: str) -> str:
        """The text inside of an element that holds no other of its kind."""
        after = source.split(f'id="{element_id}"', 1)[1].split(">", 1)[1]
        inner = Page()
        inner.feed(after.split("</ul>")[0])
        return inner.text


class Site(NamedTuple):
    address: str
    data: Path

    def post(
        self, entries: Mapping[str, object] | bytes, path: str = "/contribute", **headers: str
    ) -> Answer:
        body = entries if isinstance(entries, bytes) else urlencode(entries, doseq=True).encode()
        return self.send(path, body, **{**FORM, **headers})

    def send(self, path: str, body: bytes | None = None, **headers: str) -> Answer:
        request = urllib.request.Request(f"{self.address}{path}", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.data.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def site(
    copied: Callable[[Path], Path],
    running: Callable[..., AbstractContextManager[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    root = copied(tmp_path_factory.mktemp("site"))
    settings = {
        "MEDBENCH_WRITABLE": "on",
        "MEDBENCH_TOKENS": f"ann:{hashlib.sha256(TOKEN.encode()).hexdigest()}",
        "MEDBENCH_REPOSITORY": REPOSITORY,
        "MEDBENCH_ACCESS_LOG": "off",
    }
    with running(root, **settings) as address:
        yield Site(address, root / "data")


@pytest.mark.parametrize(("path", "lang"), [("/contribute", "en"), ("/zh/contribute", "zh")])
def test_every_concept_can_be_chosen_by_its_name_in_the_readers_language(
    site: Site, store: LocalStore, path: str, lang: str
) -> None:
    from medbench_kg.form import form  # noqa: PLC0415

    answer = site.send(path)
    text, page = answer.body.decode(), answer.page
    offered = {(a["name"], a["value"]) for _, a in page.elements if a.get("type") == "checkbox"}
    for field in form(store).fields:
        assert field.names[lang] in text
        assert field.helps[lang] in page.text
        assert all(choice.names[lang] in page.text for choice in field.choices)
        if field.is_multiple:
            assert {(field.name, choice.value) for choice in field.choices} <= offered


def test_what_conforms_becomes_a_record_a_page_and_two_rows(site: Site) -> None:
    before = site.files()
    answer = site.post(GOOD)
    assert answer.status == 200
    text = answer.page.text
    assert "It conforms" in text
    assert "data/datasets/foobench.yaml" in text
    assert "| FooBench | [GEMeX: " in text
    assert "151,025 图像" in text
    assert site.files() == before
    address = next(a["href"] for _, a in answer.page.elements if "issues/new" in a.get("href", ""))
    told = parse_qs(urlsplit(address).query)
    assert address.startswith(f"{REPOSITORY}/issues/new?")
    assert told["title-en"] == ["FooBench"]
    assert "mbd:foobench" in told["record"][0]
    template = ROOT / ".github" / "ISSUE_TEMPLATE" / told.pop("template")[0]
    elements = {one.get("id"): one for one in yaml.safe_load(template.read_text("utf-8"))["body"]}
    assert told.keys() - {"title"} <= elements.keys()
    assert told["extent-unit"][0] in elements["extent-unit"]["attributes"]["options"]


def test_what_is_too_long_for_a_link_is_to_be_pasted(site: Site) -> None:
    answer = site.post({**GOOD, "description.zh": "长" * 1000})
    address = next(a["href"] for _, a in answer.page.elements if "issues/new" in a.get("href", ""))
    assert "record" not in parse_qs(urlsplit(address).query)
    assert len(address) < 8000
    assert "please paste it" in answer.page.text


def test_the_record_can_be_downloaded_and_is_what_was_entered(site: Site) -> None:
    answer = site.post({**GOOD, "action": "file"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="foobench.yaml"'
    node = records.parse(answer.body, Path("datasets/foobench.yaml"), vocabulary.load()).node
    assert node["type"] == ["Benchmark", "TrainingSet"]
    assert node["issuedMonth"] == "2025-03"
    assert node["modality"] == ["ct", "text"]
    assert node["paper"] == ["arxiv-2411.16778"]
    assert node["extent"][0]["value"] == "151025"
    assert node["distribution"][0]["host"] == "huggingface"
    assert node["record"]["status"] == "proposed"
    assert node["record"]["evidence"][0]["source"] == GOOD["record.evidence.source"]


WRONG = {
    "description.zh": ("", "description", "description"),
    "issued": ("yesterday", "issued", "issued"),
    "modality": ("x-ray-of-nothing", "modality", "modality"),
    "extent.value": ("many", "extent.value", "value"),
    "distribution.accessURL": ("not an address", "distribution.accessURL", "accessURL"),
    "paper": ("arxiv-0000.00000", "paper", "paper"),
    "record.evidence.source": ("somewhere", "record.evidence.source", "source"),
}


def test_one_more_part_is_asked_for_and_what_was_typed_is_kept(site: Site) -> None:
    for path, label in (("/contribute", "Number (3)"), ("/zh/contribute", "数量（3）")):
        answer = site.post({**GOOD, "extent.2.value": "7", "more": "extent"}, path)
        assert answer.status == 200
        assert answer.page.find(id="f-extent.2.value")["value"] == "7"
        assert "autofocus" in answer.page.find(id="f-extent.3.value")
        assert answer.page.find(id="f-title.en")["value"] == "FooBench"
        assert label in answer.page.text


def test_every_part_that_is_entered_is_in_the_record(site: Site) -> None:
    more = {
        "extent.2.value": "40",
        "extent.2.unit": "qa-pair",
        "extent.2.extentKind": "content",
        "distribution.2.accessURL": "https://huggingface.co/datasets/example/foobench-2",
        "record.evidence.3.source": "https://example.org/third",
    }
    answer = site.post({**GOOD, **more, "action": "file"})
    assert answer.status == 200
    node = yaml.load(answer.body, yaml.BaseLoader)
    assert [(one["id"], one["value"]) for one in node["extent"]] == [
        ("#extent", "151025"),
        ("#extent-2", "40"),
    ]
    assert [one["id"] for one in node["distribution"]] == ["#huggingface", "#huggingface-2"]
    assert [one["source"] for one in node["record"]["evidence"]] == [
        "https://example.org/foobench",
        "https://example.org/third",
    ]


def test_a_finding_about_a_further_part_stands_beside_its_field(site: Site) -> None:
    wrong = {"extent.3.value": "many", "extent.3.unit": "image", "extent.3.extentKind": "content"}
    answer = site.post({**GOOD, **wrong})
    assert answer.status == 422
    assert answer.page.find(id="f-extent.3.value")["aria-invalid"] == "true"
    assert "aria-invalid" not in answer.page.find(id="f-extent.value")


@pytest.mark.parametrize(
    "sent",
    [
        {"extent.99.value": "1"},
        {"extent.1.value": "1"},
        {"title.2.en": "x"},
        {"paper.2.bibliographicCitation": "x"},
        {"extent.2.other": "x"},
        {"more": "title", "title.2.en": "x"},
    ],
)
def test_a_part_that_the_form_does_not_take_is_refused(site: Site, sent: dict[str, str]) -> None:
    assert site.post({**GOOD, **sent}).status == 422


def test_a_form_does_not_grow_without_end(site: Site) -> None:
    answer = site.post({**GOOD, "extent.20.value": "1", "more": "extent"})
    assert answer.page.find(id="f-extent.20.value")["value"] == "1"
    assert "f-extent.21.value" not in answer.body.decode()
    assert site.post({**GOOD, "more": "nonsense"}).status == 200


def test_each_finding_stands_beside_its_field_and_what_was_typed_is_kept(site: Site) -> None:
    entries = {**GOOD, **{name: wrong for name, (wrong, _, _) in WRONG.items()}}
    answer = site.post(entries)
    assert answer.status == 422
    source, page = answer.body.decode(), answer.page
    links = {a["href"] for tag, a in page.elements if tag == "a" and "href" in a}
    for name, (wrong, field, key) in WRONG.items():
        assert f"“{key}”" in page.texts(source, f"e-{field}")
        described = [a for _, a in page.elements if f"e-{field}" in a.get("aria-describedby", "")]
        assert described
        assert all(a["aria-invalid"] == "true" for a in described)
        assert any(link.startswith(f"#f-{field}") for link in links)
        if name not in {"modality", "description.zh"}:
            assert page.find(name=name)["value"] == wrong.replace(" ", " ")
    assert page.find(name="title.en")["value"] == "FooBench"


def test_findings_are_told_in_the_language_of_the_page(site: Site) -> None:
    answer = site.post({**GOOD, "issued": "yesterday"}, "/zh/contribute")
    assert answer.status == 422
    assert "请更正以下内容" in answer.page.text
    assert "“issued”不是" in answer.page.text


def test_a_record_that_is_anothers_is_told_in_the_language_of_the_page(site: Site) -> None:
    for path, said in (("", "is the record of mbv:iccv. A"), ("/zh", "mbv:iccv 的目录记录。目录")):
        answer = site.post({**GOOD, "identifier": "venue-iccv"}, f"{path}/contribute")
        assert answer.status == 409
        assert said in answer.page.text


def test_an_existing_name_is_refused_beside_the_short_name(site: Site) -> None:
    answer = site.post({**GOOD, "identifier": "gemex"})
    assert answer.status == 409
    assert "There is a record of that name already" in answer.page.texts(
        answer.body.decode(), "e-identifier"
    )
    assert "It conforms" not in answer.page.text


def test_markup_in_entries_is_shown_as_text(site: Site) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(2)>'
    answer = site.post({**GOOD, "title.en": evil, "description.en": evil, "identifier": "evil"})
    tags = [tag for tag, attributes in answer.page.elements if tag in {"script", "img"}]
    assert tags == []
    assert answer.page.find(name="title.en")["value"] == evil
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


REFUSED = {
    "an unknown field": ({**GOOD, "status": "accepted"}, FORM, 422),
    "a field twice": ({**GOOD, "identifier": ["a", "b"]}, FORM, 422),
    "a novel": ({**GOOD, "description.en": "x" * 5000}, FORM, 422),
    "no UTF-8": (b"title.en=%ff", FORM, 400),
    "a file": (b"--x--", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
    "100 MB": (bytes(100_000_000), FORM, 413),
    "an address that breaks off": ({**GOOD, "distribution.accessURL": "http://[::1"}, FORM, 422),
    "no name at all": ({"title.en": "？？？"}, FORM, 422),
    "a slug that leads elsewhere": ({**GOOD, "identifier": "../../etc/passwd"}, FORM, 200),
}


@pytest.mark.parametrize("what", REFUSED)
def test_hostile_entries_change_nothing_and_get_an_answer(site: Site, what: str) -> None:
    entries, headers, expected = REFUSED[what]
    before = site.files()
    try:
        answer = site.post(entries, **headers)
    except (BrokenPipeError, ConnectionResetError, urllib.error.URLError):
        assert expected == 413  # the server doesn't read on
    else:
        assert answer.status == expected
    assert site.files() == before


def test_nobody_writes_without_a_known_token_and_it_is_never_shown_again(site: Site) -> None:
    before = site.files()
    for token in ("", "wrong"):
        answer = site.post({**GOOD, "action": "write", "token": token})
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert "value" not in answer.page.find(name="token")
        assert answer.page.find(name="title.en")["value"] == "FooBench"
    assert site.files() == before


def test_with_a_token_it_is_written_once_as_proposed(site: Site) -> None:
    entries = {**GOOD, "title.en": "BarBench", "action": "write", "token": TOKEN}
    answer = site.post(entries)
    assert answer.status == 200
    assert "it is written" in answer.page.text
    assert TOKEN not in answer.body.decode()
    path = site.data / "datasets" / "barbench.yaml"
    assert "status: proposed" in path.read_text("utf-8")
    content = path.read_bytes()
    assert site.post({**entries, "issued": "2024"}).status == 412
    assert path.read_bytes() == content


BIBTEX = """@misc{foo2026, title={{BazBench}: A Benchmark}, author={Doe, Jane and Roe, Richard},
  year={2026}, eprint={2601.00042}, archivePrefix={arXiv}}"""


def test_a_paper_without_a_record_gets_one_from_its_citation(site: Site) -> None:
    entries = {**GOOD, "title.en": "BazBench", "paper": "", "paper.bibliographicCitation": BIBTEX}
    answer = site.post(entries)
    assert answer.status == 200
    assert "data/papers/arxiv-2601.00042.yaml" in answer.page.text
    assert "| BazBench | [BazBench: A Benchmark](https://arxiv.org/abs/2601.00042)" in (
        answer.page.text
    )
    assert not (site.data / "papers" / "arxiv-2601.00042.yaml").exists()
    written = site.post({**entries, "action": "write", "token": TOKEN})
    assert "it is written" in written.page.text
    assert "Jane Doe" in (site.data / "papers" / "arxiv-2601.00042.yaml").read_text("utf-8")
    assert "arxiv-2601.00042" in (site.data / "datasets" / "bazbench.yaml").read_text("utf-8")


@pytest.mark.parametrize("citation", ["Doe et al., 2026", "@misc{x, title={No address}}", "@misc{"])
def test_a_citation_that_makes_no_record_is_told_beside_its_field(
    site: Site, citation: str
) -> None:
    answer = site.post({**GOOD, "paper.bibliographicCitation": citation})
    assert answer.status == 422
    assert answer.page.find(id="f-paper.bibliographicCitation")["aria-invalid"] == "true"


FACT = {
    "dataset": "gemex",
    "field": "modality",
    "value": "Chest X-ray, 文本, Radiology report",
    "source": "https://example.org/paper",
}


def test_a_page_leads_to_the_form_with_dataset_and_field_chosen(site: Site) -> None:
    page = site.send("/dataset/mediconfusion.html").page
    address = next(
        a["href"] for _, a in page.elements if a.get("href", "").startswith("/contribute?dataset=")
    )
    chosen = [a["value"] for t, a in site.send(address).page.elements if "selected" in a]
    assert chosen[0] == "mediconfusion"
    assert len(chosen) == 2


def test_a_wrong_fact_becomes_a_changed_record_with_its_source(site: Site) -> None:
    answer = site.post({**FACT, "action": "file"})
    assert answer.status == 200
    node = records.parse(answer.body, Path("datasets/gemex.yaml"), vocabulary.load()).node
    assert node["modality"] == ["chest-x-ray", "text", "radiology-report"]
    proof = node["record"]["evidence"][-1]
    assert (proof["source"], proof["supports"]) == ("https://example.org/paper", ["modality"])
    before = site.files()
    shown = site.post(FACT)
    assert "It conforms" in shown.page.text
    assert any("wrong-fact.yml" in a.get("href", "") for _, a in shown.page.elements)
    assert site.files() == before


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ({"value": "x-ray of nothing"}, "value"),
        ({"value": ""}, "value"),
        ({"source": "hearsay"}, "source"),
        ({"dataset": "../venues/acl"}, "dataset"),
        ({"field": "record.evidence.source"}, "field"),
    ],
)
def test_a_wrong_report_is_told_beside_its_field(
    site: Site, entries: dict[str, str], field: str
) -> None:
    answer = site.post({**FACT, **entries})
    assert answer.status == 422
    assert answer.page.find(id=f"f-{field}")["aria-invalid"] == "true"


@pytest.mark.parametrize("more", [{"status": "accepted"}, {"value": ["a", "b"]}])
def test_a_report_with_other_or_repeated_fields_is_refused(
    site: Site, more: dict[str, object]
) -> None:
    assert site.post({**FACT, **more}).status == 422


def test_with_a_token_a_right_fact_replaces_a_wrong_one_and_keeps_the_rest(site: Site) -> None:
    path = site.data / "datasets" / "vqa-rad.yaml"
    before = records.parse(path.read_bytes(), Path("datasets/vqa-rad.yaml"), vocabulary.load()).node
    fact = {**FACT, "dataset": "vqa-rad", "field": "language", "value": "英语\x07"}
    answer = site.post({**fact, "action": "write", "token": TOKEN}, "/zh/contribute")
    assert "已写入" in answer.page.text
    after = records.parse(path.read_bytes(), Path("datasets/vqa-rad.yaml"), vocabulary.load()).node
    assert after["language"] == ["en"]
    changed = {key for key in before | after if before.get(key) != after.get(key)}
    assert changed <= {"language", "record"}
    assert after["record"]["evidence"][:-1] == before["record"]["evidence"]
    assert after["record"]["evidence"][-1]["supports"] == ["language"]


def test_what_an_address_fills_in_is_shown_as_text(site: Site) -> None:
    evil = urlencode({"title.en": '"><script>alert(1)</script>', "field": "<b>", "x": "y"})
    page = site.send(f"/contribute?{evil}").page
    assert [tag for tag, _ in page.elements if tag == "script"] == []


def test_a_server_that_checks_nothing_says_so(
    running: Callable[..., AbstractContextManager[str]], built: object
) -> None:
    assert built
    with running(MEDBENCH_CHECKS="0", MEDBENCH_WORKERS="1") as address:
        closed = Site(address, Path())
        assert "aren’t checked by this server" in closed.send("/contribute").page.text
        assert closed.post(GOOD).status == 404
