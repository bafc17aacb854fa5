"""Holds regions, offices, units, persons, posts and the calendar against the chain of people, in any number of entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from json import loads
from typing import Any

from loop.engine.comparing import Broken, key_text, pages, same
from loop.engine.expected import Expected
from loop.engine.rebuild import Row
from loop.store.core import table_of
from loop.store.registry import (
    CalendarDayRow,
    OfficeRow,
    PersonRow,
    PostRow,
    RecusalRow,
    RegionRow,
    SubstituteRow,
    UnitRow,
)
from loop.store.session import Tx

PEOPLE = "people"
_ROWS = (RegionRow, OfficeRow, UnitRow, PersonRow, PostRow, SubstituteRow, RecusalRow, CalendarDayRow)
TABLES = {row.__tablename__: table_of(row) for row in _ROWS}
KEYS: dict[str, tuple[str, ...]] = {
    name: tuple(column.name for column in table.primary_key) for name, table in TABLES.items()
}


def take(expected: Expected, event: Mapping[str, Any]) -> None:
    """Add the next event of the chain of people: the rows it names stand as it says from now on."""
    effects: dict[str, Any] = loads(event["effects"])
    if "substitutes" in effects:
        expected.drop_group("substitute", effects["person_id"])
    for name, row in _rows(effects):
        group = row["person_id"] if name == "substitute" else ""
        expected.put(name, key_text(tuple(row[key] for key in KEYS[name])), row, group)


def _rows(effects: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    for name, value in effects.items():
        table = "substitute" if name == "substitutes" else name
        if table in TABLES:
            yield from ((table, row) for row in (value if isinstance(value, list) else [value]))


def check(tx: Tx, expected: Expected, counts: Counter[str]) -> None:
    """Raises `Broken` for the first row of the registry that the chain does not bear out; adds to `counts`."""
    superiors = _superiors(expected)
    for name, table in TABLES.items():
        for page in pages(tx, table, KEYS[name]):
            for row in page:
                key = key_text(tuple(row[k] for k in KEYS[name]))
                text = expected.take(name, key)
                if text is None:
                    raise Broken(name, key, "no event accounts for this row")
                wanted = loads(text)
                same(name, key, {**wanted, "superior_id": superiors[key]} if name == "office" else wanted, row)
            counts[name] += len(page)
    if left := expected.left():
        raise Broken(left[0], left[1], "the row is missing")


def _superiors(expected: Expected) -> dict[str, str | None]:
    """The nearest active office above each: other offices' entries move it, so it is found from the tree."""
    paths: dict[str, list[str]] = {}
    offices = [loads(text) for text in expected.all_of("office")]
    wanted = {office["region"] for office in offices}
    for text in expected.all_of("region"):
        region = loads(text)
        if region["code"] in wanted:
            paths[region["code"]] = region["path"].split("/")
    active = {office["region"]: office["id"] for office in offices if office["active"]}
    return {
        office["id"]: next((active[code] for code in reversed(paths[office["region"]][:-1]) if code in active), None)
        for office in offices
    }
