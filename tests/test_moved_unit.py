"""A finding stands where its unit stood when it was opened, wherever the unit moves later."""

from __future__ import annotations

from sqlalchemy import select

from loop.kernel.people import Actor, Post
from loop.store import findings, places, reach
from loop.store.core import table_of
from loop.store.session import Store
from loop.store.tables import FindingRow
from tests.small_country import BY, COUNTY, OTHER_CITY, PATHS, TOWN, found, put_findings


def test_a_unit_that_moves_leaves_its_findings_where_they_are(store: Store) -> None:
    country = store.write(found)
    row = {"id": 1, "path": PATHS[TOWN], "unit_id": country.school.id, "office_id": country.county.id}
    store.write(lambda tx: put_findings(tx, [row]))
    store.write(lambda tx: places.change_unit(tx, BY, country.school.id, {"region": OTHER_CITY, "department_id": None}))
    finding = store.read(lambda tx: findings.load(tx, "F-000001", lock=False))
    assert finding is not None
    officer = Actor("p", "p", "某", (Post("1", "officer", PATHS[COUNTY]),))
    seen = store.read(lambda tx: tx.select(select(table_of(FindingRow).c.id).where(reach.in_reach(officer))))
    assert (finding.place.region, len(seen), reach.may_see(officer, finding)) == (PATHS[TOWN], 1, True)
