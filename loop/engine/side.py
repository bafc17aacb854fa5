"""Timers beside findings: the report that a supervision owes, the answer that a tip-off waits for.

They have no state and no ladder; each reminder is an entry in the hash chain of its supervision or tip-off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import count
from typing import Any

from loop.engine.audience import Reach
from loop.engine.record import tell, timer_values, told_values
from loop.engine.strike import Struck, put_off
from loop.kernel import clocks
from loop.kernel.calendar import Calendar, local_day
from loop.kernel.clocks import Point, Timer
from loop.kernel.decide import Book
from loop.kernel.people import CHIEF, DIRECTOR, SUPERIOR, SYSTEM, THE_SYSTEM
from loop.store import journal, offices, people, timers
from loop.store.canonical import canonical, digest
from loop.store.instants import text_of
from loop.store.offices import Office
from loop.store.session import Tx

NOTHING: Mapping[str, Any] = {}


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
        begun = clocks.frozen(replace(begun, owner=declared.owner), declared.on_due, self.book.rules.ladder)
        timer = self._settled(begun, self.book.calendar)
        self._note(tx, chain, office_id, "start_timer", [timer], now)
        return timer

    def stop(self, tx: Tx, chain: str, rule: str, office_id: str, *, now: datetime) -> None:
        """Stop the running timers of `rule`; harmless where none runs."""
        journal.hold(tx, chain)
        stopped = [replace(t, stopped_at=now, next_at=clocks.OVER) for t in timers.running(tx, chain) if t.rule == rule]
        if stopped:
            self._note(tx, chain, office_id, "stop_timer", stopped, now)

    def strike(self, tx: Tx, chain: str, now: datetime) -> list[Struck]:
        """Take every reminder of this chain that is due by `now`; of several of one timer the last is told."""
        journal.hold(tx, chain)
        struck: list[Struck] = []
        for timer in timers.running(tx, chain):
            current = timer
            while current.next_at <= now:
                point = self._point(current, self.book.calendar)
                if point is None:
                    current = put_off(tx, current, clocks.OVER, "nothing to do")
                elif point.at > now:
                    current = put_off(tx, current, point.at)
                else:
                    struck.append(Struck(chain, "remind", point.at))
                    current = self._remind(tx, chain, current, point, now)
        return struck

    def _remind(self, tx: Tx, chain: str, timer: Timer, point: Point, now: datetime) -> Timer:
        after = self._settled(replace(timer, rung=point.rung + 1), self.book.calendar)
        superseded = after.next_at <= now
        self._announce(
            tx, chain, "remind", [after], None if superseded else timer, now,
            due_at=point.at, timer_id=timer.id, rung=point.rung,
        )  # fmt: skip
        return after

    def move(
        self,
        tx: Tx,
        chain: str,
        due: Mapping[str, date],
        payload: Mapping[str, Any],
        *,
        now: datetime,
        renewed: Calendar,
    ) -> list[Reach]:
        """Move the timers with these ids to other days, and all reminders to the calendar `renewed`, on record as `payload`.

        Answers who is told that a deadline moved; of a reminder nobody is told before it comes.
        """
        journal.hold(tx, chain)
        running = timers.running(tx, chain)
        after = [self._settled(clocks.move(t, due[t.id], renewed) if t.id in due else t, renewed) for t in running]
        changed = [timer for timer in after if timer not in running]
        moved = next((timer for timer in changed if timer.id in due), None)
        return self._announce(tx, chain, "move_deadlines", changed, moved, now, payload=payload) if changed else []

    def _point(self, timer: Timer, calendar: Calendar) -> Point | None:
        how = self.book.workflow.timers[timer.rule].on_due
        return clocks.next_point(timer, how, self.book.rules.ladder, calendar)

    def _settled(self, timer: Timer, calendar: Calendar) -> Timer:
        point = self._point(timer, calendar)
        return replace(timer, next_at=point.at if point else clocks.OVER, error="")

    def _announce(
        self, tx: Tx, chain: str, action: str, changed: Sequence[Timer], about: Timer | None, now: datetime, **more: Any
    ) -> list[Reach]:
        """Record a change of timers and tell whoever owes the one it is `about`; where there is none, nobody."""
        office_id = timers.office_of(tx, changed[0].id)
        told, lost, letter = [], [], ""
        if about:
            told = self._audience(tx, about.owner, office_id, now)
            lost = [] if told else [about.owner]
            counted = {"due_rule": about.rule, "due_at": text_of(about.due_at), "due_unit": about.unit}
            letter = canonical({"chain": chain, "action": action, **counted})
        entry = self._note(
            tx, chain, office_id, action, changed, now,
            messages=[told_values(reach) for reach in told], letter=digest(letter) if told else "", **more,
        )  # fmt: skip
        tell(tx, told, lost, entry, letter, office_id)
        return told

    def _note(
        self, tx: Tx, chain: str, office_id: str, action: str, changed: Iterable[Timer], now: datetime, *,
        payload: Mapping[str, Any] = NOTHING, due_at: datetime | None = None, timer_id: str | None = None,
        rung: int | None = None, **more: Any,
    ) -> journal.Entry:  # fmt: skip
        held = list(changed)
        entry = journal.extend(
            tx, chain, action=action, actor_id=THE_SYSTEM.id, actor_name=THE_SYSTEM.name, actor_role=SYSTEM, at=now,
            payload=payload, effects={"timers": [timer_values(t) for t in held], "office": office_id, **more},
            rules=self.book.workflow.version, due_at=due_at, timer_id=timer_id, rung=rung,
        )  # fmt: skip
        timers.save(tx, chain, office_id, "", held)
        return entry

    def _audience(self, tx: Tx, owner: str, office_id: str, now: datetime) -> list[Reach]:
        """The holders of the role that owes the step; or else, with the gap shown, the chiefs or the directors of the office,
        or those of the nearest office above that has any.
        """
        office, today = offices.office(tx, office_id), local_day(now, self.book.calendar)
        for role in dict.fromkeys((owner, CHIEF, DIRECTOR)):
            if held := _holders(tx, office, role, today):
                return [Reach(person, role, "" if role == owner else owner) for person in held]
        while office.superior_id:
            office = offices.office(tx, office.superior_id)
            for role in (CHIEF, DIRECTOR):
                if held := _holders(tx, office, role, today):
                    return [Reach(person, SUPERIOR, owner) for person in held]
        return []

    def _free_id(self, tx: Tx, chain: str, rule: str) -> str:
        taken = {t.id for t in timers.all_of(tx, chain)}
        return next(name for k in count(1) if (name := f"{chain}-{rule}-{k}") not in taken)


def _holders(tx: Tx, office: Office, role: str, today: date) -> list[str]:
    seats = people.audience(tx, regions=[office.region[-1]], units=[], today=today)
    return sorted({seat.person_id for seat in seats if seat.region == office.region and seat.role == role})
