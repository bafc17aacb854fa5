"""The one place that knows `transitions`: builds a flat machine from the declared workflow and compiles it to a table.

Decisions are look-ups in that table. No machine is ever bound to a finding in a request: a flat one with dotted state
names is built once per track, read, and let go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from transitions import EventData, Machine, MachineError

from loop.kernel.workflow import COURSE, DISPUTE, START, Workflow

UNBORN = "unborn"
"""Stands for `START` inside the library, which knows no empty state name."""


class Subject:
    """A throw-away model: the library moves it; a fork is decided by the target named in `choice`."""

    state: str
    choice: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """(track, state, action) -> the states it may lead to; and the actions possible in each state."""

    cells: dict[tuple[str, str, str], tuple[str, ...]]
    by_state: dict[tuple[str, str], tuple[str, ...]]

    def targets(self, track: str, state: str, action: str) -> tuple[str, ...]:
        """Where `action` may lead from `state`; empty where it is not possible."""
        return self.cells.get((track, state, action), ())

    def actions(self, track: str, state: str) -> tuple[str, ...]:
        """The names of the actions possible in `state`, in the order of their declaration."""
        return self.by_state.get((track, state), ())


def _chosen(target: str, event: EventData) -> bool:
    return bool(getattr(event.model, "choice", "") == target)


def build(workflow: Workflow, track: str, subject: Subject | None = None) -> Machine:
    """The `transitions` machine of one track, on a throw-away subject."""
    states = list(workflow.states) if track == COURSE else list(workflow.dispute_states)
    machine = Machine(
        model=subject or Subject(), states=[UNBORN, *states], initial=UNBORN, auto_transitions=False, send_event=True
    )  # fmt: skip
    for action in workflow.actions.values():
        if action.track != track:
            continue
        for source in (s for one in action.moves for s in sorted(one.sources)):
            targets = workflow.targets(action, source)
            for target in targets:
                conditions: list[str | Callable[..., bool | None]] = []
                if len(targets) > 1:
                    conditions.append(partial(_chosen, target))
                machine.add_transition(action.name, source or UNBORN, target, conditions=conditions)
    return machine


def compile_table(workflow: Workflow) -> Table:
    """Both tracks as one table, read off the machines."""
    cells: dict[tuple[str, str, str], tuple[str, ...]] = {}
    by_state: dict[tuple[str, str], list[str]] = {}
    for track in (COURSE, DISPUTE):
        machine = build(workflow, track)
        for name in (a.name for a in workflow.actions.values() if a.track == track):
            for source, moves in machine.events[name].transitions.items():
                state = START if source == UNBORN else source
                cells[track, state, name] = tuple(str(move.dest) for move in moves)
                by_state.setdefault((track, state), []).append(name)
    return Table(cells, {key: tuple(names) for key, names in by_state.items()})


def may(workflow: Workflow, track: str, state: str, action: str, choice: str) -> str | None:
    """What the library itself makes of one cell: the state it moves to, or None where it refuses. For the proof that
    table and library agree.
    """
    subject = Subject()
    machine = build(workflow, track, subject)
    machine.set_state(state or UNBORN)
    subject.choice = choice
    try:
        moved = machine.dispatch(action)
    except (MachineError, AttributeError):
        return None
    return subject.state if moved else None
