"""Never early, never twice: whatever becomes of rules and calendar, a running timer takes each of its points once, in time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from json import loads
from typing import Any

import pytest

from loop import bootstrap
from loop.bootstrap import Parts
from loop.calendars import parse_notice
from loop.engine.sweep import tick
from loop.engine.verify import verify
from tests.cast import ROOT
from tests.values import at, due
from tests.world import World, world

__all__ = ["world"]
LADDER = [
    (at("2026-03-13 09:00"), "warn"), (at("2026-03-18 09:00"), "warn"), (at("2026-03-22 09:00"), "warn"),
    (at("2026-03-24 09:00"), "urge"), (at("2026-03-30 09:00"), "order"), (at("2026-04-07 09:00"), "propose_interview"),
]  # fmt: skip
"""The points of a plan that is due on 23 March."""


@contextmanager
def restarted(world: World, **ladder: Any) -> Iterator[Parts]:
    """The service on the same database, its `[ladder]` changed."""
    settings = world.parts.settings
    changed = settings.model_copy(update={"ladder": settings.ladder.model_copy(update=ladder)})
    parts, before = bootstrap.build(changed, now=lambda: world.clock), world.engine
    world.engine = parts.engine
    yield parts
    world.engine = before
    parts.close()


def points(world: World, number: str, rule: str) -> list[tuple[datetime | None, str]]:
    """When each act of a timer was due, and what it did; none ran before."""
    struck = [entry for entry in world.trail(number) if (entry.timer_id or "").endswith(f"-{rule}")]
    assert [entry for entry in struck if entry.due_at is None or entry.at < entry.due_at] == []
    return [(entry.due_at, entry.action) for entry in struck]


def swept(world: World, until: str) -> None:
    """Let time pass to the morning of a day, looking several times a day for what is due."""
    while world.today < date.fromisoformat(until):
        world.clock += timedelta(hours=6)
        tick(world.engine)


@pytest.mark.parametrize(
    ("changed_on", "ladder"),
    [
        ("2026-03-23", {"warn_before": (10, 5)}), ("2026-03-16", {"warn_before": (10, 7, 5, 3, 1)}),
        ("2026-03-19", {"warn_before": ()}), ("2026-03-23", {"urge_after": 3, "order_after": 4}),
        ("2026-03-26", {"interview_after": 5, "at": "07:00"}),
    ],
)  # fmt: skip
def test_a_running_timer_keeps_the_ladder_of_its_day(world: World, ladder: dict[str, Any], changed_on: str) -> None:
    number = world.received()
    swept(world, changed_on)
    with restarted(world, **ladder):
        world.act("officer", "comment", number, text="请尽快", internal=True)
        swept(world, "2026-04-08")
    assert points(world, number, "plan_due") == LADDER
    assert verify(world.parts.store, world.parts.evidence).ok


def test_a_timer_that_starts_after_the_change_climbs_the_new_ladder(world: World) -> None:
    with restarted(world, warn_before=(3,), urge_after=2):
        number = world.received()
        swept(world, "2026-03-26")
    assert points(world, number, "plan_due") == [(at("2026-03-20 09:00"), "warn"), (at("2026-03-25 09:00"), "urge")]


def test_reminders_keep_their_distance(world: World) -> None:
    """The opinion is due on 1 April, a Wednesday; 6 April is a holiday."""
    number = world.fed_back()
    with restarted(world, remind_then="1wd", remind_every="2wd"):
        swept(world, "2026-04-14")
    reminders = [(due("2026-04-01"), "remind"), (due("2026-04-07"), "remind")]
    assert points(world, number, "opinion_issue") == reminders


# ---- a holiday notice ----------------------------------------------------------------------------------------------------

LATE = timedelta(hours=6)
OVERDUE = [due(day) for day in ("2026-12-21", "2026-12-24", "2026-12-31")]
"""An opinion due on 21 December is asked for then, three working days later, then every five."""


def asked_for(world: World) -> str:
    """A finding whose opinion letter has been owed since 21 December; it is the morning of 2 January 2027."""
    world.clock = at("2026-11-20 09:00")
    number = world.fed_back()
    swept(world, "2027-01-02")
    return number


@pytest.mark.parametrize(
    ("notice", "then"),
    [
        ("2027-01-04,holiday\n2027-01-05,holiday\n", ["2027-01-12", "2027-01-19"]),
        ("2027-01-03,makeup\n", ["2027-01-07", "2027-01-14"]),
        ("2027-03-01,holiday\n", ["2027-01-08", "2027-01-15"]),
    ],
)
def test_a_reminder_comes_on_the_day_that_the_calendar_in_force_says(
    world: World, notice: str, then: list[str]
) -> None:
    number = asked_for(world)
    days, almanac = parse_notice(f"day,kind\n{notice}"), world.parts.almanac
    effect, version = almanac.effect(days), world.version(number)
    moves = then[0] != "2027-01-08"
    assert [(one.rule, one.before, one.after, one.reminder) for one in effect.moved] == [
        ("opinion_issue", date(2027, 1, 8), date.fromisoformat(then[0]), True)
    ] * moves
    assert almanac.load(ROOT, days, "国办通知", mark=effect.mark)
    assert world.version(number) == version + moves
    swept(world, "2027-01-21")
    assert points(world, number, "opinion_issue") == [(day, "remind") for day in (*OVERDUE, *map(due, then))]
    struck = [entry for entry in world.trail(number) if entry.timer_id and entry.due_at]
    assert [entry.at for entry in struck if entry.due_at and entry.at - entry.due_at > LATE] == []
    assert verify(world.parts.store, world.parts.evidence).ok


def test_a_reminder_that_moves_is_on_record_and_disturbs_nobody(world: World) -> None:
    number = asked_for(world)
    days = parse_notice("day,kind\n2027-01-04,holiday\n")
    told = world.parts.almanac.effect(days).told
    assert (told.messages, told.people) == (0, 0)
    world.parts.almanac.load(ROOT, days, "国办通知")
    entry = world.trail(number)[-1]
    (timer,) = [timer for timer in world.timers(number).values() if timer.rule == "opinion_issue"]
    assert entry.action == "move_deadlines"
    assert loads(entry.payload) == {
        "reason": "国办通知", "deadlines": [], "reminders": [{"timer": timer.id, "on": "2027-01-11"}],
    }  # fmt: skip
    assert {m.step for who in world.cast.ids for m in world.inbox(who) if m.seq == entry.seq} == set()
    assert world.due(number, "opinion_issue") == date(2026, 12, 21)


def test_what_another_process_still_counted_by_the_old_calendar_is_put_off_and_not_taken_early(world: World) -> None:
    number = asked_for(world)
    other = bootstrap.build(world.parts.settings, now=lambda: world.clock)
    try:
        world.parts.almanac.load(ROOT, parse_notice("day,kind\n2027-01-04,holiday\n2027-01-05,holiday\n"), "国办通知")
        mine, world.engine = world.engine, other.engine
        world.act("officer", "comment", number, text="该进程尚不知新日历", internal=True)
        world.engine = mine
    finally:
        other.close()
    assert world.timers(number)["opinion_issue"].next_at == due("2027-01-08")
    version = world.version(number)
    swept(world, "2027-01-11")
    waiting = world.timers(number)["opinion_issue"]
    assert (waiting.next_at, waiting.error, world.version(number)) == (due("2027-01-12"), "", version)
    assert verify(world.parts.store, now=world.clock, book=world.engine.book).ok
    swept(world, "2027-01-14")
    assert points(world, number, "opinion_issue")[-1] == (due("2027-01-12"), "remind")
