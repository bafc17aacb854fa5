"""The form of an action on a finding, and taking it: one page for each action that the workflow declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from loop.engine.door import Wish
from loop.kernel.decide import Offer, action_named, admitted, allowed_from, label_of_state
from loop.kernel.errors import Fault, Invalid, LoopError, NotFound, Stale
from loop.kernel.finding import Finding
from loop.kernel.labels import Label
from loop.kernel.people import CAPACITIES, ROLES
from loop.kernel.workflow import DISPUTE, Action, Tell
from loop.store import names
from loop.store.session import Refused, Tx
from loop.store.sight import seen
from loop.web import known
from loop.web.filled import Filled
from loop.web.forms import Form, FormMaker
from loop.web.notices import ACTED
from loop.web.page import Crumb, Goto, Page, Visitor, change, look, show
from loop.web.places import action_page, finding_page
from loop.web.sent import Sent
from loop.web.uploads import ATTACH, attach_all, sent_with_files, ticked

router = APIRouter()
VERSION, UPLOADS, MORE, UPLOAD = "_version", "_uploads", "_more", "_upload"
NEVER_CURRENT = -1
LEDGER = Crumb(Label("问题台账", "Ledger"), "/findings")
FIND = Label("请先更正下面标出的内容。", "Please correct what is marked below.")
MOST_TARGETS = 3
BACK_WHERE_IT_WAS = Label("此前所在的环节", "the stage that it came from")
OVERTAKEN = Label(
    "{by} 在您填写时更新了此问题。您填写的内容已保留；请看过更新后再次确认。",
    "{by} changed this finding while you were typing. What you typed is kept; look at the change, then confirm again.",
)
STAY = Label("您填写的内容已保留。", "What you typed is kept.")


@dataclass(frozen=True, slots=True)
class ActionView:
    """The page of one action: what it leads to, its form, and why it was refused or cannot be taken."""

    number: str
    title: str
    name: str
    path: str
    form: Form
    version: int
    uploads: int
    targets: tuple[Label, ...]
    papers: tuple[Label, ...]
    told: tuple[Label, ...]
    held_back: Label | None
    refusal: Label | None
    is_upload: bool
    reads_files: bool
    instead: tuple[tuple[Label, str], ...]
    """What the visitor may do in place of an action that is held back."""


@router.get("/findings/{number}/actions/{action}")
async def ask(request: Request, number: str, action: str) -> Response:
    """The form, fresh."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        finding = seen(tx, visitor.actor, number)
        offer = offered(tx, visitor, finding, action)
        return _page(tx, visitor, finding, offer, None)

    return await show(request, build)


@router.post("/findings/{number}/actions/{action}")
async def act(request: Request, number: str, action: str) -> Response:
    """Attach the files that came along, then take the action; or only add a row, or only the files."""
    await look(request, lambda tx, visitor: _admitted(tx, visitor, number, action))
    if request.headers.get("accept", "").startswith("application/json"):
        return await _uploaded(request, number)
    given = await sent_with_files(request)
    attached = await attach_all(request, number, given)
    sent, uploads = ticked(given.sent, attached), _uploads(given.sent) + len(attached)
    if sent.has(MORE) or sent.has(UPLOAD) or given.faults or (action == ATTACH and not attached):
        faults = given.faults or (_no_file() if action == ATTACH else ())
        return await change(
            request, sent, lambda tx, visitor: _typed(tx, visitor, number, action, sent, faults, uploads)
        )
    if action == ATTACH:
        return await change(
            request, given.whole, lambda tx, visitor: Goto(f"{finding_page(number)}#files", f"{ACTED}{ATTACH}")
        )

    def work(tx: Tx, visitor: Visitor) -> Goto | Refused:
        model = action_named(visitor.service.book, action).payload
        wish = Wish(
            actor=visitor.actor, action=action, number=number, payload=payload_of(tx, visitor, model, sent, number),
            expected=_version(sent), own=uploads,
        )  # fmt: skip
        return visitor.service.engine.act_in(tx, wish, lambda tx, done: Goto(finding_page(number), f"{ACTED}{action}"))

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        return _refused(tx, visitor, number, action, sent, error)

    return await change(request, given.whole, work, again)


async def _uploaded(request: Request, number: str) -> Response:
    """The answer to the script that sends files up as soon as they are chosen."""
    try:
        given = await sent_with_files(request)
        attached = await attach_all(request, number, given)
    except LoopError as error:
        return JSONResponse({"why": _said(request, error.label)}, error.status)
    if given.faults or not attached:
        return JSONResponse({"why": _said(request, (given.faults or _no_file())[0].label)}, 422)
    files = [{"id": one.id, "name": one.name} for one in attached]
    return JSONResponse({"files": files, "version": attached[-1].version})


def _said(request: Request, label: Label) -> str:
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    return label.in_(visitor.language if visitor else "zh")


def offered(tx: Tx, visitor: Visitor, finding: Finding, name: str) -> Offer:
    """The action as this visitor may take it now, or with what holds it back; raises as the engine refuses."""
    book = visitor.service.book
    action = action_named(book, name)
    admitted(action, visitor.actor, finding)
    allowed_from(book, action, finding)
    offers = visitor.service.engine.offers(tx, visitor.actor, finding)
    found = next((offer for offer in offers if offer.action.name == name), None)
    if found is None:
        raise NotFound
    return found


def payload_of(tx: Tx, visitor: Visitor, model: Any, sent: Sent, number: str = "") -> Mapping[str, Any] | LoopError:
    """What was typed, as the engine takes it: values, or the refusal of what nobody can make sense of."""
    values = _filled(visitor, model, sent)
    if known.changes_what_is_recorded(model):
        values = known.changed(seen(tx, visitor.actor, number), model, values)
    try:
        return known.with_units(tx, visitor, model, values)
    except Invalid as error:
        return error


def _filled(visitor: Visitor, model: Any, sent: Sent) -> dict[str, Any]:
    clears = known.changes_what_is_recorded(model)
    return Filled(sent, visitor.service.calendar.zone, clears=clears).values(model)


def _admitted(tx: Tx, visitor: Visitor, number: str, action: str) -> None:
    """Refuses whoever may not act, before a file is read."""
    finding = seen(tx, visitor.actor, number)
    admitted(action_named(visitor.service.book, action), visitor.actor, finding)


def _version(sent: Sent) -> int | None:
    """The version of the finding for which the form was made."""
    stated = sent.get(VERSION)
    return (_whole(stated) or NEVER_CURRENT) if stated else None


def _uploads(sent: Sent) -> int:
    """How many files went up by this form before."""
    return _whole(sent.get(UPLOADS))


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _no_file() -> tuple[Fault, ...]:
    return (Fault("", "missing", Label("请先选择要上传的文件。", "Choose the file to upload first.")),)


# ---- the page --------------------------------------------------------------------------------------------------------


def _typed(
    tx: Tx, visitor: Visitor, number: str, action: str, sent: Sent, faults: tuple[Fault, ...], uploads: int
) -> Page:  # fmt: skip
    """The page with one row or file more; whoever changed the finding since the first one is still to be named."""
    finding, stated = seen(tx, visitor.actor, number), _version(sent)
    made = None if stated is None else (stated, uploads)
    return _page(tx, visitor, finding, offered(tx, visitor, finding, action), sent, faults=faults, made=made)


def _refused(tx: Tx, visitor: Visitor, number: str, action: str, sent: Sent, error: LoopError) -> Page:
    """The page once more with what was typed. Where the state has moved on, the form is still there to copy from."""
    finding = seen(tx, visitor.actor, number)
    found = action_named(visitor.service.book, action)
    faults = error.faults if isinstance(error, Invalid) else ()
    said = FIND if faults else Label(f"{error.label.zh}{STAY.zh}", f"{error.label.en} {STAY.en}")
    if isinstance(error, Stale):
        name = str(error.facts["by"])
        said = OVERTAKEN.filled(by=names.of_accounts(tx, [name]).get(name, name))
    return _page(tx, visitor, finding, Offer(found), sent, faults=faults, refusal=said)


def _page(
    tx: Tx, visitor: Visitor, finding: Finding, offer: Offer, sent: Sent | None, *, faults: tuple[Fault, ...] = (),
    refusal: Label | None = None, made: tuple[int, int] | None = None,
) -> Page:  # fmt: skip
    action, book = offer.action, visitor.service.book
    model = action.payload
    maker = FormMaker(known.known_for(tx, visitor, finding, model), faults)
    is_upload = action.name == ATTACH
    values = known.recorded(finding, model) if sent is None else _filled(visitor, model, sent)
    form = Form(()) if is_upload else maker.form(model, values, more=sent.get(MORE) if sent else "")
    wrong = tuple(fault.label for fault in faults) if is_upload else ()
    version, uploads = made or (finding.version, 0)
    view = ActionView(
        number=finding.number, title=finding.title, name=action.name, path=f"{finding_page(finding.number)}/actions/{action.name}",
        form=Form(form.fields, (*form.wrong, *wrong)), targets=_targets(visitor, finding, action),
        papers=tuple(one.label if one.when is None else _perhaps(one.label) for one in action.papers),
        told=tuple(_told(action)), held_back=offer.reason,
        instead=_instead(tx, visitor, finding) if offer.guard else (),
        version=version, uploads=uploads, refusal=refusal, is_upload=is_upload, reads_files=is_upload or form.takes_files,
    )  # fmt: skip
    crumbs = (LEDGER, Crumb(Label(finding.number, finding.number), finding_page(finding.number)))
    stage = label_of_state(book, "course", finding.state)
    lead = Label(f"{finding.title}（当前：{stage.zh}）", f"{finding.title} (now: {stage.en})")
    return Page(template="action.html", title=action.label.as_heading(), lead=lead, view=view, crumbs=crumbs)


def _targets(visitor: Visitor, finding: Finding, action: Action) -> tuple[Label, ...]:
    """The states it may lead to, where that is another one."""
    book = visitor.service.book
    source = finding.dispute if action.track == DISPUTE else finding.state
    targets = [name for name in book.table.targets(action.track, source, action.name) if name != source]
    if len(targets) > MOST_TARGETS:
        return (BACK_WHERE_IT_WAS,)
    return tuple(label_of_state(book, action.track, name) for name in targets)


def _told(action: Action) -> list[Label]:
    """The roles that hear of it; of those that hear only in certain cases that is said."""
    found: dict[str, Label] = {}
    for one in action.tell:
        who = one.who if isinstance(one, Tell) else one
        label = ROLES.get(who) or CAPACITIES.get(who)
        if label:
            found.setdefault(who, _perhaps(label) if isinstance(one, Tell) else label)
    return list(found.values())


def _perhaps(label: Label) -> Label:
    return Label(f"{label.zh}（视情况）", f"{label.en} (if applicable)")


def _instead(tx: Tx, visitor: Visitor, finding: Finding) -> tuple[tuple[Label, str], ...]:
    """What is free to be done now, comments and files apart."""
    offers = visitor.service.engine.offers(tx, visitor.actor, finding)
    free = [one.action for one in offers if not one.guard and one.action.name not in ("comment", ATTACH)]
    return tuple((one.label, action_page(finding.number, one.name)) for one in free)
