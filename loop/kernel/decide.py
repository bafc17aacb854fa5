"""From (rule book, finding, command, now) to one comparable value that says everything the action will change.

Pure: reads no clock, no database. What it answers is written by the engine in one transaction, or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from loop.kernel import clocks, people
from loop.kernel.calendar import Calendar
from loop.kernel.case import Case, Draft, Order, jsonable
from loop.kernel.clocks import Climb, Timer
from loop.kernel.errors import ActionNotAllowed, Forbidden, GuardFailed, NotFound
from loop.kernel.facts import Facts
from loop.kernel.finding import NEVER, Finding, is_open, is_written_off
from loop.kernel.labels import Label
from loop.kernel.machine import Table
from loop.kernel.payloads import Nothing, Payload, read
from loop.kernel.people import PARTS, Actor, Capacity, capacities
from loop.kernel.rules import RuleBook
from loop.kernel.workflow import DISPUTE, SAME, Action, Fork, Paper, Starter, Tell, Workflow


@dataclass(frozen=True, slots=True)
class Book:
    """The rule book: the compiled workflow, the rules in force and the calendar."""

    workflow: Workflow
    table: Table
    rules: RuleBook
    calendar: Calendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A wish to act. A timer's act also carries the timer, its rung, when it was due and whom the point tells."""

    action: str
    actor: Actor
    payload: Mapping[str, Any] | Payload = field(default_factory=dict)
    timer_id: str | None = None
    rung: int | None = None
    due_at: datetime | None = None
    told: tuple[str, ...] = ()
    superseded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Everything one action changes. `after` is the finding as it will stand, its running timers included."""

    action: Action
    actor: Actor
    capacity: Capacity
    source: str
    target: str
    after: Finding
    payload: Payload
    columns: Mapping[str, Any]
    sheet: Mapping[str, Any]
    timers: tuple[Timer, ...]
    """Every timer that is started, stopped or changed."""
    papers: tuple[Paper, ...]
    told: tuple[str, ...]
    parts: tuple[tuple[str, str], ...]
    left_parts: frozenset[str]
    remarks: Mapping[str, Any]


def action_named(book: Book, name: str) -> Action:
    """The action called `name`; raises `NotFound`."""
    action = book.workflow.actions.get(name)
    if action is None:
        raise NotFound(Label(f"没有名为 {name[:64]} 的事项。", f"There is no action named {name[:64]}."))
    return action


def admitted(action: Action, actor: Actor, finding: Finding) -> tuple[Capacity, ...]:
    """The capacities in which `actor` may ever take `action`; raises `Forbidden` if there is none."""
    able = tuple(c for c in capacities(actor, finding.place) if c.name in action.by)
    if not able:
        raise Forbidden
    return able


def allowed_from(book: Book, action: Action, finding: Finding) -> tuple[str, ...]:
    """The states the action may lead to from here; raises `ActionNotAllowed` naming what is possible instead."""
    source = finding.dispute if action.track == DISPUTE else finding.state
    targets = book.table.targets(action.track, source, action.name)
    if not targets:
        here = book.table.actions("course", finding.state) + book.table.actions(DISPUTE, finding.dispute)
        names = [book.workflow.actions[name].label for name in here]
        raise ActionNotAllowed(
            state=source,
            state_label=label_of_state(book, action.track, source).zh,
            allowed=list(here),
            allowed_names=", ".join(here) or "nothing",
            allowed_labels="、".join(label.zh for label in names) or "无",
        )
    return targets


def label_of_state(book: Book, track: str, state: str) -> Label:
    """The name people read for a state of either track."""
    if track == DISPUTE:
        return book.workflow.dispute_states[state]
    return book.workflow.states[state].label if state else Label("尚未登记", "not opened")


def choose_capacity(case: Case, able: Iterable[Capacity]) -> Case:
    """The case with the first capacity that fits this finding; raises `GuardFailed` with what the last one lacked."""
    only = case.action.only
    if only is None:
        return case
    refusal: Label | None = None
    for capacity in able:
        tried = case if capacity is case.capacity else replace(case, capacity=capacity)
        refusal = only.test(tried)
        if refusal is None:
            return tried
    raise GuardFailed(refusal, guard=only.code)


def check_guards(case: Case) -> None:
    """Raises `GuardFailed` naming the first guard that does not hold."""
    for guard in case.action.guards:
        refusal = guard.test(case)
        if refusal is not None:
            raise GuardFailed(refusal, guard=guard.code)


def permitted(book: Book, finding: Finding, command: Command, facts: Facts, now: datetime) -> Case:
    """The case of a command that is found, permitted, possible here, well-formed and unguarded: look-ups and guards.

    Refuses with `NotFound` (no such action), `Forbidden`, `ActionNotAllowed`, `Invalid` or `GuardFailed`, in this order.
    """
    action = action_named(book, command.action)
    able = admitted(action, command.actor, finding)
    allowed_from(book, action, finding)
    payload = command.payload if isinstance(command.payload, Payload) else read(action.payload, command.payload)
    case = Case(
        finding=finding, action=action, payload=payload, actor=command.actor, capacity=able[0], now=now, facts=facts,
        rules=book.rules, calendar=book.calendar, told=command.told,
    )  # fmt: skip
    case = choose_capacity(case, able)
    check_guards(case)
    return case


def decide(book: Book, finding: Finding, command: Command, facts: Facts, now: datetime) -> Decision:
    """What `command` changes on `finding` at `now`; refuses as `permitted` does."""
    return _conclude(book, permitted(book, finding, command, facts, now), command)


def _conclude(book: Book, case: Case, command: Command) -> Decision:
    action, finding = case.action, case.finding
    draft = Draft(finding)
    late = [t for rule in action.answers if (t := finding.timer(rule)) and t.is_past(case.now)]
    if late:
        draft.remarks["late"] = True
    source = finding.dispute if action.track == DISPUTE else finding.state
    if action.effect:
        action.effect(case, draft)
    target = _target(case, source)
    _move(book, case, draft, target)
    timers, changed = _timers(book, case, draft, command)
    sheet = {topic: jsonable(value) for topic, value in draft.sheet.items()}
    after = _after(book, case, draft, sheet, timers)
    told = () if command.superseded else _told(case, draft)
    return Decision(
        action=action, actor=case.actor, capacity=case.capacity, source=source,
        target=after.dispute if action.track == DISPUTE else after.state, after=after, payload=case.payload,
        columns=_changed_columns(finding, after), sheet=sheet,
        timers=changed, papers=_papers(case, draft), told=told, parts=tuple(dict.fromkeys(draft.parts)),
        left_parts=frozenset(draft.drops), remarks=draft.remarks,
    )  # fmt: skip


def _target(case: Case, source: str) -> str:
    for one in case.action.moves:
        if source in one.sources:
            chosen = one.target.choose(case) if isinstance(one.target, Fork) else one.target
            return source if chosen == SAME else chosen
    raise AssertionError(f"{case.action.name} was let through from {source}")


def _move(book: Book, case: Case, draft: Draft, target: str) -> None:
    """Settle state and level; start and stop the timers that the move itself brings."""
    if case.action.track == DISPUTE:
        draft.set(dispute=target)
        draft.raise_level(case.action.level)
        target = draft.columns.get("state", case.finding.state)
    entered = target != case.finding.state or case.action.creates
    draft.set(state=target)
    if case.action.level:
        draft.raise_level(case.action.level)
    if not (entered or case.action.restarts):
        return
    state = book.workflow.states[target]
    draft.raise_level(state.level)
    draft.stops.update(case.action.restarts)
    draft.stops.update(_left_behind(book, case.finding, target))
    kept = {t.rule for t in case.finding.timers} - draft.stops
    for starter in state.starts:
        rules = starter.rules if isinstance(starter, Starter) else (starter,)
        if kept.intersection(rules) or {o.name for o in draft.orders}.intersection(rules):
            continue
        if isinstance(starter, Starter):
            starter.order(case, draft)
        else:
            draft.start(starter, case.today)


def _left_behind(book: Book, finding: Finding, target: str) -> set[str]:
    """Rules of the running timers that do not live in the state entered."""
    rules = (book.workflow.timers[t.rule] for t in finding.timers)
    return {rule.name for rule in rules if rule.lives_in and target not in rule.lives_in}


def _timers(book: Book, case: Case, draft: Draft, command: Command) -> tuple[tuple[Timer, ...], tuple[Timer, ...]]:
    """The timers that run afterwards, and every timer that changes."""
    before = {t.id: t for t in case.finding.timers}
    running: dict[str, Timer] = {}
    stopped: list[Timer] = []
    for timer in (_rewritten(book, case, draft, command, t) for t in case.finding.timers):
        if timer.rule in draft.stops or timer.stopped_at is not None:
            stopped.append(replace(timer, stopped_at=case.now, next_at=clocks.OVER, error=""))
        else:
            running[timer.id] = timer
    for place, order in enumerate(draft.orders):
        timer = _started(book, case, draft, order, place)
        running[timer.id] = timer
    held = any(t.rule == "extension_decide" for t in running.values())
    state = draft.get("state")
    settled = tuple(_settled(book, t, state, draft, held) for t in running.values())
    changed = [t for t in settled if before.get(t.id) != t]
    return settled, (*stopped, *changed)


def _rewritten(book: Book, case: Case, draft: Draft, command: Command, timer: Timer) -> Timer:
    """A timer that ran before, one point further if it is the one that strikes, and as the effect changes it."""
    if timer.id == command.timer_id:
        struck_out = isinstance(book.workflow.timers[timer.rule].on_due, clocks.Fire)
        timer = replace(timer, rung=(command.rung or 0) + 1, stopped_at=case.now if struck_out else None)
    for rewrite in draft.rewrites:
        timer = rewrite(timer)
    return timer


def _started(book: Book, case: Case, draft: Draft, order: Order, place: int) -> Timer:
    timer_id = f"{case.finding.id}-{case.finding.version + 1}-{place}-{order.name}"
    timer = clocks.start(
        timer_id, order.rule or case.rule(order.key), name=order.name, started_on=order.count_from, started_at=case.now,
        calendar=case.calendar, due_on=order.due_on, not_before=order.not_before,
    )  # fmt: skip
    if order.note or order.profile or order.first_due_at:
        first = order.first_due_at or timer.first_due_at
        timer = replace(timer, note=order.note, profile=order.profile, first_due_at=first)
    how = book.workflow.timers[order.name].on_due
    timer = clocks.frozen(timer, how, case.rules.ladder)
    if rung := clocks.first_rung(timer, how, case.rules.ladder, case.calendar):
        timer = replace(timer, rung=rung)
    if draft.get("suspended_at") != NEVER and order.name != "suspension_end":
        return clocks.pause(timer, case.now, "suspended", case.calendar)
    return timer


def _settled(book: Book, timer: Timer, state: str, draft: Draft, held: bool) -> Timer:
    """The timer with its owner and next instant as they follow from where the finding now stands."""
    rule = book.workflow.timers[timer.rule]
    by_state = not rule.owner or state in rule.waits_in or _untaken(rule.owner, draft)
    owner = ",".join(waiting(book, state, draft)) if by_state else rule.owner
    waits = rule.fires_in and not rule.fires_in & {state, draft.get("dispute")}
    held = held and isinstance(rule.on_due, Climb)
    point = None if waits else clocks.next_point(timer, rule.on_due, book.rules.ladder, book.calendar, held=held)
    next_at = point.at if point else clocks.OVER
    if (timer.owner, timer.next_at, timer.error) == (owner, next_at, ""):
        return timer
    return replace(timer, owner=owner, next_at=next_at, error="")


def _untaken(owner: str, draft: Draft) -> bool:
    """Whether the timer is owed by a part that nobody has yet in this finding."""
    match owner:
        case people.AUTHOR:
            return not draft.value("author")
        case people.REVIEWER:
            return not draft.value("reviewers")
        case people.CHAIR:
            return not draft.part("interview").get("chair_id")
    return False


def waiting(book: Book, state: str, finding: Finding | Draft) -> tuple[str, ...]:
    """Who owes the next step in `state`."""
    declared = book.workflow.states[state]
    if declared.waits_when is None:
        return declared.waits_for
    seen = finding if isinstance(finding, Finding) else replace(finding.finding, **_plain(finding))
    return declared.waits_when(seen)


def _plain(draft: Draft) -> dict[str, Any]:
    return {k: v for k, v in draft.columns.items() if k != "timers"}


def _after(book: Book, case: Case, draft: Draft, sheet: Mapping[str, Any], timers: tuple[Timer, ...]) -> Finding:
    finding, state = case.finding, draft.get("state")
    if is_written_off(state) and not is_written_off(finding.state) and "written_off_at" not in draft.columns:
        draft.set(written_off_at=case.now, level=0)
    if is_open(state) and not is_open(finding.state):
        draft.set(written_off_at=NEVER)
    whole = {**finding.sheet, **sheet}
    after = replace(finding, **draft.columns, sheet=whole, timers=timers, version=finding.version + 1)
    return replace(after, **_next_due(book, after))


def _next_due(book: Book, finding: Finding) -> dict[str, Any]:
    """The earliest running timer of the course and the role that owes it; one that cannot act here does not count.

    What a person owes by a part in this finding, the finding shows as owed by the role that its state waits for.
    """
    rules = book.workflow.timers
    here = [t for t in finding.timers if not rules[t.rule].fires_in or finding.state in rules[t.rule].fires_in]
    course = [t for t in here if rules[t.rule].kind == "course" and not t.paused]
    role = ",".join(waiting(book, finding.state, finding))
    if not course:
        return {"due_at": NEVER, "due_rule": "", "waits_for": role}
    first = min(course, key=lambda t: (t.due_at, t.id))
    return {"due_at": first.due_at, "due_rule": first.rule, "waits_for": role if first.owner in PARTS else first.owner}


_NOT_COLUMNS = frozenset({"sheet", "timers", "version", "head", "place", "id"})
_COLUMNS = tuple(name for name in Finding.__dataclass_fields__ if name not in _NOT_COLUMNS)


def _changed_columns(before: Finding, after: Finding) -> dict[str, Any]:
    now = {name: getattr(after, name) for name in _COLUMNS}
    return now if before.version == 0 else {n: value for n, value in now.items() if value != getattr(before, n)}


def _told(case: Case, draft: Draft) -> tuple[str, ...]:
    who = [t.who if isinstance(t, Tell) else t for t in case.action.tell if not isinstance(t, Tell) or t.when(case)]
    return tuple(dict.fromkeys((*who, *draft.told, *case.told)))


def _papers(case: Case, draft: Draft) -> tuple[Paper, ...]:
    made = [paper for paper in case.action.papers if paper.when is None or paper.when(case)]
    return (*made, *draft.papers)


@dataclass(frozen=True, slots=True)
class Offer:
    """An action as offered to one person: possible now, or held back by `guard` with its sentence."""

    action: Action
    guard: str = ""
    reason: Label | None = None


def offered(book: Book, finding: Finding, actor: Actor) -> tuple[Action, ...]:
    """The actions that the finding's states know and some capacity of `actor` may take."""
    names = book.table.actions("course", finding.state) + book.table.actions(DISPUTE, finding.dispute)
    held = {capacity.name for capacity in capacities(actor, finding.place)}
    actions = (book.workflow.actions[name] for name in names)
    return tuple(action for action in actions if held.intersection(action.by))


def offers(book: Book, finding: Finding, actor: Actor, facts: Facts, now: datetime) -> tuple[Offer, ...]:
    """What `actor` may do to `finding` now, and what a guard that needs no payload holds back."""
    held = tuple(capacities(actor, finding.place))
    return tuple(
        _offer(book, finding, actor, facts, now, action, tuple(c for c in held if c.name in action.by))
        for action in offered(book, finding, actor)
    )


def _offer(
    book: Book, finding: Finding, actor: Actor, facts: Facts, now: datetime, action: Action, able: tuple[Capacity, ...]
) -> Offer:
    case = Case(
        finding=finding, action=action, payload=Nothing(), actor=actor, capacity=able[0], now=now, facts=facts,
        rules=book.rules, calendar=book.calendar,
    )  # fmt: skip
    try:
        case = choose_capacity(case, able) if action.only and not action.only.reads_payload else case
        check_guards(
            replace(case, action=replace(action, guards=tuple(g for g in action.guards if not g.reads_payload)))
        )
    except GuardFailed as refused:
        return Offer(action, str(refused.facts["guard"]), refused.label)
    return Offer(action)
