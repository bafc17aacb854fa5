"""Changing one's own password: the present one is asked for, and whoever guesses is throttled."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.access import LONGEST_PASSWORD, SHORTEST_PASSWORD
from loop.browser import keep_session
from loop.kernel.errors import Invalid, LoopError
from loop.kernel.labels import Label
from loop.store import accounts
from loop.store.session import Tx
from loop.web.faults import summary_of, wrong_of
from loop.web.page import Goto, Page, Visitor, admit, change, service_of, show
from loop.web.profile import CRUMBS, PLACE, self_of
from loop.web.sent import Sent, sent_of

router = APIRouter()
PASSWORD = f"{PLACE}/password"
TITLE = Label("修改密码", "Change my password")
OLD, NEW, AGAIN = "old", "password", "again"
DIFFERENT = ("两次输入的新密码不一致。", "the two new passwords differ.")
THE_SAME = ("新密码不能与原密码相同。", "the new password is the old one.")


@dataclass(frozen=True, slots=True)
class PasswordView:
    """The form; nothing typed into it is ever shown again."""

    refusal: Label | None = None
    wrong: Mapping[str, Label] = field(default_factory=dict)
    shortest: int = SHORTEST_PASSWORD
    longest: int = LONGEST_PASSWORD


@router.get(PASSWORD)
async def ask(request: Request) -> Response:
    """The form."""
    return await show(request, lambda tx, visitor: _page(PasswordView()))


@router.post(PASSWORD)
async def change_password(request: Request) -> Response:
    """A new password: every other browser is signed out, this one stays signed in."""
    sent, service = await sent_of(request), service_of(request)
    visitor = await admit(request, sent)
    try:
        _check(sent)
        await service.access.confirm(visitor.actor, OLD, sent.get(OLD))
        hashed = await asyncio.to_thread(service.access.passwords.hash, sent.get(NEW))
    except LoopError as error:
        refused = _page(PasswordView(summary_of(error, OLD, NEW, AGAIN), wrong_of(error)), error.status)
        return await show(request, lambda tx, visitor: refused)
    begun: list[str] = []

    def work(tx: Tx, visitor: Visitor) -> Goto:
        accounts.set_password(tx, self_of(visitor), visitor.actor.id, hashed)
        _, clear = service.access.begin(tx, visitor.actor.id)
        begun[:] = [clear]
        return Goto(PLACE, "password-changed")

    response = await change(request, sent, work)
    keep_session(
        response, begun[0], seconds=service.access.session_seconds, https_only=service.policy.https_only
    )  # fmt: skip
    return response


def _check(sent: Sent) -> None:
    """Raises Invalid for what needs no look at any password kept."""
    if len(sent.get(OLD)) > LONGEST_PASSWORD or not sent.get(OLD):
        raise Invalid.field(OLD, "请填写原密码。", "type your current password.", "missing")
    if not SHORTEST_PASSWORD <= len(sent.get(NEW)) <= LONGEST_PASSWORD:
        raise Invalid.field(
            NEW, f"须为 {SHORTEST_PASSWORD} 至 {LONGEST_PASSWORD} 个字符。",
            f"takes {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.", "length",
        )  # fmt: skip
    if sent.get(NEW) != sent.get(AGAIN):
        raise Invalid.field(AGAIN, *DIFFERENT, "different")
    if sent.get(NEW) == sent.get(OLD):
        raise Invalid.field(NEW, *THE_SAME, "same")


def _page(view: PasswordView, status: int = 200) -> Page:
    return Page(template="profile_password.html", title=TITLE, crumbs=CRUMBS, view=view, status=status)
