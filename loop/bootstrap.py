"""The composition root: the only place that reads settings and knows workflows and notifiers. Builds the running parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from ipaddress import ip_network
from pathlib import Path

from pydantic import ValidationError

import notifiers
import workflows
from loop import calendars
from loop.almanac import Almanac
from loop.engine.audience import FORMER_UNIT
from loop.engine.beat import Beat
from loop.engine.clock import Clock, RealClock, VirtualClock
from loop.engine.dispatch import Postage
from loop.engine.door import Engine
from loop.engine.outbox import Outbox
from loop.engine.reconcile import Reconciliation
from loop.kernel.calendar import Calendar
from loop.kernel.decide import Book
from loop.kernel.machine import Table, compile_table
from loop.kernel.manners import Manners
from loop.kernel.messages import Channel
from loop.kernel.people import CAPACITIES, ROLES
from loop.kernel.routes import WAYS, Route, Way
from loop.kernel.rules import parse_duration
from loop.kernel.workflow import Workflow
from loop.settings import Settings, rule_book
from loop.store import arrangements
from loop.store.evidence import Evidence
from loop.store.schema import check_schema
from loop.store.session import Store
from workflows.ladder import SYSTEM_PAYLOADS

MIB = 1024 * 1024
WEBHOOK = "webhook"


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
            self.reconciliation,
            seconds=self.settings.server.beat_seconds,
            keep=self.settings.retention.idempotency,
            refresh=self.almanac.refresh,
        )

    @cached_property
    def almanac(self) -> Almanac:
        """What keeps the calendar in force in step with the arrangements that are loaded."""
        return Almanac(self.engine)

    @property
    def reconciliation(self) -> Reconciliation:
        """What finds and heals the gaps in what people were told."""
        return Reconciliation(self.engine, self.outbox.dispatch)

    def close(self) -> None:
        """Finish what is under way and let the database go."""
        self.store.close()


def book_of(settings: Settings, calendar: Calendar) -> Book:
    """The declared workflow, compiled, with the rules and the calendar in force."""
    return Book(workflows.declared(), _table(), rule_book(settings), calendar)


@cache
def _table() -> Table:
    """The declared workflow compiled: it is as constant as its declaration."""
    return compile_table(workflows.declared())


def channels_of(settings: Settings) -> dict[str, Channel]:
    """Every configured channel by its name, and the one for programs; raises `SettingsError` naming the line of a fault."""
    told = settings.notifications
    egress = notifiers.Egress(tuple(ip_network(network) for network in told.allow_networks))
    found: dict[str, Channel] = {WEBHOOK: notifiers.build(WEBHOOK, WEBHOOK, {}, egress)}
    for place, entry in enumerate(settings.channels):
        if entry.kind not in notifiers.KINDS:
            known = ", ".join(sorted(notifiers.KINDS))
            raise settings.wrong(("channels", place, "kind"), f"there is no kind {entry.kind}; choose one of {known}")
        try:
            found[entry.name] = notifiers.build(entry.name, entry.kind, entry.model_extra or {}, egress)
        except ValidationError as wrong:
            first = wrong.errors(include_url=False, include_input=False)[0]
            what = first["msg"].removeprefix("Value error, ")
            raise settings.wrong(("channels", place, *first["loc"]), f"{what}; correct it") from None
    return found


def postage_of(settings: Settings, workflow: Workflow, channels: Mapping[str, Channel]) -> Postage:
    """What the settings lay down about telling people; raises `SettingsError` for a name in a route that means nothing."""
    told = settings.notifications
    known = {"steps": set(workflow.actions), "roles": {*ROLES, *CAPACITIES, FORMER_UNIT}, "via": {*WAYS, *channels}}
    for place, entry in enumerate(settings.routes):
        for name, words in known.items():
            if strange := sorted(set(getattr(entry, name)) - words):
                raise settings.wrong(("routes", place, name), f"{', '.join(strange)} means nothing here; correct it")
    regions = {entry.name: entry.region for entry in settings.channels}
    return Postage(
        routes=tuple(
            Route(**entry.model_dump() | {"steps": frozenset(entry.steps), "roles": frozenset(entry.roles)})
            for entry in settings.routes
        ),
        ways={
            name: Way(name=name, reaches=channel.reaches, region=regions[name], per_minute=channel.per_minute)
            for name, channel in channels.items() if name in regions
        },
        manners=Manners(
            quiet_from=told.quiet_from, quiet_until=told.quiet_until, morning=told.morning, budget=told.budget,
            weekly=("mon", "tue", "wed", "thu", "fri").index(told.weekly), repeat_most=told.repeat_most,
            repeat_after=parse_duration(told.repeat_after)[0],
        ),
        base_url=told.base_url, link_life=told.link,
    )  # fmt: skip


def build(
    settings: Settings, *, virtual_from: datetime | None = None, now: Callable[[], datetime] | None = None,
    durable: bool = True,
) -> Parts:  # fmt: skip
    """Open the database and put everything together; raises `Unavailable` where the schema is missing or newer, and
    `SettingsError`.

    `virtual_from` starts a virtual clock; `now` replaces the machine's clock; not `durable` spares the disk.
    """
    store = Store.open(settings.database.url, durable=durable)
    clock: Clock = VirtualClock(virtual_from.astimezone(UTC)) if virtual_from else RealClock(now)
    try:
        check_schema(store)
        return _put_together(settings, store, clock)
    except BaseException:
        store.close()
        raise


def _put_together(settings: Settings, store: Store, clock: Clock) -> Parts:
    calendar = calendars.build(store.read(arrangements.days), settings.server.zone)
    engine = Engine(
        store, book_of(settings, calendar), clock, rungs=SYSTEM_PAYLOADS, number_form=settings.documents.number
    )
    channels = channels_of(settings)
    outbox = Outbox(
        store, clock, engine.book, channels, postage_of(settings, engine.book.workflow, channels),
        settings.notifications.lease_seconds, settings.notifications.attempts,
    )  # fmt: skip
    evidence = Evidence(
        Path(settings.storage.evidence), settings.storage.max_upload_mb * MIB, frozenset(settings.storage.types)
    )
    return Parts(settings, store, engine, outbox, evidence)
