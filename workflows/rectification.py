"""Rectification 整改: the unit plans, the office accepts, the unit carries out, reports progress and asks for more time."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from loop.kernel.calendar import local_day
from loop.kernel.case import Case, Draft
from loop.kernel.clocks import Timer
from loop.kernel.finding import Finding
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Files, Items, MaybeText, Payload, Percent, Text, field
from loop.kernel.people import CHIEF, DEPARTMENT, DIRECTOR, OFFICER, UNIT
from loop.kernel.workflow import SAME, Action, State, Tell, move
from workflows import papers
from workflows import stages as s
from workflows.back import note_late, received
from workflows.guards import (
    asks,
    files_attached,
    guard,
    last_day,
    listed,
    major_needs_chief,
    new_date_later,
    rectify_key,
)
from workflows.report import Reason
from workflows.timers import EXECUTING_TIMERS, PLANNING_TIMERS, day


def _plan_judge(finding: Finding) -> tuple[str, ...]:
    return (CHIEF,) if finding.major else (OFFICER,)


STATES = (
    State(name=s.PLANNING, label=Label("制定方案", "planning"), waits_for=(UNIT,), starts=(PLANNING_TIMERS,)),
    State(
        name=s.PLAN_REVIEW, label=Label("方案审核", "plan under review"), waits_for=(OFFICER, CHIEF),
        waits_when=_plan_judge, starts=("plan_review",),
    ),
    State(name=s.EXECUTING, label=Label("整改中", "executing"), waits_for=(UNIT,), starts=(EXECUTING_TIMERS,)),
)  # fmt: skip


class PlanItem(Payload):
    demand_no: Annotated[int, Field(ge=1, le=999, strict=True)] = field("对应要求", "demand number")
    problem: MaybeText = field("问题清单", "problem", "", example="疏散通道堵塞")
    task: MaybeText = field("任务清单", "task", "", example="清空通道")
    measure: MaybeText = field("措施清单", "measure", "", example="设专人每日巡查")
    responsible: MaybeText = field("责任清单", "responsible", "", example="总务处 陈明")
    due: Day | None = field("时限清单", "time limit", None, example="2026-05-29")


class Plan(Payload):
    cause: Text = field("原因分析", "cause", example="库房不足，日常巡查缺位")
    target: Text = field("整改目标", "target", example="疏散通道全天畅通")
    items: Annotated[list[PlanItem], Field(min_length=1, max_length=200)] = field(
        "五个清单", "the five lists", rows="opinion.demands"
    )
    finish_on: Day = field("完成日期", "finish on", example="2026-06-15")


class Reasons(Payload):
    reasons: Items = field("理由", "reasons")


class Note(Payload):
    note: MaybeText = field("说明", "note", "", example="同意，按期推进")


class Progress(Payload):
    text: Text = field("进展", "progress", example="通道已清空，正在改造库房")
    percent: Percent = field("完成比例", "percent done", example=60)
    attachments: Files = field("附件", "attachments", [], choose="file")


class ExtensionRequest(Payload):
    reason: Text = field("延期理由", "reason", example="库房改造因汛期停工")
    new_date: Day = field("申请延至", "new date", example="2026-07-20")
    progress: Text = field("当前进展", "progress so far", example="主体完工")


class NewDate(Payload):
    new_date: Day = field("新的期限", "new date", example="2026-07-20")


STATUSES = {
    "done": Label("已完成", "done"), "phase_done": Label("阶段性完成", "done for this phase"),
    "not_done": Label("未完成", "not done"),
}  # fmt: skip


class ReportItem(Payload):
    status: Literal["done", "phase_done", "not_done"] = field("完成情况", "status", words=STATUSES)
    text: Text = field("整改情况", "what was done", example="通道已清空，巡查记录见附件")
    evidence: Files = field("佐证材料", "evidence", [], example=["A-1"], choose="file")


class Report(Payload):
    items: Annotated[list[ReportItem], Field(min_length=1, max_length=200)] = field(
        "逐项情况", "items", rows="plan.items opinion.demands"
    )
    effect: Text = field("整改成效", "effect", example="通道畅通，未再发现堆放")
    long_term_mechanism: MaybeText = field("长效机制", "long-term mechanism", "", example="每周巡查并公示")
    attachments: Files = field("附件", "attachments", [], choose="file")


# ---- guards --------------------------------------------------------------------------------------------------------

letter_received = guard(
    "opinion_received", "尚未收到督导意见书。", "No opinion letter has been received yet.", received
)
plan_open = guard(
    "no_plan_accepted",
    "整改方案已经通过，不能再报。",
    "The plan has been accepted already.",
    lambda case: (
        case.finding.part("plan").get("status") != "accepted" and case.finding.sheet.get("plan_required", True)
    ),
)


def _uncovered(case: Case) -> Label | None:
    demands = {d["no"] for d in case.finding.part("opinion").get("demands", ())}
    planned = {item.demand_no for item in case.payload.items}
    if missing := sorted(demands - planned):
        return Label(
            f"方案没有回应第 {listed(missing)} 条整改要求。", f"The plan leaves demand {listed(missing)} unanswered."
        )
    if strange := sorted(planned - demands):
        return Label(f"意见书没有第 {listed(strange)} 条要求。", f"The letter has no demand {listed(strange)}.")
    return None


def _incomplete(case: Case) -> Label | None:
    for place, item in enumerate(case.payload.items, 1):
        if not (item.problem and item.task and item.measure and item.responsible and item.due):
            return Label(
                f"第 {place} 项五个清单不全：问题、任务、责任、措施、时限都要填写。",
                f"Item {place} is incomplete: problem, task, responsibility, measure and time limit are all needed.",
            )
    return None


def _too_long(case: Case) -> Label | None:
    latest = day(case.finding.sheet.get("rectify_by")) or last_day(case, rectify_key(case))
    if case.payload.finish_on > latest:
        return Label(f"完成日期不能晚于 {latest}。", f"The plan must finish by {latest}.")
    return None


covered = asks("every_demand_covered", "每条要求都有安排", "every demand is covered", _uncovered)
complete = asks("five_lists_complete", "五个清单齐全", "the five lists are complete", _incomplete)
in_time = asks("finish_within_limit", "在整改期限内完成", "it finishes within the limit", _too_long)

third_return = guard(
    "third_return_needs_chief",
    "第三次退回须由督导办负责人办理；此前由经办人办理。",
    "From the third time the chief returns a plan; before, the officer.",
    lambda case: case.capacity.name == (CHIEF if int(case.finding.sheet.get("plan_returns", 0)) >= 2 else OFFICER),
)


def _extension(case: Case) -> dict[str, object]:
    return case.finding.part("extension")


before_due = guard(
    "before_rectify_by",
    "整改期限已过，不能再申请延期。",
    "The date to rectify by has passed; an extension can no longer be asked for.",
    lambda case: (timer := case.finding.timer("rectify_by")) is None or not timer.is_past(case.now),
)
none_pending = guard(
    "no_extension_pending",
    "已有一份延期申请待批。",
    "A request for extension is already pending.",
    lambda case: not _extension(case).get("pending"),
)
at_most_two = guard(
    "two_extensions_at_most",
    "本轮整改已延期两次，不能再延。",
    "Two extensions have been granted in this round already.",
    lambda case: int(str(_extension(case).get("granted", 0))) < 2,
)
not_dangerous = guard(
    "not_danger_to_life",
    "危及生命安全的问题不能延期。",
    "No extension where life is in danger.",
    lambda case: not case.finding.danger_to_life,
)
one_pending = guard(
    "extension_pending",
    "没有待批的延期申请。",
    "No request for extension is pending.",
    lambda case: bool(_extension(case).get("pending")),
)
second_needs_director = guard(
    "second_extension_needs_director",
    "第二次延期由督导委主任或副主任审批，第一次由督导办负责人审批。",
    "The first extension is the chief's to decide, the second the director's.",
    lambda case: case.capacity.name == (DIRECTOR if int(str(_extension(case).get("granted", 0))) else CHIEF),
)


def _beyond(case: Case) -> Label | None:
    timer = case.finding.timer("rectify_by")
    due = local_day(timer.due_at, case.calendar) if timer else case.today
    if not due < case.payload.new_date:
        return Label(f"新的期限应晚于 {due}。", f"The new date must lie after {due}.")
    latest = last_day(case, "extension_max", due)
    if case.action.name == "grant_extension" and case.payload.new_date > latest:
        return Label(f"每次延期不超过三十日，最晚 {latest}。", f"An extension is at most thirty days: {latest}.")
    return None


at_most_thirty = asks("within_extension_limit", "延期不超过上限", "within the limit of an extension", _beyond)


def _unanswered(case: Case) -> Label | None:
    plan = case.finding.part("plan")
    asked = plan.get("items") if plan.get("status") == "accepted" else case.finding.part("opinion").get("demands")
    if len(case.payload.items) < len(asked or ()):
        return Label(
            f"共有 {len(asked or ())} 项措施，须逐项报告。", f"There are {len(asked or ())} measures; report on each."
        )
    for place, item in enumerate(case.payload.items, 1):
        if not item.evidence:
            return Label(f"第 {place} 项没有佐证材料。", f"Item {place} has no evidence.")
    strangers = {e for item in case.payload.items for e in item.evidence} - case.facts.attachments
    if strangers:
        return Label(
            f"请先上传附件：{listed(sorted(strangers))}。", f"Upload these first: {listed(sorted(strangers))}."
        )
    return None


each_measure = asks(
    "each_measure_evidenced", "逐项有佐证", "each measure has evidence", _unanswered, needs="attachments"
)
plan_accepted = guard(
    "plan_accepted",
    "整改方案通过后才能报送整改报告。",
    "The plan must be accepted before the report is handed in.",
    lambda case: (
        case.finding.part("plan").get("status") == "accepted" or not case.finding.sheet.get("plan_required", True)
    ),
)


# ---- effects -------------------------------------------------------------------------------------------------------


def _handed_in(case: Case, draft: Draft) -> None:
    draft.write("plan", {**case.payload.model_dump(mode="json"), "status": "handed_in"})
    note_late(case, draft, "plan_due", "plan_resubmit")


def _returned(case: Case, draft: Draft) -> None:
    times = int(case.finding.sheet.get("plan_returns", 0)) + 1
    draft.write("plan_returns", times)
    draft.put("plan", status="returned")
    if times >= 3:
        draft.raise_level(3)


def _accepted(case: Case, draft: Draft) -> None:
    draft.put("plan", status="accepted")


def _progressed(case: Case, draft: Draft) -> None:
    draft.write("progress", {"percent": case.payload.percent, "text": case.payload.text, "on": case.today})


def _asked(case: Case, draft: Draft) -> None:
    draft.put("extension", pending=case.payload.model_dump(mode="json"))
    draft.start("extension_decide", case.today)


def _granted(case: Case, draft: Draft) -> None:
    timer = case.finding.timer("rectify_by")
    granted = int(str(_extension(case).get("granted", 0))) + 1
    draft.put("extension", pending=None, granted=granted)
    draft.write("rectify_by", case.payload.new_date)
    draft.stop("rectify_by", "extension_decide")
    draft.start(
        "rectify_by", case.today, key=rectify_key(case), due_on=case.payload.new_date,
        first_due_at=timer.first_due_at if timer else None, profile=timer.profile if timer else "",
    )  # fmt: skip


def _refused(case: Case, draft: Draft) -> None:
    draft.put("extension", pending=None)
    draft.stop("extension_decide")
    today = case.today

    def anchored(timer: Timer) -> Timer:
        if timer.rule != "rectify_by":
            return timer
        return replace(timer, anchor_on=today)

    draft.rewrites.append(anchored)


def _reported(case: Case, draft: Draft) -> None:
    draft.write("report", {**case.payload.model_dump(mode="json"), "status": "handed_in", "round": case.finding.round})
    note_late(case, draft, "rectify_by")
    if _extension(case).get("pending"):
        draft.put("extension", pending=None)


def _third(case: Case) -> bool:
    return int(case.finding.sheet.get("plan_returns", 0)) >= 2


ACTIONS = (
    Action(
        name="submit_plan", label=Label("报送整改方案", "submit the plan"), by=(UNIT,),
        moves=(move(s.PLANNING, s.PLAN_REVIEW), move(s.PRESSURE, SAME)), payload=Plan, effect=_handed_in,
        guards=(letter_received, plan_open, covered, complete, in_time), answers=("plan_due", "plan_resubmit"),
        papers=(papers.PLAN,), tell=(OFFICER, DEPARTMENT),
    ),
    Action(
        name="return_plan", label=Label("退回方案", "return the plan"), by=(OFFICER, CHIEF), only=third_return,
        moves=(move(s.PLAN_REVIEW, s.PLANNING),), payload=Reasons, effect=_returned, answers=("plan_review",),
        papers=(papers.RETURN_SLIP, papers.URGE_ORDER.only(_third)), tell=(UNIT, DEPARTMENT, Tell(CHIEF, _third)),
    ),
    Action(
        name="accept_plan", label=Label("通过方案", "accept the plan"), by=(OFFICER, CHIEF), only=major_needs_chief,
        moves=(move(s.PLAN_REVIEW, s.EXECUTING),), payload=Note, effect=_accepted, answers=("plan_review",),
        papers=(papers.PLAN_APPROVAL,), tell=(UNIT,),
    ),
    Action(
        name="report_progress", label=Label("报告进展", "report progress"), by=(UNIT,),
        moves=(move(s.PRESSURE | {s.EXECUTING}, SAME),), payload=Progress, effect=_progressed,
        guards=(files_attached("attachments"),), papers=(papers.MONTHLY_REPORT,), tell=(OFFICER,),
    ),
    Action(
        name="request_extension", label=Label("申请延期", "ask for an extension"), by=(UNIT,),
        moves=(move(s.EXECUTING, SAME),), payload=ExtensionRequest, effect=_asked,
        guards=(not_dangerous, none_pending, at_most_two, before_due, at_most_thirty),
        papers=(papers.EXTENSION_REQUEST,), tell=(OFFICER, DEPARTMENT, CHIEF),
    ),
    Action(
        name="grant_extension", label=Label("同意延期", "grant the extension"), by=(CHIEF, DIRECTOR),
        only=second_needs_director, moves=(move(s.EXECUTING, SAME),), payload=NewDate, effect=_granted,
        guards=(one_pending, new_date_later, at_most_thirty), answers=("extension_decide",),
        papers=(papers.EXTENSION_REPLY,), tell=(UNIT, DEPARTMENT),
    ),
    Action(
        name="refuse_extension", label=Label("不同意延期", "refuse the extension"), by=(CHIEF, DIRECTOR),
        only=second_needs_director, moves=(move(s.EXECUTING, SAME),), payload=Reason, effect=_refused,
        guards=(one_pending,), answers=("extension_decide",), papers=(papers.EXTENSION_REPLY,), tell=(UNIT, DEPARTMENT),
    ),
    Action(
        name="submit_rectification", label=Label("报送整改报告", "submit the report"), by=(UNIT,),
        moves=(move(s.EXECUTING, s.DESK), move(s.PRESSURE, SAME)), payload=Report, effect=_reported,
        guards=(letter_received, plan_accepted, each_measure, files_attached("attachments")), answers=("rectify_by",),
        papers=(papers.RECTIFICATION_REPORT,), tell=(OFFICER,),
    ),
)  # fmt: skip
