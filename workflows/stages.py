"""The names of the eight systems, look-back and the ends, and the groups of states that rules speak of."""

from __future__ import annotations

from loop.kernel.labels import Label

STAGES = {
    "report": Label("报告", "report"),
    "feedback": Label("反馈", "feedback"),
    "rectification": Label("整改", "rectification"),
    "review": Label("复查", "review"),
    "commendation": Label("激励", "commendation"),
    "interview": Label("约谈", "interview"),
    "bulletin": Label("通报", "bulletin"),
    "accountability": Label("问责", "accountability"),
    "lookback": Label("回头看", "look-back"),
    "archived": Label("已归档", "archived"),
    "withdrawn": Label("已撤销", "withdrawn"),
}

DRAFT, SUBMITTED = "report.draft", "report.submitted"
PRELIMINARY, DEFENCE, DRAFTING, SERVED = (
    "feedback.preliminary",
    "feedback.defence",
    "feedback.drafting",
    "feedback.served",
)
PLANNING, PLAN_REVIEW, EXECUTING = "rectification.planning", "rectification.plan_review", "rectification.executing"
DESK, ONSITE, PASSED = "review.desk", "review.onsite", "review.passed"
PROPOSED, PUBLICITY = "commendation.proposed", "commendation.publicity"
TALK_PROPOSED, TALK_NOTICED, TALK_HELD = "interview.proposed", "interview.noticed", "interview.held"
BULLETIN_DRAFTED, BULLETIN_ISSUED = "bulletin.drafted", "bulletin.issued"
REFERRED, INVESTIGATING, NOTIFIED, DECIDING, DECIDED = (
    "accountability.referred",
    "accountability.investigating",
    "accountability.notified",
    "accountability.deciding",
    "accountability.decided",
)
WATCHING, INSPECTING = "lookback.watching", "lookback.inspecting"
ARCHIVED, WITHDRAWN = "archived", "withdrawn"

REPORT = frozenset({DRAFT, SUBMITTED})
FEEDBACK = frozenset({PRELIMINARY, DEFENCE, DRAFTING, SERVED})
RECTIFICATION = frozenset({PLANNING, PLAN_REVIEW, EXECUTING})
REVIEW = frozenset({DESK, ONSITE, PASSED})
COMMENDATION = frozenset({PROPOSED, PUBLICITY})
INTERVIEW = frozenset({TALK_PROPOSED, TALK_NOTICED, TALK_HELD})
BULLETIN = frozenset({BULLETIN_DRAFTED, BULLETIN_ISSUED})
ACCOUNTABILITY = frozenset({REFERRED, INVESTIGATING, NOTIFIED, DECIDING, DECIDED})
LOOKBACK = frozenset({WATCHING, INSPECTING})
ENDS = frozenset({ARCHIVED, WITHDRAWN})

PRESSURE = INTERVIEW | BULLETIN | ACCOUNTABILITY
"""The three systems in which a finding is held up while the unit may still hand in its plan and report."""
OPEN = REPORT | FEEDBACK | RECTIFICATION | REVIEW | COMMENDATION | PRESSURE
ALIVE = OPEN | LOOKBACK
EVERY = ALIVE | ENDS
AFTER_SERVICE = frozenset({SERVED}) | RECTIFICATION | REVIEW | COMMENDATION | PRESSURE | LOOKBACK | {ARCHIVED}
