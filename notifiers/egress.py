"""The way out over HTTP, and the wall in it: whoever names an address must not reach what only this machine can (SSRF).

A name is resolved here, every address it has is checked, and the connection goes to an address that was checked, so
that a name which changes its mind gains nothing. Redirects, proxies and the environment play no part.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from ipaddress import IPv4Address, ip_address

import httpx

from loop.kernel.labels import Label
from loop.kernel.messages import SendFailed
from notifiers import reasons
from notifiers.addresses import Address, Network, may_reach, plainest
from notifiers.answer import Answer

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to the addresses of that host; raises OSError."""
LONGEST_ANSWER = 64 * 1024
PORTS = {"http": 80, "https": 443}
UNREADABLE = Label(
    "网址应写作 https://主机/路径，不含用户名和密码；主机用名称或规范的 IP 地址。",
    "an address is written https://host/path, without user or password, the host as a name or a plain IP address",
)
INSIDE = Label(
    "该网址指向内部网络；确需使用的，请管理员在 allow_networks 中开放。",
    "the address leads inside this network; an administrator may open it by allow_networks",
)
INSIDE_AT = Label(f"{{host}}：{INSIDE.zh}", f"{{host}}: {INSIDE.en}")
TRIED = 3
"""Addresses of one host that are tried in turn."""
LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
NAME = re.compile(rf"(?=.{{1,254}}$){LABEL}(\.{LABEL})*\.?")
NUMBER = re.compile(r"(.*\.)?(0x[0-9a-f]*|[0-9]+)\.?")
"""Ends like an address in numbers: decimal, octal, hexadecimal."""


async def ask_system(host: str, port: int) -> list[str]:
    """The addresses of a host as this machine knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


@dataclass(slots=True)
class _Arriving:
    """What has come so far."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    complete: bool = False


@dataclass(frozen=True)
class Egress:
    """Sends one request at a time to whom it may be sent.

    `timeout` is in seconds and holds for all of it, from the name to the last byte; `now` dates signatures.
    """

    allow_networks: tuple[Network, ...] = ()
    timeout: float = 5.0
    resolve: Resolver = ask_system
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    tls: ssl.SSLContext | None = None

    async def request(
        self, url: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> Answer:
        """Send and read the answer, as far as it comes in time; raises `SendFailed` where none came or none may be asked."""
        target = _target(url)
        if isinstance(target, Label):
            raise SendFailed(target, permanent=True)
        arriving = _Arriving()
        try:
            async with asyncio.timeout(self.timeout):
                addresses = await self._addresses(target)
                pinned = [_pinned(method, target, address, content, headers or {}) for address in addresses]
                await self._exchange(pinned, arriving)
        except (httpx.HTTPError, OSError) as broken:
            if not arriving.status:
                raise SendFailed(_reason(broken).filled(host=target.host)) from None
        return Answer(
            target.host, arriving.status, arriving.headers, bytes(arriving.body), arriving.complete, self.now()
        )

    async def knock(self, url: str) -> str:
        """Open a line as `request` would and close it without a word; the host. Raises `SendFailed` where that fails."""
        target = _target(url)
        if isinstance(target, Label):
            raise SendFailed(target, permanent=True)
        try:
            async with asyncio.timeout(self.timeout):
                await self._open(target, await self._addresses(target))
        except OSError as broken:
            raise SendFailed(_reason(broken).filled(host=target.host)) from None
        return target.host

    def refuses(self, url: str) -> Label | None:
        """Why this address will never do, as far as that shows without asking for the host; None where it may do."""
        target = _target(url)
        if isinstance(target, Label):
            return target
        told = _in_numbers(target.raw_host.decode("ascii"))
        return None if all(may_reach(ip_address(text), self.allow_networks) for text in told) else INSIDE

    async def _addresses(self, target: httpx.URL) -> list[Address]:
        """The addresses of the host, in order; refused where any of them may not be reached."""
        host = target.raw_host.decode("ascii")
        told = _in_numbers(host) or await self.resolve(host, target.port or PORTS[target.scheme])
        found = [plainest(ip_address(text.partition("%")[0])) for text in told]
        if not found:
            raise socket.gaierror
        if not all(may_reach(address, self.allow_networks) for address in found):
            raise SendFailed(INSIDE_AT.filled(host=target.host), permanent=True)
        return found[:TRIED]

    async def _exchange(self, pinned: Sequence[httpx.Request], arriving: _Arriving) -> None:
        """Send the first of these requests that finds somebody to take it."""
        # The bare transport: a client would write every address with its secrets to the log, and read the environment.
        async with httpx.AsyncHTTPTransport(verify=self._context, trust_env=False) as transport:
            for request in pinned:
                request.extensions["timeout"] = {"connect": self.timeout / len(pinned)}
                try:
                    response = await transport.handle_async_request(request)
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    if request is pinned[-1]:
                        raise
                else:
                    await _read(response, arriving)
                    return

    async def _open(self, target: httpx.URL, addresses: Sequence[Address]) -> None:
        """Reach the first of these addresses where somebody is; over TLS, only if it proves to be the host."""
        port, sealed = target.port or PORTS[target.scheme], target.scheme == "https"
        name = target.raw_host.decode("ascii").rstrip(".") if sealed else None
        for address in addresses:
            try:
                async with asyncio.timeout(self.timeout / len(addresses)):
                    _, line = await asyncio.open_connection(
                        str(address), port, ssl=self._context if sealed else None, server_hostname=name
                    )
            except OSError:
                if address is addresses[-1]:
                    raise
            else:
                # Closed politely, it could keep us waiting.
                line.transport.abort()
                return

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Trusts the public authorities and those that this machine trusts, such as an office's own."""
        if self.tls:
            return self.tls
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()
        return context


def _target(url: str) -> httpx.URL | Label:
    """The address taken apart, or what is wrong with it, which does not repeat what may be secret."""
    try:
        target = httpx.URL(url)
        host = target.raw_host.decode("ascii")
        if NUMBER.fullmatch(host):
            IPv4Address(host)
        elif ":" in host:
            ip_address(host)
        elif not NAME.fullmatch(host):
            return UNREADABLE
    except (httpx.InvalidURL, ValueError):
        return UNREADABLE
    if target.scheme not in PORTS or target.userinfo or (target.port is not None and not 0 < target.port < 2**16):
        return UNREADABLE
    return target


def _in_numbers(host: str) -> list[str]:
    """The host where it is an address itself."""
    return [host] if ":" in host or NUMBER.fullmatch(host) else []


def _pinned(
    method: str, target: httpx.URL, address: Address, content: bytes, headers: Mapping[str, str]
) -> httpx.Request:
    """The request to a checked address, which the host still reads, and proves, as meant for its name."""
    return httpx.Request(
        method,
        target.copy_with(host=str(address)),
        headers={**headers, "Host": target.netloc.decode("ascii"), "Accept-Encoding": "identity"},
        content=content or None,
        extensions={"sni_hostname": target.raw_host.decode("ascii").rstrip(".")},
    )


async def _read(response: httpx.Response, arriving: _Arriving) -> None:
    """Take in the answer, up to the cap; what was taken stays when the rest does not come."""
    arriving.status, arriving.headers = response.status_code, response.headers
    try:
        async for chunk in response.aiter_raw():
            arriving.body += chunk[: LONGEST_ANSWER - len(arriving.body)]
            if len(arriving.body) >= LONGEST_ANSWER:
                return
        arriving.complete = True
    finally:
        await response.aclose()


def _reason(broken: Exception) -> Label:
    if isinstance(broken, TimeoutError | httpx.TimeoutException):
        return reasons.SILENT
    if isinstance(broken, socket.gaierror):
        return reasons.UNKNOWN_NAME
    if "CERTIFICATE_VERIFY_FAILED" in str(broken):
        return reasons.UNTRUSTED
    if isinstance(broken, httpx.ConnectError | OSError):
        return reasons.UNREACHABLE
    return reasons.BROKEN_OFF
