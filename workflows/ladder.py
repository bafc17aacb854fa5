"""The lapse ladder: what the system itself does when a deadline nears or passes, and the reminders it sends."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from loop.kernel.case import Case, Draft
from loop.kernel.clocks import move
from loop.kernel.labels import Label
from loop.kernel.payloads import Day, Line, Payload, field
from loop.kernel.people import CHIEF, DEPARTMENT, OFFICER, SYSTEM, UNIT
from loop.kernel.workflow import Action
from workflows import papers
from workflows import stages as s
from workflows.anytime import SERVED_ON, anywhere

LADDERED = frozenset({s.PLANNING, s.EXECUTING, s.BULLETIN_ISSUED})
"""Where what the unit owes is laddered; what an office owes is reminded, never laddered against the unit."""


def _ordered(case: Case, draft: Draft) -> None:
    draft.write("was_overdue", True)


class MovedDeadline(Payload):
    timer: Line = field("时限编号", "timer")
    due: Day = field("新的期限", "due")


class MovedReminder(Payload):
    timer: Line = field("时限编号", "timer")
    on: Day = field("下次提醒的日期", "day of the next reminder")


class MovedDeadlines(Payload):
    reason: Line = field("理由", "reason")
    deadlines: Annotated[list[MovedDeadline], Field(max_length=500)] = field("变动的期限", "deadlines", [])
    reminders: Annotated[list[MovedReminder], Field(max_length=500)] = field("变动的提醒", "reminders", [])


def _deadlines_moved(case: Case, draft: Draft) -> None:
    """A newly published calendar moves running deadlines and reminders; points already taken stay taken."""
    due = {moved.timer: moved.due for moved in case.payload.deadlines}
    calendar = case.calendar
    draft.rewrites.append(lambda timer: move(timer, due[timer.id], calendar) if timer.id in due else timer)


class MissedStep(Payload):
    seq: Annotated[int, Field(ge=1)] = field("漏告知的步骤序号", "number of the step")
    about_step: Line = field("漏告知的事项", "step", example="serve_opinion")
    role: Line = field("应告知对象", "role", example="unit")


SYSTEM_PAYLOADS: dict[str, dict[str, object]] = {
    "propose_interview": {
        "reasons": [{"no": 1, "text": "{deadline}届满仍未办理", "code": "LADDER"}],
    },
    "propose_bulletin": {
        "reasons": [{"no": 1, "text": "约谈所定期限届满仍未完成", "code": "LADDER"}],
        "facts": "{deadline}届满仍未办理",
    },
    "refer": {"circumstances": ["AC_POOR_RECTIFY"], "facts": "通报或决定所定期限届满仍未完成"},
}
"""What the rungs hand in where a person would fill in a form: in Chinese, as the papers are that it goes into. {deadline} is
what the deadline is called that lapsed.
"""

ACTIONS = (
    Action(
        name="warn", label=Label("预警", "warn"), by=(SYSTEM,), moves=anywhere(LADDERED), level=1, tell=(UNIT, OFFICER),
    ),
    Action(
        name="order", label=Label("督办", "order"), by=(SYSTEM,), moves=anywhere(LADDERED), level=3, effect=_ordered,
        papers=(papers.URGE_ORDER,), tell=(UNIT, DEPARTMENT, CHIEF),
    ),
    Action(
        name="remind", label=Label("提醒", "remind"), by=(SYSTEM,), moves=anywhere(s.EVERY),
    ),
    Action(
        name="move_deadlines", label=Label("按新公布的日历调整时限", "move deadlines to the published calendar"),
        by=(SYSTEM,), moves=anywhere(s.EVERY), payload=MovedDeadlines, effect=_deadlines_moved,
        tell=(*SERVED_ON, OFFICER),
    ),
    Action(
        name="make_good", label=Label("补充告知", "tell whom a step did not reach"), by=(SYSTEM,),
        moves=anywhere(s.EVERY), payload=MissedStep,
    ),
)  # fmt: skip
