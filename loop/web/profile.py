"""My profile 个人设置: who I am, my posts, the language in which I read."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.labels import LANGUAGES, Label
from loop.kernel.people import IMPARTIAL, ROLES
from loop.store import names, staff
from loop.store.chronicle import By
from loop.store.session import Tx
from loop.store.staff import FOREVER, PostRecord
from loop.web.language import spoken
from loop.web.page import Crumb, Goto, Page, Visitor, change, show
from loop.web.sent import sent_of

router = APIRouter()
PLACE = "/profile"
TITLE = Label("个人设置", "My profile")
CRUMBS = (Crumb(TITLE, PLACE),)
TONGUES = {"zh": Label("中文", "中文"), "en": Label("English", "English")}


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post as its holder reads it: as what, where, in which span of days; `absent` for whom it is held."""

    role: Label
    place: str
    span: Label
    absent: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True)
class ProfileView:
    """Who the reader is."""

    full_name: str
    name: str
    posts: tuple[HeldPost, ...]
    language: str
    tongues: tuple[tuple[str, str], ...]
    may_recuse: bool


@router.get(PLACE)
async def my_profile(request: Request) -> Response:
    """Who I am and which posts I hold."""
    return await show(request, _page)


@router.post(f"{PLACE}/language")
async def keep_language(request: Request) -> Response:
    """The language of pages and letters, kept with the person and in this browser."""
    sent = await sent_of(request)
    wanted = sent.get("language")

    def work(tx: Tx, visitor: Visitor) -> Goto:
        staff.change_person(tx, self_of(visitor), visitor.actor.id, {"language": wanted})
        return Goto(PLACE, "language-kept")

    response = await change(request, sent, work)
    return spoken(request, response, wanted) if wanted in LANGUAGES and response.status_code < 400 else response


def self_of(visitor: Visitor) -> By:
    """The reader as who changes what is theirs."""
    role = next((post.role for post in visitor.actor.posts if post.for_id is None), "")
    return By(visitor.actor, role, visitor.now, visitor.service.book.workflow.version)


def _page(tx: Tx, visitor: Visitor) -> Page:
    actor = visitor.actor
    held = staff.posts_of(tx, actor.id)
    lent = [post for post in actor.posts if post.for_id]
    regions = names.of_regions(
        tx, [post.region or "" for post in held] + [post.region[-1] for post in lent if post.region]
    )
    units = names.of_units(tx, [post.unit_id or "" for post in held] + [post.unit_id or "" for post in lent])
    called = names.of_people(tx, (post.for_id for post in lent if post.for_id))
    own = [_own(post, regions, units, visitor) for post in held]
    standing_in = [
        HeldPost(
            ROLES[post.role], regions.get(post.region[-1], "") if post.region else units.get(post.unit_id or "", ""), NOTHING,
            called[post.for_id or ""][1],
        )
        for post in lent
    ]  # fmt: skip
    view = ProfileView(
        actor.full_name, actor.name, tuple(own + standing_in), actor.language,
        tuple((code, label.zh) for code, label in TONGUES.items()), visitor.holds(*IMPARTIAL),
    )  # fmt: skip
    return Page(template="profile.html", title=TITLE, view=view)


NOTHING = Label("", "")
SINCE = Label("自 {from_on}", "since {from_on}")
SPAN = Label("{from_on} 至 {until_on}", "{from_on} to {until_on}")


def _own(post: PostRecord, regions: dict[str, str], units: dict[str, str], visitor: Visitor) -> HeldPost:
    words = SINCE if post.until_on == FOREVER else SPAN
    span = words.filled(from_on=post.from_on.isoformat(), until_on=post.until_on.isoformat())
    place = regions.get(post.region, "") if post.region else units.get(post.unit_id or "", "")
    return HeldPost(ROLES[post.role], place, span, over=post.until_on < visitor.today)
