"""The inbox: a message is delivered by standing in the database, so sending only confirms it."""

from __future__ import annotations

from loop.kernel.messages import PERSON, Letter


class Inbox:
    """Reaches everybody who can sign in."""

    name = kind = "inbox"
    reaches = PERSON
    per_minute = 0

    async def send(self, letter: Letter) -> bool:
        """The row is already there for its reader."""
        return True
