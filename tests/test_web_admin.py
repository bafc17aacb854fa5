"""The administrator's pages: who comes in, the registry by forms, a new person who signs in, an account that is closed."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from loop.store import accounts, offices, places, staff
from loop.store.session import Tx
from tests.administrators import admin, county_admin, entries, unit_named
from tests.browsing import Browser, Pages, pages, sqlite_url
from tests.cast import CITY, COUNTRY, COUNTY, NEXT_DOOR, ROOT, START, TOWN
from tests.web import PASSWORD
from tests.world import world

__all__ = ["admin", "county_admin", "pages", "sqlite_url", "world"]
ROOMS = ("people", "units", "offices", "regions", "calendar", "rules", "tokens")
STRANGE = "<script>alert(1)</script>\"'&校"
DEAD = "还有在用的下级地区、机构或单位"


# ---- who comes in ----------------------------------------------------------------------------------------------------


async def test_only_an_administrator_has_the_entry_and_the_rooms(pages: Pages, admin: Browser) -> None:
    front = await admin.get("/admin")
    assert front.status == 200
    assert "管理" in front.links()
    assert {f"/admin/{room}" for room in ROOMS} <= set(front.links().values())
    for room in ROOMS:
        assert (await admin.get(f"/admin/{room}")).status == 200, room


@pytest.mark.parametrize("who", ["inspector", "officer", "chief", "director", "leader", "auditor", "school", "bureau"])
async def test_nobody_else_comes_in_or_sees_the_entry(pages: Pages, who: str) -> None:
    browser = await pages.browser(who)
    assert "管理" not in (await browser.get("/")).links()
    for path in ("/admin", *(f"/admin/{room}" for room in ROOMS), "/admin/units/school", f"/admin/regions/{COUNTY}"):
        seen = await browser.get(path)
        assert seen.status == 403, path
    forged = (await browser.get("/")).form("/sign-out")
    for path in ("/admin/units/new", "/admin/people/new", f"/admin/regions/{TOWN}/active", "/admin/calendar/load"):
        forged.action = path
        assert (await browser.send(forged, name="x", kind="school", region=COUNTY, active="0")).status == 403, path


async def test_a_guest_is_asked_to_sign_in_and_comes_back(pages: Pages) -> None:
    guest = await pages.browser()
    seen = await guest.get("/admin/units?q=a")
    assert seen.path.startswith("/sign-in?next=%2Fadmin%2Funits")


async def test_an_administrator_of_a_county_sees_and_changes_that_county_only(
    pages: Pages, county_admin: Browser
) -> None:
    ids = pages.world.cast.ids
    assert "石桥县" not in (await county_admin.get("/admin/regions")).text
    assert "next_school" not in (await county_admin.get("/admin/people")).text
    assert "石桥县第一中学" not in (await county_admin.get("/admin/units")).text
    for path in (
        f"/admin/regions/{NEXT_DOOR}", f"/admin/regions/{CITY}", f"/admin/regions/{COUNTRY}", "/admin/offices/SQ",
        "/admin/units/next_school", f"/admin/people/{ids['next_officer']}", f"/admin/people/{ids['city_chief']}",
        f"/admin/people/{ids['next_officer']}/leaving", f"/admin/people/{ids['next_officer']}/posts/new",
    ):  # fmt: skip
        assert (await county_admin.get(path)).status == 404, path
    for path in (
        "people?unit=next_school",
        "people?at=next_school",
        "people/new?unit=next_school",
        f"units?region={NEXT_DOOR}",
    ):
        assert "石桥县" not in (await county_admin.get(f"/admin/{path}")).text, path
    own = (await county_admin.get("/admin/units/school")).form("/admin/units/school/active")
    for path in (
        "/admin/units/next_school/active", f"/admin/regions/{NEXT_DOOR}/active", f"/admin/people/{ids['next_chief']}/active",
        f"/admin/people/{ids['next_chief']}/password", f"/admin/people/{ids['next_chief']}/posts/end",
    ):  # fmt: skip
        own.action = path
        assert (await county_admin.send(own, password=PASSWORD, again=PASSWORD)).status == 404, path
    new = (await county_admin.get("/admin/units/new")).form("/admin/units/new")
    refused = await county_admin.send(new, name="石桥县新学校", kind="school", region="石桥县")
    assert refused.status == 422
    assert "您管理的范围内没有这个地区" in refused.text


# ---- regions, offices, units -----------------------------------------------------------------------------------------


async def test_a_region_with_its_office_and_a_unit_and_what_is_used_is_not_retired(
    pages: Pages, admin: Browser
) -> None:
    county = await admin.get(f"/admin/regions/{COUNTY}")
    assert "桐峰镇" in county.links()
    form = (await admin.get(county.links()["添加下级地区"])).form("/admin/regions/new")
    made = await admin.send(form, code="930106009", name="新湖镇", level="township")
    assert (made.heading, made.status) == ("新湖镇", 200)
    assert "已添加。" in made.text
    form = (await admin.get(made.links()["添加督导机构"])).form("/admin/offices/new")
    office = await admin.send(form, code="XH", name="新湖镇督导组", doc_prefix="新教督")
    assert office.heading == "新湖镇督导组"
    assert "YX督导办" in office.text
    form = (await admin.get("/admin/units/new?region=930106009")).form("/admin/units/new")
    unit = await admin.send(form, name="新湖镇小学", kind="school", department="云溪县教育局")
    assert unit.heading == "新湖镇小学"
    assert "云溪县教育局" in unit.text
    region = await admin.send((await admin.get("/admin/regions/930106009")).form("/admin/regions/930106009/active"))
    assert region.status == 409
    assert DEAD in region.text
    for path in (unit.path.partition("?")[0], office.path.partition("?")[0], "/admin/regions/930106009"):
        gone = await admin.send((await admin.get(path)).form(f"{path}/active"))
        assert "已停用。" in gone.text, path
    back = await admin.send((await admin.get("/admin/regions/930106009")).form("/admin/regions/930106009/active"))
    assert "已恢复使用。" in back.text
    assert entries(pages)[-6:] == [
        "add_office", "add_unit", "change_unit", "change_office", "change_region", "change_region"
    ]  # fmt: skip


async def test_a_department_that_still_governs_is_not_retired(admin: Browser) -> None:
    seen = await admin.send((await admin.get("/admin/units/bureau")).form("/admin/units/bureau/active"))
    assert seen.status == 409
    assert "仍有单位由它主管，请先改派。" in seen.text


async def test_changing_a_unit_keeps_what_was_typed_when_refused(pages: Pages, admin: Browser) -> None:
    form = (await admin.get("/admin/units/school")).form("/admin/units/school")
    assert dict(form.fields)["region"] == "桐峰镇"
    refused = await admin.send(form, name="改名小学", department="没有这样的部门")
    assert refused.status == 422
    again = dict(refused.form("/admin/units/school").fields)
    assert (again["name"], again["department"]) == ("改名小学", "没有这样的部门")
    assert "没有这个主管部门" in refused.text
    kept = await admin.send(refused.form("/admin/units/school"), department="")
    assert kept.heading == "改名小学"
    unit = pages.world.parts.store.read(lambda tx: places.unit(tx, "school"))
    assert (unit.region, unit.department_id) == (TOWN, None)


async def test_of_several_places_of_one_name_one_is_chosen(pages: Pages, admin: Browser) -> None:
    for code, parent in (("930106007", COUNTY), ("930108007", NEXT_DOOR)):
        pages.world.parts.store.write(
            partial(places.add_region, by=ROOT, code=code, name="城关镇", level="township", parent=parent)
        )
    form = (await admin.get("/admin/units/new")).form("/admin/units/new")
    several = await admin.send(form, name="城关小学", kind="school", region="城关镇")
    assert several.status == 422
    assert "请在下面选择一个" in several.text
    radios = [node.attrs["value"] for node in several.root.all("input", type="radio", name="region_is")]
    assert sorted(radios) == ["930106007", "930108007"]
    made = await admin.send(several.form("/admin/units/new"), region_is="930108007")
    assert made.heading == "城关小学"
    unit = pages.world.parts.store.read(lambda tx: places.unit(tx, unit_named(pages, "城关小学")))
    assert unit.region == "930108007"


async def test_strange_names_are_text_wherever_they_stand(pages: Pages, admin: Browser) -> None:
    form = (await admin.get("/admin/units/new")).form("/admin/units/new")
    made = await admin.send(form, name=STRANGE, kind="school", region=COUNTY)
    assert made.heading == STRANGE
    path = made.path.partition("?")[0]
    person = (await admin.get(f"/admin/people/new?unit={path.rpartition('/')[2]}")).form("/admin/people/new")
    added = await admin.send(person, name="strange", full_name=STRANGE, role="unit", password=PASSWORD)
    assert added.heading == STRANGE
    for address in (
        path,
        "/admin/units?q=script",
        "/admin/people?q=strange",
        f"/admin/people?unit={path.rpartition('/')[2]}",
    ):
        seen = await admin.get(address)
        assert STRANGE in seen.text, address
        assert "<script>alert" not in seen.answer.text
    options = await admin.get("/admin/find/units?unit=script")
    assert "<script>" not in options.answer.text
    assert [node.attrs["value"] for node in options.root.all("option")] == [STRANGE]


@pytest.mark.parametrize(
    ("path", "given", "told"),
    [
        ("regions", {"code": TOWN, "name": "桐峰镇", "level": "township", "parent": COUNTY}, "已被使用"),
        ("regions", {"code": "a b", "name": "甲", "level": "township", "parent": COUNTY}, "只能用英文字母"),
        ("regions", {"code": "93", "name": "", "level": "", "parent": COUNTY}, "请填写"),
        ("offices", {"code": "ZZ", "name": "甲", "doc_prefix": "甲", "region": COUNTY}, "已有督导机构"),
        ("units", {"name": "甲", "kind": "school", "region": "nowhere"}, "没有这个地区"),
        ("units", {"name": "", "kind": "", "region": COUNTY}, "请填写"),
    ],
)  # fmt: skip
async def test_what_cannot_be_is_refused_and_what_was_typed_stays(
    pages: Pages, admin: Browser, path: str, given: dict[str, str], told: str
) -> None:
    before = entries(pages)
    form = (await admin.get(f"/admin/{path}/new")).form(f"/admin/{path}/new")
    seen = await admin.send(form, **given)
    assert seen.status in (409, 422)
    assert told in seen.text
    again = dict(seen.form(f"/admin/{path}/new").fields)
    assert {name: again.get(name, "") for name in given} == given
    assert entries(pages) == before


async def test_the_pages_speak_english(pages: Pages) -> None:
    browser = await pages.browser("admin", "en")
    for path, words in {
        "/admin": "People and posts", "/admin/people": "Sign-in name", "/admin/units/school": "Department",
        f"/admin/regions/{COUNTY}": "Regions below", "/admin/offices": "Word in numbers",
        f"/admin/people/{pages.world.cast.ids['school']}/leaving": "who takes over",
    }.items():  # fmt: skip
        assert words in (await browser.get(path)).text, path


# ---- rules -----------------------------------------------------------------------------------------------------------


async def test_every_rule_in_force_is_shown_with_value_source_and_setting(pages: Pages, admin: Browser) -> None:
    seen = await admin.get("/admin/rules")
    rows = {row.all("code")[0].text().strip(): row.text() for row in seen.root.all("tr") if row.all("code")}
    for key in pages.world.engine.book.rules.rules:
        assert f"deadlines.{key}" in rows, key
    assert "10 天" in rows["deadlines.defence"]
    assert "已核实" in rows["deadlines.defence"]
    assert "浙江省教育督导条例" in rows["deadlines.defence"]
    assert "类推适用" in rows["deadlines.extension_max"]
    assert "产品默认" in rows["deadlines.plan_due"]
    assert "到期后 7 天" in rows["ladder.order_after"]
    assert "本级督导机构" in rows["disputes.opinion_decided_by"]
    assert "LOOP_CONFIG" in seen.text
    analogy = await admin.get("/admin/rules?nature=A")
    assert "信访工作条例" in analogy.text
    assert "deadlines.plan_due " not in analogy.text
    assert not [form for form in seen.forms() if form.action != "/sign-out"]


# ---- tokens ----------------------------------------------------------------------------------------------------------


async def test_a_token_is_told_once_opens_the_interface_and_ends_when_revoked(pages: Pages, admin: Browser) -> None:
    form = (await admin.get("/admin/tokens")).form("/admin/tokens")
    refused = await admin.send(form, name="", expires_on="2020-01-01")
    assert refused.status == 422
    assert dict(refused.form("/admin/tokens").fields)["expires_on"] == "2020-01-01"
    made = await admin.send(form, name="夜间同步", scopes="read")
    (secret,) = [node.text().strip() for node in made.root.all("textarea", id="token")]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert (await pages.http.get("/api/v1/me", headers=bearer)).json()["name"] == "admin"
    listed = await admin.get("/admin/tokens?person=" + pages.world.cast.ids["admin"])
    assert "夜间同步" in listed.text
    assert secret not in listed.answer.text
    (line,) = [li for li in listed.root.all("li") if "夜间同步" in li.text()]
    action = line.all("form")[0].attrs["action"]
    gone = await admin.send(listed.form(action))
    assert "已注销" in gone.text
    assert "夜间同步" not in gone.text
    assert (await pages.http.get("/api/v1/me", headers=bearer)).status_code == 401


async def test_an_administrator_of_a_county_sees_and_revokes_tokens_of_its_people_only(
    pages: Pages, admin: Browser, county_admin: Browser
) -> None:
    ids = pages.world.cast.ids
    seen = await county_admin.get("/admin/tokens")
    owners = {link.rpartition("/")[2] for link in seen.links().values() if link.startswith("/admin/people/")}
    assert {ids["officer"], ids["school"]} <= owners
    assert not owners & {ids["next_officer"], ids["city_chief"], ids["admin"]}
    assert (await county_admin.get("/admin/tokens?person=" + ids["next_officer"])).status == 404
    theirs = (await admin.get("/admin/tokens?person=" + ids["next_officer"])).root.all("form")
    (action,) = [form.attrs["action"] for form in theirs if form.attrs.get("action", "").endswith("/revoke")]
    forged = seen.form("/admin/tokens")
    forged.action = action
    assert (await county_admin.send(forged)).status == 404
    bearer = {"Authorization": f"Bearer {pages.tokens['next_officer']}"}
    assert (await pages.http.get("/api/v1/me", headers=bearer)).status_code == 200


# ---- what it costs ---------------------------------------------------------------------------------------------------


async def test_a_page_asks_as_often_however_much_it_shows(pages: Pages, admin: Browser) -> None:
    store = pages.world.parts.store
    who = f"/admin/people/{pages.world.cast.ids['officer']}"
    paths = ("/admin/people", "/admin/units", "/admin/offices", f"/admin/regions/{COUNTY}", "/admin/tokens", who)
    before = [await said(pages, admin, path) for path in paths]
    for at in range(12):
        store.write(partial(crowd, at=at, who=pages.world.cast.ids["officer"]))
    assert [await said(pages, admin, path) for path in paths] == before
    assert max(before) < 20


def crowd(tx: Tx, *, at: int, who: str) -> None:
    code = f"9301060{at + 20}"
    places.add_region(tx, ROOT, code=code, name=f"第{at}镇", level="township", parent=COUNTY)
    offices.add_office(tx, ROOT, code=f"T{at}", region=code, name=f"第{at}镇督导组", doc_prefix="镇教督")
    unit = places.add_unit(tx, ROOT, name=f"第{at}小学", kind="school", region=code, department_id="bureau")
    person, _ = staff.enrol(
        tx, ROOT, name=f"p{at}", full_name=f"某{at}", role="unit", unit_id=unit.id, from_on=START.date()
    )
    accounts.create_token(
        tx, person_id=person.id, name="x", scopes=("read",), expires_at=START + timedelta(days=9999), now=START
    )
    staff.add_post(tx, ROOT, person_id=who, role="inspector", region=code, unit_id=unit.id, from_on=START.date())


async def said(pages: Pages, browser: Browser, path: str) -> int:
    """How many statements a page takes."""
    store, heard = pages.world.parts.store, []
    store.trace = lambda text, values: heard.append(text)
    try:
        assert (await browser.get(path)).status == 200
    finally:
        store.trace = None
    return len(heard)
