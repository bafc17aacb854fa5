"""The page of a finding shows each reader what is theirs to see and do; nothing typed or uploaded is lost on the way."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from loop.store import evidence
from tests.browsing import Browser, Pages, Seen, pages, sqlite_url

__all__ = ["pages", "sqlite_url"]

PDF = ("材料.pdf", b"%PDF-1.7\nevidence", "application/pdf")
HEADERS = {"origin": "http://loop.test"}


async def multipart(browser: Browser, seen: Seen, path: str, files: list[Any], **given: str) -> Seen:
    """Send a form of a page with files, as a browser does."""
    fields = {name: text for name, text in seen.form(path).fields if not name.startswith("_files:")} | given
    return Seen(await browser.http.post(path, data=fields, files=files, headers=HEADERS))


def attachments(pages: Pages, number: str) -> list[str]:
    return [one.name for one in pages.world.parts.store.read(lambda tx: evidence.of_finding(tx, number))]


# ---- reading ---------------------------------------------------------------------------------------------------------


async def test_the_page_says_who_must_do_what_by_when_and_what_happens_otherwise(pages: Pages) -> None:
    number = pages.world.received()
    school = await pages.browser("school")
    page = await school.get(f"/findings/{number}")
    now = page.root.all("section", aria_labelledby="now")[0].text()
    for words in (
        "被督导单位",
        "整改方案报送期限",
        "还有 15 个工作日",
        "2026-03-23（周一）23:59",
        "预警",
        "报送整改方案",
    ):
        assert words in now, now
    assert page.links()["怎么算的"].startswith(f"/findings/{number}/clocks/")
    ring = page.root.all("svg", class_="ring")[0]
    assert "走过：报告 → 反馈 → 整改" in ring.text()
    assert {node.attrs["class"] for node in ring.all("g")} >= {"station station-here", "station station-walked"}


async def test_the_ring_shows_where_the_stage_leads_though_not_by_the_next_step_alone(pages: Pages) -> None:
    number = pages.world.fed_back()
    pages.world.act("school", "waive_defence", number)
    page = await (await pages.browser("school")).get(f"/findings/{number}")
    ahead = [node.text() for node in page.root.all("g", class_="station-ahead")]
    assert any("整改" in words for words in ahead), ahead


async def test_what_a_guard_holds_back_is_shown_with_its_sentence(pages: Pages) -> None:
    number = pages.world.opened(facts=None)
    officer = await pages.browser("officer")
    page = await officer.get(f"/findings/{number}")
    assert "提交审核 ：请先补充事实和依据。" in page.text
    assert "/actions/submit_report" not in " ".join(page.links().values())
    form = await officer.get(f"/findings/{number}/actions/submit_report")
    assert "暂不能办理：请先补充事实和依据。" in form.text


async def test_a_school_sees_steps_but_only_the_words_that_are_for_it(pages: Pages) -> None:
    number = pages.world.executing()
    pages.world.act("chief", "comment", number, text="内部研判意见", internal=True)
    pages.world.act("leader", "instruct", number, text="请严肃处理")
    school = await (await pages.browser("school")).get(f"/findings/{number}")
    chief = await (await pages.browser("chief")).get(f"/findings/{number}")
    for words in ("内部研判意见", "请严肃处理", "督导报告条目"):
        assert words in chief.text
        assert words not in school.text
    assert "批示" in school.text
    assert "内容不对您公开。" in school.text
    hashes = [entry.hash for entry in pages.world.trail(number)]
    assert all(one in chief.text for one in hashes)


async def test_who_was_told_and_who_has_read_is_shown_to_the_office(pages: Pages) -> None:
    number = pages.world.received()
    school = await pages.browser("school")
    inbox = await school.get("/inbox")
    await school.send(next(f for f in inbox.forms() if "message" in dict(f.fields)))
    page = await (await pages.browser("chief")).get(f"/findings/{number}")
    assert re.search(r"告知 \d 人，1 人已读", page.text)
    assert "签收" in page.text


async def test_whoever_opens_a_finding_has_read_what_they_were_told_about_it(pages: Pages) -> None:
    number = pages.world.received()
    school, other = await pages.browser("school"), await pages.browser("other_school")
    seen = (await school.get(f"/findings/{number}")).form(f"/findings/{number}/seen")
    assert {message.read_at for message in pages.world.inbox("school")} == {None}
    assert (await other.send(seen)).status == 403
    assert (await school.send(seen, csrf="forged")).status == 403
    assert {message.read_at for message in pages.world.inbox("school")} == {None}
    assert (await school.send(seen)).status == 204
    assert {message.read_at for message in pages.world.inbox("school")} == {pages.world.clock}
    assert {message.signed_at for message in pages.world.inbox("school")} == {None}


async def test_the_count_of_a_clock_can_be_done_again_by_hand(pages: Pages) -> None:
    number = pages.world.received()
    school = await pages.browser("school")
    page = await school.get((await school.get(f"/findings/{number}")).links()["怎么算的"])
    rows = [
        [cell.text().strip() for cell in (*row.all("th"), *row.all("td"))]
        for row in page.root.all("tbody")[0].all("tr")
    ]
    counted = [row for row in rows if row[1] != "不计"]
    assert [row[1] for row in counted] == [f"第 {n} 日" for n in range(1, 16)]
    assert counted[-1][0] == "2026-03-23"
    assert ["2026-03-07", "不计", "周末"] in rows


async def test_a_clock_of_the_office_is_not_the_schools(pages: Pages) -> None:
    number = pages.world.executing()
    pages.world.act("leader", "instruct", number, text="请严肃处理", reply_due=pages.world.day(5))
    clock = pages.world.timers(number)["instruction_reply"]
    path = f"/findings/{number}/clocks/{clock.id}"
    assert (await (await pages.browser("chief")).get(path)).status == 200
    assert (await (await pages.browser("school")).get(path)).status == 404


async def test_a_paper_reads_as_it_was_recorded_and_an_internal_one_only_for_the_office(pages: Pages) -> None:
    number = pages.world.executing()
    school, chief = await pages.browser("school"), await pages.browser("chief")
    letters = (await school.get(f"/findings/{number}")).links()
    letter = await school.get(letters["督导意见书"])
    assert letter.heading == "督导意见书"
    assert "清理通道" in letter.text
    assert "整改方案报送期限 签收之日起 15 个工作日内" in letter.text
    internal = (await chief.get(f"/findings/{number}")).links()["督导报告条目"]
    assert (await chief.get(internal)).status == 200
    assert (await school.get(internal)).status == 404


# ---- acting ----------------------------------------------------------------------------------------------------------


async def test_whoever_changed_it_meanwhile_is_named_and_what_was_typed_is_kept(pages: Pages) -> None:
    number = pages.world.executing()
    path = f"/findings/{number}/actions/report_progress"
    school = await pages.browser("school")
    page = await school.get(path)
    pages.world.act("officer", "urge", number, text="请抓紧")
    stale = await school.send(page.form(path), text="已清空一半", percent="50")
    assert stale.status == 412
    assert "officer" in stale.text
    assert "您填写的内容已保留" in stale.text
    form = stale.form(path)
    assert dict(form.fields)["text"] == "已清空一半"
    done = await school.send(form)
    assert done.path == f"/findings/{number}?done=acted.report_progress"
    assert json.loads(pages.world.trail(number)[-1].payload)["percent"] == 50


async def test_neither_a_file_nor_another_row_hides_who_changed_it_meanwhile(pages: Pages) -> None:
    number = pages.world.executing()
    path = f"/findings/{number}/actions/submit_rectification"
    school = await pages.browser("school")
    page = await school.get(path)
    pages.world.act("officer", "urge", number, text="请抓紧")
    stale = await multipart(school, page, path, [("_files:items.0.evidence", PDF)])
    assert (stale.status, "officer" in stale.text) == (412, True)
    assert attachments(pages, number) == ["材料.pdf"]
    grown = await multipart(school, page, path, [("_files:items.0.evidence", PDF)], _more="items")
    assert grown.status == 200
    stale = await school.send(grown.form(path))
    assert (stale.status, "officer" in stale.text) == (412, True)


async def test_what_is_wrong_stands_beside_its_field_and_the_rest_is_kept(pages: Pages) -> None:
    number = pages.world.received()
    path = f"/findings/{number}/actions/submit_plan"
    school = await pages.browser("school")
    page = await school.get(path)
    typed = {"cause": "管理不严", "finish_on": "2026-13-99", "items.0.problem": "堵塞"}
    refused = await school.send(page.form(path), **typed)
    assert refused.status == 422
    assert "请先更正下面标出的内容。" in refused.text
    wrong = {node.attrs["id"]: node.text() for node in refused.root.all("p", class_="invalid-feedback")}
    assert set(wrong) == {"target-wrong", "finish_on-wrong"}
    assert "必须填写" in wrong["target-wrong"]
    fields = dict(refused.form(path).fields)
    assert {name: fields[name] for name in ("cause", "items.0.problem")} == {
        "cause": "管理不严",
        "items.0.problem": "堵塞",
    }
    assert pages.world.state(number) == "rectification.planning"


async def test_a_guard_that_reads_the_form_refuses_with_its_sentence_and_keeps_the_form(pages: Pages) -> None:
    number = pages.world.received()
    path = f"/findings/{number}/actions/submit_plan"
    school = await pages.browser("school")
    page = await school.get(path)
    refused = await school.send(page.form(path), cause="管理不严", target="畅通", finish_on=pages.world.day(10))
    assert refused.status == 409 if "五个清单不全" in refused.text else refused.status == 422
    assert dict(refused.form(path).fields)["cause"] == "管理不严"


async def test_an_action_that_the_state_does_not_know_says_what_is_possible(pages: Pages) -> None:
    number = pages.world.received()
    chief = await pages.browser("chief")
    page = await chief.get(f"/findings/{number}/actions/write_off")
    assert page.status == 409
    assert "制定方案" in page.text
    assert (await chief.get(f"/findings/{number}/actions/nonsense")).status == 404
    assert (await (await pages.browser("officer")).get(f"/findings/{number}/actions/write_off")).status == 403


# ---- files -----------------------------------------------------------------------------------------------------------


async def test_a_file_of_a_wrong_kind_is_refused_by_name_and_the_good_one_stays(pages: Pages) -> None:
    number = pages.world.executing()
    path = f"/findings/{number}/actions/report_progress"
    school = await pages.browser("school")
    page = await school.get(path)
    bad = ("病毒.exe", b"MZ\x90\x00" + b"\0" * 200, "image/png")
    files = [("_files:attachments", PDF), ("_files:attachments", bad), ("_files:attachments", ("空.pdf", b"", ""))]
    refused = await multipart(school, page, path, files, text="已清空一半", percent="50")
    assert "病毒.exe：" in refused.text
    assert attachments(pages, number)[-1] == "材料.pdf"
    fields = refused.form(path).fields
    assert ("text", "已清空一半") in fields
    ticked = [text for name, text in fields if name == "attachments"]
    assert len(ticked) == 1
    done = await multipart(school, refused, path, [])
    assert done.status == 200
    assert json.loads(pages.world.trail(number)[-1].payload)["attachments"] == ticked


async def test_the_script_sends_files_one_by_one_and_hears_what_became_of_them(pages: Pages) -> None:
    number = pages.world.executing()
    path = f"/findings/{number}/actions/submit_rectification"
    school = await pages.browser("school")
    csrf = dict((await school.get(path)).form(path).fields)["csrf"]

    async def send(file: Any, proof: str = csrf) -> httpx.Response:
        data = {"csrf": proof, "_upload": "1"}
        accept = {**HEADERS, "accept": "application/json"}
        return await school.http.post(path, data=data, files={"_files:items.0.evidence": file}, headers=accept)

    good = await send(PDF)
    assert good.status_code == 200
    assert good.json()["files"][0]["name"] == "材料.pdf"
    assert good.json()["version"] == pages.world.version(number)
    bad = await send(("a.exe", b"MZ\x90\x00" + b"\0" * 200, "application/pdf"))
    assert bad.status_code == 422
    assert bad.json()["why"].startswith("a.exe：")
    assert (await send(PDF, "forged")).status_code == 403
    assert attachments(pages, number).count("材料.pdf") == 1


async def test_files_of_a_refused_new_finding_are_kept_for_their_owner_alone(pages: Pages) -> None:
    inspector = await pages.browser("inspector")
    page = await inspector.get("/findings/new")
    refused = await multipart(inspector, page, "/findings/new", [("_files:", PDF)], title="消防通道堵塞")
    assert refused.status == 422
    assert "材料.pdf" in refused.text
    claim = dict(refused.form("/findings/new").fields)["_kept"]
    signature, _, about = claim.partition(".")
    given = {"title": "消防通道堵塞", "unit": "桐峰镇中心小学", "category": "campus_safety"}
    forged = await multipart(inspector, page, "/findings/new", [], _kept=f"{signature[:-1]}B.{about}", **given)
    assert attachments(pages, forged.path.partition("?")[0].rpartition("/")[2]) == []
    other = await pages.browser("inspector2")
    begun = await other.get("/findings/new")
    stolen = await multipart(other, begun, "/findings/new", [], _kept=claim, **given)
    assert attachments(pages, stolen.path.partition("?")[0].rpartition("/")[2]) == []
    done = await multipart(inspector, refused, "/findings/new", [], **given)
    assert attachments(pages, done.path.partition("?")[0].rpartition("/")[2]) == ["材料.pdf"]


async def test_a_unit_is_named_by_its_whole_name_or_by_one_that_is_alike(pages: Pages) -> None:
    inspector = await pages.browser("inspector")
    page = await inspector.get("/findings/new")
    given = {"title": "消防通道堵塞", "category": "campus_safety"}
    for typed, said in (
        ("桐峰镇", "桐峰镇中心小学"),
        ("没有的学校", "没有这个单位"),
        ("石桥县第一中学", "没有这个单位"),
    ):
        refused = await inspector.send(page.form("/findings/new"), unit=typed, **given)
        assert refused.status == 422
        assert said in refused.text
        assert dict(refused.form("/findings/new").fields)["unit"] == typed
    offered = await inspector.get("/units?unit=中心")
    assert [node.attrs["value"] for node in offered.root.all("option")] == ["桐峰镇中心小学"]


# ---- the Enter key -----------------------------------------------------------------------------------------------------


async def test_the_enter_key_sends_the_form_and_adds_no_row(pages: Pages) -> None:
    """A browser presses the first button of the form."""
    number = pages.world.executing()
    school, inspector = await pages.browser("school"), await pages.browser("inspector")
    for browser, path in (
        (inspector, "/findings/new"),
        (school, f"/findings/{number}/actions/submit_rectification"),
    ):
        form = (await browser.get(path)).form(path)
        assert form.buttons[0][0] != "_more"
        assert any(name == "_more" for name, _ in form.buttons)


async def test_whoever_answers_an_instruction_reads_it_and_says_which_one_it_is(pages: Pages) -> None:
    number = pages.world.executing()
    for text in ("请尽快查清并报告", "请教育局督办"):
        pages.world.act("leader", "instruct", number, text=text)
    path = f"/findings/{number}/actions/answer_instruction"
    officer = await pages.browser("officer")
    page = await officer.get(path)
    offered = page.root.all("select", id="no")[0].text()
    assert "1. 请尽快查清并报告（leader·某）" in offered
    assert "2. 请教育局督办（leader·某）" in offered
    assert dict(page.form(path).fields)["no"] == "1"
    done = await officer.send(page.form(path), text="已督办", no="2")
    assert done.path.endswith("?done=acted.answer_instruction")
    (left,) = [one for one in pages.world.finding(number).sheet["instructions"] if not one.get("answer")]
    assert left["text"] == "请尽快查清并报告"
