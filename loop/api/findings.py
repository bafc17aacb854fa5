"""Findings: the ledger, one finding, what may be done to it, and the one handler through which everything is done."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.access import Caller
from loop.api import shapes
from loop.api.answers import Answer, json_answer, listed
from loop.api.bodies import body_of
from loop.api.deps import engaged, once_of, path_text, query_of, reading, service_of
from loop.api.describe import REFUSALS_OF_ACTIONS, REFUSALS_OF_READING, made, parameters, said
from loop.api.problems import language
from loop.api.views import both, finding_view, row_view
from loop.engine.door import Wish
from loop.engine.record import Outcome
from loop.kernel.decide import Offer
from loop.kernel.finding import Finding
from loop.kernel.payloads import Payload
from loop.kernel.workflow import Action
from loop.ledger.query import LISTS, LedgerQuery, check_words
from loop.service import Service
from loop.store import evidence, ledger, names
from loop.store.session import Refused, Tx
from loop.store.sight import open_steps, seen, sheet_for, sight_of

router = APIRouter(tags=["findings"])
ATTACH = "attach"
FORM_SCHEMA = {
    "type": "object",
    "title": "Attachment",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary", "title": "file", "label": {"zh": "文件", "en": "file"}},
        "note": {"type": "string", "title": "note", "label": {"zh": "说明", "en": "note"}, "default": ""},
    },
}
FORM = {"multipart/form-data": {"schema": FORM_SCHEMA, "example": {"file": "现场情况说明", "note": "现场照片"}}}
_ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')
NEVER_CURRENT = -1
"""Stands for a version that no finding ever has."""


def expected_of(request: Request) -> int | None:
    """The version that `If-Match` demands; `*` or no header demands none, and what is no version matches none."""
    stated = request.headers.get("if-match")
    if stated is None or stated.strip() == "*":
        return None
    match = _ETAG.fullmatch(stated.strip())
    return int(match[1]) if match else NEVER_CURRENT


def finding_answer(service: Service, tx: Tx, finding: Finding, caller: Caller, status: int = 200) -> Answer:
    """The answer to an action: the finding as it stands now."""
    view = finding_view(finding, names.of_finding(tx, finding), caller.now, service.calendar)
    headers = {"ETag": f'"{finding.version}"'}
    if status == 201:
        headers["Location"] = f"/api/v1/findings/{finding.number}"
    return json_answer(view, status, headers)


# ---- reading ---------------------------------------------------------------------------------------------------------


@router.get(
    "/findings", summary="The ledger: all findings in scope", openapi_extra=parameters(LedgerQuery, LISTS),
    responses={**said(shapes.FindingList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_findings(request: Request) -> Response:
    """A page of the ledger, filtered and sorted; `count=true` adds how many there are, up to 10,000."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, LedgerQuery, lists=LISTS)
        check_words(service.book.workflow, asked)
        chosen = asked.chosen(service.calendar)
        page = ledger.page(
            tx, caller.actor, chosen, now=caller.now, sort=asked.sort, after=asked.after, limit=asked.limit
        )
        more: dict[str, Any] = {}
        if asked.count:
            counted = ledger.count(tx, caller.actor, chosen, now=caller.now)
            more = {"total": counted.total, "more": counted.more}
        return listed([row_view(row, service.calendar) for row in page.items], page.next, **more)

    return (await reading(request, work)).response()


@router.get(
    "/findings/{number}",
    summary="One finding, all of it",
    responses={**said(shapes.WholeFinding), **REFUSALS_OF_READING},
)
async def read_finding(request: Request, number: str) -> Response:
    """The finding with what has been recorded about it, as far as the caller may see; `ETag` is its version."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        finding = seen(tx, caller.actor, path_text(request, "number"))
        sight = sight_of(caller.actor, finding)
        view = finding_view(finding, names.of_finding(tx, finding), caller.now, service.calendar)
        sheet = sheet_for(tx, finding, sight)
        shown = open_steps(tx, finding.number, sight)
        files = [a for a in evidence.of_finding(tx, finding.number) if shown is None or a.seq in shown]
        view["sheet"] = sheet
        view["dispute_details"] = {"state": finding.dispute, "acts": sheet.get("acts", [])}
        view["attachments"] = [
            {"id": a.id, "name": a.name, "sha256": a.sha256, "size": a.size, "type": a.type, "seq": a.seq}
            for a in files
        ]
        return json_answer(view, headers={"ETag": f'"{finding.version}"'})

    return (await reading(request, work)).response()


@router.get(
    "/findings/{number}/actions", summary="What the caller may do now, and what a condition holds back",
    responses={**said(shapes.Actions), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_actions(request: Request, number: str) -> Response:
    """Available actions with the JSON Schema of their payload; blocked ones with the condition's code and reason."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        finding = seen(tx, caller.actor, path_text(request, "number"))
        offers = service.engine.offers(tx, caller.actor, finding)
        spoken = language(request)
        return json_answer(
            {
                "available": [_available(o.action) for o in offers if not o.guard],
                "blocked": [_blocked(o, spoken) for o in offers if o.guard],
            }
        )

    return (await reading(request, work)).response()


def _available(action: Action) -> dict[str, Any]:
    return {"name": action.name, "label": both(action.label), "schema": schema_of(action)}


def _blocked(offer: Offer, spoken: str) -> dict[str, Any]:
    action, reason = offer.action, offer.reason
    return {
        "name": action.name, "label": both(action.label), "code": offer.guard, "reason": reason.in_(spoken) if reason else "",
    }  # fmt: skip


def schema_of(action: Action) -> dict[str, Any]:
    """The JSON Schema of what is sent with an action."""
    return FORM_SCHEMA if action.name == ATTACH else _payload_schema(action.payload)


@cache
def _payload_schema(model: type[Payload]) -> dict[str, Any]:
    return model.model_json_schema()


# ---- acting ----------------------------------------------------------------------------------------------------------


@router.post(
    "/findings", status_code=201, summary="Open a finding", responses={**made(shapes.FindingOut), **REFUSALS_OF_ACTIONS}
)
async def open_finding(request: Request) -> Response:
    """The action `open`: a finding is recorded as a draft of the caller's office."""
    return await _create(request, "open")


@router.post("/findings/actions/{action}", status_code=201, include_in_schema=False)
async def create_finding(request: Request, action: str) -> Response:
    """The actions that bring a finding into being: `open`, `take_over`."""
    return await _create(request, action)


@router.post("/findings/{number}/actions/{action}", include_in_schema=False)
async def act(request: Request, number: str, action: str) -> Response:
    """Every action on every finding; OpenAPI shows each under a path of its own."""
    service, body = service_of(request), await body_of(request)

    def work(tx: Tx, caller: Caller) -> Answer | Refused:
        wish = Wish(
            actor=caller.actor, action=action, number=path_text(request, "number"), payload=body.members,
            expected=expected_of(request),
        )  # fmt: skip
        return service.engine.act_in(
            tx, wish, lambda tx, done: _done(service, tx, done, caller), once_of(request, caller, body)
        )

    return (await engaged(request, work)).response()


def _done(service: Service, tx: Tx, done: Outcome, caller: Caller) -> Answer:
    return finding_answer(service, tx, done.finding, caller)


async def _create(request: Request, action: str) -> Response:
    service, body = service_of(request), await body_of(request)

    def work(tx: Tx, caller: Caller) -> Answer | Refused:
        wish = Wish(actor=caller.actor, action=action, payload=body.members)
        return service.engine.act_in(
            tx, wish, lambda tx, done: finding_answer(service, tx, done.finding, caller, 201),
            once_of(request, caller, body),
        )  # fmt: skip

    return (await engaged(request, work)).response()
