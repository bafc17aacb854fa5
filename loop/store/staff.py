"""Persons and what is said of them: posts, substitutes, recusals. Every change is entered in the chain "people"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import bindparam, delete, or_, select, update

from loop.kernel.errors import Conflict, Invalid, NotFound
from loop.kernel.labels import LANGUAGES, Label
from loop.kernel.people import DEPARTMENT, IMPARTIAL, INSPECTOR, PARTIAL, REGION_ROLES, STAND_INS, UNIT_ROLES, Path
from loop.store.chronicle import By, enter
from loop.store.core import table_of
from loop.store.instants import day_text
from loop.store.paging import Page, page_by_id
from loop.store.places import changed, find_region, find_unit, inside, new_id
from loop.store.registry import PersonRow, PostRow, RecusalRow, RegionRow, SubstituteRow, UnitRow
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert
from loop.store.texts import line

FOREVER = date(9999, 12, 31)
"""The last day of what has no end."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_RESERVED = {"system"}
_PERSON, _POST = table_of(PersonRow), table_of(PostRow)
_REGION, _UNIT = table_of(RegionRow), table_of(UnitRow)
_SUBSTITUTE, _RECUSAL = table_of(SubstituteRow), table_of(RecusalRow)


@dataclass(frozen=True, slots=True)
class Person:
    """An account, without its password."""

    id: str
    name: str
    full_name: str
    language: str
    active: bool


@dataclass(frozen=True, slots=True)
class PostRecord:
    """A role held over a region (a code) or at a unit, from and until a day, both included.

    An inspector's post may name both: then the inspector is responsible for that unit.
    """

    id: str
    person_id: str
    role: str
    region: str | None
    unit_id: str | None
    from_on: date
    until_on: date


@dataclass(frozen=True, slots=True)
class Substitution:
    """`by_id` acts for `person_id` on the days from `from_on` to `until_on`."""

    id: str
    person_id: str
    by_id: str
    from_on: date
    until_on: date


@dataclass(frozen=True, slots=True)
class Recusal:
    """Why a person stays out of everything about a unit, until a day."""

    person_id: str
    unit_id: str
    ground: str
    until_on: date


# ---- persons -----------------------------------------------------------------------------------------------------

_COLUMNS = (_PERSON.c.id, _PERSON.c.name, _PERSON.c.full_name, _PERSON.c.language, _PERSON.c.active)
_BY_ID = Prepared(select(*_COLUMNS).where(_PERSON.c.id == bindparam("id")))
_BY_NAME = Prepared(select(*_COLUMNS).where(_PERSON.c.name == bindparam("name")))
_ADD = Prepared(_PERSON.insert())
_SET = Prepared(update(_PERSON).where(_PERSON.c.id == bindparam("key")), columns=["full_name", "language", "active"])


def add_person(tx: Tx, by: By, *, name: str, full_name: str, language: str = "zh", password: str = "") -> Person:
    """Add an account; `password` is a finished hash. Raises Invalid, or Conflict where the name is taken."""
    check_name(name)
    if find_person(tx, name):
        raise Conflict(Label(f"登录名 {name} 已被使用。", f"The name {name} is taken."))
    added = Person(new_id(), name, line("full_name", full_name, 80), _language(language), active=True)
    tx.run(_ADD, password=password, **_person_columns(added))
    enter(tx, by, "add_person", payload={"name": name}, effects={"person": _person_columns(added)})
    return added


def check_name(name: str) -> None:
    """Raises Invalid for what cannot be a sign-in name."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise Invalid.field(
            "name",
            "须是英文字母、数字和 . _ @ + -，最多 64 个字符。",
            "takes ASCII letters, digits and . _ @ + -, at most 64.",
        )


def find_person(tx: Tx, name: str) -> Person | None:
    """The person with this sign-in name, active or not."""
    row = tx.one(_BY_NAME, name=name)
    return _person(row) if row else None


def person(tx: Tx, id_: str) -> Person:
    """The person with this id; raises NotFound."""
    row = tx.one(_BY_ID, id=id_)
    if row is None:
        raise NotFound
    return _person(row)


def persons(
    tx: Tx, *, active: bool | None = None, within: Iterable[Path] | None = None, own: Iterable[str] = (),
    after: str | None = None, limit: int = 50,
) -> Page[Person]:  # fmt: skip
    """Persons in the order of their ids; with `within` only those who have or had a post over, or at a unit of, a region
    with one of these paths, and those with an id in `own`.
    """
    query = select(*_COLUMNS)
    if within is not None:
        codes = select(_REGION.c.code).where(inside(within))
        units = select(_UNIT.c.id).where(_UNIT.c.region.in_(codes))
        there = select(_POST.c.person_id).where(or_(_POST.c.region.in_(codes), _POST.c.unit_id.in_(units)))
        query = query.where(or_(_PERSON.c.id.in_(there), _PERSON.c.id.in_(sorted(set(own)))))
    if active is not None:
        query = query.where(_PERSON.c.active == int(active))
    return page_by_id(tx, query, _PERSON.c.id, "persons", after=after, limit=limit, value=_person)


def change_person(tx: Tx, by: By, id_: str, changes: Mapping[str, Any]) -> Person:
    """Change `full_name`, `language` or `active`; raises NotFound or Invalid."""
    before = person(tx, id_)
    new = changed(asdict(before), changes, "full_name", "language", "active")
    if "full_name" in new:
        new["full_name"] = line("full_name", new["full_name"], 80)
    if not new:
        return before
    after = Person(**{**asdict(before), **new})
    _language(after.language)
    tx.run(_SET, key=id_, full_name=after.full_name, language=after.language, active=int(after.active))
    enter(tx, by, "change_person", payload={"id": id_, **new}, effects={"person": _person_columns(after)})
    return after


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise Invalid.field("language", "须是 zh 或 en。", f"is one of {', '.join(LANGUAGES)}.", "unknown")
    return language


def _person(row: Any) -> Person:
    id_, name, full_name, language, active = row
    return Person(id_, name, full_name, language, bool(active))


def _person_columns(value: Person) -> dict[str, Any]:
    return {**asdict(value), "active": int(value.active)}


# ---- posts -------------------------------------------------------------------------------------------------------

_POST_ADD = Prepared(_POST.insert())
_POSTS_OF = Prepared(select(_POST).where(_POST.c.person_id == bindparam("person_id")).order_by(_POST.c.id))
_POSTS_OF_MANY = Prepared(
    select(_POST).where(_POST.c.person_id.in_(bindparam("persons", expanding=True))).order_by(_POST.c.id)
)
_POST_ONE = Prepared(select(_POST).where(_POST.c.id == bindparam("id")))
_POST_END = Prepared(update(_POST).where(_POST.c.id == bindparam("key")), columns=["until_on"])


def enrol(
    tx: Tx, by: By, *, name: str, full_name: str, role: str, from_on: date,
    region: str | None = None, unit_id: str | None = None, language: str = "zh", password: str = "",
) -> tuple[Person, PostRecord]:  # fmt: skip
    """Give `name` a post, making the account first where the name is new."""
    holder = find_person(tx, name)
    if holder is None:
        holder = add_person(tx, by, name=name, full_name=full_name, language=language, password=password)
    return holder, add_post(tx, by, person_id=holder.id, role=role, region=region, unit_id=unit_id, from_on=from_on)


def add_post(
    tx: Tx, by: By, *, person_id: str, role: str, from_on: date,
    region: str | None = None, unit_id: str | None = None, until_on: date = FOREVER,
) -> PostRecord:  # fmt: skip
    """Give a person a post; raises NotFound, Invalid for a post that cannot be, Conflict where it is held already."""
    holder = person(tx, person_id)
    _check_span("until_on", from_on, until_on)
    _check_place(tx, role, region, unit_id)
    added = PostRecord(new_id(), person_id, role, region, unit_id, from_on, until_on)
    if any(_same(added, held) for held in posts_of(tx, person_id)):
        raise Conflict(Label(f"{holder.full_name}已任此岗位。", f"{holder.name} holds this post already."))
    tx.run(_POST_ADD, **_dated(added))
    enter(tx, by, "add_post", payload={"person": holder.name}, effects={"post": _dated(added)})
    return added


def posts_of(tx: Tx, person_id: str) -> tuple[PostRecord, ...]:
    """All posts of a person, past and future ones too, in the order in which they were given."""
    return tuple(post_of(row) for row in tx.all(_POSTS_OF, person_id=person_id))


def posts_of_many(tx: Tx, persons: Iterable[str]) -> dict[str, list[PostRecord]]:
    """All posts of several persons by person, in one query."""
    found: dict[str, list[PostRecord]] = {id_: [] for id_ in persons}
    for row in tx.all(_POSTS_OF_MANY, persons=sorted(found)) if found else ():
        held = post_of(row)
        found[held.person_id].append(held)
    return found


def end_post(tx: Tx, by: By, post_id: str, until_on: date) -> PostRecord:
    """Let a post end with the day `until_on`; raises NotFound, or Invalid where that is long before it began."""
    row = tx.one(_POST_ONE, id=post_id)
    if row is None:
        raise NotFound
    held = post_of(row)
    if until_on < held.from_on and held.from_on.toordinal() - until_on.toordinal() > 1:
        raise Invalid.field("until_on", "早于任职开始。", "lies before the post began.", "order")
    ended = PostRecord(**{**asdict(held), "until_on": until_on})
    tx.run(_POST_END, key=post_id, until_on=day_text(until_on))
    enter(tx, by, "end_post", payload={"id": post_id, "until_on": day_text(until_on)}, effects={"post": _dated(ended)})
    return ended


def _check_place(tx: Tx, role: str, region: str | None, unit_id: str | None) -> None:
    """Region roles stand over a region, unit roles at a unit; only an inspector may have both."""
    if role not in REGION_ROLES | UNIT_ROLES:
        raise Invalid.field("role", "没有这个角色。", "there is no such role.", "unknown")
    if (role in REGION_ROLES) != bool(region):
        raise Invalid.field(
            "region", "与角色不相称。", "is needed for roles over a region, and only there.", "mismatch"
        )
    if bool(unit_id) if role in REGION_ROLES - {INSPECTOR} else not unit_id and role in UNIT_ROLES:
        raise Invalid.field("unit", "与角色不相称。", "is needed for roles at a unit, and only there.", "mismatch")
    place = find_region(tx, region) if region else None
    if region and (place is None or not place.active):
        raise Invalid.field("region", "没有这个地区。", "there is no such region.", "unknown")
    if unit_id:
        _check_unit(tx, role, unit_id, place.path if place else ())


def _check_unit(tx: Tx, role: str, unit_id: str, path: tuple[str, ...]) -> None:
    found = find_unit(tx, unit_id)
    if found is None or not found.active:
        raise Invalid.field("unit", "没有这个单位。", "there is no such unit.", "unknown")
    if role == DEPARTMENT and found.kind != "department":
        raise Invalid.field("unit", "不是主管部门。", "is no department.", "mismatch")
    where = find_region(tx, found.region)
    if path and (where is None or where.path[: len(path)] != path):
        raise Invalid.field("unit", "不在该地区内。", "lies outside the region.", "mismatch")


def _check_span(field: str, from_on: date, until_on: date) -> None:
    if until_on < from_on:
        raise Invalid.field(field, "早于开始日期。", "lies before the first day.", "order")


def _same(one: PostRecord, other: PostRecord) -> bool:
    place = (one.role, one.region, one.unit_id) == (other.role, other.region, other.unit_id)
    return place and one.from_on <= other.until_on and other.from_on <= one.until_on


def post_of(row: Sequence[Any]) -> PostRecord:
    """The post whose row this is."""
    id_, person_id, role, region, unit_id, from_on, until_on = row
    return PostRecord(id_, person_id, role, region, unit_id, date.fromisoformat(from_on), date.fromisoformat(until_on))


def _dated(value: PostRecord | Substitution | Recusal) -> dict[str, Any]:
    return {name: day_text(v) if isinstance(v, date) else v for name, v in asdict(value).items()}


# ---- substitutes and recusals --------------------------------------------------------------------------------------

_SUB_OF = Prepared(
    select(_SUBSTITUTE)
    .where(_SUBSTITUTE.c.person_id == bindparam("person_id"))
    .order_by(_SUBSTITUTE.c.from_on, _SUBSTITUTE.c.id)
)
_SUB_CLEAR = Prepared(delete(_SUBSTITUTE).where(_SUBSTITUTE.c.person_id == bindparam("person_id")))
_SUB_ADD = Prepared(_SUBSTITUTE.insert())
_RECUSE = Prepared(upsert(_RECUSAL, ["person_id", "unit_id"], sets=["ground", "until_on"]))
_RECUSALS_OF = Prepared(
    select(_RECUSAL).where(_RECUSAL.c.person_id == bindparam("person_id")).order_by(_RECUSAL.c.unit_id)
)


def substitutes_of(tx: Tx, person_id: str) -> tuple[Substitution, ...]:
    """Who acts for a person, by date."""
    return tuple(
        Substitution(id_, absent, by_id, date.fromisoformat(from_on), date.fromisoformat(until_on))
        for id_, absent, by_id, from_on, until_on in tx.all(_SUB_OF, person_id=person_id)
    )


def set_substitutes(
    tx: Tx, by: By, person_id: str, wanted: tuple[tuple[str, date, date], ...]
) -> tuple[Substitution, ...]:
    """Replace a person's substitutes by `wanted`: (sign-in name, first day, last day), each of like kind. Raises NotFound or
    Invalid.
    """
    holder = person(tx, person_id)
    new = tuple(_substitution(tx, person_id, *one) for one in wanted)
    tx.run(_SUB_CLEAR, person_id=person_id)
    tx.many(_SUB_ADD, [_dated(one) for one in new])
    enter(
        tx, by, "set_substitutes", payload={"person": holder.name},
        effects={"person_id": person_id, "substitutes": [_dated(one) for one in new]},
    )  # fmt: skip
    return substitutes_of(tx, person_id)


def _substitution(tx: Tx, person_id: str, name: str, from_on: date, until_on: date) -> Substitution:
    stand_in = find_person(tx, name)
    if stand_in is None or not stand_in.active or stand_in.id == person_id:
        raise Invalid.field("substitutes", f"{name} 不能代理。", f"{name} cannot be a substitute.", "unknown")
    _check_span("substitutes", from_on, until_on)
    lent, own = (_posts_within(tx, id_, from_on, until_on) for id_ in (person_id, stand_in.id))
    if lent and not any(_of_like_kind(post, own) for post in lent):
        raise Invalid.field(
            "substitutes",
            f"{name} 不能代理：代理人在此期间须任同类岗位（督导办岗位由督导办人员代理，单位和部门由本单位人员代理），"
            "且单位、部门、审计和系统管理人员不得代理督导办或领导岗位。",
            f"{name} cannot be a substitute: it takes a post of like kind in that time (an office's people for an office post, "
            "the same unit's or department's for theirs), and nobody of a unit, a department, the audit or the administration "
            "stands in for an office or a leader.",
            "unlike",
        )
    return Substitution(new_id(), person_id, stand_in.id, from_on, until_on)


def _posts_within(tx: Tx, person_id: str, from_on: date, until_on: date) -> list[PostRecord]:
    return [held for held in posts_of(tx, person_id) if held.from_on <= until_on and held.until_on >= from_on]


def _of_like_kind(lent: PostRecord, own: Iterable[PostRecord]) -> bool:
    """The same as `people.lendable`, on values: which days exactly is asked anew whenever the post is lent."""
    held = list(own)
    if lent.role in IMPARTIAL and any(post.role in PARTIAL for post in held):
        return False
    return any(
        post.role in STAND_INS[lent.role] and (lent.role not in UNIT_ROLES or post.unit_id == lent.unit_id)
        for post in held
    )


def recuse(tx: Tx, by: By, *, person_id: str, unit_id: str, ground: str, until_on: date = FOREVER) -> Recusal:
    """Keep a person out of everything about a unit until a day; a day gone by lifts it. Raises NotFound or Invalid."""
    holder = person(tx, person_id)
    if find_unit(tx, unit_id) is None:
        raise Invalid.field("unit", "没有这个单位。", "there is no such unit.", "unknown")
    barred = Recusal(person_id, unit_id, line("ground", ground), until_on)
    tx.run(_RECUSE, **_dated(barred))
    enter(tx, by, "recuse", payload={"person": holder.name, "unit": unit_id}, effects={"recusal": _dated(barred)})
    return barred


def recusals_of(tx: Tx, person_id: str) -> tuple[Recusal, ...]:
    """Every recusal of a person, lapsed ones too."""
    return tuple(
        Recusal(who, unit_id, ground, date.fromisoformat(until_on))
        for who, unit_id, ground, until_on in tx.all(_RECUSALS_OF, person_id=person_id)
    )
