"""Stories of whole findings: what happens when everybody acts, when the school is silent, and when the office is."""

from __future__ import annotations

import json
from datetime import date

import pytest

from loop.engine.verify import verify
from loop.kernel.errors import GuardFailed
from loop.store.instants import instant_of
from tests.world import World, world

__all__ = ["world"]

INTERVIEW = {
    "chair": "chief", "place": "督导办", "interviewees": [{"name": "校长", "post": "校长"}], "materials": ["整改情况"],
}  # fmt: skip


def record(world: World, ahead: int) -> dict[str, object]:
    return {
        "attendance": [{"name": "校长", "present": True}], "facts_told": "逾期未整改", "demands": ["限期完成"],
        "statement": "接受", "commitment": "按期完成", "rectify_by": world.day(ahead),
    }  # fmt: skip


def interview(world: World, number: str, rectify_in: int) -> None:
    world.act("chief", "notice_interview", number, at=f"{world.day(7)}T09:00:00+08:00", **INTERVIEW)
    world.sleep(7)
    world.act("chief", "hold_interview", number, **record(world, rectify_in))
    world.act("officer", "file_interview", number, record_no="约 1", recipients=["县委"])


def bulletin(world: World, number: str, rectify_in: int) -> None:
    world.act(
        "chief", "issue_bulletin", number, text="逾期未整改", kind="criticism", recipients=["镇党委"],
        rectify_by=world.day(rectify_in),
    )  # fmt: skip


def test_a_willing_school_is_written_off_looked_back_at_and_archived(world: World) -> None:
    number = world.passed(world.reported(world.executing()))
    world.act("chief", "write_off", number)
    assert (world.state(number), world.finding(number).level) == ("lookback.watching", 0)
    for _ in range(2):
        world.sleep(95)
        assert world.state(number) == "lookback.inspecting"
        world.act("inspector", "confirm_held", number, verdict="成效保持", evidence=[])
    world.sleep(30)
    assert world.state(number) == "archived"
    assert world.actions(number).count("open_lookback") == 2


def test_one_finding_goes_through_all_eight_systems_a_dispute_and_two_lookbacks(world: World) -> None:
    number = world.fed_back(severity="major")
    world.act("school", "defend", number, grounds=["情况有变化"])
    world.act("officer", "weigh_defence", number, outcome="rejected", reasons=[{"text": "不成立", "ground_no": 1}])
    world.act("chief", "serve_opinion", number, evaluation="存在问题", demands=["清理通道", "建立制度"])
    world.act("school", "acknowledge", number, receiver={"name": "收发员"}, received_on=world.day())
    world.act("school", "object", number, act="opinion", grounds=["要求过高"])
    assert world.finding(number).dispute == "filed"
    with pytest.raises(GuardFailed):
        world.act("chief", "dismiss", number, reasons=["维持"])
    world.act("city_chief", "dismiss", number, reasons=["维持"])
    assert world.finding(number).dispute == "final"
    world.sleep(40)
    assert (world.state(number), world.finding(number).level) == ("interview.proposed", 4)
    interview(world, number, 20)
    assert world.state(number) == "rectification.planning"
    world.sleep(12)
    assert (world.state(number), world.finding(number).level) == ("bulletin.drafted", 5)
    bulletin(world, number, 20)
    world.act("school", "answer_bulletin", number, text="立即整改")
    world.sleep(12)
    assert (world.state(number), world.finding(number).level) == ("accountability.referred", 6)
    world.act("director", "form_group", number, members=["inspector", "inspector2", "officer"])
    proof = world.attach("officer", number)
    facts = [{"text": "拒不整改", "evidence": [proof]}]
    world.act("chief", "serve_notice", number, facts=facts, basis=["教育督导条例"], intended_forms=["F_BULLETIN"])
    world.act("school", "state_defence", number, grounds=["已在整改"])
    form = {"form": "F_BULLETIN", "subject_type": "unit", "subject": "桐峰镇中心小学", "executor": "督导办"}
    world.act(
        "director", "decide_accountability", number, forms=[form], effective_on=world.day(), rectify_by=world.day(60)
    )
    done = {"form": "F_BULLETIN", "executor": "督导办", "result": "已通报", "done_on": world.day()}
    world.act("officer", "record_execution", number, **done)
    world.act("school", "submit_plan", number, **world.plan(40))
    world.act("chief", "finish_accountability", number)
    assert world.state(number) == "rectification.plan_review"
    world.act("chief", "accept_plan", number)
    world.passed(world.reported(number))
    world.act("chief", "write_off", number)
    for _ in range(2):
        world.sleep(95)
        world.act("inspector", "confirm_held", number, verdict="成效保持", evidence=[])
    world.sleep(40)
    assert world.state(number) == "archived"
    stages = {entry.to_state.partition(".")[0] for entry in world.trail(number) if entry.track == "course"}
    assert {
        "report",
        "feedback",
        "rectification",
        "review",
        "interview",
        "bulletin",
        "accountability",
        "lookback",
    } <= stages


def test_praise_is_announced_and_confirmed(world: World) -> None:
    number = world.passed(world.reported(world.executing()))
    world.act("officer", "propose_commendation", number, form="通报表扬", grounds="迅速")
    world.act("chief", "announce_commendation", number, notice_from=world.day(), notice_to=world.day(14))
    world.sleep(20)
    world.act("director", "confirm_commendation", number)
    assert world.state(number) == "lookback.watching"


LADDER = ["warn", "warn", "warn", "urge", "order", "propose_interview"]


def rungs(world: World, number: str) -> list[tuple[str, date | None]]:
    calendar = world.engine.book.calendar
    return [
        (entry.action, entry.due_at.astimezone(calendar.zone).date() if entry.due_at else None)
        for entry in world.trail(number)
        if entry.actor_role == "system"
    ]


def test_a_silent_school_climbs_to_level_four(world: World) -> None:
    number = world.received()
    assert world.due(number, "plan_due") == date(2026, 3, 23)
    world.live(40)
    assert [action for action, _ in rungs(world, number) if action != "remind"] == LADDER
    assert [day for action, day in rungs(world, number) if action != "remind"] == [
        date(2026, 3, 13), date(2026, 3, 18), date(2026, 3, 22), date(2026, 3, 24), date(2026, 3, 30), date(2026, 4, 7),
    ]  # fmt: skip
    assert (world.state(number), world.finding(number).level) == ("interview.proposed", 4)


def test_the_office_acts_and_the_school_stays_silent_to_level_six(world: World) -> None:
    number = world.received()
    world.sleep(40)
    interview(world, number, 10)
    date_of_interview = world.finding(number).sheet["rectify_by"]
    world.live(20)
    assert (world.state(number), world.finding(number).level) == ("bulletin.drafted", 5)
    bulletin(world, number, 10)
    world.live(45)
    assert (world.state(number), world.finding(number).level) == ("accountability.referred", 6)
    assert date_of_interview < world.finding(number).sheet["rectify_by"]
    assert [a for a, _ in rungs(world, number)].count("refer") == 1


@pytest.mark.parametrize("pace", [1, 7, 60])
def test_downtime_leaves_the_same_history_but_for_the_run_instants(world: World, pace: int) -> None:
    number = world.received()
    for _ in range(60 // pace):
        world.sleep(pace)
    world.sleep(60 - 60 // pace * pace)
    assert rungs(world, number) == rungs_of_reference()
    due = [entry.due_at for entry in world.trail(number) if entry.due_at]
    assert due == sorted(due)
    assert all(entry.at >= entry.due_at for entry in world.trail(number) if entry.due_at)


def rungs_of_reference() -> list[tuple[str, date | None]]:
    """Sixty days after 2 March 2026, by hand from the calendar: plan due 23 March, publication due 30 March."""
    return [
        ("warn", date(2026, 3, 13)), ("warn", date(2026, 3, 18)), ("warn", date(2026, 3, 22)),
        ("urge", date(2026, 3, 24)), ("order", date(2026, 3, 30)), ("remind", date(2026, 3, 30)),
        ("propose_interview", date(2026, 4, 7)), ("remind", date(2026, 4, 7)), ("remind", date(2026, 4, 10)),
        ("remind", date(2026, 4, 14)), ("remind", date(2026, 4, 15)), ("remind", date(2026, 4, 21)),
        ("remind", date(2026, 4, 22)), ("remind", date(2026, 4, 28)), ("remind", date(2026, 4, 29)),
    ]  # fmt: skip


def test_a_silent_office_is_reminded_up_to_leader_and_superior(world: World) -> None:
    number = world.opened()
    world.act("inspector", "submit_report", number)
    world.live(25)
    assert any(message.step == "remind" and message.chain == number for message in world.inbox("chief"))
    assert any(message.step == "remind" and message.chain == number for message in world.inbox("leader"))
    served = world.received()
    world.act("officer", "refer", served, circumstances=["NC_REFUSE"], facts="拒绝")
    world.live(75)
    assert any(message.step == "remind" and message.chain == served for message in world.inbox("director"))
    assert any(message.step == "remind" and message.chain == served for message in world.inbox("city_chief"))
    assert world.finding(number).level == 0


def test_a_warning_made_up_late_is_recorded_each_time_and_told_once(world: World) -> None:
    number = world.received()
    world.sleep(21)
    assert [a for a, _ in rungs(world, number)] == ["warn", "warn", "warn"]
    assert [m.step for m in world.inbox("school") if m.step == "warn"] == ["warn"]


def test_a_batch_is_one_interview_with_one_paper_for_all_or_none(world: World) -> None:
    first, second = world.executing(), world.executing(unit="other_school")
    reasons = {"reasons": [{"text": "进度滞后"}]}
    outcomes = world.act_all("chief", "propose_interview", [first, second], reasons)
    assert len({document.id for outcome in outcomes for document in outcome.documents}) == 1
    third = world.opened()
    with pytest.raises(Exception, match=third):
        world.act_all("chief", "propose_bulletin", [first, second, third], {**reasons, "facts": "滞后"})
    assert world.state(first) == world.state(second) == "interview.proposed"


def test_a_paper_bears_the_number_of_the_office_that_acts(world: World) -> None:
    number = world.received()
    world.act("school", "object", number, act="opinion", grounds=["要求过高"])
    (decision,) = world.act("city_chief", "dismiss", number, reasons=["维持"]).documents
    assert decision.number == "青教督〔2026〕1号"
    (filed,) = world.act("bureau", "urge", number, text="请抓紧").documents
    assert (filed.number, filed.serial) == ("", None)
    (urged,) = world.act("officer", "urge", number, text="请抓紧").documents
    assert urged.number.startswith("云教督〔2026〕")
    assert verify(world.parts.store).fault is None


def test_a_message_names_the_deadline_it_speaks_of(world: World) -> None:
    number = world.received()
    plan_due = world.timers(number)["plan_due"].due_at
    world.sleep(12)
    (warning,) = [m for m in world.inbox("school") if m.step == "warn"]
    assert json.loads(warning.content)["due_rule"] == "plan_due"
    assert instant_of(json.loads(warning.content)["due_at"]) == plan_due
    world.sleep(28)
    (proposal,) = [m for m in world.inbox("leader") if m.step == "propose_interview"]
    told = json.loads(proposal.content)
    decide = world.timers(number)["interview_decide"]
    assert (told["due_rule"], instant_of(told["due_at"])) == ("interview_decide", decide.due_at)
