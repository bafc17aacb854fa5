"""Charts as values: from numbers to shapes with their places, worked out here so that a template only writes them down.

A chart is drawn on a canvas as wide as a phone and grows with the screen. Whatever has a colour has a pattern and a sign or
a word as well, and beside each chart stands a table with the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log10

from loop.kernel.labels import Label

WIDTH = 340.0
BAR_HEIGHT, LEAST = 16.0, 2.5
"""A bar of a row. Nothing that is there is drawn narrower than so many hundredths of the whole."""


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a bar or a column: a tone, which the style sheet and a pattern know, and how many."""

    tone: str
    n: int


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in a tone."""

    tone: str
    x: float
    y: float
    width: float
    height: float


# ---- bars that lie ---------------------------------------------------------------------------------------------------


def bar(parts: Iterable[Part], whole: int) -> tuple[Rect, ...]:
    """The parts side by side, in hundredths of the width, to a scale on which `whole` fills it."""
    there = [part for part in parts if part.n > 0]
    room = 100 - LEAST * len(there)
    found: list[Rect] = []
    x = 0.0
    for part in there:
        width = LEAST + room * part.n / max(whole, 1)
        found.append(Rect(part.tone, round(x, 2), 0.0, round(width, 2), BAR_HEIGHT))
        x += width
    return tuple(found)


# ---- columns that stand ----------------------------------------------------------------------------------------------

TOP, FOOT, LEFT, RIGHT = 26.0, 36.0, 30.0, 4.0
MOST_WIDE = 34.0


@dataclass(frozen=True, slots=True)
class Entry:
    """What one column is about: its parts from below, words over it and below it, and the list behind it."""

    parts: tuple[Part, ...]
    head: str
    foot: Label
    under: Label
    path: str
    said: Label
    """All of it in words."""

    @property
    def total(self) -> int:
        """The height of the column."""
        return sum(part.n for part in self.parts)


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its rectangles; `x` is its middle, `top` where its head stands."""

    entry: Entry
    x: float
    top: float
    rects: tuple[Rect, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A level line with its number."""

    y: float
    n: int


@dataclass(frozen=True, slots=True)
class Columns:
    """A chart of columns. `base` is the line on which they stand."""

    height: float
    base: float
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    width: float = WIDTH


def columns(entries: Sequence[Entry], height: float = 200.0) -> Columns:
    """A column for each entry."""
    base = height - FOOT
    most = _round_up(max((entry.total for entry in entries), default=0))
    step = (WIDTH - LEFT - RIGHT) / max(len(entries), 1)
    wide = min(step * 0.72, MOST_WIDE)
    scale = (base - TOP) / most
    drawn = tuple(_column(one, LEFT + step * (place + 0.5), wide, base, scale) for place, one in enumerate(entries))
    levels = sorted({0, most // 2 if most % 2 == 0 else 0, most})
    return Columns(height, base, drawn, tuple(Line(round(base - n * scale, 1), n) for n in levels))


def _column(entry: Entry, x: float, wide: float, base: float, scale: float) -> Column:
    rects: list[Rect] = []
    y = base
    for part in entry.parts:
        if part.n > 0:
            tall = max(part.n * scale, 2.0)
            y -= tall
            rects.append(Rect(part.tone, round(x - wide / 2, 1), round(y, 1), round(wide, 1), round(tall, 1)))
    return Column(entry, round(x, 1), round(y - 5, 1), tuple(rects))


def _round_up(n: int) -> int:
    """The next number that is easy to read: 1, 2, 4, 5, 10 and so on."""
    if n <= 5:
        return max(n, 1)
    unit: int = 10 ** int(log10(n))
    return next(unit * k // 10 for k in (10, 20, 40, 50, 80, 100) if unit * k // 10 >= n)


# ---- stages and the ways between them --------------------------------------------------------------------------------

BOX_X, BOX_WIDTH, BOX_HEIGHT, BOX_STEP, EDGE = 62.0, 196.0, 44.0, 62.0, 8.0
LANE = 9.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with the number of findings in it."""

    name: str
    label: Label
    n: int
    path: str


@dataclass(frozen=True, slots=True)
class Box:
    """A stage drawn: its frame, and how much of it is filled."""

    stage: Stage
    x: float
    y: float
    width: float
    height: float
    filled: float


@dataclass(frozen=True, slots=True)
class Way:
    """The lane of all ways to one stage that pass by others: a line, the places where others join it, where it ends."""

    target: str
    path: str
    joints: tuple[tuple[float, float], ...]
    tip: str


@dataclass(frozen=True, slots=True)
class Flow:
    """Stages below each other and the ways between them: on to the next one, past others on the right, back on the left."""

    height: float
    boxes: tuple[Box, ...]
    ways: tuple[Way, ...]
    width: float = WIDTH


def flow(stages: Sequence[Stage], links: Iterable[tuple[str, str]]) -> Flow:
    """The stages in their order; `links` name from where one may come to where."""
    place = {stage.name: k for k, stage in enumerate(stages)}
    known = {(place[a], place[b]) for a, b in links if a in place and b in place and a != b}
    most = max((stage.n for stage in stages), default=0)
    boxes = tuple(
        Box(s, BOX_X, EDGE + k * BOX_STEP, BOX_WIDTH, BOX_HEIGHT, round(BOX_WIDTH * s.n / max(most, 1), 1))
        for k, s in enumerate(stages)
    )
    names = [stage.name for stage in stages]
    straight = tuple(_straight(names[b], boxes[a], boxes[b]) for a, b in sorted(known) if b == a + 1)
    past = _lanes({(a, b) for a, b in known if b > a + 1}, boxes, names, right=True)
    back = _lanes({(a, b) for a, b in known if b < a}, boxes, names, right=False)
    return Flow(EDGE * 2 + (len(stages) - 1) * BOX_STEP + BOX_HEIGHT, boxes, (*straight, *past, *back))


def _straight(name: str, above: Box, below: Box) -> Way:
    x = above.x + above.width / 2
    return Way(name, f"M{x:g} {above.y + above.height:g} V{below.y - 6:g}", (), _tip(x, below.y, down=True))


def _lanes(links: set[tuple[int, int]], boxes: Sequence[Box], names: Sequence[str], *, right: bool) -> tuple[Way, ...]:
    """One lane for each stage that is led to; the shortest lies next to the boxes, lanes that do not meet share a place."""
    spans = {target: sorted({a for a, b in links if b == target}) for target in {b for _, b in links}}
    order = sorted(spans, key=lambda t: (max(abs(t - a) for a in spans[t]), t))
    taken: list[list[tuple[int, int]]] = []
    found = []
    for target in order:
        low, high = min(*spans[target], target), max(*spans[target], target)
        free = next((k for k, busy in enumerate(taken) if all(high < a or b < low for a, b in busy)), len(taken))
        if free == len(taken):
            taken.append([])
        taken[free].append((low, high))
        found.append(_lane(names[target], [boxes[a] for a in spans[target]], boxes[target], free, right=right))
    return tuple(found)


def _lane(name: str, sources: Sequence[Box], target: Box, place: int, *, right: bool) -> Way:
    """Out of the lower half of each source, along the lane, into the upper half of the target; for ways back mirrored."""
    side = target.x + target.width if right else target.x
    x = side + (14 + place * LANE) * (1 if right else -1)
    out = [box.y + box.height * (0.7 if right else 0.3) for box in sources]
    end = target.y + target.height * (0.3 if right else 0.7)
    path = "".join(f"M{side:g} {y:g} H{x:g} V{end:g} " for y in out) + f"H{side + (6 if right else -6):g}"
    farthest = min(out) if right else max(out)
    return Way(name, path, tuple((x, y) for y in out if y != farthest), _tip(side, end, right=not right))


def _tip(x: float, y: float, *, down: bool = False, right: bool = False) -> str:
    """An arrowhead that points at (x, y)."""
    if down:
        return f"M{x:g} {y:g} l-4.5 -7 h9 z"
    return f"M{x:g} {y:g} l{-7 if right else 7} -4.5 v9 z"
