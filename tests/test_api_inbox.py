"""The inbox and the desk: messages in both languages, signed for once; timers that wait for somebody, the most urgent first."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from loop.kernel.workflow import owners
from loop.store import desk
from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]


async def inbox(site: Site, who: str, query: str = "") -> list[dict[str, Any]]:
    return list((await site.get(who, f"/notifications{query}")).json()["items"])


async def test_a_message_says_in_both_languages_what_was_done_and_what_is_due(site: Site) -> None:
    number = site.world.fed_back()
    (told, *_) = await inbox(site, "school")
    assert told["finding"] == number
    assert told["action"] == "approve_report"
    assert told["text"] == {
        "zh": f"{number}《消防通道堵塞》：现向你单位反馈初步督导意见。申辩意见可于 2026-03-12（周四）24 时前提出，还有 10 天。"
        "如需申辩，请在期限内提出；无须申辩的，可申明放弃。",
        "en": f"{number} “消防通道堵塞”: You have been given the preliminary opinion. "
        "The defence is open until Thu 2026-03-12, 10 days left. Please defend in time, or waive it.",
    }


async def test_signing_for_a_message_stands_the_first_time(site: Site) -> None:
    site.world.fed_back()
    (message,) = await inbox(site, "school", "?unread=true")
    path = f"/notifications/{message['id']}/acknowledge"
    signed = (await site.post("school", path)).json()
    assert signed["acknowledged_at"] == signed["read_at"] == "2026-03-02T09:00:00+08:00"
    site.world.sleep(1)
    assert (await site.post("school", path)).json()["acknowledged_at"] == signed["acknowledged_at"]
    assert await inbox(site, "school", "?unread=true") == []
    assert [m["id"] for m in await inbox(site, "school")] == [message["id"]]
    for who, id_ in (
        ("officer", message["id"]),
        ("school", "0"),
        ("school", "abc"),
        ("school", "9" * 30),
        ("school", "١"),
    ):
        refused(await site.post(who, f"/notifications/{id_}/acknowledge"), 404, "not_found")
    refused(await site.post(None, path), 401, "unauthenticated")


async def test_pages_of_the_inbox_meet(site: Site) -> None:
    for _ in range(5):
        site.world.fed_back()
    every = [m["id"] for m in await inbox(site, "school")]
    assert len(every) == 5
    assert sorted(every, key=int, reverse=True) == every
    seen: list[str] = []
    page: dict[str, Any] = {"next": ""}
    while page["next"] is not None:
        page = (await site.get("school", f"/notifications?limit=2&after={page['next']}")).json()
        seen += [m["id"] for m in page["items"]]
    assert seen == every
    refused(await site.get("school", "/notifications?after=zzz"), 422, "invalid")


async def test_todo_is_what_waits_for_ones_posts_the_most_urgent_first(site: Site) -> None:
    late = site.world.opened()
    site.world.act("inspector", "submit_report", late)
    site.world.sleep(10)
    soon = site.world.fed_back()
    mine = (await site.get("chief", "/todo")).json()["items"]
    assert [(t["finding"], t["rule"], t["overdue"]) for t in mine] == [
        (late, "report_review", True), (soon, "opinion_issue", False)
    ]  # fmt: skip
    assert mine[0]["title"] == "消防通道堵塞"
    assert mine[0]["state"] == "report.submitted"
    school = (await site.get("school", "/todo")).json()["items"]
    assert [(t["finding"], t["rule"]) for t in school] == [(soon, "defence")]
    for who in ("other_school", "inspector2", "next_chief", "auditor", "admin"):
        assert (await site.get(who, "/todo")).json() == {"items": [], "next": None}
    page = (await site.get("chief", "/todo?limit=1")).json()
    following = (await site.get("chief", f"/todo?limit=1&after={page['next']}")).json()
    assert page["items"] + following["items"] == mine
    assert following["next"] is None


async def test_todo_finds_whoever_is_named_and_the_finding_shows_their_role(site: Site) -> None:
    async def desks() -> dict[str, list[str]]:
        answers = {who: await site.get(who, "/todo") for who in ("inspector", "inspector2", "inspector3", "chief")}
        return {who: rules for who, a in answers.items() if (rules := [t["rule"] for t in a.json()["items"]])}

    async def waits_for(number: str) -> str:
        return str((await site.get("chief", f"/findings/{number}")).json()["waits_for"])

    draft = site.world.opened()
    assert (await desks(), await waits_for(draft)) == ({"inspector": ["report_due"]}, "inspector")
    site.world.act("inspector", "discard", draft, reason="重复登记")
    number = site.world.reported(site.world.executing())
    reviewers = ["inspector2", "inspector3"]
    site.world.act("chief", "assign_review", number, reviewers=reviewers, mode="onsite", on=site.world.day(1))
    found = {who: [rule for rule in rules if rule != "publish_due"] for who, rules in (await desks()).items()}
    assert {who: rules for who, rules in found.items() if rules} == {who: ["review_due"] for who in reviewers}
    assert await waits_for(number) == "inspector"
    site.world.act("chief", "propose_interview", number, reasons=[{"text": "整改不力"}])
    site.world.act(
        "chief", "notice_interview", number, chair="inspector3", at=f"{site.world.day(14)}T09:00:00+08:00", place="会议室",
        interviewees=[{"name": "校长"}],
    )  # fmt: skip
    assert (await desks())["inspector3"] == ["interview_time"]
    assert "interview_time" not in (await desks())["chief"]
    assert await waits_for(number) == "chief"


async def test_a_substitute_has_the_desk_of_the_absent(site: Site) -> None:
    number = site.world.opened()
    site.world.act("inspector", "submit_report", number)
    day = site.world.day()
    absence = {"substitutes": [{"name": "inspector3", "from_on": day, "until_on": day}]}
    assert (await site.call("chief", "PUT", "/me/substitutes", absence)).status_code == 200
    assert number in [t["finding"] for t in (await site.get("inspector3", "/todo")).json()["items"]]


async def test_chiefs_and_directors_are_superior_of_the_offices_directly_below(site: Site) -> None:
    store, county = site.world.parts.store, site.world.cast.office_id
    for who, above in (("city_chief", True), ("city_director", True), ("province_chief", False), ("chief", False)):
        actor = site.world.actor(who)
        at = store.read(partial(desk.desk_of, actor=actor))
        assert ((county, "superior") in at.offices) is above, who


async def test_the_desk_knows_every_owner_that_the_workflow_declares(site: Site) -> None:
    flow = site.service.book.workflow
    known = owners(flow)
    assert {rule.owner for rule in flow.timers.values() if rule.owner} <= known
    assert {",".join(state.waits_for) for state in flow.states.values() if state.waits_for} <= known


@pytest.mark.parametrize("path", ["/todo?after=!!", "/todo?limit=0", "/notifications?unread=perhaps", "/todo?x=1"])
async def test_a_page_that_cannot_be(site: Site, path: str) -> None:
    refused(await site.get("officer", path), 422, "invalid")


async def test_a_window_that_is_over_waits_for_nobody_and_is_not_overdue(site: Site) -> None:
    number = site.world.received()

    async def seen(rule: str) -> tuple[bool, bool, bool]:
        """Whether it waits for the school; whether it runs and is overdue."""
        waiting = [
            t["rule"] for t in (await site.get("school", "/todo?limit=200")).json()["items"] if t["finding"] == number
        ]
        (clock,) = (
            t for t in (await site.get("school", f"/findings/{number}/timers")).json()["items"] if t["rule"] == rule
        )
        return rule in waiting, clock["running"], clock["overdue"]

    assert await seen("opinion_window") == (True, True, False)
    site.world.to(site.world.due(number, "opinion_window") + timedelta(days=1))
    assert await seen("opinion_window") == (False, False, False)
    site.world.to(max(site.world.due(number, rule) for rule in ("opinion_window", "plan_due")) + timedelta(days=1))
    assert await seen("opinion_window") == (False, False, False)
    assert await seen("plan_due") == (True, True, True)


async def test_a_window_that_stands_still_is_not_over(site: Site) -> None:
    number = site.world.received()
    due = site.world.due(number, "opinion_window")
    site.world.act("chief", "suspend", number, reason="等待鉴定结论", until=site.world.day(90))
    site.world.to(due + timedelta(days=3))
    waiting = (await site.get("school", "/todo")).json()["items"]
    assert ("opinion_window", False) in [(t["rule"], t["overdue"]) for t in waiting if t["finding"] == number]
