"""The model check of time: timers, what they set off, the ladder, and the rules that give their lengths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from loop.kernel.clocks import Climb, Close, Fire, Recur, Remind, TimerRule
from loop.kernel.errors import Invalid
from loop.kernel.faults import Fault, Step, Trace, cycle, fork_from
from loop.kernel.labels import Label
from loop.kernel.model import KNOWN_NAMES, Model, Strike, named, told_by
from loop.kernel.payloads import read
from loop.kernel.people import SYSTEM
from loop.kernel.rules import Ladder, Rule, parse_duration
from loop.kernel.workflow import Starter

UNITS = frozenset({"d", "wd", "mo"})
LOOKBACK = "lookback"
"""The one timer with several points, which the rule book lists apart."""


def timer_faults(model: Model) -> Iterator[Fault]:
    """Faults of timers, system actions, ladder and rules."""
    for timer in model.workflow.timers.values():
        yield from _declaration(model, timer)
        yield from _rule_of(model, timer)
    yield from _misplaced(model)
    for strike in model.strikes:
        yield from _strike(model, strike)
    yield from _silent_rungs(model)
    yield from _system_payloads(model)
    yield from _endless(model)
    yield from _ladder(model.rules.ladder)
    yield from _rules(model)


# ---- declarations ----------------------------------------------------------------------------------------------------


def _declaration(model: Model, timer: TimerRule) -> Iterator[Fault]:
    flow, trace = model.workflow, model.to_timer(timer)
    known = {*flow.states, *flow.dispute_states}
    if strangers := sorted((timer.lives_in - set(flow.states)) | (timer.fires_in - known)):
        why = Label(f"所在状态不存在：{named(strangers)}", f"lives or acts in what is no state: {named(strangers)}")
        yield Fault("timer_in_unknown_state", timer.name, why, trace)
    if not _does_something(timer):
        why = Label("到期后什么也不发生", "nothing happens when it is due")
        yield Fault("timer_without_consequence", timer.name, why, trace)
    if not timer.owner and (timer.kind != "course" or not timer.lives_in) and not _owner_by_state(model, timer):
        why = Label("时限没有责任人", "nobody owes what it presses for")
        yield Fault("timer_without_owner", timer.name, why, trace)
    if strangers := [who for who in (timer.owner, *reminded(timer)) if who and who not in KNOWN_NAMES]:
        why = Label(f"没有这些角色：{named(strangers)}", f"there are no such roles: {named(strangers)}")
        yield Fault("unknown_role", timer.name, why, trace)


def reminded(timer: TimerRule) -> tuple[str, ...]:
    """Everybody whom the timer itself reminds."""
    match timer.on_due:
        case Remind(first, then):
            return (*first, *then)
        case Recur(who):
            return who
        case _:
            return ()


def _does_something(timer: TimerRule) -> bool:
    match timer.on_due:
        case Remind(first, _):
            return bool(first)
        case Recur(who):
            return bool(who)
        case Close():
            return timer.kind == "window"
        case Fire(action):
            return bool(action)
        case Climb():
            return True


def _owner_by_state(model: Model, timer: TimerRule) -> bool:
    """Whether each state in which the timer lives says who is waited for."""
    states = [model.workflow.states[s] for s in timer.lives_in if s in model.workflow.states]
    return bool(states) and all(state.waits_for for state in states)


def _misplaced(model: Model) -> Iterator[Fault]:
    for state in model.workflow.states.values():
        for starter in state.starts:
            for name in starter.rules if isinstance(starter, Starter) else (starter,):
                timer = model.workflow.timers.get(name)
                if timer is None or (timer.lives_in and state.name not in timer.lives_in):
                    why = Label(
                        f"{state.name} 启动了不属于它的时限", f"is started by {state.name}, where it does not live"
                    )
                    yield Fault("timer_misplaced", name, why, model.course.to(state.name))


# ---- what a timer sets off -------------------------------------------------------------------------------------------


def _strike(model: Model, strike: Strike) -> Iterator[Fault]:
    """A timer's act must be possible for the system wherever the timer acts."""
    action = model.workflow.actions.get(strike.action)
    code = "rung_not_possible" if strike.rung else "fire_not_possible"
    if action is None or SYSTEM not in action.by:
        why = Label(
            f"系统不能办理 {strike.action}", f"the system cannot take {strike.action or 'an action without a name'}"
        )
        yield Fault(code, strike.timer.name, why, model.to_timer(strike.timer))
        return
    bare = [state for state in strike.places if not model.table.targets(strike.track, state, strike.action)]
    if bare or not strike.places:
        where = named(bare) or "–"
        why = Label(f"{strike.action} 在这些状态不能办理：{where}", f"{strike.action} is not possible in {where}")
        yield Fault(code, strike.timer.name, why, _to_nearest(model, strike.track, bare))


def _silent_rungs(model: Model) -> Iterator[Fault]:
    """A rung of the ladder must tell somebody."""
    for name in dict.fromkeys(strike.action for strike in model.strikes if strike.rung):
        action = model.workflow.actions.get(name)
        if action is not None and not told_by(action):
            why = Label(f"督办阶梯的 {name} 不告知任何人", f"the rung {name} tells nobody")
            yield Fault("rung_reaches_nobody", name, why, model.to_rung(name))


def _to_nearest(model: Model, track: str, states: Iterable[str]) -> Trace:
    along = model.tracks[track]
    nearest = along.nearest(states)
    return along.to(nearest) if nearest else ()


def _system_payloads(model: Model) -> Iterator[Fault]:
    """What the system hands in must be what the action asks for."""
    for name in dict.fromkeys(strike.action for strike in model.strikes):
        action = model.workflow.actions.get(name)
        if action is None:
            continue
        try:
            read(action.payload, dict(model.premises.system_payloads.get(name, {})))
        except Invalid as wrong:
            why = Label(
                f"系统办理时的内容不合格：{wrong.label.zh}", f"the system's payload is refused: {wrong.label.en}"
            )
            yield Fault("system_payload", name, why, model.to_action(action))


def _endless(model: Model) -> Iterator[Fault]:
    """Rings of timer acts: the system alone would go round for ever, and no person is asked."""
    for track, along in model.tracks.items():
        edges: dict[str, list[Step]] = {}
        for strike in model.strikes:
            for place in strike.places if strike.track == track else ():
                edges.setdefault(place, []).extend(_moved(model, strike, place))
        told: set[str] = set()
        for state in sorted(along.shortest, key=lambda s: len(along.to(s))):
            ring = cycle(state, edges)
            if not ring or state in told:
                continue
            told |= {step.state for step in ring}
            acts = named(step.action for step in ring)
            why = Label(f"仅由系统事项循环：{acts}", f"acts of the system alone go round for ever: {acts}")
            yield Fault("endless_timers", state, why, (*along.to(state), *ring))


def _moved(model: Model, strike: Strike, state: str) -> Iterator[Step]:
    """Where the strike leads; staying counts only if it starts its own timer again."""
    action = model.workflow.actions.get(strike.action)
    again = action is not None and strike.timer.name in action.restarts
    for target in model.table.targets(strike.track, state, strike.action):
        if target != state or again:
            yield Step(strike.action, target, fork_from(model.workflow, strike.action, state))


# ---- rules and ladder ------------------------------------------------------------------------------------------------


def _rule_of(model: Model, timer: TimerRule) -> Iterator[Fault]:
    own = () if timer.name in model.premises.dated else (timer.name,)
    for key in (*own, *timer.variants):
        listed = model.rules.lookback and model.rules.lookback_grave if key == LOOKBACK else key in model.rules.rules
        if not listed:
            why = Label(f"规则簿没有 {key} 的期限", f"the rule book has no length for {key}")
            yield Fault("rule_missing", timer.name, why, model.to_timer(timer))


def _rules(model: Model) -> Iterator[Fault]:
    points = (model.rules.lookback, model.rules.lookback_grave)
    for rule in (*model.rules.rules.values(), *points[0], *points[1]):
        if rule.number <= 0 or rule.unit not in UNITS:
            why = Label(f"期限 {rule.number}{rule.unit} 无效", f"{rule.number}{rule.unit} is no length of time")
            yield Fault("rule_without_length", rule.key, why, _to_rule(model, rule))
        if not rule.source.strip():
            why = Label("期限没有出处", "the length rests on nothing that is named")
            yield Fault("rule_without_source", rule.key, why, _to_rule(model, rule))
    for some in points:
        if any(a.unit == b.unit and a.number >= b.number for a, b in pairwise(some)):
            why = Label("回头看时点须先后递增", "the look-back points must come one after the other")
            yield Fault("lookback_inverted", LOOKBACK, why)


def _to_rule(model: Model, rule: Rule) -> Trace:
    users = (t for t in model.workflow.timers.values() if rule.key in (t.name, *t.variants))
    return next((model.to_timer(timer) for timer in users), ())


def _ladder(ladder: Ladder) -> Iterator[Fault]:
    steps = (
        ("urge_after", 0, ladder.urge_after),
        ("order_after", ladder.urge_after, ladder.order_after),
        ("interview_after", ladder.order_after, ladder.interview_after),
        ("bulletin_answer_refer_after", ladder.order_after, ladder.bulletin_answer_refer_after),
        ("set_date_after", 0, ladder.set_date_after),
    )
    for name, before, days in steps:
        if days <= before:
            why = Label(
                f"第 {days} 日不晚于上一级的第 {before} 日",
                f"day {days} is not later than day {before} of the rung before",
            )
            yield Fault("ladder_inverted", name, why)
    warnings = ladder.warn_before
    if any(days <= 0 for days in warnings) or len(set(warnings)) != len(warnings):
        why = Label("预警须在到期之前，且各不相同", "warnings must lie before the due date, each on a day of its own")
        yield Fault("ladder_inverted", "warn_before", why)
    for name, text in (("remind_then", ladder.remind_then), ("remind_every", ladder.remind_every)):
        try:
            parse_duration(text)
        except ValueError as wrong:
            yield Fault("ladder_without_length", name, Label(f"间隔无效：{text}", str(wrong)))
