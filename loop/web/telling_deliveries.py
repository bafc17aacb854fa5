"""What was sent to whom and how far it got: found by channel and person, each try, and sent once more."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.authority import named, require, widest_region
from loop.engine.resending import resend, resend_all
from loop.kernel import people
from loop.kernel.errors import NotFound
from loop.kernel.labels import Label
from loop.kernel.people import AUDITOR
from loop.store import deliveries, names, staff
from loop.store.deliveries import Delivery
from loop.store.paging import cursor, key_of, storable
from loop.store.session import Tx
from loop.web.page import Crumb, Goto, Page, Visitor, change, local, show
from loop.web.sent import sent_of
from loop.web.telling import ADMIN, AUDIT, DELIVERIES, DELIVERIES_TITLE, LARGEST_ID, LetterLine, letter_line

router = APIRouter()
KEEPERS = (people.ADMIN, AUDITOR)
SCOPE = "deliveries"
AT_A_TIME = 50
AT_ONCE = 200
"""So many that were given up go again at one press."""
LEAD = Label(
    "收件箱之外发出的每一封信。送不出去的可以核对原因后重发。",
    "Every letter besides the inbox. What could not be sent can go again once its cause is mended.",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of the list."""

    dead: bool
    channel: str
    person: str

    def query(self, **more: str) -> str:
        """The address with these filters."""
        given = {"dead": "true" if self.dead else "", "channel": self.channel, "person": self.person} | more
        kept = {name: value for name, value in given.items() if value}
        return f"{DELIVERIES}?{urlencode(kept)}" if kept else DELIVERIES


@dataclass(frozen=True, slots=True)
class LettersView:
    """One page of letters under its filters."""

    lines: tuple[LetterLine, ...]
    asked: Asked
    channels: tuple[str, ...]
    stranger: bool
    may_resend: bool
    here: str
    all_of_them: str
    dead_only: str
    first: str
    following: str


@dataclass(frozen=True, slots=True)
class LetterView:
    """One letter with every try."""

    line: LetterLine
    may_resend: bool


@router.get(DELIVERIES)
async def letters(request: Request) -> Response:
    """The newest first."""
    query = request.query_params
    asked = Asked(query.get("dead") == "true", _clean(query.get("channel")), _clean(query.get("person")))
    after = query.get("after") or ""

    def build(tx: Tx, visitor: Visitor) -> Page:
        within = widest_region(visitor.actor, *KEEPERS)
        person = staff.find_person(tx, asked.person) if asked.person else None
        stranger = bool(asked.person) and person is None
        before = int(key_of(SCOPE, after, int)[0]) if after else LARGEST_ID
        found = [] if stranger else deliveries.page(
            tx, limit=AT_A_TIME + 1, before=before, dead=True if asked.dead else None, channel=asked.channel,
            person_id=person.id if person else "", within=within,
        )  # fmt: skip
        page = found[:AT_A_TIME]
        called = names.of_people(tx, (one.person_id for one in page if one.person_id))
        following = asked.query(after=cursor(SCOPE, (page[-1].id,))) if len(found) > AT_A_TIME else ""
        view = LettersView(
            tuple(letter_line(one, called, visitor.times) for one in page), asked,
            tuple(visitor.service.outbox.postage.ways), stranger, visitor.holds(people.ADMIN),
            asked.query(**({"after": after} if after else {})), Asked(False, asked.channel, asked.person).query(),
            Asked(True, asked.channel, asked.person).query(), asked.query() if after else "", following,
        )  # fmt: skip
        return Page(
            template="telling_deliveries.html", title=DELIVERIES_TITLE, lead=LEAD, crumbs=_way(visitor), view=view
        )

    return await show(request, build)


@router.get(f"{DELIVERIES}/{{key}}")
async def letter(request: Request, key: str) -> Response:
    """One letter with every try."""

    def build(tx: Tx, visitor: Visitor) -> Page:
        found = _kept(tx, visitor, key, *KEEPERS)
        called = names.of_people(tx, [found.person_id] if found.person_id else [])
        line = letter_line(found, called, visitor.times, tried=deliveries.tries_of(tx, [found.id])[found.id])
        crumbs = (*_way(visitor), Crumb(DELIVERIES_TITLE, DELIVERIES))
        view = LetterView(line, visitor.holds(people.ADMIN) and line.may_go_again)
        title = Label(f"{line.channel} → {line.to or line.address}", f"{line.channel} → {line.to or line.address}")
        return Page(template="telling_delivery.html", title=title, crumbs=crumbs, view=view)

    return await show(request, build)


@router.post(f"{DELIVERIES}/replay")
async def replay_all(request: Request) -> Response:
    """Everything that was given up goes again, the newest first, so many at one press."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        within = widest_region(visitor.actor, people.ADMIN)
        channel, name = _clean(sent.get("channel")), _clean(sent.get("person"))
        person = staff.find_person(tx, name) if name else None
        if name and person is None:
            raise NotFound
        found = deliveries.page(
            tx, limit=AT_ONCE, before=LARGEST_ID, dead=True, channel=channel, person_id=person.id if person else "",
            within=within,
        )  # fmt: skip
        resent = resend_all(tx, found, visitor.service.outbox.real())
        return Goto(Asked(False, channel, name).query(), "letters-go-again" if resent else "no-letter-waits")

    return await change(request, sent, work)


@router.post(f"{DELIVERIES}/{{key}}/replay")
async def replay(request: Request, key: str) -> Response:
    """One letter goes once more, under the same key."""
    sent = await sent_of(request)

    def work(tx: Tx, visitor: Visitor) -> Goto:
        found = _kept(tx, visitor, key, people.ADMIN)
        resend(tx, found, visitor.service.outbox.real())
        return Goto(local(sent.get("back", DELIVERIES)), "letter-goes-again")

    return await change(request, sent, work)


def _kept(tx: Tx, visitor: Visitor, key: str, *roles: str) -> Delivery:
    require(visitor.actor, *roles)
    found = deliveries.by_key(tx, named(key))
    if found is None or not deliveries.in_region(tx, found, widest_region(visitor.actor, *roles)):
        raise NotFound
    return found


def _way(visitor: Visitor) -> tuple[Crumb, ...]:
    return (ADMIN,) if visitor.holds(people.ADMIN) else (AUDIT,)


def _clean(text: str | None) -> str:
    value = (text or "").strip()[:64]
    return value if storable(value) else ""
