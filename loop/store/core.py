"""The SQLAlchemy Core table behind a SQLModel declaration."""

from __future__ import annotations

from typing import cast

from sqlalchemy import Table
from sqlmodel import SQLModel


def table_of(row: type[SQLModel]) -> Table:
    """The table that `row` declares."""
    return cast("Table", row.__table__)  # type: ignore[attr-defined]
