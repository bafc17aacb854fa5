"""One action on several findings by the page: what all allow, one form, a preview that does nothing, then all or none."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from tests.browsing import Browser, Form, Pages, Seen, pages, sqlite_url

__all__ = ["pages", "sqlite_url"]
WHY = {"reasons.0.text": "逾期未整改", "facts": "多次催办仍未整改"}


def chosen(*numbers: str, action: str = "") -> str:
    """Where these findings are acted on."""
    query = urlencode([("finding", number) for number in numbers])
    return f"/findings/bulk{'/' if action else ''}{action}?{query}"


def the_form(seen: Seen, action: str) -> Form:
    """The form of the action; of several on the page the first."""
    return seen.form(f"/findings/bulk/{action}")


async def previewed(browser: Browser, action: str, numbers: list[str], **given: Any) -> Seen:
    """The preview of an action on these findings."""
    form = the_form(await browser.get(chosen(*numbers, action=action)), action)
    return await browser.send(form, "_step", "preview", **given)


async def test_what_is_ticked_in_the_ledger_is_acted_on_after_a_preview_that_did_nothing(pages: Pages) -> None:
    world = pages.world
    first, second = world.executing(title="通道"), world.executing(title="食堂", unit="other_school")
    officer = await pages.browser("officer")
    ledger = await officer.get("/findings?stage=rectification&sort=number")
    choosing = await officer.send(ledger.form("/findings/bulk"), finding=[first, second])
    assert "所选 2 个问题都可以" in choosing.text
    filling = await officer.get(choosing.links()["建议通报"])
    before = {number: world.version(number) for number in (first, second)}
    preview = await officer.send(the_form(filling, "propose_bulletin"), "_step", "preview", **WHY)
    assert preview.heading == "预览：建议通报"
    assert "办理 2 个问题" in preview.text
    # The chief and the leader are told of each.
    assert "将向 2 人发送 4 条消息" in preview.text
    assert "chief·某 督导办负责人 · 2 条" in preview.text
    assert preview.text.count("通报拟稿") == 2
    assert {number: world.version(number) for number in (first, second)} == before
    done = await officer.send(the_form(preview, "propose_bulletin"), "_step", "confirm")
    assert "已办理：建议通报。" in done.text
    assert done.path.startswith("/findings?stage=rectification&sort=number&")
    for number in (first, second):
        assert world.state(number) == "bulletin.drafted"
        assert world.finding(number).sheet["bulletin"]["facts"] == WHY["facts"]


async def test_from_the_preview_one_goes_back_to_what_was_typed(pages: Pages) -> None:
    numbers = [pages.world.executing() for _ in range(2)]
    officer = await pages.browser("officer")
    preview = await previewed(officer, "propose_bulletin", numbers, **WHY)
    again = the_form(await officer.send(the_form(preview, "propose_bulletin"), "_step", "edit"), "propose_bulletin")
    assert dict(again.fields).items() >= WHY.items()
    assert [value for name, value in again.fields if name == "_finding"] == numbers


async def test_one_that_refuses_keeps_all_from_being_done_and_says_why(pages: Pages) -> None:
    world = pages.world
    first, second = world.executing(title="通道"), world.executing(title="食堂")
    officer = await pages.browser("officer")
    preview = await previewed(officer, "propose_bulletin", [first, second], **WHY)
    world.act("officer", "propose_interview", second, reasons=[{"no": 1, "text": "拒不整改"}])
    world.act("chief", "drop", second, reason="已约定时间")
    refused = await officer.send(the_form(preview, "propose_bulletin"), "_step", "confirm")
    assert refused.status == 412
    assert "有 1 个问题不符合条件，全部未办理" in refused.text
    assert world.state(first) == "rectification.executing"
    (wrong,) = [li for li in refused.root.all("li", class_="is-wrong") if second in li.text()]
    assert "chief 于" in wrong.text()
    assert "已更新此问题" in wrong.text()
    form = the_form(refused, "propose_bulletin")
    assert dict(form.fields).items() >= WHY.items()
    assert [value for name, value in form.fields if name == "_finding"] == [first]
    preview = await officer.send(form, "_step", "preview")
    assert "办理 1 个问题" in preview.text
    await officer.send(the_form(preview, "propose_bulletin"), "_step", "confirm")
    assert (world.state(first), world.state(second)) == ("bulletin.drafted", "rectification.executing")


async def test_what_is_filled_in_wrongly_is_marked_and_nothing_typed_is_lost(pages: Pages) -> None:
    numbers = [pages.world.executing() for _ in range(2)]
    officer = await pages.browser("officer")
    refused = await previewed(officer, "propose_bulletin", numbers, facts="多次催办")
    assert refused.status == 422
    assert "请先更正下面标出的内容。" in refused.text
    form = the_form(refused, "propose_bulletin")
    assert dict(form.fields)["facts"] == "多次催办"
    grown = the_form(await officer.send(form, "_more", "reasons", **WHY), "propose_bulletin")
    assert "reasons.1.text" in grown.names
    assert dict(grown.fields).items() >= WHY.items()
    nobody = await officer.send(grown, "_step", "preview", _finding=None)
    assert nobody.status == 422
    assert "请至少保留一个问题。" in nobody.text
    assert dict(the_form(nobody, "propose_bulletin").fields).items() >= WHY.items()


async def test_another_row_does_not_hide_who_changed_one_meanwhile(pages: Pages) -> None:
    world = pages.world
    numbers = [world.executing() for _ in range(2)]
    officer = await pages.browser("officer")
    form = the_form(await officer.get(chosen(*numbers, action="propose_bulletin")), "propose_bulletin")
    world.act("chief", "urge", numbers[0], text="请抓紧")
    grown = the_form(await officer.send(form, "_more", "reasons", **WHY), "propose_bulletin")
    stale = await officer.send(grown, "_step", "preview", **WHY)
    assert (stale.status, "chief" in stale.text) == (412, True)
    preview = await officer.send(the_form(stale, "propose_bulletin"), "_step", "preview", _finding=numbers)
    assert preview.heading == "预览：建议通报"


async def test_a_joint_interview_is_one_notice_and_one_record_over_several_units(pages: Pages) -> None:
    world = pages.world
    numbers = [world.executing(), world.executing(unit="other_school")]
    world.act_all("officer", "propose_interview", numbers, {"reasons": [{"no": 1, "text": "整改不力"}]})
    chief = await pages.browser("chief")
    at = {"at": f"{world.day(14)}T09:00", "place": "督导办会议室", "chair": "director"}
    who = {"interviewees.0.name": "张校长", "interviewees.0.post": "校长", "materials": "整改台账"}
    preview = await previewed(chief, "notice_interview", numbers, **at, **who)
    assert "生成 1 份文书：约谈通知书" in preview.text
    await chief.send(the_form(preview, "notice_interview"), "_step", "confirm")
    assert {world.state(number) for number in numbers} == {"interview.noticed"}
    world.sleep(15)
    form = the_form(await chief.get(chosen(*numbers, action="hold_interview")), "hold_interview")
    assert dict(form.fields)["attendance.0.name"] == "张校长"


async def test_a_paper_to_one_unit_is_offered_for_the_findings_of_one_unit(pages: Pages) -> None:
    world = pages.world
    first, second = world.executing(), world.executing()
    elsewhere = world.executing(unit="other_school")
    officer = await pages.browser("officer")
    mixed = await officer.get(chosen(first, elsewhere))
    assert "催办" not in mixed.links()
    assert "请按单位分别选择" in mixed.text
    preview = await previewed(officer, "urge", [first, second], text="请尽快整改")
    assert "生成 1 份文书：催办通知" in preview.text
    assert (await officer.get(chosen(first, elsewhere, action="urge"))).status == 403


async def test_some_that_allow_more_are_one_click_away_and_what_is_each_ones_own_is_done_alone(pages: Pages) -> None:
    world = pages.world
    one, other = world.executing(), world.fed_back()
    third = world.executing()
    officer = await pages.browser("officer")
    seen = await officer.get(chosen(one, other, third))
    assert "上传附件" not in seen.links()
    assert "须逐项办理：" in seen.text
    narrowed = await officer.get(
        next(path for words, path in seen.links().items() if "（2 项）" in words and "约谈" in words)
    )
    assert "所选问题（2 项）" in narrowed.text
    assert "建议约谈" in narrowed.links()
    assert (await officer.get(chosen(one, third, action="attach"))).status == 403


async def test_who_may_not_act_is_offered_nothing_and_cannot_forge_it(pages: Pages) -> None:
    world = pages.world
    numbers = [world.executing(), world.executing()]
    officer, auditor, stranger = [await pages.browser(name) for name in ("officer", "auditor", "next_officer")]
    assert "没有对所选问题都能办理的事项" in (await auditor.get(chosen(*numbers))).text
    form = the_form(await officer.get(chosen(*numbers, action="propose_bulletin")), "propose_bulletin")
    for browser, status in ((auditor, 403), (stranger, 404)):
        forged = Form(form.action, "post", [(n, v) for n, v in form.fields if n != "csrf"])
        forged.fields += (await browser.get("/findings")).form("/sign-out").fields
        assert (await browser.send(forged, "_step", "confirm", **WHY)).status == status
    without = Form(form.action, "post", [(n, v) for n, v in form.fields if n != "csrf"])
    assert (await officer.send(without, "_step", "confirm", **WHY)).status == 403
    assert {world.state(number) for number in numbers} == {"rectification.executing"}


async def test_what_is_out_of_sight_is_left_out_and_nothing_chosen_says_what_to_do(pages: Pages) -> None:
    number = pages.world.executing()
    officer, stranger = await pages.browser("officer"), await pages.browser("next_officer")
    seen = await officer.get(chosen(number, "YX-2026-9999", "x" * 500))
    assert "另有 1 项不在您的查看范围内" in seen.text
    for path in (chosen(), chosen("YX-2026-9999")):
        assert "没有选择问题" in (await officer.get(path)).text
    assert "没有选择问题" in (await stranger.get(chosen(number))).text
    assert (await stranger.get(chosen(number, action="comment"))).status == 404
    assert (await officer.get(chosen(number, action="no_such_action"))).status == 404


async def test_the_pages_speak_english(pages: Pages) -> None:
    numbers = [pages.world.executing() for _ in range(2)]
    officer = await pages.browser("officer", "en")
    assert "All chosen findings allow:" in (await officer.get(chosen(*numbers))).text
    preview = await previewed(officer, "comment", numbers, text="Please report.")
    assert "2 findings are acted on" in preview.text


async def test_all_that_match_are_chosen_over_every_page_and_no_other(pages: Pages) -> None:
    world = pages.world
    numbers = [world.executing(title=f"通道{i}") for i in range(4)]
    other = world.opened(title="食堂")
    officer = await pages.browser("officer")
    ledger = await officer.get("/findings?stage=rectification&sort=number&limit=2")
    choosing = await officer.send(ledger.form("/findings/bulk"), "all", "1")
    assert "所选问题（4 项）" in choosing.text
    assert all(number in choosing.text for number in numbers)
    assert other not in choosing.text
    nonsense = await officer.get("/findings/bulk?all=1&back=sort%3Dnonsense")
    assert "没有选择问题" in nonsense.text


async def test_more_than_are_taken_at_once_is_said(pages: Pages) -> None:
    for i in range(201):
        pages.world.opened(title=f"通道{i}")
    officer = await pages.browser("officer")
    choosing = await officer.get("/findings/bulk?all=1&back=state%3Dreport.draft")
    assert "符合条件的不止这些：一次最多 200 个" in choosing.text
    assert "所选问题（200 项）" in choosing.text


async def test_a_confirmation_sent_twice_is_done_once(pages: Pages) -> None:
    world = pages.world
    numbers = [world.executing() for _ in range(2)]
    officer = await pages.browser("officer")
    preview = await previewed(officer, "propose_bulletin", numbers, **WHY)
    before = [world.version(number) for number in numbers]
    for _ in range(2):
        done = await officer.send(the_form(preview, "propose_bulletin"), "_step", "confirm")
        assert "已办理：建议通报。" in done.text
    assert [world.version(number) for number in numbers] == [n + 1 for n in before]


async def test_where_all_refuse_for_one_word_of_the_form_nobody_ticks_them_again(pages: Pages) -> None:
    numbers = [pages.world.executing() for _ in range(2)]
    chief = await pages.browser("chief")
    refused = await previewed(chief, "suspend", numbers, reason="等待鉴定", until=pages.world.day(-1))
    assert "所选问题都不符合条件" in refused.text
    form = the_form(refused, "suspend")
    assert [text for name, text in form.fields if name == "_finding"] == numbers
    assert (await chief.send(form, "_step", "preview", until=pages.world.day(20))).heading == "预览：中止时限"


async def test_what_a_finding_itself_holds_back_is_not_said_to_be_possible_for_all(pages: Pages) -> None:
    numbers = [pages.world.executing() for _ in range(2)]
    chief = await pages.browser("chief")
    assert "恢复时限" not in (await chief.get(chosen(*numbers))).links()
    pages.world.act("chief", "suspend", numbers[0], reason="等待鉴定", until=pages.world.day(20))
    (partly,) = [words for words in (await chief.get(chosen(*numbers))).links() if words.startswith("恢复时限")]
    assert "（1 项）" in partly


async def test_many_chosen_cost_no_more_questions_than_two(pages: Pages) -> None:
    officer = await pages.browser("officer")
    numbers = [pages.world.executing() for _ in range(6)]

    async def questions(path: str) -> int:
        ran: list[str] = []
        pages.world.parts.store.trace = lambda text, _: ran.append(text)
        assert (await officer.get(path)).status == 200
        pages.world.parts.store.trace = None
        return len(ran)

    for action in ("", "propose_interview"):
        assert await questions(chosen(*numbers[:2], action=action)) == await questions(chosen(*numbers, action=action))
