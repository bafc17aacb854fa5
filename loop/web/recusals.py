"""Recusals 回避: from which units somebody stays away, declared by themselves or decided by whoever is over them.

Source: 《教育督导条例》第十条 (no inspector whose impartiality may be in doubt).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop import staffing
from loop.authority import require, seen
from loop.kernel.errors import Invalid, LoopError, NotFound
from loop.kernel.labels import Label
from loop.kernel.payloads import read
from loop.kernel.people import IMPARTIAL
from loop.kernel.registration import NewRecusal
from loop.store import names, staff
from loop.store.session import Tx
from loop.store.staff import FOREVER, Person, Recusal
from loop.web import known
from loop.web.filled import Filled
from loop.web.forms import Form, FormMaker, Known
from loop.web.page import Crumb, Goto, Page, Visitor, change, show
from loop.web.profile import CRUMBS, PLACE
from loop.web.profile_substitutes import colleagues_of
from loop.web.sent import Sent, sent_of

router = APIRouter()
MINE, OTHERS = f"{PLACE}/recusals", "/recusals"
TITLE = Label("回避", "Recusals")
LEAD = Label(
    "登记后，此人不能再对该单位立案提出问题，也不能被指派复查、回头看或参加对该单位问题的问责调查。",
    "Once recorded, the person may open no finding about that unit, nor be assigned to its reviews, look-backs or inquiries.",
)
LEAD_OWN = Label(
    "登记后，您不能再对该单位立案提出问题，也不会被指派复查、回头看或参加对该单位问题的问责调查。",
    "Once recorded, you may open no finding about that unit, nor be assigned to its reviews, look-backs or inquiries.",
)
OF = Label("{name}的回避", "Recusals of {name}")


@dataclass(frozen=True, slots=True)
class Line:
    """One recusal; `over` where its last day has gone by."""

    unit_id: str
    unit: str
    ground: str
    until_on: str
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RecusalsView:
    """The recusals of one person, the form for one more, and whose else the reader may decide."""

    path: str
    lines: tuple[Line, ...]
    form: Form
    refusal: Label | None
    may_lift: bool
    colleagues: tuple[tuple[str, str], ...]


@router.get(MINE)
async def mine(request: Request) -> Response:
    """From which units I stay away."""
    return await show(request, lambda tx, visitor: _page(tx, visitor, _myself(tx, visitor)))


@router.post(MINE)
async def declare(request: Request) -> Response:
    """Stay away from a unit."""
    sent = await sent_of(request)

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        return _page(tx, visitor, _myself(tx, visitor), sent, error)

    return await change(request, sent, lambda tx, visitor: _keep(tx, visitor, _myself(tx, visitor), sent), again)


@router.get(f"{OTHERS}/{{who}}")
async def theirs(request: Request, who: str) -> Response:
    """From which units a person stays away whom the reader is over."""
    return await show(request, lambda tx, visitor: _page(tx, visitor, _theirs(tx, visitor, who)))


@router.post(f"{OTHERS}/{{who}}")
async def decide(request: Request, who: str) -> Response:
    """Keep them away from a unit."""
    sent = await sent_of(request)

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        return _page(tx, visitor, _theirs(tx, visitor, who), sent, error)

    return await change(request, sent, lambda tx, visitor: _keep(tx, visitor, _theirs(tx, visitor, who), sent), again)


@router.post(f"{OTHERS}/{{who}}/lift")
async def lift(request: Request, who: str) -> Response:
    """Let them back from today on."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        person = _theirs(tx, visitor, who)
        held = next((one for one in staff.recusals_of(tx, person.id) if one.unit_id == sent.get("unit")), None)
        if held is None:
            raise NotFound
        if held.until_on < visitor.today:
            return Goto(_path(visitor, person), "recusal-lifted")
        yesterday = visitor.today - timedelta(days=1)
        lifted = NewRecusal(unit=held.unit_id, ground=held.ground, until_on=yesterday)
        staffing.recuse(tx, visitor.caller, visitor.service, person, lifted)
        return Goto(_path(visitor, person), "recusal-lifted")

    return await change(request, sent, work)


def _myself(tx: Tx, visitor: Visitor) -> Person:
    require(visitor.actor, *IMPARTIAL)
    return staff.person(tx, visitor.actor.id)


def _theirs(tx: Tx, visitor: Visitor, who: str) -> Person:
    """The person, where the reader decides about them; raises NotFound, or Forbidden."""
    person = seen(tx, visitor.actor, who)
    staffing.over(tx, visitor.caller, person)
    return person


def _keep(tx: Tx, visitor: Visitor, person: Person, sent: Sent) -> Goto:
    new = read(NewRecusal, known.with_units(tx, visitor, NewRecusal, _typed(visitor, sent)))
    # By the API a day gone by lifts a recusal; typed into a form it is a slip of the pen.
    if new.until_on and new.until_on < visitor.today:
        raise Invalid.field("until_on", "不能早于今天。", "must not lie in the past.", "past")
    staffing.recuse(tx, visitor.caller, visitor.service, person, new)
    return Goto(_path(visitor, person), "recusal-kept")


def _typed(visitor: Visitor, sent: Sent) -> dict[str, object]:
    return Filled(sent, visitor.service.calendar.zone).values(NewRecusal)


def _path(visitor: Visitor, person: Person) -> str:
    return MINE if person.id == visitor.actor.id else f"{OTHERS}/{person.id}"


def _page(
    tx: Tx, visitor: Visitor, person: Person, sent: Sent | None = None, error: LoopError | None = None
) -> Page:  # fmt: skip
    faults = error.faults if isinstance(error, Invalid) else ()
    is_me = person.id == visitor.actor.id
    held = staff.recusals_of(tx, person.id)
    called = names.of_units(tx, [one.unit_id for one in held])
    form = FormMaker(Known(today=visitor.today.isoformat()), faults).form(
        NewRecusal, _typed(visitor, sent) if sent else None
    )
    view = RecusalsView(
        path=_path(visitor, person), lines=tuple(_line(one, called, visitor.today) for one in held), form=form,
        refusal=error.label if error and not faults else None, may_lift=not is_me,
        colleagues=_decided_by(tx, visitor) if is_me else (),
    )  # fmt: skip
    title = TITLE if is_me else OF.filled(name=person.full_name)
    crumbs = CRUMBS if is_me else (*CRUMBS, Crumb(TITLE, MINE)) if visitor.holds(*IMPARTIAL) else ()
    return Page(template="recusals.html", title=title, lead=LEAD_OWN if is_me else LEAD, view=view, crumbs=crumbs)


def _line(one: Recusal, called: Mapping[str, str], today: date) -> Line:
    until_on = "" if one.until_on == FOREVER else one.until_on.isoformat()
    return Line(one.unit_id, called.get(one.unit_id, one.unit_id), one.ground, until_on, one.until_on < today)


def _decided_by(tx: Tx, visitor: Visitor) -> tuple[tuple[str, str], ...]:
    """The colleagues about whom the reader decides: page and full name."""
    if not visitor.holds(*staffing.OVERSEERS):
        return ()
    seats = {seat.person_id: seat.full_name for seat in colleagues_of(tx, visitor.actor, visitor.today)}
    return tuple(sorted((f"{OTHERS}/{id_}", name) for id_, name in seats.items()))
