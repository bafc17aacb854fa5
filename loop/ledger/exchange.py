"""The ledger out and in: findings as lines of CSV, and lines of CSV as findings, each taken over through the engine."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loop.engine.door import Engine, Wish
from loop.engine.record import Outcome
from loop.kernel.decide import Book
from loop.kernel.errors import Forbidden, Invalid, LoopError
from loop.kernel.finding import is_written_off
from loop.kernel.labels import Label
from loop.kernel.people import Actor, Path
from loop.ledger.columns import Line, cells, headings
from loop.ledger.reading import WRONG, Doubt, Row, Terms, read_sheet
from loop.ledger.sheet import Sheet, opened
from loop.store import ledger, ledger_extras
from loop.store.ledger_extras import NamedUnit, SheetOf
from loop.store.ledger_filter import LedgerFilter
from loop.store.paging import LARGEST
from loop.store.reach import SEES_REGION
from loop.store.session import Refused, Tx

BOM = "\ufeff"
"""Without it, spreadsheets take UTF-8 for the local encoding."""
SERVED = ("rectify_by", "opinion")
"""Topics that a unit and its department are told."""
ACTION = "take_over"
Track = Callable[[Sequence[Row]], Iterable[Row]]
"""Hands on the rows one by one, for whoever shows progress."""


# ---- out -----------------------------------------------------------------------------------------------------------


def heading_text(language: str) -> str:
    """The beginning of the file."""
    return BOM + _csv([headings(language)])


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some lines of the file, and where the next ones begin."""

    text: str
    findings: int
    next: str | None


def chunk(
    tx: Tx,
    book: Book,
    actor: Actor,
    chosen: LedgerFilter,
    *,
    now: datetime,
    sort: str,
    after: str | None,
    language: str,
) -> Chunk:
    """The next lines, in the reader's reach and order. Raises Invalid as the ledger's pages do."""
    found = ledger.page(tx, actor, chosen, now=now, sort=sort, after=after, limit=LARGEST)
    kept = ledger_extras.sheets(tx, [row.id for row in found.items])
    lines = (cells(Line(row, _told(actor, kept.get(row.id)), book, language)) for row in found.items)
    return Chunk(_csv(lines), len(found.items), found.next)


def _told(actor: Actor, sheet: SheetOf | None) -> Mapping[str, Any]:
    """What of its sheet the reader may see: all for those whose region holds it, what was served for its unit."""
    if sheet is None:
        return {}
    below = tuple(post.region[1:] for post in actor.posts if post.role in SEES_REGION and post.region)
    if any(sheet.levels[: len(path)] == path for path in below):
        return sheet.topics
    return {topic: value for topic, value in sheet.topics.items() if topic in SERVED}


def _csv(rows: Any) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


# ---- in ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a file. `made` holds the number of each finding taken over, by record."""

    sheet: Sheet
    rows: tuple[Row, ...]
    made: Mapping[int, str] = field(default_factory=dict)


class _Rehearsed(Exception):
    """Carries the result of a dry run out of the stretch that is then undone."""

    def __init__(self, result: Result) -> None:
        self.result = result
        super().__init__("dry run")


def admit(actor: Actor, book: Book) -> None:
    """Raises `Forbidden` for somebody who may take nothing over."""
    if not _regions(actor, book):
        raise Forbidden


def take_in(
    tx: Tx, engine: Engine, actor: Actor, raw: bytes, *, source: str, defaults: Mapping[str, Any], dry_run: bool,
    track: Track = iter,
) -> Result:  # fmt: skip
    """Read a file and take over each row that is understood, in the caller's transaction; a dry run undoes it all.

    Raises `Forbidden`, or `Invalid` for a file that is no ledger. What is wrong with one row is said in its row.
    """
    admit(actor, engine.book)
    sheet = opened(raw)
    rows = read_sheet(sheet, terms(engine.book, defaults))
    _find_units(tx, engine.book, actor, rows)
    _find_numbers(tx, actor, rows)
    if not dry_run:
        return Result(sheet, tuple(rows), _taken_over(tx, engine, actor, track(rows), source))
    try:
        with tx.attempt():
            _taken_over(tx, engine, actor, track(rows), source)
            raise _Rehearsed(Result(sheet, tuple(rows)))  # noqa: TRY301  to undo the stretch
    except _Rehearsed as rehearsed:
        return rehearsed.result


def terms(book: Book, defaults: Mapping[str, Any]) -> Terms:
    """What a reader of files brings along: the workflow's own words for states, and `defaults` where a file is silent."""
    written_off: set[str] = set()
    running: set[str] = set()
    for name, state in book.workflow.states.items():
        if name != "withdrawn":
            (written_off if is_written_off(name) else running).update(word.lower() for word in (name, *state.label))
    known = {name: value for name, value in defaults.items() if value is not None}
    return Terms(known, frozenset(written_off), frozenset(running), book.calendar.add_workdays)


def _regions(actor: Actor, book: Book) -> tuple[Path, ...]:
    able = book.workflow.actions[ACTION].by
    return tuple(post.region for post in actor.posts if post.role in able and post.region)


def _find_units(tx: Tx, book: Book, actor: Actor, rows: Sequence[Row]) -> None:
    """Turn names of units into their ids, where exactly one unit in the caller's regions bears the name."""
    named = [row for row in rows if row.unit and not any(d.field == "unit" for d in row.doubts)]
    found = ledger_extras.units_named(tx, (row.unit for row in named), _regions(actor, book))
    for row in named:
        units: tuple[NamedUnit, ...] = found.get(row.unit, ())
        if len(units) == 1:
            row.values["unit"] = units[0].id
        elif units:
            row.doubt("unit", "unit_many", *(f"{unit.id} {unit.region_name}" for unit in units))
        else:
            row.faults.append(Doubt("unit", "unit_unknown", label=_no_unit(row.unit)))


def _no_unit(name: str) -> Label:
    return Label(f"您的督导范围内没有“{name[:100]}”", f"there is no {name[:100]} within your supervision")


def _find_numbers(tx: Tx, actor: Actor, rows: Sequence[Row]) -> None:
    taken = ledger_extras.taken_numbers(tx, actor, (row.its_number for row in rows if row.its_number))
    for row in rows:
        if row.its_number in taken:
            row.doubt("number", "known_number")


def _taken_over(tx: Tx, engine: Engine, actor: Actor, rows: Iterable[Row], source: str) -> dict[int, str]:
    made: dict[int, str] = {}
    for row in rows:
        if row.faults or not row.values.get("unit"):
            continue
        number = _one(tx, engine, actor, row, source)
        if number and not row.doubts:
            made[row.number] = number
    return made


def _one(tx: Tx, engine: Engine, actor: Actor, row: Row, source: str) -> str:
    """Take one row over; a row in doubt is only tried, so that its faults come to light as well."""
    payload = {"source": source, **row.values}
    try:
        with tx.attempt():
            done = engine.act_in(tx, Wish(actor=actor, action=ACTION, payload=payload), _number)
            if isinstance(done, Refused):
                raise done.error
            if row.doubts:
                raise _Tried  # noqa: TRY301  to undo the stretch
    except _Tried:
        return ""
    except LoopError as error:
        row.faults.extend(_faults(error))
        return ""
    return done


class _Tried(Exception):
    """Undoes what was only tried."""


def _number(_: Tx, outcome: Outcome) -> str:
    return outcome.finding.number


def _faults(error: LoopError) -> list[Doubt]:
    if isinstance(error, Invalid):
        return [Doubt(fault.field, fault.kind, label=fault.label) for fault in error.faults]
    return [Doubt("", str(error.facts.get("guard") or error.code), label=error.label)]


def counted(rows: Sequence[Row]) -> Iterator[tuple[str, int]]:
    """How many rows have each status."""
    for status in ("understood", "ambiguous", WRONG):
        yield status, sum(row.status == status for row in rows)
