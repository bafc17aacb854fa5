"""Tip-offs as the office that received them: checked, merged, turned into findings, answered; the identity on record."""

from __future__ import annotations

import pytest

from loop.store import journal, tip_offs
from loop.store.tip_offs import chain_of
from tests.browsing import Browser, Pages, Seen, pages, sqlite_url
from tests.cast import CITY

__all__ = ["pages", "sqlite_url"]

MATTER = "学校食堂使用过期食材，请核查。"
HOSTILE = '<img src=x onerror="alert(1)">'


async def received(pages: Pages, **changes: str) -> tuple[str, str]:
    """A tip-off about the school; its id and its receipt code."""
    given = {"matter": MATTER, "unit": "school", "name": "陈某某", "contact": "13800000000"} | changes
    answer = await pages.post(None, "/tip-offs", given)
    assert answer.status_code == 201
    code = answer.json()["receipt"]
    found = pages.world.parts.store.read(lambda tx: tip_offs.by_receipt(tx, code))
    return found.id, code


async def press(browser: Browser, path: str, what: str, /, **given: str | None) -> Seen:
    """Press the button `what` of the page, in the form that has the fields given."""
    page = await browser.get(path)
    able = [form for form in page.forms() if ("do", what) in form.buttons]
    assert able, (what, page.text)
    return await browser.send(able[0], "do", what, **given)


async def test_the_office_finds_what_waits_for_an_answer_and_what_was_answered(pages: Pages) -> None:
    id_, _ = await received(pages, matter=MATTER + HOSTILE)
    other, _ = await received(pages, matter="答复过的")
    await pages.call("officer", "PATCH", f"/tip-offs/{other}", {"status": "answered", "result": "已处理"})
    for name in ("officer", "chief"):
        browser = await pages.browser(name)
        assert (await browser.get("/")).links()["线索"] == "/tip-offs"
        listed = await browser.get("/tip-offs")
        assert MATTER in listed.text
        assert "桐峰镇中心小学" in listed.text
        assert "还有" in listed.text
        assert "答复过的" not in listed.text
        assert "<img src=x" not in listed.answer.text
        assert "答复过的" in (await browser.get("/tip-offs?status=answered")).text
        assert "答复过的" in (await browser.get("/tip-offs?status=all")).text
        assert MATTER in (await browser.get(f"/tip-offs/{id_}")).text


@pytest.mark.parametrize(
    ("name", "lists", "one"),
    [
        ("inspector", 403, 403), ("director", 403, 403), ("leader", 403, 403), ("auditor", 403, 403), ("admin", 403, 403),
        ("school", 403, 403), ("bureau", 403, 403), ("next_officer", 200, 404), ("city_chief", 200, 404),
    ],
)  # fmt: skip
async def test_nobody_else_reads_or_handles_it(pages: Pages, name: str, lists: int, one: int) -> None:
    id_, _ = await received(pages)
    officer = await pages.browser("officer")
    page = await officer.get(f"/tip-offs/{id_}")
    browser = await pages.browser(name)
    listed = await browser.get("/tip-offs")
    assert listed.status == lists
    assert MATTER not in listed.text
    assert ("线索" in (await browser.get("/")).links()) is (lists == 200)
    assert (await browser.get(f"/tip-offs/{id_}")).status == one
    own = (await browser.get("/profile")).form("/profile/language")
    csrf = dict(own.fields)["csrf"]
    for form in page.forms():
        if form.action.startswith("/tip-offs"):
            assert (await browser.send(form, "do", "answer", csrf=csrf, result="不属实")).status == one
    after = pages.world.parts.store.read(lambda tx: tip_offs.tip_off(tx, id_))
    assert after.status == "received"
    assert (await (await pages.browser()).get(f"/tip-offs/{id_}")).path.startswith("/sign-in")


async def test_a_form_of_another_site_does_nothing(pages: Pages) -> None:
    id_, _ = await received(pages)
    browser = await pages.browser("officer")
    page = await browser.get(f"/tip-offs/{id_}")
    forms = [form for form in page.forms() if form.action.startswith("/tip-offs")]
    assert len(forms) == 4
    for form in forms:
        assert (await browser.send(form, "do", "check", csrf=None)).status == 403
    trail = pages.world.parts.store.read(lambda tx: journal.trail(tx, chain_of(id_)))
    assert [entry.action for entry in trail] == ["receive_tip_off", "start_timer"]


async def test_it_is_checked_and_answered_and_whoever_reported_reads_the_answer(pages: Pages) -> None:
    id_, code = await received(pages)
    browser, path = await pages.browser("officer"), f"/tip-offs/{id_}"
    begun = await press(browser, path, "check")
    assert "已开始核查。" in begun.text
    assert "核查中" in begun.text
    empty = await press(browser, path, "answer", result="  ")
    assert empty.status == 422
    assert "请填写答复内容。" in empty.text
    answered = await press(browser, path, "answer", result=f"经查属实，已责令整改。{HOSTILE}")
    assert "已办结" in answered.text
    assert answered.root.all("textarea") == []
    assert "<img src=x" not in answered.answer.text
    guest = await pages.browser()
    page = await guest.get("/report/state")
    told = await guest.send(page.form("/report/state"), code=code)
    assert f"经查属实，已责令整改。{HOSTILE}" in told.text
    assert "officer·某（督导办经办人）" in answered.text


async def test_a_refusal_keeps_what_was_typed(pages: Pages) -> None:
    id_, _ = await received(pages)
    browser, path = await pages.browser("officer"), f"/tip-offs/{id_}"
    wrong = await press(browser, path, "link", finding="YX-1999-0001")
    assert wrong.status == 422
    assert "没有这个问题。" in wrong.text
    assert any(("finding", "YX-1999-0001") in form.fields for form in wrong.forms())
    await press(browser, path, "answer", result="已答复")
    stale = next(form for form in wrong.forms() if ("do", "check") in form.buttons)
    late = await browser.send(stale, "do", "check")
    assert late.status == 409
    assert "举报已办结，不能退回核查。" in late.text


async def test_several_merge_into_one_finding_and_hold_back_its_write_off_until_they_are_answered(pages: Pages) -> None:
    world = pages.world
    number = world.executing()
    first, _ = await received(pages)
    browser = await pages.browser("officer")
    seen = await press(browser, f"/tip-offs/{first}", "link", finding=number)
    assert "已与问题关联。" in seen.text
    assert seen.links()[number] == f"/findings/{number}"
    assert world.parts.store.read(lambda tx: tip_offs.unanswered_on(tx, number)) == 1
    await press(browser, f"/tip-offs/{first}", "answer", result="已并案办理")
    assert world.parts.store.read(lambda tx: tip_offs.unanswered_on(tx, number)) == 0


async def test_it_becomes_a_finding_whose_form_knows_what_was_reported_but_not_by_whom(pages: Pages) -> None:
    id_, _ = await received(pages)
    browser = await pages.browser("officer")
    page = await browser.get(f"/tip-offs/{id_}")
    begun = await browser.get(page.links()["登记为问题"])
    form = begun.form(f"/findings/new?tip_off={id_}")
    fields = dict(form.fields)
    assert (fields["unit"], fields["description"]) == ("桐峰镇中心小学", MATTER)
    assert "陈某某" not in begun.answer.text + begun.text
    assert "13800000000" not in begun.answer.text
    made = await browser.send(form, title="食堂使用过期食材", category="health_canteen")
    assert made.status == 200, made.text
    after = pages.world.parts.store.read(lambda tx: tip_offs.tip_off(tx, id_))
    assert after.finding is not None
    assert after.is_origin
    assert pages.world.finding(after.finding).title == "食堂使用过期食材"
    assert made.path.startswith(f"/findings/{after.finding}")
    chief = await pages.browser("chief")
    assert "登记为问题" not in (await chief.get(f"/tip-offs/{id_}")).links()
    assert (await (await pages.browser("inspector")).get(f"/findings/new?tip_off={id_}")).status == 403


async def test_the_identity_is_shown_when_it_is_opened_and_every_opening_is_on_record(pages: Pages) -> None:
    id_, _ = await received(pages, name=HOSTILE)
    browser = await pages.browser("officer")
    page = await browser.get(f"/tip-offs/{id_}")
    assert "13800000000" not in page.answer.text
    opened = await browser.send(page.form(f"/tip-offs/{id_}/identity"))
    assert "13800000000" in opened.text
    assert HOSTILE in opened.text
    assert "<img src=x" not in opened.answer.text
    assert "查看举报人信息 · officer·某（督导办经办人）" in opened.text
    assert "13800000000" not in (await browser.get(f"/tip-offs/{id_}")).answer.text
    trail = pages.world.parts.store.read(lambda tx: journal.trail(tx, chain_of(id_)))
    assert [entry.action for entry in trail].count("open_identity") == 1


async def test_it_goes_to_the_nearest_office_alone(pages: Pages) -> None:
    await pages.post(None, "/tip-offs", {"matter": MATTER, "region": CITY})
    assert MATTER in (await (await pages.browser("city_chief")).get("/tip-offs")).text
    assert MATTER not in (await (await pages.browser("officer")).get("/tip-offs")).text


async def test_a_list_asks_the_same_few_questions_however_long_it_is(pages: Pages) -> None:
    browser = await pages.browser("officer")
    counts = []
    for _ in range(2):
        await received(pages)
        counts.append(await questions(pages, browser, "/tip-offs"))
    assert counts[0] == counts[1]


async def questions(pages: Pages, browser: Browser, path: str) -> int:
    said: list[str] = []
    pages.world.parts.store.trace = lambda text, values: said.append(text)
    await browser.get(path)
    pages.world.parts.store.trace = None
    return len(said)
