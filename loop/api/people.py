"""People and their posts, and from which units they stay away: kept by administrators, entered in the chain of people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop import staffing
from loop.access import Caller
from loop.api import registry_shapes as shapes
from loop.api.answers import Answer, json_answer, listed
from loop.api.bodies import Body, body_of
from loop.api.calls import changes, looking, made_at, posting, sending, taking
from loop.api.deps import query_of, reading, service_of, shaped, writing
from loop.api.describe import REFUSALS_OF_READING, REFUSALS_OF_WRITING, made, parameters, said
from loop.authority import regions_of, require, seen
from loop.kernel.people import ADMIN
from loop.kernel.registration import ChangedUser, NewRecusal, NewUser
from loop.store import staff
from loop.store.session import Tx
from loop.store.staff import FOREVER, Person, PostRecord, Recusal

router = APIRouter(tags=["people"])


def user_view(person: Person, posts: tuple[PostRecord, ...]) -> dict[str, Any]:
    """A person with all posts as answers show them."""
    return {
        "id": person.id, "name": person.name, "full_name": person.full_name, "language": person.language,
        "active": person.active, "posts": [_post_view(post) for post in posts],
    }  # fmt: skip


def _post_view(post: PostRecord) -> dict[str, Any]:
    return {
        "id": post.id, "role": post.role, "region": post.region, "unit": post.unit_id,
        "from_on": post.from_on.isoformat(), "until_on": _end(post.until_on),
    }  # fmt: skip


def _end(until_on: date) -> str | None:
    return None if until_on == FOREVER else until_on.isoformat()


def _shown(tx: Tx, person: Person) -> dict[str, Any]:
    return user_view(person, staff.posts_of(tx, person.id))


# ---- users ---------------------------------------------------------------------------------------------------------


@router.get(
    "/users", summary="The people in scope", openapi_extra=parameters(shapes.PageQuery),
    responses={**said(shapes.UserList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_users(request: Request) -> Response:
    """People with a post in the caller's regions, past posts included, and the caller."""

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, shapes.PageQuery)
        page = staff.persons(
            tx, active=asked.active, within=regions_of(caller.actor), own=[caller.actor.id], after=asked.after,
            limit=asked.limit,
        )  # fmt: skip
        held = staff.posts_of_many(tx, (person.id for person in page.items))
        return listed([user_view(person, tuple(held[person.id])) for person in page.items], page.next)

    return await looking(request, work)


@router.get("/users/{user}", summary="One person", responses={**said(shapes.UserOut), **REFUSALS_OF_READING})
async def read_user(request: Request, user: str) -> Response:
    """A person in scope with all posts."""
    return await looking(request, lambda tx, caller: json_answer(_shown(tx, seen(tx, caller.actor, user))))


@router.post(
    "/users", status_code=201, summary="Add a person, or a post to a known name",
    openapi_extra=taking(
        NewUser, {"name": "wang.li", "full_name": "王丽", "role": "inspector", "region": "330106", "password": "8-or-more"}
    ),
    responses={**made(shapes.UserOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def add_user(request: Request) -> Response:
    """An administrator gives a post in one of their own regions; a new name becomes an account."""
    service, sent = service_of(request), await body_of(request)
    hashed = await _hashed(request, sent, lambda tx, caller: require(caller.actor, ADMIN))

    def work(tx: Tx, caller: Caller) -> Answer:
        person = staffing.give_post(tx, caller, service, shaped(NewUser, sent.wanted), hashed)
        return made_at(f"users/{person.id}", _shown(tx, person))

    return await writing(request, work, body=sent, admit=lambda tx, caller: require(caller.actor, ADMIN))


async def _hashed(request: Request, sent: Body, admit: Callable[[Tx, Caller], object]) -> str:
    """The hash of the password in the body, empty without one. Made outside any transaction, because it takes time, and
    only for those whom `admit` lets pass.
    """
    password = sent.value.get("password") if isinstance(sent.value, dict) else None
    if not isinstance(password, str) or not 8 <= len(password) <= 256:
        return ""
    await reading(request, admit)
    return await asyncio.to_thread(service_of(request).access.passwords.hash, password)


@router.patch(
    "/users/{user}", summary="Change or deactivate a person, reset the password, end posts",
    openapi_extra=sending(ChangedUser, {"active": False}), responses={**said(shapes.UserOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def change_user(request: Request, user: str) -> Response:
    """An administrator changes a person all of whose posts are in their regions; a single post may be ended by the
    administrator of its region. A new password signs the person out everywhere.
    """
    service, sent = service_of(request), await body_of(request)

    def admit(tx: Tx, caller: Caller) -> None:
        seen(tx, caller.actor, user)
        require(caller.actor, ADMIN)

    hashed = await _hashed(request, sent, admit)

    def work(tx: Tx, caller: Caller) -> Answer:
        person = seen(tx, caller.actor, user)
        wanted = changes(shaped(ChangedUser, sent.wanted))
        for ended in wanted.pop("end_posts", ()):
            staffing.end_post(tx, caller, service, person, ended, "end_posts")
        if wanted:
            new_hash = hashed if wanted.pop("password", None) else ""
            person = staffing.change_person(tx, caller, service, person, wanted, new_hash)
        return json_answer(_shown(tx, person))

    return await writing(request, work, admit=admit)


# ---- recusals ------------------------------------------------------------------------------------------------------


def _recusal_view(recusal: Recusal) -> dict[str, Any]:
    return {"unit": recusal.unit_id, "ground": recusal.ground, "until_on": _end(recusal.until_on)}


@router.get(
    "/users/{user}/recusals", summary="From which units a person stays away",
    responses={**said(shapes.RecusalList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_recusals(request: Request, user: str) -> Response:
    """Every recusal of a person, lapsed ones too: for themselves and whoever decides about them, since grounds are private."""

    def work(tx: Tx, caller: Caller) -> Answer:
        person = seen(tx, caller.actor, user)
        staffing.over(tx, caller, person)
        return listed([_recusal_view(recusal) for recusal in staff.recusals_of(tx, person.id)])

    return await looking(request, work)


@router.post(
    "/users/{user}/recusals", status_code=201, summary="Keep a person away from a unit",
    openapi_extra=taking(NewRecusal, {"unit": "u-1", "ground": "配偶在该校任教"}),
    responses={**made(shapes.RecusalOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def recuse(request: Request, user: str) -> Response:
    """The person, or a chief, director or administrator over one of their posts. A day gone by lifts it: not for oneself."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], NewRecusal]) -> Answer:
        person = seen(tx, caller.actor, user)
        staffing.over(tx, caller, person)
        kept = staffing.recuse(tx, caller, service, person, read())
        return made_at(f"users/{person.id}/recusals", _recusal_view(kept))

    return await posting(request, NewRecusal, work)
