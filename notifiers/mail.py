"""E-mail through an SMTP server: text and HTML, and all letters about one finding in one thread."""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cached_property
from typing import Annotated, Literal

import aiosmtplib
from pydantic import AfterValidator, Field, FilePath, SecretStr

from loop.kernel.labels import Label
from loop.kernel.messages import PERSON, Letter, SendFailed
from notifiers.options import NO_SECRET, ChannelOptions, Configured
from notifiers.rendering import html, plain, subject, urgent
from notifiers.secret import quoted

LONGEST = 100_000
"""Bytes of text, and of HTML: what is longer is cut by those who show it."""
PORTS = {"tls": 465, "starttls": 587, "none": 25}
NO_ADDRESS = Label("请填写有效的电子邮箱地址。", "an e-mail address is written name@example.cn")
ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


def _sender(text: str) -> str:
    name, address = parseaddr(text)
    try:
        whole = str(Address(name, addr_spec=address))
    except (ValueError, MessageError, IndexError):
        whole = ""
    if "@" not in whole or not address.isascii():
        raise ValueError('the sender is written "Office <office@example.gov.cn>"')
    return whole


class MailOptions(ChannelOptions):
    """The server, how the line to it is kept from others, who signs in, whom letters come from.

    `ca_file` is the authority of an office's own server; `timeout` is in seconds for a whole letter.
    """

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    security: Literal["tls", "starttls", "none"] = "tls"
    user: str = ""
    password: SecretStr = NO_SECRET
    sender: Annotated[str, AfterValidator(_sender)]
    ca_file: FilePath | None = None
    timeout: Annotated[float, Field(gt=0)] = 20


class Mail(Configured[MailOptions]):
    """Reaches a person at an e-mail address."""

    kind = "mail"
    reaches = PERSON
    Options = MailOptions

    def refuses(self, address: str) -> Label | None:
        try:
            return None if Address(addr_spec=address).domain else NO_ADDRESS
        except (ValueError, MessageError, IndexError):
            return NO_ADDRESS

    async def send(self, letter: Letter) -> bool:
        """Hand the letter to the server, which says nothing of whether it arrives."""
        told = self._options
        message = self._written(letter)
        try:
            async with asyncio.timeout(told.timeout):
                await aiosmtplib.send(
                    message, recipients=[letter.address], hostname=told.host, port=told.port or PORTS[told.security],
                    username=told.user or None, password=told.password.get_secret_value() or None,
                    local_hostname=self._domain, timeout=told.timeout, use_tls=told.security == "tls",
                    start_tls=told.security == "starttls", tls_context=self._context,
                )  # fmt: skip
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise self._failed(refused.recipients[0]) from None
        except (aiosmtplib.SMTPException, OSError) as failed:
            raise self._failed(failed) from None
        return False

    def _failed(self, why: Exception) -> SendFailed:
        host = self._options.host
        if isinstance(why, aiosmtplib.SMTPResponseException):
            said = quoted(str(why.message), self._options.password)
            return SendFailed(f"{host} answered {why.code}: {said}", permanent=500 <= why.code < 600)
        if isinstance(why, aiosmtplib.SMTPNotSupported):
            return SendFailed(f"{host} does not offer what the letter needs: {why.message}", permanent=True)
        if isinstance(why, TimeoutError):
            return SendFailed(f"{host} did not answer in time")
        return SendFailed(f"{host} can't be reached or broke off ({type(why).__name__})")

    # ---- the message -------------------------------------------------------------------------------------------------

    def _written(self, letter: Letter) -> EmailMessage:
        if refusal := self.refuses(letter.address):
            raise SendFailed(refusal.en, permanent=True)
        message = EmailMessage(policy=SMTP)
        message["To"] = Address(addr_spec=letter.address)
        message["From"] = self._options.sender
        message["Subject"] = subject(letter)
        message["Date"] = format_datetime(self._egress.now())
        message["Message-ID"] = self._id(letter.id)
        if len(threads := {notice.thread for notice in letter.notices}) == 1:
            # Nobody ever sends the message that all of these answer; programs for mail need only its name.
            message["In-Reply-To"] = message["References"] = self._id(f"finding-{threads.pop()}")
        message["Auto-Submitted"] = "auto-generated"
        if urgent(letter):
            message["Importance"], message["X-Priority"] = "high", "1"
        # Base64 in both parts: a server that breaks long lines breaks nothing.
        message.set_content(plain(letter, LONGEST), cte="base64")
        message.add_alternative(html(letter, LONGEST), subtype="html", cte="base64")
        return message

    def _id(self, name: str) -> str:
        local = name if ID.fullmatch(name) else hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
        return f"<{local}@{self._domain}>"

    @property
    def _domain(self) -> str:
        """The sender's domain: the names of messages end with it, and the server is greeted by it."""
        return parseaddr(self._options.sender)[1].rpartition("@")[2]

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._options.ca_file)
