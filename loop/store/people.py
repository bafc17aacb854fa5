"""Who is in office on a day: the acting person with all posts, the people whom a payload names, and who is to be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    exists,
    literal,
    not_,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.expression import FromClause

from loop.kernel.facts import PersonFact
from loop.kernel.people import (
    CHIEF,
    DIRECTOR,
    IMPARTIAL,
    INSPECTOR,
    OFFICE_ROLES,
    PARTIAL,
    STAND_INS,
    SUPERIOR,
    UNIT_ROLES,
    Actor,
    Path,
    Post,
)
from loop.store.core import table_of
from loop.store.places import path_of
from loop.store.registry import PersonRow, PostRow, RecusalRow, RegionRow, SubstituteRow
from loop.store.session import Tx
from loop.store.sql import Prepared

_PERSON, _POST, _REGION = table_of(PersonRow), table_of(PostRow), table_of(RegionRow)
_SUBSTITUTE, _RECUSAL = table_of(SubstituteRow), table_of(RecusalRow)
_TODAY: BindParameter[str] = bindparam("today")
_OF_OFFICE = _POST.c.role.in_(bindparam("roles", sorted(OFFICE_ROLES), expanding=True))


@dataclass(frozen=True, slots=True)
class Seat:
    """An active person in a post today; `role` is empty for one who was asked for by id.

    `region` is the path the post stands over. `for_id` names the absent person where this one is the substitute.
    """

    person_id: str
    name: str
    full_name: str
    language: str
    role: str = ""
    region: Path = ()
    unit_id: str | None = None
    for_id: str | None = None


def _valid(span: FromClause) -> ColumnElement[bool]:
    return and_(span.c.from_on <= _TODAY, span.c.until_on >= _TODAY)


_OWN_POST = _POST.alias("own_post")


def lendable() -> ColumnElement[bool]:
    """Whether the post may be lent to the substitute today: they hold one of like kind, and none that forbids it."""
    like = or_(
        *(
            and_(
                _one_of(_POST.c.role, roles), _one_of(_OWN_POST.c.role, mates),
                *([_OWN_POST.c.unit_id == _POST.c.unit_id] if roles <= UNIT_ROLES else []),
            )
            for mates, roles in _kinds().items()
        )
    )  # fmt: skip
    own = and_(_OWN_POST.c.person_id == _SUBSTITUTE.c.by_id, _valid(_OWN_POST))
    bars = and_(own, _one_of(_OWN_POST.c.role, PARTIAL))
    return and_(_held(and_(own, like)), or_(not_(_one_of(_POST.c.role, IMPARTIAL)), not_(_held(bars))))


def _held(where: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(literal(1)).select_from(_OWN_POST).where(where).correlate_except(_OWN_POST))


def _one_of(column: ColumnElement[Any], roles: Collection[str]) -> ColumnElement[bool]:
    return column.in_(bindparam("_".join(sorted(roles)), sorted(roles), expanding=True))


def _kinds() -> dict[frozenset[str], set[str]]:
    """The roles that the same stand-ins serve, together."""
    found: dict[frozenset[str], set[str]] = defaultdict(set)
    for role, mates in STAND_INS.items():
        found[mates].add(role)
    return found


# ---- the acting person -------------------------------------------------------------------------------------------

_WHO = Prepared(
    select(_PERSON.c.id, _PERSON.c.name, _PERSON.c.full_name, _PERSON.c.language)
    .where(_PERSON.c.id == bindparam("me"), _PERSON.c.active == 1)
)  # fmt: skip
_OWN = (
    select(literal("").label("for_id"), _POST.c.id, _POST.c.role, _REGION.c.path, _POST.c.unit_id)
    .select_from(_POST)
    .outerjoin(_REGION, _REGION.c.code == _POST.c.region)
    .where(_POST.c.person_id == bindparam("me"), _valid(_POST))
)
_LENT = (
    select(_SUBSTITUTE.c.person_id, _POST.c.id, _POST.c.role, _REGION.c.path, _POST.c.unit_id)
    .select_from(_SUBSTITUTE)
    .join(_PERSON, and_(_PERSON.c.id == _SUBSTITUTE.c.person_id, _PERSON.c.active == 1))
    .join(_POST, _POST.c.person_id == _SUBSTITUTE.c.person_id)
    .outerjoin(_REGION, _REGION.c.code == _POST.c.region)
    .where(_SUBSTITUTE.c.by_id == bindparam("me"), _valid(_SUBSTITUTE), _valid(_POST), lendable())
)
_POSTS = Prepared(union_all(_OWN, _LENT))


def actor_of(tx: Tx, person_id: str, today: date) -> Actor | None:
    """The person with the posts valid today, their own first, then those they hold as substitute, each in the order in
    which it was given; None for an unknown or inactive person.
    """
    who = tx.one(_WHO, me=person_id)
    if who is None:
        return None
    id_, name, full_name, language = who
    rows = sorted(set(tx.all(_POSTS, me=person_id, today=today.isoformat())), key=lambda r: (r[0] != "", r[1]))
    posts = tuple(
        Post(post, role, path_of(path or ""), unit, absent or None) for absent, post, role, path, unit in rows
    )
    return Actor(id_, name, full_name, posts, language)


# ---- people whom a payload names ---------------------------------------------------------------------------------

_NAMED = Prepared(
    select(_PERSON.c.id, _PERSON.c.name, _PERSON.c.full_name, _POST.c.role, _RECUSAL.c.ground)
    .select_from(_PERSON)
    .outerjoin(
        _POST,
        and_(
            _POST.c.person_id == _PERSON.c.id, _valid(_POST), _OF_OFFICE,
            _POST.c.region.in_(bindparam("regions", expanding=True)),
        ),
    )
    .outerjoin(
        _RECUSAL,
        and_(
            _RECUSAL.c.person_id == _PERSON.c.id, _RECUSAL.c.unit_id == bindparam("unit_id"),
            _RECUSAL.c.until_on >= _TODAY,
        ),
    )
    .where(_PERSON.c.name.in_(bindparam("names", expanding=True)), _PERSON.c.active == 1)
)  # fmt: skip
_GROUNDS = Prepared(
    select(_RECUSAL.c.ground, _RECUSAL.c.person_id)
    .where(
        _RECUSAL.c.person_id.in_(bindparam("persons", expanding=True)), _RECUSAL.c.unit_id == bindparam("unit_id"),
        _RECUSAL.c.until_on >= _TODAY,
    )
    .order_by(_RECUSAL.c.person_id)
)  # fmt: skip


def named(tx: Tx, names: Iterable[str], *, office_region: Path, unit_id: str, today: date) -> dict[str, PersonFact]:
    """The active persons among `names`, with their office roles at the region of the finding's office or above it, and
    the ground that bars them from the unit.
    """
    wanted = sorted(set(names))
    if not wanted:
        return {}
    rows = tx.all(_NAMED, names=wanted, regions=list(office_region) or [""], unit_id=unit_id, today=today.isoformat())
    roles: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        roles[row[1]].update(row[3:4] if row[3] else ())
    return {
        name: PersonFact(id=id_, name=name, full_name=full_name, roles=frozenset(roles[name]), recused=ground or "")
        for id_, name, full_name, _, ground in rows
    }


def recused(tx: Tx, person_ids: Iterable[str], unit_id: str, today: date) -> str:
    """The ground that bars one of these persons from the unit today, or empty."""
    wanted = sorted(set(person_ids))
    row = tx.one(_GROUNDS, persons=wanted, unit_id=unit_id, today=today.isoformat()) if wanted else None
    return str(row[0]) if row else ""


def barred(tx: Tx, person_ids: Iterable[str], unit_id: str, today: date) -> frozenset[str]:
    """Those of these persons who must stay away from the unit today."""
    wanted = sorted(set(person_ids))
    rows = tx.all(_GROUNDS, persons=wanted, unit_id=unit_id, today=today.isoformat()) if wanted else ()
    return frozenset(row[1] for row in rows)


# ---- who holds an office -----------------------------------------------------------------------------------------

_HOLDERS = Prepared(
    select(_POST.c.region, _POST.c.role, _POST.c.person_id)
    .join_from(_POST, _PERSON, and_(_PERSON.c.id == _POST.c.person_id, _PERSON.c.active == 1))
    .where(_POST.c.region.in_(bindparam("regions", expanding=True)), _OF_OFFICE, _valid(_POST))
)
_RESPONSIBLE = Prepared(
    select(_PERSON.c.id, _PERSON.c.name)
    .join_from(_POST, _PERSON, and_(_PERSON.c.id == _POST.c.person_id, _PERSON.c.active == 1))
    .where(_POST.c.unit_id == bindparam("unit_id"), _POST.c.role == INSPECTOR, _valid(_POST))
    .order_by(_POST.c.id)
)


def holders(tx: Tx, *, office_region: Path, superior_region: Path | None, today: date) -> dict[str, frozenset[str]]:
    """The persons who hold each role at the office today; under "superior" the chiefs and directors of the one above."""
    above = superior_region[-1] if superior_region else ""
    found: dict[str, set[str]] = {role: set() for role in (*OFFICE_ROLES, SUPERIOR)}
    rows = tx.all(_HOLDERS, regions=[office_region[-1] if office_region else "", above], today=today.isoformat())
    for region, role, person_id in rows:
        if region != above:
            found[role].add(person_id)
        elif role in (CHIEF, DIRECTOR):
            found[SUPERIOR].add(person_id)
    return {role: frozenset(persons) for role, persons in found.items()}


def responsible(tx: Tx, unit_id: str, today: date) -> tuple[tuple[str, str], ...]:
    """The active inspectors responsible for a unit today, as (person id, sign-in name), the first named first."""
    return tuple((row[0], row[1]) for row in tx.all(_RESPONSIBLE, unit_id=unit_id, today=today.isoformat()))


# ---- who is to be told -------------------------------------------------------------------------------------------

_HOLDER_COLUMNS = (_PERSON.c.id, _PERSON.c.name, _PERSON.c.full_name, _PERSON.c.language)
_AT = (
    _POST.c.region.in_(bindparam("regions", expanding=True)),
    _POST.c.unit_id.in_(bindparam("units", expanding=True)),
)
_ABSENT = _PERSON.alias("absent")


def _seated(where: ColumnElement[bool]) -> Select[Any]:
    return (
        select(*_HOLDER_COLUMNS, _POST.c.role, _REGION.c.path, _POST.c.unit_id, null().label("for_id"))
        .select_from(_POST)
        .join(_PERSON, _PERSON.c.id == _POST.c.person_id)
        .outerjoin(_REGION, _REGION.c.code == _POST.c.region)
        .where(where, _valid(_POST), _PERSON.c.active == 1)
    )


def _standing_in(where: ColumnElement[bool]) -> Select[Any]:
    return (
        select(*_HOLDER_COLUMNS, _POST.c.role, _REGION.c.path, _POST.c.unit_id, _ABSENT.c.id)
        .select_from(_POST)
        .join(_ABSENT, and_(_ABSENT.c.id == _POST.c.person_id, _ABSENT.c.active == 1))
        .join(_SUBSTITUTE, and_(_SUBSTITUTE.c.person_id == _ABSENT.c.id, _valid(_SUBSTITUTE)))
        .join(_PERSON, _PERSON.c.id == _SUBSTITUTE.c.by_id)
        .outerjoin(_REGION, _REGION.c.code == _POST.c.region)
        .where(where, _valid(_POST), _PERSON.c.active == 1, lendable())
    )


_BY_ID = select(*_HOLDER_COLUMNS, literal(""), null(), null(), null()).where(
    _PERSON.c.id.in_(bindparam("persons", expanding=True)), _PERSON.c.active == 1,
    _held(and_(_OWN_POST.c.person_id == _PERSON.c.id, _valid(_OWN_POST))),
)  # fmt: skip
_AUDIENCE = Prepared(union_all(*(_seated(at) for at in _AT), *(_standing_in(at) for at in _AT), _BY_ID))


def audience(
    tx: Tx, *, regions: Iterable[str], units: Iterable[str], persons: Iterable[str] = (), today: date
) -> tuple[Seat, ...]:
    """Every active person with a post today over exactly one of `regions` (codes) or at one of `units` (ids), their
    substitutes, and every active person among `persons` (ids) who still holds a post: one query from which all roles of a
    finding are resolved.
    """
    rows = tx.all(
        _AUDIENCE, regions=_some(regions), units=_some(units), persons=_some(persons), today=today.isoformat()
    )
    seats = {
        Seat(id_, name, full_name, language, role, path_of(path or ""), unit_id, for_id)
        for id_, name, full_name, language, role, path, unit_id, for_id in rows
    }
    return tuple(sorted(seats, key=lambda s: (s.role, s.region, s.unit_id or "", s.person_id, s.for_id or "")))


def _some(ids: Iterable[str]) -> list[str]:
    """The different values, never none: an empty list has no form in SQL."""
    return sorted(set(ids)) or [""]


# ---- who reads ---------------------------------------------------------------------------------------------------


class Reader(NamedTuple):
    """An active person with a post today, as far as writing to them needs it."""

    id: str
    language: str


_READERS = Prepared(
    select(_PERSON.c.id, _PERSON.c.language).where(
        _PERSON.c.id.in_(bindparam("persons", expanding=True)), _PERSON.c.active == 1,
        _held(and_(_OWN_POST.c.person_id == _PERSON.c.id, _valid(_OWN_POST))),
    )
)  # fmt: skip


def readers(tx: Tx, persons: Iterable[str], today: date) -> dict[str, Reader]:
    """Those of these persons who are active and hold a post today, by id."""
    wanted = sorted({person for person in persons if person})
    return {
        row[0]: Reader(*row) for row in (tx.all(_READERS, persons=wanted, today=today.isoformat()) if wanted else ())
    }
