"""Into interview, bulletin and accountability, and the way **back**: what is left is remembered, level included."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from loop.kernel.calendar import due_instant
from loop.kernel.case import Case, Draft
from loop.kernel.finding import is_written_off
from loop.kernel.workflow import Fork
from workflows import stages as s


def leaving(case: Case, draft: Draft, left: str | None = None) -> None:
    """Remember the state (and level) left for one of the three systems; `left` where it is not the present one."""
    finding = case.finding
    stack = list(draft.value("left", []))
    entry = {"state": left or finding.state, "level": draft.get("level"), "proposer": case.actor.id}
    if is_written_off(entry["state"]):
        entry["written_off_at"] = finding.written_off_at
    draft.write("left", [*stack, entry])
    draft.write("proposer", case.actor.id)
    if finding.part("extension").get("pending"):
        draft.put("extension", pending=None)
    if finding.state not in s.PRESSURE:
        draft.write("owed", {t.rule: t.due_at for t in finding.timers if t.rule in _OWED and not t.paused})


_OWED = ("plan_due", "plan_resubmit", "rectify_by")


def note_late(case: Case, draft: Draft, *rules: str) -> None:
    """Flag what is handed in during one of the three systems after the date that ran when they were entered, or that
    they set; and remember of every late paper that the finding was once overdue.
    """
    owed = case.finding.part("owed")
    if case.finding.state in s.PRESSURE and any(
        datetime.fromisoformat(owed[rule]) < case.now for rule in rules if rule in owed
    ):
        draft.remarks["late"] = True
    if draft.remarks.get("late"):
        draft.write("was_overdue", True)


def _last_left(case: Case) -> dict[str, Any]:
    stack = case.finding.sheet.get("left") or []
    return stack[-1] if stack else {"state": s.EXECUTING, "level": 0}


def _pending(case: Case) -> str | None:
    if case.finding.part("plan").get("status") == "handed_in":
        return s.PLAN_REVIEW
    if case.finding.part("report").get("status") == "handed_in":
        return s.DESK
    return None


def _to_rectify(case: Case) -> str:
    accepted = case.finding.part("plan").get("status") == "accepted"
    return s.EXECUTING if accepted or not case.finding.sheet.get("plan_required", True) else s.PLANNING


def received(case: Case) -> bool:
    """Whether an opinion has been received: a letter, or what stands in its place."""
    return bool(case.finding.part("opinion").get("received_on"))


def _back(case: Case) -> str:
    if pending := _pending(case):
        return pending
    if not received(case):
        return str(_outermost(case)["state"])
    return _to_rectify(case)


def _outermost(case: Case) -> dict[str, Any]:
    """The state outside the three systems that was left first."""
    stack = case.finding.sheet.get("left") or []
    return stack[0] if stack else {"state": s.EXECUTING, "level": 0}


def _back_on_drop(case: Case) -> str:
    return _pending(case) or str(_last_left(case)["state"])


_PLACES = (s.PLAN_REVIEW, s.DESK, s.PLANNING, s.EXECUTING)
_LEFT = tuple(sorted(s.FEEDBACK | s.RECTIFICATION | s.REVIEW | s.COMMENDATION | {s.SUBMITTED, s.INSPECTING}))
_LEFT_INSIDE = tuple(sorted(s.INTERVIEW | s.BULLETIN))

BACK = Fork("back", tuple(dict.fromkeys((*_PLACES, *_LEFT))), _back)
BACK_ON_DROP = Fork("back_on_drop", tuple(dict.fromkeys((*_PLACES, *_LEFT, *_LEFT_INSIDE))), _back_on_drop)
BACK_TO_WORK = Fork("back_to_work", _PLACES, lambda case: _pending(case) or _to_rectify(case))


def returned(case: Case, draft: Draft) -> None:
    """The way back is walked: nothing is left behind any more."""
    draft.write("left", [])


def dropped(case: Case, draft: Draft) -> None:
    """One step back is walked: the level falls to its value in the state left."""
    stack = list(draft.value("left", []))
    last: dict[str, Any] = stack.pop() if stack else {"level": 0}
    draft.write("left", [] if _pending(case) else stack)
    draft.write("proposer", last.get("proposer"))
    draft.set(level=last["level"])
    if off := last.get("written_off_at"):
        draft.set(written_off_at=datetime.fromisoformat(off))


_RANK = {"": 0, "interview": 1, "bulletin": 2, "decision": 3}


def set_date(case: Case, draft: Draft, by: str) -> None:
    """`rectify_by` of the payload is the date from now on, set by an interview, a bulletin or a decision; later dates
    until write-off count as set by the gravest of them.
    """
    draft.write("rectify_by", case.payload.rectify_by.isoformat())
    draft.put("owed", rectify_by=due_instant(case.payload.rectify_by, case.calendar))
    before = str(draft.value("date_set_by", ""))
    draft.write("date_set_by", max(before, by, key=lambda setter: _RANK[setter]))
