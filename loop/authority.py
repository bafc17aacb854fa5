"""Who may look at, and who may change, regions, offices, units and people: posts against the tree of regions."""

from __future__ import annotations

from loop.access import Caller
from loop.kernel.errors import Forbidden, NotFound
from loop.kernel.people import ADMIN, OFFICER, UNIT_ROLES, Actor, Path, Post
from loop.service import Service
from loop.store import places
from loop.store.chronicle import By
from loop.store.paging import storable
from loop.store.reach import SEES_REGION
from loop.store.session import Tx
from loop.store.staff import PostRecord

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
