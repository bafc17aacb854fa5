"""A test letter by one channel, to see what it answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
import uuid_utils

from loop.engine import reasons
from loop.kernel.errors import Invalid
from loop.kernel.labels import Label
from loop.kernel.messages import PERSON, Channel, Letter, Notice, SendFailed

LOG = structlog.get_logger(__name__)
SECONDS = 20
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
    try:
        async with asyncio.timeout(SECONDS):
            return Trial(delivered=await channel.send(letter))
    except SendFailed as failed:
        return Trial(error=failed.why)
    except TimeoutError:
        return Trial(error=reasons.SILENT)
    except Exception as broken:
        LOG.exception("channel.broken", channel=channel.name)
        return Trial(error=reasons.BROKEN.filled(kind=type(broken).__name__))
