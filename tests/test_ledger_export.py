"""The ledger as a file: what its reader may see and asks for, however much that is."""

from __future__ import annotations

import csv
import io

from tests.test_ledger_exchange import sent
from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]


async def test_an_export_holds_what_the_reader_may_see_and_asks_for(site: Site) -> None:
    number = site.world.executing(source="群众来信")
    site.world.opened(title="未送达")
    mine = (await site.get("school", "/ledger.csv", headers={"Accept-Language": "en"})).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(mine)))
    assert [(r["number"], r["source"], r["found on"], r["state"]) for r in rows] == [(number, "", "", "executing")]
    whole = (await site.get("officer", "/ledger.csv?state=rectification.executing")).content.decode("utf-8-sig")
    assert [r["来源"] for r in csv.DictReader(io.StringIO(whole))] == ["群众来信"]
    assert (await site.get("next_officer", "/ledger.csv")).content.decode("utf-8-sig").count("\r\n") == 1
    for wrong in ("limit=5", "after=x", "state=nowhere", "sort=colour", "region=nowhere"):
        refused(await site.get("officer", f"/ledger.csv?{wrong}"), 422, "invalid")
    refused(await site.get(None, "/ledger.csv"), 401, "unauthenticated")


async def test_an_export_is_longer_than_a_page(site: Site) -> None:
    rows = "".join(f"桐峰镇中心小学,问题{n},2026-05-01\n" for n in range(205))
    made = (await sent(site, "officer", "?category=pay", "单位,问题,时限\n" + rows)).json()
    assert made["counts"]["understood"] == 205
    out = (await site.get("officer", "/ledger.csv?sort=-number")).content.decode("utf-8-sig")
    assert [r["编号"] for r in csv.DictReader(io.StringIO(out))] == sorted(
        (row["finding"] for row in made["rows"]), reverse=True
    )
