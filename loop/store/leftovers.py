"""Deliveries that could not go on the day for which they were made up: a try failed, a process died, somebody replayed them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, not_, select, update

from loop.store.core import table_of
from loop.store.deliveries import AT_ANY_HOUR
from loop.store.instants import text_of
from loop.store.postal import AttemptRow, CopyRow, DeliveryRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import DEAD, OWED

_DELIVERY, _COPY, _ATTEMPT = table_of(DeliveryRow), table_of(CopyRow), table_of(AttemptRow)
_LEFT = Prepared(
    select(_DELIVERY.c.id, _DELIVERY.c.person_id)
    .where(OWED, _DELIVERY.c.not_before <= bindparam("real"), not_(AT_ANY_HOUR), _DELIVERY.c.queued_at < bindparam("since"))
    .order_by(_DELIVERY.c.not_before, _DELIVERY.c.id)
)  # fmt: skip
_RENEW = Prepared(update(_DELIVERY).where(_DELIVERY.c.id.in_(bindparam("ids", expanding=True))), columns=("queued_at",))

_GIVEN_UP = Prepared(
    select(_DELIVERY.c.id)
    .join_from(_COPY, _DELIVERY, _DELIVERY.c.id == _COPY.c.delivery_id)
    .join(_ATTEMPT, and_(_ATTEMPT.c.delivery_id == _DELIVERY.c.id, _ATTEMPT.c.place == _DELIVERY.c.attempts))
    .where(_COPY.c.message_id == bindparam("message"), _COPY.c.dropped == "", DEAD, _ATTEMPT.c.permanent == 0)
)


def left_over(tx: Tx, real: datetime, since: datetime) -> list[tuple[int, str]]:
    """Ids and readers of the deliveries that may be tried now and were queued before `since` (the service's clock), but for
    those that may go at any hour.
    """
    return [(row[0], row[1]) for row in tx.all(_LEFT, real=text_of(real), since=text_of(since))]


def renew(tx: Tx, ids: Sequence[int], queued_at: datetime) -> None:
    """Queues these deliveries anew: from now on they count among those of this day."""
    if ids:
        tx.run(_RENEW, ids=ids, queued_at=text_of(queued_at))


def given_up(tx: Tx, message_id: int) -> list[int]:
    """Ids of the deliveries of a message that were given up, but not because the receiver will never take them."""
    return [row[0] for row in tx.all(_GIVEN_UP, message=message_id)]
