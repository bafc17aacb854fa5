"""Loading a published holiday arrangement: first which deadlines it moves and whom that tells, then, once confirmed, done."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import Response

from loop import calendars
from loop.access import NOT_FROM_HERE
from loop.almanac import Almanac, Effect
from loop.authority import by_admin, require
from loop.browser import is_foreign
from loop.calendars import Complaint, NoticeError
from loop.engine.recalendar import Shift
from loop.kernel.calendar import HOLIDAY, MAKEUP, Day
from loop.kernel.errors import Forbidden, Unavailable
from loop.kernel.labels import Label
from loop.kernel.people import ADMIN
from loop.kernel.wording import CHAINS
from loop.kernel.workflow import Workflow
from loop.store.chronicle import By
from loop.store.paging import storable
from loop.store.session import Tx
from loop.web.admin import CALENDAR, HOME, scope_of, show_admin
from loop.web.admin_calendar import LOAD, STEP, Special, may_load, special_days
from loop.web.page import Goto, Page, Visitor, admit, redirect, service_of, show
from loop.web.places import finding_page
from loop.web.sent import LARGEST_PART, Sent, broken, texts_of

router = APIRouter()
CONFIRM = f"{CALENDAR}/confirm"
TITLE = Label("载入节假日安排", "Load a holiday arrangement")
NOTICE, FILE, REASON, MARK = "notice", "file", "reason", "mark"
USUAL_REASON = "按新公布的节假日安排调整期限"
SHOWN = 50
"""So many of the deadlines and reminders that move are listed."""
MOST_COMPLAINTS = 20
BOTH = Label("请选择文件，或粘贴内容。", "Choose a file, or paste its content.")
UNREADABLE = Label(
    "文件不是文本：请存为 CSV（UTF-8 或 GB 18030）再上传。", "This file is no text: save it as CSV (UTF-8 or GB 18030)."
)
TOO_LARGE = Label("文件过大：一年的安排不超过 256 KB。", "Too large: the arrangement of a year is less than 256 KB.")
ONLY_COUNTRY = Label(
    "工作日历全国统一，只能由全国的系统管理员载入。",
    "The calendar is one for the whole country; its administrator loads it.",
)


@dataclass(frozen=True, slots=True)
class Move:
    """A deadline that moves, or a reminder; `path` is empty where it is no finding's."""

    name: Label
    path: str
    rule: Label
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """The form; why it was refused, line by line; or what loading would do, with the `mark` by which it is confirmed."""

    notice: str = ""
    reason: str = USUAL_REASON
    complaints: tuple[Label, ...] = ()
    more_complaints: int = 0
    days: tuple[Special, ...] = ()
    holidays: int = 0
    makeups: int = 0
    years: str = ""
    moves: tuple[Move, ...] = ()
    count: int = 0
    listed: int = 0
    findings: int = 0
    beside: int = 0
    reminders: int = 0
    messages: int = 0
    people: int = 0
    mark: str = ""
    changed: bool = False


@router.get(LOAD)
async def ask(request: Request) -> Response:
    """The form."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        _check(visitor)
        return _page(NoticeView())

    return await show_admin(request, build)


@router.post(LOAD)
async def preview(request: Request) -> Response:
    """What loading would do; nothing is changed."""
    sent, unread = await _sent_with_notice(request)
    visitor = await admit(request, sent)
    _check(visitor)
    days = _read(sent, unread)
    if isinstance(days, NoticeView):
        return await _shown(request, days)
    effect = await asyncio.to_thread(Almanac(service_of(request).engine).effect, days)
    return await _shown(request, _effect_view(sent, days, effect, visitor))


@router.post(CONFIRM)
async def load(request: Request) -> Response:
    """Load it, if it still does what was shown; else it is shown anew."""
    sent, unread = await _sent_with_notice(request)
    visitor = await admit(request, sent)
    by = _check(visitor)
    days = _read(sent, unread)
    if isinstance(days, NoticeView):
        return await _shown(request, days)
    almanac, reason = Almanac(visitor.service.engine), sent.get(REASON).strip()[:200] or USUAL_REASON
    if await asyncio.to_thread(almanac.load, by, days, reason, mark=sent.get(MARK)):
        return redirect(Goto(f"{CALENDAR}?year={days[-1].on.year}", "calendar-loaded"))
    effect = await asyncio.to_thread(almanac.effect, days)
    return await _shown(request, _effect_view(sent, days, effect, visitor, changed=True))


def _check(visitor: Visitor) -> By:
    """The reader as administrator of the country; raises Forbidden for anybody else."""
    require(visitor.actor, ADMIN)
    if not may_load(visitor):
        raise Forbidden(ONLY_COUNTRY)
    country = next(path for path in scope_of(visitor) if len(path) == 1)
    return by_admin(visitor.caller, visitor.service, country)


# ---- what was sent ---------------------------------------------------------------------------------------------------


async def _sent_with_notice(request: Request) -> tuple[Sent, Label | None]:
    """The form, with the content of a file where it would have been pasted, or why the file is none. Raises Invalid, or
    Forbidden for a form that another site's page sent.
    """
    if is_foreign(request):
        raise Forbidden(NOT_FROM_HERE)
    try:
        async with request.form(max_files=1, max_fields=20, max_part_size=LARGEST_PART) as form:
            sent, content = texts_of(form), await _content(form)
    except (MultiPartException, HTTPException, UnicodeDecodeError):
        raise broken() from None
    except OSError:
        raise Unavailable from None
    if len(content) > LARGEST_PART:
        return sent, TOO_LARGE
    text = _text(content)
    return (sent.plus((NOTICE, text)) if text else sent), UNREADABLE if content and not text else None


async def _content(form: FormData) -> bytes:
    file = form.get(FILE)
    return await file.read(LARGEST_PART + 1) if isinstance(file, UploadFile) else b""


def _text(content: bytes) -> str:
    """A file as text, empty where it is none. Spreadsheets write UTF-8, or the national encoding."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text if storable(text) else ""
    return ""


def _read(sent: Sent, unread: Label | None) -> list[Day] | NoticeView:
    """The days of the notice, or the form with every wrong line."""
    notice, reason = sent.get(NOTICE), sent.get(REASON)
    if unread or not notice.strip():
        return NoticeView(notice=notice, reason=reason, complaints=(unread or BOTH,))
    try:
        return calendars.parse_notice(notice)
    except NoticeError as wrong:
        told = _told(wrong.complaints)
        return NoticeView(
            notice=notice, reason=reason, complaints=told, more_complaints=len(wrong.complaints) - len(told)
        )  # fmt: skip


def _told(complaints: Sequence[Complaint]) -> tuple[Label, ...]:
    return tuple(one.label for one in complaints[:MOST_COMPLAINTS])


# ---- what is shown ---------------------------------------------------------------------------------------------------


def _effect_view(
    sent: Sent, days: Sequence[Day], effect: Effect, visitor: Visitor, *, changed: bool = False
) -> NoticeView:  # fmt: skip
    flow = visitor.service.book.workflow
    deadlines = [one for one in effect.moved if not one.reminder]
    beside = {one.number for one in deadlines if ":" in one.number}
    moves = tuple(_move(one, flow) for one in sorted(effect.moved, key=lambda one: one.reminder)[:SHOWN])
    return NoticeView(
        notice=sent.get(NOTICE), reason=sent.get(REASON), days=special_days(days),
        holidays=sum(day.kind == HOLIDAY for day in days), makeups=sum(day.kind == MAKEUP for day in days),
        years="、".join(sorted({str(day.on.year) for day in days})), moves=moves, count=len(deadlines),
        listed=len(effect.moved), findings=len({one.number for one in deadlines} - beside), beside=len(beside),
        reminders=len(effect.moved) - len(deadlines), messages=effect.told.messages, people=effect.told.people,
        mark=effect.mark, changed=changed,
    )  # fmt: skip


def _move(one: Shift, flow: Workflow) -> Move:
    kind, _, number = one.number.rpartition(":")
    name = CHAINS.get(kind, Label(kind, kind)) if kind else Label(number, number)
    rule = flow.timers[one.rule].label if one.rule in flow.timers else Label(one.rule, one.rule)
    if one.reminder:
        rule = Label(f"{rule.zh}：下次提醒", f"{rule.en}: the next reminder")
    return Move(name, "" if kind else finding_page(number), rule, one.before.isoformat(), one.after.isoformat())


async def _shown(request: Request, view: NoticeView) -> Response:
    page = _page(view)
    return await show(request, lambda tx, visitor: page)


def _page(view: NoticeView) -> Page:
    status = 422 if view.complaints else 200
    return Page(template="admin_notice.html", title=TITLE, view=view, crumbs=(HOME, STEP), status=status)
