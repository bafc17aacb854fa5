"""The ledger 台账: every finding in the reader's reach, filtered and sorted by what stands in the address.

Offices, departments, leaders and auditors get a table; a unit gets its findings as cards in plain words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.errors import Invalid
from loop.kernel.labels import Label
from loop.kernel.people import DEPARTMENT, LEADER, OFFICE_ROLES, UNIT
from loop.store import ledger, places, saved_views
from loop.store.ledger import Count, LedgerRow
from loop.store.paging import Page as Rows
from loop.store.reach import SEES_REGION
from loop.store.saved_views import SavedView
from loop.store.session import Tx
from loop.web.chrome import SEES
from loop.web.faults import wrong_of
from loop.web.known import unit_called
from loop.web.ledger_asked import AFTER, MOMENTS, PLACE, Asked, asked_of, is_untidy
from loop.web.ledger_cards import Card, cards
from loop.web.ledger_filters import Chip, Offered, chips, offered, spots_of
from loop.web.ledger_rows import ALWAYS, COLUMNS, Head, Line, chosen_columns, heads, line_of
from loop.web.page import Goto, Page, Visitor, redirect, show
from loop.web.times import Moment

router = APIRouter()
TITLE, OWN_TITLE = Label("台账", "Ledger"), Label("我的问题", "My findings")
OWN_LEAD = Label(
    "督导中向您单位指出的问题，期限最近的在前。", "What was found at your unit, the nearest deadline first."
)
TOTAL, MORE_THAN = Label("共 {n} 项", "{n} findings"), Label("超过 {n} 项", "More than {n} findings")
ONE = Label("共 1 项", "1 finding")
COLUMNS_COOKIE = "loop_columns"
CHOOSE = OFFICE_ROLES | {LEADER, DEPARTMENT}
"""Roles that take an action on several findings at once."""
HIDDEN_FIELDS = MOMENTS | {
    "state", "severity", "category", "kind", "dispute", "level_min", "suspended", "unit", "region", "office"
}  # fmt: skip
MORE_FIELDS = HIDDEN_FIELDS | {"sort", "limit"}
"""What stands under "more", which is opened where something of it is wrong."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A saved view, where it leads, and whether it is what the page shows."""

    id: str
    name: str
    path: str
    current: bool


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed into the form for a view, and what is wrong with it; `id` names the view to be renamed."""

    name: str = ""
    id: str = ""
    wrong: Label | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerView:
    """The whole page. `given` are the values of the filter by field, as they came, the unit's by its name or by its id;
    `cards` take the place of `lines` for a unit.
    """

    given: Mapping[str, tuple[str, ...]]
    unit_is_named: bool
    unit_name: str
    query: str
    wrong: Mapping[str, Label]
    refusal: Label | None
    offered: Offered
    more_open: bool
    more_count: int
    chips: tuple[Chip, ...]
    cleared: str
    kept: tuple[Kept, ...]
    typed: Typed
    columns: tuple[tuple[str, Label, bool], ...]
    plain: bool
    sees: bool
    may_choose: bool
    total: Label | None
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    cards: tuple[Card, ...]
    first: str
    following: str
    as_of: Moment | None


@router.get(PLACE)
async def list_findings(request: Request) -> Response:
    """The ledger, as far as the reader sees it."""
    if is_untidy(request.query_params):
        flow = request.app.state.service.book.workflow
        return redirect(Goto(asked_of(request.query_params, flow).address))
    columns = request.cookies.get(COLUMNS_COOKIE, "")
    after = request.query_params.get(AFTER)

    def build(tx: Tx, visitor: Visitor) -> Page:
        asked = asked_of(request.query_params, visitor.service.book.workflow, after)
        return page_of(tx, visitor, asked, columns)

    return await show(request, build)


def page_of(tx: Tx, visitor: Visitor, asked: Asked, columns: str = "", typed: Typed | None = None) -> Page:
    """The page that answers a question; with `typed` the form for a view that was refused is shown again."""
    plain = visitor.holds(UNIT) and not visitor.holds(*SEES_REGION, DEPARTMENT)
    asked, is_name = with_unit(tx, visitor, asked)
    found = _found(tx, visitor, asked)
    spots = spots_of(tx, visitor, asked)
    rows, names = found.rows.items, chosen_columns(columns)
    after = asked.query.after
    view = LedgerView(
        given={name: asked.all(name) for name in dict.fromkeys(name for name, _ in asked.given)}, unit_is_named=is_name,
        unit_name=rows[0].unit.name if asked.query.unit and rows else "",
        query=asked.text, wrong=found.wrong, refusal=found.refusal,
        offered=offered(visitor.service.book.workflow, spots),
        more_open=bool(MORE_FIELDS & set(found.wrong)),
        more_count=sum(name in HIDDEN_FIELDS for name, _ in asked.given),
        chips=chips(tx, visitor, asked, spots, rows), cleared=asked.cleared,
        kept=tuple(_kept(one, asked) for one in saved_views.of_person(tx, visitor.actor.id)), typed=typed or Typed(),
        columns=tuple((name, column.label, name in names) for name, column in COLUMNS.items() if name != ALWAYS),
        plain=plain, sees=visitor.holds(*SEES), may_choose=visitor.holds(*CHOOSE) and bool(rows), total=found.total,
        heads=heads(asked, names), lines=() if plain else tuple(line_of(row, visitor) for row in rows),
        cards=cards(tx, visitor, rows) if plain else (), first=asked.address if after else "",
        following=asked.with_(AFTER, found.rows.next) if found.rows.next else "",
        as_of=visitor.times.past(visitor.now),
    )  # fmt: skip
    return Page(
        template="ledger.html", title=OWN_TITLE if plain else TITLE, lead=OWN_LEAD if plain else None, view=view,
        wide=not plain, status=422 if found.refusal else 200,
    )  # fmt: skip


def with_unit(tx: Tx, visitor: Visitor, asked: Asked) -> tuple[Asked, bool]:
    """The question with the unit's id where somebody typed its name, and whether they did."""
    typed = asked.query.unit
    if not typed or places.find_unit(tx, typed):
        return asked, False
    try:
        unit = unit_called(tx, visitor, "unit", typed)
    except Invalid as error:
        return replace(asked, wrong={**asked.wrong, **{fault.field: fault.label for fault in error.faults}}), True
    return replace(asked, query=asked.query.model_copy(update={"unit": unit})), True


@dataclass(frozen=True, slots=True)
class Found:
    """What the ledger answers, or why it does not."""

    rows: Rows[LedgerRow]
    total: Label | None = None
    wrong: Mapping[str, Label] = field(default_factory=dict)
    refusal: Label | None = None


def _found(tx: Tx, visitor: Visitor, asked: Asked) -> Found:
    if asked.wrong:
        return Found(Rows(()), wrong=asked.wrong, refusal=asked.refusal)
    query, now = asked.query, visitor.now
    try:
        chosen = query.chosen(visitor.service.calendar)
        rows = ledger.page(tx, visitor.actor, chosen, now=now, sort=query.sort, after=query.after, limit=query.limit)
        counted = ledger.count(tx, visitor.actor, chosen, now=now)
    except Invalid as error:
        again = Asked(asked.given, query, wrong_of(error))
        return Found(Rows(()), wrong=again.wrong, refusal=again.refusal)
    return Found(rows, total_of(counted))


def total_of(counted: Count) -> Label:
    """How many there are, in words."""
    n = f"{counted.total:,}"
    return (MORE_THAN if counted.more else TOTAL).filled(n=n) if counted.total != 1 else ONE


def _kept(view: SavedView, asked: Asked) -> Kept:
    return Kept(view.id, view.name, f"{PLACE}?{view.query}" if view.query else PLACE, view.query == asked.text)
