"""The reference of the workflow as Markdown, generated from the declarations: states, actions, permissions, timers.

The same workflow and rules give the same text, byte by byte, so that a test can hold the committed pages to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from loop.kernel.check_words import payload_labels
from loop.kernel.clocks import Climb, Close, Fire, Recur, Remind, TimerRule, after_due
from loop.kernel.labels import Label
from loop.kernel.letters import Saying
from loop.kernel.machine import Table
from loop.kernel.model import KNOWN_NAMES
from loop.kernel.payloads import Payload
from loop.kernel.people import ADMIN, AUDITOR
from loop.kernel.rules import Ladder, Rule, RuleBook
from loop.kernel.workflow import COURSE, DISPUTE, SAME, Action, Fork, Paper, Tell, Workflow

NOTHING = "–"
PROVENANCE = {
    "V": Label("教育督导法规或实践", "law or practice of education supervision"),
    "A": Label("类推", "by analogy"),
    "P": Label("产品默认", "product default"),
    "O": Label("本机构设定", "set by this office"),
}


def beyond(basis: Label, provenance: str) -> Label:
    """What a source says beyond its provenance, for a place that shows this already; empty where it says no more."""
    known = PROVENANCE.get(provenance, Label("", ""))
    zh, en = (
        re.sub(f"^{re.escape(word)}([，；：]|[,;:] |$)", "", text) for word, text in zip(known, basis, strict=True)
    )
    return Label(zh, en)


def reference(workflow: Workflow, table: Table, rules: RuleBook) -> str:
    """All tables as one Markdown text in both languages; ends with a line break."""
    parts = (
        ("States 状态", _states(workflow)),
        ("Dispute 争议", _dispute(workflow, table)),
        ("Actions 事项", _actions(workflow, COURSE)),
        ("Actions on the dispute 争议事项", _actions(workflow, DISPUTE)),
        ("Payload fields 填报内容", _fields(workflow)),
        ("Permissions 权限", _permissions(workflow)),
        ("Timers 时限", _timers(workflow, rules)),
        ("Further limits 其他期限", _further(workflow, rules)),
        ("Ladder 督办阶梯", _ladder(rules.ladder)),
        ("Papers 文书", _papers(workflow)),
        ("What people are told 告知用语", _told(workflow)),
    )
    head = (
        f"# Workflow reference 流程参考\n\nVersion {workflow.version}. Generated from the declarations; do not edit.\n"
    )
    return head + "".join(f"\n## {title}\n\n{text}" for title, text in parts)


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split()) or NOTHING


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _both(label: Label) -> str:
    return f"{label.zh} {label.en}"


# ---- states ----------------------------------------------------------------------------------------------------------


def _states(workflow: Workflow) -> str:
    def rows() -> Iterator[Sequence[str]]:
        for state in workflow.states.values():
            here = [t.name for t in workflow.timers.values() if state.name in t.lives_in]
            stage = workflow.stages[state.name.partition(".")[0]]
            level = str(state.level) if state.level else ""
            waits = "the end 终点" if state.end else _code(state.waits_for)
            yield f"`{state.name}`", state.label.zh, state.label.en, _both(stage), waits, _code(here), level

    return _table(("state", "中文", "English", "stage", "waits for", "timers", "level at least"), rows())


def _dispute(workflow: Workflow, table: Table) -> str:
    rows = [
        (f"`{name}`", label.zh, label.en, _code(table.actions(DISPUTE, name)))
        for name, label in workflow.dispute_states.items()
    ]
    return _table(("state", "中文", "English", "actions"), rows)


# ---- actions ---------------------------------------------------------------------------------------------------------


def _actions(workflow: Workflow, track: str) -> str:
    columns = ("action", "中文", "English", "from → to", "by", "guards", "payload", "papers", "told")
    rows = [_action(workflow, action) for action in workflow.actions.values() if action.track == track]
    return _table(columns, rows)


def _action(workflow: Workflow, action: Action) -> Sequence[str]:
    moves = "; ".join(
        f"{_sources(workflow, action.track, one.sources)} → {_target(one.target)}" for one in action.moves
    )
    guards = [*((action.only,) if action.only else ()), *action.guards]
    return (
        f"`{action.name}`", action.label.zh, action.label.en, moves, _code(action.by),
        "; ".join(f"`{guard.code}` {guard.label.en}" for guard in guards), _payload(action.payload),
        ", ".join(paper.label.zh + ("?" if paper.when else "") for paper in action.papers),
        _audience(action),
    )  # fmt: skip


def _sources(workflow: Workflow, track: str, sources: frozenset[str]) -> str:
    """The states of whole stages are written `stage.*`; all states of a track as "any state"."""
    known = tuple(workflow.states) if track == COURSE else tuple(workflow.dispute_states)
    if not sources - {""} and "" in sources:
        return "new 新"
    if sources >= set(known):
        return "any state 任何状态"
    stages: dict[str, list[str]] = {}
    for state in known:
        stages.setdefault(state.partition(".")[0], []).append(state)
    told: list[str] = []
    for stage, states in stages.items():
        whole = len(states) > 1 and sources >= set(states)
        told += [f"{stage}.*"] if whole else [state for state in states if state in sources]
    return _code(told)


def _target(target: str | Fork) -> str:
    if isinstance(target, Fork):
        return f"*{target.name}*: {_code(target.targets)}"
    return "same 不变" if target == SAME else f"`{target}`"


def _payload(model: type[Payload]) -> str:
    """The fields of the payload itself; `?` marks those that may be left out."""
    fields = model.model_fields.items()
    return ", ".join(f"`{info.alias or name}`{'' if info.is_required() else '?'}" for name, info in fields)


def _fields(workflow: Workflow) -> str:
    """Every field of every payload once for all actions that share the payload, nested ones with their path."""
    users: dict[type[Payload], list[str]] = {}
    for action in workflow.actions.values():
        users.setdefault(action.payload, []).append(action.name)
    rows = [
        (_code(names), f"`{path}`", label.zh if label else "", label.en if label else "")
        for model, names in users.items()
        for path, label in payload_labels(model)
    ]
    return _table(("actions", "field", "中文", "English"), rows)


def _permissions(workflow: Workflow) -> str:
    """Who may take what; a guard may narrow it further."""
    names = [name for name in KNOWN_NAMES if name in {by for action in workflow.actions.values() for by in action.by}]
    rows = [
        (f"`{action.name}` {action.label.zh}", *("●" if name in action.by else NOTHING for name in names))
        for action in workflow.actions.values()
    ]
    never = " and ".join(f"{_both(KNOWN_NAMES[name])} (`{name}`)" for name in (AUDITOR, ADMIN) if name not in names)
    after = f"\nNever act on findings: {never}.\n" if never else ""
    return _table(("action", *(f"`{name}` {KNOWN_NAMES[name].zh}" for name in names)), rows) + after


def _papers(workflow: Workflow) -> str:
    kinds: dict[str, tuple[Paper, list[str]]] = {}
    for action in workflow.actions.values():
        for paper in action.papers:
            kinds.setdefault(paper.kind, (paper, []))[1].append(action.name)
    rows = [
        (f"`{kind}`", paper.label.zh, paper.label.en, _nature(paper), _code(names), "、".join(paper.cc))
        for kind, (paper, names) in kinds.items()
    ]
    return _table(("paper", "中文", "English", "nature", "made by", "copies to"), rows)


def _nature(paper: Paper) -> str:
    if paper.issued:
        return "issued 发文"
    return "internal 内部" if paper.internal else "received 收文"


def _told(workflow: Workflow) -> str:
    """What each step is told as, in Chinese; whoever is told something of their own is named before it."""
    said = workflow.letters.said
    rows = [
        (f"`{action.name}` {action.label.zh}", _audience(action), _sentences(said[action.name]))
        for action in workflow.actions.values()
        if action.name in said
    ]
    return _table(("action", "told", "sentence"), rows)


def _audience(action: Action) -> str:
    """Whom the action tells; `?` marks those told under some condition."""
    return ", ".join(f"`{t.who}`?" if isinstance(t, Tell) else f"`{t}`" for t in action.tell)


def _sentences(saying: Saying) -> str:
    own = (f"`{role}`：{sentence.zh}" for role, sentence in saying.to.items())
    return " ".join((saying.said.zh, *own))


# ---- timers ----------------------------------------------------------------------------------------------------------


def _timers(workflow: Workflow, rules: RuleBook) -> str:
    def rows() -> Iterator[Sequence[str]]:
        for timer in workflow.timers.values():
            lengths = tuple(_lengths(timer, rules))
            owner = f"`{timer.owner}`" if timer.owner else "as the state 同所在状态"
            lives = _sources(workflow, COURSE, timer.lives_in) if timer.lives_in else "any state 任何状态"
            yield (
                f"`{timer.name}`", timer.label.zh, timer.label.en, timer.kind, owner, lives,
                "; ".join(length for length, _ in lengths) or "as written in the order 以文书所定为准", _consequence(timer),
                "; ".join(dict.fromkeys(source for _, source in lengths)),
            )  # fmt: skip

    columns = ("timer", "中文", "English", "kind", "owner", "lives in", "length", "when due", "source")
    return _table(columns, rows())


def _lengths(timer: TimerRule, rules: RuleBook) -> Iterator[tuple[str, str]]:
    """Each length that the timer may have, with its source."""
    if timer.name == "lookback":
        for label, points in (("", rules.lookback), ("grave 严重: ", rules.lookback_grave)):
            told = ", ".join(f"{rule.number} {rule.unit}" for rule in points)
            yield from ((f"{label}{told}", _source(rule)) for rule in points[:1])
    for key in (timer.name, *timer.variants):
        if rule := rules.rules.get(key):
            name = "" if key == timer.name else f"`{key}`: "
            yield f"{name}{rule.number} {rule.unit}", _source(rule)


def _further(workflow: Workflow, rules: RuleBook) -> str:
    """The rules that no timer runs on: what guards compare with."""
    used = {key for timer in workflow.timers.values() for key in (timer.name, *timer.variants)}
    rows = [
        (f"`{key}`", f"{rule.number} {rule.unit}", _source(rule))
        for key, rule in rules.rules.items()
        if key not in used
    ]
    return _table(("rule", "length", "source"), rows)


def _source(rule: Rule) -> str:
    return f"[{rule.provenance}] {rule.basis.en}"


def _consequence(timer: TimerRule) -> str:
    match timer.on_due:
        case Remind(first, then):
            return f"remind {_code(first)}" + (f", then {_code(then)}" if then else "")
        case Recur(who):
            return f"remind {_code(who)} each time"
        case Fire(action):
            return f"`{action}`"
        case Climb():
            return "the ladder 督办阶梯"
        case Close():
            return "the window closes 窗口关闭"


def _ladder(ladder: Ladder) -> str:
    """The rungs as they follow from who set the date."""
    setters = (
        ("nobody in particular 未另定", ""), ("an interview 约谈", "interview"), ("a bulletin 通报", "bulletin"),
        ("a decision 问责决定", "decision"), ("the answer to a bulletin 通报回复", "answer"),
    )  # fmt: skip
    warned = ", ".join(f"{days} d" for days in sorted(ladder.warn_before, reverse=True))
    rows = [
        (setter, warned, ", ".join(f"`{action}` + {days} d" for days, action in after_due(profile, ladder)))
        for setter, profile in setters
    ]
    after = (
        f"\nRungs are taken at {ladder.at}. "
        f"Reminders: the second addressee after {ladder.remind_then}, then everybody every {ladder.remind_every}.\n"
    )
    legend = "; ".join(f"{key} = {_both(label)}" for key, label in PROVENANCE.items())
    return _table(("the date was set by", "`warn` before", "after due"), rows) + after + f"\nSources: {legend}.\n"
