"""The workflow 流程图 for everyone: the chart with how many findings are where, states, actions, deadlines and their sources."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.labels import Label
from loop.store import by_state
from loop.store.session import Tx
from loop.web.chrome import SEES
from loop.web.page import Page, Visitor, show
from loop.web.places import ledger_page
from loop.web.workflow_chart import Chart, Count, chart
from loop.web.workflow_rules import Length, TimerRow, limits, timer_row
from loop.web.workflow_sources import NATURES, NATURES_SAID
from loop.web.workflow_tables import ActionRow, Rungs, Section, common, dispute, ladder, sections

router = APIRouter()
TITLE = Label("流程图", "Workflow")
LEAD = Label(
    "问题从登记到归档经过的状态、可以办理的事项和期限。",
    "The states of a finding from its record to the archive, what can be done, and by when.",
)
NONE = Count(0, "")


@dataclass(frozen=True, slots=True)
class Nature:
    """On what a deadline may rest."""

    code: str
    label: Label
    said: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowView:
    """The whole page; `counted` where the reader sees findings."""

    version: str
    counted: bool
    chart: Chart
    sections: tuple[Section, ...]
    common: tuple[ActionRow, ...]
    dispute: Section
    timers: tuple[TimerRow, ...]
    limits: tuple[tuple[Label, Length], ...]
    natures: tuple[Nature, ...]
    ladder: tuple[Rungs, ...]


@router.get("/workflow")
async def workflow(request: Request) -> Response:
    """The workflow as it is in force."""
    return await show(request, build)


def build(tx: Tx, visitor: Visitor) -> Page:
    """The page for a reader, with the findings of their reach."""
    book = visitor.service.book
    flow, rules, counted = book.workflow, book.rules, visitor.holds(*SEES)
    found = by_state.in_states(tx, visitor.actor) if counted else {}
    counts = {state: Count(n, ledger_page(state=state)) for state, n in found.items()}
    timers = {name: timer_row(timer, flow, rules) for name, timer in flow.timers.items()}
    view = WorkflowView(
        version=flow.version, counted=counted, chart=chart(flow, visitor.language, counts),
        sections=sections(flow, timers, lambda state: counts.get(state, NONE) if counted else None),
        common=common(flow, timers), dispute=dispute(flow, timers), timers=tuple(timers.values()),
        limits=limits(flow, rules), ladder=ladder(flow, rules.ladder),
        natures=tuple(Nature(code, label, NATURES_SAID[code]) for code, label in NATURES.items()),
    )  # fmt: skip
    return Page(template="workflow.html", title=TITLE, lead=LEAD, view=view, wide=True)
