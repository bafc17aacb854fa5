"""Supervisions 督导活动: which there are, and each with its findings as one batch: by light, by stage, line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.datastructures import QueryParams
from starlette.responses import Response

from loop.authority import regions_of
from loop.campaigns import KEEPERS, REPORT, keeps, seen
from loop.kernel.errors import Forbidden
from loop.kernel.labels import Label
from loop.kernel.people import Path
from loop.kernel.vocabulary import KINDS
from loop.store import campaigns, ledger, names, timers
from loop.store.campaigns import Cell, Total
from loop.store.ledger_filter import LedgerFilter
from loop.store.lights import LIGHTS
from loop.store.session import Tx
from loop.store.supervisions import Supervision, chain_of
from loop.web.ledger import CHOOSE
from loop.web.ledger_asked import asked_of
from loop.web.ledger_rows import Head, Line, heads, line_of
from loop.web.page import Crumb, Page, Visitor, show
from loop.web.places import ledger_page, page_of
from loop.web.times import Due

router = APIRouter()
PLACE = "/supervisions"
TITLE = Label("督导活动", "Supervisions")
LEAD = Label("每次督导的安排、发现的问题和督导报告。", "Each supervision with its plan, its findings and its report.")
HOME = Crumb(TITLE, PLACE)
AT_A_TIME, SHOWN = 30, 20
COLUMNS = ("light", "finding", "unit", "state", "due", "level", "category")
STATES = {"true": True, "false": False}
DAYS = Label("{first} 至 {last}", "{first} to {last}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A supervision in the list. `due` is the deadline of a report that is still owed."""

    path: str
    title: str
    kind: Label
    office: str
    days: Label
    lead: str
    total: Total
    findings_path: str
    reported: bool
    due: Due | None
    active: bool


@dataclass(frozen=True, slots=True)
class ListView:
    """A page of supervisions."""

    entries: tuple[Entry, ...]
    active: str
    may_begin: bool
    first: str
    following: str


@dataclass(frozen=True, slots=True)
class Figure:
    """How many findings, and where they are listed; `name` is a light's or empty."""

    label: Label
    n: int
    path: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneView:
    """One supervision with its findings."""

    id: str
    path: str
    kind: Label
    office: str
    days: Label
    lead: str
    team: tuple[str, ...]
    matters: tuple[str, ...]
    report: str
    satisfaction: Label | None
    due: Due | None
    active: bool
    may_keep: bool
    found: int
    lights: tuple[Figure, ...]
    stages: tuple[Figure, ...]
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    may_choose: bool
    query: str
    ledger: str


# ---- all of them -----------------------------------------------------------------------------------------------------


@router.get(PLACE)
async def list_supervisions(request: Request) -> Response:
    """The supervisions of the offices that the reader looks at, the one begun last first."""
    after = request.query_params.get("after")
    active = request.query_params.get("active", "")
    only = {"active": active} if active in STATES else {}

    def build(tx: Tx, visitor: Visitor) -> Page:
        page = campaigns.latest(
            tx, within=_looks(visitor), active=STATES.get(active), after=after or None, limit=AT_A_TIME
        )
        view = ListView(
            _entries(tx, visitor, page.items), active if only else "", visitor.holds(*KEEPERS),
            _address(only) if after else "", _address(only | {"after": page.next}) if page.next else "",
        )  # fmt: skip
        return Page(template="supervisions.html", title=TITLE, lead=LEAD, view=view)

    return await show(request, build)


def _looks(visitor: Visitor) -> tuple[Path, ...]:
    """The regions whose supervisions the reader may look at; raises Forbidden for whoever looks at none."""
    regions = regions_of(visitor.actor)
    if not regions:
        raise Forbidden
    return regions


def _address(query: dict[str, str]) -> str:
    return f"{PLACE}?{urlencode(query)}" if query else PLACE


def _entries(tx: Tx, visitor: Visitor, found: Sequence[Supervision]) -> tuple[Entry, ...]:
    totals = campaigns.totals(tx, visitor.actor, (one.id for one in found), now=visitor.now)
    called = names.of_offices(tx, (one.office_id for one in found))
    people = names.of_accounts(tx, (one.lead for one in found))
    running = timers.running_of(tx, [chain_of(one.id) for one in found])
    due = {chain: t.due_at for chain, all_ in running.items() for t in all_ if t.rule == REPORT}
    return tuple(
        Entry(
            path=page_of(chain_of(one.id)), title=one.title, kind=KINDS[one.kind], office=called.get(one.office_id, ""),
            days=days_of(one), lead=people.get(one.lead, one.lead), total=totals.get(one.id, Total()),
            findings_path=ledger_page(supervision=one.id), reported=bool(one.report),
            due=visitor.times.due(due[chain_of(one.id)]) if chain_of(one.id) in due else None, active=one.active,
        )
        for one in found
    )  # fmt: skip


def days_of(one: Supervision) -> Label:
    """From when to when."""
    return DAYS.filled(first=one.from_on.isoformat(), last=one.until_on.isoformat())


# ---- one of them -----------------------------------------------------------------------------------------------------


@router.get(f"{PLACE}/{{supervision}}")
async def read_supervision(request: Request, supervision: str) -> Response:
    """One supervision with its findings."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        found, region = seen(tx, visitor.actor, supervision)
        view = _view(tx, visitor, found, may_keep=keeps(visitor.actor, region))
        return Page(template="supervision.html", title=Label(found.title, found.title), view=view, crumbs=(HOME,))

    return await show(request, build)


def _view(tx: Tx, visitor: Visitor, one: Supervision, *, may_keep: bool) -> OneView:
    flow = visitor.service.book.workflow
    cells = campaigns.cells(tx, visitor.actor, one.id, now=visitor.now)
    rows = ledger.page(tx, visitor.actor, LedgerFilter(supervision=one.id), now=visitor.now, limit=SHOWN).items
    asked = asked_of(QueryParams({"supervision": one.id}), flow)
    people = names.of_accounts(tx, (one.lead, *one.team))
    due = next((t.due_at for t in timers.running(tx, chain_of(one.id)) if t.rule == REPORT), None)
    return OneView(
        id=one.id, path=page_of(chain_of(one.id)), kind=KINDS[one.kind],
        office=names.of_offices(tx, [one.office_id]).get(one.office_id, ""), days=days_of(one),
        lead=people.get(one.lead, one.lead),
        team=tuple(people.get(name, name) for name in one.team), matters=one.matters, report=one.report,
        satisfaction=_satisfaction(one), due=visitor.times.due(due) if due else None, active=one.active, may_keep=may_keep,
        found=sum(cell.n for cell in cells), lights=_lights(one.id, cells), stages=_stages(visitor, one.id, cells),
        heads=heads(asked, COLUMNS), lines=tuple(line_of(row, visitor) for row in rows),
        may_choose=visitor.holds(*CHOOSE) and bool(rows), query=asked.text, ledger=asked.address,
    )  # fmt: skip


def _lights(id_: str, cells: Sequence[Cell]) -> tuple[Figure, ...]:
    n: Counter[str] = Counter()
    for cell in cells:
        n[cell.light] += cell.n
    order = ("red", "yellow", "green", "grey")
    return tuple(
        Figure(Label("", ""), n[name], ledger_page(supervision=id_, light=name), name)
        for name in order
        if name in LIGHTS
    )


def _stages(visitor: Visitor, id_: str, cells: Sequence[Cell]) -> tuple[Figure, ...]:
    n: Counter[str] = Counter()
    for cell in cells:
        n[cell.state.partition(".")[0]] += cell.n
    stages = visitor.service.book.workflow.stages
    return tuple(
        Figure(label, n[name], ledger_page(supervision=id_, stage=name)) for name, label in stages.items() if n[name]
    )


def _satisfaction(one: Supervision) -> Label | None:
    told = one.satisfaction
    if told is None:
        return None
    share = f"{100 * told.satisfied / told.asked:.1f}%" if told.asked else "–"
    return Label(
        f"{told.method}：{told.asked} 人中 {told.satisfied} 人满意（{share}）",
        f"{told.method}: {told.satisfied} of {told.asked} satisfied ({share})",
    )
