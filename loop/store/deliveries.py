"""Copies that wait to be sent, and the deliveries that carry them: formed, taken by lease, settled, replayed.

A delivery is fixed before it is first tried: its key, its reader, its copies. When the process that took it dies, the
lease ends and the same delivery is tried again under the same key.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Text, bindparam, func, insert, or_, select, update

from loop.kernel.labels import Label
from loop.store import labels
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.postal import AttemptRow, CopyRow, DeliveryRow
from loop.store.registry import PostRow, RegionRow, UnitRow
from loop.store.session import Tx
from loop.store.sql import POSTGRESQL, Prepared, upsert
from loop.store.tables import DEAD, OWED

GIVEN_UP, NOT_NEEDED = 1, 2
"""What `dead` says of a delivery that will not be tried again."""
_FORMING = 20260303
"""The lock under which deliveries are formed; any number will do, as long as everybody takes the same."""

_COPY, _DELIVERY, _ATTEMPT = table_of(CopyRow), table_of(DeliveryRow), table_of(AttemptRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A message by one channel, which may go from `due_at` on. `message_id` is None for what only programs are told."""

    id: int = 0
    key: str
    message_id: int | None
    chain: str
    seq: int
    step: str
    person_id: str = ""
    channel: str
    webhook_id: str = ""
    urgent: bool = False
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One sending. `dead`: 0 while it may still go, `GIVEN_UP`, or `NOT_NEEDED`."""

    id: int
    key: str
    channel: str
    person_id: str
    webhook_id: str
    address: str
    copies: int
    urgent: bool
    queued_at: datetime
    not_before: datetime
    attempts: int
    failures: int
    sent_at: datetime | None
    delivered_at: datetime | None
    dead: int
    error: Label | None


# ---- copies --------------------------------------------------------------------------------------------------------

OF_COPY = (
    "key", "message_id", "chain", "seq", "step", "person_id", "channel", "webhook_id", "urgent", "due_at",
)  # fmt: skip
_ADD = Prepared(upsert(_COPY, ["key"]), columns=OF_COPY)
_CARRIED = Prepared(
    select(_COPY.c.delivery_id, _COPY.c.id, *(_COPY.c[name] for name in OF_COPY))
    .where(_COPY.c.delivery_id.in_(bindparam("ids", expanding=True)), _COPY.c.dropped == "")
    .order_by(_COPY.c.id)
)
_DROP = Prepared(update(_COPY).where(_COPY.c.id.in_(bindparam("ids", expanding=True))), columns=("dropped",))
_ASSIGN = Prepared(update(_COPY).where(_COPY.c.id.in_(bindparam("ids", expanding=True))), columns=("delivery_id",))
_HOLD = Prepared(select(func.pg_advisory_xact_lock(_FORMING)))


def add_copies(tx: Tx, copies: Iterable[Copy]) -> None:
    """Queues copies; one whose key is known already is left as it is."""
    tx.many(_ADD, [_copy_row(copy) for copy in copies])


def hold(tx: Tx) -> None:
    """Let nobody else form deliveries until the commit, so that budgets and rates are counted by one at a time."""
    if tx.dialect == POSTGRESQL:
        tx.all(_HOLD)


def of_deliveries(tx: Tx, delivery_ids: Sequence[int]) -> dict[int, list[Copy]]:
    """The copies that each of these deliveries carries, those dropped left out, in the order in which they were made."""
    found: dict[int, list[Copy]] = {}
    for row in tx.all(_CARRIED, ids=delivery_ids) if delivery_ids else ():
        found.setdefault(row[0], []).append(copy_of(row[1:]))
    return found


def drop(tx: Tx, copy_ids: Sequence[int], why: str) -> None:
    """Lets copies go no more, and says why."""
    if copy_ids:
        tx.run(_DROP, ids=copy_ids, dropped=why)


# ---- deliveries ----------------------------------------------------------------------------------------------------

_NEW = ("key", "channel", "person_id", "webhook_id", "address", "copies", "urgent", "queued_at", "not_before")
_OF_DELIVERY = ("id", *_NEW, "attempts", "failures", "sent_at", "delivered_at", "dead", "error")
_COLUMNS = tuple(_DELIVERY.c[name] for name in _OF_DELIVERY)
_FORM = Prepared(insert(_DELIVERY).returning(_DELIVERY.c.id), columns=_NEW)
AT_ANY_HOUR = or_(_DELIVERY.c.urgent == 1, _DELIVERY.c.webhook_id != "")
"""Danger to life, and what programs are told."""
_PICK = Prepared(
    select(_DELIVERY.c.id, _DELIVERY.c.channel)
    .where(
        OWED, _DELIVERY.c.not_before <= bindparam("real"), _DELIVERY.c.channel.not_in(bindparam("spared", expanding=True)),
        or_(AT_ANY_HOUR, _DELIVERY.c.queued_at >= bindparam("since")),
    )
    .order_by(_DELIVERY.c.not_before, _DELIVERY.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)  # fmt: skip
_LEASE = Prepared(
    update(_DELIVERY)
    .where(_DELIVERY.c.id.in_(bindparam("ids", expanding=True)))
    .values(attempts=_DELIVERY.c.attempts + 1, not_before=bindparam("until"), tried_at=bindparam("real"))
    .returning(*_COLUMNS)
)
_TRIED = Prepared(
    select(_DELIVERY.c.channel, func.count())
    .where(_DELIVERY.c.channel.in_(bindparam("channels", expanding=True)), _DELIVERY.c.tried_at > bindparam("since"))
    .group_by(_DELIVERY.c.channel)
)
_SPENT = Prepared(
    select(_DELIVERY.c.person_id, func.count())
    .where(
        _DELIVERY.c.person_id.in_(bindparam("persons", expanding=True)), _DELIVERY.c.queued_at >= bindparam("since"),
        _DELIVERY.c.urgent == 0, _DELIVERY.c.dead != NOT_NEEDED,
    )
    .group_by(_DELIVERY.c.person_id)
)  # fmt: skip
_SETTLE = Prepared(
    update(_DELIVERY)
    .where(_DELIVERY.c.id == bindparam("delivery"))
    .values(
        sent_at=func.coalesce(_DELIVERY.c.sent_at, bindparam("sent", type_=Text())),
        delivered_at=func.coalesce(_DELIVERY.c.delivered_at, bindparam("arrived", type_=Text())),
        dead=0,
        error="",
    )
    .returning(*_COLUMNS)
)
_MISSED = Prepared(
    update(_DELIVERY)
    .where(
        _DELIVERY.c.id == bindparam("delivery"), _DELIVERY.c.attempts == bindparam("place"), _DELIVERY.c.sent_at.is_(None)
    )
    .values(
        failures=_DELIVERY.c.failures + 1,
        not_before=bindparam("again"),
        dead=bindparam("given_up"),
        error=bindparam("why"),
    )
)  # fmt: skip
_SPARE = Prepared(
    update(_DELIVERY).where(_DELIVERY.c.id == bindparam("delivery")), columns=("not_before", "dead", "error")
)
_NOTE = Prepared(
    upsert(_ATTEMPT, ["delivery_id", "place"]), columns=("delivery_id", "place", "at", "error", "permanent")
)


def form(tx: Tx, copies: Sequence[Copy], *, key: str, address: str, queued_at: datetime, not_before: datetime) -> int:
    """A new delivery of these copies, all by one channel to one reader; answers its id."""
    first = copies[0]
    rows = tx.all(
        _FORM, key=key, channel=first.channel, person_id=first.person_id, webhook_id=first.webhook_id, address=address,
        copies=len(copies), urgent=int(any(c.urgent for c in copies)), queued_at=text_of(queued_at),
        not_before=text_of(not_before),
    )  # fmt: skip
    id_ = int(rows[0][0])
    tx.run(_ASSIGN, ids=[copy.id for copy in copies], delivery_id=id_)
    return id_


def owed(tx: Tx, real: datetime, since: datetime, limit: int, spared: Sequence[str] = ()) -> list[tuple[int, str]]:
    """Ids and channels of up to `limit` deliveries that may be tried now, locked until the commit: those queued since
    `since`, and those that may disturb at any hour.
    """
    rows = tx.all(_PICK, real=text_of(real), since=text_of(since), most=limit, spared=list(spared) or [""])
    return [(row[0], row[1]) for row in rows]


def lease(tx: Tx, ids: Sequence[int], real: datetime, seconds: int) -> list[Delivery]:
    """Takes these deliveries for so many seconds of real time, one attempt more counted for each."""
    if not ids:
        return []
    until = text_of(real + timedelta(seconds=seconds))
    rows = tx.all(_LEASE, ids=ids, until=until, real=text_of(real))
    return sorted((_delivery(row) for row in rows), key=lambda delivery: delivery.id)


def tried_since(tx: Tx, channels: Sequence[str], since: datetime) -> dict[str, int]:
    """How many deliveries each of these channels was last handed after `since` (real time)."""
    return dict(tx.all(_TRIED, channels=channels, since=text_of(since))) if channels else {}


def spent_since(tx: Tx, persons: Iterable[str], since: datetime) -> dict[str, int]:
    """How many letters were made up for each of these persons since an instant, urgent ones apart."""
    wanted = sorted({person for person in persons if person})
    return dict(tx.all(_SPENT, persons=wanted, since=text_of(since))) if wanted else {}


def settle(tx: Tx, delivery: Delivery, real: datetime, *, sent_at: datetime, delivered: bool) -> Delivery:
    """Records a delivery as sent, and as delivered where the channel knows; answers it as it stands now. That it went is
    true whoever holds the lease meanwhile, and whatever they made of it; the first time stands.
    """
    at = text_of(sent_at)
    (row,) = tx.all(_SETTLE, delivery=delivery.id, sent=at, arrived=at if delivered else None)
    _note(tx, delivery, real, None, permanent=False)
    return _delivery(row)


def fail(
    tx: Tx, delivery: Delivery, real: datetime, error: Label, *, retry_at: datetime | None, permanent: bool
) -> bool:
    """Records why a delivery could not be sent; tried again at `retry_at` (real time), or given up where that is None.

    False where only the try is kept, as somebody else has taken the delivery since, or has sent it.
    """
    changed = tx.run(
        _MISSED, delivery=delivery.id, place=delivery.attempts, again=text_of(retry_at or real),
        given_up=0 if retry_at else GIVEN_UP, why=labels.text_of(error),
    )  # fmt: skip
    _note(tx, delivery, real, error, permanent=permanent)
    return changed == 1


def spare(tx: Tx, delivery: Delivery, why: Label) -> None:
    """Records that a delivery need not be sent any more."""
    tx.run(
        _SPARE, delivery=delivery.id, not_before=text_of(delivery.not_before), dead=NOT_NEEDED, error=labels.text_of(why)
    )  # fmt: skip


def _note(tx: Tx, delivery: Delivery, real: datetime, error: Label | None, *, permanent: bool) -> None:
    row = {"delivery_id": delivery.id, "place": delivery.attempts, "at": text_of(real), "error": labels.text_of(error)}
    tx.many(_NOTE, [row | {"permanent": int(permanent)}])


# ---- looking back ----------------------------------------------------------------------------------------------------

_ONE = Prepared(select(*_COLUMNS).where(_DELIVERY.c.id == bindparam("delivery")))
_UNSENT = select(*_COLUMNS).where(_DELIVERY.c.id < bindparam("before")).order_by(_DELIVERY.c.id.desc())
_GIVEN_UP = Prepared(_UNSENT.where(DEAD).limit(bindparam("most")))
_OWED = Prepared(_UNSENT.where(OWED).limit(bindparam("most")))
_BY_KEY = Prepared(select(*_COLUMNS).where(_DELIVERY.c.key == bindparam("key")))
_TRIES = Prepared(
    select(_ATTEMPT.c.delivery_id, _ATTEMPT.c.place, _ATTEMPT.c.at, _ATTEMPT.c.error, _ATTEMPT.c.permanent)
    .where(_ATTEMPT.c.delivery_id.in_(bindparam("ids", expanding=True)))
    .order_by(_ATTEMPT.c.delivery_id, _ATTEMPT.c.place)
)
_REPLAY = Prepared(
    update(_DELIVERY)
    .where(_DELIVERY.c.id == bindparam("delivery"), _DELIVERY.c.dead != 0, _DELIVERY.c.sent_at.is_(None))
    .values(dead=0, error="", not_before=bindparam("real"), failures=0)
)
_CARRY_AGAIN = Prepared(
    update(_COPY).where(_COPY.c.delivery_id == bindparam("delivery"), _COPY.c.dropped != "").values(dropped="")
)
_DEAD_COUNT = Prepared(select(func.count()).select_from(_DELIVERY).where(DEAD, _DELIVERY.c.id > 0))
_OWED_COUNT = Prepared(select(func.count()).select_from(_DELIVERY).where(OWED, _DELIVERY.c.not_before > ""))


class Tried(NamedTuple):
    """One try to send a delivery, on the machine's time."""

    place: int
    at: datetime
    error: Label | None
    permanent: bool


def get(tx: Tx, id_: int) -> Delivery | None:
    """The delivery with this id."""
    row = tx.one(_ONE, delivery=id_)
    return _delivery(row) if row else None


def by_key(tx: Tx, key: str) -> Delivery | None:
    """The delivery that its receiver knows by this key."""
    row = tx.one(_BY_KEY, key=key)
    return _delivery(row) if row else None


def page(
    tx: Tx, *, limit: int, before: int, dead: bool | None = None, channel: str = "", person_id: str = "", webhook_id: str = "",
    within: str = "",
) -> list[Delivery]:  # fmt: skip
    """Up to `limit` deliveries, the newest first, with ids below `before`. `within` is the path of a region in which the
    reader holds a post.
    """
    query = select(*_COLUMNS).where(_DELIVERY.c.id < before).order_by(_DELIVERY.c.id.desc()).limit(limit)
    if dead is not None:
        query = query.where(DEAD if dead else _DELIVERY.c.dead != GIVEN_UP)
    for column, value in (("channel", channel), ("person_id", person_id), ("webhook_id", webhook_id)):
        if value:
            query = query.where(_DELIVERY.c[column] == value)
    if within:
        query = query.where(_held_within(within))
    return [_delivery(row) for row in tx.select(query)]


def unsent(tx: Tx, *, limit: int, before: int, dead: bool) -> list[Delivery]:
    """Up to `limit` deliveries that were given up, or else all that wait as well, the newest first, with ids below `before`."""
    rows = tx.all(_GIVEN_UP, before=before, most=limit)
    if not dead:
        rows = sorted([*rows, *tx.all(_OWED, before=before, most=limit)], key=lambda row: -row[0])[:limit]
    return [_delivery(row) for row in rows]


def in_region(tx: Tx, delivery: Delivery, within: str) -> bool:
    """Whether the reader holds or held a post in the region with this path; an empty path stands for everywhere."""
    query = select(_DELIVERY.c.id).where(_DELIVERY.c.id == delivery.id, _held_within(within))
    return not within or bool(tx.select(query))


def _held_within(path: str) -> ColumnElement[bool]:
    post, region, unit = table_of(PostRow), table_of(RegionRow), table_of(UnitRow)
    return (
        select(post.c.id)
        .join_from(post, unit, unit.c.id == post.c.unit_id, isouter=True)
        .join(region, region.c.code == func.coalesce(post.c.region, unit.c.region))
        .where(post.c.person_id == _DELIVERY.c.person_id, region.c.path.startswith(path, autoescape=True))
        .exists()
    )


def tries_of(tx: Tx, ids: Sequence[int]) -> dict[int, list[Tried]]:
    """Every try to send each of these deliveries, in order."""
    found: dict[int, list[Tried]] = {id_: [] for id_ in ids}
    for id_, place, at, error, permanent in tx.all(_TRIES, ids=ids) if ids else ():
        found[id_].append(Tried(place, instant_of(at), labels.label_of(error), bool(permanent)))
    return found


def replay(tx: Tx, id_: int, real: datetime) -> bool:
    """Lets a delivery that was given up or spared go once more, under the same key; False for any other. Whatever it was to
    carry is looked at anew.
    """
    again = tx.run(_REPLAY, delivery=id_, real=text_of(real)) == 1
    if again:
        tx.run(_CARRY_AGAIN, delivery=id_)
    return again


def dead_count(tx: Tx) -> int:
    """How many deliveries were given up."""
    return int(tx.all(_DEAD_COUNT)[0][0])


def owed_count(tx: Tx) -> int:
    """How many deliveries are formed and wait to be sent."""
    return int(tx.all(_OWED_COUNT)[0][0])


# ---- a row and its value -------------------------------------------------------------------------------------------


def _copy_row(copy: Copy) -> dict[str, Any]:
    row = {name: getattr(copy, name) for name in OF_COPY}
    return row | {"urgent": int(copy.urgent), "due_at": text_of(copy.due_at)}


def copy_of(row: Sequence[Any]) -> Copy:
    """The id and `OF_COPY` of a row as a value."""
    values = dict(zip(("id", *OF_COPY), row, strict=True))
    return Copy(**values | {"urgent": bool(values["urgent"]), "due_at": instant_of(values["due_at"])})


def _delivery(row: Sequence[Any]) -> Delivery:
    values = dict(zip(_OF_DELIVERY, row, strict=True))
    for name in ("queued_at", "not_before", "sent_at", "delivered_at"):
        values[name] = instant_of(values[name]) if values[name] else None
    return Delivery(**values | {"urgent": bool(values["urgent"]), "error": labels.label_of(values["error"])})
