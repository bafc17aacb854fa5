"""Deadlines as a calendar wants them: those that wait for somebody, and those that have lately ceased to, with what they
are about.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union

from loop.kernel.clocks import Timer
from loop.kernel.people import Actor
from loop.store import timers
from loop.store.core import table_of
from loop.store.desk import Desk
from loop.store.instants import instant_of, text_of
from loop.store.reach import in_reach
from loop.store.registry import SupervisionRow
from loop.store.session import Tx
from loop.store.supervisions import chain_of
from loop.store.tables import EventRow, FindingRow, TimerRow

_TIMER, _FINDING, _SUPERVISION = table_of(TimerRow), table_of(FindingRow), table_of(SupervisionRow)
_EVENT = table_of(EventRow)
_OF_SUPERVISION = chain_of("")


class Deadline(NamedTuple):
    """A timer with what it is about: the title of its finding or supervision, state and severity of its finding (None for
    other chains), and number and time of the last entry in its chain.
    """

    chain: str
    timer: Timer
    title: str | None
    state: str | None
    severity: str | None
    version: int
    changed_at: datetime


def running(
    tx: Tx, at: Desk, *, owners: Collection[str], windows: Collection[str], now: datetime, limit: int
) -> list[Deadline]:
    """Up to `limit` running timers that wait for whoever has the desk `at`, the most urgent first; the same as `todo`."""
    open_ones = and_(_TIMER.c.stopped_at.is_(None), timers.still_open(sorted(windows), literal(text_of(now))))
    branches = [branch.where(open_ones) for branch in _branches(at, owners)]
    return _listed(tx, branches, _by_due, limit)


def stopped(
    tx: Tx, at: Desk, actor: Actor, *, owners: Collection[str], windows: Collection[str], since: datetime, limit: int
) -> list[Deadline]:  # fmt: skip
    """Up to `limit` timers that waited for the desk of `actor` and were stopped at `since` or later, the last one first; of
    findings, those that the actor still sees, for a finding may have come to another unit since.
    """
    lately = and_(_TIMER.c.stopped_at >= text_of(since), timers.still_open(sorted(windows), _TIMER.c.stopped_at))
    branches = [branch.where(lately) for branch in _branches(at, owners)]
    seen = or_(_FINDING.c.number.is_(None), in_reach(actor))
    return _listed(tx, branches, _by_stop, limit, seen)


def _branches(at: Desk, owners: Collection[str]) -> list[Select[Any]]:
    return timers.waiting(
        (_TIMER.c.chain, *timers.COLUMNS), owners=owners, offices=at.offices, units=at.units, persons=at.persons
    )


def _by_due(row: Any) -> tuple[ColumnElement[Any], ...]:
    return row.due_at, row.id


def _by_stop(row: Any) -> tuple[ColumnElement[Any], ...]:
    return row.stopped_at.desc(), row.id


def _listed(
    tx: Tx, branches: Sequence[Select[Any]], order: Callable[[Any], tuple[ColumnElement[Any], ...]], limit: int,
    seen: ColumnElement[bool] | None = None,
) -> list[Deadline]:  # fmt: skip
    if not branches:
        return []
    first = (branch.order_by(*order(_TIMER.c)).limit(limit).subquery() for branch in branches)
    mine = union(*(select(branch) for branch in first)).subquery("mine")
    supervised = func.substr(mine.c.chain, len(_OF_SUPERVISION) + 1)
    last = (
        select(_EVENT.c.seq, _EVENT.c.at).where(_EVENT.c.chain == mine.c.chain).order_by(_EVENT.c.seq.desc()).limit(1)
    )
    listed = (
        select(
            mine,
            func.coalesce(_FINDING.c.title, _SUPERVISION.c.title),
            _FINDING.c.state,
            _FINDING.c.severity,
            func.coalesce(_FINDING.c.version, last.with_only_columns(_EVENT.c.seq).scalar_subquery()),
            func.coalesce(_FINDING.c.changed_at, last.with_only_columns(_EVENT.c.at).scalar_subquery()),
        )
        .outerjoin(_FINDING, _FINDING.c.number == mine.c.chain)
        .outerjoin(_SUPERVISION, and_(mine.c.chain.startswith(_OF_SUPERVISION), _SUPERVISION.c.id == supervised))
        .order_by(*order(mine.c))
        .limit(limit)
    )
    return [_deadline(row) for row in tx.select(listed if seen is None else listed.where(seen))]


def _deadline(row: Sequence[Any]) -> Deadline:
    chain, *values, title, state, severity, version, changed_at = row
    return Deadline(chain, timers.timer_of(values), title, state, severity, version, instant_of(changed_at))
