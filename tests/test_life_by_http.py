"""The life of one finding by HTTP alone, on the virtual clock: eight systems, a dispute, two look-backs, the archive."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.web import Site
from tests.world import World, settings_for

OPENED = {
    "title": "宿舍疏散通道被锁", "unit": "school", "category": "campus_safety", "severity": "major",
    "facts": ["二层东侧疏散门上锁"], "legal_basis": [{"title": "消防法", "article": "第二十八条"}],
}  # fmt: skip


class Life:
    """One finding and those who act on it, by HTTP."""

    def __init__(self, site: Site) -> None:
        self.site, self.number = site, ""

    async def today(self) -> date:
        return date.fromisoformat((await self.site.get("chief", "/clock")).json()["now"][:10])

    async def day(self, ahead: int) -> str:
        return (await self.today() + timedelta(days=ahead)).isoformat()

    async def act(self, who: str, action: str, **payload: Any) -> dict[str, Any]:
        return self.good(await self.site.act(who, self.number, action, **payload))

    async def pass_days(self, days: int) -> list[str]:
        moved = self.good(await self.site.post("chief", "/clock", {"advance": f"{days}d"}))
        return [ran["action"] for ran in moved["ran"] if ran["finding"] == self.number]

    async def upload(self, who: str) -> str:
        files = {"file": ("evidence.pdf", b"%PDF-1.7\nevidence", "application/pdf")}
        answer = await self.site.call(who, "POST", f"/findings/{self.number}/attachments", files=files)
        return str(self.good(answer)["id"])

    async def finding(self, who: str = "chief") -> dict[str, Any]:
        return self.good(await self.site.get(who, f"/findings/{self.number}"))

    def good(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code in (200, 201), answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
async def life(database_url: str, tmp_path: Path) -> AsyncIterator[Life]:
    world = World(settings_for(database_url, tmp_path), virtual=True)
    site = Site(world)
    yield Life(site)
    await site.http.aclose()
    world.parts.close()


async def _to_the_opinion(life: Life) -> None:
    opened = await life.site.post("inspector", "/findings", OPENED)
    assert opened.status_code == 201
    life.number = opened.json()["number"]
    assert opened.headers["location"].endswith(life.number)
    assert (await life.site.get("school", f"/findings/{life.number}")).status_code == 404
    await life.act("inspector", "submit_report")
    await life.act("chief", "approve_report", mode="written", fed_back_on=await life.day(0))
    await life.act("school", "defend", grounds=["门锁系临时维修"])
    await life.act("officer", "weigh_defence", outcome="rejected", reasons=[{"text": "不成立", "ground_no": 1}])
    await life.act("chief", "serve_opinion", evaluation="存在重大隐患", demands=["立即开锁", "建立制度"])
    await life.act("school", "acknowledge", receiver={"name": "收发员"}, received_on=await life.day(0))


async def _dispute(life: Life) -> None:
    await life.act("school", "object", act="opinion", grounds=["认定过重"])
    signer = await life.site.act("chief", life.number, "dismiss", reasons=["维持"])
    assert (signer.status_code, signer.json()["code"]) == (409, "guard_failed")
    assert (await life.act("city_chief", "dismiss", reasons=["维持原意见"]))["dispute"] == "final"


async def _under_pressure(life: Life) -> None:
    ran = await life.pass_days(45)
    assert [a for a in ran if a != "remind"] == ["warn", "warn", "warn", "urge", "order", "propose_interview"]
    at = f"{await life.day(9)}T09:00:00+08:00"
    people = [{"name": "校长", "post": "校长"}]
    await life.act("chief", "notice_interview", chair="chief", at=at, place="督导办", interviewees=people)
    await life.pass_days(9)
    await life.act(
        "chief", "hold_interview", attendance=[{"name": "校长", "present": True}], facts_told="逾期", demands=["限期整改"],
        statement="接受", commitment="按期完成", rectify_by=await life.day(15),
    )  # fmt: skip
    await life.act("officer", "file_interview", record_no="约 1", recipients=["县委"])
    assert "propose_bulletin" in await life.pass_days(20)
    await life.act(
        "chief",
        "issue_bulletin",
        kind="criticism",
        text="逾期未整改",
        recipients=["镇党委"],
        rectify_by=await life.day(15),
    )
    await life.act("school", "answer_bulletin", text="立即整改")
    assert "refer" in await life.pass_days(20)


async def _accountability(life: Life) -> None:
    await life.act("director", "form_group", members=["inspector", "inspector2", "officer"])
    proof = await life.upload("officer")
    facts = [{"text": "拒不整改", "evidence": [proof]}]
    await life.act("chief", "serve_notice", facts=facts, basis=["教育督导条例"], intended_forms=["F_BULLETIN"])
    await life.act("school", "state_defence", grounds=["正在整改"])
    form = {"form": "F_BULLETIN", "subject_type": "unit", "subject": "桐峰镇中心小学", "executor": "督导办"}
    decided = await life.act(
        "director", "decide_accountability", forms=[form], effective_on=await life.day(0), rectify_by=await life.day(60)
    )
    assert decided["level"] == 6
    await life.act(
        "officer", "record_execution", form="F_BULLETIN", executor="督导办", result="已通报", done_on=await life.day(0)
    )
    assert (await life.act("chief", "finish_accountability"))["state"] == "rectification.planning"


async def _to_the_write_off(life: Life) -> None:
    due = await life.day(10)
    item = {"problem": "上锁", "task": "开锁", "measure": "拆除门锁", "responsible": "副校长", "due": due}
    items = [{"demand_no": no, **item} for no in (1, 2)]
    await life.act("school", "submit_plan", cause="管理不严", target="畅通", items=items, finish_on=await life.day(20))
    await life.act("chief", "accept_plan")
    file = await life.upload("school")
    done = [{"status": "done", "text": "已拆除", "evidence": [file]}] * 2
    await life.act("school", "submit_rectification", items=done, effect="通道畅通", attachments=[file])
    reviewers = ["inspector2", "inspector3"]
    await life.act("chief", "assign_review", reviewers=reviewers, mode="onsite", on=await life.day(1))
    checked = [{"text": "通道畅通", "verdict": "pass"}]
    await life.act("inspector2", "pass_review", items=checked, comments="到位", signed_by=reviewers)
    await life.act("officer", "comment", text="拟推荐表扬", internal=True)
    overdue = await life.site.act("officer", life.number, "propose_commendation", form="表扬", grounds="好")
    assert overdue.json()["guard"] == "never_overdue"
    written_off = await life.act("chief", "write_off")
    assert (written_off["state"], written_off["level"], written_off["light"]) == ("lookback.watching", 0, "grey")


async def test_the_whole_life_of_a_finding_by_http_alone(life: Life) -> None:
    await _to_the_opinion(life)
    await _dispute(life)
    await _under_pressure(life)
    await _accountability(life)
    await _to_the_write_off(life)
    for _ in range(2):
        assert "open_lookback" in await life.pass_days(95)
        await life.act("inspector", "confirm_held", verdict="成效保持", evidence=[])
    assert "archive" in await life.pass_days(40)
    assert (await life.finding())["state"] == "archived"
    events = life.good(await life.site.get("auditor", f"/findings/{life.number}/events?limit=200"))["items"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {event["actor"]["role"] for event in events} >= {
        "inspector",
        "chief",
        "director",
        "unit",
        "officer",
        "system",
    }


async def test_something_well_done_is_praised_by_http(life: Life) -> None:
    opened = await life.site.post("inspector", "/findings", {**OPENED, "positive": True, "severity": "normal"})
    life.number = opened.json()["number"]
    await life.act("inspector", "submit_report")
    praised = await life.act("chief", "approve_report", mode="written", fed_back_on=await life.day(0))
    assert praised["state"] == "commendation.proposed"
    await life.act("chief", "announce_commendation", notice_from=await life.day(0), notice_to=await life.day(14))
    early = await life.site.act("director", life.number, "confirm_commendation")
    assert early.json()["guard"] == "notice_over"
    await life.pass_days(16)
    assert (await life.act("director", "confirm_commendation"))["state"] == "archived"
