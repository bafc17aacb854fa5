"""Regions, offices and units: what fits, what is refused, and who is above whom."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from loop.kernel.errors import Conflict, Invalid
from loop.store import offices, places
from loop.store.core import table_of
from loop.store.session import Store, Tx
from loop.store.tables import FindingRow
from tests.small_country import (
    BY,
    CITY,
    COUNTRY,
    COUNTY,
    OTHER_CITY,
    OTHER_PROVINCE,
    PATHS,
    PROVINCE,
    TOWN,
    SmallCountry,
    found,
    office,
    put_findings,
    refused,
)

FINDING = table_of(FindingRow)


@pytest.fixture
def country(store: Store) -> SmallCountry:
    return store.write(found)


# ---- places ------------------------------------------------------------------------------------------------------


def test_a_region_knows_its_path(store: Store, country: SmallCountry) -> None:
    assert store.read(lambda tx: places.region(tx, TOWN)).path == PATHS[TOWN]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("parent", {"parent": "999999"}),
        ("level", {"level": "province"}),
        ("level", {"level": "village"}),
        ("code", {"code": "a b"}),
        ("code", {"code": "3301/06"}),
        ("name", {"name": " \t "}),
        ("name", {"name": "坏\x00名"}),
        ("name", {"name": "长" * 201}),
    ],
)
def test_a_region_that_cannot_be(store: Store, country: SmallCountry, field: str, changes: dict[str, str]) -> None:
    wanted = {"code": "330200", "name": "新市", "level": "prefecture", "parent": PROVINCE} | changes
    error = refused(store, Invalid, lambda tx: places.add_region(tx, BY, **wanted))
    assert isinstance(error, Invalid)
    assert [fault.field for fault in error.faults] == [field]


def test_there_is_one_country_and_no_code_twice(store: Store, country: SmallCountry) -> None:
    refused(store, Conflict, lambda tx: places.add_region(tx, BY, code="9", name="x", level="country", parent=None))
    refused(store, Conflict, lambda tx: places.add_region(tx, BY, code=CITY, name="x", level="county", parent=PROVINCE))


def test_regions_are_listed_in_pages_that_meet(store: Store, country: SmallCountry) -> None:
    seen, after = [], None
    while True:
        page = store.read(partial(places.regions, after=after, limit=2))
        seen += [region.code for region in page.items]
        after = page.next
        if after is None:
            break
    assert seen == sorted(PATHS)
    below = store.read(lambda tx: places.regions(tx, parent=COUNTRY))
    assert [region.code for region in below.items] == [OTHER_PROVINCE, PROVINCE]


@pytest.mark.parametrize("after", ["", "x", "é", "a" * 500, "AAAAAAAAAAAA", "//8="])
def test_a_cursor_nobody_gave_is_invalid_or_the_first_page(store: Store, country: SmallCountry, after: str) -> None:
    if after:
        with pytest.raises(Invalid):
            store.read(lambda tx: places.regions(tx, after=after))
    else:
        assert store.read(lambda tx: places.regions(tx, after=after)).items


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_no_page_is_endless(store: Store, country: SmallCountry, limit: int) -> None:
    with pytest.raises(Invalid):
        store.read(lambda tx: places.units(tx, limit=limit))


def test_a_region_in_use_stays_active(store: Store, country: SmallCountry) -> None:
    for code in (COUNTRY, COUNTY, TOWN, OTHER_CITY):
        refused(store, Conflict, partial(places.change_region, by=BY, code=code, changes={"active": False}))

    def empty_and_close(tx: Tx) -> None:
        places.change_unit(tx, BY, country.far_school.id, {"active": False})
        offices.change_office(tx, BY, country.other.id, {"active": False})
        places.change_region(tx, BY, OTHER_CITY, {"active": False})

    store.write(empty_and_close)
    assert not store.read(lambda tx: places.region(tx, OTHER_CITY)).active
    refused(store, Invalid, lambda tx: places.add_unit(tx, BY, name="x", kind="school", region=OTHER_CITY))


def test_only_names_of_regions_change(store: Store, country: SmallCountry) -> None:
    refused(store, Invalid, lambda tx: places.change_region(tx, BY, CITY, {"parent": OTHER_PROVINCE}))
    renamed = store.write(lambda tx: places.change_region(tx, BY, CITY, {"name": "新青禾市"}))
    assert (renamed.name, renamed.path) == ("新青禾市", PATHS[CITY])


# ---- offices -----------------------------------------------------------------------------------------------------


def superiors(tx: Tx) -> dict[str, str | None]:
    listed = offices.offices(tx).items
    names = {one.id: one.code for one in listed}
    return {one.code: names[one.superior_id] if one.superior_id else None for one in listed}


def test_the_superior_is_the_nearest_active_office_above(store: Store, country: SmallCountry) -> None:
    assert store.read(superiors) == {"HT": None, "YX": "HT", "BL": None}

    between = store.write(lambda tx: office(tx, "QH", CITY, "青教督"))
    assert store.read(superiors) == {"HT": None, "QH": "HT", "YX": "QH", "BL": None}

    store.write(lambda tx: offices.change_office(tx, BY, between.id, {"active": False}))
    assert store.read(superiors) == {"HT": None, "QH": "HT", "YX": "HT", "BL": None}

    store.write(lambda tx: office(tx, "ZY", COUNTRY, "国教督"))
    assert store.read(superiors) == {"ZY": None, "HT": "ZY", "QH": "HT", "YX": "HT", "BL": "ZY"}

    store.write(lambda tx: offices.change_office(tx, BY, between.id, {"active": True}))
    assert store.read(superiors) == {"ZY": None, "HT": "ZY", "QH": "HT", "YX": "QH", "BL": "ZY"}


def test_a_region_has_one_office_and_a_code_one_owner(store: Store, country: SmallCountry) -> None:
    refused(store, Conflict, lambda tx: office(tx, "XX", COUNTY, "x"))
    refused(store, Conflict, lambda tx: office(tx, "HT", TOWN, "x"))
    refused(store, Invalid, lambda tx: office(tx, "XX", "999999", "x"))
    refused(store, Conflict, lambda tx: offices.change_office(tx, BY, country.county.id, {"code": "HT"}))
    refused(store, Invalid, lambda tx: offices.change_office(tx, BY, country.county.id, {"region": CITY}))


def test_a_place_without_an_office_is_served_by_the_nearest(store: Store, country: SmallCountry) -> None:
    near = store.read(lambda tx: offices.nearest(tx, PATHS[TOWN]))
    assert near
    assert near.code == "YX"
    assert store.read(lambda tx: offices.office_at(tx, TOWN)) is None
    assert store.read(lambda tx: offices.nearest(tx, PATHS[OTHER_PROVINCE])) is None


# ---- units -------------------------------------------------------------------------------------------------------


def test_units_of_a_region_are_those_below_it_too(store: Store, country: SmallCountry) -> None:
    in_province = store.read(lambda tx: places.units(tx, region=PROVINCE)).items
    assert {unit.id for unit in in_province} == {country.bureau.id, country.school.id}
    by_name = store.read(lambda tx: places.units(tx, q="中心")).items
    assert by_name == (country.school,)
    assert store.read(lambda tx: places.units(tx, q="%")).items == ()
    assert store.read(lambda tx: places.units(tx, region="999999")).items == ()


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("kind", {"kind": "shop"}),
        ("region", {"region": "999999"}),
        ("department", {"department_id": "nobody"}),
        ("department", {"department_id": "the school itself"}),
        ("number", {"number": 3}),
        ("name", {"name": ""}),
    ],
)
def test_a_unit_that_cannot_be(store: Store, country: SmallCountry, field: str, changes: dict[str, Any]) -> None:
    if changes.get("department_id") == "the school itself":
        changes = {"department_id": country.school.id}
    error = refused(store, Invalid, lambda tx: places.change_unit(tx, BY, country.school.id, changes))
    assert isinstance(error, Invalid)
    assert [fault.field for fault in error.faults] == [field]


def test_a_department_that_governs_cannot_leave(store: Store, country: SmallCountry) -> None:
    refused(store, Conflict, lambda tx: places.change_unit(tx, BY, country.bureau.id, {"active": False}))
    refused(store, Conflict, lambda tx: places.change_unit(tx, BY, country.bureau.id, {"kind": "government"}))


def test_a_unit_that_moves_leaves_its_findings_where_they_were(store: Store, country: SmallCountry) -> None:
    row = {"id": 1, "path": PATHS[TOWN], "unit_id": country.school.id, "department_id": country.bureau.id}
    store.write(lambda tx: put_findings(tx, [row]))
    moved = store.write(
        lambda tx: places.change_unit(tx, BY, country.school.id, {"region": OTHER_CITY, "department_id": None})
    )
    assert (moved.region, moved.department_id) == (OTHER_CITY, None)
    fact = store.read(lambda tx: places.unit_fact(tx, country.school.id))
    assert fact
    assert fact.region == PATHS[OTHER_CITY]
    kept = store.read(lambda tx: tx.select(select(FINDING.c.r4, FINDING.c.department_id)))
    assert [tuple(row) for row in kept] == [(TOWN, country.bureau.id)]


def test_an_inactive_unit_is_no_fact(store: Store, country: SmallCountry) -> None:
    store.write(lambda tx: places.change_unit(tx, BY, country.school.id, {"active": False}))
    assert store.read(lambda tx: places.unit_fact(tx, country.school.id)) is None
    assert store.read(lambda tx: places.unit(tx, country.school.id)).name == country.school.name
