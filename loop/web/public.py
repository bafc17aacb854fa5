"""Reporting a problem 反映问题, without signing in: by name or without, with a receipt code that is told once.

What was typed is put back after a refusal and kept in the tab alone: the computer may be anybody's. The code is shown on a
page of its own, which files nothing however often it is read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from loop.browser import client_of
from loop.engine.tip_off_desk import PUBLIC
from loop.kernel.errors import Fault, Invalid, LoopError
from loop.kernel.labels import Label
from loop.service import Service
from loop.store import public
from loop.store.chronicle import By
from loop.store.instants import instant_of, text_of
from loop.store.public import School, Seat
from loop.store.session import Tx
from loop.store.tip_offs import Sealed
from loop.web.faults import summary_of, wrong_of
from loop.web.guest import Guest, check_sent, greet_reading, welcome
from loop.web.page import Goto, Page, redirect, service_of
from loop.web.sent import Sent, sent_of
from loop.web.times import Due, Times

router = APIRouter()
REPORT = "/report"
RECEIVED, STATE = f"{REPORT}/received", f"{REPORT}/state"
RECEIPT_COOKIE, A_WHILE = "loop_receipt", 600
"""Holds the code for as many seconds, so that a page read anew tells it again."""
A_YEAR = timedelta(days=366)
_RECEIPT = re.compile(r"[A-Z2-9-]{20,30}")
TITLE = Label("反映问题", "Report a problem")
LEAD = Label(
    "向教育督导机构反映学校和教育部门的问题，可以不留姓名。",
    "Tell the education supervision office about a school or an education department. You need not give your name.",
)
THANKS = Label("已收到，谢谢", "Received, thank you")
MATTER, UNIT, REGION, PICKED, NAME, CONTACT = "matter", "unit", "region", "picked", "name", "contact"
FIELDS = (MATTER, UNIT, REGION, NAME, CONTACT)
NONE_OF_THESE = "none"
LONGEST, LONGEST_LINE = 4_750, 200
"""A matter takes 5,000 characters; the name of a unit that nobody knows is put below what was typed."""
CANDIDATES = 10
ABOUT = Label("反映的单位：{unit}", "About: {unit}")
ROBOTS = "User-agent: *\nAllow: /report$\nAllow: /results\nAllow: /assets/\nDisallow: /\n"


@dataclass(frozen=True, slots=True)
class ReportView:
    """The form: where one can turn to by province, which units may be meant, and what was typed."""

    seats: tuple[tuple[str, tuple[Seat, ...]], ...]
    typed: Mapping[str, str] = field(default_factory=dict)
    candidates: tuple[School, ...] = ()
    refusal: Label | None = None
    wrong: Mapping[str, Label] = field(default_factory=dict)
    many: bool = False
    longest: int = LONGEST
    longest_line: int = LONGEST_LINE


@dataclass(frozen=True, slots=True)
class ThanksView:
    """The receipt code, told this once, and by when there is an answer."""

    receipt: str
    due: Due | None


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a report is about: a unit, or the units that may be meant; neither where no unit is known by that name."""

    unit_id: str | None = None
    candidates: tuple[School, ...] = ()


@router.get("/robots.txt")
async def robots() -> Response:
    """Search engines find the two public pages and nothing else."""
    return PlainTextResponse(ROBOTS, headers={"Cache-Control": "public, max-age=86400"})


@router.get(REPORT)
async def ask(request: Request) -> Response:
    """The form."""
    return await greet_reading(request, lambda tx, guest: _page(tx))


@router.post(REPORT)
async def report(request: Request) -> Response:
    """Take the report in; what is refused is shown again as it was typed. Counted by address."""
    sent, service = await sent_of(request), service_of(request)
    guest = check_sent(request, sent)
    try:
        _check(sent)
        service.count_tip_off(client_of(request))
        meant = await asyncio.wrap_future(service.store.submit_read(lambda tx: _meant(tx, sent)))
        if meant.candidates:
            return await _again(request, guest, sent, candidates=meant.candidates)
        receipt, due_at = await asyncio.wrap_future(service.store.submit(lambda tx: _take_in(tx, service, sent, meant)))
    except LoopError as error:
        return await _again(request, guest, sent, error)
    done = redirect(Goto(RECEIVED))
    done.set_cookie(
        RECEIPT_COOKIE, f"{receipt}.{text_of(due_at)}", max_age=A_WHILE, path=REPORT, httponly=True, samesite="strict",
        secure=service.policy.https_only,
    )  # fmt: skip
    return done


@router.get(RECEIVED)
async def received(request: Request) -> Response:
    """The receipt code, for a while in the browser that sent the report; nothing is looked up, so nothing can be guessed."""
    kept = _kept(request)
    if kept is None:
        return redirect(Goto(STATE))
    receipt, due_at = kept

    def build(tx: Tx, guest: Guest) -> Page:
        service = service_of(request)
        now = service.engine.clock.now(tx)
        due = Times(service.calendar, now).due(due_at) if abs(due_at - now) < A_YEAR else None
        return Page(template="public_thanks.html", title=THANKS, view=ThanksView(receipt, due))

    return await greet_reading(request, build)


def _kept(request: Request) -> tuple[str, datetime] | None:
    """The code that this browser was given a moment ago, and by when there is an answer."""
    receipt, _, due = request.cookies.get(RECEIPT_COOKIE, "").partition(".")
    try:
        due_at = instant_of(due)
    except ValueError:
        return None
    return (receipt, due_at) if due_at.tzinfo and _RECEIPT.fullmatch(receipt) else None


def _check(sent: Sent) -> None:
    """Raises Invalid for what needs no look at the database."""
    faults = []
    if not sent.get(MATTER).strip():
        faults.append(Fault(MATTER, "empty", Label("请写明要反映的问题。", "say what the problem is.")))
    if len(sent.get(MATTER)) > LONGEST:
        words = Label(f"最多 {LONGEST} 个字符。", f"takes at most {LONGEST} characters.")
        faults.append(Fault(MATTER, "too_long", words))
    faults += [
        Fault(name, "too_long", Label(f"最多 {LONGEST_LINE} 个字符。", f"takes at most {LONGEST_LINE} characters."))
        for name in (UNIT, NAME, CONTACT)
        if len(sent.get(name)) > LONGEST_LINE
    ]
    if not sent.get(UNIT).strip() and not sent.get(REGION):
        words = Label("请填写单位，或选择所在地区。", "name the school or choose the region.")
        faults.append(Fault(REGION, "missing", words))
    if faults:
        raise Invalid(faults)


def _meant(tx: Tx, sent: Sent) -> Meant:
    """The unit that is meant, or those to choose from; raises Invalid where only the region can help and is not given."""
    name, picked = sent.get(UNIT).strip(), sent.get(PICKED)
    if not name or picked == NONE_OF_THESE:
        found: list[School] = []
    else:
        found = public.schools(tx, name, sent.get(REGION), CANDIDATES)
    if picked and (chosen := [one for one in found if one.id == picked]):
        return Meant(chosen[0].id)
    same = [one for one in found if one.name == name]
    if len(same) == 1:
        return Meant(same[0].id)
    if found:
        return Meant(candidates=tuple(same or found))
    if not sent.get(REGION):
        raise Invalid.field(
            REGION, "没有找到这个单位，请选择它所在的地区。", "no such school is known; choose the region it lies in.", "missing"
        )  # fmt: skip
    return Meant()


def _take_in(tx: Tx, service: Service, sent: Sent, meant: Meant) -> tuple[str, datetime]:
    """The receipt code, and by when there is an answer."""
    now, name = service.engine.clock.now(tx), sent.get(UNIT).strip()
    matter = sent.get(MATTER).strip()
    if name and meant.unit_id is None:
        matter = f"{matter}\n\n{ABOUT.zh.format(unit=name)}"
    by = By(PUBLIC, "public", now, service.book.workflow.version)
    sealed = Sealed(sent.get(NAME).strip(), sent.get(CONTACT).strip())
    _, receipt, timer = service.tip_offs.take_in(
        tx, by, matter=matter, region=sent.get(REGION) or None, unit_id=meant.unit_id, sealed=sealed
    )
    return receipt, timer.due_at


async def _again(
    request: Request, guest: Guest, sent: Sent, error: LoopError | None = None, candidates: tuple[School, ...] = ()
) -> Response:
    def build(tx: Tx) -> Page:
        return _page(tx, sent, error, candidates)

    page = await asyncio.wrap_future(service_of(request).store.submit_read(build))
    return await welcome(request, guest, page)


def _page(
    tx: Tx, sent: Sent | None = None, error: LoopError | None = None, candidates: tuple[School, ...] = ()
) -> Page:
    view = ReportView(_grouped(public.seats(tx)))
    status = 200
    if sent:
        view = replace(
            view, typed={name: sent.get(name) for name in FIELDS}, candidates=candidates, wrong=wrong_of(error),
            refusal=summary_of(error, *FIELDS) if error else None, many=len(candidates) == CANDIDATES,
        )  # fmt: skip
        status = error.status if error else 200
    return Page(template="public_report.html", title=TITLE, lead=LEAD, view=view, status=status)


def _grouped(seats: Iterable[Seat]) -> tuple[tuple[str, tuple[Seat, ...]], ...]:
    """The seats by province, in the order in which these come first."""
    found: dict[str, list[Seat]] = {}
    for seat in seats:
        found.setdefault(seat.province, []).append(seat)
    return tuple((province, tuple(held)) for province, held in found.items())
