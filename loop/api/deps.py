"""What every handler needs: who calls, the body and the query as values, one transaction, one answer.

A handler reads the request, then does all its work in one transaction by `reading` or `writing`; signing in is part of
that transaction, so a request costs one trip to the database's threads. Refusals come in the order of the contract.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from loop.access import Caller, Credentials
from loop.api.answers import Answer
from loop.api.bodies import Body
from loop.api.once import KeptAnswer, digest_of
from loop.browser import COOKIE, SAFE_METHODS, is_foreign
from loop.kernel.errors import Invalid, NotFound
from loop.kernel.payloads import fault_of
from loop.service import Service
from loop.store.paging import storable
from loop.store.session import Refused, Tx

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


# ---- the request as values -------------------------------------------------------------------------------------------


def service_of(request: Request) -> Service:
    """The running parts."""
    found: Service = request.app.state.service
    return found


def credentials_of(request: Request, *, changes: bool = False) -> Credentials:
    """What the request shows of its sender; a token goes before a cookie. `changes`: it writes, whatever its method."""
    changes = changes or request.method not in SAFE_METHODS
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return Credentials(token=value.strip(), changes=changes)
    return Credentials(
        cookie=request.cookies.get(COOKIE), csrf=request.headers.get("x-csrf-token"), changes=changes,
        foreign=is_foreign(request),
    )  # fmt: skip


def query_of(request: Request, model: type[M], *, lists: frozenset[str] = frozenset()) -> M:
    """The query as `model`; fields in `lists` may be repeated or joined by commas. Raises Invalid field by field."""
    values: dict[str, Any] = {}
    for name in dict.fromkeys(request.query_params):
        given = request.query_params.getlist(name)
        if not all(map(storable, given)):
            raise Invalid.field(
                name[:64], "含有不能使用的字符。", "holds a character that cannot be used.", "characters"
            )
        if name in lists:
            values[name] = [part for one in given for part in one.split(",") if part]
        elif len(given) > 1:
            raise Invalid.field(name[:64], "只能给一次。", "may be given once only.", "repeated")
        elif given[0] != "":
            values[name] = given[0]
    return shaped(model, values)


def shaped(model: type[M], values: Any) -> M:
    """`values` as `model`; raises Invalid field by field."""
    try:
        return model.model_validate(values)
    except ValidationError as wrong:
        found = wrong.errors(include_url=False, include_input=False)
        raise Invalid(fault_of(error) for error in found) from None


def path_text(request: Request, name: str) -> str:
    """A part of the path that names something; raises NotFound for what no name can be."""
    return name_in(str(request.path_params[name]))


def name_in(value: str) -> str:
    """`value`, if it could name anything; raises NotFound."""
    if not storable(value) or len(value) > 200:
        raise NotFound
    return value


# ---- one transaction -------------------------------------------------------------------------------------------------


def known(request: Request, tx: Tx, *, changes: bool = False) -> Caller:
    """The caller, within a transaction; from now on refusals speak their language and the log knows their name."""
    return noted(request, service_of(request).access.caller(tx, credentials_of(request, changes=changes)))


def noted(request: Request, caller: Caller) -> Caller:
    """`caller`, noted on the request for refusals and log."""
    request.state.language, request.state.who = caller.actor.language, caller.actor.name
    return caller


async def reading(
    request: Request, work: Callable[[Tx, Caller], T], *, by: Callable[[Request, Tx], Caller] | None = None
) -> T:
    """`work` for a known caller on one unchanging picture of the database. `by` tells who that is, where it is not told
    by the headers.
    """
    service = service_of(request)
    seen: list[Caller] = []

    def whole(tx: Tx) -> T:
        caller = (by or known)(request, tx)
        seen.append(caller)
        return work(tx, caller)

    try:
        return await asyncio.wrap_future(service.store.submit_read(whole))
    finally:
        token = seen[-1].token if seen else None
        if token and not service.access.use_is_noted(token):
            await asyncio.wrap_future(service.store.submit(lambda tx: service.access.note_use(tx, token)))


async def writing(
    request: Request, work: Callable[[Tx, Caller], Answer], *, body: Body | None = None,
    admit: Callable[[Tx, Caller], None] | None = None,
) -> Response:  # fmt: skip
    """`work` for a known caller in one transaction; a POST with an `Idempotency-Key` is done once.

    `admit` refuses what is not found or not permitted before the key is looked at. Give the `body` that the key covers.
    """

    def whole(tx: Tx) -> Answer:
        caller = writer(request, tx)
        if admit:
            admit(tx, caller)
        once = once_of(request, caller, body)
        if once is None:
            return work(tx, caller)
        earlier = once.earlier(tx)
        if earlier is not None:
            return earlier
        made = work(tx, caller)
        once.keep(tx, made)
        return made

    answer = await asyncio.wrap_future(service_of(request).store.submit(whole))
    return answer.response()


async def engaged(request: Request, work: Callable[[Tx, Caller], T | Refused]) -> T:
    """`work` for a known caller in one transaction; a `Refused` is committed, then raised."""
    store = service_of(request).store
    return await asyncio.wrap_future(store.submit(lambda tx: work(tx, writer(request, tx))))


def writer(request: Request, tx: Tx) -> Caller:
    """The caller, within a transaction that writes: a token needs the scope for it, a browser its X-CSRF-Token."""
    caller = known(request, tx, changes=True)
    if caller.token:
        service_of(request).access.note_use(tx, caller.token)
    return caller


def once_of(request: Request, caller: Caller, body: Body | None) -> KeptAnswer | None:
    """What makes a repeated POST harmless, where the request has an `Idempotency-Key`."""
    key = request.headers.get("idempotency-key")
    if key is None or request.method != "POST":
        return None
    digest = digest_of(request.method, request.url.path, body.canonical if body else "")
    return KeptAnswer(caller.actor.id, key, digest, service_of(request).access.real())
