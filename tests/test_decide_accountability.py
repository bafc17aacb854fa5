"""Accountability and look-back, row by row."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from loop.kernel.errors import GuardFailed
from tests.rows import PAYLOADS, Row, check, rows
from tests.values import ACTS, DECISION, FORMS, JUDGED, NOW, at, finding, papers, refused, sheet, take, timer, told

ROWS = rows("""
form_group | accountability.referred | director | accountability.investigating | group_notice | member
form_group | accountability.investigating | director | = | group_notice | member
serve_notice | accountability.investigating | chief | accountability.notified | determination prior_notice | unit
state_defence | accountability.notified | unit | accountability.deciding | statement | officer
state_defence | accountability.deciding | unit | = | statement | officer
defence_lapsed | accountability.notified | system | accountability.deciding | | officer
return_to_group | accountability.deciding | director | accountability.investigating | | member
decide_accountability | accountability.deciding | director | accountability.decided | decision | unit department superior
record_execution | accountability.decided | officer | = | execution_receipt | chief
open_lookback | lookback.watching | system | lookback.inspecting | lookback_notice | reviewer
open_lookback | lookback.watching | superior | lookback.inspecting | lookback_notice | reviewer
confirm_held | lookback.inspecting | inspector | lookback.watching | lookback_record | unit officer
relapse | lookback.inspecting | inspector | rectification.executing | lookback_record renewed_notice | unit department leader +chief
waive_lookback | lookback.watching | chief | = | sample_record | officer
reopen | archived | chief | rectification.executing | reopening | unit department
reopen | archived | superior | rectification.executing | reopening | unit department
""")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row) -> None:
    check(row)


@pytest.mark.parametrize("who", ["system", "officer"])
def test_archive(who: str) -> None:
    one = finding("lookback.watching")
    decision = take("archive", finding("lookback.watching", timers=()), who)
    assert (decision.target, papers(decision), told(decision)) == ("archived", ["file_list"], {"officer"})
    assert refused("archive", one, who) == "lookbacks_done"


GUARDS: list[tuple[str, str, str, dict[str, Any], dict[str, Any], str]] = [
    ("form_group", "accountability.referred", "director", {"members": ["wang.li", "zhao.min"]}, {}, "three_members"),
    ("form_group", "accountability.referred", "director", {"members": ["wang.li", "wang.li", "zhao.min"]}, {}, "three_members"),
    ("form_group", "accountability.referred", "director", {"members": ["wang.li", "zhao.min", "nobody"]}, {}, "known_people"),
    ("form_group", "accountability.referred", "director", {"members": ["wang.li", "zhao.min", "sun.jie", "outsider"]}, {},
     "members_of_the_office"),
    ("serve_notice", "accountability.investigating", "chief", {"facts": [{"text": "x"}]}, {}, "each_fact_proven"),
    ("serve_notice", "accountability.investigating", "chief", {"facts": [{"text": "x", "evidence": ["A-9"]}]}, {}, "each_fact_proven"),
    ("serve_notice", "accountability.investigating", "chief", {"intended_forms": ["F_NONE"]}, {}, "known_forms"),
    ("serve_notice", "accountability.investigating", "chief", {"received_on": "2020-03-02"}, {}, "received_on_within_the_stage"),
    ("serve_notice", "accountability.investigating", "chief", {"received_on": "2026-03-03"}, {}, "received_on_within_the_stage"),
    ("state_defence", "accountability.notified", "unit", {"attachments": ["A-9"]}, {}, "files_attached"),
    ("decide_accountability", "accountability.deciding", "director",
     {"forms": [{"form": "F_RESOURCE", "subject_type": "unit", "subject": "s", "executor": "e"}]}, {}, "noticed_and_lawful"),
    ("decide_accountability", "accountability.deciding", "director",
     {"forms": [{"form": "F_BULLETIN", "subject_type": "person", "subject": "s", "executor": "e"}]}, {}, "noticed_and_lawful"),
    ("decide_accountability", "accountability.deciding", "director", {"aggravating": ["AG_NONE"]}, {}, "known_factors"),
    ("decide_accountability", "accountability.deciding", "director", {"mitigating": ["MI_NONE"]}, {}, "known_factors"),
    ("decide_accountability", "accountability.deciding", "director", {"rectify_by": "2026-03-02"}, {}, "rectify_by_in_future"),
    ("decide_accountability", "accountability.deciding", "director", {"received_on": "2020-03-02"}, {}, "received_on_within_the_stage"),
    ("record_execution", "accountability.decided", "officer", {"form": "F_BULLETIN"}, {}, "form_in_decision"),
    ("finish_accountability", "accountability.decided", "chief", {}, {}, "every_form_executed"),
    ("open_lookback", "lookback.watching", "chief", {"reviewers": ["nobody"]}, {}, "known_people"),
    ("open_lookback", "lookback.watching", "chief", {"reviewers": ["wang.li", "outsider"]}, {}, "reviewers_of_the_office"),
    ("confirm_held", "lookback.inspecting", "inspector", {"evidence": ["A-9"]}, {}, "files_attached"),
    ("relapse", "lookback.inspecting", "inspector", {"rectify_by": "2026-03-02"}, {}, "rectify_by_in_future"),
    ("waive_lookback", "lookback.watching", "chief", PAYLOADS["waive_lookback"], {"severity": "major"}, "normal_only"),
    ("waive_lookback", "lookback.watching", "chief", PAYLOADS["waive_lookback"], {"timers": ()}, "lookback_to_come"),
    ("waive_lookback", "lookback.watching", "chief", {}, {}, "not_drawn"),
    ("archive", "lookback.watching", "officer", {}, {"timers": (), "dispute": "filed"}, "no_dispute"),
    ("archive", "lookback.watching", "officer", {}, {"timers": (timer("opinion_window", "2026-03-02"),)}, "no_dispute"),
    ("archive", "lookback.watching", "system", {}, {"timers": (timer("instruction_reply", note="1"),)}, "nothing_unanswered"),
    ("archive", "lookback.watching", "system", {}, {"timers": (timer("transfer_result", note="1"),)}, "nothing_unanswered"),
    ("reopen", "archived", "chief", {"rectify_by": "2026-03-02"}, {}, "rectify_by_in_future"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "state", "who", "payload", "columns", "guard"), GUARDS)
def test_guard(action: str, state: str, who: str, payload: dict[str, Any], columns: dict[str, Any], guard: str) -> None:
    assert refused(action, finding(state, **columns), who, payload) == guard


# ---- accountability ---------------------------------------------------------------------------------------------------


def test_the_group_is_named_anew() -> None:
    decision = take("form_group", finding("accountability.investigating"), "director")
    assert [who for part, who in decision.parts if part == "member"] == ["wang.li", "zhao.min", "sun.jie"]
    assert decision.left_parts == {"member"}


def test_a_late_statement_is_flagged_and_moves_nothing() -> None:
    late = take("state_defence", finding("accountability.deciding"), "unit")
    assert (late.target, late.remarks["late"], sheet(late, "statement")["late"]) == (
        "accountability.deciding",
        True,
        True,
    )
    assert "late" not in take("state_defence", finding("accountability.notified"), "unit").remarks


def test_a_decision_is_recorded_as_an_act_that_can_be_disputed() -> None:
    decision = take("decide_accountability", finding("accountability.deciding", level=6), "director")
    assert decision.after.accountable_on == date(2026, 10, 12)
    assert sheet(decision, "acts")[-1] == {
        "key": "decision#21", "kind": "decision", "signers": ["director"], "disputed": False, "appealed": False,
    }  # fmt: skip
    assert sheet(decision, "decision")["before"] == {"level": 3, "date_set_by": ""}
    assert (sheet(decision, "rectify_by"), sheet(decision, "date_set_by")) == ("2026-11-30", "decision")
    assert decision.after.level == 6


def test_a_form_lawful_for_its_subject_and_told_before_may_be_decided() -> None:
    both = [
        {"form": "F_PUBLIC_CRITICISM", "subject_type": "department", "subject": "s", "executor": "e"},
        {"form": "F_BULLETIN", "subject_type": "unit", "subject": "s", "executor": "e"},
    ]
    assert take("decide_accountability", finding("accountability.deciding"), "director", {"forms": both}).target


def test_results_are_recorded_for_each_executor() -> None:
    sanction = {"form": "F_SANCTION", "subject_type": "person"}
    forms = [{**sanction, "subject": "a", "executor": "org"}, {**sanction, "subject": "b", "executor": "discipline"}]
    one = finding("accountability.decided", sheet={"decision": {**DECISION, "forms": forms}})
    first = take("record_execution", one, "officer", {"form": "F_SANCTION", "executor": "org"})
    assert [f.get("result") for f in sheet(first, "decision")["forms"]] == ["已在全区通报", None]
    assert refused("finish_accountability", first.after, "chief") == "every_form_executed"
    second = take("record_execution", first.after, "officer", {"form": "F_SANCTION", "executor": "discipline"})
    finished = take("finish_accountability", second.after, "chief")
    assert finished.target == "rectification.executing"
    assert told(finished) == {"unit", "director"}
    assert papers(finished) == []


def test_a_dropped_clue_after_notice_tells_the_unit() -> None:
    one = take("return_to_group", finding("accountability.deciding"), "director").after
    assert told(take("drop", one, "director")) == {"proposer", "unit"}


# ---- look-back --------------------------------------------------------------------------------------------------------


def test_an_announced_look_back_tells_the_unit() -> None:
    decision = take("open_lookback", finding("lookback.watching"), "chief", {"unannounced": None})
    assert told(decision) == {"reviewer", "unit"}
    assert sheet(decision, "reviewers") == ["inspector", "inspector2"]
    named = take("open_lookback", finding("lookback.watching"), "chief", {"reviewers": ["wang.li"]})
    assert named.parts == (("reviewer", "wang.li"),)


@pytest.mark.parametrize(
    ("columns", "target", "level"),
    [
        ({}, "rectification.executing", 0),
        ({"severity": "major"}, "interview.proposed", 4),
        ({"severity": "grave"}, "interview.proposed", 4),
        ({"sheet": {"decision": DECISION}}, "accountability.referred", 6),
        ({"severity": "grave", "sheet": {"decision": DECISION}}, "accountability.referred", 6),
        (
            {"sheet": {"decision": {**DECISION, "forms": [{**FORMS[0], "cancelled": True}]}}},
            "rectification.executing",
            0,
        ),
        ({"sheet": {"earlier_decisions": [DECISION]}}, "accountability.referred", 6),
    ],
)
def test_a_relapse_weighs_by_severity_and_by_what_was_decided(columns: dict[str, Any], target: str, level: int) -> None:
    decision = take("relapse", finding("lookback.inspecting", **columns), "inspector")
    after = decision.after
    assert (decision.target, after.level, after.round, after.relapse_count) == (target, level, 2, 1)
    assert after.written_off_at.year == 9999
    extra = {"director", "superior"} if target.startswith("accountability") else set()
    assert told(decision) == {"unit", "department", "leader", "chief"} | extra
    if target != "rectification.executing":
        dropped = take("drop", after, "director" if extra else "chief", {"rectify_by": None})
        assert (dropped.target, dropped.after.level) == ("rectification.executing", 0)


def test_fraud_found_while_looking_back_can_be_dropped_without_a_trace_on_the_write_off() -> None:
    fraud = take("report_fraud", finding("lookback.inspecting"), "reviewer").after
    assert fraud.written_off_at.year == 9999
    dropped = take("drop", fraud, "director", {"rectify_by": None})
    assert (dropped.target, dropped.after.level, dropped.after.written_off_at) == (
        "lookback.inspecting",
        0,
        at("2026-01-20"),
    )


def test_only_who_is_not_drawn_is_waived() -> None:
    one = finding("lookback.watching")
    draw = dict(PAYLOADS["waive_lookback"]["draw"])
    assert refused("waive_lookback", one, "chief", {"draw": {**draw, "percent": 100}}) == "not_drawn"
    assert refused("waive_lookback", one, "chief", {"draw": {**draw, "from_on": "2026-01-21"}}) == "not_drawn"
    outcomes = set()
    for seed in map(str, range(40)):
        try:
            outcomes.add(take("waive_lookback", one, "chief", {"draw": {**draw, "seed": seed, "percent": 50}}).target)
        except GuardFailed:
            outcomes.add("drawn")
    assert outcomes == {"lookback.watching", "drawn"}


def test_reopening_begins_a_round() -> None:
    after = take("reopen", finding("archived"), "chief").after
    assert (after.round, after.sheet["rectify_by"], after.level) == (2, "2027-03-31", 0)
    assert after.written_off_at.year == 9999
    planless = take("reopen", finding("archived", sheet={"plan": {}}), "chief")
    assert planless.target == "rectification.planning"


# ---- taking over ------------------------------------------------------------------------------------------------------


def taken(**payload: Any) -> Any:
    unborn = replace(finding("report.draft"), state="", sheet={}, timers=(), version=0, place=finding("archived").place)
    return take("take_over", unborn, "chief", payload, now=NOW)


def test_what_runs_already_is_taken_over_without_a_plan() -> None:
    decision = taken()
    assert decision.target == "rectification.executing"
    assert decision.after.served
    assert told(decision) == {"unit"}
    assert sheet(decision, "plan_required") is False
    assert [a["kind"] for a in sheet(decision, "acts")] == ["opinion"]
    assert sheet(taken(letter_no=None), "acts") is None


def test_what_is_written_off_already_is_watched() -> None:
    decision = taken(rectify_by=None, written_off_on="2026-02-10")
    assert decision.target == "lookback.watching"
    assert (decision.after.written_off_at.date(), decision.after.level) == (date(2026, 2, 10), 0)


def test_taking_over_needs_a_basis() -> None:
    unborn = replace(finding("report.draft"), state="", sheet={}, timers=(), version=0)
    assert refused("take_over", unborn, "officer", {"source": "", "letter_no": None}) == "basis_of_taking_over"
    assert refused("take_over", unborn, "officer", {"written_off_on": "2026-03-03"}) == "written_off_on_not_in_future"


def test_a_judged_report_stays_judged() -> None:
    after = take("relapse", finding("lookback.inspecting", sheet={"report": JUDGED, "acts": ACTS}), "inspector").after
    assert after.sheet["report"]["status"] == "judged"
