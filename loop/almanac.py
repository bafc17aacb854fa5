"""The holiday arrangements in force: what a newly published one would move, loading it, taking over one loaded elsewhere.

The calendar in force is one value that every part of a running service holds; here is where it follows what is loaded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from loop import calendars
from loop.engine import recalendar
from loop.engine.door import Engine
from loop.engine.recalendar import Mover, Sends, Shift
from loop.kernel.calendar import Calendar, Day
from loop.store import arrangements
from loop.store.chronicle import By

Track = Callable[[Sequence[str]], Iterable[str]]
"""Hands on the findings one by one, for whoever shows progress."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What loading an arrangement would do: the deadlines and reminders that move, and whom that tells."""

    moved: tuple[Shift, ...]
    told: Sends

    @property
    def mark(self) -> str:
        """Tells this effect from another one."""
        return mark_of(self.moved)


def mark_of(moved: Sequence[Shift]) -> str:
    """Tells the same moves from others."""
    lines = (f"{one.timer_id} {one.reminder:d} {one.before} {one.after}\n" for one in moved)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class Almanac:
    """Keeps the calendar of an engine in step with the arrangements in its database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: str | None = None

    def effect(self, days: Sequence[Day], track: Track = iter) -> Effect:
        """What loading these days would do; nothing is changed."""
        renewed = self._renewed(days)
        moved = self._shifts(renewed)
        return Effect(moved, Mover(self._engine, renewed, "preview").sends(moved, track))

    def load(
        self, by: By, days: Sequence[Day], reason: str, *, mark: str | None = None, track: Track = iter
    ) -> bool:  # fmt: skip
        """Move the deadlines, each through the one door, then keep the days. With the `mark` of an effect that was shown only
        if it is still the same; else nothing is done, and the answer is False.
        """
        renewed = self._renewed(days)
        moved = self._shifts(renewed)
        if mark is not None and mark_of(moved) != mark:
            return False
        Mover(self._engine, renewed, reason).apply(moved, track)
        # The days are kept last: if this is interrupted, doing it again moves the rest.
        self._engine.store.write(lambda tx: arrangements.load(tx, by, days))
        self.refresh()
        return True

    def refresh(self) -> bool:
        """Take over what was loaded meanwhile, by this process or another; whether there was anything."""
        store, calendar = self._engine.store, self._engine.book.calendar
        stamp = store.read(arrangements.stamp)
        if stamp == self._known:
            return False
        calendar.follow(calendars.build(store.read(arrangements.days), calendar.zone.key).arrangement)
        self._known = stamp
        return True

    def _shifts(self, renewed: Calendar) -> tuple[Shift, ...]:
        return tuple(recalendar.shifts(self._engine.store, self._engine.book, renewed))

    def _renewed(self, days: Sequence[Day]) -> Calendar:
        known = {day.on: day for day in self._engine.store.read(arrangements.days)}
        return calendars.build([*(known | {day.on: day for day in days}).values()], self._engine.book.calendar.zone.key)
