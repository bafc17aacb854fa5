"""Somebody's inbox as a reader meets it: how much is unread, page by page, and what each message says."""

from __future__ import annotations

from json import loads

from sqlalchemy import bindparam, func, select

from loop.kernel.calendar import local_day
from loop.kernel.decide import Book
from loop.kernel.labels import LANGUAGES, Label
from loop.kernel.messages import Notice
from loop.kernel.wording import notice_of, whole
from loop.store import mailbox
from loop.store.core import table_of
from loop.store.mailbox import Message
from loop.store.paging import Page, cursor, key_of, limit_of
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


SCOPE = "notifications"


def page(tx: Tx, person_id: str, *, limit: int, after: str | None = None, unread: bool = False) -> Page[Message]:
    """One page of the messages to a person, the newest first. Raises Invalid for a limit or a cursor that is none."""
    behind = int(key_of(SCOPE, after, int)[0]) if after else None
    found = mailbox.inbox(tx, person_id, limit=limit_of(limit) + 1, after=behind, unread=unread)
    shown = tuple(found[:limit])
    return Page(shown, cursor(SCOPE, (shown[-1].id,)) if len(found) > limit else None)


def notice_in(message: Message, book: Book, language: str) -> Notice:
    """What a message says, as of the day on which it was queued: what it said then stays true."""
    return notice_of(
        loads(message.content), step=message.step, role=message.role, gap=message.gap, language=language,
        workflow=book.workflow, calendar=book.calendar, today=local_day(message.queued_at, book.calendar), url="",
    )  # fmt: skip


def text_of(message: Message, book: Book) -> Label:
    """The whole text of a message in both languages."""
    zh, en = (whole(notice_in(message, book, language), language) for language in LANGUAGES)
    return Label(zh, en)
