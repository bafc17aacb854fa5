"""Rows that a history too long for memory adds up to, kept in a temporary file until they are compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from loop.engine.rebuild import Row
from loop.store.canonical import canonical


class Expected:
    """Rows by table and key; each may belong to a group that is replaced as a whole. The file vanishes when closed."""

    def __init__(self, held: sqlite3.Connection) -> None:
        self._held = held
        held.execute(
            "CREATE TABLE row (name TEXT, key TEXT, grouped TEXT, text TEXT, PRIMARY KEY (name, key)) WITHOUT ROWID"
        )

    def put(self, table: str, key: str, row: Row, group: str = "") -> None:
        """The row now stands like this."""
        self._held.execute("INSERT OR REPLACE INTO row VALUES (?, ?, ?, ?)", (table, key, group, canonical(row)))

    def drop_group(self, table: str, group: str) -> None:
        """None of the rows of this group stands any longer."""
        self._held.execute("DELETE FROM row WHERE name = ? AND grouped = ?", (table, group))

    def take(self, table: str, key: str) -> str | None:
        """The row as canonical JSON, which is then no longer expected; None where there is none."""
        taken = "DELETE FROM row WHERE name = ? AND key = ? RETURNING text"
        found = self._held.execute(taken, (table, key)).fetchall()
        return str(found[0][0]) if found else None

    def left(self) -> tuple[str, str] | None:
        """Table and key of a row that was expected and never taken."""
        found = self._held.execute("SELECT name, key FROM row ORDER BY name, key LIMIT 1").fetchone()
        return (str(found[0]), str(found[1])) if found else None

    def all_of(self, table: str) -> Iterator[str]:
        """Every expected row of a table."""
        yield from (
            text for (text,) in self._held.execute("SELECT text FROM row WHERE name = ? ORDER BY key", (table,))
        )


@contextmanager
def spool() -> Iterator[Expected]:
    """An empty `Expected`; SQLite keeps a database without a name in a temporary file that nobody else can open."""
    with closing(sqlite3.connect("")) as held:
        yield Expected(held)
