"""What a channel carries and how it answers: one verb, two kinds of no."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as handed to a channel. `id` is the same over all attempts."""

    id: str
    person_id: str
    content: str


class SendFailed(Exception):
    """The channel did not take the message; `permanent` means never again."""

    def __init__(self, why: str, *, permanent: bool = False) -> None:
        self.permanent = permanent
        super().__init__(why)


class Channel(Protocol):
    """A way to reach a person."""

    name: str

    async def send(self, letter: Letter) -> bool:
        """Hand the letter over; True where the channel knows that it arrived. Raises `SendFailed`."""


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts: doubling from ten seconds, an hour at most."""
    return timedelta(seconds=min(10 * 2 ** max(attempts - 1, 0), 3600))
