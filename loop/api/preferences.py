"""Where and when people are told: one's own channels in their order, declined routes, the morning digest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer
from loop.api.bodies import body_of
from loop.api.calls import looking, sending
from loop.api.deps import service_of, shaped, writing
from loop.api.describe import REFUSALS_OF_READING, REFUSALS_OF_WRITING, said
from loop.api.shapes import Shape
from loop.authority import keeper, named, seen
from loop.engine.wishes import Wishes, set_wishes, wishes_of
from loop.kernel.payloads import Code, Flag, Line, Payload, field
from loop.service import Service
from loop.store.contacts import Contact
from loop.store.session import Tx

router = APIRouter(tags=["notifications"])


class ContactIn(Payload):
    """Where a channel reaches somebody."""

    channel: Code = field("渠道", "channel")
    address: Line = field("地址", "address")


class Preferences(Payload):
    """Channels, the preferred one first; routes that are declined; whether everything may wait for the morning."""

    channels: Annotated[list[ContactIn], Field(max_length=20)] = field("渠道", "channels", [])
    off: Annotated[list[Line], Field(max_length=50)] = field("不再接收", "declined routes", [])
    digest: Flag = field("每日汇总", "one digest a morning", False)


class ContactOut(Shape):
    """Where a channel reaches somebody."""

    channel: str
    address: str


class OfferedChannel(Shape):
    """A channel that can be chosen."""

    name: str
    kind: str


class OfferedRoute(Shape):
    """A route, when it goes, and whether it may be declined."""

    name: str
    when: str
    receipt: bool
    may_be_off: bool


class PreferencesOut(Shape):
    """What somebody wishes, and what their office offers."""

    channels: list[ContactOut]
    off: list[str]
    digest: bool
    offered_channels: list[OfferedChannel]
    routes: list[OfferedRoute]


EXAMPLE = {"channels": [{"channel": "mail", "address": "wang@example.gov.cn"}], "off": ["weekly"], "digest": False}


def preferences_view(wishes: Wishes) -> dict[str, Any]:
    """Wishes as answers show them."""
    return {
        "channels": [{"channel": one.channel, "address": one.address} for one in wishes.contacts],
        "off": sorted(wishes.liking.off), "digest": wishes.liking.digest,
        "offered_channels": [{"name": channel.name, "kind": channel.kind} for channel in wishes.channels],
        "routes": [
            {"name": r.name, "when": r.when, "receipt": r.receipt, "may_be_off": r.may_be_off} for r in wishes.routes
        ],
    }  # fmt: skip


def _shown(tx: Tx, service: Service, person_id: str) -> Answer:
    outbox = service.outbox
    return json_answer(preferences_view(wishes_of(tx, person_id, outbox.postage, outbox.channels)))


@router.get(
    "/me/preferences", summary="Where and when I am told", responses={**said(PreferencesOut), **REFUSALS_OF_READING}
)
async def read_mine(request: Request) -> Response:
    """One's own wishes, and what the office offers."""
    service = service_of(request)
    return await looking(request, lambda tx, caller: _shown(tx, service, caller.actor.id))


@router.put(
    "/me/preferences", summary="Wish where and when to be told", openapi_extra=sending(Preferences, EXAMPLE),
    responses={**said(PreferencesOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def set_mine(request: Request) -> Response:
    """Replaces one's own wishes. What the law has served cannot be declined."""
    return await _set(request, lambda tx, caller: caller.actor.id)


@router.get(
    "/users/{user}/preferences", summary="Where and when somebody is told",
    responses={**said(PreferencesOut), **REFUSALS_OF_READING},
)  # fmt: skip
async def read_theirs(request: Request, user: str) -> Response:
    """For administrators of the person."""
    service = service_of(request)
    return await looking(request, lambda tx, caller: _shown(tx, service, _kept(tx, caller, service, user)))


@router.put(
    "/users/{user}/preferences", summary="Set where and when somebody is told",
    openapi_extra=sending(Preferences, EXAMPLE), responses={**said(PreferencesOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def set_theirs(request: Request, user: str) -> Response:
    """For administrators of the person, who may know the telephone numbers of an office."""
    service = service_of(request)
    return await _set(request, lambda tx, caller: _kept(tx, caller, service, user))


def _kept(tx: Tx, caller: Caller, service: Service, user: str) -> str:
    person = seen(tx, caller.actor, named(user))
    keeper(tx, caller, service, person)
    return person.id


async def _set(request: Request, whose: Callable[[Tx, Caller], str]) -> Response:
    service, sent = service_of(request), await body_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        person_id = whose(tx, caller)
        asked = shaped(Preferences, sent.wanted)
        wanted = [Contact(one.channel, one.address) for one in asked.channels]
        outbox = service.outbox
        set_wishes(
            tx, person_id, wanted, off=asked.off, digest=asked.digest, postage=outbox.postage, channels=outbox.channels
        )
        return _shown(tx, service, person_id)

    return await writing(request, work, body=sent)
