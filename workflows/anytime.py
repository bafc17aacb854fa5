"""What can be done at any time: comment, attach, urge, instruct, transfer, suspend, change the unit, correct."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from loop.kernel import clocks, facts
from loop.kernel.case import Case, Draft
from loop.kernel.labels import Label
from loop.kernel.payloads import Code, Count, Day, Flag, Line, MaybeText, Payload, Text, field, label_of
from loop.kernel.people import (
    CHIEF,
    DEPARTMENT,
    DIRECTOR,
    IN_SCOPE,
    INSPECTOR,
    LEADER,
    OFFICER,
    REVIEWER,
    SUPERIOR,
    SYSTEM,
    UNIT,
)
from loop.kernel.rules import AS_ORDERED
from loop.kernel.workflow import SAME, Action, Move, Tell, move
from workflows import dispute, papers
from workflows import stages as s
from workflows.fields import NewFinding
from workflows.guards import FEEDBACK_DAY, asks_beforehand, guard, later_than_today
from workflows.report import end_suspension

ALL_IN_SCOPE = (INSPECTOR, OFFICER, CHIEF, DIRECTOR, UNIT, DEPARTMENT, LEADER, REVIEWER, SUPERIOR, IN_SCOPE)


class Comment(Payload):
    text: Text = field("意见", "comment", example="请注意雨季施工安全")
    internal: Flag = field("仅督导机构可见", "internal", False)


class Attachment(Payload):
    attachment: Code = field("附件编号", "attachment id")
    name: Line = field("文件名", "file name", example="corridor.jpg")
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = field("摘要", "SHA-256", example="0" * 64)
    size: Annotated[int, Field(ge=0, strict=True)] = field("字节数", "size in bytes")
    type: Line = field("类型", "type", example="image/jpeg")
    note: MaybeText = field("说明", "note", "")


class Urging(Payload):
    text: MaybeText = field("催办内容", "text", "", example="请于三日内报送整改方案")


class Instruction(Payload):
    text: Text = field("批示内容", "instruction", example="请尽快查清并报告")
    reply_due: Day | None = field("回复期限", "reply due", None, example="2026-04-10")


class Reply(Payload):
    text: Text = field("回复内容", "reply", example="已查清，情况如下")
    no: Count | None = field("所回复的批示", "the instruction", None, choose="instruction", usually="first")


class TransferResult(Payload):
    text: Text = field("办理结果", "result", example="已立案调查")
    no: Count | None = field("所移送的线索", "the clue", None, choose="transfer", usually="first")


class Transfer(Payload):
    organ: Line = field("移送机关", "authority", example="区市场监督管理局")
    clue: Text = field("线索", "clue", example="食堂采购票据涉嫌虚开")


class Suspension(Payload):
    reason: Text = field("理由", "reason", example="等待鉴定结论")
    until: Day = field("中止至", "until", example="2026-05-29")


class Resumption(Payload):
    reason: MaybeText = field("理由", "reason", "")


class NewUnit(Payload):
    unit: Code = field("新的被督导单位", "unit", example="S-0002", choose="unit")
    reason: Text = field("理由", "reason", example="该校已并入新校")
    fed_back_on: Day | None = field("反馈日期", "fed back on", None)


Correctable = Literal["title", "description", "responsible_person"]
CORRECTABLE = {name: label_of(name, NewFinding.model_fields[name]) for name in get_args(Correctable)}


class Correction(Payload):
    field_: Correctable = field("更正字段", "field", alias="field", words=CORRECTABLE)
    value: Text = field("更正为", "value", example="教学楼二层消防通道堵塞")
    reason: Text = field("理由", "reason", example="楼层笔误")

    @model_validator(mode="after")
    def _fits(self) -> Correction:
        if self.field_ != "description" and (len(self.value) > 200 or "\n" in self.value):
            raise ValueError(f"{self.field_} is one line of at most 200 characters")
        return self


# ---- guards --------------------------------------------------------------------------------------------------------

unit_known = guard(
    "unit_in_scope",
    "没有这个单位，或不在本机构范围内。",
    "No such unit within this office's region.",
    lambda case: (
        case.facts.unit is not None
        and case.facts.unit.id != case.finding.unit_id
        and case.capacity.post.covers(case.facts.unit.region)
    ),
    reads=True,
    needs=facts.UNIT,
)
no_open_dispute = guard(
    "no_dispute_open",
    "争议未了结，不能变更被督导单位。",
    "A dispute is open; the unit cannot be changed.",
    lambda case: case.finding.dispute in ("none", "final"),
)


def _orders_a_halt(case: Case) -> bool:
    if case.capacity.name in (CHIEF, SYSTEM):
        return True
    if case.finding.suspended:
        return bool(case.finding.part("suspension").get("by") == case.capacity.name)
    return case.finding.dispute in dispute.OPEN and case.capacity.name == dispute.decider(case)


deciding_office = guard(
    "deciding_office",
    "中止时限由督导办负责人，或者正在处理争议的机构书面决定。",
    "The chief orders it, or the office that decides the dispute.",
    _orders_a_halt,
    needs=facts.OFFICE,
)
running = guard("not_suspended", "时限已经中止。", "It is suspended already.", lambda case: not case.finding.suspended)
standing = guard("suspended", "时限没有中止。", "It is not suspended.", lambda case: case.finding.suspended)


# ---- effects -------------------------------------------------------------------------------------------------------


def _commented(case: Case, draft: Draft) -> None:
    if case.payload.internal:
        draft.remarks["internal"] = True
    elif case.capacity.name == UNIT:
        draft.tell(OFFICER)


def _instructed(case: Case, draft: Draft) -> None:
    asked = list(draft.value("instructions", []))
    asked.append({"no": len(asked) + 1, **case.payload.model_dump(mode="json"), "by": case.actor.full_name})
    draft.write("instructions", asked)
    draft.start("instruction_reply", case.today, due_on=case.payload.reply_due, note=str(len(asked)))


def _closes(rule: str, topic: str) -> Callable[[Case, Draft], None]:
    """The answer to the item named by `no`, or to the first that is still open."""

    def effect(case: Case, draft: Draft) -> None:
        waiting = sorted((t for t in case.finding.timers if t.rule == rule), key=lambda t: int(t.note))
        chosen = [t for t in waiting if case.payload.no in (None, int(t.note))][:1]
        if not chosen:
            return
        note, now = chosen[0].note, case.now
        draft.rewrites.append(
            lambda t: replace(t, stopped_at=now) if t.rule == rule and t.note == note else t
        )  # fmt: skip
        items = [
            {**item, "answer": case.payload.text} if str(item["no"]) == note else item
            for item in draft.value(topic, [])
        ]
        draft.write(topic, items)

    return effect


def _waiting_for(rule: str, zh: str, en: str) -> Callable[[Case], Label | None]:
    def test(case: Case) -> Label | None:
        open_ones = [int(t.note) for t in case.finding.timers if t.rule == rule]
        asked = getattr(case.payload, "no", None)
        return None if open_ones and asked in (None, *open_ones) else Label(zh, en)

    return test


def _transferred(case: Case, draft: Draft) -> None:
    sent = list(draft.value("transfers", []))
    sent.append({"no": len(sent) + 1, **case.payload.model_dump(mode="json")})
    draft.write("transfers", sent)
    draft.start("transfer_result", case.today, note=str(len(sent)))


def _suspended(case: Case, draft: Draft) -> None:
    draft.set(suspended_at=case.now)
    now, why, calendar = case.now, case.payload.reason, case.calendar
    draft.rewrites.append(lambda t: clocks.pause(t, now, why, calendar))
    draft.start("suspension_end", case.today, rule=AS_ORDERED, due_on=case.payload.until)
    draft.write("suspension", {**case.payload.model_dump(mode="json"), "by": case.capacity.name})


def _resumed(case: Case, draft: Draft) -> None:
    end_suspension(case, draft)


def _moved(case: Case, draft: Draft) -> None:
    unit = case.facts.unit
    if unit is None:
        raise AssertionError("the guard lets only a known unit through")
    place = replace(case.finding.place, unit_id=unit.id, department_id=unit.department_id, region=unit.region)
    draft.set(unit_id=unit.id, unit_kind=unit.kind, department_id=unit.department_id, place=place, level=0)
    for topic in ("plan", "report", "extension", "owed"):
        draft.write(topic, {})
    for topic, blank in (("failures", 0), ("plan_returns", 0), ("planned", False), ("date_set_by", "")):
        draft.write(topic, blank)
    if case.finding.stage == "feedback" and case.finding.state != s.SERVED:
        draft.write("defence", {})
        draft.put("feedback", fed_back_on=case.payload.fed_back_on or case.today)
    elif case.finding.stage != "report":
        draft.put("opinion", served_on=case.today, received_on=None)
        draft.write("plan_required", True)
        draft.stop("opinion_window", "reconsider_window", "appeal_window", "publish_due")


def _corrected(case: Case, draft: Draft) -> None:
    draft.set(**{case.payload.field_: case.payload.value})


def _urged(case: Case, draft: Draft) -> None:
    """A rung of the ladder raises the level and marks the finding as once overdue; a person's urging does neither."""
    if case.capacity.name == SYSTEM:
        draft.raise_level(2)
        draft.write("was_overdue", True)


def anywhere(states: frozenset[str]) -> tuple[Move, ...]:
    """An action that changes no state, possible in each of `states`."""
    return (move(states, SAME),)


def _is_served(case: Case) -> bool:
    return case.finding.served


SERVED_ON = (Tell(UNIT, _is_served), Tell(DEPARTMENT, _is_served))
"""The unit and its department, once they know of the finding at all."""

ACTIONS = (
    Action(
        name="comment", label=Label("留言", "comment"), by=ALL_IN_SCOPE, moves=anywhere(s.EVERY), payload=Comment,
        effect=_commented,
    ),
    Action(
        name="attach", label=Label("上传附件", "attach evidence"), by=ALL_IN_SCOPE, moves=anywhere(s.EVERY),
        payload=Attachment,
    ),
    Action(
        name="urge", label=Label("催办", "urge"), by=(OFFICER, CHIEF, DEPARTMENT, SYSTEM), moves=anywhere(s.OPEN),
        payload=Urging, effect=_urged, papers=(papers.URGING,),
        tell=(UNIT, Tell(OFFICER, lambda case: case.capacity.name == SYSTEM)),
    ),
    Action(
        name="instruct", label=Label("批示", "instruct"), by=(LEADER, DIRECTOR), moves=anywhere(s.ALIVE),
        payload=Instruction, effect=_instructed, papers=(papers.INSTRUCTION,), tell=(CHIEF,),
        guards=(later_than_today("reply_due", "回复期限", "The day of reply"),),
    ),
    Action(
        name="answer_instruction", label=Label("回复批示", "answer the instruction"), by=(OFFICER, CHIEF),
        moves=anywhere(s.EVERY), payload=Reply, effect=_closes("instruction_reply", "instructions"),
        guards=(asks_beforehand(
            "instruction_open", "有待回复的批示", "an instruction waits",
            _waiting_for("instruction_reply", "没有待回复的批示。", "No instruction waits for an answer."),
        ),), answers=("instruction_reply",), tell=(LEADER, DIRECTOR),
    ),
    Action(
        name="transfer", label=Label("移送", "transfer a clue"), by=(CHIEF,), moves=anywhere(s.OPEN), payload=Transfer,
        effect=_transferred, papers=(papers.TRANSFER_LETTER,), tell=(OFFICER,),
    ),
    Action(
        name="record_transfer_result", label=Label("登记移送结果", "record the result of a transfer"), by=(OFFICER,),
        moves=anywhere(s.EVERY), payload=TransferResult, effect=_closes("transfer_result", "transfers"),
        guards=(asks_beforehand(
            "transfer_open", "有待反馈的移送", "a transfer waits",
            _waiting_for("transfer_result", "没有待反馈的移送。", "No transfer waits for its result."),
        ),), answers=("transfer_result",), tell=(CHIEF,),
    ),
    Action(
        name="suspend", label=Label("中止时限", "suspend"), by=(CHIEF, DIRECTOR, SUPERIOR), only=deciding_office,
        moves=anywhere(s.OPEN), payload=Suspension, effect=_suspended,
        guards=(running, later_than_today("until", "中止期限", "The end")), tell=(*SERVED_ON, OFFICER),
    ),
    Action(
        name="resume", label=Label("恢复时限", "resume"), by=(CHIEF, DIRECTOR, SUPERIOR, SYSTEM), only=deciding_office,
        moves=anywhere(s.ALIVE), payload=Resumption, effect=_resumed, guards=(standing,), tell=(*SERVED_ON, OFFICER),
    ),
    Action(
        name="change_unit", label=Label("变更被督导单位", "change the unit"), by=(CHIEF,), payload=NewUnit,
        moves=(
            move(s.REPORT, SAME), move({s.PRELIMINARY, s.DEFENCE, s.DRAFTING}, s.PRELIMINARY),
            move({s.SERVED} | s.RECTIFICATION | s.REVIEW, s.SERVED),
        ),
        guards=(no_open_dispute, unit_known, *FEEDBACK_DAY), effect=_moved, papers=(papers.CHANGE_NOTICE.only(_is_served),),
        restarts=("defence", "opinion_issue", "acknowledge"),
        tell=(*SERVED_ON, Tell("former_unit", _is_served)),
    ),
    Action(
        name="correct", label=Label("勘误", "correct a clerical error"), by=(CHIEF,), moves=anywhere(s.AFTER_SERVICE),
        payload=Correction, effect=_corrected, papers=(papers.ERRATUM,), tell=(UNIT, DEPARTMENT),
    ),
)  # fmt: skip
