"""Writing a row of the list and reading it again gives the same facts, whatever its texts are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medbench_kg import readme, upstream
from medbench_kg.readme import Facts, Figure, Lang, Link, Terms, normalise
from medbench_kg.upstream.held import listings, read_terms

if TYPE_CHECKING:
    from medbench_kg.pipeline import Assembled

#: What stands in an empty cell.
NOTHING = {"", "-", "–", "—", "/", "n/a", "na", "none", "无", "未注明"}

texts = (
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"]), max_size=30)
    | st.text("|\\`*_[]<>&$!#~^{}()-:;., ab12中（），", max_size=30)
    | st.sampled_from(["M$^3$-Med", "3,535 MCQs", "[a](b)", "<br>", "&amp;", "a\\", "`|`", "$a|b$"])
).map(lambda text: " ".join(text.split()))
stated = texts.filter(lambda text: text.casefold() not in NOTHING)
optional = texts.map(lambda text: "" if text.casefold() in NOTHING else text)
addresses = st.builds(
    "https://{}/{}".format,
    st.sampled_from(["github.com", "huggingface.co", "a.github.io", "example.org"]),
    st.text("abcXYZ019-_.~/()%?=&+,;:@!$'", max_size=20).map(lambda path: path.replace("%", "%25")),
)


@pytest.fixture(scope="module")
def terms(assembled: Assembled) -> Terms:
    return read_terms(assembled)


@st.composite
def dates(draw: st.DrawFn, terms: Terms) -> tuple[str, str, str]:
    """Text, ISO date and edition."""
    day = draw(st.dates(dt.date(1990, 1, 1), dt.date(2099, 12, 31))).isoformat()
    spelt = [e for e in sorted(terms.editions) if normalise(e[:-5]) in terms.names["venue"]]
    edition = draw(st.sampled_from(["", *spelt]))
    if not edition:
        issued = draw(st.sampled_from([day, day[:7], day[:4]]))
        return readme.date_text(issued, ""), issued, ""
    issued = draw(st.sampled_from([day, day[:7], ""]))
    text = readme.date_text(issued, f"{edition[:-5]} {edition[-4:]}")
    return text, issued or edition[-4:], edition


def figures(terms: Terms, lang: Lang) -> st.SearchStrategy[Figure]:
    return st.builds(
        Figure,
        value=st.integers(0, 10**12),
        unit=st.sampled_from(sorted(unit for unit, tongue in terms.labels if tongue == lang)),
        kind=st.sampled_from(["content", "source", "coverage"]),
        approximation=st.sampled_from(["", "about", "at-least", "rounded"]),
    )


@st.composite
def rows(draw: st.DrawFn, terms: Terms, lang: Lang) -> Facts:
    date, issued, edition = draw(dates(terms))
    modality, task = draw(optional), draw(optional)
    links = [
        Link(label, url, readme.host_of(url, label)[0])
        for label, url in draw(st.lists(st.tuples(texts, addresses), min_size=1, max_size=3))
    ]
    return Facts(
        name=draw(stated),
        title=draw(optional),
        paper_link=draw(st.just("") | addresses),
        date=date,
        issued=issued,
        edition=edition,
        modality=modality,
        modalities=readme.concepts(modality, "modality", terms),
        task=task,
        tasks=readme.concepts(task, "task", terms),
        figures=(
            *readme.figures_in(modality, terms, "modality")[0],
            *draw(st.lists(figures(terms, lang), max_size=4)),
        ),
        links=tuple(links),
    )


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_parse_undoes_render(lang: Lang, terms: Terms) -> None:
    @settings(deadline=None)
    @given(rows(terms, lang))
    def check(facts: Facts) -> None:
        (read,), _ = readme.parse(readme.render([facts], lang, terms), terms)
        assert read.facts == facts

    check()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_row_of_the_list_is_read_again_as_it_is(
    lang: Lang, assembled: Assembled, terms: Terms
) -> None:
    held = [listing.facts for listing in listings(assembled) if listing.lang == lang]
    table = upstream.table(assembled, lang)
    read, _ = readme.parse(table, terms)
    assert [row.facts for row in read] == held
    assert len(held) == 59
    assert upstream.table(assembled, lang) == table


def test_importing_what_was_rendered_leaves_nothing_to_do(assembled: Assembled) -> None:
    document = f"{upstream.table(assembled, 'en')}\n{upstream.table(assembled, 'zh')}"
    assert upstream.read(assembled, document).comparison.changes == ()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_unit_has_a_word_that_is_read_as_that_unit(lang: Lang, terms: Terms) -> None:
    units = sorted({*terms.names["unit"].values()})
    written = [readme.sizes([Figure(12, unit)], terms, lang) for unit in units]
    assert [f.unit for text in written for f in readme.figures_in(text, terms)[0]] == units
