"""People: searched and listed, and added with a first post."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop import staffing
from loop.access import LONGEST_PASSWORD, SHORTEST_PASSWORD
from loop.authority import require
from loop.kernel.errors import Fault, Invalid, LoopError
from loop.kernel.labels import Label
from loop.kernel.people import ADMIN, REGION_ROLES, ROLES, SYSTEM
from loop.kernel.registration import NewUser
from loop.store import lookup, staff
from loop.store.lookup import Match, Placed
from loop.store.session import Tx
from loop.store.staff import Person
from loop.web.admin import (
    AT_A_TIME,
    HOME,
    PEOPLE,
    address,
    asked,
    change_admin,
    chosen,
    scope_of,
    show_admin,
    within,
)
from loop.web.admin_find import find_entry, found_in
from loop.web.admin_sheets import Entry, Sheet, Typed, gathered, handed_in
from loop.web.page import Crumb, Goto, Page, Visitor, admit, service_of
from loop.web.sent import Sent, sent_of

router = APIRouter()
TITLE, NEW = Label("人员与岗位", "People and posts"), Label("添加人员", "Add a person")
LIST = Crumb(TITLE, PEOPLE)
PLACES = ("region", "office", "unit")
STATES = {"true": True, "false": False}
GIVEN_ROLES = tuple((name, label) for name, label in ROLES.items() if name != SYSTEM)
LANGUAGES = (("zh", Label("中文", "Chinese")), ("en", Label("英文", "English")))
POLICY = Label(
    f"{SHORTEST_PASSWORD} 至 {LONGEST_PASSWORD} 个字符，建议用几个词组成一句好记的话。"
    "保存后不再显示，请当面或用其他安全方式告知本人，并请本人首次登录后在“个人设置”（/profile）中修改密码。",
    f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a sentence of a few words is easy to remember. "
    "It is never shown again: tell it to the person face to face or in another safe way, and ask them to change it "
    "after the first sign-in, in My profile (/profile).",
)


@dataclass(frozen=True, slots=True)
class PostLine:
    """A post in words: what, where, from when until when, and whether it has begun or is over."""

    id: str
    role: Label
    region: str
    unit: str
    from_on: str
    until_on: str
    tone: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person in the list, with the posts that are not over."""

    person: Person
    posts: tuple[PostLine, ...]
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleView:
    """A page of people, and what was asked."""

    lines: tuple[PersonLine, ...]
    asked: str
    role: str
    roles: tuple[tuple[str, Label], ...]
    active: str
    place: str
    at: str
    places: tuple[tuple[Match, str], ...]
    kept: tuple[tuple[str, str], ...]
    first: str
    following: str
    add_path: str


@router.get(PEOPLE)
async def listed(request: Request) -> Response:
    """The people of the regions that the reader administers, by name, role and place."""
    q, role, active = asked(request, "q"), chosen(request, "role", ROLES), chosen(request, "active", STATES)
    kept = {name: asked(request, name) for name in PLACES}
    at, after = asked(request, "at"), asked(request, "after")

    def build(tx: Tx, visitor: Visitor) -> Page:
        here, places = _placed(tx, visitor, at, {"q": q, "role": role, "active": active, **kept})
        region, office, unit = (here[name] for name in PLACES)
        under = lookup.path_at(tx, region) if region else None
        page = lookup.people(
            tx, scope_of(visitor), q=q, under=under, office=office or None, unit_id=unit or None, role=role or None,
            active=STATES.get(active), after=after or None, limit=AT_A_TIME,
        )  # fmt: skip
        held = lookup.posts_placed(tx, (one.id for one in page.items))
        view = PeopleView(
            lines=tuple(_line(one, held[one.id], visitor) for one in page.items), asked=q, role=role, roles=GIVEN_ROLES,
            active=active, place=_place(tx, visitor, region, office, unit), at=at if places else "", places=places,
            kept=tuple((name, here[name]) for name in PLACES if here[name]),
            first=address(PEOPLE, **here) if after else "",
            following=address(PEOPLE, **here, after=page.next) if page.next else "",
            add_path=address(f"{PEOPLE}/new", region=region or office, unit=unit),
        )  # fmt: skip
        return Page(template="admin_people.html", title=TITLE, view=view, crumbs=(HOME,))

    return await show_admin(request, build)


def _placed(
    tx: Tx, visitor: Visitor, at: str, asked_for: Mapping[str, str]
) -> tuple[dict[str, str], tuple[tuple[Match, str], ...]]:  # fmt: skip
    """What was asked for, at the region or unit that somebody typed; where several fit, these with their addresses."""
    if not at:
        return dict(asked_for), ()
    mine, elsewhere = scope_of(visitor), dict.fromkeys(PLACES, "")
    found = [("region", one) for one in lookup.regions_called(tx, at, mine)]
    found += [("unit", one) for one in lookup.units_called(tx, at, mine)]
    exact = [(name, one) for name, one in found if at in (one.key, one.name)] or found
    if len(exact) == 1:
        name, one = exact[0]
        return {**asked_for, **elsewhere, name: one.key}, ()
    # What nothing is called narrows the list to nobody.
    which = tuple((one, address(PEOPLE, **{**asked_for, **elsewhere, name: one.key})) for name, one in found)
    return {**asked_for, **elsewhere, "unit": "" if found else at}, which


def _place(tx: Tx, visitor: Visitor, region: str, office: str, unit: str) -> str:
    """What the place that a list is narrowed to is called; empty where it is not."""
    mine = scope_of(visitor)
    return lookup.unit_name(tx, unit, mine) or lookup.region_name(tx, office or region, mine)


def _line(person: Person, held: list[Placed], visitor: Visitor) -> PersonLine:
    posts = tuple(line for one in held if (line := post_line(one, visitor)).tone != "over")
    return PersonLine(person, posts, within(PEOPLE, person.id))


def post_line(placed: Placed, visitor: Visitor, *, ours: bool = False) -> PostLine:
    """A post in words."""
    post, today = placed.post, visitor.today
    tone = "over" if post.until_on < today else "now" if post.from_on <= today else "later"
    until = "" if post.until_on.year == 9999 else post.until_on.isoformat()
    role = ROLES.get(post.role, Label(post.role, post.role))
    return PostLine(post.id, role, placed.region, placed.unit, post.from_on.isoformat(), until, tone, ours)


# ---- adding ----------------------------------------------------------------------------------------------------------


@router.get(f"{PEOPLE}/new")
async def ask_for_new(request: Request) -> Response:
    """The form for a new person with a first post."""
    region, unit = asked(request, "region"), asked(request, "unit")

    def build(tx: Tx, visitor: Visitor) -> Page:
        return _new_page(tx, visitor, Typed(_prefilled(tx, visitor, region, unit)))

    return await show_admin(request, build)


def _prefilled(tx: Tx, visitor: Visitor, region: str, unit: str) -> dict[str, str]:
    """A form for somebody at a place: its name stands in the entry, its key beside it."""
    found = {"language": "zh", "from_on": visitor.today.isoformat()}
    if region:
        found |= {"region": lookup.region_name(tx, region, scope_of(visitor)), "region_is": region}
    if unit:
        found |= {"unit": lookup.unit_name(tx, unit, scope_of(visitor)), "unit_is": unit}
    return found


@router.post(f"{PEOPLE}/new")
async def add(request: Request) -> Response:
    """Add a person with a first post; of a known name only where it is the same person, who gets one more post."""
    sent = await sent_of(request)
    hashed, refused = await hashed_of(request, sent)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        new = _new_of(tx, visitor, sent, refused)
        person = staffing.give_post(tx, visitor.caller, visitor.service, new, hashed)
        return Goto(within(PEOPLE, person.id), "person-added")

    return await change_admin(
        request, sent, work, lambda tx, visitor, error: _new_page(tx, visitor, Typed(sent, error))
    )


def _new_of(tx: Tx, visitor: Visitor, sent: Sent, refused: LoopError | None) -> NewUser:
    """The person and the post that a form asks for; raises Invalid with everything that is wrong with it at once."""
    faults: list[Fault] = []
    if refused and not isinstance(refused, Invalid):
        raise refused
    faults += refused.faults if isinstance(refused, Invalid) else ()
    name, password = sent.get("name").strip(), {"password": sent.get("password")} if sent.get("password") else {}
    if name:
        gathered(faults, lambda: staff.check_name(name))
    where = gathered(faults, lambda: _where(tx, visitor, sent))
    new = gathered(faults, lambda: handed_in(
        NewUser, sent, "name", "full_name", "language", "role", "from_on", "until_on", **password, **where or {},
    ))  # fmt: skip
    if where is not None and sent.get("role"):
        gathered(faults, lambda: staffing.check_place(sent.get("role"), where.get("region"), where.get("unit")))
    if faults or not new:
        raise Invalid(faults)
    return new


async def hashed_of(request: Request, sent: Sent) -> tuple[str, LoopError | None]:
    """The hash of the password in a form, empty without one; or why it is refused. Made outside any transaction, because it
    takes time, and for administrators only.
    """
    visitor = await admit(request, sent)
    require(visitor.actor, ADMIN)
    password = sent.get("password")
    if not password:
        return "", None
    try:
        return await asyncio.to_thread(service_of(request).access.passwords.hash, password), None
    except LoopError as error:
        return "", error


def _where(tx: Tx, visitor: Visitor, sent: Sent) -> dict[str, str]:
    """The region and the unit that were typed, where any were; raises Invalid."""
    faults: list[Fault] = []
    found = {
        "region": gathered(faults, lambda: found_in(tx, visitor, sent, "region", "regions")),
        "unit": gathered(faults, lambda: found_in(tx, visitor, sent, "unit", "units")),
    }
    if faults:
        raise Invalid(faults)
    return {name: key for name, key in found.items() if key}


def post_asked(tx: Tx, visitor: Visitor, sent: Sent, name: str) -> NewUser:
    """One more post for a known name, as a form asks for it; raises Invalid."""
    return handed_in(NewUser, sent, "role", "from_on", "until_on", name=name, **_where(tx, visitor, sent))


def post_entries(tx: Tx, visitor: Visitor, typed: Typed) -> tuple[Entry, ...]:
    """The entries of a post."""
    by_region = [label for name, label in GIVEN_ROLES if name in REGION_ROLES]
    hint = Label(
        f"{'、'.join(one.zh for one in by_region)}须填写地区。", f"For {', '.join(one.en for one in by_region)}."
    )
    at_unit = Label(
        "被督导单位、主管部门人员须填写单位；督学填写单位的，即为该校责任督学。",
        "For people of a unit or a department; an inspector with a unit is the one responsible for it.",
    )
    ends = Label("没有期限的留空。", "Leave empty where no end is set.")
    return (
        typed.entry("role", "角色", "Role", kind="choice", required=True, options=GIVEN_ROLES),
        find_entry(tx, visitor, typed, typed.entry("region", "地区", "Region", hint=hint), "regions"),
        find_entry(tx, visitor, typed, typed.entry("unit", "单位", "Unit", hint=at_unit), "units"),
        typed.entry("from_on", "任职自", "In post from", kind="date"),
        typed.entry("until_on", "任职至", "In post until", kind="date", hint=ends),
    )


def _new_page(tx: Tx, visitor: Visitor, typed: Typed) -> Page:
    sign_in = Label(
        "英文字母、数字和 . _ @ + -，以后不能更改。", "ASCII letters, digits and . _ @ + -; it cannot be changed later."
    )
    entries = (
        typed.entry("full_name", "姓名", "Full name", required=True, longest=80),
        typed.entry("name", "登录名", "Sign-in name", required=True, longest=64, hint=sign_in),
        *post_entries(tx, visitor, typed),
        typed.entry("language", "语言", "Language", kind="choice", required=True, options=LANGUAGES),
        Entry(
            name="password", label=Label("初始密码", "First password"), kind="password", wrong=typed.wrong("password"),
            hint=POLICY, longest=LONGEST_PASSWORD,
        ),
    )  # fmt: skip
    draft = f"admin-person:{typed.value('region')}:{typed.value('unit')}"
    sheet = Sheet(action=f"{PEOPLE}/new", entries=entries, button=NEW, refusal=typed.refusal(), draft=draft)
    return Page(template="admin_new.html", title=NEW, view=sheet, crumbs=(HOME, LIST))
