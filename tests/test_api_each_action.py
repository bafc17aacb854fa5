"""Every action that a person may take is taken by HTTP: by one of those, and to one of the states, of the hand-typed table."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.cast import POSTS
from tests.each_action import CREATING, PARTS, STORIES, SYSTEM_ONLY, Step, steps
from tests.grants import COURSE, DISPUTE, cells
from tests.payloads import Writer
from tests.web import Site, site
from tests.world import world

__all__ = ["site", "world"]

TRACKS = {"state": cells(COURSE), "dispute": cells(DISPUTE)}
VOID = {"state": "", "dispute": "none", "version": 0}
"""What there is before a finding."""
OTHER_TRACK = {"annul": {"state": "withdrawn"}}
"""The one action of a dispute told here that moves the course as well: nothing is left of an opinion annulled."""


def track_of(action: str) -> str:
    return next(track for track, table in TRACKS.items() if any(name == action for name, _ in table))


class Teller:
    """Tells one story by HTTP and holds every step to the hand-typed table."""

    def __init__(self, site: Site) -> None:
        self.site, self.world, self.number = site, site.world, ""
        # Always the first of several plausible values: a story is the same whenever it is told.
        self.writer = Writer(site.world, lambda values: values[0])

    async def tell(self, step: Step) -> None:
        if step.who == "given":
            self.number = getattr(self.world, step.what)(**step.fields)
        elif step.who == "wait":
            self.world.sleep(int(step.what))
        else:
            await self.take(step)

    async def take(self, step: Step) -> None:
        before = self.stand()
        answer = await self.send(step)
        assert answer.status_code == (201 if step.what in (*CREATING, "attach") else 200), (step, answer.text)
        if step.what in CREATING:
            self.number = answer.json()["number"]
        whole = await self.site.get(step.who, f"/findings/{self.number}")
        # A file is answered with the file, everything else with the finding.
        shown = whole.json() if step.what == "attach" else answer.json()
        after = {name: shown[name] for name in VOID}
        track = track_of(step.what)
        moved = {track: before[track] if step.to == "=" else step.to}
        assert after == {**before, **OTHER_TRACK.get(step.what, {}), **moved, "version": before["version"] + 1}, step
        assert after == self.stand(), step
        targets, admitted = TRACKS[track][step.what, before[track]]
        event = self.world.trail(self.number)[-1]
        assert after[track] in targets, step
        assert PARTS[step.who] & admitted, step
        recorded = (event.action, event.actor_id, event.actor_role)
        assert recorded == (step.what, self.world.cast.ids[step.who], POSTS[step.who][0])

    def stand(self) -> dict[str, Any]:
        """Where the finding stands in the database."""
        if not self.number:
            return VOID
        finding = self.world.finding(self.number)
        return {name: getattr(finding, name) for name in VOID}

    async def send(self, step: Step) -> httpx.Response:
        if step.what == "attach":
            files = {"file": ("evidence.pdf", b"%PDF-1.7\nevidence", "application/pdf")}
            return await self.site.call(step.who, "POST", f"/findings/{self.number}/attachments", files=files)
        if step.what in CREATING:
            made = self.writer.new() if step.what == "open" else self.writer.taken_over()
            return await self.site.post(step.who, CREATING[step.what], {**made, **step.fields})
        written = self.writer.write(step.what, self.world.finding(self.number))
        return await self.site.act(step.who, self.number, step.what, **{**written, **step.fields})


@pytest.mark.parametrize("story", STORIES)
async def test_every_step_of_a_story_is_allowed_and_leads_where_the_table_says(site: Site, story: str) -> None:
    teller = Teller(site)
    for step in steps(story):
        await teller.tell(step)


def test_the_stories_leave_out_no_action_but_those_of_the_system() -> None:
    by_hand = {action for table in TRACKS.values() for action, _ in table}
    told = {step.what for story in STORIES for step in steps(story) if step.who not in ("given", "wait")}
    assert told == by_hand - SYSTEM_ONLY


def test_what_the_stories_leave_out_no_person_may_take() -> None:
    people = {action for table in TRACKS.values() for (action, _), (_, who) in table.items() if who - {"system"}}
    assert not people & SYSTEM_ONLY
