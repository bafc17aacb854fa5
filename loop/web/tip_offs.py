"""Tip-offs 线索 as the office that received them checks and answers them; the identity stays sealed until it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import checked_offices, tip_off_of
from loop.engine.birth import can_create
from loop.engine.tip_off_desk import ANSWER
from loop.kernel.decide import action_named
from loop.kernel.errors import Invalid, LoopError
from loop.kernel.labels import Label
from loop.kernel.people import ROLES
from loop.store import journal, names, timers, tip_offs
from loop.store.journal import Entry
from loop.store.session import Tx
from loop.store.tip_offs import ANSWERED, CHECKING, OPEN, RECEIVED, REFUSED, Sealed, TipOff, chain_of
from loop.web.faults import summary_of, wrong_of
from loop.web.page import Crumb, Goto, Page, Visitor, change, show
from loop.web.places import finding_page
from loop.web.sent import Sent, sent_of
from loop.web.times import Due, Moment
from loop.web.tip_off_words import STATUS

router = APIRouter()
TIP_OFFS = "/tip-offs"
TITLE = Label("线索", "Tip-offs")
LEAD = Label(
    "群众反映的问题，由本机构核查并在期限内答复。",
    "What the public reported: your office checks it and answers in time.",
)
CRUMBS = (Crumb(TITLE, TIP_OFFS),)
AT_A_TIME = 30
PREVIEW = 120
WAITING = "waiting"
FILTERS: tuple[tuple[str, Label], ...] = (
    (WAITING, Label("待答复", "Unanswered")), ("all", Label("全部", "All")), *((status, STATUS[status]) for status in STATUS),
)  # fmt: skip
STEPS: Mapping[str, Label] = {
    "receive_tip_off": Label("收到", "received"), "start_timer": Label("开始计算答复期限", "deadline of the answer began"),
    "stop_timer": Label("答复期限终止", "deadline of the answer ended"), "answer_tip_off": Label("办理", "handled"),
    "link_tip_off": Label("关联问题", "tied to a finding"), "open_identity": Label("查看举报人信息", "identity opened"),
    "remind": Label("提醒", "reminder"),
    "move_deadlines": Label("按新公布的日历调整期限", "moved to the published calendar"),
}  # fmt: skip
PUBLIC = Label("群众", "the public")
FIELDS = ("result", "finding")


@dataclass(frozen=True, slots=True)
class Line:
    """A tip-off in the list."""

    path: str
    matter: str
    unit: str
    status: Label
    at: Moment | None
    due: Due | None
    finding: str


@dataclass(frozen=True, slots=True)
class ListView:
    """One page of them under a filter."""

    lines: tuple[Line, ...]
    filters: tuple[tuple[str, Label], ...]
    chosen: str
    first: str
    following: str


@dataclass(frozen=True, slots=True)
class Deed:
    """A step of its history: what, by whom in which role, when."""

    what: Label
    who: str
    role: Label
    at: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TipOffView:
    """One tip-off with what may be done about it. `identity` only after it was opened."""

    path: str
    line: Line
    matter: str
    office: str
    result: str
    answered: Moment | None
    is_open: bool
    is_new: bool
    is_origin: bool
    finding_path: str
    new_finding: str
    history: tuple[Deed, ...]
    identity: Sealed | None = None
    typed: Mapping[str, str] = field(default_factory=dict)
    refusal: Label | None = None
    wrong: Mapping[str, Label] = field(default_factory=dict)


# ---- the list ------------------------------------------------------------------------------------------------------


@router.get(TIP_OFFS)
async def list_all(request: Request) -> Response:
    """In the order in which they came, those that wait for an answer first of all."""
    asked, after = request.query_params.get("status") or WAITING, request.query_params.get("after") or ""
    chosen = asked if asked in dict(FILTERS) else WAITING

    def build(tx: Tx, visitor: Visitor) -> Page:
        page = tip_offs.tip_offs(
            tx, offices=checked_offices(tx, visitor.actor), status=chosen if chosen in STATUS else None,
            unanswered=chosen == WAITING, after=after or None, limit=AT_A_TIME,
        )  # fmt: skip
        lines = _lines(tx, visitor, page.items)
        first = f"{TIP_OFFS}?{urlencode({'status': chosen})}" if after else ""
        following = f"{TIP_OFFS}?{urlencode({'status': chosen, 'after': page.next})}" if page.next else ""
        view = ListView(lines, FILTERS, chosen, first, following)
        return Page(template="tip_offs.html", title=TITLE, lead=LEAD, view=view)

    return await show(request, build)


def _lines(tx: Tx, visitor: Visitor, found: tuple[TipOff, ...]) -> tuple[Line, ...]:
    units = names.of_units(tx, (one.unit_id or "" for one in found))
    running = timers.running_of(tx, [chain_of(one.id) for one in found])
    lines = []
    for one in found:
        due = next((t.due_at for t in running.get(chain_of(one.id), ()) if t.rule == ANSWER), None)
        lines.append(
            Line(
                f"{TIP_OFFS}/{quote(one.id, safe='')}", one.matter[:PREVIEW] + ("…" if len(one.matter) > PREVIEW else ""),
                units.get(one.unit_id or "", ""), STATUS[one.status], visitor.times.past(one.at),
                visitor.times.due(due) if due else None, one.finding or "",
            )
        )  # fmt: skip
    return tuple(lines)


# ---- one of them ---------------------------------------------------------------------------------------------------


@router.get(f"{TIP_OFFS}/{{id}}")
async def one(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """What was reported, what was done, and what may be done now."""
    return await show(request, lambda tx, visitor: _page(tx, visitor, id))


@router.post(f"{TIP_OFFS}/{{id}}")
async def handle(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """Begin to check, answer, refuse, or tie it to a finding: whichever button was pressed."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        found, by = tip_off_of(tx, visitor.caller, visitor.service, id)
        desk, done = visitor.service.tip_offs, ""
        match sent.get("do"):
            case "check":
                desk.answer(tx, by, found, status=CHECKING)
                done = "tip-off-checking"
            case "answer" | "refuse" as verdict:
                status = ANSWERED if verdict == "answer" else REFUSED
                desk.answer(tx, by, found, status=status, result=_result(sent))
                done = "tip-off-answered"
            case "link":
                number = sent.get("finding").strip()
                if not number:
                    raise Invalid.field("finding", "请填写问题编号。", "give the number of the finding.", "missing")
                desk.link(tx, by, found, number, is_origin=sent.has("is_origin"))
                done = "tip-off-linked"
        return Goto(f"{TIP_OFFS}/{quote(id, safe='')}", done)

    return await change(request, sent, work, lambda tx, visitor, error: _page(tx, visitor, id, sent=sent, error=error))


def _result(sent: Sent) -> str:
    """The answer as typed; an old one must not stand in for words that are missing now."""
    if not sent.get("result").strip():
        raise Invalid.field("result", "请填写答复内容。", "write the answer.", "empty")
    return sent.get("result")


@router.post(f"{TIP_OFFS}/{{id}}/identity")
async def open_identity(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """Who reported; that it was looked at goes on record with the page that shows it."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Page:
        found, by = tip_off_of(tx, visitor.caller, visitor.service, id)
        return _page(tx, visitor, id, identity=visitor.service.tip_offs.open_identity(tx, by, found))

    return await change(request, sent, work)


def _page(
    tx: Tx, visitor: Visitor, id_: str, *, identity: Sealed | None = None, sent: Sent | None = None,
    error: LoopError | None = None,
) -> Page:  # fmt: skip
    found, _ = tip_off_of(tx, visitor.caller, visitor.service, id_)
    (line,) = _lines(tx, visitor, (found,))
    is_open = found.status in OPEN
    view = TipOffView(
        path=line.path, line=line, matter=found.matter, office=names.of_offices(tx, [found.office_id]).get(found.office_id, ""),
        result=found.result, answered=visitor.times.past(found.answered_at), is_open=is_open, is_new=found.status == RECEIVED,
        is_origin=found.is_origin, finding_path=finding_page(found.finding) if found.finding else "",
        new_finding=_way_to_a_finding(visitor, found) if is_open else "",
        history=_history(tx, visitor, found), identity=identity,
        typed={name: sent.get(name) for name in FIELDS} if sent else {"finding": found.finding or "", "result": found.result},
        refusal=summary_of(error, *FIELDS) if error else None, wrong=wrong_of(error),
    )  # fmt: skip
    return Page(template="tip_off.html", title=_title(line), crumbs=CRUMBS, view=view)


def _way_to_a_finding(visitor: Visitor, found: TipOff) -> str:
    """Where a finding is made of it, by those who may."""
    may = can_create(action_named(visitor.service.book, "open"), visitor.actor)
    return f"/findings/new?{urlencode({'tip_off': found.id})}" if may else ""


def _title(line: Line) -> Label:
    day = line.at.iso[:10] if line.at else ""
    if not line.unit:
        return Label(f"{day} 收到的线索", f"Tip-off of {day}")
    return Label(f"{day} 收到的线索：{line.unit}", f"Tip-off of {day}: {line.unit}")


def _history(tx: Tx, visitor: Visitor, found: TipOff) -> tuple[Deed, ...]:
    trail = journal.trail(tx, chain_of(found.id))
    called = names.of_people(tx, (entry.actor_id for entry in trail))
    return tuple(_deed(entry, called, visitor) for entry in reversed(trail))


def _deed(entry: Entry, called: Mapping[str, tuple[str, str]], visitor: Visitor) -> Deed:
    what = STEPS.get(entry.action, Label(entry.action, entry.action))
    who = called.get(entry.actor_id, ("", ""))[1]
    return Deed(what, who, ROLES.get(entry.actor_role, PUBLIC), visitor.times.past(entry.at))
