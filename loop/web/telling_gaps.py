"""Steps that did not reach whom they should: why, what to do, and which were made good. Nothing is done by hand here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import regions_of, require
from loop.kernel import people
from loop.kernel.labels import Label
from loop.kernel.model import KNOWN_NAMES
from loop.kernel.people import AUDITOR
from loop.kernel.workflow import Workflow
from loop.store import deliveries, gaps, mailbox, names, offices
from loop.store.gaps import Gap
from loop.store.paging import cursor, key_of
from loop.store.reach import SEES_REGION
from loop.store.session import Tx
from loop.web.page import Crumb, Page, Visitor, show
from loop.web.telling import ADMIN, ADVICE, AUDIT, GAPS, GAPS_TITLE, WATCHERS, WHY, step_label
from loop.web.times import Moment
from loop.web.ways import ways

router = APIRouter()
SCOPE = "coverage"
AT_A_TIME = 50
LEAD = Label(
    "每一步办理应当通知到的人，有没有通知到。能通知时系统自动补发，并记入留痕。",
    "Whether each step reached everybody it should. Whoever was missed is told as soon as possible, on record.",
)
HEALED_BY: Mapping[str, Label] = {
    "closed": Label("事项已办结", "the matter is closed"),
    "somebody of the role knows": Label("该角色已有人知悉", "somebody of the role knows"),
    "read": Label("已读", "it was read"),
    "sent another way": Label("已改用其他渠道发送", "sent another way"),
    "sent at last": Label("重试后已发出", "sent at last"),
}
TOLD_AT = Label("已在第 {step} 步补发给接任人员", "the successor was told at step {step}")
TOLD = "told at step "


@dataclass(frozen=True, slots=True)
class GapLine:
    """A step that did not reach somebody; `path` is empty where the reader may not open what it is about."""

    path: str
    chain: str
    step: Label
    role: Label
    person: str
    office: str
    why: Label
    advice: Label | None
    at: Moment | None
    healed_at: Moment | None
    healed_by: Label | None


@dataclass(frozen=True, slots=True)
class GapsView:
    """Gaps that are open, or the latest that were made good; and what all of the service has yet to send."""

    lines: tuple[GapLine, ...]
    healed: bool
    owed: int
    given_up: int
    sees_letters: bool
    first: str
    following: str


@router.get(GAPS)
async def coverage(request: Request) -> Response:
    """Those of one's offices, the oldest first."""
    healed, after = request.query_params.get("healed") == "true", request.query_params.get("after") or ""

    def build(tx: Tx, visitor: Visitor) -> Page:
        require(visitor.actor, *WATCHERS)
        looked = sorted(offices.ids_within(tx, regions_of(visitor.actor, *SEES_REGION, people.ADMIN)))
        following = ""
        if healed:
            page = gaps.healed(tx, looked, limit=AT_A_TIME)
        else:
            start = key_of(SCOPE, after, str, str, str, int, str, str) if after else None
            found = gaps.page(tx, looked, limit=AT_A_TIME + 1, after=start)
            page = found[:AT_A_TIME]
            if len(found) > AT_A_TIME:
                following = f"{GAPS}?{urlencode({'after': cursor(SCOPE, gaps.place_of(page[-1]))})}"
        view = GapsView(
            _lines(tx, visitor, page), healed, mailbox.owed_count(tx) + deliveries.owed_count(tx), deliveries.dead_count(tx),
            visitor.holds(people.ADMIN, AUDITOR), GAPS if after and not healed else "", following,
        )  # fmt: skip
        return Page(template="telling_gaps.html", title=GAPS_TITLE, lead=LEAD, crumbs=_way(visitor), view=view)

    return await show(request, build)


def _lines(tx: Tx, visitor: Visitor, found: list[Gap]) -> tuple[GapLine, ...]:
    called = names.of_people(tx, (gap.person_id for gap in found if gap.person_id))
    at = names.of_offices(tx, (gap.office_id for gap in found))
    flow, paths = visitor.service.book.workflow, ways(tx, visitor, ((gap.chain, gap.step) for gap in found))
    return tuple(_line(gap, called, at, flow, visitor, paths.get((gap.chain, gap.step), "")) for gap in found)


def _line(
    gap: Gap, called: Mapping[str, tuple[str, str]], at: Mapping[str, str], flow: Workflow, visitor: Visitor, path: str
) -> GapLine:
    return GapLine(
        path=path, chain="" if ":" in gap.chain else gap.chain, step=step_label(gap.step, flow),
        role=KNOWN_NAMES.get(gap.role, Label(gap.role, gap.role)), person=called.get(gap.person_id, ("", ""))[1],
        office=at.get(gap.office_id, ""), why=WHY.get(gap.why, Label(gap.why, gap.why)),
        advice=None if gap.healed_at else ADVICE.get(gap.why), at=visitor.times.past(gap.at),
        healed_at=visitor.times.past(gap.healed_at), healed_by=_how(gap.healed_by),
    )  # fmt: skip


def _how(healed_by: str) -> Label | None:
    if healed_by.startswith(TOLD):
        return TOLD_AT.filled(step=healed_by.removeprefix(TOLD))
    return HEALED_BY.get(healed_by, Label(healed_by, healed_by)) if healed_by else None


def _way(visitor: Visitor) -> tuple[Crumb, ...]:
    if visitor.holds(people.ADMIN):
        return (ADMIN,)
    return (AUDIT,) if visitor.holds(AUDITOR) else ()
