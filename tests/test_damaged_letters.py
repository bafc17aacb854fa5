"""A letter that cannot be written, as its rows are damaged, is put off and shown; everybody else is told all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from loop.engine.sweep import tick
from loop.kernel.labels import Label
from loop.store import deliveries, gaps, webhooks
from loop.store.deliveries import Delivery
from loop.store.session import Tx
from loop.store.webhooks import Secret, Webhook
from tests.cast import COUNTY
from tests.month import local
from tests.postal import CONSOLE, Post, postal_settings
from tests.receiver import listening
from tests.world import World

HALL: dict[str, Any] = {"name": "hall", "kind": "console"}
DAY = date(2026, 3, 3)
HOUR = timedelta(hours=1)
NO_JSON = "{"
Opener = Callable[..., Post]


@pytest.fixture(autouse=True)
def said() -> Iterator[Sequence[Mapping[str, Any]]]:
    """What is logged."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def post_of(database_url: str, tmp_path: Path) -> Iterator[Opener]:
    """Opens a world whose leases and retries run on its own clock; the people of the county are reached at their desks."""
    opened: list[World] = []

    def opener(**told: Any) -> Post:
        world = World(postal_settings(database_url, tmp_path, CONSOLE, HALL, **told))
        world.parts = replace(world.parts, outbox=replace(world.parts.outbox, real=lambda: world.clock))
        opened.append(world)
        post = Post(world)
        for name in ("school", "other_school", "officer", "chief"):
            post.reach(name, "desk")
        return post

    yield opener
    for world in opened:
        world.parts.close()


@pytest.fixture
def post(post_of: Opener) -> Post:
    """That world with the shipped settings."""
    return post_of()


def say(post: Post, name: str, content: str) -> None:
    """Whatever `name` was told says this from now on."""
    person = post.world.cast.ids[name]
    run(post, f"UPDATE message SET content = '{content}' WHERE person_id = '{person}'")


def run(post: Post, words: str) -> None:
    post.world.parts.store.write(lambda tx: tx.control(words))


def unsent(post: Post) -> list[Delivery]:
    return [one for one in post.all() if not one.sent_at]


def tries(post: Post, one: Delivery) -> list[Label | None]:
    found = post.world.parts.store.read(lambda tx: deliveries.tries_of(tx, [one.id]))
    return [tried.error for tried in found[one.id]]


def at_night(post: Post) -> None:
    """Both schools are told of something at night; it is morning now, and their letters have not gone yet."""
    post.world.clock = local(DAY, 21)
    for unit in ("school", "other_school"):
        post.world.fed_back(unit=unit)
    post.drain()
    post.world.clock = local(DAY + timedelta(days=1), 8)


def test_one_letter_that_cannot_be_written_keeps_nobody_else_from_theirs(
    post: Post, said: Sequence[Mapping[str, Any]]
) -> None:
    at_night(post)
    say(post, "school", NO_JSON)
    post.drain()
    assert [letter.steps for letter in post.letters("other_school")] == [("approve_report",)]
    assert post.letters("school") == []
    (one,) = unsent(post)
    why = Label("无法生成信件内容：JSONDecodeError", "the letter cannot be written: JSONDecodeError")
    assert (one.person_id, one.dead, one.error) == (post.world.cast.ids["school"], 0, why)
    assert one.not_before - post.world.clock == HOUR
    assert tries(post, one) == [why]
    assert [line["key"] for line in said if line["event"] == "letter.unwritable"] == [one.key]


def test_a_letter_that_could_not_be_written_goes_once_its_rows_are_mended(post: Post) -> None:
    at_night(post)
    (content,) = {m.content for m in post.world.inbox("school")}
    say(post, "school", NO_JSON)
    post.drain()
    say(post, "school", content)
    post.world.clock += HOUR - timedelta(minutes=1)
    assert post.drain() == 0
    post.world.clock += timedelta(minutes=1)
    post.drain()
    assert [letter.steps for letter in post.letters("school")] == [("approve_report",)]
    assert unsent(post) == []


def test_a_letter_with_nothing_left_in_it_keeps_the_reason_that_stands(post: Post) -> None:
    at_night(post)
    say(post, "school", NO_JSON)
    post.drain()
    (before,) = unsent(post)
    run(post, f"DELETE FROM copy WHERE delivery_id = {before.id}")
    post.world.clock += HOUR
    post.drain()
    (after,) = unsent(post)
    assert (after.dead, after.error) == (deliveries.NOT_NEEDED, before.error)


def test_what_can_never_be_written_is_given_up_and_a_gap_and_the_office_hears_of_it(post_of: Opener) -> None:
    post = post_of(attempts=3)
    at_night(post)
    say(post, "school", NO_JSON)
    for _ in range(4):
        post.drain()
        post.world.clock += HOUR
    (one,) = unsent(post)
    assert (one.person_id, one.dead) == (post.world.cast.ids["school"], deliveries.GIVEN_UP)
    assert post.world.parts.store.read(deliveries.dead_count) == 1
    shown = post.world.parts.store.read(lambda tx: gaps.page(tx, [post.world.cast.office_id], limit=99))
    assert [(gap.person_id, gap.why) for gap in shown] == [(one.person_id, gaps.UNDELIVERED)]
    assert [m.step for m in post.world.inbox("chief")].count("letters_given_up") == 1


def test_what_cannot_be_read_in_the_morning_goes_apart_from_what_can(post: Post) -> None:
    number = post.world.received()
    post.world.received(unit="other_school")
    post.world.clock = local(DAY, 10)
    post.drain()
    for name in ("school", "other_school", "officer"):
        post.sign_all(name)
    before = len(post.letters())
    post.world.clock = local(post.world.due(number, "plan_due") - timedelta(days=10), 20, 30)
    tick(post.world.engine)
    post.drain()
    say(post, "school", NO_JSON)
    morning = post.world.engine.book.calendar.on_or_after(post.world.today + timedelta(days=1))
    post.world.clock = local(morning, 8, 30)
    post.drain()
    told = {letter.person: letter.steps for letter in post.letters()[before:]}
    assert told == {"other_school": ("warn",), "officer": ("warn", "warn")}
    (one,) = unsent(post)
    assert one.person_id == post.world.cast.ids["school"]
    assert one.error


def test_a_program_whose_row_is_damaged_keeps_nobody_from_their_letters(post_of: Opener) -> None:
    post = post_of(allow_networks=("127.0.0.0/8",))
    with listening() as receiver:
        for id_ in ("sound", "damaged"):
            subscribe(post, id_, receiver.url)
        post.world.clock = local(DAY, 10)
        post.world.fed_back()
        run(post, "UPDATE webhook SET secrets = '{' WHERE id = 'damaged'")
        post.drain()
        assert [letter.steps for letter in post.letters("school")] == [("approve_report",)]
        assert len(receiver.got) == 1
        run(post, "UPDATE webhook SET secrets = (SELECT secrets FROM webhook WHERE id = 'sound') WHERE id = 'damaged'")
        post.world.clock += HOUR
        post.drain()
        assert len(receiver.got) == 2
    assert unsent(post) == []


def subscribe(post: Post, id_: str, url: str) -> None:
    hook = Webhook(
        id=id_, person_id=post.world.cast.ids["chief"], name="平台", url=url, region=COUNTY, actions=("approve_report",),
        secrets=(Secret("whsec_c2VjcmV0"),), created_at=post.world.clock,
    )  # fmt: skip

    def work(tx: Tx) -> None:
        webhooks.add(tx, hook)

    post.world.parts.store.write(work)


def test_what_cannot_be_read_is_not_sent_again_and_others_are(post: Post) -> None:
    post.world.clock = local(DAY, 10)
    for unit in ("school", "other_school"):
        post.world.fed_back(unit=unit)
    post.drain()
    (content,) = {m.content for m in post.world.inbox("school")}
    say(post, "school", NO_JSON)
    post.world.clock = local(date(2026, 3, 5), 8, 30)
    post.drain()
    assert len(post.letters("other_school")) == 2
    assert len(post.letters("school")) == 1
    say(post, "school", content)
    post.world.clock += HOUR
    post.drain()
    assert len(post.letters("school")) == 2
