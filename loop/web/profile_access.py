"""My ways in besides this browser: other sessions, tokens for programs, and the address of my calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.access import CALENDAR, FEED, READ, WRITE, issue_token
from loop.kernel.errors import Invalid, LoopError, NotFound
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Line, Payload, read
from loop.kernel.payloads import field as labelled
from loop.store import accounts
from loop.store.accounts import Token
from loop.store.session import Tx
from loop.web.faults import summary_of, wrong_of
from loop.web.page import Goto, Page, Visitor, change, show
from loop.web.profile import CRUMBS, PLACE
from loop.web.sent import Sent, sent_of
from loop.web.times import Moment

router = APIRouter()
ACCESS, SUBSCRIPTION = f"{PLACE}/access", f"{PLACE}/calendar"
ACCESS_TITLE = Label("登录与令牌", "Sign-ins and tokens")
CALENDAR_TITLE = Label("日历订阅", "Calendar subscription")
CALENDAR_LEAD = Label(
    "把您的办理期限放进手机或电脑的日历，随办理进展自动更新。",
    "Your deadlines in the calendar of your phone or computer, kept up to date by themselves.",
)
MY_CALENDAR = "日历 calendar"
SCOPES = {
    READ: Label("只读", "read only"), WRITE: Label("读取和办理", "read and act"), CALENDAR: Label("日历订阅", "calendar feed"),
}  # fmt: skip


class NewToken(Payload):
    """A token as asked for by the form."""

    name: Line = labelled("名称", "name")
    expires_on: Day | None = labelled("有效期至", "last day", None)


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token that is good: what it is for, until when, and when it was last used."""

    id: str
    name: str
    scopes: tuple[Label, ...]
    made: Moment | None
    ends: Moment | None
    used: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessView:
    """Tokens, other sessions, and the form; `secret` is shown this once."""

    tokens: tuple[TokenLine, ...]
    others: int = 0
    secret: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    refusal: Label | None = None
    wrong: Mapping[str, Label] = field(default_factory=dict)
    life_days: int = 0


# ---- looking -------------------------------------------------------------------------------------------------------


@router.get(ACCESS)
async def my_access(request: Request) -> Response:
    """In how many browsers I am signed in, and which programs act for me."""
    return await show(request, _access)


@router.get(SUBSCRIPTION)
async def my_calendar(request: Request) -> Response:
    """How a calendar is subscribed, and which ones are."""
    return await show(request, _calendar)


def _access(
    tx: Tx, visitor: Visitor, *, secret: str = "", sent: Sent | None = None, error: LoopError | None = None
) -> Page:
    session = visitor.caller.session
    others = accounts.other_sessions(tx, session, visitor.service.access.real()) if session else 0
    view = AccessView(
        tokens=_tokens(tx, visitor, feeds=False), others=others, secret=secret,
        typed={name: sent.get(name) for name in ("name", "scope", "expires_on")} if sent else {},
        refusal=summary_of(error, "name", "scopes", "expires_on") if error else None, wrong=wrong_of(error),
        life_days=visitor.service.policy.token_life.days,
    )  # fmt: skip
    return Page(template="profile_access.html", title=ACCESS_TITLE, crumbs=CRUMBS, view=view)


def _calendar(tx: Tx, visitor: Visitor, *, secret: str = "") -> Page:
    view = AccessView(tokens=_tokens(tx, visitor, feeds=True), secret=secret)
    return Page(template="profile_calendar.html", title=CALENDAR_TITLE, lead=CALENDAR_LEAD, crumbs=CRUMBS, view=view)


def _tokens(tx: Tx, visitor: Visitor, *, feeds: bool) -> tuple[TokenLine, ...]:
    """The reader's good tokens, the newest first: those that open the calendar, or the others."""
    real = visitor.service.access.real()
    good = [one for one in accounts.tokens_of(tx, visitor.actor.id) if not one.revoked and one.expires_at > real]
    return tuple(_line(one, visitor) for one in reversed(good) if (one.scopes == (CALENDAR,)) == feeds)


def _line(token: Token, visitor: Visitor) -> TokenLine:
    times = visitor.times
    scopes = (WRITE,) if WRITE in token.scopes else token.scopes
    return TokenLine(
        token.id, token.name, tuple(SCOPES.get(scope, Label(scope, scope)) for scope in scopes),
        times.past(token.created_at), times.past(token.expires_at), times.day(token.used_on) if token.used_on else None,
    )  # fmt: skip


# ---- changing ------------------------------------------------------------------------------------------------------


@router.post(ACCESS)
async def make_token(request: Request) -> Response:
    """A token for a program of one's own, shown once."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Page:
        asked = read(NewToken, {"name": sent.get("name"), "expires_on": sent.get("expires_on") or None})
        if sent.get("scope") not in (READ, WRITE):
            raise Invalid.field("scopes", "请选择用途。", "choose what it is for.", "missing")
        scopes = (READ,) if sent.get("scope") == READ else (READ, WRITE)
        service = visitor.service
        _, clear = issue_token(
            tx, person_id=visitor.actor.id, name=asked.name, scopes=scopes, life=service.policy.token_life,
            now=service.access.real(), calendar=service.calendar, expires_on=asked.expires_on,
        )  # fmt: skip
        return _access(tx, visitor, secret=clear)

    return await change(request, sent, work, lambda tx, visitor, error: _access(tx, visitor, sent=sent, error=error))


@router.post(SUBSCRIPTION)
async def make_feed(request: Request) -> Response:
    """An address that opens the calendar and nothing else, shown once."""
    sent = await sent_of(request)
    root = str(request.base_url)

    def work(tx: Tx, visitor: Visitor) -> Page:
        service = visitor.service
        _, clear = issue_token(
            tx, person_id=visitor.actor.id, name=sent.get("name").strip()[:80] or MY_CALENDAR, scopes=(CALENDAR,),
            life=service.policy.token_life, now=service.access.real(), calendar=service.calendar,
        )  # fmt: skip
        base = (service.outbox.postage.base_url or root).rstrip("/")
        return _calendar(tx, visitor, secret=f"{base}{FEED}?token={clear}")

    return await change(request, sent, work)


@router.post(f"{ACCESS}/tokens/{{id}}/revoke")
async def revoke(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """End one of one's own tokens at once and for good."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        token = next((one for one in accounts.tokens_of(tx, visitor.actor.id) if one.id == id), None)
        if token is None:
            raise NotFound
        accounts.revoke_token(tx, token.id)
        return Goto(SUBSCRIPTION if token.scopes == (CALENDAR,) else ACCESS, "token-revoked")

    return await change(request, sent, work)


@router.post(f"{ACCESS}/sessions/end")
async def end_others(request: Request) -> Response:
    """Sign out of every other browser."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        if session := visitor.caller.session:
            accounts.end_other_sessions(tx, session)
        return Goto(ACCESS, "others-signed-out")

    return await change(request, sent, work)
