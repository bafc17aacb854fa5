"""Who gets into a calendar feed, and what it costs: the token in its address, unchanged answers, few queries, a last event."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import structlog

from loop import log
from loop.api.feed import MOST
from loop.store import accounts, staff, timers
from loop.store.session import Tx
from tests.cast import ROOT
from tests.subscriber import Subscriber, address, subscribed
from tests.test_api_supervisions import begun
from tests.web import API, Site, refused, site
from tests.world import world

__all__ = ["site", "world"]
SCAN = re.compile(r"SCAN (?:finding|event|timer|part|supervision|person|post|token)\b")


# ---- the token -------------------------------------------------------------------------------------------------------


async def test_a_token_of_the_feed_opens_the_feed_and_nothing_else(site: Site) -> None:
    number = site.world.executing()
    feed = await address(site, "school")
    site.tokens["phone"] = feed.partition("=")[2]
    assert (await site.get("phone", feed)).status_code == 200
    for path in ("/me", "/findings", f"/findings/{number}", "/todo", "/notifications", "/tokens", "/workflow"):
        assert refused(await site.get("phone", path), 403, "forbidden")["scope"] == "read"
    for path, body in (("/tokens", {"name": "more"}), (f"/findings/{number}/actions/comment", {"text": "x"})):
        assert refused(await site.post("phone", path, body), 403, "forbidden")["scope"] == "write"


async def test_no_other_token_opens_the_feed(site: Site) -> None:
    store = site.world.parts.store
    for scopes in (("read",), ("write",), ("read", "write"), ("calendar", "read")):
        clear = store.write(lambda tx, scopes=scopes: site.token(tx, "school", *scopes))  # type: ignore[misc]
        body = refused(await site.get(None, f"/calendar.ics?token={clear}"), 403, "forbidden")
        assert body["scope"] == "calendar"
    refused(await site.get("school", "/calendar.ics"), 401, "unauthenticated")
    for wrong in ("", "?token=", "?token=loop_x", "?token=%00", "?token=%ff", "?Token=x", "?token=" + "x" * 9000):
        refused(await site.get(None, f"/calendar.ics{wrong}"), 401, "unauthenticated")
    feed = await address(site, "school")
    refused(await site.get(None, f"{feed}&{feed.partition('?')[2]}"), 401, "unauthenticated")
    assert (await site.get(None, f"{feed}&nocache=1")).status_code == 200


async def test_a_feed_ends_when_its_token_is_revoked_or_expires_or_the_person_leaves(site: Site) -> None:
    revoked, expired, left = [await address(site, who) for who in ("school", "officer", "inspector")]
    held = (await site.get("school", "/tokens")).json()["items"]
    (id_,) = [token["id"] for token in held if token["scopes"] == ["calendar"]]
    assert (await site.call("school", "DELETE", f"/tokens/{id_}")).status_code == 204
    refused(await site.get(None, revoked), 401, "unauthenticated")
    inspector = site.world.cast.ids["inspector"]
    site.world.parts.store.write(lambda tx: staff.change_person(tx, ROOT, inspector, {"active": False}))
    refused(await site.get(None, left), 401, "unauthenticated")
    assert (await site.get(None, expired)).status_code == 200
    site.real += timedelta(days=366)
    refused(await site.get(None, expired), 401, "unauthenticated")


async def test_the_scope_stands_alone_and_the_address_is_told_once(site: Site) -> None:
    for scopes in (["calendar", "read"], ["write", "calendar"]):
        refused(await site.post("school", "/tokens", {"name": "x", "scopes": scopes}), 422, "invalid")
    assert (await site.post("school", "/tokens", {"name": "x", "scopes": ["read"]})).json()["feed"] is None
    key, wanted = {"Idempotency-Key": "c-1"}, {"name": "x", "scopes": ["calendar"]}
    first = (await site.post("school", "/tokens", wanted, headers=key)).json()
    again = (await site.post("school", "/tokens", wanted, headers=key)).json()
    assert again == first | {"token": "", "feed": None}
    assert (await site.get(None, first["feed"])).status_code == 200
    assert first["token"] not in (await site.get("school", "/tokens")).text


@pytest.fixture
def logged() -> Iterator[StringIO]:
    """What the service logs as JSON."""
    root, out = logging.getLogger(), StringIO()
    handlers, level = root.handlers[:], root.level
    log.configure("json", "debug", out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def test_the_log_knows_who_looked_but_not_the_token(
    site: Site, logged: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.world.executing()
    feed = await address(site, "school")
    token = feed.partition("=")[2]
    assert (await site.get(None, feed)).status_code == 200
    refused(await site.get(None, f"{feed}x"), 401, "unauthenticated")
    assert '"who": "school"' in logged.getvalue()

    def broken(tx: Tx, clear: str, now: datetime) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "token_of", broken)
        refused(await site.get(None, feed), 500, "internal")
    assert "ZeroDivisionError" in logged.getvalue()
    assert token not in logged.getvalue()
    assert token[:20] not in logged.getvalue()


async def test_a_use_of_the_token_is_noted(site: Site) -> None:
    feed = await address(site, "school")
    await site.get(None, feed)
    (token,) = [t for t in (await site.get("school", "/tokens")).json()["items"] if t["scopes"] == ["calendar"]]
    assert token["used_on"] == site.real.astimezone(site.service.calendar.zone).date().isoformat()


# ---- looked at every hour --------------------------------------------------------------------------------------------


async def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    number = site.world.received()
    reader = await subscribed(site, "school")
    first = await reader.get()
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    site.world.sleep(0.1)
    assert (await reader.get()).content == first.content
    for known in (tag, f"W/{tag}", f'"other", W/{tag}'):
        same = await reader.get(**{"If-None-Match": known})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert (await reader.get(**{"If-None-Match": '"other"'})).content == first.content
    site.world.act("school", "submit_plan", number, **site.world.plan())
    changed = await reader.get(**{"If-None-Match": tag})
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)


def statements(site: Site) -> dict[str, Sequence[Any]]:
    """Everything said to the database from here on, until `trace` is taken away; each statement once."""
    said: dict[str, Sequence[Any]] = {}

    def trace(text: str, values: Sequence[Any]) -> None:
        if not text.startswith(("BEGIN", "COMMIT", "SET")):
            said[f"{len(said)} {text}"] = values

    site.world.parts.store.trace = trace
    return said


async def asked(site: Site, reader: Subscriber) -> dict[str, Sequence[Any]]:
    await reader.get()  # the use of the token is on record from here on
    said = statements(site)
    assert (await reader.get()).status_code == 200
    site.world.parts.store.trace = None
    return said


async def test_a_feed_takes_as_many_queries_for_many_deadlines_as_for_few(site: Site) -> None:
    site.world.executing()
    readers = [await subscribed(site, who) for who in ("school", "officer", "chief")]
    few = [len(await asked(site, reader)) for reader in readers]
    for _ in range(6):
        site.world.received()
        site.world.executing()
    many = [len(await asked(site, reader)) for reader in readers]
    assert few == many
    assert max(many) <= 7


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_feed_walks_through_no_big_table(site: Site) -> None:
    site.world.executing()
    await begun(site)
    used: set[str] = set()
    for who in ("school", "officer", "chief", "inspector", "city_chief"):
        for key, values in (await asked(site, await subscribed(site, who))).items():
            text = key.partition(" ")[2]

            def plan(tx: Tx, text: str = text, values: Sequence[Any] = values) -> list[str]:
                tx._execute(f"EXPLAIN QUERY PLAN {text}", values)
                return [str(row[-1]) for row in tx._cursor.fetchall()]

            lines = site.world.parts.store.read(plan)
            assert [line for line in lines if SCAN.search(line)] == [], text
            used |= set(re.findall(r"ix_timer_\w+", " ".join(lines)))
    assert {"ix_timer_office", "ix_timer_unit", "ix_timer_office_stopped", "ix_timer_unit_stopped"} <= used


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
async def test_a_feed_has_an_end(site: Site) -> None:
    number = site.world.executing()
    site.world.act("leader", "instruct", number, text="请报告", reply_due=site.world.day(5))
    office = site.world.cast.office_id
    first = site.world.timers(number)["instruction_reply"]
    more = [
        replace(first, id=f"{first.id}-{k}", note=str(k), due_at=first.due_at + timedelta(days=k))
        for k in range(2, MOST + 50)
    ]
    site.world.parts.store.write(lambda tx: timers.save(tx, number, office, "school", more))
    reader = await subscribed(site, "chief")
    events = await reader.events()
    assert len(events) == MOST
    days = [event.day for event in events]
    assert days == sorted(days)
    assert "2,000" in str((await reader.calendar())["x-wr-caldesc"])
    assert "X-WR-CALDESC" not in (await (await subscribed(site, "school")).get()).text


async def test_the_feed_is_described(site: Site) -> None:
    document = (await site.get(None, "/openapi.json")).json()
    operation = document["paths"][f"{API}/calendar.ics"]["get"]
    assert set(operation["responses"]) == {"200", "304", "401", "403", "413", "503"}
    assert list(operation["responses"]["200"]["content"]) == ["text/calendar"]
    (needs,) = operation["security"]
    scheme = document["components"]["securitySchemes"][next(iter(needs))]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "query", "token")
    scopes = document["components"]["schemas"]
    assert scopes["TokenMade"]["properties"]["feed"]
