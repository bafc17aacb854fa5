"""T7: a sweep with a hundred timers due among a million open findings, against the same among ten thousand."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.crowd import DUE, Model
from benchmarks.rounds import ROUNDS, Measured, Stopwatch, ratios, seconds_of
from benchmarks.stage import parts_on
from loop.bootstrap import Parts
from loop.engine.sweep import tick


class Hand:
    """The hand of the clock that all databases go by."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """The present instant."""
        return self.at


def measure(model: Model, crowds: Mapping[int, Path]) -> list[Measured]:
    """The full sweep and the empty one, by size of the crowd, the smallest first."""
    hand = Hand(model.strikes_at - timedelta(hours=1))
    took: dict[int, list[float]] = {size: [] for size in crowds}
    idle: dict[int, list[float]] = {size: [] for size in crowds}
    with ExitStack() as open_parts:
        parts = {size: open_parts.enter_context(parts_on(path, hand)) for size, path in crowds.items()}
        for turn in range(ROUNDS):
            for size in crowds:
                idle[size].append(seconds_of(lambda size=size: tick(parts[size].engine), 30))  # type: ignore[misc]
            hand.at = model.strikes_at + timedelta(days=turn, minutes=1)
            for size in crowds:
                took[size].append(_sweep(parts[size]))
    few, many = sorted(crowds)
    return [
        Measured(
            "T7a",
            "a sweep of 100 due at 1,000,000 open against the same at 10,000",
            2,
            True,
            ratios(took[many], took[few]),
        ),
        Measured(
            "T7b", "a sweep with nothing due at 1,000,000 open, ms", 1, True, tuple(s * 1e3 for s in idle[many]), "ms"
        ),
    ]


def _sweep(parts: Parts) -> float:
    watch = Stopwatch()
    with watch.running(1):
        struck = tick(parts.engine)
    if len(struck) != DUE:
        raise RuntimeError(f"{len(struck)} timers struck, not {DUE}")
    return watch.seconds
