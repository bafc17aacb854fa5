"""What follows a try to send: how long to wait, other ways for what was given up, an endpoint that is switched off."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from loop.engine import alarms
from loop.engine.audience import Reach
from loop.engine.dispatch import Dispatch
from loop.kernel.decide import Book
from loop.kernel.finding import NEVER
from loop.kernel.labels import Label
from loop.kernel.messages import backoff
from loop.store import deliveries, gaps, mailbox, standings, webhooks
from loop.store.deliveries import Delivery
from loop.store.gaps import Gap
from loop.store.mailbox import Message
from loop.store.session import Tx

LASTING = timedelta(days=3)
"""An endpoint that has refused everything for so long is switched off."""
OWNER = "owner"
SENT_AT_LAST = "sent at last"


def wait_of(delivery: Delivery, asked: timedelta | None) -> timedelta:
    """How long to wait until the next try."""
    return backoff(delivery.failures + 1, delivery.key, asked)


def went_through(tx: Tx, delivery: Delivery, now: datetime) -> None:
    """An endpoint that answers again has never failed; what had been given up and was replayed is no gap any more."""
    if delivery.webhook_id and (hook := webhooks.get(tx, delivery.webhook_id)) and hook.failures:
        webhooks.change(tx, replace(hook, failures=0, failing_since=NEVER))
    if delivery.person_id and delivery.attempts > 1:
        for message in _carried(tx, delivery):
            gaps.heal(tx, _undelivered(message, ""), now, SENT_AT_LAST)


def refused(tx: Tx, book: Book, delivery: Delivery, why: Label, *, gone: bool, now: datetime, real: datetime) -> None:
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
        about = {"webhook": hook.id, "name": hook.name, "why": why._asdict()}
        alarms.raise_alarm(tx, book, alarms.ENDPOINT_OFF, office, [Reach(hook.person_id, OWNER)], about, now)


def turn(tx: Tx, book: Book, dispatch: Dispatch, delivery: Delivery, now: datetime) -> None:
    """What one channel gave up goes by the person's next; where there is none, it is a gap until it is read or replayed.
    The office hears of it.
    """
    messages = _carried(tx, delivery)
    missed: list[Gap] = []
    for message in messages:
        others = dispatch.other_ways(tx, [message], now)[message.id]
        deliveries.add_copies(tx, others)
        if not others and message.read_at is None:
            missed.append(_undelivered(message, alarms.office_of(tx, [message.chain])))
    gaps.add(tx, missed)
    alarms.given_up(tx, book, delivery.channel, alarms.office_of(tx, [message.chain for message in messages]), now)


def _carried(tx: Tx, delivery: Delivery) -> list[Message]:
    copies = deliveries.of_deliveries(tx, [delivery.id]).get(delivery.id, [])
    return list(mailbox.among(tx, (copy.message_id for copy in copies if copy.message_id)).values())


def _undelivered(message: Message, office_id: str) -> Gap:
    return Gap(
        chain=message.chain, seq=message.seq, role=message.role, person_id=message.person_id, office_id=office_id,
        step=message.step, why=gaps.UNDELIVERED, at=message.should_at,
    )  # fmt: skip
