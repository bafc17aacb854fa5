"""The working calendar and the arithmetic of periods that rests on it.

Pure: what a year looks like is handed in as a function, and nothing here reads a clock, a file or a database.
Periods follow Articles 201-203 of the Civil Code; see `end_day`.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

WORK, REST, HOLIDAY, MAKEUP = "work", "rest", "holiday", "makeup"
KINDS = frozenset({WORK, REST, HOLIDAY, MAKEUP})
WORKING = frozenset({WORK, MAKEUP})
WEEK_RULE = "国务院关于职工工作时间的规定第七条"
LAST_SECOND = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class Day:
    """One day: what kind it is, what it is called, which text says so, and whether that may still change."""

    on: date
    kind: str
    name: str
    source: str
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is known of one year: the days that are not an ordinary weekday or weekend, and whether it is published."""

    official: bool
    days: Mapping[date, Day]


@dataclass(frozen=True, slots=True)
class _Year:
    number: int
    first: int  # ordinal of 1 January
    work: tuple[date, ...]
    before: tuple[int, ...]  # working days of the year before its n-th day; one entry more than days
    arrangement: Arrangement


class Calendar:
    """Which days are worked, in one time zone. Answers by looking up; a year is laid out when first asked for."""

    __slots__ = ("_laid", "zone")

    def __init__(self, zone: ZoneInfo, arrange: Callable[[int], Arrangement]) -> None:
        """Take the zone of all local days and a function that says what is special about a year."""
        self.zone = zone
        self._laid: tuple[Callable[[int], Arrangement], dict[int, _Year]] = (arrange, {})

    def follow(self, arrange: Callable[[int], Arrangement]) -> None:
        """From now on answer by another function, to everybody who holds this calendar: something new was published."""
        self._laid = (arrange, {})  # in one step, so that no year is laid out by one and kept for the other

    def arrangement(self, year: int) -> Arrangement:
        """Return what is special about a year."""
        return self._year(year).arrangement

    def day(self, on: date) -> Day:
        """Return all that is known about one day."""
        arrangement = self._year(on.year).arrangement
        if special := arrangement.days.get(on):
            return special
        kind, name = (REST, "周末") if on.weekday() > 4 else (WORK, "工作日")
        return Day(on, kind, name, WEEK_RULE, not arrangement.official)

    def is_workday(self, day: date) -> bool:
        """Say whether offices work on that day; make-up weekends count."""
        year = self._laid[1].get(day.year) or self._year(day.year)
        at = day.toordinal() - year.first
        return year.before[at + 1] != year.before[at]

    def add_workdays(self, start: date, n: int) -> date:
        """Return the n-th working day after `start` (before it for negative n); `start` itself for 0.

        Raises ValueError where the calendar of dates ends.
        """
        if n == 0:
            return start
        year = self._laid[1].get(start.year) or self._year(start.year)
        at = start.toordinal() - year.first
        return self._workday(year, year.before[at + 1] + n - 1 if n > 0 else year.before[at] + n)

    def on_or_after(self, day: date) -> date:
        """Return `day` if it is worked, else the next working day."""
        year = self._laid[1].get(day.year) or self._year(day.year)
        return self._workday(year, year.before[day.toordinal() - year.first])

    def workdays_between(self, a: date, b: date) -> int:
        """Count the working days after `a` up to and including `b`; negative where `b` is the earlier day."""
        if b < a:
            return -self.workdays_between(b, a)
        whole_years = sum(len(self._year(number).work) for number in range(a.year, b.year))
        return whole_years + self._through(b) - self._through(a)

    def official(self, year: int) -> bool:
        """Say whether the State Council's arrangement of that year is known."""
        return self._year(year).arrangement.official

    def is_provisional(self, first: date, last: date | None = None) -> bool:
        """Say whether a day, or any day from `first` to `last`, lies in a year whose arrangement is not known."""
        low, high = sorted((first, last or first))
        return not all(self.official(number) for number in range(low.year, high.year + 1))

    def _through(self, day: date) -> int:
        year = self._year(day.year)
        return year.before[day.toordinal() - year.first + 1]

    def _workday(self, year: _Year, index: int) -> date:
        """Return the working day that stands `index` places after the first one of `year`."""
        while index < 0:
            year = self._year(year.number - 1)
            index += len(year.work)
        while index >= len(year.work):
            index -= len(year.work)
            year = self._year(year.number + 1)
        return year.work[index]

    def _year(self, number: int) -> _Year:
        # Two threads may lay out the same year at once; both make equal values, so no lock is needed.
        arrange, years = self._laid
        known = years.get(number)
        if known is None:
            if not MINYEAR <= number <= MAXYEAR:
                raise ValueError(f"the calendar has no year {number}")
            known = years[number] = _lay_out(number, arrange(number))
        return known


def _lay_out(number: int, arrangement: Arrangement) -> _Year:
    first = date(number, 1, 1).toordinal()
    work: list[date] = []
    before = [0]
    for ordinal in range(first, date(number, 12, 31).toordinal() + 1):
        on = date.fromordinal(ordinal)
        special = arrangement.days.get(on)
        if special.kind in WORKING if special else on.weekday() < 5:
            work.append(on)
        before.append(len(work))
    frozen = Arrangement(arrangement.official, MappingProxyType(dict(arrangement.days)))
    return _Year(number, first, tuple(work), tuple(before), frozen)


def shift(day: date, days: int) -> date:
    """Return the day so many calendar days later; ValueError where dates end."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        raise ValueError(f"{days} days from {day} is no date") from None


def add_months(day: date, months: int) -> date:
    """Return the corresponding day so many months later, or that month's last day where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise ValueError(f"{months} months from {day} is no date")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def nominal_end(start: date, number: int, unit: str, calendar: Calendar) -> date:
    """Return the last day of a period before any rest day moves it on. Raises ValueError as `end_day` does."""
    if number < 0:
        raise ValueError(f"a period cannot be negative: {number}{unit}")
    match unit:
        case "d":
            return shift(start, number)
        case "wd":
            return calendar.add_workdays(start, number)
        case "mo":
            return add_months(start, number)
    raise ValueError(f"a period of days is counted in d, wd or mo, not {unit!r}")


def end_day(start: date, number: int, unit: str, calendar: Calendar) -> date:
    """Return the last day of a period in `d`, `wd` or `mo` that begins with an event on `start`.

    The day of the event does not count; months end on the corresponding day or the month's last; an end on a day
    that is not worked moves on to the next working day. Raises ValueError for another unit or a negative number.
    """
    return calendar.on_or_after(nominal_end(start, number, unit, calendar))


def due_instant(day: date, calendar: Calendar) -> datetime:
    """Return the last second of a local day, in UTC."""
    return datetime.combine(day, LAST_SECOND, calendar.zone).astimezone(UTC)


def due_after(start: datetime, number: int, unit: str, calendar: Calendar) -> datetime:
    """Return the instant, in UTC, at which a period from an aware instant ends.

    `h` hours run exactly from the instant; `d`, `wd`, `mo` end with the last second of their last local day.
    Raises ValueError for a naive instant, another unit or a negative number.
    """
    day = local_day(start, calendar)
    if unit != "h":
        return due_instant(end_day(day, number, unit, calendar), calendar)
    if number < 0:
        raise ValueError(f"a period cannot be negative: {number}h")
    try:
        return start.astimezone(UTC) + timedelta(hours=number)
    except OverflowError:
        raise ValueError(f"{number} hours from {start} is no date") from None


def local_day(instant: datetime, calendar: Calendar) -> date:
    """Return the local day of an aware instant; ValueError for a naive one."""
    if instant.utcoffset() is None:
        raise ValueError(f"an instant needs a zone: {instant.isoformat()}")
    return instant.astimezone(calendar.zone).date()


def at_local(day: date, hhmm: str, calendar: Calendar) -> datetime:
    """Return the UTC instant at which the local clock of a day shows `hhmm` ("09:30"); ValueError for no such time."""
    if len(hhmm) != 5 or hhmm[2] != ":":
        raise ValueError(f"a time of day is written HH:MM, not {hhmm!r}")
    return datetime.combine(day, time.fromisoformat(hhmm), calendar.zone).astimezone(UTC)


def remaining(now_day: date, due_day: date, unit: str, calendar: Calendar) -> int:
    """Return what is left of a period when it is suspended on `now_day`.

    Working days for `wd`, calendar days for `d` and `mo`, always after `now_day` up to `due_day`. Negative once
    overdue; never 0 then, so that what was overdue stays overdue. Raises ValueError for another unit.
    """
    _check_days(unit)
    if unit != "wd":
        return (due_day - now_day).days
    if due_day >= now_day:
        return calendar.workdays_between(now_day, due_day)
    # Counted from the due day itself up to yesterday, `resume_due` finds the way back from rest days too.
    return min(-1, -calendar.workdays_between(shift(due_day, -1), shift(now_day, -1)))


def resume_due(resume_day: date, left: int, unit: str, calendar: Calendar) -> date:
    """Return the due day of a period that goes on with `left` days; the day of resuming does not count.

    What was overdue stays so many days overdue and is not moved to a working day. Raises ValueError for another unit.
    """
    _check_days(unit)
    end = calendar.add_workdays(resume_day, left) if unit == "wd" else shift(resume_day, left)
    return end if left < 0 else calendar.on_or_after(end)


def _check_days(unit: str) -> None:
    # An hour period has no days to keep: whoever suspends it moves it by the length of the pause.
    if unit not in {"d", "wd", "mo"}:
        raise ValueError(f"a suspended period is counted in d, wd or mo, not {unit!r}")
