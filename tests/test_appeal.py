"""Appeals, direct or after reconsideration, and the correction that the superior's word calls for."""

from dataclasses import replace

import pytest

from tests.disputes import APPEAL, RECONSIDER, disputed, model
from tests.values import (
    DECISION_ACT,
    FACTS,
    at,
    due,
    finding,
    papers,
    refused,
    running,
    sheet,
    started,
    stopped,
    take,
    told,
)

# ---- appeal -------------------------------------------------------------------------------------------------------------


def test_an_appeal_after_reconsideration() -> None:
    one = disputed("decision")
    dismissed = take("dismiss", one, "director")
    assert started(dismissed, one) == {"appeal_window": "2026-03-17"}
    appealed = take("appeal", dismissed.after, "unit", {"act": "decision"}, now=at("2026-03-17"))
    assert (stopped(appealed), started(appealed, dismissed.after)) == (
        {"appeal_window"},
        {"appeal_decide": "2026-05-18"},
    )
    assert refused("appeal", dismissed.after, "unit", {"act": "decision"}, now=at("2026-03-18")) == "appeal_open"


@pytest.mark.parametrize("dispute", ["none", "final"])
def test_a_decision_is_appealed_directly(dispute: str) -> None:
    one = finding("accountability.decided", RECONSIDER, APPEAL, dispute=dispute)
    decision = take("appeal", one, "unit", {"act": "decision"})
    assert (decision.target, stopped(decision)) == ("appealed", {"reconsider_window", "appeal_window"})
    act = sheet(decision, "acts")[1]
    assert (act["disputed"], act["appealed"]) == (True, True)
    assert told(decision) == {"officer", "superior"}


def test_appeals_are_refused() -> None:
    direct = finding("accountability.decided", RECONSIDER, APPEAL)
    assert refused("appeal", direct, "unit", {"act": "opinion"}) == "appeal_open"
    assert refused("appeal", direct, "unit", {"act": "decision"}, now=at("2026-03-18")) == "appeal_open"
    done = finding(
        "accountability.decided",
        APPEAL,
        dispute="final",
        sheet={"acts": [{**DECISION_ACT, "disputed": True, "appealed": True}]},
    )
    assert refused("appeal", done, "unit", {"act": "decision"}) == "appeal_open"
    assert refused("appeal", disputed("decision", "decided"), "unit", {"act": "opinion"}) == "appeal_open"
    assert refused("appeal", direct, "unit", {"act": "decision", "attachments": ["A-9"]}) == "files_attached"


def test_the_window_for_an_appeal_lapses() -> None:
    one = disputed("decision", "decided")
    window = one.timer("appeal_window")
    assert window is not None
    decision = take("dispute_lapsed", one, "system", now=window.due_at, timer_id=window.id, due_at=window.due_at)
    assert (decision.target, stopped(decision)) == ("final", {"appeal_window"})


def test_the_window_for_a_direct_appeal_strikes_nothing() -> None:
    decided = take("decide_accountability", finding("accountability.deciding"), "director").after
    window = decided.timer("appeal_window")
    assert window is not None
    assert window.next_at.year == 9999
    dismissed = take("dismiss", disputed("decision"), "director").after.timer("appeal_window")
    assert dismissed is not None
    assert dismissed.next_at == due("2026-03-17")


# ---- correction ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["vary", "annul"])
def test_what_the_superior_changed_is_corrected(action: str) -> None:
    one = disputed("decision", "appealed")
    decision = take(action, one, "superior")
    assert started(decision, one)["correction"] == "2026-03-17"
    corrected = take("record_correction", decision.after, "officer")
    assert (papers(corrected), told(corrected)) == (["correction"], {"unit", "superior"})
    assert stopped(corrected) == {"correction"}
    assert refused("record_correction", corrected.after, "officer") == "changed_by_superior"
    assert refused("record_correction", decision.after, "officer", {"proof": ["A-9"]}) == "files_attached"


def test_nothing_is_corrected_where_nothing_changed() -> None:
    dismissed = take("dismiss", disputed("decision", "appealed"), "superior")
    assert "correction" not in running(dismissed)
    assert refused("record_correction", dismissed.after, "officer") == "changed_by_superior"


def test_an_opinion_annulled_by_the_superior_is_corrected_although_withdrawn() -> None:
    annulled = take("annul", disputed("opinion"), "superior", rules=model(opinion_decided_by="superior"))
    assert (annulled.after.state, running(annulled)) == ("withdrawn", {"correction": "2026-03-17"})
    assert take("record_correction", annulled.after, "officer").target == "final"


def test_what_the_office_above_varied_first_is_corrected_once_it_is_final() -> None:
    only = replace(FACTS, office={**FACTS.office, "director": frozenset({"director2"})})
    varied = take("vary", disputed("decision"), "superior", facts=only)
    assert (varied.target, "correction" in running(varied)) == ("decided", False)
    lapsed = take("dispute_lapsed", varied.after, "system", now=due("2026-03-17"))
    assert running(lapsed)["correction"] == "2026-04-01"
