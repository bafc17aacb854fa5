"""Sends what is owed: makes out copies, forms deliveries, claims them by lease, hands them over, settles.

Everything that is due to one reader by one channel at the same moment goes in one delivery: a night's messages become the
morning's digest by themselves. Claiming and settling are short transactions; nothing is held while a channel sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from loop.engine import aftermath, reasons
from loop.engine.clock import Clock
from loop.engine.dispatch import BATCH, HOUR, Dispatch, Postage
from loop.engine.forming import Former
from loop.engine.scribe import Scribe
from loop.kernel.decide import Book
from loop.kernel.errors import Unavailable
from loop.kernel.labels import Label
from loop.kernel.messages import Channel, Letter, SendFailed
from loop.store import deliveries, mailbox, waiting
from loop.store.deliveries import Copy, Delivery
from loop.store.session import Store, Tx

LOG = structlog.get_logger(__name__)
TOGETHER = 20
"""Letters handed over at the same time."""
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one try. `ours`: the receiver was never asked."""

    delivery: Delivery
    delivered: bool = False
    error: Label | None = None
    permanent: bool = False
    retry_after: timedelta | None = None
    gone: bool = False
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Outbox:
    """Drains the mailbox through the channels. Leases and retries run on the machine's time, records on the service's."""

    store: Store
    clock: Clock
    book: Book
    channels: Mapping[str, Channel]
    postage: Postage
    lease_seconds: int
    attempts: int
    real: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @property
    def dispatch(self) -> Dispatch:
        """Who makes out the copies."""
        return Dispatch(self.postage, self.book.calendar)

    @property
    def scribe(self) -> Scribe:
        """Who puts deliveries into words."""
        return Scribe(self.book, self.postage)

    def drain(self) -> int:
        """Send everything that may be sent now; answers how many letters were sent."""
        while self.store.write(self._route):
            pass
        while self.store.write(self._repeat) == BATCH:
            pass
        sent = 0
        while True:
            claimed = self.store.write(self._claim)
            if claimed is None:
                return sent
            results = asyncio.run(self._send_all(claimed))
            self.store.write(partial(self._settle, results=results))
            sent += sum(1 for result in results if not result.error)

    def next_instant(self, tx: Tx, after: datetime) -> datetime | None:
        """The earliest instant, later than `after`, at which something waits to be sent or repeated."""
        found = (waiting.next_instant(tx, after), mailbox.next_repeat(tx, after))
        return min((at for at in found if at), default=None)

    # ---- copies ------------------------------------------------------------------------------------------------------

    def _route(self, tx: Tx) -> int:
        real = self.real()
        messages = mailbox.claim(tx, real, self.lease_seconds, BATCH)
        self.dispatch.route(tx, messages, self.clock.now(tx), real)
        return len(messages)

    def _repeat(self, tx: Tx) -> int:
        return self.dispatch.repeat(tx, self.clock.now(tx))

    # ---- deliveries --------------------------------------------------------------------------------------------------

    def _claim(self, tx: Tx) -> list[tuple[Delivery, Letter]] | None:
        """Some deliveries, taken and in words; None where nothing is left to do now."""
        now, real = self.clock.now(tx), self.real()
        deliveries.hold(tx)
        left = self._allowance(tx, real)
        former = Former(self.book, self.postage, self.scribe)
        since = former.admit(tx, now, real)
        formed = former.form(tx, now, real, left)
        spared = [name for name, most in left.items() if most <= 0]
        wanted: list[int] = []
        for id_, channel in deliveries.owed(tx, real, since, BATCH, spared):
            if left.get(channel, 1) > 0:
                left[channel] = left.get(channel, BATCH + 1) - 1
                wanted.append(id_)
        taken = deliveries.lease(tx, wanted, real, self.lease_seconds)
        claimed = self._written(tx, taken, now, real)
        return claimed if formed or taken else None

    def _allowance(self, tx: Tx, real: datetime) -> dict[str, int]:
        """How many letters each channel that is limited may still carry this minute."""
        limited = {name: channel.per_minute for name, channel in self.channels.items() if channel.per_minute}
        used = deliveries.tried_since(tx, sorted(limited), real - MINUTE)
        return {name: most - used.get(name, 0) for name, most in limited.items()}

    def _written(
        self, tx: Tx, taken: Sequence[Delivery], now: datetime, real: datetime
    ) -> list[tuple[Delivery, Letter]]:
        """Those of the deliveries that are still needed, with their letters. One that cannot be put into words is put off an
        hour, and keeps nobody else from theirs.
        """
        try:
            with tx.attempt():
                return self._needed(tx, taken, now, real)
        except Unavailable:
            raise
        except Exception:
            LOG.exception("letters.unwritable", deliveries=[delivery.key for delivery in taken])
        found: list[tuple[Delivery, Letter]] = []
        for delivery in taken:
            try:
                with tx.attempt():
                    found += self._needed(tx, [delivery], now, real)
            except Unavailable:
                raise
            except Exception as broken:
                LOG.exception("letter.unwritable", key=delivery.key)
                why = reasons.UNWRITABLE.filled(kind=type(broken).__name__)
                self._missed(tx, Attempt(delivery, error=why, retry_after=HOUR, ours=True), why, now, real)
        return found

    def _needed(
        self, tx: Tx, taken: Sequence[Delivery], now: datetime, real: datetime
    ) -> list[tuple[Delivery, Letter]]:
        carried = deliveries.of_deliveries(tx, [delivery.id for delivery in taken])
        seen = self.scribe.look(tx, [copy for copies in carried.values() for copy in copies], now)
        parcels: list[tuple[Delivery, list[Copy]]] = []
        for delivery in taken:
            looked = [(copy, seen.why_not(copy)) for copy in carried.get(delivery.id, ())]
            for copy, why in looked:
                if why:
                    deliveries.drop(tx, [copy.id], why)
            if needed := [copy for copy, why in looked if not why]:
                parcels.append((delivery, needed))
            else:
                empty = delivery.error or reasons.EMPTY
                deliveries.spare(tx, delivery, reasons.NEEDLESS[looked[0][1]] if looked else empty)
        letters = self.scribe.letters(tx, parcels, seen, now, real)
        return [(delivery, letter) for (delivery, _), letter in zip(parcels, letters, strict=True)]

    # ---- handing over ------------------------------------------------------------------------------------------------

    async def _send_all(self, claimed: Sequence[tuple[Delivery, Letter]]) -> list[Attempt]:
        turn = asyncio.Semaphore(TOGETHER)
        return list(await asyncio.gather(*(self._send(delivery, letter, turn) for delivery, letter in claimed)))

    async def _send(self, delivery: Delivery, letter: Letter, turn: asyncio.Semaphore) -> Attempt:
        channel = self.channels.get(delivery.channel)
        if channel is None:
            why = reasons.UNCONFIGURED.filled(channel=delivery.channel)
            return Attempt(delivery, error=why, permanent=True)
        async with turn:
            try:
                # Whatever takes longer than half the lease could be taken by somebody else before it is settled.
                async with asyncio.timeout(self.lease_seconds / 2):
                    return Attempt(delivery, delivered=await channel.send(letter))
            except SendFailed as failed:
                return Attempt(delivery, False, failed.why, failed.permanent, failed.retry_after, failed.gone)
            except TimeoutError:
                return Attempt(delivery, error=reasons.SILENT)
            except Exception as broken:
                LOG.exception("channel.broken", channel=delivery.channel, delivery=delivery.key)
                return Attempt(delivery, error=reasons.BROKEN.filled(kind=type(broken).__name__))

    def _settle(self, tx: Tx, results: Sequence[Attempt]) -> None:
        now, real = self.clock.now(tx), self.real()
        for result in results:
            if result.error:
                self._missed(tx, result, result.error, now, real)
            else:
                sent = deliveries.settle(tx, result.delivery, real, sent_at=now, delivered=result.delivered)
                aftermath.went_through(tx, sent, now)

    def _missed(self, tx: Tx, result: Attempt, why: Label, now: datetime, real: datetime) -> None:
        """Keep why a try failed, and see to what follows unless somebody else has taken or sent the letter meanwhile."""
        delivery = result.delivery
        given_up = result.permanent or delivery.failures + 1 >= self.attempts
        retry_at = None if given_up else real + aftermath.wait_of(delivery, result.retry_after)
        counts = deliveries.fail(tx, delivery, real, why, retry_at=retry_at, permanent=result.permanent)
        dead = counts and given_up
        LOG.warning("delivery.failed", key=delivery.key, channel=delivery.channel, error=why.en, dead=dead)
        if counts and delivery.webhook_id and not result.ours:
            aftermath.refused(tx, self.book, delivery, why, gone=result.gone, now=now, real=real)
        if dead and delivery.person_id:
            aftermath.turn(tx, self.book, self.dispatch, delivery, now)
