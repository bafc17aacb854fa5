"""Databases with a great many open findings, each with a running timer: one real finding, copied in SQL.

The regions are the same however many findings there are, so that a page has the same length in a small and a great crowd.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.rounds import ROUNDS
from benchmarks.stage import Stage, actors, parts_on
from benchmarks.story import take, wishes
from loop.kernel.people import Path as RegionPath
from loop.store import places
from loop.store.instants import instant_of, text_of
from loop.store.reach import LEVELS, levels
from loop.store.session import Store, Tx
from tests.cast import COUNTRY, ROOT

FEW, MANY = 10_000, 1_000_000
DUE = 100
"""Timers that come due in each round, on findings of the cast's own county."""
SPREAD = (3, 3, 3, 2)
"""Provinces, cities in each, counties in each, townships in each."""
NAMES = ("province", "prefecture", "county", "township")
STATES = (
    "rectification.planning",
    "rectification.plan_review",
    "rectification.executing",
    "review.desk",
    "review.onsite",
)
"""Five, a number that shares no divisor with the 54 townships: every township has findings in every state."""
FIRST = 1_000_000_000
"""Ids of copies begin here."""
NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count) "
FUTURE = "strftime('%Y-%m-%dT%H:%M:%S', '2027-01-01', (n.i * 7919 % 20000) || ' hours') || '.000000Z'"
PAST = "strftime('%Y-%m-%dT%H:%M:%S', '2026-01-01', (n.i * 104729 % 80000) || ' minutes') || '.000000Z'"


@dataclass(frozen=True, slots=True)
class Model:
    """The rows of a real finding whose plan has been accepted, and of the timer that climbs the ladder."""

    finding: Mapping[str, Any]
    timer: Mapping[str, Any]

    @property
    def strikes_at(self) -> datetime:
        """When its first warning is due."""
        return instant_of(self.timer["next_at"])


@dataclass(frozen=True, slots=True)
class Spot:
    """A township with its school, and the bureau of its county."""

    path: RegionPath
    school: str
    bureau: str


def model_of(stage: Stage) -> Model:
    """Take one finding through the story and read its rows."""
    path = stage.copy("model")
    with parts_on(path) as parts:
        for wish in wishes(actors(parts, stage.cast), findings=1):
            take(parts.engine, wish)
    raw = sqlite3.connect(path)
    raw.row_factory = sqlite3.Row
    finding = dict(raw.execute("SELECT * FROM finding").fetchone())
    timer = dict(raw.execute("SELECT * FROM timer WHERE rule = ?", [finding["due_rule"]]).fetchone())
    raw.close()
    return Model(finding, timer)


def gather(stage: Stage, model: Model, count: int) -> tuple[Path, tuple[Spot, ...]]:
    """A database with `count` open findings over the country, and `DUE` more for each round of the sweep."""
    path = stage.copy(f"crowd{count}")
    store = Store.open(f"sqlite:///{path}")
    spots = store.write(_country)
    store.close()
    raw = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY", "threads=2"):
        raw.execute(f"PRAGMA {pragma}")
    raw.execute("BEGIN")
    indexes = _without_indexes(raw)
    _copies(raw, model, spots, count)
    for group in range(ROUNDS):
        _due_copies(raw, model, group)
    for statement in indexes:
        raw.execute(statement)
    raw.execute("COMMIT")
    raw.execute("PRAGMA journal_mode=WAL")
    raw.close()
    with path.open("rb") as written:  # or else the first checkpoint of the product would have to wait for all of it
        os.fsync(written.fileno())
    return path, spots


def _without_indexes(raw: sqlite3.Connection) -> list[str]:
    """Drop the indexes of both tables, to be made again at the end: much quicker than keeping them up to date."""
    found = raw.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name IN ('finding', 'timer') AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in found:
        raw.execute(f"DROP INDEX {name}")
    return [sql for _, sql in found]


# ---- the country -----------------------------------------------------------------------------------------------------


def _country(tx: Tx) -> tuple[Spot, ...]:
    return tuple(_below(tx, (COUNTRY,), ""))


def _below(tx: Tx, path: RegionPath, bureau: str) -> Iterator[Spot]:
    """Regions below `path`, down to the townships; each county has a bureau, each township a school."""
    depth = len(path) - 1
    if depth == len(SPREAD):
        school = places.add_unit(
            tx, ROOT, name=f"{path[-1]} 小学", kind="school", region=path[-1], department_id=bureau
        )
        yield Spot(path, school.id, bureau)
        return
    for k in range(SPREAD[depth]):
        code = f"{path[-1] if depth else 'R'}{k + 1}"
        places.add_region(tx, ROOT, code=code, name=code, level=NAMES[depth], parent=path[-1])
        here = bureau
        if NAMES[depth] == "county":
            here = places.add_unit(tx, ROOT, name=f"{code} 教育局", kind="department", region=code).id
        yield from _below(tx, (*path, code), here)


# ---- copies ----------------------------------------------------------------------------------------------------------


def _copies(raw: sqlite3.Connection, model: Model, spots: tuple[Spot, ...], count: int) -> None:
    """Findings spread over townships and states, due and opened at all hours, with one running timer each."""
    raw.execute("CREATE TEMP TABLE spot (place INTEGER PRIMARY KEY, school, bureau, r1, r2, r3, r4)")
    raw.execute("CREATE TEMP TABLE variety (place INTEGER PRIMARY KEY, state)")
    rows = [(place, s.school, s.bureau, *(levels(s.path)[r] for r in LEVELS)) for place, s in enumerate(spots)]
    raw.executemany("INSERT INTO spot VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    raw.executemany("INSERT INTO variety VALUES (?, ?)", list(enumerate(STATES)))
    source = (
        f"FROM n CROSS JOIN spot ON spot.place = n.i % {len(spots)} "
        f"CROSS JOIN variety ON variety.place = n.i % {len(STATES)}"
    )
    finding = {
        "id": f"{FIRST} + n.i", "number": "printf('C-%07d', n.i)", "unit_id": "spot.school", "department_id": "spot.bureau",
        **{r: f"spot.{r}" for r in LEVELS}, "state": "variety.state", "level": "n.i % 7", "due_at": FUTURE,
        "opened_at": PAST, "changed_at": PAST, "sheet": "'{}'",
    }  # fmt: skip
    timer = {
        "id": "printf('c%d', n.i)", "chain": "printf('C-%07d', n.i)", "unit_id": "spot.school", "due_at": FUTURE,
        "first_due_at": FUTURE, "next_at": FUTURE,
    }  # fmt: skip
    _insert(raw, "finding", model.finding, finding, source, count)
    _insert(raw, "timer", model.timer, timer, source, count)


def _due_copies(raw: sqlite3.Connection, model: Model, group: int) -> None:
    """Copies of the whole finding whose timer strikes `group` days after the model's."""
    later = timedelta(days=group)
    first = FIRST - (group + 1) * DUE
    moved = {name: text_of(instant_of(model.timer[name]) + later) for name in ("due_at", "first_due_at", "next_at")}
    finding = {"id": f"{first} + n.i", "number": f"printf('D-{group}-%03d', n.i)"}
    timer = {"id": f"printf('d{group}-%d', n.i)", "chain": f"printf('D-{group}-%03d', n.i)"}
    _insert(raw, "finding", {**model.finding, "due_at": moved["due_at"]}, finding, "FROM n", DUE)
    _insert(raw, "timer", {**model.timer, **moved}, timer, "FROM n", DUE)


def _insert(
    raw: sqlite3.Connection, table: str, row: Mapping[str, Any], varied: Mapping[str, str], source: str, count: int
) -> None:
    """`count` copies of `row`, some columns varied by expressions of n.i."""
    values = ", ".join(varied.get(name, f":{name}") for name in row)
    raw.execute(f"{NUMBERS} INSERT INTO {table} ({', '.join(row)}) SELECT {values} {source}", {**row, "count": count})
