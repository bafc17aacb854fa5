"""Takes what is due on one finding: each point of a timer becomes a system action, in the order in which it fell due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from loop.engine.clock import Clock
from loop.engine.facts_loader import FactsLoader
from loop.engine.record import Outcome, Register, write
from loop.kernel.clocks import OVER, Point, Remind, Timer, next_point
from loop.kernel.decide import Book, Command, decide
from loop.kernel.errors import ActionNotAllowed, GuardFailed, LoopError, Unavailable
from loop.kernel.finding import Finding
from loop.kernel.payloads import read
from loop.kernel.people import THE_SYSTEM
from loop.store import findings, timers
from loop.store.session import Tx

LOG = structlog.get_logger(__name__)
MOST_AT_ONCE = 10_000
"""Points of one finding taken in one go; more than this means that its timers do not advance."""
REPEATED = frozenset({"warn", "remind"})
"""Acts that are told once when several of one timer are made up together."""


@dataclass(frozen=True, slots=True)
class Struck:
    """One act of a timer as it ran."""

    number: str
    action: str
    due_at: datetime


class Striker:
    """Runs due points on a finding that the caller has locked."""

    def __init__(
        self, book: Book, clock: Clock, rungs: Mapping[str, Mapping[str, Any]], register: Callable[[Tx], Register]
    ) -> None:
        self._book, self._clock, self._rungs, self._register = book, clock, rungs, register

    def strike(self, tx: Tx, finding: Finding, now: datetime) -> list[Struck]:
        """Take everything due on `finding` by `now`, in order; answers what ran. A point that cannot be taken is put off."""
        struck: list[Struck] = []
        for _ in range(MOST_AT_ONCE):
            timer = first_due(finding, now)
            if timer is None:
                return struck
            taken = self._take(tx, finding, timer, now)
            if isinstance(taken, Timer):
                # It stays so until an act on the finding, which looks at every timer anew.
                finding = replace(finding, timers=tuple(taken if t.id == taken.id else t for t in finding.timers))
                continue
            struck.append(Struck(finding.number, taken.event.action, taken.event.due_at or timer.next_at))
            finding = taken.finding
        raise AssertionError(f"the timers of {finding.number} do not advance")

    def strike_number(self, tx: Tx, number: str) -> list[Struck]:
        """Lock the finding `number` and take everything due on it."""
        finding = findings.load(tx, number, lock=True)
        return self.strike(tx, finding, self._clock.now(tx)) if finding else []

    def _take(self, tx: Tx, finding: Finding, timer: Timer, now: datetime) -> Outcome | Timer:
        """What the point did, or the timer as it was put off."""
        point = self._point(finding, timer)
        if point is None:
            return put_off(tx, timer, OVER, "nothing to do")
        if point.at > now:
            # A rule or a calendar changed since the point was noted; by those in force its time has yet to come.
            return put_off(tx, timer, point.at)
        try:
            with tx.attempt():
                return self._act(tx, finding, timer, point, now)
        except (GuardFailed, ActionNotAllowed) as blocked:
            why = f"blocked: {blocked.facts.get('guard') or blocked.code}"
            return put_off(tx, timer, _again(finding, timer, now), why)
        except Unavailable:
            raise
        except (LoopError, LookupError, ValueError, TypeError, AssertionError) as broken:
            LOG.exception("timer.failed", finding=finding.number, timer=timer.id, rule=timer.rule)
            return put_off(tx, timer, now + timedelta(hours=1), f"failed: {broken}"[:500])

    def _point(self, finding: Finding, timer: Timer) -> Point | None:
        how = self._book.workflow.timers[timer.rule].on_due
        held = finding.timer("extension_decide") is not None
        return next_point(timer, how, self._book.rules.ladder, self._book.calendar, held=held)

    def _act(self, tx: Tx, finding: Finding, timer: Timer, point: Point, now: datetime) -> Outcome:
        action = self._book.workflow.actions[point.action]
        lapsed = self._book.workflow.timers[timer.rule].label.zh
        payload = read(action.payload, _worded(self._rungs.get(point.action, {}), lapsed))
        command = Command(
            action=point.action, actor=THE_SYSTEM, payload=payload, timer_id=timer.id, rung=point.rung, due_at=point.at,
            told=point.told, superseded=self._superseded(timer, point, now),
        )  # fmt: skip
        loader = FactsLoader(tx, self._book.rules, self._book.calendar, point.at)
        facts = loader.load(action.facts, finding, payload, THE_SYSTEM)
        decision = decide(self._book, finding, command, facts, point.at)
        version = self._book.workflow.version
        return write(tx, finding, decision, command, run_at=now, register=self._register(tx), rules=version)

    def _superseded(self, timer: Timer, point: Point, now: datetime) -> bool:
        """Whether the next warning of the same timer is due as well, so that this one need not be told."""
        if point.action not in REPEATED:
            return False
        how = self._book.workflow.timers[timer.rule].on_due
        if isinstance(how, Remind) and point.rung == 0:
            return False
        taken = _after(timer, point)
        following = next_point(taken, how, self._book.rules.ladder, self._book.calendar)
        return following is not None and following.action in REPEATED and following.at <= now


def _worded(value: Any, lapsed: str) -> Any:
    """What a rung hands in, with the name of the deadline that lapsed."""
    if isinstance(value, Mapping):
        return {name: _worded(one, lapsed) for name, one in value.items()}
    if isinstance(value, list):
        return [_worded(one, lapsed) for one in value]
    return value.replace("{deadline}", lapsed) if isinstance(value, str) else value


def _after(timer: Timer, point: Point) -> Timer:
    return replace(timer, rung=point.rung + 1)


def first_due(finding: Finding, now: datetime) -> Timer | None:
    """The timer of `finding` whose point is the first to be taken by `now`, if any."""
    due = [t for t in finding.timers if t.next_at <= now]
    return min(due, key=lambda t: (t.next_at, t.id)) if due else None


def put_off(tx: Tx, timer: Timer, until: datetime, why: str = "") -> Timer:
    """The timer, made to wait until that instant; `why` says what went wrong, if anything."""
    timers.put_off(tx, timer.id, until, why)
    return replace(timer, next_at=until, error=why)


def _again(finding: Finding, blocked: Timer, now: datetime) -> datetime:
    """When a blocked point is worth another try by itself: once the next window of this finding is over. Any other change
    of its guard's facts is an action on the finding, after which its timers are looked at anew.
    """
    ends = [t.due_at + timedelta(seconds=1) for t in finding.timers if t.id != blocked.id and t.due_at >= now]
    return min(ends, default=OVER)
