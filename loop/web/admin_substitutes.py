"""Who acts for somebody, arranged by an administrator: for whoever fell ill and could not do it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import keeper
from loop.kernel.errors import Invalid, LoopError
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Name, Payload, field, read
from loop.store import names, people, staff
from loop.store.session import Tx
from loop.store.staff import Person
from loop.web.admin import PEOPLE, change_admin, show_admin, within
from loop.web.admin_person import ONE, StandIn, crumbs_to, ours, stand_ins
from loop.web.admin_sheets import Sheet, Typed
from loop.web.page import Goto, Page, Visitor
from loop.web.profile_substitutes import colleagues_of, offered
from loop.web.sent import sent_of

router = APIRouter()
PLACE = f"{ONE}/substitutes"
TITLE = Label("代理安排", "Who acts for them")
LEAD = Label(
    "在所定日期内，代理人以自己的名义代办，记录中注明代谁办理。",
    "On the days set the substitute acts under their own name, and for whom is on record.",
)
FIELDS = ("name", "from_on", "until_on")


class NewSubstitute(Payload):
    """A substitute as typed."""

    name: Name = field("代理人", "substitute")
    from_on: Day = field("自", "from")
    until_on: Day = field("至", "until")


@dataclass(frozen=True, slots=True)
class SubstitutesView:
    """Who acts for the person, and the form for one more."""

    stand_ins: tuple[StandIn, ...]
    sheet: Sheet
    colleagues: tuple[tuple[str, Label], ...]
    here: str


@router.get(PLACE)
async def listed(request: Request, who: str) -> Response:
    """Who acts for them."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        person = ours(tx, visitor, who)
        keeper(tx, visitor.caller, visitor.service, person)
        return _page(tx, visitor, person, Typed({"from_on": visitor.today.isoformat()}))

    return await show_admin(request, build)


@router.post(PLACE)
async def add(request: Request, who: str) -> Response:
    """One more substitute."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        person = ours(tx, visitor, who)
        by = keeper(tx, visitor.caller, visitor.service, person)
        new = read(NewSubstitute, {name: text for name in FIELDS if (text := sent.get(name).strip())})
        bearers = {one.name for one in _colleagues(tx, visitor, person) if one.full_name == new.name}
        name = bearers.pop() if len(bearers) == 1 else new.name
        try:
            staff.set_substitutes(tx, by, person.id, (*_kept(tx, person), (name, new.from_on, new.until_on)))
        except Invalid as error:
            fault = error.faults[0]
            where = "until_on" if fault.kind == "order" else "name"
            raise Invalid.field(where, fault.label.zh, fault.label.en, fault.kind) from None
        return Goto(f"{within(PEOPLE, person.id)}/substitutes", "substitutes-kept")

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        return _page(tx, visitor, ours(tx, visitor, who), Typed(sent, error))

    return await change_admin(request, sent, work, again)


@router.post(f"{PLACE}/end")
async def take_back(request: Request, who: str) -> Response:
    """Take a substitute back."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        person = ours(tx, visitor, who)
        by = keeper(tx, visitor.caller, visitor.service, person)
        gone = tuple(sent.get(name) for name in FIELDS)
        left = tuple(one for one in _kept(tx, person) if (one[0], one[1].isoformat(), one[2].isoformat()) != gone)
        staff.set_substitutes(tx, by, person.id, left)
        return Goto(f"{within(PEOPLE, person.id)}/substitutes", "substitutes-kept")

    return await change_admin(request, sent, work)


def _kept(tx: Tx, person: Person) -> tuple[tuple[str, date, date], ...]:
    held = staff.substitutes_of(tx, person.id)
    called = names.of_people(tx, (one.by_id for one in held))
    return tuple((called[one.by_id][0], one.from_on, one.until_on) for one in held)


def _colleagues(tx: Tx, visitor: Visitor, person: Person) -> list[people.Seat]:
    actor = people.actor_of(tx, person.id, visitor.today)
    return colleagues_of(tx, actor, visitor.today) if actor else []


def _page(tx: Tx, visitor: Visitor, person: Person, typed: Typed) -> Page:
    here = f"{within(PEOPLE, person.id)}/substitutes"
    hint = Label(
        "填写登录名或姓名；须任同类岗位：督导办岗位由督导办人员代理，单位和部门由本单位人员代理。",
        "A sign-in name or full name; with a post of like kind: office people for an office post, a unit's own people for its.",
    )
    entries = (
        typed.entry("name", "代理人", "Substitute", required=True, longest=64, hint=hint),
        typed.entry("from_on", "自（含当日）", "From (that day included)", kind="date", required=True),
        typed.entry("until_on", "至（含当日）", "Until (that day included)", kind="date", required=True),
    )
    sheet = Sheet(
        action=here, entries=entries, button=Label("添加代理人", "Add the substitute"), refusal=typed.refusal()
    )
    view = SubstitutesView(stand_ins(tx, visitor, person), sheet, offered(_colleagues(tx, visitor, person)), here)
    return Page(template="admin_substitutes.html", title=TITLE, lead=LEAD, view=view, crumbs=crumbs_to(person))
