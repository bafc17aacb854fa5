"""Messages: the outbox that is worked off by lease, and the inbox that people read. Both are one table.

A message is claimed for a while, never promised: when the process that took it dies, it comes back by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, bindparam, func, select, update

from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert
from loop.store.tables import DEAD, OWED, MessageRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one person by one channel. `content` is canonical JSON, `key` is unique: one fact, one message.

    `gap` says for whom it stands in, where the step itself resolved to nobody. The database gives the `id`.
    """

    id: int = 0
    key: str
    chain: str
    seq: int
    person_id: str
    step: str
    channel: str
    content: str
    gap: str = ""
    should_at: datetime
    queued_at: datetime
    not_before: datetime
    attempts: int = 0
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    read_at: datetime | None = None
    signed_at: datetime | None = None
    dead: bool = False
    error: str = ""


_MESSAGE = table_of(MessageRow)
_GIVEN = (
    "key",
    "chain",
    "seq",
    "person_id",
    "step",
    "channel",
    "content",
    "gap",
    "should_at",
    "queued_at",
    "not_before",
)
_LATER = ("sent_at", "delivered_at", "read_at", "signed_at")
_READ = ("id", *_GIVEN, "attempts", *_LATER, "dead", "error")
_COLUMNS = tuple(_MESSAGE.c[name] for name in _READ)
_LAST = 2**63 - 1

# ---- outbox ------------------------------------------------------------------------------------------------------

_POST = Prepared(upsert(_MESSAGE, ["key"]), columns=_GIVEN)
_PICKED = (
    select(_MESSAGE.c.id)
    .where(OWED, _MESSAGE.c.not_before <= bindparam("now"))
    .order_by(_MESSAGE.c.not_before, _MESSAGE.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("picked")
)
_CLAIM = Prepared(
    update(_MESSAGE)
    .where(_MESSAGE.c.id.in_(select(_PICKED.c.id)))
    .values(attempts=_MESSAGE.c.attempts + 1, not_before=bindparam("leased_until"))
    .returning(*_COLUMNS)
)
_SETTLE = Prepared(
    update(_MESSAGE).where(_MESSAGE.c.id == bindparam("message_id")), columns=("sent_at", "delivered_at", "error")
)
_FAIL = Prepared(
    update(_MESSAGE)
    .where(_MESSAGE.c.id == bindparam("message_id"))
    .values(
        not_before=func.coalesce(bindparam("retry_at", type_=Text()), _MESSAGE.c.not_before),
        dead=bindparam("given_up"),
        error=bindparam("why"),
    )
)
_OWED_COUNT = Prepared(select(func.count()).select_from(_MESSAGE).where(OWED))


def post(tx: Tx, messages: Iterable[Message]) -> None:
    """Queues messages; one whose key is known already is left as it is."""
    tx.many(_POST, [_row(message) for message in messages])


def claim(tx: Tx, now: datetime, lease_seconds: int, limit: int = 20) -> list[Message]:
    """Takes up to `limit` messages that may be sent at `now` (real time), in order; nobody else gets them before the
    lease ends.
    """
    until = text_of(now + timedelta(seconds=lease_seconds))
    # The rows come back in any order; ids rise with the order of queueing.
    rows = tx.all(_CLAIM, now=text_of(now), most=limit, leased_until=until)
    return sorted((_message(row) for row in rows), key=lambda message: message.id)


def settle(tx: Tx, message_id: int, *, sent_at: datetime, delivered_at: datetime | None = None) -> None:
    """Records a message as sent, and as delivered where the channel knows."""
    delivered = text_of(delivered_at) if delivered_at else None
    tx.run(_SETTLE, message_id=message_id, sent_at=text_of(sent_at), delivered_at=delivered, error="")


def fail(tx: Tx, message_id: int, error: str, *, retry_at: datetime | None) -> None:
    """Records why a message could not be sent; it is tried again at `retry_at`, or set aside for good if that is None."""
    again = text_of(retry_at) if retry_at else None
    tx.run(_FAIL, message_id=message_id, retry_at=again, given_up=int(retry_at is None), why=error)


def owed_count(tx: Tx) -> int:
    """How many messages wait to be sent."""
    return int(tx.all(_OWED_COUNT)[0][0])


# ---- inbox -------------------------------------------------------------------------------------------------------

_PAGE = (
    select(*_COLUMNS)
    .where(
        _MESSAGE.c.person_id == bindparam("person_id"),
        _MESSAGE.c.id < bindparam("before"),
        _MESSAGE.c.channel.in_(bindparam("channels", expanding=True)),
    )
    .order_by(_MESSAGE.c.id.desc())
    .limit(bindparam("most"))
)
_INBOX, _UNREAD = Prepared(_PAGE), Prepared(_PAGE.where(_MESSAGE.c.read_at.is_(None)))
_MINE = (_MESSAGE.c.id == bindparam("message_id"), _MESSAGE.c.person_id == bindparam("by_id"))
_ONE = Prepared(
    select(*_COLUMNS).where(_MESSAGE.c.id == bindparam("message_id"), _MESSAGE.c.person_id == bindparam("by_id"))
)
_ACKNOWLEDGE = Prepared(
    update(_MESSAGE)
    .where(*_MINE)
    .values(
        signed_at=func.coalesce(_MESSAGE.c.signed_at, bindparam("at")),
        read_at=func.coalesce(_MESSAGE.c.read_at, bindparam("at")),
    )
)
_MARK_READ = Prepared(update(_MESSAGE).where(*_MINE).values(read_at=func.coalesce(_MESSAGE.c.read_at, bindparam("at"))))


def inbox(
    tx: Tx, person_id: str, *, channels: Sequence[str] = ("inbox",), limit: int, after: int | None = None,
    unread: bool = False,
) -> list[Message]:  # fmt: skip
    """Up to `limit` messages to a person by these channels, the newest first, from behind the id `after` on."""
    before = _LAST if after is None else after
    statement = _UNREAD if unread else _INBOX
    rows = tx.all(statement, person_id=person_id, before=before, channels=channels, most=limit)
    return [_message(row) for row in rows]


def one(tx: Tx, message_id: int, person_id: str) -> Message | None:
    """The message with this id, if it is to this person."""
    row = tx.one(_ONE, message_id=message_id, by_id=person_id)
    return _message(row) if row else None


def acknowledge(tx: Tx, message_id: int, person_id: str, at: datetime) -> bool:
    """Signs for a message 签收, which also marks it read; the first time stands. False if it is not this person's."""
    return tx.run(_ACKNOWLEDGE, message_id=message_id, by_id=person_id, at=text_of(at)) == 1


def mark_read(tx: Tx, message_id: int, person_id: str, at: datetime) -> bool:
    """Marks a message read; the first time stands. False if it is not this person's."""
    return tx.run(_MARK_READ, message_id=message_id, by_id=person_id, at=text_of(at)) == 1


# ---- a row and its value -----------------------------------------------------------------------------------------


def _row(message: Message) -> dict[str, Any]:
    row = {name: getattr(message, name) for name in _GIVEN}
    return row | {name: text_of(row[name]) for name in ("should_at", "queued_at", "not_before")}


def _message(row: Sequence[Any]) -> Message:
    values = dict(zip(_READ, row, strict=True))
    for name in ("should_at", "queued_at", "not_before", *_LATER):
        values[name] = instant_of(values[name]) if values[name] else None
    values["dead"] = bool(values["dead"])
    return Message(**values)


_DEAD_COUNT = Prepared(select(func.count()).select_from(_MESSAGE).where(DEAD, _MESSAGE.c.chain > ""))


def dead_count(tx: Tx) -> int:
    """How many messages were given up."""
    return int(tx.all(_DEAD_COUNT)[0][0])
