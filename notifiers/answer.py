"""What came back over HTTP: how it is read without trust, and what a status alone means for a letter."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from loop.kernel.messages import SendFailed
from notifiers import reasons

LONGEST_REST = timedelta(days=1)
"""Nobody is spared longer, whatever the other side asks."""
CHARSET = re.compile(r"charset\s*=\s*[\"']?([a-z0-9_-]+)", re.IGNORECASE)
CHARSETS = {"gbk": "gb18030", "gb2312": "gb18030", "gb18030": "gb18030", "big5": "big5"}
"""The sets besides UTF-8 that gateways answer in; a name from outside chooses among these and no others."""
AGAIN = frozenset({408, 425, 429})
"""Refusals below 500 that pass."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as far as it came: `complete` is False where it was cut off, too long or too slow. `at` is when."""

    host: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool
    at: datetime

    @property
    def accepted(self) -> bool:
        """Whether the status is one of success."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """The body as text in the character set it names, with a mark for what can't be read."""
        named = CHARSET.search(self.headers.get("content-type", ""))
        return self.body.decode(CHARSETS.get(named[1].lower() if named else "", "utf-8-sig"), "replace")

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none. Codes are ASCII, so that a wrong character set spoils only words."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    @property
    def retry_after(self) -> timedelta | None:
        """How long the other side asks to be spared, in seconds or as a date; None where it says nothing readable."""
        told = self.headers.get("retry-after", "").strip()
        try:
            wait = timedelta(seconds=min(int(told), 10**6)) if told.isdecimal() else _date(told) - self._sent()
        except ValueError:
            return None
        return min(max(wait, timedelta()), LONGEST_REST)

    def check(self) -> None:
        """Raise `SendFailed` unless the status is one of success."""
        if self.accepted:
            return
        if 300 <= self.status < 400:
            raise SendFailed(reasons.REDIRECTED.filled(host=self.host, status=self.status), permanent=True)
        passing = self.status in AGAIN or self.status >= 500
        raise SendFailed(
            reasons.ANSWERED.filled(host=self.host, status=self.status),
            permanent=not passing,
            retry_after=self.retry_after if passing else None,
            gone=self.status == 410,
        )

    def _sent(self) -> datetime:
        """When the other side says it answered: its own clock is the one its dates are counted on."""
        try:
            return _date(self.headers.get("date", ""))
        except ValueError:
            return self.at


def _date(text: str) -> datetime:
    """A date of HTTP; raises ValueError."""
    try:
        found = parsedate_to_datetime(text)
    except OverflowError as absurd:
        raise ValueError("the date lies beyond all calendars") from absurd
    return found if found.tzinfo else found.replace(tzinfo=UTC)
