"""What anybody may do without signing in: report a problem, ask how it stands, read what offices published."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from loop.store import offices, papers, public, tip_offs
from loop.store.session import Tx
from loop.store.tip_offs import TipOff
from tests.browsing import Browser, Pages, Seen, pages, sqlite_url
from tests.cast import COUNTY

__all__ = ["pages", "sqlite_url"]

MATTER = "学校食堂使用过期食材，请核查。"
HOSTILE = '<script>alert("x")</script>'


async def report(browser: Browser, **given: Any) -> Seen:
    page = await browser.get("/report")
    return await browser.send(page.form("/report"), **({"matter": MATTER, "region": COUNTY} | given))


def taken_in(pages: Pages) -> list[TipOff]:
    def every(tx: Tx) -> list[TipOff]:
        return list(tip_offs.tip_offs(tx, offices=[o.id for o in offices.offices(tx).items], limit=200).items)

    return pages.world.parts.store.read(every)


def receipt_of(seen: Seen) -> str:
    return seen.root.all("textarea")[0].text().strip()


async def state(browser: Browser, code: str) -> Seen:
    page = await browser.get("/report/state")
    return await browser.send(page.form("/report/state"), code=code)


# ---- reporting -----------------------------------------------------------------------------------------------------


async def test_anybody_reports_without_a_name_and_learns_how_it_stands_in_plain_words(pages: Pages) -> None:
    browser = await pages.browser()
    seen = await report(browser, unit="桐峰镇中心小学", region="")
    assert (seen.status, seen.heading) == (200, "已收到，谢谢")
    code, (taken,) = receipt_of(seen), taken_in(pages)
    assert (taken.unit_id, taken.matter, taken.status) == ("school", MATTER, "received")
    asked = await state(browser, code.lower().replace("-", " "))
    assert "已收到" in asked.text
    assert "答复期限" in asked.text
    await pages.call("officer", "PATCH", f"/tip-offs/{taken.id}", {"status": "checking", "result": "尚未公开的草稿"})
    checking = await state(browser, code)
    assert "督导机构正在核查。" in checking.text
    assert "尚未公开的草稿" not in checking.text
    await pages.call(
        "officer", "PATCH", f"/tip-offs/{taken.id}", {"status": "answered", "result": "经查属实，已责令整改。"}
    )
    answered = await state(browser, code)
    assert "已答复" in answered.text
    assert "经查属实，已责令整改。" in answered.text
    assert "答复期限" not in answered.text


async def test_a_receipt_code_is_told_once_and_no_other_code_tells_anything(pages: Pages) -> None:
    browser = await pages.browser()
    code = receipt_of(await report(browser))
    for path in ("/report", "/report/state", "/results"):
        assert code not in (await browser.get(path)).answer.text
    wrong = await state(browser, "AAAAA-BBBBB-CCCCC-DDDDD")
    assert wrong.status == 404
    assert "没有查到" in wrong.text
    assert (await state(browser, "")).status == 422
    kept = await browser.get(f"/report/{code}")
    assert dict(kept.form("/report/state").fields)["code"] == code
    assert "督导机构已收到" not in kept.text
    assert (await browser.get("/report/%3Cscript%3E")).form("/report/state").fields[1] == ("code", "<script>")


async def test_the_receipt_read_anew_tells_the_same_code_and_files_nothing(pages: Pages) -> None:
    browser = await pages.browser()
    seen = await report(browser)
    assert seen.path == "/report/received"
    (kept,) = [cookie for cookie in browser.http.cookies.jar if cookie.name == "loop_receipt"]
    (set_by,) = [text for text in seen.answer.history[0].headers.get_list("set-cookie") if text.startswith(kept.name)]
    assert {"HttpOnly", "Path=/report", "SameSite=strict", "Max-Age=600"} <= set(set_by.split("; "))
    again = await browser.get("/report/received")
    assert (again.heading, receipt_of(again)) == ("已收到，谢谢", receipt_of(seen))
    assert "答复期限" in again.text
    assert len(taken_in(pages)) == 1
    stranger = await pages.browser()
    assert (await stranger.get("/report/received")).path == "/report/state"


@pytest.mark.parametrize(
    "forged",
    ["x", "", "AAAAA-BBBBB-CCCCC-DDDDD", "AAAAA-BBBBB-CCCCC-DDDDD.2026-03-09", "<b>.2026-03-09T00:00:00Z", ".2026-03-09T00:00:00Z"],
)  # fmt: skip
async def test_a_receipt_that_nobody_gave_tells_nothing(pages: Pages, forged: str) -> None:
    browser = await pages.browser()
    seen = await browser.get("/report/received", headers={"cookie": f"loop_receipt={forged}"})
    assert (seen.status, seen.path) == (200, "/report/state")


async def test_a_receipt_with_a_strange_date_tells_no_date(pages: Pages) -> None:
    browser = await pages.browser()
    for year in ("0001", "9999"):
        cookie = {"cookie": f"loop_receipt=AAAAA-BBBBB-CCCCC-DDDDD.{year}-01-01T00:00:00Z"}
        seen = await browser.get("/report/received", headers=cookie)
        assert seen.status == 200
        assert "答复期限" not in seen.text


async def test_the_limit_that_is_told_is_the_limit(pages: Pages) -> None:
    browser = await pages.browser()
    page = await browser.get("/report")
    assert "最多 4750 个字符。" in page.text
    # A browser cuts what is pasted into a field with a maxlength, and says nothing.
    assert "maxlength" not in page.root.all("textarea", name="matter")[0].attrs
    longer = "长" * 4_751
    refused = await report(browser, matter=longer)
    assert refused.status == 422
    assert dict(refused.form("/report").fields)["matter"] == longer
    assert (await report(browser, matter=longer[1:], unit="某" * 200)).heading == "已收到，谢谢"
    assert len(taken_in(pages)) == 1


async def test_the_regions_are_grouped_by_province(pages: Pages) -> None:
    browser = await pages.browser()
    groups = (await browser.get("/report")).root.all("select", name="region")[0].all("optgroup")
    told = {group.attrs["label"]: [one.text().strip() for one in group.all("option")] for group in groups}
    assert told.keys() == {"松江省"}
    assert {"青禾市 · 云溪县", "青禾市 · 石桥县"} <= set(told["松江省"])


async def test_who_reported_is_sealed(pages: Pages) -> None:
    browser = await pages.browser()
    seen = await report(browser, name="陈某某", contact="13800000000")
    answered = await state(browser, receipt_of(seen))
    assert "陈某某" not in seen.text + answered.text
    (taken,) = taken_in(pages)
    sealed = pages.world.parts.store.read(lambda tx: tip_offs.sealed_of(tx, taken.id))
    assert (sealed.name, sealed.contact) == ("陈某某", "13800000000")


async def test_a_name_that_several_schools_share_is_asked_about_and_one_that_nobody_has_is_kept_in_words(
    pages: Pages,
) -> None:
    browser = await pages.browser()
    asked = await report(browser, unit="中学", region="")
    assert asked.status == 200
    assert "云溪县第二中学" in asked.text
    assert "石桥县第一中学" in asked.text
    assert taken_in(pages) == []
    form = asked.form("/report")
    assert dict(form.fields)["matter"] == MATTER
    picked = await browser.send(form, picked="next_school")
    assert picked.heading == "已收到，谢谢"
    assert [one.unit_id for one in taken_in(pages)] == ["next_school"]
    lost = await browser.send(form, picked="none")
    assert lost.status == 422
    assert "请选择它所在的地区" in lost.text
    assert (await browser.send(lost.form("/report"), region=COUNTY, unit="某某幼儿园")).heading == "已收到，谢谢"
    assert taken_in(pages)[-1].unit_id is None
    assert "反映的单位：某某幼儿园" in taken_in(pages)[-1].matter


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"matter": "  "}, "请写明要反映的问题。"),
        ({"matter": "长" * 4_900}, "最多 4750 个字符。"),
        ({"region": ""}, "请填写单位，或选择所在地区。"),
        ({"contact": "9" * 300}, "最多 200 个字符。"),
        ({"region": "999999"}, "请写明单位或所在地区。"),
    ],
)
async def test_what_was_typed_outlives_a_refusal(pages: Pages, given: dict[str, str], said: str) -> None:
    browser = await pages.browser()
    typed = {"matter": HOSTILE, "unit": "", "name": HOSTILE, "contact": "a&b", "region": COUNTY} | given
    seen = await report(browser, **typed)
    assert seen.status == 422
    assert said in seen.text
    kept = dict(seen.form("/report").fields)
    assert {name: kept[name] for name in ("matter", "name", "contact")} == {
        name: typed[name] for name in ("matter", "name", "contact")
    }
    assert "<script>alert" not in seen.answer.text
    assert taken_in(pages) == []
    assert "data-draft=" not in seen.answer.text
    assert seen.root.all("form", data_draft_tab="report")


async def test_a_flood_is_stopped_and_nothing_typed_is_lost(pages: Pages) -> None:
    browser = await pages.browser()
    for _ in range(10):
        assert (await report(browser)).status == 200
    seen = await report(browser, matter="第十一条")
    assert seen.status == 429
    assert "秒后再试" in seen.text
    assert dict(seen.form("/report").fields)["matter"] == "第十一条"
    assert (await pages.post(None, "/tip-offs", {"matter": MATTER, "region": COUNTY})).status_code == 429
    assert len(taken_in(pages)) == 10
    pages.real += timedelta(hours=1, seconds=1)
    assert (await report(browser)).status == 200


async def test_guessing_codes_is_stopped(pages: Pages) -> None:
    browser = await pages.browser()
    for _ in range(20):
        assert (await state(browser, "GUESS")).status == 404
    assert (await state(browser, "GUESS")).status == 429


@pytest.mark.parametrize("given", [{"csrf": None}, {"csrf": ""}, {"csrf": "forged"}])
async def test_a_form_of_another_site_reports_nothing(pages: Pages, given: dict[str, str | None]) -> None:
    browser = await pages.browser()
    assert (await report(browser, **given)).status == 403
    page = await browser.get("/report/state")
    assert (await browser.send(page.form("/report/state"), code="X", **given)).status == 403
    assert taken_in(pages) == []


async def test_the_pages_speak_english_to_who_asks_for_it(pages: Pages) -> None:
    browser = await pages.browser(language="en")
    assert (await browser.get("/report")).heading == "Report a problem"
    assert (await report(browser)).heading == "Received, thank you"
    assert (await browser.get("/report/state")).heading == "Check the status of a report"
    assert (await browser.get("/results")).heading == "Published results"


# ---- published results ---------------------------------------------------------------------------------------------


def letter_of(pages: Pages, number: str) -> str:
    documents = pages.world.parts.store.read(lambda tx: public_papers(tx, number))
    return documents["opinion_letter"]


def public_papers(tx: Tx, number: str) -> dict[str, str]:
    return {paper.kind: paper.id for paper, _ in papers.of_finding(tx, number)}


async def test_what_an_office_publishes_is_read_by_anybody_until_it_is_taken_down(pages: Pages) -> None:
    world = pages.world
    number = world.received()
    letter = letter_of(pages, number)
    browser = await pages.browser()
    assert "暂无公开结果" in (await browser.get("/results")).text
    world.act("chief", "publish", number, document=letter, public_text=f"关于消防通道的督导意见。{HOSTILE}")
    listed = await browser.get("/results")
    assert f"关于消防通道的督导意见。{HOSTILE}" in listed.text
    assert "<script>alert" not in listed.answer.text
    assert "督导意见书" in listed.text
    path = next(path for path in listed.links().values() if path.startswith("/results/"))
    assert (await browser.get(path)).heading == "督导意见书"
    for sealed in ("桐峰镇中心小学", "消防通道堵塞", "东侧通道堆放杂物", "chief"):
        assert sealed not in listed.text
    world.act("chief", "take_down", number, document=letter, reason="更正")
    assert "关于消防通道" not in (await browser.get("/results")).text
    assert (await browser.get(path)).status == 404
    world.act("chief", "publish", number, document=letter, public_text="更正后的意见。")
    again = await browser.get("/results")
    assert "更正后的意见。" in again.text
    assert "关于消防通道" not in again.text
    assert (await browser.get(path)).status == 404


async def test_a_withdrawn_finding_shows_nothing_any_more(pages: Pages) -> None:
    world = pages.world
    number = world.received()
    world.act("chief", "publish", number, document=letter_of(pages, number), public_text="督导意见。")
    browser = await pages.browser()
    assert "督导意见。" in (await browser.get("/results")).text
    world.act("director", "withdraw", number, reason="事实有误")
    assert "督导意见。" not in (await browser.get("/results")).text


async def test_only_a_public_bulletin_is_public_and_only_its_public_text(pages: Pages) -> None:
    world = pages.world
    browser = await pages.browser()
    bulletin: dict[str, Any] = {
        "kind": "criticism", "text": "内部全文", "recipients": ["镇政府"], "rectify_by": world.day(40),
    }  # fmt: skip
    for is_public in (False, True):
        number = world.executing()
        world.act("chief", "propose_bulletin", number, reasons=["不力"], facts="逾期未整改")
        more = (
            {"public": True, "public_text": "公开文本", "privacy_checked_by": "officer"}
            if is_public
            else {"public": False}
        )
        world.act("director" if is_public else "chief", "issue_bulletin", number, **bulletin, **more)
        seen = await browser.get("/results")
        assert ("公开文本" in seen.text) is is_public
        assert "内部全文" not in seen.text


async def test_pages_of_results_follow_one_another(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loop.web.public_results.AT_A_TIME", 2)
    world = pages.world
    number = world.received()
    for n in range(5):
        world.clock += timedelta(minutes=1)
        for paper in public_papers_named(world, number):
            world.act("chief", "publish", number, document=paper, public_text=f"第 {n} 次公开")
    browser = await pages.browser()
    read: list[str] = []
    path = "/results"
    while path:
        seen = await browser.get(path)
        read += [node.text().strip() for node in seen.root.all("p", class_="answer")]
        path = seen.links().get("下一页", "")
    assert read == [f"第 {n} 次公开" for n in (4, 3, 2, 1, 0)]


def public_papers_named(world: Any, number: str) -> list[str]:
    return [world.parts.store.read(lambda tx: public_papers(tx, number))["opinion_letter"]]


async def test_nothing_of_a_draft_or_a_sealed_paper_has_a_public_address(pages: Pages) -> None:
    number = pages.world.received()
    browser = await pages.browser()
    for id_ in pages.world.parts.store.read(lambda tx: public_papers(tx, number)).values():
        assert (await browser.get(f"/results/{id_}")).status == 404
    assert (await browser.get("/results/%00")).status == 404
    assert pages.world.parts.store.read(lambda tx: public.one(tx, "nothing")) is None
    robots = (await browser.get("/robots.txt")).answer.text
    assert "Disallow: /\n" in robots


async def questions(pages: Pages, browser: Browser, path: str) -> int:
    said: list[str] = []
    pages.world.parts.store.trace = lambda text, values: said.append(text)
    await browser.get(path)
    pages.world.parts.store.trace = None
    return len(said)


async def test_reading_results_takes_the_same_few_questions_however_many_there_are(pages: Pages) -> None:
    world = pages.world
    browser = await pages.browser()
    counts = []
    for _ in range(2):
        number = world.received()
        world.act("chief", "publish", number, document=letter_of(pages, number), public_text="督导意见。")
        counts.append(await questions(pages, browser, "/results"))
    assert counts[0] == counts[1] <= 8
