"""The tables of how people are told: copies, deliveries and their attempts, contacts, gaps, webhooks, leaders' links.

A `message` (see `tables`) is what one person is told; a `copy` is that message by one channel; a `delivery` is one
sending, which may carry several copies. Why a try failed and why a program is told nothing more (`error`, `off_reason`)
stand there in both languages, as `labels` writes them. Instants of the service's clock and of the machine's are told apart
by name: those of leases and attempts (`not_before`, `tried_at`, `attempt.at`) are the machine's.
"""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Index, Text, text
from sqlmodel import Field, SQLModel

from loop.store.instants import NEVER_TEXT
from loop.store.tables import DEAD, OWED, Key

WAITING = text("delivery_id IS NULL AND dropped = ''")
OPEN_GAP = text("healed_at IS NULL")
HEALED_GAP = text("healed_at IS NOT NULL")
LIVE = text("active = 1")


class CopyRow(SQLModel, table=True):
    """A message by one channel. `due_at` says when it may go; `dropped` why it need not any more."""

    __tablename__: ClassVar[str] = "copy"
    __table_args__ = (
        Index("ix_copy_waiting", "due_at", "id", sqlite_where=WAITING, postgresql_where=WAITING),
        Index("ix_copy_message", "message_id"),
        Index("ix_copy_delivery", "delivery_id"),
    )
    id: int | None = Field(default=None, sa_type=Key, primary_key=True)
    key: str = Field(unique=True)
    message_id: int | None = Field(default=None, sa_type=Key)
    """None where a program is told of a step, whoever else was."""
    chain: str
    seq: int
    step: str
    person_id: str = ""
    channel: str
    webhook_id: str = ""
    urgent: int = 0
    due_at: str
    delivery_id: int | None = Field(default=None, sa_type=Key)
    dropped: str = ""


class DeliveryRow(SQLModel, table=True):
    """One sending by one channel to one reader; `key` is the id the receiver sees, the same over all attempts. `queued_at`
    moves on to the day on which it may go, where it could not on its own.
    """

    __tablename__: ClassVar[str] = "delivery"
    __table_args__ = (
        Index("ix_delivery_owed", "not_before", "id", sqlite_where=OWED, postgresql_where=OWED),
        Index("ix_delivery_channel", "channel", "tried_at"),
        Index("ix_delivery_person", "person_id", "queued_at"),
        Index("ix_delivery_webhook", "webhook_id", "id"),
        Index("ix_delivery_dead", "id", sqlite_where=DEAD, postgresql_where=DEAD),
    )
    id: int | None = Field(default=None, sa_type=Key, primary_key=True)
    key: str = Field(unique=True)
    channel: str
    person_id: str = ""
    webhook_id: str = ""
    address: str = ""
    copies: int = 1
    urgent: int = 0
    queued_at: str
    not_before: str
    tried_at: str = ""
    attempts: int = 0
    """How often it was taken; a try that a crash cut off counts here, and not among the failures."""
    failures: int = 0
    sent_at: str | None = None
    delivered_at: str | None = None
    dead: int = 0
    error: str = ""


class AttemptRow(SQLModel, table=True):
    """One try to send a delivery, on the machine's time; `error` is empty where it went through."""

    __tablename__: ClassVar[str] = "attempt"
    delivery_id: int = Field(sa_type=Key, primary_key=True)
    place: int = Field(primary_key=True)
    at: str
    error: str = ""
    permanent: int = 0


class ContactRow(SQLModel, table=True):
    """Where a channel reaches a person, and in which order they wish their channels."""

    __tablename__: ClassVar[str] = "contact"
    person_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    address: str
    place: int = 0


class LikingRow(SQLModel, table=True):
    """What a person declined (route names joined by commas), and whether everything may wait for the morning."""

    __tablename__: ClassVar[str] = "liking"
    person_id: str = Field(primary_key=True)
    off: str = ""
    digest: int = 0


class GapRow(SQLModel, table=True):
    """A step that did not reach whom it should: `why` is nobody, stood_in, left or undelivered."""

    __tablename__: ClassVar[str] = "gap"
    __table_args__ = (
        Index("ix_gap_open", "office_id", "at", "chain", sqlite_where=OPEN_GAP, postgresql_where=OPEN_GAP),
        Index("ix_gap_healed", "office_id", "healed_at", sqlite_where=HEALED_GAP, postgresql_where=HEALED_GAP),
        Index("ix_gap_tried", "tried_at", "chain", sqlite_where=OPEN_GAP, postgresql_where=OPEN_GAP),
    )
    chain: str = Field(primary_key=True)
    seq: int = Field(primary_key=True)
    role: str = Field(primary_key=True)
    person_id: str = Field(default="", primary_key=True)
    """Whom it should have reached, where that is known."""
    office_id: str
    step: str
    why: str
    at: str
    tried_at: str = ""
    healed_at: str | None = None
    healed_by: str = ""


class WebhookRow(SQLModel, table=True):
    """A program's subscription to what happens in a person's scope. `secrets` is JSON: what letters are signed with."""

    __tablename__: ClassVar[str] = "webhook"
    __table_args__ = (
        Index("ix_webhook_person", "person_id"),
        Index("ix_webhook_region", "region", sqlite_where=LIVE, postgresql_where=LIVE),
        Index("ix_webhook_unit", "unit_id", sqlite_where=LIVE, postgresql_where=LIVE),
    )
    id: str = Field(primary_key=True)
    person_id: str
    name: str
    url: str = Field(sa_type=Text)
    region: str = ""
    unit_id: str = ""
    actions: str = "*"
    """Names between commas, or * for every action."""
    secrets: str = Field(default="[]", sa_type=Text)
    created_at: str
    active: int = 1
    failures: int = 0
    failing_since: str = NEVER_TEXT
    off_reason: str = ""


class LinkRow(SQLModel, table=True):
    """A leader's link to one finding: expires, and is good for one answer."""

    __tablename__: ClassVar[str] = "link"
    __table_args__ = (Index("ix_link_expiry", "expires_at"),)
    id: str = Field(primary_key=True)
    person_id: str
    message_id: int = Field(sa_type=Key)
    chain: str
    made_at: str
    expires_at: str
    used_at: str | None = None
