"""The desk says what waits, why and what to do next; the inbox what one was told, and takes signatures."""

from __future__ import annotations

from tests.browsing import Pages, pages, sqlite_url

__all__ = ["pages", "sqlite_url"]


async def test_the_desk_lists_what_waits_with_its_next_step(pages: Pages) -> None:
    number = pages.world.received()
    pages.world.sleep(23)
    school = await pages.browser("school")
    desk = await school.get("/")
    (task,) = desk.root.all("li", class_="task")
    assert "整改方案" in task.text()
    assert "逾期" in task.text()
    assert number in task.text()
    assert (
        desk.links()["报送整改方案：" + pages.world.finding(number).title] == f"/findings/{number}/actions/submit_plan"
    )


async def test_an_empty_desk_and_an_empty_inbox_say_so(pages: Pages) -> None:
    browser = await pages.browser("other_school")
    assert "没有待办事项" in (await browser.get("/")).text
    assert "还没有消息" in (await browser.get("/inbox")).text
    assert "没有未读消息" in (await browser.get("/inbox?unread=true")).text
    english = await pages.browser("other_school", "en")
    assert "Nothing waits for you" in (await english.get("/")).text


async def test_signing_for_messages_once_and_only_for_ones_own(pages: Pages) -> None:
    world = pages.world
    world.received()
    school = await pages.browser("school")
    inbox = await school.get("/inbox?unread=true")
    forms = [
        form for form in inbox.forms() if form.action == "/inbox" and any(name == "message" for name, _ in form.fields)
    ]
    ids = {int(dict(form.fields)["message"]) for form in forms}
    unread = {m.id for m in world.inbox("school") if m.read_at is None}
    assert ids == unread
    signed = await school.send(forms[0])
    assert "已签收。" in signed.text
    assert signed.path == "/inbox?unread=true&done=message-signed"
    first = int(dict(forms[0].fields)["message"])
    assert {m.id for m in world.inbox("school") if m.signed_at} == {first}
    other = await pages.browser("other_school")
    page = await other.get("/inbox")
    sign_out = page.form("/sign-out")
    sign_out.action = "/inbox"
    assert (await other.send(sign_out, message=[str(one) for one in unread])).status == 404
    assert {m.id for m in world.inbox("school") if m.signed_at} == {first}


async def test_a_school_sees_what_is_with_the_office_and_what_it_still_owes(pages: Pages) -> None:
    number = pages.world.received()
    pages.world.sleep(45)
    assert pages.world.state(number) == "interview.proposed"
    desk = await (await pages.browser("school")).get("/")
    assert "没有待办事项" in desk.text
    beside = desk.root.all("section", aria_labelledby="beside")[0].text()
    assert number in beside
    assert "您单位的整改责任不变，仍应尽快报送整改方案" in beside


async def test_whoever_has_many_units_reads_on_the_desk_which_one_it_is(pages: Pages) -> None:
    pages.world.act("inspector", "submit_report", pages.world.opened())
    (task,) = (await (await pages.browser("chief")).get("/")).root.all("li", class_="task")
    assert "桐峰镇中心小学" in task.text()
    assert "beside" not in str((await (await pages.browser("chief")).get("/")).answer.text)
