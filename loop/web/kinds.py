"""Which sort of field a payload's type asks for: a line, a text, a day, a choice, rows. Read from the type alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from loop.kernel.payloads import hints_of, words_of

LINE, TEXT, DAY, INSTANT, NUMBER, FLAG = "line", "text", "day", "instant", "number", "flag"
CHOICE, CHOICES, LINES, ROWS, GROUP = "choice", "choices", "lines", "rows", "group"
LONG_TEXT = 200
"""Beyond so many characters a text gets a box of several lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The sort of a field, its limits, and the model of its entries where it has some."""

    name: str
    model: type[BaseModel] | None = None
    longest: int | None = None
    least: int | None = None
    most: int | None = None
    optional: bool = False
    whole: bool = False
    """Whether what is typed or picked is a whole number."""

    @property
    def chosen(self) -> bool:
        """Whether it is picked from options rather than typed."""
        return self.name in (CHOICE, CHOICES)


def kind_of(info: FieldInfo) -> Kind:
    """The sort of one payload field; raises TypeError for a type that no form can ask for."""
    bare, marks, optional = _bare(info.annotation)
    marks = [*marks, *_flat(info.metadata)]
    limits: dict[str, Any] = {
        "longest": _limit(marks, MaxLen, "max_length"), "least": _limit(marks, Ge, "ge"), "most": _limit(marks, Le, "le"),
        "optional": optional, "whole": bare is int,
    }  # fmt: skip
    picked = bool(words_of(info)) or bool(hints_of(info).get("choose"))
    if get_origin(bare) is list:
        inner, _, _ = _bare(get_args(bare)[0])
        if _is_model(inner):
            return Kind(name=ROWS, model=inner, **limits)
        return Kind(name=CHOICES if picked else LINES, **limits)
    if _is_model(bare):
        return Kind(name=GROUP, model=bare, **limits)
    if picked or get_origin(bare) is Literal:
        return Kind(name=CHOICE, **limits)
    return Kind(name=_plain(bare, limits["longest"]), **limits)


def _plain(bare: Any, longest: int | None) -> str:
    if bare is bool:
        return FLAG
    if bare is int:
        return NUMBER
    if bare is AwareDatetime or bare is datetime:
        return INSTANT
    if bare is date:
        return DAY
    if bare is str:
        return TEXT if (longest or 0) > LONG_TEXT else LINE
    raise TypeError(f"no form asks for {bare!r}")


def _bare(annotation: Any) -> tuple[Any, list[Any], bool]:
    """A type without what is annotated to it and without "or nothing"; the marks found on the way."""
    marks: list[Any] = []
    optional = False
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *found = get_args(annotation)
            marks += _flat(found)
        elif get_origin(annotation) in (Union, UnionType):
            rest = [one for one in get_args(annotation) if one is not NoneType]
            optional = True
            annotation = rest[0]
        else:
            return annotation, marks, optional


def _flat(marks: Any) -> Iterator[Any]:
    for mark in marks:
        yield mark
        if isinstance(mark, FieldInfo):
            yield from _flat(mark.metadata)


def _limit(marks: list[Any], kind: type, name: str) -> int | None:
    found = [getattr(mark, name) for mark in marks if isinstance(mark, kind)]
    return found[-1] if found else None


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
