"""Report 报告: a problem is recorded, checked by a second person, and told to the unit for the first time."""

from __future__ import annotations

from typing import Literal

from loop.kernel import clocks, facts
from loop.kernel.case import Case, Draft
from loop.kernel.finding import NEVER
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Instant, Outsider, Payload, Text, field
from loop.kernel.people import AUTHOR, CHIEF, DEPARTMENT, INSPECTOR, LEADER, OFFICER, UNIT
from loop.kernel.vocabulary import SEVERITIES
from loop.kernel.workflow import SAME, START, Action, Fork, State, move
from workflows import papers
from workflows import stages as s
from workflows.fields import ChangedFinding, NewFinding, Severity, found_on_or_today, record
from workflows.guards import FEEDBACK_DAY, asks, guard, last_day, not_in_future, not_the_author, rectify_by_later
from workflows.timers import REPORT_DUE

STATES = (
    State(name=s.DRAFT, label=Label("登记", "draft"), waits_for=(INSPECTOR,), starts=(REPORT_DUE,)),
    State(name=s.SUBMITTED, label=Label("待审核", "awaiting approval"), waits_for=(CHIEF,), starts=("report_review",)),
)


class UrgentOrder(Payload):
    measure: Text = field("现场措施", "measure ordered", example="立即停用该楼层并疏散学生")
    told_to: Outsider = field("告知对象", "told to")
    at: Instant = field("时间", "time", usually="now")


class Reason(Payload):
    reason: Text = field("理由", "reason", example="事实不清，请补充现场照片")


FEEDBACK_MODES = {"oral": Label("口头", "oral"), "written": Label("书面", "written")}


class Approval(Payload):
    mode: Literal["oral", "written"] = field("反馈方式", "mode of feedback", "written", words=FEEDBACK_MODES)
    fed_back_on: Day = field("反馈日期", "fed back on", example="2026-03-09", usually="today")
    severity: Severity | None = field("调整严重程度", "severity raised to", None, words=SEVERITIES)


class SpotOpinion(Payload):
    opinion: Text = field("整改意见", "opinion", example="当日清空疏散通道")
    rectify_by: Day = field("整改期限", "rectify by", example="2026-03-16")


# ---- guards --------------------------------------------------------------------------------------------------------

unit_in_scope = guard(
    "unit_in_scope",
    "没有这个单位，或不在您的督导范围内；请核对单位编号。",
    "No such unit within your supervision; check its id.",
    lambda case: case.facts.unit is not None and case.capacity.post.covers(case.facts.unit.region),
    reads=True,
    needs=facts.UNIT,
)
not_recused = guard(
    "not_recused",
    "您与该单位有应当回避的情形，请由他人登记。",
    "You must stay out of matters of this unit; somebody else must record it.",
    lambda case: not case.facts.recused,
    reads=True,
    needs=facts.UNIT,
)
supervision_known = guard(
    "supervision_known",
    "没有这次督导，或不属于本机构。",
    "No such supervision at this office.",
    lambda case: (
        case.payload.supervision is None
        or (case.facts.supervision is not None and case.facts.supervision.office_id == case.finding.office_id)
    ),
    reads=True,
    needs=facts.SUPERVISION,
)
filled = guard(
    "facts_and_basis",
    "请先补充事实和依据。",
    "Fill in the facts and the legal basis first.",
    lambda case: bool(case.finding.sheet.get("facts")) and bool(case.finding.sheet.get("legal_basis")),
)
team_of_three = guard(
    "team_of_three",
    "综合督导、专项督导的督导组不少于三名督学。",
    "A comprehensive or special supervision needs a team of at least three inspectors.",
    lambda case: (
        case.finding.kind not in ("comprehensive", "special")
        or (case.facts.supervision is not None and case.facts.supervision.inspectors >= 3)
    ),
    needs=facts.SUPERVISION,
)
spot_conditions = guard(
    "routine_and_normal",
    "只有经常性督导中的一般问题可以当场提出整改意见。",
    "Only a normal finding of a routine supervision can be dealt with on the spot.",
    lambda case: case.finding.kind == "routine" and case.finding.severity == "normal" and not case.finding.positive,
)
spot_limit = guard(
    "within_spot_limit",
    "当场整改的期限不超过三十日。",
    "The time allowed on the spot is at most thirty days.",
    lambda case: case.payload.rectify_by <= last_day(case, "on_the_spot_max"),
    reads=True,
)
never_served = guard(
    "never_served",
    "已经告知过被督导单位，不能作废；请按程序撤销。",
    "The unit has been told of it; it can no longer be discarded.",
    lambda case: not case.finding.served,
)
danger = guard(
    "danger_to_life",
    "只有危及生命安全的问题可以下达现场处置。",
    "Only where life is in danger.",
    lambda case: case.finding.danger_to_life,
)

_STEPS = ("normal", "major", "grave")


def _one_step(case: Case) -> Label | None:
    raised = case.payload.severity
    if raised is None or raised == case.finding.severity:
        return None
    if not case.facts.repeat_of:
        return Label("只有重复发生的问题可以提高严重程度。", "Only a repeated finding may be raised in severity.")
    if _STEPS.index(raised) != _STEPS.index(case.finding.severity) + 1:
        return Label("严重程度只能提高一级。", "The severity may rise by one step only.")
    return None


one_step_up = asks("one_step_up", "重复问题可提高一级", "a repeat may rise one step", _one_step, needs=facts.REPEAT)


# ---- effects -------------------------------------------------------------------------------------------------------


def opened(case: Case, draft: Draft) -> None:
    """Take the fields over; the kind is the supervision's where there is one."""
    values = case.payload.model_dump(mode="json")
    values["facts"] = values["facts"] or []
    values["found_on"] = found_on_or_today(case)
    if case.facts.supervision:
        values["kind"] = case.facts.supervision.kind
        draft.set(supervision_id=case.facts.supervision.id)
    record(case, draft, values)
    author = case.capacity.post.for_id or case.actor.id
    draft.write("author", author)
    draft.write("authors", sorted(case.persons))
    draft.join_in("author", [author])


def _amended(case: Case, draft: Draft) -> None:
    changed = case.payload.model_dump(mode="json", exclude_unset=True)
    record(case, draft, {k: v for k, v in changed.items() if v is not None})


def _ordered(case: Case, draft: Draft) -> None:
    draft.set(served=True)


def _approved(case: Case, draft: Draft) -> None:
    draft.set(served=True)
    draft.put("feedback", mode=case.payload.mode, fed_back_on=case.payload.fed_back_on)
    if case.payload.severity:
        draft.set(severity=case.payload.severity)
    if case.facts.repeat_of and not case.finding.positive:
        draft.write("repeat_of", case.facts.repeat_of)
        draft.raise_level(3)


def _on_the_spot(case: Case, draft: Draft) -> None:
    draft.set(served=True)
    demand = {"no": 1, "text": case.payload.opinion}
    draft.write("plan_required", False)
    draft.put(
        "opinion", demands=[demand], on_the_spot=True, served_on=case.today, received_on=case.today,
        rectify_by=case.payload.rectify_by, signers=sorted(case.persons),
    )  # fmt: skip
    draft.write("rectify_by", case.payload.rectify_by)
    open_act(case, draft, "opinion", case.persons)
    draft.start("opinion_window", case.today, note=f"opinion#{case.finding.version + 1}")


def open_act(case: Case, draft: Draft, kind: str, signers: frozenset[str]) -> str:
    """Record a new act that can be disputed once; answers its key."""
    key = f"{kind}#{case.finding.version + 1}"
    acts = list(draft.value("acts", []))
    acts.append({"key": key, "kind": kind, "signers": sorted(signers), "disputed": False, "appealed": False})
    draft.write("acts", acts)
    draft.join_in("signer", sorted(signers))
    return key


def end_suspension(case: Case, draft: Draft) -> None:
    """Whatever stood still by written order runs again with what was left."""
    draft.set(suspended_at=NEVER)
    draft.stop("suspension_end")
    now, calendar = case.now, case.calendar
    draft.rewrites.append(lambda timer: clocks.resume(timer, now, calendar))


APPROVED = Fork(
    "opinion_or_praise",
    (s.PRELIMINARY, s.PROPOSED),
    lambda case: s.PROPOSED if case.finding.positive else s.PRELIMINARY,
)

ACTIONS = (
    Action(
        name="open", label=Label("登记问题", "open a finding"), by=(INSPECTOR, OFFICER), moves=(move(START, s.DRAFT),),
        creates=True, payload=NewFinding, effect=opened, tell=(CHIEF,),
        guards=(unit_in_scope, not_recused, supervision_known, not_in_future("found_on", "发现日期", "The day it was found")),
    ),
    Action(
        name="amend", label=Label("修改登记", "amend"), by=(AUTHOR, OFFICER), moves=(move(s.DRAFT, SAME),),
        payload=ChangedFinding, effect=_amended,
        guards=(not_in_future("found_on", "发现日期", "The day it was found"),),
    ),
    Action(
        name="urgent_order", label=Label("现场紧急处置", "urgent order"), by=(INSPECTOR,), moves=(move(s.ALIVE, SAME),),
        payload=UrgentOrder, guards=(danger,), effect=_ordered, papers=(papers.ON_SITE_RECORD,),
        tell=(UNIT, DEPARTMENT, CHIEF, LEADER),
    ),
    Action(
        name="submit_report", label=Label("提交审核", "submit for approval"), by=(INSPECTOR, OFFICER),
        moves=(move(s.DRAFT, s.SUBMITTED),), guards=(filled,), answers=("report_due",),
        papers=(papers.REPORT_ITEM,), tell=(CHIEF,),
    ),
    Action(
        name="return_report", label=Label("退回登记", "return to the author"), by=(CHIEF,),
        moves=(move(s.SUBMITTED, s.DRAFT),), payload=Reason, answers=("report_review",), tell=(AUTHOR,),
    ),
    Action(
        name="approve_report", label=Label("审核通过并初步反馈", "approve and feed back"), by=(CHIEF,),
        moves=(move(s.SUBMITTED, APPROVED),), payload=Approval, effect=_approved, answers=("report_review",),
        guards=(not_the_author, team_of_three, one_step_up, *FEEDBACK_DAY),
        papers=(papers.PRELIMINARY_OPINION,), tell=(UNIT,),
    ),
    Action(
        name="issue_on_the_spot", label=Label("当场提出整改意见", "issue an opinion on the spot"), by=(INSPECTOR,),
        moves=(move(s.DRAFT, s.EXECUTING),), payload=SpotOpinion, effect=_on_the_spot,
        guards=(spot_conditions, spot_limit, rectify_by_later), papers=(papers.INSPECTOR_OPINION,), tell=(UNIT, OFFICER),
    ),
    Action(
        name="discard", label=Label("作废登记", "discard the draft"), by=(AUTHOR,), moves=(move(s.DRAFT, s.WITHDRAWN),),
        payload=Reason, guards=(never_served,), effect=end_suspension,
    ),
)  # fmt: skip
