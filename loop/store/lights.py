"""Overdue and the traffic light of a finding: once as functions of values, once as conditions on its columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, not_, or_
from sqlalchemy.sql.expression import FromClause

from loop.kernel.finding import NEVER
from loop.store.instants import NEVER_TEXT, text_of

GREEN, YELLOW, RED, GREY = "green", "yellow", "red", "grey"
LIGHTS = (GREEN, YELLOW, RED, GREY)
SOON = timedelta(days=5)
"""How long before its due date a finding turns yellow."""


def is_overdue(*, due_at: datetime, suspended_at: datetime, now: datetime) -> bool:
    """Whether the earliest running timer of the course has passed and no order makes it stand still."""
    return due_at < now and suspended_at == NEVER


def light(*, is_open: bool, suspended_at: datetime, due_at: datetime, level: int, now: datetime) -> str:
    """Grey: closed or suspended; red: overdue; yellow: due within `SOON` or under pressure; else green."""
    if not is_open or suspended_at != NEVER:
        return GREY
    if due_at < now:
        return RED
    return YELLOW if due_at <= now + SOON or level >= 1 else GREEN


def overdue_now(finding: FromClause, now: datetime) -> ColumnElement[bool]:
    """`is_overdue` as a condition."""
    return and_(finding.c.due_at < text_of(now), finding.c.suspended_at == NEVER_TEXT)


def shows(finding: FromClause, lights: Iterable[str], now: datetime) -> ColumnElement[bool]:
    """Findings that show one of `lights`."""
    c, moment = finding.c, text_of(now)
    live = and_(c.is_open == 1, c.suspended_at == NEVER_TEXT)
    soon = or_(c.due_at <= text_of(now + SOON), c.level >= 1)
    conditions = {
        GREY: not_(live),
        RED: and_(live, c.due_at < moment),
        YELLOW: and_(live, c.due_at >= moment, soon),
        GREEN: and_(live, c.due_at >= moment, not_(soon)),
    }
    return or_(*(conditions[name] for name in lights))
