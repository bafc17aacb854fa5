"""Accountability 问责: a clue is investigated, the subject heard, the director decides, the decision is carried out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from loop.kernel.case import Case, Draft
from loop.kernel.labels import Label
from loop.kernel.payloads import (
    Code,
    Day,
    Files,
    Item,
    Items,
    Line,
    Names,
    NumberedItems,
    Payload,
    Text,
    distinct_numbers,
    field,
)
from loop.kernel.people import CHIEF, DEPARTMENT, DIRECTOR, LEADER, MEMBER, OFFICER, SUPERIOR, SYSTEM, UNIT
from loop.kernel.workflow import SAME, Action, State, move
from workflows import papers
from workflows import stages as s
from workflows.back import BACK, leaving, returned, set_date
from workflows.forms import AGGRAVATING, CIRCUMSTANCES, FORMS, MITIGATING
from workflows.guards import (
    asks,
    files_attached,
    guard,
    known_people,
    listed,
    none_recused,
    of_the_office,
    person_ids,
    rectify_by_later,
    within_the_stage,
)
from workflows.interview import by_ladder, by_system
from workflows.rectification import Reasons
from workflows.report import open_act
from workflows.timers import ACCOUNTABILITY_DEFENCE

STATES = (
    State(name=s.REFERRED, label=Label("问责线索", "referred"), waits_for=(DIRECTOR,), starts=("group_due",), level=6),
    State(
        name=s.INVESTIGATING, label=Label("调查认定", "investigating"), waits_for=(OFFICER, CHIEF),
        starts=("investigation_due",),
    ),
    State(
        name=s.NOTIFIED, label=Label("已告知待申辩", "notified"), waits_for=(UNIT,), starts=(ACCOUNTABILITY_DEFENCE,)
    ),
    State(name=s.DECIDING, label=Label("待审定", "deciding"), waits_for=(DIRECTOR,), starts=("decision_due",)),
    State(name=s.DECIDED, label=Label("决定执行中", "decision in execution"), waits_for=(OFFICER,), starts=("execution_report",)),
)  # fmt: skip

Codes = Annotated[list[Code], Field(min_length=1, max_length=30)]
MaybeCodes = Annotated[list[Code], Field(max_length=30)]


FORM_WORDS = {code: label for code, (label, _) in FORMS.items()}
SUBJECT_TYPES = {
    "unit": Label("单位", "unit"), "department": Label("主管部门", "department"), "person": Label("个人", "person"),
}  # fmt: skip


class Referral(Payload):
    circumstances: Codes = field("问责情形", "circumstances", example=["AC_POOR_RECTIFY"], words=CIRCUMSTANCES)
    facts: Text = field("事实", "facts", example="通报所定期限届满仍未完成整改")


class Group(Payload):
    members: Names = field("工作组成员", "members", example=["wang.li", "zhao.min", "sun.jie"], choose="person")


class ProvenFact(Item):
    evidence: Files = field("证据", "evidence", [], example=["A-1"], choose="file")


class PriorNotice(Payload):
    facts: Annotated[
        list[ProvenFact], NumberedItems, AfterValidator(distinct_numbers), Field(min_length=1, max_length=100)
    ] = field("认定事实", "facts")
    basis: Annotated[list[Line], Field(min_length=1, max_length=50)] = field(
        "依据", "basis", example=["教育督导条例第二十五条"]
    )
    intended_forms: Codes = field("拟问责方式", "intended forms", example=["F_PUBLIC_CRITICISM"], words=FORM_WORDS)
    received_on: Day | None = field("送达日期", "received on", None)


class Statement(Payload):
    grounds: Items = field("陈述申辩理由", "grounds")
    attachments: Files = field("附件", "attachments", [], choose="file")


class Form(Payload):
    form: Code = field("问责方式", "form", example="F_PUBLIC_CRITICISM", words=FORM_WORDS)
    subject_type: Literal["unit", "department", "person"] = field("对象类型", "subject type", words=SUBJECT_TYPES)
    subject: Line = field("问责对象", "subject", example="某小学")
    executor: Line = field("执行机关", "executor", example="区教育督导办公室")


class Consulted(Payload):
    unit: Line = field("征求意见单位", "unit consulted")
    reply: Text = field("答复", "reply")


class Decision(Payload):
    forms: Annotated[list[Form], Field(min_length=1, max_length=30)] = field("问责决定", "forms")
    aggravating: MaybeCodes = field("从重情形", "aggravating", [], words=AGGRAVATING)
    mitigating: MaybeCodes = field("从轻情形", "mitigating", [], words=MITIGATING)
    consulted: Annotated[list[Consulted], Field(max_length=30)] = field("征求意见", "consulted", [])
    effective_on: Day = field("生效日期", "effective on", example="2026-10-12")
    received_on: Day | None = field("送达日期", "received on", None)
    rectify_by: Day = field("整改期限", "rectify by", example="2026-11-30")
    influence_until: Day | None = field("影响期至", "influence until", None)


class Execution(Payload):
    form: Code = field("问责方式", "form", example="F_PUBLIC_CRITICISM", words=FORM_WORDS)
    executor: Line = field("执行机关", "executor", example="区教育督导办公室")
    result: Text = field("执行结果", "result", example="已在全区通报")
    done_on: Day = field("执行日期", "done on", example="2026-10-20", usually="today")


# ---- guards --------------------------------------------------------------------------------------------------------


def _unknown(case: Case) -> Label | None:
    strange = [c for c in case.payload.circumstances if c not in CIRCUMSTANCES]
    return (
        Label(f"没有这些问责情形：{listed(strange)}。", f"Unknown circumstances: {listed(strange)}.")
        if strange
        else None
    )


known_circumstance = asks("circumstance_code", "问责情形代码有效", "the circumstance is known", _unknown)
three_members = asks(
    "three_members", "至少三名成员", "at least three members",
    lambda case: None
    if len({p.id for n in case.payload.members if (p := case.facts.people.get(n))}) >= 3
    else Label("调查认定工作组不少于三人。", "The group needs at least three members."),
    needs="people",
)  # fmt: skip


def _unproven(case: Case) -> Label | None:
    if bare := [f.no for f in case.payload.facts if not f.evidence]:
        return Label(f"第 {listed(bare)} 项事实没有证据。", f"Fact {listed(bare)} has no evidence.")
    strangers = {e for f in case.payload.facts for e in f.evidence} - case.facts.attachments
    if strangers:
        return Label(
            f"请先上传证据：{listed(sorted(strangers))}。", f"Upload this evidence: {listed(sorted(strangers))}."
        )
    return None


def _strange_forms(case: Case) -> Label | None:
    strange = [f for f in case.payload.intended_forms if f not in FORMS]
    return Label(f"没有这些问责方式：{listed(strange)}。", f"Unknown forms: {listed(strange)}.") if strange else None


each_fact_proven = asks("each_fact_proven", "每项事实有证据", "each fact has evidence", _unproven, needs="attachments")
known_forms = asks("known_forms", "问责方式有效", "the forms are known", _strange_forms)


def _unlawful(case: Case) -> Label | None:
    intended = set(case.finding.part("notice").get("intended_forms", ()))
    for form in case.payload.forms:
        if form.form not in intended:
            return Label(
                f"{form.form} 不在事先告知书之列，不能作出。",
                f"{form.form} was not in the prior notice; it cannot be decided.",
            )
        if form.form not in FORMS or form.subject_type not in FORMS[form.form][1]:
            return Label(
                f"{form.form} 不适用于此类对象（{form.subject_type}）。",
                f"{form.form} is not lawful for a {form.subject_type}.",
            )
    return None


def _strange_factors(case: Case) -> Label | None:
    strange = [c for c in case.payload.aggravating if c not in AGGRAVATING]
    strange += [c for c in case.payload.mitigating if c not in MITIGATING]
    return Label(f"没有这些情形代码：{listed(strange)}。", f"Unknown factors: {listed(strange)}.") if strange else None


noticed_and_lawful = asks("noticed_and_lawful", "已事先告知且合法", "noticed before and lawful", _unlawful)
known_factors = asks("known_factors", "从重从轻情形有效", "the factors are known", _strange_factors)


def standing_forms(decision: dict[str, Any]) -> list[dict[str, Any]]:
    """The forms of a decision that nobody has cancelled."""
    return [f for f in decision.get("forms", ()) if not f.get("cancelled")]


def _decided(case: Case) -> list[dict[str, Any]]:
    return standing_forms(case.finding.part("decision"))


form_decided = asks(
    "form_in_decision", "方式在决定之列", "the form is in the decision",
    lambda case: None
    if case.payload.form in {f["form"] for f in _decided(case)}
    else Label("问责决定中没有这种方式。", "The decision has no such form."),
)  # fmt: skip
notice_received = within_the_stage("received_on", "investigation_due", "送达日期", "The day of receipt")
decision_received = within_the_stage("received_on", "decision_due", "送达日期", "The day of receipt")
every_form_done = guard(
    "every_form_executed",
    "还有问责方式没有执行结果。",
    "Some form of the decision has no result yet.",
    lambda case: all(f.get("result") for f in _decided(case)),
)


# ---- effects -------------------------------------------------------------------------------------------------------


def _referred(case: Case, draft: Draft) -> None:
    leaving(case, draft)
    by_ladder(case, draft)
    draft.write("accountability", case.payload.model_dump(mode="json"))
    draft.write("notice", {})
    if by_system(case):
        draft.tell(CHIEF, SUPERIOR)


def _formed(case: Case, draft: Draft) -> None:
    ids = person_ids(case, case.payload.members)
    draft.drops.add("member")
    draft.join_in("member", ids)
    draft.write("members", ids)


def _noticed(case: Case, draft: Draft) -> None:
    values = case.payload.model_dump(mode="json")
    draft.write("notice", {**values, "received_on": values["received_on"] or case.today})


def _stated(case: Case, draft: Draft) -> None:
    late = case.finding.state == s.DECIDING
    if late:
        draft.remarks["late"] = True
    draft.write("statement", {**case.payload.model_dump(mode="json"), "late": late})


def _taken(case: Case, draft: Draft) -> None:
    received_on = case.payload.received_on or case.today
    key = open_act(case, draft, "decision", case.persons)
    if earlier := case.finding.part("decision"):
        draft.write("earlier_decisions", [*draft.value("earlier_decisions", []), earlier])
    left = draft.value("left") or [{"level": 0}]
    before = {"level": left[-1]["level"], "date_set_by": draft.value("date_set_by", "")}
    values = case.payload.model_dump(mode="json")
    draft.write("decision", {**values, "received_on": received_on, "act": key, "before": before})
    draft.set(accountable_on=case.payload.effective_on)
    set_date(case, draft, "decision")
    if case.finding.dispute in ("none", "final"):
        draft.start("reconsider_window", received_on, note=key)
        draft.start("appeal_window", received_on, note=key)
    else:
        waits = ["reconsider_window", "appeal_window"]
        draft.write("acts", [{**a, "waits": waits} if a["key"] == key else a for a in draft.value("acts")])


def _executed(case: Case, draft: Draft) -> None:
    """The result belongs to the form in the hands of that executor; where no executor matches, to every such form."""
    done = case.payload
    forms = case.finding.part("decision").get("forms", ())
    mine = [f for f in forms if (f["form"], f["executor"]) == (done.form, done.executor)]
    mine = mine or [f for f in forms if f["form"] == done.form]
    result = {"result": done.result, "done_on": done.done_on}
    draft.put("decision", forms=[{**f, **result} if f in mine else f for f in forms])


ACTIONS = (
    Action(
        name="refer", label=Label("移交问责线索", "refer for accountability"), by=(OFFICER, CHIEF, SYSTEM),
        moves=(move(s.OPEN - {s.DRAFT} - s.ACCOUNTABILITY, s.REFERRED),), payload=Referral,
        guards=(known_circumstance,), effect=_referred, papers=(papers.CLUE,), tell=(DIRECTOR, LEADER),
    ),
    Action(
        name="form_group", label=Label("成立工作组", "form the group"), by=(DIRECTOR,),
        moves=(move(s.REFERRED, s.INVESTIGATING), move(s.INVESTIGATING, SAME)), payload=Group,
        guards=(known_people("members"), of_the_office("members"), three_members, none_recused("members")),
        effect=_formed, answers=("group_due",), papers=(papers.GROUP_NOTICE,), tell=(MEMBER,),
    ),
    Action(
        name="serve_notice", label=Label("问责事先告知", "serve the prior notice"), by=(CHIEF,),
        moves=(move(s.INVESTIGATING, s.NOTIFIED),), payload=PriorNotice, guards=(each_fact_proven, known_forms, notice_received),
        effect=_noticed, answers=("investigation_due",), papers=(papers.DETERMINATION, papers.PRIOR_NOTICE), tell=(UNIT,),
    ),
    Action(
        name="state_defence", label=Label("陈述申辩", "state and defend"), by=(UNIT,),
        moves=(move({s.NOTIFIED, s.DECIDING}, s.DECIDING),), payload=Statement, guards=(files_attached("attachments"),),
        effect=_stated, answers=("accountability_defence",), papers=(papers.STATEMENT,), tell=(OFFICER,),
    ),
    Action(
        name="return_to_group", label=Label("退回工作组", "return to the group"), by=(DIRECTOR,),
        moves=(move(s.DECIDING, s.INVESTIGATING),), payload=Reasons, answers=("decision_due",), tell=(MEMBER,),
    ),
    Action(
        name="decide_accountability", label=Label("作出问责决定", "decide"), by=(DIRECTOR,),
        moves=(move(s.DECIDING, s.DECIDED),), payload=Decision,
        guards=(noticed_and_lawful, known_factors, rectify_by_later, decision_received), effect=_taken, answers=("decision_due",),
        papers=(papers.DECISION,), tell=(UNIT, DEPARTMENT, SUPERIOR),
    ),
    Action(
        name="record_execution", label=Label("登记执行结果", "record the execution"), by=(OFFICER,),
        moves=(move(s.DECIDED, SAME),), payload=Execution, guards=(form_decided,), effect=_executed,
        papers=(papers.EXECUTION_RECEIPT,), tell=(CHIEF,),
    ),
    Action(
        name="finish_accountability", label=Label("问责执行完毕", "finish"), by=(CHIEF,), moves=(move(s.DECIDED, BACK),),
        guards=(every_form_done,), effect=returned, answers=("execution_report",), tell=(UNIT, DIRECTOR),
    ),
)  # fmt: skip
