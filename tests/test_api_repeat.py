"""Repeated, crossing and outdated requests: idempotency keys, versions, and the order in which refusals come."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from loop.store import requests
from tests.web import API, Site, refused, site
from tests.world import world

__all__ = ["site", "world"]
NEW = {
    "title": "消防通道堵塞", "unit": "school", "category": "campus_safety", "facts": ["东侧通道堆放杂物"],
    "legal_basis": [{"title": "消防法"}],
}  # fmt: skip
KEY = {"Idempotency-Key": "4b1f-1"}


async def test_a_repeated_request_is_answered_with_the_same_bytes_and_done_once(site: Site) -> None:
    first = await site.post("inspector", "/findings", NEW, headers=KEY)
    site.world.act("inspector", "comment", first.json()["number"], text="其后")
    again = await site.post("inspector", "/findings", NEW, headers=KEY)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["etag"] == first.headers["etag"]
    assert (await site.get("inspector", "/findings?count=true")).json()["total"] == 1


async def test_the_same_body_written_differently_is_the_same_request(site: Site) -> None:
    number = site.world.opened()
    path = f"/findings/{number}/actions/comment"
    one = b'{"text": "\\u8bf7", "internal": false}'
    other = '{"internal":false,"text":"请"}'.encode()
    json = {"Content-Type": "application/json"}
    first = await site.call("officer", "POST", path, content=one, headers=KEY | json)
    second = await site.call("officer", "POST", path, content=other, headers=KEY | json)
    assert first.content == second.content
    assert site.world.version(number) == 2


@pytest.mark.parametrize("other", ["body", "path"])
async def test_a_key_used_for_another_request_is_refused(site: Site, other: str) -> None:
    number, second = site.world.opened(), site.world.opened()
    await site.post("officer", f"/findings/{number}/actions/comment", {"text": "一"}, headers=KEY)
    path = f"/findings/{second if other == 'path' else number}/actions/comment"
    answer = await site.post("officer", path, {"text": "一" if other == "path" else "二"}, headers=KEY)
    refused(answer, 409, "idempotency_mismatch")
    assert site.world.version(number) == 2
    assert site.world.version(second) == 1


async def test_keys_of_two_persons_do_not_meet(site: Site) -> None:
    number = site.world.opened()
    for who in ("officer", "chief"):
        answer = await site.post(who, f"/findings/{number}/actions/comment", {"text": who}, headers=KEY)
        assert answer.status_code == 200
    assert site.world.version(number) == 3


async def test_only_what_succeeded_is_kept(site: Site) -> None:
    number = site.world.opened(facts=None)
    path = f"/findings/{number}/actions/submit_report"
    refused(await site.post("inspector", path, headers=KEY), 409, "guard_failed")
    site.world.act("inspector", "amend", number, facts=["补充"])
    assert (await site.post("inspector", path, headers=KEY)).json()["state"] == "report.submitted"


async def test_twins_in_flight_are_done_once(site: Site) -> None:
    number = site.world.opened()
    path = f"/findings/{number}/actions/comment"
    answers = await asyncio.gather(
        *(site.post("officer", path, {"text": "同时"}, headers=KEY) for _ in range(12))
    )  # fmt: skip
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert site.world.version(number) == 2


async def test_uploads_and_batches_are_repeated_harmlessly_too(site: Site) -> None:
    number = site.world.opened()
    files = {"file": ("证据.pdf", b"%PDF-1.7 same")}
    sent = [await site.post("officer", f"/findings/{number}/attachments", files=files, headers=KEY) for _ in range(2)]
    assert sent[0].content == sent[1].content
    other = {"file": ("证据.pdf", b"%PDF-1.7 other")}
    answer = await site.post("officer", f"/findings/{number}/attachments", files=other, headers=KEY)
    refused(answer, 409, "idempotency_mismatch")
    batch = {"action": "comment", "findings": [number], "payload": {"text": "批"}}
    done = [await site.post("officer", "/batches", batch, headers={"Idempotency-Key": "b"}) for _ in range(2)]
    assert done[0].content == done[1].content
    assert site.world.version(number) == 3


async def test_a_key_that_is_none_is_refused(site: Site) -> None:
    number = site.world.opened()
    for key in ("", " ", "两", "a b", "k" * 256):
        sent = [("Authorization", f"Bearer {site.tokens['officer']}"), ("Idempotency-Key", key)]
        answer = await site.http.post(
            f"{API}/findings/{number}/actions/comment",
            json={"text": "x"},
            headers=[(name.encode(), value.encode()) for name, value in sent],
        )
        refused(answer, 422, "invalid")
    assert site.world.version(number) == 1


async def test_a_key_is_forgotten_after_its_time(site: Site) -> None:
    await site.post("inspector", "/findings", NEW, headers=KEY)
    later = site.real + timedelta(days=7)
    assert site.world.parts.store.write(lambda tx: requests.forget_before(tx, later)) == 1
    assert (await site.post("inspector", "/findings", NEW, headers=KEY)).json()["number"] == "YX-2026-0002"


# ---- versions --------------------------------------------------------------------------------------------------------


async def test_the_current_version_passes(site: Site) -> None:
    number = site.world.opened()
    path = f"/findings/{number}/actions/comment"
    for version in ('"1"', 'W/"2"', "3", "*"):
        answer = await site.post("officer", path, {"text": "x"}, headers={"If-Match": version})
        assert answer.status_code == 200, answer.text
    assert site.world.version(number) == 5


async def test_any_other_version_is_stale_and_says_who_changed_it(site: Site) -> None:
    number = site.world.opened()
    site.world.act("officer", "comment", number, text="先到")
    path = f"{API}/findings/{number}/actions/comment"
    for version in ('"0"', '"3"', '"99999999999999999999"', "-1", "x", '""', '"1", "2"', "", '"1', "\u0662"):
        sent = [(b"Authorization", f"Bearer {site.tokens['chief']}".encode()), (b"If-Match", version.encode())]
        body = refused(await site.http.post(path, json={"text": "x"}, headers=sent), 412, "stale")
        assert (body["by"], body["version"]) == ("officer", 2)
        assert body["at"] == "2026-03-02T09:00:00+08:00"
    assert site.world.version(number) == 2


async def test_of_two_that_cross_one_is_stale(site: Site) -> None:
    number = site.world.opened()
    answers = await asyncio.gather(
        *(
            site.post(who, f"/findings/{number}/actions/comment", {"text": who}, headers={"If-Match": '"1"'})
            for who in ("officer", "chief", "director", "inspector")
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


async def test_a_batch_names_the_stale_finding_and_does_nothing(site: Site) -> None:
    one, two = site.world.opened(), site.world.opened()
    site.world.act("officer", "comment", two, text="先到")
    batch = {
        "action": "comment", "payload": {"text": "x"},
        "findings": [{"number": one, "version": 1}, {"number": two, "version": 1}],
    }  # fmt: skip
    body = refused(await site.post("officer", "/batches", batch), 412, "stale")
    assert [failure["number"] for failure in body["failures"]] == [two]
    assert (site.world.version(one), site.world.version(two)) == (1, 2)


# ---- the order of refusals -------------------------------------------------------------------------------------------


async def test_refusals_come_in_the_order_of_the_contract(site: Site) -> None:
    """Everything is wrong at once; one thing after the other is put right."""
    number = site.world.opened(facts=None)
    path = f"/findings/{number}/actions/submit_report"
    await site.post("inspector", f"/findings/{number}/actions/comment", {"text": "x"}, headers=KEY)
    stale = {"If-Match": '"1"'}
    wrong = {"strange": 1}
    refused(await site.post(None, path, wrong, headers=KEY | stale), 401, "unauthenticated")
    refused(await site.post("next_officer", path, wrong, headers=KEY | stale), 404, "not_found")
    refused(await site.post("leader", path, wrong, headers=KEY | stale), 403, "forbidden")
    refused(await site.post("inspector", path, wrong, headers=KEY | stale), 409, "idempotency_mismatch")
    refused(await site.post("inspector", path, wrong, headers=stale), 412, "stale")
    late = f"/findings/{number}/actions/amend"
    site.world.act("inspector", "amend", number, facts=["有"])
    site.world.act("inspector", "submit_report", number)
    body = refused(await site.post("inspector", late, wrong), 409, "action_not_allowed")
    assert body["state"] == "report.submitted"
    assert "return_report" in body["allowed"]
    approve = f"/findings/{number}/actions/approve_report"
    refused(await site.post("chief", approve, wrong, headers={"If-Match": '"4"'}), 422, "invalid")
    tomorrow = {"fed_back_on": site.world.day(1), "mode": "oral"}
    body = refused(await site.post("chief", approve, tomorrow), 409, "guard_failed")
    assert body["guard"]


async def test_an_unknown_action_is_not_found_and_the_systems_own_are_forbidden(site: Site) -> None:
    number = site.world.received()
    for name in ("nix", "%00", "OPEN", "comment%20"):
        answer = await site.post("chief", f"/findings/{number}/actions/{name}", {})
        refused(answer, 404, "not_found")
    refused(await site.act("officer", number, "take_over"), 409, "action_not_allowed")
    for name in ("defence_lapsed", "deem_served", "warn", "remind"):
        refused(await site.act("chief", number, name), 403, "forbidden")


async def test_what_was_due_runs_before_the_refusal_and_stays(site: Site) -> None:
    number = site.world.fed_back()
    site.world.clock += timedelta(days=20)
    refused(await site.act("school", number, "waive_defence"), 409, "action_not_allowed")
    assert site.world.state(number) == "feedback.drafting"
    assert "defence_lapsed" in site.world.actions(number)


# ---- the order of refusals of a batch --------------------------------------------------------------------------------


async def test_a_batch_refuses_in_the_order_of_the_contract(site: Site) -> None:
    """Each call is wrong in all that follows too, and is refused for the first."""
    draft, ready, elsewhere = site.world.opened(), site.world.received(), site.world.received(unit="other_school")
    wrong = {"text": 5, "colour": "red"}
    key = {"Idempotency-Key": "order"}
    used = {"action": "comment", "findings": [ready], "payload": {"text": "一"}}
    assert (await site.post("officer", "/batches", used, headers=key)).status_code == 200

    async def batch(who: str, action: str, *findings: object, **more: Any) -> httpx.Response:
        headers = more.pop("headers", {})
        sent = {"action": action, "findings": list(findings), "payload": wrong} | more
        return await site.post(who, "/batches", sent, headers=headers)

    stale = {"number": draft, "version": 0}
    for preview in (False, True):
        for action in ("urge", "attach"):
            for findings in ((ready, ready, "SQ-2026-9999"), (stale, "SQ-2026-9999")):
                refused(await batch("officer", action, *findings, preview=preview, headers=key), 404, "not_found")
            mixed = (ready, ready, stale)
            refused(await batch("auditor", action, *mixed, preview=preview, headers=key), 403, "forbidden")
        answer = await batch("officer", "urge", ready, ready, stale, preview=preview, headers=key)
        refused(answer, 409, "idempotency_mismatch")
        refused(await batch("officer", "urge", ready, ready, stale, preview=preview), 422, "invalid")
        body = refused(await batch("officer", "approve_report", ready, stale, preview=preview), 403, "forbidden")
        assert "failures" not in body
        refused(await batch("chief", "approve_report", ready, stale, preview=preview), 412, "stale")
        refused(await batch("chief", "approve_report", ready, draft, preview=preview), 409, "action_not_allowed")
        refused(await batch("officer", "urge", ready, elsewhere, preview=preview), 422, "invalid")
        answer = await batch("officer", "urge", ready, elsewhere, payload={}, preview=preview)
        assert refused(answer, 409, "guard_failed")["guard"] == "one_unit"
        refused(await batch("officer", "open", ready, preview=preview), 404, "not_found")
    refused(await batch("officer", "attach", ready), 422, "invalid")
    assert [site.world.version(number) for number in (draft, elsewhere)] == [1, 6]


async def test_a_preview_is_repeated_from_its_key_too(site: Site) -> None:
    number = site.world.received()
    sent = {"action": "comment", "findings": [number], "payload": {"text": "预览"}, "preview": True}
    first = await site.post("officer", "/batches", sent, headers=KEY)
    assert first.status_code == 200
    site.world.act("officer", "comment", number, text="其间")
    assert (await site.post("officer", "/batches", sent, headers=KEY)).content == first.content
    assert (await site.post("officer", "/batches", sent)).content != first.content
    refused(
        await site.post("officer", "/batches", {**sent, "preview": False}, headers=KEY), 409, "idempotency_mismatch"
    )
    assert [e.action for e in site.world.trail(number)].count("comment") == 1
