"""The tables of what is counted as it happens: numbers of findings by place, steps not yet added to them, write-offs."""

from __future__ import annotations

from typing import ClassVar

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from loop.store.tables import Key

LEVELS = ("r1", "r2", "r3", "r4")


class TallyRow(SQLModel, table=True):
    """How many findings a place holds in one part of a measure; `tallies` says which measures there are.

    `place` is empty for the whole country, a region's code, "unit:ID@REGION", or for what has been told "told:ID" of a unit,
    "above:ID" of a department.
    """

    __tablename__: ClassVar[str] = "tally"
    place: str = Field(primary_key=True)
    measure: str = Field(primary_key=True)
    part: str = Field(primary_key=True)
    n: int


class ShiftRow(SQLModel, table=True):
    """A change of the tally that is not added to it yet. Every action appends its own, so that no two wait for each other."""

    __tablename__: ClassVar[str] = "tally_shift"
    id: int | None = Field(default=None, sa_type=Key, primary_key=True)
    places: str
    measure: str
    part: str
    n: int


class WriteOffRow(SQLModel, table=True):
    """One write-off 销号: whether it came by the first and by the last date set, and whether it held. `month` is local."""

    __tablename__: ClassVar[str] = "write_off"
    __table_args__ = (
        Index("ix_write_off_month", "month", "at", "number"),
        *(Index(f"ix_write_off_{r}", r, "month", "at", "number") for r in LEVELS),
    )
    number: str = Field(primary_key=True)
    at: str = Field(primary_key=True)
    month: str
    r1: str = ""
    r2: str = ""
    r3: str = ""
    r4: str = ""
    dated: int
    by_first: int
    by_last: int
    relapsed: int = 0
