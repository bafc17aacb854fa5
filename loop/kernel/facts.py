"""What a decision may need to know beyond the finding itself. The engine loads only what the action's guards name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from loop.kernel.people import Path

UNIT = "unit"
SUPERVISION = "supervision"
PEOPLE = "people"
OFFICE = "office"
REPEAT = "repeat"
ACCOUNTABILITY = "accountability"
TIP_OFFS = "tip_offs"
ATTACHMENTS = "attachments"
DOCUMENTS = "documents"
RECUSAL = "recusal"
KINDS = frozenset(
    {UNIT, SUPERVISION, PEOPLE, OFFICE, REPEAT, ACCOUNTABILITY, TIP_OFFS, ATTACHMENTS, DOCUMENTS, RECUSAL}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnitFact:
    """A unit that a payload names."""

    id: str
    name: str
    kind: str
    region: Path
    department_id: str | None


@dataclass(frozen=True, slots=True)
class PersonFact:
    """An account holder that a payload names. `recused` is the ground that bars them from this unit, or empty."""

    id: str
    name: str
    full_name: str
    roles: frozenset[str] = frozenset()
    """Roles at the finding's own office or at one above it."""
    recused: str = ""


@dataclass(frozen=True, slots=True)
class SupervisionFact:
    """The supervision a finding belongs to: its kind, its office, how many inspectors are in its team."""

    id: str
    kind: str
    office_id: str
    inspectors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything loaded for one decision. What was not asked for is empty."""

    unit: UnitFact | None = None
    supervision: SupervisionFact | None = None
    people: Mapping[str, PersonFact] = field(default_factory=dict)
    office: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Persons who hold each role at the finding's office today, and under "superior" those of the office above; under "free"
    its inspectors who may look at the unit: those responsible for it, else all, but nobody who must stay away from it.
    """
    recused: str = ""
    """The ground that bars the actor from the unit that the payload names, or else from the finding's; or empty."""
    repeat_of: str = ""
    """Number of a finding of the same unit and category written off within the repeat window, or empty."""
    accountable_on: date | None = None
    """Day of the last accountability decision against this unit within the window."""
    tip_offs: int = 0
    """Unanswered tip-offs on the finding, not counting the one it came from."""
    attachments: frozenset[str] = frozenset()
    documents: Mapping[str, str] = field(default_factory=dict)
    """Kind of each document of this finding by its id."""
