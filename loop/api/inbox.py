"""What waits for somebody: the messages told to them, and the running timers that they owe something to."""

from __future__ import annotations

from json import loads
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer, listed
from loop.api.calls import looking
from loop.api.deps import query_of, service_of, writing
from loop.api.describe import IDEMPOTENCY_KEY, REFUSALS_OF_READING, REFUSALS_OF_WRITING, parameters, said
from loop.api.shapes import LabelOut, Shape
from loop.api.views import both, instant
from loop.kernel.decide import Book
from loop.kernel.errors import NotFound
from loop.kernel.finding import NEVER
from loop.kernel.labels import Label
from loop.store import desk, mailbox, tray
from loop.store.instants import instant_of
from loop.store.mailbox import Message
from loop.store.session import Tx
from loop.store.timers import Todo

router = APIRouter(tags=["inbox"])


class InboxQuery(BaseModel):
    """A page of messages; `unread=true` leaves out what was read or signed for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unread: bool = False
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(max_length=1000)] | None = None


class TodoQuery(BaseModel):
    """A page of what waits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(max_length=1000)] | None = None


class MessageOut(Shape):
    """A message. `at` is when the person should have been told; `gap` the role that resolved to nobody."""

    id: str
    text: LabelOut
    finding: str | None
    supervision: str | None
    tip_off: str | None
    title: str | None
    action: str
    state: str | None
    due_at: str | None
    due_rule: str | None
    gap: str | None
    at: str
    sent_at: str | None
    read_at: str | None
    acknowledged_at: str | None


class MessageList(Shape):
    """A page of messages, the newest first."""

    items: list[MessageOut]
    next: str | None


class TodoOut(Shape):
    """A running timer that waits for one of the caller's posts or parts; exactly one of the three it belongs to is set."""

    timer: str
    rule: str
    label: LabelOut
    owner: str
    due_at: str
    overdue: bool
    suspended: bool
    finding: str | None
    supervision: str | None
    tip_off: str | None
    title: str | None
    state: str | None
    severity: str | None
    level: int | None


class TodoList(Shape):
    """A page of what waits, the most urgent first."""

    items: list[TodoOut]
    next: str | None


def belongs(chain: str) -> dict[str, str | None]:
    """What a chain is the history of."""
    kind, _, id_ = chain.rpartition(":")
    return {
        "finding": None if kind else chain, "supervision": id_ if kind == "supervision" else None,
        "tip_off": id_ if kind == "tip-off" else None,
    }  # fmt: skip


# ---- messages ------------------------------------------------------------------------------------------------------


def message_view(message: Message, book: Book) -> dict[str, Any]:
    """A message as answers show it, with its text in both languages."""
    said = loads(message.content)
    due_at = instant_of(said["due_at"]) if said.get("due_at") else NEVER
    calendar = book.calendar
    return {
        "id": str(message.id), "text": both(tray.text_of(message, book)), **belongs(message.chain),
        "title": said.get("title"), "action": message.step, "state": said.get("state"),
        "due_at": instant(due_at, calendar), "due_rule": said.get("due_rule") or None, "gap": message.gap or None,
        "at": instant(message.should_at, calendar), "sent_at": instant(message.sent_at, calendar),
        "read_at": instant(message.read_at, calendar), "acknowledged_at": instant(message.signed_at, calendar),
    }  # fmt: skip


@router.get(
    "/notifications", summary="My inbox", openapi_extra=parameters(InboxQuery),
    responses={**said(MessageList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_notifications(request: Request) -> Response:
    """Messages to the caller, the newest first."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, InboxQuery)
        page = tray.page(tx, caller.actor.id, limit=asked.limit, after=asked.after, unread=asked.unread)
        return listed([message_view(message, service.book) for message in page.items], page.next)

    return await looking(request, work)


@router.post(
    "/notifications/{message}/acknowledge", summary="Sign for a message 签收",
    openapi_extra={"parameters": [IDEMPOTENCY_KEY]}, responses={**said(MessageOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def acknowledge(request: Request, message: str) -> Response:
    """The first time stands; a message signed for counts as read."""
    service = service_of(request)
    id_ = int(message) if message.isascii() and message.isdecimal() and len(message) < 19 else 0

    def admit(tx: Tx, caller: Caller) -> None:
        if mailbox.one(tx, id_, caller.actor.id) is None:
            raise NotFound

    def work(tx: Tx, caller: Caller) -> Answer:
        mailbox.acknowledge(tx, id_, caller.actor.id, caller.now)
        signed = mailbox.one(tx, id_, caller.actor.id)
        if signed is None:
            raise NotFound
        return json_answer(message_view(signed, service.book))

    return await writing(request, work, admit=admit)


# ---- timers --------------------------------------------------------------------------------------------------------


def _todo_view(item: Todo, caller: Caller, book: Book) -> dict[str, Any]:
    rule = book.workflow.timers.get(item.rule)
    return {
        "timer": item.id, "rule": item.rule, "label": both(rule.label if rule else Label(item.rule, item.rule)),
        "owner": item.owner, "due_at": instant(item.due_at, book.calendar),
        "overdue": item.due_at < caller.now and not item.suspended, "suspended": item.suspended, **belongs(item.chain),
        "title": item.title, "state": item.state, "severity": item.severity, "level": item.level,
    }  # fmt: skip


@router.get(
    "/todo", summary="What waits for me", openapi_extra=parameters(TodoQuery),
    responses={**said(TodoList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_todo(request: Request) -> Response:
    """Running timers whose owner is the caller or one of the caller's posts, the most urgent first; a window that is over
    waits for nobody.
    """
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, TodoQuery)
        page = desk.page(
            tx, caller.actor, service.book.workflow, now=caller.now, limit=asked.limit, after=asked.after
        )  # fmt: skip
        return listed([_todo_view(item, caller, service.book) for item in page.items], page.next)

    return await looking(request, work)
