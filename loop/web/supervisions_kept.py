"""Keeping supervisions: beginning one, changing its plan, handing in its report, taking it out of use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import require
from loop.campaigns import KEEPERS, alter, begin, kept, own_offices
from loop.kernel.campaigns import NewSupervision, Plan, Report
from loop.kernel.errors import Forbidden, Invalid, LoopError
from loop.kernel.labels import Label
from loop.kernel.payloads import Payload, read
from loop.store import offices
from loop.store.session import Tx
from loop.store.supervisions import Supervision, chain_of
from loop.web.faults import CORRECT
from loop.web.filled import Filled
from loop.web.forms import Form, FormMaker, Known
from loop.web.known import colleagues
from loop.web.page import Crumb, Goto, Page, Visitor, change, show
from loop.web.places import page_of
from loop.web.sent import Sent, sent_of
from loop.web.supervisions import HOME, PLACE

router = APIRouter()
NEW, EDIT, REPORT = (
    Label("新建督导活动", "Begin a supervision"),
    Label("修改督导安排", "Change the plan"),
    Label("提交督导报告", "Hand in the report"),
)
LATER = ("report", "satisfaction")
"""What nobody knows when a supervision begins."""
OFFICE = "office"
YES = "yes"


@dataclass(frozen=True, slots=True)
class FormView:
    """A form about a supervision: where it is sent, where one goes without it, why it was refused, and whether it makes a
    new one.
    """

    path: str
    back: str
    draft: str
    form: Form
    button: Label
    refusal: Label | None
    makes: bool = False


# ---- beginning -------------------------------------------------------------------------------------------------------


@router.get(f"{PLACE}/new")
async def ask_new(request: Request) -> Response:
    """The form of a new supervision."""
    return await show(request, lambda tx, visitor: _new(tx, visitor, None))


@router.post(f"{PLACE}/new")
async def add(request: Request) -> Response:
    """Begin it."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        require(visitor.actor, *KEEPERS)
        new = read(NewSupervision, _filled(visitor, NewSupervision, sent))
        made = begin(tx, visitor.service, visitor.caller, new)
        return Goto(page_of(chain_of(made.id)), "supervision-begun")

    return await change(request, sent, work, lambda tx, visitor, error: _new(tx, visitor, sent, error))


def _new(tx: Tx, visitor: Visitor, sent: Sent | None, error: LoopError | None = None) -> Page:
    mine = own_offices(tx, visitor.actor)
    if not mine:
        raise Forbidden
    values = _filled(visitor, NewSupervision, sent) if sent else None
    chosen = next((one for one in mine if values and one.id == values.get(OFFICE)), mine[0])
    options = {
        "person": colleagues(tx, visitor, chosen.region),
        OFFICE: [(one.id, Label(one.name, one.name)) for one in mine],
    }
    form = _maker(visitor, options, error).form(NewSupervision, values)
    left_out = (*LATER, *([OFFICE] if len(mine) == 1 else []))
    shown = Form(tuple(one for one in form.fields if one.name not in left_out), form.wrong)
    begin_it = Label("建立", "Begin")
    view = FormView(f"{PLACE}/new", PLACE, "supervision:new", shown, begin_it, _refusal(error), makes=True)
    return Page(template="supervision_form.html", title=NEW, view=view, crumbs=(HOME,))


# ---- changing --------------------------------------------------------------------------------------------------------


@router.get(f"{PLACE}/{{supervision}}/edit")
async def ask_edit(request: Request, supervision: str) -> Response:
    """The plan as it stands."""
    return await show(request, lambda tx, visitor: _edit(tx, visitor, supervision, None))


@router.post(f"{PLACE}/{{supervision}}/edit")
async def edit(request: Request, supervision: str) -> Response:
    """Keep the plan as it was typed."""
    return await _altered(request, supervision, Plan, "supervision-kept", _edit)


@router.get(f"{PLACE}/{{supervision}}/report")
async def ask_report(request: Request, supervision: str) -> Response:
    """The report as far as it is there."""
    return await show(request, lambda tx, visitor: _report(tx, visitor, supervision, None))


@router.post(f"{PLACE}/{{supervision}}/report")
async def report(request: Request, supervision: str) -> Response:
    """Hand in the report; an emptied one is taken back."""
    return await _altered(request, supervision, Report, "supervision-reported", _report)


@router.post(f"{PLACE}/{{supervision}}/active")
async def retire(request: Request, supervision: str) -> Response:
    """Take it out of use, or back into use."""
    sent = await sent_of(request)
    active = sent.get("active") == YES

    def work(tx: Tx, visitor: Visitor) -> Goto:
        before, by = kept(tx, visitor.service, visitor.caller, supervision)
        alter(tx, visitor.service, visitor.caller, before, by, {"active": active})
        return Goto(page_of(chain_of(before.id)), "supervision-restored" if active else "supervision-retired")

    return await change(request, sent, work)


Remake = Callable[[Tx, Visitor, str, Sent | None, LoopError | None], Page]


async def _altered(request: Request, id_: str, model: type[Payload], done: str, remake: Remake) -> Response:
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        before, by = kept(tx, visitor.service, visitor.caller, id_)
        payload = read(model, _filled(visitor, model, sent))
        changes = {name: getattr(payload, name) for name in model.model_fields}
        alter(tx, visitor.service, visitor.caller, before, by, changes)
        return Goto(page_of(chain_of(before.id)), done)

    return await change(request, sent, work, lambda tx, visitor, error: remake(tx, visitor, id_, sent, error))


def _edit(tx: Tx, visitor: Visitor, id_: str, sent: Sent | None, error: LoopError | None = None) -> Page:
    found, _ = kept(tx, visitor.service, visitor.caller, id_)
    region = offices.office(tx, found.office_id).region
    standing = {
        "kind": found.kind, "title": found.title, "lead": found.lead, "team": list(found.team),
        "matters": list(found.matters),
        "period": {"from_on": found.from_on.isoformat(), "until_on": found.until_on.isoformat()},
    }  # fmt: skip
    maker = _maker(visitor, {"person": colleagues(tx, visitor, region)}, error)
    form = maker.form(Plan, _filled(visitor, Plan, sent) if sent else standing)
    return _page(EDIT, found, "edit", form, Label("保存", "Save"), error)


def _report(tx: Tx, visitor: Visitor, id_: str, sent: Sent | None, error: LoopError | None = None) -> Page:
    found, _ = kept(tx, visitor.service, visitor.caller, id_)
    told = asdict(found.satisfaction) if found.satisfaction else None
    standing = {"report": found.report, "satisfaction": told}
    form = _maker(visitor, {}, error).form(Report, _filled(visitor, Report, sent) if sent else standing)
    return _page(REPORT, found, "report", form, Label("提交", "Hand in"), error)


# ---- forms -----------------------------------------------------------------------------------------------------------


def _page(title: Label, one: Supervision, step: str, form: Form, button: Label, error: LoopError | None) -> Page:
    place = page_of(chain_of(one.id))
    view = FormView(f"{place}/{step}", place, f"{chain_of(one.id)}:{step}", form, button, _refusal(error))
    crumbs = (HOME, Crumb(Label(one.title, one.title), place))
    return Page(template="supervision_form.html", title=title, view=view, crumbs=crumbs)


def _filled(visitor: Visitor, model: type[Payload], sent: Sent) -> dict[str, Any]:
    return Filled(sent, visitor.service.calendar.zone).values(model)


def _maker(visitor: Visitor, options: Mapping[str, list[tuple[str, Label]]], error: LoopError | None) -> FormMaker:
    known = Known(options=options, today=visitor.today.isoformat())
    return FormMaker(known, error.faults if isinstance(error, Invalid) else ())


def _refusal(error: LoopError | None) -> Label | None:
    return CORRECT if isinstance(error, Invalid) else error.label if error else None
