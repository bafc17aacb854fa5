"""Every action by HTTP: refused to somebody of the wrong role, and to the right one in a wrong state; nothing changes."""

from __future__ import annotations

from tests.grants import COURSE, DISPUTE, cells
from tests.web import Site, refused, site
from tests.world import world

__all__ = ["site", "world"]

ACTOR = {
    "inspector": "inspector", "officer": "officer", "chief": "chief", "director": "director", "unit": "school",
    "department": "bureau", "leader": "leader", "author": "inspector", "reviewer": "inspector2", "superior": "city_chief",
    "in_scope": "officer",
}  # fmt: skip
"""Who plays a role or a part of the hand-typed table."""
CREATING = frozenset({"open", "take_over"})


def sources(table: str) -> dict[str, tuple[set[str], set[str]]]:
    """Action -> the states it leaves, and who may take it, by the hand-typed table."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for (action, state), (_, who) in cells(table).items():
        states, people = found.setdefault(action, (set(), set()))
        states.add(state)
        people.update(who)
    return {action: both for action, both in found.items() if action not in CREATING}


async def test_every_action_is_refused_to_a_role_that_may_never_take_it(site: Site) -> None:
    number = site.world.executing()
    before = site.world.version(number)
    for action in {**sources(COURSE), **sources(DISPUTE)}:
        answer = await site.post("auditor", f"/findings/{number}/actions/{action}", {})
        if action == "attach":
            assert answer.status_code in (403, 415)
            continue
        refused(answer, 403, "forbidden")
    assert site.world.version(number) == before


async def test_every_action_is_refused_to_its_own_role_in_a_state_that_does_not_know_it(site: Site) -> None:
    draft = site.world.opened()
    working = site.world.executing()
    written_off = site.world.passed(site.world.reported(site.world.executing(unit="other_school")))
    site.world.act("chief", "write_off", written_off)
    stand = {draft: "report.draft", working: "rectification.executing", written_off: "lookback.watching"}
    asked = set()
    for action, (states, people) in sources(COURSE).items():
        who = next((ACTOR[one] for one in sorted(people) if one in ACTOR), None)
        place = next((n for n, state in stand.items() if state not in states and (n != draft or who != "school")), None)
        if who is None or place is None:
            continue
        if who == "school" and place == written_off:
            who = "other_school"
        if who == "inspector2":
            continue  # reviewers exist on a review only; see the stories
        refused(await site.post(who, f"/findings/{place}/actions/{action}", {}), 409, "action_not_allowed")
        asked.add(action)
    for action, (states, people) in sources(DISPUTE).items():
        who = next((ACTOR[one] for one in sorted(people) if one in ACTOR), None)
        if who is None or "none" in states:
            continue
        refused(await site.post(who, f"/findings/{working}/actions/{action}", {}), 409, "action_not_allowed")
        asked.add(action)
    assert len(asked) >= 50, sorted(asked)
