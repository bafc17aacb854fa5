"""The tables around findings: regions, offices, units, people and their access, supervisions, tip-offs, settings."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

LEAVERS = text("active = 0")


class RegionRow(SQLModel, table=True):
    """A region; `path` holds the codes from the country down to itself, joined by "/"; r1..r4 province to township."""

    __tablename__: ClassVar[str] = "region"
    code: str = Field(primary_key=True)
    name: str
    level: str
    parent: str | None = Field(default=None, index=True)
    path: str
    active: int = 1


class OfficeRow(SQLModel, table=True):
    """A supervision office; `superior_id` is the nearest office above, kept whenever an office is added."""

    __tablename__: ClassVar[str] = "office"
    id: str = Field(primary_key=True)
    code: str = Field(unique=True)
    region: str = Field(unique=True)
    name: str
    doc_prefix: str
    superior_id: str | None = None
    active: int = 1


class UnitRow(SQLModel, table=True):
    """A supervised school, department or government."""

    __tablename__: ClassVar[str] = "unit"
    __table_args__ = (Index("ix_unit_region", "region", "id"), Index("ix_unit_department", "department_id"))
    id: str = Field(primary_key=True)
    name: str
    kind: str
    region: str
    department_id: str | None = None
    active: int = 1


class PersonRow(SQLModel, table=True):
    """An account. Never deleted: history names it."""

    __tablename__: ClassVar[str] = "person"
    __table_args__ = (Index("ix_person_left", "id", sqlite_where=LEAVERS, postgresql_where=LEAVERS),)
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    full_name: str
    password: str = ""
    language: str = "zh"
    active: int = 1


class PostRow(SQLModel, table=True):
    """A role held over a region or at a unit, for a span of days."""

    __tablename__: ClassVar[str] = "post"
    __table_args__ = (
        Index("ix_post_person", "person_id"),
        Index("ix_post_region", "region", "role"),
        Index("ix_post_unit", "unit_id", "role"),
        Index("ix_post_until", "until_on", "person_id"),
    )
    id: str = Field(primary_key=True)
    person_id: str
    role: str
    region: str | None = None
    unit_id: str | None = None
    from_on: str
    until_on: str = "9999-12-31"


class SubstituteRow(SQLModel, table=True):
    """`by_id` acts for `person_id` from one day to another."""

    __tablename__: ClassVar[str] = "substitute"
    __table_args__ = (Index("ix_substitute_by", "by_id", "until_on"), Index("ix_substitute_person", "person_id"))
    id: str = Field(primary_key=True)
    person_id: str
    by_id: str
    from_on: str
    until_on: str


class RecusalRow(SQLModel, table=True):
    """Why a person must stay out of everything about a unit."""

    __tablename__: ClassVar[str] = "recusal"
    person_id: str = Field(primary_key=True)
    unit_id: str = Field(primary_key=True)
    ground: str
    until_on: str = "9999-12-31"


class TokenRow(SQLModel, table=True):
    """A programme's access, stored hashed."""

    __tablename__: ClassVar[str] = "token"
    __table_args__ = (Index("ix_token_person", "person_id"),)
    digest: str = Field(primary_key=True)
    id: str = Field(unique=True)
    person_id: str
    name: str
    scopes: str = ""
    created_at: str
    expires_at: str
    used_on: str = ""
    revoked: int = 0


class SessionRow(SQLModel, table=True):
    """A browser's session, stored hashed."""

    __tablename__: ClassVar[str] = "session"
    __table_args__ = (Index("ix_session_expiry", "expires_at"), Index("ix_session_person", "person_id"))
    digest: str = Field(primary_key=True)
    person_id: str
    csrf: str
    expires_at: str


class SupervisionRow(SQLModel, table=True):
    """An inspection campaign with its team."""

    __tablename__: ClassVar[str] = "supervision"
    __table_args__ = (Index("ix_supervision_office", "office_id", "id"),)
    id: str = Field(primary_key=True)
    office_id: str
    kind: str
    title: str
    from_on: str
    until_on: str
    lead_id: str = ""
    matters: str = Field(default="[]", sa_type=Text)
    report: str = Field(default="", sa_type=Text)
    satisfaction: str = Field(default="", sa_type=Text)
    active: int = 1


class TeamRow(SQLModel, table=True):
    """Who belongs to a supervision's team."""

    __tablename__: ClassVar[str] = "team"
    supervision_id: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)


class TipOffRow(SQLModel, table=True):
    """A report from the public. `sealed` holds the identity; it never leaves the office."""

    __tablename__: ClassVar[str] = "tip_off"
    __table_args__ = (Index("ix_tip_off_office", "office_id", "id"), Index("ix_tip_off_chain", "chain"))
    id: str = Field(primary_key=True)
    receipt_digest: str = Field(unique=True)
    office_id: str
    unit_id: str | None = None
    chain: str = ""
    """Number of the finding it led to or is about."""
    origin: int = 0
    """1 where the finding came from this tip-off."""
    matter: str = Field(sa_type=Text)
    status: str
    result: str = Field(default="", sa_type=Text)
    sealed: str = Field(default="", sa_type=Text)
    at: str
    answered_at: str | None = None


class IdempotencyRow(SQLModel, table=True):
    """The stored answer to a request, so that a repeated one changes nothing."""

    __tablename__: ClassVar[str] = "idempotency"
    __table_args__ = (Index("ix_idempotency_at", "at"),)
    person_id: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    digest: str
    status: int
    headers: str = "{}"
    answer: str = Field(sa_type=Text)
    at: str


class CalendarDayRow(SQLModel, table=True):
    """A day of a published arrangement that overrides the library."""

    __tablename__: ClassVar[str] = "calendar_day"
    day: str = Field(primary_key=True)
    kind: str
    name: str
    source: str


class SettingRow(SQLModel, table=True):
    """A value the service keeps for itself, such as the virtual clock."""

    __tablename__: ClassVar[str] = "setting"
    key: str = Field(primary_key=True)
    value: str = Field(sa_type=Text)


class SavedViewRow(SQLModel, table=True):
    """A question to the ledger that somebody keeps under a name of their own."""

    __tablename__: ClassVar[str] = "saved_view"
    __table_args__ = (UniqueConstraint("person_id", "name", name="uq_saved_view"),)
    id: str = Field(primary_key=True)
    person_id: str
    name: str
    query: str = Field(sa_type=Text)
