"""A unit's findings in plain words: what is asked, by when and why just then, what happens otherwise, what to do now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loop.kernel.calendar import end_day, local_day
from loop.kernel.clocks import Climb, Fire, Timer, points
from loop.kernel.labels import Label
from loop.kernel.people import UNIT
from loop.kernel.proof import period
from loop.kernel.wording import AT_ONCE, IN_TIME
from loop.kernel.workflow import Action, Workflow
from loop.store import timers
from loop.store.ledger import LedgerRow
from loop.store.session import Tx
from loop.web.ledger_rows import AND, NONE, Line, line_of, waits_for
from loop.web.next_step import next_step
from loop.web.page import Visitor
from loop.web.places import action_page

OWED = frozenset({"plan_due", "rectify_by"})
"""Deadlines of the rectification itself; what answers them stays possible under pressure."""
PENDING = "extension_decide"
"""While this one runs, what follows a missed deadline waits."""
NOTHING = Label("已办结，您单位无须再办理。", "Closed; nothing more is asked of you.")
ELSEWHERE = Label("现由{who}办理，您单位暂无须操作。", "It is with the {who} now; nothing is asked of you at present.")
STILL = Label(
    "现由{who}办理；您单位的整改责任不变，仍应尽快{steps}。",
    "It is with the {who} now; your duty to rectify stays: {steps} as soon as you can.",
)
NOBODYS = Label("您单位暂无须操作。", "Nothing is asked of you at present.")
COUNTED = Label(
    "自 {day} 起 {period}，当日不计；末日遇休息日顺延。",
    "{period} from {day}, that day not counted; a last day that is a rest day moves on.",
)
SET = Label("该日期由文书、方案或批复确定。", "The date was set in a letter, the plan or a decision.")
STANDING = Label(
    "已依书面决定中止计时，恢复后继续计算。", "Suspended by written order; the time runs on once it is resumed."
)
OTHERWISE = Label("逾期未办的，{steps}。", "If it is not done in time: {steps}.")
STILL_NOT = Label("继续逾期的，{steps}。", "If it stays undone: {steps}.")
RUNG = Label("{day} {step}", "{step} on {day}")


@dataclass(frozen=True, slots=True)
class Card:
    """A finding as its unit reads it. `asks` is True where it waits for the unit; `step` is the one thing to do, if any."""

    line: Line
    asks: bool
    asked: Label
    why: Label
    otherwise: Label
    step: Label
    step_path: str


def cards(tx: Tx, visitor: Visitor, rows: Sequence[LedgerRow]) -> tuple[Card, ...]:
    """The findings of a page; their clocks in one query."""
    running = timers.running_of(tx, [row.number for row in rows])
    return tuple(_card(row, visitor, running.get(row.number, ())) for row in rows)


def _card(row: LedgerRow, visitor: Visitor, running: Sequence[Timer]) -> Card:
    flow, line = visitor.service.book.workflow, line_of(row, visitor)
    asks = row.is_open and UNIT in row.waits_for.split(",")
    step = next_step(flow, visitor.actor, row.due_rule, row.state) if asks else None
    timer = next((one for one in running if one.rule == row.due_rule), None)
    waits = not asks or line.suspended or any(one.rule == PENDING for one in running)
    return Card(
        line=line, asks=asks, asked=_asked(flow, row, line, asks=asks), why=_why(timer, line, visitor) if asks else NONE,
        otherwise=NONE if waits else _otherwise(timer, visitor),
        step=step.label if step else NONE, step_path=action_page(row.number, step.name) if step else "",
    )  # fmt: skip


def _asked(flow: Workflow, row: LedgerRow, line: Line, *, asks: bool) -> Label:
    if asks:
        found = (flow.letters.asked.get((place, UNIT)) for place in (row.due_rule, row.state))
        ask = next(filter(None, found), line.state)
        when = AT_ONCE if row.overdue else IN_TIME
        return Label(ask.zh.format(when=when.zh), ask.en.format(when=when.en))
    if not row.is_open:
        return NOTHING
    who, still = waits_for(row.waits_for), _still_owed(flow, row)
    if who.zh and still:
        named = Label("或".join(one.label.zh for one in still), " or ".join(one.label.en for one in still))
        return Label(STILL.zh.format(who=who.zh, steps=named.zh), STILL.en.format(who=who.en, steps=named.en))
    return Label(ELSEWHERE.zh.format(who=who.zh), ELSEWHERE.en.format(who=who.en)) if who.zh else NOBODYS


def _still_owed(flow: Workflow, row: LedgerRow) -> list[Action]:
    """What a unit may still hand in although the next step is another's: it answers a deadline and moves nothing."""
    mine = (one for one in flow.actions.values() if UNIT in one.by and set(one.answers) & OWED)
    return [one for one in mine if flow.targets(one, row.state) == (row.state,)]


def _why(timer: Timer | None, line: Line, visitor: Visitor) -> Label:
    """Why the deadline is when it is."""
    if line.suspended:
        return STANDING
    if timer is None:
        return NONE
    calendar = visitor.service.calendar
    if not timer.number or local_day(timer.due_at, calendar) != end_day(
        timer.started_on, timer.number, timer.unit, calendar
    ):
        return SET
    length, day = period(timer.number, timer.unit), timer.started_on.isoformat()
    return Label(COUNTED.zh.format(day=day, period=length.zh), COUNTED.en.format(day=day, period=length.en))


def _otherwise(timer: Timer | None, visitor: Visitor) -> Label:
    """What follows if nothing is done."""
    steps = tuple(_steps(timer, visitor)) if timer else ()
    if timer is None or not steps:
        return NONE
    form = STILL_NOT if timer.is_past(visitor.now) else OTHERWISE
    return Label(
        form.zh.format(steps=AND.zh.join(s.zh for s in steps)), form.en.format(steps=AND.en.join(s.en for s in steps))
    )


def _steps(timer: Timer, visitor: Visitor) -> Iterator[Label]:
    """The steps that are still to come, each with its day."""
    book = visitor.service.book
    how = book.workflow.timers[timer.rule].on_due
    if not isinstance(how, Climb | Fire):
        return
    for point in points(timer, how, book.rules.ladder, book.calendar):
        if point.at >= timer.due_at and point.at > visitor.now:
            day, step = local_day(point.at, book.calendar).isoformat(), book.workflow.actions[point.action].label
            yield Label(RUNG.zh.format(day=day, step=step.zh), RUNG.en.format(day=day, step=step.en))
