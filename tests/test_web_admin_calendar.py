"""The working calendar on its page: a year, a notice that is shown before it is loaded, and every process that follows."""

from __future__ import annotations

from datetime import date, timedelta

import httpx
import pytest

from loop import bootstrap
from loop.almanac import Almanac
from loop.calendars import parse_notice
from loop.store import arrangements, staff
from tests.browsing import Browser, Pages, Seen, pages, sqlite_url
from tests.cast import COUNTY, ROOT, START
from tests.web import HASHED
from tests.world import World, world

__all__ = ["pages", "sqlite_url", "world"]
LOAD = "/admin/calendar/load"
CONFIRM = "/admin/calendar/confirm"


@pytest.fixture
async def admin(pages: Pages) -> Browser:
    """The administrator of the whole country."""
    return await pages.browser("admin")


def days_off(first: date, count: int) -> str:
    """A notice by which so many working days from a day on are off."""
    days = [first + timedelta(days=at) for at in range(count)]
    return "日期,类型,名称,来源\n" + "".join(f"{on},放假,临时放假,测试通知\n" for on in days if on.weekday() < 5)


async def previewed(browser: Browser, notice: str, **more: str) -> Seen:
    return await browser.send((await browser.get(LOAD)).form(LOAD), notice=notice, **more)


async def test_a_year_shows_every_day_with_its_kind_and_source(pages: Pages, admin: Browser) -> None:
    seen = await admin.get("/admin/calendar?year=2026")
    assert seen.heading == "2026 年工作日历"
    tables = [table for table in seen.root.all("table") if table.all("caption")[0].text().strip().startswith("10月")]
    (october,) = tables
    assert sorted(int(td.all("span")[0].text()) for td in october.all("td", class_="day-holiday")) == [1, 2, 3, 5, 6, 7]
    assert [td.all("span")[0].text().strip() for td in october.all("td", class_="day-makeup")] == ["10"]
    assert "18 个工作日" in october.text()
    assert "国务院办公厅关于2026年部分节假日安排的通知" in seen.text
    assert "已公布" in seen.text
    assert len([t for t in seen.root.all("table") if t.all("td", class_="day-rest")]) == 12
    later = await admin.get("/admin/calendar?year=2031")
    assert "暂按法定节假日推算" in later.text
    assert (await admin.get("/admin/calendar?year=banana")).heading == f"{pages.world.today.year} 年工作日历"


async def test_a_notice_is_shown_first_then_loaded_and_moves_what_it_said(pages: Pages, admin: Browser) -> None:
    world = pages.world
    number = world.received()
    before = {rule: timer.due_at for rule, timer in world.timers(number).items()}
    version, inbox = world.version(number), len(world.inbox("school"))
    notice = days_off(world.today + timedelta(days=1), 7)
    seen = await previewed(admin, notice, reason="因故放假")
    assert "确认之前什么都不改变" in seen.text
    assert number in seen.text
    assert world.version(number) == version
    assert {rule: timer.due_at for rule, timer in world.timers(number).items()} == before
    assert world.parts.store.read(arrangements.days) == []
    told = int(seen.text.partition("人发送 ")[2].partition(" ")[0])
    done = await admin.send(seen.form(CONFIRM))
    assert done.path.startswith("/admin/calendar?year=2026&done=calendar-loaded")
    assert "临时放假" in done.text
    assert not pages.service.calendar.is_workday(world.today + timedelta(days=1))
    moved = {rule for rule, timer in world.timers(number).items() if timer.due_at != before[rule]}
    assert "plan_due" in moved
    assert world.actions(number)[-1] == "move_deadlines"
    assert "因故放假" in world.trail(number)[-1].payload
    assert len(world.inbox("school")) == inbox + 1
    event = world.trail(number)[-1]
    people = {who for who in world.cast.ids for m in world.inbox(who) if (m.chain, m.seq) == (number, event.seq)}
    assert len(people) == told


async def test_a_preview_counts_what_is_owed_beside_findings_and_the_reminders(pages: Pages, admin: Browser) -> None:
    world = pages.world
    number = world.fed_back()
    world.to(date(2026, 4, 2))  # the opinion is owed since the day before: the next reminder comes on the 7th
    await pages.post(None, "/tip-offs", {"matter": "食堂卫生差", "unit": "school"})  # to be answered by the 17th
    text = " ".join(
        (await previewed(admin, days_off(date(2026, 4, 7), 1) + "2026-04-17,放假,临时放假,测试通知\n")).text.split()
    )
    assert "移动 1 项督导或举报的 1 个期限，向 1 人发送 1 条消息。" in text
    assert "1 个提醒改期，提醒之前不另行通知。" in text
    assert "举报 举报答复期限 2026-04-17 2026-04-20" in text
    assert f"{number} 意见书印发期限：下次提醒 2026-04-07 2026-04-08" in text


async def test_what_changed_since_the_preview_is_shown_anew_and_not_loaded(pages: Pages, admin: Browser) -> None:
    world = pages.world
    world.received()
    seen = await previewed(admin, days_off(world.today + timedelta(days=1), 7))
    second = world.received(unit="other_school")
    again = await admin.send(seen.form(CONFIRM))
    assert "还没有载入" in again.text
    assert second in again.text
    assert world.parts.store.read(arrangements.days) == []
    assert "move_deadlines" not in world.actions(second)
    assert "已载入" in (await admin.send(again.form(CONFIRM))).text
    assert world.actions(second)[-1] == "move_deadlines"


@pytest.mark.parametrize(
    ("notice", "told"),
    [
        ("", "请选择文件，或粘贴内容"), ("日期,类型\n2027-02-30,放假\n2027-01-02,坏", "不是日期：2027-02-30"),
        ("日期,类型\n2027-01-04,上班", "不是周末"), ("a,b\n1,2", "表头缺少列"), ("日期,类型\n<script>,放假", "<script>"),
    ],
)  # fmt: skip
async def test_a_notice_that_is_none_is_refused_line_by_line_and_stays(
    pages: Pages, admin: Browser, notice: str, told: str
) -> None:
    seen = await previewed(admin, notice, reason="某理由")
    assert seen.status == 422
    assert told in seen.text
    assert "<script>,放假" not in seen.answer.text
    again = dict(seen.form(LOAD).fields)
    assert (again["notice"], again["reason"]) == (notice, "某理由")
    assert pages.world.parts.store.read(arrangements.days) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
async def test_a_file_is_read_as_spreadsheets_write_it(pages: Pages, admin: Browser, encoding: str) -> None:
    answer = await uploaded(admin, days_off(date(2027, 3, 1), 2).encode(encoding))
    assert answer.status == 200
    assert "2027 年：放假 2 天" in answer.text
    assert "临时放假" in answer.text


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01", b"PK\x03\x04\x00\x00\xff", b"x" * 300_000])
async def test_a_file_that_is_no_text_or_too_large_is_refused(pages: Pages, admin: Browser, content: bytes) -> None:
    answer = await uploaded(admin, content)
    assert answer.status == 422
    assert not [form for form in answer.forms() if form.action == CONFIRM]


async def uploaded(browser: Browser, content: bytes) -> Seen:
    form = (await browser.get(LOAD)).form(LOAD)
    answer: httpx.Response = await browser.http.post(
        LOAD, data={"csrf": dict(form.fields)["csrf"], "notice": "", "reason": "r"}, files={"file": ("a.csv", content)},
        headers={"origin": "http://loop.test"},
    )  # fmt: skip
    return Seen(answer)


async def test_an_administrator_of_a_county_looks_but_does_not_load(pages: Pages) -> None:
    store = pages.world.parts.store
    store.write(
        lambda tx: staff.enrol(
            tx, ROOT, name="county_admin", full_name="县管理员", role="admin", region=COUNTY, from_on=START.date(), password=HASHED
        )
    )  # fmt: skip
    browser = await pages.browser("county_admin")
    seen = await browser.get("/admin/calendar")
    assert "由全国的系统管理员载入" in seen.text
    assert LOAD not in seen.links().values()
    assert (await browser.get(LOAD)).status == 403
    forged = seen.form("/sign-out")
    for path in (LOAD, CONFIRM):
        forged.action = path
        assert (await browser.send(forged, notice=days_off(START.date(), 3), reason="r", mark="")).status == 403
    assert store.read(arrangements.days) == []


async def test_another_process_follows_what_was_loaded(pages: Pages, admin: Browser) -> None:
    world, day = pages.world, pages.world.today + timedelta(days=2)
    other = bootstrap.build(world.parts.settings, now=lambda: world.clock)
    try:
        assert other.engine.book.calendar.is_workday(day)
        assert other.almanac.refresh()
        assert not other.almanac.refresh()
        seen = await previewed(admin, days_off(day, 1))
        await admin.send(seen.form(CONFIRM))
        assert other.almanac.refresh()
        assert not other.engine.book.calendar.is_workday(day)
        Almanac(world.engine).load(ROOT, parse_notice(f"day,kind\n{day},work\n"), "taken back")
        other.beat.start()
        assert other.engine.book.calendar.is_workday(day)
    finally:
        other.beat.stop()
        other.close()


async def test_loading_twice_tells_nobody_twice(world: World) -> None:
    number = world.received()
    days = parse_notice(days_off(world.today + timedelta(days=1), 7))
    almanac = Almanac(world.engine)
    effect = almanac.effect(days)
    assert {one.number for one in effect.moved} == {number}
    assert almanac.load(ROOT, days, "once", mark=effect.mark)
    version = world.version(number)
    assert almanac.load(ROOT, days, "twice")
    assert not almanac.load(ROOT, days, "thrice", mark=effect.mark)
    assert world.version(number) == version
