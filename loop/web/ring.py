"""The loop as a ring of its eight systems: where a finding has been, where it is, what comes next. Geometry only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, pi, sin

from loop.kernel.labels import Label
from loop.kernel.workflow import Workflow

CENTRE, RADIUS, DOT = (180.0, 150.0), 104.0, 19.0
WIDTH, HEIGHT = 360, 300
OUTSIDE = ("lookback", "archived", "withdrawn")
"""Stages behind the ring: they stand in its middle."""
FEW = 3
"""An action that may lead to more states than that is no step forward: it goes back to where the finding was."""
HERE, WALKED, AHEAD, FAR = "here", "walked", "ahead", "far"


@dataclass(frozen=True, slots=True)
class Station:
    """One system on the ring. `how` is here, walked, ahead or far; `times` how often the finding came there."""

    number: int
    label: Label
    x: float
    y: float
    how: str
    times: int


@dataclass(frozen=True, slots=True)
class Way:
    """A line between two stations: along the ring, or across it where the finding took that way."""

    path: str
    walked: bool


@dataclass(frozen=True, slots=True)
class Ring:
    """The whole drawing; `middle` is the stage that stands in it, where the finding has left the ring."""

    stations: tuple[Station, ...]
    ways: tuple[Way, ...]
    middle: Label | None
    width: int = WIDTH
    height: int = HEIGHT
    dot: float = DOT


def ring(flow: Workflow, walked: Sequence[str], ahead: frozenset[str]) -> Ring:
    """The ring for a finding that has been in the stages `walked`, in this order, and may next go to those `ahead`."""
    names = [name for name in flow.stages if name not in OUTSIDE]
    places = {name: _place(number, len(names)) for number, name in enumerate(names)}
    here = walked[-1] if walked else ""
    stations = tuple(
        Station(number, flow.stages[name], *places[name], _how(name, here, walked, ahead), walked.count(name))
        for number, name in enumerate(names, 1)
    )
    taken = {(a, b) for a, b in pairwise(walked) if a in places and b in places and a != b}
    beside = {(a, b) for a, b in zip(names, [*names[1:], names[0]], strict=True)}
    ways = [Way(_straight(places[a], places[b]), (a, b) in taken) for a, b in sorted(beside)]
    ways += [Way(_bent(places[a], places[b]), True) for a, b in sorted(taken - beside)]
    return Ring(stations, tuple(ways), flow.stages.get(here) if here in OUTSIDE else None)


def stages_walked(flow: Workflow, states: Sequence[str]) -> list[str]:
    """The stages in which these states lie, repetitions within one stage left out."""
    found: list[str] = []
    for state in states:
        stage = state.partition(".")[0]
        if stage in flow.stages and (not found or found[-1] != stage):
            found.append(stage)
    return found


def stages_ahead(flow: Workflow, state: str) -> frozenset[str]:
    """The stages that may come next: where some action leads out of this one, from this state or from one that comes after it
    within the stage. What goes back, or may go anywhere, counts for nothing here.
    """
    stage, found, seen, ahead = state.partition(".")[0], set(), {state}, [state]
    while ahead:
        here = ahead.pop()
        ways = (flow.targets(action, here) for action in flow.actions.values())
        for target in {target for targets in ways if len(targets) <= FEW for target in targets} - seen:
            seen.add(target)
            if target.partition(".")[0] == stage:
                ahead.append(target)
            else:
                found.add(target.partition(".")[0])
    return frozenset(found)


def _how(name: str, here: str, walked: Sequence[str], ahead: frozenset[str]) -> str:
    if name == here:
        return HERE
    return WALKED if name in walked else AHEAD if name in ahead else FAR


def _place(number: int, of: int) -> tuple[float, float]:
    angle = 2 * pi * number / of - pi / 2
    return round(CENTRE[0] + RADIUS * 1.25 * cos(angle), 1), round(CENTRE[1] + RADIUS * sin(angle), 1)


def _straight(a: tuple[float, float], b: tuple[float, float]) -> str:
    """A line that begins and ends at the edges of the two stations."""
    length = hypot(b[0] - a[0], b[1] - a[1])
    step = ((b[0] - a[0]) / length, (b[1] - a[1]) / length)
    gap = DOT + 5
    begin = (a[0] + step[0] * gap, a[1] + step[1] * gap)
    end = (b[0] - step[0] * gap, b[1] - step[1] * gap)
    return f"M{begin[0]:.1f} {begin[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"


def _bent(a: tuple[float, float], b: tuple[float, float]) -> str:
    """A way across the ring, bent towards its middle so that two of them differ."""
    middle = ((a[0] + b[0]) / 2 * 0.6 + CENTRE[0] * 0.4, (a[1] + b[1]) / 2 * 0.6 + CENTRE[1] * 0.4)
    towards, back = _edge(a, middle), _edge(b, middle)
    return f"M{towards[0]:.1f} {towards[1]:.1f}Q{middle[0]:.1f} {middle[1]:.1f} {back[0]:.1f} {back[1]:.1f}"


def _edge(a: tuple[float, float], to: tuple[float, float]) -> tuple[float, float]:
    length = hypot(to[0] - a[0], to[1] - a[1]) or 1.0
    return a[0] + (to[0] - a[0]) / length * (DOT + 5), a[1] + (to[1] - a[1]) / length * (DOT + 5)
