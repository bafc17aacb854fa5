"""The shapes of answers as OpenAPI shows them. Answers are built as plain values; tests hold them against these."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Shape(BaseModel):
    """An answer; nothing beyond what is declared."""

    model_config = ConfigDict(extra="forbid")


class LabelOut(Shape):
    """A text in both languages."""

    zh: str
    en: str


class UnitOut(Shape):
    """The unit a finding is about."""

    id: str
    name: str
    kind: Literal["school", "department", "government"]


class FindingOut(Shape):
    """A finding in an answer."""

    number: str = Field(examples=["YX-2026-0001"])
    title: str
    description: str
    state: str = Field(examples=["rectification.executing"])
    stage: str = Field(examples=["rectification"])
    dispute: str = Field(examples=["none"])
    level: int = Field(ge=0, le=6)
    round: int
    relapse_count: int
    severity: str
    category: str
    kind: str
    unit: UnitOut
    department: str | None
    office: str
    office_name: str
    region: str
    region_name: str
    supervision: str | None
    opened_at: str = Field(json_schema_extra={"format": "date-time"})
    due_at: str | None
    due_rule: str | None
    waits_for: str | None
    overdue: bool
    light: Literal["green", "yellow", "red", "grey"]
    written_off_at: str | None
    suspended_at: str | None
    version: int
    responsible_person: str
    long_term: bool
    danger_to_life: bool
    positive: bool


class FileOut(Shape):
    """A file attached to a finding; `seq` is the event that attached it."""

    id: str
    name: str
    sha256: str
    size: int
    type: str
    seq: int


class DisputeOut(Shape):
    """The dispute track: its state, and every act that can be or has been disputed."""

    state: str
    acts: list[dict[str, Any]]


class WholeFinding(FindingOut):
    """A finding with all that the caller may see of it."""

    sheet: dict[str, Any]
    dispute_details: DisputeOut
    attachments: list[FileOut]


class FindingList(Shape):
    """A page of the ledger; `total` and `more` only where asked for."""

    items: list[FindingOut]
    next: str | None
    total: int | None = None
    more: bool | None = None


class AvailableAction(Shape):
    """Something the caller may do now."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    name: str
    label: LabelOut
    schema_: dict[str, Any] = Field(alias="schema")


class BlockedAction(Shape):
    """Something a condition holds back."""

    name: str
    label: LabelOut
    code: str
    reason: str


class Actions(Shape):
    """What the caller may do to a finding."""

    available: list[AvailableAction]
    blocked: list[BlockedAction]


class ActorOut(Shape):
    """Who took a step; the scheduler is `system`. `for_id` is the absent person for whom a substitute acted."""

    id: str
    name: str
    role: str
    for_id: str | None


class EventOut(Shape):
    """One step of a finding's history. `payload` is null where it is not the caller's to see.

    `hash` is SHA-256 over `previous` and the canonical JSON of every other column, payload and effects by their digests.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    seq: int
    action: str
    label: LabelOut
    track: str
    from_: str = Field(alias="from")
    to: str
    actor: ActorOut
    at: str
    due_at: str | None
    timer_id: str | None
    rung: int | None
    rules: str
    late: bool
    payload: dict[str, Any] | None
    payload_digest: str
    effects_digest: str
    hash: str


class EventList(Shape):
    """A page of a finding's history."""

    items: list[EventOut]
    next: str | None


class PauseOut(Shape):
    """A span in which a clock stood still."""

    since: str
    until: str | None
    why: str


class TimerOut(Shape):
    """One clock of a finding. `provenance`: V law read, A by analogy, P product default, O set by the office."""

    id: str
    rule: str
    label: LabelOut
    kind: str
    owner: str | None
    running: bool
    paused: bool
    length: str
    source: str
    provenance: str
    started_on: str
    started_at: str
    due_at: str | None
    first_due_at: str | None
    next_at: str | None
    stopped_at: str | None
    overdue: bool
    rung: int
    left: int | None
    pauses: list[PauseOut]
    note: str
    provisional: bool


class TimerList(Shape):
    """The clocks of a finding, in the order in which they started."""

    items: list[TimerOut]
    next: None = None


class ProofOut(BaseModel):
    """The count of a clock, day by day, and what it rests on."""

    timer: TimerOut
    rule: dict[str, Any]
    start: str
    due: str
    due_at: str
    zone: str
    by_rule: str
    is_set: bool
    provisional: bool
    days: list[dict[str, Any]]
    pauses: list[dict[str, Any]]


class DocumentOut(Shape):
    """The head of a paper. `number` is null on papers that were received or are internal."""

    id: str
    kind: str
    title: LabelOut
    number: str | None
    office: str
    year: int | None
    serial: int | None
    internal: bool
    issued_at: str
    digest: str
    seq: int | None = None


class DocumentList(Shape):
    """A list of papers."""

    items: list[DocumentOut]
    next: str | None


class WholeDocument(DocumentOut):
    """A paper as data: its content as it was issued, and those of its findings that the caller may see."""

    content: dict[str, Any]
    findings: list[str]


class ToldOut(Shape):
    """A person who is told, in which role; `gap` names the role that nobody holds, for which they stand in."""

    name: str
    full_name: str
    role: str
    gap: str


class OutcomeOut(Shape):
    """What one finding of a batch became, or would become."""

    number: str
    state: str
    dispute: str
    level: int
    version: int
    due_at: str | None


class BatchOut(Shape):
    """What a batch did, or with `preview` would do, the papers it made, and how many messages go to how many people."""

    preview: bool
    items: list[OutcomeOut]
    documents: list[DocumentOut]
    told: list[ToldOut]
    messages: int
    people: int


class PostOut(Shape):
    """A post of the caller; `for_id` where it is held as a substitute."""

    id: str
    role: str
    label: LabelOut
    region: str | None
    unit: str | None
    for_id: str | None


class SubstituteOut(Shape):
    """Who acts for somebody, from and until a day."""

    name: str
    full_name: str
    from_on: str
    until_on: str


class Me(Shape):
    """The caller. `csrf` must come back in the header X-CSRF-Token of everything a browser sends to change something."""

    id: str
    name: str
    full_name: str
    language: str
    posts: list[PostOut]
    scope: dict[str, Any]
    substitutes: list[SubstituteOut]
    today: str
    csrf: str | None
    scopes: list[str] | None
