"""What is counted as it happens is what a count of everything finds, whatever happens in between, folded or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from loop.kernel.people import Path as RegionPath
from loop.store import by_state, ledger, pressing, tallies, write_offs
from loop.store.board import Lights, Standing
from loop.store.ledger_filter import LedgerFilter
from loop.store.session import Store, Tx
from loop.store.sql import Prepared
from tests.inhabited import Inhabited
from tests.ledger_world import AUDITOR, SCOPES, actor_in, some_findings
from tests.small_country import CITY, COUNTRY, COUNTY, NOW, PATHS, PROVINCE, TOWN, SmallCountry, found, put_findings
from tests.test_ledger_plans import plans
from tests.world import World, settings_for, world

__all__ = ["world"]

ZONE = ZoneInfo("Asia/Shanghai")
CELLS = Prepared(text("SELECT place, measure, part, n FROM tally ORDER BY place, measure, part"))
SPOIL = Prepared(text("UPDATE tally SET n = n + 5 WHERE measure = 'open'"))
PENDING = Prepared(text("SELECT count(*) FROM tally_shift"))


@pytest.fixture
def country(store: Store) -> SmallCountry:
    return store.write(found)


@pytest.fixture
def counted(store: Store, country: SmallCountry) -> Store:
    """Findings of all sorts that were there before anything was counted."""
    store.write(lambda tx: put_findings(tx, some_findings(country, 600)))
    tallies.fold(store, ZONE)
    return store


def total(tx: Tx, now: datetime, region: str, **wanted: object) -> int:
    return ledger.count(tx, AUDITOR, LedgerFilter(region=region, **wanted), now=now).total  # type: ignore[arg-type]


def by_ledger(tx: Tx, now: datetime, region: str, **wanted: object) -> Lights:
    live = {"open": True, "suspended": False, **wanted}
    lights = {name: total(tx, now, region, light=(name,), **live) for name in ("red", "yellow", "green")}
    return Lights(**lights, grey=total(tx, now, region, open=True, suspended=True, **wanted))


HOURS = (0, 1, 9, 11, 12, 15, 23)


@pytest.mark.parametrize("region", [COUNTRY, PROVINCE, CITY, COUNTY, TOWN])
def test_the_numbers_are_those_of_the_ledger_at_any_hour(counted: Store, country: SmallCountry, region: str) -> None:
    unit = country.school.id
    of_unit = tallies.of_unit(unit, TOWN)

    def work(tx: Tx) -> None:
        for hours in HOURS:
            now = NOW.replace(hour=hours, minute=30)
            marks = [now + timedelta(days=k, hours=7 * k) for k in range(6)]
            places = [TOWN, of_unit]
            stands = Standing(tx, PATHS[region], places, now=now, marks=marks, since="2026-01")
            assert stands.lights() == by_ledger(tx, now, region), hours
            assert stands.lights(TOWN) == by_ledger(tx, now, TOWN), hours
            assert stands.lights(of_unit) == by_ledger(tx, now, COUNTRY, unit=unit), hours
            for mark in marks:
                due = total(tx, now, region, open=True, suspended=False, due_before=mark)
                assert stands.due_before(mark) == due, (hours, mark)
            assert stands.climbing(3) == total(tx, now, region, open=True, level_min=3)
            assert stands.in_state("review.desk") == total(tx, now, region, state=("review.desk",))
            opened = {
                "opened_after": datetime(2026, 1, 31, 16, tzinfo=UTC),
                "opened_before": datetime(2026, 2, 28, 16, tzinfo=UTC),
            }
            assert stands.in_month(tallies.OPENED, "2026-02") == total(tx, now, region, **opened)

    counted.read(work)


def cells(store: Store) -> list[tuple[str, str, str, int]]:
    return [tuple(row) for row in store.read(lambda tx: tx.all(CELLS))]


def test_counted_step_by_step_is_counted_at_once(database_url: str, tmp_path: Path) -> None:
    """Half a year in which everything happens that can: what was added up is what counting everything finds."""
    world = World(settings_for(database_url, tmp_path), virtual=True)
    store = world.parts.store
    Inhabited(world).settle()
    assert store.read(lambda tx: tx.one(PENDING)) != (0,)
    tallies.fold(store, ZONE)
    kept = cells(store)
    assert store.read(lambda tx: tallies.drift(tx, ZONE)) == 0
    store.write(lambda tx: tallies.recount(tx, ZONE))
    assert cells(store) == kept
    store.write(lambda tx: tx.run(SPOIL))
    assert store.read(lambda tx: tallies.drift(tx, ZONE)) > 0
    store.write(lambda tx: tallies.recount(tx, ZONE))
    assert cells(store) == kept
    world.parts.close()


def home(world: World) -> RegionPath:
    """The county of the cast."""
    return world.actor("chief").posts[0].region


def month(world: World, name: str) -> dict[str, int]:
    county = home(world)

    def work(tx: Tx) -> dict[str, int]:
        stands = Standing(tx, county, now=world.clock, since="2026-01")
        return {measure: stands.in_month(measure, name) for measure in write_offs.MEASURES}

    return world.parts.store.read(work)


def test_a_write_off_is_counted_in_its_month_and_marked_when_it_does_not_hold(world: World) -> None:
    number = world.reported(world.executing())
    world.passed(number)
    world.act("chief", "write_off", number)
    name = world.day()[:7]
    held = {"off": 1, "dated": 1, "by_first": 1, "by_last": 1, "relapsed": 0}
    assert month(world, name) == held
    world.sleep(95)
    file = world.attach("inspector", number)
    world.act("inspector", "relapse", number, evidence=[file], similar=True, rectify_by=world.day(30))
    assert month(world, name) == {**held, "relapsed": 1}
    assert month(world, world.day()[:7]) == dict.fromkeys(write_offs.MEASURES, 0)
    county = home(world)
    (one,) = world.parts.store.read(lambda tx: write_offs.page(tx, county, name, "relapsed")).items
    assert (one.number, one.by_last, one.relapsed) == (number, True, True)
    assert world.parts.store.read(lambda tx: write_offs.page(tx, county, name, "late")).items == ()


def test_reading_what_is_counted_walks_through_nothing(counted: Store) -> None:
    def work(tx: Tx) -> None:
        for path in PATHS.values():
            Standing(tx, path, [TOWN], now=NOW, marks=[NOW + timedelta(days=1)], since="2026-01")
            pressing.next_units(tx, path, 12)
            pressing.climbers(tx, path, 8)
            pressing.longest_overdue(tx, path, NOW, 8)
            write_offs.page(tx, path, "2026-03", "late")

    plan = plans(counted, work)
    assert "SCAN finding" not in plan
    assert "SCAN tally\n" not in plan
    assert "SCAN write_off" not in plan
    assert not [line for line in plan.splitlines() if "Seq Scan on" in line and "tally_shift" not in line]
    if counted.dialect == "sqlite":
        assert "climbing" in plan


@pytest.mark.parametrize("scope", [*SCOPES])
def test_everybody_is_told_how_many_they_see_in_each_state(counted: Store, country: SmallCountry, scope: str) -> None:
    actor = actor_in(scope, country)
    states = ("report.draft", "review.desk", "archived", "interview.proposed")

    def work(tx: Tx) -> None:
        found = by_state.in_states(tx, actor)
        for state in states:
            assert found.get(state, 0) == ledger.count(tx, actor, LedgerFilter(state=(state,)), now=NOW).total, state

    counted.read(work)
