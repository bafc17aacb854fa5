"""How SQLite carries out what the engine and the ledger really say, before it has statistics: nothing walks through a big
table, whoever acts and whoever reads.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from loop.store import ledger
from loop.store.ledger_filter import LedgerFilter
from loop.store.session import Store, Tx
from tests.ledger_world import SCOPES, actor_in, some_findings
from tests.small_country import COUNTY, NOW, SmallCountry, found, put_findings
from tests.world import World, world

__all__ = ["world"]

pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

SCAN = re.compile(
    r"SCAN (?:finding|event|timer|message|part|document|document_link|attachment|search_gram|person|post|unit)\b"
)
OWED = re.compile(r"SCAN message USING (COVERING )?INDEX ix_message_owed")
"""This index holds only what waits to be sent."""
FILTERS = {
    "everything": LedgerFilter(),
    "a state": LedgerFilter(state=("review.desk",)),
    "late": LedgerFilter(overdue=True, open=True),
    "high": LedgerFilter(level_min=4),
    "red": LedgerFilter(light=("red",)),
    "a region": LedgerFilter(region=COUNTY),
    "a campaign": LedgerFilter(supervision="s1"),
    "mine": LedgerFilter(mine=True),
}


@contextmanager
def heard(store: Store) -> Iterator[dict[str, list[Any]]]:
    """Every statement that is said meanwhile, once, with the values it was last said with."""
    said: dict[str, list[Any]] = {}
    store.trace = lambda text, values: said.update({text: list(values)})
    yield said
    store.trace = None


def scans(store: Store, said: dict[str, list[Any]]) -> list[tuple[str, str]]:
    """The lines of the plans that walk through a big table, with their statements."""
    planned = {text: values for text, values in said.items() if text.lstrip().startswith(("SELECT", "WITH", "UPDATE"))}
    assert planned

    def explain(tx: Tx) -> list[tuple[str, str]]:
        lines: list[tuple[str, str]] = []
        for text, values in planned.items():
            tx._execute(f"EXPLAIN QUERY PLAN {text}", values)
            lines += [(str(row[-1]), text) for row in tx._cursor.fetchall()]
        return lines

    return [line for line in store.read(explain) if SCAN.search(line[0]) and not OWED.search(line[0])]


def test_no_action_and_no_timer_walks_through_a_big_table(world: World) -> None:
    store = world.parts.store
    with heard(store) as said:
        number = world.passed(world.reported(world.executing()))
        world.act("school", "comment", number, text="已完成")
        silent = world.executing()
        world.sleep(60)
    assert {"warn", "urge"} <= set(world.actions(silent))
    assert scans(store, said) == []


@pytest.fixture
def country(store: Store) -> SmallCountry:
    """Two thousand findings, and nothing known of them to the planner."""

    def fill(tx: Tx) -> SmallCountry:
        made = found(tx)
        put_findings(tx, some_findings(made, 2_000))
        return made

    return store.write(fill)


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope not in ("admin", "nobody")])
def test_no_page_of_the_ledger_walks_through_the_findings(store: Store, country: SmallCountry, scope: str) -> None:
    actor = actor_in(scope, country)
    for name, chosen in FILTERS.items():
        for sort in ("due_at", "-due_at", "opened_at", "number", "-level"):
            with heard(store) as said:
                store.read(partial(ledger.page, actor=actor, chosen=chosen, now=NOW, sort=sort))
                store.read(partial(ledger.count, actor=actor, chosen=chosen, now=NOW))
            assert scans(store, said) == [], (name, sort)


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if scope not in ("admin", "nobody", "three posts")])
def test_the_usual_page_is_read_in_the_order_of_an_index(store: Store, country: SmallCountry, scope: str) -> None:
    """So its cost does not grow with the number of findings: only the rows shown are sorted."""
    actor = actor_in(scope, country)
    assert sorts(store, lambda tx: ledger.page(tx, actor, LedgerFilter(), now=NOW)) <= 1


def sorts(store: Store, work: Callable[[Tx], object]) -> int:
    """How often the last statement of `work` sorts."""
    with heard(store) as said:
        store.read(work)
    text, values = [one for one in said.items() if one[0].lstrip().startswith(("SELECT", "WITH"))][-1]

    def explain(tx: Tx) -> int:
        tx._execute(f"EXPLAIN QUERY PLAN {text}", values)
        return sum("USE TEMP B-TREE FOR ORDER BY" in str(row[-1]) for row in tx._cursor.fetchall())

    return store.read(explain)
