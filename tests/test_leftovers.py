"""What could not go when it was due: a mail server is away, letters are given up and replayed; hours and budget still hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loop.engine.verify import verify
from loop.store import contacts, deliveries, gaps, staff, waiting
from loop.store.contacts import Contact
from loop.store.deliveries import Delivery
from loop.store.gaps import Gap
from tests.cast import ROOT
from tests.month import local
from tests.post_office import PostOffice
from tests.postal import CONSOLE, Post, postal_settings
from tests.world import World

DAY = date(2026, 3, 3)


class Mailed(Post):
    """A world whose school, officer and chief are reached by a mail server that may be away. Leases and retries run on the
    world's clock, as they do in a service whose clock is the machine's.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.office = PostOffice(clock=lambda: self.world.clock)
        mail: dict[str, Any] = {
            "name": "mail", "kind": "mail", "host": "127.0.0.1", "port": self.office.port, "security": "none",
            "sender": "loop@example.cn",
        }  # fmt: skip
        world = World(postal_settings(url, folder, mail, CONSOLE, attempts=3, budget=2))
        world.parts = replace(world.parts, outbox=replace(world.parts.outbox, real=lambda: world.clock))
        super().__init__(world)
        for name in ("school", "officer", "chief"):
            self.mailed(name)

    def mailed(self, name: str) -> None:
        """`name` has an address at the mail server and nothing else."""
        person, at = self.world.cast.ids[name], Contact("mail", f"{name}@example.cn")
        self.world.parts.store.write(lambda tx: contacts.wish(tx, person, [at], off=(), digest=False))

    def beat(self, minutes: int) -> None:
        """Let so much time pass, with a beat every ten minutes."""
        for _ in range(minutes // 10):
            self.world.clock += timedelta(minutes=10)
            self.drain()

    def dead(self) -> list[Delivery]:
        """What was given up."""
        return self.world.parts.store.read(lambda tx: deliveries.unsent(tx, limit=99, before=2**62, dead=True))

    def replay(self) -> None:
        """An administrator sends what was given up once more."""
        for delivery in self.dead():
            self.world.parts.store.write(lambda tx, one=delivery: deliveries.replay(tx, one.id, self.world.clock))  # type: ignore[misc]
        self.drain()

    def gaps(self) -> list[Gap]:
        """What the county's office is shown."""
        return self.world.parts.store.read(lambda tx: gaps.page(tx, [self.world.cast.office_id], limit=99))


@pytest.fixture
def post(database_url: str, tmp_path: Path) -> Iterator[Mailed]:
    made = Mailed(database_url, tmp_path)
    yield made
    made.world.parts.close()
    made.office.close()


def told(post: Mailed, at: datetime, **more: Any) -> str:
    """A finding is fed back to the school at this instant."""
    post.world.clock = at
    number = post.world.fed_back(**more)
    post.drain()
    return number


def test_a_try_that_failed_in_the_evening_disturbs_nobody_at_night(post: Mailed) -> None:
    post.office.shut()
    told(post, local(DAY, 19, 58))
    post.office.open()
    post.beat(120)
    assert post.office.taken == []
    post.world.clock = local(DAY + timedelta(days=1), 8)
    post.drain()
    (letter,) = [one for one in post.office.taken if one.to == "school@example.cn"]
    assert letter.at == post.world.clock


def test_danger_to_life_is_tried_again_at_any_hour(post: Mailed) -> None:
    number = post.world.opened(danger_to_life=True)
    post.office.shut()
    post.world.clock = local(DAY, 23)
    head = {"name": "值班校长", "post": "副校长"}
    post.world.act(
        "inspector", "urgent_order", number, measure="立即封闭", told_to=head, at=post.world.clock.isoformat()
    )
    post.drain()
    post.office.open()
    post.beat(10)
    assert "school@example.cn" in {one.to for one in post.office.taken}


def test_what_was_given_up_is_told_and_a_gap_until_it_is_replayed(post: Mailed) -> None:
    post.office.shut()
    number = told(post, local(DAY, 10))
    post.beat(60)
    assert {(gap.chain, gap.role, gap.why) for gap in post.gaps()} >= {(number, "unit", "undelivered")}
    assert [m.step for m in post.world.inbox("chief")].count("letters_given_up") == 1
    post.office.open()
    post.replay()
    assert post.gaps() == []
    assert post.dead() == []
    assert [one.to for one in post.office.taken].count("school@example.cn") == 1
    assert verify(post.world.parts.store, post.world.parts.evidence).ok


def test_replays_keep_to_the_budget_and_leave_one_letter_for_what_is_new(post: Mailed) -> None:
    post.office.shut()
    for days in range(4):
        told(post, local(DAY, 10) + timedelta(days=days), category="health_canteen" if days % 2 else "campus_safety")
        post.beat(60)
    assert len([one for one in post.dead() if one.person_id == post.world.cast.ids["school"]]) == 4
    post.office.open()
    post.world.clock = local(date(2026, 3, 9), 9)
    post.replay()
    told(post, local(date(2026, 3, 9), 11))
    for days in range(1, 29):
        post.world.clock = local(date(2026, 3, 9), 9) + timedelta(days=days)
        post.drain()
    days_of = [one.at.date() for one in post.office.taken if one.to == "school@example.cn"]
    assert max(days_of.count(day) for day in days_of) == 2
    assert days_of.count(date(2026, 3, 9)) == 2
    assert post.dead() == []
    assert post.gaps() == []


def test_a_replay_at_night_waits_for_the_morning(post: Mailed) -> None:
    post.office.shut()
    told(post, local(DAY, 10))
    post.beat(60)
    post.office.open()
    post.world.clock = local(DAY, 23)
    post.replay()
    assert post.office.taken == []
    post.world.clock = local(DAY + timedelta(days=1), 8)
    post.drain()
    assert "school@example.cn" in {one.to for one in post.office.taken}


def test_the_office_hears_of_the_budget_even_where_it_is_its_chief_who_reached_it(post: Mailed) -> None:
    for minute in range(4):
        post.world.clock = local(DAY, 10, minute)
        post.world.act("inspector", "submit_report", post.world.opened())
        post.drain()
    (alarm,) = [message for message in post.world.inbox("director") if message.step == "budget_reached"]
    assert alarm.chain == f"alarm:{post.world.cast.office_id}"
    assert "budget_reached" not in [message.step for message in post.world.inbox("chief")]


def test_a_unit_that_nothing_governs_leaves_no_gap(post: Mailed) -> None:
    number = post.world.executing(unit="government")
    assert "serve_opinion" in post.world.actions(number)
    assert post.gaps() == []


def test_however_few_are_looked_at_in_one_go_a_reader_gets_all_that_waits_in_one_letter(post: Mailed) -> None:
    for minute in range(4):
        post.world.clock = local(DAY, 21, minute)
        post.world.act("school", "waive_defence", post.world.fed_back())
    post.drain()
    morning = local(DAY + timedelta(days=1), 8)
    every = post.world.parts.store.read(lambda tx: waiting.due(tx, morning, 99))
    some = post.world.parts.store.read(lambda tx: waiting.due(tx, morning, 2))
    first = every[0].person_id
    assert len([copy for copy in every if copy.person_id == first]) > 2
    readers = {copy.person_id for copy in some}
    assert first in readers
    assert some == [copy for copy in every if copy.person_id in readers]


def test_a_gap_closes_once_what_was_pressed_for_is_done(post: Mailed) -> None:
    world = post.world
    number = world.executing()
    world.act("officer", "propose_interview", number, reasons=[{"text": "整改不力", "code": "AC_POOR_RECTIFY"}])
    at = (world.clock + timedelta(days=7)).isoformat()
    head = {"name": "校长", "post": "校长"}
    world.act("chief", "notice_interview", number, chair="director", at=at, place="会议室", interviewees=[head])
    director = world.cast.ids["director"]
    world.parts.store.write(lambda tx: staff.change_person(tx, ROOT, director, {"active": False}))
    world.sleep(12)
    pressed = {(gap.step, gap.role, gap.why) for gap in post.gaps()}
    assert ("remind", "chair", "stood_in") in pressed
    held = {
        "attendance": [{**head, "present": True}], "facts_told": "逾期", "demands": ["限期完成"], "statement": "接受",
        "commitment": "按期完成", "rectify_by": world.day(20),
    }  # fmt: skip
    world.act("chief", "hold_interview", number, **held)
    world.clock += timedelta(days=1, hours=1)
    world.parts.reconciliation.run()
    assert ("remind", "chair", "stood_in") not in {(gap.step, gap.role, gap.why) for gap in post.gaps()}


def test_what_was_given_up_is_tried_again_by_itself_once_a_day(post: Mailed) -> None:
    post.office.shut()
    told(post, local(DAY, 10))
    post.beat(60)
    post.office.open()
    post.world.parts.reconciliation.run()
    post.drain()
    assert post.office.taken == []
    post.world.clock = local(DAY + timedelta(days=1), 12)
    post.world.parts.reconciliation.run()
    post.drain()
    assert [one.to for one in post.office.taken].count("school@example.cn") == 1
    post.world.clock += timedelta(days=1)
    post.drain()  # the chief, who is owed more than a day's budget
    assert post.gaps() == []


def test_an_address_that_is_refused_for_good_is_not_tried_again_by_itself(post: Mailed) -> None:
    post.office.refuses.add("school@example.cn")
    told(post, local(DAY, 10))
    post.office.refuses.clear()
    for days in (1, 3, 6):
        post.world.clock = local(DAY + timedelta(days=days), 10)
        post.world.parts.reconciliation.run()
    post.drain()
    (dead,) = post.dead()
    assert (dead.address, dead.attempts) == ("school@example.cn", 1)
