"""What a chart of the workflow shows, before anything is drawn: stages, states, the moves out of them, in one language.

Only moves that change the state are shown. What most states have in common is told once, not drawn from each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loop.kernel.labels import Label
from loop.kernel.people import ROLES, SYSTEM
from loop.kernel.workflow import COURSE, DISPUTE, START, Action, Workflow

SEVERAL_STAGES = 4
"""A move possible in so many stages is told once for all of them."""
MANY_TARGETS = 4
"""A fork with so many targets leads back to wherever the finding was; no arrow is drawn for each."""

BEGIN = Label("开始", "start")
BACK = Label("原处", "where it was")
ENDS = Label("终点", "ends")
WAITS = Label("待", "waits for ")
DISPUTES = Label("争议", "dispute")


@dataclass(frozen=True, slots=True)
class Exit:
    """A move out of a state or, for all states of a stage, out of the stage."""

    action: str
    text: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    told: tuple[str, ...]
    """What people call the targets; one word for all of them where it leads back."""
    by_system: bool = False

    @property
    def target_text(self) -> str:
        """The targets as one text."""
        return " / ".join(self.told)

    @property
    def returns(self) -> bool:
        """Whether it leads back to wherever the finding was."""
        return len(self.targets) >= MANY_TARGETS


@dataclass(frozen=True, slots=True)
class Card:
    """One state as it is shown."""

    name: str
    title: str
    waits: str
    exits: tuple[Exit, ...]
    end: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """One stage, or the ends, or the dispute."""

    name: str
    title: str
    cards: tuple[Card, ...]
    exits: tuple[Exit, ...] = ()


@dataclass(frozen=True, slots=True)
class Sketch:
    """Everything a chart shows. `common` are the moves that most states have."""

    language: str
    frames: tuple[Frame, ...]
    dispute: Frame
    common: tuple[Exit, ...]


def sketch(workflow: Workflow, language: str) -> Sketch:
    """The workflow as a chart shows it, texts in `language` ("zh" or "en")."""
    course = tuple(_exits(workflow, COURSE, language))
    common = tuple(e for e in course if len({_stage(s) for s in e.sources}) >= SEVERAL_STAGES)
    stages = _stages(workflow)
    wide = {name: _of_stage(course, common, states) for name, states in stages.items()}
    frames = []
    for place, (name, states) in enumerate(stages.items()):
        own = [e for e in course if e not in common]
        shown = [_card(workflow, state, _exits_of(own, wide[name], state), language) for state in states]
        if place == 0:
            shown.insert(0, Card(START, BEGIN.in_(language), "", _exits_of(own, (), START)))
        frames.append(Frame(name, workflow.stages[name].in_(language), tuple(shown), wide[name]))
    ended = [state.name for state in workflow.states.values() if state.end]
    cards = tuple(_card(workflow, s, _exits_of(course, (), s), language, end=True) for s in ended)
    frames.append(Frame("ends", ENDS.in_(language), cards))
    return Sketch(language, tuple(frames), _dispute(workflow, language), common)


def _stage(state: str) -> str:
    return state.partition(".")[0]


def _stages(workflow: Workflow) -> dict[str, tuple[str, ...]]:
    """The states of each stage in the order of the stages, the ends apart."""
    found: dict[str, tuple[str, ...]] = {}
    for name in workflow.stages:
        states = tuple(s.name for s in workflow.states.values() if _stage(s.name) == name and not s.end)
        if states:
            found[name] = states
    return found


def _exits(workflow: Workflow, track: str, language: str) -> Iterator[Exit]:
    """Each action once for each place it leads to, with all states it leads there from."""
    for action in workflow.actions.values():
        by_target: dict[tuple[str, ...], list[str]] = {}
        for source in (s for one in action.moves for s in one.sources):
            targets = tuple(t for t in workflow.targets(action, source) if t != source)
            if action.track == track and targets:
                by_target.setdefault(targets, []).append(source)
        merged = _merged(by_target)
        for targets, sources in sorted(merged.items(), key=lambda pair: pair[0]):
            yield _exit(workflow, action, tuple(sorted(sources)), targets, language)


def _merged(by_target: Mapping[tuple[str, ...], list[str]]) -> dict[tuple[str, ...], list[str]]:
    """Forks back leave out the state they start from; they are one exit all the same."""
    found: dict[tuple[str, ...], list[str]] = {}
    many = [targets for targets in by_target if len(targets) >= MANY_TARGETS]
    whole = max(many, key=len, default=())
    for targets, sources in by_target.items():
        found.setdefault(whole if targets in many else targets, []).extend(sources)
    return found


def _exit(
    workflow: Workflow, action: Action, sources: tuple[str, ...], targets: tuple[str, ...], language: str
) -> Exit:
    told = tuple(_name(workflow, action.track, t, language) for t in targets)
    if len(targets) >= MANY_TARGETS:
        told = (BACK.in_(language),)
    by_system = set(action.by) == {SYSTEM}
    return Exit(action.name, action.label.in_(language), sources, targets, told, by_system)


def _name(workflow: Workflow, track: str, state: str, language: str) -> str:
    label = workflow.dispute_states[state] if track == DISPUTE else workflow.states[state].label
    return label.in_(language)


def _of_stage(course: tuple[Exit, ...], common: tuple[Exit, ...], states: tuple[str, ...]) -> tuple[Exit, ...]:
    """The moves that every state of a stage has."""
    return tuple(e for e in course if e not in common and len(states) > 1 and set(states) <= set(e.sources))


def _exits_of(exits: list[Exit] | tuple[Exit, ...], apart: tuple[Exit, ...], state: str) -> tuple[Exit, ...]:
    return tuple(e for e in exits if state in e.sources and e not in apart)


def _card(workflow: Workflow, state: str, exits: tuple[Exit, ...], language: str, *, end: bool = False) -> Card:
    declared = workflow.states[state]
    waits = [ROLES[role].in_(language) for role in declared.waits_for if role in ROLES]
    told = WAITS.in_(language) + " / ".join(waits) if waits else ""
    return Card(state, declared.label.in_(language), told, exits, end)


def _dispute(workflow: Workflow, language: str) -> Frame:
    exits = tuple(_exits(workflow, DISPUTE, language))
    cards = tuple(
        Card(name, label.in_(language), "", _exits_of(exits, (), name))
        for name, label in workflow.dispute_states.items()
    )
    return Frame("dispute", DISPUTES.in_(language), cards)
