"""The lapse ladder and the reminders: when each point of a timer comes, what it does, and what makes it wait or skip."""

from dataclasses import replace
from datetime import date, datetime
from itertools import islice
from typing import Any

import pytest

from loop.kernel import clocks
from loop.kernel.calendar import local_day
from loop.kernel.clocks import Timer
from loop.kernel.finding import Finding
from tests.values import at, book, calendar, due, finding, running, started, stopped, strike, take, timer, told, without


def points(one: Timer, *, most: int = 9) -> list[tuple[str, str]]:
    """(local time, action) of every point still to come."""
    how, ladder = book().workflow.timers[one.rule].on_due, book().rules.ladder
    found = islice(clocks.points(one, how, ladder, calendar()), one.rung, one.rung + most)
    return [(f"{p.at.astimezone(calendar().zone):%m-%d %H:%M}", p.action) for p in found]


def climbing(rule: str, due_on: str, *, profile: str = "") -> Finding:
    """A finding freshly arrived where the timer `rule` runs, due on that day."""
    if rule == "rectify_by":
        one = finding("rectification.plan_review", sheet={"rectify_by": due_on, "date_set_by": profile})
        return take("accept_plan", one, "officer").after
    if rule == "bulletin_answer":
        return take("issue_bulletin", finding("bulletin.drafted"), "chief").after
    if rule == "plan_due":
        return take(
            "acknowledge", finding("feedback.served", sheet={"planned": None}), "unit", {"received_on": "2026-03-02"}
        ).after
    one = finding("rectification.plan_review", sheet={"date_set_by": profile})
    return take("return_plan", one, "officer").after


def the(one: Finding, rule: str) -> Timer:
    found = one.timer(rule)
    assert found is not None
    return found


AFTER = [("04-21 09:00", "urge"), ("04-27 09:00", "order"), ("05-05 09:00", "propose_interview")]


def test_the_rungs_are_calendar_days_at_nine() -> None:
    """Due Monday 20 April: warnings 10, 5 and 1 d before, then 1, 7 and 15 d after, the last within a holiday."""
    before = [("04-10 09:00", "warn"), ("04-15 09:00", "warn"), ("04-19 09:00", "warn")]
    assert points(the(climbing("rectify_by", "2026-04-20"), "rectify_by")) == before + AFTER


@pytest.mark.parametrize(
    ("profile", "last"),
    [("interview", "propose_bulletin"), ("bulletin", "refer"), ("decision", "refer")],
)
def test_a_date_set_under_pressure_has_one_rung_in_place_of_three(profile: str, last: str) -> None:
    one = the(climbing("rectify_by", "2026-04-20", profile=profile), "rectify_by")
    assert points(one)[3:] == [("04-21 09:00", last)]
    again = the(climbing("plan_resubmit", "", profile=profile), "plan_resubmit")
    assert points(again)[-1] == ("03-10 09:00", last)


def test_an_unanswered_bulletin_is_urged_ordered_and_referred() -> None:
    """Due Monday 16 March. Ten days before is 6 March, after the start."""
    assert points(the(climbing("bulletin_answer", ""), "bulletin_answer")) == [
        ("03-06 09:00", "warn"), ("03-11 09:00", "warn"), ("03-15 09:00", "warn"),
        ("03-17 09:00", "urge"), ("03-23 09:00", "order"), ("03-31 09:00", "refer"),
    ]  # fmt: skip


def test_a_plan_climbs_like_a_rectification() -> None:
    found = points(the(climbing("plan_due", ""), "plan_due"))
    assert found[-3:] == [("03-24 09:00", "urge"), ("03-30 09:00", "order"), ("04-07 09:00", "propose_interview")]


def test_a_rung_dated_before_the_start_is_skipped_for_good() -> None:
    one = climbing("plan_resubmit", "")
    assert points(the(one, "plan_resubmit"))[0] == ("03-04 09:00", "warn")
    early = take("return_plan", finding("rectification.plan_review"), "officer", now=at("2026-03-02 08:00")).after
    assert points(the(early, "plan_resubmit"))[0] == ("03-04 09:00", "warn")
    paused = take("suspend", one, "chief", {"until": "2026-04-30"}).after
    resumed = strike(paused, "suspension_end", "resume").after
    assert points(the(resumed, "plan_resubmit"))[0] == ("05-06 09:00", "warn")


def test_a_timer_started_while_suspended_skips_them_too() -> None:
    one = take("suspend", finding("rectification.plan_review"), "chief", {"until": "2026-04-30"}).after
    returned = take("return_plan", one, "officer").after
    assert the(returned, "plan_resubmit").left == 5
    resumed = strike(returned, "suspension_end", "resume").after
    assert points(the(resumed, "plan_resubmit"))[0][1] == "warn"
    assert points(the(resumed, "plan_resubmit"))[0][0] >= "05-01"


def test_rungs_are_taken_one_by_one() -> None:
    one = climbing("rectify_by", "2026-04-20")
    seen = []
    for _ in range(6):
        striking = the(one, "rectify_by")
        point = clocks.next_point(
            striking, book().workflow.timers["rectify_by"].on_due, book().rules.ladder, calendar()
        )
        assert point is not None
        assert point.at == striking.next_at
        decision = take(
            point.action, one, "system", now=point.at, timer_id=striking.id, rung=point.rung, due_at=point.at
        )
        seen.append((point.action, decision.after.level))
        one = decision.after
        if one.state != "rectification.executing":
            break
    assert seen == [("warn", 1), ("warn", 1), ("warn", 1), ("urge", 2), ("order", 3), ("propose_interview", 4)]
    assert one.state == "interview.proposed"
    assert {t.rule for t in one.timers} == {"interview_decide"}


# ---- extensions ---------------------------------------------------------------------------------------------------------


def pending(due_on: str, asked: str) -> Finding:
    one = climbing("rectify_by", due_on)
    return take("request_extension", one, "unit", {"new_date": "2026-05-15"}, now=at(asked)).after


def test_while_an_extension_is_pending_rungs_after_due_wait() -> None:
    one = pending("2026-04-20", "2026-04-18")
    assert the(one, "rectify_by").next_at == at("2026-04-10 09:00")
    warned = replace(the(one, "rectify_by"), rung=3)
    one = replace(one, timers=tuple(warned if t.rule == "rectify_by" else t for t in one.timers))
    assert the(take("comment", one, "unit").after, "rectify_by").next_at == clocks.OVER


@pytest.mark.parametrize(
    ("refused_on", "after"),
    [
        ("2026-04-19", AFTER),
        ("2026-04-23", [("04-24 09:00", "urge"), ("04-30 09:00", "order"), ("05-08 09:00", "propose_interview")]),
    ],
)
def test_refused_they_count_from_the_later_of_due_and_refusal(refused_on: str, after: list[tuple[str, str]]) -> None:
    decision = take("refuse_extension", pending("2026-04-20", "2026-04-18"), "chief", now=at(refused_on))
    assert points(the(decision.after, "rectify_by"))[3:] == after
    assert the(decision.after, "rectify_by").due_at == due("2026-04-20")


def test_granted_the_timer_begins_anew_and_keeps_the_original_date() -> None:
    decision = take(
        "grant_extension",
        pending("2026-04-20", "2026-04-18"),
        "chief",
        {"new_date": "2026-05-15"},
        now=at("2026-04-23"),
    )
    fresh = the(decision.after, "rectify_by")
    assert (fresh.due_at, fresh.first_due_at) == (due("2026-05-15"), due("2026-04-20"))
    assert points(fresh)[0] == ("05-05 09:00", "warn")
    assert decision.after.level == 0
    asked = take("request_extension", decision.after, "unit", {"new_date": "2026-06-10"}, now=at("2026-05-10")).after
    second = take("grant_extension", asked, "director", {"new_date": "2026-06-12"}, now=at("2026-05-11")).after
    assert the(second, "rectify_by").first_due_at == due("2026-04-20")


def test_an_extension_keeps_who_set_the_date() -> None:
    one = climbing("rectify_by", "2026-04-20", profile="interview")
    one = take("request_extension", one, "unit", {"new_date": "2026-05-15"}).after
    granted = take("grant_extension", one, "chief", {"new_date": "2026-05-15"}).after
    assert points(the(granted, "rectify_by"))[-1] == ("05-16 09:00", "propose_bulletin")


# ---- suspension ---------------------------------------------------------------------------------------------------------


def test_a_suspension_keeps_the_whole_days_left_in_the_unit_of_each_timer() -> None:
    """Suspended on 2 March until Thursday 30 April, before the holiday of 1 to 5 May; 9 May is worked."""
    one = finding("rectification.planning", timer("opinion_window"))
    paused = take("suspend", one, "chief", {"until": "2026-04-30"})
    assert started(paused, one) == {"suspension_end": "2026-04-30"}
    assert {t.rule: t.left for t in paused.after.timers if t.paused} == {"plan_due": 15, "opinion_window": 10}
    assert all(t.next_at == clocks.OVER for t in paused.after.timers if t.paused)
    assert (paused.after.due_rule, paused.after.suspended) == ("", True)
    resumed = strike(paused.after, "suspension_end", "resume")
    assert running(resumed) == {"plan_due": "2026-05-25", "opinion_window": "2026-05-11"}
    assert not resumed.after.suspended
    assert stopped(resumed) == {"suspension_end"}
    pause = the(resumed.after, "plan_due").pauses[0]
    assert (pause.since, pause.until, pause.why) == (date(2026, 3, 2), date(2026, 4, 30), "等待鉴定结论")


def test_a_person_may_resume_earlier() -> None:
    paused = take("suspend", finding("review.desk"), "chief").after
    resumed = take("resume", paused, "chief", now=at("2026-03-04"))
    assert running(resumed) == {"review_due": "2026-03-18"}
    assert stopped(resumed) == {"suspension_end"}


def test_new_timers_start_stopped_with_all_their_days() -> None:
    paused = take("suspend", finding("review.desk"), "chief").after
    moved = take("pass_desk", paused, "officer", now=at("2026-03-10")).after
    assert (the(moved, "write_off").left, the(moved, "write_off").next_at) == (5, clocks.OVER)
    assert running(take("resume", moved, "chief", now=at("2026-03-16")))["write_off"] == "2026-03-23"


def test_what_stands_still_is_never_late_nor_over() -> None:
    one = finding("rectification.executing", timer("opinion_window", note="opinion#5"))
    paused = take("suspend", one, "chief", {"until": "2026-12-31"}).after
    much_later = at("2026-10-09")
    assert "late" not in take("submit_rectification", paused, "unit", now=much_later).remarks
    assert take("request_extension", paused, "unit", {"new_date": "2026-12-31"}, now=much_later).target
    assert take("object", paused, "unit", now=much_later).target == "filed"


def test_what_was_overdue_stays_as_much_overdue_and_taken_rungs_are_not_retaken() -> None:
    one = climbing("rectify_by", "2026-04-20")
    struck = replace(the(one, "rectify_by"), rung=4)
    one = replace(one, timers=(struck,))
    paused = take("suspend", one, "chief", {"until": "2026-05-29"}, now=at("2026-04-24")).after
    assert the(paused, "rectify_by").left == -4
    resumed = strike(paused, "suspension_end", "resume").after
    assert the(resumed, "rectify_by").due_at == due("2026-05-25")
    assert points(the(resumed, "rectify_by")) == [("06-01 09:00", "order"), ("06-09 09:00", "propose_interview")]


def test_a_refusal_shifts_with_the_pause() -> None:
    refused = take("refuse_extension", pending("2026-04-20", "2026-04-18"), "chief", now=at("2026-04-23")).after
    paused = take(
        "suspend", without(refused, "monthly_report"), "chief", {"until": "2026-04-30"}, now=at("2026-04-23")
    ).after
    resumed = strike(paused, "suspension_end", "resume").after
    assert points(the(resumed, "rectify_by"))[3:][0] == ("05-01 09:00", "urge")


def test_monthly_reports_shift_with_the_pause() -> None:
    one = climbing("rectify_by", "2026-12-31")
    assert [day for day, _ in points(the(one, "monthly_report"), most=3)] == [
        "04-02 23:59",
        "05-06 23:59",
        "06-02 23:59",
    ]
    paused = take("suspend", one, "chief", {"until": "2026-03-12"}).after
    resumed = strike(paused, "suspension_end", "resume").after
    assert [day for day, _ in points(the(resumed, "monthly_report"), most=2)] == ["04-13 23:59", "05-18 23:59"]


def test_a_finding_that_ends_while_suspended_leaves_nothing_standing_still() -> None:
    one = finding("rectification.executing", timer("instruction_reply", note="1"))
    paused = take("suspend", one, "chief").after
    withdrawn = take("withdraw", paused, "director", now=at("2026-03-04")).after
    assert (withdrawn.suspended, running_of(withdrawn)) == (False, {"instruction_reply": "2026-03-11"})
    discarded = take("discard", take("suspend", finding("report.draft"), "chief").after, "author").after
    assert (discarded.suspended, discarded.timers) == (False, ())


def running_of(one: Finding) -> dict[str, str]:
    return {t.rule: local_day(t.due_at, calendar()).isoformat() for t in one.timers}


# ---- reminders and what lapses --------------------------------------------------------------------------------------------


def test_reminders_name_the_first_then_the_second_then_both() -> None:
    one = take("submit_plan", finding("rectification.planning"), "unit", {"finish_on": "2026-04-30"}).after
    how, ladder = book().workflow.timers["plan_review"].on_due, book().rules.ladder
    found = list(islice(clocks.points(the(one, "plan_review"), how, ladder, calendar()), 4))
    assert [(p.at, p.told) for p in found] == [
        (due("2026-03-09"), ("chief",)), (due("2026-03-12"), ("leader",)),
        (due("2026-03-19"), ("chief", "leader")), (due("2026-03-26"), ("chief", "leader")),
    ]  # fmt: skip


REMINDED = """
report_due author+chief | report_review chief leader | opinion_issue chief leader | plan_review chief leader
review_due chief leader | write_off chief leader | commendation_review chief | publicity director | interview_decide chief leader
interview_time chair | interview_file chief | bulletin_decide chief leader | group_due director superior
investigation_due director | decision_due director superior | execution_report chief | lookback_due chief leader
extension_decide chief | instruction_reply chief | transfer_result officer | tip_off_answer officer | publish_due chief
take_down_due chief | supervision_report officer | objection_decide chief superior | reconsider_decide director superior
"""


@pytest.mark.parametrize("line", [x.strip() for row in REMINDED.strip().splitlines() for x in row.split("|")])
def test_who_is_reminded(line: str) -> None:
    rule, first, *then = line.split()
    how = book().workflow.timers[rule].on_due
    assert isinstance(how, clocks.Remind)
    assert (how.first, how.then) == (tuple(first.split("+")), tuple(then))


@pytest.mark.parametrize(
    ("state", "rule", "action", "target"),
    [
        ("feedback.preliminary", "defence", "defence_lapsed", "feedback.drafting"),
        ("feedback.served", "acknowledge", "deem_served", "rectification.planning"),
        ("accountability.notified", "accountability_defence", "defence_lapsed", "accountability.deciding"),
        ("lookback.watching", "lookback", "open_lookback", "lookback.inspecting"),
    ],
)
def test_what_lapses_when_due(state: str, rule: str, action: str, target: str) -> None:
    assert clocks.Fire(action) == book().workflow.timers[rule].on_due
    one = finding(state)
    decision = strike(one, rule, action)
    assert decision.target == target
    assert rule in stopped(decision)


def test_what_lapses_counts_from_when_it_was_due() -> None:
    decision = strike(finding("feedback.served", sheet={"planned": None}), "acknowledge", "deem_served")
    assert running(decision) == {"plan_due": "2026-03-26", "opinion_window": "2026-03-16", "publish_due": "2026-04-02"}


# ---- look-back points -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("severity", "days"), [
    ("normal", "2026-06-01 2026-08-31"), ("major", "2026-06-01 2026-08-31"),
    ("grave", "2026-04-01 2026-06-01 2026-08-31 2027-03-02"),
])  # fmt: skip
def test_the_points_of_look_back(severity: str, days: str) -> None:
    """Thirty, ninety, 180 and 365 d from 2 March: 1 April, 31 May (a Sunday), 29 August (a Saturday), 2 March."""
    one = finding("review.passed", severity=severity)
    assert started(take("write_off", one, "chief"), one) == {"lookback": days}


def watched(*days: str) -> Finding:
    return finding("lookback.watching", timers=tuple(timer("lookback", day, note=day) for day in days))


def test_a_visit_meets_the_point_that_is_due_and_leaves_the_later_ones() -> None:
    one = watched("2026-03-02", "2026-08-31")
    decision = strike(one, "lookback", "open_lookback")
    assert [t.note for t in decision.after.timers if t.rule == "lookback"] == ["2026-08-31"]
    assert started(decision, one) == {"lookback_due": "2026-03-16"}
    assert (decision.after.due_rule, decision.after.waits_for) == ("lookback_due", "inspector")
    held = take("confirm_held", decision.after, "inspector", now=at("2026-03-10"))
    assert running(held) == {"lookback": "2026-08-31"}


def test_a_point_that_passes_during_a_visit_is_done_by_it() -> None:
    one = strike(watched("2026-03-02", "2026-03-09"), "lookback", "open_lookback").after
    assert [t.next_at for t in one.timers if t.rule == "lookback"] == [clocks.OVER]
    held = take("confirm_held", one, "inspector", now=at("2026-03-11"))
    assert running(held) == {"archive_due": "2026-03-25"}


def test_a_visit_before_any_point_meets_none() -> None:
    one = take("open_lookback", watched("2026-06-01", "2026-08-31"), "chief").after
    held = take("confirm_held", one, "inspector")
    assert [t.note for t in held.after.timers] == ["2026-06-01", "2026-08-31"]


def test_waiving_counts_as_the_next_point() -> None:
    draw: dict[str, Any] = {"draw": {"seed": "s", "from_on": "2026-01-01", "to_on": "2026-01-31", "percent": 0}}
    first = take("waive_lookback", watched("2026-06-01", "2026-08-31"), "chief", draw)
    assert running(first) == {"lookback": "2026-08-31"}
    assert running(take("waive_lookback", first.after, "chief", draw)) == {"archive_due": "2026-03-16"}


def test_the_last_visit_leads_to_the_archive() -> None:
    one = take("confirm_held", finding("lookback.inspecting"), "inspector").after
    archived = strike(one, "archive_due", "archive")
    assert (archived.target, archived.after.timers) == ("archived", ())
    assert told(archived) == {"officer"}


def test_fraud_that_is_dropped_leaves_the_later_points() -> None:
    one = finding("lookback.inspecting", timer("lookback", "2026-08-31"))
    fraud = take("report_fraud", one, "reviewer")
    assert stopped(fraud) == {"lookback_due"}
    assert (fraud.after.due_rule, fraud.after.waits_for) == ("group_due", "director")
    dropped = take("drop", fraud.after, "director", {"rectify_by": None}, now=at("2026-03-09"))
    assert running(dropped) == {"lookback": "2026-08-31", "lookback_due": "2026-03-23"}
    assert isinstance(dropped.after.written_off_at, datetime)


# ---- who owes it ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "state", "who", "rule", "waits_for"),
    [
        ("approve_report", "report.submitted", "chief", "defence", "unit"),
        ("defend", "feedback.preliminary", "unit", "opinion_issue", "officer"),
        ("waive_defence", "feedback.preliminary", "unit", "opinion_issue", "chief"),
        ("refer", "feedback.drafting", "chief", "opinion_issue", "chief"),
        ("submit_rectification", "rectification.executing", "unit", "review_due", "officer,chief"),
        ("assign_review", "review.desk", "chief", "review_due", "inspector"),
        ("write_off", "review.passed", "chief", "lookback", "system"),
        ("hold_interview", "interview.noticed", "chief", "interview_file", "officer"),
    ],
)
def test_the_earliest_timer_and_who_owes_it(action: str, state: str, who: str, rule: str, waits_for: str) -> None:
    payload = {"fed_back_on": "2026-03-02"} if action == "approve_report" else {}
    after = take(action, finding(state), who, payload).after
    assert (after.due_rule, after.waits_for) == (rule, waits_for)
