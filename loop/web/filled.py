"""What somebody typed into a form, as the values of its payload: blanks left out, rows gathered, numbers read.

What cannot be read is handed on as it is, so that the payload itself says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from loop.kernel.payloads import hints_of
from loop.web.kinds import CHOICES, FLAG, GROUP, INSTANT, LINE, LINES, ROWS, TEXT, Kind, kind_of
from loop.web.sent import Sent

MOST_ROWS = 300
_WHOLE = re.compile(r"[+-]?\d{1,9}")


class Filled:
    """Reads a form at a place with this time zone. `clears`: an emptied text is a value, it takes away what was there."""

    def __init__(self, sent: Sent, zone: ZoneInfo, *, clears: bool = False) -> None:
        self._sent, self._zone, self._clears = sent, zone, clears

    def values(self, model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
        """The payload of `model` as far as it was filled in."""
        read = (
            (info.alias or name, self._value(info, prefix + (info.alias or name)))
            for name, info in model.model_fields.items()
        )
        return {name: value for name, value in read if value is not None}

    def _value(self, info: FieldInfo, path: str) -> Any:
        kind = kind_of(info)
        if kind.name == ROWS and kind.model:
            rows = self._rows(kind.model, path, by_place=bool(hints_of(info).get("rows")))
            return rows if rows or not kind.optional else None
        if kind.name == GROUP and kind.model:
            inner = self.values(kind.model, f"{path}.")
            return inner if _says_something(inner) or info.is_required() else None
        if kind.name == CHOICES:
            return [one for one in dict.fromkeys(self._sent.all(path)) if one]
        if kind.name == LINES:
            lines = [line.strip() for line in self._sent.get(path).split("\n") if line.strip()]
            return lines if lines or not kind.optional else None
        if kind.name == FLAG:
            return self._sent.has(path)
        return self._plain(kind, self._sent.get(path))

    def _plain(self, kind: Kind, text: str) -> Any:
        if not text.strip():
            return "" if self._clears and kind.name in (LINE, TEXT) else None
        if kind.whole:
            return int(text) if _WHOLE.fullmatch(text.strip()) else text
        return self._instant(text) if kind.name == INSTANT else text

    def _instant(self, text: str) -> str:
        """A local time as browsers write it, with the offset of the place."""
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return text
        return (at if at.tzinfo else at.replace(tzinfo=self._zone)).isoformat()

    def _rows(self, model: type[BaseModel], path: str, *, by_place: bool) -> list[dict[str, Any]]:
        """The entries that say something. Where an entry answers by its place, an empty one before another keeps that place."""
        rows = [self._row(model, f"{path}.{place}.") for place in self._places(path)]
        if not by_place or any(map(_names_a_number, model.model_fields)):
            return [row for row in rows if row]
        while rows and not rows[-1]:
            rows.pop()
        return [row or {} for row in rows]

    def _row(self, model: type[BaseModel], prefix: str) -> dict[str, Any] | None:
        """One entry; None for one that nobody wrote anything into. What stands in a new one by itself was written by nobody."""
        values = self.values(model, prefix)
        fields = {info.alias or name: info for name, info in model.model_fields.items()}
        told = {n: v for n, v in values.items() if not _names_a_number(n) and not _is_usual(fields[n], v)}
        return values if _says_something(told) else None

    def _places(self, path: str) -> Iterator[int]:
        begin = f"{path}."
        found = {rest.partition(".")[0] for name in self._sent.names() if (rest := name.removeprefix(begin)) != name}
        yield from sorted(int(one) for one in found if one.isascii() and one.isdecimal() and int(one) < MOST_ROWS)


def _names_a_number(name: str) -> bool:
    return name == "no" or name.endswith("_no")


def _is_usual(info: FieldInfo, value: Any) -> bool:
    """Whether a new form offers a value in this field before anybody typed, as far as that is known afterwards."""
    return bool(hints_of(info).get("usually")) or (not info.is_required() and value == info.default)


def _says_something(value: Any) -> bool:
    """Whether anything was typed or chosen within a value."""
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    return bool(value) and value is not True
