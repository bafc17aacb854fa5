"""A new calendar moves deadlines that were suspended or still are, as if it had been known: the proof sheet bears it out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from loop.calendars import parse_notice
from loop.engine.recalendar import Shift
from loop.engine.verify import verify
from tests.cast import ROOT
from tests.web import Site, site
from tests.world import World, world

__all__ = ["site", "world"]


async def proved(site: Site, number: str, rule: str) -> dict[str, Any]:
    """The proof sheet of a running timer."""
    timer = site.world.timers(number)[rule]
    answer = await site.get("officer", f"/findings/{number}/timers/{timer.id}/proof")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def load(world: World, *off: str) -> dict[str, Shift]:
    """Make these days holidays, as previewed; answers what that moved, by rule."""
    days = parse_notice("day,kind,name\n" + "".join(f"{day},holiday,临时放假\n" for day in off))
    effect = world.parts.almanac.effect(days)
    assert world.parts.almanac.load(ROOT, days, "国办通知", mark=effect.mark)
    return {shift.rule: shift for shift in effect.moved}


def suspended(world: World, until: str) -> str:
    """A finding received on 2 March, all of whose timers stand still from 4 March on."""
    number = world.received()
    world.to(date(2026, 3, 4))
    world.act("chief", "suspend", number, reason="等待鉴定", until=until)
    return number


async def test_a_deadline_that_was_paused_moves_and_its_count_is_right(site: Site) -> None:
    """13 of 15 working days are left on 4 March and counted on from 11 March: to the 30th, or with two days off to 1 April."""
    world = site.world
    number = suspended(world, "2026-03-11")
    world.to(date(2026, 3, 12))
    before = await proved(site, number, "plan_due")
    assert (before["due"], before["is_set"]) == ("2026-03-30", False)
    moved = load(world, "2026-03-26", "2026-03-27")["plan_due"]
    assert (moved.before, moved.after, moved.reminder) == (date(2026, 3, 30), date(2026, 4, 1), False)
    assert world.due(number, "plan_due") == date(2026, 4, 1)
    assert world.inbox("school")[0].step == "move_deadlines"
    sheet = await proved(site, number, "plan_due")
    assert (sheet["due"], sheet["by_rule"], sheet["is_set"]) == ("2026-04-01", "2026-04-01", False)
    (pause,) = sheet["pauses"]
    assert (pause["left"], pause["due_before"], pause["due_after"]) == (13, "2026-03-23", "2026-04-01")
    counted = [row for row in sheet["days"] if row["counts"]]
    assert (len(counted), counted[-1]["day"], counted[-1]["number_so_far"]) == (15, "2026-04-01", 15)
    assert {row["day"] for row in sheet["days"] if row["name"] == "临时放假"} == {"2026-03-26", "2026-03-27"}
    assert verify(world.parts.store, world.parts.evidence).ok


@pytest.mark.parametrize(
    ("rule", "off", "left", "due"),
    [
        ("plan_due", ("2026-03-18", "2026-03-19"), 13, "2026-04-20"),
        ("plan_due", ("2026-03-31", "2026-04-01"), 13, "2026-04-21"),
        ("plan_due", ("2026-03-18", "2026-04-09"), 13, "2026-04-21"),
        ("opinion_window", ("2026-03-12", "2026-03-13"), 12, "2026-04-13"),
        ("opinion_window", ("2026-04-08",), 8, "2026-04-09"),
    ],
)
async def test_a_deadline_that_stands_still_keeps_what_is_left_by_the_new_calendar(
    site: Site, rule: str, off: tuple[str, ...], left: int, due: str
) -> None:
    """Suspended on 4 March until the 31st; of ten calendar days eight are left, or more where the end rolls on."""
    world = site.world
    number = suspended(world, "2026-03-31")
    world.to(date(2026, 3, 10))
    load(world, *off)
    still = await proved(site, number, rule)
    assert (still["is_set"], still["pauses"][0]["left"], world.timers(number)[rule].left) == (False, left, left)
    world.to(date(2026, 4, 1))
    sheet = await proved(site, number, rule)
    assert (sheet["due"], sheet["is_set"]) == (due, False)
    assert world.due(number, rule).isoformat() == due
    assert verify(world.parts.store, world.parts.evidence, now=world.clock).ok


async def test_a_date_that_was_set_stays_and_so_does_its_pause(site: Site) -> None:
    world = site.world
    number = world.executing()
    by = world.due(number, "milestone")
    world.to(date(2026, 3, 4))
    world.act("chief", "suspend", number, reason="等待鉴定", until="2026-03-11")
    world.to(date(2026, 3, 12))
    resumed = world.due(number, "milestone")
    assert resumed > by
    assert "milestone" not in load(world, resumed.isoformat())
    assert world.due(number, "milestone") == resumed
