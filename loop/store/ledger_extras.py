"""What the ledger as a file needs beyond its rows: what sheets hold, units by their names, numbers that are taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from json import loads
from typing import Any

from sqlalchemy import bindparam, select

from loop.kernel.people import Actor, Path
from loop.store import reach
from loop.store.core import table_of
from loop.store.places import path_of
from loop.store.registry import RegionRow, UnitRow
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import FindingRow

_FINDING, _UNIT, _REGION = table_of(FindingRow), table_of(UnitRow), table_of(RegionRow)
_CHUNK = 500
_SHEETS = Prepared(
    select(_FINDING.c.id, _FINDING.c.sheet, *(_FINDING.c[name] for name in reach.LEVELS)).where(
        _FINDING.c.id.in_(bindparam("ids", expanding=True))
    )
)
_NAMED = Prepared(
    select(_UNIT.c.name, _UNIT.c.id, _REGION.c.name, _REGION.c.path)
    .join_from(_UNIT, _REGION, _REGION.c.code == _UNIT.c.region)
    .where(_UNIT.c.name.in_(bindparam("names", expanding=True)), _UNIT.c.active == 1)
    .order_by(_UNIT.c.name, _UNIT.c.id)
)


@dataclass(frozen=True, slots=True)
class SheetOf:
    """A finding's sheet, and the codes of its regions below the country."""

    topics: dict[str, Any]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamedUnit:
    """A unit found by its name, and where it is."""

    id: str
    name: str
    region_name: str
    region: Path


def sheets(tx: Tx, ids: Sequence[int]) -> dict[int, SheetOf]:
    """The sheets of these findings by id; for readers who see them."""
    rows = tx.all(_SHEETS, ids=list(ids)) if ids else []
    return {id_: SheetOf(loads(sheet), tuple(code for code in codes if code)) for id_, sheet, *codes in rows}


def units_named(tx: Tx, names: Iterable[str], within: Iterable[Path]) -> dict[str, tuple[NamedUnit, ...]]:
    """The active units with exactly these names in the regions with these paths, by name."""
    wanted, paths = sorted(set(names)), tuple(within)
    found: dict[str, tuple[NamedUnit, ...]] = {}
    for start in range(0, len(wanted), _CHUNK):
        for name, id_, region_name, path in tx.all(_NAMED, names=wanted[start : start + _CHUNK]):
            unit = NamedUnit(id_, name, region_name, path_of(path))
            if any(unit.region[: len(p)] == p for p in paths):
                found[name] = (*found.get(name, ()), unit)
    return found


def taken_numbers(tx: Tx, actor: Actor, numbers: Iterable[str]) -> frozenset[str]:
    """Those of `numbers` that findings in the actor's reach bear."""
    wanted = sorted(set(numbers))
    found: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        some = _FINDING.c.number.in_(wanted[start : start + _CHUNK])
        found.update(row[0] for row in tx.select(select(_FINDING.c.number).where(some, reach.in_reach(actor))))
    return frozenset(found)
