"""Interview, bulletin and the ways back, row by row."""

from dataclasses import replace
from typing import Any

import pytest

from loop.kernel.finding import Finding
from tests.rows import Row, check, rows
from tests.values import FACTS, PLAN, REPORT, SHEETS, at, finding, papers, refused, sheet, take, told

ROWS = rows("""
propose_interview | rectification.planning rectification.plan_review rectification.executing review.desk review.onsite review.passed | officer | interview.proposed | interview_proposal | chief leader
propose_interview | rectification.executing | chief | interview.proposed | interview_proposal | chief leader
propose_interview | rectification.executing | system | interview.proposed | interview_proposal | chief department leader
notice_interview | interview.proposed | chief | interview.noticed | interview_notice | unit department leader +chair
postpone_interview | interview.noticed | chief | = | reschedule_notice | unit department leader chair
hold_interview | interview.noticed | chief | interview.held | interview_record | unit
file_interview | interview.held | officer | rectification.executing | filing_letter | department
propose_bulletin | rectification.executing review.desk interview.proposed interview.noticed | officer | bulletin.drafted | | chief leader
propose_bulletin | rectification.planning | system | bulletin.drafted | | chief leader
issue_bulletin | bulletin.drafted | chief | bulletin.issued | bulletin | unit +department superior leader
answer_bulletin | bulletin.issued | unit | rectification.executing | bulletin_answer | officer
drop | interview.proposed | chief | rectification.executing | no_interview | proposer
drop | interview.noticed | chief | rectification.executing | no_interview | proposer unit
drop | bulletin.drafted | chief | rectification.executing | no_bulletin | proposer
drop | accountability.referred accountability.investigating | director | rectification.executing | no_accountability | proposer
drop | accountability.deciding | director | rectification.executing | no_accountability | proposer unit
refer | report.submitted feedback.preliminary feedback.served review.passed commendation.publicity interview.held bulletin.issued | officer | accountability.referred | clue | director leader
refer | rectification.executing | system | accountability.referred | clue | chief director leader superior
""")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row) -> None:
    check(row)


def test_a_no_show_goes_to_the_bulletin() -> None:
    decision = take("record_no_show", finding("interview.noticed", level=4), "chief", now=at("2026-03-10"))
    assert (decision.target, decision.after.level) == ("bulletin.drafted", 5)
    assert told(decision) == {"department", "leader"}
    assert papers(decision) == ["no_show_record"]


ATTENDED = {"attendance": [{"name": "赵副校长", "post": "副校长", "present": True}]}
PUBLIC = {"public": True, "public_text": "short", "privacy_checked_by": "wang.li"}
GUARDS: list[tuple[str, str, str, dict[str, Any], dict[str, Any], str]] = [
    ("propose_interview", "rectification.executing", "chief", {"reasons": [{"text": "x", "code": "NO_SUCH"}]}, {}, "reason_code"),
    ("propose_bulletin", "rectification.executing", "chief", {"reasons": [{"text": "x", "code": "NO_SUCH"}]}, {}, "reason_code"),
    ("notice_interview", "interview.proposed", "chief", {"at": "2026-03-04T09:00:00+08:00"}, {}, "enough_notice"),
    ("notice_interview", "interview.proposed", "chief", {"at": "2026-03-02T09:59:00+08:00"}, {"danger_to_life": True}, "enough_notice"),
    ("notice_interview", "interview.proposed", "chief", {"chair": "nobody"}, {}, "known_people"),
    ("notice_interview", "interview.proposed", "chief", {"chair": "outsider"}, {}, "chair_of_the_office"),
    ("postpone_interview", "interview.noticed", "chief", {}, {"sheet": {"interview": {"postponed": True}}}, "postponed_once"),
    ("postpone_interview", "interview.noticed", "chief", {}, {"sheet": {"interview": {"at": "2026-03-02T09:00:00+08:00"}}},
     "before_the_time"),
    ("postpone_interview", "interview.noticed", "chief", {"at": "2026-03-02T09:00:00+08:00"}, {}, "new_time_ahead"),
    ("hold_interview", "interview.noticed", "chief", ATTENDED, {}, "head_present"),
    ("hold_interview", "interview.noticed", "chief", {"attendance": [{"name": "陈明", "present": False}]}, {}, "head_present"),
    ("hold_interview", "interview.noticed", "chief", {"rectify_by": "2026-03-02"}, {}, "rectify_by_in_future"),
    ("record_no_show", "interview.noticed", "chief", {}, {}, "time_has_passed"),
    ("issue_bulletin", "bulletin.drafted", "director", PUBLIC | {"public_text": ""}, {}, "privacy_checked"),
    ("issue_bulletin", "bulletin.drafted", "director", PUBLIC | {"privacy_checked_by": "nobody"}, {}, "privacy_checked"),
    ("issue_bulletin", "bulletin.drafted", "director", PUBLIC | {"public_text": "电话 13800138000"}, {}, "privacy_checked"),
    ("issue_bulletin", "bulletin.drafted", "director", PUBLIC | {"public_text": "33010619800101123X"}, {}, "privacy_checked"),
    ("issue_bulletin", "bulletin.drafted", "director", PUBLIC | {"privacy_checked_by": "outsider"}, {},
     "privacy_checked_by_of_the_office"),
    ("issue_bulletin", "bulletin.drafted", "chief", {"rectify_by": "2026-03-02"}, {}, "rectify_by_in_future"),
    ("answer_bulletin", "bulletin.issued", "unit", {"attachments": ["A-9"]}, {}, "files_attached"),
    ("drop", "interview.proposed", "chief", {"rectify_by": "2026-03-02"}, {}, "rectify_by_in_future"),
    ("refer", "rectification.executing", "chief", {"circumstances": ["NO_SUCH"]}, {}, "circumstance_code"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "state", "who", "payload", "columns", "guard"), GUARDS)
def test_guard(action: str, state: str, who: str, payload: dict[str, Any], columns: dict[str, Any], guard: str) -> None:
    assert refused(action, finding(state, **columns), who, payload) == guard


def test_the_issuer_does_not_check_privacy() -> None:
    facts = replace(FACTS, people={"me": replace(FACTS.people["wang.li"], id="director")})
    payload = PUBLIC | {"privacy_checked_by": "me"}
    assert refused("issue_bulletin", finding("bulletin.drafted"), "director", payload, facts=facts) == "privacy_checked"
    issued = take("issue_bulletin", finding("bulletin.drafted"), "director", PUBLIC)
    assert sheet(issued, "published") == [{"what": "bulletin", "on": "2026-03-02"}]


def test_three_working_days_of_notice_unless_life_is_in_danger() -> None:
    on_thursday = {"at": "2026-03-05T09:00:00+08:00"}
    decision = take("notice_interview", finding("interview.proposed"), "chief", on_thursday)
    assert decision.parts == (("chair", "li.hua"),)
    assert decision.left_parts == {"chair"}
    assert sheet(decision, "interview")["chair_id"] == "li.hua"
    tonight = {"at": "2026-03-02T20:00:00+08:00"}
    assert take("notice_interview", finding("interview.proposed", danger_to_life=True), "chief", tonight).target


def test_a_deputy_needs_an_approval() -> None:
    deputy = {"attendance": [{"name": "赵副校长", "post": "副校长", "present": True, "approved_by": "区教育局"}]}
    decision = take("hold_interview", finding("interview.noticed"), "chief", deputy)
    assert (sheet(decision, "rectify_by"), sheet(decision, "date_set_by")) == ("2026-07-31", "interview")


@pytest.mark.parametrize(
    ("before", "by", "after"),
    [("", "interview", "interview"), ("bulletin", "interview", "bulletin"), ("interview", "bulletin", "bulletin"),
     ("decision", "interview", "decision"), ("decision", "bulletin", "decision")],
)  # fmt: skip
def test_later_dates_count_as_set_by_the_gravest(before: str, by: str, after: str) -> None:
    action, state = {
        "interview": ("hold_interview", "interview.noticed"),
        "bulletin": ("issue_bulletin", "bulletin.drafted"),
    }[by]
    assert sheet(take(action, finding(state, sheet={"date_set_by": before}), "chief"), "date_set_by") == after


# ---- back -------------------------------------------------------------------------------------------------------------

WAYS_BACK: list[tuple[str, dict[str, Any], str]] = [
    ("a plan waits to be judged", {"plan": {**PLAN, "status": "handed_in"}}, "rectification.plan_review"),
    ("a report waits to be judged", {"report": REPORT}, "review.desk"),
    (
        "a plan comes before a report",
        {"plan": {**PLAN, "status": "handed_in"}, "report": REPORT},
        "rectification.plan_review",
    ),
    ("a plan is required and none accepted", {"plan": {"status": "returned"}}, "rectification.planning"),
    ("no plan at all", {"plan": {}}, "rectification.planning"),
    ("the plan is accepted", {}, "rectification.executing"),
    ("no plan is required", {"plan": {}, "plan_required": False}, "rectification.executing"),
    ("left from passed", {"left": [{"state": "review.passed", "level": 0}]}, "rectification.executing"),
]
RETURNS = [
    ("file_interview", "interview.held", "officer"),
    ("answer_bulletin", "bulletin.issued", "unit"),
    ("finish_accountability", "accountability.decided", "chief"),
]
DONE = {"decision": {"forms": [{"form": "F_PUBLIC_CRITICISM", "executor": "office", "result": "done"}]}}


@pytest.mark.parametrize(("why", "topics", "target"), WAYS_BACK)
@pytest.mark.parametrize(("action", "state", "who"), RETURNS)
def test_back(action: str, state: str, who: str, why: str, topics: dict[str, Any], target: str) -> None:
    decision = take(action, finding(state, sheet={**DONE, **topics}), who)
    assert decision.target == target
    assert sheet(decision, "left") == []


@pytest.mark.parametrize(
    "state",
    [
        "report.submitted",
        "feedback.preliminary",
        "feedback.defence",
        "feedback.drafting",
        "feedback.served",
        "commendation.proposed",
    ],
)
def test_back_before_an_opinion_is_received_is_the_state_that_was_left(state: str) -> None:
    none = {**DONE, "opinion": {}, "plan": {}, "plan_required": True, "left": [{"state": state, "level": 0}]}
    assert take("finish_accountability", finding("accountability.decided", sheet=none), "chief").target == state


@pytest.mark.parametrize(
    "state",
    [
        "rectification.planning",
        "rectification.executing",
        "review.onsite",
        "review.passed",
        "commendation.publicity",
        "feedback.served",
    ],
)
def test_drop_goes_to_the_state_that_was_left(state: str) -> None:
    sheets = {**SHEETS[state], "report": {}, "commendation": {"notice_from": "2026-03-02", "notice_to": "2026-03-20"}}
    one = take("refer", finding(state, sheet=sheets), "chief").after
    decision = take("drop", one, "director", {"rectify_by": None})
    assert (decision.target, decision.after.level) == (state, 0)


def test_drop_prefers_what_waits_to_be_judged() -> None:
    one = take("propose_interview", finding("review.onsite"), "chief").after
    assert take("drop", one, "chief").target == "review.desk"
    one = take("propose_interview", finding("rectification.planning", sheet={"plan": {}}), "chief").after
    one = take("submit_plan", one, "unit", {"finish_on": "2026-04-30"}).after
    decision = take("drop", one, "chief")
    assert (decision.target, sheet(decision, "left")) == ("rectification.plan_review", [])


def nested() -> Finding:
    one = take("propose_interview", finding("rectification.executing", level=2), "officer").after
    assert one.level == 4
    one = take("notice_interview", one, "chief").after
    one = take("propose_bulletin", one, "chief").after
    assert one.level == 5
    one = take("refer", one, "officer").after
    assert one.level == 6
    return one


def test_each_drop_goes_one_step_back_and_its_level_with_it() -> None:
    first = take("drop", nested(), "director", {"rectify_by": None})
    assert (first.target, first.after.level, sheet(first, "proposer")) == ("bulletin.drafted", 5, "officer")
    second = take("drop", first.after, "chief", {"rectify_by": None})
    assert (second.target, second.after.level, sheet(second, "proposer")) == ("interview.noticed", 4, "chief")
    third = take("drop", second.after, "chief", {"rectify_by": "2026-09-30"})
    assert (third.target, third.after.level, sheet(third, "proposer")) == ("rectification.executing", 2, "officer")
    assert sheet(third, "rectify_by") == "2026-09-30"


def test_the_level_never_falls_on_the_way_forward() -> None:
    one = finding("interview.proposed", level=6)
    assert take("notice_interview", one, "chief").after.level == 6
    assert take("propose_bulletin", one, "chief").after.level == 6
    assert take("file_interview", finding("interview.held", level=4), "officer").after.level == 4


def test_a_rung_marks_the_finding_as_once_overdue() -> None:
    for action in ("propose_interview", "propose_bulletin", "refer"):
        assert sheet(take(action, finding("rectification.executing"), "system"), "was_overdue") is True
        assert sheet(take(action, finding("rectification.executing"), "officer"), "was_overdue") is None
