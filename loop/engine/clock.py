"""What time it is: the machine's clock, or a virtual one that is kept in the database and moves only when told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from loop.kernel.errors import Invalid
from loop.store import settings_kept
from loop.store.instants import instant_of, text_of
from loop.store.session import Tx

VIRTUAL_NOW = "virtual_now"


class Clock(Protocol):
    """Tells the instant from which everything recorded about findings counts."""

    virtual: bool

    def now(self, tx: Tx) -> datetime:
        """The present instant, aware, in UTC."""


class RealClock:
    """The machine's clock, or any function that stands for it."""

    virtual = False

    def __init__(self, read: Callable[[], datetime] | None = None) -> None:
        self._read = read or (lambda: datetime.now(UTC))

    def now(self, tx: Tx) -> datetime:
        """The present instant."""
        return self._read()


class VirtualClock:
    """A clock that stands still except when set; survives restarts in the database, never goes back."""

    virtual = True

    def __init__(self, start: datetime) -> None:
        self._start = start

    def now(self, tx: Tx) -> datetime:
        """The instant it was last set to, or its start."""
        kept = settings_kept.get(tx, VIRTUAL_NOW)
        return instant_of(kept) if kept else self._start

    def set(self, tx: Tx, to: datetime) -> None:
        """Move forward; raises Invalid for an instant before the present one."""
        if to < self.now(tx):
            raise Invalid.field("to", "虚拟时钟不能倒退。", "the virtual clock never goes back")
        settings_kept.put(tx, VIRTUAL_NOW, text_of(to))
