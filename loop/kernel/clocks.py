"""Timers as values: how each kind of timer behaves when its time comes, and the instants at which it does something.

A timer is frozen with the rule of its day. Its points (reminders, rungs, the lapse itself) are computed from its due
date, so that a resumed or anchored timer shifts its remaining points and never takes one twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count, islice

from loop.kernel.calendar import Calendar, at_local, due_after, due_instant, end_day, local_day, remaining, resume_due
from loop.kernel.labels import Label
from loop.kernel.rules import Ladder, Rule, parse_duration

OVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pause:
    """A written order that made the timer stand still; `until` is empty while it lasts."""

    since: date
    until: date | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One running deadline of one finding. `rung` is the point it takes next; those before it are taken or skipped.

    `ladder` is that of the day it started, where it is climbed or reminded of; None: it follows the one in force.
    """

    id: str
    rule: str
    number: int
    unit: str
    source: str
    provenance: str
    started_on: date
    started_at: datetime
    due_at: datetime
    first_due_at: datetime
    next_at: datetime = OVER
    rung: int = 0
    owner: str = ""
    profile: str = ""
    anchor_on: date | None = None
    note: str = ""
    pauses: tuple[Pause, ...] = ()
    left: int | None = None
    stopped_at: datetime | None = None
    error: str = ""
    ladder: Ladder | None = None

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return self.left is not None

    def is_past(self, now: datetime) -> bool:
        """Whether it was due before `now`; what stands still is never past."""
        return not self.paused and self.due_at < now


# ---- what a timer does when its time comes ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Remind:
    """Tell `first` when due, `then` some working days later, both again and again until it is done."""

    first: tuple[str, ...]
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recur:
    """Tell `who` at the end of every further period of the rule."""

    who: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Climb:
    """Climb the lapse ladder. With `always` set the rungs after due are these, whoever set the date."""

    always: str = ""


@dataclass(frozen=True, slots=True)
class Fire:
    """Take one system action when due."""

    action: str


@dataclass(frozen=True, slots=True)
class Close:
    """Nothing happens; what depended on the window is no longer possible."""


Behaviour = Remind | Recur | Climb | Fire | Close


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerRule:
    """How a kind of timer is declared. `owner` empty: whoever the state waits for. `lives_in` empty: any state."""

    name: str
    label: Label
    kind: str  # course | reminder | window | dispute | side
    on_due: Behaviour
    owner: str = ""
    waits_in: frozenset[str] = frozenset()
    """States in which, `owner` notwithstanding, it is owed by whoever the state waits for."""
    lives_in: frozenset[str] = frozenset()
    fires_in: frozenset[str] = frozenset()
    """States of either track in which its points are taken; elsewhere they wait. Empty: everywhere."""
    variants: tuple[str, ...] = ()
    """Further rule keys from which the length may be taken, such as `plan_due_government`."""


@dataclass(frozen=True, slots=True)
class Point:
    """One instant at which a timer acts: the system action it takes and whom it tells."""

    rung: int
    at: datetime
    action: str
    told: tuple[str, ...] = ()


def points(timer: Timer, how: Behaviour, ladder: Ladder, calendar: Calendar) -> Iterator[Point]:
    """All points of `timer` in order, the taken ones included; endless for reminders. Its own ladder goes before `ladder`."""
    ladder = timer.ladder or ladder
    match how:
        case Remind():
            yield from _reminders(timer, how, ladder, calendar)
        case Recur():
            yield from _recurrences(timer, how, calendar)
        case Climb():
            yield from _rungs(timer, how, ladder, calendar)
        case Fire():
            yield Point(0, timer.due_at, how.action)
        case Close():
            return


def _reminders(timer: Timer, how: Remind, ladder: Ladder, calendar: Calendar) -> Iterator[Point]:
    yield Point(0, timer.due_at, "remind", how.first)
    every, every_unit = parse_duration(ladder.remind_every)
    then, then_unit = parse_duration(ladder.remind_then)
    at, k, everyone = timer.due_at, 1, how.first + how.then
    if how.then:
        at, k = due_after(at, then, then_unit, calendar), 2
        yield Point(1, at, "remind", how.then)
    for rung in count(k):
        at = due_after(at, every, every_unit, calendar)
        yield Point(rung, at, "remind", everyone)


def _recurrences(timer: Timer, how: Recur, calendar: Calendar) -> Iterator[Point]:
    """Every period from the start; a pause that moved the first one moves all."""
    first = end_day(timer.started_on, timer.number, timer.unit, calendar)
    moved = local_day(timer.due_at, calendar) - first
    for k in count():
        day = end_day(timer.started_on, timer.number * (k + 1), timer.unit, calendar) + moved
        yield Point(k, due_instant(calendar.on_or_after(day), calendar), "remind", how.who)


def _rungs(timer: Timer, how: Climb, ladder: Ladder, calendar: Calendar) -> Iterator[Point]:
    due_on = local_day(timer.due_at, calendar)
    after_from = max(due_on, timer.anchor_on) if timer.anchor_on else due_on
    steps = [(due_on - timedelta(days=n), "warn") for n in sorted(ladder.warn_before, reverse=True)]
    steps += [(after_from + timedelta(days=n), action) for n, action in after_due(how.always or timer.profile, ladder)]
    for rung, (day, action) in enumerate(steps):
        yield Point(rung, at_local(day, ladder.at, calendar), action)


def after_due(profile: str, ladder: Ladder) -> tuple[tuple[int, str], ...]:
    """The rungs after due, as (days, action), for a date set by nobody in particular, an interview, or something graver."""
    match profile:
        case "interview":
            return ((ladder.set_date_after, "propose_bulletin"),)
        case "bulletin" | "decision":
            return ((ladder.set_date_after, "refer"),)
        case "answer":
            last = (ladder.bulletin_answer_refer_after, "refer")
        case _:
            last = (ladder.interview_after, "propose_interview")
    return ((ladder.urge_after, "urge"), (ladder.order_after, "order"), last)


def next_point(timer: Timer, how: Behaviour, ladder: Ladder, calendar: Calendar, *, held: bool = False) -> Point | None:
    """The point that `timer` takes next, or None. While `held` (an extension waits for its answer) the rungs after due
    wait.
    """
    if timer.paused or timer.stopped_at is not None:
        return None
    point = next(islice(points(timer, how, ladder, calendar), timer.rung, None), None)
    if point and held and isinstance(how, Climb) and point.at > timer.due_at:
        return None
    return point


def frozen(timer: Timer, how: Behaviour, ladder: Ladder) -> Timer:
    """A fresh timer with the ladder of its day, by which its points are told apart: a changed one would skip or repeat some."""
    return replace(timer, ladder=ladder) if isinstance(how, Climb | Remind) else timer


def first_rung(timer: Timer, how: Behaviour, ladder: Ladder, calendar: Calendar) -> int:
    """The first point of a fresh timer: a rung of the ladder dated before the start is skipped, for good."""
    if not isinstance(how, Climb):
        return 0
    return sum(point.at < timer.started_at for point in points(timer, how, ladder, calendar))


def start(
    timer_id: str, rule: Rule, *, name: str, started_on: date, started_at: datetime, calendar: Calendar,
    due_on: date | None = None, not_before: date | None = None,
) -> Timer:  # fmt: skip
    """A fresh timer by `rule`, counted from `started_on`; or due on `due_on` where the date itself was set.

    `not_before` is the earliest day it may be due ("never fewer than 5 wd after entry").
    """
    day = due_on or end_day(started_on, rule.number, rule.unit, calendar)
    due_at = due_instant(max(day, not_before) if not_before else day, calendar)
    return Timer(
        id=timer_id, rule=name, number=rule.number, unit=rule.unit, source=rule.source, provenance=rule.provenance,
        started_on=started_on, started_at=started_at, due_at=due_at, first_due_at=due_at,
    )  # fmt: skip


def pause(timer: Timer, now: datetime, why: str, calendar: Calendar) -> Timer:
    """The timer standing still from `now`, its remaining whole days kept in its own unit."""
    today = local_day(now, calendar)
    left = remaining(today, local_day(timer.due_at, calendar), timer.unit, calendar)
    return replace(timer, left=left, next_at=OVER, pauses=(*timer.pauses, Pause(today, None, why)))


def resume(timer: Timer, now: datetime, calendar: Calendar) -> Timer:
    """The timer running again with what was left; the day of resuming does not count."""
    if timer.left is None:
        return timer
    today = local_day(now, calendar)
    due_at = due_instant(resume_due(today, timer.left, timer.unit, calendar), calendar)
    ended = tuple(replace(p, until=today) if p.until is None else p for p in timer.pauses)
    moved = local_day(due_at, calendar) - local_day(timer.due_at, calendar)
    anchor_on = timer.anchor_on + moved if timer.anchor_on else None
    return replace(timer, due_at=due_at, left=None, pauses=ended, anchor_on=anchor_on)


def move(timer: Timer, due_on: date, calendar: Calendar) -> Timer:
    """The timer due on another day, by a calendar published since it started; what is left of one that stands still follows."""
    left = timer.left
    if left is not None:
        left = remaining(timer.pauses[-1].since, due_on, timer.unit, calendar)
    return replace(timer, due_at=due_instant(due_on, calendar), left=left)
