"""The dispute: windows, deciders, verdicts, and what each leaves of the course."""

from dataclasses import replace
from typing import Any

import pytest

from tests.disputes import APPEAL, BOTH, EXECUTING, RECONSIDER, WINDOW, disputed, model
from tests.rows import Row, rows
from tests.values import (
    ACTS,
    DECISION,
    DECISION_ACT,
    FACTS,
    FORMS,
    NOW,
    OPINION,
    at,
    due,
    finding,
    kept,
    papers,
    person,
    refused,
    running,
    sheet,
    started,
    stopped,
    take,
    timer,
    told,
)  # fmt: skip

# ---- object -------------------------------------------------------------------------------------------------------------


def test_an_objection_within_its_window() -> None:
    one = finding(EXECUTING, WINDOW)
    decision = take("object", one, "unit")
    assert (decision.source, decision.target, decision.after.state) == ("none", "filed", EXECUTING)
    assert (papers(decision), told(decision)) == (["objection"], {"officer", "chief"})
    assert (stopped(decision), started(decision, one)) == ({"opinion_window"}, {"objection_decide": "2026-04-01"})
    assert kept(decision, one) == {"rectify_by", "monthly_report", "milestone"}
    assert sheet(decision, "acts")[0]["disputed"] is True
    assert decision.remarks == {}


def test_a_request_for_reconsideration_within_its_window() -> None:
    one = finding("accountability.decided", RECONSIDER, APPEAL)
    decision = take("object", one, "unit", {"act": "decision"})
    assert (papers(decision), told(decision)) == (["reconsideration"], {"officer", "director"})
    assert stopped(decision) == {"reconsider_window", "appeal_window"}
    assert started(decision, one) == {"reconsider_decide": "2026-04-01"}


@pytest.mark.parametrize("timers", [(), (WINDOW,)])
def test_a_late_objection_is_recorded_and_refused_with_its_reason(timers: tuple[Any, ...]) -> None:
    one = finding(EXECUTING, *timers)
    decision = take("object", one, "unit", now=at("2026-03-13"))
    assert (decision.target, decision.remarks) == ("none", {"late": True, "refused": "window over"})
    assert (papers(decision), told(decision)) == (["not_admitted"], {"officer", "chief", "unit"})
    assert started(decision, one) == {}
    assert sheet(decision, "acts")[0]["disputed"] is False


def test_the_last_second_of_the_window_is_in_time() -> None:
    assert take("object", finding(EXECUTING, WINDOW), "unit", now=due("2026-03-12")).target == "filed"


@pytest.mark.parametrize(
    ("acts", "payload"),
    [
        ([], {}),
        (ACTS, {"act": "decision"}),
        ([{**ACTS[0], "disputed": True}], {}),
        ([{**ACTS[0], "waits": ["opinion_window"]}], {}),
    ],
)
def test_an_act_is_disputed_once_and_in_its_turn(acts: list[Any], payload: dict[str, Any]) -> None:
    one = finding(EXECUTING, WINDOW, sheet={"acts": acts})
    assert refused("object", one, "unit", payload) == "act_can_be_disputed"


def test_the_window_of_another_act_waits_and_then_opens_in_full() -> None:
    one = finding("accountability.decided", WINDOW, RECONSIDER, APPEAL)
    filed = take("object", one, "unit")
    assert stopped(filed) == {"opinion_window", "reconsider_window", "appeal_window"}
    assert sheet(filed, "acts")[1]["waits"] == ["reconsider_window", "appeal_window"]
    assert (
        refused("object", replace(filed.after, dispute="final"), "unit", {"act": "decision"}) == "act_can_be_disputed"
    )
    dismissed = take("dismiss", filed.after, "chief", now=at("2026-03-20"))
    assert started(dismissed, filed.after) == {"reconsider_window": "2026-04-20", "appeal_window": "2026-04-07"}
    assert take("object", dismissed.after, "unit", {"act": "decision"}, now=at("2026-04-20")).target == "filed"


def test_a_window_that_was_over_does_not_open_again() -> None:
    """The direct appeal lapsed on 17 March, the reconsideration was still possible."""
    filed = take(
        "object",
        finding(
            "accountability.decided", timer("opinion_window", note="opinion#5", due_on="2026-03-25"), RECONSIDER, APPEAL
        ),
        "unit",
        now=at("2026-03-20"),
    ).after
    dismissed = take("dismiss", filed, "chief", now=at("2026-03-23"))
    assert started(dismissed, filed) == {"reconsider_window": "2026-04-22"}


@pytest.mark.parametrize("dispute", ["filed", "decided", "appealed"])
def test_an_act_served_while_a_dispute_is_open_waits(dispute: str) -> None:
    acts = {"acts": BOTH, "dispute": {"act": "decision#9", "kind": "decision"}}
    one = finding("feedback.served", dispute=dispute, sheet=acts)
    received = take("acknowledge", one, "unit", {"received_on": "2026-03-02"})
    assert "opinion_window" not in running(received)
    assert sheet(received, "acts")[-1]["waits"] == ["opinion_window"]
    one = finding("accountability.deciding", dispute=dispute, sheet={"acts": ACTS, "dispute": {"act": "opinion#5"}})
    decided = take("decide_accountability", one, "director")
    assert set(running(decided)) == {"execution_report"}
    assert sheet(decided, "acts")[-1]["waits"] == ["reconsider_window", "appeal_window"]


# ---- verdicts -----------------------------------------------------------------------------------------------------------

ROWS = rows("""
dismiss | opinion-filed | chief | final | objection_decision | unit +officer +department
vary | opinion-filed | chief | final | objection_decision | unit +officer +department
annul | opinion-filed | chief | final | objection_decision | unit +officer +department
dismiss | decision-filed | director | decided | reconsideration_decision | unit +officer +department
vary | decision-filed | director | decided | reconsideration_decision | unit +officer +department
annul | decision-filed | director | final | reconsideration_decision | unit +officer +department
dismiss | decision-appealed | superior | final | appeal_decision | unit +officer +department
vary | decision-appealed | superior | final | appeal_decision | unit +officer +department
annul | decision-appealed | superior | final | appeal_decision | unit +officer +department
retract | decision-filed | unit | final | retraction | officer
retract | decision-appealed | unit | final | retraction | officer
appeal | decision-decided | unit | appealed | appeal | +officer superior
dispute_lapsed | decision-decided | system | final | | +officer +unit
""")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row) -> None:
    kind, state = row.source.split("-")
    decision = take(row.action, disputed(kind, state), row.who, {"act": kind} if row.action == "appeal" else {})
    assert (decision.source, decision.target) == (state, row.target)
    assert (papers(decision), told(decision)) == (row.papers, row.told)
    assert not {"objection_decide", "reconsider_decide"} & set(running(decision))


def test_where_the_model_knows_an_appeal_against_an_opinion() -> None:
    one = disputed("opinion")
    for action in ("dismiss", "vary"):
        decision = take(action, one, "chief", rules=model(opinion_appeal=True))
        assert (decision.target, started(decision, one)["appeal_window"]) == ("decided", "2026-03-17")
    assert take("annul", one, "chief", rules=model(opinion_appeal=True)).target == "final"
    appealed = take(
        "appeal", take("dismiss", one, "chief", rules=model(opinion_appeal=True)).after, "unit", {"act": "opinion"}
    )
    assert appealed.target == "appealed"


def test_the_signer_never_decides() -> None:
    signed = {"acts": [{**ACTS[0], "signers": ["chief"]}]}
    assert refused("dismiss", disputed("opinion", sheet=signed), "chief") == "decider"
    other = person("chief2", "chief")
    assert take("dismiss", disputed("opinion", sheet=signed), other).target == "final"
    only = replace(FACTS, office={**FACTS.office, "chief": frozenset({"chief"})})
    assert refused("dismiss", disputed("opinion", sheet=signed), "chief", facts=only) == "decider"
    assert take("dismiss", disputed("opinion", sheet=signed), "superior", facts=only).target == "final"
    both = {"acts": [*ACTS, {**DECISION_ACT, "signers": ["city chief"]}]}
    assert refused("dismiss", disputed("decision", "appealed", sheet=both), "superior") == "decider"


def test_where_there_is_no_office_above() -> None:
    top = replace(finding(EXECUTING).place, superior_region=None)
    appealed = disputed("decision", "appealed", place=top, sheet={"acts": [{**DECISION_ACT, "signers": ["director"]}]})
    assert take("vary", appealed, "director").target == "final"
    own = disputed("opinion", place=top)
    assert take("dismiss", own, "chief", rules=model(opinion_decided_by="superior")).target == "final"


def test_a_verdict_past_its_time_is_flagged() -> None:
    assert take("dismiss", disputed("opinion"), "chief", now=at("2026-04-02")).remarks["late"] is True


# ---- vary ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("opinion", {"rectify_by": "2026-03-31"}),
        ("opinion", {"rectify_by": None}),
        ("opinion", {"demands": [{"no": 2, "text": "more"}]}),
        ("opinion", {"forms": ["F_PUBLIC_CRITICISM"]}),
        ("decision", {"demands": [{"no": 1, "text": "x"}]}),
        ("decision", {"forms": ["F_SANCTION"]}),
    ],
)
def test_never_heavier(kind: str, payload: dict[str, Any]) -> None:
    one = disputed(kind, sheet={"rectify_by": "2026-03-31"})
    who = "chief" if kind == "opinion" else "director"
    assert refused("vary", one, who, payload) == "never_heavier"


def test_a_cancelled_form_does_not_come_back() -> None:
    one = disputed("decision", sheet={"decision": {**DECISION, "forms": [{**FORMS[0], "cancelled": True}]}})
    assert refused("vary", one, "director", {"forms": ["F_PUBLIC_CRITICISM"]}) == "never_heavier"


def test_varying_demands_and_date_moves_no_course() -> None:
    one = disputed(
        "opinion", sheet={"opinion": {**OPINION, "demands": [{"no": 1, "text": "a"}, {"no": 2, "text": "b"}]}}
    )
    decision = take("vary", one, "chief", {"demands": [{"no": 2, "text": "less"}], "rectify_by": "2026-06-30"})
    assert decision.after.state == EXECUTING
    assert sheet(decision, "opinion")["demands"] == [{"no": 2, "text": "less"}]
    assert (sheet(decision, "rectify_by"), running(decision)["rectify_by"]) == ("2026-06-30", "2026-06-30")
    fresh, old = decision.after.timer("rectify_by"), one.timer("rectify_by")
    assert fresh is not None
    assert old is not None
    assert (fresh.first_due_at, fresh.id != old.id) == (old.first_due_at, True)
    elsewhere = take("vary", disputed("opinion", at_state="review.desk"), "chief", {"rectify_by": "2026-06-30"})
    assert (sheet(elsewhere, "rectify_by"), "rectify_by" in running(elsewhere)) == ("2026-06-30", False)


def test_varying_forms_cancels_the_others() -> None:
    forms = [*FORMS, {**FORMS[0], "form": "F_BULLETIN"}]
    one = disputed("decision", at_state="accountability.decided", sheet={"decision": {**DECISION, "forms": forms}})
    decision = take("vary", one, "director", {"forms": ["F_BULLETIN"], "rectify_by": None})
    assert [bool(f.get("cancelled")) for f in sheet(decision, "decision")["forms"]] == [True, False]
    assert decision.after.state == "accountability.decided"


# ---- annul --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "state", ["rectification.planning", "review.desk", "interview.held", "accountability.decided", "lookback.watching"]
)
def test_annulling_the_opinion_withdraws_the_finding(state: str) -> None:
    shown = {"published": [{"what": "bulletin", "on": "2026-02-01"}]}
    waiting = [ACTS[0], {**DECISION_ACT, "waits": ["reconsider_window"]}]
    one = disputed(
        "opinion",
        "filed",
        timer("publish_due"),
        timer("instruction_reply", note="1"),
        at_state=state,
        level=5,
        sheet=shown,
    )
    one = replace(one, sheet={**one.sheet, "acts": waiting}, accountable_on=NOW.date())
    decision = take("annul", one, "chief")
    after = decision.after
    assert (after.state, after.dispute, after.level, after.accountable_on) == ("withdrawn", "final", 0, None)
    assert running(decision) == {"instruction_reply": "2026-03-09", "take_down_due": "2026-03-05"}
    assert all(f["cancelled"] for f in sheet(decision, "decision")["forms"])


LEFT = {"left": [{"state": EXECUTING, "level": 3}], "date_set_by": "decision"}


def test_annulling_the_decision_goes_back_from_its_execution() -> None:
    one = disputed("decision", at_state="accountability.decided", level=6, sheet={**LEFT, "decision": DECISION})
    decision = take("annul", one, "director")
    after = decision.after
    assert (after.state, after.dispute, after.level, after.accountable_on) == (EXECUTING, "final", 2, None)
    assert (sheet(decision, "left"), sheet(decision, "date_set_by")) == ([], "")
    assert stopped(decision) == {"execution_report", "reconsider_decide"}
    assert started(decision, one) == {
        "rectify_by": "2026-04-30",
        "monthly_report": "2026-04-02",
        "milestone": "2026-03-20",
    }
    assert sheet(decision, "decision")["forms"][0]["cancelled"] is True


def test_back_to_where_no_opinion_was_received() -> None:
    left = {"left": [{"state": "feedback.drafting", "level": 0}], "opinion": {}, "plan": {}}
    one = disputed("decision", "filed", timer("opinion_issue"), at_state="accountability.decided", sheet=left)
    decision = take("annul", one, "director")
    assert decision.after.state == "feedback.drafting"
    assert "opinion_issue" in kept(decision, one)


@pytest.mark.parametrize(
    ("state", "level", "expected"),
    [
        (EXECUTING, 6, 2),
        ("interview.held", 6, 4),
        ("bulletin.issued", 6, 5),
        ("accountability.referred", 6, 6),
        ("lookback.watching", 0, 0),
    ],
)
def test_annulled_later_the_course_stays_and_the_level_falls_to_what_it_was(
    state: str, level: int, expected: int
) -> None:
    one = disputed("decision", at_state=state, level=level)
    after = take("annul", one, "director").after
    assert (after.state, after.level) == (state, expected)


def test_dates_no_longer_count_as_set_by_the_annulled_decision() -> None:
    before = {"decision": {**DECISION, "before": {"level": 4, "date_set_by": "interview"}}, "date_set_by": "decision"}
    one = disputed("decision", sheet=before)
    one = replace(
        one, timers=tuple(replace(t, profile="decision") if t.rule == "rectify_by" else t for t in one.timers)
    )
    after = take("annul", one, "director").after
    assert after.sheet["date_set_by"] == "interview"
    work = after.timer("rectify_by")
    assert work is not None
    assert work.profile == "interview"


def test_annulling_an_earlier_decision_leaves_the_later_one() -> None:
    later = {**DECISION, "act": "decision#30", "effective_on": "2026-02-27"}
    one = disputed(
        "decision",
        at_state="accountability.decided",
        level=6,
        sheet={"decision": later, "earlier_decisions": [DECISION], "date_set_by": "decision"},
    )
    decision = take("annul", one, "director")
    after = decision.after
    assert (after.state, after.level, str(after.accountable_on)) == ("accountability.decided", 6, "2026-02-27")
    assert "cancelled" not in sheet(decision, "decision")["forms"][0]
    assert sheet(decision, "earlier_decisions")[0]["forms"][0]["cancelled"] is True
    assert after.sheet["date_set_by"] == "decision"


def test_only_what_the_decision_published_comes_down() -> None:
    letter = {"published": [{"what": "opinion_letter", "on": "2026-02-01"}]}
    assert "take_down_due" not in running(take("annul", disputed("decision", sheet=letter), "director"))
    shown = {"published": [{"what": "decision", "on": "2026-02-01"}]}
    assert running(take("annul", disputed("decision", sheet=shown), "director"))["take_down_due"] == "2026-03-05"
