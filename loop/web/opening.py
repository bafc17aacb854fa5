"""Recording a finding: on site with a telephone in a minute, or taken over from an older ledger."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from loop.engine.birth import can_create, may_create
from loop.engine.door import Wish
from loop.engine.links import make_seal
from loop.kernel.decide import action_named
from loop.kernel.errors import Fault, Invalid, LoopError
from loop.kernel.labels import Label
from loop.kernel.workflow import Action
from loop.store.session import Refused, Tx
from loop.web import known
from loop.web.acting import FIND, LEDGER, MORE, payload_of
from loop.web.filled import Filled
from loop.web.forms import Form, FormMaker
from loop.web.keeping import KEPT, Claim, claimed, claims
from loop.web.notices import ACTED
from loop.web.page import Goto, Page, Visitor, change, look, service_of, show, visitor_of
from loop.web.places import finding_page
from loop.web.sent import Sent
from loop.web.tip_off_finding import FROM, beginning, led_to
from loop.web.uploads import SentFiles, Upload, attach_in, sent_with_files

router = APIRouter()
PATHS = {"open": "/findings/new", "take_over": "/findings/take-over"}
LEADS = {
    "open": Label(
        "先记要点，其余可以稍后补充；保存后为草稿，提交审核前都可修改。",
        "The essentials first; it stays a draft that you can amend.",
    ),
    "take_over": Label("把旧台账中仍在办理的问题接过来，按当前进度继续。", "Takes over what an older ledger has open."),
}

FROM_A_TIP_OFF = Label(
    "内容取自线索。被督导单位日后可以看到，请删去可能暴露举报人的细节。",
    "Filled in from the tip-off. The unit will read it one day: take out what could give away who reported.",
)


@dataclass(frozen=True, slots=True)
class OpeningView:
    """The form of a new finding: what must be said, what may be, and the other way to bring one into being."""

    name: str
    path: str
    needed: Form
    more: Form
    more_is_open: bool
    refusal: Label | None
    kept: tuple[Claim, ...]
    others: tuple[tuple[str, Label], ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed so far, from which tip-off it began, what is wrong with it, and the files that came along."""

    sent: Sent | None = None
    tip_off: str = ""
    faults: tuple[Fault, ...] = ()
    refusal: Label | None = None
    kept: tuple[Claim, ...] = ()


@router.get("/findings/new")
async def ask_new(request: Request) -> Response:
    """The form for a finding seen today."""
    return await _ask(request, "open")


@router.get("/findings/take-over")
async def ask_take_over(request: Request) -> Response:
    """The form for a finding out of an older ledger."""
    return await _ask(request, "take_over")


@router.post("/findings/new")
async def record(request: Request) -> Response:
    """The action `open`."""
    return await _create(request, "open")


@router.post("/findings/take-over")
async def take_over(request: Request) -> Response:
    """The action `take_over`."""
    return await _create(request, "take_over")


@router.get("/units")
async def alike(request: Request) -> Response:
    """Names of units with these characters, for the list under a field that asks for one."""
    typed = next(iter(request.query_params.values()), "")

    def work(tx: Tx, visitor: Visitor) -> list[str]:
        return known.units_like(tx, visitor, typed) if typed.strip() else []

    names = await look(request, work)
    template = request.app.state.renderer.fragment("units.html", names=names)
    return HTMLResponse(template, headers={"Cache-Control": "no-store"})


async def _ask(request: Request, name: str) -> Response:
    tip_off = request.query_params.get(FROM, "")

    def build(tx: Tx, visitor: Visitor) -> Page:
        may_create(action_named(visitor.service.book, name), visitor.actor)
        begun = beginning(tx, visitor, tip_off) if tip_off else None
        return _page(tx, visitor, name, Typed(begun, tip_off=tip_off))

    return await show(request, build)


async def _create(request: Request, name: str) -> Response:
    await look(request, lambda tx, visitor: may_create(action_named(visitor.service.book, name), visitor.actor))
    given, tip_off = await sent_with_files(request), request.query_params.get(FROM, "")
    sent = given.sent
    files, kept = await _files(request, given)
    typed = Typed(sent, tip_off, given.faults, kept=kept)
    if sent.has(MORE) or given.faults:
        return await change(request, sent, lambda tx, visitor: _page(tx, visitor, name, typed))

    def work(tx: Tx, visitor: Visitor) -> Goto | Refused:
        model = action_named(visitor.service.book, name).payload
        wish = Wish(actor=visitor.actor, action=name, payload=payload_of(tx, visitor, model, sent))
        number = visitor.service.engine.act_in(tx, wish, lambda tx, done: done.finding.number)
        if isinstance(number, Refused):
            return number
        if tip_off:
            led_to(tx, visitor, tip_off, number)
        for one in files:
            if isinstance(refused := attach_in(tx, visitor, number, one), Refused):
                return refused
        return Goto(finding_page(number), f"{ACTED}{name}")

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        faults = error.faults if isinstance(error, Invalid) else ()
        return _page(tx, visitor, name, replace(typed, faults=faults, refusal=FIND if faults else error.label))

    return await change(request, given.whole, work, again)


async def _files(request: Request, given: SentFiles) -> tuple[tuple[Upload, ...], tuple[Claim, ...]]:
    """The files that came along, those among them that came with an earlier try, and this person's claims on them all."""
    if not given.uploads and not given.sent.has(KEPT):
        return (), ()

    def work(tx: Tx) -> tuple[tuple[Upload, ...], tuple[Claim, ...]]:
        person, seal = visitor_of(request, tx, given.sent).actor.id, make_seal(tx)
        files = (*claimed(seal, person, given.sent), *given.uploads)
        return files, claims(seal, person, files)

    return await asyncio.wrap_future(service_of(request).store.submit(work))


def _page(tx: Tx, visitor: Visitor, name: str, typed: Typed) -> Page:
    action, sent = action_named(visitor.service.book, name), typed.sent
    values = Filled(sent, visitor.service.calendar.zone).values(action.payload) if sent else None
    maker = FormMaker(known.known_for_new(tx, visitor), typed.faults)
    form = maker.form(action.payload, values, more=sent.get(MORE) if sent else "")
    needed = tuple(one for one in form.fields if one.required or one.name in FIRST)
    more = tuple(one for one in form.fields if one not in needed)
    marked = any(one.wrong or any(f.wrong for row in one.rows for f in row.fields) for one in more)
    view = OpeningView(
        name, _path(name, typed.tip_off), Form(needed, form.wrong), Form(more), marked or bool(sent and sent.has(MORE)),
        typed.refusal, typed.kept,
        tuple((PATHS[one.name], one.label) for one in _possible(visitor) if one.name != name),
    )  # fmt: skip
    lead = FROM_A_TIP_OFF if typed.tip_off else LEADS[name]
    return Page(template="opening.html", title=action.label.as_heading(), lead=lead, view=view, crumbs=(LEDGER,))


def _path(name: str, tip_off: str) -> str:
    return PATHS[name] + (f"?{urlencode({FROM: tip_off})}" if tip_off else "")


FIRST = frozenset({"severity", "description", "danger_to_life"})
"""Fields that may be left empty, and yet are asked for among the first: whoever stands on the spot knows them."""


def _possible(visitor: Visitor) -> list[Action]:
    """The ways to bring a finding into being that this visitor has."""
    actions = visitor.service.book.workflow.actions.values()
    return [action for action in actions if action.name in PATHS and can_create(action, visitor.actor)]
