"""How the two databases are opened, and the few words they need said differently."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import URL

from loop.store.faults import NO_SCHEMA, translated, unavailable
from loop.store.sql import DIALECTS, POSTGRESQL, SQLITE


class Cursor(Protocol):
    """What both drivers' cursors have in common."""

    @property
    def rowcount(self) -> int: ...
    def execute(self, text: str, values: Sequence[Any], /) -> object: ...
    def executemany(self, text: str, rows: Sequence[Sequence[Any]], /) -> object: ...
    def fetchall(self) -> list[tuple[Any, ...]]: ...


class Wire(Protocol):
    """One open connection with its one cursor."""

    cursor: Cursor

    @property
    def open(self) -> bool:
        """Whether it can still be used."""

    @property
    def inside(self) -> bool:
        """Whether a transaction is open on it."""

    def close(self) -> None:
        """Give it up; harmless when it is gone already."""


class Driver(Protocol):
    """One of the two databases: how to connect and how a transaction begins."""

    dialect: ClassVar[str]
    begin_write: ClassVar[str]
    begin_read: ClassVar[str]

    def connect(self, *, read_only: bool) -> Wire:
        """A fresh connection; raises `Unavailable`."""


class _SqliteWire:
    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw
        self.cursor = cast("Cursor", raw.cursor())
        self.open = True

    @property
    def inside(self) -> bool:
        return self._raw.in_transaction

    def close(self) -> None:
        self.open = False
        self._raw.close()


@dataclass(frozen=True)
class Sqlite:
    """A database file beside the service. It must exist: `loop migrate` makes it.

    Without `durable` a loss of power may lose what was committed: for a database that can be made again, such as the
    demonstration's while it is being played.
    """

    path: Path
    patience: float
    durable: bool = True
    dialect: ClassVar[str] = SQLITE
    begin_write: ClassVar[str] = "BEGIN IMMEDIATE"
    begin_read: ClassVar[str] = "BEGIN"

    def connect(self, *, read_only: bool) -> Wire:
        """A fresh connection: write-ahead log, full synchronous."""
        if not self.path.exists():
            raise unavailable(NO_SCHEMA)
        try:
            raw = sqlite3.connect(
                self.path.absolute().as_uri() + "?mode=rw", uri=True, timeout=self.patience, isolation_level=None,
                check_same_thread=False, cached_statements=512,
            )  # fmt: skip
            forced = f"synchronous={'FULL' if self.durable else 'OFF'}"
            for pragma in ("journal_mode=WAL", forced, "foreign_keys=ON", f"query_only={int(read_only)}"):
                raw.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise translated(error) from error
        return _SqliteWire(raw)


class _PostgresWire:
    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self._raw = raw
        self.cursor = cast("Cursor", raw.cursor())

    @property
    def open(self) -> bool:
        return not self._raw.closed

    @property
    def inside(self) -> bool:
        return self._raw.info.transaction_status != TransactionStatus.IDLE

    def close(self) -> None:
        self._raw.close()


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL server."""

    url: URL
    patience: float
    dialect: ClassVar[str] = POSTGRESQL
    begin_write: ClassVar[str] = "BEGIN ISOLATION LEVEL READ COMMITTED"
    begin_read: ClassVar[str] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def connect(self, *, read_only: bool) -> Wire:
        """A fresh connection that waits for locks no longer than `patience`."""
        _, options = DIALECTS[POSTGRESQL].create_connect_args(self.url)
        options.setdefault("connect_timeout", max(2, round(self.patience)))
        options.setdefault("application_name", "loop read" if read_only else "loop")
        try:
            raw = psycopg.connect(autocommit=True, **cast("dict[str, Any]", options))
            raw.execute("SELECT set_config('lock_timeout', %s, false)", [f"{round(self.patience * 1000)}ms"])
        except psycopg.Error as error:
            raise translated(error) from error
        raw.prepared_max = 500
        return _PostgresWire(raw)


def driver_for(url: URL, patience: float, *, durable: bool = True) -> Driver:
    """The driver for a `sqlite:///file` or `postgresql+psycopg://…` address; raises ValueError for any other."""
    backend = url.get_backend_name()
    if backend == SQLITE and url.database and url.database != ":memory:":
        return Sqlite(Path(url.database), patience, durable)
    if backend == POSTGRESQL:
        return Postgres(url, patience)
    raise ValueError(f"[database] url must be sqlite:///FILE or postgresql+psycopg://…, not {url.render_as_string()}")
