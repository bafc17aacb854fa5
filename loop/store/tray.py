"""How much lies in somebody's inbox."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select

from loop.store.core import table_of
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import MessageRow

_MESSAGE = table_of(MessageRow)
_SOME = (
    select(_MESSAGE.c.id)
    .where(_MESSAGE.c.person_id == bindparam("person_id"), _MESSAGE.c.channel == "inbox", _MESSAGE.c.read_at.is_(None))
    .limit(bindparam("most"))
    .subquery()
)
_UNREAD = Prepared(select(func.count()).select_from(_SOME))


def unread(tx: Tx, person_id: str, most: int) -> int:
    """How many messages to this person are unread; counts no further than `most`."""
    return int(tx.all(_UNREAD, person_id=person_id, most=most)[0][0])
