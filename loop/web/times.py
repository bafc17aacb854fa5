"""Instants and deadlines as people say them: "3 working days left", "5 days overdue", "today 09:30"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from loop.kernel.calendar import Calendar, local_day
from loop.kernel.finding import NEVER
from loop.kernel.labels import Label
from loop.kernel.wording import WEEKDAYS
from loop.store.lights import SOON

OVER, TODAY, SOON_DUE, LATER = "over", "today", "soon", "later"
WORKING = (Label("还有 1 个工作日", "1 working day left"), Label("还有 {n} 个工作日", "{n} working days left"))
DAYS = (Label("还有 1 天", "1 day left"), Label("还有 {n} 天", "{n} days left"))
OVERDUE = (Label("逾期 1 天", "1 day overdue"), Label("逾期 {n} 天", "{n} days overdue"))
DUE_TODAY, JUST_OVER = Label("今天截止", "due today"), Label("已到期", "just overdue")
AGO = (Label("1 天前", "1 day ago"), Label("{n} 天前", "{n} days ago"))
NEAR = {0: Label("今天 {time}", "today {time}"), 1: Label("昨天 {time}", "yesterday {time}")}
RECENT = 7
"""Up to so many days ago a past instant is told by their number."""


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant for a page: `iso` for machines, `words` as people say it, `exact` to the minute with the weekday."""

    iso: str
    words: Label
    exact: Label


@dataclass(frozen=True, slots=True)
class Due(Moment):
    """A deadline; `tone` is one of over, today, soon, later."""

    tone: str


class Times:
    """Puts instants into words, seen from `now`."""

    def __init__(self, calendar: Calendar, now: datetime) -> None:
        self.calendar, self.now = calendar, now
        self.today: date = local_day(now, calendar)

    def due(self, at: datetime) -> Due | None:
        """A deadline in working days; None for none."""
        if at == NEVER:
            return None
        day = local_day(at, self.calendar)
        return Due(self._iso(at), self._left(at, day), self._exact(at), self._tone(at, day))

    def past(self, at: datetime | None) -> Moment | None:
        """Something that happened, or is announced; None for none."""
        if at is None or at == NEVER:
            return None
        return Moment(self._iso(at), self._ago(at), self._exact(at))

    def instant(self, at: datetime) -> Moment:
        """An instant to the minute."""
        exact = self._exact(at)
        return Moment(self._iso(at), exact, exact)

    def day(self, on: date) -> Moment:
        """A whole day."""
        weekday = WEEKDAYS[on.weekday()]
        words = Label(f"{on.isoformat()}（{weekday.zh}）", f"{weekday.en} {on.isoformat()}")
        return Moment(on.isoformat(), words, words)

    def _iso(self, at: datetime) -> str:
        return at.astimezone(self.calendar.zone).isoformat(timespec="seconds")

    def _exact(self, at: datetime) -> Label:
        local = at.astimezone(self.calendar.zone)
        weekday, clock = WEEKDAYS[local.weekday()], local.strftime("%H:%M")
        on = local.date().isoformat()
        return Label(f"{on}（{weekday.zh}）{clock}", f"{weekday.en} {on} {clock}")

    def _left(self, at: datetime, day: date) -> Label:
        if at < self.now:
            late = (self.today - day).days
            return _counted(OVERDUE, late) if late else JUST_OVER
        if day == self.today:
            return DUE_TODAY
        working = self.calendar.workdays_between(self.today, day)
        return _counted(WORKING, working) if working else _counted(DAYS, (day - self.today).days)

    def _tone(self, at: datetime, day: date) -> str:
        if at < self.now:
            return OVER
        if day == self.today:
            return TODAY
        return SOON_DUE if at <= self.now + SOON else LATER

    def _ago(self, at: datetime) -> Label:
        local = at.astimezone(self.calendar.zone)
        days = (self.today - local.date()).days
        if days in NEAR and at <= self.now:
            return NEAR[days].filled(time=local.strftime("%H:%M"))
        if 0 < days <= RECENT:
            return _counted(AGO, days)
        on = local.strftime("%Y-%m-%d")
        return Label(on, on)


def _counted(forms: tuple[Label, Label], n: int) -> Label:
    return forms[n != 1].filled(n=n)
