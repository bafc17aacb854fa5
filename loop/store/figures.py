"""Simple counts over the findings in a reader's reach: one pass by state and kind, one by region, one for punctuality."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from loop.kernel.people import Actor, Path
from loop.store import places, reach
from loop.store.core import table_of
from loop.store.ledger_filter import LedgerFilter, conditions, narrow
from loop.store.lights import overdue_now
from loop.store.registry import RegionRow
from loop.store.session import Tx
from loop.store.tables import FindingRow, TimerRow

_FINDING, _TIMER, _REGION = table_of(FindingRow), table_of(TimerRow), table_of(RegionRow)
_WRITTEN_OFF = _FINDING.c.state.like("lookback.%") | (_FINDING.c.state == "archived")


@dataclass(frozen=True, slots=True)
class Cell:
    """How many findings share these five values, and how many of them are overdue, relapsed and so on."""

    state: str
    severity: str
    category: str
    kind: str
    positive: bool
    found: int
    overdue: int
    served: int
    relapsed: int
    first_pass: int
    """Still in their first round."""
    late_running: int
    """Past the date by which they were to be rectified."""


@dataclass(frozen=True, slots=True)
class InRegion:
    """How many findings a region holds, those of all regions below it included; without `below` those that are in none
    of the regions below it.
    """

    code: str
    name: str
    below: bool
    found: int
    open: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Punctuality:
    """Of the findings written off for which a date had been set: how many by the first date, how many by the last."""

    dated: int
    by_first_date: int
    by_last_date: int


def cells(tx: Tx, actor: Actor, chosen: LedgerFilter, *, now: datetime) -> tuple[Cell, ...]:
    """Everything in reach that is chosen, grouped. Raises Invalid for a region or office that there is not."""
    c = _FINDING.c
    late = and_(overdue_now(_FINDING, now), c.is_open == 1)
    groups = (c.state, c.severity, c.category, c.kind, c.positive)
    query = select(
        *groups, func.count(), _sum(late), _sum(c.served == 1), _sum(c.relapse_count > 0), _sum(c.round == 1),
        _sum(and_(late, c.due_rule == "rectify_by")),
    ).group_by(*groups).order_by(*groups)  # fmt: skip
    return tuple(
        Cell(state, severity, category, kind, bool(positive), *counts)
        for state, severity, category, kind, positive, *counts in tx.select(_asked(tx, query, actor, chosen, now))
    )


def by_region(tx: Tx, actor: Actor, chosen: LedgerFilter, *, now: datetime) -> tuple[InRegion, ...]:
    """The same by the regions directly below the one asked for, or below the caller's own.

    Findings of the region itself, not of one below it, are counted under its own code.
    """
    path = _top(tx, actor, chosen)
    column = _FINDING.c[reach.LEVELS[min(len(path), 4) - 1]]
    late = and_(overdue_now(_FINDING, now), _FINDING.c.is_open == 1)
    query = select(column, func.count(), _sum(_FINDING.c.is_open == 1), _sum(late)).group_by(column).order_by(column)
    rows = tx.select(_asked(tx, query, actor, chosen, now))
    names = _names(tx, [row[0] or path[-1] for row in rows])
    return tuple(InRegion(c or path[-1], names.get(c or path[-1], ""), bool(c), *counts) for c, *counts in rows)


def punctuality(tx: Tx, actor: Actor, chosen: LedgerFilter, *, now: datetime) -> Punctuality:
    """How punctually findings were written off; what was only to be commended is left out."""
    mine = (_TIMER.c.chain == _FINDING.c.number, _TIMER.c.rule == "rectify_by")
    first = select(func.min(_TIMER.c.first_due_at)).where(*mine).correlate(_FINDING).scalar_subquery()
    last = select(func.max(_TIMER.c.due_at)).where(*mine).correlate(_FINDING).scalar_subquery()
    dated = select(_FINDING.c.written_off_at.label("at"), first.label("first"), last.label("last")).where(
        _WRITTEN_OFF, _FINDING.c.positive == 0
    )
    found = _asked(tx, dated, actor, chosen, now).subquery("dated")
    counted: list[ColumnElement[Any]] = [
        func.count(),
        _sum(found.c.at <= found.c.first),
        _sum(found.c.at <= found.c.last),
    ]
    counts = tx.select(select(*counted).select_from(found).where(found.c.first.is_not(None)))[0]
    return Punctuality(*(int(count) for count in counts))


def _asked(tx: Tx, query: Select[Any], actor: Actor, chosen: LedgerFilter, now: datetime) -> Select[Any]:
    return query.where(
        reach.in_reach(actor), *narrow(chosen, actor.id, _FINDING), *conditions(tx, chosen, _FINDING, now)
    )


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _top(tx: Tx, actor: Actor, chosen: LedgerFilter) -> Path:
    """The region below which to count: the one asked for, else the narrowest that holds all of the caller's."""
    if chosen.region is not None and (asked := places.find_region(tx, chosen.region)):
        return asked.path
    paths = [post.region for post in actor.posts if post.role in reach.SEES_REGION and post.region]
    shared: Path = paths[0] if paths else ()
    for path in paths[1:]:
        shared = tuple(a for k, a in enumerate(shared) if path[: k + 1] == shared[: k + 1])
    return shared or _country(tx)


def _country(tx: Tx) -> Path:
    rows = tx.select(select(_REGION.c.code).where(_REGION.c.parent.is_(None)).limit(1))
    return (str(rows[0][0]),) if rows else ("",)


def _names(tx: Tx, codes: list[str]) -> dict[str, str]:
    if not codes:
        return {}
    named = select(_REGION.c.code, _REGION.c.name).where(_REGION.c.code.in_(codes))
    return {code: name for code, name in tx.select(named)}  # noqa: C416  a row is a tuple of any length
