"""Deadlines as the page of the workflow shows them: how long, who owes it, what follows, and on what it rests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from loop.kernel.clocks import Behaviour, Climb, Close, Fire, Recur, Remind, TimerRule
from loop.kernel.labels import Label
from loop.kernel.model import KNOWN_NAMES
from loop.kernel.rules import Rule, RuleBook
from loop.kernel.workflow import Workflow
from loop.web.workflow_sources import NATURES, source

AND = Label("、", ", ")
UNITS = {
    "d": Label("天", "days"), "wd": Label("个工作日", "working days"), "mo": Label("个月", "months"),
    "h": Label("小时", "hours"),
}  # fmt: skip
ONE = {"wd": "working day", "mo": "month", "d": "day", "h": "hour"}
MANY = {"wd": "working days", "mo": "months", "d": "days", "h": "hours"}
CASES = {
    "plan_due_department": Label("主管部门", "departments"),
    "plan_due_government": Label("政府", "governments"),
    "rectify_by_major": Label("较重、严重", "major and grave"),
    "rectify_by_long_term": Label("长期整改", "long-term"),
    "publicity_min": Label("不少于", "at least"),
    "lookback_grave": Label("严重", "grave"),
}
"""When the other length of a deadline holds."""
LIMITS = {
    "on_the_spot_max": Label("当场整改最长", "longest rectification ordered on the spot"),
    "repeat_window": Label("认定重复发生的期间", "time within which a finding counts as repeated"),
    "rectify_min": Label("整改期最短", "shortest time to rectify"),
    "extension_max": Label("一次延期最长", "longest extension"),
    "interview_notice": Label("约谈通知提前", "notice before an interview"),
    "accountability_window": Label("再次问责加重的期间", "time within which a second accountability weighs more"),
}
"""The rules that no clock runs on."""


@dataclass(frozen=True, slots=True)
class Length:
    """A length of a deadline, in which case it holds, and on what it rests: `nature` is one of `NATURES`."""

    case: Label | None
    words: Label
    nature: str
    source: Label

    @property
    def nature_label(self) -> Label:
        """Its nature in a word."""
        return NATURES[self.nature]


@dataclass(frozen=True, slots=True)
class TimerRow:
    """A deadline as one line."""

    name: str
    label: Label
    owner: Label
    lengths: tuple[Length, ...]
    follows: Label


def timer_row(timer: TimerRule, workflow: Workflow, rules: RuleBook) -> TimerRow:
    """Everything about a deadline."""
    owner = (
        names(tuple(timer.owner.split(",")))
        if timer.owner
        else Label("所在状态的办理人", "whoever the state waits for")
    )
    return TimerRow(timer.name, timer.label, owner, tuple(lengths(timer, rules)), _follows(timer.on_due, workflow))


def lengths(timer: TimerRule, rules: RuleBook) -> Iterator[Length]:
    """The lengths that it may have; none where each order sets its own."""
    if timer.name == "lookback":
        for case, points in ((None, rules.lookback), (CASES["lookback_grave"], rules.lookback_grave)):
            if points:
                yield Length(case, _joined([said(rule) for rule in points]), points[0].provenance, source(points[0]))
    for key in (timer.name, *timer.variants):
        if rule := rules.rules.get(key):
            case = None if key == timer.name else CASES.get(key, Label(key, key))
            yield Length(case, said(rule), rule.provenance, source(rule))


def limits(workflow: Workflow, rules: RuleBook) -> tuple[tuple[Label, Length], ...]:
    """What actions are measured by although no clock runs on it."""
    used = {key for timer in workflow.timers.values() for key in (timer.name, *timer.variants)}
    return tuple(
        (LIMITS.get(key, Label(key, key)), Length(None, said(rule), rule.provenance, source(rule)))
        for key, rule in rules.rules.items()
        if key not in used
    )


def said(rule: Rule) -> Label:
    """A length in words."""
    return Label(
        f"{rule.number} {UNITS[rule.unit].zh}", f"{rule.number} {(ONE if rule.number == 1 else MANY)[rule.unit]}"
    )


def names(who: tuple[str, ...]) -> Label:
    """People by their roles and parts."""
    return _joined([KNOWN_NAMES.get(name, Label(name, name)) for name in who])


def _joined(labels: list[Label]) -> Label:
    return Label(AND.zh.join(one.zh for one in labels), AND.en.join(one.en for one in labels))


def _follows(how: Behaviour, workflow: Workflow) -> Label:
    match how:
        case Remind(first, then):
            told, after = names(first), names(then)
            zh, en = f"提醒{told.zh}", f"reminds {told.en}"
            return Label(f"{zh}，再提醒{after.zh}", f"{en}, then {after.en}") if then else Label(zh, en)
        case Recur(who):
            told = names(who)
            return Label(f"每期提醒{told.zh}", f"reminds {told.en} each time")
        case Fire(action):
            label = workflow.actions[action].label
            return Label(f"系统办理：{label.zh}", f"taken by the system: {label.en}")
        case Climb():
            return Label("按督促阶梯升级", "climbs the ladder")
        case Close():
            return Label("逾期不再受理", "no longer possible after that")
