"""Tokens by which programs come in, in the name of people whom the reader keeps: looked at, revoked, and made for oneself."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop import staffing
from loop.access import CALENDAR, READ, WRITE, issue_token
from loop.authority import keeper, named
from loop.kernel.errors import LoopError
from loop.kernel.labels import Label
from loop.kernel.registration import NewToken
from loop.store import lookup, names
from loop.store.accounts import Token
from loop.store.session import Tx
from loop.web.admin import AT_A_TIME, HOME, PEOPLE, TOKENS, address, asked, change_admin, scope_of, show_admin, within
from loop.web.admin_person import crumbs_to, ours
from loop.web.admin_sheets import Entry, Sheet, Typed, handed_in
from loop.web.page import Goto, Page, Visitor
from loop.web.sent import sent_of
from loop.web.times import Moment

router = APIRouter()
TITLE = Label("访问令牌", "Tokens")
LEAD = Label(
    "程序凭令牌以其所有人的名义访问，权限与本人相同。",
    "With a token a program comes in as its owner, and may do what they may.",
)
SCOPES = {
    READ: Label("只读", "read only"), WRITE: Label("读取和办理", "read and act"), CALENDAR: Label("日历订阅", "calendar feed"),
}  # fmt: skip
MAKE = Label("新建令牌", "Make a token")


@dataclass(frozen=True, slots=True)
class Line:
    """A token: whose, for what, until when, when it was last used, and whether it is good."""

    id: str
    name: str
    owner: str
    owner_path: str
    scopes: tuple[Label, ...]
    made: Moment | None
    ends: Moment | None
    used: Moment | None
    is_good: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensView:
    """A page of tokens and the form; `secret` is shown this once."""

    lines: tuple[Line, ...]
    every: bool
    person: str
    person_name: str
    other_path: str
    first: str
    following: str
    sheet: Sheet
    secret: str = ""


@router.get(TOKENS)
async def listed(request: Request) -> Response:
    """Tokens that are good, or all of them; those of one person where one is asked for."""
    who, every, after = asked(request, "person"), asked(request, "all") == "1", asked(request, "after")
    return await show_admin(request, lambda tx, visitor: _page(tx, visitor, Typed({}), who, after, every=every))


@router.post(TOKENS)
async def make(request: Request) -> Response:
    """A token in one's own name, shown once."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Page:
        scopes = [READ, WRITE] if sent.get("scopes") == WRITE else [sent.get("scopes")] if sent.get("scopes") else []
        asked_for = handed_in(NewToken, sent, "name", "expires_on", scopes=scopes)
        service = visitor.service
        _, clear = issue_token(
            tx, person_id=visitor.actor.id, name=asked_for.name, scopes=asked_for.scopes, life=service.policy.token_life,
            now=service.access.real(), calendar=service.calendar, expires_on=asked_for.expires_on,
        )  # fmt: skip
        return _page(tx, visitor, Typed({}), secret=clear)

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        return _page(tx, visitor, Typed(sent, error))

    return await change_admin(request, sent, work, again)


@router.post(TOKENS + "/{token}/revoke")
async def revoke(request: Request, token: str) -> Response:
    """End a token at once and for good."""
    sent = await sent_of(request)
    who = sent.get("person")

    def work(tx: Tx, visitor: Visitor) -> Goto:
        staffing.revoke_token(tx, visitor.caller, visitor.service, named(token))
        return Goto(address(TOKENS, person=who[:100]), "token-revoked")

    return await change_admin(request, sent, work)


def _page(
    tx: Tx, visitor: Visitor, typed: Typed, who: str = "", after: str = "", *, every: bool = False, secret: str = ""
) -> Page:  # fmt: skip
    person = ours(tx, visitor, who) if who else None
    if person:
        keeper(tx, visitor.caller, visitor.service, person)
    real = visitor.service.access.real()
    page = lookup.tokens(
        tx, scope_of(visitor), today=visitor.today, good_at=None if every else real, person_id=person.id if person else None,
        after=after or None, limit=AT_A_TIME,
    )  # fmt: skip
    called = names.of_people(tx, (one.person_id for one in page.items))
    kept = {"person": who, "all": "1" if every else ""}
    view = TokensView(
        lines=tuple(_line(one, called[one.person_id][1], visitor) for one in page.items), every=every, person=who,
        person_name=person.full_name if person else "", other_path=address(TOKENS, person=who, all="" if every else "1"),
        first=address(TOKENS, **kept) if after else "",
        following=address(TOKENS, **kept, after=page.next) if page.next else "", sheet=_sheet(visitor, typed), secret=secret,
    )  # fmt: skip
    crumbs = crumbs_to(person) if person else (HOME,)
    return Page(template="admin_tokens.html", title=TITLE, lead=LEAD, view=view, crumbs=crumbs)


def _line(token: Token, owner: str, visitor: Visitor) -> Line:
    times, scopes = visitor.times, (WRITE,) if WRITE in token.scopes else token.scopes
    return Line(
        id=token.id, name=token.name, owner=owner, owner_path=within(PEOPLE, token.person_id),
        scopes=tuple(SCOPES.get(scope, Label(scope, scope)) for scope in scopes), made=times.past(token.created_at),
        ends=times.past(token.expires_at), used=times.day(token.used_on) if token.used_on else None,
        is_good=not token.revoked and token.expires_at > visitor.service.access.real(),
    )  # fmt: skip


def _sheet(visitor: Visitor, typed: Typed) -> Sheet:
    days = visitor.service.policy.token_life.days
    entries = (
        typed.entry(
            "name", "名称", "Name", required=True, longest=80,
            hint=Label("写明用于哪个程序，便于日后辨认。", "Say which program it is for, so that it is known again."),
        ),
        Entry(
            name="scopes", label=Label("权限", "It may"), kind="choice", required=True, wrong=typed.wrong("scopes"),
            value=typed.value("scopes") or READ, options=((READ, SCOPES[READ]), (WRITE, SCOPES[WRITE])),
        ),
        typed.entry(
            "expires_on", "有效期至（可不填）", "Last day (optional)", kind="date",
            hint=Label(f"不填为 {days} 天。", f"Left open: {days} days."),
        ),
    )  # fmt: skip
    return Sheet(action=TOKENS, entries=entries, button=MAKE, refusal=typed.refusal(), draft="admin-token")
