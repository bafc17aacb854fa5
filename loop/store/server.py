"""What the server of the database itself can tell."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import func, select

from loop.store.session import Tx
from loop.store.sql import POSTGRESQL, Prepared

_NOW = Prepared(select(func.clock_timestamp()))


def now(tx: Tx) -> datetime | None:
    """The present instant by the server's own clock; None on SQLite, which has no other clock than this machine's."""
    if tx.dialect != POSTGRESQL:
        return None
    at: datetime = tx.all(_NOW)[0][0]
    return at.astimezone(UTC)
