"""What happened to a finding and what runs on it: its events, clocks with their proof, and papers."""

from __future__ import annotations

from itertools import islice
from json import loads
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from loop.access import Caller
from loop.api import shapes
from loop.api.answers import Answer, json_answer, listed
from loop.api.deps import path_text, query_of, reading, service_of
from loop.api.describe import REFUSALS_OF_READING, parameters, said
from loop.api.problems import language
from loop.api.views import both, document_view, instant, timer_view
from loop.kernel.calendar import local_day
from loop.kernel.clocks import Timer
from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.kernel.proof import proof
from loop.service import Service
from loop.store import papers, timers
from loop.store.canonical import digest
from loop.store.paging import cursor, key_of
from loop.store.session import Tx
from loop.store.sight import Step, clock_shown, open_steps, seen, sight_of, steps

router = APIRouter(tags=["history"])
SCOPE = "events"


class PageQuery(BaseModel):
    """A page of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=200)] = 100
    after: Annotated[str, Field(max_length=1000)] | None = None


@router.get(
    "/findings/{number}/events", summary="The history", openapi_extra=parameters(PageQuery),
    responses={**said(shapes.EventList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_events(request: Request, number: str) -> Response:
    """Every step in order. A unit sees payloads only of steps taken by it or told to it, and no internal comment."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        finding = seen(tx, caller.actor, path_text(request, "number"))
        asked = query_of(request, PageQuery)
        after = int(key_of(SCOPE, asked.after, int)[0]) if asked.after else 0
        sight = sight_of(caller.actor, finding)
        page = list(islice(steps(tx, finding.number, sight, after), asked.limit + 1))
        more = len(page) > asked.limit
        page = page[: asked.limit]
        following = cursor(SCOPE, (page[-1].entry.seq,)) if more else None
        return listed([_event(service, step) for step in page], following)

    return (await reading(request, work)).response()


def _event(service: Service, step: Step) -> dict[str, Any]:
    entry, calendar = step.entry, service.calendar
    action = service.book.workflow.actions.get(entry.action)
    return {
        "seq": entry.seq,
        "action": entry.action,
        "label": both(action.label if action else Label(entry.action, entry.action)),
        "track": entry.track,
        "from": entry.from_state,
        "to": entry.to_state,
        "actor": {
            "id": entry.actor_id, "name": entry.actor_name, "role": entry.actor_role, "for_id": entry.for_id,
        },
        "at": instant(entry.at, calendar),
        "due_at": instant(entry.due_at, calendar),
        "timer_id": entry.timer_id,
        "rung": entry.rung,
        "rules": entry.rules,
        "late": bool(step.effects.get("remarks", {}).get("late")),
        "payload": loads(entry.payload) if step.open else None,
        "payload_digest": digest(entry.payload),
        "effects_digest": digest(entry.effects),
        "hash": entry.hash,
    }  # fmt: skip


# ---- clocks ----------------------------------------------------------------------------------------------------------


@router.get(
    "/findings/{number}/timers", summary="The clocks, running and stopped",
    responses={**said(shapes.TimerList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_timers(request: Request, number: str) -> Response:
    """Every clock the finding ever had, with its due date, the first one, the rule and its source."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        finding = seen(tx, caller.actor, path_text(request, "number"))
        sight = sight_of(caller.actor, finding)
        shown = [t for t in timers.all_of(tx, finding.number) if clock_shown(service.book.workflow, sight, t)]
        return listed([timer_view(t, service.book, caller.now) for t in shown])

    return (await reading(request, work)).response()


@router.get(
    "/findings/{number}/timers/{id}/proof", summary="A clock's count, day by day",
    responses={**said(shapes.ProofOut), **REFUSALS_OF_READING},
)  # fmt: skip
async def prove_timer(request: Request, number: str, id: str) -> Response:  # noqa: A002  the name in the address
    """Each day counted or skipped, why, and the notice it rests on; anyone can recompute it by hand."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        finding = seen(tx, caller.actor, path_text(request, "number"))
        sight, wanted = sight_of(caller.actor, finding), path_text(request, "id")
        timer = next((t for t in timers.all_of(tx, finding.number) if t.id == wanted), None)
        if timer is None or not clock_shown(service.book.workflow, sight, timer):
            raise NotFound
        sheet = _proof(service, timer).as_dict(language(request))
        return json_answer({"timer": timer_view(timer, service.book, caller.now), **sheet})

    return (await reading(request, work)).response()


def _proof(service: Service, timer: Timer) -> Any:
    calendar = service.calendar
    return proof(
        timer.started_on, timer.number, timer.unit, local_day(timer.due_at, calendar),
        [(pause.since, pause.until, pause.why) for pause in timer.pauses], calendar, timer.source,
        local_day(timer.first_due_at, calendar),
    )  # fmt: skip


# ---- papers ----------------------------------------------------------------------------------------------------------


@router.get(
    "/findings/{number}/documents", summary="The papers", responses={**said(shapes.DocumentList), **REFUSALS_OF_READING}
)
async def list_documents(request: Request, number: str) -> Response:
    """The finding's papers in the order in which they were made; to a unit those of the steps it may see."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        finding = seen(tx, caller.actor, path_text(request, "number"))
        shown = open_steps(tx, finding.number, sight_of(caller.actor, finding))
        held = papers.of_finding(tx, finding.number)
        return listed(
            [
                document_view(paper, service.book, seq)
                for paper, seq in held
                if shown is None or (seq in shown and not paper.internal)
            ]
        )

    return (await reading(request, work)).response()
