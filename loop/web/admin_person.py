"""One person: posts, details, password, who acts for them. Whoever also serves elsewhere is kept by the administrator above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop import staffing
from loop.authority import covers, keeper, seen
from loop.kernel.errors import Forbidden, Invalid, LoopError
from loop.kernel.labels import Label
from loop.kernel.payloads import read
from loop.kernel.people import ADMIN
from loop.kernel.registration import ChangedUser, EndedPost
from loop.store import lookup, names, staff
from loop.store.session import Tx
from loop.store.staff import Person
from loop.web.admin import HOME, PEOPLE, TOKENS, address, change_admin, scope_of, show_admin, within
from loop.web.admin_people import LANGUAGES, LIST, POLICY, PostLine, hashed_of, post_asked, post_entries, post_line
from loop.web.admin_sheets import Entry, Sheet, Typed
from loop.web.page import Again, Crumb, Goto, Page, Visitor
from loop.web.sent import NOTHING, Sent, sent_of

router = APIRouter()
ONE = PEOPLE + "/{who}"
GIVE = Label("给予岗位", "Give a post")
DETAILS, PASSWORD, END = "details", "password", "end"
DIFFERENT = ("两次输入的密码不一致。", "the two passwords differ.")


@dataclass(frozen=True, slots=True)
class StandIn:
    """Who acts for the person, or for whom the person acts, on which days."""

    name: str
    full_name: str
    from_on: str
    until_on: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """One person; without `keeps` the reader administers some of the posts only, and nothing else is theirs to change."""

    person: Person
    language: Label
    posts: tuple[PostLine, ...]
    stand_ins: tuple[StandIn, ...]
    keeps: bool
    is_oneself: bool
    today: str
    here: str
    ended: str
    ended_wrong: Label | None
    details: Sheet
    password: Sheet
    tokens_path: str


@router.get(ONE)
async def one(request: Request, who: str) -> Response:
    """One person."""
    return await show_admin(request, lambda tx, visitor: _page(tx, visitor, ours(tx, visitor, who)))


def ours(tx: Tx, visitor: Visitor, id_: str) -> Person:
    """Somebody with a post in the reader's regions; raises NotFound."""
    return seen(tx, visitor.actor, id_, ADMIN)


def keeps(tx: Tx, visitor: Visitor, person: Person) -> bool:
    """Whether everything the person is lies in the reader's regions."""
    try:
        keeper(tx, visitor.caller, visitor.service, person)
    except Forbidden:
        return False
    return True


def crumbs_to(person: Person) -> tuple[Crumb, ...]:
    """The way back to a person."""
    return (HOME, LIST, Crumb(Label(person.full_name, person.full_name), within(PEOPLE, person.id)))


def _page(
    tx: Tx, visitor: Visitor, person: Person, form: str = "", sent: Sent = NOTHING, error: LoopError | None = None
) -> Page:  # fmt: skip
    here, mine = within(PEOPLE, person.id), scope_of(visitor)
    held = lookup.posts_placed(tx, [person.id])[person.id]
    faults = error.faults if isinstance(error, Invalid) else ()
    standing = {"full_name": person.full_name, "language": person.language}
    view = PersonView(
        person=person, language=dict(LANGUAGES)[person.language],
        posts=tuple(post_line(one, visitor, ours=covers(mine, one.path)) for one in held),
        stand_ins=stand_ins(tx, visitor, person), keeps=keeps(tx, visitor, person), is_oneself=person.id == visitor.actor.id,
        today=sent.get("until_on") if form == END else visitor.today.isoformat(), here=here,
        ended=sent.get("post") if form == END else "",
        ended_wrong=(faults[0].label if faults else error.label) if error and form == END else None,
        details=_details(here, Typed(sent, error) if form == DETAILS else Typed(standing)),
        password=_password(here, Typed({}, error if form == PASSWORD else None)),
        tokens_path=address(TOKENS, person=person.id),
    )  # fmt: skip
    title = Label(person.full_name, person.full_name)
    return Page(template="admin_person.html", title=title, view=view, crumbs=(HOME, LIST))


def stand_ins(tx: Tx, visitor: Visitor, person: Person) -> tuple[StandIn, ...]:
    """Who acts for somebody, the past ones too."""
    held = staff.substitutes_of(tx, person.id)
    called = names.of_people(tx, (one.by_id for one in held))
    today = visitor.today
    return tuple(
        StandIn(
            *called[one.by_id], one.from_on.isoformat(), one.until_on.isoformat(),
            "over" if one.until_on < today else "now" if one.from_on <= today else "later",
        )
        for one in held
    )  # fmt: skip


def _details(here: str, typed: Typed) -> Sheet:
    entries = (
        typed.entry("full_name", "姓名", "Full name", required=True, longest=80),
        typed.entry("language", "语言", "Language", kind="choice", required=True, options=LANGUAGES),
    )
    save = Label("保存", "Save")
    return Sheet(action=f"{here}/{DETAILS}", entries=entries, button=save, refusal=typed.refusal(), sets=True)


def _password(here: str, typed: Typed) -> Sheet:
    entries = tuple(
        Entry(name=name, label=label, kind="password", required=True, wrong=typed.wrong(name), hint=hint, longest=256)
        for name, label, hint in (
            ("password", Label("新密码", "New password"), POLICY),
            ("again", Label("再次输入新密码", "New password once more"), None),
        )
    )
    button = Label("设定新密码", "Set the new password")
    return Sheet(action=f"{here}/{PASSWORD}", entries=entries, button=button, refusal=typed.refusal(), sets=True)


# ---- changing --------------------------------------------------------------------------------------------------------


@router.post(f"{ONE}/{DETAILS}")
async def keep_details(request: Request, who: str) -> Response:
    """Another name or language."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        person = ours(tx, visitor, who)
        wanted = read(ChangedUser, {name: sent.get(name) for name in ("full_name", "language")})
        changes: Mapping[str, object] = {"full_name": wanted.full_name, "language": wanted.language}
        staffing.change_person(tx, visitor.caller, visitor.service, person, changes)
        return Goto(within(PEOPLE, person.id), "entry-kept")

    return await change_admin(request, sent, work, _again(who, DETAILS, sent))


@router.post(f"{ONE}/{PASSWORD}")
async def set_password(request: Request, who: str) -> Response:
    """A new password, told nowhere again; it signs the person out everywhere."""
    sent = await sent_of(request)
    hashed, refused = await hashed_of(request, sent)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        person = ours(tx, visitor, who)
        keeper(tx, visitor.caller, visitor.service, person)
        if refused:
            raise refused
        if not hashed:
            raise Invalid.field("password", "请填写新密码。", "type a password.", "missing")
        if sent.get("password") != sent.get("again"):
            raise Invalid.field("again", *DIFFERENT, "different")
        staffing.change_person(tx, visitor.caller, visitor.service, person, {}, hashed)
        return Goto(within(PEOPLE, person.id), "password-set")

    return await change_admin(request, sent, work, _again(who, PASSWORD, sent))


@router.post(f"{ONE}/posts/end")
async def end_post(request: Request, who: str) -> Response:
    """Let a post end with a day."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        person = ours(tx, visitor, who)
        ended = read(EndedPost, {"post": sent.get("post"), "until_on": sent.get("until_on")})
        staffing.end_post(tx, visitor.caller, visitor.service, person, ended, "post")
        return Goto(within(PEOPLE, person.id), "post-ended")

    return await change_admin(request, sent, work, _again(who, END, sent))


def _again(who: str, form: str, sent: Sent) -> Again:
    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        return _page(tx, visitor, ours(tx, visitor, who), form, sent, error)

    return again


@router.get(f"{ONE}/posts/new")
async def ask_for_post(request: Request, who: str) -> Response:
    """The form for one more post."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        return _post_page(tx, visitor, ours(tx, visitor, who), Typed({"from_on": visitor.today.isoformat()}))

    return await show_admin(request, build)


@router.post(f"{ONE}/posts/new")
async def give_post(request: Request, who: str) -> Response:
    """Give one more post."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        person = ours(tx, visitor, who)
        staffing.give_post(tx, visitor.caller, visitor.service, post_asked(tx, visitor, sent, person.name), "")
        return Goto(within(PEOPLE, person.id), "post-given")

    return await change_admin(
        request, sent, work,
        lambda tx, visitor, error: _post_page(tx, visitor, ours(tx, visitor, who), Typed(sent, error)),
    )  # fmt: skip


def _post_page(tx: Tx, visitor: Visitor, person: Person, typed: Typed) -> Page:
    action = f"{within(PEOPLE, person.id)}/posts/new"
    entries = post_entries(tx, visitor, typed)
    sheet = Sheet(action=action, entries=entries, button=GIVE, refusal=typed.refusal(), draft=f"admin-post:{person.id}")
    return Page(template="admin_new.html", title=GIVE, view=sheet, crumbs=crumbs_to(person))
