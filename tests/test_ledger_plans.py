"""How the databases carry out the ledger: no question scans the findings, and each scope reads its own index."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from loop.store import ledger
from loop.store.ledger_filter import LedgerFilter
from loop.store.session import Store, Tx
from loop.store.sql import Prepared
from tests.ledger_world import AUDITOR, actor_in, some_findings
from tests.small_country import COUNTY, NOW, SmallCountry, found, put_findings, put_searchable


@pytest.fixture
def country(store: Store) -> SmallCountry:
    return store.write(found)


def plans(store: Store, work: Callable[[Tx], object]) -> str:
    """How the database carries out every statement of `work`; PostgreSQL is asked what it can do without scanning."""
    ran: list[tuple[str, list[Any]]] = []
    store.trace = lambda statement, values: ran.append((statement, list(values)))
    store.read(work)
    store.trace = None
    asked = [(statement, values) for statement, values in ran if statement.lstrip().startswith(("SELECT", "WITH"))]
    assert asked

    def explain(tx: Tx) -> list[str]:
        if store.dialect == "postgresql":
            tx.control("SET LOCAL enable_seqscan = off")
        word = "EXPLAIN" if store.dialect == "postgresql" else "EXPLAIN QUERY PLAN"
        lines = []
        for statement, values in asked:
            tx._execute(f"{word} {statement}", values)
            lines += [" ".join(map(str, row)) for row in tx._cursor.fetchall()]
        return lines

    return "\n".join(store.read(explain))


@pytest.fixture
def analysed(store: Store, country: SmallCountry) -> Store:
    """Two thousand findings and fresh statistics, as a running service has them."""

    def fill(tx: Tx) -> None:
        put_findings(tx, some_findings(country, 2_000))
        tx.run(Prepared(text("ANALYZE")))

    store.write(fill)
    return store


WANTED = {
    "everything": LedgerFilter(),
    "a state": LedgerFilter(state=("review.desk",)),
    "a stage": LedgerFilter(stage=("review",)),
    "late": LedgerFilter(overdue=True, open=True),
    "red": LedgerFilter(light=("red", "yellow")),
    "a region": LedgerFilter(region=COUNTY),
    "a unit": LedgerFilter(unit="provincial"),
    "a campaign": LedgerFilter(supervision="s1"),
    "mine": LedgerFilter(mine=True),
    "a word": LedgerFilter(q="安全"),
}


@pytest.mark.parametrize(
    "scope", ["country", "province", "city", "county", "town", "unit", "department", "three posts"]
)
def test_no_question_scans_the_findings(analysed: Store, country: SmallCountry, scope: str) -> None:
    actor = actor_in(scope, country)
    for name, chosen in WANTED.items():
        for sort in ("due_at", "-due_at", "opened_at", "-number", "-level"):
            plan = plans(analysed, partial(ledger.page, actor=actor, chosen=chosen, now=NOW, sort=sort))
            assert "SCAN finding" not in plan, (name, sort, plan)
            assert "Seq Scan on finding" not in plan, (name, sort, plan)
        plan = plans(analysed, partial(ledger.count, actor=actor, chosen=chosen, now=NOW))
        assert "SCAN finding" not in plan, (name, plan)
        assert "Seq Scan on finding" not in plan, (name, plan)


@pytest.mark.parametrize(
    ("scope", "chosen", "index"),
    [
        ("country", LedgerFilter(), "ix_f_due"),
        ("province", LedgerFilter(), "ix_f_r1_due"),
        ("city", LedgerFilter(), "ix_f_r2_due"),
        ("county", LedgerFilter(), "ix_f_r3_due"),
        ("town", LedgerFilter(), "ix_f_r4_due"),
        ("unit", LedgerFilter(), "ix_f_unit_due"),
        ("department", LedgerFilter(), "ix_f_department_due"),
        ("province", LedgerFilter(state=("review.desk",)), "ix_f_r1_state_due"),
        ("country", LedgerFilter(unit="provincial"), "ix_f_unit_"),
    ],
)
def test_each_scope_reads_its_own_index_in_order(
    analysed: Store, country: SmallCountry, scope: str, chosen: LedgerFilter, index: str
) -> None:
    if analysed.dialect == "postgresql":
        pytest.skip("PostgreSQL sorts two thousand rows rather than follow an index")
    actor = actor_in(scope, country)
    plan = plans(analysed, lambda tx: ledger.page(tx, actor, chosen, now=NOW, limit=20))
    assert f"SEARCH finding USING INDEX {index}" in plan or f"SEARCH finding USING COVERING INDEX {index}" in plan, plan


def test_a_rare_word_starts_from_the_search(analysed: Store, country: SmallCountry) -> None:
    analysed.write(lambda tx: put_searchable(tx, 9_999, "罕见问题", unit_id=country.school.id))
    plan = plans(analysed, lambda tx: ledger.page(tx, AUDITOR, LedgerFilter(q="罕见"), now=NOW))
    if analysed.dialect == "sqlite":
        assert "SCAN search VIRTUAL TABLE INDEX" in plan, plan
        assert "SEARCH finding USING INTEGER PRIMARY KEY" in plan, plan
    else:
        assert "ix_search_gram" in plan, plan
