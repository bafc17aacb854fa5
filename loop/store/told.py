"""Who was told what: for each step and person of a finding when they should have been told, and how far it got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select, tuple_

from loop.kernel.labels import Label
from loop.store import labels
from loop.store.core import table_of
from loop.store.instants import instant_of
from loop.store.mailbox import COLUMNS, Message, message_of
from loop.store.postal import CopyRow, DeliveryRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import MessageRow

_MESSAGE, _COPY, _DELIVERY = table_of(MessageRow), table_of(CopyRow), table_of(DeliveryRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How far one message got by one channel. `dropped` says why it was not sent, `error` what the last try met."""

    channel: str
    person_id: str
    due_at: datetime
    delivery: str = ""
    attempts: int = 0
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    dead: int = 0
    dropped: str = ""
    error: Label | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What one person was told of one step, and its ways besides the inbox."""

    message: Message
    ways: tuple[Way, ...] = ()


_MESSAGES = Prepared(
    select(*COLUMNS)
    .where(
        _MESSAGE.c.chain == bindparam("chain"),
        tuple_(_MESSAGE.c.seq, _MESSAGE.c.id) > tuple_(bindparam("after_seq"), bindparam("after_id")),
    )
    .order_by(_MESSAGE.c.seq, _MESSAGE.c.id)
    .limit(bindparam("most"))
)
_WAYS = Prepared(
    select(
        _COPY.c.message_id, _COPY.c.channel, _COPY.c.person_id, _COPY.c.due_at, _DELIVERY.c.key, _DELIVERY.c.attempts,
        _DELIVERY.c.sent_at, _DELIVERY.c.delivered_at, _DELIVERY.c.dead, _COPY.c.dropped, _DELIVERY.c.error,
    )
    .join_from(_COPY, _DELIVERY, _DELIVERY.c.id == _COPY.c.delivery_id, isouter=True)
    .where(_COPY.c.message_id.in_(bindparam("messages", expanding=True)))
    .order_by(_COPY.c.id)
)  # fmt: skip
_CHANNELS = Prepared(
    select(_COPY.c.message_id, _COPY.c.channel).where(_COPY.c.message_id.in_(bindparam("messages", expanding=True)))
)


def told_of(tx: Tx, chain: str, *, after: tuple[int, int] = (0, 0), limit: int = 1_000) -> list[Told]:
    """Up to `limit` messages about a finding in the order of its steps, from behind `after` = (seq, id) on, with their ways."""
    rows = tx.all(_MESSAGES, chain=chain, after_seq=after[0], after_id=after[1], most=limit)
    messages = [message_of(row) for row in rows]
    ways: dict[int, list[Way]] = {}
    for row in tx.all(_WAYS, messages=[message.id for message in messages]) if messages else ():
        ways.setdefault(row[0], []).append(_way(row))
    return [Told(message, tuple(ways.get(message.id, ()))) for message in messages]


def channels_of(tx: Tx, message_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """The channels by which copies of each of these messages were made out, whatever became of them."""
    found: dict[int, frozenset[str]] = {}
    for message, channel in tx.all(_CHANNELS, messages=message_ids) if message_ids else ():
        found[message] = found.get(message, frozenset()) | {channel}
    return found


def _way(row: tuple[object, ...]) -> Way:
    _, channel, person, due_at, key, attempts, sent, delivered, dead, dropped, error = row
    return Way(
        channel=str(channel), person_id=str(person), due_at=instant_of(str(due_at)), delivery=str(key or ""),
        attempts=int(str(attempts or 0)), sent_at=instant_of(str(sent)) if sent else None,
        delivered_at=instant_of(str(delivered)) if delivered else None, dead=int(str(dead or 0)), dropped=str(dropped),
        error=labels.label_of(str(error or "")),
    )  # fmt: skip
