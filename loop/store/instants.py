"""How instants and days are written in both databases: fixed-width UTC text, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache

NEVER_TEXT = "9999-12-31T00:00:00.000000Z"
"""Stands for "none", so that paging never meets a null."""


def text_of(at: datetime) -> str:
    """An aware instant as stored text; raises ValueError on a naive one."""
    if at.tzinfo is not UTC:
        if at.tzinfo is None:
            raise ValueError("naive datetime")
        at = at.astimezone(UTC)
    return _utc_text(at)


@lru_cache(maxsize=4096)
def _utc_text(at: datetime) -> str:
    # One action writes the same few instants some forty times: into rows, events, messages and their digests.
    return at.isoformat(timespec="microseconds")[:26] + "Z"


def instant_of(text: str) -> datetime:
    """Stored text as an aware UTC instant."""
    return datetime.fromisoformat(text)


def day_text(day: date | None) -> str | None:
    """A day as ISO text, or None."""
    return day.isoformat() if day else None


def day_of(text: str | None) -> date | None:
    """Stored text as a day, or None."""
    return date.fromisoformat(text) if text else None
