"""What is written about a finding comes back as it was: the row, its place, its timers, and who has which part."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from loop.kernel.clocks import OVER, Pause, Timer
from loop.kernel.finding import Finding
from loop.store import findings, parts, timers
from loop.store.session import Duplicate, Moved, Store, Tx
from tests.small_country import COUNTY, NOW, PATHS, PROVINCE, TOWN, SmallCountry, found

HOUR = timedelta(hours=1)


@pytest.fixture
def country(store: Store) -> SmallCountry:
    return store.write(found)


def blank(tx: Tx, country: SmallCountry, number: str = "YX-2026-0001") -> Finding:
    place = findings.place_of(tx, country.county.id, country.school.id, country.bureau.id)
    assert place
    return Finding(
        id=0, number=number, office_id=country.county.id, unit_id=country.school.id, unit_kind="school",
        department_id=country.bureau.id, supervision_id=None, title="消防通道被占用", description="二楼 𬭚", kind="routine",
        category="campus_safety", severity="grave", state="", opened_at=NOW, place=place,
    )  # fmt: skip


def opened(store: Store, country: SmallCountry, number: str = "YX-2026-0001") -> Finding:
    def work(tx: Tx) -> Finding:
        new = blank(tx, country, number)
        return replace(new, id=findings.create(tx, new, changed_at=NOW))

    return store.write(work)


def timer(id_: str, at: datetime, **more: Any) -> Timer:
    values: dict[str, Any] = {
        "id": id_, "rule": "plan_due", "number": 15, "unit": "wd", "source": "条例 §1", "provenance": "V",
        "started_on": date(2026, 3, 2), "started_at": NOW, "due_at": at, "first_due_at": at, "next_at": at, "owner": "unit",
    }  # fmt: skip
    return Timer(**values | more)


def load(store: Store, number: str = "YX-2026-0001") -> Finding:
    finding = store.write(lambda tx: findings.load(tx, number, lock=True))
    assert finding
    return finding


# ---- finding -----------------------------------------------------------------------------------------------------


def test_a_finding_comes_back_with_its_place_and_timers(store: Store, country: SmallCountry) -> None:
    first = opened(store, country)
    after = replace(
        first, state="rectification.planning", served=True, accountable_on=date(2026, 4, 1), version=1, level=1,
        due_at=NOW + HOUR, sheet={"author": "a1", "reviewers": ["r1", "r2"], "facts": [{"no": 1, "text": "堵"}]},
    )  # fmt: skip
    running = timer("t1", NOW + HOUR)

    def work(tx: Tx) -> None:
        findings.save(tx, after, was_version=0, changed_at=NOW, head="h1")
        timers.save(tx, after.number, after.office_id, after.unit_id, [running, timer("t2", NOW, stopped_at=NOW)])

    store.write(work)
    read = load(store)
    place = replace(first.place, author_id="a1", reviewers=("r1", "r2"))
    assert read == replace(after, head="h1", timers=(running,), place=place)
    assert (place.office_region, place.superior_region, place.region) == (PATHS[COUNTY], PATHS[PROVINCE], PATHS[TOWN])
    assert store.read(lambda tx: findings.load(tx, "YX-2026-9999", lock=False)) is None


def test_a_finding_that_moved_meanwhile_is_not_overwritten(store: Store, country: SmallCountry) -> None:
    first = opened(store, country)
    second = replace(first, version=1, title="neu")
    store.write(lambda tx: findings.save(tx, second, was_version=0, changed_at=NOW, head="h1"))
    with pytest.raises(Moved, match=first.number):
        store.write(lambda tx: findings.save(tx, first, was_version=0, changed_at=NOW, head="h2"))
    assert (load(store).title, load(store).head) == ("neu", "h1")


def test_a_finding_that_changes_its_unit_changes_its_region(store: Store, country: SmallCountry) -> None:
    first = opened(store, country)
    moved = replace(first, version=1, unit_id=country.far_school.id, department_id=None)
    store.write(lambda tx: findings.save(tx, moved, was_version=0, changed_at=NOW, head="h1"))
    assert load(store).place.region == ("100000", "320000", "320100")


def test_several_are_loaded_at_once_with_their_own_timers(store: Store, country: SmallCountry) -> None:
    numbers = [f"YX-2026-000{k}" for k in (3, 1, 2)]
    for number in numbers:
        finding = opened(store, country, number)
        store.write(lambda tx, f=finding: timers.save(tx, f.number, "o", "u", [timer(f"t-{f.number}", NOW)]))  # type: ignore[misc]
    many = store.write(lambda tx: findings.load_many(tx, [*numbers, "YX-2026-0009"], lock=True))
    assert list(many) == sorted(numbers)
    assert [[t.id for t in many[n].timers] for n in numbers] == [[f"t-{n}"] for n in numbers]
    assert store.read(lambda tx: findings.load_many(tx, [], lock=False)) == {}


def test_numbers_count_up_for_each_office_and_year(store: Store, country: SmallCountry) -> None:
    def take(office: str, code: str, year: int) -> str:
        return store.write(lambda tx: findings.next_number(tx, office, code, year))

    asked = [("a", "A", 2026), ("a", "A", 2026), ("b", "B", 2026), ("a", "A", 2027)]
    assert [take(*args) for args in asked] == ["A-2026-0001", "A-2026-0002", "B-2026-0001", "A-2027-0001"]
    opened(store, country)
    with pytest.raises(Duplicate):
        opened(store, country)


# ---- timers ------------------------------------------------------------------------------------------------------


def test_a_timer_comes_back_as_it_was(store: Store) -> None:
    paused = timer(
        "t1", NOW, rung=3, owner="chief,author", profile="interview", anchor_on=date(2026, 5, 1), note="§2", left=7,
        pauses=(Pause(date(2026, 3, 1), date(2026, 3, 5), "放假"), Pause(date(2026, 4, 1), None, "停工")), error="x",
        next_at=OVER,
    )  # fmt: skip
    store.write(lambda tx: timers.save(tx, "C-1", "o", "u", [paused]))
    assert store.read(lambda tx: timers.running(tx, "C-1")) == (paused,)
    stopped = replace(paused, stopped_at=NOW, left=None)
    store.write(lambda tx: timers.save(tx, "C-1", "o", "u", [stopped]))
    assert store.read(lambda tx: timers.running(tx, "C-1")) == ()
    assert store.read(lambda tx: timers.all_of(tx, "C-1")) == (stopped,)


def test_due_timers_come_in_order_page_by_page(store: Store) -> None:
    made = [timer(f"t{k % 7}{k}", NOW + k % 5 * HOUR) for k in range(20)]
    gone = [timer("stopped", NOW, stopped_at=NOW), timer("later", NOW + 9 * HOUR), timer("never", NOW, next_at=OVER)]
    store.write(lambda tx: timers.save(tx, "C-1", "o", "u", [*made, *gone]))
    seen: list[timers.Due] = []

    def page(tx: Tx) -> list[timers.Due]:
        return timers.due(tx, NOW + 5 * HOUR, limit=3, after=(seen[-1].next_at, seen[-1].id) if seen else None)

    while more := store.read(page):
        seen += more
    assert [(d.next_at, d.id) for d in seen] == sorted((t.next_at, t.id) for t in made)


def test_the_next_instant_is_the_earliest_still_to_come(store: Store) -> None:
    assert store.read(timers.next_instant) is None
    made = [timer("a", NOW + HOUR), timer("b", NOW + 2 * HOUR), timer("c", NOW, next_at=OVER)]
    store.write(lambda tx: timers.save(tx, "C-1", "o", "u", made))
    assert store.read(timers.next_instant) == NOW + HOUR
    assert store.read(lambda tx: timers.next_instant(tx, NOW + HOUR)) == NOW + 2 * HOUR
    assert store.read(lambda tx: timers.next_instant(tx, NOW + 2 * HOUR)) is None
    store.write(lambda tx: timers.put_off(tx, "a", NOW + 3 * HOUR, "raised"))
    assert store.read(timers.next_instant) == NOW + 2 * HOUR
    assert {t.id: t.error for t in store.read(lambda tx: timers.running(tx, "C-1"))} == {
        "a": "raised",
        "b": "",
        "c": "",
    }


def test_todo_gathers_what_waits_for_posts_and_parts(store: Store, country: SmallCountry) -> None:
    finding = opened(store, country)

    def work(tx: Tx) -> None:
        mine, other = country.county.id, country.other.id
        timers.save(tx, finding.number, mine, "u1", [timer("chief", NOW + 3 * HOUR, owner="officer,chief")])
        timers.save(tx, finding.number, mine, "u1", [timer("review", NOW + HOUR, owner="reviewer")])
        timers.save(tx, finding.number, mine, "u1", [timer("school", NOW, owner="unit")])
        timers.save(tx, "supervision:1", mine, "", [timer("report", NOW + 2 * HOUR, owner="officer")])
        timers.save(tx, "C-9", other, "u2", [timer("elsewhere", NOW, owner="officer,chief")])
        timers.save(tx, finding.number, mine, "u1", [timer("talk", NOW + 4 * HOUR, owner="chair")])
        parts.take(tx, finding.number, 4, [("reviewer", "p1"), ("author", "p2"), ("chair", "p3")])

    store.write(work)
    vocabulary = ["officer,chief", "officer", "unit", "reviewer", "author", "chair"]

    def ids(**desk: Any) -> list[str]:
        return [t.id for t in store.read(lambda tx: timers.todo(tx, owners=vocabulary, **{"limit": 9} | desk))]

    posts = [(country.county.id, "chief"), (country.county.id, "officer")]
    assert ids(offices=posts, persons=["p1"]) == ["review", "report", "chief"]
    assert ids(offices=posts, persons=["p1"], limit=1) == ["review"]
    assert ids(offices=posts, persons=["p1"], after=(NOW + HOUR, "review")) == ["report", "chief"]
    assert ids(offices=[(country.county.id, "chief")]) == ["chief"]
    assert ids(units=[("u1", "unit")]) == ["school"]
    assert ids(persons=["p3"]) == ["talk"]
    assert ids(persons=["p2"]) == ids() == []
    store.write(lambda tx: parts.leave(tx, finding.number, ["reviewer"], before=5))
    assert ids(persons=["p1"]) == []
    first, second = store.read(lambda tx: timers.todo(tx, owners=vocabulary, offices=posts, limit=9))
    assert (first.title, first.level, second.title, second.due_at) == (None, None, finding.title, NOW + 3 * HOUR)


def test_parts_stand_until_they_are_left(store: Store) -> None:
    store.write(lambda tx: parts.take(tx, "C-1", 1, [("author", "a"), ("reviewer", "r1")]))
    store.write(lambda tx: parts.leave(tx, "C-1", ["reviewer"], before=2))
    store.write(lambda tx: parts.take(tx, "C-1", 2, [("reviewer", "r2"), ("reviewer", "r2")]))
    assert store.read(lambda tx: parts.of_chain(tx, "C-1")) == [("author", "a"), ("reviewer", "r2")]
