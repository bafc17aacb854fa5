"""Sends what is owed: claims by lease, hands over, settles. A crash in between gives the message back by itself.

Claiming and settling are short transactions of their own; no database connection is held while a channel sends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog

from loop.engine.clock import Clock
from loop.kernel.messages import Channel, Letter, SendFailed, backoff
from loop.store import mailbox
from loop.store.mailbox import Message
from loop.store.session import Store, Tx

LOG = structlog.get_logger(__name__)
BATCH = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one message."""

    message: Message
    delivered: bool = False
    error: str = ""
    permanent: bool = False


@dataclass(frozen=True, slots=True)
class Outbox:
    """Drains the mailbox through the channels. Leases run on the machine's time, records on the service's clock."""

    store: Store
    clock: Clock
    channels: Mapping[str, Channel]
    lease_seconds: int
    attempts: int

    def drain(self) -> int:
        """Send everything that may be sent now; answers how many messages were sent."""
        sent = 0
        while True:
            claimed = self.store.write(self._claim)
            if not claimed:
                return sent
            results = asyncio.run(self._send_all(claimed))
            self.store.write(partial(self._settle, results=results))
            sent += sum(1 for result in results if not result.error)

    def _claim(self, tx: Tx) -> list[Message]:
        return mailbox.claim(tx, datetime.now(UTC), self.lease_seconds, BATCH)

    def _settle(self, tx: Tx, results: Sequence[Attempt]) -> None:
        now, real = self.clock.now(tx), datetime.now(UTC)
        for result in results:
            message = result.message
            if not result.error:
                mailbox.settle(tx, message.id, sent_at=now, delivered_at=now if result.delivered else None)
                continue
            given_up = result.permanent or message.attempts >= self.attempts
            LOG.warning("message.failed", key=message.key, channel=message.channel, error=result.error, dead=given_up)
            mailbox.fail(
                tx,
                message.id,
                result.error,
                retry_at=None if given_up else real + backoff(message.attempts, message.key),
            )

    async def _send_all(self, messages: Sequence[Message]) -> list[Attempt]:
        return list(await asyncio.gather(*(self._send(message) for message in messages)))

    async def _send(self, message: Message) -> Attempt:
        channel = self.channels.get(message.channel)
        if channel is None:
            return Attempt(message, error=f"no channel {message.channel}", permanent=True)
        try:
            letter = Letter(id=message.key, person_id=message.person_id, body=message.content)
            delivered = await channel.send(letter)
        except SendFailed as failed:
            return Attempt(message, error=str(failed), permanent=failed.permanent)
        return Attempt(message, delivered=delivered)
