"""The composition root: the only place that reads settings and knows workflows and notifiers. Builds the running parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import notifiers
import workflows
from loop import calendars
from loop.engine.beat import Beat
from loop.engine.clock import Clock, RealClock, VirtualClock
from loop.engine.door import Engine
from loop.engine.outbox import Outbox
from loop.kernel.calendar import Calendar
from loop.kernel.decide import Book
from loop.kernel.machine import compile_table
from loop.settings import Settings, rule_book
from loop.store import arrangements
from loop.store.evidence import Evidence
from loop.store.schema import check_schema
from loop.store.session import Store
from workflows.ladder import SYSTEM_PAYLOADS

MIB = 1024 * 1024


@dataclass(frozen=True)
class Parts:
    """Everything that runs, made from one set of settings."""

    settings: Settings
    store: Store
    engine: Engine
    outbox: Outbox
    evidence: Evidence

    @cached_property
    def beat(self) -> Beat:
        """The heart that drives timers and deliveries."""
        return Beat(
            self.engine,
            self.outbox,
            seconds=self.settings.server.beat_seconds,
            keep=self.settings.retention.idempotency,
        )

    def close(self) -> None:
        """Finish what is under way and let the database go."""
        self.store.close()


def book_of(settings: Settings, calendar: Calendar) -> Book:
    """The declared workflow, compiled, with the rules and the calendar in force."""
    flow = workflows.declared()
    return Book(flow, compile_table(flow), rule_book(settings), calendar)


def build(
    settings: Settings, *, virtual_from: datetime | None = None, now: Callable[[], datetime] | None = None,
    durable: bool = True,
) -> Parts:  # fmt: skip
    """Open the database and put everything together; raises `Unavailable` where the schema is missing or newer.

    `virtual_from` starts a virtual clock; `now` replaces the machine's clock; not `durable` spares the disk.
    """
    store = Store.open(settings.database.url, durable=durable)
    try:
        check_schema(store)
        calendar = calendars.build(store.read(arrangements.days), settings.server.zone)
    except BaseException:
        store.close()
        raise
    clock: Clock = VirtualClock(virtual_from.astimezone(UTC)) if virtual_from else RealClock(now)
    engine = Engine(
        store, book_of(settings, calendar), clock, rungs=SYSTEM_PAYLOADS, number_form=settings.documents.number
    )
    channels = {name: channel() for name, channel in notifiers.CHANNELS.items()}
    outbox = Outbox(store, clock, channels, settings.notifications.lease_seconds, settings.notifications.attempts)
    evidence = Evidence(
        Path(settings.storage.evidence), settings.storage.max_upload_mb * MIB, frozenset(settings.storage.types)
    )
    return Parts(settings, store, engine, outbox, evidence)
