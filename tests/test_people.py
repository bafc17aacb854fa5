"""People in office: posts by day, substitutes, recusals, who is named and who is told; and the chain of it all."""

import json
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest

from loop.kernel.errors import Conflict, Invalid, NotFound
from loop.kernel.people import Post
from loop.store import accounts, journal, offices, people, places, staff
from loop.store.session import Store, Tx
from tests.small_country import (
    BY,
    CITY,
    COUNTY,
    OTHER_CITY,
    PATHS,
    PROVINCE,
    TODAY,
    TOWN,
    SmallCountry,
    entries,
    found,
    refused,
    somebody,
)

DAY = timedelta(days=1)


@pytest.fixture
def country(store: Store) -> SmallCountry:
    return store.write(found)


def test_a_post_is_a_value_for_the_kernel(store: Store, country: SmallCountry) -> None:
    who = store.write(lambda tx: somebody(tx, "zhou", "unit", unit_id=country.school.id))
    actor = store.read(lambda tx: people.actor_of(tx, who.id, TODAY))
    assert actor
    assert actor.posts == (Post(actor.posts[0].id, "unit", (), country.school.id, None),)


# ---- people ------------------------------------------------------------------------------------------------------


def test_a_known_name_gets_another_post(store: Store, country: SmallCountry) -> None:
    first = store.write(lambda tx: somebody(tx, "li", "officer", region=COUNTY))
    second = store.write(lambda tx: somebody(tx, "li", "chief", region=COUNTY))
    assert first.id == second.id
    actor = store.read(lambda tx: people.actor_of(tx, first.id, TODAY))
    assert actor
    assert [(post.role, post.region) for post in actor.posts] == [("officer", PATHS[COUNTY]), ("chief", PATHS[COUNTY])]
    refused(store, Conflict, lambda tx: somebody(tx, "li", "chief", region=COUNTY))


@pytest.mark.parametrize(
    ("role", "place"),
    [
        ("mayor", {"region": COUNTY}),
        ("system", {"region": COUNTY}),
        ("officer", {}),
        ("officer", {"region": "999999"}),
        ("officer", {"region": COUNTY, "unit_id": "school"}),
        ("unit", {}),
        ("unit", {"region": COUNTY}),
        ("unit", {"unit_id": "nobody"}),
        ("department", {"unit_id": "school"}),
        ("inspector", {"region": OTHER_CITY, "unit_id": "school"}),
        ("inspector", {"unit_id": "school"}),
    ],
)
def test_a_post_that_cannot_be(store: Store, country: SmallCountry, role: str, place: dict[str, str]) -> None:
    if place.get("unit_id") == "school":
        place = place | {"unit_id": country.school.id}
    refused(store, Invalid, lambda tx: somebody(tx, "wang", role, **place))


@pytest.mark.parametrize("name", ["", "张三", "a b", "a/b", "system", "x" * 65, "a\n", "-x"])
def test_a_sign_in_name_that_cannot_be(store: Store, country: SmallCountry, name: str) -> None:
    refused(store, Invalid, lambda tx: staff.add_person(tx, BY, name=name, full_name="某"))


def test_posts_count_on_their_days_only(store: Store, country: SmallCountry) -> None:
    def begin(tx: Tx) -> str:
        who = staff.add_person(tx, BY, name="zhao", full_name="赵")
        first, last = TODAY, TODAY + 3 * DAY
        staff.add_post(tx, BY, person_id=who.id, role="officer", region=COUNTY, from_on=first, until_on=last)
        return who.id

    id_ = store.write(begin)

    def roles(day: date) -> list[str]:
        actor = store.read(lambda tx: people.actor_of(tx, id_, day))
        assert actor
        return [post.role for post in actor.posts]

    assert [roles(TODAY + n * DAY) for n in (-1, 0, 3, 4)] == [[], ["officer"], ["officer"], []]
    post = store.read(lambda tx: staff.posts_of(tx, id_))[0]
    store.write(lambda tx: staff.end_post(tx, BY, post.id, TODAY - DAY))
    assert roles(TODAY) == []
    refused(store, Invalid, lambda tx: staff.end_post(tx, BY, post.id, TODAY - 9 * DAY))
    refused(store, NotFound, lambda tx: staff.end_post(tx, BY, "nothing", TODAY))


def test_a_substitute_acts_for_the_absent_on_those_days(store: Store, country: SmallCountry) -> None:
    def arrange(tx: Tx) -> tuple[str, str]:
        chief = somebody(tx, "chief", "chief", region=COUNTY)
        deputy = somebody(tx, "deputy", "officer", region=COUNTY)
        staff.set_substitutes(tx, BY, chief.id, (("deputy", TODAY, TODAY + DAY), ("deputy", TODAY, TODAY)))
        return chief.id, deputy.id

    chief, deputy = store.write(arrange)

    def posts(day: date) -> list[tuple[str, str | None]]:
        actor = store.read(lambda tx: people.actor_of(tx, deputy, day))
        assert actor
        return [(post.role, post.for_id) for post in actor.posts]

    assert posts(TODAY) == [("officer", None), ("chief", chief)]
    assert posts(TODAY + 2 * DAY) == [("officer", None)]
    store.write(lambda tx: staff.change_person(tx, BY, chief, {"active": False}))
    assert posts(TODAY) == [("officer", None)]
    assert store.read(lambda tx: people.actor_of(tx, chief, TODAY)) is None
    for wanted in (("chief", TODAY, TODAY), ("nobody", TODAY, TODAY), ("deputy", TODAY, TODAY - DAY)):
        refused(store, Invalid, partial(staff.set_substitutes, by=BY, person_id=chief, wanted=(wanted,)))


def test_an_unknown_person_is_no_actor(store: Store, country: SmallCountry) -> None:
    assert store.read(lambda tx: people.actor_of(tx, "nobody", TODAY)) is None


def test_named_people_bring_their_roles_and_recusals(store: Store, country: SmallCountry) -> None:
    def arrange(tx: Tx) -> None:
        wu = somebody(tx, "wu", "inspector", region=COUNTY)
        somebody(tx, "wu", "officer", region=COUNTY)
        somebody(tx, "above", "inspector", region=PROVINCE)
        somebody(tx, "far", "inspector", region=OTHER_CITY)
        gone = somebody(tx, "gone", "inspector", region=COUNTY)
        staff.change_person(tx, BY, gone.id, {"active": False})
        staff.recuse(tx, BY, person_id=wu.id, unit_id=country.school.id, ground="亲属在校任职")

    store.write(arrange)
    names = ["wu", "above", "far", "gone", "nobody"]

    def facts(day: date) -> dict[str, tuple[set[str], str]]:
        found = store.read(
            lambda tx: people.named(tx, names, office_region=PATHS[COUNTY], unit_id=country.school.id, today=day)
        )
        return {name: (set(fact.roles), fact.recused) for name, fact in found.items()}

    assert facts(TODAY) == {
        "wu": ({"inspector", "officer"}, "亲属在校任职"), "above": ({"inspector"}, ""), "far": (set(), ""),
    }  # fmt: skip
    wu = store.read(lambda tx: staff.find_person(tx, "wu"))
    assert wu
    assert store.read(lambda tx: people.recused(tx, [wu.id], country.school.id, TODAY)) == "亲属在校任职"
    assert store.read(lambda tx: people.recused(tx, [wu.id], country.bureau.id, TODAY)) == ""
    store.write(
        lambda tx: staff.recuse(
            tx, BY, person_id=wu.id, unit_id=country.school.id, ground="亲属在校任职", until_on=TODAY
        )
    )
    assert facts(TODAY + DAY)["wu"][1] == ""
    assert [r.until_on for r in store.read(lambda tx: staff.recusals_of(tx, wu.id))] == [TODAY]


def test_holders_of_an_office_and_of_the_one_above(store: Store, country: SmallCountry) -> None:
    def arrange(tx: Tx) -> dict[str, str]:
        cast = [("a", "chief", COUNTY), ("b", "chief", COUNTY), ("c", "director", PROVINCE), ("d", "officer", PROVINCE)]
        ids = {name: somebody(tx, name, role, region=region).id for name, role, region in cast}
        staff.change_person(tx, BY, ids["b"], {"active": False})
        return ids

    ids = store.write(arrange)
    held = store.read(
        lambda tx: people.holders(tx, office_region=PATHS[COUNTY], superior_region=PATHS[PROVINCE], today=TODAY)
    )
    assert {role: persons for role, persons in held.items() if persons} == {
        "chief": frozenset({ids["a"]}),
        "superior": frozenset({ids["c"]}),
    }
    alone = store.read(lambda tx: people.holders(tx, office_region=PATHS[PROVINCE], superior_region=None, today=TODAY))
    assert {role for role, persons in alone.items() if persons} == {"director", "officer"}


def test_the_inspector_responsible_for_a_unit(store: Store, country: SmallCountry) -> None:
    who = store.write(lambda tx: somebody(tx, "zeren", "inspector", region=COUNTY, unit_id=country.school.id))
    assert store.read(lambda tx: people.responsible(tx, country.school.id, TODAY)) == ((who.id, "zeren"),)
    assert store.read(lambda tx: people.responsible(tx, country.bureau.id, TODAY)) == ()


def test_the_audience_is_everybody_a_step_may_concern(store: Store, country: SmallCountry) -> None:
    def arrange(tx: Tx) -> dict[str, str]:
        cast: list[tuple[str, str, dict[str, str]]] = [
            ("chief", "chief", {"region": COUNTY}),
            ("director", "director", {"region": PROVINCE}),
            ("leader", "leader", {"region": CITY}),
            ("head", "unit", {"unit_id": country.school.id}),
            ("bureau", "department", {"unit_id": country.bureau.id}),
            ("stand-in", "officer", {"region": OTHER_CITY}),
            ("author", "inspector", {"region": OTHER_CITY}),
            ("gone", "officer", {"region": COUNTY}),
        ]
        ids = {name: somebody(tx, name, role, **place).id for name, role, place in cast}
        staff.change_person(tx, BY, ids["gone"], {"active": False})
        staff.set_substitutes(tx, BY, ids["chief"], (("stand-in", TODAY, TODAY),))
        return ids

    ids = store.write(arrange)
    seats = store.read(
        lambda tx: people.audience(
            tx, regions=[COUNTY, PROVINCE, CITY], units=[country.school.id, country.bureau.id],
            persons=[ids["author"], ids["gone"]], today=TODAY,
        )
    )  # fmt: skip
    assert {(s.name, s.role, s.region, s.unit_id, s.for_id) for s in seats} == {
        ("chief", "chief", PATHS[COUNTY], None, None),
        ("stand-in", "chief", PATHS[COUNTY], None, ids["chief"]),
        ("director", "director", PATHS[PROVINCE], None, None),
        ("leader", "leader", PATHS[CITY], None, None),
        ("head", "unit", (), country.school.id, None),
        ("bureau", "department", (), country.bureau.id, None),
        ("author", "", (), None, None),
    }
    assert store.read(lambda tx: people.audience(tx, regions=[], units=[], today=TODAY)) == ()


# ---- the chain ---------------------------------------------------------------------------------------------------


def test_every_change_is_entered_in_the_chain(store: Store, country: SmallCountry) -> None:
    before = len(store.read(entries))

    def change(tx: Tx) -> None:
        who = somebody(tx, "qian", "officer", region=COUNTY)
        staff.change_person(tx, BY, who.id, {"full_name": "钱某某"})
        staff.change_person(tx, BY, who.id, {"full_name": "钱某某"})
        staff.end_post(tx, BY, staff.posts_of(tx, who.id)[0].id, TODAY)
        staff.set_substitutes(tx, BY, who.id, ())
        staff.recuse(tx, BY, person_id=who.id, unit_id=country.school.id, ground="回避")
        accounts.set_password(tx, BY, who.id, "a hash")
        places.change_unit(tx, BY, country.school.id, {"name": "桐峰镇小学"})
        offices.change_office(tx, BY, country.county.id, {"name": "云溪县督导办"})
        places.change_region(tx, BY, TOWN, {"name": "桐峰街道"})

    store.write(change)
    assert store.read(entries)[before:] == [
        "add_person", "add_post", "change_person", "end_post", "set_substitutes", "recuse", "set_password",
        "change_unit", "change_office", "change_region",
    ]  # fmt: skip
    trail = store.read(lambda tx: journal.trail(tx, "people"))
    assert "a hash" not in json.dumps([entry.effects + entry.payload for entry in trail])
    assert json.loads(trail[-1].effects)["region"]["name"] == "桐峰街道"
    previous = journal.FIRST
    for entry in trail:
        assert journal.seal(replace(entry, hash=""), previous) == entry
        previous = entry.hash
