"""Moves a virtual clock on, from one due instant to the next, so that everything happens at its own time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from loop.engine.clock import VirtualClock
from loop.engine.door import Engine
from loop.engine.outbox import Outbox
from loop.engine.reconcile import Reconciliation
from loop.engine.strike import Struck
from loop.engine.sweep import tick
from loop.kernel.calendar import local_day
from loop.store import tallies, timers
from loop.store.session import Tx


@dataclass(frozen=True, slots=True)
class Leap:
    """Everything that happens when time passes."""

    engine: Engine
    outbox: Outbox
    reconciliation: Reconciliation

    def to(self, clock: VirtualClock, end: datetime) -> list[Struck]:
        """Set `clock` to each instant at which something is due, the last being `end`: run timers there, find gaps once
        a day, then send messages; at the end add up the tally. Answers what ran, in order. Raises `Invalid` for an
        instant before the present one.
        """
        store, calendar = self.engine.store, self.engine.book.calendar
        ran: list[Struck] = []
        day = local_day(store.read(clock.now), calendar)
        while True:
            now = store.read(clock.now)
            stop = end if now > end else min(store.read(lambda tx, now=now: self._next(tx, now)) or end, end)  # type: ignore[misc]
            store.write(lambda tx, stop=stop: clock.set(tx, stop))  # type: ignore[misc]
            ran.extend(tick(self.engine))
            if local_day(stop, calendar) != day:
                day = local_day(stop, calendar)
                self.reconciliation.run()
            self.outbox.drain()
            if stop >= end:
                tallies.fold(store, calendar.zone)
                return ran

    def _next(self, tx: Tx, now: datetime) -> datetime | None:
        found = (timers.next_instant(tx, now), self.outbox.next_instant(tx, now))
        return min((at for at in found if at), default=None)
