"""Timers beside findings: the report that a supervision owes, the answer that a tip-off waits for.

They have no state and no ladder; each reminder is an entry in the hash chain of its supervision or tip-off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import count
from typing import Any

from loop.engine.audience import Reach
from loop.engine.record import tell, timer_values, told_values
from loop.engine.strike import Struck
from loop.kernel import clocks
from loop.kernel.calendar import local_day
from loop.kernel.clocks import Timer
from loop.kernel.decide import Book
from loop.kernel.people import CHIEF, SYSTEM, THE_SYSTEM
from loop.store import journal, offices, people, timers
from loop.store.canonical import canonical, digest
from loop.store.instants import text_of
from loop.store.session import Tx


@dataclass(frozen=True, slots=True)
class SideTimers:
    """Starts, stops and strikes the timers of one chain other than a finding's."""

    book: Book

    def start(self, tx: Tx, chain: str, rule: str, office_id: str, *, count_from: date, now: datetime) -> Timer:
        """Start the timer `rule` of `chain`, counted from a day."""
        journal.hold(tx, chain)
        declared = self.book.workflow.timers[rule]
        begun = clocks.start(
            self._free_id(tx, chain, rule), self.book.rules.rule(rule), name=rule, started_on=count_from,
            started_at=now, calendar=self.book.calendar,
        )  # fmt: skip
        timer = self._settled(replace(begun, owner=declared.owner))
        self._note(tx, chain, office_id, "start_timer", [timer], now)
        return timer

    def stop(self, tx: Tx, chain: str, rule: str, office_id: str, *, now: datetime) -> None:
        """Stop the running timers of `rule`; harmless where none runs."""
        journal.hold(tx, chain)
        stopped = [replace(t, stopped_at=now, next_at=clocks.OVER) for t in timers.running(tx, chain) if t.rule == rule]
        if stopped:
            self._note(tx, chain, office_id, "stop_timer", stopped, now)

    def strike(self, tx: Tx, chain: str, now: datetime) -> list[Struck]:
        """Send every reminder of this chain that is due by `now`."""
        journal.hold(tx, chain)
        struck: list[Struck] = []
        for timer in timers.running(tx, chain):
            current = timer
            while current.next_at <= now:
                struck.append(Struck(chain, "remind", current.next_at))
                current = self._remind(tx, chain, current, now)
        return struck

    def _remind(self, tx: Tx, chain: str, timer: Timer, now: datetime) -> Timer:
        office_id = timers.office_of(tx, timer.id)
        due_at, rung = timer.next_at, timer.rung
        after = self._settled(replace(timer, rung=rung + 1))
        told = self._audience(tx, timer.owner, office_id, now)
        about = {"due_rule": timer.rule, "due_at": text_of(timer.due_at), "due_unit": timer.unit}
        letter = canonical({"chain": chain, "action": "remind", **about})
        entry = self._note(
            tx, chain, office_id, "remind", [after], now, due_at=due_at, timer_id=timer.id, rung=rung,
            messages=[told_values(reach) for reach in told], letter=digest(letter),
        )  # fmt: skip
        tell(tx, told, [] if told else [timer.owner], entry, letter, office_id)
        return after

    def _settled(self, timer: Timer) -> Timer:
        how = self.book.workflow.timers[timer.rule].on_due
        point = clocks.next_point(timer, how, self.book.rules.ladder, self.book.calendar)
        return replace(timer, next_at=point.at if point else clocks.OVER)

    def _note(
        self, tx: Tx, chain: str, office_id: str, action: str, changed: Iterable[Timer], now: datetime, *,
        due_at: datetime | None = None, timer_id: str | None = None, rung: int | None = None, **more: Any,
    ) -> journal.Entry:  # fmt: skip
        held = list(changed)
        entry = journal.extend(
            tx, chain, action=action, actor_id=THE_SYSTEM.id, actor_name=THE_SYSTEM.name, actor_role=SYSTEM, at=now,
            payload={}, effects={"timers": [timer_values(t) for t in held], "office": office_id, **more},
            rules=self.book.workflow.version, due_at=due_at, timer_id=timer_id, rung=rung,
        )  # fmt: skip
        timers.save(tx, chain, office_id, "", held)
        return entry

    def _audience(self, tx: Tx, owner: str, office_id: str, now: datetime) -> list[Reach]:
        """The holders of the role that owes the step, or else the chiefs, with the gap shown."""
        office = offices.office(tx, office_id)
        seats = people.audience(tx, regions=[office.region[-1]], units=[], today=local_day(now, self.book.calendar))
        held: dict[str, set[str]] = {owner: set(), CHIEF: set()}
        for seat in seats:
            if seat.region == office.region and seat.role in held:
                held[seat.role].add(seat.person_id)
        if held[owner]:
            return [Reach(person, owner) for person in sorted(held[owner])]
        return [Reach(person, CHIEF, owner) for person in sorted(held[CHIEF])]

    def _free_id(self, tx: Tx, chain: str, rule: str) -> str:
        taken = {t.id for t in timers.all_of(tx, chain)}
        return next(name for k in count(1) if (name := f"{chain}-{rule}-{k}") not in taken)
