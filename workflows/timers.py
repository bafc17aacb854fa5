"""Every timer: what it is called, whose it is, where it runs on, and what happens when its time comes.

Lengths are rules of config.toml under the timer's name; the few timers whose length depends on the finding are started
by the functions below.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from loop.kernel.calendar import end_day, local_day
from loop.kernel.case import Case, Draft
from loop.kernel.clocks import Climb, Close, Fire, Recur, Remind, TimerRule
from loop.kernel.labels import Label
from loop.kernel.people import AUTHOR, CHAIR, CHIEF, DIRECTOR, LEADER, OFFICER, REVIEWER, SUPERIOR, UNIT
from loop.kernel.rules import AS_ORDERED
from loop.kernel.workflow import Starter
from workflows import stages as s
from workflows.guards import rectify_key

CHIEF_THEN_LEADER = Remind((CHIEF,), (LEADER,))
CHIEF_ONLY = Remind((CHIEF,))


def _course(name: str, zh: str, en: str, on_due: Any, lives: frozenset[str] | set[str], **more: Any) -> TimerRule:
    return TimerRule(name=name, label=Label(zh, en), kind="course", on_due=on_due, lives_in=frozenset(lives), **more)


def _other(kind: str, name: str, zh: str, en: str, on_due: Any, owner: str = "", **more: Any) -> TimerRule:
    return TimerRule(name=name, label=Label(zh, en), kind=kind, on_due=on_due, owner=owner, **more)


COURSE_TIMERS = (
    _course("report_due", "登记期限", "report due", Remind((AUTHOR, CHIEF)), {s.DRAFT}, owner=AUTHOR),
    _course("report_review", "审核期限", "review of the report", CHIEF_THEN_LEADER, {s.SUBMITTED}),
    _course("defence", "申辩期限", "window for the defence", Fire("defence_lapsed"), {s.PRELIMINARY}),
    _course(
        "opinion_issue",
        "意见书印发期限",
        "issue of the opinion letter",
        CHIEF_THEN_LEADER,
        {s.PRELIMINARY, s.DEFENCE, s.DRAFTING} | s.ACCOUNTABILITY,
        owner=CHIEF,
        waits_in=frozenset({s.DEFENCE, s.DRAFTING}),
    ),
    _course("acknowledge", "签收期限", "acknowledgement of receipt", Fire("deem_served"), {s.SERVED}),
    _course(
        "plan_due", "整改方案报送期限", "plan due", Climb(), {s.PLANNING}, variants=("plan_due_department", "plan_due_government")
    ),
    _course("plan_resubmit", "整改方案重报期限", "plan due again", Climb(), {s.PLANNING}),
    _course("plan_review", "方案审核期限", "review of the plan", CHIEF_THEN_LEADER, {s.PLAN_REVIEW}),
    _course(
        "rectify_by", "整改期限", "rectify by", Climb(), {s.EXECUTING}, variants=("rectify_by_major", "rectify_by_long_term")
    ),
    _course(
        "review_due", "复查期限", "review due", CHIEF_THEN_LEADER, {s.DESK, s.ONSITE}, owner=REVIEWER,
        waits_in=frozenset({s.DESK}),
    ),
    _course("write_off", "销号期限", "write-off due", CHIEF_THEN_LEADER, {s.PASSED}),
    _course("commendation_review", "激励审核期限", "review of the commendation", CHIEF_ONLY, {s.PROPOSED}),
    _course("publicity", "公示期", "period of public notice", Remind((DIRECTOR,)), {s.PUBLICITY}, variants=("publicity_min",)),
    _course("interview_decide", "约谈决定期限", "decision on the interview", CHIEF_THEN_LEADER, {s.TALK_PROPOSED}),
    _course("interview_time", "约谈记录期限", "record of the interview due", Remind((CHAIR,)), {s.TALK_NOTICED}, owner=CHAIR),
    _course("interview_file", "约谈备案期限", "filing of the interview", CHIEF_ONLY, {s.TALK_HELD}),
    _course("bulletin_decide", "通报决定期限", "decision on the bulletin", CHIEF_THEN_LEADER, {s.BULLETIN_DRAFTED}),
    _course("bulletin_answer", "通报回复期限", "answer to the bulletin", Climb("answer"), {s.BULLETIN_ISSUED}),
    _course("group_due", "工作组成立期限", "forming of the group", Remind((DIRECTOR,), (SUPERIOR,)), {s.REFERRED}),
    _course("investigation_due", "调查认定期限", "investigation due", Remind((DIRECTOR,)), {s.INVESTIGATING}),
    _course("accountability_defence", "陈述申辩期限", "window for statement and defence", Fire("defence_lapsed"), {s.NOTIFIED}),
    _course("decision_due", "问责决定期限", "decision due", Remind((DIRECTOR,), (SUPERIOR,)), {s.DECIDING}),
    _course("execution_report", "执行报告期限", "report on execution", CHIEF_ONLY, {s.DECIDED}),
    _course(
        "lookback", "回头看时点", "look-back point", Fire("open_lookback"), s.LOOKBACK | s.ACCOUNTABILITY, owner="system",
        fires_in=frozenset({s.WATCHING}),
    ),
    _course("lookback_due", "回头看核查期限", "look-back due", CHIEF_THEN_LEADER, {s.INSPECTING}, owner=REVIEWER),
    _course("archive_due", "归档期限", "archiving due", Fire("archive"), {s.WATCHING}, owner=OFFICER),
)  # fmt: skip

_EXECUTING = frozenset({s.EXECUTING})
OTHER_TIMERS = (
    _other("reminder", "milestone", "整改节点", "milestone", Remind((UNIT,)), UNIT, lives_in=_EXECUTING),
    _other("reminder", "monthly_report", "月报", "monthly report", Recur((UNIT,)), UNIT, lives_in=_EXECUTING),
    _other("side", "extension_decide", "延期审批期限", "decision on the extension", CHIEF_ONLY, CHIEF, lives_in=_EXECUTING),
    _other("side", "instruction_reply", "批示回复期限", "reply to the instruction", CHIEF_ONLY, CHIEF),
    _other("side", "transfer_result", "移送结果期限", "result of the transfer", Remind((OFFICER,)), OFFICER),
    _other("side", "publish_due", "公开期限", "publication due", CHIEF_ONLY, CHIEF),
    _other("side", "take_down_due", "撤下期限", "removal due", CHIEF_ONLY, CHIEF),
    _other("side", "suspension_end", "中止到期", "end of the suspension", Fire("resume"), "system", lives_in=s.ALIVE),
    _other("side", "tip_off_answer", "举报答复期限", "answer to the tip-off", Remind((OFFICER,)), OFFICER),
    _other("side", "supervision_report", "督导报告期限", "report on the supervision", Remind((OFFICER,)), OFFICER),
    _other("window", "opinion_window", "异议期", "window for an objection", Close(), UNIT),
    _other("window", "reconsider_window", "复核申请期", "window for reconsideration", Close(), UNIT),
    _other(
        "window", "appeal_window", "申诉期", "window for an appeal", Fire("dispute_lapsed"), UNIT,
        fires_in=frozenset({"decided"}),
    ),
    _other("dispute", "objection_decide", "异议处理期限", "decision on the objection", Remind((CHIEF,), (SUPERIOR,)), CHIEF),
    _other(
        "dispute", "reconsider_decide", "复核决定期限", "decision on reconsideration", Remind((DIRECTOR,), (SUPERIOR,)), DIRECTOR
    ),
    _other("dispute", "appeal_decide", "申诉处理期限", "decision on the appeal", Remind((SUPERIOR,)), SUPERIOR),
    _other("dispute", "correction", "纠正期限", "correction due", Remind((OFFICER,), (SUPERIOR,)), OFFICER),
)  # fmt: skip

TIMERS = COURSE_TIMERS + OTHER_TIMERS


def day(text: object) -> date | None:
    """A date of the sheet."""
    return date.fromisoformat(str(text)) if text else None


def _report_due(case: Case, draft: Draft) -> None:
    fresh = case.action.creates
    draft.start("report_due", day(draft.value("found_on")) or case.today if fresh else case.today)


def _fed_back_on(case: Case, draft: Draft) -> date:
    """The day of feedback where this very action gives it; today on the way back."""
    return day(draft.part("feedback").get("fed_back_on")) or case.today if "feedback" in draft.sheet else case.today


def _defence(case: Case, draft: Draft) -> None:
    draft.start("defence", _fed_back_on(case, draft))


def _opinion_issue(case: Case, draft: Draft) -> None:
    draft.start("opinion_issue", _fed_back_on(case, draft))


def _planning(case: Case, draft: Draft) -> None:
    if draft.value("planned"):
        draft.start("plan_resubmit", case.today, profile=draft.value("date_set_by", ""))
        return
    draft.write("planned", True)
    kind = draft.get("unit_kind")
    key = "plan_due" if kind == "school" else f"plan_due_{kind}"
    draft.start("plan_due", day(draft.part("opinion").get("received_on")) or case.today, key=key)


def _executing(case: Case, draft: Draft) -> None:
    least = end_day(case.today, case.rule("rectify_min").number, case.rule("rectify_min").unit, case.calendar)
    key, profile = rectify_key(case), draft.value("date_set_by", "")
    if set_on := day(draft.value("rectify_by")):
        draft.start("rectify_by", case.today, key=key, due_on=set_on, not_before=least, profile=profile)
    else:
        draft.start("rectify_by", case.today, key=key, not_before=least, profile=profile)
    draft.start("monthly_report", case.today)
    ends = {day(item.get("due")): item.get("task", "") for item in draft.part("plan").get("items", ())}
    for end, task in sorted((e, t) for e, t in ends.items() if e and e > case.today):
        draft.start("milestone", case.today, rule=AS_ORDERED, due_on=end, note=str(task)[:200])


def _publicity(case: Case, draft: Draft) -> None:
    notice = draft.part("commendation")
    from_day = day(notice.get("notice_from")) or case.today
    draft.start("publicity", from_day, key="publicity_min", due_on=day(notice.get("notice_to")))


def _interview_time(case: Case, draft: Draft) -> None:
    at = draft.part("interview").get("at")
    from_day = local_day(datetime.fromisoformat(str(at)), case.calendar) if at else case.today
    draft.start("interview_time", from_day)


def _accountability_defence(case: Case, draft: Draft) -> None:
    draft.start("accountability_defence", day(draft.part("notice").get("received_on")) or case.today)


def lookback_points(case: Case, draft: Draft, written_off_on: date) -> None:
    """Start every look-back point, counted from the day of write-off."""
    grave = draft.get("severity") == "grave"
    for rule in case.rules.lookback_grave if grave else case.rules.lookback:
        draft.start("lookback", written_off_on, rule=rule, note=f"{rule.number}{rule.unit}")


def _watching(case: Case, draft: Draft) -> None:
    """After the last point archiving is due; while points remain, nothing else runs."""
    stopped = draft.remarks.get("points_met", ())
    left = [t for t in case.finding.timers if t.rule == "lookback" and t.id not in stopped]
    if not left and not any(order.name == "lookback" for order in draft.orders):
        draft.start("archive_due", case.today)


REPORT_DUE = Starter(("report_due",), _report_due)
DEFENCE = Starter(("defence",), _defence)
OPINION_ISSUE = Starter(("opinion_issue",), _opinion_issue)
PLANNING_TIMERS = Starter(("plan_due", "plan_resubmit"), _planning)
EXECUTING_TIMERS = Starter(("rectify_by", "monthly_report", "milestone"), _executing)
PUBLICITY_TIMER = Starter(("publicity",), _publicity)
INTERVIEW_TIMER = Starter(("interview_time",), _interview_time)
ACCOUNTABILITY_DEFENCE = Starter(("accountability_defence",), _accountability_defence)
WATCHING_TIMERS = Starter(("archive_due",), _watching)
