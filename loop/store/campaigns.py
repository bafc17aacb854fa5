"""How the findings of supervisions stand, as far as a reader sees them: by state and light, and in all; and the latest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, literal, select

from loop.kernel.people import Actor, Path
from loop.store import reach
from loop.store.core import table_of
from loop.store.lights import GREEN, GREY, RED, YELLOW, shows
from loop.store.offices import ids_within
from loop.store.paging import Page, cursor, key_of, limit_of
from loop.store.registry import SupervisionRow
from loop.store.session import Tx
from loop.store.supervisions import Supervision, some
from loop.store.tables import FindingRow

_FINDING, _SUPERVISION = table_of(FindingRow), table_of(SupervisionRow)
SCOPE = "latest supervisions"


@dataclass(frozen=True, slots=True)
class Cell:
    """How many findings of a supervision are in this state and show this light."""

    state: str
    light: str
    n: int


@dataclass(frozen=True, slots=True)
class Total:
    """How many findings a supervision has, and how many of them are open and how many overdue."""

    found: int = 0
    open: int = 0
    red: int = 0


def cells(tx: Tx, actor: Actor, id_: str, *, now: datetime) -> tuple[Cell, ...]:
    """The findings of one supervision in reach, grouped."""
    light = case(*((shows(_FINDING, [name], now), literal(name)) for name in (GREY, RED, YELLOW)), else_=literal(GREEN))
    grouped = (
        select(_FINDING.c.state.label("state"), light.label("light"))
        .where(_FINDING.c.supervision_id == id_, reach.in_reach(actor))
        .subquery()
    )
    query = select(grouped.c.state, grouped.c.light, func.count()).group_by(grouped.c.state, grouped.c.light)
    return tuple(Cell(*row) for row in tx.select(query.order_by(grouped.c.state, grouped.c.light)))


def totals(tx: Tx, actor: Actor, ids: Iterable[str], *, now: datetime) -> dict[str, Total]:
    """The findings in reach of each of these supervisions that has some."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    c = _FINDING.c
    red = func.sum(case((shows(_FINDING, [RED], now), 1), else_=0))
    query = (
        select(c.supervision_id, func.count(), func.sum(c.is_open), red)
        .where(c.supervision_id.in_(wanted), reach.in_reach(actor))
        .group_by(c.supervision_id)
    )
    return {row[0]: Total(*map(int, row[1:])) for row in tx.select(query)}


def latest(
    tx: Tx, *, within: Iterable[Path], active: bool | None = None, after: str | None = None, limit: int = 50
) -> Page[Supervision]:  # fmt: skip
    """Supervisions of offices in regions with one of these paths, the one begun last first."""
    limit_of(limit)
    query = select(_SUPERVISION.c.id).where(_SUPERVISION.c.office_id.in_(ids_within(tx, within)))
    if active is not None:
        query = query.where(_SUPERVISION.c.active == int(active))
    if after:
        query = query.where(_SUPERVISION.c.id < str(key_of(SCOPE, after, str)[0]))
    ids = [row[0] for row in tx.select(query.order_by(_SUPERVISION.c.id.desc()).limit(limit + 1))]
    found = some(tx, ids[:limit])
    items = tuple(found[id_] for id_ in ids[:limit])
    return Page(items, cursor(SCOPE, (ids[limit - 1],)) if len(ids) > limit else None)
