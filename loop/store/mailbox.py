"""Messages: the outbox that is worked off by lease, and the inbox that people read. Both are one table.

A message is claimed for a while, never promised: when the process that took it dies, it comes back by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, bindparam, func, select, update

from loop.kernel.finding import NEVER
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert
from loop.store.tables import OWED, UNSIGNED, MessageRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one person is told of one step. `content` is canonical JSON, `key` is unique: one fact, one message.

    `role` is the role in which they are told; `gap` says for whom they stand in, where the step itself resolved to nobody.
    `repeat_at` is when it is sent again unless signed for. The database gives the `id`.
    """

    id: int = 0
    key: str
    chain: str
    seq: int
    person_id: str
    step: str
    channel: str
    content: str
    role: str = ""
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
    repeat_at: datetime = NEVER
    repeats: int = 0


_MESSAGE = table_of(MessageRow)
_GIVEN = (
    "key",
    "chain",
    "seq",
    "person_id",
    "step",
    "channel",
    "content",
    "role",
    "gap",
    "should_at",
    "queued_at",
    "not_before",
)
_LATER = ("sent_at", "delivered_at", "read_at", "signed_at")
READ = ("id", *_GIVEN, "attempts", *_LATER, "dead", "error", "repeat_at", "repeats")
COLUMNS = tuple(_MESSAGE.c[name] for name in READ)
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
    .returning(*COLUMNS)
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
_REPEAT = Prepared(update(_MESSAGE).where(_MESSAGE.c.id == bindparam("message_id")), columns=("repeat_at", "repeats"))
_REPEATING = Prepared(
    select(*COLUMNS)
    .where(UNSIGNED, _MESSAGE.c.repeat_at <= bindparam("now"))
    .order_by(_MESSAGE.c.repeat_at, _MESSAGE.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_NEXT_REPEAT = Prepared(
    select(_MESSAGE.c.repeat_at)
    .where(UNSIGNED, _MESSAGE.c.repeat_at > bindparam("after_at"))
    .order_by(_MESSAGE.c.repeat_at)
    .limit(1)
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
    return sorted((message_of(row) for row in rows), key=lambda message: message.id)


def settle(tx: Tx, message_ids: Iterable[int], *, at: datetime) -> None:
    """Records messages as standing in their inboxes since `at`, with copies for other channels made out."""
    stamp = text_of(at)
    tx.many(_SETTLE, [{"message_id": id_, "sent_at": stamp, "delivered_at": stamp, "error": ""} for id_ in message_ids])


def fail(tx: Tx, message_id: int, error: str, *, retry_at: datetime | None) -> None:
    """Records why a message could not be sent; it is tried again at `retry_at`, or set aside for good if that is None."""
    again = text_of(retry_at) if retry_at else None
    tx.run(_FAIL, message_id=message_id, retry_at=again, given_up=int(retry_at is None), why=error)


def repeat(tx: Tx, message_id: int, at: datetime, repeats: int) -> None:
    """Has a message that must be signed for sent again at `at`, which will be the repetition numbered `repeats`."""
    tx.run(_REPEAT, message_id=message_id, repeat_at=text_of(at), repeats=repeats)


def to_repeat(tx: Tx, now: datetime, limit: int) -> list[Message]:
    """Up to `limit` messages not signed for whose repetition is due at `now`, the earliest first."""
    return [message_of(row) for row in tx.all(_REPEATING, now=text_of(now), most=limit)]


def next_repeat(tx: Tx, after: datetime) -> datetime | None:
    """The earliest instant, later than `after`, at which a message is to be sent again; None if none is."""
    row = tx.one(_NEXT_REPEAT, after_at=text_of(after))
    return instant_of(row[0]) if row else None


def owed_count(tx: Tx) -> int:
    """How many messages wait to be sent."""
    return int(tx.all(_OWED_COUNT)[0][0])


# ---- inbox -------------------------------------------------------------------------------------------------------

_PAGE = (
    select(*COLUMNS)
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
    select(*COLUMNS).where(_MESSAGE.c.id == bindparam("message_id"), _MESSAGE.c.person_id == bindparam("by_id"))
)
_SOME = Prepared(select(*COLUMNS).where(_MESSAGE.c.id.in_(bindparam("ids", expanding=True))))
_OF_STEP = Prepared(select(*COLUMNS).where(_MESSAGE.c.chain == bindparam("chain"), _MESSAGE.c.seq == bindparam("seq")))
_SINCE = Prepared(
    select(_MESSAGE.c.person_id).where(
        _MESSAGE.c.chain == bindparam("chain"), _MESSAGE.c.seq > bindparam("after_seq"),
        _MESSAGE.c.step == bindparam("by_step"), _MESSAGE.c.role == bindparam("in_role"),
    )
)  # fmt: skip
_ACKNOWLEDGE = Prepared(
    update(_MESSAGE)
    .where(*_MINE)
    .values(
        signed_at=func.coalesce(_MESSAGE.c.signed_at, bindparam("at")),
        read_at=func.coalesce(_MESSAGE.c.read_at, bindparam("at")),
    )
)
_SEEN = Prepared(
    update(_MESSAGE)
    .where(
        _MESSAGE.c.chain == bindparam("about"), _MESSAGE.c.person_id == bindparam("by_id"), _MESSAGE.c.read_at.is_(None)
    )
    .values(read_at=bindparam("at"))
)  # fmt: skip


def inbox(
    tx: Tx, person_id: str, *, channels: Sequence[str] = ("inbox",), limit: int, after: int | None = None,
    unread: bool = False,
) -> list[Message]:  # fmt: skip
    """Up to `limit` messages to a person by these channels, the newest first, from behind the id `after` on."""
    before = _LAST if after is None else after
    statement = _UNREAD if unread else _INBOX
    rows = tx.all(statement, person_id=person_id, before=before, channels=channels, most=limit)
    return [message_of(row) for row in rows]


def one(tx: Tx, message_id: int, person_id: str) -> Message | None:
    """The message with this id, if it is to this person."""
    row = tx.one(_ONE, message_id=message_id, by_id=person_id)
    return message_of(row) if row else None


def among(tx: Tx, ids: Iterable[int]) -> dict[int, Message]:
    """The messages with these ids, by id."""
    wanted = sorted(set(ids))
    return {
        message.id: message for message in (message_of(row) for row in (tx.all(_SOME, ids=wanted) if wanted else ()))
    }


def told_at(tx: Tx, chain: str, seq: int) -> dict[str, Message]:
    """Who was told of one step, by person."""
    return {message.person_id: message for message in map(message_of, tx.all(_OF_STEP, chain=chain, seq=seq))}


def told_since(tx: Tx, chain: str, seq: int, step: str, role: str) -> set[str]:
    """The persons who were told in this role of a later step of this name."""
    return {row[0] for row in tx.all(_SINCE, chain=chain, after_seq=seq, by_step=step, in_role=role)}


def acknowledge(tx: Tx, message_id: int, person_id: str, at: datetime) -> bool:
    """Signs for a message 签收, which also marks it read; the first time stands. False if it is not this person's."""
    return tx.run(_ACKNOWLEDGE, message_id=message_id, by_id=person_id, at=text_of(at)) == 1


def mark_seen(tx: Tx, chain: str, person_id: str, at: datetime) -> int:
    """Marks read whatever this person was told about a chain; what was read before keeps its time. Answers how many."""
    return tx.run(_SEEN, about=chain, by_id=person_id, at=text_of(at))


# ---- a row and its value -----------------------------------------------------------------------------------------


def _row(message: Message) -> dict[str, Any]:
    row = {name: getattr(message, name) for name in _GIVEN}
    return row | {name: text_of(row[name]) for name in ("should_at", "queued_at", "not_before")}


def message_of(row: Sequence[Any]) -> Message:
    """A row of `READ` as a value."""
    values = dict(zip(READ, row, strict=True))
    for name in ("should_at", "queued_at", "not_before", "repeat_at", *_LATER):
        values[name] = instant_of(values[name]) if values[name] else None
    values["dead"] = bool(values["dead"])
    return Message(**values)
