"""Who sees what by HTTP: a stranger gets 404 on every route, nobody 401, and a unit no more than was told to it."""

from __future__ import annotations

from typing import Any

from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]

STRANGERS = ("next_officer", "next_chief", "next_school", "other_school", "admin")
SEERS = ("inspector", "officer", "chief", "director", "leader", "auditor", "city_chief", "province_chief")


async def paths(site: Site, number: str) -> list[str]:
    """Every address that shows something of one finding."""
    finding = f"/findings/{number}"
    timer = (await site.get("chief", f"{finding}/timers")).json()["items"][-1]["id"]
    paper = (await site.get("chief", f"{finding}/documents")).json()["items"][-1]["id"]
    file = site.world.attach("school", number)
    return [
        finding, f"{finding}/actions", f"{finding}/events", f"{finding}/timers", f"{finding}/timers/{timer}/proof",
        f"{finding}/documents", f"/documents/{paper}", f"/documents/{paper}.html", f"/attachments/{file}",
        f"/workflow/diagram.svg?finding={number}", f"/workflow/diagram.mmd?finding={number}",
    ]  # fmt: skip


async def test_a_finding_is_seen_only_within_reach(site: Site) -> None:
    number = site.world.received()
    for path in await paths(site, number):
        for who in (*SEERS, "school"):
            assert (await site.get(who, path)).status_code == 200, (who, path)
        for who in STRANGERS:
            refused(await site.get(who, path), 404, "not_found")
        refused(await site.get(None, path), 401, "unauthenticated")


async def test_a_stranger_can_do_nothing_and_is_told_nothing(site: Site) -> None:
    number = site.world.received()
    version = site.world.version(number)
    for who, status, code in (*((who, 404, "not_found") for who in STRANGERS), (None, 401, "unauthenticated")):
        for action in site.world.engine.book.workflow.actions:
            if action != "attach":
                answer = await site.post(who, f"/findings/{number}/actions/{action}", {"text": "x"})
                refused(answer, status, code)
        file = {"file": ("a.pdf", b"%PDF-1.7 x")}
        refused(await site.post(who, f"/findings/{number}/attachments", files=file), status, code)
        refused(await site.post(who, f"/findings/{number}/actions/attach", files=file), status, code)
        batch = {"action": "comment", "findings": [number], "payload": {"text": "x"}}
        refused(await site.post(who, "/batches", batch), status, code)
    assert site.world.version(number) == version


async def test_an_unknown_number_and_a_foreign_one_look_alike(site: Site) -> None:
    number = site.world.received()
    foreign = (await site.get("next_officer", f"/findings/{number}")).json()
    unknown = (await site.get("next_officer", "/findings/YX-2026-9999")).json()
    assert {**foreign, "request_id": ""} == {**unknown, "request_id": ""}


async def test_the_ledger_holds_only_what_is_in_scope(site: Site) -> None:
    number = site.world.received()
    draft = site.world.opened(unit="other_school")
    seen = {
        who: [row["number"] for row in (await site.get(who, "/findings?sort=number")).json()["items"]]
        for who in ("chief", "city_chief", "auditor", "school", "bureau", *STRANGERS)
    }
    assert seen["chief"] == seen["city_chief"] == seen["auditor"] == [number, draft]
    assert seen["school"] == seen["bureau"] == [number]
    assert all(seen[who] == [] for who in STRANGERS)
    refused(await site.get(None, "/findings"), 401, "unauthenticated")


async def test_a_unit_and_its_department_see_nothing_before_something_is_served(site: Site) -> None:
    number = site.world.opened()
    site.world.act("inspector", "submit_report", number)
    for who in ("school", "bureau"):
        refused(await site.get(who, f"/findings/{number}"), 404, "not_found")
    site.world.act("chief", "approve_report", number, mode="written", fed_back_on=site.world.day())
    for who in ("school", "bureau"):
        assert (await site.get(who, f"/findings/{number}")).json()["state"] == "feedback.preliminary"


async def history(site: Site, who: str, number: str) -> dict[str, Any]:
    items = (await site.get(who, f"/findings/{number}/events")).json()["items"]
    return {item["action"]: item["payload"] for item in items}


async def test_a_unit_reads_the_payloads_of_what_it_did_or_was_told(site: Site) -> None:
    number = site.world.received()
    office, school, bureau = [await history(site, who, number) for who in ("chief", "school", "bureau")]
    assert list(office) == list(school) == list(bureau)
    assert all(payload is not None for payload in office.values())
    told = {"approve_report", "waive_defence", "serve_opinion", "acknowledge"}
    assert {action for action, payload in school.items() if payload is not None} == told
    assert {action for action, payload in bureau.items() if payload is not None} == {"serve_opinion"}
    assert school["serve_opinion"] == office["serve_opinion"]


async def test_an_internal_comment_never_reaches_the_unit(site: Site) -> None:
    number = site.world.received()
    site.world.act("officer", "comment", number, text="学校有意拖延", internal=True)
    site.world.act("officer", "comment", number, text="内部讨论", internal=False)
    for who in ("school", "bureau"):
        for path in ("", "/events"):
            assert "有意拖延" not in (await site.get(who, f"/findings/{number}{path}")).text
        assert [p for a, p in (await history(site, who, number)).items() if a == "comment"] == [None]
    assert "有意拖延" in (await site.get("auditor", f"/findings/{number}/events")).text


async def test_a_unit_sees_of_the_sheet_what_open_steps_have_written(site: Site) -> None:
    number = site.world.executing()
    site.world.act("officer", "propose_interview", number, reasons=["LADDER"])
    office = (await site.get("officer", f"/findings/{number}")).json()["sheet"]
    school = (await site.get("school", f"/findings/{number}")).json()["sheet"]
    assert school["plan"] == office["plan"]
    assert school["opinion"]["demands"] == office["opinion"]["demands"]
    assert "LADDER" in str(office)
    assert "LADDER" not in str(school)
    assert "author" not in school


async def test_papers_follow_the_steps_that_made_them(site: Site) -> None:
    number = site.world.executing()

    async def kinds(who: str) -> dict[str, str]:
        items = (await site.get(who, f"/findings/{number}/documents")).json()["items"]
        return {item["kind"]: item["id"] for item in items}

    office, school, bureau = await kinds("chief"), await kinds("school"), await kinds("bureau")
    assert set(office) - set(school) == {"report_item"}
    assert set(bureau) == {"opinion_letter", "rectification_notice", "plan"}
    for suffix in ("", ".html"):
        refused(await site.get("school", f"/documents/{office['report_item']}{suffix}"), 404, "not_found")
        refused(await site.get("bureau", f"/documents/{office['receipt']}{suffix}"), 404, "not_found")
        assert (await site.get("school", f"/documents/{office['receipt']}{suffix}")).status_code == 200


async def test_a_file_is_the_offices_own_unless_the_unit_sent_it(site: Site) -> None:
    number = site.world.received()
    theirs, ours = site.world.attach("officer", number), site.world.attach("school", number)
    assert (await site.get("school", f"/attachments/{ours}")).status_code == 200
    refused(await site.get("school", f"/attachments/{theirs}"), 404, "not_found")
    shown = (await site.get("school", f"/findings/{number}")).json()["attachments"]
    assert [file["id"] for file in shown] == [ours]
    assert len((await site.get("chief", f"/findings/{number}")).json()["attachments"]) == 2


async def test_the_register_holds_the_papers_of_the_offices_in_reach(site: Site) -> None:
    site.world.received()

    async def numbers(who: str) -> list[str]:
        return [item["number"] for item in (await site.get(who, "/documents")).json()["items"]]

    mine = await numbers("chief")
    assert len(mine) == 3
    assert all(number.startswith("云教督〔2026〕") for number in mine)
    assert await numbers("province_chief") == mine
    assert await numbers("next_chief") == await numbers("school") == await numbers("admin") == []


async def test_the_new_unit_of_a_finding_does_not_read_what_the_old_one_was_told(site: Site) -> None:
    number = site.world.received()
    site.world.act("chief", "change_unit", number, unit="other_school", reason="登记错误")
    refused(await site.get("school", f"/findings/{number}"), 404, "not_found")
    theirs = await history(site, "other_school", number)
    assert theirs["serve_opinion"] is None
    assert theirs["acknowledge"] is None
    assert theirs["change_unit"] == {"unit": "other_school", "reason": "登记错误", "fed_back_on": None}


async def test_readers_without_a_part_are_offered_only_what_their_role_may(site: Site) -> None:
    number = site.world.received()

    async def names(who: str) -> set[str]:
        offers = (await site.get(who, f"/findings/{number}/actions")).json()
        return {action["name"] for action in offers["available"]}

    assert await names("leader") == {"comment", "attach", "instruct"}
    assert await names("auditor") == set()
    refused(await site.act("auditor", number, "comment", text="x"), 403, "forbidden")
