"""Moves what runs to a newly published calendar, deadlines and reminders: first computed and shown, then on record, each
finding, supervision and tip-off for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import groupby

from loop.engine.door import Engine, previewed
from loop.engine.record import write
from loop.kernel.calendar import Calendar, end_day, local_day
from loop.kernel.clocks import OVER, Recur, Remind, Timer, next_point
from loop.kernel.decide import Book, Command, decide
from loop.kernel.facts import Facts
from loop.kernel.payloads import read
from loop.kernel.people import THE_SYSTEM
from loop.kernel.proof import proof
from loop.store import findings, timers
from loop.store.session import Store, Tx

PAGE = 500
MOVE = "move_deadlines"


@dataclass(frozen=True, slots=True)
class Shift:
    """What a new calendar moves of one timer: its deadline, or where that stays, its next `reminder`. `number` is that of
    the finding, or the chain of the supervision or tip-off.
    """

    number: str
    timer_id: str
    rule: str
    before: date
    after: date
    reminder: bool = False


# ---- what would move ---------------------------------------------------------------------------------------------------


def shifts(store: Store, book: Book, renewed: Calendar) -> list[Shift]:
    """Every running deadline that follows from its rule under the old calendar and differs under the new, and every next
    reminder that comes on another day.
    """
    found: list[Shift] = []
    after: str = ""
    while True:
        page = store.read(partial(timers.page_running, after=after, limit=PAGE))
        found += [shift for chain, timer in page if (shift := _shift(chain, timer, book, renewed))]
        if len(page) < PAGE:
            return sorted(found, key=lambda s: (s.number, s.timer_id))
        after = page[-1][1].id


def _shift(chain: str, timer: Timer, book: Book, renewed: Calendar) -> Shift | None:
    due = local_day(timer.due_at, book.calendar)
    moved = _moved(timer, due, book.calendar, renewed)
    if moved:
        return Shift(chain, timer.id, timer.rule, due, moved)
    return _reminder(chain, timer, book, renewed)


def _reminder(chain: str, timer: Timer, book: Book, renewed: Calendar) -> Shift | None:
    """The next reminder of a timer that stays, where it comes on another day; only reminders are counted by the calendar."""
    how = book.workflow.timers[timer.rule].on_due
    if timer.error or timer.next_at == OVER or not isinstance(how, Remind | Recur):
        return None
    point = next_point(timer, how, book.rules.ladder, renewed)
    if point is None or point.at == timer.next_at:
        return None
    before, after = local_day(timer.next_at, renewed), local_day(point.at, renewed)
    return Shift(chain, timer.id, timer.rule, before, after, reminder=True)


def _moved(timer: Timer, due: date, old: Calendar, renewed: Calendar) -> date | None:
    """The new last day; None where the date was set by hand or nothing changes."""
    if timer.number == 0 or _end(timer, due, old) != due:
        return None
    fresh = _end(timer, due, renewed)
    return fresh if fresh != due else None


def _end(timer: Timer, due: date, calendar: Calendar) -> date:
    """Where the rule leads by this calendar, through every pause as the proof sheet counts it."""
    if not timer.pauses:
        return end_day(timer.started_on, timer.number, timer.unit, calendar)
    pauses = [(pause.since, pause.until, pause.why) for pause in timer.pauses]
    return proof(timer.started_on, timer.number, timer.unit, due, pauses, calendar).by_rule


# ---- moving it ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sends:
    """How many messages a change sends, and to how many people."""

    messages: int
    people: int


@dataclass(frozen=True, slots=True)
class Mover:
    """Moves timers to the calendar `renewed`; each person concerned is told once for each chain."""

    engine: Engine
    renewed: Calendar
    reason: str

    def apply(self, moved: Sequence[Shift], track: Callable[[Sequence[str]], Iterable[str]]) -> None:
        """Make these moves, in one transaction for each chain."""
        by_chain = _by_chain(moved)
        for chain in track(list(by_chain)):
            self.engine.store.write(partial(self._move, chain=chain, moved=by_chain[chain]))

    def sends(self, moved: Sequence[Shift], track: Callable[[Sequence[str]], Iterable[str]]) -> Sends:
        """What these moves would send: each is made and undone."""
        by_chain = _by_chain(moved)
        told: list[str] = []
        for chain in track(list(by_chain)):
            move = partial(self._move, chain=chain, moved=by_chain[chain])
            told += self.engine.store.write(lambda tx, move=move: previewed(tx, partial(move, tx)))  # type: ignore[misc]
        return Sends(len(told), len(set(told)))

    def _move(self, tx: Tx, *, chain: str, moved: Sequence[Shift]) -> list[str]:
        """Move the timers of one chain, once what is due on it has run; answers who is told."""
        if ":" in chain:
            return self._move_beside(tx, chain, moved)
        engine, now = self.engine, self.engine.clock.now(tx)
        finding = findings.load(tx, chain, lock=True)
        if finding is None:
            return []
        engine.striker.strike(tx, finding, now)
        finding = findings.load(tx, chain, lock=True) or finding
        still = self._still(finding.timers, moved)
        if not still:
            return []
        action = engine.book.workflow.actions[MOVE]
        command = Command(
            action=action.name, actor=THE_SYSTEM, payload=read(action.payload, self._payload(still)),
            # Of a reminder that comes on another day nobody is told before it comes.
            superseded=all(shift.reminder for shift in still),
        )  # fmt: skip
        decision = decide(replace(engine.book, calendar=self.renewed), finding, command, Facts(), now)
        version = engine.book.workflow.version
        done = write(tx, finding, decision, command, run_at=now, register=engine.register(tx), rules=version)
        return [reach.person_id for reach in done.told]

    def _move_beside(self, tx: Tx, chain: str, moved: Sequence[Shift]) -> list[str]:
        side, now = self.engine.side, self.engine.clock.now(tx)
        side.strike(tx, chain, now)
        still = self._still(timers.running(tx, chain), moved)
        if not still:
            return []
        due = {shift.timer_id: shift.after for shift in still if not shift.reminder}
        told = side.move(tx, chain, due, self._payload(still), now=now, renewed=self.renewed)
        return [reach.person_id for reach in told]

    def _still(self, running: Iterable[Timer], moved: Iterable[Shift]) -> list[Shift]:
        """Those of the moves that are yet to be made: whatever was moved meanwhile, by a person or by the same notice loaded
        twice, stays where it is.
        """
        stands = {timer.id: timer for timer in running}
        calendar = self.engine.book.calendar
        return [
            shift
            for shift in moved
            if (timer := stands.get(shift.timer_id))
            and local_day(timer.next_at if shift.reminder else timer.due_at, calendar) == shift.before
        ]

    def _payload(self, moved: Sequence[Shift]) -> dict[str, object]:
        due = [{"timer": one.timer_id, "due": one.after.isoformat()} for one in moved if not one.reminder]
        reminders = [{"timer": one.timer_id, "on": one.after.isoformat()} for one in moved if one.reminder]
        return {"reason": self.reason, "deadlines": due, "reminders": reminders}


def _by_chain(moved: Iterable[Shift]) -> dict[str, list[Shift]]:
    return {number: list(group) for number, group in groupby(moved, key=lambda s: s.number)}
