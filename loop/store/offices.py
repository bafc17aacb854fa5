"""Supervision offices, at most one for a region, each knowing the nearest active office above it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Text, bindparam, func, or_, select, update

from loop.kernel.errors import Conflict, Invalid, NotFound
from loop.kernel.labels import Label
from loop.kernel.people import Path
from loop.store.chronicle import By, enter
from loop.store.core import table_of
from loop.store.paging import Page, page_by_id
from loop.store.places import changed, find_region, inside, new_id, path_of
from loop.store.registry import OfficeRow, RegionRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.texts import code as code_text
from loop.store.texts import line

_OFFICE, _REGION = table_of(OfficeRow), table_of(RegionRow)
_FIELDS = ("code", "name", "doc_prefix", "active")


@dataclass(frozen=True, slots=True)
class Office:
    """An office. `region` is its region's path, `doc_prefix` the word before the year in the numbers of its papers."""

    id: str
    code: str
    region: Path
    name: str
    doc_prefix: str
    superior_id: str | None
    active: bool


_WHOLE = select(
    _OFFICE.c.id, _OFFICE.c.code, _REGION.c.path, _OFFICE.c.name, _OFFICE.c.doc_prefix, _OFFICE.c.superior_id,
    _OFFICE.c.active,
).join_from(_OFFICE, _REGION, _REGION.c.code == _OFFICE.c.region)  # fmt: skip
_BY_ID = Prepared(_WHOLE.where(_OFFICE.c.id == bindparam("id")))
_BY_NAME = Prepared(_WHOLE.where(or_(_OFFICE.c.id == bindparam("name"), _OFFICE.c.code == bindparam("name"))))
_AT = Prepared(_WHOLE.where(_OFFICE.c.region == bindparam("region")))
_ALONG = Prepared(_WHOLE.where(_OFFICE.c.region.in_(bindparam("codes", expanding=True)), _OFFICE.c.active == 1))
_ADD = Prepared(_OFFICE.insert())
_SET = Prepared(update(_OFFICE).where(_OFFICE.c.id == bindparam("key")), columns=_FIELDS)
_LEAVE = Prepared(update(_OFFICE).where(_OFFICE.c.superior_id == bindparam("old")).values(superior_id=bindparam("new")))
_BELOW = bindparam("below", type_=Text())
_TAKE = Prepared(
    update(_OFFICE)
    .where(
        _OFFICE.c.id != bindparam("new"),
        _OFFICE.c.superior_id.is_not_distinct_from(bindparam("old")),
        _OFFICE.c.region.in_(
            select(_REGION.c.code).where(func.substr(_REGION.c.path, 1, func.length(_BELOW)) == _BELOW)
        ),
    )
    .values(superior_id=bindparam("new"))
)


def add_office(tx: Tx, by: By, *, code: str, region: str, name: str, doc_prefix: str, id_: str | None = None) -> Office:
    """Add the office of a region; offices below it that had a farther superior now have this one.

    Raises Invalid for a region that there is not, Conflict where the region has an office or the code or id is taken.
    """
    place = find_region(tx, region)
    if place is None or not place.active:
        raise Invalid.field("region", "没有这个地区。", "there is no such region.", "unknown")
    if tx.one(_AT, region=region):
        raise Conflict(Label(f"{place.name}已有督导机构。", f"{place.name} has an office already."))
    added = Office(
        code_text("id", id_) if id_ else new_id(), code_text("code", code), place.path, line("name", name),
        line("doc_prefix", doc_prefix, 20), None, active=True,
    )  # fmt: skip
    _refuse_taken(tx, added.code, added.id)
    tx.run(_ADD, **_columns(added))
    added = _placed(tx, added)
    enter(tx, by, "add_office", payload={"id": added.id}, effects={"office": _columns(added)})
    return added


def find_office(tx: Tx, name: str) -> Office | None:
    """The office with this id or code, active or not."""
    row = tx.one(_BY_NAME, name=name)
    return _office(row) if row else None


def office(tx: Tx, id_: str) -> Office:
    """The office with this id; raises NotFound."""
    row = tx.one(_BY_ID, id=id_)
    if row is None:
        raise NotFound
    return _office(row)


_CODES = Prepared(select(_OFFICE.c.id, _OFFICE.c.code).where(_OFFICE.c.id.in_(bindparam("ids", expanding=True))))


def codes_of(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """The codes of these offices by id, in one query."""
    wanted = sorted(set(ids))
    return dict(tx.all(_CODES, ids=wanted)) if wanted else {}


def office_at(tx: Tx, region: str) -> Office | None:
    """The office of exactly this region, if it is active."""
    row = tx.one(_AT, region=region)
    return _office(row) if row and row[6] else None


def office_of(tx: Tx, region: str) -> Office | None:
    """The office of exactly this region, active or not."""
    row = tx.one(_AT, region=region)
    return _office(row) if row else None


def nearest(tx: Tx, path: Path) -> Office | None:
    """The active office of the region with `path`, or else the nearest one above it."""
    found = [_office(row) for row in tx.all(_ALONG, codes=list(path))] if path else []
    return max(found, key=lambda o: len(o.region), default=None)


def offices(
    tx: Tx,
    *,
    active: bool | None = None,
    within: Iterable[Path] | None = None,
    q: str = "",
    after: str | None = None,
    limit: int = 50,
) -> Page[Office]:
    """Offices in the order of their ids, those in regions with one of the paths `within` only, where given; `q` is a part of
    the name, or the code.
    """
    query = _WHOLE if active is None else _WHOLE.where(_OFFICE.c.active == int(active))
    if wanted := q.strip():
        query = query.where(or_(_OFFICE.c.name.contains(wanted, autoescape=True), _OFFICE.c.code == wanted))
    if within is not None:
        query = query.where(inside(within))
    return page_by_id(tx, query, _OFFICE.c.id, "offices", after=after, limit=limit, value=_office)


def ids_within(tx: Tx, paths: Iterable[Path]) -> list[str]:
    """The ids of all offices, active or not, in regions with one of these paths."""
    query = select(_OFFICE.c.id).join_from(_OFFICE, _REGION, _REGION.c.code == _OFFICE.c.region)
    return [row[0] for row in tx.select(query.where(inside(paths)).order_by(_OFFICE.c.id))]


def change_office(tx: Tx, by: By, id_: str, changes: Mapping[str, Any]) -> Office:
    """Change `name`, `doc_prefix`, `code` or `active`; an inactive office is nobody's superior.

    Raises NotFound, Invalid, or Conflict where the code is taken.
    """
    before = office(tx, id_)
    new = changed(asdict(before), changes, *_FIELDS)
    if not new:
        return before
    after = Office(**{**asdict(before), **_checked(new)})
    if "code" in new:
        _refuse_taken(tx, after.code)
    columns = _columns(after)
    tx.run(_SET, key=id_, **{name: columns[name] for name in _FIELDS})
    if after.active and not before.active:
        after = _placed(tx, after)
    elif before.active and not after.active:
        tx.run(_LEAVE, old=id_, new=after.superior_id)
    enter(tx, by, "change_office", payload={"id": id_, **new}, effects={"office": _columns(after)})
    return after


def _checked(new: dict[str, Any]) -> dict[str, Any]:
    checks = {
        "code": lambda value: code_text("code", value),
        "name": lambda value: line("name", value),
        "doc_prefix": lambda value: line("doc_prefix", value, 20),
    }
    return {name: checks[name](value) if name in checks else value for name, value in new.items()}


def _refuse_taken(tx: Tx, *names: str) -> None:
    for name in names:
        if tx.one(_BY_NAME, name=name):
            raise Conflict(Label(f"机构代码 {name} 已被使用。", f"The office code {name} is taken."))


_SUPERIOR = Prepared(update(_OFFICE).where(_OFFICE.c.id == bindparam("key")).values(superior_id=bindparam("superior")))


def _placed(tx: Tx, value: Office) -> Office:
    """Hang an office that has become active into the tree: below the nearest above, above those it is nearest to."""
    superior = nearest(tx, value.region[:-1])
    superior_id = superior.id if superior else None
    tx.run(_SUPERIOR, key=value.id, superior=superior_id)
    tx.run(_TAKE, old=superior_id, new=value.id, below="/".join(value.region) + "/")
    return Office(**{**asdict(value), "superior_id": superior_id})


def _office(row: Any) -> Office:
    id_, code, path, name, doc_prefix, superior_id, active = row
    return Office(id_, code, path_of(path), name, doc_prefix, superior_id, bool(active))


def _columns(value: Office) -> dict[str, Any]:
    return {**asdict(value), "region": value.region[-1], "active": int(value.active)}
