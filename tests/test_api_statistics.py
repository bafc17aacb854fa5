"""Counts and rates: of what is in scope, each count the same as what the ledger lists for its filter."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.cast import CITY, COUNTRY, COUNTY, NEXT_DOOR, TOWN
from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]


@pytest.fixture
def told(site: Site) -> Site:
    """A draft, a finding fed back, one written off on time, one overdue, one next door."""
    world = site.world
    done = world.reported(world.executing())
    world.passed(done)
    world.act("chief", "write_off", done)
    world.sleep(120)
    world.fed_back(category="funding", severity="major")
    world.sleep(11)
    world.opened(unit="other_school", kind="special", supervision=world.cast.supervisions["special"])
    late = world.opened(category="pay")
    world.act("inspector", "submit_report", late)
    world.sleep(20)
    values = {"title": "邻县问题", "unit": "next_school", "category": "campus_safety", "source": "旧台账"}
    world.act("next_officer", "take_over", **values)
    return site


async def figures(site: Site, who: str, query: str = "") -> dict[str, Any]:
    answer = await site.get(who, f"/statistics{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def listed(site: Site, who: str, wanted: dict[str, Any]) -> int:
    query = urlencode({n: str(v).lower() if isinstance(v, bool) else v for n, v in wanted.items()}, doseq=True)
    return int((await site.get(who, f"/findings?count=true&limit=1&{query}")).json()["total"])


async def test_every_count_is_what_the_ledger_lists_for_its_filter(told: Site) -> None:
    for who in ("officer", "city_chief", "auditor", "school", "bureau", "next_officer"):
        said = await figures(told, who)
        shares = [share for name in said["by"] for share in said["by"][name]]
        checked = [(f["value"], f["filter"]) for f in said["counts"].values() if f["filter"] is not None]
        checked += [(share["found"], share["filter"]) for share in shares if share["filter"] is not None]
        for value, wanted in checked:
            assert await listed(told, who, wanted) == value, (who, wanted)
        for name in said["by"]:
            assert sum(share["found"] for share in said["by"][name]) == said["counts"]["found"]["value"], name


async def test_what_is_counted(told: Site) -> None:
    said = await figures(told, "officer")
    assert {name: one["value"] for name, one in said["counts"].items()} == {
        "found": 4, "notified": 2, "open": 3, "overdue": 3, "written_off": 1, "relapsed": 0, "withdrawn": 0, "positive": 0,
    }  # fmt: skip
    assert said["rates"]["completion"] == {"part": 1, "of": 2, "rate": 0.5}
    assert said["rates"]["first_pass"] == {"part": 1, "of": 1, "rate": 1.0}
    assert said["rates"]["on_time_original"] == {"part": 1, "of": 1, "rate": 1.0}
    assert said["rates"]["relapse"] == {"part": 0, "of": 1, "rate": 0.0}
    assert said["as_of"].startswith(told.world.day())
    state = {share["key"]: share for share in said["by"]["state"]}
    assert state["report.submitted"]["label"] == {"zh": "待审核", "en": "awaiting approval"}
    assert (state["report.submitted"]["open"], state["report.submitted"]["overdue"]) == (1, 1)


async def test_regions_are_those_below_the_one_asked_for(told: Site) -> None:
    def named(said: dict[str, Any]) -> dict[str, int]:
        return {share["key"]: share["found"] for share in said["by"]["region"]}

    assert named(await figures(told, "city_chief")) == {COUNTY: 4, NEXT_DOOR: 1}
    assert named(await figures(told, "city_chief", f"?region={COUNTY}")) == {COUNTY: 1, TOWN: 3}
    assert named(await figures(told, "province_chief")) == {CITY: 5}
    assert named(await figures(told, "province_chief", f"?region={COUNTRY}")) == {"930000": 5}
    assert named(await figures(told, "officer")) == {COUNTY: 1, TOWN: 3}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?category=funding", 1), ("?category=funding,pay", 2), ("?severity=major", 1), ("?kind=special", 1),
        ("?unit=school", 3), ("?opened_before=2026-03-03", 1), ("?opened_after=2026-03-03", 3), ("?office=YX", 4),
        ("?office=SQ", 0), (f"?region={NEXT_DOOR}", 0),
    ],
)  # fmt: skip
async def test_filters(told: Site, query: str, found: int) -> None:
    said = await figures(told, "officer", query)
    assert said["counts"]["found"]["value"] == found
    wanted = said["counts"]["found"]["filter"]
    assert await listed(told, "officer", wanted) == found


async def test_nothing_to_count_gives_no_rate(site: Site) -> None:
    said = await figures(site, "school")
    assert said["counts"]["found"]["value"] == 0
    assert {rate["rate"] for rate in said["rates"].values()} == {None}
    assert said["by"]["region"] == []
    assert (await figures(site, "admin"))["counts"]["found"]["value"] == 0


@pytest.mark.parametrize(
    "query", ["?region=nowhere", "?office=nowhere", "?opened_after=soon", "?colour=red", "?unit=%00"]
)
async def test_a_question_that_cannot_be(site: Site, query: str) -> None:
    refused(await site.get("officer", f"/statistics{query}"), 422, "invalid")
    refused(await site.get(None, f"/statistics{query}"), 401, "unauthenticated")
