"""Everything that anybody can be told has words in both languages, short and whole, which leak nothing of a finding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loop import calendars
from loop.kernel.calendar import due_instant
from loop.kernel.clocks import Recur, Remind
from loop.kernel.finding import NEVER
from loop.kernel.labels import LANGUAGES, Label
from loop.kernel.letters import Deadline, Letters, Saying
from loop.kernel.messages import Letter, Notice
from loop.kernel.model import told_by
from loop.kernel.people import CAPACITIES, ROLES, SYSTEM
from loop.kernel.wording import notice_of, subject_of, whole
from loop.kernel.workflow import COURSE, WINDOW, BadWorkflow, join
from loop.store import tray
from loop.store.instants import text_of
from notifiers.rendering import line
from tests.web import Site, site
from tests.world import World, world
from workflows import declared, dispute
from workflows.stages import STAGES

__all__ = ["site", "world"]
FLOW = declared()
CALENDAR = calendars.build(())
MONDAY = date(2026, 3, 2)
LONG = "教学楼二层东侧消防通道长期堆放课桌椅和体育器材且应急照明损坏多次提醒仍未清理到位的问题"
Content = dict[str, Any]
CONTENT: Content = {
    "number": "LOOP-2026-0001", "title": LONG, "unit": "school", "unit_name": "云溪县桐峰镇中心小学", "danger": False,
    "due_at": text_of(due_instant(date(2026, 3, 20), CALENDAR)), "due_unit": "wd",
}  # fmt: skip
ASCII_SLIP = re.compile(r"[一-鿿《》（）“”][,;:!?()\"']|[,;:!?()\"'][一-鿿《》（）“”]")


def told(step: str, role: str, language: str = "zh", *, gap: str = "", today: date = MONDAY, **content: Any) -> Notice:
    return notice_of(
        CONTENT | content, step=step, role=role, gap=gap, language=language, workflow=FLOW, calendar=CALENDAR, today=today,
        url="https://loop.test/findings/LOOP-2026-0001",
    )  # fmt: skip


def course_rule(state: str) -> str:
    """A timer that runs in this state and that its people owe, where there is one."""
    here = [t for t in FLOW.timers.values() if t.kind == "course" and state in t.lives_in and t.owner != SYSTEM]
    return next((t.name for t in here if not t.owner or state in t.waits_in), here[0].name if here else "")


def situations() -> Iterator[tuple[str, str, str]]:
    """Each action, each role it tells (nobody in particular too), and each state in which it may leave the finding."""
    for action in FLOW.actions.values():
        reached = {t for one in action.moves for source in one.sources for t in FLOW.targets(action, source)}
        states = sorted(reached) if action.track == COURSE else sorted(FLOW.states)
        for role in ("", *told_by(action)):
            yield from ((action.name, role, state) for state in states)


SITUATIONS = tuple(situations())
OWED = [(state.name, role) for state in FLOW.states.values() for role in state.waits_for]
REMINDED = [t for t in FLOW.timers.values() if isinstance(t.on_due, Remind | Recur)]


def in_a_line(notice: Notice, language: str = "zh") -> str:
    return line(Letter(id="1", address="1", subject="", notices=(notice,), language=language), 140)


def check(notice: Notice, language: str, *, brief: bool = True) -> None:
    """The notice is whole, well written, and fits every channel; `brief`: so short that even a line holds all of it."""
    assert notice.said
    for text in (notice.said, notice.due, notice.ask):
        assert text == "" or text.endswith("。" if language == "zh" else "."), text
    one = whole(notice, language)
    assert not re.search(r"[{}]|None|。。|\.\.|  |，，", one), one
    if language == "zh":
        assert not ASCII_SLIP.search(one), one
    else:
        assert not re.search(r"[一-鿿]", notice.said + notice.due + notice.ask), one
    brought = in_a_line(notice, language)
    assert len(brought) <= 140, brought
    assert not brief or notice.said in brought
    assert (notice.due or notice.ask) in brought
    assert len(subject_of([notice], language)) <= 60


# ---- there are words for everything ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("action", sorted(FLOW.actions))
def test_every_action_has_words_for_everybody_wherever_it_leads(action: str, language: str) -> None:
    mine = [(role, state) for name, role, state in SITUATIONS if name == action]
    assert mine
    for role, state in mine:
        waits = ",".join(FLOW.states[state].waits_for)
        for today in (MONDAY, date(2026, 3, 20), date(2026, 4, 20)):
            check(
                told(action, role, language, state=state, due_rule=course_rule(state), waits_for=waits, today=today),
                language,
            )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("state", "role"), OWED)
def test_whoever_owes_the_next_step_is_asked_for_it_and_nobody_else(state: str, role: str, language: str) -> None:
    waits = FLOW.states[state].waits_for
    content: Content = {"state": state, "due_rule": "", "waits_for": ",".join(waits)}
    stateless = next(t.name for t in FLOW.timers.values() if t.kind == "course" and not t.owner)
    asked = told("move_deadlines", role, language, **content | {"due_rule": stateless})
    check(asked, language)
    assert asked.ask
    for other in {*ROLES, *CAPACITIES} - {*waits}:
        assert told("move_deadlines", other, language, **content | {"due_rule": stateless}).ask == ""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("timer", REMINDED, ids=lambda t: t.name)
def test_a_reminder_says_what_is_still_to_be_done_and_asks_whoever_owes_it(timer: Any, language: str) -> None:
    places = sorted(timer.lives_in - timer.waits_in) or ["rectification.executing"]
    owner = timer.owner or FLOW.states[places[0]].waits_for[0]
    content: Content = {
        "due_rule": timer.name,
        "state": places[0],
        "waits_for": ",".join(FLOW.states[places[0]].waits_for),
    }
    reminded = told("remind", owner, language, today=date(2026, 4, 20), **content)
    check(reminded, language)
    deadline = FLOW.letters.deadlines[timer.name]
    assert deadline.unmet is not None
    assert reminded.said == deadline.unmet.in_(language)
    assert bool(reminded.ask) is not bool(deadline.over)
    then = getattr(timer.on_due, "then", ())
    assert [told("remind", role, language, **content).ask for role in then if role != owner] == [""] * len(then)


def test_every_timer_that_somebody_owes_has_its_deadline_put_into_words() -> None:
    owed = {t.name for t in FLOW.timers.values() if t.kind != WINDOW and t.owner != SYSTEM}
    assert set(FLOW.letters.deadlines) == owed


def test_a_step_of_an_older_workflow_and_an_older_content_are_still_told() -> None:
    old = told("abolished", "", state="abolished.state", due_rule="abolished_timer", unit_name="", number="A-1")
    assert (old.headline[:4], old.said, old.due, old.ask) == ("A-1《", "有新的办理情况。", "", "")
    bare = notice_of(
        {}, step="warn", role="unit", gap="", language="en", workflow=FLOW, calendar=CALENDAR, today=MONDAY, url=""
    )
    assert (bare.thread, bare.said, bare.due) == ("", "The deadline is near.", "")


def test_letters_about_unknown_parts_are_refused_by_name() -> None:
    words = Label("好。", "Good.")
    strange = (
        Letters(said={"dance": Saying(words)}), Letters(asked={("nowhere", "unit"): words}), Letters(deadlines={"never": Deadline(words)}),
    )  # fmt: skip
    for letters, name in zip(strange, ("dance", "nowhere", "never"), strict=True):
        with pytest.raises(BadWorkflow, match=name):
            join(
                "1",
                STAGES,
                tuple(FLOW.states.values()),
                dispute.STATES,
                tuple(FLOW.actions.values()),
                tuple(FLOW.timers.values()),
                letters,
            )


# ---- by when, for whom -----------------------------------------------------------------------------------------------

PLANNING: Content = {"state": "rectification.planning", "due_rule": "plan_due", "waits_for": "unit"}
DUES = [
    (MONDAY, "wd", "整改方案须于 2026-03-20（周五）24 时前报送，还有 14 个工作日。", "The plan is due by Fri 2026-03-20, 14 working days left."),
    (MONDAY, "d", "整改方案须于 2026-03-20（周五）24 时前报送，还有 18 天。", "The plan is due by Fri 2026-03-20, 18 days left."),
    (date(2026, 3, 19), "wd", "整改方案须于 2026-03-20（周五）24 时前报送，还有 1 个工作日。", "The plan is due by Fri 2026-03-20, 1 working day left."),
    (date(2026, 3, 19), "mo", "整改方案须于 2026-03-20（周五）24 时前报送，还有 1 天。", "The plan is due by Fri 2026-03-20, 1 day left."),
    (date(2026, 3, 20), "wd", "整改方案须于 2026-03-20（周五）24 时前报送，今日截止。", "The plan is due by Fri 2026-03-20, which is today."),
    (date(2026, 3, 21), "wd", "整改方案须于 2026-03-20（周五）24 时前报送，已逾期 1 天。", "The plan is due by Fri 2026-03-20, 1 day overdue."),
    (date(2026, 3, 25), "wd", "整改方案须于 2026-03-20（周五）24 时前报送，已逾期 5 天。", "The plan is due by Fri 2026-03-20, 5 days overdue."),
]  # fmt: skip


@pytest.mark.parametrize(("today", "unit", "zh", "en"), DUES)
def test_a_deadline_is_told_with_what_is_left_of_it(today: date, unit: str, zh: str, en: str) -> None:
    for language, due in (("zh", zh), ("en", en)):
        assert told("warn", "unit", language, today=today, due_unit=unit, **PLANNING).due == due


def test_working_days_skip_the_days_off_of_the_published_calendar() -> None:
    over_national_day: Content = {**PLANNING, "due_at": text_of(due_instant(date(2026, 10, 9), CALENDAR))}
    left = CALENDAR.workdays_between(date(2026, 9, 28), date(2026, 10, 9))
    assert left < 9
    assert f"还有 {left} 个工作日。" in told("warn", "unit", today=date(2026, 9, 28), **over_national_day).due


def test_what_is_asked_ahead_of_a_deadline_is_pressed_for_after_it() -> None:
    assert told("warn", "unit", **PLANNING).ask == "请在期限内报送整改方案。"
    assert told("urge", "unit", today=date(2026, 4, 1), **PLANNING).ask == "请尽快报送整改方案。"
    assert (
        told("urge", "unit", "en", today=date(2026, 4, 1), **PLANNING).ask == "Please hand in the plan without delay."
    )


def test_a_right_that_has_lapsed_is_neither_overdue_nor_asked_for() -> None:
    defence: Content = {"state": "feedback.preliminary", "due_rule": "defence", "waits_for": "unit"}
    ahead, after = (told("approve_report", "unit", today=day, **defence) for day in (MONDAY, date(2026, 4, 1)))
    assert (ahead.due[:7], ahead.ask[:5]) == ("申辩意见可于 ", "如需申辩，")
    assert (after.due, after.ask) == ("申辩期限已于 2026-03-20（周五）届满。", "")


def test_a_unit_and_its_department_hear_of_the_units_deadlines_only() -> None:
    review: Content = {"state": "rectification.plan_review", "due_rule": "plan_review", "waits_for": "officer"}
    watched: Content = {"state": "lookback.watching", "due_rule": "lookback", "waits_for": ""}
    for role in ("unit", "department", "former_unit"):
        assert told("submit_plan", role, **review).due == ""
        assert told("write_off", role, **watched).due == ""
    assert told("order", "department", **PLANNING).due.startswith("整改方案须于")
    assert told("submit_plan", "officer", **review).due.startswith("方案审核须于")
    assert told("change_unit", "former_unit", **PLANNING).due == ""


def test_only_the_judge_of_this_finding_is_asked_for_the_verdict() -> None:
    review: Content = {"state": "rectification.plan_review", "due_rule": "plan_review"}
    assert told("submit_plan", "officer", waits_for="chief", **review).ask == ""
    assert told("submit_plan", "officer", waits_for="officer", **review).ask == "请在期限内审核整改方案。"
    assert told("submit_plan", "officer", waits_for=None, **review).ask == "请在期限内审核整改方案。"


def test_what_a_step_starts_beside_the_course_is_told_to_whoever_owes_it() -> None:
    reply: Content = {"instruction_reply": {"due_at": text_of(due_instant(date(2026, 3, 9), CALENDAR)), "unit": "wd"}}
    instructed = told("instruct", "chief", beside=reply, **PLANNING)
    assert (instructed.due, instructed.ask) == (
        "批示办理情况须于 2026-03-09（周一）24 时前回复，还有 5 个工作日。", "请组织办理，在期限内回复批示。"
    )  # fmt: skip
    for other in (told("instruct", "director", beside=reply, **PLANNING), told("instruct", "chief", **PLANNING)):
        assert (other.due, other.ask) == ("", "")
    begun: Content = {"monthly_report": {"due_at": text_of(NEVER), "unit": "mo"}}
    assert told("accept_plan", "unit", beside=begun, **PLANNING).due.startswith("整改方案须于")


def test_a_recurring_duty_has_no_date_of_its_first_turn() -> None:
    monthly = told("remind", "unit", state="rectification.executing", due_rule="monthly_report")
    assert (monthly.said, monthly.due, monthly.ask) == ("本期整改进展应当报送。", "", "请报送本期整改进展。")


def test_what_was_missed_is_told_late_in_the_words_of_its_step() -> None:
    late = told("make_good", "unit", about="serve_opinion", **PLANNING)
    assert late.said == "以下事项此前未能通知到位，现补充告知。督导意见书、整改通知书已送达你单位。"
    assert late.ask == "请在期限内报送整改方案。"


# ---- what it is about ------------------------------------------------------------------------------------------------


def test_a_headline_names_number_unit_and_title_and_a_long_title_is_cut() -> None:
    assert told("urge", "officer", title="通道堵塞").headline == "LOOP-2026-0001 云溪县桐峰镇中心小学《通道堵塞》"
    assert told("urge", "officer", "en", title="通道堵塞").headline == "LOOP-2026-0001 云溪县桐峰镇中心小学 “通道堵塞”"
    assert told("urge", "unit", title="通道堵塞").headline == "LOOP-2026-0001《通道堵塞》"
    assert told("change_unit", "former_unit", title="通道堵塞").headline == "LOOP-2026-0001《通道堵塞》"
    assert told("urge", "unit").headline == f"LOOP-2026-0001《{LONG[:35]}…》"


def test_whoever_stands_in_is_told_for_whom_and_about_which_unit() -> None:
    stand_in = told("urge", "unit", gap="unit", title="通道堵塞", **PLANNING)
    assert stand_in.headline == "LOOP-2026-0001 云溪县桐峰镇中心小学《通道堵塞》"
    assert stand_in.said.endswith("被督导单位暂无可通知人员，由您代收。")
    assert stand_in.ask == "请在期限内报送整改方案。"
    for language in LANGUAGES:
        for role in {*ROLES, *CAPACITIES}:
            check(told("urge", role, language, gap=role, **PLANNING), language, brief=False)


def test_danger_to_life_is_urgent_and_asks_for_that_alone() -> None:
    ordered = told("urgent_order", "unit", danger=True, **PLANNING)
    assert ordered.urgent
    assert (ordered.due, ordered.ask) == ("", "请立即落实处置措施，确保师生安全。")
    assert subject_of([ordered], "zh").startswith("【整改闭环】紧急：LOOP-2026-0001")


def test_a_subject_counts_what_waits_and_what_is_for_information() -> None:
    mine, other = told("warn", "unit", **PLANNING), told("write_off", "department", state="lookback.watching")
    assert subject_of([mine], "zh").startswith("【整改闭环】待办：LOOP-2026-0001《")
    assert subject_of([other], "zh").startswith("【整改闭环】LOOP-2026-0001《")
    assert subject_of([mine, mine, mine], "zh") == "【整改闭环】3 项待办"
    assert subject_of([mine, other, other], "zh") == "【整改闭环】1 项待办、2 项供知悉"
    assert subject_of([mine, other], "en") == "[Rectification loop] 1 to do, 1 for information"
    assert subject_of([other, replace(other, urgent=True)], "en") == "[Rectification loop] Urgent: 2 for information"


def test_supervisions_and_tip_offs_are_told_by_what_they_are() -> None:
    about: Content = {"due_rule": "supervision_report", "number": None, "unit_name": None}
    report = told("remind", "officer", chain="supervision:s1", title="春季专项督导", **about)
    assert (report.thread, report.headline, report.ask) == (
        "supervision:s1",
        "督导《春季专项督导》",
        "请在期限内提交督导报告。",
    )
    tip = told(
        "remind", "chief", gap="officer", chain="tip-off:t1", title="张三", **about | {"due_rule": "tip_off_answer"}
    )
    assert tip.headline == "举报"
    assert tip.said == "举报尚未答复。督导办经办人暂无可通知人员，由您代收。"
    assert "张三" not in whole(tip, "zh") + in_a_line(tip)


# ---- nothing leaks ---------------------------------------------------------------------------------------------------

KEYS = {"number", "title", "unit", "unit_name", "action", "state", "level", "waits_for", "danger", "due_at", "due_rule", "due_unit", "about", "beside", "chain"}  # fmt: skip
OTHERS = st.dictionaries(st.text(min_size=1).filter(lambda key: key not in KEYS), st.text() | st.integers(), max_size=8)


@given(OTHERS, st.sampled_from(SITUATIONS), st.sampled_from(LANGUAGES))
def test_nothing_else_of_a_finding_can_get_into_a_text(
    others: dict[str, Any], situation: tuple[str, str, str], language: str
) -> None:
    step, role, state = situation
    assert told(step, role, language, state=state, **others) == told(step, role, language, state=state)


SECRET = "切勿外传"
SEALED = {"matter": f"食堂问题{SECRET}", "unit": "school", "name": f"张三{SECRET}", "contact": "13800000000"}


def everything_told(world: World) -> Iterator[tuple[str, str, str]]:
    """Who was told which content in which text."""
    for name in world.cast.ids:
        for message in world.inbox(name):
            text = tray.text_of(message, world.engine.book)
            yield name, message.content, text.zh + text.en


def told_to(world: World, name: str) -> list[str]:
    """The texts that one person was told, the newest first."""
    return [text for who, _, text in everything_told(world) if who == name]


async def test_no_text_shows_a_sealed_identity_an_internal_remark_or_another_unit(site: Site) -> None:
    world = site.world
    hidden = {"description": SECRET, "facts": [SECRET], "responsible_person": SECRET}
    number = world.reported(world.executing(**hidden))
    assert (await site.post(None, "/tip-offs", SEALED)).status_code == 201
    (tip,) = (await site.get("officer", "/tip-offs")).json()["items"]
    linked = {"status": "checking", "result": SECRET, "finding": number, "is_origin": True}
    assert (await site.call("officer", "PATCH", f"/tip-offs/{tip['id']}", linked)).status_code == 200
    await site.get("officer", f"/tip-offs/{tip['id']}?identity=true")
    world.act("officer", "comment", number, text=SECRET, internal=True)
    world.act("school", "comment", number, text=SECRET)
    world.act("leader", "instruct", number, text=SECRET)
    world.passed(number)
    world.act("chief", "transfer", number, organ=SECRET, clue=SECRET)
    world.fed_back(unit="other_school", **hidden)
    world.live(40)
    told = list(everything_told(world))
    assert {"school", "bureau", "officer", "chief", "leader"} <= {name for name, _, _ in told}
    assert any("举报尚未答复。" in text for _, _, text in told)
    names = {person.full_name for person in (world.actor(name) for name in world.cast.ids)}
    for name, content, text in told:
        assert SECRET not in content + text
        assert "13800000000" not in content + text
        assert not [person for person in names if person in content + text]
        assert "第二中学" not in text or number not in text
        assert name != "school" or "第二中学" not in content + text


def test_an_instruction_is_told_with_the_day_on_which_its_answer_is_due_and_a_late_objection_asks_nothing(
    world: World,
) -> None:
    number = world.received()
    world.act("leader", "instruct", number, text="请尽快办理")
    day = world.due(number, "instruction_reply")
    (instructed, *_) = told_to(world, "chief")
    assert f"本问题收到批示。批示办理情况须于 {day}（周一）24 时前回复，还有 5 个工作日。" in instructed
    world.to(world.due(number, "opinion_window") + timedelta(days=2))
    world.act("school", "object", number, act="opinion", grounds=["事实有误"])
    (for_chief, *_) = told_to(world, "chief")
    assert "已收到异议或者复核申请。" in for_chief
    assert "请" not in for_chief.partition("复核申请。")[2]


def test_a_text_does_not_change_with_the_days_that_pass(world: World) -> None:
    world.fed_back()
    (before,) = told_to(world, "school")
    world.clock += timedelta(days=5)
    assert told_to(world, "school") == [before]
