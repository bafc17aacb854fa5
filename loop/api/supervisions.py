"""Supervisions: inspection campaigns with team and matters, and the report that each owes when its period has ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_answer, listed
from loop.api.calls import changes, looking, made_at, posting, sending, taking
from loop.api.deps import query_of, service_of
from loop.api.describe import REFUSALS_OF_READING, REFUSALS_OF_WRITING, made, parameters, said
from loop.api.registry_shapes import PageQuery
from loop.api.shapes import Shape
from loop.api.views import instant
from loop.authority import by_office, covers, named, regions_of
from loop.kernel.clocks import Timer
from loop.kernel.errors import Forbidden, Invalid, NotFound
from loop.kernel.payloads import Code, Count, Day, Flag, Line, MaybeText, Name, Payload, field
from loop.kernel.people import CHIEF, DIRECTOR, OFFICER, Path
from loop.service import Service
from loop.store import offices, supervisions, timers
from loop.store.offices import Office
from loop.store.session import Tx
from loop.store.supervisions import Satisfaction, Supervision, chain_of

router = APIRouter(tags=["supervisions"])
KEEPERS = (OFFICER, CHIEF, DIRECTOR)
"""Who keeps the supervisions of their own office."""
REPORT = "supervision_report"

Kind = Literal["comprehensive", "special", "routine", "monitoring"]
Team = Annotated[list[Name], Field(max_length=100)]
Matters = Annotated[list[Annotated[Line, Field(max_length=500)]], Field(max_length=100)]


class Period(Payload):
    """From one day to another, both included."""

    from_on: Day = field("自", "from")
    until_on: Day = field("至", "until")


class Asked(Payload):
    """How satisfied those asked were."""

    method: Line = field("调查方式", "method")
    asked: Count = field("调查人数", "asked")
    satisfied: Count = field("满意人数", "satisfied")


class NewSupervision(Payload):
    """A campaign of the caller's office; `lead` and `team` are sign-in names, `office` an id or code."""

    kind: Kind = field("类别", "kind")
    title: Line = field("名称", "title")
    office: Code | None = field("督导机构", "office", None)
    period: Period = field("期间", "period")
    lead: Name | None = field("组长", "lead", None)
    team: Team = field("督导组", "team", [])
    matters: Matters = field("督导事项", "matters", [])
    report: MaybeText = field("督导报告", "report", "")
    satisfaction: Asked | None = field("满意度", "satisfaction", None)


class ChangedSupervision(Payload):
    """What changes about a campaign; with its `report` the deadline of the report is met."""

    kind: Kind | None = field("类别", "kind", None)
    title: Line | None = field("名称", "title", None)
    period: Period | None = field("期间", "period", None)
    lead: Name | None = field("组长", "lead", None)
    team: Team | None = field("督导组", "team", None)
    matters: Matters | None = field("督导事项", "matters", None)
    report: MaybeText | None = field("督导报告", "report", None)
    satisfaction: Asked | None = field("满意度", "satisfaction", None)
    active: Flag | None = field("在用", "active", None)


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
    return await looking(request, lambda tx, caller: json_answer(view(tx, service, _seen(tx, caller, supervision)[0])))


def _seen(tx: Tx, caller: Caller, id_: str) -> tuple[Supervision, Path]:
    value = supervisions.supervision(tx, named(id_))
    region = offices.office(tx, value.office_id).region
    if not covers(regions_of(caller.actor), region):
        raise NotFound
    return value, region


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
        new = read()
        office = _own_office(tx, caller, new.office)
        by = by_office(caller, service, office.region, *KEEPERS)
        wanted = Supervision(
            "", office.id, new.kind, new.title, new.period.from_on, new.period.until_on, new.lead or "", tuple(new.team),
            tuple(new.matters), new.report, _satisfaction(new.satisfaction),
        )  # fmt: skip
        added = supervisions.add_supervision(tx, by, wanted)
        _keep_time(tx, service, caller, None, added)
        return made_at(f"supervisions/{added.id}", view(tx, service, added))

    return await posting(request, NewSupervision, work, *KEEPERS)


def _own_office(tx: Tx, caller: Caller, wanted: str | None) -> Office:
    """The office that was named, or that of the caller's first post that keeps supervisions."""
    regions = regions_of(caller.actor, *KEEPERS)
    if wanted is not None:
        office = offices.find_office(tx, wanted)
        if office is None or office.region not in regions:
            raise Invalid.field("office", "不是您的督导机构。", "is no office of yours.", "unknown")
        return office
    found = next((office for path in regions if (office := offices.office_at(tx, path[-1]))), None)
    if found is None:
        raise Forbidden
    return found


@router.patch(
    "/supervisions/{supervision}", summary="Change a supervision, hand in its report",
    openapi_extra=sending(ChangedSupervision, {"report": "督导发现……", "team": ["wang.li"]}),
    responses={**said(SupervisionOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def change_supervision(request: Request, supervision: str) -> Response:
    """An officer, chief or director of its office changes anything but the office."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], ChangedSupervision]) -> Answer:
        before, region = _seen(tx, caller, supervision)
        try:
            by = by_office(caller, service, region, *KEEPERS)
        except NotFound:
            raise Forbidden from None
        after = supervisions.change_supervision(tx, by, before.id, _changed(changes(read(), "lead", "satisfaction")))
        _keep_time(tx, service, caller, before, after)
        return json_answer(view(tx, service, after))

    return await posting(request, ChangedSupervision, work)


def _changed(sent: dict[str, Any]) -> dict[str, Any]:
    """What was sent, as the store calls it."""
    if period := sent.pop("period", None):
        sent |= {"from_on": period.from_on, "until_on": period.until_on}
    if "lead" in sent:
        sent["lead"] = sent["lead"] or ""
    if "satisfaction" in sent:
        sent["satisfaction"] = _satisfaction(sent["satisfaction"])
    for name in ("team", "matters"):
        if name in sent:
            sent[name] = tuple(sent[name])
    return sent


def _satisfaction(told: Asked | None) -> Satisfaction | None:
    return Satisfaction(told.method, told.asked, told.satisfied) if told else None


def _keep_time(tx: Tx, service: Service, caller: Caller, before: Supervision | None, after: Supervision) -> None:
    """Start, move or stop the deadline of the report."""
    chain, office, side = chain_of(after.id), after.office_id, service.engine.side
    runs = any(t.rule == REPORT for t in timers.running(tx, chain))
    owed = after.active and not after.report
    moved = before is not None and before.until_on != after.until_on
    if runs and (moved or not owed):
        side.stop(tx, chain, REPORT, office, now=caller.now)
        runs = False
    if owed and not runs:
        side.start(tx, chain, REPORT, office, count_from=after.until_on, now=caller.now)
