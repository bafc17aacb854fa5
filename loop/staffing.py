"""People and their posts as administrators keep them; what API and pages do alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loop.access import Caller
from loop.authority import by_admin, keeper, path_of_post, path_of_region, path_of_unit, places_of
from loop.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from loop.kernel.labels import Label
from loop.kernel.people import ADMIN, CHIEF, DIRECTOR, REGION_ROLES, Path, Post
from loop.kernel.registration import EndedPost, NewRecusal, NewUser
from loop.service import Service
from loop.store import accounts, staff
from loop.store.accounts import Token
from loop.store.chronicle import By
from loop.store.session import Tx
from loop.store.staff import FOREVER, Person, Recusal

SOMEBODY_ELSE = Label(
    "登录名 {name} 已属于另一人（{full_name}）；请核对，或换一个登录名。",
    "The name {name} belongs to {full_name} already; check it, or choose another.",
)
KNOWN_ALREADY = Label(
    "登录名 {name} 已有账号：不要再给初始密码；要重设密码请修改该用户。",
    "{name} has an account: give no first password; to reset it, change the user.",
)
NO_LIFTING = Label("回避只能由负责人或管理员解除。", "Only a chief or an administrator may lift a recusal.")
OVERSEERS = frozenset({ADMIN, CHIEF, DIRECTOR})
"""Roles whose holders decide the recusals of others."""
NOT_ONESELF = Label(
    "不能停用自己的账号；请由另一位管理员办理。", "You cannot deactivate yourself; ask another administrator."
)


def give_post(tx: Tx, caller: Caller, service: Service, new: NewUser, hashed: str) -> Person:
    """Give a post in one of the caller's regions; a new name becomes an account, whose password has the hash `hashed`.

    Raises Invalid for a post that cannot be, Conflict where the name seems to be somebody else's.
    """
    check_place(new.role, new.region, new.unit)
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
    return person


def check_place(role: str, region: str | None, unit: str | None) -> None:
    """Raises Invalid for a post without the place that its role stands over or at."""
    if role in REGION_ROLES and not region:
        raise Invalid.field("region", "请填写地区。", "is needed for this role: say the region.", "place")
    if not region and not unit:
        raise Invalid.field("unit", "请填写单位。", "is needed for this role: say the unit.", "place")


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


def change_person(
    tx: Tx, caller: Caller, service: Service, person: Person, wanted: Mapping[str, Any], hashed: str = ""
) -> Person:
    """Change `full_name`, `language`, `active`, or the password where its hash is given, of somebody whom the caller keeps.

    A new password, like being deactivated, signs the person out everywhere. Raises Forbidden, Invalid, or Conflict for
    deactivating oneself.
    """
    by = keeper(tx, caller, service, person)
    if person.id == caller.actor.id and wanted.get("active") is False:
        raise Conflict(NOT_ONESELF)
    if hashed:
        accounts.set_password(tx, by, person.id, hashed)
    if wanted.get("active") is False:
        accounts.end_sessions(tx, person.id)
    return staff.change_person(tx, by, person.id, wanted)


def revoke_token(tx: Tx, caller: Caller, service: Service, token_id: str) -> Token:
    """End a token of one's own, or of a person whom the caller keeps, at once and for good; raises NotFound for any other."""
    found = accounts.token(tx, token_id)
    if found.person_id != caller.actor.id:
        try:
            keeper(tx, caller, service, staff.person(tx, found.person_id))
        except Forbidden:
            raise NotFound from None
    accounts.revoke_token(tx, found.id)
    return found


# ---- recusals --------------------------------------------------------------------------------------------------------


def recuse(tx: Tx, caller: Caller, service: Service, person: Person, new: NewRecusal) -> Recusal:
    """Keep a person away from a unit; a day gone by lifts it.

    By the person, who can lift nothing, or by whoever is over one of their posts. Raises Forbidden, or Invalid.
    """
    post, until_on = over(tx, caller, person), new.until_on or FOREVER
    if post is None and any(r.unit_id == new.unit and until_on < r.until_on for r in staff.recusals_of(tx, person.id)):
        raise Forbidden(NO_LIFTING)
    if not path_of_unit(tx, new.unit):
        raise Invalid.field("unit", "没有这个单位。", "there is no such unit.", "unknown")
    held = post or caller.actor.posts[0]
    by = By(caller.actor, held.role, caller.now, service.book.workflow.version, held.for_id)
    return staff.recuse(tx, by, person_id=person.id, unit_id=new.unit, ground=new.ground, until_on=until_on)


def over(tx: Tx, caller: Caller, person: Person) -> Post | None:
    """The caller's post as chief, director or administrator over one of the person's, None where it is the person; raises
    Forbidden for anybody else.
    """
    if person.id == caller.actor.id and caller.actor.posts:
        return None
    there = places_of(tx, person.id, caller.today)
    # Whoever stands in for somebody decides nothing about them that they could not decide themselves.
    able = (post for post in caller.actor.posts if post.role in OVERSEERS and post.for_id != person.id)
    post = next((post for post in able if any(post.covers(path) for path in there)), None)
    if post is None:
        raise Forbidden
    return post


# ---- posts that end --------------------------------------------------------------------------------------------------


def end_post(tx: Tx, caller: Caller, service: Service, person: Person, ended: EndedPost, field: str) -> None:
    """Let a post in one of the caller's regions end; raises Forbidden, or Invalid, about `field` where there is no such post."""
    held = next((post for post in staff.posts_of(tx, person.id) if post.id == ended.post), None)
    if held is None:
        raise Invalid.field(field, "此人没有这个岗位。", "this person has no such post.", "unknown")
    try:
        by = by_admin(caller, service, path_of_post(tx, held))
    except NotFound:
        raise Forbidden from None
    staff.end_post(tx, by, held.id, ended.until_on)
