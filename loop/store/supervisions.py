"""Supervisions: inspection campaigns with their team, period and matters. Each has a hash chain of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select, update

from loop.kernel.errors import Invalid, NotFound
from loop.kernel.facts import SupervisionFact
from loop.kernel.people import INSPECTOR, Path
from loop.store.canonical import canonical
from loop.store.chronicle import By, enter
from loop.store.core import table_of
from loop.store.offices import ids_within, office
from loop.store.paging import Page, page_by_id
from loop.store.places import changed, new_id
from loop.store.registry import PersonRow, PostRow, SupervisionRow, TeamRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.staff import find_person
from loop.store.texts import line, passage

KINDS = ("comprehensive", "special", "routine", "monitoring")

_SUPERVISION, _TEAM, _PERSON, _POST = (
    table_of(SupervisionRow),
    table_of(TeamRow),
    table_of(PersonRow),
    table_of(PostRow),
)


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """How satisfied those asked were: `method` in words, two numbers of people."""

    method: str
    asked: int
    satisfied: int


@dataclass(frozen=True, slots=True)
class Supervision:
    """A campaign from one day to another. `lead` and `team` are sign-in names."""

    id: str
    office_id: str
    kind: str
    title: str
    from_on: date
    until_on: date
    lead: str = ""
    team: tuple[str, ...] = ()
    matters: tuple[str, ...] = ()
    report: str = ""
    satisfaction: Satisfaction | None = None
    active: bool = True


_FIELDS = ("kind", "title", "from_on", "until_on", "lead_id", "matters", "report", "satisfaction", "active")
_CHANGEABLE = ("kind", "title", "from_on", "until_on", "lead", "team", "matters", "report", "satisfaction", "active")
_WHOLE = select(_SUPERVISION, func.coalesce(_PERSON.c.name, "")).join_from(
    _SUPERVISION, _PERSON, _PERSON.c.id == _SUPERVISION.c.lead_id, isouter=True
)
_ONE = Prepared(_WHOLE.where(_SUPERVISION.c.id == bindparam("id")))
_SOME = Prepared(_WHOLE.where(_SUPERVISION.c.id.in_(bindparam("ids", expanding=True))))
_ADD = Prepared(_SUPERVISION.insert())
_SET = Prepared(update(_SUPERVISION).where(_SUPERVISION.c.id == bindparam("key")), columns=_FIELDS)
_TEAM_OF = Prepared(
    select(_TEAM.c.supervision_id, _PERSON.c.name)
    .join_from(_TEAM, _PERSON, _PERSON.c.id == _TEAM.c.person_id)
    .where(_TEAM.c.supervision_id.in_(bindparam("ids", expanding=True)))
    .order_by(_PERSON.c.name)
)
_TEAM_CLEAR = Prepared(delete(_TEAM).where(_TEAM.c.supervision_id == bindparam("id")))
_TEAM_ADD = Prepared(_TEAM.insert())
_FACT = Prepared(
    select(
        _SUPERVISION.c.kind, _SUPERVISION.c.office_id,
        select(func.count(func.distinct(_TEAM.c.person_id)))
        .join_from(_TEAM, _PERSON, and_(_PERSON.c.id == _TEAM.c.person_id, _PERSON.c.active == 1))
        .join(_POST, and_(
            _POST.c.person_id == _TEAM.c.person_id, _POST.c.role == INSPECTOR,
            _POST.c.from_on <= bindparam("today"), _POST.c.until_on >= bindparam("today"),
        ))
        .where(_TEAM.c.supervision_id == _SUPERVISION.c.id)
        .scalar_subquery(),
    ).where(_SUPERVISION.c.id == bindparam("id"), _SUPERVISION.c.active == 1)
)  # fmt: skip


def chain_of(id_: str) -> str:
    """The name of a supervision's hash chain."""
    return f"supervision:{id_}"


def add_supervision(tx: Tx, by: By, wanted: Supervision) -> Supervision:
    """Add a campaign; its `id` is given here. Raises Invalid for an office, person, kind or period that cannot be."""
    try:
        office(tx, wanted.office_id)
    except NotFound:
        raise Invalid.field("office", "没有这个督导机构。", "there is no such office.", "unknown") from None
    added = Supervision(**{**_fields(wanted), "id": new_id()})
    return _written(tx, by, added, "add_supervision", {}, new=True)


def supervision(tx: Tx, id_: str) -> Supervision:
    """The supervision with this id; raises NotFound."""
    row = tx.one(_ONE, id=id_)
    if row is None:
        raise NotFound
    return _with_teams(tx, [_value(row)])[0]


def some(tx: Tx, ids: Iterable[str]) -> dict[str, Supervision]:
    """Those of these supervisions that there are, by id."""
    wanted = sorted(set(ids))
    found = [_value(row) for row in tx.all(_SOME, ids=wanted)] if wanted else []
    return {value.id: value for value in _with_teams(tx, found)}


def supervisions(
    tx: Tx, *, offices: Iterable[str] | None = None, within: Iterable[Path] | None = None, active: bool | None = None,
    after: str | None = None, limit: int = 50,
) -> Page[Supervision]:  # fmt: skip
    """Supervisions in the order of their ids: of `offices` (ids) only, of offices in regions with one of the paths
    `within` only, where given.
    """
    query = _WHOLE
    if offices is not None:
        query = query.where(_SUPERVISION.c.office_id.in_(sorted(set(offices))))
    if within is not None:
        query = query.where(_SUPERVISION.c.office_id.in_(ids_within(tx, within)))
    if active is not None:
        query = query.where(_SUPERVISION.c.active == int(active))
    found = page_by_id(tx, query, _SUPERVISION.c.id, "supervisions", after=after, limit=limit, value=_value)
    return Page(tuple(_with_teams(tx, found.items)), found.next)


def change_supervision(tx: Tx, by: By, id_: str, changes: Mapping[str, Any]) -> Supervision:
    """Change anything but the office; raises NotFound or Invalid."""
    before = supervision(tx, id_)
    new = changed(_fields(before), changes, *_CHANGEABLE)
    if not new:
        return before
    return _written(tx, by, Supervision(**{**_fields(before), **new}), "change_supervision", new, new=False)


def supervision_fact(tx: Tx, id_: str, today: date) -> SupervisionFact | None:
    """An active supervision as decisions know it, with the number of inspectors in its team today."""
    row = tx.one(_FACT, id=id_, today=today.isoformat())
    return SupervisionFact(id=id_, kind=row[0], office_id=row[1], inspectors=int(row[2])) if row else None


def _written(tx: Tx, by: By, wanted: Supervision, action: str, changes: Mapping[str, Any], *, new: bool) -> Supervision:
    checked = _checked(wanted)
    people = {name: _person_id(tx, name) for name in dict.fromkeys((*checked.team, *filter(None, [checked.lead])))}
    columns = _columns(checked, people.get(checked.lead, ""))
    if new:
        tx.run(_ADD, id=checked.id, office_id=checked.office_id, **columns)
    else:
        tx.run(_SET, key=checked.id, **columns)
    tx.run(_TEAM_CLEAR, id=checked.id)
    tx.many(_TEAM_ADD, [{"supervision_id": checked.id, "person_id": people[name]} for name in checked.team])
    effects = {"supervision": {"id": checked.id, "office_id": checked.office_id, **columns}, "team": list(checked.team)}
    enter(tx, by, action, chain=chain_of(checked.id), payload=_plain(changes), effects=effects)
    return supervision(tx, checked.id)


def _checked(value: Supervision) -> Supervision:
    if value.kind not in KINDS:
        raise Invalid.field("kind", f"须是 {'、'.join(KINDS)} 之一。", f"is one of {', '.join(KINDS)}.", "unknown")
    if value.until_on < value.from_on:
        raise Invalid.field("period", "结束早于开始。", "ends before it begins.", "order")
    if (told := value.satisfaction) and not 0 <= told.satisfied <= told.asked <= 10**9:
        raise Invalid.field(
            "satisfaction", "满意人数不能多于调查人数。", "cannot count more satisfied than asked.", "range"
        )
    texts = {"title": line("title", value.title), "report": passage("report", value.report)}
    matters = tuple(line("matters", matter, 500) for matter in value.matters)
    team = tuple(sorted(set(value.team)))
    return Supervision(**{**_fields(value), **texts, "matters": matters, "team": team})


def _person_id(tx: Tx, name: str) -> str:
    found = find_person(tx, name)
    if found is None or not found.active:
        raise Invalid.field("team", f"没有账号 {name}。", f"there is no account {name}.", "unknown")
    return found.id


def _fields(value: Supervision) -> dict[str, Any]:
    return {name: getattr(value, name) for name in ("id", "office_id", *_CHANGEABLE)}


def _columns(value: Supervision, lead_id: str) -> dict[str, Any]:
    told = value.satisfaction
    return {
        "kind": value.kind, "title": value.title, "from_on": value.from_on.isoformat(),
        "until_on": value.until_on.isoformat(), "lead_id": lead_id, "matters": canonical(list(value.matters)),
        "report": value.report, "satisfaction": canonical(asdict(told)) if told else "", "active": int(value.active),
    }  # fmt: skip


def _plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes as the data that enters a chain."""
    shown = {name: list(v) if isinstance(v, tuple) else v for name, v in changes.items()}
    shown = {name: asdict(v) if isinstance(v, Satisfaction) else v for name, v in shown.items()}
    return {name: v.isoformat() if isinstance(v, date) else v for name, v in shown.items()}


def _value(row: Any) -> Supervision:
    id_, office_id, kind, title, from_on, until_on, _, matters, report, satisfaction, active, lead = row
    told = Satisfaction(**json.loads(satisfaction)) if satisfaction else None
    first, last = date.fromisoformat(from_on), date.fromisoformat(until_on)
    return Supervision(
        id_, office_id, kind, title, first, last, lead, (), tuple(json.loads(matters)), report, told, bool(active)
    )


def _with_teams(tx: Tx, found: Iterable[Supervision]) -> list[Supervision]:
    values = list(found)
    teams: dict[str, list[str]] = {value.id: [] for value in values}
    for id_, name in tx.all(_TEAM_OF, ids=sorted(teams)) if teams else ():
        teams[id_].append(name)
    return [Supervision(**{**_fields(value), "team": tuple(teams[value.id])}) for value in values]
