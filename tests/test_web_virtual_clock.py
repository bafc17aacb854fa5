"""The virtual clock on a page: a demonstration lets a deadline lapse and reads what the leader got; nobody else sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.browsing import Pages, pages, sqlite_url
from tests.world import World, settings_for

__all__ = ["pages", "sqlite_url"]


@pytest.fixture
async def played(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Pages]:
    """The pages of a service with a virtual clock."""
    made = Pages(World(settings_for(sqlite_url, tmp_path), virtual=True))
    yield made
    await made.close()
    made.world.parts.close()


async def test_days_pass_at_a_press_and_the_page_tells_what_happened(played: Pages) -> None:
    number = await asyncio.to_thread(played.world.received)
    chief = await played.browser("chief")
    desk = await chief.get("/")
    assert desk.links()["2026-03-02"] == "/clock"
    page = await chief.get("/clock")
    assert "2026-03-02（周一）09:00" in page.text
    moved = await chief.send(page.form("/clock"), days="45")
    assert "2026-04-16（周四）09:00" in moved.text
    assert "建议约谈" in moved.text
    assert moved.links()[number] == f"/findings/{number}"
    leader = await played.browser("leader")
    assert number in (await leader.get("/inbox")).text
    assert "拟约谈" in (await leader.get(f"/findings/{number}")).text


async def test_a_school_reads_what_happened_to_its_own_and_how_much_happened_elsewhere(played: Pages) -> None:
    ours = await asyncio.to_thread(played.world.received)
    others = await asyncio.to_thread(played.world.received, unit="other_school")
    school = await played.browser("school")
    moved = await school.send((await school.get("/clock")).form("/clock"), days="45")
    lines = [node.text() for node in moved.root.all("ol", class_="happened")[0].all("li")]
    assert [word for word in ("预警", "催办", "督办", "建议约谈") if not any(word in line for line in lines)] == []
    assert all(ours in line for line in lines)
    assert others not in moved.answer.text
    assert f"期间系统自动办理 {2 * len(lines)} 项" in moved.text
    assert f"其中您可以查看的 {len(lines)} 项，其他单位和地区的 {len(lines)} 项。" in moved.text


async def test_of_much_that_happened_the_last_is_told(played: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loop.web.virtual_clock.MOST_SHOWN", 2)
    await asyncio.to_thread(played.world.received)
    school = await played.browser("school")
    moved = await school.send((await school.get("/clock")).form("/clock"), days="45")
    lines = [node.text() for node in moved.root.all("ol", class_="happened")[0].all("li")]
    assert len(lines) == 2
    assert "2026-04-15" in lines[-1]
    assert "2026-03" not in lines[0]
    assert "下面是最后 2 项。" in moved.text


@pytest.mark.parametrize("days", ["", "0", "-1", "1.5", "x", "9999999", "2000", "１"])
async def test_what_is_no_number_of_days_is_refused_and_moves_nothing(played: Pages, days: str) -> None:
    chief = await played.browser("chief")
    page = await chief.get("/clock")
    refused = await chief.send(page.form("/clock"), days=days)
    assert refused.status == 422
    assert "2026-03-02（周一）09:00" in refused.text
    assert refused.root.all("div", role="alert")


async def test_without_a_virtual_clock_there_is_no_such_page(pages: Pages) -> None:
    admin = await pages.browser("admin")
    desk = await admin.get("/")
    assert "/clock" not in desk.links().values()
    assert (await admin.get("/clock")).status == 404
    out = desk.form("/sign-out")
    out.action = "/clock"
    assert (await admin.send(out, days="1")).status == 404
