"""Programs subscribe and are told, signed, of what their owner may see; secrets turn over; an endpoint that is gone is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from tests.postal import postal_settings
from tests.receiver import Receiver, listening
from tests.web import Site, refused
from tests.world import World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A program that listens."""
    with listening() as made:
        yield made


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """The API over a world that may reach this machine."""
    world = World(postal_settings(database_url, tmp_path, allow_networks=("127.0.0.0/8",)))
    made = Site(world)
    yield made
    await made.http.aclose()
    world.parts.close()


async def subscribed(site: Site, who: str, receiver: Receiver, **more: Any) -> dict[str, Any]:
    answer = await site.post(who, "/webhooks", {"name": "督查平台", "url": receiver.url, **more})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def drained(site: Site) -> int:
    return await asyncio.to_thread(site.world.parts.outbox.drain)


async def drained_later(site: Site, minutes: int) -> int:
    """Send what may be sent so many minutes from now."""
    later = replace(site.world.parts.outbox, real=lambda: site.real + timedelta(minutes=minutes))
    return await asyncio.to_thread(later.drain)


async def test_a_program_is_told_of_every_step_in_its_owners_region_signed(site: Site, receiver: Receiver) -> None:
    hook = await subscribed(site, "chief", receiver)
    number = site.world.fed_back()
    await drained(site)
    told = sorted(receiver.bodies, key=lambda body: body["data"]["seq"])
    assert [one["type"] for one in told] == ["finding.open", "finding.submit_report", "finding.approve_report"]
    events = (await site.get("chief", f"/findings/{number}/events")).json()["items"]
    assert [one["data"]["hash"] for one in told] == [event["hash"] for event in events]
    for headers, body in receiver.got:
        Verifier(hook["secret"]).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(hook["secret"]).verify(body + b" ", headers)
    assert len(set(receiver.ids)) == 3


async def test_only_the_actions_subscribed_to_are_told(site: Site, receiver: Receiver) -> None:
    await subscribed(site, "chief", receiver, actions=["approve_report"])
    site.world.fed_back()
    await drained(site)
    assert [told["data"]["action"] for told in receiver.bodies] == ["approve_report"]


async def test_a_unit_hears_from_the_first_thing_served_and_never_of_internal_remarks(
    site: Site, receiver: Receiver
) -> None:
    await subscribed(site, "school", receiver)
    number = site.world.fed_back()
    site.world.act("officer", "comment", number, text="内部讨论", internal=True)
    site.world.act("officer", "comment", number, text="请关注")
    site.world.fed_back(unit="other_school")
    await drained(site)
    assert {told["data"]["action"] for told in receiver.bodies} == {"approve_report", "comment"}
    assert len(receiver.got) == 2
    assert {told["data"]["number"] for told in receiver.bodies} == {number}
    assert "内部" not in str(receiver.got)


async def test_who_lost_sight_of_a_finding_is_told_no_more_of_it(site: Site, receiver: Receiver) -> None:
    await subscribed(site, "next_chief", receiver)
    site.world.fed_back()
    await drained(site)
    assert receiver.got == []


async def test_a_failing_endpoint_is_tried_again_under_the_same_id(site: Site, receiver: Receiver) -> None:
    hook = await subscribed(site, "chief", receiver, actions=["approve_report"])
    receiver.status = 503
    site.world.fed_back()
    await drained(site)
    receiver.status = 200
    await drained_later(site, 5)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1
    (told,) = (await site.get("chief", f"/webhooks/{hook['id']}/deliveries")).json()["items"]
    assert (told["id"], told["status"], told["attempts"]) == (receiver.ids[0], "delivered", 2)
    assert [bool(one["error"]) for one in told["tries"]] == [True, False]


async def test_an_endpoint_that_is_gone_is_switched_off_and_its_owner_told(site: Site, receiver: Receiver) -> None:
    hook = await subscribed(site, "chief", receiver, actions=["approve_report"])
    receiver.status = 410
    site.world.fed_back()
    await drained(site)
    off = (await site.get("chief", f"/webhooks/{hook['id']}")).json()
    assert (off["active"], off["failures"]) == (False, 1)
    assert off["off_reason"]
    (alarm,) = [m for m in (await site.get("chief", "/notifications")).json()["items"] if m["action"] == "endpoint_off"]
    assert "督查平台" in alarm["text"]["zh"]
    receiver.status = 200
    site.world.fed_back(category="health_canteen")
    await drained(site)
    assert len(receiver.got) == 1
    on = (await site.call("chief", "PATCH", f"/webhooks/{hook['id']}", {"active": True})).json()
    assert (on["active"], on["failures"], on["off_reason"]) == (True, 0, None)
    replayed = await site.post("chief", f"/webhooks/{hook['id']}/deliveries/{receiver.ids[0]}/replay")
    assert replayed.json()["status"] == "owed"
    await drained(site)
    assert receiver.ids == [receiver.ids[0]] * 2


async def test_a_letter_that_was_not_needed_goes_once_it_is_replayed_to_a_program_switched_on_again(
    site: Site, receiver: Receiver
) -> None:
    hook = await subscribed(site, "chief", receiver, actions=["approve_report"])
    where, receiver.status = f"/webhooks/{hook['id']}", 503
    site.world.fed_back()
    await drained(site)
    letters = f"{where}/deliveries"
    await site.call("chief", "PATCH", where, {"active": False})
    await drained_later(site, 5)
    (spared,) = (await site.get("chief", letters)).json()["items"]
    assert (spared["status"], spared["error"]) == ("not_needed", "订阅已停用或不再包含该步骤")
    replay = f"{letters}/{spared['id']}/replay"
    assert (await site.post("chief", replay)).json()["status"] == "owed"
    await drained_later(site, 10)  # still switched off: the reason stands
    (spared,) = (await site.get("chief", letters)).json()["items"]
    assert (spared["status"], spared["error"]) == ("not_needed", "订阅已停用或不再包含该步骤")
    await site.call("chief", "PATCH", where, {"active": True})
    receiver.status = 200
    assert (await site.post("chief", replay)).json()["status"] == "owed"
    await drained_later(site, 15)
    (told,) = (await site.get("chief", letters)).json()["items"]
    assert (told["status"], told["error"]) == ("delivered", None)
    assert receiver.ids == [spared["id"]] * 2
    refused(await site.post("chief", replay), 409, "conflict")


async def test_a_secret_turns_over_without_a_letter_lost(site: Site, receiver: Receiver) -> None:
    hook = await subscribed(site, "chief", receiver, actions=["open"])
    renewed = (await site.post("chief", f"/webhooks/{hook['id']}/rotate", {"keep_hours": 1})).json()
    assert renewed["secret"] != hook["secret"]
    site.world.opened()
    await drained(site)
    headers, body = receiver.got[0]
    for secret in (hook["secret"], renewed["secret"]):
        Verifier(secret).verify(body, headers)
    await site.post("chief", f"/webhooks/{hook['id']}/rotate", {"keep_hours": 0})
    site.world.opened(category="health_canteen")
    await drained(site)
    headers, body = receiver.got[1]
    for secret in (hook["secret"], renewed["secret"]):
        with pytest.raises(WebhookVerificationError):
            Verifier(secret).verify(body, headers)


async def test_a_secret_is_told_once_even_to_who_repeats_the_request(site: Site, receiver: Receiver) -> None:
    wanted = {"name": "平台", "url": receiver.url}
    first = await site.post("chief", "/webhooks", wanted, headers={"Idempotency-Key": "k1"})
    again = await site.post("chief", "/webhooks", wanted, headers={"Idempotency-Key": "k1"})
    assert (again.status_code, again.json()["id"], again.json()["secret"]) == (201, first.json()["id"], "")
    shown = (await site.get("chief", "/webhooks")).json()["items"]
    assert len(shown) == 1
    assert "secret" not in shown[0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "ftp://example.cn/x"}, "url"),
        ({"url": "http://user:secret@example.cn/x"}, "url"),
        ({"url": "no address"}, "url"),
        ({"actions": ["no_such_action"]}, "actions"),
        ({"region": "930108"}, "region"),
        ({"unit": "school"}, "region"),
        ({"name": ""}, "name"),
    ],
)  # fmt: skip
async def test_a_wrong_subscription_is_refused_by_field(site: Site, changes: dict[str, Any], field: str) -> None:
    answer = await site.post("chief", "/webhooks", {"name": "平台", "url": "https://hooks.example.cn/x", **changes})
    faults = refused(answer, 422, "invalid")["errors"]
    assert [fault["field"] for fault in faults] == [field]


async def test_a_subscription_is_its_owners_alone(site: Site, receiver: Receiver) -> None:
    hook = await subscribed(site, "chief", receiver)
    for who in ("officer", "admin", "next_chief"):
        refused(await site.get(who, f"/webhooks/{hook['id']}"), 404, "not_found")
        refused(await site.call(who, "PATCH", f"/webhooks/{hook['id']}", {"active": False}), 404, "not_found")
        refused(await site.post(who, f"/webhooks/{hook['id']}/rotate", {}), 404, "not_found")
        refused(await site.get(who, f"/webhooks/{hook['id']}/deliveries"), 404, "not_found")
        assert (await site.get(who, "/webhooks")).json()["items"] == []
    refused(await site.get(None, "/webhooks"), 401, "unauthenticated")


async def test_an_endpoint_inside_the_network_is_refused_and_never_reached_unless_allowed(
    database_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    world = World(postal_settings(database_url, tmp_path))
    site = Site(world)
    wanted = {"name": "平台", "url": receiver.url, "actions": ["open"]}
    refused(await site.post("chief", "/webhooks", wanted), 422, "invalid")
    hook = (await site.post("chief", "/webhooks", wanted | {"url": "http://inside.test/hook"})).json()
    behind = receiver.url.replace("127.0.0.1", "localhost")  # a name that leads inside
    refused(await site.call("chief", "PATCH", f"/webhooks/{hook['id']}", {"url": receiver.url}), 422, "invalid")
    assert (await site.call("chief", "PATCH", f"/webhooks/{hook['id']}", {"url": behind})).status_code == 200
    world.opened()
    await drained(site)
    assert receiver.got == []
    await site.http.aclose()
    world.parts.close()
