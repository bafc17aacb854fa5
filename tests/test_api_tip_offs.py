"""Tip-offs: reported without signing in, checked and answered by the receiving office, the identity sealed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from loop.store import journal, tip_offs
from tests.cast import COUNTY, NEXT_DOOR
from tests.web import PASSWORD, Site, refused, site
from tests.world import world

__all__ = ["site", "world"]
REPORT = {"matter": "食堂使用过期食材", "unit": "school", "name": "张三", "contact": "13800000000"}


async def reported(site: Site, **changes: Any) -> dict[str, Any]:
    answer = await site.post(None, "/tip-offs", REPORT | changes)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def only(site: Site, who: str = "officer") -> dict[str, Any]:
    (one,) = (await site.get(who, "/tip-offs")).json()["items"]
    return dict(one)


async def ask(site: Site, receipt: str) -> httpx.Response:
    return await site.post(None, "/tip-offs/result", {"receipt": receipt})


async def test_from_report_to_answer(site: Site) -> None:
    told = await reported(site)
    asked = await ask(site, told["receipt"].lower().replace("-", " "))
    assert asked.json() == {
        "status": "received", "result": "", "received_at": told["received_at"], "answered_at": None
    }  # fmt: skip
    one = await only(site)
    assert (one["office"], one["unit"], one["matter"], one["status"]) == ("YX", "school", REPORT["matter"], "received")
    assert one["answer_due_at"] == told["answer_due_at"]
    path = f"/tip-offs/{one['id']}"
    checking = await site.call("officer", "PATCH", path, {"status": "checking", "result": "正在核查（内部）"})
    assert checking.json()["status"] == "checking"
    assert (await ask(site, told["receipt"])).json()["result"] == ""
    done = await site.call("chief", "PATCH", path, {"status": "answered", "result": "经查属实，已整改。"})
    assert (done.json()["status"], done.json()["answer_due_at"]) == ("answered", None)
    final = (await ask(site, told["receipt"])).json()
    assert (final["status"], final["result"]) == ("answered", "经查属实，已整改。")
    refused(await site.call("officer", "PATCH", path, {"status": "checking"}), 409, "conflict")


async def test_the_answer_has_a_deadline_that_reminds_the_officer_and_stops_with_the_answer(site: Site) -> None:
    await reported(site)
    one = await only(site)
    waiting = (await site.get("officer", "/todo")).json()["items"]
    assert [(t["rule"], t["tip_off"], t["finding"]) for t in waiting] == [("tip_off_answer", one["id"], None)]
    ran = site.world.sleep(16)
    assert [(s.number, s.action) for s in ran] == [(f"tip-off:{one['id']}", "remind")]
    (message,) = (await site.get("officer", "/notifications")).json()["items"]
    assert message["tip_off"] == one["id"]
    assert message["text"]["zh"].startswith("举报：")
    await site.call(
        "officer", "PATCH", f"/tip-offs/{one['id']}", {"status": "refused", "result": "不属于教育督导范围。"}
    )
    assert (await site.get("officer", "/todo")).json()["items"] == []
    assert site.world.sleep(60) == []


async def test_the_identity_is_sealed_from_everybody_but_the_office_and_each_opening_is_on_record(site: Site) -> None:
    await reported(site)
    one = await only(site)
    path = f"/tip-offs/{one['id']}"
    assert "identity" not in one
    assert "张三" not in (await site.get("officer", path)).text
    for who in ("inspector", "director", "leader", "auditor", "school", "bureau", "admin"):
        refused(await site.get(who, f"{path}?identity=true"), 403, "forbidden")
        refused(await site.get(who, "/tip-offs"), 403, "forbidden")
    for who in ("next_officer", "city_chief"):
        refused(await site.get(who, f"{path}?identity=true"), 404, "not_found")
    opened = await site.get("officer", f"{path}?identity=true")
    assert opened.json()["identity"] == {"name": "张三", "contact": "13800000000"}
    trail = site.world.parts.store.read(lambda tx: journal.trail(tx, tip_offs.chain_of(one["id"])))
    assert [(e.action, e.actor_name) for e in trail if e.action == "open_identity"] == [("open_identity", "officer")]
    assert not [e for e in trail if "张三" in e.payload + e.effects]
    assert "identity" not in (await site.get("officer", f"{path}?identity=false")).json()


async def test_it_may_lead_to_a_finding_of_ones_own_scope(site: Site) -> None:
    await reported(site)
    path = f"/tip-offs/{(await only(site))['id']}"
    number = site.world.opened()
    linked = await site.call("officer", "PATCH", path, {"finding": number, "is_origin": True})
    assert (linked.json()["finding"], linked.json()["is_origin"]) == (number, True)
    for wrong in ({"finding": "YX-2026-9999"}, {"is_origin": True}, {"finding": None}):
        refused(await site.call("officer", "PATCH", path, wrong), 422, "invalid")
    assert (await only(site))["finding"] == number


async def test_the_nearest_office_takes_it_in(site: Site) -> None:
    await reported(site, unit=None, region=NEXT_DOOR)
    assert (await only(site, "next_officer"))["office"] == "SQ"
    assert (await site.get("officer", "/tip-offs")).json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"matter": " "}, "matter"), ({"matter": "x" * 5001}, "matter"), ({"unit": "nowhere"}, "unit"),
        ({"unit": None}, "region"), ({"name": "a\nb"}, "name"), ({"colour": "red"}, "colour"), ({"matter": "\x07"}, "matter"),
    ],
)  # fmt: skip
async def test_a_report_that_cannot_be(site: Site, changes: dict[str, Any], field: str) -> None:
    answer = await site.post(None, "/tip-offs", REPORT | changes)
    assert [e["field"] for e in refused(answer, 422, "invalid")["errors"]] == [field]


async def test_an_answer_needs_words(site: Site) -> None:
    await reported(site)
    path = f"/tip-offs/{(await only(site))['id']}"
    for wrong in ({"status": "answered"}, {"status": "received"}, {"status": None}):
        refused(await site.call("officer", "PATCH", path, wrong), 422, "invalid")


async def test_the_public_is_throttled_by_address(site: Site) -> None:
    for _ in range(site.service.policy.tip_offs_per_hour):
        await reported(site, unit=None, region=COUNTY)
    answer = await site.post(None, "/tip-offs", REPORT)
    assert int(answer.headers["retry-after"]) > 0
    refused(answer, 429, "rate_limited")
    site.real += timedelta(hours=1)
    await reported(site)
    tries = [await ask(site, f"{n:020}") for n in range(25)]
    assert {t.status_code for t in tries[:20]} == {404}
    refused(tries[-1], 429, "rate_limited")


async def opened(site: Site, id_: str) -> int:
    """How often the identity was opened."""
    trail = site.world.parts.store.read(lambda tx: journal.trail(tx, tip_offs.chain_of(id_)))
    return [e.action for e in trail].count("open_identity")


async def test_opening_the_identity_takes_a_token_that_may_write(site: Site) -> None:
    await reported(site)
    id_ = (await only(site))["id"]
    clear = site.world.parts.store.write(lambda tx: site.token(tx, "officer", "read"))
    bearer = {"Authorization": f"Bearer {clear}"}
    for query in ("", "?identity=false"):
        assert (await site.get(None, f"/tip-offs/{id_}{query}", headers=bearer)).status_code == 200
    for value in ("true", "1", "yes"):
        answer = await site.get(None, f"/tip-offs/{id_}?identity={value}", headers=bearer)
        assert refused(answer, 403, "forbidden")["scope"] == "write"
        assert "张三" not in answer.text
    refused(await site.get(None, f"/tip-offs/{id_}?identity=perhaps", headers=bearer), 422, "invalid")
    refused(await site.get(None, f"/tip-offs/{id_}?identity=perhaps"), 401, "unauthenticated")
    assert await opened(site, id_) == 0


async def test_opening_the_identity_from_a_browser_takes_its_csrf_token(site: Site) -> None:
    await reported(site)
    id_ = (await only(site))["id"]
    browser, path = site.client(), f"/api/v1/tip-offs/{id_}?identity=true"
    csrf = (await browser.post("/api/v1/login", json={"name": "officer", "password": PASSWORD})).json()["csrf"]
    for headers in ({}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": csrf, "Sec-Fetch-Site": "cross-site"}):
        refused(await browser.get(path, headers=headers), 403, "forbidden")
    assert await opened(site, id_) == 0
    assert (await browser.get(path, headers={"X-CSRF-Token": csrf})).json()["identity"]["name"] == "张三"
    assert (await browser.get(f"/api/v1/tip-offs/{id_}")).status_code == 200
    await browser.aclose()
    assert await opened(site, id_) == 1
