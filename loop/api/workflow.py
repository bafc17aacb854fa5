"""The workflow as everybody may read it: states, actions, roles, clocks with their present values, payloads, the chart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from pydantic import BaseModel
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import Answer, json_text, unchanged
from loop.api.deps import name_in, reading, service_of
from loop.api.describe import REFUSALS_OF_READING
from loop.api.findings import schema_of
from loop.api.problems import language
from loop.api.views import both
from loop.kernel.chart import mermaid, svg
from loop.kernel.clocks import Behaviour, Climb, Close, Fire, Recur, Remind, TimerRule
from loop.kernel.decide import Book
from loop.kernel.payloads import example_of
from loop.kernel.people import CAPACITIES, ROLES
from loop.kernel.rules import Rule, RuleBook
from loop.kernel.workflow import COURSE, Action, Fork, State, Tell
from loop.store.session import Tx
from loop.store.sight import Sight, seen, steps

router = APIRouter(tags=["workflow"])
EVERYTHING = Sight(True, frozenset(), frozenset())
OWN_STYLE = "default-src 'none'; style-src 'unsafe-inline'"
"""A picture carries its style within itself."""
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
FINDING = {
    "parameters": [
        {
            "name": "finding", "in": "query", "required": False, "schema": {"type": "string", "maxLength": 64},
            "description": "Mark where this finding is and has been.",
        }
    ]
}  # fmt: skip


class WorkflowOut(BaseModel):
    """The workflow as data."""

    version: str
    stages: list[dict[str, Any]]
    states: list[dict[str, Any]]
    dispute_states: list[dict[str, Any]]
    actions: list[dict[str, Any]]
    roles: list[dict[str, Any]]
    timers: list[dict[str, Any]]
    ladder: dict[str, Any]
    lookback: dict[str, Any]


@router.get(
    "/workflow", summary="States, actions, roles, clocks, payloads",
    responses={200: {"model": WorkflowOut}, 304: {"description": "Unchanged"}, **REFUSALS_OF_READING},
)  # fmt: skip
async def read_workflow(request: Request) -> Response:
    """The whole workflow with the values now in force; every name in Chinese and in English."""
    service = service_of(request)
    await reading(request, lambda _tx, caller: caller)
    text, etag = _kept(request.app, service.book)
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    return Answer(text, headers=headers).response()


@router.get(
    "/workflow/diagram.svg", summary="The chart as a picture", response_class=Response, openapi_extra=FINDING,
    responses={200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}}, **REFUSALS_OF_READING},
)  # fmt: skip
async def draw_picture(request: Request) -> Response:
    """The chart; with `finding` it marks where that finding is and has been."""
    return await _drawn(request, svg, "image/svg+xml", {"Content-Security-Policy": OWN_STYLE})


@router.get(
    "/workflow/diagram.mmd", summary="The chart in Mermaid", response_class=Response, openapi_extra=FINDING,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **REFUSALS_OF_READING},
)  # fmt: skip
async def draw_mermaid(request: Request) -> Response:
    """The same chart as Mermaid source."""
    return await _drawn(request, mermaid, "text/plain")


async def _drawn(
    request: Request, draw: Callable[..., str], media_type: str, headers: Mapping[str, str] = NO_HEADERS
) -> Response:
    service, number = service_of(request), request.query_params.get("finding")
    flow = service.book.workflow

    def work(tx: Tx, caller: Caller) -> Answer:
        spoken = language(request)
        if not number:
            return Answer(draw(flow, spoken), headers=headers, media_type=media_type)
        finding = seen(tx, caller.actor, name_in(number))
        visited = [e.entry.to_state for e in steps(tx, finding.number, EVERYTHING) if e.entry.track == COURSE]
        drawn = draw(flow, spoken, visited, finding.state, finding.dispute)
        return Answer(drawn, headers=headers, media_type=media_type)

    return (await reading(request, work)).response()


# ---- as data ---------------------------------------------------------------------------------------------------------


def _kept(app: FastAPI, book: Book) -> tuple[str, str]:
    """The description as text with its ETag, made once for each book in force."""
    kept: tuple[Book, str, str] | None = getattr(app.state, "described", None)
    if kept is None or kept[0] is not book:
        text = json_text(describe(book))
        kept = app.state.described = (book, text, f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"')
    return kept[1], kept[2]


def describe(book: Book) -> dict[str, Any]:
    """The workflow as plain values."""
    flow, rules = book.workflow, book.rules
    return {
        "version": flow.version,
        "stages": [{"name": name, "label": both(label)} for name, label in flow.stages.items()],
        "states": [_state(book, state) for state in flow.states.values()],
        "dispute_states": [{"name": name, "label": both(label)} for name, label in flow.dispute_states.items()],
        "actions": [_action(action) for action in flow.actions.values()],
        "roles": [{"name": n, "label": both(label)} for n, label in (ROLES | CAPACITIES).items()],
        "timers": [_timer(timer, rules) for timer in flow.timers.values()],
        "ladder": asdict(rules.ladder),
        "lookback": {
            "points": [_rule(r) for r in rules.lookback],
            "points_grave": [_rule(r) for r in rules.lookback_grave],
        },
    }


def _state(book: Book, state: State) -> dict[str, Any]:
    lives = [timer.name for timer in book.workflow.timers.values() if state.name in timer.lives_in]
    return {
        "name": state.name, "label": both(state.label), "stage": state.name.partition(".")[0],
        "waits_for": list(state.waits_for), "timers": lives, "level": state.level, "end": state.end,
        "actions": list(book.table.actions(COURSE, state.name)),
    }  # fmt: skip


def _action(action: Action) -> dict[str, Any]:
    return {
        "name": action.name, "label": both(action.label), "track": action.track, "by": list(action.by),
        "creates": action.creates,
        "moves": [
            {
                "from": sorted(one.sources),
                "to": list(one.target.targets) if isinstance(one.target, Fork) else [one.target],
            }
            for one in action.moves
        ],
        "guards": [
            {"code": guard.code, "label": both(guard.label)}
            for guard in (*((action.only,) if action.only else ()), *action.guards)
        ],
        "documents": [{"kind": paper.kind, "label": both(paper.label)} for paper in action.papers],
        "told": [who.who if isinstance(who, Tell) else who for who in action.tell],
        "schema": schema_of(action), "example": example_of(action.payload),
    }  # fmt: skip


def _timer(timer: TimerRule, rules: RuleBook) -> dict[str, Any]:
    values = {name: _rule(rules.rules[name]) for name in (timer.name, *timer.variants) if name in rules.rules}
    return {
        "name": timer.name, "label": both(timer.label), "kind": timer.kind, "owner": timer.owner or None,
        "states": sorted(timer.lives_in), "on_due": _when_due(timer.on_due), "values": values,
    }  # fmt: skip


def _rule(rule: Rule) -> dict[str, str]:
    return {
        "value": f"{rule.number}{rule.unit}", "source": rule.source, "source_en": rule.basis.en,
        "provenance": rule.provenance,
    }  # fmt: skip


def _when_due(how: Behaviour) -> dict[str, Any]:
    match how:
        case Remind():
            return {"does": "remind", "first": list(how.first), "then": list(how.then)}
        case Recur():
            return {"does": "remind", "first": list(how.who), "then": []}
        case Climb():
            return {"does": "climb"}
        case Fire():
            return {"does": "act", "action": how.action}
        case Close():
            return {"does": "close"}
