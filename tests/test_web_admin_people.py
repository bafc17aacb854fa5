"""People as pages of the administration: added, given posts, closed with what that means, opened again."""

from __future__ import annotations

import pytest

from loop.store import journal, staff
from tests.administrators import admin, county_admin
from tests.browsing import Browser, Pages, Seen, pages, sqlite_url
from tests.cast import CITY, COUNTY, NEXT_DOOR, ROOT, START
from tests.web import PASSWORD
from tests.world import world

__all__ = ["admin", "county_admin", "pages", "sqlite_url", "world"]


async def added_officer(pages: Pages, admin: Browser, **more: str) -> Seen:
    form = (await admin.get(f"/admin/people/new?region={COUNTY}")).form("/admin/people/new")
    given = {"name": "wang.li", "full_name": "王丽", "role": "officer", "password": PASSWORD}
    return await admin.send(form, **given | more)


async def test_a_unit_an_officer_a_post_and_the_new_person_signs_in(pages: Pages, admin: Browser) -> None:
    form = (await admin.get("/admin/units/new")).form("/admin/units/new")
    await admin.send(form, name="云溪县第九小学", kind="school", region="云溪县")
    seen = await added_officer(pages, admin)
    assert seen.heading == "王丽"
    assert PASSWORD not in seen.answer.text
    assert "督导办经办人 云溪县" in seen.text
    post = (await admin.get(seen.links()["给予岗位"])).form(f"{seen.path.partition('?')[0]}/posts/new")
    given = await admin.send(post, role="inspector", region="云溪县", unit="云溪县第九小学")
    assert "已给予岗位。" in given.text
    assert "云溪县第九小学" in given.text
    person = await pages.browser("wang.li")
    assert "欢迎" not in (await person.get("/")).text
    assert "管理" not in (await person.get("/")).links()
    assert PASSWORD not in str(pages.world.parts.store.read(lambda tx: journal.trail(tx, "people")))
    assert "王丽" in (await admin.get("/admin/people?q=wang")).text
    assert "王丽" in (await admin.get(f"/admin/people?office={COUNTY}&role=officer")).text
    assert "王丽" not in (await admin.get(f"/admin/people?region={NEXT_DOOR}")).text
    assert "王丽" in (await admin.get("/admin/people?at=云溪县第九小学")).text
    several = await admin.get("/admin/people?at=云溪县&q=wang")
    assert "任职于：云溪县" in several.text
    assert "王丽" in several.text
    which = await admin.get("/admin/people?at=云溪县第")
    assert "有几个符合，请选择" in which.text
    assert "王丽" in (await admin.get(which.links()["云溪县第九小学"])).text
    assert "没有符合条件的人员" in (await admin.get("/admin/people?at=没有这个地方")).text


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "王丽"}, "须是英文字母"), ({"full_name": ""}, "请填写"), ({"role": ""}, "请填写"),
        ({"region": ""}, "请填写地区。"), ({"password": "short"}, "须为 8 至 256 个字符"), ({"name": "officer"}, "已属于另一人"),
        ({"role": "unit"}, "与角色不相称"), ({"until_on": "2020-01-01"}, "早于开始日期"), ({"unit": "石桥县第一中学"}, "不"),
    ],
)  # fmt: skip
async def test_a_person_that_cannot_be_is_refused_and_the_form_stays(
    pages: Pages, admin: Browser, given: dict[str, str], told: str
) -> None:
    seen = await added_officer(pages, admin, **given)
    assert seen.status in (409, 422)
    assert told in seen.text
    again = dict(seen.form("/admin/people/new").fields)
    assert again["full_name"] == given.get("full_name", "王丽")
    assert again["password"] == ""
    assert pages.world.parts.store.read(lambda tx: staff.find_person(tx, "wang.li")) is None


async def test_all_that_is_wrong_with_a_new_person_is_told_at_once_and_each_at_its_field(
    pages: Pages, admin: Browser
) -> None:
    seen = await added_officer(pages, admin, name="王丽", region="", password="short", until_on="soon")
    assert seen.status == 422
    told = {
        node.all("input")[0].attrs["name"]: node.all("p", class_="invalid-feedback")[0].text().strip()
        for node in seen.root.all("div", class_="is-wrong")
    }
    assert told.keys() == {"name", "region", "password", "until_on"}
    assert told["name"].startswith("须是英文字母")
    seen = await added_officer(pages, admin, name="王丽", region="")
    assert "请填写地区。" in seen.text
    assert "须是英文字母" in seen.text
    assert "不在您的管理范围内" not in seen.text
    assert "请本人首次登录后在“个人设置”（/profile）中修改密码" in seen.text


async def test_a_post_ends_and_a_password_is_set_anew(pages: Pages, admin: Browser) -> None:
    who = f"/admin/people/{pages.world.cast.ids['inspector']}"
    seen = await admin.get(who)
    wrong = await admin.send(seen.form(f"{who}/posts/end"), until_on="1999-01-01")
    assert wrong.status == 422
    assert "早于任职开始" in wrong.text
    ended = await admin.send(seen.form(f"{who}/posts/end"), until_on=pages.world.day(2))
    assert pages.world.day(2) in ended.text
    pages.world.sleep(3)
    assert not pages.world.actor("inspector").posts
    officer = f"/admin/people/{pages.world.cast.ids['officer']}"
    browser = await pages.browser("officer")
    form = (await admin.get(officer)).form(f"{officer}/password")
    differ = await admin.send(form, password="another good one", again="another god one")
    assert "两次输入的密码不一致" in differ.text
    assert "another" not in differ.answer.text
    done = await admin.send(form, password="another good one", again="another good one")
    assert "新密码已设定" in done.text
    assert (await browser.get("/")).path.startswith("/sign-in")
    assert (await browser.sign_in("officer")).status == 401
    assert (await browser.sign_in("officer", "another good one")).status == 200


async def test_closing_an_account_says_first_who_takes_over_and_whom_it_tells(pages: Pages, admin: Browser) -> None:
    world = pages.world
    number = world.received()
    world.sleep(1)
    who = f"/admin/people/{world.cast.ids['school']}"
    asked = await admin.get(f"{who}/leaving")
    assert number in asked.text
    assert "没有其他人任此岗位" in asked.text
    assert "chief·某 代收提醒" in asked.text
    told = asked.text.partition("这将向 ")[2].partition("（")[0]
    assert told.startswith("1 人发送 "), asked.text
    assert "school" not in [m.chain for m in world.inbox("chief")]
    before = len(world.inbox("chief"))
    school = await pages.browser("school")
    closed = await admin.send(asked.form(f"{who}/active"))
    assert "账号已停用" in closed.text
    assert (await school.get("/")).path.startswith("/sign-in")
    assert pages.service.reconciliation.run()
    assert f"1 人发送 {len(world.inbox('chief')) - before} 条消息" == told.strip()
    opened = await admin.send((await admin.get(who)).form(f"{who}/active"))
    assert "账号已恢复" in opened.text
    assert (await school.get("/")).path.startswith("/sign-in")
    assert (await school.sign_in("school")).status == 200


async def test_nobody_closes_their_own_account(pages: Pages, admin: Browser) -> None:
    who = f"/admin/people/{pages.world.cast.ids['admin']}"
    form = (await admin.get(f"{who}/leaving")).form(f"{who}/active")
    seen = await admin.send(form)
    assert seen.status == 409
    assert "不能停用自己的账号" in seen.text
    assert (await admin.get("/admin")).status == 200


async def test_whoever_serves_elsewhere_too_is_left_to_the_administrator_above(
    pages: Pages, county_admin: Browser
) -> None:
    store, id_ = pages.world.parts.store, pages.world.cast.ids["officer"]
    who = f"/admin/people/{id_}"
    form = (await county_admin.get(who)).form(f"{who}/password")
    store.write(lambda tx: staff.add_post(tx, ROOT, person_id=id_, role="inspector", region=CITY, from_on=START.date()))
    seen = await county_admin.get(who)
    assert "账号和密码由上级管理员管理" in seen.text
    assert not [one.action for one in seen.forms() if one.action.endswith(("/password", "/details", "/active"))]
    assert (await county_admin.send(form, password=PASSWORD, again=PASSWORD)).status == 403
    assert (await county_admin.get(f"{who}/leaving")).status == 403
    ours = [one for one in seen.forms() if one.action == f"{who}/posts/end"]
    assert len(ours) == 1
    assert "已结束岗位" in (await county_admin.send(ours[0])).text


async def test_a_substitute_is_arranged_and_taken_back(pages: Pages, admin: Browser) -> None:
    place = f"/admin/people/{pages.world.cast.ids['chief']}/substitutes"
    form = (await admin.get(place)).form(place)
    refused = await admin.send(form, name="school", until_on=pages.world.day(5))
    assert refused.status == 422
    assert "不能代理" in refused.text
    assert dict(refused.form(place).fields)["name"] == "school"
    kept = await admin.send(form, name="officer·某", until_on=pages.world.day(5))
    assert "代理中" in kept.text
    assert [post.role for post in pages.world.actor("officer").posts] == ["officer", "chief"]
    assert "没有安排代理人" in (await admin.send(kept.form(f"{place}/end"))).text
    assert [post.role for post in pages.world.actor("officer").posts] == ["officer"]
