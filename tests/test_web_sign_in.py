"""Signing in and out by the page: throttled, back to where one wanted to go, and nothing for another site to use."""

from __future__ import annotations

import pytest

from tests.browsing import Pages, pages, sqlite_url
from tests.web import PASSWORD

__all__ = ["pages", "sqlite_url"]


async def test_whoever_is_not_signed_in_signs_in_and_arrives_where_they_wanted_to_go(pages: Pages) -> None:
    browser = await pages.browser()
    asked = await browser.get("/inbox?unread=true")
    assert asked.path == "/sign-in?next=%2Finbox%3Funread%3Dtrue"
    seen = await browser.send(asked.form("/sign-in"), name="school", password=PASSWORD)
    assert (seen.status, seen.heading, seen.path) == (200, "收件箱", "/inbox?unread=true&done=signed-in")
    assert "欢迎回来。" in seen.text
    again = await browser.get("/sign-in")
    assert again.path == "/"


async def test_a_wrong_password_keeps_the_name_and_never_the_password(pages: Pages) -> None:
    browser = await pages.browser()
    page = await browser.get("/sign-in")
    seen = await browser.send(page.form("/sign-in"), name="school", password="wrong horse")
    assert seen.status == 401
    assert "登录名或密码不正确。" in seen.text
    assert dict(seen.form("/sign-in").fields)["name"] == "school"
    assert "wrong horse" not in seen.answer.text
    empty = await browser.send(page.form("/sign-in"), name="school")
    assert empty.status == 422
    assert "请填写登录名和密码。" in empty.text


async def test_after_too_many_tries_the_page_says_to_wait(pages: Pages) -> None:
    browser = await pages.browser()
    page = await browser.get("/sign-in")
    for _ in range(5):
        await browser.send(page.form("/sign-in"), name="school", password="wrong horse")
    seen = await browser.send(page.form("/sign-in"), name="school", password=PASSWORD)
    assert seen.status == 429
    assert seen.heading == "登录"


async def test_signing_out_ends_the_session_for_good(pages: Pages) -> None:
    browser = await pages.browser("school")
    kept = browser.http.cookies["loop_session"]
    page = await browser.get("/")
    out = await browser.send(page.form("/sign-out"))
    assert out.path == "/sign-in?done=signed-out"
    assert "您已安全退出。" in out.text
    browser.http.cookies.set("loop_session", kept, domain="loop.test")
    assert (await browser.get("/")).path.startswith("/sign-in")
    assert (await browser.send(page.form("/sign-out"))).path == "/sign-in"


async def test_signing_in_anew_in_the_same_browser_ends_the_session_before(pages: Pages) -> None:
    browser = await pages.browser("school")
    before = browser.http.cookies["loop_session"]
    form = (await (await pages.browser()).get("/sign-in")).form("/sign-in")
    browser.http.cookies.set("loop_form", dict(form.fields)["csrf"], domain="loop.test")
    await browser.send(form, name="officer", password=PASSWORD)
    assert browser.http.cookies["loop_session"] != before
    assert (await browser.get("/")).status == 200
    thief = await pages.browser()
    thief.http.cookies.set("loop_session", before, domain="loop.test")
    assert (await thief.get("/")).path.startswith("/sign-in")


@pytest.mark.parametrize("given", [{"csrf": None}, {"csrf": ""}, {"csrf": "forged"}])
async def test_a_form_without_its_proof_does_nothing(pages: Pages, given: dict[str, str | None]) -> None:
    browser = await pages.browser("school")
    page = await browser.get("/")
    refused = await browser.send(page.form("/sign-out"), **given)
    assert refused.status == 403
    assert (await browser.get("/")).heading == "我的待办"
    guest = await pages.browser()
    entry = await guest.get("/sign-in")
    assert (await guest.send(entry.form("/sign-in"), name="school", password=PASSWORD, **given)).status == 403


async def test_nobody_is_sent_to_another_site(pages: Pages) -> None:
    for wanted in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        browser = await pages.browser()
        page = await browser.get("/sign-in", params={"next": wanted})
        seen = await browser.send(page.form("/sign-in"), name="school", password=PASSWORD, next=wanted)
        assert seen.path == "/?done=signed-in"
