"""What one reader sees of one finding's history: everything, or only the steps taken by their unit or told to it.

A unit and its department see state and level always; payloads, comments and papers only of steps taken by them or told to
them. Which unit a finding had at a step is followed through its events, for it may have changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from json import loads
from typing import Any

from loop.kernel.clocks import Timer
from loop.kernel.errors import NotFound
from loop.kernel.finding import Finding
from loop.kernel.people import DEPARTMENT, UNIT, Actor
from loop.kernel.workflow import Workflow
from loop.store import evidence, findings, journal, reach
from loop.store.evidence import Attachment
from loop.store.journal import Entry
from loop.store.paging import storable
from loop.store.reach import SEES_REGION
from loop.store.session import Tx

CHUNK = 500
FORMER_UNIT = "former_unit"


@dataclass(frozen=True, slots=True)
class Sight:
    """On what ground somebody reads a finding: `full` as office, leader or auditor, else for these units."""

    full: bool
    units: frozenset[str]
    departments: frozenset[str]


@dataclass(frozen=True, slots=True)
class Step:
    """One event as one reader may see it; `open` where its payload, comment and papers are shown."""

    entry: Entry
    open: bool
    effects: dict[str, Any]


def seen(tx: Tx, actor: Actor, number: str) -> Finding:
    """The finding called `number`, if there is one and `actor` may see it; raises NotFound."""
    finding = findings.load(tx, number, lock=False) if storable(number) else None
    if finding is None or not reach.may_see(actor, finding):
        raise NotFound
    return finding


def sight_of(actor: Actor, finding: Finding) -> Sight:
    """How `actor`, who may see the finding, sees it."""
    full = any(p.role in SEES_REGION and p.covers(finding.place.region) for p in actor.posts)
    return Sight(
        full,
        frozenset(p.unit_id for p in actor.posts if p.role == UNIT and p.unit_id),
        frozenset(p.unit_id for p in actor.posts if p.role == DEPARTMENT and p.unit_id),
    )


def steps(tx: Tx, number: str, sight: Sight, after: int = 0) -> Iterator[Step]:
    """The events of a finding after the one numbered `after`, in order; internal comments are left out for units."""
    if sight.full:
        for entry in _trail(tx, number, after):
            yield Step(entry, True, loads(entry.effects))
        return
    unit = department = ""
    for entry in _trail(tx, number, 0):
        effects = loads(entry.effects)
        was_unit, was_department = unit, department
        columns = effects.get("finding", {})
        unit = columns.get("unit_id", unit) or ""
        department = columns.get("department_id", department) or ""
        if entry.seq <= after or effects.get("remarks", {}).get("internal"):
            continue
        told, capacity = effects.get("told", ()), effects.get("capacity")
        mine = (capacity == UNIT and was_unit in sight.units) or (
            capacity == DEPARTMENT and was_department in sight.departments
        )
        hears = (
            (UNIT in told and unit in sight.units)
            or (DEPARTMENT in told and department in sight.departments)
            or (FORMER_UNIT in told and was_unit in sight.units)
        )
        yield Step(entry, mine or hears, effects)


OFFICE_ONLY = frozenset({"side"})
"""Kinds of clocks that are the office's own affair: instructions, transfers, tip-offs."""


def clock_shown(flow: Workflow, sight: Sight, timer: Timer) -> bool:
    """Whether the reader may see this clock."""
    declared = flow.timers.get(timer.rule)
    return sight.full or (declared is not None and declared.kind not in OFFICE_ONLY)


def open_steps(tx: Tx, number: str, sight: Sight) -> frozenset[int] | None:
    """The numbers of the events that are open to the reader; None for all of them."""
    return None if sight.full else frozenset(step.entry.seq for step in steps(tx, number, sight) if step.open)


def attachment_seen(tx: Tx, actor: Actor, id_: str) -> tuple[Attachment, Finding, frozenset[int] | None]:
    """The attachment `id_`, its finding, and the open steps of that; raises NotFound where the reader may not see it."""
    kept = evidence.attachment(tx, id_) if storable(id_) else None
    if kept is None:
        raise NotFound
    finding = seen(tx, actor, kept.chain)
    shown = open_steps(tx, finding.number, sight_of(actor, finding))
    if shown is not None and kept.seq not in shown:
        raise NotFound
    return kept, finding, shown


ACCUSATION = ("facts", "legal_basis")
"""What was found, and what that rests on."""


def sheet_for(tx: Tx, finding: Finding, sight: Sight) -> dict[str, Any]:
    """What the workflow has recorded about a finding, by topic; to a unit only what open steps have written."""
    if sight.full:
        return dict(finding.sheet)
    # A unit sees a finding only once something was served on it, and what is served repeats these.
    seen: dict[str, Any] = {topic: finding.sheet[topic] for topic in ACCUSATION if topic in finding.sheet}
    whole: dict[str, Any] = {}
    for step in steps(tx, finding.number, sight):
        for topic, value in step.effects.get("sheet", {}).items():
            if step.open:
                seen[topic] = _merged(seen.get(topic), whole.get(topic), value)
            whole[topic] = value
    return seen


def _merged(seen: Any, before: Any, value: Any) -> Any:
    """What an open step adds to a topic: of a mapping only the members that it changed."""
    if not isinstance(value, dict):
        return value
    known = before if isinstance(before, dict) else {}
    changed = {k: v for k, v in value.items() if k not in known or known[k] != v}
    return {**(seen if isinstance(seen, dict) else {}), **changed}


def _trail(tx: Tx, number: str, after: int) -> Iterator[Entry]:
    while True:
        chunk = journal.trail(tx, number, after_seq=after, limit=CHUNK)
        yield from chunk
        if len(chunk) < CHUNK:
            return
        after = chunk[-1].seq
