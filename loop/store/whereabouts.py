"""Where the entries of the registry's chain belong: the regions they are about, so that each reader sees their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from json import loads
from typing import Any

from sqlalchemy import bindparam, select

from loop.kernel.people import Path
from loop.store import staff
from loop.store.core import table_of
from loop.store.journal import Entry
from loop.store.places import path_of
from loop.store.registry import PersonRow, RegionRow, UnitRow
from loop.store.session import Tx
from loop.store.sql import Prepared

_PERSON, _REGION, _UNIT = table_of(PersonRow), table_of(RegionRow), table_of(UnitRow)
_BY_NAME = Prepared(select(_PERSON.c.name, _PERSON.c.id).where(_PERSON.c.name.in_(bindparam("names", expanding=True))))
_UNITS = Prepared(select(_UNIT.c.id, _UNIT.c.region).where(_UNIT.c.id.in_(bindparam("ids", expanding=True))))
_PATHS = Prepared(select(_REGION.c.code, _REGION.c.path).where(_REGION.c.code.in_(bindparam("codes", expanding=True))))


@dataclass(slots=True)
class _About:
    """What one entry names."""

    regions: set[str] = field(default_factory=set)
    units: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


def places_of(tx: Tx, entries: Sequence[Entry]) -> dict[int, set[Path]]:
    """For each entry, by its number, the paths of the regions it is about; none for what is about all of them."""
    about = {entry.seq: _about(entry) for entry in entries}
    ids = dict(_rows(tx, _BY_NAME, "names", (name for one in about.values() for name in one.names)))
    for one in about.values():
        one.persons |= {ids[name] for name in one.names if name in ids}
    held = staff.posts_of_many(tx, sorted({person for one in about.values() for person in one.persons}))
    for one in about.values():
        for post in (post for person in one.persons for post in held[person]):
            (one.regions if post.region else one.units).add(post.region or post.unit_id or "")
    at = dict(_rows(tx, _UNITS, "ids", (unit for one in about.values() for unit in one.units)))
    for one in about.values():
        one.regions |= {at[unit] for unit in one.units if unit in at}
    paths = dict(_rows(tx, _PATHS, "codes", (code for one in about.values() for code in one.regions)))
    return {seq: {path_of(paths[code]) for code in one.regions if code in paths} for seq, one in about.items()}


def _rows(tx: Tx, query: Prepared, name: str, values: Iterable[str]) -> list[Any]:
    wanted = sorted({value for value in values if value})
    return tx.all(query, **{name: wanted}) if wanted else []


def _about(entry: Entry) -> _About:
    effects, payload = loads(entry.effects), loads(entry.payload)
    found = _About(names={payload["person"]} if isinstance(payload.get("person"), str) else set())
    rows: Mapping[str, list[dict[str, Any]]] = defaultdict(list) | {
        name: value if isinstance(value, list) else [value] for name, value in effects.items() if isinstance(value, dict | list)
    }  # fmt: skip
    found.regions |= {row["code"] for row in rows["region"]}
    found.regions |= {row["region"] for name in ("office", "unit", "post") for row in rows[name] if row.get("region")}
    found.units |= {row["unit_id"] for name in ("post", "recusal") for row in rows[name] if row.get("unit_id")}
    found.persons |= {row["id"] for row in rows["person"]}
    found.persons |= {row["person_id"] for name in ("post", "recusal") for row in rows[name]}
    if isinstance(effects.get("person_id"), str):
        found.persons.add(effects["person_id"])
    return found
