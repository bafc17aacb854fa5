"""People and their posts, and from which units they stay away: kept by administrators, entered in the chain of people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.access import Caller
from loop.api import registry_shapes as shapes
from loop.api.answers import Answer, json_answer, listed
from loop.api.bodies import Body, body_of
from loop.api.calls import changes, looking, made_at, posting, sending, taking
from loop.api.deps import query_of, reading, service_of, shaped, writing
from loop.api.describe import REFUSALS_OF_READING, REFUSALS_OF_WRITING, made, parameters, said
from loop.api.registry_shapes import NewUser
from loop.authority import by_admin, covers, named, path_of_post, path_of_region, path_of_unit, regions_of, require
from loop.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from loop.kernel.labels import Label
from loop.kernel.people import ADMIN, CHIEF, DIRECTOR, Actor, Path, Post
from loop.service import Service
from loop.store import accounts, staff
from loop.store.chronicle import By
from loop.store.session import Tx
from loop.store.staff import FOREVER, Person, PostRecord, Recusal

router = APIRouter(tags=["people"])
SOMEBODY_ELSE = Label(
    "登录名 {name} 已属于另一人（{full_name}）；请核对，或换一个登录名。",
    "The name {name} belongs to {full_name} already; check it, or choose another.",
)
KNOWN_ALREADY = Label(
    "登录名 {name} 已有账号：不要再给初始密码；要重设密码请修改该用户。",
    "{name} has an account: give no first password; to reset it, change the user.",
)
NO_LIFTING = Label("回避只能由负责人或管理员解除。", "Only a chief or an administrator may lift a recusal.")


def user_view(person: Person, posts: tuple[PostRecord, ...]) -> dict[str, Any]:
    """A person with all posts as answers show them."""
    return {
        "id": person.id, "name": person.name, "full_name": person.full_name, "language": person.language,
        "active": person.active, "posts": [_post_view(post) for post in posts],
    }  # fmt: skip


def _post_view(post: PostRecord) -> dict[str, Any]:
    return {
        "id": post.id, "role": post.role, "region": post.region, "unit": post.unit_id,
        "from_on": post.from_on.isoformat(), "until_on": _end(post.until_on),
    }  # fmt: skip


def _end(until_on: date) -> str | None:
    return None if until_on == FOREVER else until_on.isoformat()


def _shown(tx: Tx, person: Person) -> dict[str, Any]:
    return user_view(person, staff.posts_of(tx, person.id))


# ---- who may look and change ---------------------------------------------------------------------------------------


def seen(tx: Tx, actor: Actor, id_: str) -> Person:
    """The person with this id, if the actor may look at them; raises NotFound."""
    person = staff.person(tx, named(id_))
    mine = regions_of(actor)
    if person.id != actor.id and not any(covers(mine, path) for path in _places(tx, person.id) if path):
        raise NotFound
    return person


def _places(tx: Tx, person_id: str, since: date | None = None) -> list[Path]:
    """The regions where a person has or had posts; with `since` only posts that had not ended by then."""
    held = staff.posts_of(tx, person_id)
    return [path_of_post(tx, post) for post in held if since is None or post.until_on >= since]


def keeper(tx: Tx, caller: Caller, service: Service, person: Person) -> By:
    """The caller as administrator of everything the person is; raises Forbidden where one of the posts lies elsewhere.

    Otherwise the administrator of a county could take over the account of whoever also serves the province.
    """
    require(caller.actor, ADMIN)
    held = _places(tx, person.id, caller.today) or _places(tx, person.id)
    mine = (post for post in caller.actor.posts if post.role == ADMIN)
    post = next((post for post in mine if all(post.covers(path) for path in held)), None)
    if post is None:
        raise Forbidden
    return By(caller.actor, post.role, caller.now, service.book.workflow.version, post.for_id)


# ---- users ---------------------------------------------------------------------------------------------------------


@router.get(
    "/users", summary="The people in scope", openapi_extra=parameters(shapes.PageQuery),
    responses={**said(shapes.UserList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_users(request: Request) -> Response:
    """People with a post in the caller's regions, past posts included, and the caller."""

    def work(tx: Tx, caller: Caller) -> Answer:
        asked = query_of(request, shapes.PageQuery)
        page = staff.persons(
            tx, active=asked.active, within=regions_of(caller.actor), own=[caller.actor.id], after=asked.after,
            limit=asked.limit,
        )  # fmt: skip
        held = staff.posts_of_many(tx, (person.id for person in page.items))
        return listed([user_view(person, tuple(held[person.id])) for person in page.items], page.next)

    return await looking(request, work)


@router.get("/users/{user}", summary="One person", responses={**said(shapes.UserOut), **REFUSALS_OF_READING})
async def read_user(request: Request, user: str) -> Response:
    """A person in scope with all posts."""
    return await looking(request, lambda tx, caller: json_answer(_shown(tx, seen(tx, caller.actor, user))))


@router.post(
    "/users", status_code=201, summary="Add a person, or a post to a known name",
    openapi_extra=taking(
        NewUser, {"name": "wang.li", "full_name": "王丽", "role": "inspector", "region": "330106", "password": "8-or-more"}
    ),
    responses={**made(shapes.UserOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def add_user(request: Request) -> Response:
    """An administrator gives a post in one of their own regions; a new name becomes an account."""
    service, sent = service_of(request), await body_of(request)
    hashed = await _hashed(request, sent, lambda tx, caller: require(caller.actor, ADMIN))

    def work(tx: Tx, caller: Caller) -> Answer:
        new = shaped(NewUser, sent.wanted)
        field, path = _place(tx, new)
        try:
            by = by_admin(caller, service, path)
        except NotFound:
            raise Invalid.field(field, "不在您的管理范围内。", "lies outside what you administer.", "unknown") from None
        person = _holder(tx, by, new, hashed)
        staff.add_post(
            tx, by, person_id=person.id, role=new.role, region=new.region, unit_id=new.unit,
            from_on=new.from_on or caller.today, until_on=new.until_on or FOREVER,
        )  # fmt: skip
        return made_at(f"users/{person.id}", _shown(tx, person))

    return await writing(request, work, body=sent, admit=lambda tx, caller: require(caller.actor, ADMIN))


def _place(tx: Tx, new: NewUser) -> tuple[str, Path]:
    if new.region:
        return "region", path_of_region(tx, new.region)
    return "unit", path_of_unit(tx, new.unit or "")


def _holder(tx: Tx, by: By, new: NewUser, hashed: str) -> Person:
    """The person of that name, made where the name is new; raises Conflict where it seems to be somebody else."""
    person = staff.find_person(tx, new.name)
    if person is None:
        if not new.full_name:
            raise Invalid.field("full_name", "新账号须填写姓名。", "is needed for a new account.", "missing")
        language = new.language or "zh"
        return staff.add_person(
            tx, by, name=new.name, full_name=new.full_name, language=language, password=hashed
        )  # fmt: skip
    if new.full_name and new.full_name != person.full_name:
        raise Conflict(SOMEBODY_ELSE.filled(name=person.name, full_name=person.full_name))
    if new.password:
        raise Conflict(KNOWN_ALREADY.filled(name=person.name))
    return person


async def _hashed(request: Request, sent: Body, admit: Callable[[Tx, Caller], object]) -> str:
    """The hash of the password in the body, empty without one. Made outside any transaction, because it takes time, and
    only for those whom `admit` lets pass.
    """
    password = sent.value.get("password") if isinstance(sent.value, dict) else None
    if not isinstance(password, str) or not 8 <= len(password) <= 256:
        return ""
    await reading(request, admit)
    return await asyncio.to_thread(service_of(request).access.passwords.hash, password)


@router.patch(
    "/users/{user}", summary="Change or deactivate a person, reset the password, end posts",
    openapi_extra=sending(shapes.ChangedUser, {"active": False}), responses={**said(shapes.UserOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def change_user(request: Request, user: str) -> Response:
    """An administrator changes a person all of whose posts are in their regions; a single post may be ended by the
    administrator of its region. A new password signs the person out everywhere.
    """
    service, sent = service_of(request), await body_of(request)

    def admit(tx: Tx, caller: Caller) -> None:
        seen(tx, caller.actor, user)
        require(caller.actor, ADMIN)

    hashed = await _hashed(request, sent, admit)

    def work(tx: Tx, caller: Caller) -> Answer:
        person = seen(tx, caller.actor, user)
        wanted = changes(shaped(shapes.ChangedUser, sent.wanted))
        for ended in wanted.pop("end_posts", ()):
            _end_post(tx, caller, service, person, ended)
        if wanted:
            by = keeper(tx, caller, service, person)
            if wanted.pop("password", None):
                accounts.set_password(tx, by, person.id, hashed)
            person = staff.change_person(tx, by, person.id, wanted)
        return json_answer(_shown(tx, person))

    return await writing(request, work, admit=admit)


def _end_post(tx: Tx, caller: Caller, service: Service, person: Person, ended: shapes.EndedPost) -> None:
    held = next((post for post in staff.posts_of(tx, person.id) if post.id == ended.post), None)
    if held is None:
        raise Invalid.field("end_posts", "此人没有这个岗位。", "this person has no such post.", "unknown")
    try:
        by = by_admin(caller, service, path_of_post(tx, held))
    except NotFound:
        raise Forbidden from None
    staff.end_post(tx, by, held.id, ended.until_on)


# ---- recusals ------------------------------------------------------------------------------------------------------


def _recusal_view(recusal: Recusal) -> dict[str, Any]:
    return {"unit": recusal.unit_id, "ground": recusal.ground, "until_on": _end(recusal.until_on)}


@router.get(
    "/users/{user}/recusals", summary="From which units a person stays away",
    responses={**said(shapes.RecusalList), **REFUSALS_OF_READING},
)  # fmt: skip
async def list_recusals(request: Request, user: str) -> Response:
    """Every recusal of a person, lapsed ones too."""

    def work(tx: Tx, caller: Caller) -> Answer:
        person = seen(tx, caller.actor, user)
        return listed([_recusal_view(recusal) for recusal in staff.recusals_of(tx, person.id)])

    return await looking(request, work)


@router.post(
    "/users/{user}/recusals", status_code=201, summary="Keep a person away from a unit",
    openapi_extra=taking(shapes.NewRecusal, {"unit": "u-1", "ground": "配偶在该校任教"}),
    responses={**made(shapes.RecusalOut), **REFUSALS_OF_WRITING},
)  # fmt: skip
async def recuse(request: Request, user: str) -> Response:
    """The person, or a chief, director or administrator over one of their posts. A day gone by lifts it: not for oneself."""
    service = service_of(request)

    def work(tx: Tx, caller: Caller, read: Callable[[], shapes.NewRecusal]) -> Answer:
        person = seen(tx, caller.actor, user)
        post = _over(tx, caller, person)
        new = read()
        until_on = new.until_on or FOREVER
        if post is None and any(
            r.unit_id == new.unit and until_on < r.until_on for r in staff.recusals_of(tx, person.id)
        ):
            raise Forbidden(NO_LIFTING)
        if not path_of_unit(tx, new.unit):
            raise Invalid.field("unit", "没有这个单位。", "there is no such unit.", "unknown")
        held = post or caller.actor.posts[0]
        by = By(caller.actor, held.role, caller.now, service.book.workflow.version, held.for_id)
        kept = staff.recuse(tx, by, person_id=person.id, unit_id=new.unit, ground=new.ground, until_on=until_on)
        return made_at(f"users/{person.id}/recusals", _recusal_view(kept))

    return await posting(request, shapes.NewRecusal, work)


def _over(tx: Tx, caller: Caller, person: Person) -> Post | None:
    """The caller's post over one of the person's, None where it is the person; raises Forbidden for anybody else."""
    if person.id == caller.actor.id and caller.actor.posts:
        return None
    places = _places(tx, person.id, caller.today)
    able = (post for post in caller.actor.posts if post.role in (ADMIN, CHIEF, DIRECTOR))
    post = next((post for post in able if any(post.covers(path) for path in places)), None)
    if post is None:
        raise Forbidden
    return post
