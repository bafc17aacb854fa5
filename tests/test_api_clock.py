"""The virtual clock by HTTP: it stands still, moves on from due instant to due instant, and never goes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loop import bootstrap
from loop.engine.clock import VirtualClock
from loop.settings import Settings
from tests.cast import START, engage
from tests.web import Site, refused
from tests.world import World, settings_for


class VirtualWorld(World):
    """The same world on a virtual clock, which only the API moves."""

    def __init__(self, settings: Settings) -> None:
        self.clock = START
        self.parts = bootstrap.build(settings, virtual_from=START)
        self.engine = self.parts.engine
        self.cast = self.parts.store.write(engage)


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path)


@pytest.fixture
def virtual(settings: Settings) -> Iterator[VirtualWorld]:
    made = VirtualWorld(settings)
    yield made
    made.parts.close()


@pytest.fixture
async def site(virtual: VirtualWorld) -> AsyncIterator[Site]:
    made = Site(virtual)
    yield made
    await made.http.aclose()


async def test_it_stands_still_until_it_is_moved(site: Site) -> None:
    for _ in range(2):
        assert (await site.get("officer", "/clock")).json() == {"now": "2026-03-02T09:00:00+08:00", "virtual": True}
    moved = await site.post("officer", "/clock", {"to": "2026-03-05T18:30:00+08:00"})
    assert moved.json() == {"now": "2026-03-05T18:30:00+08:00", "ran": [], "total": 0}
    await site.post("officer", "/clock", {"advance": "12h"})
    assert (await site.get("officer", "/clock")).json()["now"] == "2026-03-06T06:30:00+08:00"
    await site.post("officer", "/clock", {"advance": "30min"})
    assert (await site.get("officer", "/clock")).json()["now"] == "2026-03-06T07:00:00+08:00"


async def test_each_thing_happens_at_its_own_time_and_its_messages_are_sent_then(site: Site) -> None:
    number = site.world.fed_back()
    answer = (await site.post("officer", "/clock", {"advance": "15d"})).json()
    assert answer["ran"] == [
        {
            "finding": number, "supervision": None, "tip_off": None, "action": "defence_lapsed",
            "due_at": "2026-03-12T23:59:59+08:00",
        }
    ]  # fmt: skip
    assert answer["total"] == 1
    assert site.world.state(number) == "feedback.drafting"
    (entry,) = [e for e in site.world.trail(number) if e.action == "defence_lapsed"]
    assert entry.at == entry.due_at == datetime(2026, 3, 12, 15, 59, 59, tzinfo=UTC)
    (told,) = [m for m in site.world.inbox("officer") if m.step == "defence_lapsed"]
    assert told.sent_at == entry.at


async def test_a_silent_school_climbs_the_ladder_in_one_leap_each_rung_on_its_day(site: Site) -> None:
    number = site.world.executing()
    answer = (await site.post("officer", "/clock", {"advance": "60d"})).json()
    rungs = [r["action"] for r in answer["ran"] if r["finding"] == number and r["action"] != "remind"]
    assert rungs == ["warn", "warn", "warn", "urge", "order", "propose_interview"]
    ran = [entry for entry in site.world.trail(number) if entry.due_at]
    assert [entry.at for entry in ran] == sorted(entry.due_at for entry in ran if entry.due_at)
    assert site.world.state(number) == "interview.proposed"


async def test_it_never_goes_back_and_not_too_far(site: Site) -> None:
    for wrong, field in (
        ({"to": "2026-03-02T08:59:59+08:00"}, "to"), ({"to": "2190-01-01T00:00:00+08:00"}, "to"), ({"advance": "9999d"}, "to"),
        ({}, "advance"), ({"advance": "1d", "to": "2026-03-05T00:00:00+08:00"}, "advance"), ({"advance": "-1d"}, "advance"),
        ({"advance": "5wd"}, "advance"), ({"to": "2026-03-05T00:00:00"}, "to"), ({"advance": 5}, "advance"), ({"x": 1}, "x"),
    ):  # fmt: skip
        problem = refused(await site.post("officer", "/clock", wrong), 422, "invalid")
        assert [e["field"] for e in problem["errors"]] == [field], wrong
    assert (await site.get("officer", "/clock")).json()["now"] == "2026-03-02T09:00:00+08:00"


async def test_a_repeated_request_moves_it_once(site: Site) -> None:
    key = {"Idempotency-Key": "c-1"}
    first = await site.post("officer", "/clock", {"advance": "1d"}, headers=key)
    again = await site.post("officer", "/clock", {"advance": "1d"}, headers=key)
    assert first.content == again.content
    assert (await site.get("officer", "/clock")).json()["now"] == "2026-03-03T09:00:00+08:00"
    refused(await site.post("officer", "/clock", {"advance": "2d"}, headers=key), 409, "idempotency_mismatch")


async def test_it_is_kept_in_the_database_and_survives_a_restart(site: Site, settings: Settings) -> None:
    await site.post("officer", "/clock", {"advance": "3d"})
    site.world.parts.close()
    later = bootstrap.build(settings, virtual_from=START)
    assert later.store.read(later.engine.clock.now) == datetime(2026, 3, 5, 1, tzinfo=UTC)
    later.close()


async def test_without_a_virtual_clock_there_is_no_such_address(site: Site, settings: Settings) -> None:
    assert isinstance(site.world.engine.clock, VirtualClock)
    real = World.__new__(World)
    real.clock, real.cast = START, site.world.cast
    real.parts = bootstrap.build(settings, now=lambda: START)
    real.engine = real.parts.engine
    plain = Site(real)
    refused(await plain.get("officer", "/clock"), 404, "not_found")
    refused(await plain.post("officer", "/clock", {"advance": "1d"}), 404, "not_found")
    await plain.http.aclose()
    real.parts.close()


async def test_who_is_not_signed_in_moves_nothing(site: Site) -> None:
    refused(await site.post(None, "/clock", {"advance": "1d"}), 401, "unauthenticated")
    refused(await site.get(None, "/clock"), 401, "unauthenticated")
