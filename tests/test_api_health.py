"""Alive, ready, figures; the check of the hash chains; and how the OpenAPI document describes what stands here."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from loop.store import mailbox
from loop.store.schema import connected
from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]
OURS = (
    "regions", "offices", "units", "users", "tokens", "supervisions", "tip-offs", "notifications", "todo", "statistics",
    "ledger", "clock", "audit", "healthz", "readyz", "metrics",
)  # fmt: skip


async def figures(site: Site) -> str:
    return (await site.http.get("/metrics")).text


async def test_alive_and_ready_without_signing_in(site: Site) -> None:
    assert (await site.get(None, "/healthz")).json() == {"status": "ok"}
    ready = (await site.get(None, "/readyz")).json()
    assert ready == {"status": "ready", "database": site.world.parts.store.dialect, "scheduler": "elsewhere"}


async def test_a_database_of_another_version_is_not_ready(site: Site) -> None:
    with connected(site.world.parts.settings.database.url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    refused(await site.get(None, "/readyz"), 503, "unavailable")
    assert (await site.get(None, "/healthz")).status_code == 200


async def test_requests_are_counted_by_the_template_of_their_route(site: Site) -> None:
    number = site.world.fed_back()
    for _ in range(2):
        await site.get("officer", f"/findings/{number}")
    await site.get("officer", "/no/such/page")
    await site.http.request("BREW", "/api/v1/todo")
    said = await figures(site)
    route = 'method="GET",route="/api/v1/findings/{number}"'
    assert f'loop_requests_total{{{route},status="200"}} 2.0' in said
    assert f"loop_request_seconds_count{{{route}}} 2.0" in said
    assert 'route="unmatched",status="404"' in said
    assert 'method="OTHER"' in said
    assert number not in said


async def test_what_is_owed_and_due_is_counted(site: Site) -> None:
    site.world.fed_back()
    said = await figures(site)
    assert "loop_timers_due 0.0" in said
    owed = site.world.parts.store.read(mailbox.owed_count)
    assert f"loop_outbox_owed {float(owed)}" in said
    assert owed > 0
    site.world.clock = datetime(2026, 6, 1, tzinfo=UTC)
    assert "loop_timers_due 2.0" in await figures(site)
    await asyncio.to_thread(site.world.parts.outbox.drain)
    assert "loop_outbox_owed 0.0" in await figures(site)


# ---- audit ---------------------------------------------------------------------------------------------------------


async def test_chains_that_are_whole(site: Site) -> None:
    site.world.executing()
    whole = (await site.get("admin", "/audit/verify")).json()
    assert (whole["ok"], whole["whole"], whole["fault"]) == (True, True, None)
    assert whole["checked"]["event"] > 10
    part = (await site.get("auditor", "/audit/verify")).json()
    assert (part["ok"], part["whole"]) == (True, False)
    assert 0 < part["checked"]["event"] < whole["checked"]["event"]


async def test_an_edit_made_directly_is_named(site: Site) -> None:
    number = site.world.fed_back()
    with connected(site.world.parts.settings.database.url) as connection:
        connection.execute(text("UPDATE finding SET title = '改过的' WHERE number = :n"), {"n": number})
    for who in ("admin", "auditor"):
        said = (await site.get(who, "/audit/verify")).json()
        assert said["ok"] is False
        assert (said["fault"]["table"], "title" in said["fault"]["what"]) == ("finding", True)


@pytest.mark.parametrize("who", ["officer", "chief", "director", "leader", "school", "bureau"])
async def test_only_auditors_and_administrators_check(site: Site, who: str) -> None:
    refused(await site.get(who, "/audit/verify"), 403, "forbidden")


async def test_supervisions_and_tip_offs_leave_chains_that_verify(site: Site) -> None:
    period = {"from_on": "2026-03-02", "until_on": "2026-03-20"}
    made = await site.post("officer", "/supervisions", {"kind": "routine", "title": "三月责任督学", "period": period})
    await site.call("officer", "PATCH", f"/supervisions/{made.json()['id']}", {"report": "已完成"})
    await site.post(None, "/tip-offs", {"matter": "食堂问题", "unit": "school", "name": "张三"})
    (one,) = (await site.get("officer", "/tip-offs")).json()["items"]
    await site.get("officer", f"/tip-offs/{one['id']}?identity=true")
    site.world.sleep(60)
    await site.call("officer", "PATCH", f"/tip-offs/{one['id']}", {"status": "answered", "result": "已核查"})
    said = (await site.get("admin", "/audit/verify")).json()
    assert said["ok"], said["fault"]


BODILESS = ("/acknowledge", "/replay")
"""What is posted without a body ends like this."""

# ---- the document --------------------------------------------------------------------------------------------------


async def test_every_body_has_an_example_and_every_answer_a_description(site: Site) -> None:
    document = (await site.http.get("/openapi.json")).json()
    mine = [(p, m, o) for p, ms in document["paths"].items() for m, o in ms.items() if _ours(p)]
    assert len(mine) > 35
    for path, method, operation in mine:
        body = operation.get("requestBody")
        assert (body is not None) == (method in ("post", "patch", "put") and not path.endswith(BODILESS)), path
        if body:
            assert any("example" in content for content in body["content"].values()), path
        assert all(answer["description"] for answer in operation["responses"].values()), path
        assert not _dangling(operation, document), path
    public = [p for p, _, o in mine if o.get("security") == []]
    assert sorted(public) == sorted(
        ["/api/v1/tip-offs", "/api/v1/tip-offs/result", "/healthz", "/readyz", "/metrics"]
    )  # fmt: skip


def _ours(path: str) -> bool:
    return path.removeprefix("/api/v1/").removeprefix("/").split("/")[0].split(".")[0] in OURS


def _dangling(part: Any, document: dict[str, Any]) -> list[str]:
    """References that lead nowhere."""
    if isinstance(part, list):
        return [ref for one in part for ref in _dangling(one, document)]
    if not isinstance(part, dict):
        return []
    found = [ref for one in part.values() for ref in _dangling(one, document)]
    ref = part.get("$ref")
    if isinstance(ref, str) and ref.rpartition("/")[2] not in document["components"]["schemas"]:
        found.append(ref)
    return found
