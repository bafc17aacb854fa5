"""Copies whose hour has come, and with them everything else that their readers are owed: one letter takes it all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, update

from loop.store.core import table_of
from loop.store.deliveries import OF_COPY, Copy, copy_of
from loop.store.instants import instant_of, text_of
from loop.store.postal import WAITING, CopyRow
from loop.store.session import Tx
from loop.store.sql import Prepared

MOST = 10_000
"""Copies that one look takes in at most, as databases take only so many values in a statement."""

_COPY = table_of(CopyRow)
_ALL = select(_COPY.c.id, *(_COPY.c[name] for name in OF_COPY)).where(
    WAITING, _COPY.c.due_at <= bindparam("now"), _COPY.c.channel.not_in(bindparam("spared", expanding=True))
)
_FIRST = Prepared(_ALL.order_by(_COPY.c.due_at, _COPY.c.id).limit(bindparam("most")))
_OF_READERS = Prepared(
    _ALL.where(_COPY.c.person_id.in_(bindparam("persons", expanding=True)), _COPY.c.webhook_id == "")
    .order_by(_COPY.c.person_id, _COPY.c.id)
    .limit(bindparam("most"))
)
_NEXT = Prepared(
    select(_COPY.c.due_at).where(WAITING, _COPY.c.due_at > bindparam("after_at")).order_by(_COPY.c.due_at).limit(1)
)
_POSTPONE = Prepared(update(_COPY).where(_COPY.c.id.in_(bindparam("ids", expanding=True))), columns=("due_at",))


def due(tx: Tx, now: datetime, limit: int, spared: Sequence[str] = ()) -> list[Copy]:
    """Copies that may go at `now` (the service's clock), but for channels `spared`: the `limit` earliest, and what else waits
    for the readers of these.
    """
    asked = {"now": text_of(now), "spared": list(spared) or [""]}
    found = [copy_of(row) for row in tx.all(_FIRST, most=limit, **asked)]
    readers = sorted({copy.person_id for copy in found if not copy.webhook_id})
    if len(found) < limit or not readers:
        return found
    rest = [copy_of(row) for row in tx.all(_OF_READERS, persons=readers, most=MOST, **asked)]
    if len(rest) == MOST and rest[0].person_id != rest[-1].person_id:
        rest = [copy for copy in rest if copy.person_id != rest[-1].person_id]  # the last one's turn comes, whole
    return sorted([*(copy for copy in found if copy.webhook_id), *rest], key=lambda copy: (copy.due_at, copy.id))


def next_instant(tx: Tx, after: datetime) -> datetime | None:
    """The earliest instant, later than `after`, from which a waiting copy may go; None if none waits."""
    row = tx.one(_NEXT, after_at=text_of(after))
    return instant_of(row[0]) if row else None


def postpone(tx: Tx, copy_ids: Sequence[int], until: datetime) -> None:
    """Lets copies go from `until` on (the service's clock)."""
    if copy_ids:
        tx.run(_POSTPONE, ids=copy_ids, due_at=text_of(until))
