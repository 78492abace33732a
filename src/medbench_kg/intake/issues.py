"""Issues as contributions: writes the repository's forms, and reads what was entered into them.

The forms are made of the same fields as the page ``/contribute``; each heading names a field in
both languages, so a heading leads back to its field.

Specification: GitHub, “Syntax for issue forms” and “Syntax for GitHub's form schema”. A form
becomes Markdown: a heading of the third level for each element, with what was entered below it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from medbench_kg import submission, vocabulary
from medbench_kg.errors import RecordError
from medbench_kg.form import form
from medbench_kg.intake.drafting import Draft
from medbench_kg.intake.entries import beside, cited, corrected, draft_of
from medbench_kg.vocabulary import BASE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from medbench_kg.form import Choice, Entries, Field, Form
    from medbench_kg.pipeline import Assembled
    from medbench_kg.records import Node, Record

__all__ = ["filled_in", "issue_forms", "of_issue"]

#: Elements that stand for no field of a record: id → label in both languages.
_LABELS = {
    "dataset": "Dataset · 数据集",
    "field": "What is wrong or missing · 错误或缺失的内容",
    "value": "What is right · 正确内容",
    "source": "Source that states it · 能证明这一点的来源",
    "record": "Record · 记录",
}

#: Id → what to enter.
_HELPS = {
    "dataset": "Its name, short name or address, e.g. GEMeX. · 名称、短名或网址，例如 GEMeX。",
    "field": "The fact that is concerned. · 所涉及的事实。",
    "value": "The whole value that should stand there; several are separated by commas. · "
    "应有的完整取值；多个取值以逗号分隔。",
    "source": "Address of a paper, repository or data card. · 论文、代码仓库或数据卡片的网址。",
    "record": "A whole record in YAML, if you have one; then it counts, and not the fields above. "
    "· 完整的 YAML 记录（如有）；填写后以此为准，忽略以上各项。",
}

#: What stands above the elements.
_GREETING = """\
What you enter is placed under CC0 1.0. A comment will say what the rules of the graph find.

所填内容采用 CC0 1.0。稍后会有评论给出按图谱规则校验的结果。
"""

_FACT = ("dataset", "field", "value", "source")

#: Language → what stands behind a label for a text in it.
_IN = {"en": "English · 英文", "zh": "Chinese · 中文"}

_HEADING = re.compile(r"^### (.+?)[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"\A`{3,}\w*\n(.*?)\n?`{3,}\Z", re.DOTALL)

#: What stands below the heading of an element that was left open.
_NOTHING = {"", "_No response_", "None"}


def issue_forms(fields: Form) -> dict[str, str]:
    """Write the forms: file name → content."""
    new = [_element(one, name) for name, one in fields.inputs.items()]
    fact = [_other(name) for name in _FACT]
    fact[1] = _dropdown(
        "field", _LABELS["field"], _HELPS["field"], list(_correctable(fields)), several=False
    )
    return {
        "new-dataset.yml": _written("New dataset · 新数据集", "dataset", [*new, _other("record")]),
        "wrong-fact.yml": _written("Wrong fact · 事实有误", "fact", [*fact, _other("record")]),
    }


def filled_in(entries: Entries, fields: Form) -> dict[str, str]:
    """Say with what the elements of a form are filled in: id → text, choices as they are offered.

    Args:
        entries: what was entered on the page ``/contribute``, into either form.
        fields: the form.
    """
    told: dict[str, str] = {}
    for name, values in entries.items():
        field = fields.inputs.get(name)
        offered = {choice.value: _option(choice) for choice in field.choices} if field else {}
        if name == "field":
            offered = {key: _label_of_fact(one) for key, one in fields.correctable.items()}
        told[name.replace(".", "-")] = ",".join(offered.get(value, value) for value in values)
    return told


def of_issue(assembled: Assembled, text: str, today: str) -> Draft:
    """Make a record of what was entered into one of the forms.

    Args:
        assembled: the graph, and the records that there are.
        text: the body of the issue.
        today: the day, ISO 8601.

    Raises:
        RecordError: it doesn't come from a form, or a fact is told of nothing that there is.
        SubmissionError: an entry is too long, or a record says what it may not say.
        ConflictError: a record belongs to another thing.
    """
    fields = form(assembled.store)
    said = _sections(text, fields)
    if "record" not in said and "dataset" in said:
        return _corrected(said, fields, assembled, today)
    entries = fields.read(
        {
            name: _values(fields.inputs[name], told)
            for name, told in said.items()
            if name != "record"
        }
    )
    if "record" not in said:
        return draft_of(entries, fields, assembled, today)
    taken = {one.path.stem for one in assembled.records}
    return Draft(_given(said["record"], assembled) | beside(cited(entries, today), taken), ())


def _written(name: str, label: str, body: list[dict[str, object]]) -> str:
    document = {
        "name": name,
        "description": "Leave open what no source states. · 没有来源说明的内容请留空。",
        "labels": ["contribution", label],
        "body": [
            {
                "type": "markdown",
                "attributes": {"value": _GREETING},
            },
            *body,
        ],
    }
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=1 << 20)


def _element(field: Field, name: str) -> dict[str, object]:
    """The element for an input of a field."""
    help_text = " · ".join(field.helps.values())
    if field.choices:
        options = [_option(choice) for choice in field.choices]
        return _dropdown(name, _label(field, name), help_text, options, several=field.is_multiple)
    needed = field.is_required and (field.is_long or not name.endswith(".zh"))
    return _text(name, _label(field, name), help_text, is_long=field.is_long, is_needed=needed)


def _other(name: str) -> dict[str, object]:
    label, help_text, is_record = _LABELS[name], _HELPS[name], name == "record"
    is_long = is_record or name == "value"
    element = _text(name, label, help_text, is_long=is_long, is_needed=not is_record)
    if is_record:
        element["attributes"] = {**_attributes(label, help_text), "render": "yaml"}
    return element


def _text(
    name: str, label: str, help_text: str, *, is_long: bool, is_needed: bool
) -> dict[str, object]:
    return {
        "type": "textarea" if is_long else "input",
        "id": name.replace(".", "-"),
        "attributes": _attributes(label, help_text),
        **({"validations": {"required": True}} if is_needed else {}),
    }


def _dropdown(
    name: str, label: str, help_text: str, options: list[str], *, several: bool
) -> dict[str, object]:
    """A list of choices; never one that has to be used, since then the first would be chosen."""
    return {
        "type": "dropdown",
        "id": name.replace(".", "-"),
        "attributes": {
            **_attributes(label, help_text),
            "multiple": several,
            "options": options,
        },
    }


def _attributes(label: str, help_text: str) -> dict[str, str]:
    return {"label": label, "description": help_text}


def _label(field: Field, name: str) -> str:
    label = " · ".join(field.names.values())
    return f"{label} ({_IN[name.rpartition('.')[2]]})" if field.is_by_language else label


def _option(choice: Choice) -> str:
    """How a value is offered; GitHub separates those that are chosen by commas."""
    return " · ".join(choice.names.values()).replace(", ", "; ")


def _correctable(fields: Form) -> dict[str, Field]:
    return {_label_of_fact(one): one for one in fields.correctable.values()}


def _label_of_fact(field: Field) -> str:
    return " · ".join(f"{field.group[lang]}: {field.names[lang]}" for lang in field.names)


def _sections(text: str, fields: Form) -> dict[str, str]:
    """Name of each element that was used → what was entered."""
    known = {label: name for name, label in _LABELS.items()}
    known |= {_label(one, name): name for name, one in fields.inputs.items()}
    lines = text.replace("\r\n", "\n")
    heads = [found for found in _HEADING.finditer(lines) if found[1] in known]
    if not heads:
        raise RecordError(
            "The issue has no field of a form.", hint="Use one of the forms, and keep its headings."
        )
    ends = [*(head.start() for head in heads[1:]), len(lines)]
    said: dict[str, str] = {}
    for head, end in zip(heads, ends, strict=True):
        name, entered = known[head[1]], lines[head.end() : end].strip()
        if name in said:
            raise RecordError(f"“{head[1]}” stands there twice.", hint="Keep one of them.")
        if entered not in _NOTHING:
            said[name] = entered
    if fenced := _FENCE.match(said.get("record", "")):
        said["record"] = fenced[1]
    return {name: entered for name, entered in said.items() if entered.strip()}


def _values(field: Field, entered: str) -> list[str]:
    """The values that were chosen; what is offered by no name stays as it is, for the shapes."""
    if not field.choices:
        return [entered]
    offered = {_option(choice): choice.value for choice in field.choices}
    return [offered.get(text, text) for text in entered.split(", ")]


def _given(text: str, assembled: Assembled) -> dict[str, Node]:
    names = vocabulary.load()
    known = {submission.record_iri(one, names): one for one in assembled.records}
    record = submission.read(text.encode(), "yaml", known, names)
    return {record.path.as_posix(): record.node}


def _corrected(said: Mapping[str, str], fields: Form, assembled: Assembled, today: str) -> Draft:
    missing = [_LABELS[name] for name in _FACT if name not in said]
    field = _correctable(fields).get(said.get("field", ""))
    if missing or field is None:
        told = ", ".join(missing) or _LABELS["field"]
        raise RecordError(f"“{told}” isn't filled in.", hint="Edit the issue.")
    record = _dataset(said["dataset"], assembled)
    lang = "zh" if re.search("[一-鿿]", said["value"]) else "en"
    node = corrected(record.node, field, said["value"], said["source"], lang, today)
    if node is None:
        raise RecordError(
            f"The record has several entries of “{field.keys[0]}”.",
            hint="A person has to see which one is meant.",
        )
    return Draft({f"{record.path.parent.name}/{record.path.name}": node}, ())


def _dataset(named: str, assembled: Assembled) -> Record:
    """The record of a dataset that goes by a name, slug or address."""
    wanted = named.removeprefix(f"{BASE}dataset/").casefold()
    for record in assembled.records:
        if record.path.parent.name in {"datasets", "sources"}:
            titles = record.node.get("title", {}).values()
            if wanted in {record.path.stem, *(title.casefold() for title in titles)}:
                return record
    raise RecordError(
        f"There is no dataset “{named[:100]}”.", hint="Write its name as on its page."
    )
