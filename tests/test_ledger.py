"""The ledger: every filter against a plain reading of its meaning, pages that meet, counts that stop, plans that hold."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from loop.kernel.errors import Invalid
from loop.kernel.finding import NEVER
from loop.kernel.people import Actor
from loop.store import ledger
from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.ledger import ORDERS, Count, LedgerRow, Named
from loop.store.ledger_filter import LedgerFilter
from loop.store.lights import LIGHTS, is_overdue, light
from loop.store.paging import LARGEST, cursor
from loop.store.session import Store, Tx
from loop.store.sql import Prepared
from loop.store.tables import PartRow
from tests.ledger_world import AUDITOR, SCOPES, STATES, actor_in, some_findings
from tests.small_country import (
    COUNTRY,
    COUNTY,
    NOW,
    OTHER_CITY,
    OTHER_PROVINCE,
    PATHS,
    PROVINCE,
    TOWN,
    SmallCountry,
    found,
    put_findings,
    put_searchable,
)

ADD_PART = Prepared(insert(table_of(PartRow)))


@pytest.fixture
def country(store: Store) -> SmallCountry:
    return store.write(found)


@pytest.fixture
def rows(store: Store, country: SmallCountry) -> list[dict[str, Any]]:
    made = some_findings(country)
    parts = [
        {"chain": f"F-{id_:06}", "person_id": "p", "part": "author", "seq": 1, "ended": id_ % 2} for id_ in range(1, 31)
    ]

    def fill(tx: Tx) -> None:
        put_findings(tx, made)
        tx.many(ADD_PART, parts)

    store.write(fill)
    return made


def pages(
    store: Store, actor: Actor, chosen: LedgerFilter, sort: str = "due_at", limit: int = 200
) -> Iterator[LedgerRow]:
    after: str | None = None
    while True:
        page = store.read(
            partial(ledger.page, actor=actor, chosen=chosen, now=NOW, sort=sort, after=after, limit=limit)
        )
        yield from page.items
        after = page.next
        if after is None:
            return
        assert len(page.items) == limit


# ---- filters -----------------------------------------------------------------------------------------------------


def asked(row: dict[str, Any], chosen: LedgerFilter, offices: dict[str, str]) -> bool:
    """What the filter means, read plainly."""
    due, opened, changed, suspended = (
        instant_of(row[name]) for name in ("due_at", "opened_at", "changed_at", "suspended_at")
    )
    shown = light(is_open=bool(row["is_open"]), suspended_at=suspended, due_at=due, level=row["level"], now=NOW)
    late = is_overdue(due_at=due, suspended_at=suspended, now=NOW)
    tests: list[tuple[Any, Callable[[], bool]]] = [
        (chosen.open, lambda: bool(row["is_open"]) == chosen.open),
        (chosen.stage, lambda: row["state"].split(".")[0] in chosen.stage),
        (chosen.state, lambda: row["state"] in chosen.state),
        (chosen.dispute, lambda: row["dispute"] in chosen.dispute),
        (chosen.level_min, lambda: row["level"] >= (chosen.level_min or 0)),
        (chosen.unit, lambda: row["unit_id"] == chosen.unit),
        (chosen.region, lambda: chosen.region in row["path"]),
        (chosen.office, lambda: row["office_id"] == offices[chosen.office or ""]),
        (chosen.supervision, lambda: row["supervision_id"] == chosen.supervision),
        (chosen.category, lambda: row["category"] in chosen.category),
        (chosen.severity, lambda: row["severity"] in chosen.severity),
        (chosen.kind, lambda: row["kind"] in chosen.kind),
        (chosen.light, lambda: shown in chosen.light),
        (chosen.overdue, lambda: late == chosen.overdue),
        (chosen.suspended, lambda: (suspended != NEVER) == chosen.suspended),
        (chosen.due_before, lambda: due < (chosen.due_before or NEVER)),
        (chosen.due_after, lambda: (chosen.due_after or NEVER) <= due < NEVER),
        (chosen.opened_after, lambda: opened >= (chosen.opened_after or NEVER)),
        (chosen.opened_before, lambda: opened < (chosen.opened_before or NEVER)),
        (chosen.changed_after, lambda: (chosen.changed_after or NEVER) <= changed < NEVER),
        (chosen.mine or None, lambda: row["id"] <= 30 and row["id"] % 2 == 0),
    ]
    return all(test() for value, test in tests if value is not None and value != ())


instants = st.one_of(st.none(), st.integers(-25, 25).map(lambda days: NOW + timedelta(days=days)))
flags = st.sampled_from([None, None, True, False])


def several(*values: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.one_of(st.just(()), st.lists(st.sampled_from(values), max_size=2).map(tuple))


filters = st.builds(
    LedgerFilter,
    open=flags,
    stage=several("report", "rectification", "lookback", "archived", "nothing", "re%"),
    state=several(*STATES),
    dispute=several("none", "filed"),
    level_min=st.sampled_from([None, None, 0, 1, 3, 10**30, -(10**30)]),
    unit=st.sampled_from([None, None, "provincial", "nobody"]),
    region=st.sampled_from([None, None, *PATHS]),
    office=st.sampled_from([None, None, "HT", "YX", "BL"]),
    supervision=st.sampled_from([None, None, "s1", "s2"]),
    category=several("funding", "campus_safety"),
    severity=several("normal", "major"),
    kind=several("routine"),
    light=several(*LIGHTS),
    overdue=flags,
    suspended=flags,
    due_before=instants,
    due_after=instants,
    opened_after=instants,
    opened_before=instants,
    changed_after=instants,
    mine=st.booleans(),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filters, st.sampled_from([*ORDERS, *(f"-{name}" for name in ORDERS)]))
def test_a_filter_means_what_it_says(
    store: Store, country: SmallCountry, rows: list[dict[str, Any]], chosen: LedgerFilter, sort: str
) -> None:
    offices = {"HT": country.province.id, "YX": country.county.id, "BL": country.other.id}
    wanted = {row["id"] for row in rows if asked(row, chosen, offices)}
    shown = [row.id for row in pages(store, AUDITOR, chosen, sort)]
    assert sorted(shown) == sorted(wanted)
    assert store.read(lambda tx: ledger.count(tx, AUDITOR, chosen, now=NOW)) == Count(len(wanted), more=False)


@pytest.mark.parametrize(
    "chosen",
    [
        {"region": "999999"},
        {"office": "XX"},
        {"light": ("blue",)},
        {"unit": "a\0b"},
        {"state": ("\ud800",)},
        {"due_before": datetime(2026, 1, 1)},  # noqa: DTZ001 - a naive one is the point
        {"due_before": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8)))},
        {"q": "长" * 101},
    ],
)
def test_a_filter_that_cannot_be(store: Store, rows: list[dict[str, Any]], chosen: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        list(pages(store, AUDITOR, LedgerFilter(**chosen)))
    assert [fault.field for fault in caught.value.faults] == list(chosen)


def test_an_office_goes_by_code_or_id(store: Store, country: SmallCountry, rows: list[dict[str, Any]]) -> None:
    by_code = [row.id for row in pages(store, AUDITOR, LedgerFilter(office="YX"))]
    assert by_code == [row.id for row in pages(store, AUDITOR, LedgerFilter(office=country.county.id))]


# ---- pages -------------------------------------------------------------------------------------------------------


def in_scope(scope: str, row: dict[str, Any], country: SmallCountry) -> bool:
    served = bool(row["served"])
    governed = served and row["department_id"] == country.bureau.id
    match scope:
        case "country":
            return True
        case "province":
            return PROVINCE in row["path"]
        case "city" | "county":
            return COUNTY in row["path"]
        case "town":
            return TOWN in row["path"]
        case "unit":
            return served and row["unit_id"] == country.school.id
        case "department":
            return governed
        case "three posts":
            return governed or OTHER_PROVINCE in row["path"] or TOWN in row["path"]
        case _:
            return False


KEYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "due_at": lambda row: (row["due_at"], row["id"]),
    "opened_at": lambda row: (row["opened_at"], row["id"]),
    "number": lambda row: row["id"],
    "level": lambda row: (row["level"], row["id"]),
}


@pytest.mark.parametrize("scope", SCOPES)
def test_pages_meet_in_every_order(store: Store, country: SmallCountry, rows: list[dict[str, Any]], scope: str) -> None:
    """However small the pages, the reader sees the whole scope once, in order, whatever posts it rests on."""
    seen = [row for row in rows if in_scope(scope, row, country)]
    for sort, key in KEYS.items():
        for sign in ("", "-"):
            wanted = [row["id"] for row in sorted(seen, key=key, reverse=bool(sign))]
            shown = [row.id for row in pages(store, actor_in(scope, country), LedgerFilter(), sign + sort, limit=13)]
            assert shown == wanted


def test_what_has_no_due_date_comes_last(store: Store, rows: list[dict[str, Any]]) -> None:
    shown = [row.due_at for row in pages(store, AUDITOR, LedgerFilter())]
    assert shown == sorted(shown)
    assert shown[-1] == NEVER


@pytest.mark.parametrize(
    "after",
    [
        "x",
        "====",
        cursor("-due_at", ("2026-01-01T00:00:00.000000Z", 5)),
        cursor("due_at", ("2026-01-01T00:00:00.000000Z", "5")),
        cursor("due_at", ("2026-01-01T00:00:00.000000Z", 2**63)),
        cursor("due_at", ("\0", 5)),
        cursor("due_at", ("2026-01-01T00:00:00.000000Z",)),
        cursor("due_at", (5, 5)),
    ],
)
def test_a_cursor_of_another_making_is_invalid(store: Store, rows: list[dict[str, Any]], after: str) -> None:
    with pytest.raises(Invalid) as caught:
        store.read(lambda tx: ledger.page(tx, AUDITOR, LedgerFilter(), now=NOW, after=after))
    assert [fault.field for fault in caught.value.faults] == ["after"]


def test_every_changed_letter_of_a_cursor_is_noticed(store: Store, rows: list[dict[str, Any]]) -> None:
    given = store.read(lambda tx: ledger.page(tx, AUDITOR, LedgerFilter(), now=NOW, limit=5)).next
    assert given
    for place, letter in enumerate(given[:-1]):
        changed = given[:place] + ("A" if letter != "A" else "B") + given[place + 1 :]
        with pytest.raises(Invalid):
            store.read(partial(ledger.page, actor=AUDITOR, chosen=LedgerFilter(), now=NOW, after=changed))


@pytest.mark.parametrize(
    ("what", "value"), [("limit", 0), ("limit", LARGEST + 1), ("sort", "title"), ("sort", "--due_at")]
)
def test_a_page_that_cannot_be(store: Store, what: str, value: Any) -> None:
    with pytest.raises(Invalid) as caught:
        store.read(lambda tx: ledger.page(tx, AUDITOR, LedgerFilter(), now=NOW, **{what: value}))
    assert [fault.field for fault in caught.value.faults] == [what]


# ---- rows --------------------------------------------------------------------------------------------------------


def test_a_row_tells_all_that_the_list_shows(store: Store, country: SmallCountry) -> None:
    row = {
        "id": 9, "number": "YX-2026-0009", "path": PATHS[TOWN], "unit_id": country.school.id,
        "department_id": country.bureau.id, "office_id": country.county.id, "title": "出口过窄", "level": 2,
        "due_at": text_of(NOW + timedelta(days=9)), "due_rule": "rectify_by", "waits_for": "unit", "danger_to_life": 1,
        "relapse_count": 1, "round": 2, "responsible_person": "李某", "version": 17,
    }  # fmt: skip
    store.write(lambda tx: put_findings(tx, [row]))
    (shown,) = pages(store, AUDITOR, LedgerFilter())
    assert shown == LedgerRow(
        id=9, number="YX-2026-0009", title="出口过窄", description="d", state="rectification.executing", dispute="none",
        level=2, round=2, relapse_count=1, severity="normal", category="campus_safety", kind="routine",
        unit=Named(country.school.id, "桐峰镇中心小学", "school"), department_id=country.bureau.id,
        office=Named("YX", "YX督导办"), region=Named(TOWN, "桐峰镇"), supervision_id=None,
        opened_at=datetime(2026, 1, 1, tzinfo=UTC), due_at=NOW + timedelta(days=9), due_rule="rectify_by",
        waits_for="unit", overdue=False, light="yellow", is_open=True, written_off_at=NEVER, suspended_at=NEVER,
        changed_at=NEVER, version=17, responsible_person="李某", positive=False, long_term=False, danger_to_life=True,
    )  # fmt: skip
    assert shown.stage == "rectification"


def test_a_finding_of_the_whole_country_has_the_country_as_region(store: Store, country: SmallCountry) -> None:
    store.write(lambda tx: put_findings(tx, [{"id": 1, "path": PATHS[COUNTRY]}]))
    (shown,) = pages(store, AUDITOR, LedgerFilter(region=COUNTRY))
    assert shown.region == Named(COUNTRY, "全国")
    assert list(pages(store, AUDITOR, LedgerFilter(region=PROVINCE))) == []


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, "green"),
        ({"due_at": NOW - timedelta(seconds=1)}, "red"),
        ({"due_at": NOW}, "yellow"),
        ({"due_at": NOW + 5 * DAY}, "yellow"),
        ({"due_at": NOW + 5 * DAY + timedelta(seconds=1)}, "green"),
        ({"due_at": NEVER}, "green"),
        ({"level": 1}, "yellow"),
        ({"level": 6, "due_at": NOW - DAY}, "red"),
        ({"is_open": False, "due_at": NOW - DAY}, "grey"),
        ({"suspended_at": NOW - DAY, "due_at": NOW - DAY}, "grey"),
    ],
)
def test_the_light(changes: dict[str, Any], shown: str) -> None:
    base: dict[str, Any] = {"is_open": True, "suspended_at": NEVER, "due_at": NOW + 30 * DAY, "level": 0}
    assert light(**(base | changes), now=NOW) == shown


# ---- search in the ledger ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rare", [0, 1_000])
def test_a_query_joins_the_other_filters_and_the_scope(
    store: Store, country: SmallCountry, rare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a word counts as rare decides only the way, never the answer."""
    monkeypatch.setattr("loop.store.search.RARE", rare)
    monkeypatch.setattr("loop.store.search.COUNTABLE", rare)

    def fill(tx: Tx) -> None:
        for id_ in range(1, 41):
            put_searchable(
                tx, id_, "安全出口" if id_ % 2 else "食堂卫生", unit_name="桐峰小学", unit_id=country.school.id,
                level=id_ % 3, served=int(id_ > 20), due_at=text_of(NOW + timedelta(days=id_ % 7)),
            )  # fmt: skip

    store.write(fill)
    wanted = {id_ for id_ in range(1, 41) if id_ % 2 and id_ % 3 >= 1}
    assert {row.id for row in pages(store, AUDITOR, LedgerFilter(q="安全 小学", level_min=1), limit=3)} == wanted
    unit = actor_in("unit", country)
    assert {row.id for row in pages(store, unit, LedgerFilter(q="安全"), "-number", limit=4)} == set(range(21, 41, 2))
    assert store.read(lambda tx: ledger.count(tx, unit, LedgerFilter(q="出口"), now=NOW)) == Count(10, more=False)
    assert list(pages(store, AUDITOR, LedgerFilter(q="%"))) == []


# ---- counts ------------------------------------------------------------------------------------------------------


def test_counting_stops(store: Store) -> None:
    made = [{"id": id_, "path": PATHS[TOWN if id_ % 2 else OTHER_CITY]} for id_ in range(1, ledger.COUNT_LIMIT + 2)]

    def count(actor: Actor) -> Count:
        return store.read(lambda tx: ledger.count(tx, actor, LedgerFilter(), now=NOW))

    store.write(lambda tx: put_findings(tx, made[:-1]))
    assert count(AUDITOR) == Count(ledger.COUNT_LIMIT, more=False)
    store.write(lambda tx: put_findings(tx, made[-1:]))
    assert count(AUDITOR) == Count(ledger.COUNT_LIMIT, more=True)
    assert count(Actor("p", "p", "某", SCOPES["town"])) == Count(ledger.COUNT_LIMIT // 2 + 1, more=False)
    assert count(Actor("p", "p", "某", SCOPES["nobody"])) == Count(0, more=False)
