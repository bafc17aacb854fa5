"""What administrators look for: regions, units and people by what somebody types, posts with their places, tokens."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, false, func, literal, not_, or_, select

from loop.kernel.people import Path
from loop.store.accounts import TOKEN_COLUMNS, Token, token_in
from loop.store.core import table_of
from loop.store.instants import text_of
from loop.store.paging import Page, page_by_id
from loop.store.places import find_region, inside, path_of
from loop.store.registry import PersonRow, PostRow, RegionRow, SubstituteRow, TokenRow, UnitRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.staff import Person, PostRecord, post_of

MOST = 20
LONGEST = 100
_REGION, _UNIT, _PERSON, _POST = table_of(RegionRow), table_of(UnitRow), table_of(PersonRow), table_of(PostRow)
_SUBSTITUTE, _TOKEN = table_of(SubstituteRow), table_of(TokenRow)
_ABOVE = _REGION.alias("above")


class Match(NamedTuple):
    """Something that fits: its code or id, its name, and the name of the region that it lies in."""

    key: str
    name: str
    place: str


def regions_called(tx: Tx, text: str, within: Iterable[Path], *, active: bool = True) -> tuple[Match, ...]:
    """Up to twenty regions within these whose code is `text` or whose name holds it; those called exactly so come first."""
    wanted = text.strip()[:LONGEST]
    if not wanted:
        return ()
    query = (
        select(_REGION.c.code, _REGION.c.name, _ABOVE.c.name)
        .outerjoin_from(_REGION, _ABOVE, _ABOVE.c.code == _REGION.c.parent)
        .where(or_(_REGION.c.code == wanted, _REGION.c.name.contains(wanted, autoescape=True)), inside(within))
        .order_by(case((_REGION.c.code == wanted, 0), (_REGION.c.name == wanted, 1), else_=2), _REGION.c.code)
    )
    return _matches(tx, query.where(_REGION.c.active == 1) if active else query)


def units_called(
    tx: Tx, text: str, within: Iterable[Path] | None, *, kind: str | None = None
) -> tuple[Match, ...]:  # fmt: skip
    """Up to twenty active units whose id is `text` or whose name holds it; those called exactly so come first."""
    wanted = text.strip()[:LONGEST]
    if not wanted:
        return ()
    query = (
        select(_UNIT.c.id, _UNIT.c.name, _REGION.c.name)
        .join_from(_UNIT, _REGION, _REGION.c.code == _UNIT.c.region)
        .where(or_(_UNIT.c.id == wanted, _UNIT.c.name.contains(wanted, autoescape=True)), _UNIT.c.active == 1)
        .order_by(case((_UNIT.c.id == wanted, 0), (_UNIT.c.name == wanted, 1), else_=2), _UNIT.c.id)
    )
    query = query if within is None else query.where(inside(within))
    return _matches(tx, query if kind is None else query.where(_UNIT.c.kind == kind))


def region_name(tx: Tx, code: str, within: Iterable[Path]) -> str:
    """What the region with this code is called, if it lies within these; else the code."""
    query = select(_REGION.c.name).where(_REGION.c.code == code, inside(within))
    return next((str(row[0]) for row in tx.select(query)), code) if code else ""


def unit_name(tx: Tx, id_: str, within: Iterable[Path]) -> str:
    """What the unit with this id is called, if it lies within these regions; else the id."""
    query = select(_UNIT.c.name).join_from(_UNIT, _REGION, _REGION.c.code == _UNIT.c.region)
    found = tx.select(query.where(_UNIT.c.id == id_, inside(within))) if id_ else []
    return str(found[0][0]) if found else id_


def path_at(tx: Tx, code: str) -> Path:
    """The path of the region with this code; one that holds nothing where there is none."""
    found = find_region(tx, code)
    return found.path if found else ("",)


def _matches(tx: Tx, query: Select[Any]) -> tuple[Match, ...]:
    return tuple(Match(key, name, place or "") for key, name, place in tx.select(query.limit(MOST)))


def people(
    tx: Tx, within: Iterable[Path], *, q: str = "", under: Path | None = None, office: str | None = None,
    unit_id: str | None = None, role: str | None = None, active: bool | None = None, after: str | None = None,
    limit: int = 50,
) -> Page[Person]:  # fmt: skip
    """People who have or had a post in these regions, in the order of their ids: `q` a part of either name, `under` a region
    with all below it, `office` the code of exactly one region, `unit_id`, `role`: where and as what the post is. The whole
    country holds everybody, those without a post too.
    """
    wanted = [_held_in(paths) for paths in (_narrow(within), _narrow([under] if under is not None else [])) if paths]
    places = ((_POST.c.region, office), (_POST.c.unit_id, unit_id), (_POST.c.role, role))
    wanted += [column == value for column, value in places if value is not None]
    query = select(_PERSON.c.id, _PERSON.c.name, _PERSON.c.full_name, _PERSON.c.language, _PERSON.c.active)
    if wanted:
        query = query.where(_PERSON.c.id.in_(select(_POST.c.person_id).where(*wanted)))
    if part := q.strip()[:LONGEST]:
        called = (_PERSON.c.name, _PERSON.c.full_name)
        query = query.where(or_(*(name.contains(part, autoescape=True) for name in called)))
    query = query if active is None else query.where(_PERSON.c.active == int(active))
    return page_by_id(tx, query, _PERSON.c.id, "people", after=after, limit=limit, value=_person)


def _narrow(paths: Iterable[Path]) -> list[Path]:
    """The regions, none where one of them is the whole country."""
    given = list(paths)
    return [] if any(len(path) == 1 and path[0] for path in given) else given


def _held_in(paths: Iterable[Path]) -> ColumnElement[bool]:
    """A post that is held in one of these regions."""
    codes = select(_REGION.c.code).where(inside(paths))
    return or_(_POST.c.region.in_(codes), _POST.c.unit_id.in_(select(_UNIT.c.id).where(_UNIT.c.region.in_(codes))))


def _person(row: Any) -> Person:
    id_, name, full_name, language, active = row
    return Person(id_, name, full_name, language, bool(active))


# ---- posts with the names of their places ----------------------------------------------------------------------------

_OVER, _AROUND = _REGION.alias("over"), _REGION.alias("around")
_PLACED = Prepared(
    select(_POST, _OVER.c.name, _OVER.c.path, _UNIT.c.name, _AROUND.c.path)
    .select_from(_POST)
    .outerjoin(_OVER, _OVER.c.code == _POST.c.region)
    .outerjoin(_UNIT, _UNIT.c.id == _POST.c.unit_id)
    .outerjoin(_AROUND, _AROUND.c.code == _UNIT.c.region)
    .where(_POST.c.person_id.in_(bindparam("persons", expanding=True)))
    .order_by(_POST.c.until_on.desc(), _POST.c.id)
)


class Placed(NamedTuple):
    """A post, past ones too, with the names of its region and unit and the path of the region it is held in."""

    post: PostRecord
    region: str
    unit: str
    path: Path


def posts_placed(tx: Tx, persons: Iterable[str]) -> dict[str, list[Placed]]:
    """All posts of these persons by person, those that last longest first."""
    found: dict[str, list[Placed]] = {id_: [] for id_ in persons}
    for *row, region, over, unit, around in tx.all(_PLACED, persons=sorted(found)) if found else ():
        held = post_of(row)
        found[held.person_id].append(Placed(held, region or "", unit or "", path_of(over or around or "")))
    return found


_COVERED = Prepared(
    select(_SUBSTITUTE.c.person_id, func.max(_SUBSTITUTE.c.until_on))
    .where(_SUBSTITUTE.c.by_id == bindparam("by_id"), _SUBSTITUTE.c.until_on >= bindparam("today"))
    .group_by(_SUBSTITUTE.c.person_id)
    .order_by(_SUBSTITUTE.c.person_id)
)


def covered_by(tx: Tx, person_id: str, today: date) -> list[tuple[str, str]]:
    """For whom somebody acts or will act, as (person id, last day)."""
    return [(row[0], row[1]) for row in tx.all(_COVERED, by_id=person_id, today=today.isoformat())]


# ---- tokens ----------------------------------------------------------------------------------------------------------


def tokens(
    tx: Tx, within: Iterable[Path], *, today: date, good_at: datetime | None = None, person_id: str | None = None,
    after: str | None = None, limit: int = 50,
) -> Page[Token]:  # fmt: skip
    """Tokens of people all of whose posts, those apart that are over, are held in these regions, the oldest first; with
    `good_at` only those that are good at that instant.
    """
    query = select(*TOKEN_COLUMNS)
    if paths := _narrow(within):
        here, theirs = _held_in(paths), select(literal(1)).where(_POST.c.person_id == _TOKEN.c.person_id)
        elsewhere = theirs.where(_POST.c.until_on >= today.isoformat(), not_(func.coalesce(here, false())))
        query = query.where(_TOKEN.c.person_id.in_(select(_POST.c.person_id).where(here)), not_(exists(elsewhere)))
    if good_at is not None:
        query = query.join(_PERSON, and_(_PERSON.c.id == _TOKEN.c.person_id, _PERSON.c.active == 1))
        query = query.where(_TOKEN.c.revoked == 0, _TOKEN.c.expires_at > text_of(good_at))
    if person_id is not None:
        query = query.where(_TOKEN.c.person_id == person_id)
    return page_by_id(tx, query, _TOKEN.c.id, "tokens", after=after, limit=limit, value=token_in)
