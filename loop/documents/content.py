"""A paper's recorded values as headings and labelled fields, in the order in which a reader expects them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from loop.kernel.labels import Label
from loop.kernel.payloads import label_of, words_of
from loop.kernel.proof import period

_INSTANT = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?[+-]\d{2}:\d{2}")
"""A local instant with its offset, as payloads keep it."""
YES, NO = Label("是", "yes"), Label("否", "no")
UNIT, FINDINGS = Label("被督导单位", "Unit"), Label("所涉问题", "Findings")
SIGNED, COPIES = Label("签发", "Signed"), Label("抄送", "Copies to")
DIGEST = Label("内容摘要（SHA-256）", "Digest of the content (SHA-256)")
SIGNATURE = Label("{name}（{role_zh}）", "{name} ({role_en})")
ON_RECEIPT = Label("签收之日起 {zh}内", "within {en} of its receipt")
DESCRIPTION, FACTS, BASIS = Label("问题描述", "Description"), Label("事实", "Facts"), Label("依据", "Basis")


@dataclass(frozen=True, slots=True)
class Field:
    """One labelled value: a text, a list of texts, or a table."""

    label: str
    text: str = ""
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A whole paper, ready to be set in type."""

    language: str
    title: str
    number: str
    office: str
    issued_on: str
    fields: tuple[Field, ...]
    foot: tuple[Field, ...]


def sheet(
    content: Mapping[str, Any], payload: type[BaseModel], *, role: Label, digest: str, language: str,
    clocks: Mapping[str, Label],
) -> Sheet:  # fmt: skip
    """The paper with this recorded `content`. `payload` gives its fields their labels, `role` is that of the signer, `clocks`
    are what the rules of deadlines are called.
    """
    about = tuple(f"{one['number']} {one['title']}" for one in content.get("findings", ()))
    signature = SIGNATURE.filled(name=content["signed_by"]["name"], role_zh=role.zh, role_en=role.en)
    foot = [Field(SIGNED.in_(language), signature.in_(language))]
    if copies := tuple(str(one) for one in content.get("cc", ())):
        foot.append(Field(COPIES.in_(language), lines=copies))
    foot.append(Field(DIGEST.in_(language), digest))
    title = content["title"]
    return Sheet(
        language=language, title=str(title.get(language, title["zh"])), number=str(content.get("number") or ""),
        office=str(content["office"]), issued_on=str(content["issued_on"]),
        fields=(
            _addressed(content, language), Field(FINDINGS.in_(language), lines=about),
            *_accused(content, language),
            *fields_of(content.get("payload", {}), payload, language),
            *_deadlines(content, clocks, language),
        ),
        foot=tuple(foot),
    )  # fmt: skip


def _deadlines(content: Mapping[str, Any], clocks: Mapping[str, Label], language: str) -> Iterator[Field]:
    """By when the next step is due, and what begins once the paper is received."""
    if due := content.get("deadline"):
        yield Field(clocks[due["rule"]].in_(language), str(due["due_on"]))
    for one in content.get("opens", ()):
        length = period(one["number"], one["unit"])
        yield Field(clocks[one["rule"]].in_(language), ON_RECEIPT.filled(zh=length.zh, en=length.en).in_(language))


def _addressed(content: Mapping[str, Any], language: str) -> Field:
    """The unit, or every unit of a paper that joins several."""
    label = UNIT.in_(language)
    if several := tuple(str(unit["name"]) for unit in content.get("units", ())):
        return Field(label, lines=several)
    return Field(label, str(content["unit_name"]))


def _accused(content: Mapping[str, Any], language: str) -> Iterator[Field]:
    """What the findings say, where the paper repeats it: description, facts, and what they rest on."""
    findings = content.get("findings", ())
    told = tuple(one["description"] for one in findings if one.get("description"))
    facts = tuple(f"{fact['no']}. {fact['text']}" for one in findings for fact in one.get("facts", ()))
    rests = tuple(
        f"{basis['title']} {basis.get('article', '')}".strip()
        for one in findings
        for basis in one.get("legal_basis", ())
    )
    for label, lines in ((DESCRIPTION, told), (FACTS, facts), (BASIS, rests)):
        if lines:
            yield Field(label.in_(language), lines=tuple(dict.fromkeys(lines)))


def fields_of(values: Mapping[str, Any], model: type[BaseModel], language: str) -> Iterator[Field]:
    """The filled-in fields of a payload in the order of its model."""
    for name, info in model.model_fields.items():
        value = values.get(info.alias or name)
        if value not in (None, "", [], {}):
            yield _field(label_of(name, info).in_(language), value, info, language)


def _field(label: str, value: Any, info: FieldInfo, language: str) -> Field:
    if isinstance(value, Mapping):
        return Field(label, lines=tuple(_inner(value, _model_in(info.annotation), language)))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _table(label, value, info, language)
    return Field(label, said(value, info, language))


def _table(label: str, items: Sequence[Any], info: FieldInfo, language: str) -> Field:
    model = _model_in(info.annotation)
    if model is None or not all(isinstance(item, Mapping) for item in items):
        return Field(label, lines=tuple(said(item, info, language) for item in items))
    names = [
        (n, i) for n, i in model.model_fields.items() if any(item.get(i.alias or n) not in (None, "") for item in items)
    ]
    columns = tuple(label_of(name, info).in_(language) for name, info in names)
    rows = tuple(tuple(said(item.get(i.alias or n), i, language) for n, i in names) for item in items)
    return Field(label, columns=columns, rows=rows)


def _inner(values: Mapping[str, Any], model: type[BaseModel] | None, language: str) -> Iterator[str]:
    fields = {i.alias or n: (label_of(n, i), i) for n, i in model.model_fields.items()} if model else {}
    for name, value in values.items():
        if value in (None, "", [], {}):
            continue
        if name in fields:
            label, info = fields[name]
            yield f"{label.in_(language)}: {said(value, info, language)}"
        else:
            yield f"{name}: {text_of(value, language)}"


def said(value: Any, info: FieldInfo, language: str) -> str:
    """A value of a payload field as people write it: a code by its words."""
    words = words_of(info)
    if isinstance(value, str) and value in words:
        return words[value].in_(language)
    if isinstance(value, str) and (at := _INSTANT.fullmatch(value)):
        return f"{at[1]} {at[2]}"
    if words and isinstance(value, Sequence) and not isinstance(value, str):
        return "；".join(said(one, info, language) for one in value)
    return text_of(value, language)


def text_of(value: Any, language: str) -> str:
    """A single value as people write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return (YES if value else NO).in_(language)
    if isinstance(value, Mapping):
        return " ".join(text_of(part, language) for part in value.values() if part not in (None, ""))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "；".join(text_of(part, language) for part in value)
    return str(value)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model somewhere inside an annotation such as `list[Item] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
