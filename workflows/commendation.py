"""Commendation 激励: what was done well is proposed, shown to the public, and confirmed."""

from __future__ import annotations

from loop.kernel import facts
from loop.kernel.case import Case, Draft
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Line, Payload, Text, field
from loop.kernel.people import CHIEF, DEPARTMENT, DIRECTOR, LEADER, OFFICER, UNIT
from loop.kernel.workflow import Action, Fork, State, move
from workflows import papers
from workflows import stages as s
from workflows.feedback import end_course
from workflows.guards import asks, every_item_done, guard, last_day, no_open_tip_off, not_a_reviewer
from workflows.report import Reason
from workflows.review import written_off
from workflows.timers import PUBLICITY_TIMER, day

STATES = (
    State(name=s.PROPOSED, label=Label("拟激励", "proposed for commendation"), waits_for=(CHIEF,), starts=("commendation_review",)),
    State(name=s.PUBLICITY, label=Label("公示中", "under public notice"), waits_for=(DIRECTOR,), starts=(PUBLICITY_TIMER,)),
)  # fmt: skip


class Proposal(Payload):
    form: Line = field("激励形式", "form", example="通报表扬")
    grounds: Text = field("理由", "grounds", example="提前完成整改并形成长效机制")


class Notice(Payload):
    notice_from: Day = field("公示起", "notice from", example="2026-07-13")
    notice_to: Day = field("公示止", "notice to", example="2026-07-20")


never_overdue = guard(
    "never_overdue",
    "曾经逾期，不能推荐激励。",
    "It was overdue before; it cannot be commended.",
    lambda case: not case.finding.sheet.get("was_overdue"),
)
no_relapse = guard(
    "no_relapse",
    "曾经反弹，不能推荐激励。",
    "It relapsed before; it cannot be commended.",
    lambda case: not case.finding.relapse_count,
)
not_accountable = guard(
    "no_recent_accountability",
    "该单位十二个月内被问责，不能推荐激励。",
    "The unit was held to account within the last twelve months.",
    lambda case: case.facts.accountable_on is None,
    needs=facts.ACCOUNTABILITY,
)


def _too_short(case: Case) -> Label | None:
    if case.payload.notice_from < case.today:
        return Label("公示不能从过去开始。", "The notice cannot begin in the past.")
    earliest = last_day(case, "publicity_min", case.payload.notice_from)
    if case.payload.notice_to < earliest:
        return Label(f"公示不少于五个工作日，至少到 {earliest}。", f"The notice must last until {earliest} at least.")
    return None


long_enough = asks("notice_long_enough", "公示期足够", "the notice lasts long enough", _too_short)
notice_over = guard(
    "notice_over",
    "公示期未满。",
    "The period of public notice is not over.",
    lambda case: case.today > (day(case.finding.part("commendation").get("notice_to")) or case.today),
)

objections_answered = guard(
    "objections_answered",
    "还有异议没有答复。",
    "An objection is still unanswered.",
    lambda case: case.finding.dispute not in ("filed", "appealed"),
)


def _proposed(case: Case, draft: Draft) -> None:
    draft.write("commendation", case.payload.model_dump(mode="json"))


def _announced(case: Case, draft: Draft) -> None:
    draft.put("commendation", **case.payload.model_dump(mode="json"))
    draft.write("published", [*draft.value("published", []), {"what": "public_notice", "on": case.today}])


def _declined(case: Case, draft: Draft) -> None:
    draft.put("commendation", declined=case.payload.reason)
    if case.finding.positive:
        end_course(case, draft)


def _confirmed(case: Case, draft: Draft) -> None:
    draft.put("commendation", confirmed_on=case.today)
    if not case.finding.positive:
        written_off(case, draft)


DECLINED = Fork(
    "praise_ends_or_returns", (s.PASSED, s.WITHDRAWN), lambda case: s.WITHDRAWN if case.finding.positive else s.PASSED
)
CONFIRMED = Fork(
    "praise_ends_or_watched", (s.WATCHING, s.ARCHIVED), lambda case: s.ARCHIVED if case.finding.positive else s.WATCHING
)

ACTIONS = (
    Action(
        name="propose_commendation", label=Label("推荐激励", "propose a commendation"), by=(OFFICER,),
        moves=(move(s.PASSED, s.PROPOSED),), payload=Proposal, effect=_proposed,
        guards=(never_overdue, no_relapse, not_accountable), tell=(CHIEF,),
    ),
    Action(
        name="announce_commendation", label=Label("公示", "announce"), by=(CHIEF,), moves=(move(s.PROPOSED, s.PUBLICITY),),
        payload=Notice, guards=(long_enough,), effect=_announced, answers=("commendation_review",),
        papers=(papers.PUBLIC_NOTICE,), tell=(UNIT, LEADER, DIRECTOR),
    ),
    Action(
        name="decline_commendation", label=Label("不予激励", "decline"), by=(CHIEF, DIRECTOR),
        moves=(move(s.COMMENDATION, DECLINED),), payload=Reason, effect=_declined, tell=(OFFICER,),
    ),
    Action(
        name="confirm_commendation", label=Label("确认激励并销号", "confirm and write off"), by=(DIRECTOR,),
        moves=(move(s.PUBLICITY, CONFIRMED),), effect=_confirmed,
        guards=(not_a_reviewer, notice_over, objections_answered, no_open_tip_off, every_item_done),
        papers=(papers.PRAISE, papers.WRITE_OFF_SLIP.only(lambda case: not case.finding.positive)),
        tell=(UNIT, DEPARTMENT, LEADER),
    ),
)  # fmt: skip
