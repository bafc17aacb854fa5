"""Moves running deadlines to a newly published calendar: first computed and shown, then each through the one door."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from itertools import groupby

from loop.engine.door import Engine, previewed
from loop.engine.record import write
from loop.kernel.calendar import Calendar, end_day, local_day
from loop.kernel.clocks import Timer
from loop.kernel.decide import Book, Command, decide
from loop.kernel.facts import Facts
from loop.kernel.payloads import read
from loop.kernel.people import THE_SYSTEM
from loop.store import findings, timers
from loop.store.session import Store, Tx

PAGE = 500


@dataclass(frozen=True, slots=True)
class Shift:
    """One deadline that a new calendar moves."""

    number: str
    timer_id: str
    rule: str
    before: date
    after: date


def shifts(store: Store, book: Book, renewed: Calendar) -> list[Shift]:
    """Every running deadline of a finding that follows from its rule under the old calendar and differs under the new."""
    found: list[Shift] = []
    after: str = ""
    while True:
        page = store.read(partial(timers.page_running, after=after, limit=PAGE))
        for chain, timer in page:
            moved = _moved(timer, book.calendar, renewed) if ":" not in chain else None
            if moved:
                found.append(Shift(chain, timer.id, timer.rule, local_day(timer.due_at, book.calendar), moved))
        if len(page) < PAGE:
            return sorted(found, key=lambda s: (s.number, s.timer_id))
        after = page[-1][1].id


def _moved(timer: Timer, old: Calendar, renewed: Calendar) -> date | None:
    """The new last day; None where the date was set by hand, the timer stands still, or nothing changes."""
    if timer.paused or timer.pauses or timer.number == 0:
        return None
    due = local_day(timer.due_at, old)
    if end_day(timer.started_on, timer.number, timer.unit, old) != due:
        return None
    fresh = end_day(timer.started_on, timer.number, timer.unit, renewed)
    return fresh if fresh != due else None


def apply(engine: Engine, moved: Sequence[Shift], reason: str, track: Callable[[Sequence[str]], Iterable[str]]) -> None:
    """Move the deadlines, one action for each finding; each person concerned is told once for each finding."""
    by_number = {number: list(group) for number, group in groupby(moved, key=lambda s: s.number)}
    for number in track(list(by_number)):
        engine.store.write(partial(_move, engine, number=number, shifts=by_number[number], reason=reason))


@dataclass(frozen=True, slots=True)
class Sends:
    """How many messages a change sends, and to how many people."""

    messages: int
    people: int


def sends(engine: Engine, moved: Sequence[Shift], track: Callable[[Sequence[str]], Iterable[str]]) -> Sends:
    """What moving these deadlines would send: each move is made and undone."""
    by_number = {number: list(group) for number, group in groupby(moved, key=lambda s: s.number)}
    told: list[str] = []
    for number in track(list(by_number)):
        move = partial(_move, engine, number=number, shifts=by_number[number], reason="preview")
        told += engine.store.write(lambda tx, move=move: previewed(tx, partial(move, tx)))  # type: ignore[misc]
    return Sends(len(told), len(set(told)))


def _move(engine: Engine, tx: Tx, *, number: str, shifts: Sequence[Shift], reason: str) -> list[str]:
    """Move the deadlines of one finding; answers who is told."""
    now: datetime = engine.clock.now(tx)
    finding = findings.load(tx, number, lock=True)
    if finding is None:
        return []
    engine.striker.strike(tx, finding, now)
    finding = findings.load(tx, number, lock=True) or finding
    # Whatever was moved meanwhile, by a person or by the same notice loaded twice, stays where it is.
    running = {timer.id: local_day(timer.due_at, engine.book.calendar) for timer in finding.timers}
    due = [{"timer": s.timer_id, "due": s.after.isoformat()} for s in shifts if running.get(s.timer_id) == s.before]
    if not due:
        return []
    action = engine.book.workflow.actions["move_deadlines"]
    payload = read(action.payload, {"reason": reason, "deadlines": due})
    command = Command(action=action.name, actor=THE_SYSTEM, payload=payload)
    decision = decide(replace(engine.book), finding, command, Facts(), now)
    version = engine.book.workflow.version
    done = write(tx, finding, decision, command, run_at=now, register=engine.register(tx), rules=version)
    return [reach.person_id for reach in done.told]
