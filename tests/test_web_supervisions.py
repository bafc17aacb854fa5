"""Supervisions as pages: begun, changed, reported, retired by their office; each with its findings as one batch."""

from __future__ import annotations

import re
from datetime import date
from functools import partial
from typing import Any

import pytest

from loop.store import supervisions
from loop.store.supervisions import Supervision
from tests.browsing import Browser, Form, Pages, Seen, pages, sqlite_url
from tests.cast import ROOT

__all__ = ["pages", "sqlite_url"]
NEW = {
    "kind": "special", "title": "春季校园安全专项督导", "period.from_on": "2026-03-02", "period.until_on": "2026-03-20",
    "lead": "inspector", "team": ["inspector", "inspector2"], "matters": "校园安全\n食堂卫生",
}  # fmt: skip


async def begun(browser: Browser, **changes: Any) -> Seen:
    """The page of a supervision just begun."""
    form = (await browser.get("/supervisions/new")).form("/supervisions/new")
    return await browser.send(form, **(NEW | changes))


def place_of(seen: Seen) -> str:
    """The address of the page, without its notice."""
    return seen.path.partition("?")[0]


def kept(pages: Pages, place: str) -> Supervision:
    """The supervision as it is kept."""
    return pages.world.parts.store.read(lambda tx: supervisions.supervision(tx, place.rpartition("/")[2]))


# ---- keeping -----------------------------------------------------------------------------------------------------


async def test_an_officer_begins_a_supervision_and_its_report_is_due_after_it_ends(pages: Pages) -> None:
    officer = await pages.browser("officer")
    seen = await begun(officer)
    assert "督导活动已建立。" in seen.text
    assert seen.heading == "春季校园安全专项督导"
    for words in ("专项督导", "YX督导办", "2026-03-02 至 2026-03-20", "inspector·某、inspector2·某", "食堂卫生"):
        assert words in seen.text
    # 20 March + 30 d is Sunday, 19 April: it moves on to Monday.
    assert "2026-04-20" in seen.text
    made = kept(pages, place_of(seen))
    assert (made.kind, made.lead, made.team, made.matters) == (
        "special", "inspector", ("inspector", "inspector2"), ("校园安全", "食堂卫生"),
    )  # fmt: skip
    assert seen.heading in (await officer.get("/supervisions")).links()


async def test_what_cannot_be_is_marked_and_nothing_typed_is_lost(pages: Pages) -> None:
    officer = await pages.browser("officer")
    for changes, sentence in (
        ({"title": ""}, "名称"), ({"period.until_on": "2026-03-01"}, "结束早于开始"), ({"kind": ""}, "类别"),
        ({"period.from_on": ""}, "自"), ({"title": "名" * 201}, "名称"),
    ):  # fmt: skip
        seen = await begun(officer, **changes)
        assert seen.status == 422, changes
        assert "请更正下面标出的内容。" in seen.text
        assert any(sentence in p.text() for p in seen.root.all("p", class_="invalid-feedback")), changes
        form = seen.form("/supervisions/new")
        assert dict(form.fields)["matters"] == NEW["matters"]
        assert sorted(value for name, value in form.fields if name == "team") == NEW["team"]
    assert "春季校园安全专项督导" not in (await officer.get("/supervisions")).text


async def test_the_plan_is_changed_and_everything_can_be_taken_out_again(pages: Pages) -> None:
    officer, chief = await pages.browser("officer"), await pages.browser("chief")
    place = place_of(await begun(officer))
    form = (await chief.get(f"{place}/edit")).form(f"{place}/edit")
    hidden = {name: text for name, text in form.fields if name in ("csrf", "_once")}
    assert dict(form.fields) | {"team": NEW["team"]} == NEW | hidden
    changed = {"title": "春季督导", "lead": "", "team": None, "matters": "", "period.until_on": "2026-04-30"}
    seen = await chief.send(form, **changed)
    assert "督导安排已保存。" in seen.text
    assert "2026-06-01" in seen.text
    now = kept(pages, place)
    assert (now.title, now.lead, now.team, now.matters) == ("春季督导", "", (), ())
    refused = await chief.send(form, **{"period.until_on": "2026-02-01", "title": "改名"})
    assert refused.status == 422
    assert dict(refused.form(f"{place}/edit").fields)["title"] == "改名"


async def test_the_report_ends_its_deadline_and_an_emptied_one_starts_it_again(pages: Pages) -> None:
    officer = await pages.browser("officer")
    place = place_of(await begun(officer))
    form = (await officer.get(f"{place}/report")).form(f"{place}/report")
    told = {"satisfaction.method": "问卷", "satisfaction.asked": "200", "satisfaction.satisfied": "187"}
    seen = await officer.send(form, report="督导发现三类问题。", **told)
    assert "督导报告已保存。" in seen.text
    assert "督导发现三类问题。" in seen.text
    assert "问卷：200 人中 187 人满意（93.5%）" in seen.text
    assert "2026-04-20" not in seen.text
    assert "已提交督导报告" in (await officer.get("/supervisions")).text
    again = (await officer.get(f"{place}/report")).form(f"{place}/report")
    assert dict(again.fields).items() >= {"report": "督导发现三类问题。", **told}.items()
    wrong = await officer.send(again, **{"satisfaction.satisfied": "201"})
    assert wrong.status == 422
    assert "满意人数不能多于调查人数" in wrong.text
    seen = await officer.send(again, report="", **dict.fromkeys(told, ""))
    assert "2026-04-20" in seen.text
    assert kept(pages, place).satisfaction is None


async def test_a_retired_supervision_owes_nothing_and_comes_back(pages: Pages) -> None:
    officer = await pages.browser("officer")
    seen = await begun(officer)
    place = place_of(seen)
    seen = await officer.send(seen.form(f"{place}/active"))
    assert "督导活动已停用。" in seen.text
    assert "2026-04-20" not in seen.text
    assert "春季校园安全专项督导" in (await officer.get("/supervisions?active=false")).text
    assert "春季校园安全专项督导" not in (await officer.get("/supervisions?active=true")).text
    seen = await officer.send(seen.form(f"{place}/active"))
    assert "督导活动已恢复。" in seen.text
    assert "2026-04-20" in seen.text


# ---- who may -----------------------------------------------------------------------------------------------------


async def test_only_its_own_office_keeps_it_whatever_is_forged(pages: Pages) -> None:
    officer = await pages.browser("officer")
    place = place_of(await begun(officer))
    form = (await officer.get(f"{place}/edit")).form(f"{place}/edit")
    for name, reads, keeps in (
        ("inspector", 200, 403), ("leader", 200, 403), ("auditor", 200, 403), ("city_chief", 200, 403),
        ("next_officer", 404, 404), ("school", 404, 404), ("bureau", 404, 404),
    ):  # fmt: skip
        browser = await pages.browser(name)
        seen = await browser.get(place)
        assert seen.status == reads, name
        assert "修改安排" not in seen.links()
        assert (await browser.get(f"{place}/edit")).status == keeps, name
        mine = (await browser.get("/")).form("/sign-out").fields
        for step, fields in (("edit", form.fields), ("report", [("report", "x")]), ("active", [("active", "no")])):
            forged = Form(f"{place}/{step}", "post", [pair for pair in fields if pair[0] != "csrf"] + mine)
            assert (await browser.send(forged)).status == keeps, (name, step)
        fresh = Form("/supervisions/new", "post", [pair for pair in form.fields if pair[0] != "csrf"] + mine)
        # The chief of the city keeps supervisions, of the city's own office.
        begins = name in ("city_chief", "next_officer")
        assert (await browser.send(fresh)).status == (200 if begins else 403), name
    assert kept(pages, place).active
    assert kept(pages, place).report == ""


async def test_the_list_shows_what_the_reader_looks_at_the_last_begun_first(pages: Pages) -> None:
    officer, stranger = await pages.browser("officer"), await pages.browser("next_officer")
    for n in range(3):
        await begun(officer, title=f"督导{n}")
    shown = re.findall(r"督导\d", (await (await pages.browser("city_chief")).get("/supervisions")).text)
    assert shown == ["督导2", "督导1", "督导0"]
    assert "还没有督导活动" in (await stranger.get("/supervisions")).text
    school = await pages.browser("school")
    assert (await school.get("/supervisions")).status == 403
    assert "督导活动" not in (await school.get("/")).links()
    assert (await officer.get("/supervisions?after=nonsense")).status == 422
    assert (await officer.get("/supervisions/no-such-one")).status == 404
    english = await pages.browser("auditor", "en")
    assert "no findings yet" in (await english.get("/supervisions")).text


async def test_a_long_list_is_turned_page_by_page(pages: Pages) -> None:
    office = pages.world.cast.office_id
    for n in range(35):
        made = Supervision("", office, "routine", f"第{n}次", date(2026, 3, 2), date(2026, 3, 3))
        pages.world.parts.store.write(partial(supervisions.add_supervision, by=ROOT, wanted=made))
    officer = await pages.browser("officer")
    first = await officer.get("/supervisions")
    second = await officer.get(first.links()["下一页"])
    shown = re.findall(r"第\d+次", first.text) + re.findall(r"第\d+次", second.text)
    assert shown == [f"第{n}次" for n in reversed(range(35))]
    assert second.links()["回到第一页"] == "/supervisions"


# ---- its findings ------------------------------------------------------------------------------------------------


async def test_its_findings_are_counted_by_light_and_stage_and_lead_into_the_ledger(pages: Pages) -> None:
    world = pages.world
    id_ = world.cast.supervisions["special"]
    first = world.opened(title="消防通道", supervision=id_)
    second = world.opened(title="食堂卫生", supervision=id_)
    world.opened(title="别处的问题")
    world.act("inspector", "submit_report", second)
    world.sleep(12)
    officer = await pages.browser("officer")
    seen = await officer.get(f"/supervisions/{id_}")
    assert "共 2 项" in seen.text
    assert "别处的问题" not in seen.text
    lights = {
        a.all("span", class_="light")[0].text().strip(): a for a in seen.root.all("ul", class_="figures")[0].all("a")
    }
    figures = {words: a.all("span", class_="figure")[0].text().strip() for words, a in lights.items()}
    assert figures == {"▲ 红灯": "2", "◆ 黄灯": "0", "● 绿灯": "0", "○ 灰灯": "0"}
    red = await officer.get(lights["▲ 红灯"].attrs["href"])
    assert red.path == f"/findings?supervision={id_}&light=red"
    assert {first, second} <= set(re.findall(r"YX-2026-\d{4}", red.text))
    assert seen.links()["报告 2"] == f"/findings?supervision={id_}&stage=report"
    choosing = await officer.send(seen.form("/findings/bulk"), finding=[first, second])
    assert "所选 2 个问题都可以" in choosing.text
    assert "办理中 2" in (await officer.get("/supervisions")).text
    elsewhere = await (await pages.browser("auditor")).get(f"/supervisions/{id_}")
    assert not elsewhere.root.all("input", name="finding")


async def test_a_finding_leads_to_its_supervision_whoever_may_read_that(pages: Pages) -> None:
    world = pages.world
    id_ = world.cast.supervisions["special"]
    number = world.fed_back(supervision=id_)
    for name, leads in (("officer", True), ("auditor", True), ("school", False), ("bureau", False)):
        seen = await (await pages.browser(name)).get(f"/findings/{number}")
        assert seen.status == 200
        assert (f"/supervisions/{id_}" in seen.links().values()) is leads, name


@pytest.mark.parametrize("path", ["/supervisions", "/supervisions/{id}"])
async def test_more_findings_and_supervisions_cost_no_more_questions(pages: Pages, path: str) -> None:
    officer = await pages.browser("officer")
    place = path.format(id=pages.world.cast.supervisions["special"])

    async def questions() -> int:
        ran: list[str] = []
        pages.world.parts.store.trace = lambda text, _: ran.append(text)
        assert (await officer.get(place)).status == 200
        pages.world.parts.store.trace = None
        return len(ran)

    pages.world.opened(supervision=pages.world.cast.supervisions["special"])
    before = await questions()
    for _ in range(3):
        pages.world.opened(supervision=pages.world.cast.supervisions["special"])
        await begun(officer)
    assert await questions() == before
