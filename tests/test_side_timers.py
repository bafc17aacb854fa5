"""What is owed beside findings, the answer to a tip-off and the report on a supervision: who is reminded, how often, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from json import loads
from typing import Any

import pytest

from loop.calendars import parse_notice
from loop.engine.verify import verify
from loop.store import gaps, journal, staff
from loop.store.gaps import Gap
from loop.store.journal import Entry
from loop.store.mailbox import Message
from loop.store.session import Tx
from tests.cast import COUNTY, ROOT
from tests.values import due
from tests.web import Site, site
from tests.world import World, world

__all__ = ["site", "world"]
SUPERVISED = {
    "kind": "special", "title": "春季校园安全专项督导", "period": {"from_on": "2026-03-02", "until_on": "2026-03-20"},
}  # fmt: skip


@dataclass(frozen=True)
class Owed:
    """One thing that is owed beside findings: where the API shows it, its history, and the field of its last day."""

    site: Site
    path: str
    chain: str
    field: str

    async def due_on(self) -> str:
        shown = (await self.site.get("officer", self.path)).json()[self.field]
        return str(shown).partition("T")[0]

    def trail(self) -> list[Entry]:
        return self.site.world.parts.store.read(lambda tx: journal.trail(tx, self.chain))

    def reminders(self) -> list[Entry]:
        return [entry for entry in self.trail() if entry.action == "remind"]

    def told(self, who: str) -> list[Message]:
        return [message for message in self.site.world.inbox(who) if message.chain == self.chain]

    def open_gaps(self) -> list[tuple[str, str]]:
        """Role and reason of each."""

        def found(tx: Tx) -> list[Gap]:
            return gaps.page(tx, [self.site.world.cast.office_id], limit=200)

        return [(gap.role, gap.why) for gap in self.site.world.parts.store.read(found) if gap.chain == self.chain]


async def tip_off(site: Site) -> Owed:
    """Reported on 2 March: to be answered by 17 March, a Tuesday."""
    answer = await site.post(None, "/tip-offs", {"matter": "食堂使用过期食材", "unit": "school"})
    assert answer.status_code == 201, answer.text
    listed = (await site.get("officer", "/tip-offs")).json()["items"]
    return Owed(site, f"/tip-offs/{listed[0]['id']}", f"tip-off:{listed[0]['id']}", "answer_due_at")


async def supervision(site: Site) -> Owed:
    """Ends on 20 March: the report is due on Sunday, 19 April, and so on Monday."""
    answer = await site.post("officer", "/supervisions", SUPERVISED)
    assert answer.status_code == 201, answer.text
    id_ = answer.json()["id"]
    return Owed(site, f"/supervisions/{id_}", f"supervision:{id_}", "report_due_at")


def content(world: World) -> bool:
    return verify(world.parts.store, world.parts.evidence, now=world.clock, book=world.engine.book).ok


# ---- a new calendar ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owed", "before", "off", "after"),
    [
        (tip_off, "2026-03-17", ("2026-03-17", "2026-03-18"), "2026-03-19"),
        (supervision, "2026-04-20", ("2026-04-20",), "2026-04-21"),
    ],
)
async def test_a_new_calendar_moves_what_is_owed_previewed_and_on_record(
    site: Site, owed: Callable[[Site], Any], before: str, off: tuple[str, ...], after: str
) -> None:
    one, world = await owed(site), site.world
    days = parse_notice("day,kind,name\n" + "".join(f"{day},holiday,临时放假\n" for day in off))
    assert await one.due_on() == before
    effect = world.parts.almanac.effect(days)
    (shift,) = [shift for shift in effect.moved if shift.number == one.chain]
    assert (shift.before.isoformat(), shift.after.isoformat(), shift.reminder) == (before, after, False)
    others = [shift for shift in effect.moved if shift.number != one.chain]
    assert (others, effect.told.messages, effect.told.people) == ([], 1, 1)
    assert (await one.due_on(), one.trail()[-1].action) == (before, "start_timer")
    assert world.parts.almanac.load(ROOT, days, "国办通知", mark=effect.mark)
    assert await one.due_on() == after
    entry = one.trail()[-1]
    assert (entry.action, loads(entry.payload)["reason"]) == ("move_deadlines", "国办通知")
    assert [moved["due"] for moved in loads(entry.payload)["deadlines"]] == [after]
    (message,) = one.told("officer")
    assert (message.step, loads(message.content)["due_at"][:10]) == ("move_deadlines", after)
    listed = (await site.get("officer", "/notifications")).json()["items"]
    assert "工作日历更新" in listed[0]["text"]["zh"]
    world.to(date.fromisoformat(after), hour=15)
    assert one.reminders() == []
    world.sleep(0.1)
    assert [entry.due_at for entry in one.reminders()] == [due(after)]
    assert content(world)


async def test_a_new_calendar_moves_the_reminders_too_and_tells_nobody(site: Site) -> None:
    one, world = await tip_off(site), site.world
    world.to(date(2026, 3, 18))
    days = parse_notice("day,kind\n2026-03-23,holiday\n2026-03-24,holiday\n")
    effect = world.parts.almanac.effect(days)
    (shift,) = effect.moved
    assert (shift.before, shift.after, shift.reminder) == (date(2026, 3, 24), date(2026, 3, 26), True)
    assert world.parts.almanac.load(ROOT, days, "国办通知", mark=effect.mark)
    assert effect.told.messages == 0
    assert [message.step for message in one.told("officer")] == ["remind"]
    world.live(12)
    assert [entry.due_at for entry in one.reminders()] == [due("2026-03-17"), due("2026-03-26")]
    assert content(world)


# ---- after downtime ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("owed", [tip_off, supervision])
async def test_of_all_that_was_missed_the_last_is_told(site: Site, owed: Callable[[Site], Any]) -> None:
    one, world = await owed(site), site.world
    world.sleep(120)
    missed = one.reminders()
    assert len(missed) > 8
    assert [entry.rung for entry in missed] == list(range(len(missed)))
    (message,) = one.told("officer")
    assert message.seq == missed[-1].seq
    assert [loads(entry.effects)["messages"] for entry in missed[:-1]] == [[]] * (len(missed) - 1)
    assert one.open_gaps() == []
    assert content(world)
    world.sleep(8)
    assert len(one.told("officer")) == 2


async def test_downtime_leaves_the_same_history_but_for_when_it_ran(site: Site) -> None:
    late, world = await tip_off(site), site.world
    start = world.clock
    world.sleep(60)
    world.clock = start
    timely = await tip_off(site)
    world.live(60)
    both = [[(e.due_at, e.rung) for e in one.reminders()] for one in (late, timely)]
    assert both[0] == both[1]


# ---- where nobody holds the post -----------------------------------------------------------------------------------------


def leave(world: World, *names: str) -> None:
    for name in names:
        id_ = world.cast.ids[name]
        world.parts.store.write(lambda tx, id_=id_: staff.change_person(tx, ROOT, id_, {"active": False}))  # type: ignore[misc]


def succeed(world: World, name: str) -> None:
    """A new officer of the county's office."""

    def work(tx: Tx) -> None:
        person, _ = staff.enrol(tx, ROOT, name=name, full_name=name, role="officer", region=COUNTY, from_on=world.today)
        world.cast.ids[name] = person.id

    world.parts.store.write(work)


@pytest.mark.parametrize(
    ("left", "told", "role"),
    [
        (("officer",), "chief", "chief"),
        (("officer", "chief"), "director", "director"),
        (("officer", "chief", "director"), "city_chief", "superior"),
        (("officer", "chief", "director", "city_chief"), "city_director", "superior"),
        (("officer", "chief", "director", "city_chief", "city_director"), "province_chief", "superior"),
    ],
)
@pytest.mark.parametrize("owed", [tip_off, supervision])
async def test_a_reminder_goes_one_step_up_until_it_finds_somebody(
    site: Site, owed: Callable[[Site], Any], left: tuple[str, ...], told: str, role: str
) -> None:
    one, world = await owed(site), site.world
    leave(world, *left)
    world.to(date(2026, 4, 22))
    (message, *_) = one.told(told)
    assert (message.step, message.role, message.gap) == ("remind", role, "officer")
    everybody = {who for who in world.cast.ids for _ in one.told(who)}
    assert everybody == {told}
    assert set(one.open_gaps()) == {("officer", "stood_in")}
    assert content(world)


async def test_what_nobody_held_is_made_good_by_the_next_reminder_to_who_takes_over(site: Site) -> None:
    one, world = await tip_off(site), site.world
    leave(world, "officer", "chief", "director")
    world.to(date(2026, 3, 18))
    assert one.open_gaps() == [("officer", "stood_in")]
    assert world.parts.reconciliation.run() == 0
    succeed(world, "officer2")
    world.to(date(2026, 3, 28))
    assert [m.gap for m in one.told("officer2")] == [""]
    assert world.parts.reconciliation.run() == 1
    assert one.open_gaps() == []
    assert len(one.told("officer2")) == 1


async def test_what_a_stand_in_has_read_is_made_good(site: Site) -> None:
    one, world = await tip_off(site), site.world
    leave(world, "officer", "chief", "director")
    world.to(date(2026, 3, 18))
    (told,) = (await site.get("city_chief", "/notifications")).json()["items"]
    assert told["text"]["zh"].startswith("举报：")
    assert (await site.post("city_chief", f"/notifications/{told['id']}/acknowledge")).status_code == 200
    assert world.parts.reconciliation.run() == 1
    assert one.open_gaps() == []


async def test_a_gap_closes_with_the_answer(site: Site) -> None:
    one, world = await tip_off(site), site.world
    everybody = [who for who in world.cast.ids if who not in ("admin", "leader")]
    leave(world, *everybody)
    world.to(date(2026, 3, 18))
    assert one.open_gaps() == [("officer", "nobody")]
    world.clock += timedelta(days=1, hours=1)
    assert world.parts.reconciliation.run() == 0
    chief = world.cast.ids["chief"]
    world.parts.store.write(lambda tx: staff.change_person(tx, ROOT, chief, {"active": True}))
    done = await site.call("chief", "PATCH", one.path, {"status": "answered", "result": "经查属实，已整改。"})
    assert done.status_code == 200, done.text
    world.clock += timedelta(days=1, hours=1)
    assert world.parts.reconciliation.run() == 1
    assert one.open_gaps() == []
