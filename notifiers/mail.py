"""E-mail through an SMTP server: text and HTML, and all letters about one finding in one thread."""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from contextlib import suppress
from email.errors import MessageError
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, getaddresses, parseaddr
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

import aiosmtplib
from pydantic import AfterValidator, Field, FilePath, SecretStr

from loop.kernel.labels import Label
from loop.kernel.messages import PERSON, Letter, SendFailed
from notifiers import reasons
from notifiers.options import NO_SECRET, ChannelOptions, Configured
from notifiers.rendering import html, plain, subject, urgent
from notifiers.secret import quoted
from notifiers.words import one_line

LONGEST = 100_000
"""Bytes of text, and of HTML: what is longer is cut by those who show it."""
PORTS = {"tls": 465, "starttls": 587, "none": 25}
NO_ADDRESS = Label("请填写有效的电子邮箱地址。", "an e-mail address is written name@example.cn")
ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
DOMAIN = re.compile(r"[^\s@\[\]]+")
"""A name: a number in brackets would let a person choose a machine inside the office."""
LONGEST_ADDRESS = 254


class _Header(str):
    """A header that goes out as it is `written` here.

    The standard library decodes what looks encoded in a text that it is given, so that a title could bring line breaks and
    with them headers and a letter of its own; it loses spaces where it breaks lines; and it encodes names of messages that
    are long, which no program for mail then knows again.
    """

    __slots__ = ("name", "written")
    name: str
    written: str

    def __new__(cls, name: str, text: str, written: str = "") -> Self:
        made = super().__new__(cls, text)
        made.name, made.written = name, written or text
        return made

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self.written}{policy.linesep}"


def _subject(text: str) -> _Header:
    return _Header("Subject", text, Header(text, "utf-8", header_name="Subject").encode(linesep="\r\n"))


def _sender(text: str) -> str:
    found = getaddresses([one_line(text)])
    name, address = found[0] if len(found) == 1 else ("", "")
    try:
        whole = str(Address(name, addr_spec=address))
    except (ValueError, MessageError, IndexError):
        whole = ""
    if "@" not in whole or "=?" in name or not address.isascii():
        raise ValueError('the sender is written "Office <office@example.gov.cn>"')
    return whole


def _authority(path: Path) -> Path:
    try:
        ssl.create_default_context(cafile=path)
    except OSError:
        raise ValueError("the file holds no certificate that can be read") from None
    return path


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
    ca_file: Annotated[FilePath, AfterValidator(_authority)] | None = None
    timeout: Annotated[float, Field(gt=0)] = 20


class Mail(Configured[MailOptions]):
    """Reaches a person at an e-mail address."""

    kind = "mail"
    reaches = PERSON
    Options = MailOptions

    def refuses(self, address: str) -> Label | None:
        try:
            found = Address(addr_spec=address)
        except (ValueError, MessageError, IndexError):
            return NO_ADDRESS
        plain = found.addr_spec == address == one_line(address) and len(address) <= LONGEST_ADDRESS
        return None if plain and DOMAIN.fullmatch(found.domain) else NO_ADDRESS

    async def send(self, letter: Letter) -> bool:
        """Hand the letter to the server, which says nothing of whether it arrives."""
        message, taken = self._written(letter), False
        client = self._client(self._options.timeout)
        try:
            async with asyncio.timeout(self._options.timeout):
                await client.connect()
                await client.send_message(message, recipients=[letter.address])
                taken = True
                await client.quit()
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise self._failed(refused.recipients[0]) from None
        except (aiosmtplib.SMTPException, OSError) as failed:
            # A letter that was taken stays taken, however the line then ends: sent again, it would come twice.
            if not taken:
                raise self._failed(failed) from None
        finally:
            client.close()
        return False

    async def knock(self) -> str:
        """Greet the server and sign in where letters do."""
        patience = min(self._options.timeout, self._egress.timeout)
        client = self._client(patience)
        try:
            async with asyncio.timeout(patience):
                await client.connect()
            with suppress(aiosmtplib.SMTPException, OSError):
                await client.quit()
        except (aiosmtplib.SMTPException, OSError) as failed:
            raise self._failed(failed) from None
        finally:
            client.close()
        return self._options.host

    def _client(self, patience: float) -> aiosmtplib.SMTP:
        told = self._options
        return aiosmtplib.SMTP(
            hostname=told.host, port=told.port or PORTS[told.security], timeout=patience,
            username=told.user or None, password=told.password.get_secret_value() or None,
            local_hostname=self._domain, use_tls=told.security == "tls", start_tls=told.security == "starttls",
            tls_context=self._context,
        )  # fmt: skip

    def _failed(self, why: Exception) -> SendFailed:
        host = self._options.host
        if isinstance(why, aiosmtplib.SMTPResponseException):
            said = quoted(str(why.message), self._options.password)
            answered = reasons.ANSWERED_WITH.filled(host=host, status=why.code, said=said)
            return SendFailed(answered, permanent=500 <= why.code < 600)
        if isinstance(why, aiosmtplib.SMTPNotSupported) or type(why) is aiosmtplib.SMTPException:
            # Only what the letter itself needs is for good; a server may learn to keep secrets, or to let us sign in.
            lasting = isinstance(why, aiosmtplib.SMTPNotSupported)
            return SendFailed(reasons.LACKING.filled(host=host, said=quoted(why.message)), permanent=lasting)
        if isinstance(why, TimeoutError):
            return SendFailed(reasons.SILENT.filled(host=host))
        if "CERTIFICATE_VERIFY_FAILED" in str(why):
            return SendFailed(reasons.UNTRUSTED.filled(host=host))
        return SendFailed(reasons.LINE_BROKEN.filled(host=host, kind=type(why).__name__))

    # ---- the message -------------------------------------------------------------------------------------------------

    def _written(self, letter: Letter) -> EmailMessage:
        if refusal := self.refuses(letter.address):
            raise SendFailed(refusal, permanent=True)
        message = EmailMessage(policy=SMTP)
        message["To"] = Address(addr_spec=letter.address)
        message["From"] = self._options.sender
        message["Subject"] = _subject(subject(letter))
        message["Date"] = format_datetime(self._egress.now())
        message["Message-ID"] = _Header("Message-ID", self._id(letter.id))
        if len(threads := {notice.thread for notice in letter.notices}) == 1:
            # Nobody ever sends the message that all of these answer; programs for mail need only its name.
            thread = self._id(f"finding-{threads.pop()}")
            for name in ("In-Reply-To", "References"):
                message[name] = _Header(name, thread)
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
