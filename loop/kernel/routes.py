"""Which way a message goes: what happened x who is told -> by which channels, and when. Values only, the first that fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loop.kernel.messages import GROUP, PERSON

Manner = Literal["now", "day", "morning", "weekly"]
"""At once at any hour; in the hours in which people may be disturbed; with the next morning's digest; with the weekly one."""
EVERY = "*"
PERSONAL, EACH, ROBOTS = "personal", "each", "robots"
"""Ways: the first of a person's own channels that works, each of them, the group robots of the finding's office."""
WAYS = (PERSONAL, EACH, ROBOTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the table of routes. Empty lists stand for everything; `danger` asks for danger to life.

    `via` names ways or configured channels. `receipt`: repeated until signed for 签收. `may_be_off`: a person may
    decline it; what the law has served may not be declined.
    """

    name: str
    steps: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    danger: bool = False
    via: tuple[str, ...] = (PERSONAL,)
    when: Manner = "day"
    receipt: bool = False
    may_be_off: bool = False

    def fits(self, step: str, role: str, *, danger: bool) -> bool:
        """Whether a message about this step to this role goes this way."""
        return (
            (not self.steps or step in self.steps)
            and (not self.roles or role in self.roles)
            and (danger or not self.danger)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A configured channel, as far as routing needs it. `region` is the code whose office a group belongs to, or empty."""

    name: str
    reaches: str
    region: str = ""
    per_minute: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Liking:
    """What one person wishes: their channels in order, the routes they declined, everything once a morning."""

    channels: tuple[str, ...] = ()
    off: frozenset[str] = frozenset()
    digest: bool = False


PLAIN = Route(name="inbox only", via=())
"""What no route fits stands in the inbox and goes nowhere else."""


def route_of(routes: Sequence[Route], step: str, role: str, *, danger: bool) -> Route:
    """The first route that fits, or the plain one."""
    return next((route for route in routes if route.fits(step, role, danger=danger)), PLAIN)


def ways_of(
    route: Route, liking: Liking, ways: Mapping[str, Way], *, office_region: str, broken: frozenset[str] = frozenset()
) -> tuple[str, ...]:  # fmt: skip
    """The names of the channels that one message takes. `broken` are those that just failed this person for good."""
    if route.may_be_off and route.name in liking.off:
        return ()
    own = [name for name in liking.channels if name in ways and ways[name].reaches == PERSON and name not in broken]
    found: list[str] = []
    for via in route.via:
        if via == PERSONAL:
            found += own[:1]
        elif via == EACH:
            found += own
        elif via == ROBOTS:
            found += _robots(ways.values(), office_region)
        elif via in ways and (ways[via].reaches == GROUP or via in own):
            found.append(via)
    return tuple(dict.fromkeys(found))


def _robots(ways: Iterable[Way], region: str) -> list[str]:
    return [way.name for way in ways if way.reaches == GROUP and way.region in ("", region)]


def manner_of(route: Route, liking: Liking) -> Manner:
    """When it goes: what may wait until the morning does so for whoever wishes it."""
    return "morning" if liking.digest and route.when == "day" else route.when
