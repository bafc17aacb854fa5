"""The configured channels, and a test letter by one of them; for administrators."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer, listed
from loop.api.bodies import body_of
from loop.api.calls import looking, taking
from loop.api.deliveries import reason_text
from loop.api.deps import name_in, once_of, service_of, shaped, writer
from loop.api.describe import REFUSALS_OF_READING, REFUSALS_OF_WRITING, said
from loop.api.once import KeptAnswer
from loop.api.problems import language
from loop.api.shapes import Shape
from loop.authority import require
from loop.engine.trial import trial
from loop.kernel.errors import NotFound
from loop.kernel.payloads import MaybeLine, Payload, field
from loop.kernel.people import ADMIN
from loop.store.session import Tx

router = APIRouter(prefix="/channels", tags=["notifications"])


class ChannelOut(Shape):
    """A configured channel: whom it reaches (person, group, program), of which region's office, how many letters a minute."""

    name: str
    kind: str
    reaches: str
    region: str | None
    per_minute: int | None


class ChannelList(Shape):
    """Every configured channel."""

    items: list[ChannelOut]
    next: str | None


class Trial(Payload):
    """Where a test letter goes; a group needs no address."""

    address: Annotated[MaybeLine, Field(max_length=200)] = field("地址", "address", "")


class Tried(Shape):
    """How a test went: `error` is null where the channel took the letter."""

    sent: bool
    delivered: bool
    error: str | None


@router.get("", summary="The configured channels", responses={**said(ChannelList), **REFUSALS_OF_READING})
async def list_channels(request: Request) -> Response:
    """For administrators. Secrets are not shown."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        require(caller.actor, ADMIN)
        return listed(
            [
                {
                    "name": way.name, "kind": service.outbox.channels[way.name].kind, "reaches": way.reaches,
                    "region": way.region or None, "per_minute": way.per_minute or None,
                }
                for way in service.outbox.postage.ways.values()
            ]
        )  # fmt: skip

    return await looking(request, work)


@router.post(
    "/{name}/test", summary="Send a test letter by a channel", openapi_extra=taking(Trial, {"address": "wang@example.gov.cn"}),
    responses={**said(Tried), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def test_channel(request: Request, name: str) -> Response:
    """For administrators: says what the channel answered. A repetition without an Idempotency-Key sends again."""
    service, sent = service_of(request), await body_of(request)

    def begin(tx: Tx) -> tuple[KeptAnswer | None, Answer | None, str]:
        caller = writer(request, tx)
        require(caller.actor, ADMIN)
        if name_in(name) not in service.outbox.postage.ways:
            raise NotFound
        once = once_of(request, caller, sent)
        earlier = once.earlier(tx) if once else None
        return once, earlier, "" if earlier else shaped(Trial, sent.wanted).address

    once, earlier, address = await asyncio.wrap_future(service.store.submit(begin))
    if earlier:
        return earlier.response()
    tried = await trial(service.outbox.channels[name], address)
    error = reason_text(tried.error, language(request))
    answer = json_answer({"sent": error is None, "delivered": tried.delivered, "error": error})
    if once:
        await asyncio.wrap_future(service.store.submit(lambda tx: once.keep(tx, answer)))
    return answer.response()
