"""Writing a record and reading it again gives the same record, whatever its texts are."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from medbench_kg import vocabulary
from medbench_kg.records import canonical, parse

NAMES = vocabulary.load()
PATH = Path("data/datasets/example.yaml")

#: Any text that YAML can hold and that isn't blank.
texts = st.text(
    st.characters(
        exclude_categories=["Cc", "Cs", "Cn", "Co"], exclude_characters="\u2028\u2029\ufeff"
    ),
    min_size=1,
    max_size=60,
).filter(lambda text: text.strip())
#: Keys that take any text; an address has a grammar of its own.
keys = st.sampled_from([k for k in NAMES.keys if k not in {"id", "type"} and not NAMES.is_link(k)])
nodes = st.recursive(
    texts,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4)
        | st.dictionaries(keys, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(keys, nodes, max_size=6))
def test_parse_undoes_canonical(content: dict[str, object]) -> None:
    node = {"id": "mbd:example", **content}
    assert parse(canonical(node, NAMES), PATH, NAMES).node == node


@given(st.dictionaries(keys, nodes, max_size=6))
def test_canonical_is_idempotent(content: dict[str, object]) -> None:
    once = canonical({"id": "mbd:example", **content}, NAMES)
    assert canonical(parse(once, PATH, NAMES).node, NAMES) == once
