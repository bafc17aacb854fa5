"""The tables of findings and of what happens to them, declared with SQLModel (the others stand in `registry`).

Instants are fixed-width UTC text (see `instants`), JSON is canonical text.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import BigInteger, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects import postgresql
from sqlmodel import Field, SQLModel

from loop.store.instants import NEVER_TEXT

Key = BigInteger().with_variant(Integer, "sqlite")
Grams = postgresql.ARRAY(Text()).with_variant(Text(), "sqlite")
RUNNING = text("stopped_at IS NULL")
STOPPED = text("stopped_at IS NOT NULL")
BY_STOP = ("owner", "stopped_at", "id")
FAILED = text("stopped_at IS NULL AND error <> ''")
DEAD = text("dead = 1")
OWED = text("sent_at IS NULL AND dead = 0")
UNREAD = text("read_at IS NULL")
CLIMBING = text("level >= 3")
UNSIGNED = text("signed_at IS NULL AND repeat_at < '9999'")
PUBLIC = text("kind IN ('bulletin', 'public_notice', 'publication')")
"""Kinds of paper that may be shown to the public; which of them are shown stands with their findings."""


class FindingRow(SQLModel, table=True):
    """One finding as it stands: a fold of its events. r1..r4 are the region codes from province to township."""

    __tablename__: ClassVar[str] = "finding"
    __table_args__ = (
        *(Index(f"ix_f_r{k}_due", f"r{k}", "due_at", "id") for k in (1, 2, 3, 4)),
        *(Index(f"ix_f_r{k}_state_due", f"r{k}", "state", "due_at", "id") for k in (1, 2, 3, 4)),
        Index("ix_f_due", "due_at", "id"),
        Index("ix_f_opened", "opened_at", "id"),
        Index("ix_f_level", "level", "id"),
        Index("ix_f_r1_opened", "r1", "opened_at", "id"),
        Index("ix_f_r1_level", "r1", "level", "id"),
        Index("ix_f_state_due", "state", "due_at", "id"),
        Index("ix_f_unit_due", "unit_id", "due_at", "id"),
        Index("ix_f_department_due", "department_id", "due_at", "id"),
        Index("ix_f_unit_category", "unit_id", "category", "written_off_at"),
        Index("ix_f_supervision", "supervision_id", "due_at", "id"),
        Index("ix_f_climbing", "level", "id", sqlite_where=CLIMBING, postgresql_where=CLIMBING),
        *(
            Index(f"ix_f_r{k}_climbing", f"r{k}", "level", "id", sqlite_where=CLIMBING, postgresql_where=CLIMBING)
            for k in (1, 2, 3, 4)
        ),
    )
    id: int | None = Field(default=None, sa_type=Key, primary_key=True)
    number: str = Field(unique=True)
    office_id: str
    unit_id: str
    unit_kind: str
    department_id: str | None = None
    r1: str = ""
    r2: str = ""
    r3: str = ""
    r4: str = ""
    supervision_id: str | None = None
    title: str
    description: str = Field(sa_type=Text)
    kind: str
    category: str
    severity: str
    state: str
    dispute: str = "none"
    level: int = 0
    round: int = 1
    relapse_count: int = 0
    positive: int = 0
    long_term: int = 0
    danger_to_life: int = 0
    served: int = 0
    is_open: int = 1
    responsible_person: str = ""
    opened_at: str
    suspended_at: str = NEVER_TEXT
    written_off_at: str = NEVER_TEXT
    accountable_on: str | None = None
    due_at: str = NEVER_TEXT
    due_rule: str = ""
    waits_for: str = ""
    changed_at: str = NEVER_TEXT
    version: int = 0
    head: str = ""
    sheet: str = Field(default="{}", sa_type=Text)


class EventRow(SQLModel, table=True):
    """One entry of a hash chain. A finding's chain is its number; people, supervisions and tip-offs have their own.

    Append-only: update and delete are refused by triggers in both databases.
    """

    __tablename__: ClassVar[str] = "event"
    __table_args__ = (
        UniqueConstraint("timer_id", "rung", name="uq_event_rung"),
        Index("ix_event_at", "at"),
    )
    chain: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    finding_id: int | None = Field(default=None, sa_type=Key)
    track: str
    action: str
    from_state: str
    to_state: str
    actor_id: str
    actor_name: str
    actor_role: str
    for_id: str | None = None
    at: str
    due_at: str | None = None
    timer_id: str | None = None
    rung: int | None = None
    rules: str
    payload: str = Field(sa_type=Text)
    effects: str = Field(sa_type=Text)
    hash: str


class TimerRow(SQLModel, table=True):
    """One deadline; `detail` holds profile, anchor, note, pauses, left and its ladder as canonical JSON."""

    __tablename__: ClassVar[str] = "timer"
    __table_args__ = (
        Index("ix_timer_next", "next_at", "id", sqlite_where=RUNNING, postgresql_where=RUNNING),
        Index("ix_timer_chain", "chain", "stopped_at"),
        Index("ix_timer_failed", "chain", "id", sqlite_where=FAILED, postgresql_where=FAILED),
        Index("ix_timer_office", "office_id", "owner", "due_at", "id", sqlite_where=RUNNING, postgresql_where=RUNNING),
        Index("ix_timer_unit", "unit_id", "owner", "due_at", "id", sqlite_where=RUNNING, postgresql_where=RUNNING),
        *(
            Index(f"ix_timer_{at}_stopped", f"{at}_id", *BY_STOP, sqlite_where=STOPPED, postgresql_where=STOPPED)
            for at in ("office", "unit")
        ),
    )
    id: str = Field(primary_key=True)
    chain: str
    rule: str
    number: int
    unit: str
    source: str = Field(sa_type=Text)
    provenance: str
    started_on: str
    started_at: str
    due_at: str
    first_due_at: str
    next_at: str = NEVER_TEXT
    rung: int = 0
    owner: str = ""
    office_id: str
    unit_id: str = ""
    detail: str = Field(default="{}", sa_type=Text)
    stopped_at: str | None = None
    error: str = ""


class PartRow(SQLModel, table=True):
    """A person's part in a finding: author, reviewer, member, signer. Serves `mine` and the personal desk."""

    __tablename__: ClassVar[str] = "part"
    __table_args__ = (Index("ix_part_person", "person_id", "part"),)
    chain: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    part: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    ended: int = 0


class DocumentRow(SQLModel, table=True):
    """One paper. `serial` is its place in the office's series of the year, without gaps; empty on received papers."""

    __tablename__: ClassVar[str] = "document"
    __table_args__ = (
        UniqueConstraint("office_id", "year", "serial", name="uq_document_number"),
        Index("ix_document_office", "office_id", "issued_at", "id"),
        Index("ix_document_issued", "issued_at", "id"),
        Index("ix_document_public", "issued_at", "id", sqlite_where=PUBLIC, postgresql_where=PUBLIC),
    )
    id: str = Field(primary_key=True)
    kind: str
    office_id: str
    year: int | None = None
    serial: int | None = None
    number: str = ""
    internal: int = 0
    issued_at: str
    content: str = Field(sa_type=Text)
    digest: str


class DocumentLinkRow(SQLModel, table=True):
    """Which findings a paper is about, and the step that made it."""

    __tablename__: ClassVar[str] = "document_link"
    __table_args__ = (Index("ix_link_chain", "chain"),)
    document_id: str = Field(primary_key=True)
    chain: str = Field(primary_key=True)
    seq: int


class SerialRow(SQLModel, table=True):
    """The last number given in a series of an office and year."""

    __tablename__: ClassVar[str] = "serial"
    office_id: str = Field(primary_key=True)
    series: str = Field(primary_key=True)
    year: int = Field(primary_key=True)
    last: int = 0


class FileRow(SQLModel, table=True):
    """An evidence file on disk, by digest."""

    __tablename__: ClassVar[str] = "file"
    sha256: str = Field(primary_key=True)
    size: int = Field(sa_type=Key)
    type: str


class AttachmentRow(SQLModel, table=True):
    """A file as attached to a finding, under the name its uploader gave."""

    __tablename__: ClassVar[str] = "attachment"
    __table_args__ = (Index("ix_attachment_chain", "chain"),)
    id: str = Field(primary_key=True)
    chain: str
    seq: int
    sha256: str
    name: str
    by_id: str


class MessageRow(SQLModel, table=True):
    """What one person is told of one step, as it stands in their inbox. `role` is the role in which they are told.

    `sent_at` is when the copies for other channels were made out; until then the outbox owes it. `repeat_at` is when it is
    sent again unless signed for.
    """

    __tablename__: ClassVar[str] = "message"
    __table_args__ = (
        Index("ix_message_owed", "not_before", "id", sqlite_where=OWED, postgresql_where=OWED),
        Index("ix_message_person", "person_id", "id"),
        Index("ix_message_chain", "chain", "seq"),
        Index("ix_message_dead", "chain", sqlite_where=DEAD, postgresql_where=DEAD),
        Index("ix_message_repeat", "repeat_at", "id", sqlite_where=UNSIGNED, postgresql_where=UNSIGNED),
        Index("ix_message_unread", "person_id", "queued_at", sqlite_where=UNREAD, postgresql_where=UNREAD),
    )
    id: int | None = Field(default=None, sa_type=Key, primary_key=True)
    key: str = Field(unique=True)
    chain: str
    seq: int
    person_id: str
    step: str
    channel: str
    content: str = Field(sa_type=Text)
    role: str = ""
    gap: str = ""
    should_at: str
    queued_at: str
    not_before: str
    attempts: int = 0
    sent_at: str | None = None
    delivered_at: str | None = None
    read_at: str | None = None
    signed_at: str | None = None
    dead: int = 0
    error: str = ""
    repeat_at: str = NEVER_TEXT
    repeats: int = 0


class GramRow(SQLModel, table=True):
    """The searchable text of each finding; `grams` serves PostgreSQL alone (SQLite has the FTS5 table `search`)."""

    __tablename__: ClassVar[str] = "search_gram"
    __table_args__ = (Index("ix_search_gram", "grams", postgresql_using="gin"),)
    finding_id: int = Field(sa_type=Key, primary_key=True)
    body: str = Field(default="", sa_type=Text)
    grams: list[str] | None = Field(default=None, sa_type=Grams)
