"""Who acts for me while I am away: by date, each under their own name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.errors import Invalid, LoopError
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Name, Payload, field, read
from loop.kernel.people import ROLES, STAND_INS, UNIT_ROLES, Actor
from loop.store import names, people, staff
from loop.store.people import Seat
from loop.store.session import Tx
from loop.web.page import Goto, Page, Visitor, change, show
from loop.web.profile import CRUMBS, PLACE, self_of
from loop.web.sent import Sent, sent_of

router = APIRouter()
SUBSTITUTES = f"{PLACE}/substitutes"
TITLE = Label("我的代理人", "Who acts for me")
LEAD = Label(
    "在所定日期内，代理人以自己的名义代您办理，记录中注明代谁办理。",
    "On the days you set they act under their own name, and for whom is on record.",
)
MOST = 20
SPARE = 1
"""Empty rows below those that are filled in."""


class Row(Payload):
    """One substitute as typed."""

    name: Name = field("代理人", "substitute")
    from_on: Day = field("自", "from")
    until_on: Day = field("至", "until")


@dataclass(frozen=True, slots=True)
class Typed:
    """A row of the form; `who` names the person in full where they are known."""

    name: str = ""
    from_on: str = ""
    until_on: str = ""
    who: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class SubstitutesView:
    """The rows of the form and who could be asked."""

    rows: tuple[Typed, ...]
    colleagues: tuple[tuple[str, Label], ...]
    today: str
    refusal: Label | None = None


@router.get(SUBSTITUTES)
async def my_substitutes(request: Request) -> Response:
    """Those of today and to come, those of the past as well."""
    return await show(request, lambda tx, visitor: _page(tx, visitor, _kept(tx, visitor)))


@router.post(SUBSTITUTES)
async def keep(request: Request) -> Response:
    """What the form says takes the place of what was there; a row without a name is taken back."""
    sent = await sent_of(request)
    typed = _typed(sent)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        colleagues = colleagues_of(tx, visitor.actor, visitor.today)
        wanted = tuple(_read(place, row, colleagues) for place, row in enumerate(typed, 1) if row.name)
        staff.set_substitutes(tx, self_of(visitor), visitor.actor.id, wanted)
        return Goto(SUBSTITUTES, "substitutes-kept")

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        return _page(tx, visitor, tuple(typed), _without_field(error))

    return await change(request, sent, work, again)


def _typed(sent: Sent) -> list[Typed]:
    columns = (sent.all("name"), sent.all("from_on"), sent.all("until_on"))
    rows = zip_longest(*(column[:MOST] for column in columns), fillvalue="")
    return [Typed(name.strip(), from_on, until_on) for name, from_on, until_on in rows if name.strip()]


def _read(place: int, row: Typed, colleagues: Sequence[Seat]) -> tuple[str, Any, Any]:
    """A row as values; a full name stands for its one bearer among the colleagues. Raises Invalid naming the row."""
    bearers = {seat.name for seat in colleagues if seat.full_name == row.name}
    name = bearers.pop() if len(bearers) == 1 else row.name
    try:
        value = read(Row, {"name": name, "from_on": row.from_on, "until_on": row.until_on})
    except Invalid as error:
        fault = error.faults[0]
        raise Invalid.field(
            "substitutes", f"第 {place} 行（{row.name}）：{_COLUMNS.get(fault.field, _COLUMNS['name']).zh}{fault.label.zh}。",
            f"row {place} ({row.name}): {_COLUMNS.get(fault.field, _COLUMNS['name']).en} {fault.label.en}.",
        ) from None  # fmt: skip
    return value.name, value.from_on, value.until_on


_COLUMNS = {
    "name": Label("代理人", "the substitute"),
    "from_on": Label("起始日", "the first day"),
    "until_on": Label("截止日", "the last day"),
}


def _without_field(error: LoopError) -> Label:
    """The sentences of a refusal alone: the one field of this form needs no name."""
    if not isinstance(error, Invalid):
        return error.label
    return Label("".join(f.label.zh for f in error.faults), " ".join(f.label.en for f in error.faults))


def _kept(tx: Tx, visitor: Visitor) -> tuple[Typed, ...]:
    held = staff.substitutes_of(tx, visitor.actor.id)
    called = names.of_people(tx, (one.by_id for one in held))
    today = visitor.today
    return tuple(
        Typed(
            called[one.by_id][0], one.from_on.isoformat(), one.until_on.isoformat(), called[one.by_id][1],
            "over" if one.until_on < today else "now" if one.from_on <= today else "later",
        )
        for one in held
    )  # fmt: skip


def _page(tx: Tx, visitor: Visitor, rows: tuple[Typed, ...], refusal: Label | None = None) -> Page:
    seats = colleagues_of(tx, visitor.actor, visitor.today)
    view = SubstitutesView(
        (*rows, *(Typed() for _ in range(SPARE if len(rows) < MOST else 0))), offered(seats), visitor.today.isoformat(),
        refusal,
    )  # fmt: skip
    return Page(template="profile_substitutes.html", title=TITLE, lead=LEAD, crumbs=CRUMBS, view=view)


def colleagues_of(tx: Tx, actor: Actor, today: date) -> list[Seat]:
    """Who sits with somebody today and could be lent a post of theirs."""
    own = [post for post in actor.posts if post.for_id is None]
    seats = people.audience(
        tx, regions=[post.region[-1] for post in own if post.region],
        units=[post.unit_id for post in own if post.unit_id and post.role in UNIT_ROLES], today=today,
    )  # fmt: skip
    return [
        seat
        for seat in seats
        if seat.person_id != actor.id
        and seat.for_id is None
        and any(
            seat.role in STAND_INS[post.role] and (post.role not in UNIT_ROLES or post.unit_id == seat.unit_id)
            for post in own
        )
    ]


def offered(seats: Sequence[Seat]) -> tuple[tuple[str, Label], ...]:
    """Each colleague once: the sign-in name, and the words beside it."""
    held: dict[tuple[str, str], list[Label]] = {}
    for seat in seats:
        held.setdefault((seat.name, seat.full_name), []).append(ROLES[seat.role])
    return tuple(
        (name, Label(f"{full}（{'、'.join(r.zh for r in roles)}）", f"{full} ({', '.join(r.en for r in roles)})"))
        for (name, full), roles in sorted(held.items())
    )
