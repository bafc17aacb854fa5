"""Review and commendation, row by row: desk, site, write-off, praise."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from loop.kernel.facts import PersonFact
from tests.rows import Row, check, rows
from tests.values import DECISION, FACTS, JUDGED, at, due, finding, papers, refused, sheet, take, told, without

ROWS = rows("""
return_rectification | review.desk | officer | rectification.executing | return_slip | unit
assign_review | review.desk review.onsite | chief | review.onsite | review_notice | unit reviewer
pass_desk | review.desk | officer | review.passed | review_opinion | unit +chief
pass_review | review.onsite | reviewer | review.passed | review_opinion | unit +chief
fail_review | review.onsite | reviewer | rectification.executing | review_opinion renewed_notice urge_order | unit department +chief
report_fraud | review.onsite | reviewer | accountability.referred | review_opinion | chief department +director +leader +superior
report_fraud | lookback.inspecting | reviewer | accountability.referred | review_opinion | chief department +director +leader +superior
write_off | review.passed | chief | lookback.watching | write_off_slip | unit department
refuse_write_off | review.passed | chief | review.desk | return_slip | officer
propose_commendation | review.passed | officer | commendation.proposed | | chief
announce_commendation | commendation.proposed | chief | commendation.publicity | public_notice | unit leader +director
decline_commendation | commendation.proposed | chief | review.passed | | officer
decline_commendation | commendation.publicity | director | review.passed | | officer
confirm_commendation | commendation.publicity | director | lookback.watching | praise write_off_slip | unit department leader
""")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row) -> None:
    check(row)


NOT_DONE = {**JUDGED, "items": [{"status": "phase_done", "text": "half"}]}
ONE_FAILED = {"items": [{"text": "x", "verdict": "pass"}, {"text": "y", "verdict": "fail"}]}
NONE_PASSED = {"items": [{"text": "y", "verdict": "fail"}]}
GUARDS: list[tuple[str, str, str, dict[str, Any], dict[str, Any], str]] = [
    ("return_rectification", "review.desk", "officer", {"new_date": "2026-03-02"}, {}, "new_date_in_future"),
    ("assign_review", "review.desk", "chief", {"reviewers": ["wang.li"]}, {}, "two_reviewers"),
    ("assign_review", "review.desk", "chief", {"reviewers": ["wang.li", "wang.li"]}, {}, "two_reviewers"),
    ("assign_review", "review.desk", "chief", {"reviewers": ["wang.li", "nobody"]}, {}, "known_people"),
    ("assign_review", "review.desk", "chief", {"reviewers": ["wang.li", "kin"]}, {}, "none_recused"),
    ("assign_review", "review.desk", "chief", {"reviewers": ["wang.li", "teacher"]}, {}, "reviewers_of_the_office"),
    ("pass_desk", "review.desk", "officer", {}, {"severity": "major"}, "needs_onsite"),
    ("pass_desk", "review.desk", "officer", {}, {"danger_to_life": True}, "needs_onsite"),
    ("pass_desk", "review.desk", "officer", {}, {"relapse_count": 1}, "needs_onsite"),
    ("pass_desk", "review.desk", "officer", {}, {"sheet": {"failures": 1}}, "needs_onsite"),
    ("pass_review", "review.onsite", "reviewer", ONE_FAILED, {}, "every_item_passes"),
    ("pass_review", "review.onsite", "reviewer", {"signed_by": ["nobody"]}, {}, "known_people"),
    ("pass_partly", "review.onsite", "reviewer", {}, {}, "long_term"),
    ("pass_partly", "review.onsite", "reviewer", NONE_PASSED, {"long_term": True}, "phase_reached"),
    ("pass_partly", "review.onsite", "reviewer", {"new_date": "2026-03-02"}, {"long_term": True}, "new_date_in_future"),
    ("fail_review", "review.onsite", "reviewer", {"new_date": "2026-03-02"}, {}, "new_date_in_future"),
    ("report_fraud", "review.onsite", "reviewer", {"proof": ["A-9"]}, {}, "files_attached"),
    ("write_off", "review.passed", "chief", {}, {"sheet": {"reviewed_by": ["chief"]}}, "not_a_reviewer"),
    ("write_off", "review.passed", "chief", {}, {"sheet": {"report": NOT_DONE}}, "every_item_done"),
    ("propose_commendation", "review.passed", "officer", {}, {"sheet": {"was_overdue": True}}, "never_overdue"),
    ("propose_commendation", "review.passed", "officer", {}, {"relapse_count": 1}, "no_relapse"),
    ("announce_commendation", "commendation.proposed", "chief", {"notice_to": "2026-07-17"}, {}, "notice_long_enough"),
    ("announce_commendation", "commendation.proposed", "chief", {"notice_from": "2026-03-01"}, {}, "notice_long_enough"),
    ("confirm_commendation", "commendation.publicity", "director", {}, {"sheet": {"reviewed_by": ["director"]}}, "not_a_reviewer"),
    ("confirm_commendation", "commendation.publicity", "director", {}, {"sheet": {"commendation": {"notice_to": "2026-03-02"}}},
     "notice_over"),
    ("confirm_commendation", "commendation.publicity", "director", {}, {"dispute": "filed"}, "objections_answered"),
    ("confirm_commendation", "commendation.publicity", "director", {}, {"sheet": {"report": NOT_DONE}}, "every_item_done"),
]  # fmt: skip
KNOWN = replace(
    FACTS,
    people={
        **FACTS.people,
        "kin": PersonFact("kin", "kin", "Kin", frozenset({"inspector"}), "her child's school"),
        "teacher": PersonFact("teacher", "teacher", "Teacher"),
    },
)


@pytest.mark.parametrize(("action", "state", "who", "payload", "columns", "guard"), GUARDS)
def test_guard(action: str, state: str, who: str, payload: dict[str, Any], columns: dict[str, Any], guard: str) -> None:
    assert refused(action, finding(state, **columns), who, payload, facts=KNOWN) == guard


@pytest.mark.parametrize(
    ("action", "state", "who"),
    [("write_off", "review.passed", "chief"), ("confirm_commendation", "commendation.publicity", "director")],
)
def test_an_unanswered_tip_off_holds_the_write_off(action: str, state: str, who: str) -> None:
    assert refused(action, finding(state), who, facts=replace(FACTS, tip_offs=1)) == "no_open_tip_off"


def test_a_unit_held_to_account_is_not_commended() -> None:
    facts = replace(FACTS, accountable_on=date(2025, 6, 1))
    assert (
        refused("propose_commendation", finding("review.passed"), "officer", facts=facts) == "no_recent_accountability"
    )


# ---- reviewers --------------------------------------------------------------------------------------------------------


def test_reviewers_are_named_and_the_former_released() -> None:
    former = {"reviewers": ["former", "former2"], "reviewed_by": ["former", "former2"]}
    decision = take("assign_review", finding("review.onsite", sheet=former), "chief")
    assert sheet(decision, "reviewers") == ["wang.li", "zhao.min"]
    assert decision.parts == (("reviewer", "wang.li"), ("reviewer", "zhao.min"))
    assert decision.left_parts == {"reviewer"}
    assert set(sheet(decision, "reviewed_by")) == {"former", "former2", "wang.li", "zhao.min"}


def test_whoever_judges_may_not_write_off() -> None:
    desk = take("pass_desk", finding("review.desk"), "officer").after
    assert "officer" in desk.sheet["reviewed_by"]
    site = take("pass_review", finding("review.onsite", sheet={"reviewed_by": []}), "reviewer").after
    assert site.sheet["reviewed_by"] == ["wang.li"]


SIGNING = [
    ("pass_review", {}),
    ("pass_partly", {"long_term": True}),
    ("fail_review", {}),
]


@pytest.mark.parametrize(("action", "columns"), SIGNING)
def test_only_the_reviewers_of_this_visit_sign_and_whoever_hands_in_is_one_of_them(
    action: str, columns: dict[str, Any]
) -> None:
    one = finding("review.onsite", **columns)
    for signed_by in (["wang.li", "sun.jie"], ["sun.jie"], ["zhao.min"]):
        assert refused(action, one, "reviewer", {"signed_by": signed_by}) == "signed_by_reviewers"
    assert sheet(take(action, one, "reviewer", {"signed_by": ["wang.li"]}), "review")["signed_by"] == ["wang.li"]
    earlier = finding("review.onsite", sheet={"reviewers": ["wang.li", "sun.jie"]}, **columns)
    assert refused(action, earlier, "reviewer", {"signed_by": ["wang.li", "zhao.min"]}) == "signed_by_reviewers"


# ---- whose it is ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "source", "who", "rule", "owner", "waits_for"),
    [
        ("return_report", "report.submitted", "chief", "report_due", "author", "inspector"),
        ("assign_review", "review.desk", "chief", "review_due", "reviewer", "inspector"),
        ("refuse_write_off", "review.passed", "chief", "review_due", "officer,chief", "officer,chief"),
        ("notice_interview", "interview.proposed", "chief", "interview_time", "chair", "chief"),
        ("open_lookback", "lookback.watching", "chief", "lookback_due", "reviewer", "inspector"),
    ],
)
def test_a_person_named_for_it_owes_the_step_and_the_finding_shows_their_role(
    action: str, source: str, who: str, rule: str, owner: str, waits_for: str
) -> None:
    after = take(action, without(finding(source), "lookback"), who).after
    assert [(t.rule, t.owner) for t in after.timers if t.rule == rule] == [(rule, owner)]
    assert (after.due_rule, after.waits_for) == (rule, waits_for)


def test_a_visit_for_which_nobody_is_named_waits_for_the_inspectors() -> None:
    nobody = replace(FACTS, office={})
    after = take("open_lookback", without(finding("lookback.watching"), "lookback"), "chief", facts=nobody).after
    assert [(t.rule, t.owner) for t in after.timers] == [("lookback_due", "inspector")]


# ---- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_returned_report_starts_no_round() -> None:
    after = take("return_rectification", finding("review.desk"), "officer").after
    assert (after.round, after.sheet["rectify_by"], after.sheet["report"]["status"]) == (1, "2026-07-31", "returned")


def test_the_first_failure_is_an_order_and_a_new_round() -> None:
    one = finding("review.onsite", level=1, sheet={"extension": {"granted": 2}})
    after = take("fail_review", one, "reviewer").after
    assert (after.state, after.level, after.round) == ("rectification.executing", 3, 2)
    assert (after.sheet["failures"], after.sheet["rectify_by"], after.sheet["extension"]) == (1, "2026-08-31", {})
    assert after.sheet["report"]["status"] == "judged"


def test_the_second_failure_proposes_an_interview() -> None:
    decision = take("fail_review", finding("review.onsite", sheet={"failures": 1}), "reviewer")
    assert (decision.target, decision.after.level, decision.after.round) == ("interview.proposed", 4, 2)
    assert told(decision) == {"unit", "department", "chief", "leader"}
    assert papers(decision) == ["review_opinion", "renewed_notice", "urge_order"]
    dropped = take("drop", decision.after, "chief", {"rectify_by": None})
    assert (dropped.target, dropped.after.level) == ("rectification.executing", 3)


def test_a_write_off_starts_the_count_of_failures_anew() -> None:
    after = take(
        "write_off", finding("review.passed", level=5, sheet={"failures": 1, "date_set_by": "interview"}), "chief"
    ).after
    assert (after.level, after.sheet["failures"], after.sheet["date_set_by"]) == (0, 0, "")
    assert after.written_off_at == at("2026-03-02")


def test_a_phase_goal_brings_the_level_down_to_three() -> None:
    for level, expected in ((6, 3), (3, 3), (1, 1)):
        decision = take("pass_partly", finding("review.onsite", long_term=True, level=level), "reviewer")
        assert (decision.target, decision.after.level, decision.after.round) == ("rectification.executing", expected, 1)
        assert told(decision) == {"unit", "department"}
        assert papers(decision) == ["review_opinion"]


def test_fraud_is_level_six_and_keeps_its_proof() -> None:
    decision = take("report_fraud", finding("review.onsite"), "reviewer")
    assert decision.after.level == 6
    assert sheet(decision, "accountability") == {"circumstances": ["NC_DECEIVE"], "proof": ["A-1"]}


def test_the_superior_learns_of_the_write_off_of_its_own_finding() -> None:
    decision = take("write_off", finding("review.passed", sheet={"source": "superior"}), "chief")
    assert told(decision) == {"unit", "department", "superior"}


def test_a_refused_write_off_is_judged_again() -> None:
    after = take("refuse_write_off", finding("review.passed"), "chief").after
    assert after.sheet["report"]["status"] == "handed_in"


# ---- commendation -----------------------------------------------------------------------------------------------------


def test_something_to_commend_is_archived_or_withdrawn() -> None:
    praise = finding("commendation.publicity", positive=True, sheet={"report": {}})
    confirmed = take("confirm_commendation", praise, "director")
    assert (confirmed.target, papers(confirmed)) == ("archived", ["praise"])
    assert confirmed.after.written_off_at == at("2026-03-02")
    assert confirmed.after.timers == ()
    shown = {"published": [{"what": "public_notice", "on": "2026-02-20"}]}
    declined = take("decline_commendation", finding("commendation.publicity", positive=True, sheet=shown), "chief")
    assert declined.target == "withdrawn"
    assert [t.rule for t in declined.after.timers] == ["take_down_due"]


def test_the_notice_is_published() -> None:
    decision = take("announce_commendation", finding("commendation.proposed"), "chief")
    assert sheet(decision, "published") == [{"what": "public_notice", "on": "2026-03-02"}]
    assert decision.after.due_at == due("2026-07-20")


def test_confirming_writes_off() -> None:
    after = take(
        "confirm_commendation", finding("commendation.publicity", level=2, sheet={"decision": DECISION}), "director"
    ).after
    assert (after.level, after.written_off_at) == (0, at("2026-03-02"))
