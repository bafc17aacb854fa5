"""My desk 待办: what waits for me, the most urgent first, with the reason and the one thing to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.engine.birth import can_create
from loop.kernel.labels import Label
from loop.kernel.people import DEPARTMENT, UNIT
from loop.kernel.workflow import Workflow
from loop.ledger.query import LedgerQuery
from loop.store import desk, ledger, names
from loop.store.reach import SEES_REGION
from loop.store.session import Tx
from loop.store.timers import Todo
from loop.web.ledger_cards import Card, cards
from loop.web.next_step import next_step
from loop.web.page import Page, Visitor, show
from loop.web.places import action_page, page_of
from loop.web.times import Due

router = APIRouter()
TITLE = Label("我的待办", "My desk")
LEAD = Label("等您办理的事项，最急的在最前。", "What waits for you, the most urgent first.")
AT_A_TIME = 30
MOST_BESIDE = 10
"""So many findings that wait for somebody else are named below."""
OPEN = "open"
INSTRUCTION = "instruction_reply"
LOOK = Label("查看", "View")
ABOUT = {
    "tip-off": Label("群众反映的线索", "What the public reported"),
    "supervision": Label("督导活动", "Supervision"),
}
"""What waits where it is no finding, by the kind of its history."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something that waits: of which finding, why, until when, and the next step with where it is taken."""

    path: str
    chain: str
    title: Label
    unit: str
    reason: Label
    state: Label | None
    due: Due | None
    level: int
    suspended: bool
    step: Label
    step_path: str


@dataclass(frozen=True, slots=True)
class DeskView:
    """The tasks of one page; `may_record` where the reader may open a finding. `beside` are a unit's findings that wait for
    somebody else: an interview may be near, and what it owes it still owes.
    """

    tasks: tuple[Task, ...]
    beside: tuple[Card, ...]
    may_record: bool
    first: str
    following: str


@router.get("/")
async def my_desk(request: Request) -> Response:
    """What waits for the reader."""
    after = request.query_params.get("after")

    def build(tx: Tx, visitor: Visitor) -> Page:
        flow = visitor.service.book.workflow
        page = desk.page(tx, visitor.actor, flow, now=visitor.now, limit=AT_A_TIME, after=after)
        # A leader's word comes before everything else on the page, however much time it leaves.
        urgent = sorted(page.items, key=lambda one: one.rule != INSTRUCTION)
        is_unit = visitor.holds(UNIT) and not visitor.holds(*SEES_REGION, DEPARTMENT)
        # A school knows its own name.
        units = {} if is_unit else names.of_units(tx, [one.unit_id for one in urgent])
        tasks = tuple(_task(one, visitor, flow, units) for one in urgent)
        following = f"/?{urlencode({'after': page.next})}" if page.next else ""
        beside = _beside(tx, visitor) if is_unit and not after else ()
        view = DeskView(tasks, beside, can_create(flow.actions[OPEN], visitor.actor), "/" if after else "", following)
        return Page(template="desk.html", title=TITLE, lead=LEAD, view=view)

    return await show(request, build)


def _beside(tx: Tx, visitor: Visitor) -> tuple[Card, ...]:
    """The open findings of the reader's units of which the next step is somebody else's."""
    chosen = LedgerQuery(open=True).chosen(visitor.service.calendar)
    rows = ledger.page(tx, visitor.actor, chosen, now=visitor.now, limit=MOST_BESIDE)
    return tuple(card for card in cards(tx, visitor, rows.items) if not card.asks)


def _task(todo: Todo, visitor: Visitor, flow: Workflow, units: Mapping[str, str]) -> Task:
    rule, state = flow.timers.get(todo.rule), flow.states.get(todo.state or "")
    step = next_step(flow, visitor.actor, todo.rule, todo.state or "")
    path, kind, called = page_of(todo.chain), todo.chain.rpartition(":")[0], todo.title or todo.chain
    return Task(
        path=path, chain="" if ":" in todo.chain else todo.chain,
        title=ABOUT.get(kind) or Label(called, called), unit=units.get(todo.unit_id, ""),
        reason=rule.label if rule else Label(todo.rule, todo.rule),
        state=state.label if state else None, due=visitor.times.due(todo.due_at), level=todo.level or 0,
        suspended=todo.suspended, step=step.label if step else LOOK,
        step_path=action_page(todo.chain, step.name) if step else path,
    )  # fmt: skip
