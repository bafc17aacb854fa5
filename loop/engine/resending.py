"""How far a delivery got, in one word; and sending once more what was given up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from loop.kernel.errors import Conflict
from loop.kernel.labels import Label
from loop.store import deliveries
from loop.store.deliveries import GIVEN_UP, NOT_NEEDED, Delivery
from loop.store.session import Tx

OWED_STILL, SENT, DELIVERED, DEAD_NOW, NEEDLESS = "owed", "sent", "delivered", "given_up", "not_needed"
_ENDED = {0: OWED_STILL, GIVEN_UP: DEAD_NOW, NOT_NEEDED: NEEDLESS}
NOT_STUCK = Label(
    "这封信仍在发送中或已发出，无需重发。", "This letter is still under way or has gone; there is nothing to replay."
)


def status_of(delivery: Delivery) -> str:
    """owed, sent, delivered, given_up or not_needed."""
    return DELIVERED if delivery.delivered_at else SENT if delivery.sent_at else _ENDED[delivery.dead]


def resend(tx: Tx, found: Delivery, real: datetime) -> Delivery:
    """The delivery as it goes once more, under the same key; raises Conflict for one under way or that went through."""
    if not deliveries.replay(tx, found.id, real):
        raise Conflict(NOT_STUCK)
    return deliveries.get(tx, found.id) or found


def resend_all(tx: Tx, found: Iterable[Delivery], real: datetime) -> int:
    """Send these once more as far as they were given up; how many that were."""
    return sum(deliveries.replay(tx, one.id, real) for one in found if status_of(one) == DEAD_NOW)
