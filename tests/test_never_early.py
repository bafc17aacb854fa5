"""Never early, never twice: whatever becomes of rules and calendar, a running timer takes each of its points once, in time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from loop import bootstrap
from loop.bootstrap import Parts
from loop.engine.sweep import tick
from loop.engine.verify import verify
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
