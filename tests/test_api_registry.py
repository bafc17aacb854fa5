"""Regions, offices and units by HTTP: administrators keep them, everybody reads within scope, nothing is deleted."""

from __future__ import annotations

from typing import Any

import pytest

from loop.store import journal
from tests.cast import CITY, COUNTRY, COUNTY, NEXT_DOOR, PROVINCE, TOWN
from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]


async def pages(site: Site, who: str, path: str) -> list[dict[str, Any]]:
    """Every item of a list, two at a time."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        answer = await site.get(who, f"{path}{'&' if '?' in path else '?'}limit=2&after={after}")
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        after = answer.json()["next"]
        if after is None:
            return found


@pytest.fixture
async def county_admin(site: Site) -> str:
    """An administrator of one county only."""
    new = {"name": "county_admin", "full_name": "县管理员", "role": "admin", "region": COUNTY}
    made = await site.post("admin", "/users", new)
    site.world.cast.ids["county_admin"] = made.json()["id"]
    site.tokens["county_admin"] = site.world.parts.store.write(lambda tx: site.token(tx, "county_admin"))
    return "county_admin"


async def test_everybody_reads_the_regions_of_their_scope_in_pages_that_meet(site: Site) -> None:
    every = [COUNTRY, PROVINCE, CITY, COUNTY, TOWN, NEXT_DOOR]
    assert [r["code"] for r in await pages(site, "admin", "/regions")] == sorted(every)
    assert [r["code"] for r in await pages(site, "officer", "/regions")] == [COUNTY, TOWN]
    assert await pages(site, "school", "/regions") == []


@pytest.mark.parametrize(
    ("who", "code", "status"),
    [("officer", TOWN, 200), ("officer", PROVINCE, 200), ("officer", NEXT_DOOR, 404), ("school", TOWN, 200),
     ("school", COUNTY, 200), ("school", NEXT_DOOR, 404), ("admin", "999999", 404), (None, TOWN, 401)],
)  # fmt: skip
async def test_a_region_is_read_if_it_lies_in_scope_or_holds_it(
    site: Site, who: str | None, code: str, status: int
) -> None:
    assert (await site.get(who, f"/regions/{code}")).status_code == status


async def test_an_administrator_makes_region_office_and_unit_and_each_leaves_an_entry(site: Site) -> None:
    region = {"code": "930107", "name": "新湖县", "level": "county", "parent": CITY}
    made = await site.post("admin", "/regions", region)
    assert made.status_code == 201
    assert made.headers["location"] == "/api/v1/regions/930107"
    assert made.json()["path"] == [COUNTRY, PROVINCE, CITY, "930107"]
    office = {"code": "XH", "region": "930107", "name": "新湖县督导办", "doc_prefix": "新教督"}
    one = (await site.post("admin", "/offices", office)).json()
    city = (await site.get("admin", "/offices/QH")).json()
    assert (one["region"], one["superior"]) == ("930107", city["id"])
    unit = {"name": "新湖县第一小学", "kind": "school", "region": "930107"}
    new = (await site.post("admin", "/units", unit)).json()
    assert (await site.get("admin", f"/units/{new['id']}")).json() == {
        **unit,
        "id": new["id"],
        "department": None,
        "active": True,
    }
    trail = site.world.parts.store.read(lambda tx: journal.trail(tx, "people"))
    assert [entry.action for entry in trail[-3:]] == ["add_region", "add_office", "add_unit"]
    assert {entry.actor_name for entry in trail[-3:]} == {"admin"}


@pytest.mark.parametrize("who", ["officer", "chief", "auditor", "leader", "school", "bureau"])
async def test_only_administrators_make_or_change(site: Site, who: str) -> None:
    region = {"code": "930107", "name": "新湖县", "level": "county", "parent": CITY}
    refused(await site.post(who, "/regions", region), 403, "forbidden")
    refused(await site.call(who, "PATCH", "/units/school", {"name": "改名"}), 403, "forbidden")


async def test_an_administrator_of_a_county_keeps_to_it(site: Site, county_admin: str) -> None:
    inside = {"name": "云溪县第三小学", "kind": "school", "region": TOWN}
    assert (await site.post(county_admin, "/units", inside)).status_code == 201
    outside = await site.post(county_admin, "/units", {**inside, "region": NEXT_DOOR})
    assert [e["field"] for e in refused(outside, 422, "invalid")["errors"]] == ["region"]
    refused(await site.call(county_admin, "PATCH", "/units/next_school", {"active": False}), 404, "not_found")
    refused(await site.call(county_admin, "PATCH", "/offices/SQ", {"active": False}), 404, "not_found")
    refused(await site.call(county_admin, "PATCH", f"/regions/{CITY}", {"name": "别名"}), 404, "not_found")
    moved = await site.call(county_admin, "PATCH", "/units/other_school", {"region": NEXT_DOOR})
    assert [e["field"] for e in refused(moved, 422, "invalid")["errors"]] == ["region"]


async def test_what_is_in_use_is_not_deactivated_and_what_is_not_can_come_back(site: Site) -> None:
    refused(await site.call("admin", "PATCH", f"/regions/{TOWN}", {"active": False}), 409, "conflict")
    refused(await site.call("admin", "PATCH", "/units/bureau", {"active": False}), 409, "conflict")
    gone = await site.call("admin", "PATCH", "/units/government", {"active": False})
    assert gone.json()["active"] is False
    assert "government" not in [u["id"] for u in await pages(site, "officer", "/units?active=true")]
    back = await site.call("admin", "PATCH", "/units/government", {"active": True})
    assert back.json()["active"] is True


async def test_a_unit_sees_itself_and_a_department_those_it_governs(site: Site) -> None:
    assert [u["id"] for u in await pages(site, "school", "/units")] == ["school"]
    assert sorted(u["id"] for u in await pages(site, "bureau", "/units")) == ["bureau", "other_school", "school"]
    mine = await pages(site, "officer", "/units?kind=school")
    assert sorted(u["id"] for u in mine) == ["other_school", "school"]
    refused(await site.get("school", "/units/other_school"), 404, "not_found")
    assert [u["id"] for u in await pages(site, "officer", "/units?q=中心")] == ["school"]


@pytest.mark.parametrize(
    ("path", "changes", "field"),
    [
        ("/units/school", {"name": None}, "name"), ("/units/school", {"name": "\x00"}, "name"),
        ("/units/school", {"kind": "shop"}, "kind"), ("/units/school", {"department": "school"}, "department"),
        ("/units/school", {"colour": "red"}, "colour"), ("/offices/YX", {"code": "a b"}, "code"),
        (f"/regions/{COUNTY}", {"active": "no"}, "active"),
    ],
)  # fmt: skip
async def test_a_change_that_cannot_be_names_its_field(
    site: Site, path: str, changes: dict[str, Any], field: str
) -> None:
    answer = await site.call("admin", "PATCH", path, changes)
    assert [e["field"] for e in refused(answer, 422, "invalid")["errors"]] == [field]


async def test_a_null_department_takes_the_department_away(site: Site) -> None:
    answer = await site.call("admin", "PATCH", "/units/school", {"department": None})
    assert answer.json()["department"] is None


async def test_a_repeated_post_makes_one(site: Site) -> None:
    unit = {"name": "新学校", "kind": "school", "region": TOWN}
    first = await site.post("admin", "/units", unit, headers={"Idempotency-Key": "k"})
    again = await site.post("admin", "/units", unit, headers={"Idempotency-Key": "k"})
    assert first.content == again.content
    assert len(await pages(site, "admin", "/units?q=新学校")) == 1
    taken = {"code": TOWN, "name": "桐峰镇", "level": "township", "parent": COUNTY}
    refused(await site.post("admin", "/regions", taken), 409, "conflict")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "after=zzz", "colour=red", "active=maybe", "kind=shop"]
)
async def test_a_page_that_cannot_be(site: Site, query: str) -> None:
    refused(await site.get("admin", f"/units?{query}"), 422, "invalid")
