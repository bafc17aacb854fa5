"""What presses most in a region: the longest overdue, those highest on the ladder, the units that are next in line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, func, literal_column, select

from loop.kernel.people import Path, Place
from loop.store.core import table_of
from loop.store.instants import NEVER_TEXT, instant_of, text_of
from loop.store.places import path_of
from loop.store.reach import LEVELS, within
from loop.store.registry import OfficeRow, RegionRow, UnitRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import FindingRow

_FINDING, _UNIT, _OFFICE, _REGION = table_of(FindingRow), table_of(UnitRow), table_of(OfficeRow), table_of(RegionRow)
WALK = 200
"""So many findings are looked at for the units that are next in line."""
CLIMBING = 3
"""The level from which a finding is said to climb."""
_LITERAL = literal_column(str(CLIMBING), Integer())
"""No parameter: only then the database sees that the index of these findings serves."""


@dataclass(frozen=True, slots=True)
class Pressing:
    """A finding that presses, with where it stands in the tree of offices and regions."""

    id: int
    number: str
    title: str
    state: str
    level: int
    due_at: datetime
    due_rule: str
    waits_for: str
    suspended: bool
    unit: str
    place: Place


def longest_overdue(tx: Tx, path: Path, now: datetime, most: int) -> tuple[int, ...]:
    """Ids of the open findings of a region that are overdue, the longest first."""
    c = _FINDING.c
    query = select(c.id).where(
        within(path), c.due_at > "", c.due_at < text_of(now), c.is_open == 1, c.suspended_at == NEVER_TEXT
    ).order_by(c.due_at, c.id).limit(most)  # fmt: skip
    return tuple(row[0] for row in tx.select(query))


def climbers(tx: Tx, path: Path, most: int) -> tuple[int, ...]:
    """Ids of the open findings of a region that are highest on the ladder, from level `CLIMBING`."""
    c = _FINDING.c
    query = select(c.id).where(within(path), c.level >= _LITERAL, c.is_open == 1)
    return tuple(row[0] for row in tx.select(query.order_by(c.level.desc(), c.id.desc()).limit(most)))


def next_units(tx: Tx, path: Path, most: int) -> tuple[tuple[str, str], ...]:
    """The units of a region whose findings are due first, the longest overdue before all others; each with the smallest
    region in which it lay, empty for the country.
    """
    c = _FINDING.c
    query = select(c.unit_id, c.is_open, c.suspended_at, *(c[name] for name in LEVELS)).where(
        within(path), c.due_at > "", c.due_at < NEVER_TEXT
    ).order_by(c.due_at, c.id).limit(WALK)  # fmt: skip
    found: dict[tuple[str, str], None] = {}
    for unit_id, is_open, still, *codes in tx.select(query):
        if is_open and still == NEVER_TEXT:
            found[unit_id, next((code for code in reversed(codes) if code), "")] = None
    return tuple(found)[:most]


_BELOW = Prepared(
    select(_REGION.c.code, _REGION.c.name, _REGION.c.active)
    .where(_REGION.c.parent == bindparam("parent"))
    .order_by(_REGION.c.code)
)
_LINES = Prepared(
    select(
        _FINDING.c.id, _FINDING.c.number, _FINDING.c.title, _FINDING.c.state, _FINDING.c.level, _FINDING.c.due_at,
        _FINDING.c.due_rule, _FINDING.c.waits_for, _FINDING.c.suspended_at, func.coalesce(_UNIT.c.name, ""),
        _FINDING.c.unit_id, _FINDING.c.department_id, _REGION.c.path, *(_FINDING.c[name] for name in LEVELS),
    )
    .join_from(_FINDING, _OFFICE, _OFFICE.c.id == _FINDING.c.office_id)
    .join(_REGION, _REGION.c.code == _OFFICE.c.region)
    .outerjoin(_UNIT, _UNIT.c.id == _FINDING.c.unit_id)
    .where(_FINDING.c.id.in_(bindparam("ids", expanding=True)))
)  # fmt: skip


def below(tx: Tx, code: str) -> tuple[tuple[str, str, bool], ...]:
    """Code and name of each region directly below one, and whether it is in use."""
    return tuple((code, name, bool(active)) for code, name, active in tx.all(_BELOW, parent=code))


def lines(tx: Tx, ids: Sequence[int]) -> dict[int, Pressing]:
    """These findings by id."""
    return {row[0]: _line(row) for row in (tx.all(_LINES, ids=sorted(set(ids))) if ids else ())}


def _line(row: Sequence[Any]) -> Pressing:
    id_, number, title, state, level, due_at, rule, waits_for, still, unit, unit_id, department_id, office, *codes = row
    path = path_of(office)
    return Pressing(
        id=id_, number=number, title=title, state=state, level=level, due_at=instant_of(due_at), due_rule=rule,
        waits_for=waits_for, suspended=still != NEVER_TEXT, unit=unit,
        place=Place(
            office_region=path, superior_region=None, region=(*path[:1], *(code for code in codes if code)),
            unit_id=unit_id, department_id=department_id,
        ),
    )  # fmt: skip
