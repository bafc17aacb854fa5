"""A form that was sent, as plain text values: nothing is read from a request after this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from loop.kernel.errors import Invalid
from loop.store.paging import storable

CSRF = "csrf"
MOST_FIELDS = 3_000
LARGEST_PART = 256 * 1024
"""Bytes of one field of a multipart form; the whole body has a limit of its own."""
KINDS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class Sent:
    """Names and texts in the order in which the form has them."""

    pairs: tuple[tuple[str, str], ...] = ()

    def get(self, name: str, default: str = "") -> str:
        """The last value of a field; `default` where it is not there."""
        return next((value for key, value in reversed(self.pairs) if key == name), default)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field."""
        return tuple(value for key, value in self.pairs if key == name)

    def has(self, name: str) -> bool:
        """Whether the field, or the button, was sent."""
        return any(key == name for key, _ in self.pairs)

    def names(self) -> Iterator[str]:
        """The names of all fields, each once."""
        yield from dict.fromkeys(key for key, _ in self.pairs)

    def plus(self, *pairs: tuple[str, str]) -> Sent:
        """The same with more fields behind."""
        return Sent((*self.pairs, *pairs))


NOTHING = Sent()


async def sent_of(request: Request) -> Sent:
    """The text fields of the form in this request; raises Invalid for what is no form, TooLarge for too much of one."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in KINDS:
        raise broken()
    try:
        async with request.form(max_files=0, max_fields=MOST_FIELDS, max_part_size=LARGEST_PART) as form:
            return texts_of(form)
    except (MultiPartException, HTTPException, UnicodeDecodeError):
        raise broken() from None


def texts_of(form: FormData) -> Sent:
    """The texts of a form, its files left out; raises Invalid for a character that no database takes."""
    pairs = tuple((name, _clean(value)) for name, value in form.multi_items() if isinstance(value, str))
    if not all(storable(text) for pair in pairs for text in pair):
        raise Invalid.field("form", "含有不能使用的字符。", "holds a character that cannot be used.", "characters")
    return Sent(pairs)


def _clean(text: str) -> str:
    """A browser ends the lines of a text field with two characters; everybody else with one."""
    return text.replace("\r\n", "\n")


def broken() -> Invalid:
    """What is said of a form that cannot be read."""
    return Invalid.field("form", "无法读取，请返回重新提交。", "cannot be read; go back and send it again.", "form")
