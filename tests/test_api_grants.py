"""Every action by HTTP: refused to everybody of a wrong role, and to the right one in a wrong state; nothing changes."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from tests.cast import POSTS
from tests.each_action import CREATING, PARTS, POSSIBLE_EVERYWHERE, SYSTEM_ONLY
from tests.grants import COURSE, DISPUTE, DISPUTE_STATES, STATES, cells
from tests.web import Site, refused, site
from tests.world import World, world

__all__ = ["site", "world"]

TRACKS = {"state": (cells(COURSE), STATES), "dispute": (cells(DISPUTE), DISPUTE_STATES)}
OFFICE = ("inspector", "officer", "chief", "director", "leader", "city_chief")
SERVED = (*OFFICE, "school", "bureau")
REVIEWED = (*SERVED, "inspector2")
OPEN_TO_ALL = {"comment", "attach"}
"""What nobody who sees a finding is refused, but the auditor, who only reads."""


@dataclass(frozen=True)
class Grant:
    """What the hand-typed table says of one action."""

    name: str
    track: str
    sources: frozenset[str]
    people: frozenset[str]
    """Who may take it, in one of these states or another."""


def grants() -> list[Grant]:
    found = []
    for track, (table, _) in TRACKS.items():
        for name in dict.fromkeys(name for name, _ in table):
            rows = {state: who for (action, state), (_, who) in table.items() if action == name}
            found.append(Grant(name, track, frozenset(rows), frozenset().union(*rows.values())))
    return found


async def ask(site: Site, who: str, number: str, action: str) -> httpx.Response:
    """Ask for an action; what it is refused for here comes before what its payload lacks."""
    if action == "attach":
        files = {"file": ("evidence.pdf", b"%PDF-1.7\nevidence", "application/pdf")}
        return await site.call(who, "POST", f"/findings/{number}/attachments", files=files)
    return await site.post(who, f"/findings/{number}/actions/{action}", {})


def written_off(world: World) -> str:
    number = world.passed(world.reported(world.executing()))
    world.act("chief", "write_off", number)
    return number


def disputed(world: World) -> str:
    number = world.executing()
    world.act("school", "object", number, act="opinion", grounds=["认定有误"])
    return number


def withdrawn(world: World) -> str:
    number = world.fed_back()
    world.act("chief", "withdraw", number, reason="重复登记")
    return number


async def test_every_action_is_refused_to_everybody_whose_role_may_never_take_it(site: Site) -> None:
    number = written_off(site.world)  # it has an author, reviewers, an office above, and all see it
    before = site.world.finding(number)
    turned_away: dict[str, set[str]] = {}
    for grant in grants():
        for who in (*REVIEWED, "auditor"):
            # To what does not exist yet nobody is anything but what their post says.
            parts = {POSTS[who][0]} if grant.name in CREATING else PARTS[who]
            if parts & grant.people:
                continue
            if grant.name in CREATING:
                refused(await site.post(who, CREATING[grant.name], {}), 403, "forbidden")
            refused(await ask(site, who, number, grant.name), 403, "forbidden")
            turned_away.setdefault(grant.name, set()).add(who)
    assert site.world.finding(number) == before
    every = {grant.name for grant in grants()}
    assert {name for name, people in turned_away.items() if "auditor" in people} == every
    assert {name for name, people in turned_away.items() if people - {"auditor"}} == every - OPEN_TO_ALL


async def test_every_action_is_refused_to_its_own_role_in_a_state_that_does_not_know_it(site: Site) -> None:
    stands = {
        site.world.opened(): OFFICE,  # not served, so that the unit and its department do not see it
        disputed(site.world): SERVED,
        written_off(site.world): REVIEWED,
        withdrawn(site.world): SERVED,
    }
    before = {number: site.world.finding(number) for number in stands}
    asked = set()
    for grant in grants():
        for number, people in stands.items():
            state = getattr(before[number], grant.track)
            who = next((one for one in people if PARTS[one] & grant.people), None)
            if state in grant.sources or who is None:
                continue
            body = refused(await ask(site, who, number, grant.name), 409, "action_not_allowed")
            assert body["state"] == state
            assert grant.name not in body["allowed"]
            asked.add(grant.name)
    assert {number: site.world.finding(number) for number in stands} == before
    assert asked == {grant.name for grant in grants()} - SYSTEM_ONLY - set(POSSIBLE_EVERYWHERE)


def test_what_is_asked_in_no_wrong_state_is_possible_in_every_one() -> None:
    everywhere = {grant.name for grant in grants() if grant.sources >= set(TRACKS[grant.track][1])}
    assert everywhere - SYSTEM_ONLY == set(POSSIBLE_EVERYWHERE)
