"""A timer's act that a guard holds back is shown as blocked, and is taken once what held it back is gone."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, update

from loop.engine.verify import verify
from loop.store.core import table_of
from loop.store.instants import NEVER_TEXT
from loop.store.sql import Prepared
from loop.store.tables import TimerRow
from tests.world import World, world

__all__ = ["world"]
TIMER = table_of(TimerRow)


def watched(world: World) -> str:
    """A finding whose look-backs are over and whose archiving is due in some days."""
    made = world.act(
        "officer", "take_over", title="旧账", unit="school", category="governance", source="在办台账",
        written_off_on=world.day(-200),
    )  # fmt: skip
    number = made.finding.number
    world.sleep(1)
    world.act("inspector", "confirm_held", number, verdict="成效保持")
    return number


def test_what_is_held_back_is_taken_after_the_answer(world: World) -> None:
    number = watched(world)
    world.act("leader", "instruct", number, text="请说明", reply_due=world.day(300))
    world.sleep(30)
    assert world.timers(number)["archive_due"].error == "blocked: nothing_unanswered"
    world.act("officer", "answer_instruction", number, text="已说明")
    assert world.timers(number)["archive_due"].error == ""
    world.sleep(0)
    assert world.state(number) == "archived"


def test_an_answer_that_comes_before_the_sweep_frees_it_as_well(world: World) -> None:
    number = watched(world)
    world.act("leader", "instruct", number, text="请说明", reply_due=world.day(300))
    world.clock += timedelta(days=30)  # due meanwhile, and nobody has swept
    world.act("officer", "answer_instruction", number, text="已说明")
    world.sleep(0)
    assert world.state(number) == "archived"
    assert verify(world.parts.store).ok


def test_a_timer_whose_point_is_yet_to_come_is_not_held_back_whatever_its_row_says(world: World) -> None:
    number = world.received()
    plan = world.timers(number)["plan_due"]
    put_off = Prepared(
        update(TIMER).where(TIMER.c.id == bindparam("key")).values(next_at=NEVER_TEXT, error="blocked: somebody")
    )
    world.parts.store.write(lambda tx: tx.run(put_off, key=plan.id))
    fault = verify(world.parts.store, now=world.clock).fault
    assert fault is not None
    assert (fault.table, fault.key) == ("timer", plan.id)
