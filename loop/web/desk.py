"""My desk 待办: what waits for me, the most urgent first, with the reason and the one thing to do next."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.engine.birth import can_create
from loop.kernel.labels import Label
from loop.kernel.people import Actor
from loop.kernel.workflow import Action, Workflow
from loop.store import desk
from loop.store.session import Tx
from loop.store.timers import Todo
from loop.web.page import Page, Visitor, show
from loop.web.places import action_page, page_of
from loop.web.times import Due

router = APIRouter()
TITLE = Label("我的待办", "My desk")
LEAD = Label("等您办理的事项，最急的在最前。", "What waits for you, the most urgent first.")
AT_A_TIME = 30
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
    reason: Label
    state: Label | None
    due: Due | None
    level: int
    suspended: bool
    step: Label
    step_path: str


@dataclass(frozen=True, slots=True)
class DeskView:
    """The tasks of one page; `may_record` where the reader may open a finding."""

    tasks: tuple[Task, ...]
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
        tasks = tuple(_task(one, visitor, flow) for one in urgent)
        following = f"/?{urlencode({'after': page.next})}" if page.next else ""
        view = DeskView(tasks, can_create(flow.actions[OPEN], visitor.actor), "/" if after else "", following)
        return Page(template="desk.html", title=TITLE, lead=LEAD, view=view)

    return await show(request, build)


def _task(todo: Todo, visitor: Visitor, flow: Workflow) -> Task:
    rule, state = flow.timers.get(todo.rule), flow.states.get(todo.state or "")
    step = next_step(flow, visitor.actor, todo.rule, todo.state or "")
    path, kind, called = page_of(todo.chain), todo.chain.rpartition(":")[0], todo.title or todo.chain
    return Task(
        path=path, chain="" if ":" in todo.chain else todo.chain,
        title=ABOUT.get(kind) or Label(called, called), reason=rule.label if rule else Label(todo.rule, todo.rule),
        state=state.label if state else None, due=visitor.times.due(todo.due_at), level=todo.level or 0,
        suspended=todo.suspended, step=step.label if step else LOOK,
        step_path=action_page(todo.chain, step.name) if step else path,
    )  # fmt: skip


def next_step(flow: Workflow, actor: Actor, rule: str, state: str) -> Action | None:
    """The one action of this reader that answers a timer; None where there are several to choose from, or none."""
    roles = {post.role for post in actor.posts}
    found = [
        action
        for action in flow.actions.values()
        if rule in action.answers and roles & set(action.by) and any(state in move.sources for move in action.moves)
    ]
    return found[0] if len(found) == 1 else None
