"""How the databases carry out what telling people really says, before they have statistics: routing, forming, claiming,
settling, repeating, making good and looking back walk through no big table.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from loop.store import deliveries, gaps, mailbox, staff, tray, waiting, webhooks
from loop.store.session import Store, Tx
from loop.store.webhooks import Secret, Webhook
from tests.cast import COUNTY, ROOT
from tests.postal import CONSOLE, Post, postal_settings
from tests.web import Site
from tests.world import World

NOWHERE: dict[str, Any] = {
    "name": "mail", "kind": "mail", "host": "127.0.0.1", "port": 1, "security": "none", "sender": "loop@example.cn",
}  # fmt: skip
"""A mail server that nobody runs."""
BIG = "message|copy|delivery|attempt|gap|webhook|link|event|finding|timer|person|post"
SMALL = (
    "ix_message_owed|ix_message_repeat|ix_copy_waiting|ix_delivery_owed|ix_delivery_dead|ix_gap_open|ix_gap_tried|"
    "ix_person_left"
)
"""Indexes that hold only what waits, was given up or is not healed yet, and whoever was deactivated."""
WALKS = {
    "sqlite": re.compile(rf"SCAN (?:{BIG})\b(?! USING (?:COVERING )?INDEX (?:{SMALL})\b)"),
    "postgresql": re.compile(rf"Seq Scan on (?:{BIG})\b"),
}
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The API over a world with a desk that takes everything and a mail server that is not there; one try is enough."""
    settings = postal_settings(
        database_url, tmp_path, CONSOLE, NOWHERE, attempts=1, budget=2, base_url="http://loop.test"
    )
    made = Site(World(settings))
    yield made
    await made.http.aclose()
    made.world.parts.close()


class Ear:
    """Every statement that is said, once, with the values it was last said with."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.said: dict[str, list[Any]] = {}
        store.trace = lambda text, values: self.said.update({text: list(values)})

    def walks(self) -> list[tuple[str, str]]:
        """The lines of the plans that walk through a big table, with their statements."""
        self.store.trace = None
        asked = {t: v for t, v in self.said.items() if t.lstrip().startswith(("SELECT", "WITH", "UPDATE", "INSERT"))}
        found, wrong = self.store.read(lambda tx: _plans(tx, asked)), WALKS[self.store.dialect]
        return [(line, text) for line, text in found if wrong.search(line)]

    def says(self, *words: str) -> bool:
        """Whether a statement with all these words was said."""
        return any(all(word in text for word in words) for text in self.said)


def _plans(tx: Tx, asked: dict[str, list[Any]]) -> list[tuple[str, str]]:
    if tx.dialect == "postgresql":
        # It is asked what it can do without scanning: small tables it would always scan.
        tx.control("SET LOCAL enable_seqscan = off")
    lines: list[tuple[str, str]] = []
    for text, values in asked.items():
        tx._execute(f"{EXPLAIN[tx.dialect]} {text}", values)
        lines += [(str(row[-1]), text) for row in tx._cursor.fetchall()]
    return lines


def subscribe(world: World, *, region: str = "", unit: str = "") -> None:
    """The chief's program wants to hear of a region or a unit; where it should listen, nobody does."""
    hook = Webhook(
        id=f"hook-{region}{unit}", person_id=world.cast.ids["chief"], name="平台", url="http://127.0.0.1:1/hook",
        region=region, unit_id=unit, secrets=(Secret("whsec_c2VjcmV0"),), created_at=datetime.now(UTC),
    )  # fmt: skip
    world.parts.store.write(lambda tx: webhooks.add(tx, hook))


def history(world: World) -> None:
    """Steps told by desk, by a mail server that is down and by a program; over the budget, unsigned, to somebody who left."""
    post = Post(world)
    for name in ("school", "officer", "chief", "leader", "bureau"):
        post.reach(name, "mail", "desk")
    subscribe(world, region=COUNTY)
    subscribe(world, unit="school")
    first = world.executing()
    post.drain()
    for _ in range(3):
        world.fed_back(category="health_canteen")
        post.drain()
    world.act("leader", "instruct", first, text="请抓紧")
    for _ in range(20):
        world.sleep(3)
        post.drain()
    officer = world.cast.ids["officer"]
    world.parts.store.write(lambda tx: staff.change_person(tx, ROOT, officer, {"active": False}))
    world.parts.reconciliation.run()
    world.clock += timedelta(days=1, hours=1)
    succeed(world)
    world.parts.reconciliation.run()
    post.drain()


def succeed(world: World) -> None:
    def work(tx: Tx) -> None:
        staff.enrol(tx, ROOT, name="officer2", full_name="继任", role="officer", from_on=world.today, region=COUNTY)

    world.parts.store.write(work)


async def test_telling_people_walks_through_no_big_table(site: Site) -> None:
    world = site.world
    ear = Ear(world.parts.store)
    await asyncio.to_thread(history, world)
    assert ear.walks() == []
    # The history has gone every way there is: what it did not say could not have been looked at.
    for words in (
        ("UPDATE message", "repeat_at="), ("UPDATE delivery", "tried_at="), ("UPDATE delivery", "dead="),
        ("UPDATE copy", "due_at="), ("UPDATE copy", "dropped="), ("UPDATE copy", "delivery_id="), ("UPDATE webhook",),
        ("INSERT INTO copy", "FROM webhook"), ("INSERT INTO link",), ("INSERT INTO attempt",), ("UPDATE gap", "tried_at="),
        ("UPDATE gap", "healed_at="), ("INSERT INTO gap",), ("FROM copy", "message_id IN"), ("AS gone", "JOIN message"),
    ):  # fmt: skip
        assert ear.says(*words), words


async def test_looking_back_walks_through_no_big_table(site: Site) -> None:
    world = site.world
    await asyncio.to_thread(history, world)
    number = world.fed_back()
    await asyncio.to_thread(world.parts.outbox.drain)
    ear = Ear(world.parts.store)
    school = world.cast.ids["school"]
    for who, path in (
        ("admin", "/deliveries"), ("admin", "/deliveries?limit=1"), ("admin", "/deliveries?dead=true"),
        ("admin", "/deliveries?dead=false"), ("admin", f"/deliveries?person={school}"),
        ("admin", "/deliveries?channel=desk"), ("admin", f"/deliveries?person={school}&channel=mail&dead=true"),
        ("auditor", "/deliveries"), ("auditor", "/deliveries?dead=true"), ("auditor", f"/deliveries?person={school}"),
        ("chief", f"/findings/{number}/told"), ("school", f"/findings/{number}/told?limit=1"),
        ("chief", "/notifications/coverage?limit=1"), ("city_chief", "/notifications/coverage"),
        ("school", "/notifications"), ("school", "/notifications?unread=true"),
        ("chief", "/webhooks"), ("chief", f"/webhooks/hook-{COUNTY}/deliveries"),
    ):  # fmt: skip
        await followed(site, who, path)
    world.parts.store.read(lambda tx: looked(tx, school, world.clock))
    assert ear.walks() == []


async def followed(site: Site, who: str, path: str) -> None:
    """Read a list, and the page behind the first one if there is one."""
    answer = await site.get(who, path)
    assert answer.status_code == 200, (path, answer.text)
    if after := answer.json()["next"]:
        assert (await site.get(who, f"{path}{'&' if '?' in path else '?'}after={after}")).status_code == 200


def looked(tx: Tx, person: str, now: datetime) -> None:
    """What the command line, the pages and the virtual clock ask besides."""
    reads: tuple[Callable[[], object], ...] = (
        lambda: tray.unread(tx, person, 100), lambda: gaps.open_count(tx), lambda: mailbox.owed_count(tx),
        lambda: deliveries.owed_count(tx), lambda: deliveries.dead_count(tx), lambda: waiting.next_instant(tx, now),
        lambda: mailbox.next_repeat(tx, now), lambda: deliveries.unsent(tx, limit=20, before=2**62, dead=True),
        lambda: deliveries.unsent(tx, limit=20, before=2**62, dead=False),
    )  # fmt: skip
    for read in reads:
        read()
