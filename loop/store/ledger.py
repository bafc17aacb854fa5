"""The ledger: pages of findings in a reader's reach, in four orders, by keyset, and how many there are up to a limit.

The ids of a page are found first, from the finding table alone, once for each ground on which the reader sees, so that
every part follows an index; the rows shown are looked up after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select, tuple_, union
from sqlalchemy.sql.expression import FromClause

from loop.kernel.errors import Invalid
from loop.kernel.people import Actor
from loop.store import reach, search
from loop.store.core import table_of
from loop.store.instants import instant_of
from loop.store.ledger_filter import LedgerFilter, conditions, narrow
from loop.store.lights import is_overdue, light
from loop.store.paging import Key, Page, cursor, key_of, limit_of
from loop.store.registry import OfficeRow, RegionRow, UnitRow
from loop.store.session import Tx
from loop.store.tables import FindingRow

COUNT_LIMIT = 10_000
"""Counting stops here."""

_FINDING, _UNIT, _OFFICE, _REGION = table_of(FindingRow), table_of(UnitRow), table_of(OfficeRow), table_of(RegionRow)
_HEAVY = {"title", "description", "responsible_person", "head", "sheet"}
_LIGHT_COLUMNS = [c for c in _FINDING.c if c.name not in _HEAVY]


@dataclass(frozen=True, slots=True)
class Order:
    """A way to sort: the columns that make up the key, their types, and a value before every other."""

    columns: tuple[str, ...]
    types: tuple[type, ...]
    lowest: Key


ORDERS = {
    "due_at": Order(("due_at", "id"), (str, int), ("", 0)),
    "opened_at": Order(("opened_at", "id"), (str, int), ("", 0)),
    "number": Order(("number",), (str,), ("",)),
    "level": Order(("level", "id"), (int, int), (-1, 0)),
}


@dataclass(frozen=True, slots=True)
class Named:
    """Something a row refers to: its id or code, and its name."""

    id: str
    name: str
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One line of the ledger; `due_at`, `suspended_at`, `written_off_at`, `changed_at` may be `NEVER`."""

    id: int
    number: str
    title: str
    description: str
    state: str
    dispute: str
    level: int
    round: int
    relapse_count: int
    severity: str
    category: str
    kind: str
    unit: Named
    department_id: str | None
    office: Named
    region: Named
    supervision_id: str | None
    opened_at: datetime
    due_at: datetime
    due_rule: str
    waits_for: str
    overdue: bool
    light: str
    is_open: bool
    written_off_at: datetime
    suspended_at: datetime
    changed_at: datetime
    version: int
    responsible_person: str
    positive: bool
    long_term: bool
    danger_to_life: bool

    @property
    def stage(self) -> str:
        """The system it is in: the part of the state before the dot."""
        return self.state.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Count:
    """How many; `more` where there are more than were counted."""

    total: int
    more: bool


def page(
    tx: Tx, actor: Actor, chosen: LedgerFilter, *,
    now: datetime, sort: str = "due_at", after: str | None = None, limit: int = 50,
) -> Page[LedgerRow]:  # fmt: skip
    """The findings that `actor` sees and `chosen` asks for, sorted by a name in `ORDERS`, with "-" for descending.

    Raises Invalid for a sort, limit, cursor, region or office that does not exist.
    """
    limit_of(limit)
    order = _order(sort)
    # Bounding the first page too lets it start within an index instead of scanning one.
    start = key_of(sort, after, *order.types) if after else order.lowest
    down = bool(after) and sort.startswith("-")
    source, wanted = _asked(tx, actor, chosen, now, search.RARE)
    key = tuple_(*(source.c[name] for name in order.columns))
    beyond = key < start if down else key > start
    branches = [
        _sorted(select(source.c.id).where(ground, beyond, *wanted), source, sort).limit(limit + 1)
        for ground in reach.grounds(actor, source)
    ]
    if not branches:
        return Page(())
    ids = union(*(select(branch.subquery().c.id) for branch in branches)).subquery("ids")
    rows = tx.select(_sorted(_SHOWN.where(_FINDING.c.id.in_(select(ids.c.id))), _FINDING, sort).limit(limit + 1))
    items = tuple(_line(row, now) for row in rows[:limit])
    return Page(items, cursor(sort, _key(rows[limit - 1], order)) if len(rows) > limit else None)


def count(tx: Tx, actor: Actor, chosen: LedgerFilter, *, now: datetime) -> Count:
    """How many findings `actor` sees and `chosen` asks for; counts no further than `COUNT_LIMIT`."""
    source, wanted = _asked(tx, actor, chosen, now, search.COUNTABLE)
    seen = select(source.c.id).where(reach.in_reach(actor, source), source.c.due_at > "", *wanted)
    total = int(tx.select(select(func.count()).select_from(seen.limit(COUNT_LIMIT + 1).subquery()))[0][0])
    return Count(min(total, COUNT_LIMIT), total > COUNT_LIMIT)


def _order(sort: str) -> Order:
    order = ORDERS.get(sort.removeprefix("-"))
    if order is None:
        names = ", ".join(ORDERS)
        raise Invalid.field("sort", f"只能按 {names} 排序。", f"is one of {names}, with - for descending.", "unknown")
    return order


def _asked(
    tx: Tx, actor: Actor, chosen: LedgerFilter, now: datetime, few_hits: int
) -> tuple[FromClause, tuple[ColumnElement[bool], ...]]:
    """Where to look, and what to ask there.

    Few hits are fetched first and filtered and sorted after, whatever the planner thinks; many are met soon enough by
    walking the ledger in its order.
    """
    few = narrow(chosen, actor.id, _FINDING)
    late_check = bool(search.terms(chosen.q)) and not search.is_rare(tx, chosen.q, few_hits)
    if search.terms(chosen.q) and not late_check:
        few.append(search.condition(chosen.q, tx.dialect))
    source: FromClause = _FINDING
    if few:
        source = select(*_LIGHT_COLUMNS).where(*few).cte("found").prefix_with("MATERIALIZED")
    wanted = (*conditions(tx, chosen, source, now), *((search.check(chosen.q, source),) if late_check else ()))
    return source, wanted


def _sorted(query: Select[Any], source: FromClause, sort: str) -> Select[Any]:
    columns = (source.c[name] for name in _order(sort).columns)
    return query.order_by(*(column.desc() if sort.startswith("-") else column for column in columns))


def _key(row: Sequence[Any], order: Order) -> Key:
    return tuple(row[_PLACE[name]] for name in order.columns)


# ---- rows --------------------------------------------------------------------------------------------------------

_ROOT = select(_REGION.c.code).where(_REGION.c.parent.is_(None)).limit(1).scalar_subquery()
_REGION_CODE = case(
    *((_FINDING.c[name] != "", _FINDING.c[name]) for name in reversed(reach.LEVELS)), else_=func.coalesce(_ROOT, "")
)
_PLAIN = (
    "id", "number", "title", "description", "state", "dispute", "level", "round", "relapse_count", "severity",
    "category", "kind", "department_id", "supervision_id", "due_rule", "waits_for", "version", "responsible_person",
)  # fmt: skip
_FLAGS = ("is_open", "positive", "long_term", "danger_to_life")
_INSTANTS = ("opened_at", "due_at", "written_off_at", "suspended_at", "changed_at")
_NAMES = (*_PLAIN, *_FLAGS, *_INSTANTS)
_PLACE = {name: place for place, name in enumerate(_NAMES)}
_SHOWN = (
    select(
        *(_FINDING.c[name] for name in _NAMES), _FINDING.c.unit_id, func.coalesce(_UNIT.c.name, ""),
        _FINDING.c.unit_kind, func.coalesce(_OFFICE.c.code, ""), func.coalesce(_OFFICE.c.name, ""),
        _REGION_CODE, func.coalesce(_REGION.c.name, ""),
    )
    .select_from(_FINDING)
    .outerjoin(_UNIT, _UNIT.c.id == _FINDING.c.unit_id)
    .outerjoin(_OFFICE, _OFFICE.c.id == _FINDING.c.office_id)
    .outerjoin(_REGION, _REGION.c.code == _REGION_CODE)
)  # fmt: skip


def _line(row: Sequence[Any], now: datetime) -> LedgerRow:
    values: dict[str, Any] = {name: row[_PLACE[name]] for name in _PLAIN}
    values |= {name: bool(row[_PLACE[name]]) for name in _FLAGS}
    values |= {name: instant_of(row[_PLACE[name]]) for name in _INSTANTS}
    due, suspended = values["due_at"], values["suspended_at"]
    unit_id, unit_name, unit_kind, office_code, office_name, region, region_name = row[len(_NAMES) :]
    return LedgerRow(
        **values,
        unit=Named(unit_id, unit_name, unit_kind),
        office=Named(office_code, office_name),
        region=Named(region, region_name),
        overdue=is_overdue(due_at=due, suspended_at=suspended, now=now),
        light=light(is_open=values["is_open"], suspended_at=suspended, due_at=due, level=values["level"], now=now),
    )
