"""A form that is sent twice, by an impatient finger or a bad line, is done once."""

from __future__ import annotations

import asyncio

from tests.browsing import Pages, pages, pages_on_both, sqlite_url
from tests.test_web_finding import HEADERS, PDF, attachments, multipart

__all__ = ["pages", "pages_on_both", "sqlite_url"]

NEW = "/findings/new"
GIVEN = {"title": "消防通道堵塞", "unit": "桐峰镇中心小学", "category": "campus_safety"}


async def test_a_new_finding_sent_twice_at_once_is_one_finding(pages_on_both: Pages) -> None:
    inspector = await pages_on_both.browser("inspector")
    form = (await inspector.get(NEW)).form(NEW)
    first, second = await asyncio.gather(inspector.send(form, **GIVEN), inspector.send(form, **GIVEN))
    assert first.status == second.status == 200
    assert first.path == second.path
    assert first.path.endswith("?done=acted.open")


async def test_what_was_typed_anew_in_a_form_gone_back_to_is_another_finding(pages: Pages) -> None:
    inspector = await pages.browser("inspector")
    form = (await inspector.get(NEW)).form(NEW)
    first = await inspector.send(form, **GIVEN)
    other = await inspector.send(form, **GIVEN | {"title": "围墙开裂"})
    assert other.status == 200
    assert other.path != first.path


async def test_the_same_words_with_another_photo_are_another_finding(pages: Pages) -> None:
    inspector = await pages.browser("inspector")
    page = await inspector.get(NEW)
    first = await multipart(inspector, page, NEW, [("_files:", PDF)], **GIVEN)
    again = await multipart(inspector, page, NEW, [("_files:", PDF)], **GIVEN)
    other = await multipart(inspector, page, NEW, [("_files:", ("b.pdf", b"%PDF-1.7\nother", ""))], **GIVEN)
    assert first.path == again.path != other.path


async def test_two_people_who_send_the_same_mark_are_not_mixed_up(pages: Pages) -> None:
    one, two = await pages.browser("inspector"), await pages.browser("inspector2")
    form = (await one.get(NEW)).form(NEW)
    first = await one.send(form, **GIVEN)
    csrf = dict((await two.get(NEW)).form(NEW).fields)["csrf"]
    second = await two.send(form, **GIVEN, csrf=csrf)
    assert first.path != second.path


async def test_a_refused_form_may_be_sent_again_and_again_until_it_is_done(pages: Pages) -> None:
    inspector = await pages.browser("inspector")
    form = (await inspector.get(NEW)).form(NEW)
    assert [(await inspector.send(form, title="消防通道堵塞")).status for _ in range(2)] == [422, 422]
    assert (await inspector.send(form, **GIVEN)).status == 200


async def test_an_action_sent_twice_says_that_it_was_done_and_is_done_once(pages: Pages) -> None:
    number = pages.world.executing()
    path = f"/findings/{number}/actions/report_progress"
    school = await pages.browser("school")
    form = (await school.get(path)).form(path)
    before = pages.world.version(number)
    for _ in range(2):
        done = await school.send(form, text="已清空一半", percent="50")
        assert done.path == f"/findings/{number}?done=acted.report_progress"
    assert pages.world.version(number) == before + 1


async def test_files_of_an_action_sent_twice_are_attached_once(pages: Pages) -> None:
    number = pages.world.executing()
    school = await pages.browser("school")
    for action, given in (("report_progress", {"text": "已清空一半", "percent": "50"}), ("attach", {})):
        path = f"/findings/{number}/actions/{action}"
        page = await school.get(path)
        field = "_files:" if action == "attach" else "_files:attachments"
        for _ in range(2):
            done = await multipart(school, page, path, [(field, PDF)], **given)
            assert done.status == 200
            assert done.path.startswith(f"/findings/{number}?done=acted.{action}")
    assert attachments(pages, number).count(PDF[0]) == 2


async def test_files_of_an_action_sent_twice_at_once_are_attached_once(pages_on_both: Pages) -> None:
    number = pages_on_both.world.executing()
    school = await pages_on_both.browser("school")
    for action, given in (("report_progress", {"text": "已清空一半", "percent": "50"}), ("attach", {})):
        path = f"/findings/{number}/actions/{action}"
        page = await school.get(path)
        field = "_files:" if action == "attach" else "_files:attachments"
        both = await asyncio.gather(*(multipart(school, page, path, [(field, PDF)], **given) for _ in range(2)))
        assert {one.path.partition("#")[0] for one in both} == {f"/findings/{number}?done=acted.{action}"}
    assert attachments(pages_on_both, number).count(PDF[0]) == 2


async def test_a_form_that_was_answered_with_a_page_is_still_done_once_when_sent_twice_at_once(
    pages_on_both: Pages,
) -> None:
    inspector = await pages_on_both.browser("inspector")
    page = await inspector.get(NEW)
    refused = await multipart(inspector, page, NEW, [("_files:", ("a.svg", b"<svg/>", ""))], **GIVEN)
    assert refused.path == NEW
    first, second = await asyncio.gather(*(multipart(inspector, page, NEW, [], **GIVEN) for _ in range(2)))
    assert first.path == second.path
    assert first.path.endswith("?done=acted.open")


async def test_a_mark_opens_no_door(pages: Pages) -> None:
    inspector, school = await pages.browser("inspector"), await pages.browser("school")
    form = (await inspector.get(NEW)).form(NEW)
    await inspector.send(form, **GIVEN)
    csrf = dict((await school.get("/profile")).forms()[0].fields)["csrf"]
    assert (await school.send(form, **GIVEN, csrf=csrf)).status == 403
    refused = await inspector.http.post(NEW, data=dict(form.fields) | GIVEN | {"csrf": "forged"}, headers=HEADERS)
    assert refused.status_code == 403


# ---- what says how something shall be is done anew when it is sent anew ------------------------------------------------


async def test_a_recusal_declared_anew_after_it_was_lifted_holds_again(pages: Pages) -> None:
    inspector, chief = await pages.browser("inspector"), await pages.browser("chief")
    mine, theirs = "/profile/recusals", f"/recusals/{pages.world.cast.ids['inspector']}"
    form = (await inspector.get(mine)).form(mine)
    away = {"unit": "桐峰镇中心小学", "ground": "配偶在该校任教"}
    await inspector.send(form, **away)
    await chief.send((await chief.get(theirs)).form(f"{theirs}/lift"))
    assert "已解除" in (await inspector.get(mine)).text
    again = await inspector.send(form, **away)
    assert again.path == f"{mine}?done=recusal-kept"
    assert "已解除" not in again.text


async def test_a_form_of_settings_gone_back_to_says_the_truth_when_it_says_kept(pages: Pages) -> None:
    chief, admin = await pages.browser("chief"), await pages.browser("admin")
    mine = "/profile/substitutes"
    form = (await chief.get(mine)).form(mine)
    away = {"name": "officer", "from_on": pages.world.day(), "until_on": pages.world.day(9)}
    kept = await chief.send(form, **away)
    await chief.send(kept.form(mine), name=["", ""])
    again = await chief.send(form, **away)
    assert again.path == f"{mine}?done=substitutes-kept"
    assert "代理中" in again.text
    school = "/admin/units/school"
    named = (await admin.get(school)).form(school)
    for name in ("桐峰镇第一小学", "桐峰镇第二小学", "桐峰镇第一小学"):
        assert (await admin.send(named, name=name)).heading == name
