"""Write-offs 销号, each entered once: by which dates it came and whether it held; counted by the month in which it came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, insert, select, tuple_, update
from sqlalchemy.sql.expression import FromClause

from loop.kernel.finding import NEVER, Finding
from loop.kernel.people import Path
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.paging import Page, cursor, key_of
from loop.store.reach import LEVELS, levels, within
from loop.store.registry import UnitRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import FindingRow, TimerRow
from loop.store.tally import WriteOffRow

OFF, DATED, BY_FIRST, BY_LAST, RELAPSED = "off", "dated", "by_first", "by_last", "relapsed"
LATE = "late"
"""Not by any date that was set: what is listed, not counted by itself."""
MEASURES = (OFF, DATED, BY_FIRST, BY_LAST, RELAPSED)

_OFF, _FINDING, _TIMER, _UNIT = table_of(WriteOffRow), table_of(FindingRow), table_of(TimerRow), table_of(UnitRow)
_FLAGS = (DATED, BY_FIRST, BY_LAST, RELAPSED)
_COLUMNS = ("number", "at", "month", *LEVELS, *_FLAGS)

Change = tuple[tuple[str, str, str], int]
"""Places joined by blanks, a measure, a month; and by how much its number changes."""


def month_of(at: datetime, zone: tzinfo) -> str:
    """The local month of an instant, "2026-03"."""
    return at.astimezone(zone).strftime("%Y-%m")


# ---- as they happen --------------------------------------------------------------------------------------------------

_MINE = (_TIMER.c.chain == bindparam("number"), _TIMER.c.rule == "rectify_by")
_DATES = Prepared(select(func.min(_TIMER.c.first_due_at), func.max(_TIMER.c.due_at)).where(*_MINE))
_ENTER = Prepared(insert(_OFF), columns=_COLUMNS)
_KEPT = Prepared(
    select(*(_OFF.c[name] for name in _COLUMNS)).where(
        _OFF.c.number == bindparam("number"), _OFF.c.at == bindparam("at")
    )
)
_MARK = Prepared(
    update(_OFF).where(_OFF.c.number == bindparam("of_number"), _OFF.c.at == bindparam("of_at")), columns=["relapsed"]
)


def changes(tx: Tx, before: Finding | None, after: Finding, zone: tzinfo) -> Iterator[Change]:
    """Enter what a step means for the write-offs, and what it changes in their numbers. Praise is no write-off."""
    was = before.written_off_at if before else NEVER
    if after.written_off_at == was or after.positive:
        return
    if after.written_off_at != NEVER:
        yield from _entered(tx, after, zone)
    elif before and after.relapse_count > before.relapse_count:
        yield from _marked(tx, after.number, was, relapsed=1)


def _entered(tx: Tx, finding: Finding, zone: tzinfo) -> Iterator[Change]:
    """Where what undid a write-off was annulled, it has held after all."""
    at = text_of(finding.written_off_at)
    if tx.one(_KEPT, number=finding.number, at=at):
        yield from _marked(tx, finding.number, finding.written_off_at, relapsed=0)
        return
    for cell in enter(tx, finding.number, at, levels(finding.place.region), zone):
        yield cell, 1


def enter(tx: Tx, number: str, at: str, places: dict[str, str], zone: tzinfo) -> Iterator[tuple[str, str, str]]:
    """Enter a write-off of a finding in the region with these levels, and say where it counts."""
    first, last = tx.all(_DATES, number=number)[0]
    flags = {DATED: last is not None, BY_FIRST: bool(first) and at <= first, BY_LAST: bool(last) and at <= last}
    numbers = {name: int(flags.get(name, False)) for name in _FLAGS}
    row = {"number": number, "at": at, "month": month_of(instant_of(at), zone), **places, **numbers}
    tx.run(_ENTER, **row)
    return cells(row)


def _marked(tx: Tx, number: str, at: datetime, *, relapsed: int) -> Iterator[Change]:
    kept = tx.one(_KEPT, number=number, at=text_of(at))
    row = dict(zip(_COLUMNS, kept, strict=True)) if kept else {}
    if kept and row[RELAPSED] != relapsed:
        tx.run(_MARK, of_number=number, of_at=text_of(at), relapsed=relapsed)
        yield (_places(row), RELAPSED, row["month"]), 1 if relapsed else -1


def cells(row: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Where a write-off counts."""
    yield _places(row), OFF, row["month"]
    yield from ((_places(row), name, row["month"]) for name in _FLAGS if row[name])


def _places(row: dict[str, Any]) -> str:
    return " ".join(filter(None, (row[name] for name in LEVELS)))


# ---- read ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WriteOff:
    """One write-off with what it is about."""

    number: str
    title: str
    unit: str
    at: datetime
    dated: bool
    by_first: bool
    by_last: bool
    relapsed: bool


WANTED: dict[str, tuple[tuple[str, int], ...]] = {
    OFF: (),
    DATED: ((DATED, 1),),
    BY_FIRST: ((BY_FIRST, 1),),
    BY_LAST: ((BY_LAST, 1),),
    LATE: ((DATED, 1), (BY_LAST, 0)),
    RELAPSED: ((RELAPSED, 1),),
}
"""What may be listed, as columns and their values."""


def page(
    tx: Tx, path: Path, month: str, what: str = OFF, *, after: str | None = None, limit: int = 50
) -> Page[WriteOff]:  # fmt: skip
    """The write-offs of a month in the region with `path`, in their order. Raises Invalid for a cursor that is none."""
    scope = f"write-offs {month} {what}"
    start = key_of(scope, after, str, str) if after else ("", "")
    query = (
        select(_OFF.c.number, _FINDING.c.title, func.coalesce(_UNIT.c.name, ""), *(_OFF.c[n] for n in ("at", *_FLAGS)))
        .join_from(_OFF, _FINDING, _FINDING.c.number == _OFF.c.number)
        .outerjoin(_UNIT, _UNIT.c.id == _FINDING.c.unit_id)
        .where(
            within(path, _OFF), _OFF.c.month == month, *_wanted(_OFF, what), tuple_(_OFF.c.at, _OFF.c.number) > start
        )
        .order_by(_OFF.c.at, _OFF.c.number)
        .limit(limit + 1)
    )
    rows = [
        WriteOff(number, title, unit, instant_of(at), *map(bool, flags))
        for number, title, unit, at, *flags in tx.select(query)
    ]
    shown = tuple(rows[:limit])
    more = len(rows) > limit
    return Page(shown, cursor(scope, (text_of(shown[-1].at), shown[-1].number)) if more else None)


def _wanted(table: FromClause, what: str) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in WANTED[what]]
