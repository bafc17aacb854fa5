"""What people left unread who can no longer sign in: found from who left, so that its cost follows how many did."""

from __future__ import annotations

from datetime import date

from sqlalchemy import bindparam, exists, literal, not_, select, union

from loop.store.core import table_of
from loop.store.mailbox import COLUMNS, Message, message_of
from loop.store.postal import GapRow
from loop.store.registry import LEAVERS, PersonRow, PostRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import UNREAD, MessageRow

_MESSAGE, _GAP = table_of(MessageRow), table_of(GapRow)
_PERSON, _POST = table_of(PersonRow), table_of(PostRow)
_GONE = union(
    select(_PERSON.c.id).where(LEAVERS),
    select(_POST.c.person_id).where(_POST.c.until_on >= bindparam("since"), _POST.c.until_on < bindparam("today")),
).subquery("gone")
_SEATED = exists(
    select(literal(1)).select_from(_POST).join(_PERSON, _PERSON.c.id == _POST.c.person_id).where(
        _POST.c.person_id == _GONE.c.id, _POST.c.from_on <= bindparam("today"), _POST.c.until_on >= bindparam("today"),
        _PERSON.c.active == 1,
    )
)  # fmt: skip
_KNOWN = exists(
    select(literal(1)).select_from(_GAP).where(
        _GAP.c.chain == _MESSAGE.c.chain, _GAP.c.seq == _MESSAGE.c.seq, _GAP.c.role == _MESSAGE.c.role,
        _GAP.c.person_id == _MESSAGE.c.person_id,
    )
)  # fmt: skip
_LEFT = Prepared(
    select(*COLUMNS)
    .join_from(_GONE, _MESSAGE, _MESSAGE.c.person_id == _GONE.c.id)
    .where(UNREAD, not_(_SEATED), not_(_KNOWN))
    .order_by(_MESSAGE.c.id)
    .limit(bindparam("most"))
)


def left_behind(tx: Tx, today: date, since: date, limit: int) -> list[Message]:
    """Up to `limit` unread messages of persons who can no longer read them, not yet known as gaps: whoever was
    deactivated, and whose last post ended between `since` and `today`.
    """
    return [message_of(row) for row in tx.all(_LEFT, today=today.isoformat(), since=since.isoformat(), most=limit)]
