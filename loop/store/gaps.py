"""Gaps: steps that did not reach whom they should, until they are made good. A stand-in who was told is a gap as well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select, tuple_, update

from loop.store.core import table_of
from loop.store.instants import instant_of, text_of
from loop.store.postal import HEALED_GAP, OPEN_GAP, GapRow
from loop.store.session import Tx
from loop.store.sql import Prepared, upsert

NOBODY, STOOD_IN, LEFT, UNDELIVERED = "nobody", "stood_in", "left", "undelivered"
"""Nobody at all was told; somebody stood in for the role; the person left with it unread; no channel took it."""

_GAP = table_of(GapRow)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A step of a chain that did not reach a role, or a person where one is named. `healed_by` says how it was made good."""

    chain: str
    seq: int
    role: str
    person_id: str = ""
    office_id: str
    step: str
    why: str
    at: datetime
    healed_at: datetime | None = None
    healed_by: str = ""


_KEY = ("chain", "seq", "role", "person_id")
_GIVEN = (*_KEY, "office_id", "step", "why", "at")
_READ = (*_GIVEN, "healed_at", "healed_by")
_COLUMNS = tuple(_GAP.c[name] for name in _READ)
_ADD = Prepared(upsert(_GAP, _KEY), columns=_GIVEN)
_IS = [_GAP.c[name] == bindparam(f"of_{name}") for name in _KEY]
_HEAL = Prepared(update(_GAP).where(*_IS, OPEN_GAP), columns=("healed_at", "healed_by"))
_TRIED = Prepared(update(_GAP).where(*_IS), columns=("tried_at",))
_TO_TRY = Prepared(
    select(*_COLUMNS).where(OPEN_GAP, _GAP.c.tried_at < bindparam("before"))
    .order_by(_GAP.c.tried_at, _GAP.c.chain).limit(bindparam("most"))
)  # fmt: skip
_ALIKE = Prepared(
    select(*_COLUMNS)
    .where(*(_GAP.c[name] == bindparam(name) for name in ("chain", "role", "person_id", "why")), OPEN_GAP)
    .order_by(_GAP.c.seq)
)
_COUNT = Prepared(select(func.count()).select_from(_GAP).where(OPEN_GAP))


def add(tx: Tx, gaps: Iterable[Gap]) -> None:
    """Records gaps; one that is known is left as it is."""
    tx.many(_ADD, [{name: getattr(gap, name) for name in _GIVEN} | {"at": text_of(gap.at)} for gap in gaps])


def heal(tx: Tx, gap: Gap, at: datetime, how: str) -> None:
    """Records that a gap was made good, and how; the first time stands."""
    tx.run(_HEAL, **_key(gap), healed_at=text_of(at), healed_by=how)


def to_try(tx: Tx, before: datetime, limit: int) -> list[Gap]:
    """Up to `limit` open gaps that nobody has tried to heal since `before`, those that waited longest first."""
    return [_gap(row) for row in tx.all(_TO_TRY, before=text_of(before), most=limit)]


def open_of(tx: Tx, gap: Gap) -> list[Gap]:
    """The open gaps of the same chain, role, person and kind, the latest step last."""
    alike = {"chain": gap.chain, "role": gap.role, "person_id": gap.person_id, "why": gap.why}
    return [_gap(row) for row in tx.all(_ALIKE, **alike)]


def left_by(tx: Tx, person_id: str) -> list[Gap]:
    """What somebody left behind unread: of each chain and role the latest gap, which stands for those before it."""
    query = select(*_COLUMNS).where(OPEN_GAP, _GAP.c.person_id == person_id, _GAP.c.why == LEFT).order_by(_GAP.c.seq)
    found = [_gap(row) for row in tx.select(query)]
    return list({(gap.chain, gap.role): gap for gap in found}.values())


def tried(tx: Tx, gap: Gap, at: datetime) -> None:
    """Records that healing was tried in vain."""
    tx.run(_TRIED, **_key(gap), tried_at=text_of(at))


def open_count(tx: Tx) -> int:
    """How many gaps are open."""
    return int(tx.all(_COUNT)[0][0])


def page(tx: Tx, offices: Sequence[str], *, limit: int, after: Sequence[str | int] | None = None) -> list[Gap]:
    """Up to `limit` open gaps of these offices, the oldest first, from behind the place `after` (see `place_of`) on."""
    order = (_GAP.c.office_id, _GAP.c.at, _GAP.c.chain, _GAP.c.seq, _GAP.c.role, _GAP.c.person_id)
    query = select(*_COLUMNS).where(OPEN_GAP, _GAP.c.office_id.in_(offices)).order_by(*order).limit(limit)
    if after:
        query = query.where(tuple_(*order) > tuple_(*after, types=[column.type for column in order]))
    return [_gap(row) for row in tx.select(query)] if offices else []


def healed(tx: Tx, offices: Sequence[str], *, limit: int) -> list[Gap]:
    """Up to `limit` gaps of these offices that were made good, the latest first."""
    query = (
        select(*_COLUMNS)
        .where(HEALED_GAP, _GAP.c.office_id.in_(offices))
        .order_by(_GAP.c.healed_at.desc(), _GAP.c.chain, _GAP.c.seq)
    )
    return [_gap(row) for row in tx.select(query.limit(limit))] if offices else []


def place_of(gap: Gap) -> tuple[str, str, str, int, str, str]:
    """The place of a gap in the list of its office."""
    return gap.office_id, text_of(gap.at), gap.chain, gap.seq, gap.role, gap.person_id


def _key(gap: Gap) -> dict[str, Any]:
    return {f"of_{name}": getattr(gap, name) for name in _KEY}


def _gap(row: Sequence[Any]) -> Gap:
    values = dict(zip(_READ, row, strict=True))
    values["at"] = instant_of(values["at"])
    values["healed_at"] = instant_of(values["healed_at"]) if values["healed_at"] else None
    return Gap(**values)
