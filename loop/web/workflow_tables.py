"""States and actions as the page of the workflow shows them: stage by stage, then what most states have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from loop.kernel.clocks import after_due
from loop.kernel.labels import Label
from loop.kernel.rules import Ladder
from loop.kernel.sketch import BACK, MANY_TARGETS, SEVERAL_STAGES
from loop.kernel.workflow import COURSE, DISPUTE, SAME, START, Action, Fork, Move, State, Workflow
from loop.web.workflow_chart import Count
from loop.web.workflow_rules import TimerRow, names

ANY = Label("任何状态", "any state")
MOST = Label("多数在办状态", "most open states")
NEW = Label("新问题", "a new finding")
UNCHANGED = Label("状态不变", "the state stays")
NOBODY = Label("", "")
OR = Label("、", ", ")


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state as one line; `count` is None where the reader sees no findings."""

    name: str
    label: Label
    count: Count | None
    waits: Label
    timers: tuple[TimerRow, ...]
    level: int


@dataclass(frozen=True, slots=True)
class ActionRow:
    """An action as one line: who may take it, from where to where, and by when."""

    name: str
    label: Label
    by: Label
    sources: Label
    target: Label
    deadlines: tuple[TimerRow, ...]
    papers: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A stage with its states and actions."""

    name: str
    label: Label
    states: tuple[StateRow, ...]
    actions: tuple[ActionRow, ...]

    @property
    def total(self) -> int:
        """How many findings are in it."""
        return sum(row.count.n for row in self.states if row.count)


def sections(
    flow: Workflow, timers: Mapping[str, TimerRow], counts: Callable[[str], Count | None]
) -> tuple[Section, ...]:
    """The stages in their order."""
    actions = [action for action in flow.actions.values() if action.track == COURSE and not _is_common(action, flow)]
    found = []
    for stage, label in flow.stages.items():
        states = [state for state in flow.states.values() if _stage(state.name) == stage]
        rows = tuple(_state(state, flow, timers, counts(state.name)) for state in states)
        mine = tuple(row for action in actions for row in _rows(action, flow, timers, {s.name for s in states}))
        found.append(Section(stage, label, rows, mine))
    return tuple(found)


def common(flow: Workflow, timers: Mapping[str, TimerRow]) -> tuple[ActionRow, ...]:
    """The actions that most states have."""
    shared = [action for action in flow.actions.values() if action.track == COURSE and _is_common(action, flow)]
    return tuple(row for action in shared for row in _rows(action, flow, timers, None))


def dispute(flow: Workflow, timers: Mapping[str, TimerRow]) -> Section:
    """The track of objections and appeals."""
    states = tuple(StateRow(name, label, None, NOBODY, (), 0) for name, label in flow.dispute_states.items())
    mine = [action for action in flow.actions.values() if action.track == DISPUTE]
    return Section(DISPUTE, NOBODY, states, tuple(row for action in mine for row in _rows(action, flow, timers, None)))


def _stage(state: str) -> str:
    return state.partition(".")[0]


def _sources(action: Action) -> set[str]:
    return {source for move in action.moves for source in move.sources}


def _is_common(action: Action, flow: Workflow) -> bool:
    return len({_stage(source) for source in _sources(action) & flow.states.keys()}) >= SEVERAL_STAGES


def _state(state: State, flow: Workflow, timers: Mapping[str, TimerRow], count: Count | None) -> StateRow:
    here = tuple(
        timers[timer.name]
        for timer in flow.timers.values()
        if state.name in timer.lives_in and _is_of_course(timer.kind)
    )
    return StateRow(state.name, state.label, count, names(state.waits_for), here, state.level)


def _is_of_course(kind: str) -> bool:
    return kind in ("course", "reminder")


def _rows(
    action: Action, flow: Workflow, timers: Mapping[str, TimerRow], within: set[str] | None
) -> Iterable[ActionRow]:
    """One line for each place it leads to, out of the states `within`; a new finding begins where it comes to be."""
    for move in action.moves:
        sources = move.sources if within is None else move.sources & within
        if within is not None and START in move.sources and set(_targets(move)) & within:
            sources |= {START}
        if sources:
            yield ActionRow(
                action.name, action.label, names(action.by), _from(sources, move, flow, action.track, whole=within is None),
                _to(move, flow, action.track), tuple(timers[name] for name in action.answers),
                tuple(paper.label for paper in action.papers),
            )  # fmt: skip


def _targets(move: Move) -> tuple[str, ...]:
    return move.target.targets if isinstance(move.target, Fork) else (move.target,)


def _from(sources: frozenset[str] | set[str], move: Move, flow: Workflow, track: str, *, whole: bool) -> Label:
    if whole and track == COURSE and len(sources) > SEVERAL_STAGES:
        return ANY if sources >= flow.states.keys() else MOST
    return _joined(
        NEW if name == START else _label(name, flow, track) for name in sorted(sources, key=_order(flow, track))
    )


def _to(move: Move, flow: Workflow, track: str) -> Label:
    targets = _targets(move)
    if targets == (SAME,):
        return UNCHANGED
    if len(targets) >= MANY_TARGETS:
        return BACK
    return _joined(UNCHANGED if name == SAME else _label(name, flow, track) for name in targets)


def _label(name: str, flow: Workflow, track: str) -> Label:
    return flow.dispute_states[name] if track == DISPUTE else flow.states[name].label


def _order(flow: Workflow, track: str) -> Callable[[str], int]:
    known = ["", *(flow.dispute_states if track == DISPUTE else flow.states)]
    return known.index


def _joined(labels: Iterable[Label]) -> Label:
    found = list(labels)
    return Label(OR.zh.join(one.zh for one in found), OR.en.join(one.en for one in found))


# ---- the ladder ------------------------------------------------------------------------------------------------------

SETTERS = (
    (Label("未经约谈、通报、问责确定", "set by none of these"), ""),
    (Label("约谈确定", "set by an interview"), "interview"),
    (Label("通报确定", "set by a bulletin"), "bulletin"),
    (Label("问责决定确定", "set by a decision"), "decision"),
    (Label("通报回复", "the answer to a bulletin"), "answer"),
)


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder: so many days before or after the deadline."""

    words: Label
    action: Label


@dataclass(frozen=True, slots=True)
class Rungs:
    """The steps that follow where the date was set by somebody."""

    setter: Label
    steps: tuple[Rung, ...]


def ladder(flow: Workflow, rules: Ladder) -> tuple[Rungs, ...]:
    """The ladder, by who set the date."""
    warn = flow.actions["warn"]
    days = OR.zh.join(map(str, sorted(rules.warn_before, reverse=True)))
    before = Rung(Label(f"到期前 {days} 天", f"{days.replace(OR.zh, ', ')} days before"), warn.label)
    return tuple(
        Rungs(setter, (before, *(_rung(flow.actions[name], n) for n, name in after_due(profile, rules))))
        for setter, profile in SETTERS
    )


def _rung(action: Action, n: int) -> Rung:
    return Rung(Label(f"到期后 {n} 天", f"{n} day{'' if n == 1 else 's'} after"), action.label)
