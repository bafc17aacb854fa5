"""A leader's link: one plain page that needs no sign-in, shows one finding and takes one answer: read, or an instruction 批示.

Looking uses nothing up, for scanners of mail open links; the answer uses the link up. Whatever is wrong with a link, it
is not found.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.engine.leaders import Glance, LeadersDesk
from loop.kernel.errors import LoopError, NotFound
from loop.kernel.labels import Label
from loop.kernel.people import LEADER
from loop.kernel.wording import notice_of
from loop.service import Service
from loop.store import names
from loop.store.session import Refused, Tx
from loop.web.guest import Guest, check_sent, greet, greet_reading, guest_of, welcome
from loop.web.page import Page, service_of
from loop.web.sent import Sent, sent_of
from loop.web.times import Due, Times

router = APIRouter(include_in_schema=False)
TITLE = Label("请阅示", "For your attention")
THANKS = Label("已记录，谢谢。", "Recorded, thank you.")
INSTRUCT = "instruct"
TEXT, REPLY_DUE = "text", "reply_due"


@dataclass(frozen=True, slots=True)
class LeaderView:
    """What the page shows: the finding in a few words, what was told, and what was typed when it is shown again."""

    reader: str
    number: str
    title: str
    unit: str
    state: Label
    level: int
    due: Due | None
    said: str
    facts: tuple[str, ...]
    may_instruct: bool
    typed: str = ""
    reply_due: str = ""
    refusal: Label | None = None


def desk_of(service: Service) -> LeadersDesk:
    """Who opens links."""
    return LeadersDesk(service.engine)


@router.get("/l/{token}")
async def look(request: Request, token: str) -> Response:
    """The finding behind a link."""
    service = service_of(request)

    def build(tx: Tx, guest: Guest) -> Page:
        glance = desk_of(service).look(tx, token, service.access.real())
        return _page(_view(tx, service, glance, guest.language))

    return await greet_reading(request, build)


@router.post("/l/{token}")
async def answer(request: Request, token: str) -> Response:
    """Read, or an instruction; once."""
    service, sent = service_of(request), await sent_of(request)
    guest = check_sent(request, sent)
    real = service.access.real()

    def work(tx: Tx) -> Glance | Refused:
        return desk_of(service).answer(tx, token, real, _instruction(sent) if sent.has(INSTRUCT) else None)

    try:
        await asyncio.wrap_future(service.store.submit(work))
    except NotFound:
        raise
    except LoopError as error:
        return await _again(request, token, sent, error)
    return await welcome(request, guest, Page(template="leader_thanks.html", title=THANKS))


def _instruction(sent: Sent) -> dict[str, str]:
    """What was typed, as the action takes it."""
    given = {name: sent.get(name).strip() for name in (TEXT, REPLY_DUE)}
    return {name: value for name, value in given.items() if value or name == TEXT}


async def _again(request: Request, token: str, sent: Sent, error: LoopError) -> Response:
    """The page with what was typed and why it was refused; the link is still good."""
    service, guest = service_of(request), guest_of(request)

    def build(tx: Tx) -> Page:
        glance = desk_of(service).look(tx, token, service.access.real())
        view = _view(tx, service, glance, guest.language)
        typed = replace(view, typed=sent.get(TEXT), reply_due=sent.get(REPLY_DUE), refusal=error.label)
        return replace(_page(typed), status=error.status)

    page = await asyncio.wrap_future(service.store.submit_read(build))
    return await greet(request, page)


def _page(view: LeaderView) -> Page:
    return Page(template="leader.html", title=TITLE, view=view)


def _view(tx: Tx, service: Service, glance: Glance, language: str) -> LeaderView:
    finding, message, book = glance.finding, glance.message, service.book
    notice = notice_of(
        glance.content, step=message.step, role=message.role or LEADER, gap=message.gap, language=language,
        workflow=book.workflow, calendar=book.calendar, today=glance.today, url="",
    )  # fmt: skip
    facts = tuple(str(fact["text"]) for fact in finding.sheet.get("facts") or ())
    return LeaderView(
        reader=glance.reader.full_name, number=finding.number, title=finding.title,
        unit=names.of_finding(tx, finding).unit, state=book.workflow.states[finding.state].label, level=finding.level,
        due=Times(service.calendar, service.engine.clock.now(tx)).due(finding.due_at), said=notice.said, facts=facts[:5],
        may_instruct=glance.may_instruct,
    )  # fmt: skip
