"""What reaches me where: my channels in their order, what I declined, the morning digest; the law's letters always come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.engine.wishes import Wishes, set_wishes, wishes_of
from loop.kernel.errors import Invalid, LoopError
from loop.kernel.labels import Label
from loop.kernel.model import FORMER_UNIT, KNOWN_NAMES
from loop.kernel.people import CHIEF, DIRECTOR, SUPERIOR, UNIT
from loop.kernel.routes import EACH, PERSONAL, ROBOTS, Route
from loop.kernel.workflow import Workflow
from loop.store.contacts import Contact
from loop.store.session import Tx
from loop.web.faults import summary_of
from loop.web.page import Goto, Page, Visitor, change, show
from loop.web.profile import CRUMBS, PLACE
from loop.web.sent import Sent, sent_of

router = APIRouter()
WISHES = f"{PLACE}/notifications"
TITLE = Label("通知方式", "Notifications")
LEAD = Label(
    "每一步办理都会进入收件箱；这里设置还从哪些渠道通知您。",
    "Every step stands in your inbox; here you say by which other ways you are told.",
)
KINDS = {
    "mail": Label("电子邮件", "E-mail"), "sms": Label("短信", "Text message"), "apprise": Label("其他应用", "Another app"),
    "console": Label("控制台（开发用）", "Console (for development)"), "wecom": Label("企业微信群", "WeCom group"),
    "dingtalk": Label("钉钉群", "DingTalk group"), "feishu": Label("飞书群", "Feishu group"),
    "webhook": Label("程序订阅", "Webhook"),
}  # fmt: skip
WHEN = {
    "now": Label("随时", "at any hour"), "day": Label("工作时段", "outside quiet hours"),
    "morning": Label("工作日早间汇总", "in the morning's digest"), "weekly": Label("每周汇总", "in the weekly digest"),
}  # fmt: skip
VIA = {
    PERSONAL: Label("您的首选渠道", "your preferred channel"), EACH: Label("您的全部渠道", "all your channels"),
    ROBOTS: Label("本办工作群", "your office's group"),
}  # fmt: skip
DANGER = Label("危及生命安全的问题", "Findings with danger to life")
THE_REST = Label("其他办理事项", "Everything else")
INBOX_ONLY = Label("仅收件箱", "the inbox alone")
SOME = 3
"""So many steps are named; how many more there are is counted."""


@dataclass(frozen=True, slots=True)
class ContactLine:
    """A channel that the office offers: what it is, the reader's address on it, its place in the order (empty: unused)."""

    name: str
    kind: Label
    address: str
    place: str
    wrong: Label | None = None


@dataclass(frozen=True, slots=True)
class RouteLine:
    """A kind of message: about what, to whom, by which ways and when, and whether it may be declined."""

    name: str
    about: Label
    steps: tuple[Label, ...]
    via: Label
    when: Label
    receipt: bool
    may_be_off: bool
    on: bool


@dataclass(frozen=True, slots=True)
class WishesView:
    """The whole form."""

    channels: tuple[ContactLine, ...]
    routes: tuple[RouteLine, ...]
    digest: bool
    refusal: Label | None = None
    places: tuple[int, ...] = field(default=())


@router.get(WISHES)
async def my_wishes(request: Request) -> Response:
    """What I wish, and what my office offers."""
    return await show(request, lambda tx, visitor: _page(visitor, _wishes(tx, visitor)))


@router.post(WISHES)
async def keep(request: Request) -> Response:
    """What the form says takes the place of the earlier wishes."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        outbox, held = visitor.service.outbox, _wishes(tx, visitor)
        set_wishes(
            tx, visitor.actor.id, _contacts(sent, held), off=_declined(sent, held, visitor), digest=sent.has("digest"),
            postage=outbox.postage, channels=outbox.channels,
        )  # fmt: skip
        return Goto(WISHES, "wishes-kept")

    def again(tx: Tx, visitor: Visitor, error: LoopError) -> Page:
        return _page(visitor, _wishes(tx, visitor), sent, error)

    return await change(request, sent, work, again)


def _wishes(tx: Tx, visitor: Visitor) -> Wishes:
    outbox = visitor.service.outbox
    return wishes_of(tx, visitor.actor.id, outbox.postage, outbox.channels)


# ---- the form as it was sent ---------------------------------------------------------------------------------------


def _contacts(sent: Sent, held: Wishes) -> list[Contact]:
    """The channels with an address, in the order of their places; of two alike the first on the page comes first."""
    filled = [
        (sent.get(f"place-{channel.name}") or "99", channel.name, sent.get(f"address-{channel.name}").strip())
        for channel in held.channels
    ]
    ordered = sorted(filled, key=lambda one: int(one[0]) if one[0].isdecimal() and len(one[0]) < 3 else 99)
    return [Contact(name, address) for _, name, address in ordered if address]


def _declined(sent: Sent, held: Wishes, visitor: Visitor) -> frozenset[str]:
    """Shown and not ticked is declined; what this reader is not shown stays as it was."""
    shown = {route.name for route in _relevant(held, visitor) if route.may_be_off}
    may = {route.name for route in held.routes if route.may_be_off}
    return (held.liking.off & may - shown) | {name for name in shown if name not in sent.all("on")}


# ---- the form as it is shown ---------------------------------------------------------------------------------------


def _page(visitor: Visitor, held: Wishes, sent: Sent | None = None, error: LoopError | None = None) -> Page:
    off = _declined(sent, held, visitor) if sent else held.liking.off
    flow = visitor.service.book.workflow
    view = WishesView(
        channels=_lines(held, sent, error),
        routes=tuple(_route(route, flow, on=route.name not in off) for route in _relevant(held, visitor)),
        digest=sent.has("digest") if sent else held.liking.digest,
        refusal=_refusal(error), places=tuple(range(1, len(held.channels) + 1)),
    )  # fmt: skip
    return Page(template="profile_wishes.html", title=TITLE, lead=LEAD, crumbs=CRUMBS, view=view)


def _lines(held: Wishes, sent: Sent | None, error: LoopError | None) -> tuple[ContactLine, ...]:
    kept = {one.channel: (one.address, str(place)) for place, one in enumerate(held.contacts, 1)}
    wrong = _wrong(sent, held, error)
    return tuple(
        ContactLine(channel.name, kind_of(channel.kind), address, place, wrong.get(channel.name))
        for channel in held.channels
        for address, place in [_as_sent(sent, channel.name) if sent else kept.get(channel.name, ("", ""))]
    )  # fmt: skip


def kind_of(kind: str) -> Label:
    """What people call a kind of channel."""
    return KINDS.get(kind, Label(kind, kind))


def _as_sent(sent: Sent, channel: str) -> tuple[str, str]:
    return sent.get(f"address-{channel}"), sent.get(f"place-{channel}")


def _wrong(sent: Sent | None, held: Wishes, error: LoopError | None) -> Mapping[str, Label]:
    """What is wrong with the address of a channel, by its name: faults count the channels as they were handed on."""
    if sent is None or not isinstance(error, Invalid):
        return {}
    given, found = _contacts(sent, held), {}
    for fault in error.faults:
        parts = fault.field.split(".")
        if len(parts) == 3 and parts[1].isdecimal():
            found[given[int(parts[1])].channel] = fault.label
    return found


def _refusal(error: LoopError | None) -> Label | None:
    if error is None:
        return None
    fields = [f.field for f in error.faults if f.field.count(".") == 2] if isinstance(error, Invalid) else []
    return summary_of(error, *fields)


def _relevant(held: Wishes, visitor: Visitor) -> list[Route]:
    """The routes by which somebody with these posts may be told something."""
    mine = {post.role for post in visitor.actor.posts}
    mine |= {FORMER_UNIT} if UNIT in mine else set()
    mine |= {SUPERIOR} if mine & {CHIEF, DIRECTOR} else set()
    return [route for route in held.routes if not route.roles or route.roles & mine]


def _route(route: Route, flow: Workflow, *, on: bool) -> RouteLine:
    steps = tuple(flow.actions[name].label for name in sorted(route.steps) if name in flow.actions)
    via = [VIA.get(name, Label(name, name)) for name in route.via]
    return RouteLine(
        name=route.name, about=_about(route, steps), steps=steps if len(steps) > SOME else (),
        via=_joined(via) if via else INBOX_ONLY, when=WHEN[route.when], receipt=route.receipt, may_be_off=route.may_be_off,
        on=on or not route.may_be_off,
    )  # fmt: skip


def _about(route: Route, steps: tuple[Label, ...]) -> Label:
    what = DANGER if route.danger else _joined(steps[:SOME]) if steps else THE_REST
    if len(steps) > SOME and not route.danger:
        what = Label(f"{what.zh}等 {len(steps)} 项", f"{what.en} and {len(steps) - SOME} more")
    what = Label(what.zh, what.en[:1].upper() + what.en[1:])
    if not route.roles:
        return what
    to = [KNOWN_NAMES.get(role, Label(role, role)) for role in sorted(route.roles)]
    return Label(f"{what.zh}（通知{_joined(to).zh}）", f"{what.en} (to {_joined(to).en})")


def _joined(labels: list[Label] | tuple[Label, ...]) -> Label:
    return Label("、".join(one.zh for one in labels), ", ".join(one.en for one in labels))
