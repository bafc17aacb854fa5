"""The virtual clock of a demonstration: days pass at a press, and the page tells what happened on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.engine.strike import Struck
from loop.kernel.errors import Invalid
from loop.kernel.labels import Label
from loop.store.session import Tx
from loop.virtual_time import check_target, move, turn, virtual_clock
from loop.web.page import Page, Visitor, look, service_of, show, visitor_of
from loop.web.sent import Sent, sent_of
from loop.web.times import Moment
from loop.web.ways import ways

router = APIRouter()
TITLE = Label("演示时钟", "Virtual clock")
LEAD = Label(
    "演示环境的时间由您拨动：到期的事项会在各自的时刻自动办理。",
    "In a demonstration you move the time; what falls due happens at its own instant.",
)
DAYS = "days"
OFFERED = (1, 5, 15, 30)
MOST_SHOWN = 100
A_NUMBER = Label("请填写要前进的天数，为正整数。", "Say by how many days, a whole number.")


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that a timer did, on what the reader may look at, and when it was due."""

    path: str
    chain: str
    action: Label
    at: Moment | None


@dataclass(frozen=True, slots=True)
class ClockView:
    """What the clock shows, and after a move what happened on the way: `total` everywhere, of which the reader may look at
    `ours`, and of these the last.
    """

    now: Moment
    offered: tuple[int, ...]
    moved: bool
    happenings: tuple[Happening, ...]
    total: int
    ours: int
    refusal: Label | None = None


@router.get("/clock")
async def read(request: Request) -> Response:
    """What the clock shows."""
    return await _shown(request)


@router.post("/clock")
async def advance(request: Request) -> Response:
    """Move the clock on by some days."""
    sent, service = await sent_of(request), service_of(request)

    def begin(tx: Tx) -> datetime:
        visitor = visitor_of(request, tx, sent)
        virtual_clock(service)
        target = visitor.now + timedelta(days=_days(sent))
        check_target(target, visitor.now)
        return target

    try:
        async with turn(request):
            target = await asyncio.wrap_future(service.store.submit(begin))
            ran = await move(service, target)
    except Invalid as wrong:
        return await _shown(request, refusal=wrong.faults[0].label)
    return await _shown(request, ran)


def _days(sent: Sent) -> int:
    text = sent.get(DAYS).strip()
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 6 and int(text)):
        raise Invalid.field(DAYS, A_NUMBER.zh, A_NUMBER.en)
    return int(text)


async def _shown(request: Request, ran: Sequence[Struck] | None = None, refusal: Label | None = None) -> Response:
    service = service_of(request)
    await look(request, lambda tx, visitor: virtual_clock(service))

    def build(tx: Tx, visitor: Visitor) -> Page:
        now = visitor.times.instant(visitor.now)
        paths = ways(tx, visitor, ((one.number, one.action) for one in ran or ()))
        ours = [(one, path) for one in ran or () if (path := paths.get((one.number, one.action)))]
        happened = tuple(_happening(visitor, one, path) for one, path in ours[-MOST_SHOWN:])
        view = ClockView(now, OFFERED, ran is not None, happened, len(ran or ()), len(ours), refusal)
        return Page(template="virtual_clock.html", title=TITLE, lead=LEAD, view=view, status=422 if refusal else 200)

    return await show(request, build)


def _happening(visitor: Visitor, one: Struck, path: str) -> Happening:
    action = visitor.service.book.workflow.actions.get(one.action)
    label = action.label if action else Label(one.action, one.action)
    return Happening(path, "" if ":" in one.number else one.number, label, visitor.times.past(one.due_at))
