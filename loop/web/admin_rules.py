"""Every time limit and rule in force: value, on what it rests, and where it is changed. Read only: rules come from the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from loop.kernel.clocks import TimerRule
from loop.kernel.labels import Label
from loop.kernel.rules import DisputeModel, Ladder, Rule, RuleBook, parse_duration
from loop.kernel.workflow import Workflow
from loop.store.session import Tx
from loop.web.admin import HOME, RULES, address, chosen, show_admin
from loop.web.page import Page, Visitor
from loop.web.workflow_rules import CASES, LIMITS, said
from loop.web.workflow_sources import NATURES, NATURES_SAID, source

router = APIRouter()
TITLE = Label("期限与规则", "Limits and rules")
LEAD = Label("现行的每一项数值、依据和设置项。", "Every value in force, what it rests on, and the name of its setting.")
TIMERS = Label("办理期限", "Time limits")
LADDER = Label("督促阶梯", "The ladder")
LOOKBACK = Label("回头看", "Look-back")
DISPUTES = Label("争议", "Disputes")
RUNGS: Mapping[str, Label] = {
    "warn_before": Label("到期前提醒", "reminders before the due date"),
    "urge_after": Label("催办", "urging"),
    "order_after": Label("督办单", "supervisory order"),
    "interview_after": Label("建议约谈", "proposal to interview"),
    "set_date_after": Label(
        "约谈、通报、决定所定日期到期后升级", "next level, where an interview, a bulletin or a decision set the date"
    ),
    "bulletin_answer_refer_after": Label("通报未回复，移送问责", "referral, where a bulletin stays unanswered"),
    "at": Label("每步的时刻", "time of day of each step"),
    "remind_then": Label("提醒升至下一人", "reminder goes to the next person"),
    "remind_every": Label("此后每隔", "and from then on every"),
}  # fmt: skip
SAME_OFFICE, SUPERIOR = Label("本级督导机构", "the same office"), Label("上一级督导机构", "the office above")
YES, NO = Label("可以", "yes"), Label("不可以", "no")
DISPUTE_SOURCE = Label(
    "《山东省教育督导条例》第十八条、《郑州市教育督导条例》第二十三条；《浙江省教育督导条例》第十一条第七项另有规定",
    "山东省教育督导条例 Art 18, 郑州市教育督导条例 Art 23 (浙江省教育督导条例 Art 11(7) differs)",
)
NOTHING_FOUND = Label("未查到规定", "no rule found")
OWN = Label("由本机构在配置中设定", "set by this office in its configuration")


@dataclass(frozen=True, slots=True)
class Line:
    """A rule: its name, its value, on what it rests, and its setting."""

    label: Label
    case: Label | None
    words: Label
    nature: str
    nature_label: Label
    source: Label
    setting: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rules of one kind."""

    label: Label
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Nature:
    """On what rules rest, how many do, and where only those are shown."""

    code: str
    label: Label
    said: Label
    count: int
    path: str


@dataclass(frozen=True, slots=True)
class RulesView:
    """The rules by kind, all or those of one nature."""

    groups: tuple[Group, ...]
    natures: tuple[Nature, ...]
    nature: str
    all_path: str


@router.get(RULES)
async def in_force(request: Request) -> Response:
    """The rules in force."""
    nature = chosen(request, "nature", NATURES)

    def build(tx: Tx, visitor: Visitor) -> Page:
        book = visitor.service.book
        groups = tuple(_groups(book.workflow, book.rules))
        every = [line for group in groups for line in group.lines]
        natures = tuple(
            Nature(code, label, NATURES_SAID[code], sum(one.nature == code for one in every), address(RULES, nature=code))
            for code, label in NATURES.items()
        )  # fmt: skip
        shown = tuple(
            Group(group.label, tuple(line for line in group.lines if nature in ("", line.nature))) for group in groups
        )
        view = RulesView(tuple(group for group in shown if group.lines), natures, nature, RULES)
        return Page(template="admin_rules.html", title=TITLE, lead=LEAD, view=view, crumbs=(HOME,))

    return await show_admin(request, build)


def _groups(flow: Workflow, rules: RuleBook) -> Iterator[Group]:
    timers = {key: timer for timer in flow.timers.values() for key in (timer.name, *timer.variants)}
    yield Group(TIMERS, tuple(_limit(key, rule, timers.get(key)) for key, rule in rules.rules.items()))
    points = (("points", None, rules.lookback), ("points_grave", CASES["lookback_grave"], rules.lookback_grave))
    yield Group(LOOKBACK, tuple(_points(name, case, held) for name, case, held in points if held))
    yield Group(LADDER, tuple(_rungs(rules.ladder)))
    yield Group(DISPUTES, tuple(_disputes(rules.disputes)))


def _limit(key: str, rule: Rule, timer: TimerRule | None) -> Line:
    label = timer.label if timer else LIMITS.get(key, Label(key, key))
    return _line(label, CASES.get(key), said(rule), rule.provenance, source(rule), f"deadlines.{key}")


def _points(name: str, case: Label | None, held: tuple[Rule, ...]) -> Line:
    words = [said(rule) for rule in held]
    told = Label("、".join(one.zh for one in words), ", ".join(one.en for one in words))
    first = held[0]
    return _line(
        Label("销号后", "after the write-off"), case, told, first.provenance, source(first), f"lookback.{name}"
    )


def _rungs(ladder: Ladder) -> Iterator[Line]:
    usual = Ladder()
    for name, label in RUNGS.items():
        value = getattr(ladder, name)
        is_usual = value == getattr(usual, name)
        yield _line(
            label, None, _rung(value), "P" if is_usual else "O", NOTHING_FOUND if is_usual else OWN, f"ladder.{name}"
        )


def _rung(value: int | str | tuple[int, ...]) -> Label:
    """The value of a step: days after the due date, days before it, a length, or a time of day."""
    if isinstance(value, tuple):
        days = [str(one) for one in sorted(value, reverse=True)]
        return Label(f"{'、'.join(days)} 天", f"{', '.join(days)} days")
    if isinstance(value, int):
        return Label(f"到期后 {value} 天", f"{value} {'day' if value == 1 else 'days'} after the due date")
    if ":" in value:
        return Label(value, value)
    number, unit = parse_duration(value)
    return said(Rule(key="", number=number, unit=unit, source="", provenance="P"))


def _disputes(model: DisputeModel) -> Iterator[Line]:
    usual = DisputeModel()
    decided = SAME_OFFICE if model.opinion_decided_by == "same_office" else SUPERIOR
    told = (
        ("opinion_decided_by", Label("督导意见异议由谁处理", "who decides an objection to an opinion letter"), decided),
        ("opinion_appeal", Label("处理后可否再申诉", "whether it may be appealed then"), YES if model.opinion_appeal else NO),
    )  # fmt: skip
    for name, label, words in told:
        is_usual = getattr(model, name) == getattr(usual, name)
        rests = DISPUTE_SOURCE if is_usual else OWN
        yield _line(label, None, words, "V" if is_usual else "O", rests, f"disputes.{name}")


def _line(label: Label, case: Label | None, words: Label, nature: str, rests: Label, setting: str) -> Line:
    return Line(label, case, words, nature, NATURES[nature], rests, setting)
