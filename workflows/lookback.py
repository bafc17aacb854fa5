"""Look-back 回头看: what was written off is visited again, so that closed stays closed; then the file is archived."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, time

from loop.kernel.calendar import local_day
from loop.kernel.case import Case, Draft
from loop.kernel.clocks import Timer
from loop.kernel.finding import NEVER
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Files, Flag, Line, MaybeLine, MaybeText, Name, Payload, Percent, Text, field
from loop.kernel.people import CHIEF, DEPARTMENT, INSPECTOR, LEADER, OFFICER, REVIEWER, SUPERIOR, SYSTEM, UNIT
from loop.kernel.workflow import SAME, START, Action, Fork, State, Tell, move
from workflows import papers
from workflows import stages as s
from workflows.accountability import standing_forms
from workflows.back import BACK_TO_WORK, leaving
from workflows.fields import NewFinding
from workflows.guards import (
    files_attached,
    guard,
    judge_not_recused,
    known_people,
    none_recused,
    not_in_future,
    of_the_office,
    person_ids,
    rectify_by_later,
)
from workflows.report import end_suspension, not_recused, open_act, opened, supervision_known, unit_in_scope
from workflows.review import because, new_round, set_reviewers
from workflows.timers import WATCHING_TIMERS, lookback_points

STATES = (
    State(name=s.WATCHING, label=Label("已销号", "written off, watched"), starts=(WATCHING_TIMERS,)),
    State(
        name=s.INSPECTING, label=Label("回头看核查", "look-back in progress"), waits_for=(INSPECTOR,), starts=("lookback_due",)
    ),
    State(name=s.ARCHIVED, label=Label("已归档", "archived"), end=True),
    State(name=s.WITHDRAWN, label=Label("已撤销", "withdrawn"), end=True),
)  # fmt: skip


class Visit(Payload):
    reason: MaybeText = field("理由", "reason", "")
    unannounced: Flag = field("不打招呼", "unannounced", False, example=True)
    reviewers: list[Name] = field("核查人员", "reviewers", [], max_length=50, choose="person")


class Held(Payload):
    verdict: Line = field("结论", "verdict", example="成效保持")
    evidence: Files = field("佐证材料", "evidence", [], choose="file")


class Relapse(Payload):
    evidence: Files = field("佐证材料", "evidence", [], example=["A-1"], choose="file")
    similar: Flag = field("发现类似问题", "similar problem found", False)
    rectify_by: Day = field("整改期限", "rectify by", example="2026-12-31")


class Draw(Payload):
    """A published draw: anyone can repeat it from these four values."""

    seed: Line = field("随机种子", "seed", example="2026-10-01 抽签号 07 11 23")
    from_on: Day = field("销号自", "written off from", example="2026-07-01")
    to_on: Day = field("销号至", "written off to", example="2026-09-30")
    percent: Percent = field("抽取比例", "percent drawn", example=20)


class Waiver(Payload):
    draw: Draw = field("抽查批次", "draw")


class Reopening(Payload):
    reason: Text = field("理由", "reason", example="群众再次反映同一问题")
    rectify_by: Day = field("整改期限", "rectify by", example="2027-03-31")


class TakenOver(NewFinding):
    source: MaybeLine = field("来源", "source", "", example="2025年督导台账")
    letter_no: MaybeLine = field("文号", "letter number", "", example="杭督〔2025〕12号")
    received_on: Day | None = field("签收日期", "received on", None, example="2026-01-12")
    rectify_by: Day | None = field("整改期限", "rectify by", None, example="2026-06-30")
    written_off_on: Day | None = field("销号日期", "written off on", None)


# ---- guards --------------------------------------------------------------------------------------------------------

WINDOWS = frozenset({"opinion_window", "reconsider_window", "appeal_window"})


def is_drawn(draw: Draw, number: str) -> bool:
    """Whether the finding `number` is in the draw: its digest with the seed falls within the percentage."""
    digest = hashlib.sha256(f"{draw.seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < draw.percent


normal_only = guard(
    "normal_only",
    "只有一般问题可以免于回头看。",
    "A look-back can be waived for a normal finding only.",
    lambda case: case.finding.severity == "normal",
)
not_drawn = guard(
    "not_drawn",
    "该问题被抽中，或不在本次抽查期间内。",
    "The finding was drawn, or lies outside the draw.",
    lambda case: (
        case.payload.draw.from_on <= local_day(case.finding.written_off_at, case.calendar) <= case.payload.draw.to_on
        and not is_drawn(case.payload.draw, case.finding.number)
    ),
    reads=True,
)
one_to_come = guard(
    "lookback_to_come",
    "没有待办的回头看。",
    "No look-back is to come.",
    lambda case: case.finding.timer("lookback") is not None,
)
points_done = guard(
    "lookbacks_done",
    "还有回头看没有完成。",
    "Look-backs are still to come.",
    lambda case: case.finding.timer("lookback") is None,
)
no_dispute = guard(
    "no_dispute",
    "争议尚未了结，或异议、复核、申诉期限未满。",
    "A dispute is open, or its window is not over.",
    lambda case: (
        case.finding.dispute in ("none", "final")
        and not any(t.rule in WINDOWS and not t.is_past(case.now) for t in case.finding.timers)
    ),
)
nothing_owed = guard(
    "nothing_unanswered",
    "还有批示或移送没有答复。",
    "An instruction or a transfer is still unanswered.",
    lambda case: not any(t.rule in ("instruction_reply", "transfer_result") for t in case.finding.timers),
)
has_basis = guard(
    "basis_of_taking_over",
    "接续办理须有来源：文书编号或在办台账。",
    "Name what it is taken over from: a letter number or a running ledger.",
    lambda case: bool(case.payload.letter_no or case.payload.source),
    reads=True,
)


# ---- effects -------------------------------------------------------------------------------------------------------


def meet_points(case: Case, draft: Draft, timers: list[Timer]) -> None:
    """These look-back points are done."""
    ids = [t.id for t in timers]
    draft.remarks["points_met"] = sorted({*draft.remarks.get("points_met", ()), *ids})
    now = case.now
    draft.rewrites.append(lambda t: replace(t, stopped_at=now) if t.id in ids else t)


def _points(case: Case) -> list[Timer]:
    return sorted((t for t in case.finding.timers if t.rule == "lookback"), key=lambda t: (t.due_at, t.id))


def _passed(case: Case) -> list[Timer]:
    return [t for t in _points(case) if t.due_at <= case.now and not t.paused]


def _opened(case: Case, draft: Draft) -> None:
    meet_points(case, draft, _passed(case))
    ids = person_ids(case, case.payload.reviewers)
    set_reviewers(case, draft, ids or sorted(case.facts.office.get("free", ())))
    draft.write(
        "lookback", {"reason": case.payload.reason, "unannounced": case.payload.unannounced, "opened_on": case.today}
    )


def _held(case: Case, draft: Draft) -> None:
    meet_points(case, draft, _passed(case))
    draft.put("lookback", **case.payload.model_dump(mode="json"), done_on=case.today)


def _relapse_target(case: Case) -> str:
    decisions = [case.finding.part("decision"), *case.finding.sheet.get("earlier_decisions", ())]
    if any(standing_forms(decision) for decision in decisions):
        return s.REFERRED
    return s.TALK_PROPOSED if case.finding.major else s.EXECUTING


def _relapsed(case: Case, draft: Draft) -> None:
    draft.write("rectify_by", case.payload.rectify_by)
    draft.put("report", status="judged")
    draft.put("lookback", **case.payload.model_dump(mode="json"), verdict="relapsed", done_on=case.today)
    new_round(case, draft)
    draft.set(relapse_count=case.finding.relapse_count + 1, written_off_at=NEVER)
    draft.stop("lookback")
    target = _relapse_target(case)
    if target != s.EXECUTING:
        leaving(case, draft, s.EXECUTING)
    if target == s.TALK_PROPOSED:
        because(draft, "AC_RELAPSE")
    if target == s.REFERRED:
        draft.write("accountability", {"circumstances": ["AC_RELAPSE"]})
        draft.write("notice", {})
        draft.tell("director", SUPERIOR)


def _waived(case: Case, draft: Draft) -> None:
    points = _points(case)
    meet_points(case, draft, points[:1])
    if len(points) <= 1:
        draft.start("archive_due", case.today)


def _archived(case: Case, draft: Draft) -> None:
    """Nothing runs on a closed file."""
    end_suspension(case, draft)
    draft.stop(*(t.rule for t in case.finding.timers))


def _reopened(case: Case, draft: Draft) -> None:
    draft.write("rectify_by", case.payload.rectify_by)
    draft.put("report", status="judged")
    draft.set(written_off_at=NEVER)
    new_round(case, draft)


def _taken_over(case: Case, draft: Draft) -> None:
    opened(case, draft)
    draft.set(served=True)
    draft.write("plan_required", False)
    received_on, letter_no = case.payload.received_on or case.today, case.payload.letter_no
    draft.write("opinion", {"letter_no": letter_no, "received_on": received_on, "demands": _demand(case)})
    draft.write("rectify_by", case.payload.rectify_by)
    key = open_act(case, draft, "opinion", frozenset()) if letter_no else ""
    if key and not case.payload.written_off_on:
        draft.start("opinion_window", received_on, note=key)
    if off := case.payload.written_off_on:
        at = datetime.combine(off, time(12), case.calendar.zone).astimezone(UTC)
        draft.set(written_off_at=at)
        lookback_points(case, draft, off)


def _demand(case: Case) -> list[dict[str, object]]:
    return [{"no": 1, "text": case.payload.description or case.payload.title}]


def _announced(case: Case) -> bool:
    return not getattr(case.payload, "unannounced", False)


TAKEN = Fork(
    "running_or_written_off",
    (s.EXECUTING, s.WATCHING),
    lambda case: s.WATCHING if case.payload.written_off_on else s.EXECUTING,
)
RELAPSED = Fork("relapse_by_weight", (s.EXECUTING, s.TALK_PROPOSED, s.REFERRED), _relapse_target)

ACTIONS = (
    Action(
        name="open_lookback", label=Label("启动回头看", "open a look-back"), by=(SYSTEM, CHIEF, SUPERIOR),
        moves=(move(s.WATCHING, s.INSPECTING),), payload=Visit, effect=_opened,
        guards=(known_people("reviewers"), of_the_office("reviewers"), none_recused("reviewers")),
        needs=frozenset({"office", "people"}),
        papers=(papers.LOOKBACK_NOTICE,), tell=(REVIEWER, Tell(UNIT, _announced)),
    ),
    Action(
        name="confirm_held", label=Label("回头看：成效保持", "confirm that it held"), by=(INSPECTOR,),
        moves=(move(s.INSPECTING, s.WATCHING),), payload=Held, guards=(files_attached("evidence"), judge_not_recused), effect=_held,
        answers=("lookback_due",), papers=(papers.LOOKBACK_RECORD,), tell=(UNIT, OFFICER),
    ),
    Action(
        name="relapse", label=Label("回头看：问题反弹", "record a relapse"), by=(INSPECTOR,),
        moves=(move(s.INSPECTING, RELAPSED),), payload=Relapse, effect=_relapsed,
        guards=(files_attached("evidence"), rectify_by_later, judge_not_recused), answers=("lookback_due",),
        papers=(papers.LOOKBACK_RECORD, papers.RENEWED_NOTICE), tell=(UNIT, DEPARTMENT, LEADER, CHIEF),
    ),
    Action(
        name="waive_lookback", label=Label("免于本次回头看", "waive this look-back"), by=(CHIEF,),
        moves=(move(s.WATCHING, SAME),), payload=Waiver, guards=(normal_only, one_to_come, not_drawn),
        effect=_waived, papers=(papers.SAMPLE_RECORD,), tell=(OFFICER,),
    ),
    Action(
        name="archive", label=Label("归档", "archive"), by=(SYSTEM, OFFICER), moves=(move(s.WATCHING, s.ARCHIVED),),
        guards=(points_done, no_dispute, nothing_owed), answers=("archive_due",), papers=(papers.FILE_LIST,),
        effect=_archived, tell=(OFFICER,),
    ),
    Action(
        name="reopen", label=Label("重启整改", "reopen"), by=(CHIEF, SUPERIOR), moves=(move(s.ARCHIVED, BACK_TO_WORK),),
        payload=Reopening, guards=(rectify_by_later,), effect=_reopened, papers=(papers.REOPENING,),
        tell=(UNIT, DEPARTMENT),
    ),
    Action(
        name="take_over", label=Label("接续办理", "take over"), by=(OFFICER, CHIEF), moves=(move(START, TAKEN),),
        creates=True, payload=TakenOver, effect=_taken_over, tell=(UNIT,),
        guards=(
            unit_in_scope, not_recused, supervision_known, has_basis, not_in_future("found_on", "发现日期", "The day it was found"),
            not_in_future("written_off_on", "销号日期", "The day of write-off"),
        ),
    ),
)  # fmt: skip
