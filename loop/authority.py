"""Who may look at, and who may change, regions, offices, units and people: posts against the tree of regions."""

from __future__ import annotations

from datetime import date

from loop.access import Caller
from loop.kernel.errors import Forbidden, Invalid, NotFound
from loop.kernel.people import ADMIN, CHIEF, OFFICER, UNIT_ROLES, Actor, Path, Post
from loop.service import Service
from loop.store import lookup, offices, places, staff, tip_offs
from loop.store.chronicle import By
from loop.store.offices import Office
from loop.store.paging import storable
from loop.store.places import Region, Unit
from loop.store.reach import SEES_REGION
from loop.store.session import Tx
from loop.store.staff import Person, PostRecord
from loop.store.tip_offs import TipOff

CHECKERS = (OFFICER, CHIEF)
"""Roles whose holders check and answer the tip-offs of their office."""
LOOKS = SEES_REGION | {ADMIN}
"""Roles whose holders look at everything registered in their region."""


def named(part: str) -> str:
    """A part of the path that names something; raises NotFound for what no name can be."""
    if not storable(part) or len(part) > 200:
        raise NotFound
    return part


def regions_of(actor: Actor, *roles: str) -> tuple[Path, ...]:
    """The regions over which the actor holds one of these roles; any that looks, where none is named."""
    wanted = frozenset(roles) or LOOKS
    return tuple(dict.fromkeys(post.region for post in actor.posts if post.role in wanted and post.region))


def widest_region(actor: Actor, *roles: str) -> str:
    """The path, as text, of the widest region in which the actor holds one of these roles, empty for the whole country;
    raises Forbidden where there is none.
    """
    require(actor, *roles)
    paths = sorted(regions_of(actor, *roles), key=len)
    if not paths:
        raise Forbidden
    return "" if len(paths[0]) == 1 else "/".join(paths[0])


def units_of(actor: Actor) -> tuple[str, ...]:
    """The units at which the actor holds a post."""
    return tuple(dict.fromkeys(p.unit_id for p in actor.posts if p.role in UNIT_ROLES and p.unit_id))


def covers(paths: tuple[Path, ...], path: Path) -> bool:
    """Whether the region with `path` lies in one of the regions."""
    return any(path[: len(above)] == above for above in paths)


def in_sight(tx: Tx, actor: Actor, path: Path) -> bool:
    """Whether the actor may look at a region: it lies in one of theirs, or one of theirs lies in it."""
    mine = regions_of(actor)
    at_units = tuple(p for id_ in units_of(actor) if (p := path_of_unit(tx, id_)))
    return covers(mine, path) or any(own[: len(path)] == path for own in (*mine, *at_units))


def path_of_unit(tx: Tx, unit_id: str) -> Path:
    """The path of the region that a unit lies in, empty for an unknown one."""
    unit = places.find_unit(tx, unit_id)
    return path_of_region(tx, unit.region) if unit else ()


def path_of_region(tx: Tx, code: str | None) -> Path:
    """The path of a region, empty for an unknown one."""
    region = places.find_region(tx, code) if code else None
    return region.path if region else ()


def path_of_post(tx: Tx, post: PostRecord) -> Path:
    """The path of the region where a post is held."""
    return path_of_region(tx, post.region) if post.region else path_of_unit(tx, post.unit_id or "")


def require(actor: Actor, *roles: str) -> None:
    """Raises Forbidden for somebody without a post of one of these roles."""
    if not any(actor.holds(role) for role in roles):
        raise Forbidden


def by_admin(caller: Caller, service: Service, path: Path) -> By:
    """The caller as administrator of the region with `path`; raises Forbidden, or NotFound where it is not theirs."""
    require(caller.actor, ADMIN)
    return _by(caller, service, next((p for p in caller.actor.posts if p.role == ADMIN and p.covers(path)), None))


def by_office(caller: Caller, service: Service, path: Path, *roles: str) -> By:
    """The caller in one of these roles at the office of exactly this region; raises Forbidden or NotFound."""
    wanted = roles or (OFFICER,)
    require(caller.actor, *wanted)
    return _by(caller, service, next((p for p in caller.actor.posts if p.role in wanted and p.region == path), None))


def _by(caller: Caller, service: Service, post: Post | None) -> By:
    if post is None:
        raise NotFound
    return By(caller.actor, post.role, caller.now, service.book.workflow.version, post.for_id)


# ---- what is looked at: raises NotFound for what lies out of sight, as for what there is not --------------------------


def seen_region(tx: Tx, actor: Actor, name: str) -> Region:
    """The region of this code, if it lies in one of the actor's or holds one of them."""
    region = places.region(tx, named(name))
    if not in_sight(tx, actor, region.path):
        raise NotFound
    return region


def seen_office(tx: Tx, actor: Actor, name: str) -> Office:
    """The office of this id or code, if its region is in sight."""
    office = offices.find_office(tx, named(name))
    if office is None or not in_sight(tx, actor, office.region):
        raise NotFound
    return office


def seen_unit(tx: Tx, actor: Actor, name: str) -> tuple[Unit, Path]:
    """The unit of this id with the path of its region: in the actor's regions, their own, or governed by theirs."""
    unit = places.unit(tx, named(name))
    path = path_of_region(tx, unit.region)
    if not covers(regions_of(actor), path) and not {unit.id, unit.department_id} & set(units_of(actor)):
        raise NotFound
    return unit, path


def seen(tx: Tx, actor: Actor, id_: str, *roles: str) -> Person:
    """The person of this id: the actor, or one with a post, past ones too, in a region where the actor has one of `roles`;
    any that looks, where none is named. Somebody who never had a post is seen from the whole country.
    """
    person = staff.person(tx, named(id_))
    mine, there = regions_of(actor, *roles), places_of(tx, person.id)
    is_seen = any(covers(mine, path) for path in there if path) if there else any(len(path) == 1 for path in mine)
    if person.id != actor.id and not is_seen:
        raise NotFound
    return person


def places_of(tx: Tx, person_id: str, since: date | None = None) -> list[Path]:
    """The regions where a person has or had posts; with `since` only posts that had not ended by then."""
    held = lookup.posts_placed(tx, [person_id])[person_id]
    return [one.path for one in held if since is None or one.post.until_on >= since]


# ---- what is kept ----------------------------------------------------------------------------------------------------


def by_there(tx: Tx, caller: Caller, service: Service, code: str, field: str) -> By:
    """The caller as administrator of the region that `field` names; Invalid where there is none or it is not theirs."""
    try:
        return by_admin(caller, service, path_of_region(tx, code))
    except NotFound:
        raise Invalid.field(field, "没有这个地区。", "there is no such region.", "unknown") from None


def keeper(tx: Tx, caller: Caller, service: Service, person: Person) -> By:
    """The caller as administrator of everything the person is; raises Forbidden where one of the posts lies elsewhere.

    Otherwise the administrator of a county could take over the account of whoever also serves the province.
    """
    require(caller.actor, ADMIN)
    held = places_of(tx, person.id, caller.today) or places_of(tx, person.id)
    mine = (post for post in caller.actor.posts if post.role == ADMIN)
    post = next((post for post in mine if all(post.covers(path) for path in held)), None)
    if post is None:
        raise Forbidden
    return By(caller.actor, post.role, caller.now, service.book.workflow.version, post.for_id)


# ---- tip-offs --------------------------------------------------------------------------------------------------------


def checked_offices(tx: Tx, actor: Actor) -> list[str]:
    """The ids of the offices for which the actor checks tip-offs; raises Forbidden where none of the posts may."""
    require(actor, *CHECKERS)
    at = (offices.office_at(tx, path[-1]) for path in regions_of(actor, *CHECKERS))
    return [office.id for office in at if office]


def tip_off_of(tx: Tx, caller: Caller, service: Service, id_: str) -> tuple[TipOff, By]:
    """The tip-off, if the caller checks for the office that received it; raises Forbidden or NotFound."""
    require(caller.actor, *CHECKERS)
    found = tip_offs.tip_off(tx, named(id_))
    return found, by_office(caller, service, offices.office(tx, found.office_id).region, *CHECKERS)
