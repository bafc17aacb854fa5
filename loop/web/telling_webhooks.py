"""My webhooks: programs of mine that are told of every step in my scope. Secrets are told once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.engine.resending import resend
from loop.engine.subscriptions import Subscriptions
from loop.kernel.errors import Invalid, LoopError, NotFound
from loop.kernel.labels import Label
from loop.kernel.payloads import Line, Payload, read
from loop.kernel.payloads import field as labelled
from loop.kernel.people import UNIT_ROLES
from loop.store import deliveries, names, webhooks
from loop.store.paging import storable
from loop.store.reach import SEES_REGION
from loop.store.session import Tx
from loop.store.webhooks import Webhook
from loop.web.faults import summary_of, wrong_of
from loop.web.page import Crumb, Goto, Page, Visitor, change, show
from loop.web.profile import CRUMBS
from loop.web.sent import Sent, sent_of
from loop.web.telling import LARGEST_ID, WEBHOOKS, LetterLine, letter_line
from loop.web.times import Moment

router = APIRouter()
TITLE = Label("程序订阅（Webhook）", "Webhooks")
LEAD = Label(
    "让其他系统即时获知您范围内的每一步办理。每次推送都按 Standard Webhooks 签名。",
    "Other systems are told of every step in your scope at once; each call is signed as Standard Webhooks asks.",
)
FIELDS = ("name", "url", "region", "actions")
REGION, UNIT = "region:", "unit:"
LATEST = 20
KEEP_HOURS = (24, 72, 0)
LONGEST_URL = 2_000


class Typed(Payload):
    """A subscription as typed."""

    name: Line = labelled("名称", "name")


@dataclass(frozen=True, slots=True)
class HookLine:
    """A subscription of the reader."""

    path: str
    name: str
    url: str
    place: str
    actions: tuple[Label, ...]
    active: bool
    failures: int
    failing_since: Moment | None
    off_reason: Label | None
    made: Moment | None


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a subscription: its values, where it may listen, all actions, and what is wrong."""

    values: Mapping[str, str]
    chosen: frozenset[str]
    places: tuple[tuple[str, str], ...]
    actions: tuple[tuple[str, Label], ...]
    refusal: Label | None = None
    wrong: Mapping[str, Label] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HooksView:
    """All of them, and the form for another."""

    lines: tuple[HookLine, ...]
    form: Form
    secret: str = ""


@dataclass(frozen=True, slots=True)
class HookView:
    """One of them with what it was told lately."""

    line: HookLine
    form: Form
    letters: tuple[LetterLine, ...]
    secret: str = ""
    keep_hours: tuple[int, ...] = KEEP_HOURS


def _subscriptions(visitor: Visitor) -> Subscriptions:
    return Subscriptions(visitor.service.book.workflow, visitor.service.outbox.channels)


# ---- all of them ---------------------------------------------------------------------------------------------------


@router.get(WEBHOOKS)
async def mine(request: Request) -> Response:
    """In the order in which they were made, those switched off too."""
    return await show(request, _all)


@router.post(WEBHOOKS)
async def add(request: Request) -> Response:
    """A new subscription; its secret is shown this once."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Page:
        kind, _, place = sent.get("place").partition(":")
        _, secret = _subscriptions(visitor).add(
            tx, visitor.actor, name=read(Typed, {"name": sent.get("name")}).name, url=_url(sent),
            region=place if kind == "region" else None, unit=place if kind == "unit" else None, actions=sent.all("actions"),
            real=visitor.service.access.real(),
        )  # fmt: skip
        return _all(tx, visitor, secret=secret)

    return await change(request, sent, work, lambda tx, visitor, error: _all(tx, visitor, sent=sent, error=error))


def _all(
    tx: Tx, visitor: Visitor, *, secret: str = "", sent: Sent | None = None, error: LoopError | None = None
) -> Page:
    hooks = webhooks.of_person(tx, visitor.actor.id, limit=100)
    lines = _lines(tx, visitor, hooks)
    view = HooksView(lines, _form(tx, visitor, None, sent, error), secret)
    return Page(template="telling_webhooks.html", title=TITLE, lead=LEAD, crumbs=CRUMBS, view=view)


def _lines(tx: Tx, visitor: Visitor, hooks: Sequence[Webhook]) -> tuple[HookLine, ...]:
    regions = names.of_regions(tx, (hook.region for hook in hooks))
    units = names.of_units(tx, (hook.unit_id for hook in hooks))
    flow, times = visitor.service.book.workflow, visitor.times
    return tuple(
        HookLine(
            f"{WEBHOOKS}/{quote(hook.id, safe='')}", hook.name, hook.url,
            regions.get(hook.region) or units.get(hook.unit_id) or "",
            tuple(flow.actions[name].label for name in hook.actions if name in flow.actions), hook.active, hook.failures,
            times.past(hook.failing_since) if hook.failures else None, hook.off_reason, times.past(hook.created_at),
        )
        for hook in hooks
    )  # fmt: skip


def _form(tx: Tx, visitor: Visitor, hook: Webhook | None, sent: Sent | None, error: LoopError | None) -> Form:
    held = {"name": hook.name, "url": hook.url} if hook else {}
    actions = tuple(
        (name, action.label) for name, action in visitor.service.book.workflow.actions.items() if action.by
    )  # fmt: skip
    return Form(
        {name: sent.get(name) for name in ("name", "url", "place")} if sent else held,
        frozenset(sent.all("actions") if sent else hook.actions if hook else ()), () if hook else _places(tx, visitor), actions,
        summary_of(error, *FIELDS) if error else None, wrong_of(error),
    )  # fmt: skip


def _places(tx: Tx, visitor: Visitor) -> tuple[tuple[str, str], ...]:
    """Where a subscription of the reader may listen: the regions and units of their own posts."""
    own = [post for post in visitor.actor.posts if post.for_id is None]
    codes = [post.region[-1] for post in own if post.role in SEES_REGION and post.region]
    ids = [post.unit_id for post in own if post.role in UNIT_ROLES and post.unit_id]
    regions, units = names.of_regions(tx, codes), names.of_units(tx, ids)
    there = [(f"{REGION}{code}", regions.get(code, code)) for code in codes]
    there += [(f"{UNIT}{id_}", units.get(id_, id_)) for id_ in ids]
    return tuple(dict.fromkeys(there))


# ---- one of them ---------------------------------------------------------------------------------------------------


@router.get(f"{WEBHOOKS}/{{id}}")
async def one(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """Its form, and what it was told lately with every try."""
    return await show(request, lambda tx, visitor: _one(tx, visitor, _own(tx, visitor, id)))


@router.post(f"{WEBHOOKS}/{{id}}")
async def change_one(request: Request, id: str) -> Response:  # noqa: A002  the name in the address
    """Keep what was changed, switch it off or on, or give it a new secret: whichever button was pressed."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto | Page:
        hook, desk = _own(tx, visitor, id), _subscriptions(visitor)
        match sent.get("do"):
            case "rotate":
                keep = timedelta(hours=_hours(sent))
                after, secret = desk.rotate(tx, hook, keep, visitor.service.access.real())
                return _one(tx, visitor, after, secret=secret)
            case "on" | "off" as wanted:
                desk.change(tx, hook, {"active": wanted == "on"})
            case "keep":
                name = read(Typed, {"name": sent.get("name")}).name
                changes: dict[str, Any] = {"name": name, "url": _url(sent), "actions": sent.all("actions")}
                desk.change(tx, hook, changes)
        return Goto(f"{WEBHOOKS}/{quote(id, safe='')}", "webhook-kept")

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        return _one(tx, visitor, _own(tx, visitor, id), sent=sent, error=error)

    return await change(request, sent, work, again)


@router.post(f"{WEBHOOKS}/{{id}}/deliveries/{{key}}/replay")
async def replay(request: Request, id: str, key: str) -> Response:  # noqa: A002  the name in the address
    """Tell it once more, under the same key."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        hook = _own(tx, visitor, id)
        found = deliveries.by_key(tx, key) if storable(key) else None
        if found is None or found.webhook_id != hook.id:
            raise NotFound
        resend(tx, found, visitor.service.outbox.real())
        return Goto(f"{WEBHOOKS}/{quote(id, safe='')}", "letter-goes-again")

    return await change(request, sent, work)


def _own(tx: Tx, visitor: Visitor, id_: str) -> Webhook:
    if not storable(id_):
        raise NotFound
    return _subscriptions(visitor).own(tx, visitor.actor, id_)


def _one(
    tx: Tx,
    visitor: Visitor,
    hook: Webhook,
    *,
    secret: str = "",
    sent: Sent | None = None,
    error: LoopError | None = None,
) -> Page:
    (line,) = _lines(tx, visitor, [hook])
    found = deliveries.page(tx, limit=LATEST, before=LARGEST_ID, webhook_id=hook.id)
    tried = deliveries.tries_of(tx, [letter.id for letter in found])
    letters = tuple(
        letter_line(
            letter, {}, visitor.times, tried=tried[letter.id], path=f"{line.path}/deliveries/{quote(letter.key, safe='')}"
        )
        for letter in found
    )  # fmt: skip
    view = HookView(line, _form(tx, visitor, hook, sent, error), letters, secret)
    crumbs = (*CRUMBS, Crumb(TITLE, WEBHOOKS))
    return Page(template="telling_webhook.html", title=Label(hook.name, hook.name), crumbs=crumbs, view=view)


def _hours(sent: Sent) -> int:
    text = sent.get("keep_hours")
    if not text.isascii() or not text.isdecimal() or len(text) > 3 or int(text) not in KEEP_HOURS:
        raise Invalid.field("keep_hours", "请从列表中选择。", "choose one of the list.", "range")
    return int(text)


def _url(sent: Sent) -> str:
    url = sent.get("url").strip()
    if not 8 <= len(url) <= LONGEST_URL:
        raise Invalid.field("url", "请填写完整的接收地址。", "give the whole address.", "length")
    return url
