"""The grammar in which the workflow is declared: states, actions, guards, forks, papers. Values only, checked when joined.

What the words mean is the business of `decide`; what the workflow is stands in the top-level `workflows/`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, TypeVar

from loop.kernel.clocks import TimerRule
from loop.kernel.labels import Label
from loop.kernel.letters import Letters
from loop.kernel.payloads import Nothing, Payload

if TYPE_CHECKING:
    from loop.kernel.case import Case, Draft
    from loop.kernel.finding import Finding

COURSE, DISPUTE = "course", "dispute"
SAME = "same"
WINDOW = "window"
"""The kind of timers that only keep something possible; once due, one of them is over, and never overdue."""
START = ""
"""The source of the actions that create a finding."""


class BadWorkflow(Exception):
    """The declared workflow contradicts itself; the text names the place."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition. `test` answers None, or the sentence that says what is missing.

    `reads_payload` guards are only asked when the action is taken; the others also tell which buttons to offer.
    `needs` names the facts outside the finding that the test looks at (see `facts.Facts`).
    """

    code: str
    label: Label
    test: Callable[[Case], Label | None]
    reads_payload: bool = False
    needs: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fork:
    """A target that depends on the finding: a named function that lists every state it may answer."""

    name: str
    targets: tuple[str, ...]
    choose: Callable[[Case], str]


@dataclass(frozen=True, slots=True)
class Move:
    """From each of `sources` to `target`: a state, `SAME`, or a fork."""

    sources: frozenset[str]
    target: str | Fork


@dataclass(frozen=True, slots=True)
class Paper:
    """A kind of document. `issued` papers carry a number of the office's series; the others are received or internal."""

    kind: str
    label: Label
    issued: bool = True
    internal: bool = False
    cc: tuple[str, ...] = ()
    when: Callable[[Case], bool] | None = None
    opens: tuple[str, ...] = ()
    """Rules of the deadlines and windows that begin for the unit when it receives the paper, which tells them."""

    def only(self, when: Callable[[Case], bool]) -> Paper:
        """The same paper, made only when `when` holds."""
        return replace(self, when=when)


@dataclass(frozen=True, slots=True)
class Tell:
    """Somebody to be told, when `when` holds."""

    who: str
    when: Callable[[Case], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A place in the course. `waits_for` names who owes the next step, empty where nobody does; `waits_when` narrows it
    for one finding. Entering it raises the level of pressure to at least `level`.
    """

    name: str
    label: Label
    waits_for: tuple[str, ...] = ()
    waits_when: Callable[[Finding], tuple[str, ...]] | None = None
    level: int = 0
    starts: tuple[str | Starter, ...] = ()
    end: bool = False


@dataclass(frozen=True, slots=True)
class Starter:
    """Starts one or more timers on entering a state, by a function that says which and from when."""

    rules: tuple[str, ...]
    order: Callable[[Case, Draft], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that can be done to a finding: by whom, from where to where, with what, and what follows."""

    name: str
    label: Label
    by: tuple[str, ...]
    moves: tuple[Move, ...]
    track: str = COURSE
    payload: type[Payload] = Nothing
    only: Guard | None = None
    guards: tuple[Guard, ...] = ()
    effect: Callable[[Case, Draft], None] | None = None
    papers: tuple[Paper, ...] = ()
    tell: tuple[str | Tell, ...] = ()
    answers: tuple[str, ...] = ()
    """Timers that this action answers; past due, it is flagged late."""
    restarts: tuple[str, ...] = ()
    """Timers that begin anew although the state they live in does not change."""
    level: int = 0
    """The level of pressure that this action reaches."""
    creates: bool = False
    needs: frozenset[str] = frozenset()

    @property
    def facts(self) -> frozenset[str]:
        """Every fact outside the finding that its guards and its effect look at."""
        guards = (*self.guards, *((self.only,) if self.only else ()))
        return self.needs.union(*(guard.needs for guard in guards))

    @property
    def facts_beforehand(self) -> frozenset[str]:
        """The facts that those guards look at which need no payload: enough to say whether a button is offered."""
        guards = (*self.guards, *((self.only,) if self.only else ()))
        return frozenset().union(*(guard.needs for guard in guards if not guard.reads_payload))


def move(sources: str | frozenset[str] | set[str], target: str | Fork) -> Move:
    """A `Move` from one state or several."""
    return Move(frozenset({sources}) if isinstance(sources, str) else frozenset(sources), target)


@dataclass(frozen=True)
class Workflow:
    """The whole: every state, action and timer by name, checked to fit together."""

    version: str
    states: Mapping[str, State]
    dispute_states: Mapping[str, Label]
    actions: Mapping[str, Action]
    timers: Mapping[str, TimerRule]
    stages: Mapping[str, Label] = field(default_factory=dict)
    letters: Letters = field(default_factory=Letters)

    def targets(self, action: Action, source: str) -> tuple[str, ...]:
        """The states to which `action` may lead from `source`; empty where it is not possible."""
        for one in action.moves:
            if source in one.sources:
                if isinstance(one.target, Fork):
                    return tuple(source if t == SAME else t for t in one.target.targets)
                return (source if one.target == SAME else one.target,)
        return ()


def join(
    version: str, stages: Mapping[str, Label], states: tuple[State, ...], dispute_states: Mapping[str, Label],
    actions: tuple[Action, ...], timers: tuple[TimerRule, ...], letters: Letters,
) -> Workflow:  # fmt: skip
    """The parts as one `Workflow`; raises `BadWorkflow` naming what does not fit."""
    flow = Workflow(
        version,
        _by_name("state", states),
        dispute_states,
        _by_name("action", actions),
        _by_name("timer", timers),
        stages,
        letters,
    )
    for action in actions:
        _check_action(flow, action)
    for state in states:
        _check_state(flow, state)
    _check_letters(flow)
    return flow


Part = TypeVar("Part", State, Action, TimerRule)


def _by_name(what: str, parts: tuple[Part, ...]) -> dict[str, Part]:
    found: dict[str, Part] = {}
    for part in parts:
        if part.name in found:
            raise BadWorkflow(f"two declarations of {what} {part.name}")
        found[part.name] = part
    return found


def _check_action(flow: Workflow, action: Action) -> None:
    known = set(flow.states) if action.track == COURSE else set(flow.dispute_states)
    seen: set[str] = set()
    for one in action.moves:
        targets = one.target.targets if isinstance(one.target, Fork) else (one.target,)
        strangers = (one.sources - known - {START}) | (set(targets) - known - {SAME})
        if strangers:
            raise BadWorkflow(f"action {action.name} names unknown states {sorted(strangers)}")
        if seen & one.sources:
            raise BadWorkflow(f"action {action.name} leaves {sorted(seen & one.sources)} in two ways")
        seen |= one.sources
    for rule in (*action.answers, *action.restarts):
        if rule not in flow.timers:
            raise BadWorkflow(f"action {action.name} names unknown timer {rule}")
    if not action.by:
        raise BadWorkflow(f"nobody may take action {action.name}")


def _check_state(flow: Workflow, state: State) -> None:
    for starter in state.starts:
        rules = starter.rules if isinstance(starter, Starter) else (starter,)
        unknown = [rule for rule in rules if rule not in flow.timers]
        if unknown:
            raise BadWorkflow(f"state {state.name} starts unknown timers {unknown}")


def _check_letters(flow: Workflow) -> None:
    letters, places = flow.letters, {*flow.states, *flow.timers}
    strangers = {*letters.said} - {*flow.actions} | {*letters.deadlines} - {*flow.timers}
    strangers |= {place for place, _ in letters.asked} - places
    if strangers:
        raise BadWorkflow(f"letters speak of the unknown {sorted(strangers)}")


# ---- what waits --------------------------------------------------------------------------------------------------


@cache
def _owners(waits: frozenset[tuple[str, ...]]) -> frozenset[str]:
    """Every value that a timer's owner may have: those who wait together, and any part of them, for one may be enough."""
    parts = (some for all_ in waits for size in range(1, len(all_) + 1) for some in combinations(all_, size))
    return frozenset(",".join(some) for some in parts)


def owners(flow: Workflow) -> frozenset[str]:
    """Every value that a timer's owner may have in this workflow."""
    declared = {tuple(rule.owner.split(",")) for rule in flow.timers.values() if rule.owner}
    return _owners(frozenset(declared | {state.waits_for for state in flow.states.values() if state.waits_for}))


def windows(flow: Workflow) -> frozenset[str]:
    """The rules whose timers only keep something possible until they are due."""
    return frozenset(name for name, rule in flow.timers.items() if rule.kind == WINDOW)
