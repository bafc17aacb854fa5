"""People get told by the way and at the hour that their office laid down: quiet hours, digests, a budget, until signed for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from loop.engine.sweep import tick
from tests.postal import CONSOLE, Post, postal_settings
from tests.world import World

HALL: dict[str, str] = {"name": "hall", "kind": "console"}
Opener = Callable[..., Post]


@pytest.fixture
def post_of(database_url: str, tmp_path: Path) -> Iterator[Opener]:
    """Opens the world with these channels and settings."""
    opened: list[World] = []

    def opener(*channels: dict[str, str], **told: object) -> Post:
        opened.append(World(postal_settings(database_url, tmp_path, *channels, **told)))
        return Post(opened[-1])

    yield opener
    for world in opened:
        world.parts.close()


@pytest.fixture
def post(post_of: Opener) -> Post:
    """A world in which school, officer, chief and leader are reached at their desks."""
    made = post_of(CONSOLE, HALL)
    for name in ("school", "officer", "chief", "leader", "bureau"):
        made.reach(name, "desk")
    return made


def local(day: date, hour: int, minute: int = 0) -> datetime:
    """The instant at which the clock in Shanghai shows this."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=8)


def test_a_step_goes_by_the_first_of_ones_own_channels_at_once_within_the_day(post: Post) -> None:
    post.reach("school", "hall", "desk")
    post.world.fed_back()
    post.drain()
    (letter,) = post.letters("school")
    assert (letter.channel, letter.at, letter.steps) == ("hall", post.world.clock, ("approve_report",))


def test_who_has_no_address_is_told_in_the_inbox_alone(post: Post) -> None:
    post.reach("school")
    post.world.fed_back()
    post.drain()
    assert post.letters("school") == []
    assert [message.step for message in post.world.inbox("school")] == ["approve_report"]
    assert all(message.delivered_at for message in post.world.inbox("school"))


def test_nobody_is_disturbed_at_night_and_the_morning_brings_one_letter(post: Post) -> None:
    post.world.clock = local(date(2026, 3, 3), 21)
    post.world.fed_back()
    post.drain()
    post.world.clock = local(date(2026, 3, 4), 2)
    post.world.fed_back(category="health_canteen")
    post.drain()
    assert post.letters("school") == []
    post.world.clock = local(date(2026, 3, 4), 8)
    post.drain()
    (letter,) = post.letters("school")
    assert (letter.at, letter.steps) == (post.world.clock, ("approve_report", "approve_report"))


def test_a_weekend_is_quiet_and_a_make_up_sunday_is_not(post: Post) -> None:
    post.world.clock = local(date(2026, 3, 7), 10)  # a Saturday
    post.world.fed_back()
    post.drain()
    assert post.letters("school") == []
    post.world.clock = local(date(2026, 9, 20), 10)  # a Sunday on which people work
    post.world.fed_back(category="health_canteen")
    post.drain()
    (letter,) = post.letters("school")
    assert letter.at == post.world.clock


def test_danger_to_life_goes_at_any_hour_by_every_channel(post: Post) -> None:
    post.reach("school", "hall", "desk")
    number = post.world.opened(danger_to_life=True)
    post.world.clock = local(date(2026, 3, 8), 3)
    at = post.world.clock.isoformat()
    told_to = {"name": "值班校长", "post": "副校长"}
    post.world.act("inspector", "urgent_order", number, measure="立即封闭", told_to=told_to, at=at)
    post.drain()
    assert {letter.channel for letter in post.letters("school")} == {"hall", "desk"}
    assert {letter.at for letter in post.letters("school")} == {post.world.clock}


def test_warnings_come_with_the_mornings_digest(post: Post) -> None:
    first = post.world.received()
    second = post.world.received(category="health_canteen")
    post.drain()
    post.sign_all("school")
    before = len(post.letters("school"))
    warned = post.world.due(first, "plan_due") - timedelta(days=10)
    post.world.clock = local(warned, 9, 30)  # after the morning's digest has gone
    tick(post.world.engine)
    post.drain()
    assert len(post.letters("school")) == before
    morning = post.world.engine.book.calendar.on_or_after(warned + timedelta(days=1))
    post.world.clock = local(morning, 8, 30)
    tick(post.world.engine)
    post.drain()
    digest = post.letters("school")[-1]
    assert [step for step in digest.steps if step == "warn"] == ["warn", "warn"]
    assert {first, second} <= {message.chain for message in post.world.inbox("school")}


def test_a_leader_hears_of_ordinary_steps_once_a_week(post: Post) -> None:
    post.world.clock = local(date(2026, 3, 3), 10)  # Tuesday
    for category in ("campus_safety", "health_canteen"):
        number = post.world.passed(post.world.reported(post.world.executing(category=category)))
        post.world.act("officer", "propose_commendation", number, form="表扬", grounds="好")
        day = post.world.day
        post.world.act("chief", "announce_commendation", number, notice_from=day(), notice_to=day(14))
    post.drain()
    assert post.letters("leader") == []
    post.world.clock = local(date(2026, 3, 9), 8, 30)
    post.drain()
    (weekly,) = post.letters("leader")
    assert weekly.steps == ("announce_commendation", "announce_commendation")


def test_a_declined_route_is_kept_to_but_not_where_the_law_has_served(post: Post) -> None:
    post.reach("leader", "desk", off=["weekly"])
    post.reach("school", "desk", off=["weekly", "work"])
    post.world.fed_back()
    post.drain()
    assert [letter.steps for letter in post.letters("school")] == [("approve_report",)]


def test_who_likes_a_digest_gets_everything_that_may_wait_in_the_morning(post: Post) -> None:
    post.reach("officer", "desk", digest=True)
    post.world.received()
    post.drain()
    assert post.letters("officer") == []
    post.world.clock = local(date(2026, 3, 3), 8, 30)
    post.drain()
    (letter,) = post.letters("officer")
    assert "acknowledge" in letter.steps


def test_what_is_over_the_budget_waits_for_one_digest_and_the_chief_is_told(post_of: Opener) -> None:
    post = post_of(CONSOLE, budget=3)
    post.reach("school", "desk")
    for minute in range(6):
        post.world.clock = local(date(2026, 3, 3), 10, minute)
        post.world.fed_back(category="health_canteen" if minute % 2 else "campus_safety")
        post.drain()
    assert len(post.letters("school")) == 3
    alarms = [message for message in post.world.inbox("chief") if message.step == "budget_reached"]
    assert len(alarms) == 1
    assert alarms[0].chain == f"alarm:{post.world.cast.office_id}"
    post.world.clock = local(date(2026, 3, 4), 8, 30)
    post.drain()
    assert post.letters("school")[3:] == [post.letters("school")[-1]]
    assert len(post.letters("school")[-1].steps) == 3


def test_danger_to_life_costs_nothing_of_the_budget(post_of: Opener) -> None:
    post = post_of(CONSOLE, HALL, budget=2)
    post.reach("school", "hall", "desk")
    number = post.world.opened(danger_to_life=True)
    post.drain()
    post.world.clock = local(date(2026, 3, 3), 10)
    at = post.world.clock.isoformat()
    told_to = {"name": "值班校长", "post": "副校长"}
    post.world.act("inspector", "urgent_order", number, measure="立即封闭", told_to=told_to, at=at)
    post.world.fed_back()
    post.drain()
    assert sorted(letter.steps for letter in post.letters("school")) == [
        ("approve_report",), ("urgent_order",), ("urgent_order",),
    ]  # fmt: skip
    assert [message for message in post.world.inbox("chief") if message.step == "budget_reached"] == []


def test_what_was_read_in_the_inbox_is_not_sent_again_in_the_morning(post: Post) -> None:
    post.world.clock = local(date(2026, 3, 3), 21)
    post.world.fed_back()
    post.drain()
    post.sign_all("school")
    post.world.clock = local(date(2026, 3, 4), 8)
    post.drain()
    assert post.letters("school") == []


def test_a_reminder_is_dropped_once_its_deadline_no_longer_runs(post: Post) -> None:
    number = post.world.received()
    post.drain()
    post.world.clock = local(post.world.due(number, "plan_due") - timedelta(days=10), 20, 30)
    tick(post.world.engine)
    post.drain()
    post.world.act("school", "submit_plan", number, **post.world.plan())
    morning = post.world.engine.book.calendar.on_or_after(post.world.today + timedelta(days=1))
    post.world.clock = local(morning, 8, 30)
    post.drain()
    assert all("warn" not in letter.steps for letter in post.letters("school"))


def test_a_served_letter_is_sent_again_until_it_is_signed_for(post: Post) -> None:
    post.world.fed_back()
    post.drain()
    for day in (4, 5, 6, 7, 8, 9, 10):
        post.world.clock = local(date(2026, 3, day), 8, 30)
        post.drain()
    assert [letter.at.day for letter in post.letters("school")] == [2, 4, 6, 10]
    post.sign_all("school")
    for day in (12, 16, 20):
        post.world.clock = local(date(2026, 3, day), 8, 30)
        post.drain()
    assert len(post.letters("school")) == 4


def test_the_repetition_ends_with_the_finding(post: Post) -> None:
    number = post.world.fed_back()
    post.drain()
    post.world.act("chief", "withdraw", number, reason="登记有误")
    post.world.clock = local(date(2026, 3, 4), 8, 30)
    post.drain()
    assert [letter.steps for letter in post.letters("school")] == [("approve_report",), ("withdraw",)]


def test_sending_twice_at_once_sends_nothing_twice(post: Post) -> None:
    post.world.fed_back()
    assert post.drain() > 0
    assert post.drain() == 0
    keys = [delivery.key for delivery in post.all()]
    assert len(keys) == len(set(keys))
