"""A fault of the workflow and the way to it: shortest paths over the states of both tracks.

A fork is walked towards every state it lists, except a fork of which it is known that it only leads back to where the
finding has been: such a fork can end a dead end, but makes no state reachable.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from loop.kernel.finding import DISPUTE_NONE
from loop.kernel.labels import Label
from loop.kernel.machine import Table
from loop.kernel.workflow import COURSE, START, Fork, Workflow


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trace: the action taken and the state it leads to; `fork` names the fork that chose that state."""

    action: str
    state: str
    fork: str = ""

    def __str__(self) -> str:
        return f"{self.action}{f'({self.fork})' if self.fork else ''} -> {self.state}"


Trace = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something the workflow must not have. `code` is its stable kind, `about` names the part that is wrong.

    `trace` is the shortest way there from the opening of a finding (a dispute: from no dispute); empty where no way leads
    there, or where the fault stands in no particular state.
    """

    code: str
    about: str
    label: Label
    trace: Trace = ()

    def __str__(self) -> str:
        way = "; ".join(str(step) for step in self.trace)
        return f"{self.code} {self.about}: {self.label.en}" + (f" [{way}]" if way else "")


@dataclass(frozen=True, slots=True)
class Arrow:
    """One possible move. `returns`: by a fork that only leads back to where the finding has been."""

    action: str
    source: str
    target: str
    fork: str = ""
    returns: bool = False


@dataclass(frozen=True)
class Ways:
    """Every arrow of one track, and the shortest ways along them from `start`."""

    start: str
    arrows: tuple[Arrow, ...]

    @cached_property
    def leaving(self) -> Mapping[str, tuple[Arrow, ...]]:
        """The arrows out of each state, in the order of declaration; those that stay are included."""
        found: dict[str, list[Arrow]] = {}
        for arrow in self.arrows:
            found.setdefault(arrow.source, []).append(arrow)
        return {state: tuple(arrows) for state, arrows in found.items()}

    @cached_property
    def entering(self) -> Mapping[str, tuple[Arrow, ...]]:
        """The arrows into each state from another one."""
        found: dict[str, list[Arrow]] = {}
        for arrow in self.arrows:
            if arrow.source != arrow.target:
                found.setdefault(arrow.target, []).append(arrow)
        return {state: tuple(arrows) for state, arrows in found.items()}

    @cached_property
    def shortest(self) -> Mapping[str, Trace]:
        """The shortest trace to each reachable state; of equally short ones that with the fewest forks, then the first."""
        found: dict[str, Trace] = {}
        queue: list[tuple[int, int, int, str, Trace]] = [(0, 0, 0, self.start, ())]
        pushed = 0
        while queue:
            steps, forks, _, state, trace = heapq.heappop(queue)
            if state in found:
                continue
            found[state] = trace
            for arrow in self.leaving.get(state, ()):
                if arrow.returns or arrow.target in found:
                    continue
                pushed += 1
                step = Step(arrow.action, arrow.target, arrow.fork)
                more = (steps + 1, forks + bool(arrow.fork), pushed, arrow.target, (*trace, step))
                heapq.heappush(queue, more)
        return found

    def to(self, state: str) -> Trace:
        """The shortest trace to `state`; empty where there is none."""
        return self.shortest.get(state, ())

    def nearest(self, states: Iterable[str]) -> str | None:
        """The reachable one of `states` that the fewest steps lead to, the first in order; None if none is reachable."""
        able = [s for s in states if s in self.shortest]
        return min(able, key=lambda s: (len(self.shortest[s]), s)) if able else None

    def lead_to(self, goals: Collection[str]) -> frozenset[str]:
        """Every state from which one of `goals` can be reached, the goals included."""
        found, queue = set(goals), list(goals)
        while queue:
            for arrow in self.entering.get(queue.pop(), ()):
                if arrow.source not in found:
                    found.add(arrow.source)
                    queue.append(arrow.source)
        return frozenset(found)

    def from_(self, state: str) -> frozenset[str]:
        """Every state that can be reached from `state`, itself included."""
        found, queue = {state}, [state]
        while queue:
            for arrow in self.leaving.get(queue.pop(), ()):
                if arrow.target not in found:
                    found.add(arrow.target)
                    queue.append(arrow.target)
        return frozenset(found)


def ways(workflow: Workflow, table: Table, track: str, returns: Collection[str] = ()) -> Ways:
    """The arrows of `track` as the compiled table has them."""
    return Ways(START if track == COURSE else DISPUTE_NONE, tuple(_arrows(workflow, table, track, returns)))


def _arrows(workflow: Workflow, table: Table, track: str, returns: Collection[str]) -> Iterator[Arrow]:
    known = workflow.states if track == COURSE else workflow.dispute_states
    sources = (START, *known) if track == COURSE else tuple(known)
    for source in sources:
        for name in table.actions(track, source):
            fork = fork_from(workflow, name, source)
            for target in table.targets(track, source, name):
                if target in known:
                    yield Arrow(name, source, target, fork, fork in returns)


def fork_from(workflow: Workflow, action: str, source: str) -> str:
    """The name of the fork that decides where `action` leads from `source`; empty where there is none."""
    for one in workflow.actions[action].moves:
        if source in one.sources and isinstance(one.target, Fork):
            return one.target.name
    return ""


def cycle(start: str, edges: Mapping[str, Sequence[Step]]) -> Trace:
    """The shortest way from `start` along `edges` back to `start`; empty where there is none."""
    seen: set[str] = set()
    queue: list[tuple[str, Trace]] = [(start, ())]
    for state, trace in queue:  # the list grows while it is walked: a breadth-first search
        for step in edges.get(state, ()):
            if step.state == start:
                return (*trace, step)
            if step.state not in seen:
                seen.add(step.state)
                queue.append((step.state, (*trace, step)))
    return ()
