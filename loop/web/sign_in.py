"""Signing in with name and password, and out again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.access import LONGEST_PASSWORD
from loop.browser import COOKIE, client_of, drop_session, keep_session
from loop.kernel.errors import LoopError, Unauthenticated
from loop.kernel.labels import Label
from loop.store import accounts
from loop.store.session import Tx
from loop.web.guest import check_sent, greet
from loop.web.page import Goto, Page, Visitor, local, redirect, service_of, visitor_of
from loop.web.refusals import SIGN_IN
from loop.web.sent import sent_of

router = APIRouter()
TITLE = Label("登录", "Sign in")
NEXT = "next"
TYPE_BOTH = Label("请填写登录名和密码。", "Type your name and your password.")


@dataclass(frozen=True, slots=True)
class SignInView:
    """The form: where to go afterwards, the name as it was typed, and why it was refused."""

    after: str
    name: str = ""
    refusal: Label | None = None
    longest: int = LONGEST_PASSWORD


@router.get(SIGN_IN)
async def ask(request: Request) -> Response:
    """The form; whoever is signed in already goes on at once."""
    after = local(request.query_params.get(NEXT, "/"))
    if COOKIE in request.cookies and await _is_known(request):
        return redirect(Goto(after))
    return await greet(request, _page(SignInView(after)))


@router.post(SIGN_IN)
async def sign_in(request: Request) -> Response:
    """Open a session; what was refused keeps the name. Throttled by name and by address."""
    sent, service = await sent_of(request), service_of(request)
    check_sent(request, sent)
    name, password, after = sent.get("name").strip(), sent.get("password"), local(sent.get(NEXT, "/"))
    if not name or not password or len(password) > LONGEST_PASSWORD:
        return await greet(request, _page(SignInView(after, name, TYPE_BOTH), 422))
    try:
        _, clear = await service.access.sign_in(name, password, client_of(request), request.cookies.get(COOKIE))
    except LoopError as refused:
        if refused.status not in (401, 429):
            raise
        return await greet(request, _page(SignInView(after, name, refused.label), refused.status))
    response = redirect(Goto(after, "signed-in"))
    keep_session(response, clear, seconds=service.access.session_seconds, https_only=service.policy.https_only)
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session for good; whoever has none is as good as signed out."""
    sent, clear = await sent_of(request), request.cookies.get(COOKIE, "")

    def work(tx: Tx) -> None:
        visitor_of(request, tx, sent)
        accounts.end_session(tx, clear)

    try:
        await asyncio.wrap_future(service_of(request).store.submit(work))
    except Unauthenticated:
        return redirect(Goto(SIGN_IN))
    response = redirect(Goto(SIGN_IN, "signed-out"))
    drop_session(response)
    return response


async def _is_known(request: Request) -> bool:
    def look(tx: Tx) -> Visitor:
        return visitor_of(request, tx)

    try:
        await asyncio.wrap_future(service_of(request).store.submit_read(look))
    except Unauthenticated:
        return False
    return True


def _page(view: SignInView, status: int = 200) -> Page:
    return Page(template="sign_in.html", title=TITLE, view=view, status=status)
