"""My profile as a page: who I am, my password, who acts for me, how I am told, and what acts in my name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from loop.store import accounts, contacts, staff
from tests.browsing import Browser, Pages, pages, sqlite_url
from tests.postal import CONSOLE, postal_settings
from tests.web import PASSWORD
from tests.world import World

__all__ = ["pages", "sqlite_url"]

NEW = "a longer sentence to remember"
MAIL: dict[str, Any] = {
    "name": "mail", "kind": "mail", "host": "127.0.0.1", "port": 1, "security": "none", "sender": "loop@example.cn",
}  # fmt: skip
SECTIONS = ("", "/password", "/substitutes", "/notifications", "/calendar", "/access")
FORMS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("/profile", "/profile/language", {"language": "en"}),
    ("/profile/password", "/profile/password", {"old": PASSWORD, "password": NEW, "again": NEW}),
    ("/profile/substitutes", "/profile/substitutes", {"name": "officer", "from_on": "2026-03-02", "until_on": "2026-03-09"}),
    ("/profile/notifications", "/profile/notifications", {"digest": "true"}),
    ("/profile/calendar", "/profile/calendar", {}),
    ("/profile/access", "/profile/access", {"name": "x", "scope": "read"}),
)  # fmt: skip


@pytest.fixture
async def posted(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Pages]:
    """The pages of an office that offers e-mail beside a desk."""
    made = Pages(World(postal_settings(sqlite_url, tmp_path, CONSOLE, MAIL)))
    yield made
    await made.close()
    made.world.parts.close()


async def test_everybody_finds_who_they_are_and_every_section(pages: Pages) -> None:
    for name in ("inspector", "school", "leader", "auditor", "admin"):
        browser = await pages.browser(name)
        seen = await browser.get("/profile")
        assert f"{name}·某" in seen.text
        for section in SECTIONS:
            assert (await browser.get(f"/profile{section}")).status == 200
    assert "督导办负责人 · 云溪县 · 自 2020-01-01" in (await (await pages.browser("chief")).get("/profile")).text
    stranger = await pages.browser()
    for section in SECTIONS:
        assert (await stranger.get(f"/profile{section}")).path.startswith("/sign-in?next=%2Fprofile")


@pytest.mark.parametrize(("path", "action", "given"), FORMS)
async def test_a_form_that_another_site_could_send_changes_nothing(
    pages: Pages, path: str, action: str, given: dict[str, str]
) -> None:
    browser = await pages.browser("chief")
    form = (await browser.get(path)).form(action)
    assert (await browser.send(form, csrf="forged", **given)).status == 403
    assert (await browser.send(form, csrf=None, **given)).status == 403
    assert pages.world.parts.store.read(lambda tx: staff.substitutes_of(tx, pages.world.cast.ids["chief"])) == ()
    assert (await (await pages.browser()).sign_in("chief")).path.startswith("/?done=signed-in")


async def test_the_language_is_kept_with_the_person(pages: Pages) -> None:
    browser = await pages.browser("chief")
    page = await browser.get("/profile")
    seen = await browser.send(page.form("/profile/language"), language="en")
    assert (seen.heading, "Your language is saved." in seen.text) == ("My profile", True)
    elsewhere = await pages.browser("chief")
    assert (await elsewhere.get("/")).heading == "My desk"
    assert (await browser.send(page.form("/profile/language"), language="tlh")).status == 422


# ---- the password --------------------------------------------------------------------------------------------------


async def change_password(browser: Browser, **given: str) -> Any:
    page = await browser.get("/profile/password")
    return await browser.send(page.form("/profile/password"), **given)


async def test_a_new_password_signs_out_every_other_browser_and_keeps_this_one(pages: Pages) -> None:
    here, there = await pages.browser("chief"), await pages.browser("chief")
    seen = await change_password(here, old=PASSWORD, password=NEW, again=NEW)
    assert "密码已修改，其他设备已退出登录。" in seen.text
    assert (await here.get("/")).heading == "我的待办"
    assert (await there.get("/")).path == "/sign-in?next=%2F"
    assert (await there.sign_in("chief")).status == 401
    assert (await there.sign_in("chief", NEW)).path.startswith("/?done=signed-in")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"old": "wrong horse battery", "password": NEW, "again": NEW}, "原密码不正确。"),
        ({"old": "", "password": NEW, "again": NEW}, "请填写原密码。"),
        ({"old": PASSWORD, "password": "short", "again": "short"}, "须为 8 至 256 个字符。"),
        ({"old": PASSWORD, "password": NEW, "again": NEW + "!"}, "两次输入的新密码不一致。"),
        ({"old": PASSWORD, "password": PASSWORD, "again": PASSWORD}, "新密码不能与原密码相同。"),
    ],
)
async def test_a_password_is_not_changed_without_the_old_one_or_to_a_bad_one(
    pages: Pages, given: dict[str, str], said: str
) -> None:
    browser = await pages.browser("chief")
    seen = await change_password(browser, **given)
    assert seen.status == 422
    assert said in seen.text
    assert not any(word in seen.answer.text for word in given.values() if word)
    assert (await (await pages.browser()).sign_in("chief")).path.startswith("/?done=signed-in")


async def test_whoever_guesses_the_old_password_has_to_wait(pages: Pages) -> None:
    browser = await pages.browser("chief")
    for _ in range(5):
        await change_password(browser, old="a guess at it", password=NEW, again=NEW)
    assert (await change_password(browser, old=PASSWORD, password=NEW, again=NEW)).status == 429
    pages.real += timedelta(minutes=16)
    assert (await change_password(browser, old=PASSWORD, password=NEW, again=NEW)).status == 200


# ---- substitutes ---------------------------------------------------------------------------------------------------


async def test_a_substitute_is_named_by_date_acts_and_is_taken_back(pages: Pages) -> None:
    browser = await pages.browser("chief")
    page = await browser.get("/profile/substitutes")
    assert "officer·某（督导办经办人）" in page.text
    assert "school·某" not in page.text
    until = pages.world.day(7)
    seen = await browser.send(
        page.form("/profile/substitutes"), name="officer·某", from_on=pages.world.day(), until_on=until
    )
    assert "代理安排已保存。" in seen.text
    assert "代理中" in seen.text
    stand_in = await (await pages.browser("officer")).get("/profile")
    assert "代 chief·某" in stand_in.text
    gone = await browser.send(seen.form("/profile/substitutes"), name=["", ""])
    assert "代理中" not in gone.text
    assert "代 chief·某" not in (await (await pages.browser("officer")).get("/profile")).text


async def test_what_was_typed_about_a_substitute_outlives_a_refusal(pages: Pages) -> None:
    browser = await pages.browser("chief")
    form = (await browser.get("/profile/substitutes")).form("/profile/substitutes")
    for name, until, said in (
        ("school", "2026-03-09", "school 不能代理"),
        ("<b>nobody</b>", "2026-03-09", "不能代理"),
        ("officer", "someday", "第 1 行（officer）：截止日"),
        ("officer", "2026-01-01", "日"),
    ):
        seen = await browser.send(form, name=name, from_on="2026-03-02", until_on=until)
        assert seen.status == 422
        assert said in seen.text
        kept = seen.form("/profile/substitutes").fields
        assert ("name", name) in kept
        assert ("until_on", until) in kept
        assert "<b>nobody" not in seen.answer.text


# ---- how I am told -------------------------------------------------------------------------------------------------


async def test_what_the_law_serves_cannot_be_declined_and_the_rest_can(posted: Pages) -> None:
    browser = await posted.browser("school")
    page = await browser.get("/profile/notifications")
    assert page.text.count("必须接收，不能关闭") >= 2
    form = page.form("/profile/notifications")
    assert "served" not in [value for name, value in form.fields if name == "on"]
    assert ("on", "work") in form.fields
    seen = await browser.send(form, on=None)
    assert "通知方式已保存。" in seen.text
    assert ("on", "work") not in seen.form("/profile/notifications").fields
    _, liking = posted.world.parts.store.read(lambda tx: contacts.liking_of(tx, posted.world.cast.ids["school"]))
    assert liking.off == frozenset({"work"})


async def test_channels_are_kept_in_the_order_that_was_wished(posted: Pages) -> None:
    browser = await posted.browser("officer")
    form = (await browser.get("/profile/notifications")).form("/profile/notifications")
    seen = await browser.send(
        form,
        **{"address-mail": "o@example.gov.cn", "place-mail": "1", "address-desk": "officer", "place-desk": "2"},
        digest="true",
    )
    assert "通知方式已保存。" in seen.text
    held, liking = posted.world.parts.store.read(lambda tx: contacts.liking_of(tx, posted.world.cast.ids["officer"]))
    assert [one.channel for one in held] == ["mail", "desk"]
    assert liking.digest
    kept = dict(seen.form("/profile/notifications").fields)
    assert (kept["address-mail"], kept["place-mail"]) == ("o@example.gov.cn", "1")


async def test_an_address_that_no_letter_could_reach_is_marked_and_kept(posted: Pages) -> None:
    browser = await posted.browser("officer")
    form = (await browser.get("/profile/notifications")).form("/profile/notifications")
    wrong = '"><script>alert(1)</script>'
    seen = await browser.send(form, **{"address-mail": wrong})
    assert seen.status == 422
    assert dict(seen.form("/profile/notifications").fields)["address-mail"] == wrong
    assert "<script>alert" not in seen.answer.text
    assert len(seen.root.all("p", class_="invalid-feedback")) == 1
    assert posted.world.parts.store.read(lambda tx: contacts.contacts_of(tx, [posted.world.cast.ids["officer"]])) == {}


# ---- calendar, tokens, sessions ------------------------------------------------------------------------------------


async def test_a_calendar_is_subscribed_by_an_address_told_once_and_ended(pages: Pages) -> None:
    browser = await pages.browser("school")
    seen = await browser.send(
        (await browser.get("/profile/calendar")).form("/profile/calendar"), name="<i>my phone</i>"
    )
    address = seen.root.all("textarea")[0].text().strip()
    assert address.startswith("http://loop.test/api/v1/calendar.ics?token=loop_")
    feed = await pages.http.get(address)
    assert feed.headers["content-type"].startswith("text/calendar")
    clear = address.partition("token=")[2]
    assert (await pages.http.get("/api/v1/me", headers={"Authorization": f"Bearer {clear}"})).status_code == 403
    later = await browser.get("/profile/calendar")
    assert clear not in later.answer.text
    assert "<i>my phone</i>" in later.text
    assert "<i>my phone" not in later.answer.text
    ended = await browser.send(next(form for form in later.forms() if form.action.endswith("/revoke")))
    assert "已注销，立即失效。" in ended.text
    assert (await pages.http.get(address)).status_code == 401


async def test_a_token_for_a_program_does_what_it_was_made_for(pages: Pages) -> None:
    browser = await pages.browser("officer")
    form = (await browser.get("/profile/access")).form("/profile/access")
    seen = await browser.send(form, name="nightly export", scope="read")
    clear = seen.root.all("textarea")[0].text().strip()
    bearer = {"Authorization": f"Bearer {clear}"}
    assert (await pages.http.get("/api/v1/me", headers=bearer)).json()["scopes"] == ["read"]
    assert clear not in (await browser.get("/profile/access")).answer.text
    refused = await browser.send(form, name="too long", scope="read", expires_on="2199-01-01")
    assert refused.status == 422
    assert ("expires_on", "2199-01-01") in refused.form("/profile/access").fields
    assert (await browser.send(form, name="", scope="read")).status == 422
    assert (await browser.send(form, name="all", scope="everything")).status == 422


async def test_nobody_ends_the_token_of_somebody_else(pages: Pages) -> None:
    clear = pages.world.parts.store.write(lambda tx: pages.token(tx, "school"))
    token = pages.world.parts.store.read(lambda tx: accounts.token_of(tx, clear, pages.real))
    assert token is not None
    browser = await pages.browser("admin")
    form = (await browser.get("/profile/access")).form("/profile/access")
    form.action = f"/profile/access/tokens/{token.id}/revoke"
    assert (await browser.send(form)).status == 404
    assert pages.world.parts.store.read(lambda tx: accounts.token_of(tx, clear, pages.real)) is not None


async def test_the_other_browsers_are_signed_out_and_nobody_else(pages: Pages) -> None:
    here, there, else_ = await pages.browser("chief"), await pages.browser("chief"), await pages.browser("officer")
    page = await here.get("/profile/access")
    assert "除本设备外，您还在 1 处登录。" in page.text
    seen = await here.send(page.form("/profile/access/sessions/end"))
    assert "您只在本设备登录。" in seen.text
    assert (await there.get("/")).path == "/sign-in?next=%2F"
    assert (await else_.get("/")).heading == "我的待办"
