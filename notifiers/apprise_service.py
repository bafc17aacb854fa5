"""Whatever the library Apprise knows: Bark, PushPlus, Server酱 and many more.

The address of the service is the office's; a person fills one place in it and never chooses the host.
"""

from __future__ import annotations

import asyncio
import logging
import re
import warnings
from functools import cache
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import Field, SecretStr, field_validator

from loop.kernel.labels import Label
from loop.kernel.messages import PERSON, Letter, SendFailed
from notifiers import reasons
from notifiers.options import ChannelOptions, Configured
from notifiers.rendering import plain, subject
from notifiers.secret import Secret
from notifiers.words import guarded, one_line

PLACE = "{address}"
HOST = re.compile(r"([A-Za-z0-9]+)://(?:[^/?#]*@)?([^/?#:]*)(:[^/?#]*)?")
SEVERAL = re.compile(r"[\s,;]+[A-Za-z0-9]+://")
PART = re.compile(r"(?!\.+$)[^\s/\\,;?&%]+")
"""One part and no more: with others in it a person could name several readers, or climb to another path of the host."""
UNFIT = Label("填写的内容不符合该服务的要求。", "this does not fit the service")
LONGEST = 4096
"""Bytes of the text; a service that takes less cuts it into parts."""


@cache
def _library() -> Any:
    """Apprise with all its services, which takes a second to come and is needed only where it is configured."""
    with warnings.catch_warnings():
        # Some of its services import modules that are on their way out of Python.
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise  # noqa: PLC0415

        # Below these levels they tell whole addresses, with the secrets in them.
        logging.getLogger("apprise").setLevel(logging.INFO)
        logging.getLogger("urllib3").setLevel(logging.ERROR)

        library: Any = apprise
        library.manager_plugins.NotificationManager().load_modules()
    return library


class AppriseOptions(ChannelOptions):
    """`url` as Apprise documents it, with {address} where the person's own part goes; `timeout` is in seconds."""

    url: Secret
    timeout: Annotated[float, Field(gt=0)] = 20

    @field_validator("url")
    @classmethod
    def known_service(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        found = HOST.match(text)
        if not found or text.count(PLACE) != 1 or SEVERAL.search(text):
            raise ValueError("write one service://…, with {address} once, where the person's own part goes")
        services, service = _library().manager_plugins.NotificationManager(), found[1].lower()
        if service not in services:
            raise ValueError(f"Apprise knows no service {service}")
        # Where the host is left out, the library takes what comes next for it.
        chosen = not found[2] or PLACE in found[2] + (found[3] or "")
        if chosen and any("{host}" in form for form in services[service].templates):
            raise ValueError("{address} can't choose the host")
        return url


class AppriseService(Configured[AppriseOptions]):
    """Reaches a person by a service of the office's choice."""

    kind = "apprise"
    reaches = PERSON
    Options = AppriseOptions

    def refuses(self, address: str) -> Label | None:
        return None if self._service(address) else UNFIT

    async def send(self, letter: Letter) -> bool:
        """Hand the letter to the service; Apprise tells neither why it failed nor whether that lasts."""
        service = self._service(letter.address)
        if service is None:
            raise SendFailed(UNFIT, permanent=True)
        text = plain(letter, LONGEST, clean=guarded)
        try:
            async with asyncio.timeout(self._options.timeout):
                taken = await service.async_notify(
                    body=text, title=guarded(subject(letter)), body_format=_library().NotifyFormat.TEXT
                )
        except TimeoutError:
            raise SendFailed(reasons.SERVICE_SILENT) from None
        if not taken:
            raise SendFailed(reasons.SERVICE_REFUSED)
        return False

    def _service(self, address: str) -> Any:
        """The service with the person's part in it; None where that does not fit."""
        if not PART.fullmatch(address) or address != one_line(address):
            return None
        service = _library().Apprise()
        return (
            service
            if service.add(self._options.url.get_secret_value().replace(PLACE, quote(address, safe="")))
            else None
        )
