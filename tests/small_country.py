"""A small country for the tests of the registry and the ledger: five levels of regions, three offices, three units."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from loop.kernel.errors import LoopError
from loop.kernel.people import ADMIN, Actor, Path, Post
from loop.store import journal, offices, places, reach, search, staff
from loop.store.chronicle import By
from loop.store.core import table_of
from loop.store.instants import NEVER_TEXT
from loop.store.offices import Office
from loop.store.places import Unit
from loop.store.session import Store, Tx
from loop.store.sql import Prepared
from loop.store.staff import Person
from loop.store.tables import FindingRow

NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
TODAY = date(2026, 3, 2)
ADMINISTRATOR = Actor("root", "root", "管理员", (Post("root", ADMIN, ("100000",)),))
BY = By(ADMINISTRATOR, ADMIN, NOW, "test")

COUNTRY, PROVINCE, CITY, COUNTY, TOWN = "100000", "330000", "330100", "330106", "330106001"
OTHER_PROVINCE, OTHER_CITY = "320000", "320100"
REGIONS = (
    (COUNTRY, "全国", "country", None),
    (PROVINCE, "海棠省", "province", COUNTRY),
    (CITY, "青禾市", "prefecture", PROVINCE),
    (COUNTY, "云溪县", "county", CITY),
    (TOWN, "桐峰镇", "township", COUNTY),
    (OTHER_PROVINCE, "松江省", "province", COUNTRY),
    (OTHER_CITY, "白鹭市", "prefecture", OTHER_PROVINCE),
)
PATHS: dict[str, Path] = {
    COUNTRY: (COUNTRY,),
    PROVINCE: (COUNTRY, PROVINCE),
    CITY: (COUNTRY, PROVINCE, CITY),
    COUNTY: (COUNTRY, PROVINCE, CITY, COUNTY),
    TOWN: (COUNTRY, PROVINCE, CITY, COUNTY, TOWN),
    OTHER_PROVINCE: (COUNTRY, OTHER_PROVINCE),
    OTHER_CITY: (COUNTRY, OTHER_PROVINCE, OTHER_CITY),
}


@dataclass(frozen=True)
class SmallCountry:
    """What was made."""

    province: Office
    county: Office
    other: Office
    bureau: Unit
    school: Unit
    far_school: Unit


def found(tx: Tx) -> SmallCountry:
    """Make the country; offices in one province, in a county below it and in another city."""
    for code, name, level, parent in REGIONS:
        places.add_region(tx, BY, code=code, name=name, level=level, parent=parent)
    bureau = places.add_unit(tx, BY, name="云溪县教育局", kind="department", region=COUNTY)
    return SmallCountry(
        province=office(tx, "HT", PROVINCE, "海棠教督"),
        county=office(tx, "YX", COUNTY, "云教督"),
        other=office(tx, "BL", OTHER_CITY, "白教督"),
        bureau=bureau,
        school=places.add_unit(tx, BY, name="桐峰镇中心小学", kind="school", region=TOWN, department_id=bureau.id),
        far_school=places.add_unit(tx, BY, name="白鹭市第一中学", kind="school", region=OTHER_CITY),
    )


def office(tx: Tx, code: str, region: str, prefix: str) -> Office:
    return offices.add_office(tx, BY, code=code, region=region, name=f"{code}督导办", doc_prefix=prefix)


def somebody(tx: Tx, name: str, role: str, *, region: str | None = None, unit_id: str | None = None) -> Person:
    who, _ = staff.enrol(
        tx, BY, name=name, full_name=f"{name}某", role=role, from_on=date(2026, 1, 1), region=region, unit_id=unit_id
    )
    return who


_DEFAULTS: dict[str, Any] = {
    "office_id": "o", "unit_id": "u", "unit_kind": "school", "department_id": None, "supervision_id": None, "title": "t",
    "description": "d", "kind": "routine", "category": "campus_safety", "severity": "normal", "r1": "", "r2": "", "r3": "",
    "r4": "", "state": "rectification.executing", "dispute": "none", "level": 0, "round": 1, "relapse_count": 0, "positive": 0,
    "long_term": 0, "danger_to_life": 0, "served": 1, "is_open": 1, "responsible_person": "", "due_rule": "", "waits_for": "",
    "opened_at": "2026-01-01T00:00:00.000000Z", "suspended_at": NEVER_TEXT, "written_off_at": NEVER_TEXT,
    "accountable_on": None, "due_at": NEVER_TEXT, "changed_at": NEVER_TEXT, "version": 1, "head": "", "sheet": "{}",
}  # fmt: skip
_INSERT = Prepared(insert(table_of(FindingRow)), columns=["id", "number", *_DEFAULTS])


def put_findings(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    """Findings in great number, straight into the table; `path` and `id` are needed."""
    made = []
    for row in rows:
        given = dict(row)
        levels = reach.levels(given.pop("path"))
        made.append({**_DEFAULTS, "number": f"F-{given['id']:06}", **levels, **given})
    tx.many(_INSERT, made)


def put_searchable(tx: Tx, id_: int, title: str, *, description: str = "", unit_name: str = "", **more: Any) -> None:
    """One finding that the search knows."""
    put_findings(tx, [{"path": PATHS[TOWN], "title": title, "description": description, "id": id_, **more}])
    search.index(tx, id_, search.body_of(more.get("number", f"F-{id_:06}"), title, description, unit_name))


def entries(tx: Tx, chain: str = "people") -> list[str]:
    return [entry.action for entry in journal.trail(tx, chain)]


def refused(store: Store, kind: type[LoopError], work: Callable[[Tx], object]) -> LoopError:
    """`work` is refused, and leaves nothing behind, not even an entry."""
    before = store.read(lambda tx: journal.head_of(tx, "people"))
    with pytest.raises(kind) as caught:
        store.write(work)
    assert store.read(lambda tx: journal.head_of(tx, "people")) == before
    return caught.value
