"""What follows a try to send: how long to wait, other ways for what was given up, an endpoint that is switched off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from loop.engine import alarms
from loop.engine.audience import Reach
from loop.engine.dispatch import Dispatch
from loop.kernel.decide import Book
from loop.kernel.finding import NEVER
from loop.kernel.messages import backoff
from loop.store import deliveries, gaps, mailbox, standings, webhooks
from loop.store.deliveries import Delivery
from loop.store.gaps import Gap
from loop.store.session import Tx

LASTING = timedelta(days=3)
"""An endpoint that has refused everything for so long is switched off."""
OWNER = "owner"


def wait_of(delivery: Delivery, asked: timedelta | None) -> timedelta:
    """How long to wait until the next try."""
    return backoff(delivery.failures + 1, delivery.key, asked)


def went_through(tx: Tx, delivery: Delivery) -> None:
    """An endpoint that answers again has never failed."""
    if delivery.webhook_id and (hook := webhooks.get(tx, delivery.webhook_id)) and hook.failures:
        webhooks.change(tx, replace(hook, failures=0, failing_since=NEVER))


def refused(tx: Tx, book: Book, delivery: Delivery, why: str, *, gone: bool, now: datetime, real: datetime) -> None:
    """Count a refusal against an endpoint; one that lasts, or wants nothing any more, is switched off and its owner told."""
    hook = webhooks.get(tx, delivery.webhook_id)
    if hook is None or not hook.active:
        return
    since = real if hook.failing_since == NEVER else hook.failing_since
    off = gone or real - since >= LASTING
    webhooks.change(
        tx,
        replace(
            hook, failures=hook.failures + 1, failing_since=since, active=not off, off_reason=why if off else hook.off_reason
        ),
    )  # fmt: skip
    if off:
        carried = deliveries.of_deliveries(tx, [delivery.id]).get(delivery.id, [])
        standing = standings.standings(tx, [copy.chain for copy in carried])
        office = next((one.office_id for one in standing.values()), "")
        about = {"webhook": hook.id, "name": hook.name, "why": why}
        alarms.raise_alarm(tx, book, alarms.ENDPOINT_OFF, office, [Reach(hook.person_id, OWNER)], about, now)


def turn(tx: Tx, dispatch: Dispatch, delivery: Delivery, now: datetime) -> None:
    """What one channel gave up goes by the person's next; where there is none, it is a gap until it is read."""
    carried = deliveries.of_deliveries(tx, [delivery.id]).get(delivery.id, [])
    messages = list(mailbox.among(tx, (copy.message_id for copy in carried if copy.message_id)).values())
    known = standings.standings(tx, [message.chain for message in messages])
    missed: list[Gap] = []
    for message in messages:
        others = dispatch.other_ways(tx, [message], now)[message.id]
        deliveries.add_copies(tx, others)
        if not others and message.read_at is None:
            office = known[message.chain].office_id if message.chain in known else ""
            missed.append(
                Gap(
                    chain=message.chain, seq=message.seq, role=message.role, person_id=message.person_id, office_id=office,
                    step=message.step, why=gaps.UNDELIVERED, at=message.should_at,
                )
            )  # fmt: skip
    gaps.add(tx, missed)
