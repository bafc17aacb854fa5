"""What is handed in or done after its time is accepted and flagged: the unit's papers, and the office's own lateness too."""

from typing import Any

import pytest

from tests.disputes import disputed
from tests.rows import PAYLOADS
from tests.values import at, finding, take, timer

PENDING = {"extension": {"pending": {"new_date": "2027-05-20"}}}
ANSWERS = """
submit_report report.draft officer | return_report report.submitted chief | approve_report report.submitted chief
defend feedback.preliminary unit | serve_opinion feedback.drafting chief | submit_plan rectification.planning unit
return_plan rectification.plan_review officer | accept_plan rectification.plan_review officer
submit_rectification rectification.executing unit | return_rectification review.desk officer | pass_desk review.desk officer
pass_review review.onsite reviewer | fail_review review.onsite reviewer | write_off review.passed chief
refuse_write_off review.passed chief | announce_commendation commendation.proposed chief
notice_interview interview.proposed chief | hold_interview interview.noticed chief | file_interview interview.held officer
issue_bulletin bulletin.drafted chief | answer_bulletin bulletin.issued unit | form_group accountability.referred director
serve_notice accountability.investigating chief | state_defence accountability.notified unit
decide_accountability accountability.deciding director | return_to_group accountability.deciding director
confirm_held lookback.inspecting inspector | relapse lookback.inspecting inspector
"""
LATER: dict[str, dict[str, Any]] = {
    "serve_opinion": {"rectify_by": None},
    "return_rectification": {"new_date": "2027-12-31"},
    "fail_review": {"new_date": "2027-12-31"},
    "notice_interview": {"at": "2027-07-10T09:00:00+08:00"},
    "announce_commendation": {"notice_from": "2027-07-12", "notice_to": "2027-07-30"},
    **{
        action: {"rectify_by": "2027-12-31"}
        for action in ("hold_interview", "issue_bulletin", "decide_accountability", "relapse")
    },
}


@pytest.mark.parametrize("line", [one.strip() for row in ANSWERS.strip().splitlines() for one in row.split("|")])
def test_late(line: str) -> None:
    action, state, who = line.split()
    payload = {**PAYLOADS.get(action, {}), **LATER.get(action, {})}
    one = finding(state)
    assert take(action, one, who, payload, now=at("2027-01-04")).remarks.get("late") is True
    assert "late" not in take(action, one, who, payload).remarks


@pytest.mark.parametrize(
    ("action", "rule", "who"),
    [
        ("answer_instruction", "instruction_reply", "officer"),
        ("record_transfer_result", "transfer_result", "officer"),
        ("publish", "publish_due", "chief"),
        ("take_down", "take_down_due", "chief"),
        ("refuse_extension", "extension_decide", "chief"),
    ],
)
def test_what_is_owed_on_the_side(action: str, rule: str, who: str) -> None:
    one = finding("rectification.executing", timer(rule, note="1"), sheet=PENDING)
    payload = {"document": "D-letter"} if action in ("publish", "take_down") else {}
    assert take(action, one, who, payload, now=at("2027-01-04")).remarks.get("late") is True
    assert "late" not in take(action, one, who, payload).remarks


def test_a_late_correction() -> None:
    varied = take("vary", disputed("decision", "appealed"), "superior").after
    assert take("record_correction", varied, "officer", now=at("2027-01-04")).remarks.get("late") is True
    assert "late" not in take("record_correction", varied, "officer").remarks
