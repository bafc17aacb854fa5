"""Moving the virtual clock, as API and pages both do: one at a time, never back, never too far."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from starlette.requests import Request

from loop.engine.clock import VirtualClock
from loop.engine.strike import Struck
from loop.kernel.errors import Invalid, NotFound
from loop.service import Service

FARTHEST = timedelta(days=1_100)
"""Three years with their reminders take a while already."""


def is_virtual(service: Service) -> bool:
    """Whether the service was started with a virtual clock."""
    return isinstance(service.engine.clock, VirtualClock)


def virtual_clock(service: Service) -> VirtualClock:
    """The clock of a service that was started with a virtual one; raises NotFound otherwise."""
    clock = service.engine.clock
    if not isinstance(clock, VirtualClock):
        raise NotFound
    return clock


def check_target(target: datetime, now: datetime) -> None:
    """Raises Invalid for an instant before `now`, or too far ahead of it."""
    if target < now:
        raise Invalid.field("to", "虚拟时钟不能倒退。", "the virtual clock never goes back.", "past")
    if target - now > FARTHEST:
        days = FARTHEST.days
        raise Invalid.field("to", f"一次最多前进 {days} 天。", f"moves at most {days} days at a time.", "range")


async def move(service: Service, target: datetime) -> list[Struck]:
    """Everything that happens on the way to `target`, in order."""
    return await asyncio.to_thread(service.leap.to, virtual_clock(service), target)


def turn(request: Request) -> asyncio.Lock:
    """Whoever moves the clock does so alone."""
    state = request.app.state
    if not hasattr(state, "clock_turn"):
        state.clock_turn = asyncio.Lock()
    found: asyncio.Lock = state.clock_turn
    return found
