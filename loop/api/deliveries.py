"""How far telling people got: deliveries with their attempts and replay, who was told of a finding, gaps in coverage."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer, listed
from loop.api.calls import looking
from loop.api.deps import path_text, query_of, service_of, writing
from loop.api.describe import IDEMPOTENCY_KEY, REFUSALS_OF_READING, REFUSALS_OF_WRITING, parameters, said
from loop.api.history import PageQuery
from loop.api.inbox import belongs
from loop.api.problems import language
from loop.api.shapes import Shape
from loop.api.views import instant
from loop.authority import regions_of, require, widest_region
from loop.engine.resending import resend, status_of
from loop.kernel.calendar import Calendar
from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.kernel.people import ADMIN, AUDITOR, CHIEF, DIRECTOR, OFFICER
from loop.store import deliveries, gaps, mailbox, names, offices, told
from loop.store.deliveries import Delivery, Tried
from loop.store.gaps import Gap
from loop.store.paging import cursor, key_of
from loop.store.reach import SEES_REGION
from loop.store.session import Tx
from loop.store.sight import seen as seen_finding
from loop.store.sight import sight_of
from loop.store.told import Told, Way

router = APIRouter(tags=["notifications"])
KEEPERS = (ADMIN, AUDITOR)
WATCHERS = (ADMIN, AUDITOR, CHIEF, DIRECTOR, OFFICER)
DELIVERIES, TOLD, COVERAGE = "deliveries", "told", "coverage"
LARGEST_ID = 2**62


class DeliveryQuery(BaseModel):
    """A page of deliveries; `dead=true` only those given up."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dead: bool | None = None
    channel: Annotated[str, Field(max_length=64)] = ""
    person: Annotated[str, Field(max_length=64)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(max_length=1000)] | None = None


class DeliveryOut(Shape):
    """One sending: `id` is what the receiver saw; status is owed, sent, delivered, given_up or not_needed. `error` is in
    the caller's language.
    """

    id: str
    channel: str
    person: str | None
    full_name: str | None
    address: str
    findings: int
    urgent: bool
    status: str
    attempts: int
    queued_at: str
    sent_at: str | None
    delivered_at: str | None
    error: str | None


class DeliveryList(Shape):
    """A page of deliveries, the newest first."""

    items: list[DeliveryOut]
    next: str | None


class AttemptOut(Shape):
    """One try, on the machine's time."""

    no: int
    at: str
    error: str | None
    permanent: bool


class WholeDelivery(DeliveryOut):
    """A delivery with every try."""

    tries: list[AttemptOut]


class WayOut(Shape):
    """How far a message got by one channel; `dropped` says why it was not sent."""

    channel: str
    due_at: str
    delivery: str | None
    attempts: int
    sent_at: str | None
    delivered_at: str | None
    dropped: str | None
    error: str | None


class ToldStep(Shape):
    """What one person was told of one step: when they should have been, and how far it got."""

    seq: int
    step: str
    person: str
    full_name: str
    role: str
    gap: str | None
    should_at: str
    queued_at: str
    sent_at: str | None
    delivered_at: str | None
    read_at: str | None
    acknowledged_at: str | None
    ways: list[WayOut]


class ToldList(Shape):
    """Who was told, in the order of the steps."""

    items: list[ToldStep]
    next: str | None


class GapOut(Shape):
    """A step that did not reach whom it should; `why` is nobody, stood_in, left or undelivered."""

    finding: str | None
    supervision: str | None
    tip_off: str | None
    seq: int
    step: str
    role: str
    person: str | None
    office: str
    why: str
    at: str


class Coverage(Shape):
    """The open gaps of one's offices; `owed` and `given_up` count what all of the service has yet to send, and could not."""

    items: list[GapOut]
    next: str | None
    owed: int
    given_up: int


# ---- deliveries ----------------------------------------------------------------------------------------------------


def reason_text(why: Label | None, spoken: str) -> str | None:
    """Why a letter was not taken, in the language `spoken`; None where it was."""
    return why.in_(spoken) if why else None


def delivery_view(
    delivery: Delivery, called: dict[str, tuple[str, str]], calendar: Calendar, spoken: str
) -> dict[str, Any]:
    """A delivery as answers show it."""
    name, full_name = called.get(delivery.person_id, (None, None))
    return {
        "id": delivery.key, "channel": delivery.channel, "person": name, "full_name": full_name, "address": delivery.address,
        "findings": delivery.copies, "urgent": delivery.urgent, "status": status_of(delivery), "attempts": delivery.attempts,
        "queued_at": instant(delivery.queued_at, calendar), "sent_at": instant(delivery.sent_at, calendar),
        "delivered_at": instant(delivery.delivered_at, calendar), "error": reason_text(delivery.error, spoken),
    }  # fmt: skip


def attempts_view(tried: Sequence[Tried], calendar: Calendar, spoken: str) -> list[dict[str, Any]]:
    """Every try of a delivery."""
    return [
        {
            "no": one.place, "at": instant(one.at, calendar), "error": reason_text(one.error, spoken),
            "permanent": one.permanent,
        }
        for one in tried
    ]  # fmt: skip


@router.get(
    "/deliveries", summary="What was sent, and what could not be", openapi_extra=parameters(DeliveryQuery),
    responses={**said(DeliveryList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_deliveries(request: Request) -> Response:
    """For administrators and auditors: letters to persons with a post in their region, the newest first."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        require(caller.actor, *KEEPERS)
        asked = query_of(request, DeliveryQuery)
        before = int(key_of(DELIVERIES, asked.after, int)[0]) if asked.after else LARGEST_ID
        found = deliveries.page(
            tx, limit=asked.limit + 1, before=before, dead=asked.dead, channel=asked.channel, person_id=asked.person,
            within=widest_region(caller.actor, *KEEPERS),
        )  # fmt: skip
        page = found[: asked.limit]
        called = names.of_people(tx, (one.person_id for one in page))
        following = cursor(DELIVERIES, (page[-1].id,)) if len(found) > asked.limit else None
        return listed([delivery_view(one, called, service.calendar, language(request)) for one in page], following)

    return await looking(request, work)


def _kept(tx: Tx, caller: Caller, key: str, *roles: str) -> Delivery:
    require(caller.actor, *roles)
    found = deliveries.by_key(tx, key)
    if found is None or not deliveries.in_region(tx, found, widest_region(caller.actor, *KEEPERS)):
        raise NotFound
    return found


@router.get(
    "/deliveries/{id}", summary="One delivery with every try", responses={**said(WholeDelivery), **REFUSALS_OF_READING}
)
async def read_delivery(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """For administrators and auditors."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        found = _kept(tx, caller, path_text(request, "id"), *KEEPERS)
        called = names.of_people(tx, [found.person_id])
        spoken = language(request)
        view = delivery_view(found, called, service.calendar, spoken)
        tried = deliveries.tries_of(tx, [found.id])[found.id]
        return json_answer({**view, "tries": attempts_view(tried, service.calendar, spoken)})

    return await looking(request, work)


@router.post(
    "/deliveries/{id}/replay", summary="Send a delivery once more", openapi_extra={"parameters": [IDEMPOTENCY_KEY]},
    responses={**said(DeliveryOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def replay_delivery(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """For administrators: one that was given up goes again, under the same id, so that a receiver can tell."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        found = _kept(tx, caller, path_text(request, "id"), ADMIN)
        return json_answer(replayed(tx, found, service.outbox.real(), service.calendar, language(request)))

    return await writing(request, work)


def replayed(tx: Tx, found: Delivery, real: datetime, calendar: Calendar, spoken: str) -> dict[str, Any]:
    """A delivery that goes once more; raises Conflict for one that is still under way or went through."""
    again = resend(tx, found, real)
    return delivery_view(again, names.of_people(tx, [again.person_id]), calendar, spoken)


# ---- who was told of a finding -------------------------------------------------------------------------------------


@router.get(
    "/findings/{number}/told", summary="Who was told what, and how far it got", openapi_extra=parameters(PageQuery),
    responses={**said(ToldList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_told(request: Request, number: str) -> Response:
    """For each step and person; a unit and its department see what they themselves were told."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        finding = seen_finding(tx, caller.actor, path_text(request, "number"))
        asked = query_of(request, PageQuery)
        seq, id_ = key_of(TOLD, asked.after, int, int) if asked.after else (0, 0)
        found = told.told_of(tx, finding.number, after=(int(seq), int(id_)), limit=asked.limit + 1)
        page = found[: asked.limit]
        full = sight_of(caller.actor, finding).full
        shown = [one for one in page if full or one.message.person_id == caller.actor.id]
        called = names.of_people(tx, (one.message.person_id for one in shown))
        following = cursor(TOLD, (page[-1].message.seq, page[-1].message.id)) if len(found) > asked.limit else None
        return listed([told_view(one, called, service.calendar, language(request)) for one in shown], following)

    return await looking(request, work)


def told_view(one: Told, called: dict[str, tuple[str, str]], calendar: Calendar, spoken: str) -> dict[str, Any]:
    """What one person was told, as answers show it."""
    message = one.message
    name, full_name = called.get(message.person_id, ("", ""))
    times = ("should_at", "queued_at", "sent_at", "delivered_at", "read_at")
    return {
        "seq": message.seq, "step": message.step, "person": name, "full_name": full_name, "role": message.role,
        "gap": message.gap or None, **{at: instant(getattr(message, at), calendar) for at in times},
        "acknowledged_at": instant(message.signed_at, calendar), "ways": [_way(way, calendar, spoken) for way in one.ways],
    }  # fmt: skip


def _way(way: Way, calendar: Calendar, spoken: str) -> dict[str, Any]:
    return {
        "channel": way.channel, "due_at": instant(way.due_at, calendar), "delivery": way.delivery or None,
        "attempts": way.attempts, "sent_at": instant(way.sent_at, calendar),
        "delivered_at": instant(way.delivered_at, calendar), "dropped": way.dropped or None,
        "error": reason_text(way.error, spoken),
    }  # fmt: skip


# ---- gaps ----------------------------------------------------------------------------------------------------------


@router.get(
    "/notifications/coverage", summary="Steps that did not reach whom they should", openapi_extra=parameters(PageQuery),
    responses={**said(Coverage), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_gaps(request: Request) -> Response:
    """The open gaps of one's offices. The reconciliation heals them as soon as somebody can be told."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        require(caller.actor, *WATCHERS)
        asked = query_of(request, PageQuery)
        after = key_of(COVERAGE, asked.after, str, str, str, int, str, str) if asked.after else None
        looked = sorted(offices.ids_within(tx, regions_of(caller.actor, *SEES_REGION, ADMIN)))
        found = gaps.page(tx, looked, limit=asked.limit + 1, after=after)
        page = found[: asked.limit]
        called = names.of_people(tx, (gap.person_id for gap in page if gap.person_id))
        codes = offices.codes_of(tx, {gap.office_id for gap in page})
        items = [_gap(gap, called, codes, service.calendar) for gap in page]
        following = cursor(COVERAGE, gaps.place_of(page[-1])) if len(found) > asked.limit else None
        owed = mailbox.owed_count(tx) + deliveries.owed_count(tx)
        return listed(items, following, owed=owed, given_up=deliveries.dead_count(tx))

    return await looking(request, work)


def _gap(gap: Gap, called: dict[str, tuple[str, str]], codes: dict[str, str], calendar: Calendar) -> dict[str, Any]:
    return {
        **belongs(gap.chain), "seq": gap.seq, "step": gap.step, "role": gap.role,
        "person": called.get(gap.person_id, (None, ""))[0], "office": codes.get(gap.office_id, ""), "why": gap.why,
        "at": instant(gap.at, calendar),
    }  # fmt: skip
