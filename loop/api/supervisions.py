"""Supervisions: inspection campaigns with team and matters, and the report that each owes when its period has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer, listed
from loop.api.calls import changes, looking, made_at, posting, sending, taking
from loop.api.deps import query_of, service_of
from loop.api.describe import REFUSALS_OF_READING, REFUSALS_OF_WRITING, made, parameters, said
from loop.api.registry_shapes import PageQuery
from loop.api.shapes import Shape
from loop.api.views import instant
from loop.authority import regions_of
from loop.campaigns import KEEPERS, REPORT, alter, begin, kept, seen
from loop.kernel.campaigns import ChangedSupervision, Kind, NewSupervision
from loop.kernel.clocks import Timer
from loop.service import Service
from loop.store import offices, supervisions, timers
from loop.store.session import Tx
from loop.store.supervisions import Supervision, chain_of

router = APIRouter(tags=["supervisions"])


class PeriodOut(Shape):
    """From one day to another."""

    from_on: str
    until_on: str


class SatisfactionOut(Shape):
    """How satisfied those asked were."""

    method: str
    asked: int
    satisfied: int


class SupervisionOut(Shape):
    """A campaign; `office` is a code. `report_due_at` is null once the report is there."""

    id: str
    kind: Kind
    title: str
    office: str
    period: PeriodOut
    lead: str | None
    team: list[str]
    matters: list[str]
    report: str
    satisfaction: SatisfactionOut | None
    active: bool
    report_due_at: str | None


class SupervisionList(Shape):
    """A page of campaigns."""

    items: list[SupervisionOut]
    next: str | None


def view(tx: Tx, service: Service, value: Supervision) -> dict[str, Any]:
    """A campaign as answers show it."""
    return views(tx, service, [value])[0]


def views(tx: Tx, service: Service, values: Sequence[Supervision]) -> list[dict[str, Any]]:
    """Campaigns as answers show them, in two queries."""
    due = timers.running_of(tx, [chain_of(value.id) for value in values])
    codes = offices.codes_of(tx, (value.office_id for value in values))
    return [_view(service, value, due.get(chain_of(value.id), ()), codes[value.office_id]) for value in values]


def _view(service: Service, value: Supervision, due: Sequence[Timer], office: str) -> dict[str, Any]:
    told = value.satisfaction
    running = [t for t in due if t.rule == REPORT]
    return {
        "id": value.id, "kind": value.kind, "title": value.title, "office": office,
        "period": {"from_on": value.from_on.isoformat(), "until_on": value.until_on.isoformat()},
        "lead": value.lead or None, "team": list(value.team), "matters": list(value.matters), "report": value.report,
        "satisfaction": {"method": told.method, "asked": told.asked, "satisfied": told.satisfied} if told else None,
        "active": value.active,
        "report_due_at": instant(running[0].due_at, service.calendar) if running else None,
    }  # fmt: skip


# ---- reading -------------------------------------------------------------------------------------------------------


@router.get(
    "/supervisions", summary="The supervisions of the offices in scope", openapi_extra=parameters(PageQuery),
    responses={**said(SupervisionList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_supervisions(request: Request) -> Response:
    """Supervisions in the order in which they were made."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, PageQuery)
        page = supervisions.supervisions(
            tx, within=regions_of(caller.actor), active=asked.active, after=asked.after, limit=asked.limit
        )
        return listed(views(tx, service, page.items), page.next)

    return await looking(request, work)


@router.get(
    "/supervisions/{supervision}", summary="One supervision",
    responses={**said(SupervisionOut), **REFUSALS_OF_READING},
)  # fmt: skip
async def read_supervision(request: Request, supervision: str) -> Response:
    """A supervision of an office in scope."""
    service = service_of(request)
    return await looking(
        request, lambda tx, caller: json_answer(view(tx, service, seen(tx, caller.actor, supervision)[0]))
    )


# ---- keeping -------------------------------------------------------------------------------------------------------


@router.post(
    "/supervisions", status_code=201, summary="Begin a supervision",
    openapi_extra=taking(
        NewSupervision,
        {
            "kind": "special", "title": "2026年春季校园安全专项督导", "period": {"from_on": "2026-03-02", "until_on": "2026-03-20"},
            "matters": ["校园安全"],
        },
    ),
    responses={**made(SupervisionOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def add_supervision(request: Request) -> Response:
    """An officer, chief or director begins a supervision of their own office; its report is due after it ends."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], NewSupervision]) -> Answer:
        added = begin(tx, service, caller, read())
        return made_at(f"supervisions/{added.id}", view(tx, service, added))

    return await posting(request, NewSupervision, work, *KEEPERS)


@router.patch(
    "/supervisions/{supervision}", summary="Change a supervision, hand in its report",
    openapi_extra=sending(ChangedSupervision, {"report": "督导发现……", "team": ["wang.li"]}),
    responses={**said(SupervisionOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def change_supervision(request: Request, supervision: str) -> Response:
    """An officer, chief or director of its office changes anything but the office."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], ChangedSupervision]) -> Answer:
        before, by = kept(tx, service, caller, supervision)
        after = alter(tx, service, caller, before, by, changes(read(), "lead", "satisfaction"))
        return json_answer(view(tx, service, after))

    return await posting(request, ChangedSupervision, work)
