"""Documents that others publish become conforming records, or an error that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from medbench_kg import errors, intake, pipeline, records, upstream, vocabulary

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "intake"
URL = "https://huggingface.co/datasets/made-up/madeupbench"
NAMED = intake.Given(
    title="MadeUpBench",
    url=URL,
    kinds=("Benchmark",),
    modality=("chest-x-ray",),
    task=("Visual question answering",),
    description={
        "en": "An invented benchmark that asks questions about invented chest X-rays.",
        "zh": "虚构的胸部 X 光问答评测基准。",
    },
)


def drafted(assembled: pipeline.Assembled, name: str, given: intake.Given = NAMED) -> intake.Draft:
    told = intake.read((FIXTURES / name).read_bytes(), name)
    return intake.draft(assembled, told, source="", today="2026-01-31", given=given)


@pytest.mark.parametrize("name", ["arxiv.xml", "entry.bib", "card.md", "croissant.json"])
def test_each_form_gives_conforming_records_and_both_rows(
    assembled: pipeline.Assembled, tmp_path: Path, name: str
) -> None:
    paths = []
    for file, node in drafted(assembled, name).records.items():
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(records.canonical(node, vocabulary.load()), encoding="utf-8")
        paths.append(path)
    fresh = pipeline.assemble(paths)
    report = pipeline.check(fresh, paths)
    assert [
        str(finding) for finding in report.findings if finding.severity.name == "VIOLATION"
    ] == []
    assert fresh.problems == ()
    assert "| MadeUpBench |" in upstream.proposed_row(fresh, "madeupbench", "en")
    assert URL in upstream.proposed_row(fresh, "madeupbench", "zh")


def test_arxiv_tells_title_authors_and_day(assembled: pipeline.Assembled) -> None:
    paper = drafted(assembled, "arxiv.xml").records["papers/arxiv-2512.99999.yaml"]
    assert paper["title"]["en"] == "MadeUpBench: An Invented Benchmark for Reading Chest X-rays"
    assert [author["name"] for author in paper["authorship"]] == ["Ana Bé", "Li Wei"]
    assert (paper["firstPosted"], paper["authorListComplete"]) == ("2025-12-24", "true")


def test_bibtex_is_read_without_tex_and_its_author_list_ends_with_others(
    assembled: pipeline.Assembled,
) -> None:
    paper = drafted(assembled, "entry.bib").records["papers/doi-10-99999-made-up-2025.yaml"]
    assert paper["title"]["en"] == "MadeUpBench: An Invented Benchmark & its Üses"
    assert [author["name"] for author in paper["authorship"]] == ["Ana Bé", "Wei Li"]
    assert paper["authorListComplete"] == "false"


def test_a_card_gives_concepts_and_names_words_that_are_none(
    assembled: pipeline.Assembled,
) -> None:
    draft = drafted(assembled, "card.md", intake.Given(url=URL))
    dataset = draft.records["datasets/madeupbench.yaml"]
    assert dataset["task"] == ["visual-question-answering"]
    assert dataset["modality"] == ["chest-x-ray"]
    assert dataset["language"] == ["en", "zh"]
    assert dataset["distribution"][0]["licence"] == ["cc-by-nc-4.0"]
    assert "invented" in draft.not_understood
    assert "description" not in dataset


def test_croissant_gives_licence_by_address_and_the_paper_that_is_cited(
    assembled: pipeline.Assembled,
) -> None:
    draft = drafted(assembled, "croissant.json", intake.Given())
    assert draft.records["datasets/madeupbench.yaml"]["distribution"][0]["licence"] == ["cc-by-4.0"]
    assert "papers/arxiv-2512.99999.yaml" in draft.records


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xfe", "UTF-8"),
        (b"plain text", "known what this is"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><feed/>', "document type"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'/>", "0 entries"),
        (b"@article{broken", "0 entries"),
        (b"---\na: [\n---\n", "YAML"),
        (b"---\na: " + b"[" * 100_000 + b"\n---\n", "YAML"),
        (b"---\n- a\n---\n", "no keys"),
        (b'{"a": ', "JSON"),
        (b"[" * 5, "known what this is"),
        (b'{"@type": "Person"}', "no Croissant"),
        (b'{"a":' * 100_000, "JSON"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(errors.RecordError, match=reason):
        intake.read(content, "document")


def test_a_record_that_exists_is_not_written_again(assembled: pipeline.Assembled) -> None:
    with pytest.raises(errors.RecordError, match="already"):
        drafted(assembled, "card.md", intake.Given(title="GEMeX"))


def test_a_concept_that_is_not_known_is_refused_with_the_nearest(
    assembled: pipeline.Assembled,
) -> None:
    with pytest.raises(errors.RecordError, match="chest x-rai") as caught:
        drafted(assembled, "card.md", intake.Given(modality=("chest x-rai",)))
    assert "chest-x-ray" in caught.value.hint


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("2411.16778v2", "https://export.arxiv.org/api/query?id_list=2411.16778"),
        (
            "https://arxiv.org/abs/2411.16778",
            "https://export.arxiv.org/api/query?id_list=2411.16778",
        ),
        (URL, f"{URL}/raw/main/README.md"),
        ("https://example.org/c.json", "https://example.org/c.json"),
    ],
)
def test_what_a_person_names_is_fetched_where_it_is_to_be_read(given: str, address: str) -> None:
    assert intake.address_of(given) == address
