"""The schema's versions: brings a database to this one, and refuses to work on any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, column, create_engine, event, make_url, select, table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from loop.kernel.labels import Label
from loop.store import postal, registry, tables, tally
from loop.store.faults import NO_SCHEMA, translated, unavailable
from loop.store.session import Store
from loop.store.sql import SQLITE, Prepared

NEWER = Label(
    "此数据库由更新版本的程序建立；请升级程序后再启动。",
    "this database was made by a newer version of the program; update the program, then start it again.",
)
DECLARED = (tables, registry, postal, tally)
"""Importing these declares every table."""

_HERE = Path(__file__).parent / "migrations"
_VERSION = Prepared(select(column("version_num")).select_from(table("alembic_version")))
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(20260302)")
"""Any number will do, as long as all who migrate take the same lock."""


def revisions() -> tuple[str, ...]:
    """Every revision this program knows, the oldest first; the file names say them."""
    return tuple(sorted(path.name.partition("_")[0] for path in (_HERE / "versions").glob("[0-9]*.py")))


def check_schema(store: Store) -> None:
    """Raises `Unavailable` saying what to do where the database has no schema, an older one or a newer one."""
    found = [row[0] for row in store.read(lambda tx: tx.all(_VERSION))]
    _refuse_newer(found)
    if found != [revisions()[-1]]:
        raise unavailable(NO_SCHEMA)


def migrate(url: str) -> None:
    """Brings the database at `url` to this program's schema; makes an SQLite file that is not there yet.

    All or nothing, and two that migrate at once take turns. Raises `Unavailable`.
    """
    # Alembic takes a while to import, and only who migrates needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.migration import MigrationContext  # noqa: PLC0415

    with connected(url) as connection:
        if connection.dialect.name != SQLITE:
            connection.execute(_ONE_AT_A_TIME)
        _refuse_newer(MigrationContext.configure(connection).get_current_heads())
        config = Config()
        config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A plain connection in one transaction, for what is done once: to migrate and to inspect."""
    address = make_url(url)
    if address.get_backend_name() == SQLITE and address.database:
        Path(address.database).absolute().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address, poolclass=NullPool)
    if engine.dialect.name == SQLITE:
        _begin_by_hand(engine)
    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise translated(error.orig if isinstance(error.orig, Exception) else error) from error


def belongs(_: object, name: str | None, kind: str, reflected: bool, __: object) -> bool:
    """Whether Alembic should compare this: not the search index of either database, which no table declares."""
    of_search = name == "search" or (name or "").startswith("search_")
    return not ((kind == "table" and reflected and of_search) or name == "ix_search_gram")


def _begin_by_hand(engine: Engine) -> None:
    """Python's SQLite driver would leave a migration's DDL outside any transaction."""

    def connect(raw: Any, _: object) -> None:
        raw.isolation_level = None
        raw.execute("PRAGMA journal_mode=WAL")

    event.listen(engine, "connect", connect)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))


def _refuse_newer(found: Any) -> None:
    if not set(found) <= set(revisions()):
        raise unavailable(NEWER)
