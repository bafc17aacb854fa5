"""A finding as one frozen value: its columns, its sheet and its running timers. Decisions read it, never a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from loop.kernel.clocks import Timer
from loop.kernel.people import Place

NEVER = datetime.fromisoformat("9999-12-31T00:00:00+00:00")
"""Stands for "none" wherever an instant is stored, so that paging never meets a null."""

DISPUTE_NONE = "none"
WITHDRAWN, ARCHIVED = "withdrawn", "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding at one version.

    `sheet` holds what the workflow has recorded about it, by topic:
    facts, legal_basis, opinion, plan, report, extension, review, interview, bulletin, decision, commendation, acts, left…
    """

    id: int
    number: str
    office_id: str
    unit_id: str
    unit_kind: str
    department_id: str | None
    supervision_id: str | None
    title: str
    description: str
    kind: str
    category: str
    severity: str
    state: str
    dispute: str = DISPUTE_NONE
    level: int = 0
    round: int = 1
    relapse_count: int = 0
    positive: bool = False
    long_term: bool = False
    danger_to_life: bool = False
    served: bool = False
    responsible_person: str = ""
    opened_at: datetime
    suspended_at: datetime = NEVER
    written_off_at: datetime = NEVER
    accountable_on: date | None = None
    due_at: datetime = NEVER
    due_rule: str = ""
    waits_for: str = ""
    version: int = 0
    head: str = ""
    sheet: Mapping[str, Any] = field(default_factory=dict)
    timers: tuple[Timer, ...] = ()
    place: Place

    @property
    def stage(self) -> str:
        """The system it is in: the part of the state before the dot."""
        return self.state.partition(".")[0]

    @property
    def suspended(self) -> bool:
        """Whether its timers stand still by written order."""
        return self.suspended_at != NEVER

    @property
    def grave(self) -> bool:
        """Severity grave 严重."""
        return self.severity == "grave"

    @property
    def major(self) -> bool:
        """Severity major 较重 or grave 严重: where one signature more is needed."""
        return self.severity in ("major", "grave")

    @property
    def of_government(self) -> bool:
        """Whether the unit is a government, for which the director signs."""
        return self.unit_kind == "government"

    def part(self, name: str) -> dict[str, Any]:
        """One topic of the sheet, empty where nothing is recorded yet."""
        found = self.sheet.get(name)
        return found if isinstance(found, dict) else {}

    def timer(self, rule: str) -> Timer | None:
        """The running timer of `rule`, the earliest where there are several."""
        mine = [t for t in self.timers if t.rule == rule]
        return min(mine, key=lambda t: (t.due_at, t.id)) if mine else None


WRITTEN_OFF_STAGES = frozenset({"lookback", ARCHIVED})


def is_written_off(state: str) -> bool:
    """`written off` = in look-back or archived."""
    return state.partition(".")[0] in WRITTEN_OFF_STAGES


def is_open(state: str) -> bool:
    """`open` = neither written off nor withdrawn."""
    return state != WITHDRAWN and not is_written_off(state)


def is_end(state: str) -> bool:
    """Whether nothing more can come of it: archived or withdrawn."""
    return state in (ARCHIVED, WITHDRAWN)
