"""The virtual clock, where the service was started with one: read it, and move it on from one due instant to the next."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer
from loop.api.bodies import body_of
from loop.api.calls import looking, taking
from loop.api.deps import once_of, service_of, shaped, writer
from loop.api.describe import REFUSALS_OF_READING, REFUSALS_OF_WRITING, said
from loop.api.inbox import belongs
from loop.api.once import KeptAnswer
from loop.api.shapes import Shape
from loop.api.views import instant
from loop.engine.strike import Struck
from loop.kernel.errors import Invalid
from loop.kernel.payloads import Instant, Payload, field
from loop.service import Service
from loop.store.session import Tx
from loop.virtual_time import check_target, move, turn, virtual_clock

router = APIRouter(tags=["clock"])
MOST_SHOWN = 1_000
_UNITS = {"d": "days", "h": "hours", "min": "minutes"}


class Move(Payload):
    """How far to move: by a span of calendar days, hours or minutes, or to an instant."""

    advance: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}(d|h|min)$")] | None = field("前进", "advance by", None)
    to: Instant | None = field("前进到", "move to", None)


class Face(Shape):
    """What the clock shows."""

    now: str
    virtual: bool


class Ran(Shape):
    """One act of a timer. `finding` is null for a reminder about a supervision or a tip-off."""

    finding: str | None
    supervision: str | None
    tip_off: str | None
    action: str
    due_at: str


class Moved(Shape):
    """What the clock shows now, the acts that ran on the way (the first thousand), and how many there were."""

    now: str
    ran: list[Ran]
    total: int


@router.get("/clock", summary="What the virtual clock shows", responses={**said(Face), **REFUSALS_OF_READING})
async def read_clock(request: Request) -> Response:
    """Only with a virtual clock."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        virtual_clock(service)
        return json_answer({"now": instant(caller.now, service.calendar), "virtual": True})

    return await looking(request, work)


@router.post(
    "/clock", summary="Move the virtual clock on", openapi_extra=taking(Move, {"advance": "15d"}),
    responses={**said(Moved), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def move_clock(request: Request) -> Response:
    """Sets now to each due instant on the way, runs the timers due then, then sends messages. Never back."""
    service, sent = service_of(request), await body_of(request)

    def begin(tx: Tx) -> tuple[KeptAnswer | None, Answer | None, datetime]:
        caller = writer(request, tx)
        clock = virtual_clock(service)
        once = once_of(request, caller, sent)
        earlier = once.earlier(tx) if once else None
        target = caller.now if earlier else _target(shaped(Move, sent.wanted), clock.now(tx))
        return once, earlier, target

    async with turn(request):
        once, earlier, target = await asyncio.wrap_future(service.store.submit(begin))
        if earlier:
            return earlier.response()
        ran = await move(service, target)
        answer = json_answer(
            {
                "now": instant(target, service.calendar), "total": len(ran),
                "ran": [_ran(one, service) for one in ran[:MOST_SHOWN]],
            }
        )  # fmt: skip
        if once:
            await asyncio.wrap_future(service.store.submit(lambda tx: once.keep(tx, answer)))
        return answer.response()


def _target(wanted: Move, now: datetime) -> datetime:
    if (wanted.advance is None) == (wanted.to is None):
        raise Invalid.field("advance", "advance 与 to 须填且只填一个。", "give either advance or to.", "one_of")
    if wanted.to:
        target = wanted.to.astimezone(UTC)
    else:
        unit = (wanted.advance or "").lstrip("0123456789")
        target = now + timedelta(**{_UNITS[unit]: int((wanted.advance or "").removesuffix(unit))})
    check_target(target, now)
    return target


def _ran(one: Struck, service: Service) -> dict[str, Any]:
    return {**belongs(one.number), "action": one.action, "due_at": instant(one.due_at, service.calendar)}
