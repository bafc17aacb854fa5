"""Recusals by the page: declared by oneself, decided by a chief, in force at once, and lifted by nobody for themselves."""

from __future__ import annotations

from tests.browsing import Pages, pages, sqlite_url

__all__ = ["pages", "sqlite_url"]

MINE, AWAY = "/profile/recusals", {"unit": "桐峰镇中心小学", "ground": "配偶在该校任教"}
FINDING = {"title": "电线裸露", "unit": "桐峰镇中心小学", "category": "campus_safety"}


async def test_who_declares_ties_to_a_school_can_no_longer_open_a_finding_there(pages: Pages) -> None:
    inspector = await pages.browser("inspector")
    page = await inspector.get("/profile")
    page = await inspector.get(page.links()["查看和登记"])
    assert "没有需要回避的单位。" in page.text
    kept = await inspector.send(page.form(MINE), **AWAY)
    assert kept.path == f"{MINE}?done=recusal-kept"
    assert "桐峰镇中心小学 配偶在该校任教" in kept.text
    assert "解除 " not in kept.text
    new = await inspector.get("/findings/new")
    refused = await inspector.send(new.form("/findings/new"), **FINDING)
    assert refused.status == 409
    assert "回避" in refused.root.all("div", role="alert")[0].text()


async def test_a_chief_decides_for_a_colleague_and_lifts_it_again(pages: Pages) -> None:
    chief = await pages.browser("chief")
    ids = pages.world.cast.ids
    path = f"/recusals/{ids['inspector']}"
    assert path in (await chief.get(MINE)).links().values()
    kept = await chief.send((await chief.get(path)).form(path), **AWAY)
    inspector = await pages.browser("inspector")
    refused = await inspector.send((await inspector.get("/findings/new")).form("/findings/new"), **FINDING)
    assert refused.status == 409
    own = await inspector.get(MINE)
    lifted_by_oneself = await inspector.send(own.form(MINE), **AWAY, until_on=pages.world.day(1))
    assert lifted_by_oneself.status == 403
    lifted = await chief.send(kept.form(f"{path}/lift"))
    assert "回避已解除。" in lifted.text
    assert "已解除" in lifted.root.all("li", class_="is-over")[0].text()
    done = await inspector.send((await inspector.get("/findings/new")).form("/findings/new"), **FINDING)
    assert done.status == 200
    assert (await chief.send(kept.form(f"{path}/lift"), unit="nobody")).status == 404


async def test_a_unit_that_is_not_there_is_said_beside_its_field_and_the_ground_is_kept(pages: Pages) -> None:
    chief = await pages.browser("chief")
    for path in (MINE, f"/recusals/{pages.world.cast.ids['officer']}"):
        refused = await chief.send((await chief.get(path)).form(path), unit="没有的学校", ground="近亲属任校长")
        assert refused.status == 422
        assert "没有这个单位" in refused.text
        assert dict(refused.form(path).fields)["ground"] == "近亲属任校长"


async def test_a_last_day_gone_by_is_a_slip_and_what_was_lifted_long_ago_stays_so(pages: Pages) -> None:
    chief = await pages.browser("chief")
    path = f"/recusals/{pages.world.cast.ids['inspector']}"
    slip = await chief.send((await chief.get(path)).form(path), **AWAY, until_on="2026-01-01")
    assert slip.status == 422
    assert "不能早于今天" in slip.text
    kept = await chief.send(slip.form(path), until_on="")
    await chief.send(kept.form(f"{path}/lift"))
    lifted = (await chief.get(path)).text
    pages.world.sleep(30)
    again = await chief.send(kept.form(f"{path}/lift"))
    assert again.status == 200
    assert (await chief.get(path)).text == lifted


async def test_nobody_decides_about_somebody_outside_their_region(pages: Pages) -> None:
    chief = await pages.browser("chief")
    assert (await chief.get(f"/recusals/{pages.world.cast.ids['next_officer']}")).status == 404
    officer = await pages.browser("officer")
    assert (await officer.get(f"/recusals/{pages.world.cast.ids['inspector']}")).status == 403
    assert "同事的回避" not in (await officer.get(MINE)).text
    assert "/profile/recusals" not in (await (await pages.browser("school")).get("/profile")).links().values()


async def test_a_chief_does_not_lift_their_own_recusal_by_the_hand_of_a_substitute(pages: Pages) -> None:
    chief, officer, director = [await pages.browser(name) for name in ("chief", "officer", "director")]
    await chief.send((await chief.get(MINE)).form(MINE), **AWAY)
    away = {"name": "officer", "from_on": pages.world.day(), "until_on": pages.world.day(9)}
    await chief.send((await chief.get("/profile/substitutes")).form("/profile/substitutes"), **away)
    ids = pages.world.cast.ids
    assert (await officer.get(f"/recusals/{ids['inspector']}")).status == 200
    path = f"/recusals/{ids['chief']}"
    assert (await officer.get(path)).status == 403
    lift = (await director.get(path)).form(f"{path}/lift")
    csrf = dict((await officer.get(MINE)).form(MINE).fields)["csrf"]
    assert (await officer.send(lift, csrf=csrf)).status == 403
    assert (await director.send(lift)).path == f"{path}?done=recusal-lifted"


async def test_grounds_are_private_by_the_api_as_well(pages: Pages) -> None:
    asked = f"/users/{pages.world.cast.ids['inspector']}/recusals"
    got = {who: (await pages.get(who, asked)).status_code for who in ("inspector", "chief", "officer", "auditor")}
    assert got == {"inspector": 200, "chief": 200, "officer": 403, "auditor": 403}
