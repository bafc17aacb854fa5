"""The ledger as a page: found by words and by filters in the address, sorted, paged, kept as views; plain words for a unit."""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import pytest

from loop.store import saved_views
from tests.browsing import Pages, Seen, pages, sqlite_url

__all__ = ["pages", "sqlite_url"]


def titles(seen: Seen) -> list[str]:
    """The findings on a page, in their order."""
    return [th.all("a")[0].text().strip() for th in seen.root.all("th", class_="col-finding") if th.all("a")]


def found(seen: Seen) -> list[str]:
    """The titles of the lines, without the head."""
    return [title for title in titles(seen) if "编号" not in title]


def chips(seen: Seen) -> dict[str, str]:
    """What was chosen, and where it leads without it."""
    return {a.all("span")[0].text().strip(): a.attrs["href"] for a in seen.root.all("a", class_="chip")}


def asked(seen: Seen) -> list[tuple[str, str]]:
    """The parameters in the address."""
    return parse_qsl(urlsplit(seen.path).query)


# ---- finding -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["灶", "厨房", "厨房灶台", "第二中学", "油污 灶台"])
async def test_one_character_or_many_find_title_description_and_unit(pages: Pages, words: str) -> None:
    pages.world.received(title="消防通道堵塞")
    pages.world.received(title="厨房灶台油污", unit="other_school")
    officer = await pages.browser("officer")
    seen = await officer.send((await officer.get("/findings")).form("/findings"), q=words)
    assert found(seen) == ["厨房灶台油污"]
    assert "共 1 项" in seen.text
    assert list(chips(seen)) == [f"搜索：“{words}”"]


async def test_a_form_sent_with_most_fields_empty_leads_to_a_short_address(pages: Pages) -> None:
    pages.world.received()
    officer = await pages.browser("officer")
    form = (await officer.get("/findings")).form("/findings")
    assert len(form.names) > 20
    seen = await officer.send(form, stage="rectification", category=["campus_safety", "funding"])
    assert asked(seen) == [("stage", "rectification"), ("category", "campus_safety"), ("category", "funding")]
    assert found(seen) == ["消防通道堵塞"]


async def test_every_filter_narrows_and_its_chip_takes_it_away(pages: Pages) -> None:
    world = pages.world
    world.received(title="通道", severity="major")
    world.fed_back(title="食堂", category="health_canteen", unit="other_school")
    officer = await pages.browser("officer")
    for query, expected in {
        "stage=rectification": ["通道"], "state=feedback.preliminary": ["食堂"], "severity=major": ["通道"],
        "category=health_canteen": ["食堂"], "unit=school": ["通道"], "open=true": ["食堂", "通道"], "open=false": [],
        "light=red": [], "overdue=false": ["食堂", "通道"], "suspended=true": [], "kind=routine": ["食堂", "通道"],
        "level_min=1": [], "dispute=filed": [], "region=930106001": ["通道"], "office=YX": ["食堂", "通道"],
        "mine=true": [], f"due_before={world.day(12)}": ["食堂"], f"due_after={world.day(12)}": ["通道"],
        f"opened_after={world.day(1)}": [], f"opened_before={world.day(1)}": ["食堂", "通道"],
        f"changed_after={world.day()}": ["食堂", "通道"],
    }.items():  # fmt: skip
        seen = await officer.get(f"/findings?{query}")
        assert seen.status == 200, query
        assert sorted(found(seen)) == sorted(expected), query
        ((_, without),) = chips(seen).items()
        assert without == "/findings"
        if not expected:
            assert "没有符合条件的问题" in seen.text
            assert seen.links()["清除条件"] == "/findings"


async def test_chips_speak_in_words_and_leave_the_others_alone(pages: Pages) -> None:
    pages.world.opened(supervision=pages.world.cast.supervisions["special"])
    officer = await pages.browser("officer")
    campaign = pages.world.cast.supervisions["special"]
    seen = await officer.get(f"/findings?state=report.draft&unit=school&supervision={campaign}&sort=number")
    told = chips(seen)
    assert set(told) == {"状态：登记", "单位：桐峰镇中心小学", "督导活动：special 2026"}
    assert told["单位：桐峰镇中心小学"] == f"/findings?state=report.draft&supervision={campaign}&sort=number"
    assert seen.links()["清除全部条件"] == "/findings?sort=number"
    english = await pages.browser("officer", "en")
    assert set(chips(await english.get("/findings?light=green&mine=true"))) == {"Light: green", "Mine"}


async def test_a_unit_is_named_in_full_or_chosen_from_those_that_are_alike(pages: Pages) -> None:
    pages.world.received(title="甲校问题")
    pages.world.received(title="乙校问题", unit="other_school")
    officer = await pages.browser("officer")
    form = (await officer.get("/findings")).form("/findings")
    seen = await officer.send(form, unit="桐峰镇中心小学")
    assert found(seen) == ["甲校问题"]
    assert list(chips(seen)) == ["单位：桐峰镇中心小学"]
    # The field keeps what was typed, so that the next filter is added to it.
    seen = await officer.send(seen.form("/findings"), stage="review")
    assert asked(seen) == [("stage", "review"), ("unit", "桐峰镇中心小学")]
    chosen = await officer.get("/findings?unit=school")
    assert asked(await officer.send(chosen.form("/findings"), stage="rectification"))[1] == ("unit", "school")
    assert (
        asked(await officer.send(chosen.form("/findings"), unit=["school", "云溪县第二中学"]))[0][1] == "云溪县第二中学"
    )
    unclear = await officer.send(form, unit="学")
    assert unclear.status == 422
    assert "名称相近的有：" in unclear.text
    assert "没有这个单位" in (await officer.send(form, unit="不存在的学校")).text
    assert "没有这个单位" in (await officer.send(form, unit="石桥县第一中学")).text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("stage=nowhere", "“环节”没有 nowhere"),
        ("severity=terrible", "“严重程度”没有 terrible"),
        ("light=blue", "“亮灯”没有 blue"),
        ("level_min=high", "“督促级别不低于”必须是整数"),
        ("due_before=tomorrow", "“到期日早于”须是日期，如 2026-03-02"),
        ("region=000000", "“地区”没有这个地区"),
        ("office=NOWHERE", "“督导机构”没有这个督导机构"),
        ("sort=colour", "“排序”没有这种排序"),
        ("limit=5000", "“每页”不能大于 200"),
        ("after=nonsense", "“翻页”不是本列表给出的翻页标记"),
        ("q=%00", "“搜索”含有不能使用的字符"),
        (f"q={'长' * 101}", "“搜索”"),
    ],
)
async def test_what_cannot_be_asked_is_answered_by_a_sentence(pages: Pages, query: str, sentence: str) -> None:
    pages.world.received()
    seen = await (await pages.browser("officer")).get(f"/findings?{query}")
    assert seen.status == 422
    assert sentence in seen.text
    assert found(seen) == []
    assert "清除条件" in seen.links()


async def test_what_the_address_says_of_other_things_does_no_harm(pages: Pages) -> None:
    pages.world.received()
    seen = await (await pages.browser("officer")).get("/findings?utm_source=mail&done=view-kept")
    assert (seen.status, found(seen)) == (200, ["消防通道堵塞"])


# ---- order and pages ---------------------------------------------------------------------------------------------


async def test_heads_sort_and_say_so_and_pages_follow_one_another(pages: Pages) -> None:
    for n in range(5):
        pages.world.opened(title=f"问题{n}")
    officer = await pages.browser("officer")
    seen = await officer.get("/findings?limit=2&sort=number")
    (head,) = seen.root.all("th", aria_sort="ascending")
    assert "编号" in head.text()
    walked, steps = found(seen), 1
    while "下一页" in seen.links():
        seen = await officer.get(seen.links()["下一页"])
        walked += found(seen)
        steps += 1
    assert (walked, steps) == ([f"问题{n}" for n in range(5)], 3)
    assert "共 5 项" in seen.text
    assert seen.links()["回到第一页"] == "/findings?sort=number&limit=2"
    turned = await officer.get(head.all("a")[0].attrs["href"])
    assert found(turned) == ["问题4", "问题3"]
    assert turned.root.all("th", aria_sort="descending")


async def test_columns_are_chosen_for_this_browser(pages: Pages) -> None:
    pages.world.received(responsible_person="张校长")
    officer = await pages.browser("officer")
    seen = await officer.get("/findings?severity=normal")
    assert "张校长" not in seen.text
    form = seen.form("/findings/columns")
    seen = await officer.send(form, column=["responsible", "unit", "no such column"])
    assert asked(seen)[0] == ("severity", "normal")
    heads = [th.text().strip() for th in seen.root.all("thead")[0].all("th")]
    assert [re.split("[↕▲，]", head)[0].strip() for head in heads] == [
        "全选本页",
        "编号与问题",
        "被督导单位",
        "责任人",
    ]
    assert "张校长" in (await officer.get("/findings")).text
    assert "张校长" not in (await (await pages.browser("officer")).get("/findings")).text
    assert found(await officer.send(form, column=None)) == ["消防通道堵塞"]


# ---- views -------------------------------------------------------------------------------------------------------


async def test_a_view_is_kept_opened_renamed_and_deleted_by_its_owner_alone(pages: Pages) -> None:
    pages.world.received(severity="major")
    officer, chief = await pages.browser("officer"), await pages.browser("chief")
    seen = await officer.get("/findings?severity=major&severity=grave")
    seen = await officer.send(seen.form("/findings/views"), name="重点问题")
    assert "视图已保存。" in seen.text
    assert seen.links()["重点问题"] == "/findings?severity=major&severity=grave"
    assert "重点问题" not in (await chief.get("/findings")).text
    seen = await officer.get("/findings")
    (manage,) = [form for form in seen.forms() if re.fullmatch(r"/findings/views/\w+", form.action)]
    stolen = (await chief.get("/findings")).form("/findings/views")
    stolen.action = manage.action
    assert (await chief.send(stolen, name="我的")).status == 404
    assert (await chief.send(stolen, "forget", "yes", name="我的")).status == 404
    seen = await officer.send(manage, name="督办重点")
    assert "督办重点" in seen.links()
    seen = await officer.send(manage, "forget", "yes")
    assert "视图已删除。" in seen.text
    assert "督办重点" not in seen.links()


async def test_a_view_of_the_same_name_is_replaced_but_none_is_renamed_over_another(pages: Pages) -> None:
    officer = await pages.browser("officer")
    for query, name in (("light=red", "甲"), ("light=yellow", "乙"), ("light=grey", "甲")):
        seen = await officer.get(f"/findings?{query}")
        await officer.send(seen.form("/findings/views"), name=name)
    seen = await officer.get("/findings?light=red")
    assert (seen.links()["甲"], seen.links()["乙"]) == ("/findings?light=grey", "/findings?light=yellow")
    second = [form for form in seen.forms() if form.action.startswith("/findings/views/")][1]
    refused = await officer.send(second, name="甲")
    assert refused.status == 422
    assert "已有同名视图" in refused.text
    again = next(form for form in refused.forms() if form.action == second.action)
    assert dict(again.fields)["name"] == "甲"
    assert dict(again.fields)["query"] == "light=red"


async def test_a_view_without_a_name_and_one_too_many_are_refused_with_what_was_typed(pages: Pages) -> None:
    officer = await pages.browser("officer")
    form = (await officer.get("/findings?light=red")).form("/findings/views")
    refused = await officer.send(form, name="名" * 41)
    assert refused.status == 422
    assert "最多 40 个字符" in refused.text
    assert dict(refused.form("/findings/views").fields)["name"] == "名" * 41
    id_ = pages.world.cast.ids["officer"]
    for n in range(saved_views.MOST):
        pages.world.parts.store.write(partial(saved_views.keep, person_id=id_, name=f"视图{n}", query=""))
    refused = await officer.send(form, name="再来一个")
    assert refused.status == 409
    assert "最多保存 30 个视图" in refused.text
    assert "视图已保存。" in (await officer.send(form, name="视图3")).text


# ---- who sees what -----------------------------------------------------------------------------------------------


async def test_everybody_sees_their_own_part_under_their_own_name_for_it(pages: Pages) -> None:
    world = pages.world
    world.received(title="甲校问题")
    world.received(title="乙校问题", unit="other_school")
    world.opened(title="尚未送达")
    for name, link, expected in (
        ("officer", "台账", {"甲校问题", "乙校问题", "尚未送达"}), ("auditor", "台账", {"甲校问题", "乙校问题", "尚未送达"}),
        ("city_chief", "台账", {"甲校问题", "乙校问题", "尚未送达"}), ("bureau", "台账", {"甲校问题", "乙校问题"}),
        ("next_officer", "台账", set()), ("leader", "台账", {"甲校问题", "乙校问题", "尚未送达"}),
    ):  # fmt: skip
        seen = await (await pages.browser(name)).get("/findings")
        assert set(found(seen)) == expected, name
        assert seen.links()[link] == "/findings"
    school = await (await pages.browser("school")).get("/findings")
    assert school.heading == "我的问题"
    assert school.links()["我的问题"] == "/findings"
    assert "甲校问题" in school.text
    assert "乙校问题" not in school.text
    admin = await (await pages.browser("admin")).get("/findings")
    assert "您的岗位不查看督导问题" in admin.text
    assert "台账" not in admin.links()


async def test_only_who_may_act_is_offered_boxes_to_tick(pages: Pages) -> None:
    pages.world.received()
    for name, offered in (("officer", True), ("leader", True), ("bureau", True), ("auditor", False)):
        seen = await (await pages.browser(name)).get("/findings")
        assert bool(seen.root.all("input", name="finding")) is offered, name


async def test_an_empty_ledger_is_not_an_empty_search(pages: Pages) -> None:
    assert "台账还没有问题" in (await (await pages.browser("officer")).get("/findings")).text
    assert "没有向您单位指出的问题" in (await (await pages.browser("school")).get("/findings")).text
    assert "没有符合条件的问题" in (await (await pages.browser("officer")).get("/findings?q=无")).text


# ---- a unit's own findings ---------------------------------------------------------------------------------------


async def test_a_unit_reads_what_is_asked_by_when_why_and_what_happens_otherwise(pages: Pages) -> None:
    number = pages.world.received(title="消防通道堵塞")
    seen = await (await pages.browser("school")).get("/findings")
    (card,) = seen.root.all("li", class_="plain-card")
    words = card.text()
    assert "请在期限内报送整改方案。" in words
    assert "还有 15 个工作日" in words
    assert "自 2026-03-02 起 15 个工作日，当日不计；末日遇休息日顺延。" in words
    # Due on Monday, 23 March: urged the day after, ordered a week after, an interview after fifteen days.
    assert "逾期未办的，2026-03-24 催办、2026-03-30 督办、2026-04-07 建议约谈。" in words
    assert seen.links()["报送整改方案：消防通道堵塞"] == f"/findings/{number}/actions/submit_plan"


async def test_past_the_deadline_the_card_tells_what_is_still_to_come(pages: Pages) -> None:
    pages.world.received()
    pages.world.to(pages.world.today.replace(day=26))
    seen = await (await pages.browser("school")).get("/findings")
    assert "请尽快报送整改方案。" in seen.text
    assert "逾期 3 天" in seen.text
    assert "继续逾期的，2026-03-30 督办、2026-04-07 建议约谈。" in seen.text


async def test_what_waits_for_somebody_else_asks_nothing_of_the_unit(pages: Pages) -> None:
    world = pages.world
    number = world.received()
    world.act("school", "submit_plan", number, **world.plan())
    seen = await (await pages.browser("school")).get("/findings")
    assert "现由督导办经办人办理，您单位暂无须操作。" in seen.text
    assert not seen.root.all("p", class_="plain-step")
    english = await (await pages.browser("school", "en")).get("/findings")
    assert "It is with the officer now; nothing is asked of you at present." in english.text


async def test_a_date_that_was_set_and_a_clock_that_stands_still_are_told_as_such(pages: Pages) -> None:
    world = pages.world
    number = world.executing()
    seen = await (await pages.browser("school")).get("/findings")
    assert "自 2026-03-02 起 30 日" in seen.text
    world.act("school", "request_extension", number, reason="材料未到", new_date=world.day(45), progress="已完成一半")
    assert "催办" not in (await (await pages.browser("school")).get("/findings")).text
    world.act("chief", "grant_extension", number, new_date=world.day(45))
    assert "该日期由文书、方案或批复确定。" in (await (await pages.browser("school")).get("/findings")).text
    world.act("chief", "suspend", number, reason="等待复核", until=world.day(60))
    seen = await (await pages.browser("school")).get("/findings")
    assert "已依书面决定中止计时，恢复后继续计算。" in seen.text


# ---- how much it costs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["officer", "school"])
async def test_many_findings_cost_no_more_questions_than_one(pages: Pages, name: str) -> None:
    browser = await pages.browser(name)

    async def questions() -> int:
        ran: list[str] = []
        pages.world.parts.store.trace = lambda text, _: ran.append(text)
        assert (await browser.get("/findings?q=消防&region=930106&open=true")).status == 200
        pages.world.parts.store.trace = None
        return len(ran)

    pages.world.received()
    before = await questions()
    for _ in range(4):
        pages.world.received()
    assert await questions() == before
