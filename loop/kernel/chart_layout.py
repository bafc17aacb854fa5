"""Where everything of the chart stands: a small layout of our own, the same picture for the same workflow.

Stages are columns in two bands that form a ring: the first half runs to the right, the second half back to the left.
Each arrow leaves beside its own text and runs in the lanes between the columns; arrows to one state share their lanes,
so that no line ever crosses a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil

from loop.kernel.sketch import Card, Exit, Frame, Sketch

WIDTH, MARGIN, COLUMNS_GAP = 1400.0, 30.0, 48.0
HEADER, PAD, ROW, TITLE, SUBTITLE, STACK = 28.0, 8.0, 16.0, 26.0, 13.0, 12.0
LANE, ROOM = 5.0, 12.0
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 13.5, 11.5, 10.0


NARROW, BROAD = frozenset("fijlrtI .,:;'|/()-"), frozenset("mwMW%")


def text_width(text: str, size: float) -> float:
    """A safe estimate of how wide `text` is in a usual sans-serif font; Chinese characters are square."""
    return size * sum(map(_advance, text))


def _advance(char: str) -> float:
    if ord(char) > 0x2E7F or char in "→↩·…":
        return 1.0
    if char in NARROW:
        return 0.38
    return 0.9 if char in BROAD else 0.72 if char.isupper() else 0.6


def fitted(text: str, size: float, width: float) -> str:
    """`text`, cut short with an ellipsis where it is wider than `width`."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height


@dataclass(frozen=True, slots=True)
class Line:
    """One exit as it is written: its text on the first row, its targets beside it or on the rows below (`told`)."""

    exit: Exit
    box: Box
    told: tuple[tuple[str, ...], ...]
    """The targets row by row; the first row is that of the text and may be empty."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A card or a frame with its box and the lines written in it. `band` and `column` say where it stands."""

    name: str
    box: Box
    lines: tuple[Line, ...]
    band: int
    column: int
    card: Card | None = None
    frame: Frame | None = None


@dataclass(frozen=True, slots=True)
class Arrow:
    """A line from the text of `exit` to the state `target`, as the corners it goes through. `sources` are the states
    beside which that text stands: one, or all of a stage.
    """

    exit: Exit
    sources: tuple[str, ...]
    target: str
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole picture."""

    height: float
    frames: tuple[Placed, ...]
    cards: tuple[Placed, ...]
    arrows: tuple[Arrow, ...]


@dataclass(slots=True)
class _Grid:
    """Columns, bands and the channels around them. Channel k lies above band k, the last one below everything."""

    columns: int
    tops: list[float] = field(default_factory=list)
    channels: list[float] = field(default_factory=list)

    @property
    def column_width(self) -> float:
        return (WIDTH - 2 * MARGIN - (self.columns - 1) * COLUMNS_GAP) / self.columns

    def left(self, column: int) -> float:
        return MARGIN + column * (self.column_width + COLUMNS_GAP)

    def gap(self, number: int) -> tuple[float, float]:
        """The free strip left of column `number`; the last one is right of all columns."""
        before = 4.0 if number == 0 else self.left(number - 1) + self.column_width
        after = WIDTH - 4.0 if number == self.columns else self.left(number)
        return before, after


def layout(drawn: Sketch, top: float) -> Layout:
    """Everything placed below `top`."""
    bands = _bands(drawn)
    grid = _Grid(max(len(band) for band in bands))
    needs = _channel_needs(bands, grid.columns)
    frames: list[Placed] = []
    cards: list[Placed] = []
    y = top
    for number, band in enumerate(bands):
        grid.channels.append(y)
        y += needs[number]
        grid.tops.append(y)
        placed = [_column(frame, grid, number, column, y) for column, frame in band]
        frames += [p for p, _ in placed]
        cards += [card for _, inside in placed for card in inside]
        y = max(p.box.bottom for p, _ in placed)
    grid.channels.append(y)
    y += needs[len(bands)]
    return Layout(y, tuple(frames), tuple(cards), tuple(_arrows(frames, cards, grid)))


def _bands(drawn: Sketch) -> list[list[tuple[int, Frame]]]:
    """The stages in a ring, then the dispute, one column for each of its states."""
    half = ceil(len(drawn.frames) / 2)
    upper = list(enumerate(drawn.frames[:half]))
    lower = [(half - 1 - place, frame) for place, frame in enumerate(drawn.frames[half:])]
    dispute = [
        (place, Frame("dispute", drawn.dispute.title if place == 0 else "", (card,)))
        for place, card in enumerate(drawn.dispute.cards)
    ]
    return [upper, lower, dispute]


def _column(frame: Frame, grid: _Grid, band: int, column: int, top: float) -> tuple[Placed, list[Placed]]:
    x, width = grid.left(column), grid.column_width
    y, cards = top + HEADER, []
    for card in frame.cards:
        under = len(subtitle(card, card.waits, width - 2 * PAD))
        lines, bottom = _lines(card.exits, x + PAD, y + TITLE + under * SUBTITLE, width - 2 * PAD)
        box = Box(x + PAD, y, width - 2 * PAD, bottom + (4 if lines else 0) - y)
        cards.append(Placed(card.name, box, lines, band, column, card=card))
        y = box.bottom + STACK
    lines, bottom = _lines(frame.exits, x + PAD, y + ROW, width - 2 * PAD) if frame.exits else ((), y - 4)
    box = Box(x, top, width, bottom + 4 - top)
    return Placed(frame.name, box, lines, band, column, frame=frame), cards


def _lines(exits: Iterable[Exit], x: float, top: float, width: float) -> tuple[tuple[Line, ...], float]:
    lines, y = [], top
    for one in exits:
        told = _rows(one, width - 16)
        height = ROW + (len(told) - 1) * (ROW - 2)
        lines.append(Line(one, Box(x, y, width, height), told))
        y += height
    return tuple(lines), y


def _rows(one: Exit, width: float) -> tuple[tuple[str, ...], ...]:
    """The targets beside the text where they fit, else one row lower, else each on a row of its own."""
    beside = text_width("→ " + one.target_text, SMALL_SIZE)
    if text_width(one.text, TEXT_SIZE) + beside + 12 <= width:
        return (one.told,)
    if beside <= width:
        return ((), one.told)
    return ((), *((name,) for name in one.told))


def subtitle(card: Card, waits: str, width: float) -> tuple[str, ...]:
    """The code name of a state and whom it waits for, on one row or on two."""
    parts = tuple(part for part in (card.name, waits) if part)
    joined = " · ".join(parts)
    return (joined,) if joined and text_width(joined, SMALL_SIZE) <= width - 16 else parts


# ---- arrows ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Route:
    """The lanes an arrow takes: out into gap `out`, along `channel` if that is another gap than `into`, and in."""

    exit: Exit
    source: Placed
    target: Placed
    start: tuple[float, float]
    out: int
    into: int
    channel: int

    @property
    def end(self) -> tuple[float, float]:
        box = self.target.box
        return (box.x if self.into == self.target.column else box.right), box.y + 14


def _arrows(frames: list[Placed], cards: list[Placed], grid: _Grid) -> list[Arrow]:
    routes = _routes(frames, cards)
    rows = _channel_rows(routes, grid)
    lanes = _gap_lanes(routes, rows, grid)
    return [_drawn(route, rows, lanes) for route in routes]


def _routes(frames: Iterable[Placed], cards: list[Placed]) -> list[_Route]:
    by_name = {card.name: card for card in cards}
    return [
        _route(place, line, by_name[target])
        for place in (*cards, *frames)
        for line in place.lines
        for target in line.exit.targets
        if not line.exit.returns and target in by_name and target != place.name
    ]


def _route(place: Placed, line: Line, target: Placed) -> _Route:
    """Towards the target's side; within one column downwards on the right, upwards on the left."""
    ahead, level = target.column - place.column, target.band - place.band
    down = target.box.y > line.box.y
    right = ahead > 0 or (ahead == 0 and down)
    out = place.column + (1 if right else 0)
    into = target.column + (0 if ahead > 0 else 1) if ahead else out
    edge = place.box.right if right else place.box.x
    channel = max(place.band, target.band) if level else (0 if place.band == 0 else place.band + 1)
    return _Route(line.exit, place, target, (edge, line.box.y + ROW / 2 - 1), out, into, channel)


def _channel_rows(routes: list[_Route], grid: _Grid) -> dict[tuple[int, str], float]:
    """The height of each horizontal lane: one for each channel and target, one below the other."""
    rows: dict[tuple[int, str], float] = {}
    used: dict[int, int] = {}
    for route in routes:
        key = (route.channel, route.target.name)
        if route.out != route.into and key not in rows:
            place = used[route.channel] = used.get(route.channel, 0) + 1
            rows[key] = grid.channels[route.channel] + ROOM / 2 + place * LANE
    return rows


def _channel_needs(bands: list[list[tuple[int, Frame]]], columns: int) -> list[float]:
    """How much room the horizontal lanes take above each band and below the last, tried with bands far apart."""
    trial = _Grid(columns, channels=[0.0] * (len(bands) + 1))
    placed = [_column(f, trial, band, column, band * 10_000) for band, row in enumerate(bands) for column, f in row]
    routes = _routes([frame for frame, _ in placed], [card for _, inside in placed for card in inside])
    lanes = [channel for channel, _ in _channel_rows(routes, trial)]
    return [ROOM + LANE * (1 + lanes.count(k)) for k in range(len(bands) + 1)]


def _gap_lanes(
    routes: list[_Route], rows: Mapping[tuple[int, str], float], grid: _Grid
) -> dict[tuple[int, str], float]:
    """The place of each vertical lane: one for each gap and target; lanes that do not overlap share a place."""
    spans: dict[tuple[int, str], list[float]] = {}
    for route in routes:
        row = rows.get((route.channel, route.target.name), route.end[1])
        straight = route.out == route.into
        spans.setdefault((route.out, route.target.name), []).extend((route.start[1], route.end[1] if straight else row))
        if not straight:
            spans.setdefault((route.into, route.target.name), []).extend((row, route.end[1]))
    places: dict[tuple[int, str], int] = {}
    for gap in sorted({gap for gap, _ in spans}):
        busy: list[float] = []
        keys = sorted((key for key in spans if key[0] == gap), key=lambda k: (min(spans[k]), max(spans[k])))
        for key in keys:
            free = next((n for n, until in enumerate(busy) if until + 6 < min(spans[key])), len(busy))
            busy[free : free + 1] = [max(spans[key])]
            places[key] = free
    return {
        key: _lane(grid, key[0], place, [p for k, p in places.items() if k[0] == key[0]])
        for key, place in places.items()
    }


def _lane(grid: _Grid, gap: int, place: int, others: list[int]) -> float:
    before, after = grid.gap(gap)
    count = max(others) + 1
    step = min(LANE + 1, (after - before - 16) / max(count, 1))
    return (before + after) / 2 + (place - (count - 1) / 2) * step


def _drawn(route: _Route, rows: Mapping[tuple[int, str], float], lanes: Mapping[tuple[int, str], float]) -> Arrow:
    name = route.target.name
    x = lanes[route.out, name]
    corners = [route.start, (x, route.start[1])]
    if route.out != route.into:
        y, into = rows[route.channel, name], lanes[route.into, name]
        corners += [(x, y), (into, y)]
        x = into
    corners += [(x, route.end[1]), route.end]
    frame = route.source.frame
    sources = tuple(card.name for card in frame.cards) if frame else (route.source.name,)
    return Arrow(route.exit, sources, name, tuple(corners))
