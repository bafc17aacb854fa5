"""Regions, offices, units, people, tokens as the API lists and shows them; what it takes is in `loop.kernel.registration`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from loop.api.shapes import Shape
from loop.kernel.registration import Level, UnitKind


class PageQuery(BaseModel):
    """Which page of a list, and whether only active or only inactive entries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    active: bool | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(max_length=1000)] | None = None


# ---- regions, offices, units ---------------------------------------------------------------------------------------


class RegionQuery(PageQuery):
    """A page of regions: those directly below `parent`, those of one level."""

    parent: Annotated[str, Field(max_length=100)] | None = None
    level: Level | None = None


class RegionOut(Shape):
    """A region of the tree; `path` holds the codes from the country down to itself."""

    code: str
    name: str
    level: Level
    parent: str | None
    path: list[str]
    active: bool


class RegionList(Shape):
    """A page of regions."""

    items: list[RegionOut]
    next: str | None


class OfficeOut(Shape):
    """A supervision office; `superior` is the id of the nearest active one above."""

    id: str
    code: str
    region: str
    name: str
    doc_prefix: str
    superior: str | None
    active: bool


class OfficeList(Shape):
    """A page of offices."""

    items: list[OfficeOut]
    next: str | None


class UnitQuery(PageQuery):
    """A page of units: of a region and all below it, of one kind, governed by a department, by a part of the name."""

    region: Annotated[str, Field(max_length=100)] | None = None
    kind: UnitKind | None = None
    department: Annotated[str, Field(max_length=100)] | None = None
    q: Annotated[str, Field(max_length=100)] = ""


class UnitWhole(Shape):
    """A supervised unit; `department` is the id of the unit that governs it."""

    id: str
    name: str
    kind: UnitKind
    region: str
    department: str | None
    active: bool


class UnitList(Shape):
    """A page of units."""

    items: list[UnitWhole]
    next: str | None


# ---- people --------------------------------------------------------------------------------------------------------


class HeldPost(Shape):
    """A post from and until a day, both included; `until_on` is null where no end is set."""

    id: str
    role: str
    region: str | None
    unit: str | None
    from_on: str
    until_on: str | None


class UserOut(Shape):
    """A person with all posts, past ones too."""

    id: str
    name: str
    full_name: str
    language: str
    active: bool
    posts: list[HeldPost]


class UserList(Shape):
    """A page of people."""

    items: list[UserOut]
    next: str | None


class RecusalOut(Shape):
    """Why a person stays out of everything about a unit; `until_on` is null where no end is set."""

    unit: str
    ground: str
    until_on: str | None


class RecusalList(Shape):
    """The recusals of a person."""

    items: list[RecusalOut]
    next: str | None


class TokenOut(Shape):
    """A programme's access. `used_on` is the day of its last use."""

    id: str
    name: str
    scopes: list[str]
    created_at: str
    expires_at: str
    used_on: str | None
    revoked: bool


class TokenMade(TokenOut):
    """A new token; `token` is told this once and stored nowhere. `feed` is the address to subscribe to, behind that of the
    service, where the scope is `calendar`.
    """

    token: str
    feed: str | None


class TokenList(Shape):
    """The tokens of a person."""

    items: list[TokenOut]
    next: str | None
