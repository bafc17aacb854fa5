"""Webhooks: a program of one's own is told of every step in one's scope, signed as Standard Webhooks asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from json import loads
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer, json_text, listed
from loop.api.bodies import Body, body_of
from loop.api.calls import changes, looking, made_at, posting, sending, taking
from loop.api.deliveries import (
    DELIVERIES,
    LARGEST_ID,
    AttemptOut,
    DeliveryOut,
    attempts_view,
    delivery_view,
    reason_text,
    replayed,
)
from loop.api.deps import name_in, once_of, query_of, service_of, shaped, writer, writing
from loop.api.describe import IDEMPOTENCY_KEY, REFUSALS_OF_READING, REFUSALS_OF_WRITING, made, parameters, said
from loop.api.history import PageQuery
from loop.api.problems import language
from loop.api.shapes import Shape
from loop.api.views import instant
from loop.engine.subscriptions import Subscriptions
from loop.kernel.calendar import Calendar
from loop.kernel.errors import NotFound
from loop.kernel.payloads import Code, Flag, Line, Payload, field
from loop.service import Service
from loop.store import deliveries, webhooks
from loop.store.paging import cursor, key_of
from loop.store.session import Tx
from loop.store.webhooks import Webhook

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
SCOPE = "webhooks"
Address = Annotated[str, Field(min_length=8, max_length=2_000)]
Actions = Annotated[list[Code], Field(max_length=100)]
EXAMPLE = {
    "name": "县政府督查平台",
    "url": "https://hooks.example.gov.cn/loop",
    "actions": ["submit_plan", "write_off"],
}


class NewWebhook(Payload):
    """A subscription to the steps in a region or at a unit where the caller holds a post; all actions, or those named."""

    name: Line = field("名称", "name")
    url: Address = field("地址", "address")
    region: Code | None = field("地区", "region", None)
    unit: Code | None = field("单位", "unit", None)
    actions: Actions = field("事项", "actions", [])


class ChangedWebhook(Payload):
    """What changes of a subscription."""

    name: Line | None = field("名称", "name", None)
    url: Address | None = field("地址", "address", None)
    actions: Actions | None = field("事项", "actions", None)
    active: Flag | None = field("启用", "active", None)


class Rotation(Payload):
    """For how many hours letters are signed with the old secret as well."""

    keep_hours: Annotated[int, Field(ge=0, le=720, strict=True)] = field(
        "旧密钥保留小时数", "hours to keep the old one", 24
    )


class WebhookOut(Shape):
    """A subscription. `actions` is empty for all of them; `off_reason` says why it was switched off."""

    id: str
    name: str
    url: str
    region: str | None
    unit: str | None
    actions: list[str]
    created_at: str
    active: bool
    failures: int
    failing_since: str | None
    off_reason: str | None


class WebhookMade(WebhookOut):
    """A subscription with its secret, which is told this once."""

    secret: str


class WebhookList(Shape):
    """A page of subscriptions."""

    items: list[WebhookOut]
    next: str | None


class HookDelivery(DeliveryOut):
    """A delivery to a program, with every try."""

    tries: list[AttemptOut]


class HookDeliveries(Shape):
    """A page of deliveries, the newest first."""

    items: list[HookDelivery]
    next: str | None


def subscriptions(service: Service) -> Subscriptions:
    """The webhooks of this installation."""
    return Subscriptions(service.book.workflow, service.outbox.channels)


def view(hook: Webhook, calendar: Calendar, spoken: str) -> dict[str, Any]:
    """A subscription as answers show it, without its secrets."""
    return {
        "id": hook.id, "name": hook.name, "url": hook.url, "region": hook.region or None, "unit": hook.unit_id or None,
        "actions": list(hook.actions), "created_at": instant(hook.created_at, calendar), "active": hook.active,
        "failures": hook.failures, "failing_since": instant(hook.failing_since, calendar),
        "off_reason": reason_text(hook.off_reason, spoken),
    }  # fmt: skip


# ---- subscriptions -------------------------------------------------------------------------------------------------


@router.get(
    "", summary="My subscriptions", openapi_extra=parameters(PageQuery),
    responses={**said(WebhookList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_webhooks(request: Request) -> Response:
    """In the order in which they were made, those switched off too."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, PageQuery)
        after = str(key_of(SCOPE, asked.after, str)[0]) if asked.after else ""
        found = webhooks.of_person(tx, caller.actor.id, limit=asked.limit + 1, after=after)
        page = found[: asked.limit]
        following = cursor(SCOPE, (page[-1].id,)) if len(found) > asked.limit else None
        return listed([view(hook, service.calendar, language(request)) for hook in page], following)

    return await looking(request, work)


@router.post(
    "", status_code=201, summary="Subscribe a program", openapi_extra=taking(NewWebhook, EXAMPLE),
    responses={**made(WebhookMade), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def add_webhook(request: Request) -> Response:
    """`secret` is told this once; a repeated request with the same Idempotency-Key makes no second one, and tells nothing."""
    service, sent = service_of(request), await body_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        new = shaped(NewWebhook, sent.wanted)
        hook, secret = subscriptions(service).add(
            tx, caller.actor, name=new.name, url=new.url, region=new.region, unit=new.unit, actions=new.actions,
            real=service.access.real(),
        )  # fmt: skip
        return made_at(f"webhooks/{hook.id}", {**view(hook, service.calendar, language(request)), "secret": secret})

    return await _secretly(request, sent, work)


@router.get("/{id}", summary="One subscription of mine", responses={**said(WebhookOut), **REFUSALS_OF_READING})
async def read_webhook(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """Without its secrets."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        return json_answer(view(_own(tx, caller, service, id), service.calendar, language(request)))

    return await looking(request, work)


@router.patch(
    "/{id}", summary="Change a subscription", openapi_extra=sending(ChangedWebhook, {"active": True}),
    responses={**said(WebhookOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def change_webhook(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """Its name, address, actions; switched off or on. What was queued while it was off is not sent later."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], ChangedWebhook]) -> Answer:
        hook = _own(tx, caller, service, id)
        after = subscriptions(service).change(tx, hook, changes(read()))
        return json_answer(view(after, service.calendar, language(request)))

    return await posting(request, ChangedWebhook, work)


@router.post(
    "/{id}/rotate", summary="Give a subscription a new secret", openapi_extra=taking(Rotation, {"keep_hours": 24}),
    responses={**said(WebhookMade), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def rotate(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """The new secret is told this once. Letters carry a signature of each until the old one ends."""
    service, sent = service_of(request), await body_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        hook = _own(tx, caller, service, id)
        asked = shaped(Rotation, sent.wanted)
        keep = timedelta(hours=asked.keep_hours)
        after, secret = subscriptions(service).rotate(tx, hook, keep, service.access.real())
        return json_answer({**view(after, service.calendar, language(request)), "secret": secret})

    return await _secretly(request, sent, work)


async def _secretly(request: Request, sent: Body, work: Callable[[Tx, Caller], Answer]) -> Response:
    """`work` in one transaction; what is kept for a repeated request has no secret in it."""
    service = service_of(request)

    def whole(tx: Tx) -> Answer:
        caller = writer(request, tx)
        once = once_of(request, caller, sent)
        if once and (earlier := once.earlier(tx)):
            return earlier
        answer = work(tx, caller)
        if once:
            once.keep(tx, replace(answer, text=json_text(loads(answer.text) | {"secret": ""})))
        return answer

    return (await asyncio.wrap_future(service.store.submit(whole))).response()


def _own(tx: Tx, caller: Caller, service: Service, id_: str) -> Webhook:
    return subscriptions(service).own(tx, caller.actor, name_in(id_))


# ---- deliveries ----------------------------------------------------------------------------------------------------


@router.get(
    "/{id}/deliveries", summary="What a program was told, with every try", openapi_extra=parameters(PageQuery),
    responses={**said(HookDeliveries), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_attempts(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """The newest first."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        hook = _own(tx, caller, service, id)
        asked = query_of(request, PageQuery)
        before = int(key_of(DELIVERIES, asked.after, int)[0]) if asked.after else LARGEST_ID
        found = deliveries.page(tx, limit=asked.limit + 1, before=before, webhook_id=hook.id)
        page = found[: asked.limit]
        tried, calendar = deliveries.tries_of(tx, [one.id for one in page]), service.calendar
        spoken = language(request)
        items = [
            {**delivery_view(one, {}, calendar, spoken), "tries": attempts_view(tried[one.id], calendar, spoken)}
            for one in page
        ]
        following = cursor(DELIVERIES, (page[-1].id,)) if len(found) > asked.limit else None
        return listed(items, following)

    return await looking(request, work)


@router.post(
    "/{id}/deliveries/{delivery}/replay", summary="Tell a program once more",
    openapi_extra={"parameters": [IDEMPOTENCY_KEY]}, responses={**said(DeliveryOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def replay(request: Request, id: str, delivery: str) -> Response:  # noqa: A002  the name in the address
    """A delivery that was given up goes again under the same id."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        hook = _own(tx, caller, service, id)
        found = deliveries.by_key(tx, name_in(delivery))
        if found is None or found.webhook_id != hook.id:
            raise NotFound
        return json_answer(replayed(tx, found, service.outbox.real(), service.calendar, language(request)))

    return await writing(request, work)
