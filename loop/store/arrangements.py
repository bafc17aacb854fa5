"""The days of published holiday arrangements that an office has loaded; they override the calendar library."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from loop.kernel.calendar import Day
from loop.store import settings_kept
from loop.store.canonical import canonical
from loop.store.chronicle import By, enter
from loop.store.core import table_of
from loop.store.registry import CalendarDayRow
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert

STAMP = "arrangements"
_DAY = table_of(CalendarDayRow)
_ALL = Prepared(select(_DAY.c.day, _DAY.c.kind, _DAY.c.name, _DAY.c.source).order_by(_DAY.c.day))
_PUT = Prepared(upsert(_DAY, ["day"], sets=["kind", "name", "source"]), columns=("day", "kind", "name", "source"))


def days(tx: Tx) -> list[Day]:
    """Every loaded day, in order."""
    return [Day(date.fromisoformat(day), kind, name, source) for day, kind, name, source in tx.all(_ALL)]


def load(tx: Tx, by: By, loaded: Sequence[Day]) -> None:
    """Keep these days, replacing what was loaded for them before; recorded in the chain of people and calendar."""
    rows = [{"day": d.on.isoformat(), "kind": d.kind, "name": d.name, "source": d.source} for d in loaded]
    tx.many(_PUT, rows)
    enter(tx, by, "load_calendar", payload={"days": len(rows)}, effects={"calendar_day": rows})
    whole = canonical([list(row) for row in tx.all(_ALL)])
    settings_kept.put(tx, STAMP, hashlib.sha256(whole.encode()).hexdigest())


def stamp(tx: Tx) -> str:
    """Changes whenever other days are loaded; empty where none ever were."""
    return settings_kept.get(tx, STAMP) or ""
