"""The building blocks of payload models: texts without trickery, dates, numbered items, labelled fields.

A payload is what a person hands in with an action. Every field carries a Chinese and an English label, from which
forms, schemas and papers are made.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from loop.kernel.errors import Fault, Invalid
from loop.kernel.labels import Label

EARLIEST, LATEST = date(1990, 1, 1), date(2199, 12, 31)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ud800-\udfff\ufffe\uffff]")


def clean_text(text: str) -> str:
    """`text` in NFC without surrounding blanks; raises ValueError on control characters and lone surrogates."""
    if _CONTROL.search(text):
        raise PydanticCustomError("control_characters", "contains control characters")
    return unicodedata.normalize("NFC", text).strip()


def clean_line(text: str) -> str:
    """`text` as one line: clean, and without line breaks or tabs."""
    text = clean_text(text)
    if any(mark in text for mark in "\n\r\t"):
        raise PydanticCustomError("not_one_line", "must be a single line")
    return text


def _not_empty(text: str) -> str:
    if not text:
        raise PydanticCustomError("empty", "must not be empty")
    return text


def _sensible(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise PydanticCustomError("out_of_range", "lies outside 1990 to 2199")
    return day


def _iso_day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return value
    raise PydanticCustomError("date_parsing", "must be a date written YYYY-MM-DD")


def _sensible_instant(at: datetime) -> datetime:
    _sensible(at.date())
    return at


def _iso_instant(value: object) -> object:
    if isinstance(value, datetime | str):
        return value
    raise PydanticCustomError("datetime_parsing", "must be an instant with offset")


Line = Annotated[str, AfterValidator(clean_line), AfterValidator(_not_empty), Field(min_length=1, max_length=200)]
Text = Annotated[str, AfterValidator(clean_text), AfterValidator(_not_empty), Field(min_length=1, max_length=10_000)]
MaybeLine = Annotated[str, AfterValidator(clean_line), Field(max_length=200)]
MaybeText = Annotated[str, AfterValidator(clean_text), Field(max_length=10_000)]
Name = Annotated[str, AfterValidator(clean_line), AfterValidator(_not_empty), Field(min_length=1, max_length=64)]
Code = Annotated[str, AfterValidator(clean_line), Field(pattern=r"^[A-Za-z0-9_.:\-]{1,64}$")]
Day = Annotated[date, BeforeValidator(_iso_day), AfterValidator(_sensible)]
Instant = Annotated[AwareDatetime, BeforeValidator(_iso_instant), AfterValidator(_sensible_instant)]
Count = Annotated[int, Field(ge=0, le=100_000, strict=True)]
Percent = Annotated[int, Field(ge=0, le=100, strict=True)]
Flag = Annotated[bool, Field(strict=True)]


def field(
    zh: str, en: str, default: Any = ..., *, example: Any = None, words: Mapping[str, Label] | None = None,
    choose: str = "", rows: str = "", usually: str = "", **more: Any,
) -> Any:  # fmt: skip
    """A labelled payload field; without a default it is required. `example` where its type alone does not make one.

    What a form needs besides the type: `words` are what people call the values of an enumeration or a list of codes;
    `choose` names what is picked from (person, unit, supervision, file, paper, act, instruction, transfer); `rows` the
    recorded topic of which each entry answers one ("opinion.demands"); `usually` "today" or "now", where a date mostly is
    just that, or "first" of what can be picked.
    """
    extra: dict[str, Any] = {"label": {"zh": zh, "en": en}}
    extra |= {name: given for name, given in (("choose", choose), ("rows", rows), ("usually", usually)) if given}
    if words:
        extra["words"] = {value: {"zh": label.zh, "en": label.en} for value, label in words.items()}
    if example is not None:
        more["examples"] = [example]
    if isinstance(default, list | dict):
        kind = type(default)
        return Field(default_factory=kind, title=en, json_schema_extra=extra, **more)
    return Field(default, title=en, json_schema_extra=extra, **more)


class Payload(BaseModel):
    """Base of every payload: unknown fields are refused, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Payload):
    """The payload of actions that need none."""


class Item(Payload):
    """One numbered point; answers refer to it by its number."""

    no: Annotated[int, Field(ge=1, le=999, strict=True)] = field("序号", "number")
    text: Text = field("内容", "text", example="消防通道被杂物占用，应急照明失效")


class Outsider(Payload):
    """A person without an account."""

    name: Line = field("姓名", "name", example="陈明")
    post: MaybeLine = field("职务", "post", "", example="校长")


def _numbered(value: object) -> object:
    """Plain texts, and items without a number, are numbered by their place."""
    if not isinstance(value, list):
        return value
    items = []
    for place, item in enumerate(value, 1):
        if isinstance(item, str):
            items.append({"no": place, "text": item})
        elif isinstance(item, dict) and "no" not in item:
            items.append({"no": place, **item})
        else:
            items.append(item)
    return items


def distinct_numbers(items: Any) -> Any:
    """Refuses two items under one number."""
    numbers = [item.no for item in items]
    if len(set(numbers)) != len(numbers):
        raise PydanticCustomError("same_number", "two items have the same number")
    return items


Items = Annotated[
    list[Item], BeforeValidator(_numbered), AfterValidator(distinct_numbers), Field(min_length=1, max_length=100)
]
Names = Annotated[list[Name], Field(min_length=1, max_length=50)]
Files = Annotated[list[Code], Field(max_length=100)]
NumberedItems = BeforeValidator(_numbered)


# ---- examples --------------------------------------------------------------------------------------------------------

_EXAMPLES: dict[Any, Any] = {
    bool: False, int: 1, date: "2026-09-01", AwareDatetime: "2026-09-01T09:30:00+08:00",
}  # fmt: skip


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """A valid payload as JSON data: every required field, and those optional ones that declare an example."""
    return {
        info.alias or name: info.examples[0] if info.examples else _example(info.annotation, info.metadata, name, info)
        for name, info in model.model_fields.items()
        if info.examples or info.is_required()
    }


def _example(kind: Any, marks: Iterable[Any], name: str, info: FieldInfo) -> Any:
    """A value of this type; a plain text reads as its label."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return example_of(kind)
    match get_origin(kind):
        case origin if origin is Annotated:
            inner, *more = get_args(kind)
            return _example(inner, more, name, info)
        case origin if origin is Literal:
            return get_args(kind)[0]
        case origin if origin is list:
            return [_example(get_args(kind)[0], (), name, info)]
    if kind is str:
        coded = any(getattr(part, "pattern", None) for mark in marks for part in (mark, *getattr(mark, "metadata", ())))
        return "A-1" if coded else label_of(name, info).zh
    return _EXAMPLES[kind]


# ---- reading ---------------------------------------------------------------------------------------------------------


def label_of(name: str, info: FieldInfo) -> Label:
    """The label of one payload field."""
    label = hints_of(info).get("label")
    if not isinstance(label, dict):
        raise TypeError(f"field {name} has no label")
    return Label(str(label["zh"]), str(label["en"]))


def hints_of(info: FieldInfo) -> Mapping[str, Any]:
    """What a payload field says of itself beyond its type: label, words, choose, rows, usually (see `field`)."""
    extra = info.json_schema_extra
    return extra if isinstance(extra, dict) else {}


def words_of(info: FieldInfo) -> dict[str, Label]:
    """What people call the values of a payload field; empty where it is no enumeration."""
    words = hints_of(info).get("words") or {}
    return {value: Label(label["zh"], label["en"]) for value, label in words.items()}


_SENTENCES: dict[str, Label] = {
    "missing": Label("必须填写", "must be filled in"),
    "extra_forbidden": Label("不是此事项的字段", "is not a field of this request"),
    "string_too_long": Label("太长", "is too long"),
    "string_too_short": Label("不能为空", "must not be empty"),
    "string_unicode": Label("含有不能使用的字符", "holds a character that cannot be used"),
    "string_type": Label("必须是文字", "must be text"),
    "int_type": Label("必须是整数", "must be a whole number"),
    "bool_type": Label("必须是 true 或 false", "must be true or false"),
    "too_short": Label("条目太少", "must have more items"),
    "too_long": Label("条目太多", "must have fewer items"),
    "control_characters": Label("含有控制字符，请删去", "contains control characters"),
    "not_one_line": Label("只能写一行", "must be a single line"),
    "empty": Label("不能为空", "must not be empty"),
    "out_of_range": Label("须在 1990 年至 2199 年之间", "must lie between 1990 and 2199"),
    "same_number": Label("有两条的序号相同", "two items have the same number"),
    "list_type": Label("必须是列表", "must be a list"),
    "model_type": Label("必须是对象", "must be an object"),
    "dict_type": Label("必须是对象", "must be an object"),
    "model_attributes_type": Label("必须是对象", "must be an object"),
    "int_parsing": Label("必须是整数", "must be a whole number"),
    "bool_parsing": Label("必须是 true 或 false", "must be true or false"),
    "greater_than_equal": Label("不能小于 {ge}", "must be at least {ge}"),
    "less_than_equal": Label("不能大于 {le}", "must be at most {le}"),
    "literal_error": Label("须是下列之一：{expected}", "must be one of {expected}"),
    "string_pattern_mismatch": Label(
        "写法不对，请参照接口说明中的示例", "is not written as the documentation's example shows"
    ),
    "timezone_aware": Label("必须带时区，如 +08:00", "must have an offset, such as +08:00"),
    "datetime_from_date_parsing": Label(
        "须是带时区的时间，如 2026-03-02T09:00:00+08:00", "must be an instant such as 2026-03-02T09:00:00+08:00"
    ),
    "datetime_parsing": Label(
        "须是带时区的时间，如 2026-03-02T09:00:00+08:00", "must be an instant such as 2026-03-02T09:00:00+08:00"
    ),
    "date_from_datetime_parsing": Label(
        "须是实际存在的日期，写作 2026-03-02", "must be a day that exists, written 2026-03-02"
    ),
    "date_parsing": Label("须是实际存在的日期，写作 2026-03-02", "must be a day that exists, written 2026-03-02"),
}
"""What is wrong with a field, by Pydantic's kind of error; words in braces come from its context."""


def fault_of(error: Any) -> Fault:
    """One Pydantic error as a `Fault` in both languages."""
    where = ".".join(str(step) for step in error["loc"]) or "body"
    known = _SENTENCES.get(error["type"])
    if known is not None:
        return Fault(where, str(error["type"]), known.filled(**error.get("ctx", {})))
    said = str(error["msg"]).removeprefix("Value error, ")
    return Fault(where, str(error["type"]), Label(f"不正确（{said}）", said))


P = TypeVar("P", bound=Payload)


def read(model: type[P], values: object) -> P:
    """`values` as a payload of `model`; raises `Invalid` field by field."""
    try:
        return model.model_validate(values)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False)
        raise Invalid(fault_of(error) for error in found) from None
