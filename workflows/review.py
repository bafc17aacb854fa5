"""Review 复查: the report is checked on paper or on site, and the finding is written off, or work begins again."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from loop.kernel.case import Case, Draft
from loop.kernel.labels import Label
from loop.kernel.payloads import (
    Code,
    Day,
    Item,
    Items,
    Names,
    NumberedItems,
    Payload,
    Text,
    distinct_numbers,
    field,
)
from loop.kernel.people import CHIEF, DEPARTMENT, INSPECTOR, OFFICER, REVIEWER, SUPERIOR, UNIT
from loop.kernel.workflow import SAME, Action, Fork, State, Tell, move
from workflows import papers
from workflows import stages as s
from workflows.back import leaving
from workflows.forms import REASON_CODES
from workflows.guards import (
    asks,
    every_item_done,
    files_attached,
    guard,
    judge_not_recused,
    known_people,
    listed,
    new_date_later,
    no_open_tip_off,
    none_recused,
    not_a_reviewer,
    of_the_office,
    person_ids,
)
from workflows.rectification import Note, Reasons
from workflows.timers import lookback_points

STATES = (
    State(name=s.DESK, label=Label("材料审核", "desk review"), waits_for=(OFFICER, CHIEF), starts=("review_due",)),
    State(name=s.ONSITE, label=Label("现场复查", "on-site review"), waits_for=(INSPECTOR,), starts=("review_due",)),
    State(name=s.PASSED, label=Label("待销号", "to be written off"), waits_for=(CHIEF,), starts=("write_off",)),
)


MODES = {"onsite": Label("实地核查", "on site"), "documents": Label("书面核查", "by documents")}
VERDICTS = {"pass": Label("通过", "passes"), "fail": Label("不通过", "fails")}


class Returned(Payload):
    reasons: Items = field("退回理由", "reasons")
    new_date: Day = field("重报期限", "new date", example="2026-07-31")


class Assignment(Payload):
    reviewers: Names = field("复查人员", "reviewers", example=["wang.li", "zhao.min"], choose="person")
    mode: Literal["onsite", "documents"] = field("复查方式", "mode of review", "onsite", words=MODES)
    on: Day = field("复查日期", "review on", example="2026-07-08")


class Comments(Payload):
    comments: Text = field("审核意见", "comments", example="材料齐全，整改到位")


class Checked(Item):
    verdict: Literal["pass", "fail"] = field("结论", "verdict", words=VERDICTS)


CheckedItems = Annotated[
    list[Checked], NumberedItems, AfterValidator(distinct_numbers), Field(min_length=1, max_length=200)
]


class Passed(Payload):
    items: CheckedItems = field("逐项核查", "items", rows="opinion.demands")
    comments: Text = field("复查意见", "comments", example="现场核查属实")
    signed_by: Names = field("签字人", "signed by", example=["wang.li", "zhao.min"], choose="person")


class PassedPartly(Payload):
    items: CheckedItems = field("逐项核查", "items", rows="opinion.demands")
    remaining: Text = field("尚待完成", "remaining", example="库房二期尚未完工")
    new_date: Day = field("下一期限", "new date", example="2026-12-31")
    signed_by: Names = field("签字人", "signed by", example=["wang.li", "zhao.min"], choose="person")


class Failed(Payload):
    items: CheckedItems = field(
        "逐项核查", "items", example=[{"no": 1, "text": "通道再次堆放杂物", "verdict": "fail"}], rows="opinion.demands"
    )
    gaps: Text = field("差距", "gaps", example="巡查制度未执行")
    new_date: Day = field("再整改期限", "new date", example="2026-08-31")
    signed_by: Names = field("签字人", "signed by", example=["wang.li", "zhao.min"], choose="person")


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Proofs = Annotated[list[Code], BeforeValidator(_as_list), Field(min_length=1, max_length=100)]


class Fraud(Payload):
    proof: Proofs = field("造假证据", "proof", example=["A-1"], choose="file")


# ---- guards --------------------------------------------------------------------------------------------------------

two_reviewers = asks(
    "two_reviewers", "至少两名复查人员", "at least two reviewers",
    lambda case: None
    if len({p.id for n in case.payload.reviewers if (p := case.facts.people.get(n))}) >= 2
    else Label("复查人员不少于两名。", "At least two reviewers are needed."),
    needs="people",
)  # fmt: skip


def _signed_by_reviewers(case: Case) -> Label | None:
    """Only who was sent on this visit can sign what it found, and whoever writes it down is one of them."""
    people, sent = case.facts.people, set(case.finding.sheet.get("reviewers") or ())
    if strangers := [n for n in case.payload.signed_by if people[n].id not in sent]:
        return Label(
            f"不是本次复查人员，不能签字：{listed(strangers)}。",
            f"Not a reviewer of this visit, who may not sign: {listed(strangers)}.",
        )
    if not case.persons & {people[n].id for n in case.payload.signed_by}:
        return Label(
            "提交人也须在复查意见书上签字。", "Whoever hands in the opinion must be among those who signed it."
        )
    return None


signed_by_reviewers = asks(
    "signed_by_reviewers", "由复查人员签字", "the reviewers signed", _signed_by_reviewers, needs="people"
)
SIGNED = (known_people("signed_by"), signed_by_reviewers)
simple_enough = guard(
    "needs_onsite",
    "较重以上、复查未通过过、反弹过或危及生命安全的问题，须现场复查。",
    "A major or dangerous finding, or one that failed or relapsed before, must be reviewed on site.",
    lambda case: (
        not case.finding.major
        and not case.finding.danger_to_life
        and not case.finding.relapse_count
        and not case.finding.sheet.get("failures")
    ),
)
every_item_passes = guard(
    "every_item_passes",
    "还有未通过的事项，不能判定为通过。",
    "Not every item passes.",
    lambda case: all(item.verdict == "pass" for item in case.payload.items),
    reads=True,
)
long_term_only = guard(
    "long_term",
    "只有长期整改的问题可以阶段性通过。",
    "Only a long-term finding can pass partly.",
    lambda case: case.finding.long_term,
)
phase_reached = guard(
    "phase_reached",
    "至少要有一项达到阶段目标。",
    "At least one phase goal must be reached.",
    lambda case: any(item.verdict == "pass" for item in case.payload.items),
    reads=True,
)


# ---- effects -------------------------------------------------------------------------------------------------------


def _report_returned(case: Case, draft: Draft) -> None:
    draft.put("report", status="returned")
    draft.write("rectify_by", case.payload.new_date)


def set_reviewers(case: Case, draft: Draft, ids: list[str]) -> None:
    """Name the reviewers of this visit; the former ones are released."""
    draft.drops.add("reviewer")
    draft.write("reviewers", ids)
    draft.write("reviewed_by", sorted({*draft.value("reviewed_by", []), *ids}))
    draft.join_in("reviewer", ids)


def _assigned(case: Case, draft: Draft) -> None:
    set_reviewers(case, draft, person_ids(case, case.payload.reviewers))
    draft.write("review", {"mode": case.payload.mode, "on": case.payload.on})


def _desk_passed(case: Case, draft: Draft) -> None:
    draft.put("report", status="judged")
    draft.write("review", {"mode": "desk", "comments": case.payload.comments, "verdict": "pass"})
    draft.write("reviewed_by", sorted({*draft.value("reviewed_by", []), *case.persons}))


def _judged(case: Case, draft: Draft, verdict: str) -> None:
    draft.put("report", status="judged")
    draft.put("review", **case.payload.model_dump(mode="json"), verdict=verdict)
    draft.write("reviewed_by", sorted({*draft.value("reviewed_by", []), *case.persons}))


def _passed(case: Case, draft: Draft) -> None:
    _judged(case, draft, "pass")


def _passed_partly(case: Case, draft: Draft) -> None:
    _judged(case, draft, "partial")
    draft.write("rectify_by", case.payload.new_date)
    draft.set(level=min(case.finding.level, 3))


def _second(case: Case) -> bool:
    return int(case.finding.sheet.get("failures", 0)) >= 1


def _failed(case: Case, draft: Draft) -> None:
    _judged(case, draft, "fail")
    draft.write("rectify_by", case.payload.new_date)
    draft.write("failures", int(case.finding.sheet.get("failures", 0)) + 1)
    new_round(case, draft)
    draft.raise_level(3)
    if _second(case):
        leaving(case, draft, s.EXECUTING)
        because(draft, "FAILED_REVIEW")
        draft.tell("leader")


def because(draft: Draft, code: str) -> None:
    """An interview is proposed by what happened, not by a form: the reason is that code."""
    draft.write("interview", {"reasons": [{"no": 1, "code": code, "text": REASON_CODES[code].zh}]})


def new_round(case: Case, draft: Draft) -> None:
    """Work begins again: the round counts up, extensions are counted anew."""
    draft.set(round=case.finding.round + 1)
    draft.write("extension", {})


def _fraud(case: Case, draft: Draft) -> None:
    leaving(case, draft)
    draft.write("accountability", {"circumstances": ["NC_DECEIVE"], "proof": list(case.payload.proof)})
    draft.write("notice", {})
    draft.tell("director", "leader", "superior")


def written_off(case: Case, draft: Draft) -> None:
    """Write off: pressure ends, the look-back points start from today."""
    draft.set(level=0, written_off_at=case.now)
    for topic, blank in (("failures", 0), ("date_set_by", ""), ("left", []), ("reviewed_by", [])):
        draft.write(topic, blank)
    lookback_points(case, draft, case.today)


def _refused(case: Case, draft: Draft) -> None:
    draft.put("report", status="handed_in")


def superiors_finding(case: Case) -> bool:
    """Whether the finding came from the office above."""
    return case.finding.sheet.get("source") in ("superior", "上级督导", "上级交办")


AFTER_FAILURE = Fork(
    "second_failure_to_interview",
    (s.EXECUTING, s.TALK_PROPOSED),
    lambda case: s.TALK_PROPOSED if _second(case) else s.EXECUTING,
)

ACTIONS = (
    Action(
        name="return_rectification", label=Label("退回整改报告", "return the report"), by=(OFFICER,),
        moves=(move(s.DESK, s.EXECUTING),), payload=Returned, guards=(new_date_later,), effect=_report_returned,
        answers=("review_due",), papers=(papers.RETURN_SLIP,), tell=(UNIT,),
    ),
    Action(
        name="assign_review", label=Label("安排复查", "assign a review"), by=(CHIEF,),
        moves=(move(s.DESK, s.ONSITE), move(s.ONSITE, SAME)), payload=Assignment, effect=_assigned,
        guards=(known_people("reviewers"), of_the_office("reviewers"), two_reviewers, none_recused("reviewers")),
        papers=(papers.REVIEW_NOTICE,), tell=(UNIT, REVIEWER),
    ),
    Action(
        name="pass_desk", label=Label("材料审核通过", "pass at the desk"), by=(OFFICER,), moves=(move(s.DESK, s.PASSED),),
        payload=Comments, guards=(simple_enough,), effect=_desk_passed, answers=("review_due",),
        papers=(papers.REVIEW_OPINION,), tell=(UNIT, CHIEF),
    ),
    Action(
        name="pass_review", label=Label("复查通过", "pass"), by=(REVIEWER,), moves=(move(s.ONSITE, s.PASSED),),
        payload=Passed, guards=(every_item_passes, *SIGNED, judge_not_recused), effect=_passed, answers=("review_due",),
        papers=(papers.REVIEW_OPINION,), tell=(UNIT, CHIEF),
    ),
    Action(
        name="pass_partly", label=Label("阶段性通过", "pass partly"), by=(REVIEWER,), moves=(move(s.ONSITE, s.EXECUTING),),
        payload=PassedPartly, guards=(long_term_only, phase_reached, new_date_later, *SIGNED, judge_not_recused),
        effect=_passed_partly, answers=("review_due",), papers=(papers.REVIEW_OPINION,), tell=(UNIT, DEPARTMENT),
    ),
    Action(
        name="fail_review", label=Label("复查不通过", "fail"), by=(REVIEWER,), moves=(move(s.ONSITE, AFTER_FAILURE),),
        payload=Failed, guards=(new_date_later, *SIGNED, judge_not_recused), effect=_failed, answers=("review_due",),
        papers=(papers.REVIEW_OPINION, papers.RENEWED_NOTICE, papers.URGE_ORDER), tell=(UNIT, DEPARTMENT, CHIEF),
    ),
    Action(
        name="report_fraud", label=Label("报告弄虚作假", "report fraud"), by=(REVIEWER,),
        moves=(move({s.ONSITE, s.INSPECTING}, s.REFERRED),), payload=Fraud, guards=(files_attached("proof"), judge_not_recused),
        effect=_fraud, papers=(papers.REVIEW_OPINION,), tell=(CHIEF, DEPARTMENT),
    ),
    Action(
        name="write_off", label=Label("销号", "write off"), by=(CHIEF,), moves=(move(s.PASSED, s.WATCHING),),
        payload=Note, guards=(not_a_reviewer, no_open_tip_off, every_item_done), effect=written_off,
        answers=("write_off",), papers=(papers.WRITE_OFF_SLIP,), tell=(UNIT, DEPARTMENT, Tell(SUPERIOR, superiors_finding)),
    ),
    Action(
        name="refuse_write_off", label=Label("不予销号", "refuse to write off"), by=(CHIEF,),
        moves=(move(s.PASSED, s.DESK),), payload=Reasons, effect=_refused, answers=("write_off",),
        papers=(papers.RETURN_SLIP,), tell=(OFFICER,),
    ),
)  # fmt: skip
