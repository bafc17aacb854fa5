"""The floor: the SQL and parameters of real actions, recorded once, replayed through the bare driver with nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.stage import Stage, actors, parts_on
from benchmarks.story import take, wishes

Statement = tuple[str, Sequence[Any]]
Recorded = tuple[Statement, ...]
"""One transaction, from BEGIN IMMEDIATE to COMMIT."""


def record(stage: Stage) -> list[Recorded]:
    """What the product says to the database for each of the thousand actions."""
    said: list[Statement] = []
    found: list[Recorded] = []
    with parts_on(stage.copy("recorded")) as parts:
        cast = actors(parts, stage.cast)
        parts.store.trace = lambda text, values: said.append((text, list(values)))
        for wish in wishes(cast):
            take(parts.engine, wish)
            found.append(tuple(said))
            said.clear()
    assert all(r[0][0] == "BEGIN IMMEDIATE" and r[-1][0] == "COMMIT" for r in found)
    return found


class Floor:
    """A bare connection, opened as the product opens its own."""

    def __init__(self, path: Path) -> None:
        self._raw = sqlite3.connect(path, isolation_level=None, cached_statements=512)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._raw.execute(f"PRAGMA {pragma}")
        self._cursor = self._raw.cursor()

    def replay(self, transactions: Iterable[Recorded]) -> None:
        """Run recorded transactions one after the other; rows are fetched as the product fetches them."""
        cursor = self._cursor
        for transaction in transactions:
            for text, values in transaction:
                cursor.execute(text, values)
                if cursor.description:
                    cursor.fetchall()

    def close(self) -> None:
        """Let the file go."""
        self._raw.close()
