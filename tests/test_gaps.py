"""A step that reached nobody is shown as a gap and made good as soon as somebody can be told, in an event of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from loop.engine.verify import verify
from loop.store import gaps, mailbox, people, staff
from loop.store.gaps import Gap
from loop.store.session import Tx
from tests.cast import COUNTY, ROOT
from tests.postal import Post, postal_settings
from tests.world import World


@pytest.fixture
def post(database_url: str, tmp_path: Path) -> Iterator[Post]:
    """A world with one channel; nobody has an address yet."""
    world = World(postal_settings(database_url, tmp_path))
    yield Post(world)
    world.parts.close()


def open_gaps(world: World) -> list[tuple[str, str, str]]:
    """Step, role and reason of every gap of the county's office."""

    def found(tx: Tx) -> list[Gap]:
        return gaps.page(tx, [world.cast.office_id], limit=200)

    return [(gap.step, gap.role, gap.why) for gap in world.parts.store.read(found)]


def write(world: World, work: Callable[[Tx], object]) -> None:
    world.parts.store.write(work)


def leave(world: World, name: str) -> None:
    """`name` is deactivated."""
    write(world, lambda tx: staff.change_person(tx, ROOT, world.cast.ids[name], {"active": False}))


def succeed(world: World, name: str, role: str, place: str = COUNTY) -> None:
    """A new person takes up the post."""
    at = {"region": place} if place.isdigit() else {"unit_id": place}

    def work(tx: Tx) -> None:
        person, _ = staff.enrol(tx, ROOT, name=name, full_name=name, role=role, from_on=world.today, **at)
        world.cast.ids[name] = person.id

    write(world, work)


def reconcile(world: World) -> int:
    return world.parts.reconciliation.run()


def test_a_role_without_a_holder_is_a_gap_and_its_next_holder_is_told(post: Post) -> None:
    world = post.world
    leave(world, "officer")
    number = world.fed_back()
    world.act("school", "waive_defence", number)
    assert ("waive_defence", "officer", "stood_in") in open_gaps(world)
    assert reconcile(world) == 0
    world.clock += timedelta(days=1, hours=1)
    succeed(world, "officer2", "officer")
    assert reconcile(world) >= 1
    assert open_gaps(world) == []
    (told,) = [message for message in world.inbox("officer2") if message.chain == number]
    assert (told.step, told.role, told.gap) == ("make_good", "officer", "")
    assert world.actions(number)[-1] == "make_good"
    assert verify(world.parts.store, world.parts.evidence).ok


def test_what_somebody_left_unread_is_told_to_who_takes_over(post: Post) -> None:
    world = post.world
    number = world.fed_back()
    world.act("school", "waive_defence", number)
    leave(world, "officer")
    succeed(world, "officer2", "officer")
    assert reconcile(world) == 1
    assert [m.step for m in world.inbox("officer2") if m.chain == number] == ["make_good"]
    assert reconcile(world) == 0
    assert [m.step for m in world.inbox("officer2") if m.chain == number] == ["make_good"]


def test_what_somebody_left_unread_goes_one_office_up_where_nobody_takes_over(post: Post) -> None:
    world = post.world
    number = world.fed_back()
    world.act("school", "waive_defence", number)
    leave(world, "officer")
    assert reconcile(world) == 1
    assert [m.gap for m in world.inbox("city_chief") if m.chain == number and m.step == "make_good"] == ["officer"]
    assert open_gaps(world) == [("make_good", "officer", "stood_in")]


def test_nobody_is_told_twice_where_a_colleague_already_knows(post: Post) -> None:
    world = post.world
    succeed(world, "officer2", "officer")
    number = world.fed_back()
    world.act("school", "waive_defence", number)
    leave(world, "officer")
    assert reconcile(world) == 1
    assert "make_good" not in world.actions(number)
    assert open_gaps(world) == []


def test_a_post_that_ended_leaves_its_messages_to_the_next_holder(post: Post) -> None:
    world = post.world
    number = world.fed_back()
    world.act("school", "waive_defence", number)
    (held,) = world.parts.store.read(lambda tx: staff.posts_of(tx, world.cast.ids["officer"]))
    write(world, lambda tx: staff.end_post(tx, ROOT, held.id, world.today))
    assert reconcile(world) == 0
    world.clock += timedelta(days=1)
    succeed(world, "officer2", "officer")
    assert reconcile(world) == 1
    assert [m.step for m in world.inbox("officer2") if m.chain == number] == ["make_good"]


def test_one_telling_makes_good_all_that_a_role_has_missed_of_a_finding(post: Post) -> None:
    world = post.world
    leave(world, "officer")
    number = world.received()
    missed = [gap for gap in open_gaps(world) if gap[1] == "officer"]
    assert len(missed) > 1
    succeed(world, "officer2", "officer")
    reconcile(world)
    assert world.actions(number).count("make_good") == 1
    assert open_gaps(world) == []


def test_a_gap_about_a_finding_that_has_ended_closes_by_itself(post: Post) -> None:
    world = post.world
    leave(world, "officer")
    number = world.received()
    world.act("director", "withdraw", number, reason="登记有误")
    reconcile(world)
    assert [gap for gap in open_gaps(world) if gap[1] == "officer"] == []
    assert "make_good" not in world.actions(number)


def test_a_gap_that_cannot_be_healed_is_tried_once_a_day(post: Post) -> None:
    world = post.world
    leave(world, "officer")
    world.received()
    before = open_gaps(world)
    assert reconcile(world) == 0
    due = world.parts.store.read(lambda tx: gaps.to_try(tx, world.clock - timedelta(days=1), 9))
    assert due == []
    world.clock += timedelta(days=1, seconds=1)
    due = world.parts.store.read(lambda tx: gaps.to_try(tx, world.clock - timedelta(days=1), 9))
    assert len(due) == len(before)


def test_people_who_left_long_ago_cost_nothing_and_are_not_asked_for_again(post: Post) -> None:
    world = post.world
    world.fed_back()
    leave(world, "school")
    assert reconcile(world) == 1
    assert reconcile(world) == 0  # that the bureau stands in is a gap of its own, looked at once a day
    queries: list[str] = []
    world.parts.store.trace = lambda text, values: queries.append(text)
    assert reconcile(world) == 0
    assert len([text for text in queries if text.startswith("SELECT")]) <= 4


def test_readers_are_those_who_hold_a_post_today(post: Post) -> None:
    world = post.world
    ids = world.cast.ids
    leave(world, "officer")
    found = world.parts.store.read(lambda tx: people.readers(tx, [ids["officer"], ids["chief"]], date(2026, 3, 2)))
    assert set(found) == {ids["chief"]}
    assert world.parts.store.read(mailbox.owed_count) == 0


def test_who_takes_over_from_two_who_left_is_told_once(post: Post) -> None:
    world = post.world
    succeed(world, "officer2", "officer")
    number = world.fed_back()
    world.act("school", "waive_defence", number)
    for name in ("officer", "officer2"):
        leave(world, name)
    succeed(world, "officer3", "officer")
    assert reconcile(world) == 2
    assert [m.step for m in world.inbox("officer3") if m.chain == number] == ["make_good"]
    assert open_gaps(world) == []


def test_who_stands_in_for_two_who_left_is_told_once(post: Post) -> None:
    world = post.world
    succeed(world, "officer2", "officer")
    number = world.fed_back()
    world.act("school", "waive_defence", number)
    for name in ("officer", "officer2"):
        leave(world, name)
    assert reconcile(world) == 2
    assert [m.step for m in world.inbox("city_chief") if m.chain == number] == ["make_good"]
    assert open_gaps(world) == [("make_good", "officer", "stood_in")]


def test_who_takes_over_what_was_left_and_what_reached_nobody_is_told_once_of_the_latest(post: Post) -> None:
    world = post.world
    number = world.fed_back()
    world.act("school", "waive_defence", number)
    leave(world, "officer")
    world.act("chief", "serve_opinion", number, evaluation="总体较好", demands=["清理通道"])
    world.act("school", "acknowledge", number, receiver={"name": "收发员"}, received_on=world.day())
    succeed(world, "officer2", "officer")
    assert reconcile(world) == 2
    assert [m.step for m in world.inbox("officer2") if m.chain == number] == ["make_good"]
    assert '"about_step":"acknowledge"' in world.trail(number)[-1].payload
    assert open_gaps(world) == []
