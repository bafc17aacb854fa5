"""The calendar feed: what waits for somebody, what moves, stands still and goes, and nothing of anybody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from loop import bootstrap
from loop.store import staff
from tests.cast import ROOT
from tests.subscriber import subscribed
from tests.test_api_supervisions import begun
from tests.test_api_tip_offs import REPORT, reported
from tests.web import Site, site
from tests.world import settings_for, world

__all__ = ["site", "world"]


# ---- what it says ----------------------------------------------------------------------------------------------------


async def test_the_feed_says_what_todo_says_as_whole_local_days(site: Site) -> None:
    site.world.executing()
    site.world.received(severity="major")
    for who in ("school", "officer", "chief", "inspector", "director", "bureau", "city_chief"):
        waiting = (await site.get(who, "/todo?limit=200")).json()["items"]
        expected = [(f"{t['label']['zh']}", f"{t['finding']}《{t['title']}》", t["due_at"][:10]) for t in waiting]
        live = [e for e in await (await subscribed(site, who)).events() if e.live]
        assert len(live) == len(waiting), who
        for event, (label, subject, day) in zip(live, expected, strict=True):
            assert event.summary.startswith(label)
            assert event.summary.endswith(f"：{subject}")
            assert event.day.isoformat() == day


async def test_an_event_names_deadline_finding_state_and_rule_and_rings_the_day_before(site: Site) -> None:
    number = site.world.received()
    event = await (await subscribed(site, "school")).one("整改方案报送期限")
    assert event.summary == f"整改方案报送期限：{number}《消防通道堵塞》"
    assert event.description == "当前状态：制定方案\n依据：教育督导文件中未查到规定（产品默认）"
    assert (event.status, event.categories) == ("CONFIRMED", ["一般"])
    assert site.world.due(number, "plan_due") == event.day
    assert event.rings == timedelta(hours=-15)


async def test_the_calendar_speaks_the_language_of_whoever_subscribed(site: Site) -> None:
    number = site.world.received()
    reader = await subscribed(site, "school")
    school = site.world.cast.ids["school"]
    site.world.parts.store.write(lambda tx: staff.change_person(tx, ROOT, school, {"language": "en"}))
    calendar = await reader.calendar()
    assert str(calendar["x-wr-calname"]) == str(calendar["name"]) == "Rectification loop: my deadlines"
    event = await reader.one("plan due")
    assert event.summary == f"plan due: {number} “消防通道堵塞”"
    assert event.description.splitlines()[0] == "State: planning"
    assert event.description.splitlines()[1] == "Basis: no rule found in education texts (product default)"
    assert event.categories == ["normal"]


async def test_the_calendar_asks_to_be_looked_at_every_hour(site: Site) -> None:
    reader = await subscribed(site, "school")
    text = (await reader.get()).text
    for line in ("VERSION:2.0", "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H"):
        assert f"\r\n{line}\r\n" in text
    assert "METHOD" not in text
    assert "VTIMEZONE" not in text


async def test_no_title_can_write_events_of_its_own(site: Site) -> None:
    title = "A;B,C\\n:END:VEVENT “引号” {x} " + "很长" * 60
    number = site.world.received(title=title)
    event = await (await subscribed(site, "school")).one("整改方案报送期限")
    assert event.summary == f"整改方案报送期限：{number}《{title}》"


async def test_an_event_leads_to_the_page_of_its_finding_where_pages_have_an_address(
    site: Site, database_url: str, tmp_path: Path
) -> None:
    number = site.world.received()
    assert "URL" not in (await (await subscribed(site, "school")).get()).text
    settings = settings_for(database_url, tmp_path)
    told = settings.notifications.model_copy(update={"base_url": "https://loop.example.gov.cn/"})
    parts = bootstrap.build(settings.model_copy(update={"notifications": told}), now=lambda: site.world.clock)
    reader = await subscribed(site, "school")
    site.app.state.service = replace(site.service, outbox=parts.outbox)
    urls = {str(event["url"]) for event in (await reader.calendar()).events}
    parts.close()
    assert urls == {f"https://loop.example.gov.cn/findings/{number}"}


async def test_a_deadline_of_a_year_without_published_holidays_is_provisional(site: Site) -> None:
    site.world.act("leader", "instruct", site.world.received(), text="请报告", reply_due="2199-03-01")
    event = await (await subscribed(site, "chief")).one("批示回复期限")
    assert "暂定" in event.description


async def test_supervisions_and_tip_offs_have_deadlines_too_and_what_was_reported_is_not_told(site: Site) -> None:
    reader = await subscribed(site, "officer")
    made = await begun(site)
    await reported(site)
    report = await reader.one("督导报告期限")
    assert report.summary == "督导报告期限：督导《春季校园安全专项督导》"
    assert (report.day, report.sequence) == (date(2026, 4, 20), 2)
    answer = await reader.one("举报答复期限")
    assert answer.summary == "举报答复期限：2026-03-02 收到的举报"
    text = (await reader.get()).text
    for secret in (REPORT["matter"], REPORT["name"], REPORT["contact"]):
        assert secret not in text
    longer = {"period": {"from_on": "2026-03-02", "until_on": "2026-04-30"}}
    await site.call("officer", "PATCH", f"/supervisions/{made['id']}", longer)
    moved = await reader.one("督导报告期限")
    assert (moved.uid, moved.status, moved.day) == (report.uid, "CONFIRMED", date(2026, 6, 1))
    assert moved.sequence > report.sequence


# ---- when a deadline moves, stands still or goes ---------------------------------------------------------------------


async def test_an_extension_moves_the_event(site: Site) -> None:
    number = site.world.executing()
    reader = await subscribed(site, "school")
    before = await reader.one("整改期限")
    site.world.sleep(2)
    later = site.world.due(number, "rectify_by") + timedelta(days=20)
    site.world.act("school", "request_extension", number, reason="工期", new_date=later.isoformat(), progress="过半")
    asked = await reader.one("整改期限")
    assert (asked.uid, asked.day) == (before.uid, before.day)
    site.world.act("chief", "grant_extension", number, new_date=later.isoformat())
    after = await reader.one("整改期限")
    assert (after.uid, after.status, after.day) == (before.uid, "CONFIRMED", later)
    assert after.sequence > before.sequence
    assert after.changed_at == site.world.clock > before.changed_at


async def test_what_stands_still_is_tentative_until_it_is_resumed_on_a_later_day(site: Site) -> None:
    number = site.world.received()
    reader = await subscribed(site, "school")
    before = await reader.one("整改方案报送期限")
    site.world.act("chief", "suspend", number, reason="等待鉴定结论", until=site.world.day(60))
    still = await reader.one("整改方案报送期限")
    assert (still.uid, still.status, still.day) == (before.uid, "TENTATIVE", before.day)
    assert still.description.startswith("期限已中止")
    assert "等待鉴定结论" not in (await reader.get()).text
    assert still.rings is None
    site.world.sleep(30)
    assert (await reader.one("整改方案报送期限")).status == "TENTATIVE"
    site.world.act("chief", "resume", number, reason="鉴定完毕")
    after = await reader.one("整改方案报送期限")
    assert (after.uid, after.status) == (before.uid, "CONFIRMED")
    assert after.day == site.world.due(number, "plan_due") > before.day
    assert before.sequence < still.sequence < after.sequence
    assert after.rings == before.rings


async def test_what_is_done_is_cancelled_for_thirty_days_and_then_forgotten(site: Site) -> None:
    number = site.world.received()
    school, officer = await subscribed(site, "school"), await subscribed(site, "officer")
    owed = await school.one("整改方案报送期限")
    assert "方案审核期限" not in str(await officer.live())
    site.world.act("school", "submit_plan", number, **site.world.plan())
    done = await school.one("整改方案报送期限")
    assert (done.uid, done.status, done.day) == (owed.uid, "CANCELLED", owed.day)
    assert done.sequence > owed.sequence
    assert done.description.startswith("此期限已了结。\n依据：")
    assert done.rings is None
    assert f"方案审核期限：{number}《消防通道堵塞》" in await officer.live()
    site.world.sleep(30)
    assert (await school.one("整改方案报送期限")).changed_at == done.changed_at
    site.world.sleep(1)
    assert owed.uid not in {event.uid for event in await school.events()}


async def test_a_write_off_cancels_what_its_signer_and_the_unit_owed(site: Site) -> None:
    number = site.world.passed(site.world.reported(site.world.executing()))
    chief = await subscribed(site, "chief")
    owed = await chief.one("销号期限")
    site.world.act("chief", "write_off", number)
    gone = await chief.one("销号期限")
    assert (gone.uid, gone.status) == (owed.uid, "CANCELLED")
    assert gone.sequence > owed.sequence
    assert [s for s in await (await subscribed(site, "school")).live() if not s.startswith("异议期")] == []


async def test_a_deadline_gone_by_is_overdue_and_rings_no_more(site: Site) -> None:
    number = site.world.received()
    reader = await subscribed(site, "school")
    before = await reader.one("整改方案报送期限")
    site.world.to(site.world.due(number, "plan_due") + timedelta(days=1))
    late = await reader.one("整改方案报送期限")
    assert late.categories == ["逾期", "一般"]
    assert (late.uid, late.status, late.day) == (before.uid, "CONFIRMED", before.day)
    assert late.rings is None
    assert datetime.combine(late.day, datetime.min.time(), UTC) <= late.changed_at


async def test_a_window_gone_by_is_not_told_again_when_its_finding_ends(site: Site) -> None:
    number = site.world.received()
    reader = await subscribed(site, "school")
    assert (await reader.one("异议期")).status == "CONFIRMED"
    site.world.to(site.world.due(number, "opinion_window") + timedelta(days=1))
    assert await reader.named("异议期") == []
    site.world.act("director", "withdraw", number, reason="重复登记")
    told = {e.summary.partition("：")[0] for e in await reader.events()}
    assert "整改方案报送期限" in told
    assert "异议期" not in told


# ---- whose it is -----------------------------------------------------------------------------------------------------


async def test_a_stranger_sees_nothing_of_others(site: Site) -> None:
    number = site.world.executing(title="只给本校看的标题")
    site.world.fed_back()
    for who in ("other_school", "next_officer", "next_chief", "next_school", "auditor", "admin", "inspector2"):
        reader = await subscribed(site, who)
        assert await reader.events() == [], who
        assert number not in (await reader.get()).text
        assert "标题" not in (await reader.get()).text


async def test_whoever_the_finding_is_taken_from_is_told_no_more_of_it(site: Site) -> None:
    number = site.world.received()
    old, new = await subscribed(site, "school"), await subscribed(site, "other_school")
    assert number in str(await old.live())
    site.world.act("chief", "change_unit", number, unit="other_school", reason="登记有误")
    assert number in (await new.get()).text
    assert number not in (await old.get()).text


async def test_a_substitute_and_whoever_is_named_have_it_in_their_calendar(site: Site) -> None:
    number = site.world.reported(site.world.executing())
    day = site.world.day()
    absence = {"substitutes": [{"name": "inspector3", "from_on": day, "until_on": day}]}
    assert (await site.call("chief", "PUT", "/me/substitutes", absence)).status_code == 200
    substitute, reviewer = await subscribed(site, "inspector3"), await subscribed(site, "inspector")
    assert sorted(await substitute.live()) == sorted(await (await subscribed(site, "chief")).live()) != []
    reviewers = ["inspector", "inspector2"]
    site.world.act("chief", "assign_review", number, reviewers=reviewers, mode="onsite", on=site.world.day(1))
    assert f"复查期限：{number}《消防通道堵塞》" in await reviewer.live()
    checked = [{"text": "通道畅通", "verdict": "pass"}]
    site.world.act("inspector2", "pass_review", number, items=checked, comments="到位", signed_by=reviewers)
    assert (await reviewer.one("复查期限")).status == "CANCELLED"
    site.world.clock += timedelta(days=1)
    assert await substitute.live() == []
