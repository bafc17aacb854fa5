"""The dispute: objection, reconsideration, appeal. A track of its own that never stops the course by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from loop.kernel import facts
from loop.kernel.calendar import local_day
from loop.kernel.case import Case, Draft
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Files, Items, Line, MaybeText, Payload, Text, field
from loop.kernel.people import CHIEF, DEPARTMENT, DIRECTOR, OFFICER, SUPERIOR, SYSTEM, UNIT
from loop.kernel.workflow import DISPUTE, SAME, Action, Fork, Tell, move
from workflows import papers
from workflows import stages as s
from workflows.accountability import standing_forms
from workflows.acts import (
    acts_of,
    asked,
    cancel_forms,
    decision_of,
    decisions,
    disputed,
    in_time,
    mark,
    stop_windows,
    window_of,
)
from workflows.back import BACK, returned
from workflows.feedback import end_course, take_down_published
from workflows.guards import asks, files_attached, guard, rectify_key
from workflows.review import Proofs
from workflows.timers import day

NONE, FILED, DECIDED, APPEALED, FINAL = "none", "filed", "decided", "appealed", "final"
STATES = {
    NONE: Label("无争议", "none"),
    FILED: Label("已提出", "filed"),
    DECIDED: Label("已处理", "decided"),
    APPEALED: Label("申诉中", "appealed"),
    FINAL: Label("已了结", "final"),
}
DECIDING = ("objection_decide", "reconsider_decide", "appeal_decide")
OPEN = frozenset({FILED, APPEALED})
"""Somebody decides now."""


class Objection(Payload):
    act: Line = field("所争议的文书", "disputed act", example="opinion", choose="act")
    grounds: Items = field("理由", "grounds")
    attachments: Files = field("附件", "attachments", [], choose="file")


class Verdict(Payload):
    reasons: Items = field("理由", "reasons")


class Variation(Payload):
    reasons: Items = field("理由", "reasons")
    demands: Items | None = field("变更后的要求", "demands", None)
    rectify_by: Day | None = field("变更后的期限", "rectify by", None, example="2026-09-30")
    forms: Annotated[list[Line], Field(max_length=30)] | None = field("保留的问责方式", "forms kept", None)


class Retraction(Payload):
    reason: MaybeText = field("理由", "reason", "")


class CorrectionReport(Payload):
    what: Text = field("纠正情况", "what was corrected", example="已按上级决定变更期限")
    proof: Proofs = field("佐证", "proof", example=["A-1"], choose="file")


# ---- guards --------------------------------------------------------------------------------------------------------


def _no_act(case: Case) -> Label | None:
    act = asked(case)
    if act is None:
        return Label("没有这份可以争议的文书。", "There is no such act to dispute.")
    if act.get("disputed"):
        return Label("对这份文书已经提出过一次。", "This act has been disputed once already.")
    if act.get("waits"):
        return Label("前一争议了结后才能提出。", "It can be disputed once the present dispute is over.")
    return None


act_open = asks("act_can_be_disputed", "文书可以争议", "the act can be disputed", _no_act)


def _cannot_appeal(case: Case) -> Label | None:
    act = asked(case)
    if act is None or act.get("appealed"):
        return Label("没有可以申诉的决定，或已申诉过一次。", "No act to appeal against, or it was appealed before.")
    if case.finding.dispute == DECIDED and act["key"] != disputed(case).get("key"):
        return Label("本次争议了结后才能申诉。", "It can be appealed once the present dispute is over.")
    if case.finding.dispute != DECIDED and (act["kind"] != "decision" or act.get("disputed")):
        return Label("只有问责决定可以直接申诉。", "Only an accountability decision can be appealed directly.")
    return Label("申诉期已过。", "The window for an appeal is over.") if _over(case, act) else None


def _over(case: Case, act: dict[str, Any]) -> bool:
    window = window_of(case, "appeal_window", act)
    return window is None or window.is_past(case.now)


appeal_open = asks("appeal_open", "可以申诉", "an appeal is possible", _cannot_appeal)


def decider(case: Case) -> str:
    """The capacity that decides now: never the signer; where nobody else qualifies, the next office up."""
    act, above = disputed(case), case.finding.place.superior_region
    if case.finding.dispute == APPEALED:
        return SUPERIOR if above else DIRECTOR
    of_opinion = act["kind"] == "opinion"
    if above and of_opinion and case.rules.disputes.opinion_decided_by == "superior":
        return SUPERIOR
    role = CHIEF if of_opinion else DIRECTOR
    others = case.facts.office.get(role, frozenset()) - set(act["signers"])
    return role if others or not above else SUPERIOR


def _may_decide(case: Case) -> bool:
    """The signer never; but a director without an office above records the letter of whoever decided the appeal."""
    signed = case.persons & set(disputed(case)["signers"])
    records_a_letter = case.finding.dispute == APPEALED and case.capacity.name == DIRECTOR
    return case.capacity.name == decider(case) and (records_a_letter or not signed)


decider_only = guard(
    "decider",
    "须由有权机构且非原签发人处理。",
    "Only the deciding office may do this, and never the signer.",
    _may_decide,
    needs=facts.OFFICE,
)


def _heavier(case: Case) -> Label | None:
    act = disputed(case)
    running = case.finding.timer("rectify_by")
    before = local_day(running.due_at, case.calendar) if running else day(case.finding.sheet.get("rectify_by"))
    if case.payload.rectify_by and before and case.payload.rectify_by < before:
        return Label(f"变更后的期限不能早于 {before}。", f"The date may not be earlier than {before}.")
    if case.payload.demands:
        known = {d["no"] for d in case.finding.part("opinion").get("demands", ())}
        if act["kind"] != "opinion" or {d.no for d in case.payload.demands} - known:
            return Label("不能增加整改要求。", "No demand may be added.")
    if case.payload.forms is not None:
        decided = {f["form"] for f in standing_forms(decision_of(case, act))}
        if act["kind"] != "decision" or set(case.payload.forms) - decided:
            return Label("不能增加问责方式。", "No form may be added.")
    if case.payload.demands is None and case.payload.rectify_by is None and case.payload.forms is None:
        return Label("请写明变更后的要求、期限或方式。", "Say which demands, date or forms are varied.")
    return None


never_heavier = asks("never_heavier", "不得加重", "never heavier", _heavier)
corrected_by_superior = guard(
    "changed_by_superior",
    "上级没有变更或撤销，无须纠正。",
    "The superior neither varied nor annulled; there is nothing to correct.",
    lambda case: bool(case.finding.part("dispute").get("to_correct")),
)


# ---- effects -------------------------------------------------------------------------------------------------------


def _objected(case: Case, draft: Draft) -> None:
    act = asked(case)
    if act is None or not in_time(case):
        draft.remarks["late"] = True
        draft.remarks["refused"] = "window over"
        draft.tell(UNIT)
        draft.paper(papers.NOT_ADMITTED)
        return
    mark(draft, act["key"], disputed=True)
    stop_windows(case, draft, of=act["key"])
    _write_dispute(case, draft, act, filed_on=case.today)
    draft.start("objection_decide" if act["kind"] == "opinion" else "reconsider_decide", case.today)


def _write_dispute(case: Case, draft: Draft, act: dict[str, Any], **more: object) -> None:
    values = case.payload.model_dump(mode="json")
    owed = bool(case.finding.part("dispute").get("to_correct"))
    draft.write("dispute", {**values, "act": act["key"], "kind": act["kind"], "to_correct": owed, **more})


def _appealed(case: Case, draft: Draft) -> None:
    act = asked(case)
    if act is None:
        raise AssertionError("the guard lets only a known act through")
    mark(draft, act["key"], disputed=True, appealed=True)
    stop_windows(case, draft, of=act["key"])
    _write_dispute(case, draft, act, appealed_on=case.today)
    draft.start("appeal_decide", case.today)


def _target(case: Case) -> str:
    if case.finding.dispute == APPEALED:
        return FINAL
    return DECIDED if disputed(case)["kind"] == "decision" or case.rules.disputes.opinion_appeal else FINAL


def _decided(case: Case, draft: Draft, outcome: str) -> None:
    """Settle the verdict: stop the deciding timer, open the window for an appeal, or end the dispute."""
    draft.stop(*DECIDING)
    draft.put("dispute", outcome=outcome, decided_on=case.today, by=case.actor.id)
    if outcome != "dismiss" and (case.finding.dispute == APPEALED or case.capacity.name == SUPERIOR):
        draft.put("dispute", to_correct=True)
    if outcome != "annul" and _target(case) == DECIDED:
        draft.start("appeal_window", case.today, note=disputed(case)["key"])
        return
    _ended(case, draft)


def _ended(case: Case, draft: Draft) -> None:
    """The dispute is over: what the superior changed is to be corrected; windows that waited open in full."""
    if draft.part("dispute").get("to_correct") and case.finding.timer("correction") is None:
        draft.start("correction", case.today)
    for act in draft.value("acts", []):
        for rule in act.get("waits") or ():
            draft.start(rule, case.today, note=act["key"])
        mark(draft, act["key"], waits=[])


def _dismissed(case: Case, draft: Draft) -> None:
    _decided(case, draft, "dismiss")


def _varied(case: Case, draft: Draft) -> None:
    _decided(case, draft, "vary")
    if case.payload.demands:
        draft.put("opinion", demands=[d.model_dump() for d in case.payload.demands])
    if case.payload.forms is not None:
        cancel_forms(draft, str(disputed(case).get("key")), kept=frozenset(case.payload.forms))
    if case.payload.rectify_by:
        _new_date(case, draft, case.payload.rectify_by)


def _new_date(case: Case, draft: Draft, rectify_by: date) -> None:
    draft.write("rectify_by", rectify_by)
    timer = case.finding.timer("rectify_by")
    if timer is None:
        return
    draft.stop("rectify_by")
    draft.start(
        "rectify_by", local_day(timer.started_at, case.calendar), key=rectify_key(case), due_on=rectify_by,
        first_due_at=timer.first_due_at, profile=timer.profile,
    )  # fmt: skip


def _annulled(case: Case, draft: Draft) -> None:
    act = disputed(case)
    if act["kind"] == "decision":
        _decided(case, draft, "annul")
        _decision_annulled(case, draft, act)
        return
    for other in acts_of(case):
        mark(draft, other["key"], waits=[])
        cancel_forms(draft, other["key"])
    _decided(case, draft, "annul")
    draft.set(accountable_on=None)
    if case.finding.state != s.WITHDRAWN:
        end_course(case, draft)
        draft.set(state=s.WITHDRAWN)


def _decision_annulled(case: Case, draft: Draft, act: dict[str, Any]) -> None:
    """Its forms and publications go; the course goes back only while this very decision is being carried out."""
    decision = decision_of(case, act)
    cancel_forms(draft, act["key"])
    others = [d for d in decisions(draft) if d.get("act") != act["key"] and standing_forms(d)]
    draft.set(accountable_on=max((date.fromisoformat(d["effective_on"]) for d in others), default=None))
    take_down_published(case, draft, "decision")
    before = decision.get("before") or {"level": 0, "date_set_by": ""}
    if not others and draft.value("date_set_by") == "decision":
        _date_not_by_decision(draft, before["date_set_by"])
    if case.finding.state == s.DECIDED and case.finding.part("decision").get("act") == act["key"]:
        draft.set(state=BACK.choose(case), level=before["level"])
        returned(case, draft)
        return
    held = {"interview": 4, "bulletin": 5, "accountability": 6}.get(case.finding.stage, 0)
    draft.set(level=min(case.finding.level, max(before["level"], held)))


def _date_not_by_decision(draft: Draft, setter: str) -> None:
    """Dates count as set by whoever set them before the decision that is annulled; running timers too."""
    draft.write("date_set_by", setter)
    draft.rewrites.append(lambda t: replace(t, profile=setter) if t.profile == "decision" else t)


def _lapsed(case: Case, draft: Draft) -> None:
    _ended(case, draft)


def _retracted(case: Case, draft: Draft) -> None:
    draft.stop(*DECIDING)
    draft.put("dispute", outcome="retracted", decided_on=case.today)
    _ended(case, draft)


def _corrected(case: Case, draft: Draft) -> None:
    draft.stop("correction")
    draft.put("dispute", to_correct=False, correction=case.payload.model_dump(mode="json"))


def _about(kind: str) -> Any:
    return lambda case: in_time(case) and (asked(case) or {}).get("kind") == kind


def _verdict_on(kind: str) -> Any:
    return lambda case: case.finding.dispute == FILED and disputed(case)["kind"] == kind


IN_TIME = Fork("filed_if_in_time", (SAME, FILED), lambda case: FILED if in_time(case) else SAME)
VERDICT = Fork("final_without_appeal", (DECIDED, FINAL), _target)
VERDICT_PAPERS = (
    papers.OBJECTION_DECISION.only(_verdict_on("opinion")),
    papers.RECONSIDERATION_DECISION.only(_verdict_on("decision")),
    papers.APPEAL_DECISION.only(lambda case: case.finding.dispute == APPEALED),
)
DECIDERS = (CHIEF, DIRECTOR, SUPERIOR)


def _goes_to(role: str) -> Tell:
    """Tells `role` of an objection that it will decide, as far as the kind of act and the model say so."""

    def decides(case: Case) -> bool:
        if (asked(case) or {}).get("kind") == "decision":
            return role == DIRECTOR
        above = case.rules.disputes.opinion_decided_by == "superior" and case.finding.place.superior_region
        return role == (SUPERIOR if above else CHIEF)

    return Tell(role, decides)


TO_DECIDER = (_goes_to(CHIEF), _goes_to(DIRECTOR), _goes_to(SUPERIOR))

ACTIONS = (
    Action(
        name="object", label=Label("提出异议或复核", "object"), track=DISPUTE, by=(UNIT,),
        moves=(move({NONE, FINAL}, IN_TIME),), payload=Objection, guards=(act_open, files_attached("attachments")),
        effect=_objected, papers=(papers.OBJECTION.only(_about("opinion")), papers.RECONSIDERATION.only(_about("decision"))),
        tell=(OFFICER, *TO_DECIDER),
    ),
    Action(
        name="dismiss", label=Label("维持", "dismiss"), track=DISPUTE, by=DECIDERS, only=decider_only,
        moves=(move(FILED, VERDICT), move(APPEALED, FINAL)), payload=Verdict, effect=_dismissed, answers=DECIDING,
        papers=VERDICT_PAPERS, tell=(UNIT, OFFICER, DEPARTMENT),
    ),
    Action(
        name="vary", label=Label("变更", "vary"), track=DISPUTE, by=DECIDERS, only=decider_only,
        moves=(move(FILED, VERDICT), move(APPEALED, FINAL)), payload=Variation, guards=(never_heavier,), effect=_varied,
        answers=DECIDING, papers=VERDICT_PAPERS, tell=(UNIT, OFFICER, DEPARTMENT),
    ),
    Action(
        name="annul", label=Label("撤销", "annul"), track=DISPUTE, by=DECIDERS, only=decider_only,
        moves=(move({FILED, APPEALED}, FINAL),), payload=Verdict, effect=_annulled, answers=DECIDING,
        papers=VERDICT_PAPERS, tell=(UNIT, OFFICER, DEPARTMENT),
    ),
    Action(
        name="appeal", label=Label("申诉", "appeal"), track=DISPUTE, by=(UNIT,),
        moves=(move({NONE, DECIDED, FINAL}, APPEALED),), payload=Objection,
        guards=(appeal_open, files_attached("attachments")), effect=_appealed, papers=(papers.APPEAL,),
        tell=(OFFICER, SUPERIOR),
    ),
    Action(
        name="dispute_lapsed", label=Label("申诉期满", "the window for an appeal is over"), track=DISPUTE, by=(SYSTEM,),
        moves=(move(DECIDED, FINAL),), effect=_lapsed, tell=(OFFICER, UNIT),
    ),
    Action(
        name="retract", label=Label("撤回申请", "retract"), track=DISPUTE, by=(UNIT,),
        moves=(move({FILED, APPEALED}, FINAL),), payload=Retraction, effect=_retracted, papers=(papers.RETRACTION,),
        tell=(OFFICER,),
    ),
    Action(
        name="record_correction", label=Label("登记纠正情况", "record the correction"), track=DISPUTE, by=(OFFICER,),
        moves=(move(FINAL, SAME),), payload=CorrectionReport, guards=(corrected_by_superior, files_attached("proof")),
        effect=_corrected, answers=("correction",), papers=(papers.CORRECTION,), tell=(UNIT, SUPERIOR),
    ),
)  # fmt: skip
