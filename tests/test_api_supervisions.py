"""Supervisions: kept by their office, read in scope, and the report that is owed when the period has ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]
NEW = {
    "kind": "special", "title": "春季校园安全专项督导", "period": {"from_on": "2026-03-02", "until_on": "2026-03-20"},
    "lead": "inspector", "team": ["inspector", "inspector2"], "matters": ["校园安全", "食堂卫生"],
}  # fmt: skip


async def begun(site: Site, **changes: Any) -> dict[str, Any]:
    answer = await site.post("officer", "/supervisions", NEW | changes)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_supervision_is_read_as_it_was_made(site: Site) -> None:
    made = await begun(site, satisfaction={"method": "问卷", "asked": 200, "satisfied": 187})
    read = (await site.get("inspector", f"/supervisions/{made['id']}")).json()
    assert read == made
    assert {name: read[name] for name in NEW} == NEW
    assert (read["office"], read["active"], read["satisfaction"]["satisfied"]) == ("YX", True, 187)
    listed = (await site.get("city_chief", "/supervisions")).json()["items"]
    assert made in listed
    assert (await site.get("next_officer", "/supervisions")).json()["items"] == []
    refused(await site.get("next_officer", f"/supervisions/{made['id']}"), 404, "not_found")
    assert (await site.get("school", "/supervisions")).json()["items"] == []


async def test_its_report_is_due_thirty_days_after_it_ends_and_the_officer_is_reminded(site: Site) -> None:
    made = await begun(site)
    # 20 March + 30 d is Sunday, 19 April: it moves on to Monday.
    assert made["report_due_at"] == "2026-04-20T23:59:59+08:00"
    ran = site.world.sleep(50)
    assert [s.action for s in ran if s.number == f"supervision:{made['id']}"] == ["remind"]
    waiting = (await site.get("officer", "/todo")).json()["items"]
    assert [(t["rule"], t["supervision"], t["overdue"]) for t in waiting] == [("supervision_report", made["id"], True)]
    done = await site.call("chief", "PATCH", f"/supervisions/{made['id']}", {"report": "督导发现三类问题。"})
    assert (done.json()["report"], done.json()["report_due_at"]) == ("督导发现三类问题。", None)
    assert (await site.get("officer", "/todo")).json()["items"] == []


async def test_a_longer_period_moves_the_deadline_and_a_report_withdrawn_starts_it_again(site: Site) -> None:
    made = await begun(site)
    path = f"/supervisions/{made['id']}"
    longer = {"period": {"from_on": "2026-03-02", "until_on": "2026-04-30"}}
    assert (await site.call("officer", "PATCH", path, longer)).json()["report_due_at"] == "2026-06-01T23:59:59+08:00"
    await site.call("officer", "PATCH", path, {"report": "初稿"})
    assert (await site.call("officer", "PATCH", path, {"report": ""})).json()["report_due_at"] is not None
    off = await site.call("officer", "PATCH", path, {"active": False, "lead": None, "satisfaction": None})
    assert (off.json()["active"], off.json()["lead"], off.json()["report_due_at"]) == (False, None, None)


async def test_only_its_own_office_keeps_it(site: Site) -> None:
    made = await begun(site)
    path = f"/supervisions/{made['id']}"
    for who in ("inspector", "leader", "auditor", "admin", "city_chief"):
        refused(await site.call(who, "PATCH", path, {"title": "改名"}), 403, "forbidden")
    for who in ("next_officer", "school", "bureau"):
        refused(await site.call(who, "PATCH", path, {"title": "改名"}), 404, "not_found")
    refused(await site.post("inspector", "/supervisions", NEW), 403, "forbidden")
    refused(await site.post("officer", "/supervisions", NEW | {"office": "SQ"}), 422, "invalid")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "tip_off"}, "kind"), ({"title": ""}, "title"), ({"period": {"from_on": "2026-03-02"}}, "period.until_on"),
        ({"period": {"from_on": "2026-03-02", "until_on": "2026-03-01"}}, "period"), ({"team": ["nobody"]}, "team"),
        ({"lead": "nobody"}, "team"), ({"satisfaction": {"method": "x", "asked": 1, "satisfied": 2}}, "satisfaction"),
        ({"satisfaction": {"method": "x", "asked": -1, "satisfied": 0}}, "satisfaction.asked"), ({"report": "\x00"}, "report"),
    ],
)  # fmt: skip
async def test_a_supervision_that_cannot_be(site: Site, changes: dict[str, Any], field: str) -> None:
    answer = await site.post("officer", "/supervisions", NEW | changes)
    assert [e["field"] for e in refused(answer, 422, "invalid")["errors"]] == [field]
