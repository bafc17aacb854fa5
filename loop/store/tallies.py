"""Counts as it happens how many findings are where: an action appends the difference that it makes, folding adds it up.

Measures: `state` (all findings), `opened` (by month); of the open ones `level` and `open` (calm, pressed or still); of those
whose clocks run, `calm` and `pressed` by the day in UTC on which they are due. A finding is pressed from level 1 on, and
still while its clocks stand still. Write-offs are counted by month, see `write_offs`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any, NamedTuple

from sqlalchemy import Integer, bindparam, delete, insert, literal_column, select, tuple_

from loop.kernel.finding import Finding, is_open
from loop.store import write_offs
from loop.store.core import table_of
from loop.store.instants import NEVER_TEXT, instant_of, text_of
from loop.store.reach import LEVELS, levels
from loop.store.session import Store, Tx
from loop.store.sql import POSTGRESQL, Prepared, upsert
from loop.store.tables import FindingRow
from loop.store.tally import ShiftRow, TallyRow, WriteOffRow
from loop.store.write_offs import month_of

STATE, OPENED, LEVEL, OPEN, CALM, PRESSED, STILL = "state", "opened", "level", "open", "calm", "pressed", "still"
MONTHLY = {CALM: "calm_month", PRESSED: "pressed_month"}
"""The same by whole months: folded along, so that whoever sums up long spans reads few rows."""
EVERYWHERE = ""
BATCH = 1_000

_FINDING, _TALLY, _SHIFT, _OFF = table_of(FindingRow), table_of(TallyRow), table_of(ShiftRow), table_of(WriteOffRow)

Cell = tuple[str, str, str]
"""Places joined by blanks, a measure, a part of it."""


def of_unit(unit_id: str, region: str) -> str:
    """The place of what a unit did while it lay in a region, the smallest that it lay in."""
    return f"unit:{unit_id}@{region}"


def told_to(unit_id: str) -> str:
    """The place of what a unit has been told of."""
    return f"told:{unit_id}"


def told_above(department_id: str) -> str:
    """The place of what a department has been told of about the units that it governs."""
    return f"above:{department_id}"


# ---- what one finding adds -------------------------------------------------------------------------------------------


class _Standing(NamedTuple):
    """The columns that are counted, as they are stored."""

    state: str
    level: int
    opened_at: str
    suspended_at: str
    due_at: str
    served: int
    unit_id: str
    department_id: str | None
    r1: str
    r2: str
    r3: str
    r4: str


def _standing(finding: Finding) -> _Standing:
    return _Standing(
        finding.state, finding.level, text_of(finding.opened_at), text_of(finding.suspended_at),
        text_of(finding.due_at), int(finding.served), finding.unit_id, finding.department_id,
        **levels(finding.place.region),
    )  # fmt: skip


def _cells(at: _Standing, zone: tzinfo) -> Iterator[Cell]:
    regions = [code for code in (at.r1, at.r2, at.r3, at.r4) if code]
    places = " ".join((*regions, of_unit(at.unit_id, regions[-1] if regions else EVERYWHERE)))
    told = (told_to(at.unit_id), *((told_above(at.department_id),) if at.department_id else ())) if at.served else ()
    yield " ".join((places, *told)), STATE, at.state
    yield places, OPENED, month_of(instant_of(at.opened_at), zone)
    if not is_open(at.state):
        return
    yield places, LEVEL, str(at.level)
    if at.suspended_at != NEVER_TEXT:
        yield places, OPEN, STILL
        return
    kind = PRESSED if at.level else CALM
    yield places, OPEN, kind
    if at.due_at != NEVER_TEXT:
        yield places, kind, at.due_at[:10]


_APPEND = Prepared(insert(_SHIFT), columns=("places", "measure", "part", "n"))


def note(tx: Tx, before: Finding | None, after: Finding, zone: tzinfo) -> None:
    """Append what the step from `before` to `after` changes; months are those of `zone`."""
    found: Counter[Cell] = Counter(_cells(_standing(after), zone))
    if before is not None:
        found.subtract(_cells(_standing(before), zone))
    for cell, n in write_offs.changes(tx, before, after, zone):
        found[cell] += n
    rows = [{"places": p, "measure": m, "part": part, "n": n} for (p, m, part), n in found.items() if n]
    tx.many(_APPEND, rows)


# ---- adding up -------------------------------------------------------------------------------------------------------

_WAITING = Prepared(
    select(_SHIFT.c.id, _SHIFT.c.places, _SHIFT.c.measure, _SHIFT.c.part, _SHIFT.c.n)
    .order_by(_SHIFT.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_DONE = Prepared(delete(_SHIFT).where(_SHIFT.c.id.in_(bindparam("ids", expanding=True))))
_NEW = literal_column("excluded.n", Integer())
_ADD = Prepared(
    upsert(_TALLY, ["place", "measure", "part"], sets={"n": _TALLY.c.n + _NEW}),
    columns=("place", "measure", "part", "n"),
)
_NOTHING_LEFT = Prepared(
    delete(_TALLY).where(
        _TALLY.c.place == bindparam("place"), _TALLY.c.measure == bindparam("measure"),
        _TALLY.c.part == bindparam("part"), _TALLY.c.n == 0,
    )
)  # fmt: skip


def fold(store: Store, zone: tzinfo) -> int:
    """Add to the tally what was appended since; answers how many changes there were. Several may do this at once.

    A database that was filled before there was a tally is counted once.
    """
    if store.read(lambda tx: tx.one(_MADE)) is None:
        store.write(lambda tx: recount(tx, zone))
    found = 0
    while some := store.write(_fold_some):
        found += some
    return found


def _fold_some(tx: Tx) -> int:
    rows = tx.all(_WAITING, most=BATCH)
    if rows:
        _add(tx, (((places, measure, part), n) for _, places, measure, part, n in rows))
        tx.run(_DONE, ids=[row[0] for row in rows])
    return len(rows)


def _spread(changes: Iterable[tuple[Cell, int]]) -> Counter[Cell]:
    """The changes at each place that they count for, by months as well where months are kept."""
    found: Counter[Cell] = Counter()
    for (places, measure, part), n in changes:
        for place in (EVERYWHERE, *places.split()):
            found[place, measure, part] += n
            if measure in MONTHLY:
                found[place, MONTHLY[measure], part[:7]] += n
    return found


def _add(tx: Tx, changes: Iterable[tuple[Cell, int]]) -> None:
    found = _spread(changes)
    # In one order, so that two who add at once never wait for each other in a ring.
    keys = [{"place": p, "measure": m, "part": part} for p, m, part in sorted(k for k, n in found.items() if n)]
    tx.many(_ADD, [{**key, "n": found[key["place"], key["measure"], key["part"]]} for key in keys])
    tx.many(_NOTHING_LEFT, keys)


# ---- from the beginning ----------------------------------------------------------------------------------------------

_MADE = Prepared(select(_TALLY.c.n).where(_TALLY.c.place == EVERYWHERE, _TALLY.c.measure == "made"))
_ALL = Prepared(select(_TALLY.c.place, _TALLY.c.measure, _TALLY.c.part, _TALLY.c.n).where(_TALLY.c.measure != "made"))
_APPENDED = Prepared(select(_SHIFT.c.places, _SHIFT.c.measure, _SHIFT.c.part, _SHIFT.c.n))
_MARK = Prepared(insert(_TALLY), columns=("place", "measure", "part", "n"))
_EMPTY, _DROP = Prepared(delete(_TALLY)), Prepared(delete(_SHIFT))
_COLUMNS = tuple(_FINDING.c[name] for name in _Standing._fields)
_NEXT = Prepared(
    select(_FINDING.c.id, _FINDING.c.number, _FINDING.c.written_off_at, _FINDING.c.positive, *_COLUMNS)
    .where(_FINDING.c.id > bindparam("after"))
    .order_by(_FINDING.c.id)
    .limit(BATCH)
)
_OF_OFF = ("number", "at", "month", *LEVELS, *write_offs.MEASURES[1:])
_NEXT_OFF = Prepared(
    select(*(_OFF.c[name] for name in _OF_OFF))
    .where(tuple_(_OFF.c.number, _OFF.c.at) > tuple_(bindparam("number"), bindparam("at")))
    .order_by(_OFF.c.number, _OFF.c.at)
    .limit(BATCH)
)


def recount(tx: Tx, zone: tzinfo) -> None:
    """Count everything anew, and enter the write-offs that stand and were never entered."""
    if tx.dialect == POSTGRESQL:
        tx.control("LOCK TABLE tally_shift IN EXCLUSIVE MODE")
    tx.run(_EMPTY)
    tx.run(_DROP)
    tx.run(_MARK, place=EVERYWHERE, measure="made", part="", n=1)
    known = {(row[0], row[1]) for rows in _walk_offs(tx) for row in rows}
    for _, number, off, positive, one in _walk_findings(tx):
        if off != NEVER_TEXT and not positive and (number, off) not in known:
            write_offs.enter(tx, number, off, {name: getattr(one, name) for name in LEVELS}, zone)
    _add(tx, _counted(tx, zone).items())


def drift(tx: Tx, zone: tzinfo) -> int:
    """How many counts are not what findings and write-offs say; what was appended and not added up yet is reckoned with.
    A database that was never counted has none.
    """
    if tx.one(_MADE) is None:
        return 0
    kept = Counter({(place, measure, part): n for place, measure, part, n in tx.all(_ALL)})
    kept.update(_spread(((places, measure, part), n) for places, measure, part, n in tx.all(_APPENDED)))
    true = _spread(_counted(tx, zone).items())
    return sum(kept[cell] != true[cell] for cell in kept.keys() | true.keys())


def _counted(tx: Tx, zone: tzinfo) -> Counter[Cell]:
    """What all findings and write-offs add up to."""
    found = Counter(cell for *_, one in _walk_findings(tx) for cell in _cells(one, zone))
    for offs in _walk_offs(tx):
        found.update(cell for row in offs for cell in write_offs.cells(dict(zip(_OF_OFF, row, strict=True))))
    return found


def _walk_findings(tx: Tx) -> Iterator[tuple[int, str, str, bool, _Standing]]:
    after = 0
    while rows := tx.all(_NEXT, after=after):
        after = rows[-1][0]
        for id_, number, off, positive, *columns in rows:
            yield id_, number, off, bool(positive), _Standing(*columns)


def _walk_offs(tx: Tx) -> Iterator[list[tuple[Any, ...]]]:
    number = at = ""
    while rows := tx.all(_NEXT_OFF, number=number, at=at):
        number, at = rows[-1][:2]
        yield rows
