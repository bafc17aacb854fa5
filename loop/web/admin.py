"""Administration: the rooms behind it, and what all its pages share. Only administrators come in, and only into their regions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import covers, regions_of, require
from loop.kernel.errors import LoopError, NotFound
from loop.kernel.labels import Label
from loop.kernel.people import ADMIN, Path
from loop.store.paging import storable
from loop.store.session import Refused, Tx
from loop.web.page import Crumb, Goto, Page, Visitor, change, show
from loop.web.sent import Sent
from loop.web.telling import CHANNELS, CHANNELS_TITLE, DELIVERIES, DELIVERIES_TITLE, GAPS, GAPS_TITLE

router = APIRouter()
ADMIN_PLACE = "/admin"
TITLE = Label("管理", "Administration")
LEAD = Label(
    "人员、机构、日历和规则。每次改动都记入留痕链。", "People, offices, calendar and rules. Every change is on record."
)
HOME = Crumb(TITLE, ADMIN_PLACE)
PEOPLE, REGIONS, OFFICES, UNITS, CALENDAR, RULES, TOKENS = (
    f"{ADMIN_PLACE}/{name}" for name in ("people", "regions", "offices", "units", "calendar", "rules", "tokens")
)
AT_A_TIME = 50
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Room:
    """A part of the administration and what is done there."""

    path: str
    icon: str
    label: Label
    sentence: Label


ROOMS = (
    Room(
        PEOPLE, "person", Label("人员与岗位", "People and posts"),
        Label("添加人员，给予或结束岗位，重设密码，停用账号。", "Add people, give and end posts, reset passwords, close accounts."),
    ),
    Room(
        UNITS, "board", Label("单位", "Units"),
        Label("被督导的学校、主管部门和人民政府。", "The schools, departments and governments that are supervised."),
    ),
    Room(
        OFFICES, "flag", Label("督导机构", "Supervision offices"),
        Label("每个地区一个督导机构，及其发文字。", "One office for each region, and the word that numbers its papers."),
    ),
    Room(
        REGIONS, "flow", Label("地区", "Regions"),
        Label("从国家到乡镇的行政区划。", "The tree of regions from the country to the township."),
    ),
    Room(
        CALENDAR, "clock", Label("工作日历", "Working calendar"),
        Label(
            "节假日和调休；载入新通知前先看会移动哪些期限。",
            "Holidays and make-up days; a new notice shows first which deadlines it moves.",
        ),
    ),
    Room(
        RULES, "paper", Label("期限与规则", "Limits and rules"),
        Label("现行的每一项期限、数值和依据。", "Every time limit in force, its value and what it rests on."),
    ),
    Room(
        CHANNELS, "bell", CHANNELS_TITLE,
        Label("邮件、短信、群机器人，逐个测试。", "Mail, text messages, group robots; each can be tested."),
    ),
    Room(
        DELIVERIES, "inbox", DELIVERIES_TITLE,
        Label("发出的每一封信，失败的重发。", "Every letter that was sent; what was given up goes again."),
    ),
    Room(
        GAPS, "stop", GAPS_TITLE,
        Label("哪一步没有通知到应通知的人，是否已补救。", "Steps that missed somebody, and whether that was made good."),
    ),
    Room(
        TOKENS, "lock", Label("访问令牌", "Tokens"),
        Label("程序以谁的名义访问；不用的应及时撤销。", "By which programs come in; revoke what is no longer used."),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AdminView:
    """The rooms, and the regions that the reader administers."""

    rooms: tuple[Room, ...]


@router.get(ADMIN_PLACE)
async def front(request: Request) -> Response:
    """The rooms as cards."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        return Page(template="admin.html", title=TITLE, lead=LEAD, view=AdminView(ROOMS))

    return await show_admin(request, build)


# ---- what all pages of the administration share ----------------------------------------------------------------------


async def show_admin(request: Request, build: Callable[[Tx, Visitor], Page]) -> Response:
    """`show`, for administrators."""

    def guarded(tx: Tx, visitor: Visitor) -> Page:
        require(visitor.actor, ADMIN)
        return build(tx, visitor)

    return await show(request, guarded)


async def change_admin(
    request: Request, sent: Sent, work: Callable[[Tx, Visitor], Goto | Page | Refused],
    again: Callable[[Tx, Visitor, LoopError], Page] | None = None,
) -> Response:  # fmt: skip
    """`change`, for administrators."""

    def guarded(tx: Tx, visitor: Visitor) -> Goto | Page | Refused:
        require(visitor.actor, ADMIN)
        return work(tx, visitor)

    return await change(request, sent, guarded, again)


def scope_of(visitor: Visitor) -> tuple[Path, ...]:
    """The regions that the reader administers."""
    return regions_of(visitor.actor, ADMIN)


def reach_of(visitor: Visitor) -> tuple[Path, ...] | None:
    """The same for a list: None, which narrows nothing, for the whole country."""
    mine = scope_of(visitor)
    return None if any(len(path) == 1 for path in mine) else mine


def check_ours(visitor: Visitor, path: Path) -> None:
    """Raises NotFound for a region that the reader does not administer."""
    if not covers(scope_of(visitor), path):
        raise NotFound


def asked(request: Request, name: str) -> str:
    """A value of the address, trimmed; empty where there is none or none that could mean anything."""
    value = request.query_params.get(name, "").strip()[:LONGEST]
    return value if storable(value) else ""


def chosen(request: Request, name: str, known: object) -> str:
    """A value of the address, if it is one of `known`."""
    value = asked(request, name)
    return value if isinstance(known, (tuple, frozenset, dict)) and value in known else ""


def address(path: str, **query: str | None) -> str:
    """An address with those of these values that are not empty."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def within(path: str, part: str) -> str:
    """The address of one thing below `path`."""
    return f"{path}/{quote(part, safe='')}"
