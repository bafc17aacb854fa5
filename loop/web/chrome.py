"""What surrounds every page: who is signed in, where they can go, the language, a notice. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version

from loop.authority import CHECKERS
from loop.kernel.labels import Label
from loop.kernel.people import ADMIN, AUDITOR, CHIEF, DEPARTMENT, DIRECTOR, LEADER, OFFICER, ROLES, UNIT, Actor
from loop.store.reach import SEES_REGION

SEES = SEES_REGION | {UNIT, DEPARTMENT}
"""Roles whose holders see findings."""
BOARD_ROLES = frozenset({LEADER, DIRECTOR, CHIEF, OFFICER, AUDITOR})
"""Who stands before the board."""
LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}
STANDS_IN = Label("（代）", " (substitute)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A place in the navigation. `roles` who sees it, everybody where there are none; `counts` names its badge."""

    path: str
    label: Label
    icon: str
    roles: frozenset[str] = frozenset()
    counts: str = ""


UNREAD = "unread"
NAV: tuple[Entry, ...] = (
    Entry("/", Label("待办", "My desk"), "desk"),
    Entry("/inbox", Label("收件箱", "Inbox"), "inbox", counts=UNREAD),
    Entry("/findings", Label("台账", "Ledger"), "ledger", SEES_REGION | {DEPARTMENT}),
    Entry("/findings", Label("我的问题", "My findings"), "ledger", frozenset({UNIT})),
    Entry("/board", Label("挂图作战", "Board"), "board", BOARD_ROLES),
    Entry("/supervisions", Label("督导活动", "Supervisions"), "flag", SEES_REGION),
    Entry("/tip-offs", Label("线索", "Tip-offs"), "bell", frozenset(CHECKERS)),
    Entry("/audit", Label("审计", "Audit"), "shield", frozenset({AUDITOR, DIRECTOR, ADMIN})),
    Entry("/admin", Label("管理", "Administration"), "gear", frozenset({ADMIN})),
    Entry("/workflow", Label("流程图", "Workflow"), "flow"),
)
"""The navigation, in its order; of two entries for one place somebody sees the first that is for them. A phone shows the
first four at the foot of the screen, and all under "more".
"""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry as one person sees it."""

    path: str
    label: Label
    icon: str
    current: bool
    count: str = ""


@cache
def product_version() -> str:
    """The version of this product, as installed."""
    return version("rectification-loop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chrome:
    """The frame of one page for one reader; without a `name` nobody is signed in. `here` is the address without a notice."""

    language: str
    here: str
    csrf: str
    notice: Label | None = None
    name: str = ""
    sign_in_name: str = ""
    posts: tuple[Label, ...] = ()
    nav: tuple[Link, ...] = ()
    sees_findings: bool = False
    virtual_now: Label | None = None
    """What the clock shows, where it is a virtual one."""
    version: str = field(default_factory=product_version)


def nav_for(actor: Actor, path: str, counts: Mapping[str, str]) -> tuple[Link, ...]:
    """The entries that somebody with these posts sees, the one for `path` marked."""
    held = {post.role for post in actor.posts}
    mine: dict[str, Entry] = {}
    for one in NAV:
        if not one.roles or held & one.roles:
            mine.setdefault(one.path, one)
    return tuple(
        Link(one.path, one.label, one.icon, _is_at(one.path, path), counts.get(one.counts, "")) for one in mine.values()
    )


def _is_at(entry: str, path: str) -> bool:
    return path == entry or (entry != "/" and path.startswith(f"{entry}/"))


def posts_of(actor: Actor) -> tuple[Label, ...]:
    """The roles that somebody holds today, each once."""
    labels = (
        Label(ROLES[p.role].zh + STANDS_IN.zh, ROLES[p.role].en + STANDS_IN.en) if p.for_id else ROLES[p.role]
        for p in actor.posts
    )
    return tuple(dict.fromkeys(labels))
