"""Tokens for programmes: made for oneself, told once, revoked and never deleted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from json import loads
from typing import Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from loop import staffing
from loop.access import CALENDAR, FEED, Caller, issue_token
from loop.api import registry_shapes as shapes
from loop.api.answers import Answer, json_answer, json_text, listed
from loop.api.bodies import body_of
from loop.api.calls import looking, made_at, taking
from loop.api.deps import once_of, query_of, service_of, shaped, writer, writing
from loop.api.describe import REFUSALS_OF_READING, REFUSALS_OF_WRITING, made, parameters, said
from loop.api.views import day, instant
from loop.authority import keeper, named, seen
from loop.kernel.calendar import Calendar
from loop.kernel.errors import NotFound
from loop.kernel.registration import NewToken
from loop.service import Service
from loop.store import accounts
from loop.store.accounts import Token
from loop.store.session import Tx

router = APIRouter(tags=["people"])


class TokenQuery(shapes.PageQuery):
    """Whose tokens: the caller's own, or those of `person` (an id), for who administers that person."""

    person: str | None = Field(default=None, max_length=100)


def token_view(token: Token, calendar: Calendar) -> dict[str, Any]:
    """A token as answers show it: everything but its text."""
    return {
        "id": token.id, "name": token.name, "scopes": list(token.scopes), "created_at": instant(token.created_at, calendar),
        "expires_at": instant(token.expires_at, calendar), "used_on": day(token.used_on), "revoked": token.revoked,
    }  # fmt: skip


@router.get(
    "/tokens", summary="Tokens, the revoked ones too", openapi_extra=parameters(TokenQuery),
    responses={**said(shapes.TokenList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_tokens(request: Request) -> Response:
    """The caller's own tokens, or those of a person whom the caller administers; oldest first."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, TokenQuery)
        owner = asked.person or caller.actor.id
        if owner != caller.actor.id:
            keeper(tx, caller, service, seen(tx, caller.actor, owner))
        found = [t for t in accounts.tokens_of(tx, owner) if t.id > (asked.after or "")]
        shown = [t for t in found if asked.active is None or t.revoked != asked.active]
        more = len(shown) > asked.limit
        page = shown[: asked.limit]
        return listed([token_view(t, service.calendar) for t in page], page[-1].id if more else None)

    return await looking(request, work)


@router.post(
    "/tokens", status_code=201, summary="Make a token for oneself",
    openapi_extra=taking(NewToken, {"name": "nightly export", "scopes": ["read"]}),
    responses={**made(shapes.TokenMade), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def make_token(request: Request) -> Response:
    """`token` is told this once. A repeated request with the same Idempotency-Key makes no second one, and tells nothing."""
    service, sent = service_of(request), await body_of(request)

    def work(tx: Tx) -> Answer:
        caller = writer(request, tx)
        once = once_of(request, caller, sent)
        if once and (earlier := once.earlier(tx)):
            return earlier
        answer = _made(tx, service, caller, shaped(NewToken, sent.wanted))
        if once:
            once.keep(tx, replace(answer, text=json_text(loads(answer.text) | {"token": "", "feed": None})))
        return answer

    return (await asyncio.wrap_future(service.store.submit(work))).response()


def _made(tx: Tx, service: Service, caller: Caller, new: NewToken) -> Answer:
    token, clear = issue_token(
        tx, person_id=caller.actor.id, name=new.name, scopes=new.scopes, life=service.policy.token_life,
        now=service.access.real(), calendar=service.calendar, expires_on=new.expires_on,
    )  # fmt: skip
    feed = f"{FEED}?token={clear}" if token.scopes == (CALENDAR,) else None
    return made_at(f"tokens/{token.id}", {**token_view(token, service.calendar), "token": clear, "feed": feed})


@router.delete(
    "/tokens/{token}", status_code=204, summary="Revoke a token",
    responses={204: {"description": "Revoked"}, **REFUSALS_OF_WRITING},
)  # fmt: skip
async def revoke_token(request: Request, token: str) -> Response:
    """One's own token, or that of a person whom the caller administers; it ends at once and for good."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        staffing.revoke_token(tx, caller, service, named(token))
        return Answer(status=204)

    return await writing(request, work)


@router.get(
    "/tokens/{token}", summary="One token of one's own", responses={**said(shapes.TokenOut), **REFUSALS_OF_READING}
)
async def read_token(request: Request, token: str) -> Response:
    """A token of the caller's own, without its text."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        found = accounts.token(tx, named(token))
        if found.person_id != caller.actor.id:
            raise NotFound
        return json_answer(token_view(found, service.calendar))

    return await looking(request, work)
