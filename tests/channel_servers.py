"""Real servers on loopback for the channels: HTTP that answers as told, SMTP by aiosmtpd, and an egress that reaches them."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from notifiers import Egress
from notifiers.addresses import Network
from notifiers.egress import Resolver

HERE = ip_network("127.0.0.1/32")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

# Made for these tests and trusted by nothing else: robot.test, mail.test and 127.0.0.1, from 2020 to 2120.
KEY = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmUrwEBoVfRTM6kXd
D0vg4gtqW2pdAD7iY0SGftVLUPihRANCAASo/4PzhhiEYpMIIZpkTP7J4V+IGCpu
/AejPjIVGzx48Pmhyw9+a0bsfsSC7HsYWLjtD7eWB3uppm0otjqXh2VX
-----END PRIVATE KEY-----
"""
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBdDCCARugAwIBAgIBATAKBggqhkjOPQQDAjAVMRMwEQYDVQQDDApyb2JvdC50
ZXN0MCAXDTIwMDEwMTAwMDAwMFoYDzIxMjAwMTAxMDAwMDAwWjAVMRMwEQYDVQQD
DApyb2JvdC50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqP+D84YYhGKT
CCGaZEz+yeFfiBgqbvwHoz4yFRs8ePD5ocsPfmtG7H7Egux7GFi47Q+3lgd7qaZt
KLY6l4dlV6NaMFgwJgYDVR0RBB8wHYIKcm9ib3QudGVzdIIJbWFpbC50ZXN0hwR/
AAABMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0OBBYEFJ3xAmhuGA5DbPJdhaskeqqe
274pMAoGCCqGSM49BAMCA0cAMEQCIEErE/VYRlbbCk8g7a9BJ3F3G8L6RUjOdZ8/
WEQ3/H3ZAiB5Vur37eMS4+VlJ3hAX22IF0Np+7U9pkJKSy76FLU6zg==
-----END CERTIFICATE-----
"""


@cache
def server_tls() -> ssl.SSLContext:
    """The side of a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        path = Path(folder, "both.pem")
        path.write_text(KEY + CERTIFICATE, "ascii")
        context.load_cert_chain(path)
    return context


@cache
def client_tls() -> ssl.SSLContext:
    """The side of a client that trusts these servers and no others."""
    return ssl.create_default_context(cadata=CERTIFICATE)


@dataclass
class Moving:
    """A clock that is moved by hand."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        """Later by so much."""
        self.at += timedelta(**by)


def resolver(**hosts: Sequence[str]) -> Resolver:
    """Knows these names, written with _ for the dot, and no others."""

    async def resolve(host: str, port: int) -> Sequence[str]:
        return hosts[host.replace(".", "_")]

    return resolve


def egress(
    *allowed: Network, timeout: float = 5.0, now: Callable[[], datetime] | None = None, resolve: Resolver | None = None
) -> Egress:  # fmt: skip
    """A way out to this machine alone, unless other networks are given."""
    return Egress(
        allowed or (HERE,),
        timeout=timeout,
        resolve=resolve or resolver(robot_test=["127.0.0.1"]),
        now=now or Moving(),
        tls=client_tls(),
    )


# ---- HTTP ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """What a server was asked; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path alone."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address, decoded once."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """The bytes that go back; with `held` the line then stays open until the other side hangs up."""

    raw: bytes
    held: bool = False


def reply(
    body: bytes | str | dict[str, Any] = b"", status: int = 200, *, length: int | None = None, held: bool = False,
    **headers: str,
) -> Reply:  # fmt: skip
    """An answer; `length` claims another length than there is; headers are written with _ for -."""
    content = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(content) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return Reply("\r\n".join([*lines, "", ""]).encode() + content, held)


SILENCE = Reply(b"", held=True)
CUT_OFF = Reply(b"HTTP/1.1 200 OK\r\nContent-Len")
CUT_IN_BODY = reply('{"errc', length=500)
GARBAGE = Reply(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
ENDLESS = reply(b"x" * 200_000, length=10**9, held=True)
DRIP = reply(b'{"errcode"', length=400, held=True)

Answering = Callable[[Request], Reply]


@dataclass
class HttpServer:
    """Answers as `answering` says, and keeps what it was asked."""

    answering: Answering
    port: int = 0
    requests: list[Request] = field(default_factory=list)

    def url(self, path: str = "/", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        """Its address."""
        return f"{scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.rstrip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            method, target, _ = first.split(" ")
            self.requests.append(Request(method, target, headers, body))
            told = self.answering(self.requests[-1])
            writer.write(told.raw)
            await writer.drain()
            if told.held:
                await reader.read()
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


@asynccontextmanager
async def http_server(answering: Answering | Reply, *, tls: bool = False) -> AsyncIterator[HttpServer]:
    """A server that lives as long as the block; given a `Reply`, it gives the same to everybody."""
    found = HttpServer((lambda _: answering) if isinstance(answering, Reply) else answering)
    lines: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.add(asyncio.ensure_future(found.serve(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=server_tls() if tls else None)
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        server.close()
        # Lines are closed by who holds the other end, so a client that leaves one open fails the test here.
        async with asyncio.timeout(5):
            await asyncio.gather(*lines)
        await server.wait_closed()


# ---- SMTP ------------------------------------------------------------------------------------------------------------


@dataclass
class MailServer:
    """A post office: what it took in, and what it says to each step; None for silence, CUT for a broken line.

    `closed` tells of each letter whether the line it came by was encrypted.
    """

    answers: dict[str, str | None] = field(default_factory=dict)
    envelopes: list[Envelope] = field(default_factory=list)
    closed: list[bool] = field(default_factory=list)
    password: str = ""
    port: int = 0
    logins: list[str] = field(default_factory=list)
    protocols: list[SMTP] = field(default_factory=list)

    @property
    def messages(self) -> list[EmailMessage]:
        """The letters that were taken in."""
        return [message_from_bytes(one.original_content or b"", policy=default) for one in self.envelopes]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd names its hooks after the commands
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The sender."""
        envelope.mail_from = address
        return await self._said(server, "MAIL")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """A reader."""
        envelope.rcpt_tos.append(address)
        return await self._said(server, "RCPT")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The letter itself, taken in only where the answer is yes."""
        said = await self._said(server, "DATA")
        if said.startswith("250"):
            self.envelopes.append(envelope)
            assert server.transport
            self.closed.append(server.transport.get_extra_info("ssl_object") is not None)
        return said

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The farewell."""
        return await self._said(server, "QUIT")

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
    ) -> AuthResult:
        """Whether the password is the right one."""
        assert isinstance(given, LoginPassword)
        self.logins.append(given.login.decode())
        return AuthResult(success=given.password.decode() == self.password, handled=False)

    async def _said(self, server: SMTP, step: str) -> str:
        said = self.answers.get(step, "221 Bye" if step == "QUIT" else "250 OK")
        if said == CUT:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if said is None or said == CUT:
            await asyncio.Event().wait()
        return str(said)


CUT = "cut"


@asynccontextmanager
async def mail_server(
    answers: dict[str, str | None] | None = None, *, tls: str = "none", password: str = "", utf8: bool = False
) -> AsyncIterator[MailServer]:  # fmt: skip
    """A server that lives as long as the block; `tls` is none, starttls or tls, `answers` what it says to MAIL, RCPT,
    DATA and QUIT. It lets sign in where it has a password, and takes addresses beyond ASCII with `utf8`."""
    office = MailServer(answers=answers or {}, password=password)
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        office.protocols.append(
            SMTP(
                office, hostname="mail.test", loop=loop, enable_SMTPUTF8=utf8,
                tls_context=server_tls() if tls == "starttls" else None,
                authenticator=office.authenticate, auth_require_tls=not password,
            )
        )  # fmt: skip
        return office.protocols[-1]

    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=server_tls() if tls == "tls" else None)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        for one in office.protocols:
            if isinstance(one.transport, asyncio.Transport):
                one.transport.abort()
            if one._handler_coroutine:
                one._handler_coroutine.cancel()
                await asyncio.wait([one._handler_coroutine])
        await server.wait_closed()
