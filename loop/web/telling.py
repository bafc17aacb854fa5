"""Telling people, as pages about it say it: kinds of channels, how far a letter got, steps, gaps. Words and values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from loop.engine.resending import DEAD_NOW, DELIVERED, NEEDLESS, OWED_STILL, SENT, status_of
from loop.kernel import people
from loop.kernel.labels import Label
from loop.kernel.messages import GROUP, PERSON, PROGRAM
from loop.kernel.workflow import Workflow
from loop.store.deliveries import Delivery, Tried
from loop.store.gaps import LEFT, NOBODY, STOOD_IN, UNDELIVERED
from loop.web.page import Crumb
from loop.web.times import Moment, Times

ADMIN = Crumb(Label("管理", "Administration"), "/admin")
AUDIT = Crumb(Label("审计", "Audit"), "/audit")
CHANNELS, DELIVERIES, GAPS, WEBHOOKS = "/admin/channels", "/admin/deliveries", "/admin/gaps", "/webhooks"
CHANNELS_TITLE = Label("通知渠道", "Channels")
DELIVERIES_TITLE = Label("发送记录", "Deliveries")
GAPS_TITLE = Label("未通知到位", "Notification gaps")
LARGEST_ID = 2**62
WATCHERS = (people.ADMIN, people.AUDITOR, people.CHIEF, people.DIRECTOR, people.OFFICER)
"""Roles whose holders see where telling people failed."""

STATUS: Mapping[str, Label] = {
    OWED_STILL: Label("待发送", "to be sent"), SENT: Label("已发出", "sent"), DELIVERED: Label("已送达", "delivered"),
    DEAD_NOW: Label("发送失败", "given up"), NEEDLESS: Label("无需发送", "not needed"),
}  # fmt: skip
REACHES: Mapping[str, Label] = {
    PERSON: Label("个人", "a person"), GROUP: Label("工作群", "a group"), PROGRAM: Label("程序", "a program"),
}  # fmt: skip
WHY: Mapping[str, Label] = {
    NOBODY: Label("没有可通知的人员", "nobody could be told"), STOOD_IN: Label("由他人代收", "somebody stood in"),
    LEFT: Label("收件人离岗时未读", "left with it unread"), UNDELIVERED: Label("各渠道均未送达", "no channel took it"),
}  # fmt: skip
ADVICE: Mapping[str, Label] = {
    NOBODY: Label("请为该角色安排人员；有人任职后系统会自动补发。", "Give the role to somebody: they are told automatically."),
    STOOD_IN: Label("请为该角色安排人员；有人任职后系统会自动补发。", "Give the role to somebody: they are told automatically."),
    LEFT: Label("接任人员到岗后系统会自动补发。", "Whoever takes the post over is told automatically."),
    UNDELIVERED: Label("请核对其联系方式，或换一个渠道。", "Check how they are reached, or choose another channel."),
}  # fmt: skip
BESIDE: Mapping[str, Label] = {
    "remind": Label("提醒", "reminder"), "budget_reached": Label("通知数量达到上限", "budget of letters reached"),
    "endpoint_off": Label("程序订阅停用", "webhook switched off"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Try:
    """One try to send."""

    place: int
    at: Moment | None
    error: Label | None
    permanent: bool


@dataclass(frozen=True, slots=True)
class LetterLine:
    """One sending as lists show it; `bad` where it was given up."""

    path: str
    key: str
    channel: str
    to: str
    address: str
    copies: int
    urgent: bool
    status: Label
    bad: bool
    may_go_again: bool
    attempts: int
    queued: Moment | None
    sent: Moment | None
    delivered: Moment | None
    error: Label | None
    tries: tuple[Try, ...] = ()


def letter_line(
    one: Delivery, called: Mapping[str, tuple[str, str]], times: Times, *, tried: Sequence[Tried] = (), path: str = ""
) -> LetterLine:
    """A sending as lists show it."""
    status = status_of(one)
    name, full_name = called.get(one.person_id, ("", ""))
    return LetterLine(
        path or f"{DELIVERIES}/{quote(one.key, safe='')}", one.key, one.channel, f"{full_name} {name}".strip(), one.address,
        one.copies, one.urgent, STATUS[status], status == DEAD_NOW, status in (DEAD_NOW, NEEDLESS), one.attempts,
        times.past(one.queued_at), times.past(one.sent_at), times.past(one.delivered_at), one.error,
        tuple(Try(t.place, times.past(t.at), t.error, t.permanent) for t in tried),
    )  # fmt: skip


def step_label(step: str, flow: Workflow) -> Label:
    """What a step is called."""
    action = flow.actions.get(step)
    return action.label if action else BESIDE.get(step, Label(step, step))
