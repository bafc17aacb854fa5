"""How the databases find what the pages of the public, the profile, the audit and telling show: by an index, each time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from loop.store import accounts, gaps, journal, public, whereabouts
from loop.store.session import Store, Tx
from tests.cast import COUNTY
from tests.world import World, settings_for

WALKS = {
    "sqlite": re.compile(
        r"SCAN (?:document|document_link|finding|event|session|gap|timer|person|post|unit)\b(?! USING)"
    ),
    "postgresql": re.compile(
        r"Seq Scan on (?:document|document_link|finding|event|session|gap|timer|person|post|unit)\b"
    ),
}
EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN", "postgresql": "EXPLAIN"}


def walks(store: Store, said: dict[str, list[object]]) -> list[tuple[str, str]]:
    """The lines of plans that walk through a big table, with what was asked."""

    def look(tx: Tx) -> list[tuple[str, str]]:
        if tx.dialect == "postgresql":
            # It is asked what it can do without scanning: small tables it would always scan.
            tx.control("SET LOCAL enable_seqscan = off")
        lines = []
        for text, values in said.items():
            tx._execute(f"{EXPLAIN[tx.dialect]} {text}", values)
            lines += [(str(row[-1]), text) for row in tx._cursor.fetchall()]
        return lines

    return [(line, text) for line, text in store.read(look) if WALKS[store.dialect].search(line)]


@pytest.fixture
def told(database_url: str, tmp_path: Path) -> Iterator[World]:
    """A world in which something was published."""
    world = World(settings_for(database_url, tmp_path))
    yield world
    world.parts.close()


def ask(tx: Tx, world: World) -> None:
    """Everything that these pages ask of big tables."""
    public.page(tx, limit=20)
    public.page(tx, limit=20, after=(world.clock, "x"))
    entries = journal.latest(tx, "people", 2**31 - 1, 30)
    whereabouts.places_of(tx, entries)
    gaps.healed(tx, [world.cast.office_id], limit=50)
    session, _ = accounts.open_session(tx, person_id=world.cast.ids["chief"], expires_at=world.clock)
    accounts.other_sessions(tx, session, world.clock)
    accounts.end_other_sessions(tx, session)
    public.seats(tx)


def test_no_page_walks_through_a_big_table(told: World) -> None:
    number = told.received()
    letter = f"{number}.{told.version(number) - 1}.opinion_letter"
    told.act("chief", "publish", number, document=letter, public_text=f"关于 {COUNTY} 的意见")
    store, said = told.parts.store, dict[str, list[object]]()
    store.trace = lambda text, values: said.update({text: list(values)})
    store.write(lambda tx: ask(tx, told))
    store.trace = None
    asked = {text: values for text, values in said.items() if text.lstrip().startswith(("SELECT", "WITH", "DELETE"))}
    assert len(asked) >= 10
    assert walks(store, asked) == []
