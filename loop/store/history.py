"""What a decision asks of other findings of the same unit: repeats and earlier accountability."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import bindparam, select

from loop.store.core import table_of
from loop.store.instants import day_of, text_of
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import FindingRow

_FINDING = table_of(FindingRow)
_REPEAT = Prepared(
    select(_FINDING.c.number)
    .where(
        _FINDING.c.unit_id == bindparam("unit_id"),
        _FINDING.c.category == bindparam("category"),
        _FINDING.c.written_off_at >= bindparam("since"),
        _FINDING.c.written_off_at <= bindparam("until"),
        _FINDING.c.number != bindparam("other_than"),
    )
    .order_by(_FINDING.c.written_off_at.desc(), _FINDING.c.number)
    .limit(1)
)
_ACCOUNTABLE = Prepared(
    select(_FINDING.c.accountable_on)
    .where(_FINDING.c.unit_id == bindparam("unit_id"), _FINDING.c.accountable_on >= bindparam("since"))
    .order_by(_FINDING.c.accountable_on.desc())
    .limit(1)
)


def written_off_alike(tx: Tx, *, unit_id: str, category: str, since: datetime, until: datetime, other_than: str) -> str:
    """Number of the last finding of this unit and category written off within the span, or empty."""
    row = tx.one(
        _REPEAT, unit_id=unit_id, category=category, since=text_of(since), until=text_of(until), other_than=other_than
    )
    return str(row[0]) if row else ""


def accountable_since(tx: Tx, unit_id: str, since: date) -> date | None:
    """Day of the last accountability decision against the unit that took effect on or after `since`."""
    row = tx.one(_ACCOUNTABLE, unit_id=unit_id, since=since.isoformat())
    return day_of(row[0]) if row else None
