"""Report and feedback, row by row: what each action changes, and which guard refuses it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.rows import Row, check, rows
from tests.values import FACTS, NOW, TEAM, at, finding, refused, sheet, take, timer, told

ROWS = rows("""
amend | report.draft | author | = | |
amend | report.draft | officer | = | |
submit_report | report.draft | inspector | report.submitted | report_item | chief
submit_report | report.draft | officer | report.submitted | report_item | chief
return_report | report.submitted | chief | report.draft | | author
approve_report | report.submitted | chief | feedback.preliminary | preliminary_opinion | unit
issue_on_the_spot | report.draft | inspector | rectification.executing | inspector_opinion | unit officer
discard | report.draft | author | withdrawn | |
defend | feedback.preliminary | unit | feedback.defence | defence | officer
waive_defence | feedback.preliminary | unit | feedback.drafting | | officer
defence_lapsed | feedback.preliminary | system | feedback.drafting | | officer
defend | feedback.drafting | unit | feedback.defence | defence | officer
weigh_defence | feedback.defence | officer | feedback.drafting | defence_answer | unit
withdraw | report.submitted | chief | withdrawn | withdrawal | +officer
withdraw | feedback.preliminary feedback.defence feedback.drafting feedback.served | chief | withdrawn | withdrawal | unit department +officer
withdraw | rectification.planning review.passed commendation.proposed bulletin.issued | director | withdrawn | withdrawal | unit department +officer
serve_opinion | feedback.drafting | chief | feedback.served | opinion_letter rectification_notice | unit department superior
acknowledge | feedback.served | unit | rectification.planning | receipt | officer
deem_served | feedback.served | system | rectification.planning | receipt | officer +unit
""")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row) -> None:
    check(row)


def opening(payload: dict[str, Any] | None = None, **more: Any) -> Any:
    unborn = replace(
        finding("report.draft"), state="", sheet={}, timers=(), version=0, severity="", category="", title=""
    )
    return take("open", unborn, more.pop("who", "inspector"), payload, **more)


def test_open_takes_the_fields_over() -> None:
    decision = opening({"legal_basis": [{"title": "law"}]}, now=NOW)
    after = decision.after
    assert (decision.source, decision.target, after.version) == ("", "report.draft", 1)
    assert (after.title, after.category, after.severity, after.level, after.round) == (
        "教学楼消防通道堵塞", "campus_safety", "major", 0, 1,
    )  # fmt: skip
    assert sheet(decision, "found_on") == "2026-03-02"
    assert sheet(decision, "facts") == [{"no": 1, "text": "二层东侧疏散通道堆放课桌椅"}]
    assert decision.parts == (("author", "inspector2"),)
    assert told(decision) == {"chief"}
    assert not after.served


def test_a_day_of_discovery_left_out_is_today_and_never_in_the_future() -> None:
    assert sheet(opening({"found_on": None}), "found_on") == "2026-03-02"
    with pytest.raises(Exception, match="must not lie in the future"):
        opening({"found_on": "2026-03-03"})


def test_the_kind_is_that_of_the_supervision() -> None:
    decision = opening({"supervision": "sup", "kind": "routine"}, facts=replace(FACTS, supervision=TEAM))
    assert (decision.after.kind, decision.after.supervision_id) == ("special", "sup")


@pytest.mark.parametrize(
    ("facts", "payload", "guard"),
    [
        (replace(FACTS, unit=None), {}, "unit_in_scope"),
        (replace(FACTS, unit=replace(FACTS.unit, region=("CN", "33", "3302"))), {}, "unit_in_scope"),  # type: ignore[type-var]
        (replace(FACTS, recused="kin"), {}, "not_recused"),
        (FACTS, {"supervision": "sup"}, "supervision_known"),
    ],
)
def test_open_is_refused(facts: Any, payload: dict[str, Any], guard: str) -> None:
    unborn = replace(finding("report.draft"), state="", sheet={}, timers=(), version=0)
    assert refused("open", unborn, "officer", payload, facts=facts) == guard


GUARDS: list[tuple[str, str, str, dict[str, Any], dict[str, Any], str]] = [
    ("submit_report", "report.draft", "officer", {}, {"sheet": {"facts": []}}, "facts_and_basis"),
    ("submit_report", "report.draft", "officer", {}, {"sheet": {"legal_basis": []}}, "facts_and_basis"),
    ("approve_report", "report.submitted", "chief", {}, {"sheet": {"author": "chief"}}, "not_the_author"),
    ("approve_report", "report.submitted", "chief", {}, {"kind": "special"}, "team_of_three"),
    ("approve_report", "report.submitted", "chief", {}, {"kind": "comprehensive"}, "team_of_three"),
    ("approve_report", "report.submitted", "chief", {"severity": "major"}, {}, "one_step_up"),
    ("approve_report", "report.submitted", "chief", {"fed_back_on": "2026-03-03"}, {}, "fed_back_on_not_in_future"),
    ("approve_report", "report.submitted", "chief", {"fed_back_on": "2020-03-02"}, {}, "fed_back_on_not_before_discovery"),
    ("issue_on_the_spot", "report.draft", "inspector", {}, {"kind": "special"}, "routine_and_normal"),
    ("issue_on_the_spot", "report.draft", "inspector", {}, {"severity": "major"}, "routine_and_normal"),
    ("issue_on_the_spot", "report.draft", "inspector", {"rectify_by": "2026-04-03"}, {}, "within_spot_limit"),
    ("issue_on_the_spot", "report.draft", "inspector", {"rectify_by": "2026-03-02"}, {}, "rectify_by_in_future"),
    ("urgent_order", "report.draft", "inspector", {}, {}, "danger_to_life"),
    ("discard", "report.draft", "author", {}, {"served": True}, "never_served"),
    ("defend", "feedback.drafting", "unit", {}, {"sheet": {"defence": {"late": True}}}, "late_defence_once"),
    ("defend", "feedback.preliminary", "unit", {"attachments": ["A-9"]}, {}, "files_attached"),
    ("serve_opinion", "feedback.drafting", "chief", {}, {"kind": "special"}, "team_consent"),
    ("serve_opinion", "feedback.drafting", "chief", {"consent": {"agreed": 3, "of": 5}}, {"kind": "special"}, "team_consent"),
    ("serve_opinion", "feedback.drafting", "chief", {"consent": {"agreed": 6, "of": 5}}, {"kind": "special"}, "team_consent"),
    ("serve_opinion", "feedback.drafting", "chief", {"rectify_by": "2026-03-02"}, {}, "rectify_by_in_future"),
    ("serve_opinion", "feedback.drafting", "chief", {"rectify_by": "2026-03-26"}, {}, "rectify_by_after_plan"),
    ("acknowledge", "feedback.served", "unit", {"received_on": "2026-03-03"}, {}, "received_between_service_and_today"),
    ("acknowledge", "feedback.served", "unit", {"received_on": "2026-02-26"}, {}, "received_between_service_and_today"),
]  # fmt: skip


@pytest.mark.parametrize(("action", "state", "who", "payload", "columns", "guard"), GUARDS)
def test_guard(action: str, state: str, who: str, payload: dict[str, Any], columns: dict[str, Any], guard: str) -> None:
    allowed = {"fed_back_on": "2026-03-02"} if action == "approve_report" else {}
    assert refused(action, finding(state, **columns), who, {**allowed, **payload}) == guard


def test_a_substitute_does_not_approve_what_they_recorded_for_another() -> None:
    one = finding("report.submitted", sheet={"author": "somebody", "authors": ["chief", "somebody"]})
    assert refused("approve_report", one, "chief", {"fed_back_on": "2026-03-02"}) == "not_the_author"


def test_a_team_of_three_and_two_thirds_of_it_suffice() -> None:
    facts = replace(FACTS, supervision=TEAM)
    approve = next(row for row in ROWS if row.action == "approve_report")
    assert check(approve, facts=facts, kind="special").after.kind == "special"
    one, consent = finding("feedback.drafting", kind="special"), {"consent": {"agreed": 2, "of": 3}}
    served = take("serve_opinion", one, "chief", consent, facts=facts)
    assert sheet(served, "opinion")["consent"] == {"agreed": 2, "of": 3}


@pytest.mark.parametrize("kind", ["special", "comprehensive"])
@pytest.mark.parametrize(("agreed", "of"), [(2, 2), (4, 4), (3, 4), (1, 3)])
def test_consent_is_counted_over_the_whole_team(kind: str, agreed: int, of: int) -> None:
    facts, consent = replace(FACTS, supervision=TEAM), {"consent": {"agreed": agreed, "of": of}}
    assert (
        refused("serve_opinion", finding("feedback.drafting", kind=kind), "chief", consent, facts=facts)
        == "team_consent"
    )
    assert (
        take("serve_opinion", finding("feedback.drafting"), "chief", consent, facts=facts).target == "feedback.served"
    )


def test_without_a_supervision_in_force_consent_is_that_of_three_at_least() -> None:
    one = finding("feedback.drafting", kind="special")
    assert refused("serve_opinion", one, "chief", {"consent": {"agreed": 2, "of": 2}}) == "team_consent"
    assert take("serve_opinion", one, "chief", {"consent": {"agreed": 2, "of": 3}}).target == "feedback.served"


def test_something_to_commend_goes_to_commendation() -> None:
    decision = take(
        "approve_report", finding("report.submitted", positive=True), "chief", {"fed_back_on": "2026-03-02"}
    )
    assert decision.target == "commendation.proposed"
    assert decision.after.served


def test_a_repeat_starts_at_level_three_and_may_rise_one_step() -> None:
    facts = replace(FACTS, repeat_of="LOOP-2025-0007")
    one = finding("report.submitted")
    raised = take("approve_report", one, "chief", {"fed_back_on": "2026-03-02", "severity": "major"}, facts=facts)
    assert (raised.after.severity, raised.after.level) == ("major", 3)
    assert sheet(raised, "repeat_of") == "LOOP-2025-0007"
    assert take("approve_report", one, "chief", {"fed_back_on": "2026-03-02"}, facts=facts).after.severity == "normal"
    two = {"fed_back_on": "2026-03-02", "severity": "grave"}
    assert refused("approve_report", one, "chief", two, facts=facts) == "one_step_up"
    praise = take("approve_report", replace(one, positive=True), "chief", {"fed_back_on": "2026-03-02"}, facts=facts)
    assert praise.after.level == 0


def test_an_opinion_on_the_spot_needs_no_plan_and_can_be_disputed() -> None:
    decision = take("issue_on_the_spot", finding("report.draft"), "inspector")
    assert decision.after.served
    assert sheet(decision, "plan_required") is False
    assert sheet(decision, "opinion")["received_on"] == "2026-03-02"
    assert [(a["key"], a["kind"], a["signers"]) for a in sheet(decision, "acts")] == [
        ("opinion#21", "opinion", ["inspector2"])
    ]
    held = finding("interview.held", sheet={"plan_required": False, "plan": {}})
    assert refused("submit_plan", held, "unit", {"finish_on": "2026-03-10"}) == "no_plan_accepted"


@pytest.mark.parametrize(
    "state", ["report.draft", "rectification.executing", "accountability.deciding", "lookback.inspecting"]
)
def test_an_urgent_order_changes_no_state_and_tells_everybody(state: str) -> None:
    decision = take("urgent_order", finding(state, danger_to_life=True), "inspector")
    assert decision.target == state
    assert told(decision) == {"unit", "department", "chief", "leader"}
    assert [p.kind for p in decision.papers] == ["on_site_record"]
    assert decision.after.served


def test_amend_replaces_what_is_given_and_leaves_the_rest() -> None:
    decision = take("amend", finding("report.draft"), "author", {"severity": "grave", "title": None})
    assert (decision.after.severity, decision.after.title) == ("grave", "Blocked corridor")
    assert sheet(decision, "legal_basis") == [{"title": "law"}]


# ---- feedback ---------------------------------------------------------------------------------------------------------


def test_a_late_defence_is_taken_once_and_flagged() -> None:
    decision = take("defend", finding("feedback.drafting"), "unit")
    assert decision.remarks["late"] is True
    assert sheet(decision, "defence")["late"] is True
    assert "late" not in take("defend", finding("feedback.preliminary"), "unit").remarks


def test_every_ground_is_answered_and_no_other() -> None:
    grounds = [{"no": 1, "text": "a"}, {"no": 2, "text": "b"}]
    one = finding("feedback.defence", sheet={"defence": {"grounds": grounds}})
    answer = {"text": "so", "ground_no": 1}
    assert refused("weigh_defence", one, "officer", {"reasons": [answer]}) == "every_ground_answered"
    strange = [answer, {"text": "so", "ground_no": 2}, {"text": "so", "ground_no": 3}]
    assert refused("weigh_defence", one, "officer", {"reasons": strange}) == "every_ground_answered"
    weighed = take("weigh_defence", one, "officer", {"reasons": strange[:2], "outcome": "rejected"})
    assert sheet(weighed, "defence")["outcome"] == "rejected"


@pytest.mark.parametrize(
    ("kind", "plan_due"), [("school", "2026-03-26"), ("department", "2026-04-07"), ("government", "2026-04-07")]
)
def test_the_date_to_rectify_lies_after_the_day_the_plan_is_due(kind: str, plan_due: str) -> None:
    """Served today, received three working days later at the latest, the plan fifteen working or thirty days after."""
    one, who = finding("feedback.drafting", unit_kind=kind), "director" if kind == "government" else "chief"
    assert refused("serve_opinion", one, who, {"rectify_by": plan_due}) == "rectify_by_after_plan"
    next_day = plan_due[:-1] + str(int(plan_due[-1]) + 1)
    assert take("serve_opinion", one, who, {"rectify_by": next_day}).target == "feedback.served"
    assert take("serve_opinion", one, who, {"rectify_by": None}).after.sheet["rectify_by"] is None


def test_receipt_opens_the_act_with_its_signers() -> None:
    one = finding("feedback.served", sheet={"acts": []})
    by_hand = take("acknowledge", one, "unit", {"received_on": "2026-02-28"})
    assert sheet(by_hand, "opinion")["received_on"] == "2026-02-28"
    assert sheet(by_hand, "acts")[0]["signers"] == ["chief2"]
    assert by_hand.parts == (("signer", "chief2"),)
    deemed = take("deem_served", one, "system", now=at("2026-03-05 23:59"))
    assert sheet(deemed, "opinion")["received_on"] == "2026-03-05"
    assert sheet(deemed, "opinion")["deemed"] is True


def test_withdrawal_ends_level_disputes_and_publications() -> None:
    shown = {"published": [{"what": "opinion_letter", "document": "D-letter", "on": "2026-02-01"}]}
    one = finding("rectification.executing", timer("objection_decide"), sheet=shown, dispute="filed", level=4)
    after = take("withdraw", one, "director").after
    assert (after.state, after.dispute, after.level) == ("withdrawn", "final", 0)
    assert [t.rule for t in after.timers] == ["take_down_due"]
    quiet = take("withdraw", finding("rectification.executing"), "director").after
    assert quiet.timers == ()
