"""Random walks over both tracks with leaps of the clock: whatever is done, history and tables tell the same story.

A walker takes what the engine offers, now and then what it does not; after each step everything that is promised of a
finding is looked at again.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from loop.engine.verify import verify
from loop.kernel.calendar import HOLIDAY, Day
from loop.kernel.clocks import Fire
from loop.kernel.decide import waiting
from loop.kernel.errors import LoopError
from loop.kernel.finding import Finding
from loop.kernel.people import PARTS
from loop.store.reach import may_see
from tests.cast import POSTS, ROOT
from tests.payloads import Writer
from tests.world import World, settings_for
from workflows import declared

SELDOM = frozenset(
    {"comment", "urge", "correct", "amend", "urgent_order", "take_down", "report_progress", "attach", "instruct", "transfer",
     "publish", "suspend", "withdraw", "discard", "change_unit", "drop", "refer", "propose_interview", "propose_bulletin",
     "issue_on_the_spot", "return_report", "form_group"}
)  # fmt: skip
"""What may be done at any time or leads away from the course."""
OFTEN, HUNGER = 12, 60
"""The weight of a step of the course, and what is added to it as long as the step was never taken in the whole run."""
LEAPS = (0.2, 0.5, 1, 2, 3, 5, 8, 12, 18, 40, 95)
KINDS = (*["act"] * 28, *["leap"] * 6, *["anything"] * 4, *["record"] * 2, "notice")
SEED = st.integers(0, 2**32)
ACTING = tuple(name for name, (role, _) in POSTS.items() if role not in ("admin", "auditor"))


class Tally:
    """What became of the steps of a whole run."""

    def __init__(self) -> None:
        self.steps = self.refused = 0
        self.accepted: Counter[str] = Counter()
        self.failure: BaseException | None = None

    def weight(self, action: str) -> int:
        """How much a walker is drawn to a step: the less it was taken, the more."""
        return (1 if action in SELDOM else OFTEN) + HUNGER // (1 + self.accepted[action])

    @property
    def share(self) -> float:
        """The part of people's steps that was accepted."""
        return 1 - self.refused / max(1, self.steps)


class Walk(RuleBasedStateMachine):
    """One database, a few findings, everybody who may act."""

    template: Path
    tally: Tally

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="walk-"))
        shutil.copy(self.template, self.folder / "loop.db")
        self.world = World(settings_for(f"sqlite:///{self.folder / 'loop.db'}", self.folder))
        self.numbers: list[str] = []
        self.touched: set[str] = set()
        self.drawn = 0

    def teardown(self) -> None:
        report = verify(self.world.parts.store, self.world.parts.evidence)
        self.world.parts.close()
        shutil.rmtree(self.folder)
        assert report.ok, str(report.fault)

    # ---- steps -------------------------------------------------------------------------------------------------------

    @initialize(seed=SEED)
    def begin(self, seed: int) -> None:
        self._take("inspector", "open", None, self._writer(seed).new())

    @rule(seed=SEED)
    def step(self, seed: int) -> None:
        """One rule for every kind of step: Hypothesis would leave out some kinds in some walks."""
        writer = self._writer(seed)
        kind = writer.choose(KINDS)
        if kind == "record" or not self._alive():
            self._record(writer)
        elif kind == "leap":
            self._leap(writer)
        elif kind == "notice":
            self._load_notice(writer)
        elif kind == "anything":
            self._try_anything(writer)
        else:
            self._act(writer)

    def _record(self, writer: Writer) -> None:
        who, action, payload = writer.choose(
            [("inspector", "open", writer.new()), ("officer", "take_over", writer.taken_over())]
        )
        self._take(who, action, None, payload)

    def _alive(self) -> list[str]:
        return [n for n in self.numbers[-4:] if self.world.finding(n).state not in ("archived", "withdrawn")]

    def _act(self, writer: Writer) -> None:
        finding = self.world.finding(writer.choose([*self._alive() * 5, *self.numbers]))
        possible = self._possible(writer, finding)
        weighed = [action for action in possible for _ in range(self.tally.weight(action))]
        if weighed:
            action = writer.choose(weighed)
            self._do(writer, writer.choose(possible[action]), action, finding)

    def _try_anything(self, writer: Writer) -> None:
        finding = self.world.finding(writer.choose(self.numbers))
        action = writer.choose([a.name for a in declared().actions.values() if not a.creates])
        self._do(writer, writer.choose(ACTING), action, finding)

    def _leap(self, writer: Writer) -> None:
        """Some days; or until a window ends after which the system itself acts."""
        ends = [until for until, action in self._ends() for _ in range(self.tally.weight(action))]
        until = writer.choose(ends) if ends and writer.choose([False, False, False, True]) else None
        days = (until - self.world.clock) / timedelta(days=1) if until else writer.choose(LEAPS)
        for struck in self.world.sleep(max(days, 0)):
            self.tally.accepted[struck.action] += 1
            self.touched.add(struck.number)

    def _ends(self) -> Iterator[tuple[datetime, str]]:
        for finding in map(self.world.finding, self._alive()):
            for timer in finding.timers:
                rule = declared().timers[timer.rule]
                fires = not rule.fires_in or rule.fires_in & {finding.state, finding.dispute}
                if isinstance(rule.on_due, Fire) and fires:
                    yield timer.due_at + timedelta(minutes=1), rule.on_due.action

    def _load_notice(self, writer: Writer) -> None:
        """A notice makes five days to come a holiday, and the deadlines that run follow it."""
        first = self.world.today + timedelta(days=writer.choose([2, 6, 9, 13]))
        days = [Day(first + timedelta(days=k), HOLIDAY, "放假", "国办通知") for k in range(5)]
        almanac = self.world.parts.almanac
        moved = almanac.effect(days).moved
        almanac.load(ROOT, days, "国办通知")
        for number in {shift.number for shift in moved}:
            self.touched.add(number)
            self.tally.accepted["move_deadlines"] += self.world.actions(number)[-1] == "move_deadlines"

    def _writer(self, seed: int) -> Writer:
        """Small seeds come often; together with the number of the step they still make every walk another one."""
        self.drawn += 1
        return Writer(self.world, random.Random(f"{seed} {self.drawn}").choice)

    def _possible(self, writer: Writer, finding: Finding) -> dict[str, list[str]]:
        """What may be done now, and by whom."""
        found: dict[str, list[str]] = {}
        for name in ACTING:
            actor = self.world.actor(name)
            if not may_see(actor, finding):
                continue
            offers = self.world.parts.store.read(partial(self.world.engine.offers, actor=actor, finding=finding))
            for action in (offer.action.name for offer in offers if not offer.guard):
                if writer.applies(action, finding):
                    found.setdefault(action, []).append(name)
        return found

    def _do(self, writer: Writer, who: str, action: str, finding: Finding) -> None:
        if action == "attach":
            self._count(action, lambda: self.world.attach(who, finding.number), finding.number)
            return
        self._take(who, action, finding.number, writer.write(action, finding))

    def _take(self, who: str, action: str, number: str | None, payload: dict[str, Any]) -> None:
        def act() -> None:
            made = self.world.act(who, action, number, **payload).finding.number
            if made not in self.numbers:
                self.numbers.append(made)
            self.touched.add(made)

        self._count(action, act, number)

    def _count(self, action: str, act: Any, number: str | None) -> None:
        self.tally.steps += 1
        if number:
            self.touched.add(number)
        try:
            act()
        except LoopError:
            self.tally.refused += 1
        else:
            self.tally.accepted[action] += 1

    # ---- what is promised --------------------------------------------------------------------------------------------

    @invariant()
    def what_is_promised_holds(self) -> None:
        try:
            self._check()
        except BaseException as failure:
            self.tally.failure = self.tally.failure or failure
            raise

    def _check(self) -> None:
        report = verify(self.world.parts.store, chains=self.touched)
        assert report.ok, str(report.fault)
        for number in self.touched:
            finding = self.world.finding(number)
            assert finding.version == len(self.world.trail(number))
            self._check_timers(finding)
        self.touched.clear()

    def _check_timers(self, finding: Finding) -> None:
        flow = self.world.engine.book.workflow
        state = flow.states[finding.state]
        here = [t for t in finding.timers if not (fires := flow.timers[t.rule].fires_in) or finding.state in fires]
        course = [t for t in here if flow.timers[t.rule].kind == "course"]
        strays = [
            t.rule for t in finding.timers if (lives := flow.timers[t.rule].lives_in) and finding.state not in lives
        ]
        assert not strays, f"{finding.state} keeps {strays}"
        assert bool(course) == bool(state.waits_for or finding.state == "lookback.watching"), finding.state
        rules = Counter(t.rule for t in course if t.rule != "lookback")
        assert all(many == 1 for many in rules.values()), rules
        running = [t for t in course if not t.paused]
        assert finding.suspended or len(running) == len(course)
        if running:
            first = min(running, key=lambda t: (t.due_at, t.id))
            owner = (
                ",".join(waiting(self.world.engine.book, finding.state, finding))
                if first.owner in PARTS
                else first.owner
            )
            assert (finding.due_at, finding.due_rule, finding.waits_for) == (first.due_at, first.rule, owner)


# ---- the walks -------------------------------------------------------------------------------------------------------


def walked(template: Path, *, walks: int, steps: int) -> Tally:
    """So many walks of so many steps, always the same ones."""

    class Machine(Walk):
        pass

    Machine.template, Machine.tally = template, Tally()
    settled = settings(
        max_examples=walks, stateful_step_count=steps, deadline=None, derandomize=True, database=None, print_blob=False,
        suppress_health_check=list(HealthCheck), phases=(Phase.generate,),
    )  # fmt: skip
    try:
        run_state_machine_as_test(Machine, settings=settled)
    except Exception as shown:
        # A walker that learns from earlier walks does not fail twice in the same place, as Hypothesis expects.
        raise Machine.tally.failure or shown from shown
    return Machine.tally


def test_a_short_walk(sqlite_template: Path) -> None:
    tally = walked(sqlite_template, walks=6, steps=50)
    assert tally.share >= 0.4


@pytest.mark.prove
def test_ten_thousand_steps_take_every_action(sqlite_template: Path) -> None:
    tally = walked(sqlite_template, walks=180, steps=100)
    assert tally.steps >= 10_000
    assert tally.share >= 0.4
    never = set(declared().actions) - set(tally.accepted)
    assert not never, f"never accepted: {sorted(never)}"
