"""The names that ids and codes stand for: those around a finding in one query, and those of people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, true

from loop.kernel.finding import Finding
from loop.store.core import table_of
from loop.store.registry import OfficeRow, PersonRow, RegionRow, UnitRow
from loop.store.session import Tx
from loop.store.sql import Prepared

_OFFICE, _UNIT, _REGION, _PERSON = table_of(OfficeRow), table_of(UnitRow), table_of(RegionRow), table_of(PersonRow)


@dataclass(frozen=True, slots=True)
class Names:
    """What people call the unit, the office and the region of a finding; empty where there is none."""

    unit: str
    office_code: str
    office: str
    region: str


_OF = Prepared(
    select(_UNIT.c.name, _OFFICE.c.code, _OFFICE.c.name, func.coalesce(_REGION.c.name, ""))
    .select_from(_UNIT)
    .join(_OFFICE, true())
    .outerjoin(_REGION, _REGION.c.code == bindparam("region"))
    .where(_UNIT.c.id == bindparam("unit_id"), _OFFICE.c.id == bindparam("office_id"))
)


def of_finding(tx: Tx, finding: Finding) -> Names:
    """The names around one finding."""
    region = finding.place.region[-1] if finding.place.region else ""
    row = tx.one(_OF, unit_id=finding.unit_id, office_id=finding.office_id, region=region)
    return Names(*row) if row else Names("", "", "", "")


_PEOPLE = Prepared(
    select(_PERSON.c.id, _PERSON.c.name, _PERSON.c.full_name).where(_PERSON.c.id.in_(bindparam("ids", expanding=True)))
)


def of_people(tx: Tx, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Sign-in name and full name of each of these persons, by id."""
    wanted = sorted(set(ids))
    return {row[0]: (row[1], row[2]) for row in tx.all(_PEOPLE, ids=wanted)} if wanted else {}


_UNITS = Prepared(select(_UNIT.c.id, _UNIT.c.name).where(_UNIT.c.id.in_(bindparam("ids", expanding=True))))
_REGIONS = Prepared(select(_REGION.c.code, _REGION.c.name).where(_REGION.c.code.in_(bindparam("ids", expanding=True))))
_OFFICES = Prepared(select(_OFFICE.c.id, _OFFICE.c.name).where(_OFFICE.c.id.in_(bindparam("ids", expanding=True))))


def of_units(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """The name of each of these units, by id."""
    return _called(tx, _UNITS, ids)


def of_regions(tx: Tx, codes: Iterable[str]) -> dict[str, str]:
    """The name of each of these regions, by code."""
    return _called(tx, _REGIONS, codes)


def of_offices(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """The name of each of these offices, by id."""
    return _called(tx, _OFFICES, ids)


def _called(tx: Tx, query: Prepared, ids: Iterable[str]) -> dict[str, str]:
    wanted = sorted({id_ for id_ in ids if id_})
    return {row[0]: row[1] for row in tx.all(query, ids=wanted)} if wanted else {}


_ACCOUNTS = Prepared(
    select(_PERSON.c.name, _PERSON.c.full_name).where(_PERSON.c.name.in_(bindparam("ids", expanding=True)))
)


def of_accounts(tx: Tx, accounts: Iterable[str]) -> dict[str, str]:
    """The full name of whoever signs in with each of these names."""
    return _called(tx, _ACCOUNTS, accounts)
