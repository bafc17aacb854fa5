"""Findings, people and the rule book as plain values: what the tests of the workflow decide upon, without a database."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from typing import Any

import pytest

from loop.calendars import build
from loop.kernel import clocks
from loop.kernel.calendar import Calendar, due_instant, local_day
from loop.kernel.case import jsonable
from loop.kernel.clocks import Timer
from loop.kernel.decide import Book, Command, Decision, decide
from loop.kernel.errors import GuardFailed
from loop.kernel.facts import Facts, PersonFact, SupervisionFact, UnitFact
from loop.kernel.finding import Finding
from loop.kernel.machine import compile_table
from loop.kernel.payloads import example_of, read
from loop.kernel.people import THE_SYSTEM, Actor, Place, Post
from loop.kernel.rules import Rule
from loop.settings import load_settings, rule_book
from workflows import declared

COUNTY = ("CN", "33", "3301", "330106")
CITY = COUNTY[:3]
PLACE = Place(COUNTY, CITY, COUNTY, "school", "bureau", author_id="inspector", reviewers=("wang.li", "zhao.min"))


def at(text: str) -> datetime:
    """A local instant: "2026-03-02" (ten in the morning) or "2026-03-02 16:30"."""
    day, _, time = text.partition(" ")
    return datetime.fromisoformat(f"{day}T{time or '10:00'}:00+08:00")


NOW = at("2026-03-02")
"""A Monday."""


@cache
def book() -> Book:
    flow = declared()
    return Book(flow, compile_table(flow), rule_book(load_settings()), build())


def calendar() -> Calendar:
    return book().calendar


def due(text: str) -> datetime:
    """The last second of a local day."""
    return due_instant(date.fromisoformat(text), calendar())


def person(name: str, role: str, region: tuple[str, ...] = COUNTY, unit: str | None = None) -> Actor:
    return Actor(name, name, name, (Post(f"post-{name}", role, () if unit else region, unit),))


PEOPLE: dict[str, Actor] = {
    "inspector": person("inspector2", "inspector"),
    "author": person("inspector", "inspector"),
    "reviewer": person("wang.li", "inspector"),
    "officer": person("officer", "officer"),
    "chief": person("chief", "chief"),
    "director": person("director", "director"),
    "unit": person("head", "unit", unit="school"),
    "department": person("clerk", "department", unit="bureau"),
    "leader": person("mayor", "leader"),
    "auditor": person("auditor", "auditor"),
    "admin": person("admin", "admin"),
    "system": THE_SYSTEM,
    "superior": person("city chief", "chief", CITY),
    "in_scope": person("city officer", "officer", CITY),
}

FACTS = Facts(
    unit=UnitFact("school2", "Second School", "school", COUNTY, "bureau2"),
    people={
        name: PersonFact(id=name, name=name, full_name=name, roles=frozenset({"inspector"}))
        for name in ("wang.li", "zhao.min", "sun.jie", "li.hua")
    }
    | {"outsider": PersonFact(id="outsider", name="outsider", full_name="outsider")},
    office={
        "chief": frozenset({"chief", "chief2"}), "director": frozenset({"director", "director2"}),
        "superior": frozenset({"city chief"}), "inspector": frozenset({"inspector", "inspector2"}), "free": frozenset({"inspector", "inspector2"}),
    },
    attachments=frozenset({"A-1", "A-2"}),
    documents={"D-letter": "opinion_letter", "D-bulletin": "bulletin", "D-praise": "praise", "D-decision": "decision"},
)  # fmt: skip
TEAM = SupervisionFact("sup", "special", "office", 3)

OPINION = {
    "demands": [{"no": 1, "text": "clear it"}], "served_on": "2026-01-05", "received_on": "2026-01-08", "signers": ["chief2"],
}  # fmt: skip
PLAN = {"status": "accepted", "items": [{"demand_no": 1, "task": "clear it", "due": "2026-03-20"}]}
REPORT = {"status": "handed_in", "items": [{"status": "done", "text": "done", "evidence": ["A-1"]}]}
JUDGED = {**REPORT, "status": "judged"}
FORMS = [{"form": "F_PUBLIC_CRITICISM", "subject_type": "unit", "subject": "school", "executor": "office"}]
DECISION = {
    "forms": FORMS, "act": "decision#9", "effective_on": "2026-02-20", "received_on": "2026-02-20",
    "before": {"level": 2, "date_set_by": ""},
}  # fmt: skip
ACTS = [{"key": "opinion#5", "kind": "opinion", "signers": ["chief2"], "disputed": False, "appealed": False}]
DECISION_ACT = {
    "key": "decision#9", "kind": "decision", "signers": ["director2"], "disputed": False, "appealed": False,
}  # fmt: skip

_EARLY = {"facts": [{"no": 1, "text": "blocked"}], "legal_basis": [{"title": "law"}], "author": "inspector"}
_WORK = {**_EARLY, "opinion": OPINION, "plan_required": True, "planned": True, "acts": ACTS, "rectify_by": "2026-04-30"}
_DONE = {**_WORK, "plan": PLAN, "report": JUDGED}
_SENT = {"reviewers": ["wang.li", "zhao.min"], "reviewed_by": ["wang.li", "zhao.min"]}
_LEFT = {"left": [{"state": "rectification.executing", "level": 3, "proposer": "officer"}], "proposer": "officer"}
_TALK = {
    **_WORK,
    **_LEFT,
    "plan": PLAN,
    "interview": {"at": "2026-03-10T09:00:00+08:00", "interviewees": [{"name": "陈明"}], "chair_id": "li.hua"},
}
_CASE = {**_TALK, "accountability": {"circumstances": ["AC_POOR_RECTIFY"]}, "notice": {}}
_TOLD = {**_CASE, "notice": {"intended_forms": ["F_PUBLIC_CRITICISM", "F_BULLETIN"]}, "members": ["wang.li"]}

SHEETS: dict[str, dict[str, Any]] = {
    "report.draft": _EARLY,
    "report.submitted": _EARLY,
    "feedback.preliminary": _EARLY,
    "feedback.defence": {**_EARLY, "defence": {"grounds": [{"no": 1, "text": "not so"}], "late": False}},
    "feedback.drafting": _EARLY,
    "feedback.served": {**_EARLY, "opinion": {**OPINION, "served_on": "2026-02-27", "received_on": None}},
    "rectification.planning": _WORK,
    "rectification.plan_review": {**_WORK, "plan": {**PLAN, "status": "handed_in"}},
    "rectification.executing": {**_WORK, "plan": PLAN},
    "review.desk": {**_WORK, "plan": PLAN, "report": REPORT},
    "review.onsite": {**_WORK, "plan": PLAN, "report": REPORT, **_SENT},
    "review.passed": {**_DONE, **_SENT},
    "commendation.proposed": {**_DONE, "commendation": {"form": "praise"}},
    "commendation.publicity": {
        **_DONE, "commendation": {"form": "praise", "notice_from": "2026-02-20", "notice_to": "2026-02-27"},
    },
    "interview.proposed": _TALK,
    "interview.noticed": _TALK,
    "interview.held": {**_TALK, "date_set_by": "interview"},
    "bulletin.drafted": _TALK,
    "bulletin.issued": {**_TALK, "date_set_by": "bulletin"},
    "accountability.referred": _CASE,
    "accountability.investigating": _CASE,
    "accountability.notified": _TOLD,
    "accountability.deciding": _TOLD,
    "accountability.decided": {**_TOLD, "decision": DECISION, "acts": [*ACTS, DECISION_ACT], "date_set_by": "decision"},
    "lookback.watching": _DONE,
    "lookback.inspecting": {**_DONE, "reviewers": ["wang.li", "zhao.min"]},
    "archived": _DONE,
    "withdrawn": _WORK,
}  # fmt: skip
TIMERS: dict[str, tuple[str, ...]] = {
    "report.draft": ("report_due",),
    "report.submitted": ("report_review",),
    "feedback.preliminary": ("defence", "opinion_issue"),
    "feedback.defence": ("opinion_issue",),
    "feedback.drafting": ("opinion_issue",),
    "feedback.served": ("acknowledge",),
    "rectification.planning": ("plan_due",),
    "rectification.plan_review": ("plan_review",),
    "rectification.executing": ("rectify_by", "monthly_report", "milestone"),
    "review.desk": ("review_due",),
    "review.onsite": ("review_due",),
    "review.passed": ("write_off",),
    "commendation.proposed": ("commendation_review",),
    "commendation.publicity": ("publicity",),
    "interview.proposed": ("interview_decide",),
    "interview.noticed": ("interview_time",),
    "interview.held": ("interview_file",),
    "bulletin.drafted": ("bulletin_decide",),
    "bulletin.issued": ("bulletin_answer",),
    "accountability.referred": ("group_due",),
    "accountability.investigating": ("investigation_due",),
    "accountability.notified": ("accountability_defence",),
    "accountability.deciding": ("decision_due",),
    "accountability.decided": ("execution_report",),
    "lookback.watching": ("lookback",),
    "lookback.inspecting": ("lookback_due",),
}
"""The course's own timers in each state; windows and side timers are added where a test is about them."""

UNSERVED = frozenset({"report.draft", "report.submitted"})


def timer(rule: str, due_on: str = "", *, started: str = "2026-03-02", note: str = "", **more: Any) -> Timer:
    """A running timer by the shipped rule, or due on a day of its own."""
    own = Rule(rule, 0, "d", "", "O")
    key = {"publicity": "publicity_min", "lookback": ""}.get(rule, rule)
    begun = clocks.start(
        f"t-{rule}{note}", book().rules.rules.get(key, own), name=rule, started_on=date.fromisoformat(started),
        started_at=at(f"{started} 08:00"), calendar=calendar(), due_on=date.fromisoformat(due_on) if due_on else None,
    )  # fmt: skip
    return replace(begun, note=note, **more)


def finding(state: str, *extra: Timer, sheet: Mapping[str, Any] | None = None, **columns: Any) -> Finding:
    """A plausible finding at `state`: normal severity, a school, its timers started this morning."""
    timers = tuple(
        timer(rule, "2026-08-31" if rule in ("lookback", "milestone") else "") for rule in TIMERS.get(state, ())
    )
    values: dict[str, Any] = {
        "id": 1, "number": "LOOP-2026-0001", "office_id": "office", "unit_id": "school", "unit_kind": "school",
        "department_id": "bureau", "supervision_id": None, "title": "Blocked corridor", "description": "blocked",
        "kind": "routine", "category": "campus_safety", "severity": "normal", "state": state, "place": PLACE,
        "opened_at": at("2026-01-02"), "served": state not in UNSERVED, "version": 20, "timers": (*timers, *extra),
        "sheet": {**SHEETS[state], **(sheet or {})},
    }  # fmt: skip
    if state.startswith("lookback") or state == "archived":
        values["written_off_at"] = at("2026-01-20")
    return Finding(**{**values, **columns})


def without(one: Finding, *rules: str) -> Finding:
    return replace(one, timers=tuple(t for t in one.timers if t.rule not in rules))


def take(
    action: str, one: Finding, who: str | Actor, payload: Mapping[str, Any] | None = None, *,
    now: datetime = NOW, facts: Facts = FACTS, rules: Book | None = None, **command: Any,
) -> Decision:  # fmt: skip
    """Take `action`; the payload is the example of its model, with these fields replaced (None: left out)."""
    model = (rules or book()).workflow.actions[action].payload
    values = {k: v for k, v in {**example_of(model), **(payload or {})}.items() if v is not None}
    actor = PEOPLE[who] if isinstance(who, str) else who
    wish = Command(action=action, actor=actor, payload=read(model, values), **command)
    return decide(rules or book(), one, wish, facts, now)


def refused(action: str, one: Finding, who: str | Actor, payload: Mapping[str, Any] | None = None, **more: Any) -> str:
    """The code of the guard that refuses; fails where none does."""
    with pytest.raises(GuardFailed) as refusal:
        take(action, one, who, payload, **more)
    assert refusal.value.label.zh
    assert refusal.value.label.en
    return str(refusal.value.facts["guard"])


def strike(one: Finding, rule: str, action: str, payload: Mapping[str, Any] | None = None, **more: Any) -> Decision:
    """The act of the timer `rule` at its next point, or when it is due."""
    struck = one.timer(rule)
    assert struck is not None
    when = more.pop("now", struck.due_at)
    return take(action, one, "system", payload, now=when, timer_id=struck.id, due_at=when, **more)


def running(decision: Decision) -> dict[str, str]:
    """The running timers afterwards and their due days."""
    return {t.rule: local_day(t.due_at, calendar()).isoformat() for t in decision.after.timers}


def started(decision: Decision, one: Finding) -> dict[str, str]:
    """The timers that were started, and their due days; a look-back's or milestone's days are joined."""
    before = {t.id for t in one.timers}
    fresh: dict[str, str] = {}
    for t in decision.after.timers:
        if t.id not in before:
            day = local_day(t.due_at, calendar()).isoformat()
            fresh[t.rule] = f"{fresh[t.rule]} {day}" if t.rule in fresh else day
    return fresh


def stopped(decision: Decision) -> set[str]:
    return {t.rule for t in decision.timers if t.stopped_at is not None}


def kept(decision: Decision, one: Finding) -> set[str]:
    before = {t.id: t.due_at for t in one.timers}
    return {t.rule for t in decision.after.timers if before.get(t.id) == t.due_at}


def papers(decision: Decision) -> list[str]:
    return [paper.kind for paper in decision.papers]


def told(decision: Decision) -> set[str]:
    return set(decision.told)


def sheet(decision: Decision, topic: str) -> Any:
    return jsonable(decision.after.sheet.get(topic))
