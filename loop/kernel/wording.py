"""Puts what people are told into words: from the content of a message to a notice in its reader's language.

Pure: what day it is comes in as an argument. A content holds a fixed set of keys and nothing else of a finding is
looked at, so no sealed name and no internal remark can find its way into a text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from loop.kernel.calendar import Calendar, local_day
from loop.kernel.clocks import Recur
from loop.kernel.finding import NEVER
from loop.kernel.labels import Label
from loop.kernel.letters import Deadline, Saying
from loop.kernel.messages import Notice
from loop.kernel.model import FORMER_UNIT, KNOWN_NAMES, REMIND
from loop.kernel.people import SYSTEM, UNIT, UNIT_ROLES
from loop.kernel.workflow import Workflow

PRODUCT = Label("【整改闭环】", "[Rectification loop] ")
TITLE, SUBJECT = 36, 60
"""The most characters of a title within a headline, and of a subject."""
LEAST_TITLE = 8
"""A title cut to fewer characters than this is left out."""
HEADED = Label("{headline}：{text}", "{headline}: {text}")
TITLED = Label("《{title}》", " “{title}”")
CHAINS = {
    "supervision": Label("督导", "Supervision"), "tip-off": Label("举报", "Tip-off"), "alarm": Label("告知异常", "Telling people"),
}  # fmt: skip
ALARMS = {
    "budget_reached": Label(
        "{person} 在 {day} 的通知已达上限 {budget} 封，其余并入下一工作日早间汇总。",
        "On {day} {person} reached the budget of {budget} letters; the rest comes with the next morning's digest.",
    ),
    "letters_given_up": Label(
        "{day}，渠道“{channel}”有通知未能送出，已停止重试；请检查渠道和收件地址，修复后重发。",
        "On {day} the channel “{channel}” gave up letters; check it and the addresses, then replay them.",
    ),
    "endpoint_off": Label(
        "订阅“{name}”的接收地址拒收，已停用；修复后请重新启用，并重发未达的内容。",
        "The endpoint of “{name}” refuses and was switched off; mend it, switch it on and replay what it missed.",
    ),
}
"""What an office or an owner is told when telling people went wrong, with what the content says in place of the names."""
STANDS_IN = Label("{role}暂无可通知人员，由您代收。", "Nobody can be told as {role}; you stand in.")
WEEKDAYS = (
    Label("周一", "Mon"), Label("周二", "Tue"), Label("周三", "Wed"), Label("周四", "Thu"), Label("周五", "Fri"),
    Label("周六", "Sat"), Label("周日", "Sun"),
)  # fmt: skip
DAY = Label("{date}（{weekday}）", "{weekday} {date}")
TODAY = Label("，今日截止。", ", which is today.")
WORKDAYS_LEFT = (
    Label("，还有 1 个工作日。", ", 1 working day left."),
    Label("，还有 {n} 个工作日。", ", {n} working days left."),
)
DAYS_LEFT = (Label("，还有 1 天。", ", 1 day left."), Label("，还有 {n} 天。", ", {n} days left."))
OVERDUE = (Label("，已逾期 1 天。", ", 1 day overdue."), Label("，已逾期 {n} 天。", ", {n} days overdue."))
FULL_STOP = Label("。", ".")
IN_TIME, AT_ONCE = Label("在期限内", "in time"), Label("尽快", "without delay")
URGENT, TO_DO = Label("紧急：", "Urgent: "), Label("待办：", "To do: ")
SEVERAL_TO_DO, SEVERAL_TO_KNOW = Label("{n} 项待办", "{n} to do"), Label("{n} 项供知悉", "{n} for information")
AND = Label("、", ", ")
UNKNOWN = Saying(Label("有新的办理情况。", "There is news of this."))
"""What is said of a step that the workflow does not know any more."""


@dataclass(frozen=True, slots=True)
class _Clock:
    """The deadline that a message is about: whose it is, its last day where there is one, and how its days are counted."""

    rule: str = ""
    owners: tuple[str, ...] = ()
    on: date | None = None
    unit: str = ""


def notice_of(
    content: Mapping[str, Any], *, step: str, role: str, gap: str, language: str, workflow: Workflow, calendar: Calendar,
    today: date, url: str,
) -> Notice:  # fmt: skip
    """The notice of one message. `role` is that of the reader, empty for a group; `gap` the role they stand in for.

    `content` holds chain or number, title, state, due_at, due_rule, due_unit, waits_for, unit_name and danger; in `about`
    the step that is told late; in `beside` what the step started beside the course: {timer: {due_at, unit}}. Each may be
    missing.
    """
    reader, letters = gap or role, workflow.letters
    if step in ALARMS and str(content.get("chain", "")).startswith("alarm:"):
        told = ALARMS[step].filled(**{name: value for name, value in content.items() if name not in ("zh", "en")})
        headline = CHAINS["alarm"].in_(language)
        return Notice(thread=str(content["chain"]), headline=headline, said=told.in_(language))
    saying = letters.said.get(str(content.get("about") or step), UNKNOWN)
    clock = _clock(content, saying, reader, workflow, calendar)
    deadline, over = letters.deadlines.get(clock.rule), clock.on is not None and clock.on < today
    ask = saying.asks.get(reader)
    if reader in clock.owners and not (over and deadline and deadline.over):
        places = (clock.rule, str(content.get("state", "")))
        ask = next((letters.asked[p, reader] for p in places if (p, reader) in letters.asked), ask)
    said = deadline.unmet if step == REMIND and deadline and deadline.unmet else saying.to.get(reader, saying.said)
    late = [letters.said.get(step, UNKNOWN).said] if content.get("about") else []
    instead = [_each(STANDS_IN, role=KNOWN_NAMES.get(gap, Label(gap, gap)))] if gap else []
    when = AT_ONCE if over else IN_TIME
    return Notice(
        thread=str(content.get("number") or content.get("chain", "")),
        headline=_headline(content, role, gap).in_(language),
        said=_joined([*late, said, *instead], language),
        ask=ask.in_(language).format(when=when.in_(language)) if ask else "",
        due=_due(clock, deadline, calendar, today, language) if deadline and _concerns(reader, clock) else "",
        url=url,
        urgent=bool(content.get("danger")),
    )


def _each(form: Label, **values: Label) -> Label:
    """A form filled in each language with the words of that language."""
    return Label(
        form.zh.format(**{k: v.zh for k, v in values.items()}), form.en.format(**{k: v.en for k, v in values.items()})
    )


def _joined(sentences: Sequence[Label], language: str) -> str:
    return (" " if language == "en" else "").join(sentence.in_(language) for sentence in sentences)


# ---- what it is about ------------------------------------------------------------------------------------------------


def _headline(content: Mapping[str, Any], role: str, gap: str) -> Label:
    """Number, unit and title. A unit knows who it is; a former one is not told whose it is now; a tip-off has no title."""
    kind = str(content.get("chain", "")).rpartition(":")[0]
    number, name = str(content.get("number") or ""), str(content.get("unit_name") or "")
    head = CHAINS.get(kind, Label(kind, kind)) if kind else Label(number, number)
    if name and not kind and (gap or role not in (UNIT, FORMER_UNIT)):
        head = Label(f"{number} {name}", f"{number} {name}")
    title = "" if kind == "tip-off" else str(content.get("title") or "")
    title = title if len(title) <= TITLE else f"{title[: TITLE - 1]}…"
    tail = TITLED.filled(title=title) if title else Label("", "")
    return Label(head.zh + tail.zh, head.en + tail.en)


# ---- by when ---------------------------------------------------------------------------------------------------------


def _clock(
    content: Mapping[str, Any], saying: Saying, reader: str, workflow: Workflow, calendar: Calendar
) -> _Clock:  # fmt: skip
    """What the step made the reader owe beside the course, or else what runs on the course, where that has to do with it."""
    for rule, begun in (content.get("beside") or {}).items():
        timer = workflow.timers.get(rule)
        if timer and timer.kind in ("side", "dispute") and (rule, reader) in workflow.letters.asked:
            return _Clock(rule, (reader,), _day(begun.get("due_at"), calendar), begun.get("unit", ""))
    return _Clock() if saying.apart else _course(content, workflow, calendar)


def _course(content: Mapping[str, Any], workflow: Workflow, calendar: Calendar) -> _Clock:
    """The timer that struck, or the next deadline on the course."""
    rule, state = str(content.get("due_rule") or ""), workflow.states.get(str(content.get("state", "")))
    timer = workflow.timers.get(rule)
    if timer is None:
        return _Clock()
    own = timer.owner if timer.owner and not (state and state.name in timer.waits_in) else ""
    waits = str(content.get("waits_for") or ",".join(state.waits_for if state else ()))
    # A recurring timer keeps the day of its first turn, which says nothing of this one.
    on = None if isinstance(timer.on_due, Recur) else _day(content.get("due_at"), calendar)
    return _Clock(rule, tuple((own or waits).split(",")), on, str(content.get("due_unit", "")))


def _day(at: str | None, calendar: Calendar) -> date | None:
    instant = datetime.fromisoformat(at) if at else NEVER
    return None if instant == NEVER else local_day(instant, calendar)


def _concerns(reader: str, clock: _Clock) -> bool:
    """Whether the reader is told of the deadline: a unit and its department only of what is the unit's to do."""
    if clock.on is None or SYSTEM in clock.owners or reader == FORMER_UNIT:
        return False
    return reader not in UNIT_ROLES or bool(UNIT_ROLES.intersection(clock.owners))


def _due(clock: _Clock, deadline: Deadline, calendar: Calendar, today: date, language: str) -> str:
    """By when, and how long that is from `today` on."""
    if clock.on is None:
        return ""
    over = clock.on < today
    form = deadline.over if over and deadline.over else deadline.by
    tail = FULL_STOP if over and deadline.over else _left(clock.on, clock.unit, calendar, today)
    day = DAY.in_(language).format(date=clock.on.isoformat(), weekday=WEEKDAYS[clock.on.weekday()].in_(language))
    return form.in_(language).format(day=day) + tail.in_(language)


def _left(on: date, unit: str, calendar: Calendar, today: date) -> Label:
    """Working days for a period of working days, else days; what is overdue is counted in days."""
    if on == today:
        return TODAY
    if on < today:
        return _counted(OVERDUE, (today - on).days)
    working = calendar.workdays_between(today, on) if unit == "wd" else 0
    return _counted(WORKDAYS_LEFT, working) if working else _counted(DAYS_LEFT, (on - today).days)


def _counted(forms: tuple[Label, Label], n: int) -> Label:
    return forms[n != 1].filled(n=n)


# ---- as one text -----------------------------------------------------------------------------------------------------


def whole(notice: Notice, language: str) -> str:
    """The whole notice in one paragraph."""
    return paragraph(notice.headline, (notice.said, notice.due, notice.ask), language)


def paragraph(headline: str, parts: Sequence[str], language: str) -> str:
    """A headline and the sentences below it as one paragraph; empty sentences are left out."""
    text = (" " if language == "en" else "").join(part for part in parts if part)
    return HEADED.in_(language).format(headline=headline, text=text)


def subject_of(notices: Sequence[Notice], language: str) -> str:
    """The subject of a letter: what it is about, or how many things wait and how many are for information."""
    flag = URGENT.in_(language) if any(n.urgent for n in notices) else ""
    if len(notices) == 1:
        head = PRODUCT.in_(language) + (flag or (TO_DO.in_(language) if notices[0].ask else ""))
        return head + headline_within(notices[0].headline, SUBJECT - len(head), language)
    asked = sum(1 for notice in notices if notice.ask)
    counts = ((SEVERAL_TO_DO, asked), (SEVERAL_TO_KNOW, len(notices) - asked))
    told = AND.in_(language).join(form.in_(language).format(n=n) for form, n in counts if n)
    return PRODUCT.in_(language) + flag + told


def headline_within(headline: str, room: int, language: str) -> str:
    """As much of a headline as has room: all of it, without the unit, with the title cut, or the number alone."""
    if len(headline) <= room:
        return headline
    number, mark = _number(headline), TITLED.in_(language).partition("{")[0]
    at = headline.find(mark)
    title = headline[at:] if at >= 0 else ""
    spare = room - len(number)
    if len(title) > spare:
        title = f"{title[: spare - 2]}…{title[-1]}" if spare >= LEAST_TITLE else ""
    return number + title


def _number(headline: str) -> str:
    return headline.partition(" ")[0].partition("《")[0]
