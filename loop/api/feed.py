"""The calendar feed: my deadlines as iCalendar, opened by a token in the address that opens nothing else."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.access import Caller
from loop.api.answers import unchanged
from loop.api.deps import noted, reading, service_of
from loop.api.describe import refusals
from loop.documents.agenda import Entry, agenda
from loop.kernel.labels import Label
from loop.kernel.workflow import owners, windows
from loop.service import Service
from loop.store import deadlines, desk
from loop.store.deadlines import Deadline
from loop.store.session import Tx

router = APIRouter(tags=["inbox"])
MOST = 2_000
"""Events in one feed."""
KEPT = timedelta(days=30)
"""How long what has stopped is still told, as cancelled."""
FINDING = Label("{number}《{title}》", "{number} “{title}”")
SUPERVISION = Label("督导《{title}》", "supervision “{title}”")
TIP_OFF = Label("{day} 收到的举报", "tip-off received on {day}")
HEADERS = {
    "ETag": {"schema": {"type": "string"}, "description": "Changes whenever a deadline of the feed does."},
    "Cache-Control": {"schema": {"type": "string"}},
}


def _subscriber(request: Request, tx: Tx) -> Caller:
    given = request.query_params.getlist("token")
    return noted(request, service_of(request).access.subscriber(tx, given[0] if len(given) == 1 else ""))


@router.get(
    "/calendar.ics", summary="My deadlines as iCalendar", response_class=Response,
    openapi_extra={"security": [{"feed": []}]},
    responses={
        200: {
            "description": "The calendar, to be looked at again every hour", "headers": HEADERS,
            "content": {"text/calendar": {"schema": {"type": "string"}}},
        },
        304: {"description": "Unchanged"}, **refusals(401, 403, 503),
    },
)  # fmt: skip
async def subscribe(request: Request) -> Response:
    """What `/todo` lists as whole days, in the language of whoever made the token, and for 30 days as cancelled what has
    stopped; 2,000 events at most. `token` needs the scope `calendar` and no other.
    """
    service = service_of(request)
    caller, found = await reading(request, lambda tx, caller: (caller, _found(tx, service, caller)), by=_subscriber)
    body = await asyncio.to_thread(_written, service, caller, found)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="text/calendar")


def _found(tx: Tx, service: Service, caller: Caller) -> list[Deadline]:
    """What runs, and as much of what has stopped as there is room for; one more than `MOST` where there is more."""
    flow, at = service.book.workflow, desk.desk_of(tx, caller.actor)
    which: dict[str, Any] = {"owners": owners(flow), "windows": windows(flow)}
    running = deadlines.running(tx, at, **which, now=caller.now, limit=MOST + 1)
    since, room = caller.now - KEPT, max(0, MOST - len(running))
    return running + deadlines.stopped(tx, at, caller.actor, **which, since=since, limit=room)


def _written(service: Service, caller: Caller, found: list[Deadline]) -> bytes:
    base = service.outbox.postage.base_url.rstrip("/")
    entries = [
        Entry(
            chain=one.chain, timer=one.timer, subject=_subject(one), state=one.state, severity=one.severity,
            version=one.version, changed_at=one.changed_at,
            url=f"{base}/findings/{one.chain}" if base and ":" not in one.chain else None,
        )
        for one in found[:MOST]
    ]  # fmt: skip
    cut_at = MOST if len(found) > MOST else None
    return agenda(entries, service.book, now=caller.now, language=caller.actor.language, cut_at=cut_at)


def _subject(one: Deadline) -> Label:
    """What a deadline is about; of a tip-off only that it is one."""
    if ":" not in one.chain:
        return FINDING.filled(number=one.chain, title=one.title)
    if one.title is not None:
        return SUPERVISION.filled(title=one.title)
    return TIP_OFF.filled(day=one.timer.started_on.isoformat())
