"""The schema: one upgrade path for both databases, and no work on any other version."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

from loop.kernel.errors import Unavailable
from loop.store.schema import belongs, check_schema, connected, migrate, revisions
from loop.store.session import Store

Opener = Callable[..., Store]


def run(url: str, *statements: str) -> None:
    with connected(url) as connection:
        for statement in statements:
            connection.execute(text(statement))


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    with connected(url) as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def test_the_migrated_schema_is_the_declared_one(database_url: str) -> None:
    with connected(database_url) as connection:
        context = MigrationContext.configure(connection, opts={"include_object": belongs, "compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrating_twice_changes_nothing(database_url: str, store: Store) -> None:
    migrate(database_url)
    check_schema(store)
    assert rows(database_url, "SELECT version_num FROM alembic_version") == [(revisions()[-1],)]


def test_migrate_makes_the_folder_and_the_file(tmp_path: Path, open_store: Opener) -> None:
    url = f"sqlite:///{tmp_path / 'data' / '中文 100%' / 'loop.db'}"
    migrate(url)
    check_schema(open_store(url))


def test_a_database_without_schema_says_what_to_run(empty_url: str, open_store: Opener) -> None:
    with pytest.raises(Unavailable, match="loop migrate"):
        check_schema(open_store(empty_url))


def test_opening_a_database_that_is_not_there_makes_none(tmp_path: Path, open_store: Opener) -> None:
    with pytest.raises(Unavailable, match="loop migrate"):
        check_schema(open_store(f"sqlite:///{tmp_path / 'none.db'}"))
    assert list(tmp_path.iterdir()) == []


def test_a_half_made_schema_is_an_older_one(database_url: str, store: Store) -> None:
    run(database_url, "DELETE FROM alembic_version")
    with pytest.raises(Unavailable, match="loop migrate"):
        check_schema(store)


def test_a_newer_database_is_left_alone(database_url: str, store: Store) -> None:
    run(database_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="newer version") as refused:
        check_schema(store)
    assert "更新版本" in refused.value.label.zh
    with pytest.raises(Unavailable, match="newer version"):
        migrate(database_url)


def test_a_file_that_is_no_database_is_named_so(tmp_path: Path, open_store: Opener) -> None:
    path = tmp_path / "loop.db"
    path.write_bytes(b"not a database, only some text " * 100)
    with pytest.raises(Unavailable, match="damaged"):
        check_schema(open_store(f"sqlite:///{path}"))


def test_only_two_tables_carry_the_public_names(database_url: str, backend: str) -> None:
    names = rows(
        database_url,
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if backend == "sqlite"
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    )
    found = {str(name) for (name,) in names if re.search("finding|event", str(name))}
    assert found == {"finding", "event"}


@pytest.mark.parametrize("change", ["UPDATE event SET action = 'x'", "DELETE FROM event"])
def test_the_trail_refuses_change_and_removal(database_url: str, change: str) -> None:
    columns = "chain, seq, track, action, from_state, to_state, actor_id, actor_name, actor_role, at, rules, payload, effects, hash"
    run(
        database_url,
        f"INSERT INTO event ({columns}) VALUES ('c', 1, '', 'open', '', '', 'p', 'p', 'r', '', '', '', '', 'h')",
    )
    with pytest.raises(Exception, match="append-only"):
        run(database_url, change)
    assert rows(database_url, "SELECT action FROM event") == [("open",)]


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_postgresql_refuses_to_empty_the_trail_at_once(database_url: str) -> None:
    with pytest.raises(Exception, match="append-only"):
        run(database_url, "TRUNCATE event")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_write_ahead_log_is_on(database_url: str) -> None:
    with sqlite3.connect(database_url.removeprefix("sqlite:///")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
