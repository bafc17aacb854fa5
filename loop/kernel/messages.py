"""What a channel carries and how it answers: one verb, two kinds of no."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from loop.kernel.labels import Label

PERSON, GROUP, PROGRAM = "person", "group", "program"
"""Whom a channel reaches: one person at an address of theirs, everybody in a group, a program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing that one reader is told, in the reader's language.

    `thread` ties together what belongs to one finding; `headline` names it; `said` is what happened, `due` by when
    something must be done (or empty), `ask` the one thing to do next (or empty: for information), `url` where.
    """

    thread: str
    headline: str
    said: str
    ask: str = ""
    due: str = ""
    url: str = ""
    urgent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One sending as handed to a channel. `id` is the same over all attempts, so that a repetition can be recognised.

    `address` is what the channel needs to reach the reader: an e-mail address, a mobile number, an account in a chat;
    empty for a group. `language` is zh or en. `body` is the ready JSON text for a program, which reads no notices.
    """

    id: str
    subject: str = ""
    notices: tuple[Notice, ...] = ()
    person_id: str = ""
    address: str = ""
    language: str = "zh"
    body: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What a program's letter is signed with, the newest first; the older ones are still good during a rotation."""


class SendFailed(Exception):
    """The channel did not take the letter; `permanent` means never again, `retry_after` how long it asks to be spared.

    `why` is read by people, and so holds no secret; logs have it in English. `gone`: the receiver wants nothing any more,
    neither this letter nor another.
    """

    def __init__(
        self, why: Label, *, permanent: bool = False, retry_after: timedelta | None = None, gone: bool = False
    ) -> None:
        self.why, self.permanent, self.retry_after, self.gone = why, permanent or gone, retry_after, gone
        super().__init__(why.en)


class Channel(Protocol):
    """A way to reach somebody. `per_minute` is how many letters it may carry in a minute, 0 for any number."""

    name: str
    kind: str
    reaches: str
    per_minute: int

    def refuses(self, address: str) -> Label | None:
        """Why this can be no address of this channel, None where it can."""

    async def send(self, letter: Letter) -> bool:
        """Hand the letter over; True where the channel knows that it arrived. Raises `SendFailed`."""

    async def knock(self) -> str:
        """Go as far as one can without sending anything; the host that opened, empty where there is none to go to.

        Raises `SendFailed` where a letter would not get that far.
        """


FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)


def backoff(attempts: int, id_: str, asked: timedelta | None = None) -> timedelta:
    """How long to wait after so many failed attempts: doubling from ten seconds, an hour at most, never less than was asked.

    Up to a quarter is added, differently for each letter and attempt, so that those that failed together come apart.
    """
    wait: timedelta = min(FIRST_WAIT * float(2 ** min(max(attempts - 1, 0), 10)), LONGEST_WAIT)
    spread = hashlib.sha256(f"{id_}:{attempts}".encode()).digest()[0] / 255
    return max(wait + wait * (spread / 4), asked or timedelta())
