"""The working calendar of a year as twelve small months, with what is special about it and on which notice that rests."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.calendar import HOLIDAY, MAKEUP, REST, WORK, Calendar, Day
from loop.kernel.labels import Label
from loop.kernel.wording import WEEKDAYS
from loop.store.session import Tx
from loop.web.admin import CALENDAR, HOME, address, asked, scope_of, show_admin
from loop.web.page import Crumb, Page, Visitor

router = APIRouter()
TITLE = Label("工作日历", "Working calendar")
LEAD = Label("期限以工作日计的，都按本日历推算。", "Every limit counted in working days follows this calendar.")
STEP = Crumb(TITLE, CALENDAR)
LOAD = f"{CALENDAR}/load"
FIRST, LAST = 2004, 2099
ENGLISH = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"
)  # fmt: skip
KIND_WORDS = {
    WORK: Label("工作日", "working day"),
    REST: Label("休息日", "day of rest"),
    HOLIDAY: Label("放假", "holiday"),
    MAKEUP: Label("调休上班", "make-up day"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of a month."""

    number: int
    kind: str
    name: str
    is_today: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month as weeks of seven places, the empty ones None; and how many of its days are worked."""

    name: Label
    weeks: tuple[tuple[Cell | None, ...], ...]
    worked: int


@dataclass(frozen=True, slots=True)
class Special:
    """A day that is not what its weekday makes of it."""

    on: str
    weekday: Label
    kind: Label
    mark: str
    name: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarView:
    """A year."""

    year: int
    official: bool
    months: tuple[Month, ...]
    weekdays: tuple[Label, ...]
    special: tuple[Special, ...]
    worked: int
    earlier: str
    later: str
    may_load: bool
    load_path: str


@router.get(CALENDAR)
async def year_of(request: Request) -> Response:
    """A year, this one unless another is asked for."""
    wanted = asked(request, "year")

    def build(tx: Tx, visitor: Visitor) -> Page:
        year = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) == 4 else visitor.today.year
        year = min(max(year, FIRST), LAST)
        title = Label(f"{year} 年工作日历", f"Working calendar {year}")
        return Page(template="admin_calendar.html", title=title, lead=LEAD, view=_view(visitor, year), crumbs=(HOME,))

    return await show_admin(request, build)


def may_load(visitor: Visitor) -> bool:
    """Whether the reader administers the whole country: a calendar moves deadlines everywhere."""
    return any(len(path) == 1 for path in scope_of(visitor))


def _view(visitor: Visitor, year: int) -> CalendarView:
    calendar = visitor.service.calendar
    months = tuple(_month(calendar, year, number, visitor.today) for number in range(1, 13))
    return CalendarView(
        year=year, official=calendar.official(year), months=months, weekdays=WEEKDAYS,
        special=special_days(_days(calendar, year)), worked=sum(month.worked for month in months),
        earlier=address(CALENDAR, year=str(year - 1)) if year > FIRST else "",
        later=address(CALENDAR, year=str(year + 1)) if year < LAST else "", may_load=may_load(visitor), load_path=LOAD,
    )  # fmt: skip


def _days(calendar: Calendar, year: int) -> list[Day]:
    first = date(year, 1, 1)
    return [calendar.day(first + timedelta(days=at)) for at in range((date(year + 1, 1, 1) - first).days)]


def special_days(days: Sequence[Day]) -> tuple[Special, ...]:
    """Holidays and make-up days, and whatever else is not what its weekday makes of it."""
    return tuple(
        Special(
            day.on.isoformat(), WEEKDAYS[day.on.weekday()], KIND_WORDS[day.kind], day.kind, day.name, day.source
        )
        for day in days
        if day.kind in (HOLIDAY, MAKEUP) or (day.kind == WORK) != (day.on.weekday() < 5)
    )  # fmt: skip


def _month(calendar: Calendar, year: int, number: int, today: date) -> Month:
    before, length = monthrange(year, number)
    days = [calendar.day(date(year, number, at)) for at in range(1, length + 1)]
    cells: list[Cell | None] = [None] * before
    cells += [Cell(day.on.day, day.kind, day.name, day.on == today) for day in days]
    cells += [None] * (-len(cells) % 7)
    weeks = tuple(tuple(cells[at : at + 7]) for at in range(0, len(cells), 7))
    worked = sum(calendar.is_workday(day.on) for day in days)
    return Month(Label(f"{number}月", ENGLISH[number - 1]), weeks, worked)
