"""The board 挂图作战: how a region stands, for a screen in a meeting and a phone in a corridor; every number is a link."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.store import names, pressing, tallies, write_offs
from loop.store.board import Standing
from loop.store.pressing import CLIMBING
from loop.store.session import Tx
from loop.web.board_charts import flow_chart, punctual_chart, relapse_chart, week_chart
from loop.web.board_items import Item, items
from loop.web.board_lists import LightRow, Number, board_page, due_in, open_in, written_off_in
from loop.web.board_scope import Scope, scope_of
from loop.web.board_tables import (
    DayRow,
    MonthRow,
    StageRow,
    day_rows,
    midnights,
    month_rows,
    months_until,
    region_rows,
    stage_rows,
    unit_rows,
    working_days,
)
from loop.web.charts import Columns, Flow
from loop.web.page import Crumb, Page, Visitor, show
from loop.web.places import finding_page
from loop.web.times import Moment

router = APIRouter()
TITLE = Label("挂图作战", "Board")
OWN = Label("本级直属", "in none of these")
MOST_UNITS, MOST_ITEMS, AT_A_TIME = 12, 6, 50
MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Key:
    """One of the numbers at the top. `tone` is how it is marked."""

    label: Label
    number: Number
    tone: str = ""
    note: Label | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """A region to go to."""

    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """Everything on the board of one region."""

    region: str
    as_of: Moment | None
    others: tuple[Way, ...]
    empty: bool
    keys: tuple[Key, ...]
    regions: tuple[LightRow, ...]
    units: tuple[LightRow, ...]
    stages: tuple[StageRow, ...]
    flow: Flow
    days: tuple[DayRow, ...]
    week: Columns
    months: tuple[MonthRow, ...]
    has_off: bool
    punctual: Columns
    relapsed: Columns
    overdue: tuple[Item, ...]
    all_overdue: Number
    climbing: tuple[Item, ...]
    all_climbing: Number


@router.get("/board")
async def board(request: Request) -> Response:
    """The board of a region."""
    asked = request.query_params.get("region")

    def build(tx: Tx, visitor: Visitor) -> Page:
        scope = scope_of(tx, visitor, asked)
        called = names.of_regions(tx, {*scope.path, *(path[-1] for path in scope.others)})
        crumbs = tuple(
            Crumb(Label(called[code], called[code]), board_page(code)) for code in scope.path[len(scope.top) - 1 : -1]
        )
        lead = Label(f"{scope.name}整改情况", f"How {scope.name} stands")
        view = _view(tx, visitor, scope, tuple(Way(called[p[-1]], board_page(p[-1])) for p in scope.others))
        return Page(template="board.html", title=TITLE, lead=lead, view=view, crumbs=crumbs, wide=True)

    return await show(request, build)


def _view(tx: Tx, visitor: Visitor, scope: Scope, others: tuple[Way, ...]) -> BoardView:
    calendar, declared = visitor.service.calendar, visitor.service.book.workflow
    days, months = working_days(visitor.today, calendar), months_until(visitor.today)
    below = pressing.below(tx, scope.code)
    units = pressing.next_units(tx, scope.path, MOST_UNITS)
    places = (*(code for code, _, _ in below), *(tallies.of_unit(*unit) for unit in units))
    stands = Standing(tx, scope.path, places, now=visitor.now, marks=midnights(days, calendar), since=months[0])
    late, high = (
        pressing.longest_overdue(tx, scope.path, visitor.now, MOST_ITEMS),
        pressing.climbers(tx, scope.path, MOST_ITEMS),
    )
    found = pressing.lines(tx, (*late, *high))
    stages = stage_rows(stands, scope.code, declared)
    by_day, by_month = day_rows(stands, scope.code, days, visitor.times), month_rows(stands, scope.code, months)
    lights = stands.lights()
    return BoardView(
        region=scope.name, as_of=visitor.times.past(visitor.now), others=others,
        empty=not any(row.number.n for row in stages),
        keys=_keys(stands, scope.code, by_day, by_month[-1], days),
        regions=region_rows(stands, below, OWN.in_(visitor.language)),
        units=unit_rows(stands, units, names.of_units(tx, [id_ for id_, _ in units]), scope.path[0]),
        stages=stages, flow=flow_chart(stages, declared), days=by_day, week=week_chart(by_day), months=by_month,
        has_off=any(row.off.n for row in by_month),
        punctual=punctual_chart(by_month), relapsed=relapse_chart(by_month),
        overdue=items(late, found, visitor), all_overdue=Number(lights.red, open_in(scope.code, light="red")),
        climbing=items(high, found, visitor),
        all_climbing=Number(stands.climbing(CLIMBING), open_in(scope.code, level_min=CLIMBING, sort="-level")),
    )  # fmt: skip


def _keys(
    stands: Standing, region: str, days: Sequence[DayRow], month: MonthRow, span: Sequence[date]
) -> tuple[Key, ...]:
    """The numbers at the top."""
    lights = stands.lights()
    week = Number(sum(row.number.n for row in days), due_in(region, span[0], span[-1]))
    in_time = Label(f"按期 {month.on_time}", f"{month.on_time} in time") if month.on_time else None
    return (
        Key(Label("在办", "Open"), Number(lights.open, open_in(region))),
        Key(Label("逾期", "Overdue"), Number(lights.red, open_in(region, light="red")), "red"),
        Key(
            Label("五日内到期或已督促", "Due in 5 days or pressed"),
            Number(lights.yellow, open_in(region, light="yellow")), "yellow",
        ),
        Key(
            Label("督促达三级", "Level 3 and up"),
            Number(stands.climbing(CLIMBING), open_in(region, level_min=CLIMBING)), "climb",
        ),
        Key(Label("五个工作日内到期", "Due in 5 working days"), week),
        Key(Label("本月登记", "Opened this month"), month.opened),
        Key(Label("本月销号", "Written off this month"), month.off, note=in_time),
    )  # fmt: skip


# ---- what was written off in a month ---------------------------------------------------------------------------------

WHAT = {
    write_offs.OFF: Label("全部", "All"),
    write_offs.DATED: Label("定有期限", "With a date set"),
    write_offs.BY_FIRST: Label("按原定期限", "By the first date"),
    write_offs.BY_LAST: Label("按期", "In time"),
    write_offs.LATE: Label("逾期", "Late"),
    write_offs.RELAPSED: Label("其后反弹", "Relapsed since"),
}


@dataclass(frozen=True, slots=True)
class OffRow:
    """One write-off."""

    number: str
    path: str
    title: str
    unit: str
    at: Moment | None
    dated: bool
    by_first: bool
    by_last: bool
    relapsed: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """A list next to this one."""

    label: Label
    path: str
    current: bool


@dataclass(frozen=True, slots=True)
class MonthView:
    """The write-offs of one month, page by page."""

    choices: tuple[Choice, ...]
    rows: tuple[OffRow, ...]
    first: str
    following: str


@router.get("/board/months/{month}")
async def month_list(request: Request, month: str) -> Response:
    """What was written off in a month."""
    asked, after = request.query_params.get("region"), request.query_params.get("after")
    what = request.query_params.get("what", write_offs.OFF)
    if not MONTH.fullmatch(month) or what not in WHAT:
        raise NotFound

    def build(tx: Tx, visitor: Visitor) -> Page:
        scope = scope_of(tx, visitor, asked)
        page = write_offs.page(tx, scope.path, month, what, after=after, limit=AT_A_TIME)
        here = written_off_in(scope.code, month, what)
        rows = tuple(_off_row(one, visitor) for one in page.items)
        choices = tuple(
            Choice(label, written_off_in(scope.code, month, name), name == what) for name, label in WHAT.items()
        )
        following = f"{here}&{urlencode({'after': page.next})}" if page.next else ""
        return Page(
            template="board_month.html", title=Label(f"{month} 销号清单", f"Written off in {month}"),
            lead=Label(scope.name, scope.name), view=MonthView(choices, rows, here if after else "", following),
            crumbs=(Crumb(TITLE, board_page(scope.code)),),
        )  # fmt: skip

    return await show(request, build)


def _off_row(one: write_offs.WriteOff, visitor: Visitor) -> OffRow:
    return OffRow(
        one.number, finding_page(one.number), one.title, one.unit, visitor.times.past(one.at), one.dated, one.by_first,
        one.by_last, one.relapsed,
    )  # fmt: skip
