"""The registry: places, people, access, repeated requests, supervisions and tip-offs, and the chain that records them."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from loop.kernel.errors import Conflict, IdempotencyMismatch, Invalid, LoopError, NotFound
from loop.kernel.people import Post
from loop.store import accounts, journal, offices, people, places, requests, staff, supervisions, tip_offs
from loop.store.requests import Answer
from loop.store.session import Store, Tx
from loop.store.supervisions import Satisfaction, Supervision
from loop.store.tip_offs import Sealed
from tests.small_country import (
    BY,
    CITY,
    COUNTRY,
    COUNTY,
    NOW,
    OTHER_CITY,
    OTHER_PROVINCE,
    PATHS,
    PROVINCE,
    TODAY,
    TOWN,
    SmallCountry,
    found,
    office,
    put_findings,
    somebody,
)

DAY = timedelta(days=1)


@pytest.fixture
def country(store: Store) -> SmallCountry:
    return store.write(found)


def entries(tx: Tx, chain: str = "people") -> list[str]:
    return [entry.action for entry in journal.trail(tx, chain)]


def refused(store: Store, kind: type[LoopError], work: Callable[[Tx], object]) -> LoopError:
    """`work` is refused, and leaves nothing behind, not even an entry."""
    before = store.read(lambda tx: journal.head_of(tx, "people"))
    with pytest.raises(kind) as caught:
        store.write(work)
    assert store.read(lambda tx: journal.head_of(tx, "people")) == before
    return caught.value


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
        page = store.read(lambda tx, after=after: places.regions(tx, after=after, limit=2))
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
        refused(store, Conflict, lambda tx, code=code: places.change_region(tx, BY, code, {"active": False}))

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
    above = store.read(lambda tx: offices.office_above(tx, country.county.id))
    assert above
    assert above.code == "QH"
    assert store.read(lambda tx: offices.office_above(tx, offices.find_office(tx, "ZY").id)) is None  # type: ignore[union-attr]


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


def test_an_inactive_unit_is_no_fact(store: Store, country: SmallCountry) -> None:
    store.write(lambda tx: places.change_unit(tx, BY, country.school.id, {"active": False}))
    assert store.read(lambda tx: places.unit_fact(tx, country.school.id)) is None
    assert store.read(lambda tx: places.unit(tx, country.school.id)).name == country.school.name


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
        refused(store, Invalid, lambda tx, wanted=wanted: staff.set_substitutes(tx, BY, chief, (wanted,)))


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


# ---- access ------------------------------------------------------------------------------------------------------


def test_a_token_is_told_once_and_ends(store: Store, country: SmallCountry) -> None:
    who = store.write(lambda tx: somebody(tx, "bot", "officer", region=COUNTY))
    token, clear = store.write(
        lambda tx: accounts.create_token(
            tx, person_id=who.id, name="同步", scopes=("read", "act"), expires_at=NOW + DAY, now=NOW
        )
    )
    assert clear.startswith("loop_")
    assert token.scopes == ("act", "read")
    assert store.read(lambda tx: accounts.token_of(tx, clear, NOW)) == token
    assert store.read(lambda tx: accounts.token_of(tx, clear + "x", NOW)) is None
    assert store.read(lambda tx: accounts.token_of(tx, clear, NOW + DAY)) is None
    assert clear not in repr(store.read(lambda tx: accounts.tokens_of(tx, who.id)))

    store.write(lambda tx: accounts.used(tx, token, TODAY))
    used = store.read(lambda tx: accounts.token(tx, token.id))
    assert used.used_on == TODAY
    written: list[str] = []
    store.trace = lambda text, values: written.append(text)
    store.write(lambda tx: accounts.used(tx, used, TODAY))
    assert not [text for text in written if text.startswith("UPDATE")]
    store.trace = None

    store.write(lambda tx: staff.change_person(tx, BY, who.id, {"active": False}))
    assert store.read(lambda tx: accounts.token_of(tx, clear, NOW)) is None
    store.write(lambda tx: staff.change_person(tx, BY, who.id, {"active": True}))
    store.write(lambda tx: accounts.revoke_token(tx, token.id))
    assert store.read(lambda tx: accounts.token_of(tx, clear, NOW)) is None
    refused(store, NotFound, lambda tx: accounts.revoke_token(tx, "nothing"))


def test_a_session_lasts_until_it_ends(store: Store, country: SmallCountry) -> None:
    who = store.write(lambda tx: somebody(tx, "sun", "officer", region=COUNTY))

    def sign_in() -> str:
        begun, clear = store.write(lambda tx: accounts.open_session(tx, person_id=who.id, expires_at=NOW + DAY))
        assert store.read(lambda tx: accounts.session_of(tx, clear, NOW)) == begun
        return clear

    first, second = sign_in(), sign_in()
    assert store.read(lambda tx: accounts.session_of(tx, first, NOW + DAY)) is None
    store.write(lambda tx: accounts.end_session(tx, first))
    assert store.read(lambda tx: accounts.session_of(tx, first, NOW)) is None
    assert store.read(lambda tx: accounts.session_of(tx, second, NOW))
    store.write(lambda tx: accounts.set_password(tx, BY, who.id, "new hash"))
    assert store.read(lambda tx: accounts.session_of(tx, second, NOW)) is None
    assert store.read(lambda tx: accounts.login_of(tx, "sun")) == accounts.Login(who.id, "new hash", active=True)
    assert store.read(lambda tx: accounts.login_of(tx, "nobody")) is None
    sign_in()
    assert store.write(lambda tx: accounts.forget_sessions(tx, NOW)) == 0
    assert store.write(lambda tx: accounts.forget_sessions(tx, NOW + DAY)) == 1


# ---- repeated requests -------------------------------------------------------------------------------------------


def test_a_repeated_request_finds_its_answer(store: Store) -> None:
    answer = Answer("digest", 201, '{"location":"/x"}', '{"ok":true}')

    def first(tx: Tx) -> None:
        assert requests.claim(tx, "p", "key", "digest", NOW) is None
        requests.remember(tx, "p", "key", answer, NOW)

    store.write(first)
    assert store.read(lambda tx: requests.earlier(tx, "p", "key")) == answer
    assert store.write(lambda tx: requests.claim(tx, "p", "key", "digest", NOW)) == answer
    assert store.read(lambda tx: requests.earlier(tx, "other", "key")) is None
    with pytest.raises(IdempotencyMismatch):
        store.write(lambda tx: requests.claim(tx, "p", "key", "another", NOW))
    assert store.write(lambda tx: requests.forget_before(tx, NOW)) == 0
    assert store.write(lambda tx: requests.forget_before(tx, NOW + DAY)) == 1
    assert store.read(lambda tx: requests.earlier(tx, "p", "key")) is None


def test_a_refused_request_leaves_its_key_free(store: Store) -> None:
    def refuse(tx: Tx) -> None:
        assert requests.claim(tx, "p", "key", "digest", NOW) is None
        raise Conflict

    for _ in range(2):
        with pytest.raises(Conflict):
            store.write(refuse)


def test_twins_in_flight_run_once(store: Store) -> None:
    answer = Answer("digest", 200, "{}", "done")
    ran: list[int] = []

    def request(tx: Tx) -> Answer:
        if earlier := requests.claim(tx, "p", "key", "digest", NOW):
            return earlier
        ran.append(1)
        requests.remember(tx, "p", "key", answer, NOW)
        return answer

    futures = [store.submit(request) for _ in range(8)]
    assert {future.result(timeout=30) for future in futures} == {answer}
    assert len(ran) == 1


# ---- supervisions ------------------------------------------------------------------------------------------------


def campaign(country: SmallCountry, **more: Any) -> Supervision:
    base = Supervision(
        "", country.county.id, "special", "校园安全专项督导", date(2026, 3, 1), date(2026, 3, 20), lead="a",
        team=("b", "a"), matters=("校舍", "消防"),
    )  # fmt: skip
    return replace(base, **more)


@pytest.fixture
def team(store: Store, country: SmallCountry) -> SmallCountry:
    def arrange(tx: Tx) -> None:
        for name, role in (("a", "inspector"), ("b", "inspector"), ("c", "officer")):
            somebody(tx, name, role, region=COUNTY)

    store.write(arrange)
    return country


def test_a_supervision_has_a_team_and_a_chain(store: Store, team: SmallCountry) -> None:
    made = store.write(lambda tx: supervisions.add_supervision(tx, BY, campaign(team)))
    assert replace(made, id="") == campaign(team, team=("a", "b"))
    fact = store.read(lambda tx: supervisions.supervision_fact(tx, made.id, TODAY))
    assert fact
    assert (fact.kind, fact.office_id, fact.inspectors) == ("special", team.county.id, 2)
    told = Satisfaction("问卷", 100, 93)
    changes = {"team": ("a", "b", "c"), "report": "报告", "satisfaction": told}
    changed = store.write(lambda tx: supervisions.change_supervision(tx, BY, made.id, changes))
    assert (changed.team, changed.report, changed.satisfaction) == (("a", "b", "c"), "报告", told)
    again = store.read(lambda tx: supervisions.supervision_fact(tx, made.id, TODAY))
    assert again
    assert again.inspectors == 2
    chain = store.read(lambda tx: entries(tx, f"supervision:{made.id}"))
    assert chain == ["add_supervision", "change_supervision"]
    listed = store.read(lambda tx: supervisions.supervisions(tx, offices=[team.county.id]))
    assert listed.items == (changed,)
    assert store.read(lambda tx: supervisions.supervisions(tx, offices=[team.other.id])).items == ()


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("kind", {"kind": "tip_off"}),
        ("period", {"until_on": date(2026, 2, 1)}),
        ("team", {"team": ("nobody",)}),
        ("team", {"lead": "nobody"}),
        ("title", {"title": ""}),
        ("satisfaction", {"satisfaction": Satisfaction("问卷", 3, 4)}),
        ("office_id", {"office_id": "o"}),
    ],
)
def test_a_supervision_that_cannot_be(store: Store, team: SmallCountry, field: str, changes: dict[str, Any]) -> None:
    made = store.write(lambda tx: supervisions.add_supervision(tx, BY, campaign(team)))
    with pytest.raises(Invalid) as caught:
        store.write(lambda tx: supervisions.change_supervision(tx, BY, made.id, changes))
    assert [fault.field for fault in caught.value.faults] == [field]
    assert store.read(lambda tx: supervisions.supervision(tx, made.id)) == made


def test_a_supervision_of_no_office(store: Store, team: SmallCountry) -> None:
    with pytest.raises(Invalid):
        store.write(lambda tx: supervisions.add_supervision(tx, BY, campaign(team, office_id="nothing")))
    with pytest.raises(NotFound):
        store.read(lambda tx: supervisions.supervision(tx, "nothing"))


# ---- tip-offs ----------------------------------------------------------------------------------------------------


def test_a_tip_off_is_answered_by_its_receipt(store: Store, country: SmallCountry) -> None:
    who = Sealed("林某", "13900000000")
    made, code = store.write(
        lambda tx: tip_offs.receive(tx, BY, matter="食堂卫生差", unit_id=country.school.id, sealed=who)
    )
    assert made.office_id == country.county.id
    spoken = code.replace("-", " ").lower()
    assert store.read(lambda tx: tip_offs.by_receipt(tx, spoken)) == made
    assert store.read(lambda tx: tip_offs.sealed_of(tx, made.id)) == who
    store.write(lambda tx: tip_offs.answer(tx, BY, made.id, status="checking"))
    done = store.write(lambda tx: tip_offs.answer(tx, BY, made.id, status="answered", result="已整改"))
    assert (done.status, done.result, done.answered_at) == ("answered", "已整改", NOW)
    trail = store.read(lambda tx: journal.trail(tx, f"tip-off:{made.id}"))
    assert [entry.action for entry in trail] == ["receive_tip_off", "answer_tip_off", "answer_tip_off"]
    told = repr(trail) + repr(store.read(lambda tx: tip_offs.tip_offs(tx, offices=[country.county.id])))
    for secret in ("林某", "13900000000", code):
        assert secret not in told


def test_a_finding_waits_for_the_tip_offs_on_it_but_not_for_its_own(store: Store, country: SmallCountry) -> None:
    def arrange(tx: Tx) -> list[str]:
        made = [tip_offs.receive(tx, BY, matter=f"事{n}", region=COUNTY)[0].id for n in range(3)]
        for n, id_ in enumerate(made):
            tip_offs.link(tx, BY, id_, "YX-2026-0001", is_origin=n == 0)
        return made

    _, second, third = store.write(arrange)

    def waiting() -> int:
        return store.read(lambda tx: tip_offs.unanswered_on(tx, "YX-2026-0001"))

    assert waiting() == 2
    store.write(lambda tx: tip_offs.answer(tx, BY, second, status="answered", result="查实"))
    store.write(lambda tx: tip_offs.answer(tx, BY, third, status="checking"))
    assert waiting() == 1
    store.write(lambda tx: tip_offs.answer(tx, BY, third, status="refused", result="不属于职责范围"))
    assert waiting() == 0


@pytest.mark.parametrize(
    "wanted",
    [{"matter": "x"}, {"matter": "x", "region": OTHER_PROVINCE}, {"matter": "x", "unit_id": "u"}, {"matter": " ", "region": COUNTY}],
)
def test_a_tip_off_that_reaches_nobody(store: Store, country: SmallCountry, wanted: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        store.write(lambda tx: tip_offs.receive(tx, BY, **wanted))  # type: ignore[arg-type]


def test_a_tip_off_is_not_closed_without_a_word(store: Store, country: SmallCountry) -> None:
    made, _ = store.write(lambda tx: tip_offs.receive(tx, BY, matter="x", region=COUNTY))
    for status in ("answered", "done", ""):
        with pytest.raises(Invalid):
            store.write(lambda tx, status=status: tip_offs.answer(tx, BY, made.id, status=status))
    with pytest.raises(NotFound):
        store.read(lambda tx: tip_offs.by_receipt(tx, "AAAAA-AAAAA"))


def test_a_post_is_a_value_for_the_kernel(store: Store, country: SmallCountry) -> None:
    who = store.write(lambda tx: somebody(tx, "zhou", "unit", unit_id=country.school.id))
    actor = store.read(lambda tx: people.actor_of(tx, who.id, TODAY))
    assert actor
    assert actor.posts == (Post(actor.posts[0].id, "unit", (), country.school.id, None),)
