"""Pages for whoever is not signed in: a form carries what a cookie of the same browser holds, so no other site can send it."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from loop.access import NOT_FROM_HERE
from loop.browser import is_foreign
from loop.kernel.errors import Forbidden
from loop.store.session import Tx
from loop.web.chrome import Chrome
from loop.web.notices import PARAMETER, notice_of
from loop.web.page import Page, here, language_of, respond, service_of
from loop.web.sent import CSRF, Sent

FORM_COOKIE = "loop_form"


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody whom we do not know; `csrf` goes into every form."""

    language: str
    csrf: str


async def greet(request: Request, page: Page) -> Response:
    """A page that needs nothing from the database."""
    return await welcome(request, guest_of(request), page)


async def greet_reading(request: Request, build: Callable[[Tx, Guest], Page]) -> Response:
    """The page that `build` answers, on one unchanging picture of the database."""
    guest = guest_of(request)
    page = await asyncio.wrap_future(service_of(request).store.submit_read(lambda tx: build(tx, guest)))
    return await welcome(request, guest, page)


async def welcome(request: Request, guest: Guest, page: Page) -> Response:
    """`page` in the frame that a guest sees."""
    response = await respond(request, page, frame_of(request, guest))
    if request.cookies.get(FORM_COOKIE) != guest.csrf:
        secure = service_of(request).policy.https_only
        response.set_cookie(FORM_COOKIE, guest.csrf, path="/", httponly=True, samesite="strict", secure=secure)
    return response


def guest_of(request: Request) -> Guest:
    """The guest behind this request; a new one where the browser has no cookie yet."""
    known = request.cookies.get(FORM_COOKIE, "")
    fine = 20 <= len(known) <= 64 and known.isascii() and known.isprintable()
    return Guest(language_of(request), known if fine else secrets.token_urlsafe(24))


def frame_of(request: Request, guest: Guest) -> Chrome:
    """The frame of a page for somebody who is not signed in."""
    notice = notice_of(request.query_params.get(PARAMETER, ""), service_of(request).book.workflow)
    return Chrome(language=guest.language, here=here(request), csrf=guest.csrf, notice=notice)


def check_sent(request: Request, sent: Sent) -> Guest:
    """The guest who sent this form; raises Forbidden where it does not come from a page of ours."""
    kept: Any = request.cookies.get(FORM_COOKIE, "")
    same = bool(kept) and hmac.compare_digest(
        sent.get(CSRF).encode("utf-8", "replace"), kept.encode("utf-8", "replace")
    )
    if is_foreign(request) or not same:
        raise Forbidden(NOT_FROM_HERE)
    return guest_of(request)
