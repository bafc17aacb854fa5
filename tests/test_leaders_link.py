"""A leader's link shows one finding without signing in, is used up by one answer only, and tells nothing when it is not good."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from io import StringIO
from pathlib import Path

import httpx
import pytest
import structlog

from loop import log
from loop.kernel.messages import Letter
from loop.store import staff
from loop.web.install import install
from notifiers.console import Console
from tests.cast import ROOT
from tests.postal import CONSOLE, Post, postal_settings
from tests.web import Site
from tests.world import World

BASE = "http://loop.test"
NOTHING = "没有找到"


class Desk(Console):
    """The console, whose letters a test can read."""

    taken: list[Letter]

    async def send(self, letter: Letter) -> bool:
        self.taken.append(letter)
        return await super().send(letter)


class Leader:
    """A leader who was just told that an interview is proposed, and the link that came with it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        world = site.world
        post = Post(world)
        post.reach("leader", "desk")
        self.number = world.received()
        world.sleep(45)
        self.desk = self._desk()
        world.parts.outbox.drain()
        addressed = [one for one in self.desk.taken if one.person_id == world.cast.ids["leader"]]
        self.path = addressed[-1].notices[0].url.removeprefix(BASE)

    def _desk(self) -> Desk:
        channels = self.site.world.parts.outbox.channels
        assert isinstance(channels, dict)
        old = channels["desk"]
        assert isinstance(old, Console)
        desk = Desk("desk", Console.Options.read({}), old._egress)
        desk.taken = []
        channels["desk"] = desk
        return desk

    async def look(self, path: str | None = None, http: httpx.AsyncClient | None = None) -> httpx.Response:
        return await (http or self.site.http).get(path or self.path)

    async def send(self, path: str | None = None, **form: str) -> httpx.Response:
        """Open the page as a browser does, and send its form."""
        page = await self.look()
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        return await self.site.http.post(path or self.path, data={"csrf": csrf[1] if csrf else "", **form})

    def told(self) -> dict[str, object]:
        """What the rows say of the message behind the link."""
        (message,) = [m for m in self.site.world.inbox("leader") if m.step == "propose_interview"]
        return {"read": message.read_at, "signed": message.signed_at}


@pytest.fixture
async def leader(database_url: str, tmp_path: Path) -> AsyncIterator[Leader]:
    world = World(postal_settings(database_url, tmp_path, CONSOLE, base_url=BASE))
    site = Site(world)
    install(site.app, site.service)
    yield await asyncio.to_thread(Leader, site)
    await site.http.aclose()
    world.parts.close()


async def test_looking_shows_one_finding_and_uses_nothing_up(leader: Leader) -> None:
    for _ in range(3):
        page = await leader.look()
        assert page.status_code == 200
        assert leader.number in page.text
        assert "消防通道堵塞" in page.text
        assert "已阅" in page.text
    assert leader.told() == {"read": None, "signed": None}


async def test_the_answer_counts_as_read_and_uses_the_link_up(leader: Leader) -> None:
    answer = await leader.send(read="1")
    assert answer.status_code == 200
    assert "已记录" in answer.text
    assert all(leader.told().values())
    again = await leader.look()
    assert (again.status_code, NOTHING in again.text) == (404, True)
    assert leader.number not in again.text


async def test_an_instruction_is_written_in_the_leaders_name(leader: Leader) -> None:
    due = leader.site.world.day(10)
    answer = await leader.send(instruct="1", text="请一周内查清", reply_due=due)
    assert answer.status_code == 200
    last = leader.site.world.trail(leader.number)[-1]
    assert (last.action, last.actor_name, last.actor_role) == ("instruct", "leader", "leader")
    assert "请一周内查清" in last.payload
    assert all(leader.told().values())
    assert (await leader.look()).status_code == 404


async def test_a_refused_instruction_keeps_the_link_and_what_was_typed(leader: Leader) -> None:
    typed = "<script>alert(1)</script> {{ 7 * 7 }}"
    answer = await leader.send(instruct="1", text=typed, reply_due="2020-01-01")
    assert answer.status_code in (409, 422)
    assert typed in unescape(answer.text)
    assert "<script>" not in answer.text
    assert leader.told() == {"read": None, "signed": None}
    assert (await leader.send(read="1")).status_code == 200


async def test_of_two_answers_at_once_one_counts(leader: Leader) -> None:
    page = await leader.look()
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert csrf
    form = {"csrf": csrf[1], "instruct": "1", "text": "请督办"}
    answers = await asyncio.gather(*(leader.site.http.post(leader.path, data=form) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]
    assert leader.site.world.actions(leader.number).count("instruct") == 1


async def test_a_forged_link_shows_nothing(leader: Leader) -> None:
    id_, _, signature = leader.path.removeprefix("/l/").partition(".")
    other = "A" if signature[0] != "A" else "B"
    forged = [
        f"/l/{id_}.{other}{signature[1:]}", f"/l/{id_}.", f"/l/{id_}", f"/l/{'0' * 20}.{signature}", "/l/x", "/l/..%2f..",
        f"/l/{id_}.{signature}x", "/l/%00",
    ]  # fmt: skip
    for path in forged:
        page = await leader.look(path)
        assert page.status_code == 404, path
        assert leader.number not in page.text
    assert (await leader.look()).status_code == 200


async def test_an_expired_link_shows_nothing(leader: Leader) -> None:
    leader.site.real += timedelta(days=8)
    page = await leader.look()
    assert (page.status_code, leader.number in page.text) == (404, False)
    assert (await leader.send(read="1")).status_code in (403, 404)
    assert leader.told() == {"read": None, "signed": None}


async def test_a_form_from_elsewhere_is_refused(leader: Leader) -> None:
    await leader.look()
    for form in ({"read": "1"}, {"read": "1", "csrf": "guess"}):
        assert (await leader.site.http.post(leader.path, data=form)).status_code == 403
    foreign = await leader.site.http.post(leader.path, data={"read": "1"}, headers={"Origin": "http://evil.test"})
    assert foreign.status_code == 403
    assert leader.told() == {"read": None, "signed": None}


async def test_the_log_never_holds_a_link(leader: Leader) -> None:
    root, out = logging.getLogger(), StringIO()
    handlers, level = root.handlers[:], root.level
    log.configure("json", "info", out)
    try:
        await leader.look()
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    assert '"/l/…"' in out.getvalue()
    assert leader.path.removeprefix("/l/").partition(".")[2] not in out.getvalue()


async def test_a_leader_who_left_has_no_link_any_more(leader: Leader) -> None:
    world = leader.site.world
    person = world.cast.ids["leader"]
    world.parts.store.write(lambda tx: staff.change_person(tx, ROOT, person, {"active": False}))
    assert (await leader.look()).status_code == 404


async def test_the_page_speaks_english_by_the_switch_and_loads_nothing_from_elsewhere(leader: Leader) -> None:
    page = await leader.look()
    assert 'lang="zh-CN"' in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert page.headers["referrer-policy"] == "same-origin"
    switch = await leader.site.http.get("/language/en", params={"next": leader.path})
    assert switch.status_code == 303
    assert switch.headers["location"] == leader.path
    english = await leader.look()
    assert 'lang="en"' in english.text
    assert "I have read this" in english.text
    for address in re.findall(r'(?:href|src)="([^"]+)"', english.text):
        assert address.startswith(("/", "#")), address
        if address.startswith("/assets/"):
            assert (await leader.site.http.get(address)).status_code == 200
    outside = await leader.site.http.get("/language/en", params={"next": "https://evil.test/"})
    assert outside.headers["location"] == "/"


async def test_a_letter_that_is_tried_again_carries_the_same_link(leader: Leader) -> None:
    outbox = leader.site.world.parts.outbox
    (first,) = [one for one in leader.desk.taken if one.notices[0].url == BASE + leader.path]
    replayed = replace(outbox, real=lambda: leader.site.real + timedelta(minutes=10))
    leader.site.world.parts.store.write(
        lambda tx: tx.control(f"UPDATE delivery SET sent_at = NULL WHERE key = '{first.id}'")
    )
    await asyncio.to_thread(replayed.drain)
    second = [one for one in leader.desk.taken if one.id == first.id][-1]
    assert second is not first
    assert second.notices[0].url == first.notices[0].url
