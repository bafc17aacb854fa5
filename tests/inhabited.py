"""An inhabited world: findings in every state, evidence, papers, messages, tip-offs, and spare things that may be broken."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from loop.engine.clock import VirtualClock
from loop.engine.leap import Leap
from loop.kernel.decide import action_named, admitted, allowed_from
from loop.kernel.errors import Forbidden, LoopError
from loop.kernel.finding import Finding
from loop.kernel.people import Actor
from loop.store import evidence, mailbox, papers
from tests.cast import COUNTY, POSTS
from tests.payloads import Writer
from tests.web import Site
from tests.world import World

SERVED = "submit_report approve_report waive_defence serve_opinion"
RECEIVED = f"{SERVED} acknowledge"
EXECUTING = f"{RECEIVED} submit_plan accept_plan"
REPORTED = f"{EXECUTING} attach submit_rectification"
ONSITE = f"{REPORTED} assign_review"
PASSED = f"{ONSITE} pass_review"
NOTICED = f"{EXECUTING} propose_interview notice_interview"
DRAFTED = f"{EXECUTING} propose_bulletin"
GROUP = f"{EXECUTING} attach refer form_group"
HOME = tuple(name for name in POSTS if not name.startswith(("next_", "province_")))
"""Who has to do with the county."""
ERAS = (95, 95, 40)
"""So many days pass after each era."""
LONG_LIVES = (
    (f"{PASSED} write_off", "confirm_held", "confirm_held"), ("", f"{PASSED} write_off", ""), ("", "", RECEIVED),
    ("", "", f"{PASSED} propose_commendation announce_commendation"), ("", "", SERVED),
)  # fmt: skip
SHORT_LIVES = (
    "", "", "submit_report", "submit_report", "submit_report approve_report", "submit_report approve_report attach defend",
    "submit_report approve_report waive_defence", SERVED, RECEIVED, RECEIVED, f"{RECEIVED} submit_plan", EXECUTING, EXECUTING,
    f"{EXECUTING} request_extension", REPORTED, ONSITE, ONSITE, PASSED, PASSED, f"{PASSED} propose_commendation",
    f"{EXECUTING} propose_interview", NOTICED, f"{NOTICED} instruct", DRAFTED, f"{DRAFTED} issue_bulletin",
    f"{EXECUTING} refer", GROUP, f"{GROUP} serve_notice", f"{GROUP} serve_notice state_defence",
    f"{GROUP} serve_notice state_defence decide_accountability", f"{PASSED} write_off", f"{EXECUTING} suspend",
    f"{RECEIVED} attach object", "submit_report withdraw", f"{RECEIVED} publish transfer instruct",
)  # fmt: skip


class Stuck(Exception):
    """A life cannot go on as it was written."""


@dataclass(slots=True)
class Known:
    """Ids that stand for something; what may be changed or ended without taking anybody's post away is `spare`."""

    users: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    offices: list[str] = field(default_factory=list)
    supervisions: list[str] = field(default_factory=list)
    tip_offs: list[str] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    tokens: dict[str, list[str]] = field(default_factory=dict)


class Inhabited:
    """The people of the cast behind their API, and what they have done so far."""

    def __init__(self, world: World, seed: int = 0) -> None:
        self.world = world
        self.dice = random.Random(seed)
        self.writer = Writer(world, self.dice.choice)
        self.site = Site(world)
        self.numbers: list[str] = []
        self.spare = Known()
        self._actors: dict[str, Actor] = {}
        self._standing: dict[str, Finding] = {}
        self._lives: dict[str, Finding] = {}
        world.parts.store.write(self.site.give_passwords)

    # ---- findings ----------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everybody live through a good half of a year, then put every kind of finding beside each other."""
        longest = [self._born() for _ in LONG_LIVES]
        for era, days in enumerate(ERAS):
            for number, eras in zip(longest, LONG_LIVES, strict=True):
                self._live(number, eras[era])
            self.pass_time(timedelta(days=days))
        for life in SHORT_LIVES:
            number = self._born()
            self._live(number, life)
            self._lives[life] = self.world.finding(number)
        self.notice_time()

    def pass_time(self, span: timedelta) -> None:
        """Move the virtual clock on, running what is due on the way."""
        clock, engine = self.world.engine.clock, self.world.engine
        assert isinstance(clock, VirtualClock)
        parts = self.world.parts
        Leap(engine, parts.outbox, parts.reconciliation).to(clock, self.world.clock + span)
        self.notice_time()

    def notice_time(self) -> None:
        """Let the story know what the virtual clock shows."""
        self._actors.clear()
        self.changed(None)
        self.world.clock = self.world.parts.store.read(self.world.engine.clock.now)

    def provide(self, action: str) -> None:
        """See to it that there is a finding on which somebody may take the action, if any life leads to one."""
        if any(next(self.able(action, one, HOME), None) for one in self.standing()):
            return
        for life, end in self._lives.items():
            if next(self.able(action, end, HOME), None):
                with suppress(Stuck):
                    self._live(self._born(self.dice.choice(["school", "other_school"])), life)
                return

    def _born(self, unit: str = "school") -> str:
        number = self.world.opened(severity=self.dice.choice(["normal", "major", "grave"]), unit=unit)
        self.numbers.append(number)
        return number

    def _live(self, number: str, life: str) -> None:
        for action in life.split():
            self._take(number, action)

    def _take(self, number: str, action: str) -> None:
        """Whoever can takes the action."""
        finding, refusal = self.world.finding(number), None
        for name in self.able(action, finding, POSTS):
            try:
                if action == "attach":
                    self.world.attach(name, number)
                else:
                    self.world.act(name, action, number, **self.writer.write(action, finding))
            except LoopError as error:
                refusal = error
            else:
                return
        raise Stuck(f"nobody can take {action} from {finding.state}: {refusal}")

    def able(self, action: str, finding: Finding, people: Iterable[str]) -> Iterator[str]:
        """Those of `people` whose post and the finding's state allow the action; a condition may still hold it back."""
        book = self.world.engine.book
        wanted = action_named(book, action)
        try:
            allowed_from(book, wanted, finding)
        except LoopError:
            return
        for name in people:
            try:
                admitted(wanted, self.actor(name), finding)
            except Forbidden:
                continue
            yield name

    def offered(self, action: str, name: str, finding: Finding) -> bool:
        """Whether the finding's actions offer this one to the person, held back by no condition."""
        actor, engine = self.actor(name), self.world.engine
        found = self.world.parts.store.read(lambda tx: engine.offers(tx, actor, finding))
        return any(offer.action.name == action and not offer.guard for offer in found)

    def actor(self, name: str) -> Actor:
        """The person with the posts held since the clock last moved."""
        if name not in self._actors:
            self._actors[name] = self.world.actor(name)
        return self._actors[name]

    # ---- the rest ----------------------------------------------------------------------------------------------------

    async def furnish(self) -> None:
        """Tip-offs, and spare regions, offices, units, people and tokens, all made by HTTP."""
        for count in range(4):
            region = f"{COUNTY}{100 + count}"
            await self._make(
                "regions", "/regions", {"code": region, "name": f"备用{count}", "level": "township", "parent": COUNTY}
            )
            await self._make(
                "offices",
                "/offices",
                {"code": f"B{count}", "region": region, "name": "备用办", "doc_prefix": f"备{count}"},
            )
            await self._make("units", "/units", {"name": f"备用学校{count}", "kind": "school", "region": COUNTY})
            user = {"name": f"spare{count}", "full_name": "备用", "role": "inspector", "region": COUNTY}
            await self._make("users", "/users", user)
            taken = await self.site.post(
                None, "/tip-offs", {"matter": "食堂食材过期", "unit": "school", "contact": "13800000000"}
            )
            self.spare.receipts.append(done(taken)["receipt"])
        found = done(await self.site.get("officer", "/tip-offs"))["items"]
        self.spare.tip_offs += [one["id"] for one in found]
        self.spare.supervisions += self.world.cast.supervisions.values()
        for name in POSTS:
            made = [done(await self.site.post(name, "/tokens", {"name": "备用"})) for _ in range(3)]
            self.spare.tokens[name] = [one["id"] for one in made]

    async def _make(self, kind: str, path: str, body: dict[str, Any]) -> None:
        made = done(await self.site.post("admin", path, body))
        getattr(self.spare, kind).append(made["code"] if kind == "regions" else made["id"])

    # ---- looking up --------------------------------------------------------------------------------------------------

    def standing(self) -> list[Finding]:
        """Every finding as it stood when it was last known to change."""
        for number in self.numbers:
            if number not in self._standing:
                self._standing[number] = self.world.finding(number)
        return list(self._standing.values())

    def changed(self, number: str | None) -> None:
        """This finding, or without a number any of them, has changed."""
        if number is None:
            self._standing.clear()
        self._standing.pop(number or "", None)

    def timers(self, number: str) -> list[str]:
        """Ids of its running timers."""
        return [timer.id for timer in self.world.timers(number).values()]

    def files(self) -> list[str]:
        """Ids of attachments."""
        return [id_ for number in self.numbers for id_ in sorted(self._read_files(number))]

    def _read_files(self, number: str) -> frozenset[str]:
        return self.world.parts.store.read(lambda tx: evidence.ids(tx, number))

    def papers(self) -> list[str]:
        """Ids of papers."""
        found = self.world.parts.store.read(lambda tx: [papers.of_finding(tx, number) for number in self.numbers])
        return sorted({paper.id for made in found for paper, _ in made})

    def messages(self, name: str) -> list[str]:
        """Ids of what `name` was told."""
        told = self.world.parts.store.read(lambda tx: mailbox.inbox(tx, self.world.cast.ids[name], limit=20))
        return [str(message.id) for message in told]


def done(answer: httpx.Response) -> dict[str, Any]:
    """The answer to what must succeed."""
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found
