"""The state chart as shapes for a page: the layout of the kernel's picture, with how many findings are where as links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loop.kernel.chart import ANY_STEP, COLOURS, rounded
from loop.kernel.chart_layout import (
    PAD,
    ROW,
    SUBTITLE,
    TEXT_SIZE,
    TITLE_SIZE,
    WIDTH,
    Arrow,
    Line,
    Placed,
    fitted,
    layout,
    subtitle,
    text_width,
)
from loop.kernel.sketch import sketch
from loop.kernel.workflow import Workflow

TOP = 8.0
GREY = "#67727e"


@dataclass(frozen=True, slots=True)
class Rect:
    """A frame or a card."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Text:
    """Words at a place; `colour` where they wear that of a stage."""

    x: float
    y: float
    words: str
    kind: str
    colour: str = ""
    at_end: bool = False


@dataclass(frozen=True, slots=True)
class Path:
    """An arrow; `system` where the clock takes it."""

    d: str
    colour: str
    system: bool
    said: str


@dataclass(frozen=True, slots=True)
class Badge:
    """How many findings are in a state, and where they are listed."""

    x: float
    y: float
    width: float
    n: int
    title: str
    path: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything to draw, in its order. `common` are the moves that most states have, in words."""

    width: float
    height: float
    colours: tuple[str, ...]
    rects: tuple[Rect, ...]
    paths: tuple[Path, ...]
    texts: tuple[Text, ...]
    badges: tuple[Badge, ...]
    common: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many, and where they are listed."""

    n: int
    path: str


def chart(workflow: Workflow, language: str, counts: Mapping[str, Count]) -> Chart:
    """The chart in "zh" or "en"; `counts` by state, those without any left out."""
    drawn = sketch(workflow, language)
    placed = layout(drawn, TOP)
    stages = list(dict.fromkeys(frame.name for frame in placed.frames))
    of_stage = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(stages)}
    standing = {(frame.band, frame.column): frame.name for frame in placed.frames}
    colours = {card.name: of_stage[standing[card.band, card.column]] for card in placed.cards}
    texts = [text for frame in placed.frames for text in _frame(frame, language, colours)]
    texts += [text for card in placed.cards for text in _card(card, colours, card.name in counts)]
    return Chart(
        WIDTH, placed.height, tuple(dict.fromkeys(colours.values())),
        (*map(_rect, placed.frames), *map(_rect, placed.cards)),
        tuple(_path(arrow, colours, workflow, language) for arrow in placed.arrows), tuple(texts),
        tuple(_badge(card, counts[card.name]) for card in placed.cards if card.name in counts),
        " · ".join(f"{one.text} → {one.target_text}" for one in drawn.common),
    )  # fmt: skip


def _rect(place: Placed) -> Rect:
    kind = "frame" if place.frame else "end" if place.card and place.card.end else "state"
    return Rect(place.box.x, place.box.y, place.box.width, place.box.height, kind)


def _frame(place: Placed, language: str, colours: Mapping[str, str]) -> list[Text]:
    x = place.box.x + PAD + 2
    found = [Text(x, place.box.y + 19, place.frame.title if place.frame else "", "stage")]
    if place.lines:
        found.append(Text(x, place.lines[0].box.y - 4, ANY_STEP.in_(language), "small"))
    return [*found, *(text for line in place.lines for text in _line(line, colours))]


def _card(place: Placed, colours: Mapping[str, str], counted: bool) -> list[Text]:
    card, box = place.card, place.box
    if card is None:
        return []
    room = box.width - 16 - (40 if counted else 0)
    found = [Text(box.x + 8, box.y + 17, fitted(card.title, TITLE_SIZE, room), "title")]
    under = subtitle(card, card.waits, box.width)
    found += [Text(box.x + 8, box.y + 31 + row * SUBTITLE, words, "small") for row, words in enumerate(under)]
    return [*found, *(text for line in place.lines for text in _line(line, colours))]


def _line(line: Line, colours: Mapping[str, str]) -> list[Text]:
    """The name of the action, and the states it leads to in the colour of the first one's stage."""
    one, box = line.exit, line.box
    found = [Text(box.x + 8, box.y + 11, fitted(one.text, TEXT_SIZE, box.width - 16), "text")]
    wears = dict(zip(one.told, one.targets, strict=False))
    for row, told in enumerate(line.told):
        if told:
            colour = GREY if one.returns else colours.get(wears[told[0]], GREY)
            words = f"{'←' if one.returns else '→'} {' / '.join(told)}"
            found.append(Text(box.right - 8, box.y + 11 + row * (ROW - 2), words, "small", colour, at_end=True))
    return found


def _path(arrow: Arrow, colours: Mapping[str, str], workflow: Workflow, language: str) -> Path:
    state = workflow.states.get(arrow.target)
    label = state.label if state else workflow.dispute_states[arrow.target]
    said = f"{arrow.exit.text} → {label.in_(language)}"
    return Path(rounded(arrow.corners), colours[arrow.target], arrow.exit.by_system, said)


def _badge(place: Placed, count: Count) -> Badge:
    width = max(text_width(f"{count.n:,}", TEXT_SIZE) + 14, 26)
    return Badge(
        place.box.right - 6 - width,
        place.box.y + 4,
        width,
        count.n,
        place.card.title if place.card else place.name,
        count.path,
    )
