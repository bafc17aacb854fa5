"""The stories of tests/each_action.py told by the engine, so that there are findings of every kind for pages to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from loop.engine.clock import VirtualClock
from loop.engine.leap import Leap
from tests.each_action import CREATING, STORIES, Step, steps
from tests.payloads import Writer
from tests.world import World

Typing = Callable[[str, dict[str, Any]], dict[str, Any]]


class Teller:
    """Tells stories in one world. `typing` says what is really typed where an action (name) asks for a payload."""

    def __init__(self, world: World, typing: Typing = lambda action, payload: payload) -> None:
        self.world, self.typing = world, typing
        self.writer = Writer(world, lambda values: values[0])
        self.numbers: list[str] = []

    def tell(self, story: str, upto: int | None = None) -> str:
        """Tell one story, or its first steps; the number of its finding."""
        for _ in self.told(steps(story)[:upto]):
            pass
        return self.numbers[-1]

    def middles(self) -> None:
        """Every story up to its middle, where the most is going on."""
        for story in STORIES:
            self.tell(story, len(steps(story)) // 2 + 1)

    def told(self, of: list[Step]) -> Iterator[tuple[Step, str]]:
        """Take these steps one by one: before each, the step and the number of the finding that it is about."""
        number = ""
        for step in of:
            if step.who != "given":
                yield step, number
            number = self._take(step, number)
        self.numbers.append(number)

    def _take(self, step: Step, number: str) -> str:
        world = self.world
        if step.who == "given":
            return str(getattr(world, step.what)(**step.fields))
        if step.who == "wait":
            pass_days(world, int(step.what))
            return number
        if step.what == "attach":
            world.attach(step.who, number)
            return number
        if step.what in CREATING:
            made = self.writer.new() if step.what == "open" else self.writer.taken_over()
            return world.act(step.who, step.what, **self.typing(step.what, {**made, **step.fields})).finding.number
        written = self.writer.write(step.what, world.finding(number))
        world.act(step.who, step.what, number, **self.typing(step.what, {**written, **step.fields}))
        return number


def pass_days(world: World, days: int) -> None:
    """Let days pass on the virtual clock, with everything that falls due on the way."""
    clock, parts = world.engine.clock, world.parts
    assert isinstance(clock, VirtualClock)
    Leap(world.engine, parts.outbox, parts.reconciliation).to(clock, world.clock + timedelta(days=days))
    world.clock = parts.store.read(clock.now)
