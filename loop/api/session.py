"""The session of a browser, and who the caller is."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from loop.access import NOT_FROM_HERE, Caller, SignIn
from loop.api import shapes
from loop.api.answers import Answer, json_answer
from loop.api.bodies import body_of
from loop.api.deps import credentials_of, known, reading, service_of, shaped, writing
from loop.api.describe import REFUSALS_OF_WRITING, body, refusals, said
from loop.api.views import both, day
from loop.browser import COOKIE, client_of, drop_session, is_foreign, keep_session
from loop.kernel.errors import Forbidden
from loop.kernel.payloads import Day, Name, Payload, field
from loop.kernel.people import ROLES, Post
from loop.store import accounts, names, staff
from loop.store.chronicle import By
from loop.store.reach import SEES_REGION
from loop.store.session import Tx

router = APIRouter(tags=["session"])


class Substitute(Payload):
    """Who acts for me, from and until a day, both included."""

    name: Name = field("代理人登录名", "substitute")
    from_on: Day = field("自", "from")
    until_on: Day = field("至", "until")


class Substitutes(Payload):
    """All my substitutes; an empty list takes them all back."""

    substitutes: Annotated[list[Substitute], Field(max_length=20)] = field("代理人", "substitutes")


SIGN_IN = {"name": "li.chief", "password": "correct horse battery"}
SUBSTITUTES = {"substitutes": [{"name": "wang.chief", "from_on": "2026-03-02", "until_on": "2026-03-13"}]}


@router.post(
    "/login", summary="Sign a browser in", openapi_extra={**body(SignIn, SIGN_IN), "security": []},
    responses={**said(shapes.Me), **refusals(401, 403, 413, 415, 422, 429, 503)},
)  # fmt: skip
async def login(request: Request) -> Response:
    """Sets the session cookie and answers who signed in, with the token for X-CSRF-Token. Throttled by name and address."""
    if is_foreign(request):
        raise Forbidden(NOT_FROM_HERE)
    service = service_of(request)
    asked = shaped(SignIn, (await body_of(request)).wanted)
    session, clear = await service.access.sign_in(
        asked.name, asked.password, client_of(request), request.cookies.get(COOKIE)
    )

    def work(tx: Tx) -> Answer:
        return json_answer(_me(tx, service.access.of_session(tx, session)))

    response = (await asyncio.wrap_future(service.store.submit_read(work))).response()
    keep_session(
        response, clear, seconds=service.access.session_seconds, https_only=service.policy.https_only
    )  # fmt: skip
    return response


@router.post("/logout", status_code=204, summary="Sign a browser out", responses=refusals(401, 403, 503))
async def logout(request: Request) -> Response:
    """Ends the session for good; a token is not affected."""
    clear = request.cookies.get(COOKIE)

    def work(tx: Tx) -> None:
        known(request, tx)
        if clear and credentials_of(request).token is None:
            accounts.end_session(tx, clear)

    await asyncio.wrap_future(service_of(request).store.submit(work))
    response = Response(status_code=204)
    drop_session(response)
    return response


@router.get("/me", summary="Who am I", responses={**said(shapes.Me), **refusals(401, 403, 503)})
async def read_me(request: Request) -> Response:
    """My posts of today, what I may see, who acts for me."""
    return (await reading(request, lambda tx, caller: json_answer(_me(tx, caller)))).response()


@router.put(
    "/me/substitutes", summary="Who acts for me", openapi_extra=body(Substitutes, SUBSTITUTES),
    responses={**said(shapes.Me), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def set_substitutes(request: Request) -> Response:
    """Replaces my substitutes. Each acts under their own name, and for whom is recorded beside it."""
    sent = await body_of(request)
    service = service_of(request)

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = shaped(Substitutes, sent.wanted)
        role = next((p.role for p in caller.actor.posts if p.for_id is None), "")
        by = By(caller.actor, role, caller.now, service.book.workflow.version)
        wanted = tuple((one.name, one.from_on, one.until_on) for one in asked.substitutes)
        staff.set_substitutes(tx, by, caller.actor.id, wanted)
        return json_answer(_me(tx, caller))

    return await writing(request, work, body=sent)


def _me(tx: Tx, caller: Caller) -> dict[str, Any]:
    actor, session = caller.actor, caller.session
    acting = staff.substitutes_of(tx, actor.id)
    called = names.of_people(tx, (one.by_id for one in acting))
    return {
        "id": actor.id, "name": actor.name, "full_name": actor.full_name, "language": actor.language,
        "posts": [_post(post) for post in actor.posts],
        "scope": {
            "regions": sorted({p.region[-1] for p in actor.posts if p.role in SEES_REGION and p.region}),
            "units": sorted({p.unit_id for p in actor.posts if p.unit_id and p.role not in SEES_REGION}),
        },
        "substitutes": [
            {
                "name": called[one.by_id][0], "full_name": called[one.by_id][1], "from_on": day(one.from_on),
                "until_on": day(one.until_on),
            }
            for one in acting
        ],
        "today": day(caller.today),
        "csrf": session.csrf if session else None,
        "scopes": list(caller.token.scopes) if caller.token else None,
    }  # fmt: skip


def _post(post: Post) -> dict[str, Any]:
    return {
        "id": post.id, "role": post.role, "label": both(ROLES[post.role]),
        "region": post.region[-1] if post.region else None, "unit": post.unit_id, "for_id": post.for_id,
    }  # fmt: skip
