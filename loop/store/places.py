"""Where findings happen: the tree of regions and the units in it. Nothing is deleted; what history names is deactivated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import uuid_utils
from sqlalchemy import ColumnElement, bindparam, false, or_, select, update

from loop.kernel.errors import Conflict, Invalid, NotFound
from loop.kernel.facts import UnitFact
from loop.kernel.labels import Label
from loop.kernel.people import Path
from loop.store import search
from loop.store.chronicle import By, enter
from loop.store.core import table_of
from loop.store.paging import Page, page_by_id
from loop.store.registry import OfficeRow, RegionRow, UnitRow
from loop.store.session import Duplicate, Tx
from loop.store.sql import Prepared
from loop.store.texts import code as code_text
from loop.store.texts import line

LEVELS = ("country", "province", "prefecture", "county", "township")
KINDS = ("school", "department", "government")

_REGION, _OFFICE, _UNIT = table_of(RegionRow), table_of(OfficeRow), table_of(UnitRow)


@dataclass(frozen=True, slots=True)
class Region:
    """A region; `path` holds the codes from the country down to itself."""

    code: str
    name: str
    level: str
    parent: str | None
    path: Path
    active: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """A supervised school, department or government. `region` is a code, `department_id` the unit that governs it."""

    id: str
    name: str
    kind: str
    region: str
    department_id: str | None
    active: bool


def new_id() -> str:
    """A fresh opaque id; later ones sort after earlier ones."""
    return uuid_utils.uuid7().hex


def path_of(text: str) -> Path:
    """A stored region path as codes."""
    return tuple(text.split("/")) if text else ()


def changed(now: Mapping[str, Any], changes: Mapping[str, Any], *allowed: str) -> dict[str, Any]:
    """Those of `changes` that differ from `now`; raises Invalid for a field that cannot be changed."""
    if strangers := sorted(changes.keys() - set(allowed)):
        raise Invalid.field(strangers[0], "不能更改。", "cannot be changed.", "fixed")
    return {name: value for name, value in changes.items() if now[name] != value}


# ---- regions -----------------------------------------------------------------------------------------------------

_REGION_ONE = Prepared(select(_REGION).where(_REGION.c.code == bindparam("code")))
_REGION_ROOT = Prepared(select(_REGION.c.code).where(_REGION.c.parent.is_(None)).limit(1))
_REGION_ADD = Prepared(_REGION.insert())
_REGION_SET = Prepared(update(_REGION).where(_REGION.c.code == bindparam("key")), columns=["name", "active"])


def add_region(tx: Tx, by: By, *, code: str, name: str, level: str, parent: str | None) -> Region:
    """Add a region below `parent`, or the country itself.

    Raises Invalid where it does not fit below its parent, Conflict where the code is taken or a second tree would start.
    """
    above = find_region(tx, parent) if parent else None
    if parent and (above is None or not above.active):
        raise Invalid.field("parent", "没有这个上级地区。", "there is no such region.", "unknown")
    if level not in LEVELS or (LEVELS.index(level) <= LEVELS.index(above.level) if above else level != "country"):
        raise Invalid.field("level", "与上级地区的级别不相称。", "does not fit below its parent.", "level")
    if above is None and tx.one(_REGION_ROOT):
        raise Conflict(Label("只能有一个最高层地区。", "There is one country already."))
    code = code_text("code", code)
    if find_region(tx, code):
        raise Conflict(Label(f"地区代码 {code} 已被使用。", f"The region code {code} is taken."))
    added = Region(code, line("name", name), level, parent, (*(above.path if above else ()), code), active=True)
    tx.run(_REGION_ADD, **_region_columns(added))
    enter(tx, by, "add_region", payload={"code": code}, effects={"region": _region_columns(added)})
    return added


def find_region(tx: Tx, code: str) -> Region | None:
    """The region with this code, active or not."""
    row = tx.one(_REGION_ONE, code=code)
    return _region(row) if row else None


def region(tx: Tx, code: str) -> Region:
    """The region with this code; raises NotFound."""
    if found := find_region(tx, code):
        return found
    raise NotFound


def regions(
    tx: Tx, *, parent: str | None = None, level: str | None = None, active: bool | None = None,
    within: Iterable[Path] | None = None, after: str | None = None, limit: int = 50,
) -> Page[Region]:  # fmt: skip
    """Regions in the order of their codes, those in regions with one of the paths `within` only, where given."""
    query = select(_REGION)
    if within is not None:
        query = query.where(inside(within))
    for column, value in ((_REGION.c.parent, parent), (_REGION.c.level, level)):
        query = query if value is None else query.where(column == value)
    query = query if active is None else query.where(_REGION.c.active == int(active))
    return page_by_id(tx, query, _REGION.c.code, "regions", after=after, limit=limit, value=_region)


def inside(paths: Iterable[Path]) -> ColumnElement[bool]:
    """Regions with one of these paths, or below one."""
    joined = sorted({"/".join(path) for path in paths})
    return or_(
        false(), *(or_(_REGION.c.path == p, _REGION.c.path.startswith(f"{p}/", autoescape=True)) for p in joined)
    )


def change_region(tx: Tx, by: By, code: str, changes: Mapping[str, Any]) -> Region:
    """Change `name` or `active`; raises NotFound, Invalid, or Conflict while something active is in it."""
    before = region(tx, code)
    new = changed(asdict(before), changes, "name", "active")
    if "name" in new:
        new["name"] = line("name", new["name"])
    after = Region(**{**asdict(before), **new})
    if not new:
        return before
    if not after.active and _holds_something(tx, code):
        raise Conflict(Label("该地区还有在用的下级地区、机构或单位。", "Something active is still in this region."))
    tx.run(_REGION_SET, key=code, name=after.name, active=int(after.active))
    enter(tx, by, "change_region", payload={"code": code, **new}, effects={"region": _region_columns(after)})
    return after


def _holds_something(tx: Tx, code: str) -> bool:
    inside = (
        select(_REGION.c.code).where(_REGION.c.parent == code, _REGION.c.active == 1),
        select(_OFFICE.c.id).where(_OFFICE.c.region == code, _OFFICE.c.active == 1),
        select(_UNIT.c.id).where(_UNIT.c.region == code, _UNIT.c.active == 1),
    )
    return any(tx.select(query.limit(1)) for query in inside)


def _region(row: Any) -> Region:
    code, name, level, parent, path, active = row
    return Region(code, name, level, parent, path_of(path), bool(active))


def _region_columns(value: Region) -> dict[str, Any]:
    return {**asdict(value), "path": "/".join(value.path), "active": int(value.active)}


# ---- units -------------------------------------------------------------------------------------------------------

_UNIT_FIELDS = ("name", "kind", "region", "department_id", "active")
_UNIT_ONE = Prepared(
    select(_UNIT, _REGION.c.path).join(_REGION, _REGION.c.code == _UNIT.c.region).where(_UNIT.c.id == bindparam("id"))
)
_UNIT_ADD = Prepared(_UNIT.insert())
_UNIT_SET = Prepared(update(_UNIT).where(_UNIT.c.id == bindparam("key")), columns=_UNIT_FIELDS)


def add_unit(
    tx: Tx, by: By, *, name: str, kind: str, region: str, department_id: str | None = None, id_: str | None = None
) -> Unit:
    """Add a unit; raises Invalid for a kind, region or department that there is not, Conflict where the id is taken."""
    added = Unit(
        (id_ and code_text("id", id_)) or new_id(), line("name", name), kind, region, department_id, active=True
    )
    _check_unit(tx, added, frozenset(_UNIT_FIELDS))
    try:
        with tx.attempt():
            tx.run(_UNIT_ADD, **_unit_columns(added))
    except Duplicate as taken:
        raise Conflict(Label(f"单位编号 {added.id} 已被使用。", f"The unit id {added.id} is taken.")) from taken
    enter(tx, by, "add_unit", payload={"id": added.id}, effects={"unit": _unit_columns(added)})
    return added


def find_unit(tx: Tx, id_: str) -> Unit | None:
    """The unit with this id, active or not."""
    row = tx.one(_UNIT_ONE, id=id_)
    return _unit(row[:-1]) if row else None


def unit(tx: Tx, id_: str) -> Unit:
    """The unit with this id; raises NotFound."""
    if found := find_unit(tx, id_):
        return found
    raise NotFound


def unit_fact(tx: Tx, id_: str) -> UnitFact | None:
    """An active unit as decisions know it, with the path of its region."""
    row = tx.one(_UNIT_ONE, id=id_)
    if row is None or not row[5]:
        return None
    return UnitFact(id=row[0], name=row[1], kind=row[2], region=path_of(row[6]), department_id=row[4])


def units(
    tx: Tx, *, region: str | None = None, kind: str | None = None, department_id: str | None = None, q: str = "",
    active: bool | None = None, within: Iterable[Path] | None = None, own: Iterable[str] = (),
    after: str | None = None, limit: int = 50,
) -> Page[Unit]:  # fmt: skip
    """Units in the order of their ids; `region` means it and everything below, `q` a part of the name.

    With `within` only units in regions with one of these paths, those in `own`, and those that one of `own` governs.
    """
    query = select(_UNIT)
    if within is not None:
        mine = sorted(set(own))
        there = _UNIT.c.region.in_(select(_REGION.c.code).where(inside(within)))
        query = query.where(or_(there, _UNIT.c.id.in_(mine), _UNIT.c.department_id.in_(mine)))
    for column, value in ((_UNIT.c.kind, kind), (_UNIT.c.department_id, department_id)):
        query = query if value is None else query.where(column == value)
    if active is not None:
        query = query.where(_UNIT.c.active == int(active))
    if region is not None:
        asked = [found.path] if (found := find_region(tx, region)) else []
        query = query.where(_UNIT.c.region.in_(select(_REGION.c.code).where(inside(asked))))
    if q.strip():
        query = query.where(_UNIT.c.name.contains(line("q", q, 100), autoescape=True))
    return page_by_id(tx, query, _UNIT.c.id, "units", after=after, limit=limit, value=_unit)


def change_unit(tx: Tx, by: By, id_: str, changes: Mapping[str, Any]) -> Unit:
    """Change `name`, `kind`, `region`, `department_id` or `active`.

    Findings opened before keep the region and department they were opened with. Raises NotFound, Invalid, or Conflict
    for a department that still governs units.
    """
    before = unit(tx, id_)
    new = changed(asdict(before), changes, *_UNIT_FIELDS)
    if "name" in new:
        new["name"] = line("name", new["name"])
    if not new:
        return before
    after = Unit(**{**asdict(before), **new})
    _check_unit(tx, after, frozenset(new))
    if before.kind == "department" and (after.kind != "department" or not after.active) and _governs(tx, id_):
        raise Conflict(
            Label("仍有单位由它主管，请先改派。", "It still governs units; give them another department first.")
        )
    columns = _unit_columns(after)
    tx.run(_UNIT_SET, key=id_, **{name: columns[name] for name in _UNIT_FIELDS})
    if "name" in new:
        search.rename_unit(tx, id_, after.name)
    enter(tx, by, "change_unit", payload={"id": id_, **new}, effects={"unit": columns})
    return after


def _check_unit(tx: Tx, value: Unit, fields: frozenset[str]) -> None:
    if value.kind not in KINDS:
        raise Invalid.field(
            "kind", "须是 school、department 或 government。", f"is one of {', '.join(KINDS)}.", "unknown"
        )
    if "region" in fields and not ((found := find_region(tx, value.region)) and found.active):
        raise Invalid.field("region", "没有这个地区。", "there is no such region.", "unknown")
    if value.department_id is None or "department_id" not in fields:
        return
    governing = find_unit(tx, value.department_id)
    if governing is None or governing.kind != "department" or not governing.active or governing.id == value.id:
        raise Invalid.field("department", "没有这个主管部门。", "there is no such department.", "unknown")


def _governs(tx: Tx, id_: str) -> bool:
    return bool(tx.select(select(_UNIT.c.id).where(_UNIT.c.department_id == id_, _UNIT.c.active == 1).limit(1)))


def _unit(row: Any) -> Unit:
    id_, name, kind, region, department_id, active = row
    return Unit(id_, name, kind, region, department_id, bool(active))


def _unit_columns(value: Unit) -> dict[str, Any]:
    return {**asdict(value), "active": int(value.active)}
