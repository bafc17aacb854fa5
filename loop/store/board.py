"""What the board 挂图作战 shows of one region: lights by place, states, deadlines by day, months. Read off the tally.

How much is due before an instant is the tally of the whole days before it, put right by the few findings due on the day of
the instant itself, so that nothing is counted that does not have to be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, literal_column, select, true, union_all
from sqlalchemy import func as sql

from loop.kernel.people import Path
from loop.store import tallies, write_offs
from loop.store.core import table_of
from loop.store.instants import NEVER_TEXT, text_of
from loop.store.lights import SOON
from loop.store.reach import LEVELS
from loop.store.session import Tx
from loop.store.sql import Prepared
from loop.store.tables import FindingRow
from loop.store.tallies import CALM, EVERYWHERE, LEVEL, MONTHLY, OPEN, OPENED, PRESSED, STATE, STILL
from loop.store.tally import ShiftRow, TallyRow

_FINDING, _TALLY, _SHIFT = table_of(FindingRow), table_of(TallyRow), table_of(ShiftRow)
RUNNING = (CALM, PRESSED)
BY_MONTH = (OPENED, *write_offs.MEASURES)
NO_MONTH = "9999"
BEFORE = ""
"""The part that holds all days before the first one that matters."""

_SOMEWHERE = _TALLY.c.place.in_(bindparam("places", expanding=True))
_AT_TOP = _TALLY.c.place == bindparam("top")


@dataclass(frozen=True, slots=True)
class Lights:
    """How many open findings of a place show which light; grey: their clocks stand still."""

    red: int = 0
    yellow: int = 0
    green: int = 0
    grey: int = 0

    @property
    def open(self) -> int:
        """All that are open."""
        return self.red + self.yellow + self.green + self.grey

    def without(self, others: Iterable[Lights]) -> Lights:
        """What is left of them apart from `others`."""
        some = tuple(others)
        left = (getattr(self, f.name) - sum(getattr(one, f.name) for one in some) for f in fields(self))
        return Lights(*left)


def place_of(path: Path) -> str:
    """The place in the tally of the region with `path`."""
    return EVERYWHERE if len(path) == 1 else path[-1]


class Standing:
    """How things stand in a region and in the `places` within it, as of `now`."""

    def __init__(
        self, tx: Tx, path: Path, places: Iterable[str] = (), *, now: datetime, marks: Sequence[datetime] = (),
        since: str = "",
    ) -> None:  # fmt: skip
        """Read it all: `marks` are the instants of which to ask `due_before`, `since` is the first month wanted."""
        self.top, self.now = place_of(path), now
        self._soon = now + SOON + timedelta(microseconds=1)
        self._places = frozenset((self.top, *places))
        self._marks = tuple(dict.fromkeys((now, self._soon, *marks)))
        days = sorted(_day(mark) for mark in self._marks)
        self._first, self._last = days[0], days[-1]
        self._found: Counter[tuple[str, str, str]] = Counter()
        self._load(tx, since)
        self._near = self._fetch(tx, path)

    # ---- what can be asked -----------------------------------------------------------------------------------------

    def lights(self, place: str | None = None) -> Lights:
        """The lights of a place, or of the whole region."""
        at = self.top if place is None else place
        calm, pressed = (self._found[at, OPEN, kind] for kind in RUNNING)
        late = {kind: self._before(at, kind, self.now) for kind in RUNNING}
        soon = self._before(at, CALM, self._soon) - late[CALM]
        return Lights(
            red=late[CALM] + late[PRESSED],
            yellow=pressed - late[PRESSED] + soon,
            green=calm - late[CALM] - soon,
            grey=self._found[at, OPEN, STILL],
        )

    def in_state(self, state: str) -> int:
        """How many findings of the region are in a state."""
        return self._found[self.top, STATE, state]

    def climbing(self, level: int) -> int:
        """How many open findings of the region have reached a level of pressure."""
        cells = self._found.items()
        return sum(n for (at, measure, part), n in cells if (at, measure) == (self.top, LEVEL) and int(part) >= level)

    def due_before(self, mark: datetime) -> int:
        """How many findings of the region whose clocks run are due before one of the marks."""
        return sum(self._before(self.top, kind, mark) for kind in RUNNING)

    def in_month(self, measure: str, month: str) -> int:
        """How many findings of the region were opened or written off in a month."""
        return self._found[self.top, measure, month]

    # ---- how it is found -------------------------------------------------------------------------------------------

    def _load(self, tx: Tx, since: str) -> None:
        asked = {
            "places": sorted(self._places), "top": self.top, "since": since or NO_MONTH, "month": self._first[:7],
            "first": self._first, "last": self._last,
        }  # fmt: skip
        for place, measure, part, n in tx.all(_ADDED, **asked):
            self._take(place, measure, part, n)
        for places, measure, part, n in tx.all(_WAITING):
            for place in self._places.intersection((EVERYWHERE, *places.split())):
                self._take(place, measure, part, n)

    def _take(self, place: str, measure: str, part: str, n: int) -> None:
        """Days before the first one that matters are one; those after the last one are none."""
        if measure not in RUNNING:
            self._found[place, measure, part] += n
        elif part <= self._last:
            self._found[place, measure, part if part >= self._first else BEFORE] += n

    def _fetch(self, tx: Tx, path: Path) -> Mapping[datetime, Counter[tuple[str, str]]]:
        """For each mark what its day has to be put right by, by place and kind."""
        near: dict[datetime, Counter[tuple[str, str]]] = {mark: Counter() for mark in self._marks}
        asked = {} if len(path) == 1 else {"region": path[-1]}
        for number, mark in enumerate(self._marks):
            asked[f"begin{number}"], asked[f"end{number}"] = _span(mark)
        for number, level, unit_id, *codes in tx.all(_due_near(len(path) - 1, len(self._marks)), **asked):
            kind = PRESSED if level else CALM
            smallest = next((code for code in reversed(codes) if code), EVERYWHERE)
            for place in self._places.intersection((EVERYWHERE, *codes, tallies.of_unit(unit_id, smallest))):
                near[self._marks[number]][place, kind] += 1
        return near

    def _before(self, place: str, kind: str, mark: datetime) -> int:
        day, late = _day(mark), _is_late(mark)
        whole = sum(
            self._found[place, kind, part]
            for part in (BEFORE, *_days(self._first, self._last))
            if part < day or (late and part == day)
        )
        return whole - self._near[mark][place, kind] if late else whole + self._near[mark][place, kind]


def _summed(kind: str, *wanted: ColumnElement[bool]) -> Select[Any]:
    """What falls due before the first day that matters, as one number for each place."""
    columns: tuple[ColumnElement[Any], ...] = (
        literal_column(f"'{kind}'").label("measure"),
        literal_column(f"'{BEFORE}'").label("part"),
        sql.sum(_TALLY.c.n).label("n"),
    )
    return select(_TALLY.c.place, *columns).where(_SOMEWHERE, *wanted).group_by(_TALLY.c.place)


_CELL = select(_TALLY.c.place, _TALLY.c.measure, _TALLY.c.part, _TALLY.c.n)
_ADDED = Prepared(
    union_all(
        *(
            _summed(kind, _TALLY.c.measure == measure, *span)
            for kind in RUNNING
            for measure, span in (
                (MONTHLY[kind], (_TALLY.c.part < bindparam("month"),)),
                (kind, (_TALLY.c.part >= bindparam("month"), _TALLY.c.part < bindparam("first"))),
            )
        ),
        _CELL.where(
            _SOMEWHERE, _TALLY.c.measure.in_(RUNNING), _TALLY.c.part >= bindparam("first"),
            _TALLY.c.part <= bindparam("last"),
        ),
        _CELL.where(_SOMEWHERE, _TALLY.c.measure == OPEN),
        _CELL.where(_AT_TOP, _TALLY.c.measure.in_((STATE, LEVEL))),
        _CELL.where(_AT_TOP, _TALLY.c.measure.in_(BY_MONTH), _TALLY.c.part >= bindparam("since")),
    )
)  # fmt: skip
_WAITING = Prepared(select(_SHIFT.c.places, _SHIFT.c.measure, _SHIFT.c.part, _SHIFT.c.n))
"""All that was appended since the last folding: seconds ago, where a scheduler runs."""


def _day(mark: datetime) -> str:
    return text_of(mark)[:10]


def _is_late(mark: datetime) -> bool:
    """Whether more of its day lies before it than after."""
    return mark.astimezone(UTC).hour >= 12


def _span(mark: datetime) -> tuple[str, str]:
    """The lesser part of its day: what lies before a mark in the morning, after one in the evening."""
    begin = datetime.fromisoformat(f"{_day(mark)}T00:00:00+00:00")
    if _is_late(mark):
        return text_of(mark), text_of(begin + timedelta(days=1))
    return text_of(begin), text_of(mark)


def _days(first: str, last: str) -> list[str]:
    begin = date.fromisoformat(first)
    return [(begin + timedelta(days=k)).isoformat() for k in range((date.fromisoformat(last) - begin).days + 1)]


@cache
def _due_near(depth: int, marks: int) -> Prepared:
    """What falls due within each of so many spans, in a region so many steps below the country."""
    c = _FINDING.c
    there = true() if depth == 0 else c[LEVELS[depth - 1]] == bindparam("region")
    live = (there, c.is_open == 1, c.suspended_at == NEVER_TEXT)
    return Prepared(
        union_all(
            *(
                select(literal_column(str(k)).label("mark"), c.level, c.unit_id, *(c[name] for name in LEVELS)).where(
                    *live, c.due_at >= bindparam(f"begin{k}"), c.due_at < bindparam(f"end{k}")
                )
                for k in range(marks)
            )
        )
    )
