"""The acts that can be disputed, opinion letters and accountability decisions: their windows, their forms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from loop.kernel.case import Case, Draft
from loop.kernel.clocks import Timer

WINDOWS = {"opinion": ("opinion_window",), "decision": ("reconsider_window", "appeal_window")}


def acts_of(case: Case) -> list[dict[str, Any]]:
    """Every act on this finding, the earliest first."""
    return list(case.finding.sheet.get("acts") or ())


def act_named(case: Case, name: str) -> dict[str, Any] | None:
    """The act by its key ("opinion#7") or its kind ("opinion": the last such act)."""
    return next((a for a in reversed(acts_of(case)) if name in (a["key"], a["kind"])), None)


def asked(case: Case) -> dict[str, Any] | None:
    """The act that the payload names."""
    return act_named(case, case.payload.act)


def disputed(case: Case) -> dict[str, Any]:
    """The act that the present dispute is about."""
    return act_named(case, str(case.finding.part("dispute").get("act"))) or {"kind": "opinion", "signers": []}


def window_of(case: Case, rule: str, act: dict[str, Any]) -> Timer | None:
    """The running window `rule` of this act."""
    return next((t for t in case.finding.timers if t.rule == rule and t.note == act["key"]), None)


def in_time(case: Case) -> bool:
    """Whether the act that the payload names can still be objected to."""
    act = asked(case)
    if act is None:
        return False
    window = window_of(case, "opinion_window" if act["kind"] == "opinion" else "reconsider_window", act)
    return window is not None and not window.is_past(case.now)


def mark(draft: Draft, key: str, **changes: object) -> None:
    """Note something about the act `key`."""
    draft.write("acts", [{**a, **changes} if a["key"] == key else a for a in draft.value("acts", [])])


def stop_windows(case: Case, draft: Draft, *, of: str) -> None:
    """Stop the windows of the act `of`; those of other acts wait until this dispute is over."""
    now = case.now
    rules = {rule for pair in WINDOWS.values() for rule in pair}

    def stopped(timer: Timer) -> Timer:
        return replace(timer, stopped_at=now) if timer.rule in rules else timer

    draft.rewrites.append(stopped)
    for act in draft.value("acts", []):
        mine = [t for t in case.finding.timers if t.note == act["key"] and t.rule in rules and not t.is_past(now)]
        if mine and act["key"] != of:
            mark(draft, act["key"], waits=[t.rule for t in mine])


def decisions(draft: Draft) -> list[dict[str, Any]]:
    """Every accountability decision on this finding, the present one last."""
    return [*draft.value("earlier_decisions", []), draft.part("decision")]


def decision_of(case: Case, act: dict[str, Any]) -> dict[str, Any]:
    """The decision of this act: the last one, or an earlier one."""
    found = decisions(Draft(case.finding))
    return next((d for d in found if d.get("act") == act.get("key")), {})


def cancel_forms(draft: Draft, key: str, kept: frozenset[str] = frozenset()) -> None:
    """Cancel the forms of the decision `key`, but for those `kept`."""
    *earlier, last = (
        {**d, "forms": [f if f["form"] in kept else {**f, "cancelled": True} for f in d["forms"]]}
        if d.get("act") == key
        else d
        for d in decisions(draft)
    )
    draft.write("decision", last)
    draft.write("earlier_decisions", earlier)
