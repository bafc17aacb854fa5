"""Finds whom a step did not reach and makes it good: a successor is told, another channel is tried, a gap is closed.

What is made good is an event of the finding like any other, so that it can be proved later who was told in whose place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from loop.engine import audience
from loop.engine.dispatch import Dispatch, said_of
from loop.engine.door import Engine
from loop.engine.record import AT_ONCE, write
from loop.engine.scribe import PRESSING
from loop.kernel.calendar import local_day
from loop.kernel.decide import Command, decide
from loop.kernel.facts import Facts
from loop.kernel.finding import Finding, is_end
from loop.kernel.model import REMIND
from loop.kernel.payloads import read
from loop.kernel.people import THE_SYSTEM
from loop.store import deliveries, findings, gaps, leavers, leftovers, mailbox, people, standings, timers
from loop.store.gaps import LEFT, UNDELIVERED, Gap
from loop.store.session import Tx

LOG = structlog.get_logger(__name__)
BATCH = 200
PATIENCE = timedelta(days=1)
"""How long to wait until a gap that could not be healed is looked at again (the service's clock)."""
REACH_BACK = timedelta(days=31)
"""Posts that ended longer ago were looked at before."""
MAKE_GOOD = "make_good"
BESIDE = frozenset({REMIND, "move_deadlines"})
"""Steps by which a timer beside findings tells people."""
CLOSED, TOLD, READ_SINCE, OTHER_WAY = "closed", "somebody of the role knows", "read", "sent another way"


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Looks for gaps and heals them, each in a transaction of its own."""

    engine: Engine
    dispatch: Dispatch

    def run(self) -> int:
        """Note what was left behind, then try every gap that is due for it; answers how many were healed."""
        store = self.engine.store
        while store.write(self._note_left) == BATCH:
            pass
        healed = 0
        while True:
            due = store.read(self._due)
            # The latest step of a finding first: who is told of that is not told of those before.
            for gap in sorted(due, key=lambda gap: (gap.chain, -gap.seq)):
                try:
                    healed += store.write(partial(self._try, gap=gap))
                except Exception:
                    LOG.exception("gap.failed", finding=gap.chain, seq=gap.seq, role=gap.role)
                    store.write(partial(self._put_off, gap=gap))
            if len(due) < BATCH:
                return healed

    def _due(self, tx: Tx) -> list[Gap]:
        return gaps.to_try(tx, self.engine.clock.now(tx) - PATIENCE, BATCH)

    def _put_off(self, tx: Tx, gap: Gap) -> None:
        gaps.tried(tx, gap, self.engine.clock.now(tx))

    # ---- finding them ------------------------------------------------------------------------------------------------

    def _note_left(self, tx: Tx) -> int:
        """Unread messages of people who can no longer read them are gaps."""
        today = local_day(self.engine.clock.now(tx), self.engine.book.calendar)
        left = leavers.left_behind(tx, today, today - REACH_BACK, BATCH)
        known = standings.standings(tx, (message.chain for message in left))
        gaps.add(
            tx,
            [
                Gap(
                    chain=m.chain, seq=m.seq, role=m.role, person_id=m.person_id, step=m.step, why=LEFT, at=m.should_at,
                    office_id=known[m.chain].office_id if m.chain in known else "",
                )
                for m in left
            ],
        )  # fmt: skip
        return len(left)

    # ---- what would be found -----------------------------------------------------------------------------------------

    def parting(self, tx: Tx, person_id: str) -> list[str]:
        """Tells at once whatever somebody who has just left did not read; answers who was told, once for each message. For a
        preview, which undoes it: left alone, `run` comes to it by itself.
        """
        now = self.engine.clock.now(tx)
        while self._note_left(tx) == BATCH:
            pass
        told: list[str] = []
        for gap in gaps.left_by(tx, person_id):
            before = _held(tx, gap)
            if self._remedy(tx, before, gap, now) and before:
                after = findings.load(tx, gap.chain, lock=False) or before
                told += mailbox.told_at(tx, gap.chain, after.version) if after.version > before.version else ()
        return told

    # ---- healing them ------------------------------------------------------------------------------------------------

    def _try(self, tx: Tx, gap: Gap) -> bool:
        finding = _held(tx, gap)
        now = self.engine.clock.now(tx)
        # Read once the finding is held, as another worker may just have made it good. One telling makes good everything
        # that the same role has missed of this finding.
        missed = gaps.open_of(tx, gap)
        how = self._remedy(tx, finding, missed[-1], now) if missed else ""
        for one in missed:
            if how:
                gaps.heal(tx, one, now, how)
            else:
                gaps.tried(tx, one, now)
        return bool(how)

    def _remedy(self, tx: Tx, finding: Finding | None, gap: Gap, now: datetime) -> str:
        """How the gap was just made good, empty where it cannot be; `finding` is held."""
        if finding and (is_end(finding.state) or self._is_past(tx, finding, gap)):
            return CLOSED
        if gap.why == UNDELIVERED:
            return self._another_way(tx, gap, now)
        return self._tell_successor(tx, finding, gap, now) if finding else self._beside(tx, gap)

    def _is_past(self, tx: Tx, finding: Finding, gap: Gap) -> bool:
        """Whether the step only pressed for something that has been done since."""
        told = next(iter(mailbox.told_at(tx, gap.chain, gap.seq).values()), None) if gap.step in PRESSING else None
        return told is not None and all(timer.rule != said_of(told).get("due_rule") for timer in finding.timers)

    def _beside(self, tx: Tx, gap: Gap) -> str:
        """Beside findings reminders come again by themselves: reading heals, the next one that reaches the role, and the end
        of what they press for.
        """
        told = mailbox.told_at(tx, gap.chain, gap.seq)
        if any(message.read_at for message in told.values()):
            return READ_SINCE
        if gap.step in BESIDE and not timers.running(tx, gap.chain):
            return CLOSED
        return TOLD if mailbox.told_since(tx, gap.chain, gap.seq, REMIND, gap.role) else ""

    def _another_way(self, tx: Tx, gap: Gap, now: datetime) -> str:
        message = mailbox.told_at(tx, gap.chain, gap.seq).get(gap.person_id)
        if message is None or message.read_at:
            return READ_SINCE
        others = self.dispatch.other_ways(tx, [message], now)[message.id]
        deliveries.add_copies(tx, others)
        if not others and now - gap.at >= PATIENCE:
            # The channel may work again by now; if it does, the sending itself heals the gap.
            for id_ in leftovers.given_up(tx, message.id):
                deliveries.replay(tx, id_, AT_ONCE)
        return OTHER_WAY if others else ""

    def _tell_successor(self, tx: Tx, finding: Finding, gap: Gap, now: datetime) -> str:
        regions, units, persons = audience.places_of(finding, finding, [gap.role])
        today = local_day(now, self.engine.book.calendar)
        seats = people.audience(tx, regions=regions, units=units, persons=persons, today=today)
        reached, _ = audience.resolve(finding, finding, [gap.role], seats)
        holders = [reach.person_id for reach in reached if not reach.gap]
        # Somebody who stood in was told at the step itself; only for a person who left somebody must be found at all.
        wanted = holders or [reach.person_id for reach in reached if gap.why == LEFT]
        if not wanted:
            return ""
        told = mailbox.told_at(tx, gap.chain, gap.seq)
        since = mailbox.told_since(tx, gap.chain, gap.seq, MAKE_GOOD, gap.role)
        if not told.keys().isdisjoint(holders) or not since.isdisjoint(wanted):
            return TOLD
        return f"told at step {self._make_good(tx, finding, gap, now)}"

    def _make_good(self, tx: Tx, finding: Finding, gap: Gap, now: datetime) -> int:
        """Tell whoever holds the role now; answers the number of the event."""
        engine = self.engine
        engine.striker.strike(tx, finding, now)
        finding = findings.load(tx, finding.number, lock=True) or finding
        action = engine.book.workflow.actions[MAKE_GOOD]
        payload = read(action.payload, {"seq": gap.seq, "about_step": gap.step, "role": gap.role})
        command = Command(action=action.name, actor=THE_SYSTEM, payload=payload, told=(gap.role,))
        decision = decide(engine.book, finding, command, Facts(), now)
        version = engine.book.workflow.version
        outcome = write(tx, finding, decision, command, run_at=now, register=engine.register(tx), rules=version)
        return outcome.event.seq


def _held(tx: Tx, gap: Gap) -> Finding | None:
    """The finding that a gap is about, nobody else's until the commit; None beside findings."""
    return findings.load(tx, gap.chain, lock=True) if ":" not in gap.chain else None
