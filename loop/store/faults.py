"""What goes wrong in a database, as this product's own errors: who reads them learns what to do."""

from __future__ import annotations

import sqlite3

import psycopg

from loop.kernel.errors import Unavailable
from loop.kernel.labels import Label

BUSY = Label(
    "数据库正忙，请稍后重试；若一直如此，请停掉占用数据库文件的其他程序。",
    "the database is busy; try again shortly, and if it stays so, stop the other program that holds it.",
)
FULL = Label(
    "磁盘已满；请为数据库所在磁盘腾出空间。", "the disk is full; free space on the disk that holds the database."
)
CLOSED_FILE = Label(
    "无法读写数据库文件；请检查其文件夹是否存在、是否有写权限。",
    "the database file cannot be read or written; check that its folder exists and may be written.",
)
DAMAGED = Label(
    "数据库文件已损坏或不是数据库；请用 loop restore 恢复备份。",
    "the database file is damaged or no database; restore a backup with `loop restore`.",
)
LOST = Label(
    "连不上数据库；请检查它是否在运行、[database] url 是否正确。",
    "the database cannot be reached; check that it runs and that [database] url is right.",
)
NO_SCHEMA = Label(
    "数据库还没有建好，或版本较旧；请运行 loop migrate。",
    "the database has no schema yet, or an older one; run `loop migrate`.",
)
CLOSING = Label("服务正在停止；请稍后重试。", "the service is stopping; try again shortly.")


class Duplicate(Exception):
    """A row with this key is there already; `constraint` names the key as the database does."""

    def __init__(self, constraint: str) -> None:
        self.constraint = constraint
        super().__init__(constraint)


class Moved(Exception):
    """The row is no longer at the version that was read."""


class Contended(Unavailable):
    """Nothing was written and the same work may succeed when tried again."""


def unavailable(why: Label, kind: type[Unavailable] = Unavailable) -> Unavailable:
    """The 503 that says `why` in both languages."""
    return kind(Label(Unavailable.text.zh.format(why=why.zh), Unavailable.text.en.format(why=why.en)), why=why.en)


def translated(error: Exception) -> Exception:
    """A driver's error as ours, or itself where it is a fault of the program."""
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error)
    if isinstance(error, psycopg.Error):
        return _of_postgres(error)
    return error


_SQLITE = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_IOERR: CLOSED_FILE,
    sqlite3.SQLITE_CANTOPEN: CLOSED_FILE,
    sqlite3.SQLITE_READONLY: CLOSED_FILE,
    sqlite3.SQLITE_PERM: CLOSED_FILE,
    sqlite3.SQLITE_AUTH: CLOSED_FILE,
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
}
_UNIQUE = (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID)


def _of_sqlite(error: sqlite3.Error) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0)
    if code in _UNIQUE:
        return Duplicate(str(error).partition(": ")[2])
    # The low byte is the primary code; the rest only says where it happened.
    why = _SQLITE.get(code & 0xFF)
    if why is None and str(error).startswith(("no such table", "no such column", "table ")):
        why = NO_SCHEMA
    return unavailable(why) if why else error


_POSTGRES = {
    "42P01": NO_SCHEMA,
    "42703": NO_SCHEMA,
    "53100": FULL,
    "53200": BUSY,
    "53300": BUSY,
    "55P03": BUSY,
    "57014": BUSY,
    "25006": CLOSED_FILE,
    "3D000": NO_SCHEMA,
}


def _of_postgres(error: psycopg.Error) -> Exception:
    state = error.sqlstate or ""
    if state == "23505":
        return Duplicate(error.diag.constraint_name or "")
    if state in ("40001", "40P01"):
        return unavailable(BUSY, Contended)
    why = _POSTGRES.get(state)
    if why is None and (state[:2] in ("08", "57", "28") or (not state and isinstance(error, psycopg.OperationalError))):
        why = LOST
    return unavailable(why) if why else error
