"""How rows are found: no statement walks through a big table, and none binds what a partial index asks for."""

import importlib
import pkgutil
import re
from typing import Any

import pytest
from sqlalchemy import Integer, bindparam, select
from sqlmodel import SQLModel

import loop.store
from loop.store import findings, journal, mailbox, papers, parts, timers
from loop.store.core import table_of
from loop.store.session import Store, Tx
from loop.store.sql import DIALECTS, SQLITE, Prepared
from loop.store.tables import FindingRow
from tests.small_country import NOW

BIG = re.compile(
    r"SCAN (finding|event|timer|message|part|document|document_link)\b(?! USING (COVERING )?INDEX ix_message_owed)"
)
"""`ix_message_owed` holds only what waits to be sent."""

MODULES = (findings, journal, timers, parts, papers, mailbox)
STATEMENTS = {
    f"{module.__name__.rpartition('.')[2]}.{name.strip('_').lower()}": statement
    for module in MODULES
    for name, statement in vars(module).items()
    if isinstance(statement, Prepared) and name != "_HOLD"
}

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def plan(tx: Tx, text: str, values: list[Any]) -> list[str]:
    rows: list[tuple[Any, ...]] = tx._cursor.execute(f"EXPLAIN QUERY PLAN {text}", values).fetchall()  # type: ignore[attr-defined]
    return [str(row[-1]) for row in rows]


@on_sqlite
@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_walks_through_a_big_table(store: Store, name: str) -> None:
    form = STATEMENTS[name].form(SQLITE)
    bound = form.bind({key: ["1", "2"] if key in form.lists else 1 for key in form.names})
    found = store.read(lambda tx: plan(tx, *bound))
    assert [line for line in found if BIG.search(line)] == []


BOUND = re.compile(r"\b(\w+) (?:=|>=|<=|<|>|!=) (?:\?|%s)")
COMPARED = re.compile(r"\b(\w+) (?:=|>=|<=|<|>|!=)")


def partial_columns() -> set[str]:
    """The columns with whole numbers in them that a partial index compares with a value to choose its rows."""
    found = set()
    for table in SQLModel.metadata.tables.values():
        numbers = {column.name for column in table.columns if isinstance(column.type, Integer)}
        for index in table.indexes:
            found |= numbers & set(COMPARED.findall(str(index.dialect_options["sqlite"]["where"])))
    return found


def asks_by_value(statement: Prepared, dialect: str, columns: set[str]) -> bool:
    """Whether its conditions compare one of these columns with a value that is bound."""
    text = statement.form(dialect).compiled.string
    asked = text.partition(" SET ")[2].partition(" WHERE ")[2] or text
    return not columns.isdisjoint(BOUND.findall(asked))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_no_statement_binds_what_a_partial_index_asks_for(dialect: str) -> None:
    """SQLite plans such a statement anew whenever it is run, and PostgreSQL cannot keep a plan for it."""
    columns = partial_columns()
    assert {"active", "dead", "level"} <= columns
    level = table_of(FindingRow).c.level
    assert asks_by_value(Prepared(select(level).where(level >= bindparam("least"))), dialect, columns), (
        "it would be seen"
    )
    rooms = [importlib.import_module(f"loop.store.{room.name}") for room in pkgutil.iter_modules(loop.store.__path__)]
    held = {
        f"{room.__name__}.{name}": one
        for room in rooms
        for name, one in vars(room).items()
        if isinstance(one, Prepared)
    }
    assert len(held) > 200
    assert [name for name, one in held.items() if asks_by_value(one, dialect, columns)] == []


@on_sqlite
def test_the_sweep_follows_its_index_without_sorting(store: Store) -> None:
    bound = timers._DUE.bind(SQLITE, {"now": "9", "after_at": "", "after_id": "", "most": 5})
    (line,) = store.read(lambda tx: plan(tx, *bound))
    assert "ix_timer_next" in line


@on_sqlite
def test_the_personal_desk_walks_through_nothing(store: Store) -> None:
    seen: list[tuple[str, list[Any]]] = []
    store.trace = lambda text, values: seen.append((text, list(values)))
    desk = {"offices": [("o", "chief"), ("p", "officer")], "units": [("u", "unit")], "persons": ["p"]}
    owners = ["officer,chief", "unit", "reviewer", "author", "officer"]
    store.read(lambda tx: timers.todo(tx, owners=owners, limit=20, after=(NOW, "t"), **desk))  # type: ignore[arg-type]
    store.trace = None
    ((text, values),) = [(text, values) for text, values in seen if "SELECT" in text]
    found = store.read(lambda tx: plan(tx, text, values))
    assert [line for line in found if BIG.search(line)] == []
    assert {"ix_timer_office", "ix_timer_unit", "ix_timer_chain"} <= set(re.findall(r"ix_timer_\w+", " ".join(found)))
