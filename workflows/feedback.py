"""Feedback 反馈: the unit answers the preliminary opinion, the office weighs it, and the opinion letter is served."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from loop.kernel import facts
from loop.kernel.calendar import local_day
from loop.kernel.case import Case, Draft
from loop.kernel.labels import Label
from loop.kernel.payloads import (
    Count,
    Day,
    Files,
    Item,
    Items,
    NumberedItems,
    Outsider,
    Payload,
    Text,
    distinct_numbers,
    field,
)
from loop.kernel.people import CHIEF, DEPARTMENT, DIRECTOR, OFFICER, SUPERIOR, SYSTEM, UNIT
from loop.kernel.workflow import Action, State, move
from workflows import papers
from workflows import stages as s
from workflows.guards import asks, files_attached, government_needs_director, guard, last_day, listed, rectify_by_later
from workflows.report import Reason, end_suspension, open_act
from workflows.timers import DEFENCE, OPINION_ISSUE, day

STATES = (
    State(name=s.PRELIMINARY, label=Label("初步反馈", "preliminary opinion"), waits_for=(UNIT,), starts=(DEFENCE, OPINION_ISSUE)),
    State(name=s.DEFENCE, label=Label("申辩核查", "weighing the defence"), waits_for=(OFFICER,)),
    State(name=s.DRAFTING, label=Label("意见书待发", "opinion letter to be issued"), waits_for=(CHIEF,)),
    State(name=s.SERVED, label=Label("已送达待签收", "served, receipt awaited"), waits_for=(UNIT,), starts=("acknowledge",)),
)  # fmt: skip


class Grounds(Payload):
    grounds: Items = field("申辩理由", "grounds")
    attachments: Files = field("附件", "attachments", [], choose="file")


class AnsweredGround(Item):
    ground_no: Annotated[int, Field(ge=1, le=999, strict=True)] = field("对应理由", "answers ground number")


OUTCOMES = {
    "accepted": Label("采纳", "accepted"), "partly": Label("部分采纳", "accepted in part"),
    "rejected": Label("不予采纳", "rejected"),
}  # fmt: skip


class Weighing(Payload):
    outcome: Literal["accepted", "partly", "rejected"] = field("处理结果", "outcome", example="partly", words=OUTCOMES)
    reasons: Annotated[
        list[AnsweredGround], NumberedItems, AfterValidator(distinct_numbers), Field(min_length=1, max_length=100)
    ] = field("逐条答复", "answer to each ground", rows="defence.grounds")


class Consent(Payload):
    agreed: Count = field("同意人数", "agreed")
    of: Annotated[int, Field(ge=1, le=1000, strict=True)] = field("督导组人数", "team members")


class OpinionLetter(Payload):
    evaluation: Text = field("评价", "evaluation", example="安全责任落实不到位")
    demands: Items = field("整改要求", "demands", example=[{"no": 1, "text": "清空疏散通道并建立巡查制度"}])
    rectify_by: Day | None = field("整改期限", "rectify by", None, example="2026-06-30")
    consent: Consent | None = field("督导组同意情况", "consent of the team", None)


class Receipt(Payload):
    receiver: Outsider = field("签收人", "receiver")
    received_on: Day = field("签收日期", "received on", example="2026-03-30", usually="today")


# ---- guards --------------------------------------------------------------------------------------------------------

late_once = guard(
    "late_defence_once",
    "逾期申辩只能提出一次。",
    "A late defence can be made once only.",
    lambda case: case.finding.state == s.PRELIMINARY or not case.finding.part("defence").get("late"),
)


def _every_ground(case: Case) -> Label | None:
    grounds = {g["no"] for g in case.finding.part("defence").get("grounds", ())}
    answered = {r.ground_no for r in case.payload.reasons}
    if missing := sorted(grounds - answered):
        return Label(f"还没有答复第 {listed(missing)} 条理由。", f"Ground {listed(missing)} is not answered yet.")
    if strange := sorted(answered - grounds):
        return Label(f"申辩中没有第 {listed(strange)} 条理由。", f"The defence has no ground {listed(strange)}.")
    return None


every_ground = asks("every_ground_answered", "逐条答复", "every ground is answered", _every_ground)


LEAST_TEAM = 3
"""The least size of a team, where the finding belongs to no supervision in force that could tell its team."""


def _consents(case: Case) -> Label | None:
    if case.finding.kind not in ("comprehensive", "special"):
        return None
    consent, team = case.payload.consent, case.facts.supervision
    if consent is None or consent.agreed > consent.of or 3 * consent.agreed < 2 * consent.of:
        return Label(
            "综合督导、专项督导的意见书须经督导组三分之二以上成员同意；请填写同意人数。",
            "The opinion of a comprehensive or special supervision needs two thirds of the team; state the consent.",
        )
    if team is None:
        few = Label("督导组不少于三名督学。", "A team has at least three inspectors.")
        return few if consent.of < LEAST_TEAM else None
    if consent.of != team.inspectors:
        return Label(
            f"督导组现有督学 {team.inspectors} 人，请按此填写督导组人数。",
            f"The team has {team.inspectors} inspectors today; the consent must be of that many.",
        )
    return None


two_thirds = asks(
    "team_consent", "督导组三分之二同意", "two thirds of the team agree", _consents, needs=facts.SUPERVISION
)


def plan_due_on(case: Case) -> object:
    """The last day on which the plan may fall due if the letter is served today."""
    served = last_day(case, "acknowledge")
    kind = case.finding.unit_kind
    return last_day(case, "plan_due" if kind == "school" else f"plan_due_{kind}", served)


after_the_plan = guard(
    "rectify_by_after_plan",
    "整改期限必须晚于整改方案的报送期限。",
    "The date to rectify by must lie after the day the plan is due.",
    lambda case: case.payload.rectify_by is None or case.payload.rectify_by > plan_due_on(case),
    reads=True,
)
receipt_in_time = guard(
    "received_between_service_and_today",
    "签收日期应在送达之日和今天之间。",
    "The day of receipt must lie between service and today.",
    lambda case: (
        (day(case.finding.part("opinion").get("served_on")) or case.today) <= case.payload.received_on <= case.today
    ),
    reads=True,
)
before_rectification = {*s.REPORT, *s.FEEDBACK}
withdrawn_by = guard(
    "director_withdraws",
    "进入整改之后，须由督导委主任或副主任撤销；此前由督导办负责人撤销。",
    "From rectification on the director withdraws; before, the chief.",
    lambda case: case.capacity.name == (CHIEF if case.finding.state in before_rectification else DIRECTOR),
)


# ---- effects -------------------------------------------------------------------------------------------------------


def _defended(case: Case, draft: Draft) -> None:
    late = case.finding.state == s.DRAFTING
    if late:
        draft.remarks["late"] = True
    values = case.payload.model_dump(mode="json")
    draft.write("defence", {**values, "late": late})


def _weighed(case: Case, draft: Draft) -> None:
    draft.put("defence", **case.payload.model_dump(mode="json"))


def _served(case: Case, draft: Draft) -> None:
    draft.set(served=True)
    values = case.payload.model_dump(mode="json")
    draft.write("opinion", {**values, "served_on": case.today, "signers": sorted(case.persons)})
    draft.write("plan_required", True)
    draft.write("rectify_by", values["rectify_by"])
    draft.join_in("signer", sorted(case.persons))


def _received(case: Case, draft: Draft) -> None:
    """By hand, or deemed on the day the time to acknowledge ran out."""
    by_hand = isinstance(case.payload, Receipt)
    on = case.payload.received_on if by_hand else local_day(case.now, case.calendar)
    receiver = case.payload.receiver.model_dump() if by_hand else None
    draft.put("opinion", received_on=on, receiver=receiver, deemed=not by_hand)
    signers = frozenset(case.finding.part("opinion").get("signers", ()))
    key = open_act(case, draft, "opinion", signers)
    if case.finding.dispute in ("none", "final"):
        draft.start("opinion_window", on, note=key)
    else:
        waits = ["opinion_window"]
        draft.write("acts", [{**act, "waits": waits} if act["key"] == key else act for act in draft.value("acts")])
    draft.start("publish_due", on)


KEPT_AFTER_WITHDRAWAL = frozenset({"instruction_reply", "transfer_result", "tip_off_answer", "take_down_due"})


def end_course(case: Case, draft: Draft) -> None:
    """The finding is withdrawn: timers, windows and disputes end, what was published must come down."""
    draft.stop(*({t.rule for t in case.finding.timers} - KEPT_AFTER_WITHDRAWAL))
    end_suspension(case, draft)
    take_down_published(case, draft)
    if case.finding.dispute not in ("none", "final"):
        draft.set(dispute="final")
    draft.set(level=0)


def take_down_published(case: Case, draft: Draft, *kinds: str) -> None:
    """What is published (of these kinds of paper, or at all) must come down; once ordered, the order stands."""
    shown = [p for p in case.finding.sheet.get("published") or () if not p.get("down")]
    if any(not kinds or p["what"] in kinds for p in shown) and case.finding.timer("take_down_due") is None:
        draft.start("take_down_due", case.today)


def _withdrawn(case: Case, draft: Draft) -> None:
    end_course(case, draft)
    if case.finding.served:
        draft.tell(UNIT, DEPARTMENT)


ACTIONS = (
    Action(
        name="defend", label=Label("提出申辩", "defend"), by=(UNIT,), moves=(move({s.PRELIMINARY, s.DRAFTING}, s.DEFENCE),),
        payload=Grounds, guards=(late_once, files_attached("attachments")), effect=_defended, answers=("defence",),
        papers=(papers.DEFENCE_STATEMENT,), tell=(OFFICER,),
    ),
    Action(
        name="waive_defence", label=Label("放弃申辩", "waive the defence"), by=(UNIT,),
        moves=(move(s.PRELIMINARY, s.DRAFTING),), tell=(OFFICER,),
    ),
    Action(
        name="defence_lapsed", label=Label("申辩期满", "the window for defence is over"), by=(SYSTEM,),
        moves=(move(s.PRELIMINARY, s.DRAFTING), move(s.NOTIFIED, s.DECIDING)), tell=(OFFICER,),
    ),
    Action(
        name="weigh_defence", label=Label("答复申辩", "weigh the defence"), by=(OFFICER,),
        moves=(move(s.DEFENCE, s.DRAFTING),), payload=Weighing, guards=(every_ground,), effect=_weighed,
        papers=(papers.DEFENCE_ANSWER,), tell=(UNIT,),
    ),
    Action(
        name="withdraw", label=Label("撤销问题", "withdraw"), by=(CHIEF, DIRECTOR), only=withdrawn_by,
        moves=(move(s.OPEN - {s.DRAFT} - s.ACCOUNTABILITY, s.WITHDRAWN),), payload=Reason, effect=_withdrawn,
        papers=(papers.WITHDRAWAL,), tell=(OFFICER,),
    ),
    Action(
        name="serve_opinion", label=Label("送达督导意见书", "serve the opinion letter"), by=(CHIEF, DIRECTOR),
        only=government_needs_director, moves=(move(s.DRAFTING, s.SERVED),), payload=OpinionLetter, effect=_served,
        guards=(two_thirds, rectify_by_later, after_the_plan), answers=("opinion_issue",),
        papers=(papers.OPINION_LETTER, papers.RECTIFICATION_NOTICE), tell=(UNIT, DEPARTMENT, SUPERIOR),
    ),
    Action(
        name="acknowledge", label=Label("签收", "acknowledge receipt"), by=(UNIT,), moves=(move(s.SERVED, s.PLANNING),),
        payload=Receipt, guards=(receipt_in_time,), effect=_received, answers=("acknowledge",), papers=(papers.RECEIPT,),
        tell=(OFFICER,),
    ),
    Action(
        name="deem_served", label=Label("视为送达", "deemed served"), by=(SYSTEM,), moves=(move(s.SERVED, s.PLANNING),),
        effect=_received, papers=(papers.RECEIPT,), tell=(OFFICER, UNIT),
    ),
)  # fmt: skip
