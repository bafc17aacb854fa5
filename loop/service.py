"""The running parts as API and pages know them, put together by bootstrap and handed to both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from loop.access import Access
from loop.engine.beat import Beat
from loop.engine.door import Engine
from loop.engine.leap import Leap
from loop.engine.outbox import Outbox
from loop.engine.reconcile import Reconciliation
from loop.engine.tip_off_desk import TipOffDesk
from loop.kernel.calendar import Calendar
from loop.kernel.decide import Book
from loop.store.evidence import Evidence
from loop.store.session import Store

QUESTIONS, QUESTION_WINDOW = 20, timedelta(minutes=15)
"""How often one address may try receipt codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the settings say to API and pages. Sizes are in bytes."""

    body_limit: int = 2 * 1024 * 1024
    upload_limit: int = 50 * 1024 * 1024
    https_only: bool = False
    token_life: timedelta = timedelta(days=365)
    tip_offs_per_hour: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Everything that a request may need. `beat` is None where no scheduler runs in this process."""

    engine: Engine
    evidence: Evidence
    access: Access
    outbox: Outbox
    policy: Policy = Policy()
    beat: Beat | None = None

    @property
    def store(self) -> Store:
        """The database."""
        return self.engine.store

    @property
    def book(self) -> Book:
        """The compiled workflow with the rules and the calendar in force."""
        return self.engine.book

    @property
    def calendar(self) -> Calendar:
        """The calendar in force, with its time zone."""
        return self.engine.book.calendar

    @property
    def reconciliation(self) -> Reconciliation:
        """What finds and heals the gaps in what people were told."""
        return Reconciliation(self.engine, self.outbox.dispatch)

    @property
    def tip_offs(self) -> TipOffDesk:
        """Where tip-offs are taken in and answered."""
        return TipOffDesk(self.engine.side)

    def count_tip_off(self, address: str) -> None:
        """Count a tip-off from this address; raises RateLimited."""
        self.access.count_public("tip-offs", address, self.policy.tip_offs_per_hour, timedelta(hours=1))

    def count_question(self, address: str) -> None:
        """Count a receipt code tried from this address; raises RateLimited."""
        self.access.count_public("results", address, QUESTIONS, QUESTION_WINDOW)

    @property
    def leap(self) -> Leap:
        """What happens when a virtual clock moves on."""
        return Leap(self.engine, self.outbox, self.reconciliation)
