"""Deadlines as an iCalendar object (RFC 5545, RFC 7986) that calendar programs subscribe to.

The same deadlines give the same bytes: nothing in them is counted from the moment of asking. There is no METHOD, so that
DTSTAMP means when a deadline last changed, and a deadline that is gone may simply be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, Event, vDuration
from icalendar.enums import STATUS, TRANSP

from loop.kernel.calendar import local_day
from loop.kernel.clocks import Timer
from loop.kernel.decide import Book
from loop.kernel.labels import Label
from loop.kernel.reference import PROVENANCE, beyond
from loop.kernel.vocabulary import SEVERITIES
from loop.kernel.workflow import COURSE

DOMAIN = "rectification-loop"
PRODUCT = "-//rectification-loop//deadlines//ZH"
EVERY = timedelta(hours=1)
"""How often programs are asked to look again."""
BEFOREHAND = timedelta(hours=-15)
"""Nine in the morning of the day before: a whole day before the beginning of a day would ring at midnight."""

NAME = Label("整改闭环：我的期限", "Rectification loop: my deadlines")
TOO_MANY = Label("期限过多，只列出最紧迫的 {most} 项。", "Too many deadlines; these are the {most} most urgent.")
SUMMARY = Label("{timer}：{subject}", "{timer}: {subject}")
OF_WHAT = Label("{timer}（{note}）", "{timer} ({note})")
STATE = Label("当前状态：{state}", "State: {state}")
SOURCE = Label("依据：{source}（{provenance}）", "Basis: {source} ({provenance})")
ONLY_SOURCE = Label("依据：{provenance}", "Basis: {provenance}")
PROVISIONAL = Label(
    "所涉年份的放假安排尚未公布，此日期为暂定。",
    "The holidays of a year it runs through are not published yet: the date is provisional.",
)
STANDS_STILL = Label(
    "期限已中止，恢复后另定日期。", "The deadline is suspended; it gets another date once it is resumed."
)
GONE = Label("此期限已了结。", "This deadline no longer runs.")
OVERDUE = Label("逾期", "overdue")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A deadline and what it is about. `version` and `changed_at`: number and time of the last event of its chain; `url`:
    where its page is reached, if that is known.
    """

    chain: str
    timer: Timer
    subject: Label
    state: str | None
    severity: str | None
    version: int
    changed_at: datetime
    url: str | None = None


def agenda(entries: Sequence[Entry], book: Book, *, now: datetime, language: str, cut_at: int | None = None) -> bytes:
    """The calendar of these deadlines, in this order; of those that are one obligation only the first. `cut_at`: there are
    more than so many.
    """
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    for name in ("name", "x-wr-calname"):
        calendar.add(name, NAME.in_(language))
    if cut_at:
        for name in ("description", "x-wr-caldesc"):
            calendar.add(name, TOO_MANY.filled(most=f"{cut_at:,}").in_(language))
    calendar.add("refresh-interval", EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(EVERY))
    events: dict[str, Event] = {}
    for entry in entries:
        uid = uid_of(entry, book)
        if uid not in events:
            events[uid] = _event(entry, uid, book, now, language)
    for event in events.values():
        calendar.add_component(event)
    made: bytes = calendar.to_ical()
    return made


def uid_of(entry: Entry, book: Book) -> str:
    """The name of an obligation for as long as it is owed, whichever timer counts it. An extension starts a new timer of
    the course, which keeps the date first set; beside findings there is one timer of a rule at a time; of the other kinds
    several may run at once, and each is its own.
    """
    timer = entry.timer
    if ":" in entry.chain:
        return f"{entry.chain}-{timer.rule}@{DOMAIN}"
    rule = book.workflow.timers.get(timer.rule)
    if rule is None or rule.kind != COURSE:
        return f"{timer.id}@{DOMAIN}"
    return f"{entry.chain}-{timer.rule}-{local_day(timer.first_due_at, book.calendar):%Y%m%d}@{DOMAIN}"


def _event(entry: Entry, uid: str, book: Book, now: datetime, language: str) -> Event:
    timer = entry.timer
    summary = SUMMARY.in_(language).format(timer=_name(timer, book, language), subject=entry.subject.in_(language))
    changed = _changed_at(entry, now)
    event = Event.new(
        uid=uid, start=local_day(timer.due_at, book.calendar), summary=summary,
        description="\n".join(_lines(entry, book, language)), categories=list(_categories(entry, now, language)),
        transparency=TRANSP.TRANSPARENT, status=_status(timer), sequence=entry.version, stamp=changed, last_modified=changed,
        url=entry.url,
    )  # fmt: skip
    if _status(timer) is STATUS.CONFIRMED and not timer.is_past(now):
        alarm = Alarm.new(description=summary)
        alarm.add("action", "DISPLAY")
        alarm.add("trigger", BEFOREHAND)
        event.add_component(alarm)
    return event


def _name(timer: Timer, book: Book, language: str) -> str:
    rule = book.workflow.timers.get(timer.rule)
    name = rule.label.in_(language) if rule else timer.rule
    if rule and rule.kind == "reminder" and timer.note:
        return OF_WHAT.in_(language).format(timer=name, note=timer.note)
    return name


def _status(timer: Timer) -> STATUS:
    if timer.stopped_at is not None:
        return STATUS.CANCELLED
    return STATUS.TENTATIVE if timer.paused else STATUS.CONFIRMED


def _changed_at(entry: Entry, now: datetime) -> datetime:
    """When what the event says last changed: what is stopped changes no more, what comes to be overdue has changed once."""
    timer = entry.timer
    at = timer.stopped_at or (max(entry.changed_at, timer.due_at) if timer.is_past(now) else entry.changed_at)
    return at.astimezone(UTC).replace(microsecond=0)


def _categories(entry: Entry, now: datetime, language: str) -> Iterator[str]:
    if entry.timer.stopped_at is None and entry.timer.is_past(now):
        yield OVERDUE.in_(language)
    if entry.severity:
        yield SEVERITIES[entry.severity].in_(language)


def _lines(entry: Entry, book: Book, language: str) -> Iterator[str]:
    timer = entry.timer
    state = book.workflow.states.get(entry.state or "")
    if timer.stopped_at is not None:
        yield GONE.in_(language)
    elif timer.paused:
        yield STANDS_STILL.in_(language)
    if state and timer.stopped_at is None:
        yield STATE.in_(language).format(state=state.label.in_(language))
    provenance = PROVENANCE.get(timer.provenance, Label(timer.provenance, timer.provenance)).in_(language)
    source = beyond(book.rules.basis_of(timer.source), timer.provenance).in_(language)
    yield (SOURCE if source else ONLY_SOURCE).in_(language).format(source=source, provenance=provenance)
    if book.calendar.is_provisional(timer.started_on, local_day(timer.due_at, book.calendar)):
        yield PROVISIONAL.in_(language)
