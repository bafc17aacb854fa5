"""Rectification, row by row: plan, progress, extension, report."""

from typing import Any

import pytest

from tests.rows import Row, check, rows
from tests.values import OPINION, PLAN, at, finding, papers, refused, sheet, take, timer, told, without

PENDING = {"extension": {"pending": {"new_date": "2026-05-20"}}}
ROWS = rows("""
submit_plan | rectification.planning | unit | rectification.plan_review | plan | officer department
return_plan | rectification.plan_review | officer | rectification.planning | return_slip | unit department
accept_plan | rectification.plan_review | officer | rectification.executing | plan_approval | unit
report_progress | rectification.executing interview.proposed bulletin.issued accountability.decided | unit | = | monthly_report | officer
request_extension | rectification.executing | unit | = | extension_request | officer department +chief
submit_rectification | rectification.executing | unit | review.desk | rectification_report | officer
submit_rectification | interview.held bulletin.issued accountability.deciding | unit | = | rectification_report | officer
""")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row) -> None:
    check(row)


@pytest.mark.parametrize("state", ["interview.proposed", "bulletin.drafted", "accountability.referred"])
def test_a_plan_handed_in_under_pressure_waits_to_be_judged(state: str) -> None:
    one = finding(state, sheet={"plan": {"status": "returned"}})
    decision = take("submit_plan", one, "unit", {"finish_on": "2026-04-30"})
    assert decision.target == state
    assert sheet(decision, "plan")["status"] == "handed_in"
    assert papers(decision) == ["plan"]
    assert told(decision) == {"officer", "department"}


def full(**changes: Any) -> dict[str, Any]:
    item = {"demand_no": 1, "problem": "p", "task": "t", "measure": "m", "responsible": "r", "due": "2026-04-01"}
    return {"items": [item | changes], "finish_on": "2026-04-30"}


GUARDS: list[tuple[str, str, dict[str, Any], dict[str, Any], str]] = [
    ("submit_plan", "accountability.referred", full(), {"sheet": {"opinion": {}}}, "opinion_received"),
    ("submit_plan", "interview.held", full(), {}, "no_plan_accepted"),
    ("submit_plan", "rectification.planning", full(demand_no=2), {}, "every_demand_covered"),
    *(
        ("submit_plan", "rectification.planning", full(**{name: None if name == "due" else ""}), {}, "five_lists_complete")
        for name in ("problem", "task", "measure", "responsible", "due")
    ),
    ("submit_plan", "rectification.planning", full() | {"finish_on": "2026-05-01"}, {}, "finish_within_limit"),
    ("request_extension", "rectification.executing", {}, {"danger_to_life": True}, "not_danger_to_life"),
    ("request_extension", "rectification.executing", {}, {"sheet": PENDING}, "no_extension_pending"),
    ("request_extension", "rectification.executing", {}, {"sheet": {"extension": {"granted": 2}}}, "two_extensions_at_most"),
    ("request_extension", "rectification.executing", {"new_date": "2026-03-02"}, {}, "within_extension_limit"),
    ("submit_rectification", "rectification.executing", {"items": [{"status": "done", "text": "x"}]}, {}, "each_measure_evidenced"),
    ("submit_rectification", "rectification.executing", {}, {"sheet": {"plan": {**PLAN, "items": [*PLAN["items"], *PLAN["items"]]}}},
     "each_measure_evidenced"),
    ("submit_rectification", "rectification.executing", {"items": [{"status": "done", "text": "x", "evidence": ["A-9"]}]}, {},
     "each_measure_evidenced"),
    ("submit_rectification", "interview.held", {}, {"sheet": {"plan": {"status": "returned"}}}, "plan_accepted"),
    ("submit_rectification", "rectification.executing", {"attachments": ["A-9"]}, {}, "files_attached"),
    ("report_progress", "rectification.executing", {"attachments": ["A-9"]}, {}, "files_attached"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "state", "payload", "columns", "guard"), GUARDS)
def test_guard(action: str, state: str, payload: dict[str, Any], columns: dict[str, Any], guard: str) -> None:
    assert refused(action, finding(state, **columns), "unit", payload) == guard


@pytest.mark.parametrize(
    ("columns", "last"),
    [({}, "2026-04-01"), ({"severity": "major"}, "2026-06-01"), ({"severity": "grave"}, "2026-06-01"), ({"long_term": True}, "2026-08-31")],
)  # fmt: skip
def test_without_a_date_set_the_plan_ends_within_30_90_or_180_days(columns: dict[str, Any], last: str) -> None:
    """Thirty, ninety and a hundred and eighty days from 2 March: 1 April; 31 May, a Sunday; 29 August, a Saturday."""
    one = finding("rectification.planning", sheet={"rectify_by": None}, **columns)
    assert take("submit_plan", one, "unit", full() | {"finish_on": last}).target == "rectification.plan_review"
    after = last[:-1] + str(int(last[-1]) + 1) if last != "2026-08-31" else "2026-09-01"
    assert refused("submit_plan", one, "unit", full() | {"finish_on": after}) == "finish_within_limit"


def test_all_demands_must_be_covered_one_by_one() -> None:
    two = {"opinion": {**OPINION, "demands": [{"no": 1, "text": "a"}, {"no": 2, "text": "b"}]}}
    assert (
        refused("submit_plan", finding("rectification.planning", sheet=two), "unit", full()) == "every_demand_covered"
    )
    both = full()["items"] + full(demand_no=2)["items"]
    one = finding("rectification.planning", sheet=two)
    assert (
        take("submit_plan", one, "unit", {"items": both, "finish_on": "2026-04-30"}).target
        == "rectification.plan_review"
    )


def test_late_papers_are_accepted_and_flagged() -> None:
    late = at("2026-07-01")
    plan = take("submit_plan", finding("rectification.planning"), "unit", full(), now=late)
    report = take("submit_rectification", finding("rectification.executing"), "unit", now=late)
    for decision in (plan, report):
        assert decision.remarks["late"] is True
        assert sheet(decision, "was_overdue") is True
    assert "late" not in take("submit_rectification", finding("rectification.executing"), "unit").remarks


def test_what_was_overdue_when_pressure_began_is_late_there_too() -> None:
    overdue = finding("rectification.executing")
    proposed = take("propose_interview", overdue, "chief", now=at("2026-07-01")).after
    report = take("submit_rectification", proposed, "unit", now=at("2026-07-02"))
    assert report.remarks["late"] is True
    early = take("propose_interview", overdue, "chief", now=at("2026-03-10")).after
    assert "late" not in take("submit_rectification", early, "unit", now=at("2026-03-11")).remarks
    noticed = take("notice_interview", proposed, "chief", now=at("2026-07-02")).after
    held = take("hold_interview", noticed, "chief", now=at("2026-07-10")).after
    assert "late" not in take("submit_rectification", held, "unit", now=at("2026-07-31")).remarks
    assert take("submit_rectification", held, "unit", now=at("2026-08-03")).remarks["late"] is True


# ---- returned plans ---------------------------------------------------------------------------------------------------


def test_the_third_return_is_the_chiefs_and_an_order() -> None:
    one = finding("rectification.plan_review", sheet={"plan_returns": 1})
    second = take("return_plan", one, "officer")
    assert (sheet(second, "plan_returns"), second.after.level) == (2, 0)
    third = take("return_plan", finding("rectification.plan_review", sheet={"plan_returns": 2}), "chief")
    assert papers(third) == ["return_slip", "urge_order"]
    assert told(third) == {"unit", "department", "chief"}
    assert third.after.level == 3
    assert sheet(third, "plan")["status"] == "returned"


@pytest.mark.parametrize(("severity", "waits_for"), [("normal", "officer"), ("major", "chief"), ("grave", "chief")])
def test_a_plan_waits_for_whoever_judges_it(severity: str, waits_for: str) -> None:
    decision = take("submit_plan", finding("rectification.planning", severity=severity), "unit", full())
    assert decision.after.waits_for == waits_for
    judged = take("accept_plan", decision.after, waits_for)
    assert (judged.target, sheet(judged, "plan")["status"]) == ("rectification.executing", "accepted")


# ---- extensions -------------------------------------------------------------------------------------------------------


def test_an_extension_is_asked_for_before_the_date_only() -> None:
    one = finding("rectification.executing")
    assert refused("request_extension", one, "unit", now=at("2026-04-02")) == "before_rectify_by"
    asked = take("request_extension", one, "unit", now=at("2026-04-01"))
    assert sheet(asked, "extension")["pending"]["new_date"] == "2026-07-20"


def test_one_must_be_pending_to_be_answered() -> None:
    for action in ("grant_extension", "refuse_extension"):
        assert refused(action, finding("rectification.executing"), "chief") == "extension_pending"


def test_an_extension_is_at_most_thirty_days_beyond_the_date() -> None:
    one = finding("rectification.executing", timer("extension_decide"), sheet=PENDING)
    assert refused("grant_extension", one, "chief", {"new_date": "2026-05-07"}) == "within_extension_limit"
    assert refused("grant_extension", one, "chief", {"new_date": "2026-04-01"}) == "within_extension_limit"
    granted = take("grant_extension", one, "chief", {"new_date": "2026-05-06"})
    assert sheet(granted, "extension") == {"pending": None, "granted": 1}
    assert sheet(granted, "rectify_by") == "2026-05-06"
    assert papers(granted) == ["extension_reply"]
    assert told(granted) == {"unit", "department"}


def test_a_refusal_leaves_the_count() -> None:
    one = finding("rectification.executing", timer("extension_decide"), sheet=PENDING)
    decision = take("refuse_extension", one, "chief")
    assert sheet(decision, "extension") == {"pending": None}
    assert papers(decision) == ["extension_reply"]
    assert told(decision) == {"unit", "department"}


@pytest.mark.parametrize("action", ["submit_rectification", "propose_interview", "propose_bulletin", "refer"])
def test_a_request_ends_when_the_finding_moves_on(action: str) -> None:
    one = finding("rectification.executing", timer("extension_decide"), sheet=PENDING)
    decision = take(action, one, "unit" if action == "submit_rectification" else "chief")
    assert sheet(decision, "extension")["pending"] is None
    assert "extension_decide" not in {t.rule for t in decision.after.timers}


def test_without_a_timer_the_request_is_still_taken() -> None:
    assert take("request_extension", without(finding("rectification.executing"), "rectify_by"), "unit").target
