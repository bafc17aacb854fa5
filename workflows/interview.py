"""Interview 约谈: the head of the unit is called in, told the facts, commits to a date; the record is filed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from loop.kernel.calendar import local_day
from loop.kernel.case import Case, Draft
from loop.kernel.labels import Label
from loop.kernel.payloads import (
    Day,
    Flag,
    Instant,
    Item,
    Line,
    MaybeLine,
    Name,
    NumberedItems,
    Outsider,
    Payload,
    Text,
    field,
)
from loop.kernel.people import CHAIR, CHIEF, DEPARTMENT, DIRECTOR, LEADER, OFFICER, SYSTEM, UNIT
from loop.kernel.workflow import Action, Move, State, Tell, move
from workflows import papers
from workflows import stages as s
from workflows.back import BACK, leaving, returned, set_date
from workflows.fields import Lines
from workflows.forms import REASON_CODES
from workflows.guards import (
    asks,
    government_needs_director,
    guard,
    known_people,
    last_day,
    of_the_office,
    rectify_by_later,
)
from workflows.timers import INTERVIEW_TIMER

STATES = (
    State(
        name=s.TALK_PROPOSED, label=Label("拟约谈", "interview proposed"), waits_for=(CHIEF,), starts=("interview_decide",),
        level=4,
    ),
    State(name=s.TALK_NOTICED, label=Label("已通知约谈", "interview noticed"), waits_for=(CHIEF,), starts=(INTERVIEW_TIMER,)),
    State(
        name=s.TALK_HELD, label=Label("已约谈待备案", "held, to be filed"), waits_for=(OFFICER,), starts=("interview_file",)
    ),
)  # fmt: skip


class CodedReason(Item):
    code: MaybeLine = field("事由", "reason", "AC_POOR_RECTIFY", example="AC_POOR_RECTIFY", words=REASON_CODES)


CodedReasons = Annotated[list[CodedReason], NumberedItems, Field(min_length=1, max_length=100)]


class InterviewProposal(Payload):
    reasons: CodedReasons = field("约谈事由", "reasons")


class InterviewNotice(Payload):
    chair: Name = field("主持人", "chair", example="li.hua", choose="person")
    at: Instant = field("约谈时间", "time", example="2026-07-10T09:30:00+08:00")
    place: Line = field("地点", "place", example="区教育督导办公室会议室")
    interviewees: Annotated[list[Outsider], Field(min_length=1, max_length=50)] = field("约谈对象", "interviewees")
    materials: Lines = field("需带材料", "materials", [], example=["整改台账"])


class Postponement(Payload):
    reason: Text = field("改期理由", "reason", example="被约谈人赴省参会")
    at: Instant = field("新的时间", "new time", example="2026-07-15T09:30:00+08:00")


class Attendee(Outsider):
    present: Flag = field("到场", "present", example=True)
    approved_by: MaybeLine = field("代为出席的批准人", "approved by", "")


class InterviewRecord(Payload):
    attendance: Annotated[list[Attendee], Field(min_length=1, max_length=100)] = field(
        "出席情况", "attendance", rows="interview.interviewees"
    )
    facts_told: Text = field("告知事实", "facts told", example="期限届满仍未完成整改")
    demands: Annotated[list[Item], NumberedItems, Field(min_length=1, max_length=100)] = field("要求", "demands")
    statement: Text = field("被约谈人陈述", "statement", example="承认督促不力")
    commitment: Text = field("整改承诺", "commitment", example="七月底前完成")
    rectify_by: Day = field("整改期限", "rectify by", example="2026-07-31")


class NoShow(Payload):
    proof_of_notice: Text = field("通知送达凭据", "proof of notice", example="约谈通知书送达回证，七月三日签收")


class Filing(Payload):
    record_no: Line = field("记录编号", "record number", example="督约〔2026〕3号")
    recipients: Lines = field("备案单位", "recipients", [], example=["区人民政府"])


# ---- guards --------------------------------------------------------------------------------------------------------


def _unknown_code(case: Case) -> Label | None:
    for reason in case.payload.reasons:
        if reason.code not in REASON_CODES:
            return Label(f"没有这个事由代码：{reason.code}。", f"There is no reason code {reason.code}.")
    return None


known_reason = asks("reason_code", "事由代码有效", "the reason code is known", _unknown_code)


def _too_soon(case: Case) -> Label | None:
    if case.payload.at <= case.now:
        return Label("约谈时间必须在将来。", "The interview must lie in the future.")
    earliest = last_day(case, "interview_notice")
    if not case.finding.danger_to_life and local_day(case.payload.at, case.calendar) < earliest:
        return Label(
            f"约谈应提前三个工作日通知，最早 {earliest}。", f"Notice is three working days: {earliest} at the earliest."
        )
    return None


enough_notice = asks("enough_notice", "提前通知", "enough notice", _too_soon)


def _talk(case: Case) -> dict[str, Any]:
    return case.finding.part("interview")


def _time_passed(case: Case) -> bool:
    at = _talk(case).get("at")
    return at is not None and datetime.fromisoformat(at) <= case.now


once = guard(
    "postponed_once",
    "约谈只能改期一次。",
    "An interview can be postponed once.",
    lambda case: not _talk(case).get("postponed"),
)
before_time = guard(
    "before_the_time", "约谈时间已过，不能改期。", "Its time has passed.", lambda case: not _time_passed(case)
)
after_time = guard("time_has_passed", "约谈时间未到。", "The time of the interview has not come.", _time_passed)
later_time = guard(
    "new_time_ahead",
    "新的时间必须在将来。",
    "The new time must lie ahead.",
    lambda case: case.payload.at > case.now,
    reads=True,
)


def _head_or_deputy(case: Case) -> bool:
    invited = [p["name"] for p in _talk(case).get("interviewees", ())]
    head = invited[0] if invited else ""
    return any(a.present and (a.approved_by or a.name == head) for a in case.payload.attendance)


head_present = guard(
    "head_present",
    "主要负责人未到场，也没有经批准的代表；请补记批准人，或记录未到场。",
    "The head is absent and no approved deputy is present; name who approved, or record a no-show.",
    _head_or_deputy,
    reads=True,
)


# ---- effects -------------------------------------------------------------------------------------------------------


def by_system(case: Case) -> bool:
    """Whether a rung of the ladder acts."""
    return case.capacity.name == SYSTEM


def by_ladder(case: Case, draft: Draft) -> None:
    """What the ladder itself proposes was overdue."""
    if by_system(case):
        draft.write("was_overdue", True)


def _proposed(case: Case, draft: Draft) -> None:
    leaving(case, draft)
    by_ladder(case, draft)
    draft.write("interview", {"reasons": case.payload.model_dump(mode="json")["reasons"]})


def _noticed(case: Case, draft: Draft) -> None:
    chair = case.facts.people[case.payload.chair].id
    draft.put("interview", **case.payload.model_dump(mode="json"), chair_id=chair, postponed=False)
    draft.drops.add("chair")
    draft.join_in("chair", [chair])


def _postponed(case: Case, draft: Draft) -> None:
    draft.put("interview", at=case.payload.at, postponed=True)


def _held(case: Case, draft: Draft) -> None:
    draft.put("interview", **case.payload.model_dump(mode="json"), held_on=case.today)
    set_date(case, draft, "interview")


def _absent(case: Case, draft: Draft) -> None:
    leaving(case, draft)
    draft.put("interview", no_show=True)
    draft.put("bulletin", facts=case.payload.proof_of_notice)


def _filed(case: Case, draft: Draft) -> None:
    draft.put("interview", **case.payload.model_dump(mode="json"))
    returned(case, draft)


PROPOSING: Move = move(s.RECTIFICATION | s.REVIEW, s.TALK_PROPOSED)

ACTIONS = (
    Action(
        name="propose_interview", label=Label("建议约谈", "propose an interview"), by=(OFFICER, CHIEF, SYSTEM),
        moves=(PROPOSING,), payload=InterviewProposal, guards=(known_reason,), effect=_proposed,
        papers=(papers.INTERVIEW_PROPOSAL,), tell=(CHIEF, Tell(DEPARTMENT, by_system), LEADER),
    ),
    Action(
        name="notice_interview", label=Label("通知约谈", "give notice of the interview"), by=(CHIEF, DIRECTOR),
        only=government_needs_director, moves=(move(s.TALK_PROPOSED, s.TALK_NOTICED),), payload=InterviewNotice,
        guards=(enough_notice, known_people("chair"), of_the_office("chair")), effect=_noticed, answers=("interview_decide",),
        papers=(papers.INTERVIEW_NOTICE,), tell=(UNIT, DEPARTMENT, LEADER, CHAIR),
    ),
    Action(
        name="postpone_interview", label=Label("约谈改期", "postpone the interview"), by=(CHIEF,),
        moves=(move(s.TALK_NOTICED, "same"),), payload=Postponement, guards=(once, before_time, later_time),
        effect=_postponed, restarts=("interview_time",), papers=(papers.RESCHEDULE_NOTICE,),
        tell=(UNIT, DEPARTMENT, LEADER, CHAIR),
    ),
    Action(
        name="hold_interview", label=Label("记录约谈", "record the interview"), by=(CHIEF, DIRECTOR),
        only=government_needs_director, moves=(move(s.TALK_NOTICED, s.TALK_HELD),), payload=InterviewRecord,
        guards=(head_present, rectify_by_later), effect=_held, answers=("interview_time",),
        papers=(papers.INTERVIEW_RECORD,), tell=(UNIT,),
    ),
    Action(
        name="record_no_show", label=Label("记录未到场", "record a no-show"), by=(CHIEF,),
        moves=(move(s.TALK_NOTICED, s.BULLETIN_DRAFTED),), payload=NoShow, guards=(after_time,), effect=_absent,
        papers=(papers.NO_SHOW_RECORD,), tell=(DEPARTMENT, LEADER),
    ),
    Action(
        name="file_interview", label=Label("约谈备案", "file the interview"), by=(OFFICER,),
        moves=(move(s.TALK_HELD, BACK),), payload=Filing, effect=_filed, answers=("interview_file",),
        papers=(papers.FILING_LETTER,), tell=(DEPARTMENT,),
    ),
)  # fmt: skip
