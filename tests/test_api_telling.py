"""Wishes, deliveries, who was told and what reached nobody, as the API shows them to whom they concern."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from loop.store import staff
from tests.cast import ROOT
from tests.postal import CONSOLE, Post, postal_settings
from tests.web import Site, refused
from tests.world import World

NOWHERE: dict[str, Any] = {
    "name": "mail", "kind": "mail", "host": "127.0.0.1", "port": 1, "security": "none", "sender": "loop@example.cn",
}  # fmt: skip
"""A mail server that nobody runs."""


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The API over a world with a desk that takes everything and a mail server that is not there; one try is enough."""
    world = World(postal_settings(database_url, tmp_path, CONSOLE, NOWHERE, attempts=1))
    made = Site(world)
    yield made
    await made.http.aclose()
    world.parts.close()


async def drained(site: Site) -> int:
    return await asyncio.to_thread(site.world.parts.outbox.drain)


def wishes(*channels: str, **more: Any) -> dict[str, Any]:
    at = {"desk": "一楼", "mail": "school@example.cn"}
    return {"channels": [{"channel": name, "address": at[name]} for name in channels], **more}


# ---- wishes --------------------------------------------------------------------------------------------------------


async def test_one_wishes_where_and_when_to_be_told(site: Site) -> None:
    fresh = (await site.get("school", "/me/preferences")).json()
    assert (fresh["channels"], fresh["off"], fresh["digest"]) == ([], [], False)
    assert [channel["name"] for channel in fresh["offered_channels"]] == ["desk", "mail"]
    assert [route["name"] for route in fresh["routes"] if route["may_be_off"]] == ["weekly", "work"]
    answer = await site.call("school", "PUT", "/me/preferences", wishes("mail", "desk", off=["work"], digest=True))
    assert answer.status_code == 200
    kept = (await site.get("school", "/me/preferences")).json()
    assert kept == answer.json()
    assert [one["channel"] for one in kept["channels"]] == ["mail", "desk"]
    assert (kept["off"], kept["digest"]) == (["work"], True)
    assert (await site.get("chief", "/me/preferences")).json()["channels"] == []


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"channels": [{"channel": "pigeon", "address": "roof"}]}, "channels.0.channel"),
        ({"channels": [{"channel": "mail", "address": "no address"}]}, "channels.0.address"),
        ({"channels": [{"channel": "desk", "address": "a"}, {"channel": "desk", "address": "b"}]}, "channels"),
        ({"off": ["served"]}, "off"),
        ({"off": ["no such route"]}, "off"),
        ({"digest": "yes"}, "digest"),
    ],
)  # fmt: skip
async def test_a_wrong_wish_is_refused_by_field_and_changes_nothing(
    site: Site, wanted: dict[str, Any], field: str
) -> None:
    await site.call("school", "PUT", "/me/preferences", wishes("desk"))
    answer = await site.call("school", "PUT", "/me/preferences", wanted)
    assert [fault["field"] for fault in refused(answer, 422, "invalid")["errors"]] == [field]
    assert [one["channel"] for one in (await site.get("school", "/me/preferences")).json()["channels"]] == ["desk"]


async def test_an_administrator_may_set_the_addresses_of_an_office(site: Site) -> None:
    school = site.world.cast.ids["school"]
    assert (await site.call("admin", "PUT", f"/users/{school}/preferences", wishes("desk"))).status_code == 200
    assert (await site.get("school", "/me/preferences")).json()["channels"] == [{"channel": "desk", "address": "一楼"}]
    assert (await site.get("admin", f"/users/{school}/preferences")).json()["channels"]
    refused(await site.get("other_school", f"/users/{school}/preferences"), 404, "not_found")
    refused(await site.call("chief", "PUT", f"/users/{school}/preferences", wishes("desk")), 403, "forbidden")


# ---- deliveries ----------------------------------------------------------------------------------------------------


async def test_what_one_channel_gives_up_goes_by_the_next_and_is_shown(site: Site) -> None:
    await site.call("school", "PUT", "/me/preferences", wishes("mail", "desk"))
    number = site.world.fed_back()
    await drained(site)
    items = (await site.get("admin", "/deliveries")).json()["items"]
    assert [(one["channel"], one["status"], one["person"]) for one in items] == [
        ("desk", "sent", "school"), ("mail", "given_up", "school"),
    ]  # fmt: skip
    dead = (await site.get("auditor", "/deliveries?dead=true")).json()["items"]
    assert [one["channel"] for one in dead] == ["mail"]
    whole = (await site.get("admin", f"/deliveries/{dead[0]['id']}")).json()
    assert [bool(one["error"]) for one in whole["tries"]] == [True]
    told = (await site.get("chief", f"/findings/{number}/told")).json()["items"]
    (letter,) = [one for one in told if one["person"] == "school"]
    assert letter["step"] == "approve_report"
    assert letter["should_at"] == letter["queued_at"] == letter["delivered_at"]
    assert [(way["channel"], bool(way["sent_at"])) for way in letter["ways"]] == [("mail", False), ("desk", True)]


async def test_a_delivery_given_up_is_replayed_with_one_call_under_its_id(site: Site) -> None:
    await site.call("school", "PUT", "/me/preferences", wishes("mail"))
    site.world.fed_back()
    await drained(site)
    (dead,) = (await site.get("admin", "/deliveries?dead=true")).json()["items"]
    again = await site.post("admin", f"/deliveries/{dead['id']}/replay")
    assert (again.json()["id"], again.json()["status"]) == (dead["id"], "owed")
    refused(await site.post("admin", f"/deliveries/{dead['id']}/replay"), 409, "conflict")
    await drained(site)
    (dead_again,) = (await site.get("admin", "/deliveries?dead=true")).json()["items"]
    assert dead_again["id"] == dead["id"]


async def test_deliveries_are_shown_to_administrators_and_auditors_only(site: Site) -> None:
    await site.call("school", "PUT", "/me/preferences", wishes("desk"))
    site.world.fed_back()
    await drained(site)
    (one,) = (await site.get("auditor", "/deliveries")).json()["items"]
    for who in ("chief", "school", "leader"):
        refused(await site.get(who, "/deliveries"), 403, "forbidden")
        refused(await site.get(who, f"/deliveries/{one['id']}"), 403, "forbidden")
    refused(await site.post("auditor", f"/deliveries/{one['id']}/replay"), 403, "forbidden")
    refused(await site.get("admin", "/deliveries/none"), 404, "not_found")


async def test_deliveries_are_paged_and_filtered(site: Site) -> None:
    await site.call("school", "PUT", "/me/preferences", wishes("desk"))
    await site.call("chief", "PUT", "/me/preferences", wishes("desk"))
    for category in ("campus_safety", "health_canteen"):
        site.world.fed_back(category=category)
        await drained(site)
    seen: list[str] = []
    after = ""
    while True:
        page = (await site.get("admin", f"/deliveries?limit=1{after}")).json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(seen) == len(set(seen)) == 4
    school = site.world.cast.ids["school"]
    mine = (await site.get("admin", f"/deliveries?person={school}&channel=desk")).json()["items"]
    assert [one["person"] for one in mine] == ["school", "school"]


# ---- who was told, and who was not ---------------------------------------------------------------------------------


async def test_a_unit_sees_what_it_was_told_and_not_what_others_were(site: Site) -> None:
    number = site.world.received()
    mine = (await site.get("school", f"/findings/{number}/told")).json()["items"]
    assert {one["person"] for one in mine} == {"school"}
    everybody: list[dict[str, Any]] = []
    after = ""
    while True:
        page = (await site.get("chief", f"/findings/{number}/told?limit=2{after}")).json()
        everybody += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert {one["person"] for one in everybody} >= {"school", "chief", "officer", "bureau"}
    assert [one["seq"] for one in everybody] == sorted(one["seq"] for one in everybody)
    refused(await site.get("next_chief", f"/findings/{number}/told"), 404, "not_found")


async def test_coverage_lists_every_gap_until_it_is_healed(site: Site) -> None:
    world = site.world
    officer = world.cast.ids["officer"]
    world.parts.store.write(lambda tx: staff.change_person(tx, ROOT, officer, {"active": False}))
    number, other = world.fed_back(), world.fed_back(category="health_canteen")
    for one in (number, other):
        world.act("school", "waive_defence", one)
    coverage = (await site.get("chief", "/notifications/coverage")).json()
    gap, _ = [one for one in coverage["items"] if one["step"] == "waive_defence"]
    assert (gap["finding"], gap["role"], gap["why"], gap["office"]) == (number, "officer", "stood_in", "YX")
    assert coverage["owed"] > 0
    assert (await site.get("city_chief", "/notifications/coverage")).json()["items"]
    assert (await site.get("next_chief", "/notifications/coverage")).json()["items"] == []
    refused(await site.get("school", "/notifications/coverage"), 403, "forbidden")
    first = (await site.get("chief", "/notifications/coverage?limit=1")).json()
    rest = (await site.get("chief", f"/notifications/coverage?after={first['next']}")).json()
    assert [*first["items"], *rest["items"]] == coverage["items"]

    def succeed(tx: Any) -> None:
        staff.enrol(tx, ROOT, name="officer2", full_name="继任", role="officer", from_on=world.today, region="930106")

    world.parts.store.write(succeed)
    assert world.parts.reconciliation.run() >= 1
    healed = (await site.get("chief", "/notifications/coverage")).json()["items"]
    assert [one for one in healed if one["role"] == "officer"] == []


async def test_a_letter_that_no_channel_takes_is_a_gap_until_it_is_read(site: Site) -> None:
    await site.call("school", "PUT", "/me/preferences", wishes("mail"))
    site.world.fed_back()
    await drained(site)
    (gap,) = [
        one
        for one in (await site.get("chief", "/notifications/coverage")).json()["items"]
        if one["why"] == "undelivered"
    ]
    assert (gap["person"], gap["step"]) == ("school", "approve_report")
    Post(site.world).sign_all("school")
    site.world.parts.reconciliation.run()
    left = (await site.get("chief", "/notifications/coverage")).json()["items"]
    assert [one for one in left if one["why"] == "undelivered"] == []


async def test_a_batch_first_says_how_many_messages_it_sends_to_how_many_people(site: Site) -> None:
    numbers = [site.world.received(), site.world.received(category="health_canteen")]
    wanted = {"action": "urge", "findings": numbers, "payload": {"text": "请抓紧"}, "preview": True}
    previewed = (await site.post("chief", "/batches", wanted)).json()
    assert (previewed["messages"], previewed["people"]) == (2, 1)
    done = (await site.post("chief", "/batches", wanted | {"preview": False})).json()
    assert (done["messages"], done["people"]) == (2, 1)
    urged = [m for m in site.world.inbox("school") if m.step == "urge"]
    assert len(urged) == 2


# ---- channels ------------------------------------------------------------------------------------------------------


async def test_an_administrator_tries_a_channel_and_hears_what_it_answers(site: Site) -> None:
    listed = (await site.get("admin", "/channels")).json()["items"]
    assert [(one["name"], one["kind"], one["reaches"]) for one in listed] == [
        ("desk", "console", "person"), ("mail", "mail", "person"),
    ]  # fmt: skip
    good = (await site.post("admin", "/channels/desk/test", {"address": "一楼"})).json()
    assert good == {"sent": True, "delivered": False, "error": None}
    bad = (await site.post("admin", "/channels/mail/test", {"address": "a@example.cn"})).json()
    assert bad["sent"] is False
    assert bad["error"]
    refused(await site.post("admin", "/channels/mail/test", {"address": "nowhere"}), 422, "invalid")
    refused(await site.post("admin", "/channels/none/test", {}), 404, "not_found")
    refused(await site.post("chief", "/channels/desk/test", {}), 403, "forbidden")
    refused(await site.get("chief", "/channels"), 403, "forbidden")
    twice = [
        await site.post("admin", "/channels/desk/test", {"address": "x"}, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert twice[0].content == twice[1].content
