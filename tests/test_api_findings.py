"""Findings by HTTP: opened, listed, filtered and paged, acted on, batched, their clocks proved and their papers read."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from loop.api import shapes
from loop.store.canonical import canonical, digest
from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]
NEW: dict[str, Any] = {
    "title": "消防通道堵塞", "unit": "school", "category": "campus_safety", "facts": ["东侧通道堆放杂物"],
    "legal_basis": [{"title": "消防法", "article": "第二十八条"}],
}  # fmt: skip


async def test_a_finding_is_opened_and_read(site: Site) -> None:
    made = await site.post("inspector", "/findings", NEW)
    assert made.status_code == 201, made.text
    number = made.json()["number"]
    assert made.headers["location"] == f"/api/v1/findings/{number}"
    assert made.headers["etag"] == '"1"'
    shapes.FindingOut.model_validate(made.json())
    read = await site.get("inspector", made.headers["location"])
    assert read.headers["etag"] == '"1"'
    assert {k: v for k, v in read.json().items() if k in made.json()} == made.json()
    listed = (await site.get("chief", "/findings?count=true")).json()
    shapes.FindingList.model_validate(listed)
    assert (listed["total"], listed["more"]) == (1, False)
    assert listed["items"] == [made.json()]


async def test_opening_has_three_addresses_and_taking_over_one(site: Site) -> None:
    by_name = await site.post("inspector", "/findings/actions/open", NEW)
    assert by_name.status_code == 201
    old = {**NEW, "source": "2025年台账", "rectify_by": site.world.day(30), "letter_no": "云教督〔2025〕9号"}
    taken = await site.post("officer", "/findings/actions/take_over", old)
    assert taken.status_code == 201, taken.text
    assert taken.json()["state"] == "rectification.executing"
    refused(await site.post("inspector", "/findings/actions/comment", {"text": "x"}), 404, "not_found")
    refused(await site.post("school", "/findings", NEW), 403, "forbidden")
    refused(await site.post("inspector", "/findings", {**NEW, "unit": "next_school"}), 409, "guard_failed")
    refused(await site.post("inspector", "/findings", {**NEW, "unit": "nix"}), 409, "guard_failed")


async def test_an_action_answers_the_finding_and_its_new_version(site: Site) -> None:
    number = site.world.opened()
    done = await site.act("inspector", number, "submit_report")
    shapes.FindingOut.model_validate(done.json())
    assert (done.json()["state"], done.json()["waits_for"], done.headers["etag"]) == (
        "report.submitted",
        "chief",
        '"2"',
    )
    empty = await site.call("chief", "POST", f"/findings/{number}/actions/return_report", content=b"")
    assert refused(empty, 422, "invalid")["errors"][0] == {"field": "reason", "kind": "missing", "detail": "必须填写"}


async def test_what_is_offered_can_be_done_and_what_is_blocked_says_why(site: Site) -> None:
    number = site.world.opened(facts=None)
    offers = (await site.get("inspector", f"/findings/{number}/actions")).json()
    blocked = {one["name"]: one for one in offers["blocked"]}
    assert blocked["submit_report"]["code"] == "facts_and_basis"
    assert blocked["submit_report"]["reason"] == "请先补充事实和依据。"
    available = {one["name"]: one for one in offers["available"]}
    assert available["comment"]["schema"]["required"] == ["text"]
    assert available["attach"]["schema"]["required"] == ["file"]
    site.world.act("inspector", "amend", number, facts=["补充"])
    offers = (await site.get("inspector", f"/findings/{number}/actions")).json()
    assert "submit_report" in {one["name"] for one in offers["available"]}


FILTERS: list[tuple[str, set[int]]] = [
    ("stage=report", {1, 3}), ("state=report.draft,rectification.planning", {1, 2, 3}),
    ("state=report.draft&state=rectification.planning", {1, 2, 3}),
    ("open=true", {1, 2, 3}), ("open=false", set()), ("unit=school", {1, 2}), ("unit=other_school", {3}), ("region=930106001", {1, 2}),
    ("region=930106", {1, 2, 3}), ("office=YX", {1, 2, 3}), ("category=preschool", {3}), ("severity=normal", {1, 2, 3}),
    ("kind=routine", {1, 2, 3}), ("dispute=none", {1, 2, 3}), ("level_min=1", set()), ("level_min=-5", {1, 2, 3}), ("light=green", {1, 2, 3}),
    ("light=red,yellow", set()), ("overdue=true", set()), ("suspended=false", {1, 2, 3}), ("opened_after=2026-03-02", {1, 2, 3}),
    ("opened_before=2026-03-02T09:00:00+08:00", set()), ("opened_after=2026-03-02T00:00:00Z", {1, 2, 3}), ("due_before=2026-03-20", {1, 3}),
    ("due_after=2026-03-20T00:00:00%2B08:00", {2}), ("changed_after=2026-03-03", set()), ("q=消防", {1, 2}), ("q=入园", {3}), ("mine=true", {2}),
    ("stage=report&unit=other_school", {3}), ("supervision=nix", set()),
]  # fmt: skip


async def test_every_filter_of_the_ledger(site: Site) -> None:
    far = {"unit": "other_school", "category": "preschool", "title": "入园登记不全"}
    numbers = {1: site.world.opened(), 2: site.world.received(), 3: site.world.opened(**far)}
    for query, wanted in FILTERS:
        answer = await site.get("chief", f"/findings?{query}")
        assert answer.status_code == 200, (query, answer.text)
        assert {row["number"] for row in answer.json()["items"]} == {numbers[n] for n in wanted}, query
    mine = (await site.get("inspector", "/findings?mine=true")).json()["items"]
    assert len(mine) == 3


async def test_pages_hold_everything_once_in_every_order(site: Site) -> None:
    made = {site.world.opened() for _ in range(3)} | {site.world.received()}
    for sort in ("due_at", "-due_at", "opened_at", "-opened_at", "number", "-number", "level", "-level"):
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            page = (await site.get("chief", "/findings", params={"sort": sort, "limit": "1", "after": after})).json()
            seen += [row["number"] for row in page["items"]]
            after = page["next"]
        assert len(seen) == len(made), sort
        assert set(seen) == made, sort
        whole = (await site.get("chief", "/findings", params={"sort": sort})).json()["items"]
        assert [row["number"] for row in whole] == seen, sort


async def test_history_comes_in_pages_and_its_hashes_can_be_checked_without_the_payloads(site: Site) -> None:
    number = site.world.executing()
    seen: list[dict[str, Any]] = []
    after = ""
    while True:
        page = (await site.get("school", f"/findings/{number}/events", params={"limit": "3", "after": after})).json()
        seen += page["items"]
        if page["next"] is None:
            break
        after = page["next"]
    assert [event["seq"] for event in seen] == list(range(1, site.world.version(number) + 1))
    for event, entry in zip(seen, site.world.trail(number), strict=True):
        assert event["payload_digest"] == hashlib.sha256(entry.payload.encode()).hexdigest()
        assert event["hash"] == entry.hash
        if event["payload"] is not None:
            assert canonical(event["payload"]) == entry.payload


async def test_the_clocks_prove_themselves(site: Site) -> None:
    number = site.world.received()
    clocks = {c["rule"]: c for c in (await site.get("school", f"/findings/{number}/timers")).json()["items"]}
    assert not clocks["report_due"]["running"]
    assert clocks["report_due"]["stopped_at"] == "2026-03-02T09:00:00+08:00"
    plan = clocks["plan_due"]
    assert (plan["running"], plan["length"], plan["due_at"]) == (True, "15wd", "2026-03-23T23:59:59+08:00")
    proof = (await site.get("school", f"/findings/{number}/timers/{plan['id']}/proof")).json()
    shapes.ProofOut.model_validate(proof)
    assert (proof["start"], proof["due"], proof["is_set"]) == ("2026-03-02", "2026-03-23", False)
    assert sum(day["counts"] for day in proof["days"]) == 15
    english = await site.get(
        "school", f"/findings/{number}/timers/{plan['id']}/proof", headers={"Accept-Language": "en"}
    )
    assert english.json()["rule"]["text"] == "15 working days"
    refused(await site.get("school", f"/findings/{number}/timers/nix/proof"), 404, "not_found")
    other = site.world.received()
    refused(await site.get("chief", f"/findings/{other}/timers/{plan['id']}/proof"), 404, "not_found")


async def test_the_offices_own_clocks_are_not_the_units(site: Site) -> None:
    number = site.world.received()
    site.world.act("leader", "instruct", number, text="尽快整改", reply_due=site.world.day(5))

    async def rules(who: str) -> set[str]:
        return {clock["rule"] for clock in (await site.get(who, f"/findings/{number}/timers")).json()["items"]}

    assert await rules("chief") - await rules("school") == {"instruction_reply", "publish_due"}


async def test_a_paper_is_read_as_data_and_as_a_page(site: Site) -> None:
    number = site.world.received()
    papers = (await site.get("school", f"/findings/{number}/documents")).json()["items"]
    letter = next(paper for paper in papers if paper["kind"] == "opinion_letter")
    assert letter["number"] == "云教督〔2026〕2号"
    whole = (await site.get("school", f"/documents/{letter['id']}")).json()
    shapes.WholeDocument.model_validate(whole)
    assert whole["findings"] == [number]
    assert hashlib.sha256(canonical(whole["content"]).encode()).hexdigest() == whole["digest"]
    page = (await site.get("school", f"/documents/{letter['id']}.html")).text
    for words in ("督导意见书", "云教督〔2026〕2号", "桐峰镇中心小学", "清理通道", "建立制度", whole["digest"]):
        assert words in page
    english = await site.get("school", f"/documents/{letter['id']}.html", headers={"Accept-Language": "en"})
    assert "supervision opinion letter" in english.text


async def test_the_register_is_paged_newest_first(site: Site) -> None:
    for _ in range(2):
        site.world.received()
    seen: list[int] = []
    after = ""
    while True:
        page = (await site.get("chief", "/documents", params={"limit": "4", "after": after})).json()
        seen += [paper["serial"] for paper in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert sorted(seen) == [1, 2, 3, 4, 5, 6]


# ---- batches ---------------------------------------------------------------------------------------------------------


async def test_a_batch_is_one_paper_and_its_preview_changes_nothing(site: Site) -> None:
    numbers = [site.world.received(), site.world.received()]
    sent = {"action": "urge", "findings": numbers, "payload": {"text": "请抓紧"}, "preview": True}
    before = [site.world.version(number) for number in numbers]
    preview = (await site.post("officer", "/batches", sent)).json()
    shapes.BatchOut.model_validate(preview)
    assert [site.world.version(number) for number in numbers] == before
    assert [person["name"] for person in preview["told"]] == ["school"]
    done = (await site.post("officer", "/batches", {**sent, "preview": False})).json()
    assert {**done, "preview": True} == preview
    (paper,) = done["documents"]
    about = (await site.get("officer", f"/documents/{paper['id']}")).json()
    assert about["findings"] == numbers
    assert [site.world.version(number) for number in numbers] == [v + 1 for v in before]


async def test_a_preview_may_be_asked_for_in_the_address_and_nothing_else_may(site: Site) -> None:
    number = site.world.received()
    sent, key = {"action": "urge", "findings": [number], "payload": {}}, {"Idempotency-Key": "one"}
    before = site.world.version(number)
    preview = await site.post("officer", "/batches?preview=true", sent, headers=key)
    assert preview.json()["preview"] is True
    assert site.world.version(number) == before
    refused = await site.post("officer", "/batches?preveiw=true", sent)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "preveiw"
    assert (await site.post("officer", "/batches", sent, headers=key)).json()["code"] == "idempotency_mismatch"
    assert site.world.version(number) == before
    assert (await site.post("officer", "/batches?preview=false", sent)).json()["preview"] is False
    assert site.world.version(number) == before + 1


async def test_a_batch_is_done_for_all_or_for_none(site: Site) -> None:
    ready, draft = site.world.received(), site.world.opened()
    sent = {"action": "urge", "findings": [ready, draft], "payload": {}}
    assert (await site.post("officer", "/batches", sent)).status_code == 200
    sent = {"action": "submit_report", "findings": [ready, draft], "payload": {}}
    body = refused(await site.post("inspector", "/batches", sent), 409, "action_not_allowed")
    assert [(f["number"], f["code"]) for f in body["failures"]] == [(ready, "action_not_allowed")]
    assert site.world.state(draft) == "report.draft"
    foreign = {"action": "comment", "findings": [ready, "SQ-2026-0001"], "payload": {"text": "x"}}
    refused(await site.post("officer", "/batches", foreign), 404, "not_found")
    both = {"action": "urge", "findings": [ready, site.world.received(unit="other_school")], "payload": {}}
    assert refused(await site.post("officer", "/batches", both), 409, "guard_failed")["guard"] == "one_unit"


async def test_answers_are_the_same_json_whoever_wrote_the_request(site: Site) -> None:
    number = site.world.opened()
    answer = await site.get("chief", f"/findings/{number}")
    assert answer.content.decode() == json.dumps(answer.json(), ensure_ascii=False, separators=(",", ":"))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


# ---- papers that join units ------------------------------------------------------------------------------------------


async def test_a_paper_that_joins_units_names_them_all_and_shows_each_its_own_findings(site: Site) -> None:
    numbers = [
        site.world.executing(unit="school", title="楼道堆物"),
        site.world.executing(unit="other_school", title="食堂漏检"),
    ]
    reasons = {"reasons": [{"code": "AC_POOR_RECTIFY", "text": "整改迟缓"}]}
    site.world.act_all("chief", "propose_interview", numbers, reasons)
    notice = {
        "action": "notice_interview", "findings": numbers,
        "payload": {
            "chair": "chief", "at": f"{site.world.day(14)}T09:00:00+08:00", "place": "督导办",
            "interviewees": [{"name": "校长", "post": "校长"}], "materials": ["整改情况"],
        },
    }  # fmt: skip
    done = await site.post("chief", "/batches", notice)
    assert done.status_code == 200, done.text
    (paper,) = done.json()["documents"]
    path, both = f"/documents/{paper['id']}", ("桐峰镇中心小学", "云溪县第二中学")
    whole = (await site.get("chief", path)).json()
    assert (whole["content"]["unit"], whole["content"]["unit_name"]) == ("school", both[0])
    assert whole["content"]["units"] == [
        {"id": "school", "name": both[0]}, {"id": "other_school", "name": both[1]}
    ]  # fmt: skip
    assert [f["number"] for f in whole["content"]["findings"]] == whole["findings"] == numbers
    assert digest(canonical(whole["content"])) == whole["digest"]
    for who, mine, hidden in (("school", 0, "食堂漏检"), ("other_school", 1, "楼道堆物")):
        cut = (await site.get(who, path)).json()
        assert [f["number"] for f in cut["content"]["findings"]] == cut["findings"] == [numbers[mine]]
        assert hidden not in json.dumps(cut, ensure_ascii=False)
        page = (await site.get(who, f"{path}.html")).text
        assert all(name in page for name in both)
        assert numbers[mine] in page
        assert hidden not in page
        assert numbers[1 - mine] not in page
    for who in ("bureau", "chief"):
        page = (await site.get(who, f"{path}.html")).text
        assert all(number in page for number in numbers)


async def test_a_paper_to_one_unit_names_that_unit_alone(site: Site) -> None:
    number = site.world.received()
    paper = (await site.get("school", f"/findings/{number}/documents")).json()["items"][0]
    content = (await site.get("school", f"/documents/{paper['id']}")).json()["content"]
    assert (content["unit"], content["unit_name"]) == ("school", "桐峰镇中心小学")
    assert "units" not in content
