"""The proof sheet of a period: every day from the event to the end, whether it counted, and why.

Pure values over `loop.kernel.calendar`; whoever holds the sheet and the notices it names can count again by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from loop.kernel.calendar import (
    MAKEUP,
    REST,
    WEEK_RULE,
    WORKING,
    Calendar,
    Day,
    add_months,
    due_instant,
    end_day,
    nominal_end,
    remaining,
    resume_due,
    shift,
)
from loop.kernel.labels import Label

BASIS = "中华人民共和国民法典第二百零一条至第二百零三条"
Pause = tuple[date, date | None, str]

PERIODS = {
    "d": (Label("1 日", "1 calendar day"), Label("{number} 日", "{number} calendar days")),
    "wd": (Label("1 个工作日", "1 working day"), Label("{number} 个工作日", "{number} working days")),
    "mo": (Label("1 个月", "1 month"), Label("{number} 个月", "{number} months")),
}
"""A period of one, and of any other number, by its unit."""
GIVEN = Label("指定日期", "a set date")
EVENT = Label("期间开始的当日不计入", "the day of the event does not count")
AT_ONCE = Label("期间为零，当日届满", "nothing to count: the period ends on this day")
CALENDAR_DAY = Label("逐日计入", "every calendar day counts")
WORKDAY = Label("工作日", "working day")
WORKDAY_BY = Label("工作日（{source}）", "working day ({source})")
MAKEUP_DAY = Label("调休上班日（{source}）", "make-up working day ({source})")
WEEKEND = Label("周末", "weekend")
DAY_OFF = Label("{name}（{source}）", "{name} ({source})")
MOVES_ON = Label("最后一日不是工作日，顺延：{rest}", "the last day is not a working day and moves on: {rest}")
ROLLED = Label("由休息日顺延至此", "rolled from a rest day")
PAUSED = Label("中止：{reason}", "paused: {reason}")
STILL = Label("自此日起中止：{reason}", "paused from this day until further notice: {reason}")
NOTHING_LEFT = Label("中止前已至最后一日，恢复当日届满", "nothing was left: the period ends when it is resumed")
OVERDUE = Label("中止时已逾期，届满日随中止顺移", "already overdue when paused: the end moves with the pause")
SET = Label("届满日系指定", "the end is a date that was set")


def period(number: int, unit: str) -> Label:
    """A length in words; one of nothing stands for a date that was set."""
    return PERIODS[unit][number != 1].filled(number=number) if number else GIVEN


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day of the count: `number` of `of` units were over at its end. `of` is None where the end was set."""

    day: Day
    counts: bool
    number: int
    of: int | None
    unit: str
    why: Label

    def as_dict(self, language: str) -> dict[str, object]:
        """Return plain values."""
        return {
            "day": self.day.on.isoformat(),
            "counts": self.counts,
            "number_so_far": self.number,
            "of": self.of,
            "unit": self.unit,
            "kind": self.day.kind,
            "name": self.day.name,
            "source": self.day.source,
            "why": self.why.in_(language),
            "provisional": self.day.provisional,
        }


@dataclass(frozen=True, slots=True)
class PauseRow:
    """One pause: what was left when it began and where it moved the end.

    `due_after` is None while the pause lasts; all three are None where the end was set regardless of the pause.
    """

    since: date
    until: date | None
    reason: str
    left: int | None
    unit: str
    due_before: date | None
    due_after: date | None

    def as_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "since": self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "reason": self.reason,
            "left": self.left,
            "unit": self.unit,
            "due_before": self.due_before and self.due_before.isoformat(),
            "due_after": self.due_after and self.due_after.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Proof:
    """The rule, the count, the pauses and the result.

    `by_rule` is where the rule alone ends; it differs from `due` only where the end was set or extended (`is_set`).
    The last row that counts is `due`; while a pause lasts the count stops where the pause began.
    """

    start: date
    number: int
    unit: str
    source: str
    due: date
    due_at: str
    zone: str
    by_rule: date
    is_set: bool
    provisional: bool
    days: tuple[DayRow, ...]
    pauses: tuple[PauseRow, ...]

    def as_dict(self, language: str = "zh") -> dict[str, object]:
        """Return values fit for JSON, the texts in `language` ("zh" or "en")."""
        rule = period(self.number, self.unit).in_(language)
        return {
            "rule": {"number": self.number, "unit": self.unit, "text": rule, "source": self.source, "basis": BASIS},
            "start": self.start.isoformat(),
            "due": self.due.isoformat(),
            "due_at": self.due_at,
            "zone": self.zone,
            "by_rule": self.by_rule.isoformat(),
            "is_set": self.is_set,
            "provisional": self.provisional,
            "days": [row.as_dict(language) for row in self.days],
            "pauses": [row.as_dict() for row in self.pauses],
        }


def proof(
    start: date,
    number: int,
    unit: str,
    due: date,
    pauses: Sequence[Pause],
    calendar: Calendar,
    source: str = "",
    set_on: date | None = None,
) -> Proof:
    """Count again, day by day, a period of `number` `unit` from the event on `start` that is said to end on `due`.

    `pauses` are (since, until or None, reason); the day of resuming does not count. Where the rule does not lead to
    `due` the end was set: first to `set_on` if that is given and the pauses lead from it to `due`, else to `due`.
    Raises ValueError for another unit than d, wd, mo or a negative number.
    """
    clamped = ((max(since, start), until, why) for since, until, why in pauses if until is None or until >= start)
    # Of two that began on one day the one that still lasts comes last.
    spans = sorted(clamped, key=lambda one: (one[0], one[1] or date.max))
    counted = end_day(start, number, unit, calendar)
    moves = _moves(counted, spans, unit, calendar)
    by_rule = _last(counted, moves)
    if by_rule == due:
        stretch = _Stretch(start, nominal_end(start, number, unit, calendar), counted, unit, 0, number)
        days = _days(stretch, moves, due, calendar)
    else:
        moves, days = _set(_Stretch(start, set_on or due, set_on or due, unit, 0, None), spans, due, calendar)
    due_at = due_instant(due, calendar).astimezone(calendar.zone).isoformat()
    zone, is_set, provisional = calendar.zone.key, by_rule != due, calendar.is_provisional(start, due)
    return Proof(
        start, number, unit, source, due, due_at, zone, by_rule, is_set, provisional, days=tuple(days), pauses=moves
    )


def _set(
    stretch: _Stretch, spans: Sequence[Pause], due: date, calendar: Calendar
) -> tuple[tuple[PauseRow, ...], Iterator[DayRow]]:
    """Return pauses and rows for an end that was set: moved by the pauses from `stretch.end`, or regardless of them."""
    moves = _moves(stretch.end, spans, stretch.unit, calendar)
    if _last(stretch.end, moves) == due:
        return moves, _days(stretch, moves, due, calendar)
    idle = tuple(PauseRow(since, until, why, None, stretch.unit, None, None) for since, until, why in spans)
    return idle, _days_to_set(replace(stretch, nominal=due, end=due), spans, calendar)


def _moves(due: date, spans: Iterable[Pause], unit: str, calendar: Calendar) -> tuple[PauseRow, ...]:
    moves: list[PauseRow] = []
    for since, until, reason in spans:
        left = remaining(since, due, unit, calendar)
        after = resume_due(until, left, unit, calendar) if until else None
        moves.append(PauseRow(since, until, reason, left, "d" if unit == "mo" else unit, due, after))
        if after is None:
            break
        due = after
    return tuple(moves)


def _last(due: date, moves: Sequence[PauseRow]) -> date:
    return (moves[-1].due_after or moves[-1].due_before or due) if moves else due


@dataclass(frozen=True, slots=True)
class _Stretch:
    """An unbroken piece of the count, after `after` to `end`; rest days may have moved it there from `nominal`."""

    after: date
    nominal: date
    end: date
    unit: str
    base: int
    of: int | None

    def row(self, on: date, calendar: Calendar) -> DayRow:
        day = calendar.day(on)
        counts, why = self._judge(day)
        return DayRow(day, counts, self.number(on, calendar), self.of, self.unit, why)

    def _judge(self, day: Day) -> tuple[bool, Label]:
        if day.on == self.end and self.of is None:
            return True, SET
        if self.nominal <= day.on < self.end:
            rest = _rest(day)
            return False, Label(MOVES_ON.zh.format(rest=rest.zh), MOVES_ON.en.format(rest=rest.en))
        if day.on == self.end != self.nominal:
            return True, ROLLED
        if self.unit != "wd":
            return True, CALENDAR_DAY
        return (True, _work(day)) if day.kind in WORKING else (False, _rest(day))

    def number(self, on: date, calendar: Calendar) -> int:
        """Return how many units are over at the end of a day; the last one not before `end`."""
        if on >= self.nominal:
            on = self.nominal if on >= self.end else shift(self.nominal, -1)
        if on <= self.after:
            return self.base
        match self.unit:
            case "wd":
                return self.base + calendar.workdays_between(self.after, on)
            case "mo":
                return self.base + _whole_months(self.after, on)
        return self.base + (on - self.after).days

    def resumed(self, since: date, until: date, left: int, end: date, calendar: Calendar) -> _Stretch:
        """Return the stretch after a pause: what was left goes on being counted, of months in days."""
        base = 0 if self.unit == "mo" else self.number(since, calendar)
        nominal = calendar.add_workdays(until, left) if self.unit == "wd" else shift(until, left)
        of = None if self.of is None else base + left
        return _Stretch(until, nominal, end, "d" if self.unit == "mo" else self.unit, base, of)


def _days(stretch: _Stretch, moves: Iterable[PauseRow], due: date, calendar: Calendar) -> Iterator[DayRow]:
    """Yield the rows: the event, the days counted, the days paused, and so on up to `due`."""
    if due <= stretch.after or stretch.end <= stretch.after:
        yield from _no_days(stretch, due, calendar)
        return
    yield _still(stretch, stretch.after, EVENT, calendar)
    for move in moves:
        yield from _counted(stretch, min(move.since, stretch.end), calendar)
        if move.until is None or move.due_after is None or move.left is None:
            yield _still(stretch, shift(move.since, 1), STILL.filled(reason=move.reason), calendar, move.since)
            return
        why = PAUSED.filled(reason=move.reason)
        for on in _span(move.since, move.until):
            if on != move.due_after:
                yield _still(stretch, on, why, calendar, move.since)
        if move.left < 0:
            yield _counting(stretch, due, OVERDUE, calendar)
            return
        stretch = stretch.resumed(move.since, move.until, move.left, move.due_after, calendar)
        if stretch.end == stretch.after:
            yield _counting(stretch, stretch.end, NOTHING_LEFT, calendar)
    yield from _counted(stretch, stretch.end, calendar)


def _days_to_set(stretch: _Stretch, spans: Sequence[Pause], calendar: Calendar) -> Iterator[DayRow]:
    """Yield the rows up to an end that was set regardless of the pauses, which are shown nevertheless."""
    if stretch.end <= stretch.after:
        yield from _no_days(stretch, stretch.end, calendar)
        return
    yield _still(stretch, stretch.after, EVENT, calendar)
    number = 0
    for on in _span(stretch.after, stretch.end):
        row = stretch.row(on, calendar)
        pause = next((span for span in spans if span[0] < on and (span[1] is None or on <= span[1])), None)
        if pause and on != stretch.end:
            row = replace(row, counts=False, why=PAUSED.filled(reason=pause[2]))
        number += row.counts
        yield replace(row, number=number, unit="d" if row.unit == "mo" else row.unit)


def _no_days(stretch: _Stretch, due: date, calendar: Calendar) -> Iterator[DayRow]:
    if due != stretch.after:
        yield _still(stretch, stretch.after, EVENT, calendar)
    yield _counting(stretch, due, SET if stretch.of is None else AT_ONCE, calendar)


def _counted(stretch: _Stretch, last: date, calendar: Calendar) -> Iterator[DayRow]:
    return (stretch.row(on, calendar) for on in _span(stretch.after, last))


def _still(stretch: _Stretch, on: date, why: Label, calendar: Calendar, since: date | None = None) -> DayRow:
    """Return a row that does not count; the number stands where it stood on `since`."""
    number = stretch.number(since or on, calendar)
    return DayRow(calendar.day(on), False, number, stretch.of, stretch.unit, why)


def _counting(stretch: _Stretch, on: date, why: Label, calendar: Calendar) -> DayRow:
    return DayRow(calendar.day(on), True, stretch.number(on, calendar), stretch.of, stretch.unit, why)


def _span(after: date, last: date) -> Iterator[date]:
    return (after + timedelta(days=n) for n in range(1, (last - after).days + 1))


def _whole_months(start: date, on: date) -> int:
    months = (on.year - start.year) * 12 + on.month - start.month
    return months - (add_months(start, months) > on)


def _work(day: Day) -> Label:
    if day.kind == MAKEUP:
        return MAKEUP_DAY.filled(source=day.source)
    return WORKDAY if day.source == WEEK_RULE else WORKDAY_BY.filled(source=day.source)


def _rest(day: Day) -> Label:
    if day.kind == REST and day.source == WEEK_RULE:
        return WEEKEND
    return DAY_OFF.filled(name=day.name, source=day.source)
