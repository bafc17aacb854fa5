"""The inbox: what the reader was told, the newest first, and signing for it 签收."""

from __future__ import annotations

from dataclasses import dataclass
from json import loads
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.kernel.messages import Notice
from loop.store import mailbox, tray
from loop.store.mailbox import Message
from loop.store.session import Tx
from loop.web.page import Goto, Page, Visitor, change, local, show
from loop.web.sent import sent_of
from loop.web.telling import WATCHERS
from loop.web.times import Moment
from loop.web.ways import ways

router = APIRouter()
PLACE = "/inbox"
TITLE = Label("收件箱", "Inbox")
AT_A_TIME = 30
MOST_AT_ONCE = 100
MESSAGE, BACK = "message", "back"


@dataclass(frozen=True, slots=True)
class Item:
    """A message: what it says, when the reader was told, and whether it was read and signed for; `path` is empty where the
    reader may no longer open what it is about.
    """

    id: int
    path: str
    notice: Notice
    at: Moment | None
    unread: bool
    signed: Moment | None
    title: str


@dataclass(frozen=True, slots=True)
class InboxView:
    """The messages of one page; `here` is where a signature leads back to."""

    items: tuple[Item, ...]
    unread_only: bool
    here: str
    first: str
    following: str
    sees_gaps: bool


@router.get(PLACE)
async def my_inbox(request: Request) -> Response:
    """Messages to the reader, all or the unread ones."""
    after, unread = request.query_params.get("after"), request.query_params.get("unread") == "true"
    only = {"unread": "true"} if unread else {}

    def build(tx: Tx, visitor: Visitor) -> Page:
        page = tray.page(tx, visitor.actor.id, limit=AT_A_TIME, after=after, unread=unread)
        paths = ways(tx, visitor, ((one.chain, one.step) for one in page.items))
        items = tuple(_item(one, visitor, paths.get((one.chain, one.step), "")) for one in page.items)
        view = InboxView(
            items, unread, _address(only | ({"after": after} if after else {})), _address(only) if after else "",
            _address(only | {"after": page.next}) if page.next else "", visitor.holds(*WATCHERS),
        )  # fmt: skip
        return Page(template="inbox.html", title=TITLE, view=view)

    return await show(request, build)


@router.post(PLACE)
async def sign(request: Request) -> Response:
    """Sign for the chosen messages; the first time stands."""
    sent = await sent_of(request)
    chosen = [
        int(one) for one in sent.all(MESSAGE)[:MOST_AT_ONCE] if one.isascii() and one.isdecimal() and len(one) < 19
    ]

    def work(tx: Tx, visitor: Visitor) -> Goto:
        signed = [mailbox.acknowledge(tx, id_, visitor.actor.id, visitor.now) for id_ in chosen]
        if not all(signed):
            raise NotFound
        done = "" if not signed else "message-signed" if len(signed) == 1 else "messages-signed"
        return Goto(local(sent.get(BACK, PLACE)), done)

    return await change(request, sent, work)


def _item(message: Message, visitor: Visitor, path: str) -> Item:
    content = loads(message.content)
    return Item(
        id=message.id, path=path,
        notice=tray.notice_in(message, visitor.service.book, visitor.language),
        at=visitor.times.past(message.should_at), unread=message.read_at is None,
        signed=visitor.times.past(message.signed_at), title=str(content.get("title") or ""),
    )  # fmt: skip


def _address(query: dict[str, str]) -> str:
    return f"{PLACE}?{urlencode(query)}" if query else PLACE
