"""How a page comes about: who looks is found out, ONE transaction answers a frozen view, then the template is filled.

A handler hands `show` a function from (transaction, visitor) to a `Page`. A form goes through `change`: its function
does the work and answers where to go next, and where it refuses, `again` makes the page anew with what was typed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TypeVar
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from loop.access import Caller, Credentials
from loop.browser import COOKIE, is_foreign
from loop.kernel.errors import Forbidden, LoopError, Stale, Unauthenticated, Unavailable
from loop.kernel.labels import LANGUAGES, Label
from loop.kernel.people import Actor
from loop.service import Service
from loop.store import tray
from loop.store.session import Refused, Tx
from loop.virtual_time import is_virtual
from loop.web import render
from loop.web.chrome import SEES, UNREAD, Chrome, nav_for, posts_of
from loop.web.notices import PARAMETER, notice_of
from loop.web.once import sending_of
from loop.web.sent import CSRF, Sent
from loop.web.times import Times

T = TypeVar("T")
LANGUAGE_COOKIE = "loop_language"
MOST_UNREAD = 99
"""The badge counts no further."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The signed-in person who looks at a page, their language, and instants as they read them."""

    service: Service
    caller: Caller
    language: str
    csrf: str
    times: Times

    @property
    def actor(self) -> Actor:
        """Who it is."""
        return self.caller.actor

    @property
    def now(self) -> datetime:
        """The service's time."""
        return self.caller.now

    @property
    def today(self) -> date:
        """The service's day."""
        return self.caller.today

    def holds(self, *roles: str) -> bool:
        """Whether any of their posts has one of these roles."""
        return any(map(self.actor.holds, roles))


@dataclass(frozen=True, slots=True)
class Crumb:
    """A step on the way to a page."""

    label: Label
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a handler answers. The template reads `view`, a frozen value; `lead` is a sentence under the heading."""

    template: str
    title: Label
    view: object = None
    lead: Label | None = None
    crumbs: tuple[Crumb, ...] = ()
    status: int = 200
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Goto:
    """Where the browser goes after something was done; `done` is the code of the notice that it finds there."""

    path: str
    done: str = ""

    @property
    def address(self) -> str:
        """The address to redirect to."""
        if not self.done:
            return self.path
        path, _, fragment = self.path.partition("#")
        joint = "&" if "?" in path else "?"
        return f"{path}{joint}{urlencode({PARAMETER: self.done})}" + (f"#{fragment}" if fragment else "")


Build = Callable[[Tx, Visitor], Page]
Work = Callable[[Tx, Visitor], Goto | Page | Refused]
Again = Callable[[Tx, Visitor, LoopError], Page]


# ---- for somebody who is signed in -----------------------------------------------------------------------------------


async def show(request: Request, build: Build) -> Response:
    """The page that `build` answers, on one unchanging picture of the database."""

    def whole(tx: Tx) -> tuple[Page, Chrome]:
        visitor = visitor_of(request, tx)
        page = build(tx, visitor)
        return page, chrome_of(request, visitor, tray.unread(tx, visitor.actor.id, MOST_UNREAD + 1))

    page, chrome = await asyncio.wrap_future(service_of(request).store.submit_read(whole))
    return await respond(request, page, chrome)


async def look(request: Request, work: Callable[[Tx, Visitor], T]) -> T:
    """What `work` finds, on one unchanging picture of the database; no page."""
    read = service_of(request).store.submit_read(lambda tx: work(tx, visitor_of(request, tx)))
    return await asyncio.wrap_future(read)


async def change(request: Request, sent: Sent, work: Work, again: Again | None = None) -> Response:
    """What `work` answers after its transaction: a redirect, or a page. A form without its csrf is refused; one that carries
    a mark is done once, however often it is sent.

    A refusal that the person can do something about is shown by `again`, with what they typed.
    """
    store = service_of(request).store
    try:
        done = await asyncio.wrap_future(store.submit(lambda tx: _once(request, tx, sent, work)))
    except (Unauthenticated, Forbidden, Unavailable):
        raise
    except LoopError as error:
        if again is None:
            raise
        refused, remake = error, again
        return await show(request, lambda tx, visitor: _refused(remake(tx, visitor, refused), refused))
    if isinstance(done, Page):
        page = done
        return await show(request, lambda tx, visitor: page)
    assert isinstance(done, Goto)  # noqa: S101  a `Refused` is raised by the store
    return redirect(done)


def _once(request: Request, tx: Tx, sent: Sent, work: Work) -> Goto | Page | Refused:
    visitor = visitor_of(request, tx, sent)
    sending = sending_of(request, sent, visitor.actor.id, visitor.service.access.real())
    if sending is None:
        return work(tx, visitor)
    if earlier := sending.went_to(tx):
        return Goto(earlier)
    done = work(tx, visitor)
    if isinstance(done, Goto):
        sending.keep(tx, done.address)
    else:
        sending.give_up(tx)
    return done


async def admit(request: Request, sent: Sent) -> Visitor:
    """Who sent this form, found out before work that belongs in no transaction; raises Unauthenticated or Forbidden."""
    return await asyncio.wrap_future(service_of(request).store.submit_read(lambda tx: visitor_of(request, tx, sent)))


def _refused(page: Page, error: LoopError) -> Page:
    return replace(page, status=error.status) if page.status == 200 else page


def redirect(to: Goto) -> Response:
    """The browser goes on to `to` with a GET."""
    return RedirectResponse(to.address, 303)


def visitor_of(request: Request, tx: Tx, sent: Sent | None = None) -> Visitor:
    """Who looks; with `sent`, the form they sent must carry their session's csrf and come from a page of ours. Raises
    Unauthenticated or Forbidden.
    """
    service = service_of(request)
    shown = Credentials(
        cookie=request.cookies.get(COOKIE), csrf=sent.get(CSRF) if sent else None, changes=sent is not None,
        foreign=is_foreign(request),
    )  # fmt: skip
    caller = service.access.caller(tx, shown)
    if caller.session is None:
        raise Unauthenticated
    visitor = Visitor(
        service=service, caller=caller, language=language_of(request, caller.actor.language), csrf=caller.session.csrf,
        times=Times(service.calendar, caller.now),
    )  # fmt: skip
    request.state.visitor, request.state.who = visitor, caller.actor.name
    return visitor


# ---- what both kinds of reader get -----------------------------------------------------------------------------------


async def respond(request: Request, page: Page, chrome: Chrome, headers: Mapping[str, str] | None = None) -> Response:
    """The page on the wire."""
    renderer: render.Renderer = request.app.state.renderer
    html = await asyncio.to_thread(renderer.html, page.template, page, chrome)
    return render.response(request, html, page.status, headers)


def chrome_of(request: Request, visitor: Visitor, unread: int = 0) -> Chrome:
    """The frame for somebody signed in."""
    counts = {UNREAD: f"{MOST_UNREAD}+" if unread > MOST_UNREAD else str(unread)} if unread else {}
    return Chrome(
        language=visitor.language, here=here(request), csrf=visitor.csrf,
        notice=notice_of(request.query_params.get(PARAMETER, ""), visitor.service.book.workflow),
        name=visitor.actor.full_name, sign_in_name=visitor.actor.name, posts=posts_of(visitor.actor),
        nav=nav_for(visitor.actor, request.url.path, counts), sees_findings=visitor.holds(*SEES),
        virtual_now=visitor.times.instant(visitor.now).exact if is_virtual(visitor.service) else None,
    )  # fmt: skip


def service_of(request: Request) -> Service:
    """The running parts."""
    found: Service = request.app.state.service
    return found


def language_of(request: Request, usual: str = "zh") -> str:
    """The language chosen by the switch, else the person's usual one, else Chinese."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else usual


def here(request: Request) -> str:
    """The address of this page, without the notice; of a form that was sent, the page it belongs to."""
    query = urlencode([(k, v) for k, v in request.query_params.multi_items() if k != PARAMETER])
    return request.url.path + (f"?{query}" if query and request.method == "GET" else "")


def local(address: str) -> str:
    """`address` if it is one of ours, else the first page: nobody is sent elsewhere by a link that was slipped to them."""
    parts = urlsplit(address)
    plain = address.isascii() and address.isprintable() and "\\" not in address
    is_ours = address.startswith("/") and not address.startswith("//") and not parts.scheme and not parts.netloc
    return address if plain and is_ours else "/"


def named(error: LoopError) -> str:
    """Who changed it meanwhile, where that is why it was refused."""
    return str(error.facts.get("by", "")) if isinstance(error, Stale) else ""
