"""The regions next to one, and the offices there: what a filter offers to somebody who looks closer step by step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import bindparam, or_, select

from loop.kernel.people import Path
from loop.store.core import table_of
from loop.store.places import path_of
from loop.store.registry import OfficeRow, RegionRow
from loop.store.session import Tx
from loop.store.sql import Prepared

MOST = 300
"""No region has more parts that a list would help to choose from."""

_REGION, _OFFICE = table_of(RegionRow), table_of(OfficeRow)
_AROUND = Prepared(
    select(_REGION.c.code, _REGION.c.name, _REGION.c.path)
    .where(
        or_(
            _REGION.c.code.in_(bindparam("codes", expanding=True)),
            _REGION.c.parent.in_(bindparam("parents", expanding=True)),
        ),
        _REGION.c.active == 1,
    )
    .order_by(_REGION.c.path)
    .limit(MOST)
)
_OFFICES = Prepared(
    select(_OFFICE.c.code, _OFFICE.c.name, _OFFICE.c.region).where(
        _OFFICE.c.region.in_(bindparam("regions", expanding=True)), _OFFICE.c.active == 1
    )
)


@dataclass(frozen=True, slots=True)
class Spot:
    """A region by code, name and path; `office_code` and `office` are empty where it has no office."""

    code: str
    name: str
    path: Path
    office_code: str = ""
    office: str = ""


def around(tx: Tx, base: Path, own: Iterable[Path]) -> tuple[Spot, ...]:
    """The regions `own`, those on the way from them to `base`, those beside it and those directly in it, with their
    offices; nothing outside `own`. In two queries.
    """
    mine = tuple(own)
    if not mine:
        return ()
    codes = sorted({*base, *(path[-1] for path in mine)})
    rows = tx.all(_AROUND, codes=codes, parents=list(base[-2:]))
    found = [(code, name, path) for code, name, text in rows if _within(path := path_of(text), mine)]
    offices = {row[2]: row for row in tx.all(_OFFICES, regions=[code for code, _, _ in found])} if found else {}
    return tuple(Spot(code, name, path, *offices.get(code, ("", ""))[:2]) for code, name, path in found)


def _within(path: Path, mine: Iterable[Path]) -> bool:
    return any(path[: len(above)] == above for above in mine)
