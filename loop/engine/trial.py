"""Trying channels: a test letter by one, to see what it answers; and how far each gets without sending anything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import structlog
import uuid_utils

from loop.engine import reasons
from loop.kernel.errors import Invalid
from loop.kernel.labels import Label
from loop.kernel.messages import PERSON, Channel, Letter, Notice, SendFailed

LOG = structlog.get_logger(__name__)
T = TypeVar("T")
SECONDS, KNOCKING = 20, 6
NOTICE = Notice(
    thread="test", headline="整改闭环 · The rectification loop", said="这是一封测试信，无需办理。This is a test letter.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trial:
    """How a test went; `error` is None where the channel took the letter."""

    delivered: bool = False
    error: Label | None = None


async def trial(channel: Channel, address: str) -> Trial:
    """Hand a test letter to `channel`; raises Invalid for an address it cannot have."""
    if channel.reaches == PERSON and (refusal := channel.refuses(address)):
        raise Invalid.field("address", refusal.zh, refusal.en, "address")
    letter = Letter(id=f"test-{uuid_utils.uuid7()}", subject="测试 · Test", notices=(NOTICE,), address=address)
    outcome = await _outcome(channel, channel.send(letter), SECONDS)
    return Trial(error=outcome) if isinstance(outcome, Label) else Trial(delivered=outcome)


async def knock(channels: Iterable[Channel]) -> list[str | Label]:
    """What came of knocking at each of these, all at the same time: the host that opened, or why it did not."""
    return await asyncio.gather(*(_outcome(channel, channel.knock(), KNOCKING) for channel in channels))


async def _outcome(channel: Channel, trying: Awaitable[T], seconds: float) -> T | Label:
    try:
        async with asyncio.timeout(seconds):
            return await trying
    except SendFailed as failed:
        return failed.why
    except TimeoutError:
        return reasons.SILENT
    except Exception as broken:
        LOG.exception("channel.broken", channel=channel.name)
        return reasons.BROKEN.filled(kind=type(broken).__name__)
