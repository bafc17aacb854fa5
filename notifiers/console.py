"""The console: letters go to the log, so that somebody who develops sees what people would read."""

from __future__ import annotations

import structlog

from loop.kernel.messages import PERSON, Letter
from notifiers.options import ChannelOptions, Configured
from notifiers.rendering import plain, subject

LOG = structlog.get_logger(__name__)
LONGEST = 4096
"""Bytes of the text."""


class Console(Configured[ChannelOptions]):
    """Reaches whoever looks at the log; nobody is known to."""

    kind = "console"
    reaches = PERSON

    async def send(self, letter: Letter) -> bool:
        """Write the letter to the log."""
        LOG.info(
            "letter.printed",
            channel=self.name,
            id=letter.id,
            address=letter.address,
            subject=subject(letter),
            text=plain(letter, LONGEST),
        )
        return False
