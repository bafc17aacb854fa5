"""Moves a virtual clock on, from one due instant to the next, so that everything happens at its own time."""

from __future__ import annotations

from datetime import datetime

from loop.engine.clock import VirtualClock
from loop.engine.door import Engine
from loop.engine.outbox import Outbox
from loop.engine.strike import Struck
from loop.engine.sweep import tick
from loop.store import timers


def leap(engine: Engine, outbox: Outbox, clock: VirtualClock, to: datetime) -> list[Struck]:
    """Set `clock` to each instant at which something is due, the last being `to`; run timers there, then send messages.

    Answers what ran, in order. Raises `Invalid` for an instant before the present one.
    """
    ran: list[Struck] = []
    while True:
        now = engine.store.read(clock.now)
        following = engine.store.read(lambda tx, now=now: timers.next_instant(tx, now))  # type: ignore[misc]
        stop = to if following is None or now > to else min(following, to)
        engine.store.write(lambda tx, stop=stop: clock.set(tx, stop))  # type: ignore[misc]
        struck = tick(engine)
        ran.extend(struck)
        if struck or stop >= to:
            outbox.drain()
        if stop >= to:
            return ran
