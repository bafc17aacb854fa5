"""The clocks of a finding: until when, by which rule, on what it rests, what happens otherwise; and the count day by day."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.calendar import local_day
from loop.kernel.clocks import Timer, next_point
from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.kernel.people import CAPACITIES, ROLES
from loop.kernel.proof import Proof, period, proof
from loop.kernel.reference import PROVENANCE, beyond
from loop.kernel.workflow import WINDOW
from loop.service import Service
from loop.store import timers
from loop.store.session import Tx
from loop.store.sight import Sight, clock_shown, seen, sight_of
from loop.web.page import Crumb, Page, Visitor, show
from loop.web.places import finding_page
from loop.web.times import Due, Moment

router = APIRouter()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One clock. `otherwise` is what happens next if nothing is done, and `otherwise_at` when."""

    id: str
    rule: str
    label: Label
    owners: tuple[Label, ...]
    due: Due | None
    length: Label
    source: Label
    provenance: Label
    running: bool
    paused: bool
    moved: bool
    stopped: Moment | None
    otherwise: Label | None
    otherwise_at: Due | None


@dataclass(frozen=True, slots=True)
class ProofView:
    """A clock with its count."""

    clock: Clock
    sheet: Proof


def clocks_of(tx: Tx, visitor: Visitor, number: str, sight: Sight) -> tuple[Clock, ...]:
    """The clocks that this reader may see: those that run first, the first due on top."""
    flow = visitor.service.book.workflow
    shown = [clock_of(visitor, one) for one in timers.all_of(tx, number) if clock_shown(flow, sight, one)]
    return tuple(sorted(shown, key=lambda clock: (not clock.running, clock.due.iso if clock.due else "")))


def clock_of(visitor: Visitor, timer: Timer) -> Clock:
    """One clock in words."""
    book = visitor.service.book
    declared = book.workflow.timers.get(timer.rule)
    over = declared is not None and declared.kind == WINDOW and timer.is_past(visitor.now)
    running = timer.stopped_at is None and not over
    point = next_point(timer, declared.on_due, book.rules.ladder, book.calendar) if declared and running else None
    action = book.workflow.actions.get(point.action) if point else None
    return Clock(
        id=timer.id, rule=timer.rule, label=declared.label if declared else Label(timer.rule, timer.rule),
        owners=owners_in_words(timer.owner), due=visitor.times.due(timer.due_at),
        length=period(timer.number, timer.unit),
        source=beyond(book.rules.basis_of(timer.source), timer.provenance),
        provenance=PROVENANCE.get(timer.provenance, PROVENANCE["O"]), running=running, paused=timer.paused,
        moved=timer.due_at != timer.first_due_at, stopped=visitor.times.past(timer.stopped_at),
        otherwise=action.label if action else None, otherwise_at=visitor.times.due(point.at) if point else None,
    )  # fmt: skip


def owners_in_words(owner: str) -> tuple[Label, ...]:
    """Who owes something: roles joined by commas, as people call them."""
    return tuple(ROLES.get(one) or CAPACITIES[one] for one in owner.split(",") if one in ROLES or one in CAPACITIES)


@router.get("/findings/{number}/clocks/{id}")
async def count(request: Request, number: str, id: str) -> Response:  # noqa: A002  the name in the address
    """The count of one clock, day by day, so that anyone can do it again by hand."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        finding = seen(tx, visitor.actor, number)
        sight, flow = sight_of(visitor.actor, finding), visitor.service.book.workflow
        timer = next((t for t in timers.all_of(tx, finding.number) if t.id == id and clock_shown(flow, sight, t)), None)
        if timer is None:
            raise NotFound
        clock, sheet = clock_of(visitor, timer), _proof(visitor.service, timer)
        crumbs = (
            Crumb(Label("问题台账", "Ledger"), "/findings"),
            Crumb(Label(finding.number, finding.number), finding_page(finding.number)),
        )
        title = Label(f"{clock.label.zh}：逐日计算", f"{clock.label.as_heading().en}: the count day by day")
        return Page(template="clock.html", title=title, view=ProofView(clock, sheet), crumbs=crumbs)

    return await show(request, build)


def _proof(service: Service, timer: Timer) -> Proof:
    calendar = service.calendar
    return proof(
        timer.started_on, timer.number, timer.unit, local_day(timer.due_at, calendar),
        [(pause.since, pause.until, pause.why) for pause in timer.pauses], calendar, timer.source,
        local_day(timer.first_due_at, calendar),
    )  # fmt: skip
