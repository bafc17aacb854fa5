"""Compares the rows that history adds up to with the rows that stand in a table; the first difference is a `Broken`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, select, tuple_

from loop.engine.rebuild import Key, Row
from loop.store.session import Tx

PAGE = 1_000
"""Rows read at a time."""
AT_ONCE = 500
"""Values asked for at a time."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that history does not bear out: its table, its primary key as text, and what differs."""

    table: str
    key: str
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.what}"


class Broken(Exception):
    """Ends a verification with its first fault."""

    def __init__(self, table: str, key: object, what: str) -> None:
        self.fault = Fault(table, key_text(key), what)
        super().__init__(str(self.fault))


def key_text(key: object) -> str:
    """A primary key as people read it."""
    return "/".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def rows(tx: Tx, table: Table, where: ColumnElement[bool]) -> list[Row]:
    """Every row of `table` for which `where` holds, by column."""
    return [_row(table, values) for values in tx.select(select(table).where(where))]


def pages(tx: Tx, table: Table, keys: Sequence[str], where: ColumnElement[bool] | None = None) -> Iterator[list[Row]]:
    """All rows of `table` in the order of `keys`, a page at a time."""
    columns = [table.c[name] for name in keys]
    query = select(table).order_by(*columns).limit(PAGE)
    if where is not None:
        query = query.where(where)
    page = [_row(table, values) for values in tx.select(query)]
    while page:
        yield page
        last = tuple(page[-1][name] for name in keys)
        behind: Select[Any] = query.where(tuple_(*columns) > tuple_(*last, types=[c.type for c in columns]))
        page = [_row(table, values) for values in tx.select(behind)] if len(page) == PAGE else []


def _row(table: Table, values: Sequence[Any]) -> Row:
    return dict(zip(table.c.keys(), values, strict=True))


def among(tx: Tx, table: Table, column: str, values: Iterable[Any]) -> Iterator[Row]:
    """The rows whose `column` has one of `values`, in any order."""
    wanted = sorted(set(values))
    for start in range(0, len(wanted), AT_ONCE):
        yield from rows(tx, table, table.c[column].in_(wanted[start : start + AT_ONCE]))


def compare(
    table: str, expected: Mapping[Key, Row], found: Iterable[Row], keys: Sequence[str],
    allow: Callable[[Row, Row], Row] | None = None,
) -> int:  # fmt: skip
    """Raises `Broken` for a row that differs, is missing or is too much; answers how many were compared.

    `allow`, given what is expected and what stands, answers what is to be expected in its place.
    """
    seen: set[Key] = set()
    for row in found:
        key = tuple(row[name] for name in keys)
        wanted = expected.get(key)
        if wanted is None:
            raise Broken(table, key, "no event accounts for this row")
        same(table, key, allow(wanted, row) if allow else wanted, row)
        seen.add(key)
    if missing := [key for key in expected if key not in seen]:
        raise Broken(table, missing[0], "the row is missing")
    return len(seen)


def same(table: str, key: object, wanted: Row, row: Row) -> None:
    """Raises `Broken` naming the first column in which `row` is not as `wanted`."""
    for name, value in wanted.items():
        if row[name] != value or type(row[name]) is not type(value):
            raise Broken(table, key, f"{name} is {shown(row[name])}, history says {shown(value)}")


def shown(value: object) -> str:
    """A value in a sentence, shortened."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def lone(tx: Tx, table: Table, keys: Sequence[str], condition: ColumnElement[bool]) -> Key | None:
    """The key of a row of `table` for which `condition` holds, or None."""
    found = tx.select(select(*(table.c[name] for name in keys)).where(condition).limit(1))
    return tuple(found[0]) if found else None
