"""How one's tip-off stands: asked by receipt code, told in plain words. The code is sent by a form, so no log keeps it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.browser import client_of
from loop.engine.tip_off_desk import answer_due
from loop.kernel.errors import Invalid, LoopError, NotFound
from loop.kernel.labels import Label
from loop.service import Service
from loop.store import tip_offs
from loop.store.session import Tx
from loop.store.tip_offs import OPEN
from loop.web.guest import Guest, check_sent, greet, welcome
from loop.web.page import Page, service_of
from loop.web.public import REPORT, STATE
from loop.web.sent import sent_of
from loop.web.times import Due, Moment, Times
from loop.web.tip_off_words import SENTENCES, STATUS

router = APIRouter()
TITLE = Label("查询办理结果", "Check the status of a report")
LEAD = Label("请输入反映问题时得到的查询码。", "Type the receipt code that you were given.")
CODE = "code"
LONGEST = 100
NO_CODE = Label("请填写查询码。", "Type the receipt code.")
UNKNOWN = Label(
    "没有查到。请核对查询码：由 20 个字母和数字组成，不含 0、1、I、O。",
    "Nothing is found. Check the code: 20 letters and digits, none of them 0, 1, I or O.",
)


@dataclass(frozen=True, slots=True)
class Answer:
    """How it stands; the answer once there is one."""

    status: Label
    sentence: Label
    received: Moment | None
    due: Due | None
    answered: Moment | None
    result: str


@dataclass(frozen=True, slots=True)
class StateView:
    """The form, and what it found."""

    code: str = ""
    refusal: Label | None = None
    answer: Answer | None = None
    longest: int = LONGEST


@router.get(STATE)
async def ask(request: Request) -> Response:
    """The form."""
    return await greet(request, _page(StateView()))


@router.get(f"{REPORT}/{{code}}")
async def ask_with(request: Request, code: str) -> Response:
    """The form with a code in it; nothing is looked up before it is sent."""
    return await greet(request, _page(StateView(code[:LONGEST])))


@router.post(STATE)
async def state(request: Request) -> Response:
    """What the code finds. Tries are counted by address."""
    sent, service = await sent_of(request), service_of(request)
    guest, code = check_sent(request, sent), sent.get(CODE).strip()
    try:
        if not code or len(code) > LONGEST:
            raise Invalid.field(CODE, NO_CODE.zh, NO_CODE.en, "missing")
        service.count_question(client_of(request))
        found = await asyncio.wrap_future(service.store.submit_read(lambda tx: _found(tx, service, code)))
    except LoopError as error:
        return await _refused(request, guest, code, error)
    return await welcome(request, guest, _page(StateView(code, answer=found)))


def _found(tx: Tx, service: Service, code: str) -> Answer:
    found, now = tip_offs.by_receipt(tx, code), service.engine.clock.now(tx)
    times, timer = Times(service.calendar, now), answer_due(tx, found)
    return Answer(
        STATUS[found.status], SENTENCES[found.status], times.past(found.at), times.due(timer.due_at) if timer else None,
        times.past(found.answered_at), "" if found.status in OPEN else found.result,
    )  # fmt: skip


async def _refused(request: Request, guest: Guest, code: str, error: LoopError) -> Response:
    sentence = UNKNOWN if isinstance(error, NotFound) else NO_CODE if isinstance(error, Invalid) else error.label
    return await welcome(request, guest, _page(StateView(code, sentence), error.status))


def _page(view: StateView, status: int = 200) -> Page:
    return Page(template="public_state.html", title=TITLE, lead=LEAD, view=view, status=status)
