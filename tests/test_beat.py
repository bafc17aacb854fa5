"""The heart: it runs what is due and sends what is owed without being asked, and shows when it has stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

from loop.engine.beat import Beat
from tests.world import World, world

__all__ = ["world"]


def test_the_heart_takes_what_is_due_and_sends_what_is_owed(world: World) -> None:
    number = world.received()
    world.clock += timedelta(days=12)
    beat = Beat(world.engine, world.parts.outbox, world.parts.reconciliation, seconds=0.1, keep=timedelta(days=7))
    assert not beat.fresh()
    beat.start()
    try:
        assert until(lambda: "warn" in world.actions(number))
        assert until(lambda: all(message.delivered_at for message in world.inbox("school")))
        assert beat.fresh()
    finally:
        beat.stop()


def until(holds: Callable[[], bool]) -> bool:
    """Whether `holds` comes true within ten seconds."""
    waiting = threading.Event()
    for _ in range(100):
        if holds():
            return True
        waiting.wait(0.1)
    return False
