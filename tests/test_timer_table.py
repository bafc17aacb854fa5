"""The contract's table of timers, transition by transition: what stops, what starts and when it is due, what is kept.

All happens on Monday 2 March 2026: 3 wd are Thursday 5 March, 5 wd 9 March, 10 wd 16 March, 15 wd 23 March, 20 wd 30 March;
10 d are 12 March, 30 d 1 April, 60 d 1 May and so, after the holiday, 6 May.
"""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.rows import PAYLOADS
from tests.values import DECISION, FORMS, PLAN, REPORT, SHEETS, at, finding, kept, started, stopped, take, timer

MORE: dict[str, tuple[str, ...]] = {
    "rectification.executing": ("extension_decide",),
    "accountability.referred": ("opinion_issue",),
    "accountability.investigating": ("opinion_issue",),
    "accountability.notified": ("opinion_issue",),
    "accountability.deciding": ("opinion_issue",),
    "accountability.decided": ("opinion_issue",),
}
SIDE = ("instruction_reply", "transfer_result", "publish_due")
TABLE = """
submit_report | report.draft | officer | report_due | report_review=2026-03-09 |
return_report | report.submitted | chief | report_review | report_due=2026-03-12 |
issue_on_the_spot | report.draft | inspector | report_due | rectify_by=2026-03-16 monthly_report=2026-04-02 opinion_window=2026-03-12 |
approve_report | report.submitted | chief | report_review | defence=2026-03-12 opinion_issue=2026-04-01 |
defend | feedback.preliminary | unit | defence | | opinion_issue
waive_defence | feedback.preliminary | unit | defence | | opinion_issue
defence_lapsed | feedback.preliminary | system | defence | | opinion_issue
weigh_defence | feedback.defence | officer | | | opinion_issue
defend | feedback.drafting | unit | | | opinion_issue
serve_opinion | feedback.drafting | chief | opinion_issue | acknowledge=2026-03-05 |
acknowledge | feedback.served | unit | acknowledge | plan_due=2026-03-23 opinion_window=2026-03-12 publish_due=2026-03-30 | -publish_due
deem_served | feedback.served | system | acknowledge | plan_due=2026-03-23 opinion_window=2026-03-12 publish_due=2026-03-30 | -publish_due
change_unit | report.draft | chief | | | report_due
change_unit | feedback.preliminary | chief | defence opinion_issue | defence=2026-03-12 opinion_issue=2026-04-01 |
change_unit | feedback.defence feedback.drafting | chief | opinion_issue | defence=2026-03-12 opinion_issue=2026-04-01 |
change_unit | feedback.served | chief | acknowledge publish_due | acknowledge=2026-03-05 | -publish_due
change_unit | rectification.planning | chief | plan_due publish_due | acknowledge=2026-03-05 | -publish_due
change_unit | rectification.executing | chief | rectify_by monthly_report milestone extension_decide publish_due | acknowledge=2026-03-05 | -publish_due
change_unit | review.onsite | chief | review_due publish_due | acknowledge=2026-03-05 | -publish_due
submit_plan | rectification.planning | unit | plan_due | plan_review=2026-03-09 |
return_plan | rectification.plan_review | officer | plan_review | plan_resubmit=2026-03-09 |
accept_plan | rectification.plan_review | officer | plan_review | rectify_by=2026-04-30 monthly_report=2026-04-02 milestone=2026-03-20 |
report_progress | rectification.executing | unit | | | rectify_by monthly_report milestone extension_decide
grant_extension | rectification.executing | chief | extension_decide rectify_by | rectify_by=2026-04-20 | monthly_report milestone
refuse_extension | rectification.executing | chief | extension_decide | | rectify_by monthly_report milestone
submit_rectification | rectification.executing | unit | rectify_by monthly_report milestone extension_decide | review_due=2026-03-16 |
assign_review | review.desk | chief | | | review_due
assign_review | review.onsite | chief | | | review_due
return_rectification | review.desk | officer | review_due | rectify_by=2026-07-31 monthly_report=2026-04-02 milestone=2026-03-20 |
fail_review | review.onsite | reviewer | review_due | rectify_by=2026-08-31 monthly_report=2026-04-02 milestone=2026-03-20 |
pass_desk | review.desk | officer | review_due | write_off=2026-03-09 |
pass_review | review.onsite | reviewer | review_due | write_off=2026-03-09 |
refuse_write_off | review.passed | chief | write_off | review_due=2026-03-16 |
write_off | review.passed | chief | write_off | lookback=2026-06-01+2026-08-31 |
propose_commendation | review.passed | officer | write_off | commendation_review=2026-03-09 |
announce_commendation | commendation.proposed | chief | commendation_review | publicity=2026-07-20 |
decline_commendation | commendation.proposed | chief | commendation_review | write_off=2026-03-09 |
decline_commendation | commendation.publicity | chief | publicity | write_off=2026-03-09 |
confirm_commendation | commendation.publicity | director | publicity | lookback=2026-06-01+2026-08-31 |
propose_interview | rectification.planning | chief | plan_due | interview_decide=2026-03-05 |
propose_interview | rectification.executing | chief | rectify_by monthly_report milestone extension_decide | interview_decide=2026-03-05 |
propose_interview | review.onsite | chief | review_due | interview_decide=2026-03-05 |
propose_bulletin | rectification.executing | chief | rectify_by monthly_report milestone extension_decide | bulletin_decide=2026-03-09 |
propose_bulletin | interview.noticed | chief | interview_time | bulletin_decide=2026-03-09 |
refer | rectification.executing | chief | rectify_by monthly_report milestone extension_decide | group_due=2026-05-06 |
refer | report.submitted | chief | report_review | group_due=2026-05-06 |
refer | feedback.preliminary | chief | defence | group_due=2026-05-06 | opinion_issue
refer | feedback.drafting | chief | | group_due=2026-05-06 | opinion_issue
refer | feedback.served | chief | acknowledge | group_due=2026-05-06 |
refer | bulletin.issued | chief | bulletin_answer | group_due=2026-05-06 |
report_fraud | review.onsite | reviewer | review_due | group_due=2026-05-06 |
submit_plan | interview.proposed | unit | | | interview_decide
submit_rectification | bulletin.issued | unit | | | bulletin_answer
report_progress | accountability.investigating | unit | | | investigation_due opinion_issue
notice_interview | interview.proposed | chief | interview_decide | interview_time=2026-07-13 |
postpone_interview | interview.noticed | chief | interview_time | interview_time=2026-07-16 |
hold_interview | interview.noticed | chief | interview_time | interview_file=2026-03-09 |
issue_bulletin | bulletin.drafted | chief | bulletin_decide | bulletin_answer=2026-03-16 |
form_group | accountability.referred | director | group_due | investigation_due=2026-05-06 | opinion_issue
form_group | accountability.investigating | director | | | investigation_due opinion_issue
serve_notice | accountability.investigating | chief | investigation_due | accountability_defence=2026-03-09 | opinion_issue
state_defence | accountability.notified | unit | accountability_defence | decision_due=2026-03-23 | opinion_issue
defence_lapsed | accountability.notified | system | accountability_defence | decision_due=2026-03-23 | opinion_issue
state_defence | accountability.deciding | unit | | | decision_due opinion_issue
return_to_group | accountability.deciding | director | decision_due | investigation_due=2026-05-06 | opinion_issue
decide_accountability | accountability.deciding | director | decision_due | execution_report=2026-04-01 reconsider_window=2026-04-01 appeal_window=2026-03-17 | opinion_issue
open_lookback | lookback.watching | chief | | lookback_due=2026-03-16 | lookback
waive_lookback | lookback.watching | chief | lookback | archive_due=2026-03-16 |
confirm_held | lookback.inspecting | inspector | lookback_due | archive_due=2026-03-16 |
reopen | archived | chief | | rectify_by=2027-03-31 monthly_report=2026-04-02 milestone=2026-03-20 |
discard | report.draft | author | report_due | |
withdraw | feedback.served | chief | acknowledge publish_due | | -publish_due
withdraw | rectification.executing | director | rectify_by monthly_report milestone extension_decide publish_due | | -publish_due
instruct | review.desk | leader | | instruction_reply=2026-04-10 | review_due
transfer | review.desk | chief | | transfer_result=2026-04-01 | review_due
comment | review.desk | officer | | | review_due
"""


@dataclass(frozen=True)
class Row:
    action: str
    state: str
    who: str
    stopped: set[str]
    started: dict[str, str]
    kept: set[str]

    def __str__(self) -> str:
        return f"{self.action} from {self.state}"


def table() -> list[Row]:
    found = []
    for line in TABLE.strip().splitlines():
        action, states, who, ends, begins, stays = (part.strip() for part in line.split("|"))
        fresh = {name: day.replace("+", " ") for name, day in (one.split("=") for one in begins.split())}
        gone = {"publish_due"} if "-publish_due" in stays else set()
        side = set(SIDE) - gone
        stay = {name for name in stays.split() if not name.startswith("-")} | side
        found += [
            Row(action, state, who, set(ends.split()) | (gone & set(ends.split())), fresh, stay)
            for state in states.split()
        ]
    return found


PENDING = {"extension": {"pending": {"new_date": "2026-04-20"}}}
SPECIAL: dict[str, dict[str, Any]] = {
    "grant_extension": PENDING,
    "refuse_extension": PENDING,
    "submit_plan": {"plan": {"status": "returned"}},
}


@pytest.mark.parametrize("row", table(), ids=str)
def test_what_stops_starts_and_stays(row: Row) -> None:
    extra = [timer(rule) for rule in MORE.get(row.state, ())]
    fresh = {"publish_due"} & set(row.started)
    extra += [timer(rule, note="1") for rule in SIDE if rule not in fresh]
    one = finding(row.state, *extra, sheet=SPECIAL.get(row.action))
    payload = {
        **PAYLOADS.get(row.action, {}),
        **({"new_date": "2026-04-20"} if row.action == "grant_extension" else {}),
    }
    decision = take(row.action, one, row.who, payload)
    assert stopped(decision) == row.stopped
    assert started(decision, one) == row.started
    assert kept(decision, one) == row.kept


# ---- back, in all its branches ------------------------------------------------------------------------------------------

RETURNS = [
    ("file_interview", "interview.held", "officer", "interview_file"),
    ("answer_bulletin", "bulletin.issued", "unit", "bulletin_answer"),
    ("finish_accountability", "accountability.decided", "chief", "execution_report"),
]
WORK = {"rectify_by": "2026-04-30", "monthly_report": "2026-04-02", "milestone": "2026-03-20"}
DONE = {"decision": {"forms": [{**FORMS[0], "result": "done"}]}}
BRANCHES: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("plan in", {"plan": {**PLAN, "status": "handed_in"}}, {"plan_review": "2026-03-09"}),
    ("report in", {"report": REPORT}, {"review_due": "2026-03-16"}),
    ("no plan accepted", {"plan": {}}, {"plan_resubmit": "2026-03-09"}),
    ("at work", {}, WORK),
    ("at work, the date has passed", {"rectify_by": "2026-02-20"}, {**WORK, "rectify_by": "2026-03-09"}),
    ("at work, the date is too near", {"rectify_by": "2026-03-06"}, {**WORK, "rectify_by": "2026-03-09"}),
    ("at work, no date set", {"rectify_by": None}, {**WORK, "rectify_by": "2026-04-01"}),
]


@pytest.mark.parametrize(("why", "topics", "begins"), BRANCHES)
@pytest.mark.parametrize(("action", "state", "who", "ends"), RETURNS)
def test_back(
    action: str, state: str, who: str, ends: str, why: str, topics: dict[str, Any], begins: dict[str, str]
) -> None:
    one = finding(state, timer("instruction_reply", note="1"), sheet={**DONE, **topics})
    decision = take(action, one, who)
    assert stopped(decision) == {ends}
    assert started(decision, one) == begins
    assert kept(decision, one) == {"instruction_reply"}


DROPS = [
    ("report.submitted", {"report_review": "2026-03-09"}),
    ("feedback.preliminary", {"defence": "2026-03-12", "opinion_issue": "2026-04-01"}),
    ("feedback.served", {"acknowledge": "2026-03-05"}),
    ("rectification.planning", {"plan_resubmit": "2026-03-09"}),
    ("rectification.executing", WORK),
    ("review.onsite", {"review_due": "2026-03-16"}),
    ("review.passed", {"write_off": "2026-03-09"}),
    ("commendation.proposed", {"commendation_review": "2026-03-09"}),
    ("commendation.publicity", {"publicity": "2026-03-20"}),
    ("interview.proposed", {"interview_decide": "2026-03-05"}),
    ("interview.noticed", {"interview_time": "2026-03-11"}),
    ("interview.held", {"interview_file": "2026-03-09"}),
    ("bulletin.drafted", {"bulletin_decide": "2026-03-09"}),
    ("bulletin.issued", {"bulletin_answer": "2026-03-16"}),
    ("lookback.inspecting", {"lookback_due": "2026-03-16"}),
]


@pytest.mark.parametrize(("left", "begins"), DROPS)
def test_drop_starts_the_timer_of_the_state_left_afresh(left: str, begins: dict[str, str]) -> None:
    sheet = {
        **SHEETS[left], "left": [{"state": left, "level": 1}], "report": {}, "opinion": SHEETS[left].get("opinion", {}),
        "commendation": {"notice_from": "2026-03-10", "notice_to": "2026-03-20"},
    }  # fmt: skip
    one = finding("accountability.referred", sheet=sheet)
    decision = take("drop", one, "director", {"rectify_by": None})
    assert decision.target == left
    assert (stopped(decision), started(decision, one)) == ({"group_due"}, begins)


@pytest.mark.parametrize(
    ("left", "begins"),
    [("feedback.preliminary", {"defence": "2026-03-12"}), ("feedback.defence", {}), ("feedback.drafting", {})],
)
def test_the_time_to_issue_the_opinion_runs_on_through_an_accountability(left: str, begins: dict[str, str]) -> None:
    one = finding(left)
    referred = take("refer", one, "chief").after
    decision = take("drop", referred, "director", {"rectify_by": None})
    assert started(decision, referred) == begins
    assert kept(decision, referred) == {"opinion_issue"}


# ---- particular dates ---------------------------------------------------------------------------------------------------


def test_the_defence_counts_from_the_day_of_feedback() -> None:
    one = finding("report.submitted")
    decision = take("approve_report", one, "chief", {"fed_back_on": "2026-02-27"})
    assert started(decision, one) == {"defence": "2026-03-09", "opinion_issue": "2026-03-30"}
    moved = take("change_unit", finding("feedback.drafting"), "chief", {"fed_back_on": "2026-02-27"})
    assert started(moved, finding("feedback.drafting"))["defence"] == "2026-03-09"


@pytest.mark.parametrize(
    ("kind", "day"), [("school", "2026-03-19"), ("department", "2026-03-30"), ("government", "2026-03-30")]
)
def test_the_plan_counts_from_receipt(kind: str, day: str) -> None:
    """Saturday 28 February is worked, to make up for the Spring Festival."""
    one = finding("feedback.served", unit_kind=kind, sheet={"planned": None})
    decision = take("acknowledge", one, "unit", {"received_on": "2026-02-27"})
    assert started(decision, one)["plan_due"] == day


@pytest.mark.parametrize(
    ("columns", "day"),
    [
        ({}, "2026-04-01"),
        ({"severity": "major"}, "2026-06-01"),
        ({"severity": "grave"}, "2026-06-01"),
        ({"long_term": True}, "2026-08-31"),
    ],
)
def test_where_no_date_was_set_work_lasts_30_90_or_180_days_from_here(columns: dict[str, Any], day: str) -> None:
    one = finding("rectification.plan_review", sheet={"rectify_by": None}, **columns)
    decision = take("accept_plan", one, "chief" if "severity" in columns else "officer")
    assert started(decision, one)["rectify_by"] == day


@pytest.mark.parametrize(("new_date", "day"), [("2026-03-04", "2026-03-09"), ("2026-03-15", "2026-03-15")])
def test_a_new_date_leaves_five_working_days_and_is_not_moved_off_a_sunday(new_date: str, day: str) -> None:
    one = finding("review.onsite")
    decision = take("fail_review", one, "reviewer", {"new_date": new_date})
    assert started(decision, one)["rectify_by"] == day


def test_the_second_failure_starts_the_interview_and_nothing_else() -> None:
    one = finding("review.onsite", sheet={"failures": 1})
    decision = take("fail_review", one, "reviewer")
    assert (stopped(decision), started(decision, one)) == ({"review_due"}, {"interview_decide": "2026-03-05"})


def test_a_phase_passed_goes_on_to_the_next_date() -> None:
    one = finding("review.onsite", long_term=True)
    decision = take("pass_partly", one, "reviewer")
    assert started(decision, one) == {**WORK, "rectify_by": "2026-12-31"}


def test_a_no_show_stops_the_time_of_the_interview() -> None:
    one = finding("interview.noticed")
    decision = take("record_no_show", one, "chief", now=at("2026-03-10"))
    assert (stopped(decision), started(decision, one)) == ({"interview_time"}, {"bulletin_decide": "2026-03-17"})


@pytest.mark.parametrize(
    ("columns", "day"),
    [
        ({}, {"rectify_by", "monthly_report", "milestone"}),
        ({"severity": "grave"}, {"interview_decide"}),
        ({"sheet": {"decision": DECISION}}, {"group_due"}),
    ],
)
def test_a_relapse_stops_every_point(columns: dict[str, Any], day: set[str]) -> None:
    one = finding("lookback.inspecting", timer("lookback", "2026-08-31"), **columns)
    decision = take("relapse", one, "inspector")
    assert stopped(decision) == {"lookback_due", "lookback"}
    assert set(started(decision, one)) == day


def test_withdrawal_keeps_what_third_parties_are_owed_and_takes_down_what_was_published() -> None:
    rules = (
        "instruction_reply",
        "transfer_result",
        "opinion_window",
        "objection_decide",
        "reconsider_window",
        "correction",
    )
    shown = {"published": [{"what": "opinion_letter", "on": "2026-02-20"}]}
    one = finding("rectification.planning", *(timer(rule, note="1") for rule in rules), sheet=shown)
    decision = take("withdraw", one, "director")
    assert kept(decision, one) == {"instruction_reply", "transfer_result"}
    assert started(decision, one) == {"take_down_due": "2026-03-05"}


def test_archiving_stops_all() -> None:
    stale = [timer("opinion_window", "2026-02-10"), timer("publish_due"), timer("take_down_due")]
    one = finding("lookback.watching", timers=(timer("archive_due"), *stale))
    assert take("archive", one, "system").after.timers == ()


def test_taking_over() -> None:
    unborn = replace(finding("report.draft"), state="", sheet={}, timers=(), version=0)
    running = take("take_over", unborn, "officer", {"received_on": "2026-02-26", "rectify_by": "2026-04-15"})
    assert started(running, unborn) == {
        "rectify_by": "2026-04-15", "monthly_report": "2026-04-02", "opinion_window": "2026-03-09",
    }  # fmt: skip
    late = take("take_over", unborn, "officer", {"letter_no": None, "rectify_by": "2026-01-15"})
    assert started(late, unborn) == {"rectify_by": "2026-03-09", "monthly_report": "2026-04-02"}
    watched = take("take_over", unborn, "officer", {"written_off_on": "2026-02-02", "rectify_by": None})
    assert started(watched, unborn) == {"lookback": "2026-05-06 2026-08-03"}


def test_opening_counts_from_the_day_of_discovery() -> None:
    unborn = replace(finding("report.draft"), state="", sheet={}, timers=(), version=0)
    decision = take("open", unborn, "officer", {"found_on": "2026-02-27"})
    assert started(decision, unborn) == {"report_due": "2026-03-09"}
