"""Tip-offs: anybody reports without signing in and asks the result by receipt code; the receiving office checks and answers.

The identity is sealed: only an officer or chief of the receiving office may open it, and each opening is on record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer, listed
from loop.api.bodies import body_of
from loop.api.calls import changes, looking, posting, sending
from loop.api.deps import query_of, service_of, shaped, writing
from loop.api.describe import REFUSALS_OF_READING, REFUSALS_OF_WRITING, made, parameters, refusals, said
from loop.api.registry_shapes import PageQuery
from loop.api.shapes import Shape
from loop.api.views import instant
from loop.authority import checked_offices, tip_off_of
from loop.browser import client_of
from loop.engine.tip_off_desk import PUBLIC, answer_due
from loop.kernel.errors import Invalid
from loop.kernel.payloads import Code, Flag, MaybeLine, MaybeText, Payload, Text, field
from loop.service import Service
from loop.store import offices, tip_offs
from loop.store.chronicle import By
from loop.store.session import Tx
from loop.store.tip_offs import OPEN, Sealed, TipOff

router = APIRouter(tags=["tip-offs"])
REFUSALS_TO_THE_PUBLIC = refusals(413, 415, 422, 429, 503)
NOBODY: dict[str, Any] = {"security": []}

Status = Literal["received", "checking", "answered", "refused"]


class NewTipOff(Payload):
    """What somebody reports: about a unit or at least a region; who they are only if they wish."""

    matter: Annotated[Text, Field(max_length=5_000)] = field("举报内容", "matter")
    unit: Code | None = field("被举报单位", "unit", None)
    region: Code | None = field("所在地区", "region", None)
    name: MaybeLine = field("举报人", "name", "")
    contact: MaybeLine = field("联系方式", "contact", "")


class Receipt(Payload):
    """The code that was told when the tip-off was taken in."""

    receipt: Annotated[str, Field(min_length=1, max_length=100)] = field("查询码", "receipt code")


class ChangedTipOff(Payload):
    """How the checking goes on: its status, the answer, and the finding it led to or is about."""

    status: Literal["checking", "answered", "refused"] | None = field("状态", "status", None)
    result: Annotated[MaybeText, Field(max_length=5_000)] | None = field("答复", "answer", None)
    finding: Code | None = field("问题编号", "finding", None)
    is_origin: Flag | None = field("问题由此举报而来", "the finding came from it", None)


class TipOffQuery(PageQuery):
    """A page of tip-offs, of one status where named."""

    status: Status | None = None


class IdentityQuery(BaseModel):
    """Whether to open the sealed identity, which is put on record."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    identity: bool = False


class Taken(Shape):
    """A tip-off taken in. `receipt` is told this once: with it the result can be asked."""

    receipt: str
    received_at: str
    answer_due_at: str


class Result(Shape):
    """How a tip-off stands, for who reported it; the answer once there is one."""

    status: Status
    result: str
    received_at: str
    answered_at: str | None


class Identity(Shape):
    """Who reported, as far as they said."""

    name: str
    contact: str


class TipOffOut(Shape):
    """A tip-off as its office sees it. `identity` only where it was asked for."""

    id: str
    office: str
    unit: str | None
    finding: str | None
    is_origin: bool
    matter: str
    status: Status
    result: str
    received_at: str
    answered_at: str | None
    answer_due_at: str | None
    identity: Identity | None = None


class TipOffList(Shape):
    """A page of tip-offs."""

    items: list[TipOffOut]
    next: str | None


# ---- the public ----------------------------------------------------------------------------------------------------


@router.post(
    "/tip-offs", status_code=201, summary="Report something, without signing in",
    openapi_extra={
        **sending(NewTipOff, {"matter": "学校食堂使用过期食材，请核查。", "region": "330106", "contact": "13800000000"}), **NOBODY,
    },
    responses={**made(Taken, "Taken in"), **REFUSALS_TO_THE_PUBLIC},
)  # fmt: skip
async def report(request: Request) -> Response:
    """The nearest office takes the tip-off in. The receipt code is told once; without it nobody learns the result.

    A repetition makes a second tip-off: no key is kept by which somebody else could ask for the code again.
    """
    service, sent = service_of(request), await body_of(request)
    service.count_tip_off(client_of(request))

    def work(tx: Tx) -> Answer:
        new, now = shaped(NewTipOff, sent.wanted), service.engine.clock.now(tx)
        by = By(PUBLIC, "public", now, service.book.workflow.version)
        _, receipt, timer = service.tip_offs.take_in(
            tx, by, matter=new.matter, region=new.region, unit_id=new.unit, sealed=Sealed(new.name, new.contact)
        )
        told = {
            "receipt": receipt, "received_at": instant(now, service.calendar),
            "answer_due_at": instant(timer.due_at, service.calendar),
        }  # fmt: skip
        return json_answer(told, 201)

    return (await asyncio.wrap_future(service.store.submit(work))).response()


@router.post(
    "/tip-offs/result", summary="Ask how a tip-off stands, by its receipt code",
    openapi_extra={**sending(Receipt, {"receipt": "7KQ2M-XH4PD-9TRWE-B3ZGN"}), **NOBODY},
    responses={**said(Result), **refusals(404), **REFUSALS_TO_THE_PUBLIC},
)  # fmt: skip
async def result(request: Request) -> Response:
    """Status and answer. Tries are counted by address."""
    service, sent = service_of(request), await body_of(request)
    service.count_question(client_of(request))

    def work(tx: Tx) -> Answer:
        found = tip_offs.by_receipt(tx, shaped(Receipt, sent.wanted).receipt)
        told = {
            "status": found.status, "result": "" if found.status in OPEN else found.result,
            "received_at": instant(found.at, service.calendar),
            "answered_at": instant(found.answered_at, service.calendar),
        }  # fmt: skip
        return json_answer(told)

    return (await asyncio.wrap_future(service.store.submit_read(work))).response()


# ---- the office ----------------------------------------------------------------------------------------------------


def view(tx: Tx, service: Service, value: TipOff) -> dict[str, Any]:
    """A tip-off as its office sees it, without the identity."""
    due = answer_due(tx, value)
    return {
        "id": value.id, "office": offices.office(tx, value.office_id).code, "unit": value.unit_id, "finding": value.finding,
        "is_origin": value.is_origin, "matter": value.matter, "status": value.status, "result": value.result,
        "received_at": instant(value.at, service.calendar), "answered_at": instant(value.answered_at, service.calendar),
        "answer_due_at": instant(due.due_at, service.calendar) if due else None,
    }  # fmt: skip


@router.get(
    "/tip-offs", summary="The tip-offs that one's office received", openapi_extra=parameters(TipOffQuery),
    responses={**said(TipOffList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_tip_offs(request: Request) -> Response:
    """In the order in which they came; for officers and chiefs of the receiving office."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        at = checked_offices(tx, caller.actor)
        asked = query_of(request, TipOffQuery)
        page = tip_offs.tip_offs(
            tx,
            offices=at,
            status=asked.status,
            after=asked.after,
            limit=asked.limit,
        )
        return listed([view(tx, service, value) for value in page.items], page.next)

    return await looking(request, work)


@router.get(
    "/tip-offs/{tip_off}", summary="One tip-off; with `identity=true` who reported it",
    openapi_extra=parameters(IdentityQuery), responses={**said(TipOffOut), **REFUSALS_OF_READING},
)  # fmt: skip
async def read_tip_off(request: Request, tip_off: str) -> Response:
    """For officers and chiefs of the receiving office. Opening the identity leaves an entry in the tip-off's chain, so it
    takes what every change takes: a token with the scope `write`, or a session with its X-CSRF-Token.
    """
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        found, _ = tip_off_of(tx, caller, service, tip_off)
        query_of(request, IdentityQuery)  # refuses what it does not know
        return json_answer(view(tx, service, found))

    def opened(tx: Tx, caller: Caller) -> Answer:
        found, by = tip_off_of(tx, caller, service, tip_off)
        sealed = service.tip_offs.open_identity(tx, by, found)
        who = {"name": sealed.name, "contact": sealed.contact}
        return json_answer({**view(tx, service, found), "identity": who})

    return await (writing(request, opened) if _asks_identity(request) else looking(request, work))


def _asks_identity(request: Request) -> bool:
    try:
        return query_of(request, IdentityQuery).identity
    except Invalid:
        return False  # refused as soon as it is known who asks, and for what


@router.patch(
    "/tip-offs/{tip_off}", summary="Check and answer a tip-off",
    openapi_extra=sending(ChangedTipOff, {"status": "answered", "result": "经查属实，已责令整改。"}),
    responses={**said(TipOffOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def change_tip_off(request: Request, tip_off: str) -> Response:
    """Its status, the answer, the finding it led to. An answer needs words, and stops the deadline."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], ChangedTipOff]) -> Answer:
        found, by = tip_off_of(tx, caller, service, tip_off)
        wanted = changes(read())
        desk = service.tip_offs
        if "finding" in wanted:
            found = desk.link(tx, by, found, wanted["finding"], is_origin=wanted.get("is_origin"))
        elif "is_origin" in wanted:
            raise Invalid.field("finding", "请同时填写问题编号。", "is needed with is_origin.", "missing")
        if "status" in wanted or "result" in wanted:
            found = desk.answer(tx, by, found, status=wanted.get("status"), result=wanted.get("result"))
        return json_answer(view(tx, service, found))

    return await posting(request, ChangedTipOff, work)
