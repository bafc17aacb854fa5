"""When people may be disturbed: quiet hours, working days, the morning digest, the weekly one, a budget a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from loop.kernel.calendar import Calendar, at_local, local_day
from loop.kernel.routes import Manner

WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """The hours of an office, local times of day as HH:MM. `weekly` is the weekday of the weekly digest, Monday 0."""

    quiet_from: str = "20:00"
    quiet_until: str = "08:00"
    morning: str = "08:30"
    weekly: int = 0
    budget: int = 10
    """Letters a person gets in one local day, danger to life apart."""
    repeat_after: int = 2
    """Working days until what must be signed for is sent again."""
    repeat_most: int = 5


def is_quiet(at: datetime, manners: Manners, calendar: Calendar) -> bool:
    """Whether nobody is to be disturbed at `at`: in the quiet hours, or on a day that is not worked."""
    return not calendar.is_workday(local_day(at, calendar)) or not _in_hours(at, manners, calendar)


def _in_hours(at: datetime, manners: Manners, calendar: Calendar) -> bool:
    clock = at.astimezone(calendar.zone).strftime("%H:%M")
    if manners.quiet_until <= manners.quiet_from:
        return manners.quiet_until <= clock < manners.quiet_from
    return clock >= manners.quiet_until or clock < manners.quiet_from


def may_go_at(now: datetime, manner: Manner, manners: Manners, calendar: Calendar) -> datetime:
    """The first instant, not before `now`, at which something of this manner may be sent."""
    match manner:
        case "now":
            return now
        case "day":
            return _opening(now, manners, calendar) if is_quiet(now, manners, calendar) else now
        case "morning":
            return next_morning(now, manners, calendar)
        case "weekly":
            return _weekly(now, manners, calendar)


def next_morning(now: datetime, manners: Manners, calendar: Calendar, *, skip: int = 0) -> datetime:
    """When the next morning digest goes, on a working day; `skip` counts the local days that must pass first."""
    day = calendar.on_or_after(local_day(now, calendar) + timedelta(days=skip))
    at = at_local(day, manners.morning, calendar)
    return at if at >= now else next_morning(now, manners, calendar, skip=skip + 1)


def _opening(now: datetime, manners: Manners, calendar: Calendar) -> datetime:
    """The end of the quiet hours on the first working day on which it is yet to come."""
    day = calendar.on_or_after(local_day(now, calendar))
    at = at_local(day, manners.quiet_until, calendar)
    if at >= now:
        return at
    return at_local(calendar.on_or_after(day + timedelta(days=1)), manners.quiet_until, calendar)


def _weekly(now: datetime, manners: Manners, calendar: Calendar) -> datetime:
    """The morning of the week's digest; where that day is not worked, of the first working day after it."""
    today = local_day(now, calendar)
    ahead = (manners.weekly - today.weekday()) % WEEK
    for days in (ahead - WEEK, ahead, ahead + WEEK):
        at = at_local(calendar.on_or_after(today + timedelta(days=days)), manners.morning, calendar)
        if at >= now:
            return at
    raise AssertionError("a week without a morning")


def repeats_at(now: datetime, manners: Manners, calendar: Calendar) -> datetime:
    """When something that was not signed for is sent again."""
    day = calendar.add_workdays(local_day(now, calendar), manners.repeat_after)
    return at_local(day, manners.morning, calendar)


def day_began(now: datetime, calendar: Calendar) -> datetime:
    """The first instant of the local day, in UTC."""
    return at_local(local_day(now, calendar), "00:00", calendar).astimezone(UTC)
