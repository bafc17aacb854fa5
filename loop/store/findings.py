"""The row of a finding: read as the kernel's value with its place and timers, written back with a version check."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from json import loads
from typing import Any

from sqlalchemy import Select, bindparam, insert, select, update

from loop.kernel.clocks import Timer
from loop.kernel.finding import Finding, is_open
from loop.kernel.people import Path, Place
from loop.store import timers
from loop.store.canonical import canonical
from loop.store.core import table_of
from loop.store.faults import Moved
from loop.store.instants import day_of, day_text, instant_of, text_of
from loop.store.reach import LEVELS, levels
from loop.store.registry import OfficeRow, RegionRow, UnitRow
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert
from loop.store.tables import FindingRow, SerialRow

_FINDING, _SERIAL, _OFFICE = table_of(FindingRow), table_of(SerialRow), table_of(OfficeRow)
_UNIT, _REGION = table_of(UnitRow), table_of(RegionRow)
_SUPERIOR = _OFFICE.alias("superior")
_OF_OFFICE, _OF_SUPERIOR, _OF_UNIT = (_REGION.alias(f"{name}_region") for name in ("office", "superior", "unit"))

# ---- a row and its value -----------------------------------------------------------------------------------------

_FLAGS = ("positive", "long_term", "danger_to_life", "served")
_INSTANTS = ("opened_at", "suspended_at", "written_off_at", "due_at")
_PLAIN = (
    "id", "number", "office_id", "unit_id", "unit_kind", "department_id", "supervision_id", "title", "description",
    "kind", "category", "severity", "state", "dispute", "level", "round", "relapse_count", "responsible_person",
    "due_rule", "waits_for", "version", "head",
)  # fmt: skip
_READ = (*_PLAIN, *_FLAGS, *_INSTANTS, "accountable_on", "sheet")
_WRITTEN = (*_READ[1:], *LEVELS, "is_open", "changed_at")


def _values(finding: Finding, changed_at: datetime) -> dict[str, Any]:
    return {
        **{name: getattr(finding, name) for name in _PLAIN if name != "id"},
        **{name: int(getattr(finding, name)) for name in _FLAGS},
        **{name: text_of(getattr(finding, name)) for name in _INSTANTS},
        **levels(finding.place.region),
        "accountable_on": day_text(finding.accountable_on),
        "sheet": canonical(finding.sheet),
        "is_open": int(is_open(finding.state)),
        "changed_at": text_of(changed_at),
    }


def _finding(row: Sequence[Any], running: tuple[Timer, ...]) -> Finding:
    values = dict(zip(_READ, row, strict=False))
    for name in _FLAGS:
        values[name] = bool(values[name])
    for name in _INSTANTS:
        values[name] = instant_of(values[name])
    values["accountable_on"] = day_of(values["accountable_on"])
    sheet = values["sheet"] = loads(values["sheet"])
    place = Place(
        *_paths(row[len(_READ) : -len(LEVELS)], row[-len(LEVELS) :]),
        unit_id=values["unit_id"],
        department_id=values["department_id"],
        author_id=sheet.get("author"),
        reviewers=tuple(sheet.get("reviewers", ())),
    )
    return Finding(**values, timers=running, place=place)


def _paths(offices: Sequence[str | None], below: Sequence[str]) -> tuple[Path, Path | None, Path]:
    """Paths of the office, of its superior, and of the region whose level columns are `below` the country."""
    office, superior = (tuple(path.split("/")) if path else None for path in offices)
    country = (office or ())[:1]
    return office or (), superior, (*country, *(code for code in below if code))


# ---- reading -----------------------------------------------------------------------------------------------------

_PATHS = (_OF_OFFICE.c.path, _OF_SUPERIOR.c.path)


def _placed(rows: Select[Any]) -> Select[Any]:
    """`rows`, which know the office, joined with the regions of the office and of its superior."""
    return (
        rows.join(_OF_OFFICE, _OF_OFFICE.c.code == _OFFICE.c.region)
        .outerjoin(_SUPERIOR, _SUPERIOR.c.id == _OFFICE.c.superior_id)
        .outerjoin(_OF_SUPERIOR, _OF_SUPERIOR.c.code == _SUPERIOR.c.region)
    )


# A finding stands where its unit stood when it was opened, wherever the unit has moved since.
_ROWS = _placed(
    select(*(_FINDING.c[name] for name in _READ), *_PATHS, *(_FINDING.c[name] for name in LEVELS))
    .select_from(_FINDING)
    .join(_OFFICE, _OFFICE.c.id == _FINDING.c.office_id)
)
_ONE = _ROWS.where(_FINDING.c.number == bindparam("number"))
_SOME = _ROWS.where(_FINDING.c.number.in_(bindparam("numbers", expanding=True))).order_by(_FINDING.c.number)
_LOAD, _LOCK = Prepared(_ONE), Prepared(_ONE.with_for_update(of=_FINDING))
_LOAD_SOME, _LOCK_SOME = Prepared(_SOME), Prepared(_SOME.with_for_update(of=_FINDING))
_PLACE = Prepared(
    _placed(select(*_PATHS, _OF_UNIT.c.path).select_from(_OFFICE))
    .join(_UNIT, _UNIT.c.id == bindparam("unit_id"))
    .join(_OF_UNIT, _OF_UNIT.c.code == _UNIT.c.region)
    .where(_OFFICE.c.id == bindparam("office_id"))
)


def load(tx: Tx, number: str, *, lock: bool) -> Finding | None:
    """The finding called `number` with its place and running timers, or None; `lock` holds it until the commit."""
    row = tx.one(_LOCK if lock else _LOAD, number=number)
    return _finding(row, timers.running(tx, number)) if row else None


def load_many(tx: Tx, numbers: Sequence[str], *, lock: bool) -> dict[str, Finding]:
    """Those of `numbers` that exist, by number; locked in the order of their numbers, so two batches never cross."""
    if not numbers:
        return {}
    wanted = sorted(set(numbers))
    rows = tx.all(_LOCK_SOME if lock else _LOAD_SOME, numbers=wanted)
    running = timers.running_of(tx, wanted)
    found = (_finding(row, running.get(row[_READ.index("number")], ())) for row in rows)
    return {finding.number: finding for finding in found}


def place_of(tx: Tx, office_id: str, unit_id: str, department_id: str | None) -> Place | None:
    """Where a finding of this office about this unit stands, before anybody wrote or reviews it; None if either is
    unknown.
    """
    row = tx.one(_PLACE, office_id=office_id, unit_id=unit_id)
    if row is None:
        return None
    *offices, region = row
    return Place(*_paths(offices, region.split("/")[1:]), unit_id=unit_id, department_id=department_id)


# ---- writing -----------------------------------------------------------------------------------------------------

_CREATE = Prepared(insert(_FINDING).returning(_FINDING.c.id), columns=_WRITTEN)
_INDEXED = ("unit_id", "department_id", "supervision_id", "category", "state", "level", "written_off_at", "due_at")
_KEYS = frozenset((*_INDEXED, *LEVELS))
"""Columns that change and of which an index is made; the levels follow the unit."""


@cache
def _update(keys: frozenset[str]) -> tuple[Prepared, tuple[str, ...]]:
    """An update, and the columns it sets: everything that may change, of the indexed columns only `keys`.

    For a column that is set, even to the same value, SQLite takes the entry out of every index and puts it in again.
    """
    here = update(_FINDING).where(
        _FINDING.c.id == bindparam("finding_id"), _FINDING.c.version == bindparam("was_version")
    )
    still = {"number", "opened_at", *(_KEYS - keys)}
    names = tuple(name for name in _WRITTEN if name not in still)
    return Prepared(here, columns=names), names


_SAVE, _ = _update(_KEYS)
_COUNT_UP = Prepared(
    upsert(_SERIAL, ["office_id", "series", "year"], sets={"last": _SERIAL.c.last + 1}, returning=["last"])
)


def create(tx: Tx, blank: Finding, *, changed_at: datetime) -> int:
    """Inserts the row of a new finding as it stands in `blank`, whose own id is ignored; answers its id.

    Raises `Duplicate` if the number is taken.
    """
    return int(tx.all(_CREATE, **_values(blank, changed_at))[0][0])


def save(
    tx: Tx, finding: Finding, *, was_version: int, changed_at: datetime, head: str, before: Finding | None = None
) -> None:
    """Writes every column of `finding` (not its timers), `head` being the hash of its last event; with the finding as it
    stood `before`, indexed columns only where they differ.

    Raises `Moved` if the row is no longer at `was_version`. A finding that has changed its unit is placed anew.
    """
    if finding.unit_id != finding.place.unit_id:
        moved = place_of(tx, finding.office_id, finding.unit_id, finding.department_id)
        if moved is None:
            raise LookupError(f"no unit {finding.unit_id}")
        finding = replace(finding, place=moved)
    statement, names = _update(_KEYS if before is None else _moved(before, finding))
    values = {**_values(finding, changed_at), "head": head}
    set_to = {name: values[name] for name in names}
    if tx.run(statement, finding_id=finding.id, was_version=was_version, **set_to) != 1:
        raise Moved(finding.number)


def _moved(before: Finding, after: Finding) -> frozenset[str]:
    keys = [name for name in _INDEXED if getattr(before, name) != getattr(after, name)]
    return frozenset((*keys, *LEVELS) if "unit_id" in keys else keys)


def next_number(tx: Tx, office_id: str, office_code: str, year: int) -> str:
    """The next number `CODE-YYYY-NNNN` of an office and year; a rollback gives it back."""
    (last,) = tx.all(_COUNT_UP, office_id=office_id, series="number", year=year, last=1)[0]
    return f"{office_code}-{year}-{last:04d}"
