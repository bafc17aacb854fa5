"""Who sees which finding: a pinned table for a small cast, and the two forms of the rule against each other."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from loop.kernel.finding import Finding
from loop.kernel.people import ROLES, Actor, Place, Post
from loop.store import reach
from loop.store.core import table_of
from loop.store.session import Store
from loop.store.tables import FindingRow
from tests.small_country import (
    CITY,
    COUNTRY,
    COUNTY,
    NOW,
    OTHER_CITY,
    OTHER_PROVINCE,
    PATHS,
    PROVINCE,
    TOWN,
    put_findings,
)

FINDING = table_of(FindingRow)
CASES: list[dict[str, Any]] = [
    {"path": path, "unit_id": unit, "department_id": department, "served": served}
    for path in PATHS.values()
    for unit, department in (("school", "bureau"), ("bureau", None), ("school", None), ("other", "bureau"))
    for served in (0, 1)
]
ROWS = [{"id": number, **case} for number, case in enumerate(CASES, 1)]


def value_of(row: dict[str, Any]) -> Finding:
    place = Place(
        office_region=PATHS[COUNTRY], superior_region=None, region=row["path"], unit_id=row["unit_id"],
        department_id=row["department_id"],
    )  # fmt: skip
    return Finding(
        id=row["id"], number=f"F-{row['id']:06}", office_id="o", unit_id=row["unit_id"], unit_kind="school",
        department_id=row["department_id"], supervision_id=None, title="t", description="d", kind="routine",
        category="pay", severity="normal", state="report.draft", served=bool(row["served"]), opened_at=NOW, place=place,
    )  # fmt: skip


FINDINGS = [value_of(row) for row in ROWS]


@pytest.fixture
def full(store: Store) -> Store:
    store.write(lambda tx: put_findings(tx, ROWS))
    return store


def seen(store: Store, actor: Actor) -> set[int]:
    return {row[0] for row in store.read(lambda tx: tx.select(select(FINDING.c.id).where(reach.in_reach(actor))))}


def person(*posts: Post) -> Actor:
    return Actor("p", "p", "某", posts)


posts = st.builds(
    Post,
    id=st.just("post"),
    role=st.sampled_from(sorted(ROLES)),
    region=st.sampled_from([*PATHS.values(), ()]),
    unit_id=st.sampled_from([None, "school", "bureau", "other"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(posts, max_size=4))
def test_the_condition_and_the_function_agree(full: Store, held: list[Post]) -> None:
    actor = person(*held)
    assert seen(full, actor) == {finding.id for finding in FINDINGS if reach.may_see(actor, finding)}


SCOPES: dict[str, tuple[Post, ...]] = {
    "nobody": (),
    "country auditor": (Post("1", "auditor", PATHS[COUNTRY]),),
    "province leader": (Post("1", "leader", PATHS[PROVINCE]),),
    "county inspector": (Post("1", "inspector", PATHS[COUNTY]),),
    "town officer": (Post("1", "officer", PATHS[TOWN]),),
    "far chief": (Post("1", "chief", PATHS[OTHER_CITY]),),
    "school": (Post("1", "unit", (), "school"),),
    "bureau": (Post("1", "department", (), "bureau"),),
    "admin": (Post("1", "admin", PATHS[COUNTRY]),),
    "school and far chief": (Post("1", "unit", (), "school"), Post("2", "chief", PATHS[OTHER_CITY])),
}


def expected(who: str, row: dict[str, Any]) -> bool:
    served = bool(row["served"])
    far = OTHER_CITY in row["path"]
    match who:
        case "country auditor":
            return True
        case "province leader":
            return PROVINCE in row["path"]
        case "county inspector":
            return COUNTY in row["path"]
        case "town officer":
            return TOWN in row["path"]
        case "far chief":
            return far
        case "school":
            return served and row["unit_id"] == "school"
        case "bureau":
            return served and row["department_id"] == "bureau"
        case "school and far chief":
            return far or (served and row["unit_id"] == "school")
        case _:
            return False


@pytest.mark.parametrize("who", SCOPES)
def test_each_of_the_cast_sees_just_this(full: Store, who: str) -> None:
    actor = person(*SCOPES[who])
    wanted = {row["id"] for row in ROWS if expected(who, row)}
    assert seen(full, actor) == wanted
    assert {finding.id for finding in FINDINGS if reach.may_see(actor, finding)} == wanted


def test_a_wider_post_swallows_a_narrower_one() -> None:
    actor = person(
        Post("1", "chief", PATHS[COUNTY]), Post("2", "leader", PATHS[PROVINCE]), Post("3", "officer", PATHS[OTHER_CITY])
    )
    assert len(reach.grounds(actor)) == 2
    assert len(reach.grounds(person(Post("1", "unit", (), "u"), Post("2", "unit", (), "u")))) == 1


def test_a_path_fills_the_columns_from_the_top() -> None:
    assert reach.levels(PATHS[COUNTRY]) == {"r1": "", "r2": "", "r3": "", "r4": ""}
    assert reach.levels(PATHS[OTHER_PROVINCE])["r1"] == OTHER_PROVINCE
    assert reach.levels(PATHS[TOWN]) == {"r1": PROVINCE, "r2": CITY, "r3": COUNTY, "r4": TOWN}
