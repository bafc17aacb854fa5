"""The model check: whether the declared workflow, with its timers, rules and people, keeps what it promises.

Every waiting state has an owner and a timer, everything can be reached and can end, everybody can do something, no text
is missing. A fault comes with the shortest way to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from loop.kernel.check_people import people_faults
from loop.kernel.check_timers import timer_faults
from loop.kernel.check_words import word_faults
from loop.kernel.clocks import Fire
from loop.kernel.faults import Fault
from loop.kernel.finding import DISPUTE_NONE
from loop.kernel.labels import Label
from loop.kernel.machine import Table
from loop.kernel.model import ACTING, KNOWN_NAMES, Model, PeopleModel, Premises, acts_as, named, told_by
from loop.kernel.people import ADMIN, AUDITOR, SYSTEM
from loop.kernel.rules import RuleBook
from loop.kernel.workflow import COURSE, DISPUTE, SAME, Action, Fork, Starter, State, Workflow

DISPUTE_FINAL = "final"
RESTING = frozenset({DISPUTE_NONE, DISPUTE_FINAL})
"""Dispute states in which nobody owes anything."""


def check(
    workflow: Workflow,
    table: Table,
    rules: RuleBook,
    people: PeopleModel | None = None,
    premises: Premises | None = None,
) -> tuple[Fault, ...]:
    """Every fault of the workflow, each with the shortest way to it, in a fixed order; empty where there is none."""
    model = Model(workflow, table, rules, premises or Premises())
    found = [
        *_moves(model),
        *_states(model),
        *_dispute(model),
        *_actions(model),
        *_roles(model),
        *timer_faults(model),
        *word_faults(model),
        *_inhabited(model),
    ]
    if people is not None:
        found += people_faults(model, people)
    return tuple(dict.fromkeys(found))


# ---- the table, and what the moves name ------------------------------------------------------------------------------


def _moves(model: Model) -> Iterator[Fault]:
    flow = model.workflow
    for action in flow.actions.values():
        known = set(flow.states if action.track == COURSE else flow.dispute_states)
        for one in action.moves:
            targets = one.target.targets if isinstance(one.target, Fork) else (one.target,)
            if strangers := sorted(set(targets) - known - {SAME}):
                yield Fault(
                    "unknown_target", action.name,
                    Label(f"去向不是已声明的状态：{named(strangers)}", f"leads to what is no state: {named(strangers)}"),
                    model.to_action(action),
                )  # fmt: skip
            for source in sorted(one.sources):
                if model.table.targets(action.track, source, action.name) != flow.targets(action, source):
                    yield Fault(
                        "table_differs", action.name,
                        Label(f"编译表与声明不一致：{source}", f"the compiled table differs from the declaration in {source}"),
                        model.tracks[action.track].to(source),
                    )  # fmt: skip


# ---- states of the course --------------------------------------------------------------------------------------------


def _states(model: Model) -> Iterator[Fault]:
    yield from _unreachable(model, COURSE)
    ends = {state.name for state in model.workflow.states.values() if state.end}
    yield from _endless(model, COURSE, ends)
    running = _may_run(model)
    for state in model.workflow.states.values():
        if state.end:
            continue
        trace = model.course.to(state.name)
        if not running[state.name]:
            why = Label("等待中的状态没有时限", "a state that waits, and no timer runs in it")
            yield Fault("no_timer", state.name, why, trace)
        if not _owned(model, state):
            why = Label("等待中的状态没有责任人", "a state that waits, and nobody owes the next step")
            yield Fault("no_owner", state.name, why, trace)
        if state.waits_for and not _owner_can_act(model, state):
            who = named(state.waits_for)
            why = Label(
                f"责任人（{who}）无事可办，不能离开此状态", f"{who} owes the next step but cannot take one out of it"
            )
            yield Fault("owner_helpless", state.name, why, trace)


def _unreachable(model: Model, track: str) -> Iterator[Fault]:
    along = model.tracks[track]
    states = model.workflow.states if track == COURSE else model.workflow.dispute_states
    for state in states:
        if state in along.shortest:
            continue
        sources = list(dict.fromkeys(a.source for a in along.entering.get(state, ()) if not a.returns))
        why = Label("没有事项通向此状态", "no action leads into it")
        if sources:
            why = Label(
                f"只能从到不了的状态进入：{named(sources)}", f"entered only from what is unreachable: {named(sources)}"
            )
        yield Fault("unreachable", state, why)


def _endless(model: Model, track: str, ends: set[str]) -> Iterator[Fault]:
    """States that nothing leaves, and groups of states from which no end can be reached."""
    along = model.tracks[track]
    states = model.workflow.states if track == COURSE else model.workflow.dispute_states
    lost = [s for s in states if s in along.shortest and s not in along.lead_to(ends & set(states))]
    told: set[str] = set()
    for state in sorted(lost, key=lambda s: len(along.to(s))):
        group = along.from_(state)
        if state in told or any(along.from_(other) != group for other in group):
            continue  # not the trap itself, only a way into it
        told |= group
        if group == {state}:
            yield Fault("dead_end", state, Label("没有事项离开此状态", "no action leaves it"), along.to(state))
        else:
            others = named(s for s in states if s in group)
            why = Label(f"循环往复，到不了终点：{others}", f"an endless return, no end can be reached: {others}")
            yield Fault("no_end", state, why, along.to(state))


def _may_run(model: Model) -> dict[str, set[str]]:
    """The timers of the course that may run in each state: started there, or brought along by some way into it."""
    flow = model.workflow
    course = {t.name: t for t in flow.timers.values() if t.kind == "course"}
    running = {state.name: _started(state) & set(course) for state in flow.states.values()}
    queue = list(running)
    while queue:
        here = queue.pop()
        for arrow in model.course.leaving.get(here, ()):
            lives = {t for t in running[here] if not course[t].lives_in or arrow.target in course[t].lives_in}
            if not lives <= running[arrow.target]:
                running[arrow.target] |= lives
                queue.append(arrow.target)
    return running


def _started(state: State) -> set[str]:
    return {rule for s in state.starts for rule in (s.rules if isinstance(s, Starter) else (s,))}


def _owned(model: Model, state: State) -> bool:
    """Somebody is waited for; or else every timer that lives there has an owner of its own, and one of them acts."""
    if state.waits_for:
        return True
    timers = model.timers_in(state)
    return bool(timers) and all(t.owner for t in timers) and any(isinstance(t.on_due, Fire) for t in timers)


def _owner_can_act(model: Model, state: State) -> bool:
    """Whether one of the owners can leave the state, or do something that is done in its stage only."""
    names = frozenset(name for role in state.waits_for for name in acts_as(role))
    stage = state.name.partition(".")[0]
    for arrow in model.course.leaving.get(state.name, ()):
        action = model.workflow.actions[arrow.action]
        stages = {source.partition(".")[0] for one in action.moves for source in one.sources}
        if names & set(action.by) and (arrow.target != state.name or stages == {stage}):
            return True
    return False


# ---- the dispute -----------------------------------------------------------------------------------------------------


def _dispute(model: Model) -> Iterator[Fault]:
    yield from _unreachable(model, DISPUTE)
    yield from _endless(model, DISPUTE, {DISPUTE_FINAL})
    for state in model.workflow.dispute_states:
        if state in RESTING or state not in model.tracks[DISPUTE].shortest:
            continue
        trace = model.tracks[DISPUTE].to(state)
        leaving = [
            model.workflow.actions[name] for name in model.table.actions(DISPUTE, state)
            if set(model.table.targets(DISPUTE, state, name)) != {state}
        ]  # fmt: skip
        if not any(set(action.by) - {SYSTEM} for action in leaving):
            yield Fault("no_owner", state, Label("争议无人处理", "nobody can settle the dispute"), trace)
        if not any(_times(model, action) for action in leaving):
            why = Label("争议没有处理时限", "no timer presses for what settles the dispute")
            yield Fault("no_timer", state, why, trace)


def _times(model: Model, action: Action) -> bool:
    """Whether a timer presses for `action`: it is answered by it and somebody owes it, or it takes the action itself."""
    timers = model.workflow.timers
    pressed = any(timers[t].kind == "dispute" and timers[t].owner for t in action.answers if t in timers)
    return pressed or any(strike.action == action.name for strike in model.strikes)


# ---- actions and roles -----------------------------------------------------------------------------------------------


def _actions(model: Model) -> Iterator[Fault]:
    taken = {strike.action for strike in model.strikes} | set(model.premises.commanded)
    for action in model.workflow.actions.values():
        along = model.tracks[action.track]
        sources = {source for one in action.moves for source in one.sources}
        if not any(source in along.shortest for source in sources):
            why = Label("没有一个起始状态可以到达", "none of the states it starts from can be reached")
            yield Fault("never_possible", action.name, why)
        if strangers := [n for n in (*action.by, *told_by(action)) if n not in KNOWN_NAMES]:
            why = Label(
                f"没有这些角色：{named(strangers)}", f"there are no such roles: {named(dict.fromkeys(strangers))}"
            )
            yield Fault("unknown_role", action.name, why, model.to_action(action))
        if not ACTING & set(action.by):
            why = Label("没有人能办理此事项", "nobody is ever able to take it")
            yield Fault("nobody_may", action.name, why, model.to_action(action))
        if set(action.by) == {SYSTEM} and action.name not in taken:
            why = Label("系统事项没有任何时限触发", "an action of the system that no timer takes")
            yield Fault("idle_system_action", action.name, why, model.to_action(action))


def _roles(model: Model) -> Iterator[Fault]:
    used = {name for action in model.workflow.actions.values() if _possible(model, action) for name in action.by}
    for name, label in KNOWN_NAMES.items():
        if name in {AUDITOR, ADMIN, SYSTEM} or name not in ACTING or name in used:
            continue
        why = Label(f"{label.zh}没有任何可办的事项", f"there is nothing the {label.en} can do")
        yield Fault("idle_role", name, why)
    for state in model.workflow.states.values():
        if strangers := [role for role in state.waits_for if role not in KNOWN_NAMES]:
            why = Label(f"没有这些角色：{named(strangers)}", f"there are no such roles: {named(strangers)}")
            yield Fault("unknown_role", state.name, why, model.course.to(state.name))


def _possible(model: Model, action: Action) -> bool:
    along = model.tracks[action.track]
    return any(source in along.shortest for one in action.moves for source in one.sources)


def _inhabited(model: Model) -> Iterator[Fault]:
    known = {*model.workflow.states, *model.workflow.dispute_states}
    for state in sorted(set(model.premises.inhabited) - known):
        why = Label("有问题停留在此状态，而流程没有它", "findings stand in it, and the workflow does not have it")
        yield Fault("inhabited_state_missing", state, why)
