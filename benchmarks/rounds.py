"""Rounds: every figure is taken several times, what is compared takes turns, and the middle one counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure: `value` is the median of `rounds`, `at_most` tells on which side of `target` is good; without a target it
    is only told.
    """

    id: str
    what: str
    target: float | None
    at_most: bool
    rounds: tuple[float, ...]
    unit: str = "x"

    @property
    def value(self) -> float:
        """The middle round."""
        return median(self.rounds)

    @property
    def reached(self) -> bool:
        """Whether the target holds."""
        if self.target is None:
            return True
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def verdict(self) -> str:
        """The same in words."""
        if self.target is None:
            return "not promised"
        return "reached" if self.reached else "**missed**"


class Stopwatch:
    """Adds up the seconds of several stretches."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.count = 0

    @contextmanager
    def running(self, count: int) -> Iterator[None]:
        """Time a stretch in which `count` things are done."""
        begun = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - begun
        self.count += count

    @property
    def each(self) -> float:
        """Seconds for one thing."""
        return self.seconds / self.count


def seconds_of(work: Callable[[], object], times: int) -> float:
    """Seconds for one run of `work`: the middle one of so many."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return median(taken)


def chunks(count: int, size: int) -> Iterator[range]:
    """The numbers below `count` in stretches of `size`."""
    return (range(start, min(start + size, count)) for start in range(0, count, size))


def ratios(above: Sequence[float], below: Sequence[float]) -> tuple[float, ...]:
    """Round by round."""
    return tuple(a / b for a, b in zip(above, below, strict=True))
