"""Who acts: roles, posts and persons, and in which capacity somebody may act on a finding. Nothing here reads a database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loop.kernel.labels import Label

INSPECTOR, OFFICER, CHIEF, DIRECTOR = "inspector", "officer", "chief", "director"
UNIT, DEPARTMENT, LEADER, AUDITOR, ADMIN, SYSTEM = "unit", "department", "leader", "auditor", "admin", "system"

ROLES: dict[str, Label] = {
    INSPECTOR: Label("督学", "inspector"),
    OFFICER: Label("督导办经办人", "officer"),
    CHIEF: Label("督导办负责人", "chief"),
    DIRECTOR: Label("督导委主任/副主任", "director"),
    UNIT: Label("被督导单位", "unit"),
    DEPARTMENT: Label("主管部门", "department"),
    LEADER: Label("本级领导", "leader"),
    AUDITOR: Label("只读审计", "auditor"),
    ADMIN: Label("系统管理", "admin"),
    SYSTEM: Label("系统", "system"),
}
OFFICE_ROLES = frozenset({INSPECTOR, OFFICER, CHIEF, DIRECTOR})
REGION_ROLES = OFFICE_ROLES | {LEADER, AUDITOR, ADMIN}
UNIT_ROLES = frozenset({UNIT, DEPARTMENT})
STAND_INS: dict[str, frozenset[str]] = {
    **dict.fromkeys(OFFICE_ROLES, OFFICE_ROLES),
    LEADER: frozenset({LEADER, DIRECTOR, CHIEF}),
    **{role: frozenset({role}) for role in (UNIT, DEPARTMENT, AUDITOR, ADMIN)},
}
"""Which roles a substitute must hold one of to be lent a post of each role; of a unit or department, at the same one."""
IMPARTIAL = OFFICE_ROLES | {LEADER}
PARTIAL = frozenset({UNIT, DEPARTMENT, AUDITOR, ADMIN})
"""Whoever holds a role of these is lent none of the `IMPARTIAL` ones: nobody supervises or audits themselves."""

# Capacities are parts a person plays in one finding, beyond the roles of their posts.
AUTHOR, REVIEWER, MEMBER, SUPERIOR, CHAIR, PROPOSER = "author", "reviewer", "member", "superior", "chair", "proposer"
PARTS = (AUTHOR, REVIEWER, MEMBER, CHAIR)
"""Parts that are given to persons by name, so that what waits for one of them waits for these persons."""
IN_SCOPE = "in_scope"
CAPACITIES: dict[str, Label] = {
    AUTHOR: Label("登记人", "author"),
    REVIEWER: Label("复查人员", "reviewer"),
    MEMBER: Label("工作组成员", "member of the group"),
    SUPERIOR: Label("上一级督导机构", "superior office"),
    CHAIR: Label("约谈主持人", "chair"),
    PROPOSER: Label("提出人", "proposer"),
    IN_SCOPE: Label("管辖范围内人员", "in scope"),
}

Path = tuple[str, ...]
"""Region codes from the country down to the region itself."""


@dataclass(frozen=True, slots=True)
class Post:
    """A role held over a region or at a unit. `for_id` is set when held as substitute for another person."""

    id: str
    role: str
    region: Path = ()
    unit_id: str | None = None
    for_id: str | None = None

    def covers(self, path: Path) -> bool:
        """Whether the region with `path` lies within this post's region."""
        return bool(self.region) and path[: len(self.region)] == self.region


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person with the posts valid today, their own first, then those they substitute."""

    id: str
    name: str
    full_name: str
    posts: tuple[Post, ...] = ()
    language: str = "zh"

    def holds(self, role: str) -> bool:
        """Whether any post of this person has `role`."""
        return any(post.role == role for post in self.posts)


THE_SYSTEM = Actor("system", "system", "系统", (Post("system", SYSTEM),))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a finding stands in the tree of offices, regions and units: all that acting rights depend on."""

    office_region: Path
    superior_region: Path | None
    region: Path
    unit_id: str
    department_id: str | None
    author_id: str | None = None
    reviewers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Capacity:
    """One way in which an actor may act on a finding: `name` is a role or a part, `post` the post recorded for it."""

    name: str
    post: Post


def capacities(actor: Actor, place: Place) -> Iterator[Capacity]:
    """Every capacity in which `actor` may act on a finding at `place`, in the order of the posts."""
    for post in actor.posts:
        yield from _of_post(actor, post, place)


def _of_post(actor: Actor, post: Post, place: Place) -> Iterator[Capacity]:
    match post.role:
        case "system":
            yield Capacity(SYSTEM, post)
        case "unit":
            if post.unit_id == place.unit_id:
                yield Capacity(UNIT, post)
        case "department":
            if post.unit_id is not None and post.unit_id == place.department_id:
                yield Capacity(DEPARTMENT, post)
        case "leader":
            if post.covers(place.region):
                if len(post.region) >= len(place.office_region):
                    yield Capacity(LEADER, post)
                yield Capacity(IN_SCOPE, post)
        case "inspector" | "officer" | "chief" | "director":
            yield from _of_office(actor, post, place)


def _of_office(actor: Actor, post: Post, place: Place) -> Iterator[Capacity]:
    person = post.for_id or actor.id
    if post.region == place.office_region:
        yield Capacity(post.role, post)
        if person == place.author_id:
            yield Capacity(AUTHOR, post)
    if person in place.reviewers:
        yield Capacity(REVIEWER, post)
    if post.role in (CHIEF, DIRECTOR) and post.region == place.superior_region:
        yield Capacity(SUPERIOR, post)
    if post.covers(place.region):
        yield Capacity(IN_SCOPE, post)
