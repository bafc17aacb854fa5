"""The same action on many findings at once: one transaction, one paper, for all or for none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from starlette.responses import Response

from loop.access import Caller
from loop.api import shapes
from loop.api.answers import Answer, json_answer
from loop.api.bodies import body_of
from loop.api.deps import engaged, once_of, query_of, service_of, shaped
from loop.api.describe import IDEMPOTENCY_KEY, REFUSALS_OF_ACTIONS, body, parameters, said
from loop.api.findings import ATTACH
from loop.api.views import document_view, instant
from loop.engine.door import Aim
from loop.engine.record import Outcome, hearing
from loop.kernel.errors import Invalid
from loop.kernel.payloads import Code, Flag
from loop.service import Service
from loop.store import names
from loop.store.session import Tx

router = APIRouter(tags=["findings"])


class Target(BaseModel):
    """A finding of a batch, with the version the caller last saw where that matters."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: Code
    version: Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)] | None = None


def _target(value: object) -> object:
    """A number alone stands for the finding, whatever its version."""
    return {"number": value} if isinstance(value, str) else value


NUMBER_OR_TARGET = {"anyOf": [{"type": "string", "maxLength": 64}, Target.model_json_schema()]}
Named = Annotated[Target, BeforeValidator(_target), WithJsonSchema(NUMBER_OR_TARGET)]


class Batch(BaseModel):
    """One action on up to 500 findings; `preview` answers what would happen and undoes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Code
    findings: Annotated[list[Named], Field(min_length=1, max_length=500)]
    payload: dict[str, Any] = {}
    preview: Flag = False

    def aims(self) -> list[Aim]:
        """The findings as the engine takes them."""
        return [Aim(one.number, one.version) for one in self.findings]


class BatchQuery(BaseModel):
    """`preview=true` only says what would happen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    preview: bool = False


ONE_BY_ONE = Invalid.field("action", "附件须逐个上传。", "files are attached one by one.", "single")
EXAMPLE = {
    "action": "comment",
    "findings": ["YX-2026-0001"],
    "payload": {"text": "请于本周内报送进展。"},
    "preview": True,
}


@router.post(
    "/batches", summary="One action on many findings", responses={**said(shapes.BatchOut), **REFUSALS_OF_ACTIONS},
    openapi_extra={**body(Batch, EXAMPLE), "parameters": [*parameters(BatchQuery)["parameters"], IDEMPOTENCY_KEY]},
)  # fmt: skip
async def batch(request: Request) -> Response:
    """The same action on all of these findings, or on none: a refusal names each finding that refuses, and why. `preview`,
    in the body or in the address, answers what would happen and undoes it.
    """
    service, sent = service_of(request), await body_of(request)
    # A key belongs to the address as well: what was previewed under it is not what is done.
    covered = replace(sent, canonical=f"{sent.canonical}?{request.url.query}") if request.url.query else sent

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = shaped(Batch, sent.wanted)
        preview = asked.preview or query_of(request, BatchQuery).preview
        return service.engine.act_all_in(
            tx, caller.actor, asked.action, asked.aims(), ONE_BY_ONE if asked.action == ATTACH else asked.payload,
            lambda tx, done: _answer(service, tx, done, preview=preview),
            preview=preview, once=once_of(request, caller, covered),
        )  # fmt: skip

    return (await engaged(request, work)).response()


def _answer(service: Service, tx: Tx, done: Sequence[Outcome], *, preview: bool) -> Answer:
    calendar = service.calendar
    papers = {paper.id: paper for outcome in done for paper in outcome.documents}
    reached = dict.fromkeys(reach for outcome in done for reach in outcome.told)
    called = names.of_people(tx, (reach.person_id for reach in reached))
    items = [
        {
            "number": f.number, "state": f.state, "dispute": f.dispute, "level": f.level, "version": f.version,
            "due_at": instant(f.due_at, calendar),
        }
        for f in (outcome.finding for outcome in done)
    ]  # fmt: skip
    told = [
        {"name": called[r.person_id][0], "full_name": called[r.person_id][1], "role": r.role, "gap": r.gap}
        for r in reached
        if r.person_id in called
    ]
    documents = [document_view(paper, service.book) for paper in papers.values()]
    # The same person may be told of many findings: what will be sent, and to how many.
    hears = hearing(done)
    sent = {"messages": len(hears), "people": len(set(hears))}
    return json_answer({"preview": preview, "items": items, "documents": documents, "told": told, **sent})
