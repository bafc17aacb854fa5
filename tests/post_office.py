"""A mail server that a story can shut and open again, and that notes at which hour of the service it took each letter in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from email.parser import BytesHeaderParser
from email.policy import default
from threading import Thread
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True)
class Taken:
    """A letter that the mail server took in: when by the service's clock, for whom, whether it says that life is in danger."""

    at: datetime
    to: str
    key: str
    urgent: bool


@dataclass
class PostOffice:
    """A mail server on a thread of its own, which can close its door and open it again at the same port."""

    clock: Callable[[], datetime]
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    protocols: list[SMTP] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    """Readers whom it does not know."""

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="post-office")
        self._thread.start()
        self.open()

    def open(self) -> None:
        """Take letters from now on."""
        self._run(self._opened())

    def shut(self) -> None:
        """Nobody answers from now on."""
        self._run(self._closed())

    def close(self) -> None:
        """Shut for good."""
        self.shut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names its hooks after the commands
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A reader, if there is one of that name."""
        if address in self.refuses:
            return "550 no such reader"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The letter, stamped with the hour of the service."""
        letter = BytesHeaderParser(policy=default).parsebytes(envelope.original_content or b"")
        key = str(letter["Message-ID"]).strip("<>").partition("@")[0]
        self.taken.append(Taken(self.clock(), envelope.rcpt_tos[0], key, letter["Importance"] == "high"))
        return "250 OK"

    async def _opened(self) -> None:
        self._server = await self._loop.create_server(self._protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _closed(self) -> None:
        self._server.close()
        for one in self.protocols:
            if isinstance(one.transport, asyncio.Transport):
                one.transport.abort()
        await self._server.wait_closed()

    def _protocol(self) -> SMTP:
        self.protocols.append(SMTP(self, hostname="mail.test", loop=self._loop, enable_SMTPUTF8=False))
        return self.protocols[-1]
